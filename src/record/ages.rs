//! How old the news was on which decisions were based.

use super::number::Number;
use microgrid_agents::time::nanos;
use std::{collections::BTreeMap, time::Duration};

/// Ages of news, counted by value [ns]; exact, and small where ages repeat.
#[derive(Clone, Debug, Default)]
pub(super) struct Ages(BTreeMap<u64, u64>);

impl Ages {
    /// Counts one more.
    pub(super) fn add(&mut self, age: Duration) {
        *self.0.entry(nanos(age)).or_default() += 1;
    }

    fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// Their mean [s]; `None` without any.
    pub(super) fn mean(&self) -> Option<Number> {
        let total: u128 = self.0.iter().map(|(&age, &count)| u128::from(age) * u128::from(count)).sum();
        Number::new(total as f64 / (self.count() as f64 * 1e9))
    }

    /// The age that at least `percent` per cent of them do not exceed, by nearest rank [s]; `None` without any.
    pub(super) fn percentile(&self, percent: u64) -> Option<Number> {
        let rank = (self.count() * percent).div_ceil(100);
        let mut seen = 0;
        let reaches = |&(_, &count): &(&u64, &u64)| {
            seen += count;
            seen >= rank
        };
        self.0.iter().find(reaches).map(|(&age, _)| Number::from(Duration::from_nanos(age)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_nearest_rank_are_exact() {
        let mut ages = Ages::default();
        (1..=20).rev().for_each(|milliseconds| ages.add(Duration::from_millis(milliseconds)));
        assert_eq!(ages.mean().unwrap().to_string(), "0.0105");
        assert_eq!(ages.percentile(95).unwrap().to_string(), "0.019");
        assert_eq!(ages.percentile(96).unwrap().to_string(), "0.02");
    }

    #[test]
    fn nothing_has_no_age() {
        assert_eq!(Ages::default().mean(), None);
        assert_eq!(Ages::default().percentile(95), None);
    }
}
