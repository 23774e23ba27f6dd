//! `kpis.json`: each case's totals and how it compares with P2G, the same day without a local market.

use super::{
    gains::{Gains, RunGains},
    manifest::{Knobs, knobs},
    slot_observations::SlotObservations,
    slots::Welfare,
    theory::Theory,
};
use microgrid_agents::{
    market::balance::Balance,
    statement::Outcome,
    units::{Energy, Money, Total},
};
use microgrid_scenario::Case;
use serde::{Deserialize, Serialize};

/// Name of the file in a run's folder.
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
    /// Part of these whose game ended in equilibrium; `None` without any.
    pub equilibrium_share: Option<f64>,
    /// Comparison with P2G over all slots.
    pub all_slots: Comparison,
    /// Comparison with P2G over the slots in which the market was to open.
    pub open_slots: Comparison,
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

/// Sums over all slots and prosumers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Generated [kWh].
    pub generation_kwh: f64,
    /// What prosumers wanted to consume [kWh].
    pub load_kwh: f64,
    /// What they consumed [kWh].
    pub consumption_kwh: f64,
    /// Traded between prosumers [kWh].
    pub traded_kwh: f64,
    /// Bought from the grid [kWh].
    pub grid_import_kwh: f64,
    /// Fed into the grid [kWh].
    pub grid_export_kwh: f64,
    /// Put into storages, measured outside [kWh].
    pub charged_kwh: f64,
    /// Taken from storages, measured outside [kWh].
    pub discharged_kwh: f64,
    /// Paid to prosumers and to the grid [CNY].
    pub paid_cny: f64,
    /// Earned from prosumers and from the grid [CNY].
    pub earned_cny: f64,
    /// Paid to the operator [CNY].
    pub fees_cny: f64,
    /// Messages sent.
    pub messages: u64,
    /// What the operator has earned from the fees of all trades [CNY].
    pub operator_revenue_cny: f64,
}

/// The welfare and money of all prosumers over some slots, beside P2G.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// What a kWh in storage is worth [CNY/kWh].
    storage_value: f64,
    flows: Flows,
    all_slots: Period,
    open_slots: Period,
}

/// Running sums over all slots, in whole units.
#[derive(Clone, Debug, Default)]
struct Flows {
    generation: Total<Energy>,
    load: Total<Energy>,
    consumption: Total<Energy>,
    own_use: Total<Energy>,
    bought: Total<Energy>,
    imported: Total<Energy>,
    exported: Total<Energy>,
    charged: Total<Energy>,
    discharged: Total<Energy>,
    paid: Total<Money>,
    earned: Total<Money>,
    fees: Total<Money>,
    operator: Total<Money>,
    messages: u64,
    markets: u32,
    equilibria: u32,
}

/// Running sums over some slots.
#[derive(Clone, Debug)]
struct Period {
    sums: Sums,
    gains: RunGains,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    slots: u32,
    welfare: Welfare,
    net_cost: Total<Money>,
    p2g_net_cost: Total<Money>,
    p2g_storage_net_cost: Total<Money>,
    stored: Total<Energy>,
    stored_alone: Total<Energy>,
    worse_off: u64,
}

impl Tally {
    /// Nothing yet of the case.
    pub(super) fn new(case: &Case) -> Self {
        let period = Period { sums: Sums::default(), gains: RunGains::new(case.population.prosumers.len()) };
        let feed_in = case.scenario.market.feed_in_tariff;
        let storage_value = case.scenario.storage.as_ref().map_or(0.0, |storage| feed_in * storage.efficiency);
        Self { storage_value, flows: Flows::default(), all_slots: period.clone(), open_slots: period }
    }

    /// Adds a slot, in which the market was to open or not.
    pub(super) fn add(
        &mut self,
        open: bool,
        gathered: &SlotObservations,
        theory: &Theory,
        gains: &Gains,
        messages: u64,
    ) {
        let (flows, mut net_cost) = (&mut self.flows, Total::default());
        for done in gathered.prosumers() {
            flows.generation += done.facts.generation;
            flows.load += done.facts.load;
            flows.consumption += done.balance.consumed;
            flows.own_use += done.facts.generation.min(done.balance.consumed);
            flows.bought += done.trades.bought;
            flows.imported += done.balance.grid_import;
            flows.exported += done.balance.grid_export;
            flows.charged += done.balance.charged;
            flows.discharged += done.balance.discharged;
            flows.paid += done.paid();
            flows.earned += done.earned();
            flows.fees += done.trades.fee;
            net_cost += Total::from(done.paid()) + done.trades.fee - done.earned();
        }
        flows.operator += gathered.trades().map(|(.., trade)| trade.fee).sum::<Total<_>>();
        flows.messages += messages;
        flows.markets += u32::from(gathered.outcome() != Outcome::NoMarket);
        flows.equilibria += u32::from(gathered.outcome() == Outcome::Equilibrium);
        let grid = |each: &[Balance]| each.iter().map(|without| without.grid_paid - without.grid_earned).sum();
        let slot = Sums {
            slots: 1,
            welfare: Welfare::of(gathered, theory),
            net_cost,
            p2g_net_cost: grid(&theory.peer_to_grid),
            p2g_storage_net_cost: grid(theory.alone()),
            stored: gains.stored,
            stored_alone: gains.stored_alone,
            worse_off: gains.worse_off().into(),
        };
        for period in [&mut self.all_slots].into_iter().chain(open.then_some(&mut self.open_slots)) {
            period.sums.add(&slot);
            period.gains.add(gains, self.storage_value);
        }
    }

    /// The case's key figures.
    pub(super) fn key_figures(&self, case: &Case) -> KeyFigures {
        let flows = &self.flows;
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let local = flows.own_use + flows.bought + flows.discharged;
        KeyFigures {
            case: case.number,
            knobs: knobs(&case.knobs),
            seed: case.seed,
            slots: self.all_slots.sums.slots,
            totals: Totals {
                generation_kwh: flows.generation.value(),
                load_kwh: flows.load.value(),
                consumption_kwh: flows.consumption.value(),
                traded_kwh: flows.bought.value(),
                grid_import_kwh: flows.imported.value(),
                grid_export_kwh: flows.exported.value(),
                charged_kwh: flows.charged.value(),
                discharged_kwh: flows.discharged.value(),
                paid_cny: flows.paid.value(),
                earned_cny: flows.earned.value(),
                fees_cny: flows.fees.value(),
                messages: flows.messages,
                operator_revenue_cny: flows.operator.value(),
            },
            self_sufficiency: share(local.value(), flows.consumption.value()),
            self_consumption: share((flows.generation - flows.exported).value(), flows.generation.value()),
            market_slots: flows.markets,
            equilibrium_share: share(f64::from(flows.equilibria), f64::from(flows.markets)),
            all_slots: self.all_slots.comparison(self.storage_value),
            open_slots: self.open_slots.comparison(self.storage_value),
        }
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.slots += other.slots;
        self.welfare.add(&other.welfare);
        self.net_cost += other.net_cost;
        self.p2g_net_cost += other.p2g_net_cost;
        self.p2g_storage_net_cost += other.p2g_storage_net_cost;
        self.stored += other.stored;
        self.stored_alone += other.stored_alone;
        self.worse_off += other.worse_off;
    }
}

impl Period {
    /// The comparison, where a kWh in storage is worth `storage_value` [CNY/kWh].
    fn comparison(&self, storage_value: f64) -> Comparison {
        let Sums { welfare, net_cost, p2g_net_cost, p2g_storage_net_cost, .. } = &self.sums;
        let gain = welfare.all - welfare.p2g;
        let (devices_gain, market_gain) = (welfare.p2g_storage - welfare.p2g, welfare.all - welfare.p2g_storage);
        let savings = (*p2g_net_cost - *net_cost).value();
        let market_savings = (*p2g_storage_net_cost - *net_cost).value();
        let [stored, alone] = [self.sums.stored, self.sums.stored_alone].map(|kwh| storage_value * kwh.value());
        Comparison {
            slots: self.sums.slots,
            buyers_welfare_cny: welfare.buyers,
            sellers_welfare_cny: welfare.sellers,
            welfare_cny: welfare.all,
            p2g_buyers_welfare_cny: welfare.p2g_buyers,
            p2g_sellers_welfare_cny: welfare.p2g_sellers,
            p2g_welfare_cny: welfare.p2g,
            welfare_gain_cny: gain,
            welfare_gain_percent: (welfare.p2g != 0.0).then(|| 100.0 * gain / welfare.p2g.abs()),
            net_cost_cny: net_cost.value(),
            p2g_net_cost_cny: p2g_net_cost.value(),
            savings_cny: savings,
            p2g_storage_welfare_cny: welfare.p2g_storage,
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
            worse_off_prosumer_slots: self.sums.worse_off,
            worse_off_prosumers: self.gains.worse_off(),
            jain_index: self.gains.jain_index(),
        }
    }
}
