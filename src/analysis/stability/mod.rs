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
//! In lock-step a small disturbance of shares `dz` and prices `dp` goes from round to round by
//!
//! ```text
//! dz_j(u+1) = dz_j(u) - a S z_j (dp_j(u - fitness) - sum_k z_k dp_k(u - fitness))
//! dp_j(u+1) = dp_j(u) + b [S dz_j(u - demand) - z_j (R_e / alpha) dp_j(u - answer)]
//! ```
//!
//! with the lags of [`Lags`], and dies out if all roots of this system lie within the unit circle. The one root that is
//! always 1 stands for the sum of the shares, which nothing changes, and is left out.

mod critical;
mod lags;
mod setting;
mod slot;

pub use critical::{critical_half_periods, critical_price_step, critical_replicator_step};
pub use lags::Lags;
pub use setting::{Caveat, Setting};
pub use slot::{DelayLimit, Judgement, Limits, Omission, SlotStability, StepLimit, slot_stability};

use nalgebra::DMatrix;
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
}

/// Sizes of the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Replicator step `a`, of public fitness.
    pub replicator: f64,
    /// Price step `b`.
    pub price: f64,
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
    pub fn largest_root(&self, steps: Steps, lags: Lags) -> Root {
        let roots = self.matrix(steps, lags).complex_eigenvalues();
        let largest = roots.iter().max_by(|a, b| a.norm_sqr().total_cmp(&b.norm_sqr()));
        let largest = largest.expect("a game has a seller, and so a price");
        Root { modulus: largest.norm(), angle: largest.arg().abs() }
    }

    /// The system as one step of a longer state: the shares as sellers see them, `dz(u - demand)`, without the last
    /// seller's, which is minus the sum of the others; then the prices, the newest first, back to the longest lag.
    ///
    /// Counting shares from when sellers see them saves their history: prices reach them `fitness + demand` late.
    fn matrix(&self, steps: Steps, lags: Lags) -> DMatrix<f64> {
        let sellers = self.shares.len();
        let free = sellers - 1;
        let price = |lag: usize, seller: usize| free + lag * sellers + seller;
        let mut matrix = DMatrix::zeros(self.size(lags), self.size(lags));
        for (j, share) in self.shares.iter().enumerate().take(free) {
            matrix[(j, j)] = 1.0;
            for (k, weight) in self.shares.iter().enumerate() {
                let own = if j == k { 1.0 } else { 0.0 };
                matrix[(j, price(lags.share(), k))] = -steps.replicator * self.surplus * share * (own - weight);
            }
        }
        for (j, share) in self.shares.iter().enumerate() {
            let now = price(0, j);
            matrix[(now, now)] += 1.0;
            matrix[(now, price(lags.answer, j))] -= steps.price * share * self.response;
            let gain = steps.price * self.surplus;
            if j < free {
                matrix[(now, j)] = gain;
            } else {
                (0..free).for_each(|other| matrix[(now, other)] = -gain);
            }
            (1..=lags.longest()).for_each(|lag| matrix[(price(lag, j), price(lag - 1, j))] = 1.0);
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game(sellers: usize) -> Game {
        Game { shares: vec![1.0 / sellers as f64; sellers], surplus: 2.0, response: 5.0 }
    }

    #[test]
    fn equal_sellers_have_the_roots_of_their_quadratic() {
        // (x - 1)² + (b R_e / alpha (x - 1) + a b S²) / Q = 0: a pair whose product is 1 - (b R_e / alpha - a b S²) / Q.
        let steps = Steps { replicator: 0.9, price: 0.1 };
        let root = game(4).largest_root(steps, Lags::default());
        assert!((root.modulus.powi(2) - (1.0 - (0.5 - 0.36) / 4.0)).abs() < 1e-12);
        let half_sum = 1.0 - 0.125 / 2.0;
        assert!((root.angle.cos() - half_sum / root.modulus).abs() < 1e-12);
        assert!(root.is_stable());
    }

    #[test]
    fn a_single_seller_has_nothing_but_its_price() {
        let root = game(1).largest_root(Steps { replicator: 1e6, price: 0.3 }, Lags::default());
        assert!((root.modulus - 0.5).abs() < 1e-12);
        assert_eq!(root.period(), Some(2.0), "overshoots every other round");
    }
}
