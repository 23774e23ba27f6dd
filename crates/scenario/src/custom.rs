//! What a study does in its own way, beyond what a scenario's file can say.

use microgrid_agents::{
    observation::Observed,
    prosumer::{Bidder, ChoiceRule, PricingRule, Strategy},
};
use microgrid_network::Carrier;
use std::{collections::BTreeSet, fmt, sync::Arc};

/// What a study does in its own way; the rest is as its scenario says.
#[derive(Clone, Debug, Default)]
pub struct Custom {
    /// Rules of prosumers; of several for one prosumer, the last one counts.
    pub rules: Vec<(Whose, Rule)>,
    /// How messages travel.
    pub carrier: Option<Arc<dyn Carrier>>,
    /// Whether somebody outside of the scenario says what each slot brings.
    pub is_live: bool,
    /// Who is shown all that is observed.
    pub observer: Option<Observer>,
}

/// Which prosumers have a rule of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All.
    Everybody,
    /// Those with these numbers.
    These(BTreeSet<u32>),
}

/// A rule of some prosumers' own.
#[derive(Clone, Debug)]
pub enum Rule {
    /// By which they move their prices as sellers.
    Pricing(Box<dyn PricingRule>),
    /// By which they move their shares as buyers.
    Choice(Box<dyn ChoiceRule>),
    /// By which they make their orders in an auction.
    Bidder(Box<dyn Bidder>),
}

/// Is shown all that is observed, and cannot change anything.
#[derive(Clone)]
pub struct Observer(Arc<Show>);

type Show = dyn Fn(u32, &Observed) + Send + Sync;

impl Custom {
    /// Whether results depend on it: not on who watches.
    pub fn changes_results(&self) -> bool {
        !self.rules.is_empty() || self.carrier.is_some() || self.is_live
    }
}

impl Whose {
    /// Whether the prosumer with this number is one of them.
    pub fn includes(&self, number: u32) -> bool {
        match self {
            Self::Everybody => true,
            Self::These(numbers) => numbers.contains(&number),
        }
    }
}

impl Rule {
    /// Makes it part of a strategy, in the place of what was there.
    pub fn put_into(&self, strategy: &mut Strategy) {
        match self {
            Self::Pricing(rule) => strategy.pricing = Some(rule.clone()),
            Self::Choice(rule) => strategy.choice = Some(rule.clone()),
            Self::Bidder(rule) => strategy.bidder = Some(rule.clone()),
        }
    }
}

impl Observer {
    /// Calls `show` with the number of the case and what was observed, in the order (time, actor, sequence) within a
    /// case. Cases that run side by side call it at the same time.
    pub fn new(show: impl Fn(u32, &Observed) + Send + Sync + 'static) -> Self {
        Self(Arc::new(show))
    }

    /// Shows it what was observed in a case.
    pub fn show(&self, case: u32, observed: &Observed) {
        (self.0)(case, observed);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
