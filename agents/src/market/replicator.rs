//! How buyers learn: replicator dynamics in discrete steps, equations (12), (13) and (15).

use super::aggregate::Aggregate;
use serde::{Deserialize, Serialize};

/// Whose welfare a buyer compares when it moves its shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fitness {
    /// The net utility of each seller to all buyers (11), published by the ledger.
    #[default]
    Public,
    /// Only the buyer's own term of it.
    Private,
}

/// How large a step is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum StepSize {
    /// `a` or `b` as given.
    Fixed(f64),
    /// In units of the market's own scale, so that one number serves markets of any size.
    Scaled(f64),
}

/// Mean net utility `xi_bar = sum_j z_j xi_j` (12).
pub fn mean_fitness(shares: &[f64], fitness: &[f64]) -> f64 {
    shares.iter().zip(fitness).map(|(z, xi)| z * xi).sum()
}

/// Moves `shares` by one replicator step `z_j += a z_j (xi_j - xi_bar)` (15); returns the largest change of a share.
///
/// The sum of the shares stays what it was. Where the step would cut some share by more than half, the whole step is
/// shortened until it does not.
pub fn replicator_step(shares: &mut [f64], fitness: &[f64], step: f64) -> f64 {
    let mean = mean_fitness(shares, fitness);
    let steepest_loss = fitness.iter().map(|xi| mean - xi).fold(0.0, f64::max);
    let step = if step * steepest_loss > 0.5 { 0.5 / steepest_loss } else { step };
    let mut largest = 0.0_f64;
    for (share, xi) in shares.iter_mut().zip(fitness) {
        let change = step * *share * (xi - mean);
        *share += change;
        largest = largest.max(change.abs());
    }
    largest
}

/// Step `a` for public fitness; scaled: `k R_e / (alpha D B)`, zero while nothing is served.
pub fn public_step_size(size: StepSize, alpha: f64, market: &Aggregate) -> f64 {
    match size {
        StepSize::Fixed(a) => a,
        StepSize::Scaled(k) => quotient(k * market.responsive, alpha * market.total * market.served),
    }
}

/// Step `a_i` of one buyer for private fitness; scaled: `k (R_e / R) / (alpha D_i B_i)`, zero while nothing is served.
///
/// `buyers` is `R`, `demand` the buyer's `D_i = sum_j z_ij X*_ij` and `served` its `B_i = sum_j t_j z_ij X*_ij` [kWh].
pub fn private_step_size(size: StepSize, alpha: f64, market: &Aggregate, buyers: u32, demand: f64, served: f64) -> f64 {
    match size {
        StepSize::Fixed(a) => a,
        StepSize::Scaled(k) => quotient(k * market.responsive / f64::from(buyers), alpha * demand * served),
    }
}

fn quotient(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { numerator / denominator } else { 0.0 }
}
