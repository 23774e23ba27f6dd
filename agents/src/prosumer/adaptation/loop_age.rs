//! How old the loop is from an act back to whoever acts.

use crate::{message::MarketState, time::Time};
use std::time::Duration;

/// Age of the loop in excess of one period, in periods `interval` of whoever acts `now` on these `news`; at least 0.
///
/// Exactly zero where the news is of this period: all times are whole nanoseconds.
pub(super) fn excess(news: &MarketState, now: Time, interval: Duration) -> f64 {
    let age = (now - news.time) + news.news_age;
    age.saturating_sub(interval).as_secs_f64() / interval.as_secs_f64()
}
