//! A case's day: prices, energy, storages, distance from equilibrium, messages, and what prosumers generate and want to
//! consume (the article's Figs. A2 and A3).

use super::{along::Along, fields, flows, slot::ROUNDING, welfare};
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::{CaseData, Data, flows::Energy},
};
use microgrid_agents::ids::Slot;
use microgrid_record::{Number, SlotRow};
use microgrid_scenario::{
    Case,
    population::{Member, SlotProfile},
};

/// So many prosumers are drawn one by one; of more, the mean and where most of them are.
const MOST_PROSUMERS: usize = 8;

pub(super) fn charts(data: &Data, case: &CaseData) -> Vec<Chart> {
    let day = [energy, storage, welfare::of_day, flows::of_day].map(|chart| chart(case));
    let market = [settling, distance, messages].map(|chart| chart(case));
    let day = prices(data, case).into_iter().chain(day.into_iter().flatten()).chain(fields::charts(case));
    day.chain(profiles(data, case)).chain(market.into_iter().flatten()).collect()
}

/// The values of a column, where they are defined.
fn column(case: &CaseData, of: impl Fn(&SlotRow) -> Option<f64>) -> impl Iterator<Item = (Slot, f64)> {
    case.slots.iter().filter_map(move |row| Some((row.slot, of(row)?)))
}

fn prices(data: &Data, case: &CaseData) -> Option<Chart> {
    let along = Along::of(case);
    let simulated = data.simulated(case.entry.case);
    let tariff = |name: &str, n, stroke, of: fn(&Case, usize) -> Option<f64>| {
        let value = |row: &SlotRow| Some((row.slot, of(simulated.as_ref()?, row.slot as usize - 1)?));
        let values = || case.slots.iter().filter_map(value);
        let mean = if along.is_mean(values()) { "mean " } else { "" };
        let points = along.means(values().map(|(slot, price)| (slot, price, 1.0)));
        Layer::new(format!("{mean}{name}"), Color::Series(n), Mark::Steps(points, stroke))
    };
    let grid = tariff("grid tariff", 3, Stroke::Dashed, |case, slot| case.tariffs.grid.get(slot).copied());
    let market = simulated.as_ref().map(|case| &case.scenario.market);
    let has_groups = market.is_some_and(|market| !market.tariffs.is_empty());
    let most = match (has_groups, market.is_some_and(|market| market.local_fee() > 0.0)) {
        (false, _) => "grid tariff less the fee",
        (true, false) => "lowest grid tariff",
        (true, true) => "lowest grid tariff less the fee",
    };
    // Between these lies the market's price, where they are not the tariffs.
    let ceiling = tariff(most, 3, Stroke::Dotted, |case, slot| {
        let fee = case.scenario.market.local_fee();
        let best = case.tariffs.grid.get(slot).map(|_| case.tariffs.tariff(slot as Slot + 1).best());
        best.filter(|_| fee > 0.0 || !case.tariffs.groups.is_empty()).map(|best| best.grid - fee)
    });
    let floor = tariff("highest feed-in tariff", 2, Stroke::Dotted, |case, slot| {
        let best = case.tariffs.feed_in.get(slot).map(|_| case.tariffs.tariff(slot as Slot + 1).best());
        best.filter(|_| !case.tariffs.groups.is_empty()).map(|best| best.feed_in)
    });
    let feed_in = tariff("feed-in tariff", 2, Stroke::Dashed, |case, slot| case.tariffs.feed_in.get(slot).copied());
    // With a gap where nothing was traded.
    let of_slot =
        |row: &SlotRow| (row.slot, row.price_mean_cny_per_kwh.map_or(f64::NAN, Number::value), row.traded_kwh.value());
    let traded = along.means(case.slots.iter().map(of_slot));
    // Weighed like the price beside it.
    let of_theory = |row: &SlotRow| {
        (row.slot, row.equilibrium_price_cny_per_kwh.map_or(f64::NAN, Number::value), row.traded_kwh.value())
    };
    let theory = along.means(case.slots.iter().map(of_theory));
    if traded.iter().chain(&theory).all(|point| !point.1.is_finite()) {
        return None;
    }
    let caption = if along.is_by_day() {
        "Mean price of the trades of each day, by energy, with the span of its slots, beside that of the closed-form \
         equilibria, by the same energy, and what the grid pays and asks in the mean."
    } else {
        "Mean price of the trades of each slot, beside the price of the closed-form equilibrium and what the \
         grid pays and asks."
    };
    Chart::new(
        ("prices", along.title("Prices")),
        caption,
        (along.axis(), Axis::of("price").unit("CNY/kWh")),
        [
            along.band("span of the slots", 0, case.slots.iter().map(|row| (row.slot, of_slot(row).1))),
            grid,
            ceiling,
            feed_in,
            floor,
        ]
        .into_iter()
        .chain(along.line("mean price of trades", Color::Series(0), traded))
        .chain([along.dots("closed-form equilibrium", Color::Reference, theory)]),
    )
}

fn energy(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case);
    let stack = |name: &str, n, source: usize| {
        let values = case.energy.iter().map(|energy| (energy.slot, energy.sources()[source]));
        Layer::new(name, Color::Series(n), Mark::Stack(along.sums(values)))
    };
    let storage = case.energy.iter().any(|energy| energy.discharged > 0.0);
    let layers = [
        Some(stack("own generation", 1, 0)),
        Some(stack("local trades", 2, 1)),
        storage.then(|| stack("storage", 4, 2)),
        Some(stack("grid", 0, 3)),
    ];
    Chart::new(
        ("energy", "Energy by source"),
        format!("What all prosumers together consumed {}, by where it came from.", along.each()),
        (along.axis(), Axis::of("energy").unit("kWh").from_zero()),
        layers.into_iter().flatten(),
    )
}

fn storage(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case);
    if !case.energy.iter().any(|energy| energy.stored > 0.0 || energy.charged > 0.0 || energy.discharged > 0.0) {
        return None;
    }
    let values = |of: fn(&Energy) -> f64| along.sums(case.energy.iter().map(move |energy| (energy.slot, of(energy))));
    let known = case.energy.iter().any(|energy| energy.stored > 0.0);
    let stored = || case.energy.iter().filter(|_| known);
    let content = along.means(stored().map(|energy| (energy.slot, energy.stored, 1.0)));
    let caption = match (known, along.is_by_day()) {
        (true, false) => "What all storages together took in and gave back in each slot, and held at its end.".to_owned(),
        (true, true) => {
            "What all storages together took in and gave back on each day, and held at the ends of its slots: the mean, and \
             from the least to the most."
                .to_owned()
        }
        (false, _) => format!("What all storages together took in and gave back {}.", along.each()),
    };
    Chart::new(
        ("storage", "Storages"),
        caption,
        (along.axis(), Axis::of("energy").unit("kWh").from_zero()),
        [
            along.band("content", 0, stored().map(|energy| (energy.slot, energy.stored))),
            Along::bars("charged", Color::Series(2), values(|energy| energy.charged)),
            Along::bars("discharged", Color::Series(1), values(|energy| energy.discharged)),
        ]
        .into_iter()
        .chain(along.line("content", Color::Series(0), content)),
    )
}

fn distance(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case);
    let means = |of: &dyn Fn(&SlotRow) -> Option<f64>| {
        let of_slot = |row: &SlotRow| Some((row.slot, of(row).filter(|value| *value > ROUNDING)?, 1.0));
        Mark::Points(along.means(case.slots.iter().filter_map(of_slot)))
    };
    let positive = |of: fn(&SlotRow) -> Option<Number>| means(&|row| of(row).map(Number::value));
    let relative = means(&|row| Some(row.price_gap?.value() / row.equilibrium_price_cny_per_kwh?.value()));
    let title = if along.is_by_day() {
        "Distance from equilibrium at the ends of slots, mean of each day"
    } else {
        "Distance from equilibrium at the end of each slot"
    };
    Chart::new(
        ("distance", title),
        "Largest distance of a price from that of the closed form, relative to it; largest difference of demand \
                  and surplus, in mean surpluses; largest relative difference of a net utility from the mean. What is \
                  below 1e-12, as good as nothing, is not drawn.",
        (along.axis(), Axis::of("distance from equilibrium").scale(Scale::Logarithmic)),
        [
            Layer::new("price gap", Color::Series(0), relative),
            Layer::new("imbalance", Color::Series(1), positive(|row| row.imbalance)),
            Layer::new("net utilities", Color::Series(2), positive(|row| row.ess_residual)),
        ],
    )
}

fn settling(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case);
    let times = || column(case, |row| row.time_to_equilibrium_s.map(Number::value));
    let means = along.means(times().map(|(slot, time)| (slot, time, 1.0)));
    let layer = if along.is_by_day() {
        Along::bars("mean of the day", Color::Series(0), means)
    } else {
        Layer::unnamed(Color::Series(0), Mark::Bars(means))
    };
    let caption = if along.is_by_day() {
        "From the opening of the market until everybody was at rest: the mean of each day, and from the shortest to the \
         longest; slots whose gate closed first do not count."
    } else {
        "From the opening of the market until everybody was at rest; slots whose gate closed first have no bar."
    };
    Chart::new(
        ("time_to_equilibrium", "Time to equilibrium"),
        caption,
        (along.axis(), Axis::of("time to equilibrium").unit("s").from_zero()),
        [along.band("span of the slots", 0, times()), layer],
    )
}

fn messages(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case).for_bars();
    let bars = |name: &str, n, of: fn(&SlotRow) -> u64| {
        let values = along.sums(column(case, |row| Some(of(row) as f64)));
        let values = if values.iter().any(|value| value.1 > 0.0) { values } else { Vec::new() };
        Along::bars(name, Color::Series(n), values)
    };
    let caption = if along.is_by_day() {
        "Messages sent on each day, how many of them never arrived and how many arrived twice."
    } else {
        "Messages sent since the slot before was closed, how many of them never arrived and how many arrived \
         twice."
    };
    Chart::new(
        ("messages", "Messages"),
        caption,
        (along.axis(), Axis::of("messages").from_zero()),
        [
            bars("sent", 0, |row| row.messages),
            bars("lost", 3, |row| row.lost_messages),
            bars("doubled", 1, |row| row.duplicated_messages),
        ],
    )
}

fn profiles(data: &Data, case: &CaseData) -> Vec<Chart> {
    let Some(simulated) = data.simulated(case.entry.case) else { return Vec::new() };
    let members = &simulated.population.prosumers;
    let along = Along::all(case, simulated.scenario.market.slots);
    let chart = |name: &str, title: &str, figure: &str, of: fn(&SlotProfile) -> f64| {
        let day = |member: &Member| -> Vec<f64> {
            let slots = (1..).zip(member.profile.iter()).map(|(slot, profile)| (slot, of(&profile)));
            along.sums(slots).into_iter().map(|(_, value)| value).collect()
        };
        let label = |member: &Member| {
            let number = || format!("prosumer {}", member.number);
            member.name.as_ref().map_or_else(number, ToString::to_string)
        };
        let days: Vec<(String, Vec<f64>)> = members.iter().map(|member| (label(member), day(member))).collect();
        let (layers, who) =
            if days.len() <= MOST_PROSUMERS { (each(&days), "each prosumer") } else { (most(&days), "the prosumers") };
        let of_article = if case.dates.is_some() { String::new() } else { format!(" (Fig. {figure} of the article)") };
        let caption = format!("What {who} had {}, as given{of_article}.", along.each());
        Chart::new((name, along.title(title)), caption, (along.axis(), Axis::of(name).unit("kWh").from_zero()), layers)
    };
    let generation = chart("generation", "Generation", "A2", |slot| slot.generation.value());
    generation.into_iter().chain(chart("load", "Load", "A3", |slot| slot.load.value())).collect()
}

fn line(values: impl Iterator<Item = f64>) -> Mark {
    Mark::Line((0_u32..).map(f64::from).zip(values).collect(), Stroke::Solid)
}

fn each(days: &[(String, Vec<f64>)]) -> Vec<Layer> {
    let layer =
        |(n, (who, day)): (usize, &(String, Vec<f64>))| Layer::new(who, Color::Series(n), line(day.iter().copied()));
    days.iter().enumerate().map(layer).collect()
}

fn most(days: &[(String, Vec<f64>)]) -> Vec<Layer> {
    let slots = days.first().map_or(0, |day| day.1.len());
    let values = |slot: usize| days.iter().map(move |day| day.1[slot]);
    let span = |slot: usize| {
        let mut sorted: Vec<f64> = values(slot).collect();
        sorted.sort_by(f64::total_cmp);
        let rank = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        (slot as f64, rank(0.1), rank(0.9))
    };
    let mean = |slot: usize| values(slot).sum::<f64>() / days.len() as f64;
    vec![
        Layer::new("80 % of the prosumers", Color::Series(0), Mark::Band((0..slots).map(span).collect())),
        Layer::new(format!("mean of {} prosumers", days.len()), Color::Series(0), line((0..slots).map(mean))),
    ]
}
