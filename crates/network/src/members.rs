//! Sets of actors.

use microgrid_actor::ActorId;
use std::sync::Arc;

/// A set of actors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// All.
    Everybody,
    /// This one, and all whose addresses follow.
    From(ActorId),
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
            Self::From(first) => *first <= actor,
            Self::One(one) => *one == actor,
            Self::Group(group) => group.binary_search(&actor).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_holds_its_members_only() {
        let held = |members: Members| -> Vec<u32> { (0..6).filter(|&n| members.contains(ActorId(n))).collect() };
        assert_eq!(held(Members::Everybody), [0, 1, 2, 3, 4, 5]);
        assert_eq!(held(Members::One(ActorId(1))), [1]);
        assert_eq!(held(Members::From(ActorId(2))), [2, 3, 4, 5]);
        assert_eq!(held(Members::group([5, 0, 3].map(ActorId))), [0, 3, 5]);
        assert!(held(Members::group([])).is_empty());
    }
}
