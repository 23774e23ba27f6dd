//! Mean and percentiles of many durations.

use super::number::Number;
use microgrid_agents::time::nanos;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Durations, counted by value [ns].
///
/// Exact while there are few different ones. Random delays make every value another: from then on only their first
/// eight binary digits count, so that memory is bounded and a percentile is off by less than half a per cent. The mean
/// is always exact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Durations {
    counts: BTreeMap<u64, u64>,
    count: u64,
    total: u128,
    coarse: bool,
}

impl Durations {
    /// More different values than this are not told apart.
    const MOST_DISTINCT: usize = 4096;

    /// Adds so many of the same.
    pub(super) fn add(&mut self, duration: Duration, times: u32) {
        let value = nanos(duration);
        self.count += u64::from(times);
        self.total += u128::from(value) * u128::from(times);
        *self.counts.entry(if self.coarse { rounded(value) } else { value }).or_default() += u64::from(times);
        if !self.coarse && self.counts.len() > Self::MOST_DISTINCT {
            self.coarse = true;
            for (value, count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(rounded(value)).or_default() += count;
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Their mean [s]; `None` without any.
    pub(super) fn mean(&self) -> Option<Number> {
        Number::new(self.total as f64 / (self.count as f64 * 1e9))
    }

    /// The duration that at least `percent` per cent of them do not exceed, by nearest rank [s]; `None` without any.
    pub(super) fn percentile(&self, percent: u64) -> Option<Number> {
        let rank = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        let reaches = |&(_, &count): &(&u64, &u64)| {
            seen += count;
            seen >= rank
        };
        self.counts.iter().find(reaches).map(|(&value, _)| Number::from(Duration::from_nanos(value)))
    }

    /// How many of them agree in their first three binary digits, and so are between `from` and below `to` [ns], a
    /// quarter more or less: `((from, to), count)`, in ascending order. Zero stands for itself, from 0 to 0.
    pub(super) fn histogram(&self) -> Vec<((u64, u64), u64)> {
        let mut bins: Vec<((u64, u64), u64)> = Vec::new();
        for (&value, &count) in &self.counts {
            let bin = bin(value);
            match bins.last_mut() {
                Some((last, sum)) if *last == bin => *sum += count,
                _ => bins.push((bin, count)),
            }
        }
        bins
    }
}

/// From where to below where [ns] all values agree with `value` in their first three binary digits.
fn bin(value: u64) -> (u64, u64) {
    let dropped = (u64::BITS - value.leading_zeros()).saturating_sub(3);
    let from = value >> dropped << dropped;
    (from, if value == 0 { 0 } else { from.saturating_add(1 << dropped) })
}

/// The middle of all values that agree with `value` in their first eight binary digits.
fn rounded(value: u64) -> u64 {
    let dropped = (u64::BITS - value.leading_zeros()).saturating_sub(8);
    (value >> dropped << dropped) | (1 << dropped >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_nearest_rank_are_exact() {
        let mut durations = Durations::default();
        (1..=20).rev().for_each(|milliseconds| durations.add(Duration::from_millis(milliseconds), 1));
        assert_eq!(durations.mean().unwrap().to_string(), "0.0105");
        assert_eq!(durations.percentile(95).unwrap().to_string(), "0.019");
        assert_eq!(durations.percentile(96).unwrap().to_string(), "0.02");
    }

    #[test]
    fn nothing_has_no_mean_and_no_percentiles() {
        assert_eq!(Durations::default().mean(), None);
        assert_eq!(Durations::default().percentile(95), None);
    }

    #[test]
    fn a_million_different_durations_take_little_memory_and_keep_mean_and_percentiles() {
        let mut durations = Durations::default();
        // Every value from 1 us to 1 s once, in an order that has nothing to do with their size.
        let millions = (0..1_000_000_u64).map(|n| n * 611_953 % 1_000_000 + 1);
        millions.for_each(|micros| durations.add(Duration::from_micros(micros), 1));
        assert!(durations.counts.len() <= Durations::MOST_DISTINCT, "{} values", durations.counts.len());
        assert_eq!(durations.mean().unwrap().to_string(), "0.5000005");
        for percent in [1, 50, 95, 99] {
            let exact = percent as f64 / 100.0;
            let found = durations.percentile(percent).unwrap().value();
            assert!((found / exact - 1.0).abs() < 0.005, "{percent} %: {found}");
        }
    }

    #[test]
    fn values_are_told_apart_until_there_are_too_many() {
        let mut durations = Durations::default();
        let most = Durations::MOST_DISTINCT as u64;
        (1..=most).for_each(|n| durations.add(Duration::from_nanos(1_000_000 + n), 1));
        assert_eq!(durations.percentile(100).unwrap().to_string(), "0.001004096");
        durations.add(Duration::from_nanos(1), 1);
        assert!(durations.counts.len() < 10);
        assert_eq!(durations.count(), most + 1);
    }

    #[test]
    fn every_duration_is_in_one_bin_which_is_at_most_a_quarter_wide() {
        let values = (0..64).flat_map(|shift| [1_u64 << shift, (1 << shift) - 1, 3 << shift >> 1, 5 << shift >> 2]);
        for value in values {
            let (from, to) = bin(value);
            assert!(from <= value && (value < to || value == 0 || to == u64::MAX), "{value}: {from} to {to}");
            assert!(value < 8 || to - from <= from.div_ceil(4), "{from} to {to}");
            assert_eq!(bin(rounded(value)), (from, to), "{value} is in the same bin once it is rounded");
        }
        assert_eq!((bin(0), bin(1), bin(1000)), ((0, 0), (1, 2), (896, 1024)));
    }

    #[test]
    fn a_histogram_counts_every_duration_once() {
        let mut durations = Durations::default();
        [0, 0, 1000, 900, 1_000_000].into_iter().for_each(|nanos| durations.add(Duration::from_nanos(nanos), 1));
        assert_eq!(durations.histogram(), [((0, 0), 2), ((896, 1024), 2), ((917_504, 1_048_576), 1)]);
        (0..10_000).for_each(|n| durations.add(Duration::from_nanos(1_000_000 + n * 997), 1));
        assert!(durations.coarse);
        assert_eq!(durations.histogram().iter().map(|(_, count)| count).sum::<u64>(), durations.count());
    }

    #[test]
    fn rounding_is_within_half_a_per_cent_and_keeps_small_values() {
        for value in (0..64).flat_map(|shift| [1_u64 << shift, (1 << shift) - 1, 3 << shift >> 1]) {
            let error = (rounded(value) as f64 - value as f64).abs();
            assert!(error <= value as f64 / 256.0, "{value} becomes {}", rounded(value));
            assert!(value > 255 || rounded(value) == value);
        }
    }
}
