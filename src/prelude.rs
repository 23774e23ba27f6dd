//! What a program with rules of its own needs: `use microgrid_sim::prelude::*`.

pub use crate::{
    framework::{Progress, Results, Simulation, SimulationBuilder, SimulationError},
    network::{Bounds, Carrier, Delay, Fate, Letter, Quality},
    record::{CaseRows, ConvergenceRow, KeyFigures, LedgerRow, Number, ProsumerRow, SlotRow, TradeRow},
    runtime::Shards,
    scenario::schema::{PopulationSource, Scenario, Synthetic},
};
pub use microgrid_agents::{
    ids::{ActorId, ProsumerId, Slot},
    market::{
        pricing::{PriceBand, next_price},
        replicator::{largest_change, replicator_step},
    },
    message::{MarketOpened, MarketState},
    observation::{Observation, Observed},
    prosumer::{ChoiceRule, Lesson, Offer, PricingRule},
    statement::Outcome,
    streams::Stream,
    time::Time,
};
