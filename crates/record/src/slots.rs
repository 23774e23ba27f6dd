//! `slots.csv`: every slot at a glance.

use super::recorded::{ClosedSlot, Number, Record, Recorded, Slot, table};
use super::{
    prices::mean_price,
    slot_observations::SlotObservations,
    theory::{Theory, net_cost},
};
use microgrid_agents::{
    market::role::Role,
    observation::ProsumerSlot,
    statement::Outcome,
    units::{Energy, Total},
};
use microgrid_analysis::distance::Distance;
use std::iter;

/// What is to be known of a measure of the age of news.
const AGES: &str = " News ages from the commit of the market state: in lock-step, what arrives later waits less for the next \
                    act, so that age may fall where delay grows.";

table! {
    /// A slot at a glance.
    SlotRow in "slots" of (closed: &ClosedSlot<'_>) {
        /// Number of the case.
        case: u32 = case.number => shown("case"),
        /// Which slot.
        slot: Slot = slot => shown("slot"),
        /// How many prosumers have a surplus.
        sellers: u32 = count(Role::Seller) => shown("sellers"),
        /// How many prosumers have a need.
        buyers: u32 = count(Role::Buyer) => shown("buyers"),
        /// How the market ended.
        outcome: Outcome = observed.outcome() => shown("outcome"),
        /// Most choices that one buyer made.
        rounds: u32 = game.map_or(0, |game| game.rounds) => mean("rounds of a slot").shown("rounds"),
        /// From the opening of the market to rest.
        time_to_equilibrium_s: Option<Number> ["s"] = observed.time_to_equilibrium().map(Number::from) => ratio(
            "time to equilibrium where reached",
            "Mean over the slots that came to equilibrium, of which there may be few",
            |row, _| Some((row.settled_after()?, 1.0))
        ).until_gate().rounded("time to rest", 1),
        /// Messages sent since the slot before was closed.
        messages: u64 = traffic.sent => mean("messages in a slot").shown("messages").behind(3),
        /// Mean price of the trades, weighted by energy.
        price_mean_cny_per_kwh: Option<Number> ["CNY/kWh"] = mean_price(trades()) => ratio(
            "mean price of trades",
            "Paid for all trades, divided by the energy of all",
            |row, _| weighted(row.price_mean_cny_per_kwh, row.traded_kwh.value())
        ).rounded("price", 4),
        /// Price of the closed-form equilibrium of those who were admitted.
        equilibrium_price_cny_per_kwh: Option<Number> ["CNY/kWh"] =
            theory.equilibrium.as_ref().and_then(|at| Number::new(at.price))
            => mean("closed-form price").rounded("closed-form price", 4),
        /// Largest distance of a seller's price from those that clear the market.
        price_gap: Option<Number> ["CNY/kWh"] = apart(|at| at.price_gap)
            => mean("price gap").logarithmic().rounded("price gap", 6),
        /// Largest difference of demand and surplus at a seller, in mean surpluses.
        imbalance: Option<Number> = apart(|at| at.imbalance) => mean("imbalance").logarithmic(),
        /// Largest relative difference of a chosen seller's net utility from the mean.
        ess_residual: Option<Number> = apart(|at| at.ess_residual.unwrap_or(f64::NAN))
            => mean("difference of net utilities").logarithmic(),
        /// Mean age of the news at a decision.
        information_age_mean_s: Option<Number> ["s"] = observed.ages.mean() => ratio(
            "mean age of information",
            "Mean over all decisions",
            |row, _| weighted(row.information_age_mean_s, row.decisions()?)
        ).remark(AGES).rounded("news' age", 3).behind(2),
        /// Age of the news that 95 % of the decisions did not exceed.
        information_age_p95_s: Option<Number> ["s"] = observed.ages.percentile(95)
            => mean("95th percentile of the age of information").remark(AGES),
        /// Traded between prosumers.
        traded_kwh: Number ["kWh"] = traded.into() => mean("energy traded in a slot").rounded("traded", 3),
        /// Drawn from the grid.
        grid_import_kwh: Number ["kWh"] = energy(|done| done.balance.drawn())
            => mean("energy bought from the grid in a slot").rounded("from the grid", 3),
        /// Fed into the grid.
        grid_export_kwh: Number ["kWh"] = energy(|done| done.balance.fed_in())
            => mean("energy fed into the grid in a slot").rounded("into the grid", 3),
        /// Welfare of the buyers.
        buyers_welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.buyers)
            => mean("welfare of the buyers in a slot").signed(),
        /// Welfare of the sellers.
        sellers_welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.sellers)
            => mean("welfare of the sellers in a slot").signed(),
        /// Welfare of all prosumers.
        welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.all)
            => mean("welfare of all in a slot").signed().rounded("welfare", 3),
        /// Welfare the buyers would have without a local market.
        p2g_buyers_welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.p2g_buyers),
        /// Welfare the sellers would have without a local market.
        p2g_sellers_welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.p2g_sellers),
        /// Welfare all prosumers would have without a local market.
        p2g_welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.p2g)
            => mean("welfare of all in a slot of P2G").signed().rounded("P2G welfare", 3),
        /// Welfare missed beside the closed-form equilibrium, as a part of its size there.
        welfare_loss: Option<Number> = theory.equilibrium_welfare.and_then(|best| loss(welfare.all, best)) => ratio(
            "share of welfare missed",
            "Welfare missed in all slots with a market, divided by that of their closed forms",
            |row, _| row.missed()
        ).logarithmic().signed(),
        /// Largest minus smallest price of a seller over the last tenth of the time to gate closure, of the seller
        /// where that is most.
        oscillation_amplitude: Option<Number> ["CNY/kWh"] =
            observed.amplitude.as_ref().and_then(|prices| Number::new(prices.largest()?))
            => mean("oscillation of prices").logarithmic(),
        /// Messages for each traded kWh.
        messages_per_kwh: Option<Number> ["1/kWh"] = Number::new(traffic.sent as f64 / traded.value()) => ratio(
            "messages for each traded kWh",
            "Messages of all slots with a market, divided by all energy traded in them",
            |row, _| Some((row.messages as f64, row.traded_kwh.value()))
        ),
        /// Mean number of decisions of a participant.
        updates_per_actor: Option<Number> = Number::new(observed.ages.count() as f64 / actors as f64) => ratio(
            "decisions of a participant",
            "Decisions in all slots with a market, divided by the numbers of their participants",
            |row, _| Some((row.decisions()?, row.admitted.into()))
        ),
        /// Messages of these that never arrived.
        lost_messages: u64 = traffic.lost => mean("lost messages in a slot").shown("lost").behind(3),
        /// Messages of these that arrived twice.
        duplicated_messages: u64 = traffic.duplicated => mean("doubled messages in a slot"),
        /// How many prosumers wanted to buy or sell in the market; 0 where it was not to open.
        wanted: u32 = game.map_or(0, |_| count(Role::Seller) + count(Role::Buyer)),
        /// How many of them were admitted: have registered in time.
        admitted: u32 = game.map_or(0, |game| game.admitted),
        /// Mean distance of a seller's price from those that clear the market, weighted by surplus.
        price_gap_weighted: Option<Number> ["CNY/kWh"] = apart(|at| at.price_gap_weighted)
            => mean("price gap weighted").bare(),
        /// Consumed.
        consumption_kwh: Number ["kWh"] = energy(|done| done.balance.consumed)
            => mean("energy consumed in a slot").rounded("consumed", 3).behind(1),
        /// What prosumers wanted to consume.
        load_kwh: Number ["kWh"] = energy(|done| done.metered.load) => mean("load of a slot").rounded("load", 3).behind(1),
        /// Welfare all prosumers would have with their storages and without a local market.
        p2g_storage_welfare_cny: Option<Number> ["CNY"] = Number::new(welfare.p2g_storage)
            => mean("welfare of all in a slot of P2G with storage").signed(),
        /// How many prosumers have less welfare than they would have so.
        worse_off: u32 = gains.worse_off() => mean("prosumers below P2G with storage in a slot").shown("worse off"),
        /// Welfare of all prosumers at the closed-form equilibrium of all who wanted to buy or sell.
        equilibrium_welfare_cny: Option<Number> ["CNY"] = theory.equilibrium_welfare.and_then(Number::new),
        /// By which mechanism trades came about.
        mechanism: String = case.mechanism().name().to_owned(),
        /// Net cost of all prosumers in P2G, less what it was here.
        savings_cny: Number ["CNY"] = (net_cost(&theory.peer_to_grid) - observed.net_cost()).into()
            => mean("savings in a slot").signed(),
        /// Largest less smallest mean price of a buyer, or of a seller where that is more.
        price_spread_cny_per_kwh: Option<Number> ["CNY/kWh"] = observed.price_spread()
            => mean("spread of prices among participants"),
        /// Jain's index of the prosumers' gains over P2G.
        jain_index: Option<Number> = gains.jain_index().and_then(Number::new)
            => mean("Jain's index of fairness in a slot"),
        /// Length of what was put on the chains.
        bytes: u64 ["bytes"] = observed.bytes => mean("length of what a slot puts on the chains"),
        /// From the opening of the market to its end, however it ended.
        time_to_end_s: Option<Number> ["s"] = observed.time_to_end().map(Number::from)
            => mean("time to the end of the market").until_gate(),
        /// When it begins, where slots have dates.
        time: Option<String> = closed.time(),
        /// Generated.
        pv_kwh: Number ["kWh"] = energy(|done| done.metered.generation),
        /// Put into storages, measured outside.
        charged_kwh: Number ["kWh"] = energy(|done| done.balance.charged),
        /// Taken from storages, measured outside.
        discharged_kwh: Number ["kWh"] = energy(|done| done.balance.discharged),
        /// Drawn from the grid beside what was registered.
        short_kwh: Number ["kWh"] = energy(|done| done.balance.short),
        /// Fed into the grid beside what was registered.
        long_kwh: Number ["kWh"] = energy(|done| done.balance.long),
    }
    where {
        let ClosedSlot { case, slot, observed, theory, gains, traffic, .. } = *closed;
        let count = |role| observed.prosumers().filter(|done| done.facts.role() == role).count() as u32;
        let energy = |of: fn(&ProsumerSlot) -> Energy| observed.prosumers().map(of).sum::<Total<Energy>>().into();
        let trades = || observed.trades().map(|(.., trade)| trade);
        let traded = trades().map(|trade| trade.energy).sum::<Total<Energy>>();
        let (game, market) = (observed.game.as_deref(), observed.market.as_deref());
        let end = market.zip(game.and_then(|game| game.state.as_deref()));
        let ended = observed.settled();
        let distance = end.and_then(|(market, end)| theory.distance(market, end, ended));
        let apart = |of: fn(&Distance) -> f64| distance.as_ref().and_then(|distance| Number::new(of(distance)));
        let welfare = Welfare::of(observed, theory);
        let actors = market.map_or(0, |market| market.sellers.len() + market.buyers.len());
    }
}

impl SlotRow {
    /// How long the slot took to equilibrium [s], if it came there.
    pub(super) fn settled_after(&self) -> Option<f64> {
        self.time_to_equilibrium_s.filter(|_| self.outcome == Outcome::Equilibrium).map(Number::value)
    }

    /// How many decisions its participants made.
    fn decisions(&self) -> Option<f64> {
        Some(self.updates_per_actor?.value() * f64::from(self.admitted))
    }

    /// Welfare missed, and the size of that of the closed form.
    fn missed(&self) -> Option<(f64, f64)> {
        let best = self.equilibrium_welfare_cny?.value();
        Some((best - self.welfare_cny?.value(), best.abs()))
    }
}

/// What a value adds to a mean with weights.
fn weighted(value: Option<Number>, weight: f64) -> Option<(f64, f64)> {
    Some((value?.value() * weight, weight))
}

impl Recorded for SlotRow {
    const KEPT: Record = Record::Slots;
    const SUMMED_UP: bool = true;
    type Tally = ();

    fn of_slot(closed: &ClosedSlot<'_>) -> impl Iterator<Item = Self> {
        iter::once(Self::row(closed))
    }
}

/// What a welfare misses beside the best, as a part of its size; `None` where that is 0.
fn loss(welfare: f64, best: f64) -> Option<Number> {
    Number::new((best - welfare) / best.abs())
}

/// Welfare of the groups of a slot, with and without the local market [CNY].
///
/// Summed in the order of the prosumers, so that the last bit is always the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Welfare {
    pub(super) buyers: f64,
    pub(super) sellers: f64,
    pub(super) all: f64,
    pub(super) p2g_buyers: f64,
    pub(super) p2g_sellers: f64,
    pub(super) p2g: f64,
    pub(super) p2g_storage: f64,
}

impl Welfare {
    pub(super) fn of(gathered: &SlotObservations, theory: &Theory) -> Self {
        let mut sums = Self::default();
        let baselines = theory.peer_to_grid.iter().zip(theory.alone());
        for (done, (without, alone)) in gathered.prosumers().zip(baselines) {
            match done.facts.role() {
                Role::Buyer => {
                    sums.buyers += done.balance.welfare;
                    sums.p2g_buyers += without.welfare;
                }
                Role::Seller => {
                    sums.sellers += done.balance.welfare;
                    sums.p2g_sellers += without.welfare;
                }
                Role::Idle => {}
            }
            sums.all += done.balance.welfare;
            sums.p2g += without.welfare;
            sums.p2g_storage += alone.welfare;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welfare_is_lost_where_there_is_less_of_it_also_below_zero() {
        let loss = |welfare, best| loss(welfare, best).map(Number::value);
        // 6 CNY less than -5.491: more than all that there is.
        assert!((loss(-11.491, -5.491).unwrap() - 6.0 / 5.491).abs() < 1e-12);
        assert_eq!((loss(-2.0, -4.0), loss(3.0, 4.0), loss(-4.0, 4.0)), (Some(-0.5), Some(0.25), Some(2.0)));
        assert_eq!((loss(4.0, 4.0), loss(-4.0, -4.0)), (Some(0.0), Some(0.0)));
        assert_eq!((loss(-1.0, 0.0), loss(0.0, 0.0)), (None, None));
    }
}
