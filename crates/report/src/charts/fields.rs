//! Days against hours, colored by price and energy: how a long run looks at a glance.

use super::along::Along;
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark},
    data::CaseData,
};
use microgrid_record::SlotRow;

/// Name, title and caption of a field, what its colors mean, and the value of a slot with what sums are divided by in the end.
type Field = ([&'static str; 3], fn() -> Axis, fn(&SlotRow) -> (f64, Option<f64>));

const FIELDS: [Field; 3] = [
    (
        [
            "hours_price",
            "Price by day and hour",
            "Mean price of the trades of each hour, by energy; nothing where there were none.",
        ],
        || Axis::of("price").unit("CNY/kWh"),
        |row| {
            let traded = row.traded_kwh.value();
            (row.price_mean_cny_per_kwh.map_or(f64::NAN, |price| price.value() * traded), Some(traded))
        },
    ),
    (
        [
            "hours_traded",
            "Local trade by day and hour",
            "Energy that was traded between prosumers in each hour; of an hour that clocks show twice, the mean.",
        ],
        || Axis::of("traded").unit("kWh").from_zero(),
        |row| (row.traded_kwh.value(), None),
    ),
    (
        [
            "hours_import",
            "Energy from the grid by day and hour",
            "Energy that all prosumers bought from the grid in each hour; of an hour that clocks show twice, the mean.",
        ],
        || Axis::of("from the grid").unit("kWh").from_zero(),
        |row| (row.grid_import_kwh.value(), None),
    ),
];

/// The fields of a case whose slots have dates, of three days or more.
pub(super) fn charts(case: &CaseData) -> impl Iterator<Item = Chart> {
    let hours = Along::of(case).hours();
    hours.into_iter().flat_map(move |hours| {
        let chart = move |([name, title, caption], values, of): Field| {
            let of_slot = |row: &SlotRow| (row.slot, of(row).0, of(row).1);
            let field = Mark::Heat(hours.field(case.slots.iter().map(of_slot)), values());
            Chart::new((name, title), caption, hours.axes(), [Layer::unnamed(Color::Reference, field)])
        };
        FIELDS.into_iter().filter_map(chart)
    })
}
