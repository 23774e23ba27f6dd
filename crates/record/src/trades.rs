//! `trades.csv`: what every buyer wanted of every seller, and got.

use super::recorded::{ClosedSlot, Number, Record, Recorded, Slot, table};
use microgrid_agents::{ids::ProsumerId, market::settlement::Trade, units::Energy};

table! {
    /// What a buyer wanted of a seller, and got.
    TradeRow in "trades" of (closed: &ClosedSlot<'_>, buyer: ProsumerId, seller: ProsumerId, trade: &Trade) {
        /// Number of the case.
        case: u32 = closed.case.number,
        /// Which slot.
        slot: Slot = closed.slot,
        /// Number of the buying prosumer.
        buyer: u32 = number(buyer) => shown("buyer"),
        /// Number of the selling prosumer.
        seller: u32 = number(seller) => shown("seller"),
        /// The buyer's optimal purchase (7).
        optimal_kwh: Option<Number> ["kWh"] = Number::new(trade.optimal) => rounded("optimal", 3),
        /// What was delivered (10).
        traded_kwh: Number ["kWh"] = trade.energy.into() => rounded("traded", 3),
        /// The seller's final price.
        price_cny_per_kwh: Option<Number> ["CNY/kWh"] = Number::new(trade.price) => rounded("price", 4),
        /// Paid by the buyer to the seller.
        payment_cny: Number ["CNY"] = trade.payment.into() => rounded("payment", 3),
        /// Paid by the buyer to the operator.
        fee_cny: Number ["CNY"] = trade.fee.into() => rounded("fee", 3),
        /// When the slot begins, where slots have dates.
        time: Option<String> = closed.time(),
        /// What the buying prosumer is called, if it has a name.
        buyer_name: Option<String> = name(buyer),
        /// What the selling prosumer is called, if it has a name.
        seller_name: Option<String> = name(seller),
    }
    where {
        let member = |id: ProsumerId| &closed.case.population.prosumers[id.index()];
        let number = |id: ProsumerId| member(id).number;
        let name = |id: ProsumerId| member(id).name.as_deref().map(str::to_owned);
    }
}

impl Recorded for TradeRow {
    const KEPT: Record = Record::Full;
    const LARGE: bool = true;
    type Tally = ();

    /// By buyer and seller, without those where nothing was wanted or delivered.
    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let trades = closed.observed.trades();
        let told = trades.filter(|(.., trade)| trade.optimal > 0.0 || trade.energy > Energy::ZERO);
        let mut rows: Vec<Self> = told.map(|(buyer, seller, trade)| Self::row(closed, buyer, seller, trade)).collect();
        rows.sort_by_key(|row| (row.buyer, row.seller));
        rows.into_iter()
    }
}
