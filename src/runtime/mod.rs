//! Hosts the actors and carries their messages.

use microgrid_agents::observation::Observed;

/// Receives what the actors report, window by window, in an order that does not depend on the shards.
pub trait Watcher: Send {
    /// What was observed in one window of simulated time, in the order (time, actor, sequence), and how many messages
    /// were sent in it.
    ///
    /// # Errors
    /// An error ends the run.
    fn window(&mut self, observed: &mut Vec<Observed>, messages: u64) -> anyhow::Result<()>;
}
