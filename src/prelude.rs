//! What a program with rules of its own needs: `use microgrid_sim::prelude::*`.

#[doc(no_inline)]
pub use crate::{
    Progress, Results, Simulation, SimulationBuilder, SimulationError, StudyError,
    network::{Bounds, Carrier, Delay, Fate, Letter, Quality},
    record::{
        AgeRow, CaseRows, ConvergenceRow, Format, KeyFigures, LedgerRow, Number, PairedRow, ProsumerRow, Record,
        RecordError, Run, SlotRow, Statistics, Summary, TradeRow,
    },
    runtime::{Failure, RuntimeError, Shards},
    scenario::{
        ScenarioError,
        population::{Member, Population, SlotProfile},
        schema::{PopulationSource, Replicates, Scenario, Synthetic, Tariff},
    },
};
#[doc(no_inline)]
pub use microgrid_agents::{
    ids::{ActorId, ProsumerId, Slot},
    market::{
        pricing::{PriceBand, next_price},
        replicator::{largest_change, replicator_step},
        role::Role,
        step::StepSize,
    },
    message::{MarketOpened, MarketState},
    observation::{Observation, Observed},
    prosumer::{
        Adaptation, Behaviour, Bidder, Bidding, BiddingStrategy, ChoiceRule, Lesson, Offer, PricingRule, Valuation,
    },
    statement::{OrderSide, Outcome, Step},
    streams::Stream,
    time::Time,
    units::{Energy, Money},
};
