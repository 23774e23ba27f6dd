//! Halving the step of whatever swings too widely, the article's remedy.

/// No step shrinks below this part of what it was.
const LEAST: f64 = 1.0 / (1 << 20) as f64;
/// A swing that is larger than this part of the one before is not dying away.
const DYING: f64 = 0.8;
/// Swings up to this many tolerances are of no interest.
const WIDE: f64 = 10.0;

/// Watches a value and counts how often its swings did not die away.
#[derive(Debug)]
pub(in crate::mechanism::two_level) struct Halving {
    /// The part of the step that is left, in (0, 1].
    pub(super) part: f64,
    last: Option<f64>,
    /// Whether the value rose when it last moved.
    rising: Option<bool>,
    /// Where it last turned.
    turned: Option<f64>,
    /// How far it went between the last two turns.
    swing: Option<f64>,
}

impl Default for Halving {
    fn default() -> Self {
        Self { part: 1.0, last: None, rising: None, turned: None, swing: None }
    }
}

impl Halving {
    /// Takes note of the next value.
    pub(in crate::mechanism::two_level) fn note(&mut self, value: f64, tolerance: f64) {
        let Some(last) = self.last.replace(value) else { return };
        if value == last {
            return;
        }
        let rising = value > last;
        if self.rising.replace(rising).is_some_and(|before| before != rising) {
            self.turn(last, tolerance);
        }
    }

    fn turn(&mut self, at: f64, tolerance: f64) {
        let Some(before) = self.turned.replace(at) else { return };
        let swing = (at - before).abs();
        let dying = self.swing.replace(swing).is_none_or(|before| swing <= DYING * before);
        if !dying && swing > WIDE * tolerance {
            self.part = (self.part / 2.0).max(LEAST);
            // What swings on for a while by what is under way already says nothing of the new step.
            (self.turned, self.swing) = (None, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut halving = Halving::default();
        values.into_iter().for_each(|value| halving.note(value, 1e-7));
        halving.part
    }

    #[test]
    fn swings_that_do_not_die_away_halve_the_step_every_three_turns() {
        // Turns at 1, -1, 1, -1, 1 and so on: two swings to compare, and then two more.
        let turns = [0.0, 1.0, 0.0, -1.0, -1.0, 0.5, 1.0, -1.0, 1.0, -1.0];
        assert_eq!([3, 6, 7, 8, 9, 10].map(|n| after(turns[..n].iter().copied())), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]);
        assert_eq!(after(turns.into_iter().chain([0.0])), 0.25);
        assert_eq!(after((0..1000).map(|n| f64::from(n % 2))), LEAST);
    }

    #[test]
    fn what_settles_down_or_keeps_its_course_is_left_alone() {
        assert_eq!(after((0..40).map(|n| (-0.7_f64).powi(n))), 1.0);
        assert_eq!(after((0..40).map(f64::from)), 1.0);
        assert_eq!(after((0..40).map(|n| 1e-7 * f64::from(n % 2))), 1.0, "too small to matter");
    }
}
