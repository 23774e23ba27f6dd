//! The simulated network: decides when a message arrives, and whether, and who is down when.
//!
//! A message takes exactly one draw from its sender's network stream, whatever the settings; all that is random about
//! its fate follows from that draw ([`Quality`]). So a change to one link shifts nothing on another, and two runs that
//! differ in one setting stay comparable message by message (common random numbers).

mod carrier;
mod condition;
mod crash;
mod delay;
mod link;
mod quality;
// Hidden: for `microgrid-scenario` and `microgrid-analysis`.
#[doc(hidden)]
pub mod rhythm;

pub use carrier::{Bounds, Carrier, Letter};
pub use condition::{Condition, Incident, Timing};
pub use crash::{Crash, Downtime, Memory};
pub use delay::{Delay, Parameter};
pub use link::{Link, Members, Route};
pub use quality::{Change, Fate, Quality};

use microgrid_actor::{ActorId, Stream, Time};
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// An own rule has a message arrive sooner than it says that any does.
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error(
    "the network's own rule has a message from {from:?} to {to:?} arrive after {delay:?}, and says that none takes less \
     than {shortest:?}"
)]
pub struct TooSoon {
    /// The sender.
    pub from: ActorId,
    /// The receiver.
    pub to: ActorId,
    /// After how long it was to arrive.
    pub delay: Duration,
    /// What the rule gives as its shortest delay.
    pub shortest: Duration,
}

microgrid_actor::debug_as_display!(TooSoon);

/// How messages travel between actors, and what befalls them.
#[derive(Clone, Debug)]
pub struct Network {
    /// Every link, where nothing else is said.
    pub base: Quality,
    /// Links that differ; of several that fit a message, each sets what it gives, the last one last.
    pub links: Vec<Link>,
    /// What happens to links; applies after `links`, in the same manner.
    pub conditions: Vec<Condition>,
    /// An own rule, which decides what becomes of messages over links that are not cut.
    pub own: Option<Arc<dyn Carrier>>,
    /// Who is down, and when.
    pub crashes: Vec<Crash>,
    /// No crash begins from here on, so that runs end.
    pub ends: Time,
}

impl Network {
    /// A network in which all links are alike and nothing happens.
    pub fn uniform(base: Quality) -> Self {
        let (links, conditions, own, crashes) = Default::default();
        Self { base, links, conditions, own, crashes, ends: Time(u64::MAX) }
    }

    /// How well messages travel from one actor to another while no condition is on.
    pub fn usual(&self, from: ActorId, to: ActorId) -> Quality {
        let links = self.links.iter().filter(|link| link.route.leads(from, to));
        links.fold(self.base, |quality, link| quality.changed(&link.change))
    }

    /// How well messages travel from one actor to another at `now`; `None` where the link is cut.
    pub fn link(&self, from: ActorId, to: ActorId, now: Time) -> Option<Quality> {
        let mut quality = self.usual(from, to);
        for condition in self.conditions.iter().filter(|condition| condition.timing.is_on(now)) {
            match &condition.what {
                Incident::Partition(route) if route.leads(from, to) => return None,
                Incident::Change(link) if link.route.leads(from, to) => quality = quality.changed(&link.change),
                Incident::Partition(_) | Incident::Change(_) => {}
            }
        }
        Some(quality)
    }

    /// The fate of a message sent at `now`. Draws from the sender's stream only, and from that exactly once.
    ///
    /// # Errors
    /// If an own rule has it arrive sooner than it says that any message does.
    pub fn carry(&self, from: ActorId, to: ActorId, now: Time, sender: &mut Stream) -> Result<Fate, TooSoon> {
        let draw = sender.next_u64();
        if self.is_uniform() {
            return Ok(self.base.fate_of(draw));
        }
        match (self.link(from, to, now), &self.own) {
            (None, _) => Ok(Fate::Lost),
            (Some(quality), None) => Ok(quality.fate_of(draw)),
            (Some(usual), Some(own)) => entrust(&**own, &Letter { from, to, sent: now, usual }, draw),
        }
    }

    /// The shortest time that any message can take: within it, no actor can influence another.
    pub fn lookahead(&self) -> Duration {
        if let Some(own) = &self.own {
            return own.bounds().shortest;
        }
        let changes: Vec<Change> = self.changes().collect();
        rhythm::shortest(&self.base, &changes)
    }

    /// How long every message takes, if all take equally long and nothing befalls any on its way.
    pub fn constant(&self) -> Option<Duration> {
        if self.is_uniform() { self.base.constant() } else { None }
    }

    /// Whether all links are alike at all times.
    fn is_uniform(&self) -> bool {
        self.links.is_empty() && self.conditions.is_empty() && self.own.is_none()
    }

    /// Draws for so many messages whose fate is certain.
    pub fn pass_over(&self, messages: usize, sender: &mut Stream) {
        for _ in 0..messages {
            sender.next_u64();
        }
    }

    /// When `actor` is down, if it ever is.
    pub fn downtime(&self, actor: ActorId) -> Option<Downtime> {
        Downtime::of(actor, &self.crashes, self.ends)
    }

    /// All that can change the quality of a link, in the order in which it does.
    fn changes(&self) -> impl Iterator<Item = Change> {
        let conditions = self.conditions.iter().filter_map(|condition| match &condition.what {
            Incident::Change(link) => Some(link.change),
            Incident::Partition(_) => None,
        });
        self.links.iter().map(|link| link.change).chain(conditions)
    }
}

/// Has an own rule decide over a message whose sender has drawn `draw` for it.
fn entrust(own: &dyn Carrier, letter: &Letter, draw: u64) -> Result<Fate, TooSoon> {
    let (shortest, longest) = (own.bounds().shortest, Delay::LONGEST);
    let fate = own.carry(letter, &mut Stream::seed_from_u64(draw));
    let (delay, fate) = match fate {
        Fate::Lost => return Ok(fate),
        Fate::Arrives(delay) => (delay, Fate::Arrives(delay.min(longest))),
        Fate::Twice(first, copy) => (first.min(copy), Fate::Twice(first.min(longest), copy.min(longest))),
    };
    if delay < shortest {
        return Err(TooSoon { from: letter.from, to: letter.to, delay, shortest });
    }
    Ok(fate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_actor::streams::{NETWORK, stream};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn constant(delay: u64) -> Delay {
        Delay::Constant(millis(delay))
    }

    fn plain() -> Network {
        Network::uniform(Quality::delayed(constant(10)))
    }

    fn prosumer(number: u32) -> Members {
        Members::One(ActorId(number))
    }

    fn to_ledger(from: Members, change: Change) -> Link {
        Link { route: Route { from, to: Members::One(ActorId(0)), one_way: true }, change }
    }

    fn at(time: u64, lasting: u64) -> Timing {
        Timing { at: Time(time), lasting: Some(Duration::from_nanos(lasting)), every: None }
    }

    /// What becomes of messages that actor 2 sends to the ledger and to the grid in turn, one each nanosecond.
    fn fates(network: &Network) -> (Vec<Fate>, Vec<Fate>) {
        let mut sender = stream(7, ActorId(2), NETWORK);
        let mut fates = (Vec::new(), Vec::new());
        for time in (0..2_000).map(Time) {
            fates.0.push(network.carry(ActorId(2), ActorId(0), time, &mut sender).unwrap());
            fates.1.push(network.carry(ActorId(2), ActorId(1), time, &mut sender).unwrap());
        }
        fates
    }

    #[test]
    fn what_happens_on_one_link_leaves_the_fate_of_all_others_alone() {
        let mut network = plain();
        network.base = Quality { jitter: 0.5, loss: 0.1, duplication: 0.1, ..network.base };
        let (over_it, over_others) = fates(&network);
        let random = Delay::LogNormal { min: millis(1), median: millis(20), sigma: 1.0 };
        for change in [
            Change { delay: Some(random), ..Change::default() },
            Change { loss: Some(0.5), ..Change::default() },
            Change { duplication: Some(0.9), jitter: Some(0.0), ..Change::default() },
        ] {
            network.links = vec![to_ledger(prosumer(2), change)];
            let (changed, others) = fates(&network);
            assert_ne!(changed, over_it);
            assert_eq!(others, over_others, "{change:?}");
        }
        network.links.clear();
        let route = Route { from: prosumer(2), to: Members::One(ActorId(0)), one_way: true };
        network.conditions = vec![Condition { timing: at(500, 1_000), what: Incident::Partition(route) }];
        let (cut, others) = fates(&network);
        assert!(cut[500..1_500].iter().all(|fate| *fate == Fate::Lost));
        assert_eq!((&cut[..500], &cut[1_500..]), (&over_it[..500], &over_it[1_500..]));
        assert_eq!(others, over_others);
    }

    #[test]
    fn of_several_links_each_sets_what_it_gives_the_last_one_last() {
        let mut network = plain();
        network.links = vec![
            to_ledger(
                Members::Range(2..u32::MAX),
                Change { delay: Some(constant(50)), loss: Some(0.2), ..Change::default() },
            ),
            to_ledger(prosumer(3), Change { loss: Some(0.4), ..Change::default() }),
        ];
        let slower = to_ledger(Members::Everybody, Change { delay: Some(constant(70)), ..Change::default() });
        network.conditions = vec![Condition { timing: at(100, 50), what: Incident::Change(slower) }];
        let quality = |from, time| {
            let Quality { delay, loss, .. } = network.link(ActorId(from), ActorId(0), Time(time)).unwrap();
            (delay, loss)
        };
        assert_eq!(quality(1, 0), (constant(10), 0.0));
        assert_eq!(quality(2, 0), (constant(50), 0.2));
        assert_eq!(quality(3, 0), (constant(50), 0.4));
        assert_eq!(quality(3, 100), (constant(70), 0.4));
        assert_eq!(quality(3, 150), (constant(50), 0.4));
    }
}
