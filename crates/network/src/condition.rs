//! What happens to links on the simulated clock.

use super::{Link, Route, Timing};

/// Something that happens to links, and when. Whether it is on depends on the time alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// When.
    pub timing: Timing,
    /// What.
    pub what: Incident,
}

/// What can happen to links.
#[derive(Clone, Debug, PartialEq)]
pub enum Incident {
    /// What is sent over them is lost; what is under way arrives.
    Partition(Route),
    /// They differ from what they were.
    Change(Link),
}
