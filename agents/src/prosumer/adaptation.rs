//! How steps adapt during the game, section 4.

use serde::{Deserialize, Serialize};

/// How steps adapt during the game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Adaptation {
    /// They stay as they are.
    #[default]
    None,
    /// They are halved whenever what they move swings too widely.
    HalveOnOscillation,
    /// They shrink with the age of the loop from one's own act back to oneself.
    DelayAware,
}
