//! `kpis.json`: each case's totals and how it compares with P2G, the same day without a local market.

use super::{
    error::RecordError,
    folder,
    gains::{Gains, RunGains},
    manifest::{Knobs, knobs},
    number::Number,
    recorded::ClosedSlot,
    slots::Welfare,
    statistics::Statistics,
    theory::net_cost,
};
use microgrid_agents::{
    observation::ProsumerSlot,
    statement::Outcome,
    units::{Energy, Money, Total},
};
use microgrid_scenario::Case;
use serde::{Deserialize, Serialize};
use std::{
    io::{BufReader, Read},
    path::Path,
};

pub(super) const FILE: &str = "kpis.json";

/// The key figures of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyFigures {
    /// Number of the case.
    pub case: u32,
    /// Varied knobs and their values.
    pub knobs: Knobs,
    /// Its seed.
    pub seed: u64,
    /// How many slots it has.
    pub slots: u32,
    /// Sums over all slots and prosumers.
    pub totals: Totals,
    /// (Own generation used + bought locally + discharged) / consumption; `None` without consumption.
    pub self_sufficiency: Option<f64>,
    /// Generation used in the microgrid / generation; `None` without generation.
    pub self_consumption: Option<f64>,
    /// How many slots had a market: open, with buyers and sellers.
    pub market_slots: u32,
    /// Part of those among them in which an equilibrium was looked for that ended in one; `None` without any.
    pub equilibrium_share: Option<f64>,
    /// Comparison with P2G over all slots.
    pub all_slots: Comparison,
    /// Comparison with P2G over the slots in which the market was to open.
    pub open_slots: Comparison,
    /// By which mechanism trades came about.
    pub mechanism: String,
    /// Mean over the slots with trades of the largest less the smallest mean price of a buyer, or of a seller where that is
    /// more [CNY/kWh]; `None` without any.
    pub price_spread_cny_per_kwh: Option<f64>,
    /// Mean time over the slots with a market from its opening to its end [s]; `None` without any.
    pub time_to_end_s: Option<f64>,
}

/// Whether the figures of so many cases are the first `end` bytes of a list that goes on there.
pub(super) fn end_at(path: &Path, cases: u32, end: u64) -> Result<bool, RecordError> {
    #[derive(Deserialize)]
    struct Of {
        case: u32,
    }
    let list = folder::open(path)?.take(end).chain(&b"]"[..]);
    let found = serde_json::from_reader::<_, Vec<Of>>(BufReader::new(list));
    Ok(found.is_ok_and(|found| found.into_iter().map(|of| of.case).eq(1..=cases)))
}

impl KeyFigures {
    /// Whether storages did anything, here or in P2G with storage.
    pub fn used_storages(&self) -> bool {
        let (totals, all) = (&self.totals, &self.all_slots);
        [totals.charged_kwh, totals.discharged_kwh, all.devices_gain_cny, all.p2g_storage_value_cny]
            .into_iter()
            .any(|figure| figure != 0.0)
    }
}

/// Declares the totals, each as a sum of something that a prosumer did in a slot.
macro_rules! totals {
    ($($(#[$doc:meta])* $total:ident: $amount:ident = |$done:ident| $of:expr,)+) => {
        /// Sums over all slots and prosumers.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct Totals {
            $($(#[$doc])* pub $total: f64,)+
            /// Messages sent.
            pub messages: u64,
            /// What the operator has earned from the fees of all trades [CNY].
            pub operator_revenue_cny: f64,
            /// Length of what was put on the chains, their first blocks not counted [bytes].
            pub bytes: u64,
        }

        /// The same while they are running, in whole units.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        struct Flows {
            $($total: Total<$amount>,)+
            messages: u64,
            operator: Total<Money>,
            bytes: u64,
        }

        impl Flows {
            fn add(&mut self, slot: &ProsumerSlot) {
                $(let $done = slot;
                self.$total += $of;)+
            }

            fn totals(&self) -> Totals {
                let operator_revenue_cny = self.operator.value();
                Totals { $($total: self.$total.value(),)+ messages: self.messages, operator_revenue_cny, bytes: self.bytes }
            }
        }
    };
}

totals! {
    /// Generated [kWh].
    generation_kwh: Energy = |done| done.metered.generation,
    /// What prosumers wanted to consume [kWh].
    load_kwh: Energy = |done| done.metered.load,
    /// What they consumed [kWh].
    consumption_kwh: Energy = |done| done.balance.consumed,
    /// Traded between prosumers [kWh].
    traded_kwh: Energy = |done| done.trades.bought,
    /// Bought from the grid [kWh].
    grid_import_kwh: Energy = |done| done.balance.grid_import + done.balance.short,
    /// Fed into the grid [kWh].
    grid_export_kwh: Energy = |done| done.balance.grid_export + done.balance.long,
    /// Put into storages, measured outside [kWh].
    charged_kwh: Energy = |done| done.balance.charged,
    /// Taken from storages, measured outside [kWh].
    discharged_kwh: Energy = |done| done.balance.discharged,
    /// Paid to prosumers and to the grid [CNY].
    paid_cny: Money = |done| done.paid(),
    /// Earned from prosumers and from the grid [CNY].
    earned_cny: Money = |done| done.earned(),
    /// Paid to the operator [CNY].
    fees_cny: Money = |done| done.trades.fee,
}

/// The welfare and money of all prosumers over some slots, beside P2G.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// How many slots.
    pub slots: u32,
    /// Welfare of the buyers [CNY].
    pub buyers_welfare_cny: f64,
    /// Welfare of the sellers [CNY].
    pub sellers_welfare_cny: f64,
    /// Welfare of all prosumers [CNY].
    pub welfare_cny: f64,
    /// Welfare of the buyers in P2G [CNY].
    pub p2g_buyers_welfare_cny: f64,
    /// Welfare of the sellers in P2G [CNY].
    pub p2g_sellers_welfare_cny: f64,
    /// Welfare of all prosumers in P2G [CNY].
    pub p2g_welfare_cny: f64,
    /// Welfare gained over P2G [CNY].
    pub welfare_gain_cny: f64,
    /// The same in per cent of P2G's; `None` where that is 0.
    pub welfare_gain_percent: Option<f64>,
    /// Payments and fees less earnings of all prosumers [CNY].
    pub net_cost_cny: f64,
    /// The same in P2G [CNY].
    pub p2g_net_cost_cny: f64,
    /// Net cost saved over P2G [CNY].
    pub savings_cny: f64,
    /// Welfare of all prosumers in P2G with storage [CNY].
    pub p2g_storage_welfare_cny: f64,
    /// What storages bring by themselves: welfare of P2G with storage over that of P2G [CNY].
    pub devices_gain_cny: f64,
    /// What the market adds: welfare over that of P2G with storage [CNY].
    pub market_gain_cny: f64,
    /// Payments less earnings of all prosumers in P2G with storage [CNY].
    pub p2g_storage_net_cost_cny: f64,
    /// Net cost saved over P2G with storage [CNY].
    pub market_savings_cny: f64,
    /// What storages hold at the end beyond the start, at the feed-in tariff times the discharge efficiency [CNY].
    pub storage_value_cny: f64,
    /// The same in P2G with storage [CNY].
    pub p2g_storage_value_cny: f64,
    /// `welfare_gain_cny` with that value [CNY].
    pub welfare_gain_with_storage_value_cny: f64,
    /// `devices_gain_cny` with the value of P2G with storage [CNY].
    pub devices_gain_with_storage_value_cny: f64,
    /// `market_gain_cny` with the difference of both values [CNY].
    pub market_gain_with_storage_value_cny: f64,
    /// `savings_cny` with the value [CNY].
    pub savings_with_storage_value_cny: f64,
    /// `market_savings_cny` with the difference of both values [CNY].
    pub market_savings_with_storage_value_cny: f64,
    /// In how many slots of how many prosumers welfare was below that of P2G with storage.
    pub worse_off_prosumer_slots: u64,
    /// How many prosumers ended below P2G with storage, with the value of what storages hold.
    pub worse_off_prosumers: u32,
    /// Jain's index of the prosumers' gains over P2G with storage, with the value of what storages hold; `None` if
    /// nobody gains.
    pub jain_index: Option<f64>,
}

/// Running sums of a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// What a kWh in each storage is worth [CNY/kWh].
    storage_values: Vec<f64>,
    flows: Flows,
    own_use: Total<Energy>,
    markets: u32,
    searches: u32,
    equilibria: u32,
    price_spreads: Statistics,
    times_to_end: Statistics,
    all_slots: Period,
    open_slots: Period,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Period {
    /// What is a sum as it is; all else follows in the end.
    sums: Comparison,
    /// Of all prosumers: here, in P2G, and in P2G with storage.
    net_costs: [Total<Money>; 3],
    gains: RunGains,
}

impl Tally {
    pub(super) fn new(case: &Case) -> Self {
        let period = Period { gains: RunGains::new(case.population.prosumers.len()), ..Period::default() };
        let value = |place| case.storage(place).map_or(0.0, |storage| usual_feed_in(case, place) * storage.efficiency);
        let storage_values = (0..case.population.prosumers.len()).map(value).collect();
        Self { storage_values, all_slots: period.clone(), open_slots: period, ..Self::default() }
    }

    /// Of how many prosumers each of its periods tells.
    pub(super) fn prosumers(&self) -> impl Iterator<Item = usize> {
        [&self.all_slots, &self.open_slots].into_iter().map(|period| period.gains.prosumers())
    }

    /// Adds a slot, in which the market was to open or not.
    pub(super) fn add(&mut self, open: bool, closed: &ClosedSlot<'_>) {
        let ClosedSlot { observed, theory, gains, traffic, .. } = *closed;
        for done in observed.prosumers() {
            self.flows.add(done);
            self.own_use += done.metered.generation.min(done.balance.consumed);
        }
        self.flows.operator += observed.trades().map(|(.., trade)| trade.fee).sum::<Total<_>>();
        self.flows.messages += traffic.sent;
        self.flows.bytes += observed.bytes;
        self.markets += u32::from(observed.outcome() != Outcome::NoMarket);
        self.searches += u32::from(observed.outcome().looked_for_equilibrium());
        self.equilibria += u32::from(observed.outcome() == Outcome::Equilibrium);
        observed.price_spread().into_iter().for_each(|spread| self.price_spreads.add(spread.value()));
        observed.time_to_end().into_iter().for_each(|time| self.times_to_end.add(Number::from(time).value()));
        let net_costs = [observed.net_cost(), net_cost(&theory.peer_to_grid), net_cost(theory.alone())];
        let welfare = Welfare::of(observed, theory);
        for period in [&mut self.all_slots].into_iter().chain(open.then_some(&mut self.open_slots)) {
            period.add(&welfare, net_costs, gains, &self.storage_values);
        }
    }

    pub(super) fn key_figures(&self, case: &Case) -> KeyFigures {
        let flows = &self.flows;
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let (generated, consumed) = (flows.generation_kwh.value(), flows.consumption_kwh.value());
        let local = self.own_use + flows.traded_kwh + flows.discharged_kwh;
        KeyFigures {
            case: case.number,
            knobs: knobs(&case.knobs),
            seed: case.seed,
            slots: self.all_slots.sums.slots,
            totals: flows.totals(),
            self_sufficiency: share(local.value(), consumed),
            self_consumption: share((flows.generation_kwh - flows.grid_export_kwh).value(), generated),
            market_slots: self.markets,
            equilibrium_share: share(f64::from(self.equilibria), f64::from(self.searches)),
            all_slots: self.all_slots.comparison(&self.storage_values),
            open_slots: self.open_slots.comparison(&self.storage_values),
            mechanism: case.mechanism().name().to_owned(),
            price_spread_cny_per_kwh: self.price_spreads.mean(),
            time_to_end_s: self.times_to_end.mean(),
        }
    }
}

/// What the grid pays the prosumer at this place for energy, on average over all slots [CNY/kWh].
fn usual_feed_in(case: &Case, place: usize) -> f64 {
    let feed_in = case.tariffs.of_group(case.population.prosumers[place].group.as_deref()).feed_in;
    let first = feed_in[0];
    let is_same = feed_in.iter().all(|price| *price == first);
    if is_same { first } else { feed_in.iter().sum::<f64>() / feed_in.len() as f64 }
}

impl Period {
    fn add(&mut self, welfare: &Welfare, net_costs: [Total<Money>; 3], gains: &Gains, storage_values: &[f64]) {
        let sums = &mut self.sums;
        sums.slots += 1;
        sums.buyers_welfare_cny += welfare.buyers;
        sums.sellers_welfare_cny += welfare.sellers;
        sums.welfare_cny += welfare.all;
        sums.p2g_buyers_welfare_cny += welfare.p2g_buyers;
        sums.p2g_sellers_welfare_cny += welfare.p2g_sellers;
        sums.p2g_welfare_cny += welfare.p2g;
        sums.p2g_storage_welfare_cny += welfare.p2g_storage;
        sums.worse_off_prosumer_slots += u64::from(gains.worse_off());
        self.net_costs.iter_mut().zip(net_costs).for_each(|(sum, slot)| *sum += slot);
        self.gains.add(gains, storage_values);
    }

    /// The comparison, where a kWh in each storage is worth so much [CNY/kWh].
    fn comparison(&self, storage_values: &[f64]) -> Comparison {
        let sums = &self.sums;
        let (all, p2g, p2g_storage) = (sums.welfare_cny, sums.p2g_welfare_cny, sums.p2g_storage_welfare_cny);
        let (gain, devices_gain, market_gain) = (all - p2g, p2g_storage - p2g, all - p2g_storage);
        let [net_cost, p2g_net_cost, p2g_storage_net_cost] = self.net_costs;
        let (savings, market_savings) = ((p2g_net_cost - net_cost).value(), (p2g_storage_net_cost - net_cost).value());
        let [stored, alone] = self.gains.stored_value(storage_values);
        Comparison {
            welfare_gain_cny: gain,
            welfare_gain_percent: (p2g != 0.0).then(|| 100.0 * gain / p2g.abs()),
            net_cost_cny: net_cost.value(),
            p2g_net_cost_cny: p2g_net_cost.value(),
            savings_cny: savings,
            devices_gain_cny: devices_gain,
            market_gain_cny: market_gain,
            p2g_storage_net_cost_cny: p2g_storage_net_cost.value(),
            market_savings_cny: market_savings,
            storage_value_cny: stored,
            p2g_storage_value_cny: alone,
            welfare_gain_with_storage_value_cny: gain + stored,
            devices_gain_with_storage_value_cny: devices_gain + alone,
            market_gain_with_storage_value_cny: market_gain + (stored - alone),
            savings_with_storage_value_cny: savings + stored,
            market_savings_with_storage_value_cny: market_savings + (stored - alone),
            worse_off_prosumers: self.gains.worse_off(),
            jain_index: self.gains.jain_index(),
            ..sums.clone()
        }
    }
}
