//! Where the largest root leaves the unit circle, as one of the steps or the delay grows.

use super::{Game, Lags, Steps};

/// Steps this many times smaller or larger than the bound without delay are not looked at.
const RANGE: f64 = 1e4;

/// Relative error of a critical step.
const PRECISION: f64 = 1e-8;

/// A root so close to the unit circle is on it.
const ON_THE_CIRCLE: f64 = 1e-12;

/// The replicator step at which the game with these lags loses its stability, the price step being as in `steps`.
///
/// The search begins at the step in `steps`. Zero: unstable however small it is; infinite: stable however large.
pub fn critical_replicator_step(game: &Game, steps: Steps, lags: Lags) -> f64 {
    edge(steps.replicator, game.replicator_bound(), |replicator| {
        game.largest_root(Steps { replicator, ..steps }, lags).modulus - 1.0
    })
}

/// The price step, of a seller of mean size, at which the game with these lags loses its stability, all else being as in
/// `steps`.
///
/// The search begins at the step in `steps`. Zero: unstable however small it is; infinite: stable however large.
pub fn critical_price_step(game: &Game, steps: Steps, lags: Lags) -> f64 {
    edge(steps.price, game.price_bound(), |price| game.largest_root(Steps { price, ..steps }, lags).modulus - 1.0)
}

/// The first of `most` numbers at which the game is unstable, if there is one.
///
/// What is stable at one is taken to be so at all smaller ones.
pub(super) fn first_unstable(most: usize, is_unstable: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut stable, mut end) = (0, most);
    while stable < end {
        let middle = (stable + end) / 2;
        if is_unstable(middle) { end = middle } else { stable = middle + 1 }
    }
    (end < most).then_some(end)
}

/// Where `excess` turns from negative to positive, looking from `start` upwards if it is negative there and else
/// downwards, no further than [`RANGE`] from `bound`.
fn edge(start: f64, bound: f64, excess: impl Fn(f64) -> f64) -> f64 {
    let mut here = (start, excess(start));
    let up = here.1 < 0.0;
    loop {
        // Upwards the edge is mostly near; downwards there may be none.
        let next = if up { 2.0 * here.0 } else { here.0 / 4.0 };
        if up && next > bound * RANGE {
            return f64::INFINITY;
        }
        if !up && next < bound / RANGE {
            return 0.0;
        }
        let there = (next, excess(next));
        match (here.1 < 0.0, there.1 < 0.0) {
            (true, false) => return crossing(here, there, excess),
            (false, true) => return crossing(there, here, excess),
            _ => here = there,
        }
    }
}

/// The zero of `excess` between a place where it is negative and one where it is not: by false position (Illinois), and
/// by bisection where that is slow, as the slope changes where another root becomes the largest.
fn crossing(below: (f64, f64), above: (f64, f64), excess: impl Fn(f64) -> f64) -> f64 {
    let ((mut low, mut low_weight), (mut high, mut high_weight)) = (below, above);
    let (mut was_below, mut slow) = (None, 0);
    while high - low > PRECISION * high {
        let width = high - low;
        let least = PRECISION * high / 3.0;
        let chord = (low * high_weight - high * low_weight) / (high_weight - low_weight);
        let next = if slow < 2 { chord.max(low + least).min(high - least) } else { f64::midpoint(low, high) };
        let found = excess(next);
        if found.abs() < ON_THE_CIRCLE {
            return next;
        }
        let is_below = found < 0.0;
        let again = was_below == Some(is_below);
        if is_below {
            (low, low_weight) = (next, found);
            high_weight /= if again { 2.0 } else { 1.0 };
        } else {
            (high, high_weight) = (next, found);
            low_weight /= if again { 2.0 } else { 1.0 };
        }
        was_below = Some(is_below);
        slow = if high - low > width / 2.0 && slow < 2 { slow + 1 } else { 0 };
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::market::replicator::Fitness;
    use std::cell::Cell;

    #[test]
    fn the_edge_is_found_from_either_side_in_few_steps() {
        let asked = Cell::new(0);
        let kinked = |x: f64| {
            asked.set(asked.get() + 1);
            (1e-3 * (x - 0.35)).max(0.4 * (x - 0.3))
        };
        for start in [0.01, 0.25, 0.31, 5.0, 40.0] {
            asked.set(0);
            assert!((edge(start, 1.0, kinked) - 0.3).abs() < 1e-8, "from {start}");
            assert!(asked.get() <= 35, "asked {} times from {start}", asked.get());
        }
    }

    #[test]
    fn where_there_is_no_edge_the_step_is_nothing_or_anything() {
        assert_eq!(edge(0.3, 1.0, |_| 0.1), 0.0);
        assert_eq!(edge(0.3, 1.0, |_| -0.1), f64::INFINITY);
    }

    #[test]
    fn the_first_unstable_age_is_found() {
        let game = Game { shares: vec![0.25; 4], surplus: 2.0, response: 5.0, shortage: 0.0 };
        let at = |part: f64| {
            let steps = Steps::whole(part * game.replicator_bound(), 1e-3);
            let lags = |halves| Lags::of_half_periods(halves, Fitness::Public);
            first_unstable(9, |halves| !game.largest_root(steps, lags(halves)).is_stable())
        };
        // With h half periods in the loop through fitness, small price steps allow 1 / (1 + h) of the bound.
        assert_eq!([1.1, 0.9, 0.45, 0.3, 0.15].map(at), [Some(0), Some(1), Some(2), Some(3), Some(6)]);
        assert_eq!(at(0.05), None);
    }
}
