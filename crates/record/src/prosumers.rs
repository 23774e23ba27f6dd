//! `prosumers.csv`: every prosumer's slot.

use super::recorded::{ClosedSlot, Number, Record, Recorded, Slot, table};
use microgrid_agents::{
    ids::peer_number,
    market::{balance::Balance, role::Role},
    observation::ProsumerSlot,
};

table! {
    /// A prosumer's slot.
    ProsumerRow in "prosumers" of (
        closed: &ClosedSlot<'_>,
        index: usize,
        done: &ProsumerSlot,
        without: &Balance,
        alone: &Balance
    ) {
        /// Number of the case.
        case: u32 = closed.case.number,
        /// Which slot.
        slot: Slot = closed.slot,
        /// Number of the prosumer.
        prosumer: u32 = member.number => shown("prosumer"),
        /// Its role.
        role: Role = done.facts.role() => shown("role"),
        /// Generated.
        pv_kwh: Number ["kWh"] = done.metered.generation.into() => rounded("generated", 3),
        /// What it wanted to consume.
        load_kwh: Number ["kWh"] = done.metered.load.into() => rounded("load", 3),
        /// Bought from other prosumers.
        bought_kwh: Number ["kWh"] = done.trades.bought.into() => rounded("bought", 3),
        /// Sold to other prosumers.
        sold_kwh: Number ["kWh"] = done.trades.sold.into() => rounded("sold", 3),
        /// Put into its storage, measured outside.
        charged_kwh: Number ["kWh"] = done.balance.charged.into() => rounded("charged", 3),
        /// Taken from its storage, measured outside.
        discharged_kwh: Number ["kWh"] = done.balance.discharged.into() => rounded("discharged", 3),
        /// Content of its storage at the end.
        soc_kwh: Number ["kWh"] = done.balance.content.into() => rounded("stored", 3),
        /// Drawn from the grid.
        grid_import_kwh: Number ["kWh"] = done.balance.drawn().into() => rounded("from the grid", 3),
        /// Fed into the grid.
        grid_export_kwh: Number ["kWh"] = done.balance.fed_in().into() => rounded("into the grid", 3),
        /// Paid to prosumers and to the grid.
        paid_cny: Number ["CNY"] = done.paid().into() => rounded("paid", 3),
        /// Earned from prosumers and from the grid.
        earned_cny: Number ["CNY"] = done.earned().into() => rounded("earned", 3),
        /// Paid to the operator.
        fee_cny: Number ["CNY"] = done.trades.fee.into(),
        /// Welfare.
        welfare_cny: Option<Number> ["CNY"] = Number::new(done.balance.welfare) => rounded("welfare", 3),
        /// Welfare it would have without a local market.
        p2g_welfare_cny: Option<Number> ["CNY"] = Number::new(without.welfare) => rounded("P2G welfare", 3),
        /// Consumed.
        consumed_kwh: Number ["kWh"] = done.balance.consumed.into() => rounded("consumed", 3).behind(1),
        /// Welfare it would have with its storage and without a local market.
        p2g_storage_welfare_cny: Option<Number> ["CNY"] = Number::new(alone.welfare) => rounded("P2G with storage", 3),
        /// Welfare gained over P2G.
        gain_cny: Option<Number> ["CNY"] = Number::new(done.balance.welfare - without.welfare)
            => rounded("gain over P2G", 3).behind(1),
        /// How long a message takes in the mean between it and the ledger, one way.
        delay_s: Option<Number> ["s"] = closed.delays.map(|delays| delays[index].into()) => rounded("delay", 3).behind(2),
        /// When the slot begins, where slots have dates.
        time: Option<String> = closed.time(),
        /// What it is called, if it has a name.
        name: Option<String> = member.name.as_deref().map(str::to_owned),
        /// Drawn from the grid beside what it had registered.
        short_kwh: Number ["kWh"] = done.balance.short.into(),
        /// Fed into the grid beside what it had registered.
        long_kwh: Number ["kWh"] = done.balance.long.into(),
        /// The number of the peer of the ledger whose client it is by the scenario.
        peer: u32 = closed.homes.get(index).map_or(1, |home| home + 1),
        /// The number of the peer whose client it is when it has read its meter.
        peer_at_end: u32 = peer_number(members.len(), done.desk),
    }
    where {
        let members = &closed.case.population.prosumers;
        let member = &members[index];
    }
}

impl Recorded for ProsumerRow {
    const KEPT: Record = Record::Full;
    const LARGE: bool = true;
    type Tally = ();

    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        let baselines = closed.theory.peer_to_grid.iter().zip(closed.theory.alone());
        let all = closed.observed.prosumers().zip(baselines).enumerate();
        all.map(|(index, (done, (without, alone)))| Self::row(closed, index, done, without, alone))
    }
}
