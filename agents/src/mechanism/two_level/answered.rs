//! Which prices the choices in force have answered.
//!
//! A choice tells the date of the prices that its purchases answer. The board keeps these dates: the oldest of them tells
//! how old the oldest news in the lap of an act is; and, where sellers go by it, what prices these were.

use crate::{message::MarketState, time::Time};
use std::{collections::VecDeque, sync::Arc};

/// Which prices the choices in force have answered.
#[derive(Debug)]
pub(super) struct Answered {
    dates: Dates,
    /// The markets that were shown, one for each date of prices, back to the oldest that a choice answers; `None` where
    /// nobody asks for prices.
    shown: Option<VecDeque<Arc<MarketState>>>,
}

/// Dates of the prices that choices answer; the start of the run while a buyer has made none.
#[derive(Debug)]
enum Dates {
    /// Of each of these buyers' choices.
    Each(Vec<Time>),
    /// Ascending, with how many choices answer each; or only the oldest, where nobody asks for more.
    Counted(Vec<(Time, u32)>),
}

impl Answered {
    pub(super) fn new(buyers: usize, keeps_prices: bool) -> Self {
        Self { dates: Dates::Each(vec![Time::ZERO; buyers]), shown: keeps_prices.then(VecDeque::new) }
    }

    pub(super) fn note(&mut self, buyer: usize, date: Time) {
        if let Dates::Each(dates) = &mut self.dates {
            dates[buyer] = date;
        }
    }

    /// Goes by these from now on, those of all choices.
    pub(super) fn count(&mut self, mut dates: Vec<(Time, u32)>) {
        dates.sort_unstable();
        dates.dedup_by(|(date, more), (before, count)| {
            let same = date == before;
            *count += if same { *more } else { 0 };
            same
        });
        self.dates = Dates::Counted(dates);
    }

    /// The dates, ascending, with how many choices answer each; or only the oldest, where nobody asks for more.
    pub(super) fn counted(&self) -> Vec<(Time, u32)> {
        let mut dates = match &self.dates {
            Dates::Counted(dates) => return dates.clone(),
            Dates::Each(dates) if self.shown.is_none() => {
                return dates.iter().min().map(|oldest| (*oldest, 1)).into_iter().collect();
            }
            Dates::Each(dates) => dates.clone(),
        };
        dates.sort_unstable();
        dates.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
    }

    /// Date of the oldest prices that a choice in force answers; the start of the run while somebody has made none.
    pub(super) fn oldest(&self) -> Time {
        match &self.dates {
            Dates::Each(dates) => dates.iter().copied().min(),
            Dates::Counted(dates) => dates.first().map(|(date, _)| *date),
        }
        .unwrap_or_default()
    }

    pub(super) fn show(&mut self, state: &Arc<MarketState>) {
        let oldest = self.oldest();
        let Some(shown) = &mut self.shown else { return };
        while shown.get(1).is_some_and(|next| next.quotes_time <= oldest) {
            shown.pop_front();
        }
        if shown.back().is_some_and(|last| last.quotes_time == state.quotes_time) {
            shown.pop_back();
        }
        shown.push_back(Arc::clone(state));
    }

    /// Mean over all choices of the price that they answered, one a seller [CNY/kWh]; empty where prices are not kept.
    /// A seller that had not quoted yet counts as with its price of `now`.
    pub(super) fn mean_prices(&self, now: &[f64]) -> Vec<f64> {
        let Some(shown) = &self.shown else { return Vec::new() };
        let dates: Vec<(Time, u32)> = self.counted().into_iter().filter(|(date, _)| *date > Time::ZERO).collect();
        let mut sums = vec![0.0; now.len()];
        for &(date, choices) in &dates {
            let then = shown.iter().find(|state| state.quotes_time == date);
            let then = then.map_or(now, |state| &state.prices);
            for ((sum, &then), &now) in sums.iter_mut().zip(then).zip(now) {
                *sum += f64::from(choices) * if then.is_finite() { then } else { now };
            }
        }
        let count = f64::from(dates.iter().map(|(_, choices)| choices).sum::<u32>().max(1));
        sums.iter_mut().for_each(|sum| *sum /= count);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn state(quotes_time: u64, prices: &[f64]) -> Arc<MarketState> {
        Arc::new(MarketState {
            slot: 1,
            number: 1,
            time: Time(quotes_time),
            quotes_time: Time(quotes_time),
            choices_time: Time(quotes_time),
            oldest_answered: Time::ZERO,
            news_age: Duration::ZERO,
            prices: prices.to_vec(),
            aggregate: None,
        })
    }

    #[test]
    fn prices_are_those_that_the_choices_answered() {
        let mut answered = Answered::new(3, true);
        answered.show(&state(5, &[0.5, f64::INFINITY]));
        assert_eq!(answered.oldest(), Time::ZERO);
        answered.note(0, Time(5));
        assert_eq!(answered.mean_prices(&[0.55, 0.8]), [0.5, 0.8], "who has made no choice does not count");
        answered.show(&state(9, &[0.6, 0.8]));
        answered.note(1, Time(9));
        answered.note(2, Time(9));
        assert_eq!(answered.oldest(), Time(5));
        let [first, second] = answered.mean_prices(&[0.7, 0.9])[..] else { panic!("two sellers") };
        assert!((first - 1.7 / 3.0).abs() < 1e-12 && (second - 2.5 / 3.0).abs() < 1e-12);
        answered.note(0, Time(9));
        answered.show(&state(12, &[0.65, 0.85]));
        assert_eq!(answered.shown.as_ref().unwrap().len(), 2, "what nobody answers any more is forgotten");
        let [first, second] = answered.mean_prices(&[0.65, 0.85])[..] else { panic!("two sellers") };
        assert!((first - 0.6).abs() < 1e-12 && (second - 0.8).abs() < 1e-12);
    }

    #[test]
    fn where_nobody_asks_prices_are_not_kept() {
        let mut answered = Answered::new(1, false);
        answered.show(&state(5, &[0.5]));
        answered.note(0, Time(5));
        assert!(answered.mean_prices(&[0.5]).is_empty());
        assert_eq!(answered.oldest(), Time(5));
    }
}
