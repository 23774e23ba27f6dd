//! How short and how long the delays of a network can be, over all its links at all times.

use super::{Change, Delay, Quality, quality::stretched};
use std::time::Duration;

/// The shortest time that a message can take, where links and conditions make these changes, each after those before it.
pub fn shortest(base: &Quality, changes: &[Change]) -> Duration {
    let shortest = pairs(base, changes).map(|(delay, jitter)| stretched(delay.shortest(), 1.0 - jitter)).min();
    shortest.expect("there is always the base")
}

/// A time that less than one message in a thousand exceeds, on whichever link and at whatever time it travels.
pub fn almost_longest(base: &Quality, changes: &[Change]) -> Duration {
    let longest = pairs(base, changes).map(|(delay, jitter)| stretched(delay.almost_longest(), 1.0 + jitter)).max();
    longest.expect("there is always the base")
}

/// Every pair of delay and jitter that some link may have at some time: what a change gives of the two, with either of
/// those before it where it gives only one.
fn pairs(base: &Quality, changes: &[Change]) -> impl Iterator<Item = (Delay, f64)> {
    let base = (Some(base.delay), Some(base.jitter));
    let layers: Vec<_> =
        std::iter::once(base).chain(changes.iter().map(|change| (change.delay, change.jitter))).collect();
    let mut pairs = Vec::new();
    for (n, &layer) in layers.iter().enumerate() {
        let before = layers[..n].iter();
        match layer {
            (Some(delay), Some(jitter)) => pairs.push((delay, jitter)),
            (Some(delay), None) => pairs.extend(before.filter_map(|(_, jitter)| jitter.map(|jitter| (delay, jitter)))),
            (None, Some(jitter)) => pairs.extend(before.filter_map(|(delay, _)| delay.map(|delay| (delay, jitter)))),
            (None, None) => {}
        }
    }
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn change(delay: Option<u64>, jitter: Option<f64>) -> Change {
        Change { delay: delay.map(|delay| Delay::Constant(millis(delay))), jitter, ..Change::default() }
    }

    #[test]
    fn no_message_is_quicker_or_slower_than_its_link_allows() {
        let base = Quality { jitter: 0.2, ..Quality::delayed(Delay::Constant(millis(10))) };
        let extremes = |changes: &[Change]| (shortest(&base, changes), almost_longest(&base, changes));
        assert_eq!(extremes(&[]), (millis(8), millis(12)));
        // A slow link with a jitter of its own: its jitter never meets the short delay, nor the other way.
        let far = change(Some(100), Some(0.9));
        assert_eq!(extremes(&[far]), (millis(8), millis(190)));
        // Jitter alone meets whatever delay was there before.
        let shaky = change(None, Some(0.5));
        assert_eq!(extremes(&[far, shaky]), (millis(5), millis(190)));
        // And so does delay alone: on a link that is far too, it takes the far one's jitter.
        let quick = change(Some(2), None);
        assert_eq!(extremes(&[far, quick, shaky]), (Duration::from_micros(200), millis(190)));
        assert_eq!(extremes(&[quick, far]), (Duration::from_micros(1600), millis(190)));
    }
}
