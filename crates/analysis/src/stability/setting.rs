//! What of a scenario matters to the linearised game, and what the theory leaves out.

use super::{Lags, Rhythm};
use microgrid_agents::{
    chain::genesis::Posts,
    market::replicator::Fitness,
    prosumer::{Adaptation, Behaviour},
};
use microgrid_scenario::{
    Case,
    schema::{Activation, Habit, Scenario},
};
use std::{fmt, time::Duration};

/// With less relative jitter, clocks drift apart by less than a period for as long as a game may last.
const DRIFT: f64 = 0.1;

/// By how much less of the loop's age counts where clocks are out of step, on the safe side [periods].
const UNSEEN: f64 = 0.2;

/// What the linear theory takes from a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// How long news waits for whoever acts on it.
    pub rhythm: Rhythm,
    /// Time from one act of a participant to the next, or its mean.
    pub period: Duration,
    /// From a post of one participant until another knows of it: two messages and the block's timeout, or their means; with
    /// several peers of the ledger four messages.
    pub age: Duration,
    /// How much longer a message takes to the ledger than back, in periods; negative where it is quicker.
    pub slower_up: f64,
    /// Timeout of a block.
    pub timeout: Duration,
    /// Whether posts may share a block with later ones, so that some of them wait less than its timeout.
    pub uneven_blocks: bool,
    /// Whether steps shrink with the age of the loop.
    pub delay_aware: bool,
    /// What the theory leaves out.
    pub caveats: Vec<Caveat>,
}

/// Something the theory leaves out, or that limits what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// It has nothing to say about this way to learn.
    NotCovered(&'static str),
    /// Delays are random; their mean is used.
    RandomDelay,
    /// Prosumers differ in their delays; the mean is used.
    UnevenLinks,
    /// News arrives at the very moment at which somebody acts on it; it is taken to be late.
    Tie,
    /// Posts share a block with later ones, or it is full early; all are taken to wait for all of its timeout.
    UnevenBlocks,
    /// This activation is not in lock-step: the mean of how long news waits is used, or more.
    OutOfStep(&'static str, Rhythm),
    /// Steps are halved in the game; the theory judges them as they are before that.
    Halving,
    /// Posts go through peers of the ledger, which may carry them out on what is no longer so.
    Peers,
    /// Messages are lost or duplicated, or conditions change the network; the theory has none of that.
    Faults,
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCovered(what) => {
                return write!(f, "not covered: {what}; the theory is that of the replicator alone");
            }
            Self::OutOfStep(activation, rhythm) => return write!(f, "{activation} activation {}", out_of_step(*rhythm)),
            Self::RandomDelay => "delays are random: the theory uses their mean",
            Self::UnevenLinks => "prosumers differ in their delays: the theory uses the mean",
            Self::Tie => "news arrives at the very moment of an act, in time or late by chance: taken to be late",
            Self::UnevenBlocks => {
                "posts wait for their block for less than its timeout at times: taken to wait for all of it, which errs on \
                 the safe side"
            }
            Self::Halving => "HalveOnOscillation: judged at the steps as given, before any is halved",
            Self::Peers => {
                "posts are taken to take the ways through their peers, and no longer: where a peer is behind, they are refused \
                 as stale, and count once they are repeated"
            }
            Self::Faults => "loss, duplication and conditions of the network are left out",
        })
    }
}

fn out_of_step(rhythm: Rhythm) -> &'static str {
    match rhythm {
        Rhythm::Standing => {
            "with next to no jitter stays out of step as it began: news is taken to wait for a whole period each time, \
             which errs on the safe side"
        }
        Rhythm::Poisson => {
            "is random: the theory counts its chance as half a period more, which errs on the safe side, the more the \
             larger the price step; few steps that it calls stable are too large, by some 10 %, and scaled ones, which \
             start far from rest, by up to a quarter"
        }
        Rhythm::Drifting | Rhythm::LockStep => {
            "is random: the theory is that of the mean, a guide only, which calls steps stable that are at most some 10 % \
             too large, and scaled ones, which start far from rest, up to a quarter"
        }
    }
}

impl Setting {
    /// What the theory takes from `case`.
    pub fn of(case: &Case) -> Self {
        let scenario = &*case.scenario;
        let (period, rhythm, activation) = rhythm(&scenario.activation);
        let ([to_ledger, back], even, random) = ways(case);
        let timeout = scenario.ledger.block.timeout;
        let age = to_ledger + timeout + back;
        let (_, tie) = Lags::half_periods(age, period);
        let many = case.population.prosumers.len() > scenario.ledger.block.max_transactions as usize;
        let uneven_blocks = !timeout.is_zero() && (rhythm != Rhythm::LockStep || 2 * timeout >= period || many);
        let adaptation = scenario.learning.adaptation;
        let caveats = [
            not_covered(scenario).map(Caveat::NotCovered),
            activation.map(|name| Caveat::OutOfStep(name, rhythm)),
            random.then_some(Caveat::RandomDelay),
            (!even).then_some(Caveat::UnevenLinks),
            (tie && !random && activation.is_none()).then_some(Caveat::Tie),
            uneven_blocks.then_some(Caveat::UnevenBlocks),
            (adaptation == Adaptation::HalveOnOscillation).then_some(Caveat::Halving),
            (case.peers() > 0 && scenario.posts(case.population.prosumers.len()) == Posts::Every)
                .then_some(Caveat::Peers),
            has_faults(scenario).then_some(Caveat::Faults),
        ];
        Self {
            rhythm,
            period,
            age,
            slower_up: (to_ledger.as_secs_f64() - back.as_secs_f64()) / period.as_secs_f64(),
            timeout,
            uneven_blocks,
            delay_aware: adaptation == Adaptation::DelayAware,
            caveats: caveats.into_iter().flatten().collect(),
        }
    }

    /// How late news is on each way round the loop, with this fitness and so many buyers.
    pub fn lags(&self, fitness: Fitness, buyers: usize) -> Lags {
        self.lags_at(self.half_periods(), self.age_in_periods(), fitness, buyers)
    }

    /// The same where all messages take equally long and information is as old as `count` parts of a period and hardly
    /// more, of the parts that make a difference; and the age of the loop in excess of a period, as [`Self::excess`] has
    /// it.
    pub(super) fn at(&self, count: usize, fitness: Fitness, buyers: usize) -> (Lags, f64) {
        let part = 1.0 / self.rhythm.ages() as f64;
        let least = count as f64 * part;
        // All ages up to the next are alike in lock-step, but for what participants see of them.
        let seen = if self.rhythm == Rhythm::LockStep { least + part } else { least };
        (self.lags_at(count, least, fitness, buyers), self.excess_at(count, seen, 0.0))
    }

    fn lags_at(&self, half_periods: usize, age: f64, fitness: Fitness, buyers: usize) -> Lags {
        if self.rhythm != Rhythm::LockStep {
            return Lags::out_of_step(self.rhythm, age, buyers, fitness);
        }
        let lags = Lags::of_half_periods(half_periods, fitness);
        // Where posts wait for less than the timeout, the way of shares is the first to grow shorter.
        let least = if self.uneven_blocks { (lags.share[0] - 1.0).max(0.0) } else { lags.share[0] };
        Lags { share: [least, lags.share[1]], ..lags }
    }

    /// The age in half periods, rounded down.
    fn half_periods(&self) -> usize {
        Lags::half_periods(self.age, self.period).0
    }

    /// Age of the information in periods.
    pub fn age_in_periods(&self) -> f64 {
        self.age.as_secs_f64() / self.period.as_secs_f64()
    }

    /// Whether the theory has something to say about how the prosumers learn.
    pub fn is_covered(&self) -> bool {
        !self.caveats.iter().any(|caveat| matches!(caveat, Caveat::NotCovered(_)))
    }

    /// What `DelayAware` participants find as the age of their loop in excess of a period, `L` (section 4) [periods]; zero
    /// for others.
    pub fn excess(&self) -> f64 {
        self.excess_at(self.half_periods(), self.age_in_periods(), self.slower_up)
    }

    /// In lock-step, the newest market state that an actor knows is `(half_periods + 1) / 2` old, counted from the posts
    /// that made it; the choices in it answered quotes that were half a period and the lag of demand old. Out of step, both
    /// are one `age` old and have waited for as long as a post stands, a period in all or two. Of that it sees all but the
    /// two ways to the ledger, and counts the ways back in their place; unless what it sees fits into a period. Some see less
    /// than that, or now and then, and take the larger steps: `UNSEEN` makes up for it.
    fn excess_at(&self, half_periods: usize, age: f64, slower_up: f64) -> f64 {
        let excess = match self.rhythm {
            Rhythm::LockStep => half_periods as f64 / 2.0 + half_periods.div_ceil(2) as f64,
            Rhythm::Drifting | Rhythm::Standing => 2.0 * age,
            Rhythm::Poisson => 2.0 * age + 1.0,
        };
        let ways_up = age - self.timeout.as_secs_f64() / self.period.as_secs_f64() + slower_up;
        let unseen = if self.rhythm == Rhythm::LockStep { 0.0 } else { UNSEEN };
        if self.delay_aware && excess > ways_up { (excess - 2.0 * slower_up - unseen).max(0.0) } else { 0.0 }
    }
}

/// The period of an activation, how long news waits in it, and its name unless it is lock-step.
fn rhythm(activation: &Activation) -> (Duration, Rhythm, Option<&'static str>) {
    match *activation {
        Activation::LockStep { period } => (period, Rhythm::LockStep, None),
        Activation::Independent { period, jitter } if jitter < DRIFT => (period, Rhythm::Standing, Some("Independent")),
        Activation::Independent { period, .. } => (period, Rhythm::Drifting, Some("Independent")),
        Activation::Poisson { period } => (period, Rhythm::Poisson, Some("Poisson")),
        // There is always news to act on, so that everybody acts at the shortest interval.
        Activation::Reactive { min_interval } => (min_interval, Rhythm::Standing, Some("Reactive")),
    }
}

fn not_covered(scenario: &Scenario) -> Option<&'static str> {
    let (mechanism, learning) = (scenario.market.mechanism, &scenario.learning);
    let differs = |habit: &Habit| habit.share > 0.0;
    // Adaptations that change more than the size of a step would be named here.
    let adaptation = match learning.adaptation {
        Adaptation::None | Adaptation::HalveOnOscillation | Adaptation::DelayAware => None,
        Adaptation::Predictive => Some("Predictive"),
    };
    match learning.behaviour {
        _ if !mechanism.is_game() => Some(mechanism.name()),
        _ if adaptation.is_some() => adaptation,
        _ if learning.price_every > 1 => Some("price_every"),
        _ if learning.mix.iter().any(differs) => Some("a mixed population"),
        _ if !learning.choice_set.is_all() => Some("a limited choice set"),
        Behaviour::BestResponse { .. } => Some("BestResponse"),
        Behaviour::Imitation => Some("Imitation"),
        Behaviour::Replicator if learning.exploration > 0.0 => Some("exploration"),
        Behaviour::Replicator => None,
    }
}

fn has_faults(scenario: &Scenario) -> bool {
    let network = &scenario.network;
    let links = || network.links.iter();
    network.loss > 0.0
        || network.duplication > 0.0
        || !network.conditions.is_empty()
        || links().any(|link| link.loss.unwrap_or(0.0) > 0.0 || link.duplication.unwrap_or(0.0) > 0.0)
}

/// How long messages take from prosumers to the ledger and back, in the mean over the prosumers of a case; whether they take
/// equally long for all; and whether any of them is random.
fn ways(case: &Case) -> ([Duration; 2], bool, bool) {
    let (network, count) = (case.network(), case.population.prosumers.len());
    let (mut sums, mut first, mut even, mut random) = ([0.0; 2], None, true, false);
    for way in case.ways() {
        let hops = || way.windows(2).map(|hop| [network.usual(hop[0], hop[1]), network.usual(hop[1], hop[0])]);
        let is_random = [0, 1].map(|n| hops().any(|hop| hop[n].has_random_delay()));
        let mean: [Duration; 2] = [0, 1].map(|n| hops().map(|hop| hop[n].delay.mean()).sum());
        random |= is_random.contains(&true);
        even &= *first.get_or_insert((mean, is_random)) == (mean, is_random);
        for (sum, mean) in sums.iter_mut().zip(mean) {
            *sum += mean.as_secs_f64() / count as f64;
        }
    }
    match first {
        Some((mean, _)) if even => (mean, even, random),
        _ => (sums.map(Duration::from_secs_f64), even, random),
    }
}
