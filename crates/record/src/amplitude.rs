//! How widely prices still swing towards the end of a slot's game.

use microgrid_agents::{message::MarketState, observation::Commit, time::Time};
use std::sync::Arc;

/// How widely the prices of a slot swing in the last tenth of the time from the opening of the market to gate closure.
///
/// Keeps the last state before that, and since then each seller's lowest and highest price. Where the game was over
/// before, prices stand still.
#[derive(Clone, Debug)]
pub(super) struct Amplitude {
    /// When the last tenth begins.
    from: Time,
    /// The newest market state before.
    before: Option<Arc<MarketState>>,
    /// Lowest and highest price of each seller since [CNY/kWh]; empty before the first commit.
    ranges: Vec<(f64, f64)>,
}

impl Amplitude {
    pub(super) fn new(opened: Time, closes: Time) -> Self {
        let tenth = closes.0.saturating_sub(opened.0) / 10;
        Self { from: Time(closes.0 - tenth), before: None, ranges: Vec::new() }
    }

    pub(super) fn add(&mut self, commit: &Commit) {
        let state = &commit.state;
        if state.time < self.from {
            self.before = Some(Arc::clone(state));
            return;
        }
        if self.ranges.is_empty() {
            // The prices with which the last tenth begins count too.
            let first = self.before.take().unwrap_or_else(|| Arc::clone(state));
            self.ranges = first.prices.iter().map(|&price| (price, price)).collect();
        }
        for &seller in &commit.quoted {
            let (price, (lowest, highest)) = (state.prices[seller as usize], &mut self.ranges[seller as usize]);
            *lowest = lowest.min(price);
            *highest = if highest.is_finite() { highest.max(price) } else { price };
        }
    }

    /// Largest minus smallest price of the seller where that is most [CNY/kWh]; `None` if nobody quoted a price.
    pub(super) fn largest(&self) -> Option<f64> {
        let standing = self.before.iter().flat_map(|state| &state.prices).map(|&price| (price, price));
        let quoted = self.ranges.iter().copied().chain(standing).filter(|(_, highest)| highest.is_finite());
        quoted.map(|(lowest, highest)| highest - lowest).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::day::state;

    /// The amplitude of one seller with these prices at these times [s], in a game from 0 s to 1000 s.
    fn amplitude(prices: &[(f64, f64)]) -> Option<f64> {
        let mut amplitude = Amplitude::new(Time(0), Time(1_000_000_000_000));
        for (n, &(seconds, price)) in (1..).zip(prices) {
            let state = state(n, seconds, price, None);
            amplitude.add(&Commit { state, choices: false, off_chain: 0, quoted: vec![0] });
        }
        amplitude.largest()
    }

    #[test]
    fn only_the_last_tenth_counts_and_begins_with_the_price_that_stood_before() {
        assert_eq!(amplitude(&[(1.0, 5.0), (899.0, 1.0), (950.0, 1.25), (960.0, 0.75), (999.0, 1.0)]), Some(0.5));
        assert_eq!(amplitude(&[(1.0, 5.0), (899.0, 2.0), (950.0, 1.25), (960.0, 1.5)]), Some(0.75));
    }

    #[test]
    fn prices_stand_still_after_the_last_commit() {
        assert_eq!(amplitude(&[(1.0, 5.0), (800.0, 1.0)]), Some(0.0));
    }

    #[test]
    fn a_seller_who_never_quoted_has_no_amplitude_and_one_who_quotes_late_begins_then() {
        assert_eq!(amplitude(&[]), None);
        assert_eq!(amplitude(&[(1.0, f64::INFINITY)]), None);
        assert_eq!(amplitude(&[(1.0, f64::INFINITY), (950.0, 1.0), (951.0, 1.5)]), Some(0.5));
    }

    #[test]
    fn the_widest_swing_of_all_sellers_counts() {
        let mut amplitude = Amplitude::new(Time(0), Time(1_000_000_000_000));
        for (seconds, prices) in [(910.0, [1.0, 2.0]), (920.0, [1.1, 2.5]), (930.0, [0.9, 2.25])] {
            let mut state = (*state(1, seconds, 0.0, None)).clone();
            state.prices = prices.to_vec();
            amplitude.add(&Commit { state: Arc::new(state), choices: false, off_chain: 0, quoted: vec![0, 1] });
        }
        assert_eq!(amplitude.largest(), Some(0.5));
    }
}
