//! Means of a few values, and how well they are known.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The normal distribution lies within so many standard deviations with a probability of 95 %.
const NORMAL: f64 = 1.959_963_984_540_054;

/// Statistics over replicates, each of which counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// In how many replicates the measure was defined.
    pub count: u32,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Statistics {
    /// The statistics with this mean and standard deviation.
    pub(super) fn of(count: u32, mean: Option<f64>, deviation: Option<f64>) -> Self {
        let deviation = deviation.unwrap_or(0.0);
        Self { count, mean: mean.unwrap_or(0.0), squares: deviation * deviation * (f64::from(count) - 1.0) }
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / f64::from(self.count);
        self.squares += distance * (value - self.mean);
    }

    /// Mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Standard deviation of the replicates around it; `None` with fewer than two.
    pub fn standard_deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / f64::from(self.count - 1)).sqrt())
    }

    /// Half the width of the 95 % confidence interval around the mean, by Student's t; `None` with fewer than two.
    pub fn half_width(&self) -> Option<f64> {
        let deviation = self.standard_deviation()?;
        let t = StudentsT::new(0.0, 1.0, f64::from(self.count - 1)).expect("there is a degree of freedom or more");
        Some(t.inverse_cdf(0.975) * deviation / f64::from(self.count).sqrt())
    }
}

impl FromIterator<f64> for Statistics {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut statistics = Self::default();
        values.into_iter().for_each(|value| statistics.add(value));
        statistics
    }
}

/// How many of some trials succeeded, replicate by replicate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Share {
    replicates: f64,
    successes: f64,
    trials: f64,
    /// Sums over the replicates of the squares and the product of its successes and trials.
    squares: (f64, f64, f64),
}

impl Share {
    pub(super) fn add(&mut self, successes: u32, trials: u32) {
        let (of, all) = (f64::from(successes), f64::from(trials));
        self.replicates += 1.0;
        self.successes += of;
        self.trials += all;
        self.squares = (self.squares.0 + of * of, self.squares.1 + of * all, self.squares.2 + all * all);
    }

    /// The part that succeeded; `None` without trials.
    pub(super) fn value(&self) -> Option<f64> {
        (self.trials > 0.0).then(|| self.successes / self.trials)
    }

    /// The 95 % confidence interval of the share by Wilson's formula; `None` without trials.
    ///
    /// Its number of trials is the effective one: fewer where replicates scatter more than independent trials would,
    /// but no fewer than there are replicates.
    pub(super) fn interval(&self) -> Option<(f64, f64)> {
        let share = self.value()?;
        let (successes, both, trials) = self.squares;
        // Of the share, as a ratio of two sums over replicates.
        let variance = (successes - 2.0 * share * both + share * share * trials) * self.replicates
            / (self.replicates - 1.0)
            / (self.trials * self.trials);
        let binomial = share * (1.0 - share);
        // Of one replicate nothing is known, and where all are alike they scatter no more than independent trials.
        let scattered = self.replicates > 1.0 && variance > 0.0;
        let effective = (binomial / variance).max(self.replicates).min(self.trials);
        Some(wilson(share, if scattered { effective } else { self.trials }))
    }
}

/// Wilson's 95 % confidence interval of a share of so many independent trials.
fn wilson(share: f64, trials: f64) -> (f64, f64) {
    let square = NORMAL * NORMAL / trials;
    let middle = share + square / 2.0;
    let half = (square * (share * (1.0 - share) + square / 4.0)).sqrt();
    (((middle - half) / (1.0 + square)).max(0.0), ((middle + half) / (1.0 + square)).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::{
        ids::ActorId,
        streams::{Purpose, stream},
    };
    use rand::RngExt;

    #[test]
    fn intervals_are_those_of_student() {
        // Quantiles of t at 0.975 as statistical tables print them.
        for (count, t) in [(2, 12.706), (3, 4.303), (6, 2.571), (11, 2.228), (31, 2.042), (121, 1.980)] {
            let statistics: Statistics = (0..count).map(f64::from).collect();
            let scale = statistics.standard_deviation().unwrap() / f64::from(count).sqrt();
            let found = statistics.half_width().unwrap() / scale;
            assert!((found - t).abs() < 6e-4, "{count} values: {found}");
        }
    }

    #[test]
    fn equal_replicates_do_not_deviate() {
        let statistics: Statistics = [0.1; 10].into_iter().collect();
        assert_eq!((statistics.mean(), statistics.half_width()), (Some(0.1), Some(0.0)));
        assert_eq!(Statistics::default().mean(), None);
    }

    fn share(replicates: &[(u32, u32)]) -> Share {
        let mut share = Share::default();
        replicates.iter().for_each(|(successes, trials)| share.add(*successes, *trials));
        share
    }

    #[track_caller]
    fn assert_interval(replicates: &[(u32, u32)], low: f64, high: f64) {
        let found = share(replicates).interval().unwrap();
        assert!((found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5, "{replicates:?}: {found:?}");
    }

    #[test]
    fn intervals_of_shares_are_those_of_wilson() {
        // As published for 81 of 263, 15 of 148, 0 of 20 and 1 of 29 (Newcombe 1998, Table I, method 3).
        assert_interval(&[(81, 263)], 0.2553, 0.3662);
        assert_interval(&[(15, 148)], 0.0624, 0.1605);
        assert_interval(&[(0, 20)], 0.0, 0.1611);
        assert_interval(&[(1, 29)], 0.0061, 0.1718);
        assert_interval(&[(8, 10)], 0.4902, 0.9433);
        assert_eq!(share(&[(0, 0)]).interval(), None);
        // Never beyond a share, whatever is rounded.
        for trials in 1..2000 {
            let [none, all] = [0, trials].map(|successes| share(&[(successes, trials)]).interval().unwrap());
            assert!((0.0..1e-15).contains(&none.0) && (0.0..1e-15).contains(&(1.0 - all.1)), "{none:?}, {all:?}");
        }
    }

    #[test]
    fn what_replicates_have_in_common_widens_the_interval_of_a_share() {
        // All alike: as good as 20 independent trials.
        assert_interval(&[(4, 5); 4], 0.5840, 0.9193);
        // All or nothing: no better than 4, of which two succeed.
        assert_interval(&[(5, 5), (0, 5), (5, 5), (0, 5)], 0.1500, 0.8500);
        // Between: shares of 1, 0.8 and 0.6 by 15 trials have a variance of (0.2² + 0 + 0.2²) / (2 * 3) = 1 / 75, so
        // that there are 0.16 * 75 = 12 effective trials.
        let (low, high) = wilson(0.8, 12.0);
        assert_interval(&[(5, 5), (4, 5), (3, 5)], low, high);
    }

    /// Of how many of a thousand experiments the interval covers the truth, in per cent.
    fn coverage(mut covers: impl FnMut(&mut dyn FnMut() -> f64) -> bool) -> f64 {
        let mut random = stream(7, ActorId(0), Purpose::Behaviour);
        let mut uniform = || random.random::<f64>();
        0.1 * f64::from((0..1000).map(|_| u32::from(covers(&mut uniform))).sum::<u32>())
    }

    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        // By chance alone 95 % of a thousand are 95 ± 1.4 %.
        let normal = |uniform: &mut dyn FnMut() -> f64| (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let means = coverage(|uniform| {
            let seeds: Statistics = (0..6).map(|_| 3.0 + 0.5 * normal(uniform)).collect();
            (seeds.mean().unwrap() - 3.0).abs() <= seeds.half_width().unwrap()
        });
        assert!((means - 95.0).abs() < 2.0, "{means} %");
        // Both cases of a pair have what their seed does to them, and the difference is 0.1.
        let differences = coverage(|uniform| {
            let pair = |_| (0.1 + 0.2 * normal(uniform), 5.0 * normal(uniform));
            let seeds: Statistics = (0..6).map(pair).map(|(own, seed)| (seed + own) - seed).collect();
            (seeds.mean().unwrap() - 0.1).abs() <= seeds.half_width().unwrap()
        });
        assert!((differences - 95.0).abs() < 2.0, "{differences} %");
        let shares = |alike: f64| {
            coverage(|uniform| {
                let mut share = Share::default();
                for _ in 0..20 {
                    // A slot is like the first of its replicate with a probability of `alike`, else by itself.
                    let first = uniform() < 0.7;
                    let slots = (0..8).filter(|_| if uniform() < alike { first } else { uniform() < 0.7 }).count();
                    share.add(slots as u32, 8);
                }
                let (low, high) = share.interval().unwrap();
                low <= 0.7 && 0.7 <= high
            })
        };
        for alike in [0.0, 0.5, 0.9] {
            let found = shares(alike);
            assert!((found - 95.0).abs() < 2.5, "{alike}: {found} %");
        }
    }
}
