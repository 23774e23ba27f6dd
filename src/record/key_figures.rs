//! `kpis.json`: each case's totals and how it compares with P2G, the same day without a local market.

use super::{
    gathered::Gathered,
    manifest::{Knobs, knobs},
    slots::Welfare,
    theory::Theory,
};
use crate::scenario::Case;
use microgrid_agents::{
    observation::Outcome,
    units::{Energy, Money},
};
use serde::{Deserialize, Serialize};

/// Name of the file in a run's folder.
pub(super) const FILE: &str = "kpis.json";

/// The key figures of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Sums over all slots and prosumers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// The welfare and money of all prosumers over some slots, beside P2G.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// Running sums of a case, in whole units.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    generation: Energy,
    load: Energy,
    consumption: Energy,
    own_use: Energy,
    bought: Energy,
    imported: Energy,
    exported: Energy,
    charged: Energy,
    discharged: Energy,
    paid: Money,
    earned: Money,
    fees: Money,
    messages: u64,
    markets: u32,
    equilibria: u32,
    all_slots: Period,
    open_slots: Period,
}

/// Running sums over some slots.
#[derive(Clone, Debug, Default)]
struct Period {
    slots: u32,
    welfare: Welfare,
    net_cost: Money,
    p2g_net_cost: Money,
}

impl Tally {
    /// Adds a slot, in which the market was to open or not.
    pub(super) fn add(&mut self, open: bool, gathered: &Gathered, theory: &Theory, messages: u64) {
        let mut net_cost = Money::ZERO;
        for done in gathered.prosumers() {
            self.generation += done.generation;
            self.load += done.load;
            self.consumption += done.consumed;
            self.own_use += done.generation.min(done.consumed);
            self.bought += done.bought;
            self.imported += done.grid_import;
            self.exported += done.grid_export;
            self.charged += done.charged;
            self.discharged += done.discharged;
            self.paid += done.paid;
            self.earned += done.earned;
            self.fees += done.fee;
            net_cost += done.paid + done.fee - done.earned;
        }
        self.messages += messages;
        self.markets += u32::from(gathered.outcome() != Outcome::NoMarket);
        self.equilibria += u32::from(gathered.outcome() == Outcome::Equilibrium);
        let p2g_net_cost = theory.peer_to_grid.iter().map(|without| without.grid_paid - without.grid_earned).sum();
        let slot = Period { slots: 1, welfare: Welfare::of(gathered, theory), net_cost, p2g_net_cost };
        self.all_slots.add(&slot);
        if open {
            self.open_slots.add(&slot);
        }
    }

    /// The case's key figures.
    pub(super) fn key_figures(&self, case: &Case) -> KeyFigures {
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let local = self.own_use + self.bought + self.discharged;
        KeyFigures {
            case: case.number,
            knobs: knobs(&case.knobs),
            seed: case.seed,
            slots: self.all_slots.slots,
            totals: self.totals(),
            self_sufficiency: share(local.value(), self.consumption.value()),
            self_consumption: share((self.generation - self.exported).value(), self.generation.value()),
            market_slots: self.markets,
            equilibrium_share: share(f64::from(self.equilibria), f64::from(self.markets)),
            all_slots: self.all_slots.comparison(),
            open_slots: self.open_slots.comparison(),
        }
    }

    fn totals(&self) -> Totals {
        Totals {
            generation_kwh: self.generation.value(),
            load_kwh: self.load.value(),
            consumption_kwh: self.consumption.value(),
            traded_kwh: self.bought.value(),
            grid_import_kwh: self.imported.value(),
            grid_export_kwh: self.exported.value(),
            charged_kwh: self.charged.value(),
            discharged_kwh: self.discharged.value(),
            paid_cny: self.paid.value(),
            earned_cny: self.earned.value(),
            fees_cny: self.fees.value(),
            messages: self.messages,
        }
    }
}

impl Period {
    fn add(&mut self, other: &Self) {
        self.slots += other.slots;
        self.welfare.add(&other.welfare);
        self.net_cost += other.net_cost;
        self.p2g_net_cost += other.p2g_net_cost;
    }

    fn comparison(&self) -> Comparison {
        let welfare = &self.welfare;
        let gain = welfare.all - welfare.p2g;
        Comparison {
            slots: self.slots,
            buyers_welfare_cny: welfare.buyers,
            sellers_welfare_cny: welfare.sellers,
            welfare_cny: welfare.all,
            p2g_buyers_welfare_cny: welfare.p2g_buyers,
            p2g_sellers_welfare_cny: welfare.p2g_sellers,
            p2g_welfare_cny: welfare.p2g,
            welfare_gain_cny: gain,
            welfare_gain_percent: (welfare.p2g != 0.0).then(|| 100.0 * gain / welfare.p2g.abs()),
            net_cost_cny: self.net_cost.value(),
            p2g_net_cost_cny: self.p2g_net_cost.value(),
            savings_cny: (self.p2g_net_cost - self.net_cost).value(),
        }
    }
}
