//! Links between actors: which messages pass over one, and the states it can be in.

use super::{Change, Members, Quality};
use microgrid_actor::ActorId;

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

/// The state of the link from one actor to another at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LinkState {
    /// Messages travel over it.
    Open(Quality),
    /// What is sent over it is lost.
    Cut,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_leads_both_ways_unless_it_is_one_way() {
        let leads = |one_way, from, to| {
            let route = Route { from: Members::From(ActorId(2)), to: Members::One(ActorId(0)), one_way };
            route.leads(ActorId(from), ActorId(to))
        };
        assert!(leads(true, 2, 0) && leads(false, 2, 0));
        assert!(!leads(true, 0, 2) && leads(false, 0, 2));
        assert!(!leads(false, 2, 3) && !leads(false, 1, 0));
    }
}
