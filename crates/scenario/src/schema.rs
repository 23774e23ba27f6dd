//! The scenario file's fields, types and defaults.

use super::{defaults, distribution::Distribution};
use indexmap::IndexMap;
use microgrid_agents::{
    chain::genesis::{Posts, Signatures},
    ledger::Durability,
    market::{demand::Demand, storage::StorageLimits},
};
use ron::value::RawValue;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

mod learning;
mod network;
mod replicates;

pub use learning::{Habit, Initial, Learning};
pub use network::{Condition, Incident, Link, Members, Network, Who};
pub use replicates::Replicates;

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name of the scenario, and of the folder of its results.
    pub name: String,
    /// Seed of everything random.
    #[serde(default = "defaults::seed")]
    pub seed: u64,
    /// Slots, opening hours and tariffs.
    #[serde(default)]
    pub market: Market,
    /// Who takes part.
    pub population: PopulationSource,
    /// What energy is worth.
    #[serde(default)]
    pub preferences: Preferences,
    /// Everybody's storage, if there is any.
    #[serde(default)]
    pub storage: Option<Storage>,
    /// How buyers and sellers adapt.
    #[serde(default)]
    pub learning: Learning,
    /// When they act.
    #[serde(default)]
    pub activation: Activation,
    /// How messages travel.
    #[serde(default)]
    pub network: Network,
    /// How the ledger works.
    #[serde(default)]
    pub ledger: Ledger,
    /// Which time the actors live in.
    #[serde(default)]
    pub clock: Clock,
    /// What is written down.
    #[serde(default)]
    pub record: Record,
    /// What figures show.
    #[serde(default)]
    pub report: Report,
    /// Knobs to vary, each with its values as written: one case per combination.
    #[serde(default)]
    pub vary: IndexMap<String, Vec<Box<RawValue>>>,
    /// With which seeds each combination is run.
    #[serde(default)]
    pub replicates: Replicates,
}

impl Scenario {
    /// A scenario of this name with everything else by default.
    pub fn new(name: &str, population: PopulationSource) -> Self {
        Self {
            name: name.to_owned(),
            seed: defaults::seed(),
            market: Market::default(),
            population,
            preferences: Preferences::default(),
            storage: None,
            learning: Learning::default(),
            activation: Activation::default(),
            network: Network::default(),
            ledger: Ledger::default(),
            clock: Clock::default(),
            record: Record::default(),
            report: Report::default(),
            vary: IndexMap::new(),
            replicates: Replicates::default(),
        }
    }

    /// Curvature of utility in one slot, `alpha / h` (4) [CNY/kWh²].
    pub fn alpha_of_slot(&self) -> f64 {
        self.preferences.alpha / self.market.hours()
    }

    /// The same with nothing to vary.
    pub(super) fn unvaried(&self) -> Self {
        Self { vary: IndexMap::new(), ..self.clone() }
    }
}

/// Slots, opening hours and tariffs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Market {
    /// Number of slots.
    pub slots: u32,
    /// Length of a slot.
    #[serde(with = "humantime_serde")]
    pub slot_length: Duration,
    /// Time of day at which the first slot begins; of interest to synthetic populations only.
    #[serde(with = "humantime_serde")]
    pub starts_at: Duration,
    /// First and last slot in which the local market is open.
    pub open: (u32, u32),
    /// When the gate closes, counted from the opening of the slot.
    #[serde(with = "humantime_serde")]
    pub gate_closure: Duration,
    /// What the grid pays for energy [CNY/kWh].
    pub feed_in_tariff: f64,
    /// What the grid asks for energy.
    pub grid_tariff: GridTariff,
    /// Operator's fee on local trades, paid by the buyer [CNY/kWh].
    pub service_fee: f64,
}

impl Market {
    /// Time of day in the middle of the first slot [h].
    pub fn first_hour(&self) -> f64 {
        self.starts_at.as_secs_f64() / 3600.0 + 0.5 * self.hours()
    }

    /// Length of a slot [h].
    pub fn hours(&self) -> f64 {
        self.slot_length.as_secs_f64() / 3600.0
    }
}

/// What the grid asks for energy [CNY/kWh].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GridTariff {
    /// The same in every slot.
    Constant(f64),
    /// One value a slot, from a CSV file with the columns `slot, grid_tariff_cny_per_kwh`.
    Csv(PathBuf),
}

/// Where the prosumers' data come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PopulationSource {
    /// A CSV file with the columns `prosumer, slot, pv_kwh, load_kwh, preference_pv, preference_grid`.
    Profiles(PathBuf),
    /// Drawn at random from the scenario's seed.
    Synthetic(Synthetic),
}

/// A synthetic population: what its prosumers' data are drawn from.
///
/// How the draws become profiles is told where they are made, in [`synthetic`](super::synthetic).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Synthetic {
    /// How many prosumers.
    pub count: u32,
    /// Share of prosumers with photovoltaics, in [0, 1].
    #[serde(default = "defaults::pv_share")]
    pub pv_share: f64,
    /// Peak power of a prosumer's photovoltaics [kW].
    #[serde(default = "defaults::pv_peak_kw")]
    pub pv_peak_kw: Distribution,
    /// What the weather leaves of a clear sky's generation in a slot; kept in [0, 1].
    #[serde(default = "defaults::weather")]
    pub weather: Distribution,
    /// Share of workplaces, whose load follows the sun, in [0, 1]; the others are homes.
    #[serde(default = "defaults::workplace_share")]
    pub workplace_share: f64,
    /// Mean load of a prosumer over the day [kW].
    #[serde(default = "defaults::load_kw")]
    pub load_kw: Distribution,
    /// Factor on the load of a slot.
    #[serde(default = "defaults::load_noise")]
    pub load_noise: Distribution,
    /// Preference for photovoltaic energy of a prosumer without load, `w_pv0` [CNY/kWh].
    #[serde(default = "defaults::preference_base")]
    pub preference_base: Distribution,
    /// What each kWh of load in an hour, each kW of mean load in a slot, adds to the preference for photovoltaic energy
    /// [CNY/kWh²].
    #[serde(default = "defaults::preference_per_kwh")]
    pub preference_per_kwh: f64,
    /// Preference for grid energy, `w_grid` [CNY/kWh]; kept in [1, 4] and not above that for photovoltaic energy.
    #[serde(default = "defaults::preference_grid")]
    pub preference_grid: Distribution,
}

impl Synthetic {
    /// So many prosumers, with everything else by default.
    pub fn new(count: u32) -> Self {
        Self {
            count,
            pv_share: defaults::pv_share(),
            pv_peak_kw: defaults::pv_peak_kw(),
            weather: defaults::weather(),
            workplace_share: defaults::workplace_share(),
            load_kw: defaults::load_kw(),
            load_noise: defaults::load_noise(),
            preference_base: defaults::preference_base(),
            preference_per_kwh: defaults::preference_per_kwh(),
            preference_grid: defaults::preference_grid(),
        }
    }
}

/// What energy is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// Curvature of utility in an hour [CNY/kWh²]: see [`Scenario::alpha_of_slot`].
    pub alpha: f64,
    /// How strongly the ledger raises trust in local energy, in [0, 1].
    pub eta: f64,
    /// Share of prosumers on the ledger, in [0, 1].
    pub mu: f64,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// Everybody's preference `w_pv0`, where the profiles have no column for it [CNY/kWh].
    pub preference_pv: Option<f64>,
    /// Everybody's preference `w_grid`, where the profiles have no column for it [CNY/kWh].
    pub preference_grid: Option<f64>,
}

/// Everybody's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Largest content [kWh].
    pub capacity_kwh: f64,
    /// Largest charging and discharging power [kW].
    pub power_kw: f64,
    /// Efficiency each way, in (0, 1].
    #[serde(default = "defaults::efficiency")]
    pub efficiency: f64,
    /// Content at the start of the run [kWh].
    #[serde(default)]
    pub initial_kwh: f64,
}

impl Storage {
    /// What the storage can do, in the terms of the market's equations.
    pub fn limits(&self) -> StorageLimits {
        StorageLimits { capacity: self.capacity_kwh, power: self.power_kw, efficiency: self.efficiency }
    }
}

/// When participants act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Activation {
    /// All sellers at whole periods, all buyers half a period later.
    LockStep {
        /// From one act to the next.
        #[serde(with = "humantime_serde")]
        period: Duration,
    },
    /// Each by a clock of its own, which began at a random moment of the first period.
    Independent {
        /// Mean time from one act to the next.
        #[serde(with = "humantime_serde")]
        period: Duration,
        /// Largest relative deviation of that time, in [0, 1).
        #[serde(default)]
        jitter: f64,
    },
    /// At moments that have nothing to do with each other.
    Poisson {
        /// Mean time from one act to the next.
        #[serde(with = "humantime_serde")]
        period: Duration,
    },
    /// Whenever there is news, but not too often.
    Reactive {
        /// Shortest time from one act to the next.
        #[serde(with = "humantime_serde")]
        min_interval: Duration,
    },
}

/// Which time the actors live in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Clock {
    /// Simulated time, as fast as the machine can: exactly repeatable.
    #[default]
    Virtual,
    /// The machine's clock: actors run free, and no two runs are the same.
    Wall {
        /// Simulated seconds per second.
        speed: f64,
    },
}

/// What is written down. What is left out changes nothing in the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// All tables and the ledger.
    #[default]
    Full,
    /// Slots, key figures and what the ledger carried; no trades, no prosumers, no path of prices and no ledger.
    Slots,
    /// What cases and combinations came to, but no slots either.
    Summary,
}

/// What figures show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// The slot whose game is drawn; `None`: of each case the one with most traded energy.
    pub slot: Option<u32>,
}

/// How the ledger works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// When a block is cut.
    pub block: Block,
    /// Which calls are signed by their makers.
    pub signatures: Signatures,
    /// Which posts of the game become transactions; `None`: every one up to 100 prosumers, the last ones beyond.
    pub posts: Option<Posts>,
    /// When commits are on disk.
    pub durability: Durability,
}

impl Ledger {
    /// Which posts of the game become transactions, with this many prosumers.
    pub fn posts(&self, prosumers: usize) -> Posts {
        self.posts.unwrap_or(if prosumers <= 100 { Posts::Every } else { Posts::Last })
    }
}

/// When a block is cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Block {
    /// At this many transactions.
    pub max_transactions: u32,
    /// Or this long after the first transaction.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}
