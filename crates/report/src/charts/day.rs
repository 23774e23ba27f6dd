//! A case's day: prices, energy, storages, distance from equilibrium, messages, and what prosumers generate and want to
//! consume (the article's Figs. A2 and A3).

use super::{flows, label, slot::ROUNDING, welfare};
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::{CaseData, Data, flows::Energy},
};
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
    let day = prices(data, case).into_iter().chain(day.into_iter().flatten());
    day.chain(profiles(data, case)).chain(market.into_iter().flatten()).collect()
}

/// The values of a column over the day, where they are defined.
fn column(case: &CaseData, of: impl Fn(&SlotRow) -> Option<f64>) -> Vec<(f64, f64)> {
    let (_, place) = label::slots(&case.slots);
    case.slots.iter().filter_map(|row| Some((place(row.slot), of(row)?))).collect()
}

fn prices(data: &Data, case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let simulated = data.simulated(case.entry.case);
    let tariff = |stroke, of: fn(&Case, usize) -> Option<f64>| {
        let value = |row: &SlotRow| Some((place(row.slot), of(simulated.as_ref()?, row.slot as usize - 1)?));
        Mark::Steps(case.slots.iter().filter_map(value).collect(), stroke)
    };
    let grid = tariff(Stroke::Dashed, |case, slot| case.tariffs.grid.get(slot).copied());
    let less_fee = tariff(Stroke::Dotted, |case, slot| {
        let fee = case.scenario.market.local_fee();
        case.tariffs.grid.get(slot).filter(|_| fee > 0.0).map(|tariff| tariff - fee)
    });
    let feed_in = tariff(Stroke::Dashed, |case, slot| case.tariffs.feed_in.get(slot).copied());
    // With a gap where nothing was traded.
    let traded = column(case, |row| Some(row.price_mean_cny_per_kwh.map_or(f64::NAN, Number::value)));
    let points: Vec<_> = traded.iter().copied().filter(|point| point.1.is_finite()).collect();
    let theory = column(case, |row| row.equilibrium_price_cny_per_kwh.map(Number::value));
    if points.is_empty() && theory.is_empty() {
        return None;
    }
    Chart::new(
        ("prices", "Prices over the day"),
        "Mean price of the trades of each slot, beside the price of the closed-form equilibrium and what the \
                  grid pays and asks.",
        (x, Axis::of("price").unit("CNY/kWh")),
        [
            Layer::new("grid tariff", Color::Series(3), grid),
            Layer::new("grid tariff less the fee", Color::Series(3), less_fee),
            Layer::new("feed-in tariff", Color::Series(2), feed_in),
            Layer::new("mean price of trades", Color::Series(0), Mark::Line(traded, Stroke::Solid)),
            Layer::new("mean price of trades", Color::Series(0), Mark::Points(points)),
            Layer::new("closed-form equilibrium", Color::Reference, Mark::Points(theory)),
        ],
    )
}

fn energy(case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let known = !case.energy.is_empty();
    let bought = |row: &SlotRow| {
        let (bought, imported) = (row.traded_kwh.value(), row.grid_import_kwh.value());
        Energy { slot: row.slot, bought, imported, ..Energy::default() }
    };
    let energy = if known { case.energy.clone() } else { case.slots.iter().map(bought).collect() };
    let stack = |name: &str, n, of: fn(&Energy) -> f64| {
        let values = energy.iter().map(|energy| (place(energy.slot), of(energy)));
        Layer::new(name, Color::Series(n), Mark::Stack(values.collect()))
    };
    let storage = energy.iter().any(|energy| energy.discharged > 0.0);
    let layers = [
        known.then(|| stack("own generation", 1, |energy| energy.own)),
        Some(stack("local trades", 2, |energy| energy.bought)),
        storage.then(|| stack("storage", 4, |energy| energy.discharged)),
        Some(stack("grid", 0, |energy| energy.imported)),
    ];
    let all = "What all prosumers together consumed in each slot, by where it came from.";
    let some =
        "What all prosumers together bought in each slot; their own generation is not in the tables of this run.";
    Chart::new(
        ("energy", if known { "Energy by source" } else { "Energy bought" }),
        if known { all } else { some },
        (x, Axis::of("energy").unit("kWh").from_zero()),
        layers.into_iter().flatten(),
    )
}

fn storage(case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    if !case.energy.iter().any(|energy| energy.stored > 0.0 || energy.charged > 0.0 || energy.discharged > 0.0) {
        return None;
    }
    let values = |of: fn(&Energy) -> f64| case.energy.iter().map(|energy| (place(energy.slot), of(energy))).collect();
    Chart::new(
        ("storage", "Storages"),
        "What all storages together took in and gave back in each slot, and held at its end.",
        (x, Axis::of("energy").unit("kWh").from_zero()),
        [
            Layer::new("charged", Color::Series(2), Mark::Bars(values(|energy| energy.charged))),
            Layer::new("discharged", Color::Series(1), Mark::Bars(values(|energy| energy.discharged))),
            Layer::new("content", Color::Series(0), Mark::Line(values(|energy| energy.stored), Stroke::Solid)),
            Layer::new("content", Color::Series(0), Mark::Points(values(|energy| energy.stored))),
        ],
    )
}

fn distance(case: &CaseData) -> Option<Chart> {
    let (x, _) = label::slots(&case.slots);
    let positive = |of: fn(&SlotRow) -> Option<Number>| {
        Mark::Points(column(case, |row| of(row).map(Number::value).filter(|value| *value > ROUNDING)))
    };
    let relative = column(case, |row| {
        let gap = row.price_gap?.value() / row.equilibrium_price_cny_per_kwh?.value();
        (gap > ROUNDING).then_some(gap)
    });
    Chart::new(
        ("distance", "Distance from equilibrium at the end of each slot"),
        "Largest distance of a price from that of the closed form, relative to it; largest difference of demand \
                  and surplus, in mean surpluses; largest relative difference of a net utility from the mean. What is \
                  below 1e-12, as good as nothing, is not drawn.",
        (x, Axis::of("distance from equilibrium").scale(Scale::Logarithmic)),
        [
            Layer::new("price gap", Color::Series(0), Mark::Points(relative)),
            Layer::new("imbalance", Color::Series(1), positive(|row| row.imbalance)),
            Layer::new("net utilities", Color::Series(2), positive(|row| row.ess_residual)),
        ],
    )
}

fn settling(case: &CaseData) -> Option<Chart> {
    let (x, _) = label::slots(&case.slots);
    let times = column(case, |row| row.time_to_equilibrium_s.map(Number::value));
    Chart::new(
        ("time_to_equilibrium", "Time to equilibrium"),
        "From the opening of the market until everybody was at rest; slots whose gate closed first have no bar.",
        (x, Axis::of("time to equilibrium").unit("s").from_zero()),
        [Layer::unnamed(Color::Series(0), Mark::Bars(times))],
    )
}

fn messages(case: &CaseData) -> Option<Chart> {
    let (x, _) = label::slots(&case.slots);
    let bars = |of: fn(&SlotRow) -> u64| {
        let values = column(case, |row| Some(of(row) as f64));
        Mark::Bars(if values.iter().any(|value| value.1 > 0.0) { values } else { Vec::new() })
    };
    Chart::new(
        ("messages", "Messages"),
        "Messages sent since the slot before was closed, how many of them never arrived and how many arrived \
                  twice.",
        (x, Axis::of("messages").from_zero()),
        [
            Layer::new("sent", Color::Series(0), bars(|row| row.messages)),
            Layer::new("lost", Color::Series(3), bars(|row| row.lost_messages)),
            Layer::new("doubled", Color::Series(1), bars(|row| row.duplicated_messages)),
        ],
    )
}

fn profiles(data: &Data, case: &CaseData) -> Vec<Chart> {
    let Some(simulated) = data.simulated(case.entry.case) else { return Vec::new() };
    let members = &simulated.population.prosumers;
    let slots = 1..=simulated.scenario.market.slots;
    let chart = |name: &str, title: &str, figure: &str, of: fn(&SlotProfile) -> f64| {
        let day = |member: &Member| -> Vec<f64> { member.profile.iter().map(|slot| of(&slot)).collect() };
        let days: Vec<(String, Vec<f64>)> = members.iter().map(|member| (member.label(), day(member))).collect();
        let (layers, who) =
            if days.len() <= MOST_PROSUMERS { (each(&days), "each prosumer") } else { (most(&days), "the prosumers") };
        let x = Axis::of("slot").named(slots.clone());
        let caption = format!("What {who} had in each slot, as given (Fig. {figure} of the article).");
        Chart::new((name, title), caption, (x, Axis::of(name).unit("kWh").from_zero()), layers)
    };
    let generation = chart("generation", "Generation over the day", "A2", |slot| slot.generation.value());
    generation.into_iter().chain(chart("load", "Load over the day", "A3", |slot| slot.load.value())).collect()
}

fn line(values: impl Iterator<Item = f64>) -> Mark {
    Mark::Line((0_u32..).map(f64::from).zip(values).collect(), Stroke::Solid)
}

fn each(days: &[(String, Vec<f64>)]) -> Vec<Layer> {
    let layer = |(n, (number, day)): (usize, &(String, Vec<f64>))| {
        Layer::new(format!("prosumer {number}"), Color::Series(n), line(day.iter().copied()))
    };
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
