//! How buyers and sellers adapt.

use super::brackets;
use microgrid_agents::{
    market::{choice_set::ChoiceSet, replicator::Fitness, step::StepSize},
    prosumer::{Adaptation, Behaviour, BiddingStrategy, Mixing},
};
use serde::{Deserialize, Serialize};

with_defaults! {
    /// How buyers and sellers adapt.
    pub struct Learning {
        /// By which rule buyers move their shares.
        pub behaviour: Behaviour = Behaviour::Replicator,
        /// Which sellers each buyer knows.
        pub choice_set: ChoiceSet = ChoiceSet::All,
        /// Whose welfare a buyer compares; `None`: everybody's where all sellers are known, its own where only some are.
        pub fitness: Option<Fitness> = None,
        /// Step of the buyers' rule.
        pub replicator_step: StepSize = StepSize::Scaled(0.3),
        /// Step of the price rule.
        pub price_step: StepSize = StepSize::Scaled(0.5),
        /// Largest relative move of a price in one step.
        pub ramp: f64 = 0.1,
        /// Part of its demand that a buyer spreads evenly over all sellers, in [0, 1).
        pub exploration: f64 = 0.0,
        /// A change below this counts as rest.
        pub tolerance: f64 = 1e-7,
        /// How many updates in a row must be at rest.
        pub patience: u32 = 3,
        /// First prices of the sellers.
        pub initial_price: InitialPrice = InitialPrice::Random,
        /// First choice of the buyers.
        pub initial_choice: Initial = Initial::Random,
        /// How steps adapt during the game.
        pub adaptation: Adaptation = Adaptation::None,
        /// Whether buyers move part of their shares towards the sellers' surpluses.
        pub mixing: Mixing = Mixing::None,
        /// How many times as far as by its rule a share may grow while its seller's demand is below half of its surplus.
        pub regrowth: f64 = 1.0,
        /// Sellers act every so many of their periods.
        pub price_every: u32 = 1,
        /// By which rule participants of auctions make their orders.
        pub bidding: BiddingStrategy = BiddingStrategy::default(),
        /// Parts of the population that learn differently; whoever is in none of them learns as above.
        pub mix: Vec<Habit> = Vec::new(),
    }
}

impl Learning {
    /// Whether anybody goes by which of its prices the demand has answered.
    pub fn predicts(&self) -> bool {
        let everybody = self.mix.iter().filter_map(|habit| habit.adaptation).chain([self.adaptation]);
        everybody.into_iter().any(|adaptation| adaptation == Adaptation::Predictive)
    }

    /// Whose welfare a buyer compares.
    pub fn fitness(&self) -> Fitness {
        let usual = if self.choice_set.is_all() { Fitness::Public } else { Fitness::Private };
        self.fitness.unwrap_or(usual)
    }

    /// How those learn who have this habit.
    pub fn with(&self, habit: &Habit) -> Self {
        Self {
            behaviour: habit.behaviour.unwrap_or(self.behaviour),
            fitness: habit.fitness.or(self.fitness),
            replicator_step: habit.replicator_step.unwrap_or(self.replicator_step),
            price_step: habit.price_step.unwrap_or(self.price_step),
            exploration: habit.exploration.unwrap_or(self.exploration),
            adaptation: habit.adaptation.unwrap_or(self.adaptation),
            mixing: habit.mixing.unwrap_or(self.mixing),
            regrowth: habit.regrowth.unwrap_or(self.regrowth),
            bidding: habit.bidding.unwrap_or(self.bidding),
            mix: Vec::new(),
            ..self.clone()
        }
    }
}

/// Where the game starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Initial {
    /// Drawn from the actors' own random streams.
    Random,
    /// These values, one a seller in order of their number.
    Fixed(Vec<f64>),
}

/// With which prices sellers begin a slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InitialPrice {
    /// Drawn between the tariffs from the sellers' own random streams.
    Random,
    /// These, one a seller in order of their number [CNY/kWh].
    Fixed(Vec<f64>),
    /// The last that each has asked; drawn by who has asked none.
    Previous,
    /// The last that each has asked 24 hours before, or whole days before that; drawn by who has asked none then.
    PreviousDay,
}

/// A part of the population and how it learns; what is not given is as for everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habit {
    /// How large a part of all prosumers, in [0, 1]; who they are is drawn from the seed.
    pub share: f64,
    /// By which rule they move their shares.
    pub behaviour: Option<Behaviour>,
    /// Whose welfare they compare.
    pub fitness: Option<Fitness>,
    /// Step of the buyers' rule.
    pub replicator_step: Option<StepSize>,
    /// Step of the price rule.
    pub price_step: Option<StepSize>,
    /// Part of its demand that a buyer spreads evenly over all sellers.
    pub exploration: Option<f64>,
    /// How steps adapt during the game.
    #[serde(default, deserialize_with = "brackets::given", skip_serializing_if = "Option::is_none")]
    pub adaptation: Option<Adaptation>,
    /// Whether buyers move part of their shares towards the sellers' surpluses.
    #[serde(default, deserialize_with = "brackets::given", skip_serializing_if = "Option::is_none")]
    pub mixing: Option<Mixing>,
    /// How many times as far as by its rule a share may grow while its seller's demand is below half of its surplus.
    pub regrowth: Option<f64>,
    /// By which rule they make their orders in an auction.
    pub bidding: Option<BiddingStrategy>,
}
