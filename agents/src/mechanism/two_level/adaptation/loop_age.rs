//! How old the loop is from an act back to whoever acts.

use crate::{message::MarketState, time::Time};
use std::time::Duration;

/// How much a new measurement counts beside all before: single ones are as uneven as the rhythm of a few participants.
const NEWEST: f64 = 1.0 / 8.0;

/// What one participant has measured of the loop.
#[derive(Debug, Default)]
pub(in crate::mechanism::two_level) struct LoopAge {
    /// How long a market state took to arrive [s].
    hop: Smoothed,
    /// What can be seen of the age of the loop: how old the market state is on which it acts, and how old its prices
    /// are that everybody's demand has answered [s].
    seen: Smoothed,
    /// When it acted last.
    acted: Option<Time>,
}

impl LoopAge {
    /// A market state has arrived `after` so long.
    pub(in crate::mechanism::two_level) fn arrived(&mut self, after: Duration) {
        self.hop.note(after);
    }

    /// It acts `now` on these `news`; asked more than once for an act, only the first counts.
    pub(super) fn acts(&mut self, news: &MarketState, now: Time) {
        if self.acted.replace(now) != Some(now) {
            self.seen.note((now - news.time).saturating_add(news.news_age));
        }
    }

    /// Age of the loop in excess of one period, in periods; at least 0. As long as what can be seen of it fits into a
    /// period, nothing is late: exactly 0. Otherwise the two hops count that nobody has measured, those of the prices
    /// and of the choices on their way to the ledger.
    pub(super) fn excess(&self, period: Duration) -> f64 {
        let period = period.as_nanos() as f64;
        if self.seen.value() <= period { 0.0 } else { (self.seen.value() + 2.0 * self.hop.value()) / period - 1.0 }
    }
}

/// A mean of durations in which the newer ones count more [ns].
#[derive(Debug, Default)]
struct Smoothed(Option<f64>);

impl Smoothed {
    fn note(&mut self, duration: Duration) {
        let newest = duration.as_nanos() as f64;
        self.0 = Some(self.0.map_or(newest, |mean| mean + NEWEST * (newest - mean)));
    }

    fn value(&self) -> f64 {
        self.0.unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(1000);

    /// Acts on states `old` at the act, with prices `answered` ms old in them and after a `hop`.
    fn measured(hop: u64, ages: impl IntoIterator<Item = (u64, u64)>) -> f64 {
        let mut age = LoopAge::default();
        for (n, (old, answered)) in (1..).zip(ages) {
            let shown = Time::ZERO + n * 10 * PERIOD;
            age.arrived(Duration::from_millis(hop));
            let news = MarketState {
                slot: 1,
                number: 1,
                time: shown,
                quotes_time: Time(0),
                choices_time: Time(0),
                oldest_answered: Time(0),
                news_age: Duration::from_millis(answered),
                prices: Vec::new(),
                aggregate: None,
            };
            age.acts(&news, shown + Duration::from_millis(old));
        }
        age.excess(PERIOD)
    }

    #[test]
    fn a_loop_that_fits_into_a_period_has_no_excess_at_all() {
        assert_eq!(measured(249, [(500, 500); 100]), 0.0);
        assert_eq!(measured(100, [(333, 667), (400, 500), (999, 1)]), 0.0);
    }

    #[test]
    fn of_a_longer_loop_every_hop_counts() {
        // Four hops of one period each.
        assert!((measured(1000, [(1500, 1500); 3]) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_single_old_state_does_not_make_an_old_loop() {
        let steady = std::iter::repeat_n((400, 400), 20);
        assert_eq!(measured(10, steady.chain([(1900, 400)])), 0.0);
        assert!(measured(10, std::iter::repeat_n((1900, 400), 20)) > 1.2);
    }
}
