//! The simulated network: decides when a message arrives, and whether.

mod delay;

pub use delay::Delay;

use microgrid_agents::streams::Stream;
use rand::RngExt;
use std::time::Duration;

/// How messages travel between actors.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// How long a message takes.
    pub delay: Delay,
    /// Probability that a message is lost, from 0 to 1; at 1 nothing ever arrives.
    pub loss: f64,
}

impl Network {
    /// The fate of one message: how long it takes, or `None` if it is lost. Draws from the sender's stream only.
    pub fn carry(&self, sender: &mut Stream) -> Option<Duration> {
        // Drawn even where nothing can be lost, so that loss does not shift what is drawn after it.
        if sender.random_bool(self.loss) {
            return None;
        }
        Some(self.delay.draw(sender))
    }

    /// The shortest time that a message can take: within it, no actor can influence another.
    pub fn lookahead(&self) -> Duration {
        self.delay.shortest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::{ids::ActorId, streams::Purpose, streams::stream};

    #[test]
    fn loss_loses_its_share_and_nothing_else_changes_the_delay() {
        let network = Network { delay: Delay::Constant(Duration::from_millis(10)), loss: 0.3 };
        let mut random = stream(7, ActorId(3), Purpose::Network);
        let carried: Vec<_> = (0..10_000).filter_map(|_| network.carry(&mut random)).collect();
        assert!((6_800..7_200).contains(&carried.len()), "{} of 10000 arrived", carried.len());
        assert!(carried.iter().all(|&delay| delay == network.lookahead()));
    }
}
