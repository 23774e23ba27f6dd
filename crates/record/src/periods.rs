//! `days.csv` and `months.csv`: what all prosumers' slots come to in each day and each month of the zone.

use super::{
    recorded::{ClosedSlot, Number, Record, Recorded, Span, table},
    sums::Sums,
};
use microgrid_scenario::Case;
use std::mem;

/// Declares both tables, which have the same columns behind the first two.
macro_rules! periods {
    ($($(#[$doc:meta])* $row:ident in $file:literal by $span:ident, $(#[$of:meta])* $period:ident;)+) => {$(
        table! {
            $(#[$doc])*
            $row in $file of (case: &Case, $period: Option<String>, sums: &Sums) {
                /// Number of the case.
                case: u32 = case.number,
                $(#[$of])*
                $period: Option<String> = $period,
                /// How many slots it has.
                slots: u32 = sums.slots,
                /// Generated.
                generation_kwh: Number ["kWh"] = sums.flows.generation_kwh.into(),
                /// What prosumers wanted to consume.
                load_kwh: Number ["kWh"] = sums.flows.load_kwh.into(),
                /// What they consumed.
                consumption_kwh: Number ["kWh"] = sums.flows.consumption_kwh.into(),
                /// Traded between prosumers.
                traded_kwh: Number ["kWh"] = sums.flows.traded_kwh.into(),
                /// Drawn from the grid.
                grid_import_kwh: Number ["kWh"] = sums.flows.grid_import_kwh.into(),
                /// Fed into the grid.
                grid_export_kwh: Number ["kWh"] = sums.flows.grid_export_kwh.into(),
                /// Put into storages, measured outside.
                charged_kwh: Number ["kWh"] = sums.flows.charged_kwh.into(),
                /// Taken from storages, measured outside.
                discharged_kwh: Number ["kWh"] = sums.flows.discharged_kwh.into(),
                /// Mean price of the trades, weighted by energy.
                price_mean_cny_per_kwh: Option<Number> ["CNY/kWh"] = sums.mean_price().and_then(Number::new),
                /// Payments and fees less earnings of all prosumers.
                net_cost_cny: Number ["CNY"] = net_cost.into(),
                /// The same in P2G.
                p2g_net_cost_cny: Number ["CNY"] = p2g.into(),
                /// The same in P2G with storage.
                p2g_storage_net_cost_cny: Number ["CNY"] = p2g_storage.into(),
                /// Net cost saved over P2G.
                savings_cny: Number ["CNY"] = (p2g - net_cost).into(),
                /// Net cost saved over P2G with storage.
                market_savings_cny: Number ["CNY"] = (p2g_storage - net_cost).into(),
                /// Paid to the operator.
                fees_cny: Number ["CNY"] = sums.flows.fees_cny.into(),
                /// Consumption not drawn from the grid / consumption.
                self_sufficiency: Option<Number> = sums.self_sufficiency().and_then(Number::new),
                /// Generation used in the microgrid / generation.
                self_consumption: Option<Number> = sums.self_consumption().and_then(Number::new),
                /// Largest mean power over a slot that all together draw from the grid, what they feed in taken off.
                peak_import_kw: Option<Number> ["kW"] = sums.import.kw(case).and_then(Number::new),
                /// When: the begin of the slot, or its number where slots have no dates.
                peak_import_at: Option<String> = sums.import.at(case),
                /// Largest mean power over a slot that they feed into the grid, what they draw taken off.
                peak_export_kw: Option<Number> ["kW"] = sums.export.kw(case).and_then(Number::new),
                /// When.
                peak_export_at: Option<String> = sums.export.at(case),
                /// Mean consumption of a slot / that of the slot with most.
                load_factor: Option<Number> = sums.load_factor().and_then(Number::new),
                /// What the energy bought from the grid has emitted.
                co2_kg: Option<Number> ["kg"] = sums.co2_kg().and_then(Number::new),
                /// The same for each kWh consumed.
                co2_g_per_kwh: Option<Number> ["g/kWh"] = sums.co2_g_per_kwh().and_then(Number::new),
                /// Gini coefficient of the prosumers' savings over P2G.
                savings_gini: Option<Number> = savings.gini().and_then(Number::new),
                /// Jain's index of the same.
                savings_jain_index: Option<Number> = savings.jain_index().and_then(Number::new),
                /// Gini coefficient of the prosumers' savings over P2G with storage.
                market_savings_gini: Option<Number> = market_savings.gini().and_then(Number::new),
                /// Jain's index of the same.
                market_savings_jain_index: Option<Number> = market_savings.jain_index().and_then(Number::new),
                /// How many slots had a market.
                market_slots: u32 = sums.markets,
                /// Part of those among them in which an equilibrium was looked for that ended in one.
                equilibrium_share: Option<Number> = sums.equilibrium_share().and_then(Number::new),
            }
            where {
                let [net_cost, p2g, p2g_storage] = sums.net_costs();
                let [savings, market_savings] = sums.savings();
            }
        }

        impl Recorded for $row {
            const KEPT: Record = Record::Slots;
            type Tally = Sums;

            fn with_slot(tally: &mut Sums, closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
                tally.join(closed.sums);
                let ended = closed.ended(Span::$span);
                ended.map(|name| Self::row(closed.case, name, &mem::take(tally))).into_iter()
            }
        }
    )+};
}

periods! {
    /// What a day came to.
    DayRow in "days" by Day,
        /// Which day; empty of a run without dates, which has one row.
        day;
    /// What a month came to.
    MonthRow in "months" by Month,
        /// Which month; empty of a run without dates, which has one row.
        month;
}
