//! `trades.csv`: what every buyer wanted of every seller, and got.

use super::{
    number::Number,
    recorded::{ClosedSlot, Recorded},
    table::table,
};
use microgrid_agents::{
    ids::{ProsumerId, Slot},
    units::Energy,
};
use microgrid_scenario::schema::Record;

table! {
    /// What a buyer wanted of a seller, and got.
    TradeRow in "trades" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// Number of the buying prosumer.
        buyer: u32 => shown("buyer"),
        /// Number of the selling prosumer.
        seller: u32 => shown("seller"),
        /// The buyer's optimal purchase (7).
        optimal_kwh: Option<Number> ["kWh"] => rounded("optimal", 3),
        /// What was delivered (10).
        traded_kwh: Number ["kWh"] => rounded("traded", 3),
        /// The seller's final price.
        price_cny_per_kwh: Option<Number> ["CNY/kWh"] => rounded("price", 4),
        /// Paid by the buyer to the seller.
        payment_cny: Number ["CNY"] => rounded("payment", 3),
        /// Paid by the buyer to the operator.
        fee_cny: Number ["CNY"] => rounded("fee", 3),
    }
}

impl Recorded for TradeRow {
    const KEPT: Record = Record::Full;
    const LARGE: bool = true;
    type Tally = ();

    /// By buyer and seller, without those where nothing was wanted or delivered.
    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let number = |id: ProsumerId| closed.case.population.prosumers[id.index()].number;
        let mut rows: Vec<Self> = closed
            .observed
            .trades()
            .filter(|(.., trade)| trade.optimal > 0.0 || trade.energy > Energy::ZERO)
            .map(|(buyer, seller, trade)| Self {
                case: closed.case.number,
                slot: closed.slot,
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
        rows.into_iter()
    }
}
