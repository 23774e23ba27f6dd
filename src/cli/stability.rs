//! `sim stability SCENARIO`: does the game spiral in to its equilibrium, by linear theory, and how far is it from not
//! doing so?

use super::{
    args::StabilityArguments,
    error::CliError,
    print,
    table::{Cell, Column, Tone, columns, table},
    text::{AMOUNT, PRICE, bold, count, fixed, wrapped},
};
use crate::{
    analysis::{
        equilibrium::Corner,
        stability::{Caveat, DelayLimit, Judgement, Omission, Setting, SlotStability, StepLimit, slot_stability},
    },
    scenario::{self, Case, LastPopulation, Plan},
};
use microgrid_agents::{ids::Slot, market::step::StepSize};
use rayon::prelude::*;

/// Prints a table of the market slots for each combination of knobs or, with a slot given, that slot in all of them.
pub(super) fn stability(arguments: &StabilityArguments) -> Result<(), CliError> {
    let plan = scenario::load(&arguments.input.scenario, &arguments.input.overrides())?;
    let (first, last) = plan.scenario.market.open;
    match arguments.slot {
        Some(slot) if !(first..=last).contains(&slot) => Err(CliError::NotOpen { slot, first, last }),
        Some(slot) => print(&one_slot(&plan, slot)),
        None => combinations(&plan).try_for_each(|case| print(&format!("{}\n", all_slots(&plan, &case)))),
    }
}

/// The first case of each combination of knobs: replicates differ by nothing but their seed.
fn combinations(plan: &Plan) -> impl Iterator<Item = Case> + '_ {
    let drawn = LastPopulation::default();
    (1..=plan.case_count()).step_by(plan.scenario.replicates.count()).map(move |number| plan.case(number, &drawn))
}

fn title(plan: &Plan, case: &Case) -> String {
    let knobs: String = case.knobs.iter().map(|(name, value)| format!(", {name} = {value}")).collect();
    wrapped(&format!(
        "{}, case {} of {}{knobs}, seed {}",
        plan.scenario.name,
        case.number,
        plan.case_count(),
        case.seed
    ))
}

fn all_slots(plan: &Plan, case: &Case) -> String {
    let setting = Setting::of(case);
    let (first, last) = case.scenario.market.open;
    let slots: Vec<Slot> = (first..=last).collect();
    let found: Vec<SlotStability> = slots.par_iter().filter_map(|slot| slot_stability(case, *slot, &setting)).collect();
    let mut text = format!("{}\n{}\n", bold(&title(plan, case)), information(&setting));
    if found.is_empty() {
        return text + &nothing_found(plan.slots_without_room(Some(case.number)));
    }
    text += &rest_table(&found);
    if found.iter().any(|slot| judged(slot).is_some_and(|found| found.limits.is_some())) {
        text += &format!("\ncritical steps and delays, all else as it is\n\n{}", limit_table(&found));
    }
    text += &notes(&setting.caveats, &found);
    match plan.slots_without_room(Some(case.number)) {
        (0, _) => text,
        (without, _) => {
            text + &format!("\nnot shown: {}, in which the fee leaves no room for a price\n", count(without, "slot"))
        }
    }
}

/// Why no slot is judged, where in so many of the open slots the fee leaves no room for a price.
fn nothing_found((without, open): (usize, usize)) -> String {
    let lacking = match without {
        0 => "both buyers and sellers",
        without if without == open => "room for a price: the grid's tariff less the fee is below the feed-in tariff",
        _ => "buyers, sellers and room for a price between the feed-in tariff and the grid's less the fee",
    };
    wrapped(&format!("no slot has {lacking}\n"))
}

fn information(setting: &Setting) -> String {
    let age = humantime::format_duration(setting.age);
    let periods = fixed(setting.age_in_periods(), 3);
    format!("information is {age} or {periods} periods old from actor to actor\n")
}

fn judged(slot: &SlotStability) -> Option<&Judgement> {
    slot.judgement.as_ref().ok()
}

/// Where the game rests, and how it gets there.
fn rest_table(slots: &[SlotStability]) -> String {
    let header = ["slot", "sellers", "buyers", "surplus", "price", "bound\nby", "largest\nroot", "period", "verdict"];
    let line = |slot: &SlotStability| {
        let mut cells = [
            slot.slot.to_string(),
            slot.sellers.to_string(),
            slot.buyers.to_string(),
            fixed(slot.surplus, AMOUNT),
            fixed(slot.price, PRICE),
            corner(slot.corner).to_owned(),
        ]
        .map(Cell::from)
        .to_vec();
        cells.extend(root_cells(judged(slot)));
        cells
    };
    table(columns(header, &[5, 8]), slots.iter().map(line))
}

fn corner(corner: Corner) -> &'static str {
    match corner {
        Corner::Interior => "-",
        Corner::Floor => "feed-in",
        Corner::Ceiling => "tariff",
    }
}

/// Modulus of the largest root, period in rounds, and what that means.
fn root_cells(judged: Option<&Judgement>) -> [Cell; 3] {
    let Some(Judgement { root, .. }) = judged else { return ["-"; 3].map(Cell::from) };
    let period = root.period().map_or_else(|| "-".to_owned(), |rounds| fixed(rounds, 1));
    let tone = if root.is_stable() { Tone::Good } else { Tone::Bad };
    [fixed(root.modulus, 5).into(), period.into(), Cell::toned(verdict(judged), tone)]
}

fn verdict(judged: Option<&Judgement>) -> &'static str {
    match judged.map(|found| (found.root.is_stable(), found.root.period().is_some())) {
        Some((true, true)) => "spirals in",
        Some((true, false)) => "settles",
        Some((false, true)) => "spirals out",
        Some((false, false)) => "drifts off",
        None => "-",
    }
}

fn limit_table(slots: &[SlotStability]) -> String {
    let header = [
        "slot",
        "replicator\nstep\nFixed",
        "\n\nScaled",
        "\n\nmargin",
        "price\nstep\nFixed",
        "\n\nScaled",
        "\n\nmargin",
        "\nage\nbelow",
        "\nmessage\nbelow",
    ];
    let line = |slot: &SlotStability| {
        let limits = judged(slot)?.limits?;
        let mut cells = vec![slot.slot.to_string()];
        cells.extend(limit_cells(limits.replicator));
        cells.extend(limit_cells(limits.price));
        cells.extend(delay_cells(limits.delay));
        Some(cells)
    };
    table(columns(header, &[]), slots.iter().filter_map(line))
}

fn limit_cells(limit: StepLimit) -> [String; 3] {
    [step(limit.fixed), step(limit.scaled), step(limit.margin)]
}

fn delay_cells(limit: DelayLimit) -> [String; 2] {
    match limit {
        DelayLimit::None => ["none", "none"].map(str::to_owned),
        DelayLimit::AtLeast(periods) => [format!("over {periods}"), "-".to_owned()],
        DelayLimit::Below(periods, None) => [periods.to_string(), "none".to_owned()],
        DelayLimit::Below(periods, Some(message)) => {
            [periods.to_string(), humantime::format_duration(message).to_string()]
        }
    }
}

/// Four significant digits; zero is a step that no size makes stable, infinity one that any size leaves so.
fn step(value: f64) -> String {
    if value == 0.0 {
        "none".to_owned()
    } else if value.is_infinite() {
        "any".to_owned()
    } else {
        fixed(value, (3 - value.log10().floor() as i32).clamp(0, 9) as usize)
    }
}

/// One slot in all combinations: in detail if there is only one, else a line for each.
fn one_slot(plan: &Plan, slot: Slot) -> String {
    let cases: Vec<Case> = combinations(plan).collect();
    let settings: Vec<Setting> = cases.iter().map(Setting::of).collect();
    let found: Vec<Option<SlotStability>> =
        cases.par_iter().zip(&settings).map(|(case, setting)| slot_stability(case, slot, setting)).collect();
    if let ([case], [setting], [found]) = (&cases[..], &settings[..], &found[..]) {
        let head = format!("{}\n{}\n", bold(&format!("{}, slot {slot}", title(plan, case))), information(setting));
        return match found {
            Some(found) => head + &detail(case, found) + &notes(&setting.caveats, std::slice::from_ref(found)),
            None => head + missing(plan, slot),
        };
    }
    let mut caveats = Vec::new();
    for caveat in settings.iter().flat_map(|setting| &setting.caveats) {
        if !caveats.contains(caveat) {
            caveats.push(caveat.clone());
        }
    }
    let rows: Vec<_> = cases.iter().zip(&settings).zip(&found).map(|((c, s), f)| case_line(c, s, f.as_ref())).collect();
    let known: Vec<SlotStability> = found.into_iter().flatten().collect();
    let title = bold(&format!("{}, slot {slot}", plan.scenario.name));
    format!("{title}\n\n{}{}", case_table(&cases, rows), notes(&caveats, &known))
}

/// What a slot lacks that is not judged, in the only combination.
fn missing(plan: &Plan, slot: Slot) -> &'static str {
    let room = plan.price_bands(1).get(slot as usize - 1).is_none_or(|band| band.has_room());
    if room { "there are no buyers or no sellers\n" } else { "the fee leaves no room for a price\n" }
}

fn case_table(cases: &[Case], rows: Vec<Vec<Cell>>) -> String {
    let names = cases.iter().take(1).flat_map(|case| case.knobs.iter().map(|(name, _)| name.replace('_', "\n")));
    let mut columns = vec![Column::new("case").key()];
    columns.extend(names.map(|name| Column::new(name).key()));
    columns.extend(["age", "largest\nroot", "period"].map(Column::new));
    columns.push(Column::new("verdict").left());
    columns.extend(["replic.\nmargin", "price\nmargin"].map(Column::new));
    table(columns, rows)
}

fn case_line(case: &Case, setting: &Setting, found: Option<&SlotStability>) -> Vec<Cell> {
    let judged = found.and_then(judged);
    let margins = judged.and_then(|found| found.limits).map(|limits| [limits.replicator.margin, limits.price.margin]);
    let mut cells: Vec<Cell> = vec![case.number.to_string().into()];
    cells.extend(case.knobs.iter().map(|(_, value)| Cell::from(value.as_str())));
    cells.push(fixed(setting.age_in_periods(), 3).into());
    cells.extend(root_cells(judged));
    cells.extend(margins.map_or(["-"; 2].map(Cell::from), |margins| margins.map(|margin| step(margin).into())));
    cells
}

fn detail(case: &Case, found: &SlotStability) -> String {
    let SlotStability { sellers, buyers, responsive, surplus, price, .. } = found;
    let mut text = format!(
        "equilibrium price {} CNY/kWh, {} with {} kWh, {}\n{responsive} of these answer to price\n",
        fixed(*price, PRICE),
        count(*sellers, "seller"),
        fixed(*surplus, AMOUNT),
        count(*buyers, "buyer"),
    );
    let Some(judged) = judged(found) else { return text };
    let root = judged.root;
    let period = root.period().map_or_else(String::new, |rounds| format!(", period {} rounds", fixed(rounds, 1)));
    let rounds = fixed(std::f64::consts::LN_10 / root.modulus.ln().abs(), 0);
    let change = if root.is_stable() { "smaller" } else { "larger" };
    let verdict = verdict(Some(judged));
    let modulus = fixed(root.modulus, 6);
    text += &format!("largest root {modulus}{period}: {verdict}\nten times {change} every {rounds} rounds\n");
    let Some(limits) = judged.limits else { return text };
    let learning = &case.scenario.learning;
    let line = |name: &str, own: StepSize, limit| {
        let mut cells = vec![name.to_owned(), format!("{own:?}")];
        cells.extend(limit_cells(limit));
        cells
    };
    let header = ["step", "here", "critical\nFixed", "\nScaled", "margin"];
    let rows = [
        line("replicator", learning.replicator_step, limits.replicator),
        line("price", learning.price_step, limits.price),
    ];
    text += &format!("\n{}\n", table(columns(header, &[0, 1]), rows));
    text + &match (limits.delay, delay_cells(limits.delay)) {
        (DelayLimit::None, _) => "no delay is stable with these steps\n".to_owned(),
        (DelayLimit::AtLeast(periods), _) => format!("stable up to information {periods} periods old at least\n"),
        (DelayLimit::Below(..), [age, message]) => {
            format!("stable while information is younger than {age} periods: messages below {message}\n")
        }
    }
}

/// What the theory leaves out, each once.
fn notes(caveats: &[Caveat], slots: &[SlotStability]) -> String {
    let omitted = |what| slots.iter().any(|slot| slot.judgement == Err(what));
    let limitless = slots.iter().filter_map(judged).any(|found| found.limits.is_none());
    let own = [
        (omitted(Omission::Corner), "where a tariff binds, prices rest at it: there is nothing to linearise"),
        (omitted(Omission::NoAnswer), "where no purchase answers to price, prices have no rest to be judged at"),
        (omitted(Omission::TooLarge), "too many sellers or too long lags: no roots are computed"),
        (limitless, "too many sellers or too long lags: critical steps and delays are left out"),
        (
            slots.iter().any(|slot| slot.kinked && slot.judgement.is_ok()),
            "some buyers have all they need: what they do when short steadies the game until it overshoots, and counts for \
             overshooting alone, which errs on the safe side",
        ),
    ];
    let own = own.into_iter().filter(|(applies, _)| *applies).map(|(_, note)| note.to_owned());
    let notes = caveats.iter().map(Caveat::to_string).chain(own);
    let lines: String = notes.map(|note| wrapped(&format!("- {note}")) + "\n").collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}
