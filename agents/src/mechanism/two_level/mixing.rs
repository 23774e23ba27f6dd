//! Whether buyers mix what they have learnt with what everybody knows: who has how much to sell.

use serde::{Deserialize, Serialize};

/// Whether a buyer moves part of its shares towards the sellers' published surpluses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Mixing {
    /// It learns by what it has earned alone.
    #[default]
    None,
    /// It moves a part that fades, towards what it knows an equilibrium to look like.
    Informed {
        /// The part in its first round, in [0, 1).
        first: f64,
        /// After how many rounds the part is half of what it was; as many more as the loop is older than one period.
        halved_every: f64,
    },
}

impl Mixing {
    /// Whether it moves anything.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The part that it moves in `round`, counted from 1, where the loop is older than one period by `excess` periods.
    pub(super) fn part(self, round: u32, excess: f64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Informed { first, halved_every } => {
                first * (-f64::from(round - 1) / (halved_every * (1.0 + excess))).exp2()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_halves_every_so_many_rounds_and_later_where_news_is_old() {
        let mixing = Mixing::Informed { first: 0.1, halved_every: 10.0 };
        assert_eq!(mixing.part(1, 0.0), 0.1);
        assert!((mixing.part(11, 0.0) - 0.05).abs() < 1e-12);
        assert!((mixing.part(31, 2.0) - 0.05).abs() < 1e-12);
        assert_eq!(Mixing::None.part(1, 0.0), 0.0);
    }
}
