//! Links between actors: who they are, and which messages pass over one.

use super::Change;
use microgrid_actor::ActorId;
use std::{ops::Range, sync::Arc};

/// A set of actors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// All.
    Everybody,
    /// Those with these addresses.
    Range(Range<u32>),
    /// One.
    One(ActorId),
    /// Those listed, in ascending order.
    Group(Arc<[ActorId]>),
}

impl Members {
    /// The set of these, in whatever order they come.
    pub fn group(actors: impl IntoIterator<Item = ActorId>) -> Self {
        let mut actors: Vec<ActorId> = actors.into_iter().collect();
        actors.sort_unstable();
        Self::Group(actors.into())
    }

    /// Whether `actor` is one of them.
    pub fn contains(&self, actor: ActorId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Range(addresses) => addresses.contains(&actor.0),
            Self::One(one) => *one == actor,
            Self::Group(group) => group.binary_search(&actor).is_ok(),
        }
    }
}

/// From whom to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Senders.
    pub from: Members,
    /// Receivers.
    pub to: Members,
    /// Whether the way back is none of it.
    pub one_way: bool,
}

impl Route {
    /// Whether a message from `from` to `to` takes it.
    pub fn leads(&self, from: ActorId, to: ActorId) -> bool {
        let there = self.from.contains(from) && self.to.contains(to);
        there || (!self.one_way && self.from.contains(to) && self.to.contains(from))
    }
}

/// Links that differ from the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Which.
    pub route: Route,
    /// How they differ.
    pub change: Change,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_leads_both_ways_unless_it_is_one_way() {
        let leads = |one_way, from, to| {
            let route = Route { from: Members::Range(2..u32::MAX), to: Members::One(ActorId(0)), one_way };
            route.leads(ActorId(from), ActorId(to))
        };
        assert!(leads(true, 2, 0) && leads(false, 2, 0));
        assert!(!leads(true, 0, 2) && leads(false, 0, 2));
        assert!(!leads(false, 2, 3) && !leads(false, 1, 0));
    }

    #[test]
    fn each_set_holds_its_members_only() {
        let held = |members: Members| -> Vec<u32> { (0..6).filter(|&n| members.contains(ActorId(n))).collect() };
        assert_eq!(held(Members::Everybody), [0, 1, 2, 3, 4, 5]);
        assert_eq!(held(Members::One(ActorId(1))), [1]);
        assert_eq!(held(Members::Range(2..u32::MAX)), [2, 3, 4, 5]);
        assert_eq!(held(Members::group([5, 0, 3].map(ActorId))), [0, 3, 5]);
        assert!(held(Members::group([])).is_empty());
    }
}
