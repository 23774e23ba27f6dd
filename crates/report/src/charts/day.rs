//! A case's day: prices, energy, storages, distance from equilibrium, messages.

use super::{asynchrony::ROUNDING, label};
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::{CaseData, Data, energy::Energy},
};
use microgrid_record::{Number, SlotRow};

/// The values of a column over the day, where they are defined.
fn column(case: &CaseData, of: impl Fn(&SlotRow) -> Option<f64>) -> Vec<(f64, f64)> {
    let (_, place) = label::slots(&case.slots);
    case.slots.iter().filter_map(|row| Some((place(row.slot), of(row)?))).collect()
}

/// The same with a gap where the column is not defined.
fn interrupted(case: &CaseData, of: fn(&SlotRow) -> Option<Number>) -> Vec<(f64, f64)> {
    column(case, |row| Some(of(row).map_or(f64::NAN, Number::value)))
}

/// Prices of trades and of the closed form, beside feed-in and grid tariff.
pub(super) fn prices(data: &Data, case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let tariffs = data.simulated(case.entry.case);
    let tariff = |stroke, mark: fn(&microgrid_scenario::Case, &SlotRow) -> Option<f64>| {
        let value = |row: &SlotRow| Some((place(row.slot), mark(tariffs.as_ref()?, row)?));
        Mark::Steps(case.slots.iter().filter_map(value).collect(), stroke)
    };
    let traded = interrupted(case, |row| row.price_mean_cny_per_kwh);
    let points = traded.iter().copied().filter(|point| point.1.is_finite()).collect();
    let theory = column(case, |row| row.equilibrium_price_cny_per_kwh.map(Number::value));
    Chart::new(
        ("prices", "Prices over the day"),
        "Mean price of the trades of each slot, beside the price of the closed-form equilibrium and what the \
                  grid pays and asks.",
        (x, Axis::of("price").unit("CNY/kWh")),
        [
            Layer::new(
                "grid tariff",
                Color::Series(3),
                tariff(Stroke::Dashed, |case, row| case.grid_tariffs.get(row.slot as usize - 1).copied()),
            ),
            Layer::new(
                "grid tariff less the fee",
                Color::Series(3),
                tariff(Stroke::Dotted, |case, row| {
                    let fee = case.scenario.market.service_fee;
                    case.grid_tariffs.get(row.slot as usize - 1).filter(|_| fee > 0.0).map(|tariff| tariff - fee)
                }),
            ),
            Layer::new(
                "feed-in tariff",
                Color::Series(2),
                tariff(Stroke::Dashed, |case, _| Some(case.scenario.market.feed_in_tariff)),
            ),
            Layer::new("mean price of trades", Color::Series(0), Mark::Line(traded, Stroke::Solid)),
            Layer::new("mean price of trades", Color::Series(0), Mark::Points(points)),
            Layer::new("closed-form equilibrium", Color::Reference, Mark::Points(theory)),
        ],
    )
    .filter(|_| {
        case.slots.iter().any(|row| row.price_mean_cny_per_kwh.is_some() || row.equilibrium_price_cny_per_kwh.is_some())
    })
}

/// Where consumed energy came from.
pub(super) fn energy(case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let stack = |of: fn(&Energy) -> f64| {
        Mark::Stack(case.energy.iter().map(|energy| (place(energy.slot), of(energy))).collect())
    };
    let known = !case.energy.is_empty();
    let column = |of: fn(&SlotRow) -> Number| Mark::Stack(column(case, |row| Some(of(row).value())));
    let traded = if known { stack(|energy| energy.bought) } else { column(|row| row.traded_kwh) };
    let imported = if known { stack(|energy| energy.imported) } else { column(|row| row.grid_import_kwh) };
    let storage = case.energy.iter().any(|energy| energy.discharged > 0.0);
    let layers = [
        known.then(|| Layer::new("own generation", Color::Series(1), stack(|energy| energy.own))),
        Some(Layer::new("local trades", Color::Series(2), traded)),
        (known && storage).then(|| Layer::new("storage", Color::Series(4), stack(|energy| energy.discharged))),
        Some(Layer::new("grid", Color::Series(0), imported)),
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

/// What all storages together hold and take.
pub(super) fn storage(case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let values = |of: fn(&Energy) -> f64| case.energy.iter().map(|energy| (place(energy.slot), of(energy))).collect();
    let used = case.energy.iter().any(|energy| energy.stored > 0.0 || energy.charged > 0.0 || energy.discharged > 0.0);
    let chart = || {
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
    };
    used.then(chart)?
}

/// How far each slot ended from its equilibrium.
pub(super) fn distance(case: &CaseData) -> Option<Chart> {
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

/// How long each market took to come to rest.
pub(super) fn settling(case: &CaseData) -> Option<Chart> {
    let (x, _) = label::slots(&case.slots);
    let times = column(case, |row| row.time_to_equilibrium_s.map(Number::value));
    Chart::new(
        ("time_to_equilibrium", "Time to equilibrium"),
        "From the opening of the market until everybody was at rest; slots whose gate closed first have no bar.",
        (x, Axis::of("time to equilibrium").unit("s").from_zero()),
        [Layer::unnamed(Color::Series(0), Mark::Bars(times))],
    )
}

/// Messages of each slot, and what became of them.
pub(super) fn messages(case: &CaseData) -> Option<Chart> {
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
