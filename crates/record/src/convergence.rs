//! `convergence.csv`: how prices, shares, demands and net utilities moved during a slot's game.

use super::{
    number::Number,
    recorded::{CommittedBlock, Recorded},
    table::table,
    theory::Target,
};
use microgrid_agents::ids::Slot;
use microgrid_analysis::distance::{gap, imbalance_of};
use microgrid_scenario::schema::Record;
use std::time::Duration;

table! {
    /// A seller after a committed change.
    ConvergenceRow in "convergence" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// When the block was cut, since the start of the run.
        time_s: Number ["s"],
        /// Number of the selling prosumer.
        seller: u32,
        /// Its price.
        price_cny_per_kwh: Option<Number> ["CNY/kWh"],
        /// Mean of the buyers' shares, weighted by their demand.
        share: Option<Number>,
        /// Demand it meets (8).
        demand_kwh: Option<Number> ["kWh"],
        /// Its net utility (11).
        net_utility: Option<Number> ["CNY"],
        /// Distance of its price from those that clear the market.
        price_gap: Option<Number> ["CNY/kWh"],
        /// Excess of demand or supply that its price could still answer, in mean surpluses.
        imbalance: Option<Number>,
        /// Mean age of the prices that the choices in force answered.
        information_age_s: Option<Number> ["s"],
        /// Messages sent in the slot so far.
        messages: u64,
        /// Messages of these that never arrived.
        lost_messages: u64,
        /// Messages of these that arrived twice.
        duplicated_messages: u64,
    }
}

impl Recorded for ConvergenceRow {
    const KEPT: Record = Record::Full;
    const LARGE: bool = true;
    type Tally = ();

    /// By seller. A block with a choice may change every seller, one without only those whose quote it holds.
    fn of_block(block: &CommittedBlock<'_>) -> impl Iterator<Item = Self> {
        let (commit, target) = (block.commit, block.target());
        let (all, quoted) =
            if commit.choices { (commit.state.prices.len(), &[][..]) } else { (0, commit.quoted.as_slice()) };
        let changed = (0..all).chain(quoted.iter().map(|&index| index as usize));
        changed.map(move |index| row(block, target, index))
    }
}

fn row(block: &CommittedBlock<'_>, (target, mean_surplus): (Target, f64), index: usize) -> ConvergenceRow {
    let CommittedBlock { case, market, commit, traffic, .. } = *block;
    let state = &commit.state;
    let aggregate = state.aggregate.as_deref();
    let (price, surplus) = (state.prices[index], market.surplus[index]);
    let imbalance = |demand| imbalance_of(price, demand, surplus, target.band, mean_surplus);
    ConvergenceRow {
        case: case.number,
        slot: market.slot,
        time_s: Duration::from_nanos(state.time.0).into(),
        seller: case.population.prosumers[market.sellers[index].index()].number,
        price_cny_per_kwh: Number::new(price),
        share: aggregate.and_then(|sums| Number::new(sums.mean_share[index])),
        demand_kwh: aggregate.and_then(|sums| Number::new(sums.demand[index])),
        net_utility: aggregate.and_then(|sums| Number::new(sums.net_utility[index])),
        price_gap: target.prices.and_then(|(lowest, highest)| Number::new(gap(price, lowest, highest))),
        imbalance: aggregate.and_then(|sums| Number::new(imbalance(sums.demand[index]))),
        information_age_s: aggregate.map(|_| state.news_age.into()),
        messages: traffic.sent,
        lost_messages: traffic.lost,
        duplicated_messages: traffic.duplicated,
    }
}
