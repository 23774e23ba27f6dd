//! What a scenario gets where its file says nothing: the published study, and a synthetic population that makes a
//! mixed market whenever the sun shines.

use super::{
    distribution::Distribution,
    schema::{Activation, Block, GridTariff, Initial, Learning, Market, Network, Preferences},
};
use indexmap::IndexMap;
use microgrid_agents::{
    market::{choice_set::ChoiceSet, demand::Demand, step::StepSize},
    prosumer::{Adaptation, Behaviour, Mixing},
};
use microgrid_network::Delay;
use std::time::Duration;

pub(super) fn seed() -> u64 {
    2023
}

pub(super) fn efficiency() -> f64 {
    0.95
}

impl Default for Market {
    fn default() -> Self {
        Self {
            slots: 24,
            slot_length: Duration::from_secs(3600),
            starts_at: Duration::ZERO,
            open: (8, 20),
            gate_closure: Duration::from_secs(55 * 60),
            feed_in_tariff: 0.45,
            grid_tariff: GridTariff::Constant(0.85),
            service_fee: 0.0,
        }
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self { alpha: 0.4, eta: 0.2, mu: 1.0, demand: Demand::Elastic, preference_pv: None, preference_grid: None }
    }
}

impl Default for Learning {
    fn default() -> Self {
        Self {
            behaviour: Behaviour::Replicator,
            choice_set: ChoiceSet::All,
            fitness: None,
            replicator_step: StepSize::Scaled(0.3),
            price_step: StepSize::Scaled(0.5),
            ramp: 0.1,
            exploration: 0.0,
            tolerance: 1e-7,
            patience: 3,
            initial_price: Initial::Random,
            initial_choice: Initial::Random,
            adaptation: Adaptation::None,
            mixing: Mixing::None,
            regrowth: 1.0,
            price_every: 1,
            mix: Vec::new(),
        }
    }
}

impl Default for Activation {
    fn default() -> Self {
        Self::LockStep { period: Duration::from_secs(1) }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            delay: Delay::Constant(Duration::from_millis(10)),
            jitter: 0.0,
            loss: 0.0,
            duplication: 0.0,
            groups: IndexMap::new(),
            links: Vec::new(),
            conditions: Vec::new(),
        }
    }
}

impl Default for Block {
    fn default() -> Self {
        Self { max_transactions: 500, timeout: Duration::from_millis(50) }
    }
}

pub(super) fn pv_share() -> f64 {
    0.8
}

pub(super) fn pv_peak_kw() -> Distribution {
    Distribution::LogNormal { median: 5.0, sigma: 0.3 }
}

pub(super) fn weather() -> Distribution {
    Distribution::Normal { mean: 0.85, std_dev: 0.12 }
}

pub(super) fn workplace_share() -> f64 {
    0.5
}

pub(super) fn load_kw() -> Distribution {
    Distribution::LogNormal { median: 2.0, sigma: 0.3 }
}

pub(super) fn load_noise() -> Distribution {
    Distribution::LogNormal { median: 1.0, sigma: 0.2 }
}

pub(super) fn preference_base() -> Distribution {
    Distribution::LogNormal { median: 0.6, sigma: 0.1 }
}

pub(super) fn preference_per_kwh() -> f64 {
    0.4
}

pub(super) fn preference_grid() -> Distribution {
    Distribution::Uniform { min: 1.0, max: 2.0 }
}
