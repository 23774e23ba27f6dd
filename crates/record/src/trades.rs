//! `trades.csv`: what every buyer wanted of every seller, and got.

use super::{number::Number, slot_observations::SlotObservations, table::table};
use microgrid_agents::{
    ids::{ProsumerId, Slot},
    units::Energy,
};
use microgrid_scenario::population::Population;

table! {
    /// What a buyer wanted of a seller, and got.
    TradeRow in "trades" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// Number of the buying prosumer.
        buyer: u32,
        /// Number of the selling prosumer.
        seller: u32,
        /// The buyer's optimal purchase (7) [kWh].
        optimal_kwh: Option<Number>,
        /// What was delivered (10) [kWh].
        traded_kwh: Number,
        /// The seller's final price [CNY/kWh].
        price_cny_per_kwh: Option<Number>,
        /// Paid by the buyer to the seller [CNY].
        payment_cny: Number,
        /// Paid by the buyer to the operator [CNY].
        fee_cny: Number,
    }
}

/// The slot's rows by buyer and seller, without those where nothing was wanted or delivered.
pub(super) fn rows(case: u32, slot: Slot, gathered: &SlotObservations, population: &Population) -> Vec<TradeRow> {
    let number = |id: ProsumerId| population.prosumers[id.index()].number;
    let mut rows: Vec<TradeRow> = gathered
        .trades()
        .filter(|(.., trade)| trade.optimal > 0.0 || trade.energy > Energy::ZERO)
        .map(|(buyer, seller, trade)| TradeRow {
            case,
            slot,
            buyer: number(buyer),
            seller: number(seller),
            optimal_kwh: Number::new(trade.optimal),
            traded_kwh: trade.energy.into(),
            price_cny_per_kwh: Number::new(trade.price),
            payment_cny: trade.payment.into(),
            fee_cny: trade.fee.into(),
        })
        .collect();
    rows.sort_by_key(|row| (row.buyer, row.seller));
    rows
}
