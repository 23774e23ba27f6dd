//! Mean and percentiles of many durations.

use super::number::Number;
use microgrid_agents::time::nanos;
use std::{collections::BTreeMap, time::Duration};

/// Durations, counted by value [ns]; exact, and small where they repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Durations(BTreeMap<u64, u64>);

impl Durations {
    /// Counts one more.
    pub(super) fn add(&mut self, duration: Duration) {
        *self.0.entry(nanos(duration)).or_default() += 1;
    }

    fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// Their mean [s]; `None` without any.
    pub(super) fn mean(&self) -> Option<Number> {
        let total: u128 = self.0.iter().map(|(&value, &count)| u128::from(value) * u128::from(count)).sum();
        Number::new(total as f64 / (self.count() as f64 * 1e9))
    }

    /// The duration that at least `percent` per cent of them do not exceed, by nearest rank [s]; `None` without any.
    pub(super) fn percentile(&self, percent: u64) -> Option<Number> {
        let rank = (self.count() * percent).div_ceil(100);
        let mut seen = 0;
        let reaches = |&(_, &count): &(&u64, &u64)| {
            seen += count;
            seen >= rank
        };
        self.0.iter().find(reaches).map(|(&value, _)| Number::from(Duration::from_nanos(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_nearest_rank_are_exact() {
        let mut durations = Durations::default();
        (1..=20).rev().for_each(|milliseconds| durations.add(Duration::from_millis(milliseconds)));
        assert_eq!(durations.mean().unwrap().to_string(), "0.0105");
        assert_eq!(durations.percentile(95).unwrap().to_string(), "0.019");
        assert_eq!(durations.percentile(96).unwrap().to_string(), "0.02");
    }

    #[test]
    fn nothing_has_no_mean_and_no_percentiles() {
        assert_eq!(Durations::default().mean(), None);
        assert_eq!(Durations::default().percentile(95), None);
    }
}
