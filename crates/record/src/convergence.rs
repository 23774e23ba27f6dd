//! `convergence.csv`: how prices, shares, demands and net utilities moved during a slot's game.

use super::recorded::{CommittedBlock, Number, Record, Recorded, Slot, table};
use super::theory::Target;
use microgrid_agents::market::aggregate::Aggregate;
use microgrid_analysis::distance::{gap, imbalance_of};
use std::time::Duration;

table! {
    /// A seller after a committed change.
    ConvergenceRow in "convergence" of (block: &CommittedBlock<'_>, index: usize) {
        /// Number of the case.
        case: u32 = case.number,
        /// Which slot.
        slot: Slot = market.slot,
        /// When the block was cut, since the start of the run.
        time_s: Number ["s"] = Duration::from_nanos(state.time.0).into(),
        /// Number of the selling prosumer.
        seller: u32 = case.population.prosumers[market.sellers[index].index()].number,
        /// Its price.
        price_cny_per_kwh: Option<Number> ["CNY/kWh"] = Number::new(price),
        /// Mean of the buyers' shares, weighted by their demand.
        share: Option<Number> = sum(&|sums| sums.mean_share[index]),
        /// Demand it meets (8).
        demand_kwh: Option<Number> ["kWh"] = sum(&|sums| sums.demand[index]),
        /// Its net utility (11).
        net_utility: Option<Number> ["CNY"] = sum(&|sums| sums.net_utility[index]),
        /// Distance of its price from those that clear the market.
        price_gap: Option<Number> ["CNY/kWh"] =
            target.prices.and_then(|(low, high)| Number::new(gap(price, low, high))),
        /// Excess of demand or supply that its price could still answer, in mean surpluses.
        imbalance: Option<Number> =
            sum(&|sums| imbalance_of(price, sums.demand[index], surplus, target.band, target.mean_surplus)),
        /// Mean age of the prices that the choices in force answered.
        information_age_s: Option<Number> ["s"] = aggregate.map(|_| state.news_age.into()),
        /// Messages sent in the slot so far.
        messages: u64 = traffic.sent,
        /// Messages of these that never arrived.
        lost_messages: u64 = traffic.lost,
        /// Messages of these that arrived twice.
        duplicated_messages: u64 = traffic.duplicated,
        /// When the slot begins, where slots have dates.
        time: Option<String> = case.time_of(market.slot),
    }
    where {
        let CommittedBlock { case, market, commit, traffic, .. } = *block;
        let state = &commit.state;
        let aggregate = state.aggregate.as_deref();
        let sum = |of: &dyn Fn(&Aggregate) -> f64| aggregate.and_then(|sums| Number::new(of(sums)));
        let target = block.target.get_or_init(|| Target::of(case, market));
        let (price, surplus) = (state.prices[index], market.surplus[index]);
    }
}

impl Recorded for ConvergenceRow {
    const KEPT: Record = Record::Full;
    const LARGE: bool = true;
    type Tally = ();

    /// By seller. A block with a choice may change every seller, one without only those whose quote it holds.
    fn of_block(block: &CommittedBlock<'_>) -> impl Iterator<Item = Self> {
        let commit = block.commit;
        let (all, quoted) =
            if commit.choices { (commit.state.prices.len(), &[][..]) } else { (0, commit.quoted.as_slice()) };
        let changed = (0..all).chain(quoted.iter().map(|&index| index as usize));
        changed.map(move |index| Self::row(block, index))
    }
}
