//! How well messages travel over a link, and what becomes of one that does.

use super::Delay;
use microgrid_actor::Stream;
use rand::{Rng, RngExt, SeedableRng};
use std::time::Duration;

/// How well messages travel over a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// How long a message takes.
    pub delay: Delay,
    /// Largest relative deviation from that, in [0, 1].
    pub jitter: f64,
    /// Probability that a message is lost, from 0 to 1; at 1 nothing ever arrives.
    pub loss: f64,
    /// Probability that a message that is not lost arrives twice, in [0, 1].
    pub duplication: f64,
}

/// What is different about a link; the rest stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// How long a message takes.
    pub delay: Option<Delay>,
    /// Largest relative deviation from that, in [0, 1].
    pub jitter: Option<f64>,
    /// Probability that a message is lost, from 0 to 1.
    pub loss: Option<f64>,
    /// Probability that a message that is not lost arrives twice, in [0, 1].
    pub duplication: Option<f64>,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives after this long.
    Arrives(Duration),
    /// It arrives after this long, and a copy of it after that long.
    Twice(Duration, Duration),
}

impl Quality {
    /// A link that delays messages and does nothing else to them.
    pub fn delayed(delay: Delay) -> Self {
        Self { delay, jitter: 0.0, loss: 0.0, duplication: 0.0 }
    }

    /// The same with what is different.
    pub fn changed(self, change: &Change) -> Self {
        Self {
            delay: change.delay.unwrap_or(self.delay),
            jitter: change.jitter.unwrap_or(self.jitter),
            loss: change.loss.unwrap_or(self.loss),
            duplication: change.duplication.unwrap_or(self.duplication),
        }
    }

    /// What becomes of a message whose sender has drawn `draw` for it, which seeds a generator of its own: so messages
    /// share nothing.
    pub(super) fn fate_of(&self, draw: u64) -> Fate {
        match self.constant() {
            Some(delay) => Fate::Arrives(delay),
            None => self.fate(&mut Stream::seed_from_u64(draw)),
        }
    }

    /// What becomes of a message.
    ///
    /// Draws, always in this order: loss, duplication, delay, jitter, and delay and jitter of the copy. So what is lost
    /// stays lost whatever the delay.
    pub fn fate(&self, random: &mut Stream) -> Fate {
        let is_lost = random.random::<f64>() < self.loss;
        let is_doubled = random.random::<f64>() < self.duplication;
        if is_lost {
            return Fate::Lost;
        }
        let delay = self.draw_delay(random);
        if is_doubled { Fate::Twice(delay, self.draw_delay(random)) } else { Fate::Arrives(delay) }
    }

    /// Whether messages take different times, lost or doubled ones aside.
    pub fn has_random_delay(&self) -> bool {
        !matches!(self.delay, Delay::Constant(_)) || (self.jitter > 0.0 && !self.delay.mean().is_zero())
    }

    /// How long every message takes, if nothing is random about it.
    pub(super) fn constant(&self) -> Option<Duration> {
        match self.delay {
            Delay::Constant(delay) if (self.jitter, self.loss, self.duplication) == (0.0, 0.0, 0.0) => Some(delay),
            _ => None,
        }
    }

    fn draw_delay(&self, random: &mut Stream) -> Duration {
        let delay = self.delay.draw(random);
        if self.jitter == 0.0 {
            // Still the draw is made: a copy's delay comes after it.
            random.next_u64();
            return delay;
        }
        stretched(delay, 1.0 - self.jitter + 2.0 * self.jitter * random.random::<f64>())
    }
}

/// A delay times a jitter's factor; exactly the delay at a factor of one.
pub(super) fn stretched(delay: Duration, factor: f64) -> Duration {
    if factor == 1.0 { delay } else { delay.mul_f64(factor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::Xoshiro256PlusPlus;

    const SENT: usize = 20_000;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn fates(quality: Quality) -> Vec<Fate> {
        let mut sender = Xoshiro256PlusPlus::seed_from_u64(7);
        (0..SENT).map(|_| quality.fate_of(sender.next_u64())).collect()
    }

    fn plain() -> Quality {
        Quality::delayed(Delay::Constant(millis(10)))
    }

    fn share(fates: &[Fate], of: impl Fn(&Fate) -> bool) -> f64 {
        fates.iter().filter(|fate| of(fate)).count() as f64 / SENT as f64
    }

    fn is_lost(fate: &Fate) -> bool {
        *fate == Fate::Lost
    }

    #[test]
    fn loss_and_duplication_take_their_shares() {
        let fates = fates(Quality { loss: 0.3, duplication: 0.2, ..plain() });
        assert!((share(&fates, is_lost) - 0.3).abs() < 0.01);
        let doubled = share(&fates, |fate| matches!(fate, Fate::Twice(..)));
        assert!((doubled - 0.7 * 0.2).abs() < 0.01, "only what is not lost is doubled: {doubled}");
    }

    #[test]
    fn more_loss_loses_what_less_loss_loses_and_more() {
        let [little, much] = [0.1, 0.3].map(|loss| fates(Quality { loss, ..plain() }));
        assert!(little.iter().zip(&much).all(|(little, much)| !is_lost(little) || is_lost(much)));
        assert!(share(&much, is_lost) > share(&little, is_lost) + 0.15);
    }

    #[test]
    fn what_is_lost_or_doubled_does_not_depend_on_the_delay() {
        let random = Delay::Exponential { min: millis(1), mean: millis(50) };
        let one = fates(Quality { loss: 0.2, duplication: 0.2, ..plain() });
        let other = fates(Quality { delay: random, jitter: 0.5, loss: 0.2, duplication: 0.2 });
        assert!(one.iter().zip(&other).all(|(a, b)| std::mem::discriminant(a) == std::mem::discriminant(b)));
    }

    #[test]
    fn a_copy_takes_a_delay_of_its_own_and_leaves_the_original_its() {
        let quality = Quality { jitter: 0.5, ..plain() };
        let (alone, doubled) = (fates(quality), fates(Quality { duplication: 1.0, ..quality }));
        let mut same = 0;
        for (alone, doubled) in alone.iter().zip(&doubled) {
            let (Fate::Arrives(delay), Fate::Twice(first, copy)) = (alone, doubled) else { panic!("{doubled:?}") };
            assert_eq!(delay, first);
            same += usize::from(first == copy);
        }
        assert!(same < SENT / 1000);
    }

    #[test]
    fn jitter_stretches_and_shortens_evenly_within_its_bounds() {
        let delays: Vec<f64> = fates(Quality { jitter: 0.4, ..plain() })
            .into_iter()
            .map(|fate| if let Fate::Arrives(delay) = fate { delay.as_secs_f64() * 1e3 } else { f64::NAN })
            .collect();
        assert!(delays.iter().all(|delay| (6.0..=14.0).contains(delay)));
        let mean = delays.iter().sum::<f64>() / SENT as f64;
        let variance = delays.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / SENT as f64;
        assert!((mean - 10.0).abs() < 0.05, "{mean}");
        assert!((variance - 8.0_f64.powi(2) / 12.0).abs() < 0.1, "{variance}");
    }
}
