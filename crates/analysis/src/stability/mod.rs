//! Whether the game spirals in to its equilibrium, by linear theory: section 6.
//!
//! | where | what |
//! |---|---|
//! | `lags` | how old news is, in rounds, on each way round the loop |
//! | `critical` | where the largest root leaves the unit circle |
//! | `setting` | what of a scenario matters here, and what the theory leaves out |
//! | `slot` | all of it for one slot of a case |
//! | this file | the linearised game and its roots |
//!
//! A small disturbance of shares `dz` and prices `dp` goes from round to round by
//!
//! ```text
//! dz_j(u+1) = dz_j(u) - a S z_j (dp_j(u - fitness) - sum_k z_k dp_k(u - fitness))
//! dp_j(u+1) = dp_j(u) + b_j [S dz_j(u - demand) - z_j (R_e / alpha) dp_j(u - answer)]
//! ```
//!
//! with the lags of [`Lags`], `share = fitness + demand`, and dies out if all roots of this system lie within the unit
//! circle. The one root that is always 1 stands for the sum of the shares, which nothing changes, and is left out.

mod critical;
mod lags;
mod setting;
mod slot;

// Hidden: what a judgement is made of, which the tests look at.
#[doc(hidden)]
pub use critical::{critical_price_step, critical_replicator_step};
#[doc(hidden)]
pub use lags::{Lags, Rhythm};
pub use setting::{Caveat, Setting};
pub use slot::{DelayLimit, Judgement, Limits, Omission, SlotStability, StepLimit, is_stable, slot_stability};

use lags::parts;
use microgrid_agents::market::replicator::AGE_BURDEN;
use nalgebra::{Complex, DMatrix, Schur, linalg::balancing::balance_parlett_reinsch};
use std::f64::consts::TAU;

/// A slot's game near its rest point between the tariffs.
#[derive(Clone, Debug, PartialEq)]
pub struct Game {
    /// Share of each seller at rest, `z_j = S_j / S`.
    pub shares: Vec<f64>,
    /// Total surplus `S` [kWh].
    pub surplus: f64,
    /// How strongly total demand answers to price, `R_e / alpha` [kWh per CNY/kWh].
    pub response: f64,
    /// By how much net utility falls where a seller has nothing for part of its demand, per part, beyond what the price
    /// makes up for: what buyers who have all they need would pay beyond the price [CNY].
    pub shortage: f64,
}

/// Sizes of the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Replicator step `a`, of public fitness.
    pub replicator: f64,
    /// Price step `b` of a seller of mean size.
    pub price: f64,
    /// Whether the price steps of others are in inverse proportion to their size, or all are the same.
    pub relative: bool,
    /// Age of the loop in excess of a period, `L`, by which both shrink as section 4 says [periods]; zero: not at all.
    pub excess: f64,
}

impl Steps {
    /// Steps that do not shrink with the age of the loop, and are the same for all sellers.
    pub fn whole(replicator: f64, price: f64) -> Self {
        Self { replicator, price, relative: false, excess: 0.0 }
    }

    fn replicator(self) -> f64 {
        self.replicator / (1.0 + AGE_BURDEN * self.excess)
    }

    /// The price step of a seller with `size` times the mean surplus. What is relative weighs alike on all; else the age
    /// burdens each by its size.
    fn price(self, size: f64) -> f64 {
        if self.relative { self.price / size / (1.0 + self.excess) } else { self.price / (1.0 + size * self.excess) }
    }
}

/// A root of the linearised game: what a disturbance of its kind is multiplied with from round to round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Root {
    /// Its size; the disturbance dies out if this is below 1.
    pub modulus: f64,
    /// Its angle, in [0, pi].
    pub angle: f64,
}

impl Root {
    /// Whether the disturbance dies out.
    pub fn is_stable(&self) -> bool {
        self.modulus < 1.0
    }

    /// Rounds from one crest of the oscillation to the next; `None` where nothing oscillates.
    pub fn period(&self) -> Option<f64> {
        // Rounding can split a double real root into two with a tiny angle.
        (self.angle > 1e-6).then(|| TAU / self.angle)
    }
}

impl Game {
    /// The bound on `a` without delay and with small price steps, `R_e / (alpha S²)`.
    pub fn replicator_bound(&self) -> f64 {
        self.response / (self.surplus * self.surplus)
    }

    /// The bound on `b` without delay, `2 alpha Q / R_e`.
    pub fn price_bound(&self) -> f64 {
        2.0 * self.shares.len() as f64 / self.response
    }

    /// How many unknowns the linear system has with these lags.
    pub fn size(&self, lags: Lags) -> usize {
        let sellers = self.shares.len();
        sellers - 1 + sellers * (lags.longest() + 1)
    }

    /// The root of largest modulus: of all disturbances, the one that lasts longest or grows fastest.
    ///
    /// What is short of a seller lets go of it, which steadies the game and is left out, unless the step is so large that
    /// this alone overshoots.
    pub fn largest_root(&self, steps: Steps, lags: Lags) -> Root {
        let [least, most] = lags.share;
        let shares = [Some(most), (least != most).then_some(least)].into_iter().flatten();
        let roots = shares.map(|share| largest(self.matrix(steps, lags.answer, share)));
        let overshoot = self.overshoot(steps, lags.fitness).filter(|root| !root.is_stable());
        let roots = roots.chain(overshoot).max_by(|a, b| a.modulus.total_cmp(&b.modulus));
        roots.expect("there is a share lag")
    }

    /// The largest root of shares that answer to nothing but being short, `fitness` rounds late:
    /// `dz(u+1) = dz(u) - a V dz(u - fitness)`.
    fn overshoot(&self, steps: Steps, fitness: f64) -> Option<Root> {
        if self.shortage == 0.0 || self.shares.len() == 1 {
            return None;
        }
        let size = fitness.ceil() as usize + 1;
        let mut matrix = DMatrix::zeros(size, size);
        matrix[(0, 0)] = 1.0;
        parts(fitness).for_each(|(lag, part)| matrix[(0, lag as usize)] -= steps.replicator() * self.shortage * part);
        (1..size).for_each(|lag| matrix[(lag, lag - 1)] = 1.0);
        Some(largest(matrix))
    }

    /// The system as one step of a longer state: the shares as sellers see them, `dz(u - demand)`, without the last
    /// seller's, which is minus the sum of the others; then the prices, the newest first, back to the longest lag.
    ///
    /// Counting shares from when sellers see them saves their history: prices reach them `share = fitness + demand` late.
    /// A lag of -1 is that of the very prices that are made in this step.
    fn matrix(&self, steps: Steps, answer: f64, share_lag: f64) -> DMatrix<f64> {
        let sellers = self.shares.len();
        let free = sellers - 1;
        let longest = answer.max(share_lag).ceil() as usize;
        let price = |lag: usize, seller: usize| free + lag * sellers + seller;
        let size = free + sellers * (longest + 1);
        let mut matrix = DMatrix::zeros(size, size);
        for (j, share) in self.shares.iter().enumerate() {
            let now = price(0, j);
            matrix[(now, now)] += 1.0;
            let step = steps.price(share * sellers as f64);
            for (lag, part) in parts(answer) {
                matrix[(now, price(lag as usize, j))] -= step * share * self.response * part;
            }
            let gain = step * self.surplus;
            if j < free {
                matrix[(now, j)] = gain;
            } else {
                (0..free).for_each(|other| matrix[(now, other)] = -gain);
            }
            (1..=longest).for_each(|lag| matrix[(price(lag, j), price(lag - 1, j))] = 1.0);
        }
        for (j, share) in self.shares.iter().enumerate().take(free) {
            matrix[(j, j)] = 1.0;
            for (k, weight) in self.shares.iter().enumerate() {
                let own = if j == k { 1.0 } else { 0.0 };
                let gain = -steps.replicator() * self.surplus * share * (own - weight);
                for (lag, part) in parts(share_lag) {
                    match usize::try_from(lag) {
                        Ok(lag) => matrix[(j, price(lag, k))] += gain * part,
                        Err(_) => {
                            let new = matrix.row(price(0, k)) * (gain * part);
                            let mut row = matrix.row_mut(j);
                            row += new;
                        }
                    }
                }
            }
        }
        matrix
    }
}

fn largest(matrix: DMatrix<f64>) -> Root {
    let largest = eigenvalues(matrix).into_iter().max_by(|a, b| a.norm_sqr().total_cmp(&b.norm_sqr()));
    let largest = largest.expect("a game has a seller, and so a price");
    Root { modulus: largest.norm(), angle: largest.arg().abs() }
}

/// All eigenvalues of a matrix.
///
/// The QR iteration of the library can go round in circles for matrices with many zeros and symmetries, as those of
/// equal sellers are. A shift of the diagonal leads out of them; should it not, a little precision is given up.
fn eigenvalues(mut matrix: DMatrix<f64>) -> Vec<Complex<f64>> {
    balance_parlett_reinsch(&mut matrix);
    let size = matrix.nrows();
    (0..)
        .find_map(|attempt| {
            let shift = 4.0 * (f64::from(attempt) * 0.618).fract();
            let precision = 1e-14 * 10_f64.powi(attempt / 3);
            let shifted = &matrix + DMatrix::from_diagonal_element(size, size, shift);
            let roots = Schur::try_new(shifted, precision, 30 * size)?.complex_eigenvalues();
            Some(roots.iter().map(|root| root - shift).collect())
        })
        .expect("with less and less precision, any iteration ends")
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::market::replicator::Fitness;

    fn game(sellers: usize) -> Game {
        Game { shares: vec![1.0 / sellers as f64; sellers], surplus: 2.0, response: 5.0, shortage: 0.0 }
    }

    #[test]
    fn equal_sellers_have_the_roots_of_their_quadratic() {
        // (x - 1)² + (b R_e / alpha (x - 1) + a b S²) / Q = 0: a pair whose product is 1 - (b R_e / alpha - a b S²) / Q.
        let steps = Steps::whole(0.9, 0.1);
        let root = game(4).largest_root(steps, Lags::default());
        assert!((root.modulus.powi(2) - (1.0 - (0.5 - 0.36) / 4.0)).abs() < 1e-12);
        let half_sum = 1.0 - 0.125 / 2.0;
        assert!((root.angle.cos() - half_sum / root.modulus).abs() < 1e-12);
        assert!(root.is_stable());
    }

    #[test]
    fn no_market_sends_the_search_for_roots_round_in_circles() {
        for sellers in 1..=8 {
            for halves in 0..=8 {
                for (replicator, price) in [(1e-4, 1e-4), (1e-4, 0.3), (0.1, 1e-3), (0.3, 0.3), (3.0, 2.0)] {
                    let game = game(sellers);
                    let steps = Steps::whole(replicator * game.replicator_bound(), price * game.price_bound());
                    let root = game.largest_root(steps, Lags::of_half_periods(halves, Fitness::Public));
                    assert!((0.1..10.0).contains(&root.modulus), "{root:?}");
                }
            }
        }
    }

    #[test]
    fn a_single_seller_has_nothing_but_its_price() {
        let root = game(1).largest_root(Steps::whole(1e6, 0.3), Lags::default());
        assert!((root.modulus - 0.5).abs() < 1e-12);
        assert_eq!(root.period(), Some(2.0), "overshoots every other round");
    }

    #[test]
    fn with_relative_steps_the_size_of_sellers_does_not_matter() {
        let uneven = Game { shares: vec![0.9, 0.0999, 0.0001], ..game(3) };
        for lags in
            [Lags::of_half_periods(2, Fitness::Public), Lags::out_of_step(Rhythm::Drifting, 0.3, 4, Fitness::Public)]
        {
            for excess in [0.0, 1.0] {
                let steps = Steps { relative: true, excess, ..Steps::whole(0.3, 0.1) };
                let [even, uneven] = [&game(3), &uneven].map(|game| game.largest_root(steps, lags));
                assert!((even.modulus / uneven.modulus - 1.0).abs() < 1e-9, "{even:?}, {uneven:?}");
            }
        }
    }

    #[test]
    fn news_that_is_late_in_parts_has_the_roots_of_both() {
        // x (x - 1) + c x / 4 + 3 c / 4 = 0 for a single seller of which three quarters of the demand are a round late.
        let lags = Lags { share: [0.0; 2], answer: 0.75, fitness: 0.0 };
        let root = game(1).largest_root(Steps::whole(1.0, 0.16), lags);
        assert!((root.modulus.powi(2) - 0.75 * 0.8).abs() < 1e-12);
    }

    #[test]
    fn shares_that_see_the_prices_of_their_own_round_are_those_of_leapfrog() {
        // (x - 1)² + c [(x - 1) + a S² x] = 0: a product of the roots of 1 - c, whatever the replicator step.
        let lags = Lags { share: [-1.0; 2], ..Lags::default() };
        let root = game(2).largest_root(Steps::whole(0.3, 0.08), lags);
        assert!((root.modulus.powi(2) - 0.8).abs() < 1e-12, "{root:?}");
    }

    #[test]
    fn buyers_who_cannot_bear_to_be_short_overshoot() {
        let overshoots = |shortage, halves| {
            let (game, lags) = (Game { shortage, ..game(3) }, Lags::of_half_periods(halves, Fitness::Public));
            !game.largest_root(Steps::whole(0.1, 0.01), lags).is_stable()
        };
        // `a V` may be 2 without delay and 1 with one period of it.
        assert_eq!(
            [(19.9, 0), (20.1, 0), (9.9, 2), (10.1, 2)].map(|(v, h)| overshoots(v, h)),
            [false, true, false, true]
        );
    }
}
