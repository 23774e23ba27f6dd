//! `convergence.csv`: how prices, shares, demands and net utilities moved during a slot's game.

use super::{number::Number, table::table};
use crate::scenario::population::Population;
use microgrid_agents::{ids::Slot, message::MarketOpened, observation::Commit};
use std::time::Duration;

table! {
    /// A seller after a committed change.
    ConvergenceRow in "convergence.csv" {
        /// Number of the case.
        case: u32,
        /// Which slot.
        slot: Slot,
        /// When the block was cut, since the start of the run [s].
        time_s: Number,
        /// Number of the selling prosumer.
        seller: u32,
        /// Its price [CNY/kWh].
        price_cny_per_kwh: Option<Number>,
        /// Mean of the buyers' shares, weighted by their demand.
        share: Option<Number>,
        /// Demand it meets (8) [kWh].
        demand_kwh: Option<Number>,
        /// Its net utility (11) [CNY].
        net_utility: Option<Number>,
    }
}

/// The rows of a committed block, by seller.
///
/// A block with a choice may change every seller, one without only those whose quote it holds.
pub(super) fn rows<'a>(
    case: u32,
    market: &'a MarketOpened,
    commit: &'a Commit,
    population: &'a Population,
) -> impl Iterator<Item = ConvergenceRow> + 'a {
    changed(commit).map(move |index| {
        let seller = population.prosumers[market.sellers[index].index()].number;
        row(case, market.slot, seller, commit, index)
    })
}

/// Indices of the sellers at which the block may have changed something.
fn changed(commit: &Commit) -> impl Iterator<Item = usize> {
    let (all, quoted) =
        if commit.choices { (commit.state.prices.len(), &[][..]) } else { (0, commit.quoted.as_slice()) };
    (0..all).chain(quoted.iter().map(|&index| index as usize))
}

fn row(case: u32, slot: Slot, seller: u32, commit: &Commit, index: usize) -> ConvergenceRow {
    let state = &commit.state;
    let aggregate = state.aggregate.as_deref();
    ConvergenceRow {
        case,
        slot,
        time_s: Duration::from_nanos(state.time.0).into(),
        seller,
        price_cny_per_kwh: Number::new(state.prices[index]),
        share: aggregate.and_then(|sums| Number::new(sums.mean_share[index])),
        demand_kwh: aggregate.and_then(|sums| Number::new(sums.demand[index])),
        net_utility: aggregate.and_then(|sums| Number::new(sums.net_utility[index])),
    }
}
