//! How the run came out, in plain language.

use super::{events, provenance, tables::case_name};
use crate::{
    data::{CaseData, Data},
    format::{self, bounds, count, fixed, ranges, runs},
};
use indexmap::IndexMap;
use microgrid_agents::statement::Outcome;
use microgrid_record::{ClearingRow, KeyFigures, LedgerRow, Number, Row, SlotRow, Status, knob_text};
use std::collections::BTreeMap;

/// A price that is no further than this from the closed form's is that price [CNY/kWh].
const AT_THE_CLOSED_FORM: f64 = 1e-3;
/// More slots than this are not told of one by one.
const MOST_SLOTS: usize = 5;

pub(super) fn headline(data: &Data) -> String {
    if !is_begun(data) {
        return "No slot is complete yet.".to_owned();
    }
    let settled = match Settling::of(data) {
        Settling { searches: 0, cleared: 0, .. } => "There was no market in any slot".to_owned(),
        Settling { searches: 0, cleared: 1, .. } => "The only market slot cleared".to_owned(),
        Settling { searches: 0, cleared, .. } => format!("All {cleared} market slots cleared"),
        Settling { searches, equilibria, cleared: 1.., .. } => {
            let slots = count(searches, "market slot");
            format!("{equilibria} of {slots} in which an equilibrium is looked for settled")
        }
        Settling { searches: 1, equilibria: 1, .. } => "The only market slot settled".to_owned(),
        Settling { searches, equilibria, .. } if searches == equilibria => {
            format!("All {searches} market slots settled")
        }
        Settling { searches, equilibria: 0, .. } => format!("None of {} settled", count(searches, "market slot")),
        Settling { searches, equilibria, .. } => format!("{equilibria} of {searches} market slots settled"),
    };
    let done = || format!("{} of {}", data.complete().count(), count(data.manifest.case_count as usize, "case"));
    let settled = match data.manifest.status {
        Status::Finished => settled,
        Status::Unfinished => format!("Not finished: {} so far. {settled}", done()),
        Status::Interrupted => format!("Interrupted: {} complete. {settled}", done()),
        Status::Failed(_) => format!("Failed: {} complete. {settled}", done()),
    };
    let gains = || data.complete().filter_map(|(_, figures)| figures.open_slots.welfare_gain_percent);
    let (Some(least), Some(most)) = (gains().reduce(f64::min), gains().reduce(f64::max)) else {
        return format!("{settled}.");
    };
    let (gain, by_case) =
        if percent(least) == percent(most) { (beside(most, percent), "") } else { (span(least, most), ", by case") };
    let traded = data.complete().any(|(_, figures)| figures.totals.traded_kwh > 0.0);
    let trust = ": nothing was traded, but trust in local energy adds to own consumption";
    let trust = if traded || most <= 0.0 { "" } else { trust };
    format!("{settled}; welfare is {gain} that of {}{by_case}{trust}.", data.without_market())
}

fn percent(value: f64) -> String {
    format!("{} %", fixed(value.abs(), 1))
}

/// By how much something is above or below what comes behind, or that it is the same.
fn beside(difference: f64, amount: impl Fn(f64) -> String) -> String {
    match amount(difference) {
        size if size == amount(0.0) => "the same as".to_owned(),
        size if difference < 0.0 => format!("{size} below"),
        size => format!("{size} above"),
    }
}

/// The same of differences from the least to the most, in per cent.
fn span(least: f64, most: f64) -> String {
    let (low, high) = (percent(least), percent(most));
    if least >= 0.0 {
        format!("{low} to {high} above")
    } else if most <= 0.0 {
        format!("{high} to {low} below")
    } else {
        format!("{low} below to {high} above")
    }
}

fn is_begun(data: &Data) -> bool {
    data.cases.iter().any(|case| !case.slots.is_empty() || case.key_figures.is_some())
}

fn signed(value: f64, decimals: usize) -> String {
    format::signed(value, decimals).replace('-', "\u{2212}")
}

/// All there is to say, a paragraph each.
pub(super) fn reading(data: &Data, ledger: &[LedgerRow]) -> Vec<String> {
    let clock = "The run went by the machine's clock: the same program may give other results another time.";
    let by_clock = (!data.manifest.deterministic).then(|| clock.to_owned());
    let settled = ending(data).into_iter().chain(is_begun(data).then(|| settling(data)));
    let slots = by_knob(data).into_iter().chain(unsettled(data)).chain(elsewhere(data)).chain(corners(data));
    let gains = ledger_gain(data).into_iter().chain(money(data)).chain(events::reading(data, ledger));
    part(data).into_iter().chain(settled).chain(slots).chain(gains).chain(closed(data)).chain(by_clock).collect()
}

/// That the run is of a part, and how it becomes a run of the whole.
fn part(data: &Data) -> Option<String> {
    let part = provenance::part_of(&data.manifest, data.manifest.part?);
    Some(format!("This is part {part}. `sim merge` makes one run, with one report, of the runs of all parts."))
}

/// In how many slots an equilibrium was looked for, how many of these settled, and how far from the closed form.
struct Settling {
    searches: usize,
    equilibria: usize,
    /// How many cleared by a rule.
    cleared: usize,
    /// Largest distance of a settled price from the closed form's [CNY/kWh].
    furthest: Option<f64>,
}

impl Settling {
    fn of(data: &Data) -> Self {
        let ended = |outcome| markets(data).filter(move |(_, row)| row.outcome == outcome);
        let all = markets(data).count();
        if all > 0 {
            let gaps = ended(Outcome::Equilibrium).filter_map(|(_, row)| row.price_gap.map(Number::value));
            let (equilibria, cleared) = (ended(Outcome::Equilibrium).count(), ended(Outcome::Cleared).count());
            return Self { searches: all - cleared, equilibria, cleared, furthest: gaps.reduce(f64::max) };
        }
        // Where the run keeps no slots: all of a case go by the same mechanism.
        let (searched, cleared): (Vec<_>, Vec<_>) =
            data.complete().map(|(_, case)| case).partition(|case| case.equilibrium_share.is_some());
        let markets = |cases: &[&KeyFigures]| cases.iter().map(|case| case.market_slots as usize).sum();
        let settled = searched.iter().map(|case| case.equilibrium_share.unwrap_or(0.0) * f64::from(case.market_slots));
        let equilibria = settled.sum::<f64>().round() as usize;
        Self { searches: markets(&searched), equilibria, cleared: markets(&cleared), furthest: None }
    }
}

/// Slots with a market, with their cases.
fn markets(data: &Data) -> impl Iterator<Item = (&CaseData, &SlotRow)> {
    data.cases.iter().flat_map(|case| case.markets().map(move |row| (case, row)))
}

fn ending(data: &Data) -> Option<String> {
    let done = data.complete().count();
    let so_far = format!("{done} of {} complete", count(data.manifest.case_count as usize, "case"));
    match &data.manifest.status {
        Status::Finished => None,
        Status::Unfinished => Some(format!("The run is under way or was killed: {so_far}. `sim resume` finishes it.")),
        Status::Interrupted => Some(format!("The run was interrupted: {so_far}. `sim resume` finishes it.")),
        Status::Failed(reason) => Some(format!("The run failed: {reason}. {so_far}.")),
    }
}

fn settling(data: &Data) -> String {
    let Settling { searches, equilibria, cleared, furthest } = Settling::of(data);
    if searches + cleared == 0 {
        return format!("No slot had a market: {}.", no_market(data));
    }
    let by_rule = match cleared {
        0 => String::new(),
        cleared => {
            let slots = count(cleared, "market slot");
            format!("{slots} cleared by the rule of a mechanism that looks for no equilibrium.")
        }
    };
    if searches == 0 {
        return by_rule;
    }
    let by_rule = if cleared > 0 { format!(" {by_rule}") } else { by_rule };
    let cases = match data.cases.len() {
        _ if cleared > 0 => String::new(),
        1 => String::new(),
        2 => " of both cases".to_owned(),
        cases => format!(" of all {cases} cases"),
    };
    let at = furthest.filter(|gap| *gap <= AT_THE_CLOSED_FORM).map(|gap| match gap {
        0.0 => " at the closed-form price, exactly".to_owned(),
        gap => format!(" at the closed-form price, to within {} CNY/kWh", small(gap)),
    });
    let which = if cleared > 0 { ", of those in which an equilibrium is looked for," } else { "" };
    let slots = format!("{}{which}", count(searches, "market slot"));
    if searches == equilibria {
        return format!("All {slots}{cases} settled{}.{by_rule}", at.unwrap_or_default());
    }
    let share = fixed(100.0 * equilibria as f64 / searches as f64, 1);
    let those = at.map_or_else(String::new, |at| format!(" Those that did came to rest{at}."));
    format!("{equilibria} of {slots}{cases} settled ({share} %).{those}{by_rule}")
}

/// The slots whose gate closed first or that are void, those furthest from the closed form before all others; of a study of several
/// cases the worst one of each combination of knobs, because one case is much like its replicates.
fn unsettled(data: &Data) -> Vec<String> {
    let did_not = |row: &SlotRow| matches!(row.outcome, Outcome::GateClosure | Outcome::Void);
    let mut slots: Vec<_> = markets(data).filter(|(_, row)| did_not(row)).collect();
    let all = slots.len();
    let gap = |row: &SlotRow| row.price_gap.map_or(0.0, Number::value);
    slots.sort_by(|(_, one), (_, other)| gap(other).total_cmp(&gap(one)));
    if data.manifest.case_count > 1 {
        let mut told = Vec::new();
        slots.retain(|(case, _)| {
            let knobs = &case.entry.knobs;
            let is_new = told.len() < MOST_SLOTS && !told.contains(&knobs);
            told.extend(is_new.then_some(knobs));
            is_new
        });
    }
    slots.truncate(MOST_SLOTS);
    let say = |&(case, row): &(&CaseData, &SlotRow)| {
        let of_case = of_several(data, case);
        if row.outcome == Outcome::Void { void_slot(case, row, &of_case) } else { unsettled_slot(case, row, &of_case) }
    };
    let mut said: Vec<String> = slots.iter().map(say).collect();
    if all > slots.len() {
        let more = count(all - slots.len(), "more slot");
        said.push(format!("And {more} did not settle; `{}` has them all.", SlotRow::FILE));
    }
    said
}

/// Which case it is of, where there are several.
fn of_several(data: &Data, case: &CaseData) -> String {
    if data.manifest.case_count == 1 { String::new() } else { format!(" of {}", case_name(data, &case.entry)) }
}

fn void_slot(case: &CaseData, row: &SlotRow, of_case: &str) -> String {
    let [welfare, p2g, alone] = [row.welfare_cny, row.p2g_welfare_cny, row.p2g_storage_welfare_cny];
    let gain = welfare.zip(p2g).map_or(0.0, |(welfare, p2g)| welfare.value() - p2g.value());
    let storages = if alone == p2g { "" } else { ", and from storages" };
    let why = match fixed(gain.abs(), 2) {
        size if format::is_nothing(&size) => String::new(),
        _ => format!(
            " That its welfare is {} that of P2G comes from what trust in local energy adds to own consumption{storages}.",
            beside(gain, |gain| format!("{} CNY", fixed(gain.abs(), 2)))
        ),
    };
    format!(
        "{}{of_case} was not settled: too few peers of the ledger endorsed its trades, which all fell back to the grid.{why}",
        begun(case, row)
    )
}

fn unsettled_slot(case: &CaseData, row: &SlotRow, of_case: &str) -> String {
    let after = match row.rounds {
        0 => "before anybody had made a choice".to_owned(),
        rounds => format!("after {}", count(rounds as usize, "round")),
    };
    let swing = row.oscillation_amplitude.map_or_else(String::new, |amplitude| match amplitude.value() {
        0.0 => "; its prices had stopped moving".to_owned(),
        amplitude => format!("; its prices still swung by {} CNY/kWh", small(amplitude)),
    });
    let apart = row.price_gap.zip(row.equilibrium_price_cny_per_kwh).map_or_else(String::new, |(gap, price)| {
        let (gap, price) = (gap.value(), fixed(price.value(), 4));
        match small(gap) {
            _ if gap == 0.0 => format!(", and ended at the closed-form price {price}"),
            gap => format!(", and ended up to {gap} CNY/kWh from the closed-form price {price}"),
        }
    });
    format!("{}{of_case} did not settle: its gate closed {after}{swing}{apart}.", begun(case, row))
}

/// A slot with its moment at the beginning of a sentence.
fn begun(case: &CaseData, row: &SlotRow) -> String {
    case.slot_name(row.slot).replacen('s', "S", 1)
}

/// What went on in a slot, in a sentence or two.
pub(super) fn slot(data: &Data, case: &CaseData, row: &SlotRow) -> String {
    let name = case_name(data, &case.entry);
    match row.outcome {
        Outcome::NoMarket => format!("{} of {name} had no market.", begun(case, row)),
        Outcome::Void => void_slot(case, row, &format!(" of {name}")),
        Outcome::GateClosure => unsettled_slot(case, row, &of_several(data, case)),
        Outcome::Equilibrium | Outcome::Rest | Outcome::Cleared => {
            let seconds = |time: Number| format!("{} s", fixed(time.value(), 1));
            let time = row.time_to_equilibrium_s.map_or_else(String::new, |time| format!(" ({})", seconds(time)));
            let rounds = count(row.rounds as usize, "round");
            let (sellers, buyers) = (count(row.sellers as usize, "seller"), count(row.buyers as usize, "buyer"));
            let price = |price: Option<Number>| price.map_or_else(|| "-".to_owned(), |price| fixed(price.value(), 4));
            let (mean, theory) = (price(row.price_mean_cny_per_kwh), price(row.equilibrium_price_cny_per_kwh));
            let how = match row.outcome {
                Outcome::Rest => format!("came to rest elsewhere after {rounds}{time}"),
                Outcome::Cleared => format!("cleared after {}", row.time_to_end_s.map_or_else(String::new, seconds)),
                _ => format!("settled after {rounds}{time}"),
            };
            let rule = match row.outcome {
                Outcome::Cleared => format!(
                    " {} goes by a rule, so that there is no path of sellers' prices to be drawn: `{}` has what was \
                     announced and executed.",
                    row.mechanism,
                    ClearingRow::FILE
                ),
                _ => String::new(),
            };
            format!(
                "{} of {name}: {sellers} and {buyers} {how} at a mean price of {mean} CNY/kWh; the closed-form price is \
                 {theory}.{rule}",
                begun(case, row)
            )
        }
    }
}

fn elsewhere(data: &Data) -> Option<String> {
    let slots: Vec<_> = markets(data).filter(|(_, row)| row.outcome == Outcome::Rest).collect();
    let furthest = slots.iter().filter_map(|(_, row)| row.price_gap.map(Number::value)).reduce(f64::max)?;
    let those = count(slots.len(), "slot");
    Some(format!("{those} came to rest elsewhere, up to {} CNY/kWh from the closed-form price.", small(furthest)))
}

/// In a sweep: which share of the slots settled for each value of each knob.
fn by_knob(data: &Data) -> Vec<String> {
    let Settling { searches, equilibria, .. } = Settling::of(data);
    if data.cases.len() <= 2 || equilibria == searches || data.cases.iter().all(|case| case.slots.is_empty()) {
        return Vec::new();
    }
    data.knobs().filter_map(|name| by_values_of(data, name)).collect()
}

fn by_values_of(data: &Data, name: &str) -> Option<String> {
    let mut counts = IndexMap::<String, (usize, usize)>::new();
    for (case, row) in markets(data).filter(|(_, row)| row.outcome.looked_for_equilibrium()) {
        let (settled, all) = counts.entry(knob_text(case.entry.knobs.get(name)?)).or_default();
        *settled += usize::from(row.outcome == Outcome::Equilibrium);
        *all += 1;
    }
    let percent = |(settled, all): &(usize, usize)| fixed(100.0 * *settled as f64 / *all as f64, 0);
    let distinct: std::collections::BTreeSet<_> = counts.values().map(percent).collect();
    if counts.len() < 2 {
        return None;
    }
    if distinct.len() == 1 {
        let is_mechanism = data.mechanisms.as_ref().is_some_and(|mechanisms| mechanisms.knob == name);
        let those = if is_mechanism { "slots that look for an equilibrium" } else { "slots" };
        return Some(format!("Whatever {name} was, {} % of the {those} settled.", distinct.first()?));
    }
    let each = counts.iter().map(|(value, share)| format!("{} % at {value}", percent(share)));
    Some(format!("By {name}, there settled {}.", each.collect::<Vec<_>>().join(", ")))
}

/// Slots in which the price can go no further.
fn corners(data: &Data) -> Vec<String> {
    let Some(plan) = &data.plan else { return Vec::new() };
    let mut at = [BTreeMap::<u32, usize>::new(), BTreeMap::new()];
    for case in &data.cases {
        let bands = plan.price_bands(case.entry.case);
        for row in case.markets() {
            let Some(price) = row.equilibrium_price_cny_per_kwh.map(Number::value) else { continue };
            let Some(band) = bands.get(row.slot as usize - 1) else { continue };
            let near = |bound: f64| (price - bound).abs() < 1e-9;
            if let Some(end) = [band.floor, band.ceiling].into_iter().position(near) {
                *at[end].entry(row.slot).or_default() += 1;
            }
        }
    }
    let time = |slot| data.cases.first()?.time(slot);
    let [floors, ceilings] = at.map(|slots| slots_text(&slots, data.cases.len(), time));
    let [feed_in, grid] = bounds(&plan.scenario.market);
    let ample = floors.map(|slots| {
        format!("In {slots} there is more local energy than buyers want even at {feed_in}, so theory's price is that tariff.")
    });
    let has_fee = plan.scenario.market.local_fee() > 0.0 || plan.varies("market.service_fee");
    let less_fee = if has_fee { " less the fee" } else { "" };
    let scarce = ceilings.map(|slots| {
        format!("In {slots} there is less local energy than buyers want even at {grid}{less_fee}, so theory's price is that tariff{less_fee} and purchases are rationed.")
    });
    ample.into_iter().chain(scarce).collect()
}

/// More slots and ranges of slots than this are not named one by one.
const MOST_RANGES: usize = 40;

/// Slots as `slot 12 and slots 14 to 16`, with their moments where they have dates, or of many how many; some of them only
/// in some cases.
fn slots_text(slots: &BTreeMap<u32, usize>, cases: usize, time: impl Fn(u32) -> Option<String>) -> Option<String> {
    let runs = runs(slots.keys().copied());
    let moments = |&(first, last): &(u32, u32)| {
        let (begin, end) = (time(first)?, time(last)?);
        Some(if first == last { format!("{first} ({begin})") } else { format!("{first} to {last} ({begin} to {end})") })
    };
    let dated: Option<Vec<String>> = runs.iter().map(moments).collect();
    let most = if dated.is_some() { MOST_SLOTS } else { MOST_RANGES };
    let texts = dated.unwrap_or_else(|| ranges(slots.keys().copied()));
    let (last, before) = texts.split_last()?;
    let list = if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) };
    if let (Some((first, _)), Some((last, _)), true) =
        (slots.first_key_value(), slots.last_key_value(), texts.len() > most)
    {
        let [first, last] = [first, last].map(|slot| time(*slot).unwrap_or_else(|| slot.to_string()));
        return Some(format!("{} slots from {first} to {last}", format::grouped(&slots.len().to_string(), ',', 5)));
    }
    let some = if slots.values().any(|&count| count < cases) { " (not in every case)" } else { "" };
    Some(format!("{} {list}{some}", if slots.len() == 1 { "slot" } else { "slots" }))
}

/// What the ledger brings, in a study of nothing but `mu`.
fn ledger_gain(data: &Data) -> Option<String> {
    let at = |mu| case_at(data, mu).map(|figures| figures.open_slots.welfare_cny);
    let (without, with) = (at(0.0)?, at(1.0)?);
    let gain = if without == 0.0 { return None } else { 100.0 * (with - without) / without.abs() };
    Some(format!(
        "With everybody on the ledger (mu = 1), welfare is {} that with nobody on it (mu = 0).",
        beside(gain, percent)
    ))
}

/// What the gains consist of, and who has none: a sentence for each of up to [`MOST_SLOTS`] cases.
fn money(data: &Data) -> Vec<String> {
    let done: Vec<_> = data.complete().filter(|(_, figures)| figures.open_slots.slots > 0).collect();
    if done.len() > MOST_SLOTS {
        return Vec::new();
    }
    let (amount, size) = (|value: f64| signed(value, 2), |value: f64| format!("{} CNY", fixed(value.abs(), 2)));
    let storages = data.has_storages();
    let sentence = |(case, figures): (&CaseData, &KeyFigures)| {
        let (all, totals) = (&figures.all_slots, &figures.totals);
        let case = match data.manifest.case_count {
            1 => "Over".to_owned(),
            _ => format!("In {}: over", case_name(data, &case.entry)),
        };
        let market = amount(all.market_gain_with_storage_value_cny);
        let gains = if storages {
            let gain = amount(all.welfare_gain_with_storage_value_cny);
            let devices = amount(all.devices_gain_with_storage_value_cny);
            format!(
                "with the value of what storages hold at the end beyond the start: of {gain} CNY of welfare gained over P2G, \
                 storages bring {devices} by themselves and the market {market}"
            )
        } else {
            format!("the market brings {market} CNY of welfare beyond P2G")
        };
        let without_trade = totals.traded_kwh == 0.0 && all.market_gain_cny != 0.0;
        let trust = " without any trade, by what trust in local energy adds to own consumption";
        let trust = if without_trade { trust } else { "" };
        let bills = beside(-all.savings_cny, size);
        let held = all.savings_with_storage_value_cny - all.savings_cny;
        let held = if held.abs() < 0.005 {
            String::new()
        } else {
            format!(" ({} with that value)", amount(all.savings_with_storage_value_cny))
        };
        let (consumed, load) = (fixed(totals.consumption_kwh, 2), fixed(totals.load_kwh, 2));
        let worse_off = match all.worse_off_prosumers {
            0 => "Nobody".to_owned(),
            some => count(some as usize, "prosumer"),
        };
        let alone = if storages { "alone with their own storage" } else { "alone" };
        let pay_more = match figures.worse_billed() {
            0 => String::new(),
            some => format!("; the bills of {} are higher than {alone}", count(some as usize, "prosumer")),
        };
        format!(
            "{case} all slots, {gains}{trust}; bills are {bills} those of P2G{held}. {consumed} kWh were consumed beside a load of \
             {load} kWh. {worse_off} ended with less welfare than {alone}{pay_more}."
        )
    };
    done.into_iter().map(sentence).collect()
}

/// The key figures of the case with this `mu`, in a study that varies nothing else.
pub(super) fn case_at(data: &Data, mu: f64) -> Option<&KeyFigures> {
    let mut only_mu = data.complete().map(|(_, figures)| figures).filter(|case| case.knobs.len() == 1);
    only_mu.find(|case| case.knobs.get("mu").and_then(serde_json::Value::as_f64) == Some(mu))
}

fn closed(data: &Data) -> Option<String> {
    let manifest = &data.manifest;
    let case = data.cases.first()?;
    let open = case.entry.open.count();
    let all: usize = data.cases.iter().map(|case| case.slots.len()).sum();
    let no_market = all - markets(data).count();
    (no_market > 0).then(|| {
        let hours = format!("The market is open in {open} of {} slots a case", manifest.slots);
        format!("{hours}; {no_market} of {all} slots had no market, because {}.", self::no_market(data))
    })
}

fn no_market(data: &Data) -> &'static str {
    match data.plan.as_ref().filter(|plan| plan.slots_without_room(None).0 > 0) {
        None => "it was closed or one side was missing",
        Some(plan) if plan.scenario.market.tariffs.is_empty() => {
            "it was closed, one side was missing or the fee left no room for a price"
        }
        Some(_) => {
            "it was closed, one side was missing or there was no room for a price between the highest feed-in tariff and \
             the grid's lowest tariff less the fee"
        }
    }
}

/// A number of which the order of magnitude matters.
fn small(value: f64) -> String {
    match value.abs() {
        size if size >= 0.01 => fixed(value, 2),
        size if size >= 1e-4 => fixed(value, 4),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::{
        Run,
        fixtures::{day::Day, whole_case},
    };

    #[test]
    fn neighbouring_slots_read_as_a_range() {
        let none = |_| None;
        let slots = |list: &[u32]| slots_text(&list.iter().map(|&slot| (slot, 2)).collect(), 2, none);
        assert_eq!(slots(&[]), None);
        assert_eq!(slots(&[12]).unwrap(), "slot 12");
        assert_eq!(slots(&[8, 10, 11, 12, 20]).unwrap(), "slots 8, 10 to 12 and 20");
        let many = (1..=60).map(|n| (5 * n, 2)).collect();
        assert_eq!(slots_text(&many, 2, none).unwrap(), "60 slots from 5 to 300");
        assert_eq!(slots_text(&[(9, 2), (10, 1)].into(), 2, none).unwrap(), "slots 9 and 10 (not in every case)");
        let dated = |list: &[u32]| {
            slots_text(&list.iter().map(|&slot| (slot, 1)).collect(), 1, |slot| Some(format!("Wed {slot}:00"))).unwrap()
        };
        assert_eq!(dated(&[8, 10, 11]), "slots 8 (Wed 8:00) and 10 to 11 (Wed 10:00 to Wed 11:00)");
        assert_eq!(dated(&[2, 4, 6, 8, 10, 12]), "6 slots from Wed 2:00 to Wed 12:00");
    }

    #[test]
    fn what_is_beside_something_is_above_or_below() {
        assert_eq!(
            [13.58, -2.0, 0.0, -0.01].map(|gain| beside(gain, percent)),
            ["13.6 % above", "2.0 % below", "the same as", "the same as"]
        );
        let spans = [(1.0, 2.0), (-3.0, 2.0), (-3.0, -1.0)].map(|(least, most)| span(least, most));
        assert_eq!(spans, ["1.0 % to 2.0 % above", "3.0 % below to 2.0 % above", "1.0 % to 3.0 % below"]);
    }

    #[test]
    fn small_numbers_keep_what_matters_of_them() {
        assert_eq!([0.314_15, 0.001_23, 4.2e-8].map(small), ["0.31", "0.0012", "4e-8"]);
    }

    #[test]
    fn a_void_slot_says_why_its_welfare_is_not_that_of_p2g() {
        let (_day, recorder) = whole_case(Day::new());
        let mut data = Data::read(&Run::open(recorder.folder()).unwrap()).unwrap();
        let row = &mut data.cases[0].slots[1];
        (row.outcome, row.welfare_cny) = (Outcome::Void, row.p2g_welfare_cny);
        let told = |data: &Data| slot(data, &data.cases[0], &data.cases[0].slots[1]);
        assert!(told(&data).ends_with("which all fell back to the grid."), "{}", told(&data));
        let row = &mut data.cases[0].slots[1];
        row.welfare_cny = Number::new(row.p2g_welfare_cny.unwrap().value() + 0.48);
        let trust = "is 0.48 CNY above that of P2G comes from what trust in local energy adds to own consumption.";
        assert!(told(&data).ends_with(trust), "{}", told(&data));
        data.cases[0].slots[1].p2g_storage_welfare_cny = Number::new(0.0);
        assert!(told(&data).ends_with("own consumption, and from storages."), "{}", told(&data));
    }

    #[test]
    fn what_clears_by_a_rule_has_not_failed_to_settle() {
        let (_day, recorder) = whole_case(Day::new());
        let mut data = Data::read(&Run::open(recorder.folder()).unwrap()).unwrap();
        assert!(settling(&data).starts_with("All 1 market slot settled at the closed-form price"));
        let row = &mut data.cases[0].slots[1];
        (row.outcome, row.time_to_equilibrium_s, row.mechanism) = (Outcome::Cleared, None, "BillSharing".to_owned());
        row.time_to_end_s = Number::new(12.25);
        assert!(headline(&data).contains("The only market slot cleared;"), "{}", headline(&data));
        let rule = "1 market slot cleared by the rule of a mechanism that looks for no equilibrium.";
        assert_eq!(settling(&data), rule);
        let told = slot(&data, &data.cases[0], &data.cases[0].slots[1]);
        assert!(
            told.contains("cleared after 12.2 s at a mean price of 1.2000") && told.contains("`clearings.csv`"),
            "{told}"
        );
        // Beside one that does look for an equilibrium, and misses it.
        let mut other = data.cases[0].clone();
        other.slots[1].outcome = Outcome::GateClosure;
        data.cases.push(other);
        assert_eq!(
            settling(&data),
            format!("0 of 1 market slot, of those in which an equilibrium is looked for, settled (0.0 %). {rule}")
        );
        // Where no slots are kept, a case that looks for none has no share.
        data.cases.iter_mut().for_each(|case| case.slots.clear());
        data.cases[0].key_figures.as_mut().unwrap().equilibrium_share = None;
        let Settling { searches, equilibria, cleared, .. } = Settling::of(&data);
        assert_eq!((searches, equilibria, cleared), (1, 1, 1));
    }
}
