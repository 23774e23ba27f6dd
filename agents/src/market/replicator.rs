//! How buyers learn: replicator dynamics in discrete steps, equations (12), (13) and (15).

use super::{
    aggregate::{Aggregate, STEEPEST},
    experience::Experience,
    step::StepSize,
    sums::survey,
};
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

/// A growing share counts as at least this when its change is held against the tolerance. What grows in proportion to
/// itself (15) moves by next to nothing as long as it is next to nothing, however fast it grows: without this, shares
/// that have collapsed would look like rest for as long as they need to recover.
pub(crate) const NOTICED_SHARE: f64 = 1e-4;

/// How much a `change` of a `share` counts as a move.
fn counted(share: f64, change: f64) -> f64 {
    let weight = if change > 0.0 && share < NOTICED_SHARE { NOTICED_SHARE / share } else { 1.0 };
    change.abs() * weight
}

/// The largest change of a share, where a growing share counts as at least 1e-4.
///
/// Infinite where a share has grown out of nothing.
pub fn largest_change(before: &[f64], after: &[f64]) -> f64 {
    before.iter().zip(after).map(|(&before, after)| counted(before, after - before)).fold(0.0, f64::max)
}

/// How much each period by which the loop is too old weighs on a step of the shares: `DelayAware` divides it by
/// `1 + 1.7 L`.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub const AGE_BURDEN: f64 = 1.7;

/// Mean net utility `xi_bar = sum_j z_j xi_j` (12), of shares that sum to 1; NaN where all shares are zero.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub fn mean_fitness(shares: &[f64], fitness: &[f64]) -> f64 {
    // Dividing by the sum, which is 1 but for rounding, keeps a step from multiplying that rounding error by
    // `1 - a xi_bar`: large populations would blow it up within a few rounds.
    let (dot, total, _) = survey(shares, fitness);
    dot / total
}

/// Moves `shares` by one replicator step `z_j += a z_j (xi_j - xi_bar)` (15); returns the largest change of a share, as
/// [`largest_change`] counts it.
///
/// The sum of the shares stays what it was. Where the step would cut some share by more than half, the whole step is
/// shortened until it does not.
pub fn replicator_step(shares: &mut [f64], fitness: &[f64], step: f64) -> f64 {
    let (dot, total, least) = survey(shares, fitness);
    let mean = dot / total;
    let steepest_loss = (mean - least).max(0.0);
    let step = step.min(0.5 / steepest_loss);
    let move_share = |share: &mut f64, xi: f64| {
        let change = step * *share * (xi - mean);
        let counts = counted(*share, change);
        *share += change;
        counts
    };
    let (fours, rest) = shares.as_chunks_mut::<4>();
    let (fitness_fours, fitness_rest) = fitness.as_chunks::<4>();
    let mut largest = [0.0; 4];
    for (shares, fitness) in fours.iter_mut().zip(fitness_fours) {
        for lane in 0..4 {
            let change = move_share(&mut shares[lane], fitness[lane]);
            largest[lane] = if change > largest[lane] { change } else { largest[lane] };
        }
    }
    let rest = rest.iter_mut().zip(fitness_rest).map(|(share, xi)| move_share(share, *xi));
    largest.into_iter().chain(rest).fold(0.0, f64::max)
}

/// Step `a` for public fitness; scaled: `k R_e / (alpha D B)`, times [`Aggregate::stride`], zero while nothing is served.
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub fn public_step_size(size: StepSize, alpha: f64, market: &Aggregate) -> f64 {
    match size {
        StepSize::Fixed(a) => a,
        StepSize::Scaled(k) => {
            let (numerator, scale) = (k * market.answering() * market.stride, alpha * market.total * market.served);
            if scale > 0.0 { numerator / scale } else { 0.0 }
        }
    }
}

/// Step `a_i` of one of `buyers` for private fitness; scaled: `k (R_e / R) / (alpha D_i B_i)`, zero while nothing is
/// served, and larger where a tariff binds: by as much as what sellers there are worth to it answers less to its shares
/// than where prices move, see [`Sums::aggregate`](super::aggregate::Sums::aggregate).
#[doc(hidden)] // Hidden: for `microgrid-analysis` too.
pub fn private_step_size(size: StepSize, alpha: f64, market: &Aggregate, buyers: u32, own: &Experience) -> f64 {
    match size {
        StepSize::Fixed(a) => a,
        StepSize::Scaled(k) => k / private_scale(alpha, market, buyers, own),
    }
}

/// The same step of size `Scaled(1)` as if no tariff were binding.
pub(crate) fn private_unit(alpha: f64, market: &Aggregate, buyers: u32, own: &Experience) -> f64 {
    let unbound = Experience { demand: own.demand, served: own.served, ..Experience::default() };
    private_step_size(StepSize::Scaled(1.0), alpha, market, buyers, &unbound)
}

/// The scale of one buyer's own fitness [CNY]; infinite while nothing is served.
fn private_scale(alpha: f64, market: &Aggregate, buyers: u32, own: &Experience) -> f64 {
    let unit = alpha * own.demand * own.served;
    if unit <= 0.0 {
        return f64::INFINITY;
    }
    let moving = f64::from(buyers) / market.answering();
    let scale = unit * ((1.0 - own.short - own.slack) * moving + own.slack) + own.slope + own.kink;
    scale.max(unit / STEEPEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_flow_to_what_is_worth_more_than_the_mean() {
        let mut shares = [0.5, 0.2, 0.3];
        let largest = replicator_step(&mut shares, &[1.0, 2.0, 3.0], 0.1);
        for (share, expected) in shares.iter().zip([0.46, 0.204, 0.336]) {
            assert!((share - expected).abs() < 1e-12);
        }
        assert!((largest - 0.04).abs() < 1e-12);
    }

    #[test]
    fn a_step_that_would_cut_a_share_by_more_than_half_is_shortened_as_a_whole() {
        let mut shares = [0.5, 0.5];
        replicator_step(&mut shares, &[0.0, 2.0], 10.0);
        assert!((shares[0] - 0.25).abs() < 1e-12);
        assert!((shares[1] - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_seller_that_is_not_chosen_holds_nobody_back() {
        let mut shares = [0.5, 0.5, 0.0];
        replicator_step(&mut shares, &[1.0, 2.0, -1000.0], 0.1);
        assert!((shares[0] - 0.475).abs() < 1e-12);
        assert_eq!(shares[2], 0.0);
    }

    #[test]
    fn a_share_that_recovers_from_next_to_nothing_is_not_at_rest() {
        let mut shares = [1.0 - 1e-12, 1e-12];
        let largest = replicator_step(&mut shares, &[1.0, 2.0], 0.1);
        assert!((largest - 0.1 * NOTICED_SHARE).abs() < 1e-9, "grows by a tenth: {largest}");
        let largest = replicator_step(&mut shares, &[1.0, 0.0], 0.1);
        assert!(largest < 1e-12, "shrinks by a tenth: {largest}");
        assert_eq!(largest_change(&[1.0, 0.0], &[1.0, 0.0]), 0.0);
        assert!((largest_change(&[0.5, 0.5], &[0.4, 0.6]) - 0.1).abs() < 1e-12);
        assert!((largest_change(&[1.0, 1e-6], &[1.0, 2e-6]) - NOTICED_SHARE).abs() < 1e-12);
    }

    #[test]
    fn a_rounding_error_in_the_sum_of_shares_does_not_grow() {
        let mut shares = [0.5 + 1e-12, 0.5];
        for _ in 0..1000 {
            replicator_step(&mut shares, &[10.0, 10.0 + 1e-6], 1.0);
        }
        assert!((shares[0] + shares[1] - 1.0).abs() < 2e-12);
    }

    #[test]
    fn scaled_steps_shrink_with_the_square_of_the_market() {
        let market = Aggregate { total: 3.6, served: 1.8, responsive: 2.0, stride: 1.0, ..Aggregate::default() };
        assert_eq!(public_step_size(StepSize::Fixed(0.1), 0.4, &market), 0.1);
        let step = public_step_size(StepSize::Scaled(0.3), 0.4, &market);
        assert!((step - 0.6 / 2.592).abs() < 1e-12);
        let own = Experience { demand: 1.5, served: 0.5, ..Experience::default() };
        assert!((private_step_size(StepSize::Scaled(0.3), 0.4, &market, 4, &own) - 0.5).abs() < 1e-12);
        assert_eq!(private_step_size(StepSize::Fixed(0.1), 0.4, &market, 4, &own), 0.1);
        let glut = Experience { slack: 1.0, ..own };
        assert!(
            (private_step_size(StepSize::Scaled(0.3), 0.4, &market, 4, &glut) - 1.0).abs() < 1e-12,
            "as if all answered"
        );
        let short = Experience { short: 1.0, slope: 0.6, ..own };
        assert!((private_step_size(StepSize::Scaled(0.3), 0.4, &market, 4, &short) - 0.5).abs() < 1e-12);
        assert_eq!(private_unit(0.4, &market, 4, &short), private_unit(0.4, &market, 4, &own));
        let hardly = Experience { slope: 1e-9, ..short };
        assert!((private_step_size(StepSize::Scaled(0.3), 0.4, &market, 4, &hardly) - 20.0).abs() < 1e-12);
    }

    #[test]
    fn while_nothing_is_served_nobody_moves() {
        let market = Aggregate { responsive: 1.0, ..Aggregate::default() };
        assert_eq!(public_step_size(StepSize::Scaled(0.3), 0.4, &market), 0.0);
        assert_eq!(private_step_size(StepSize::Scaled(0.3), 0.4, &market, 2, &Experience::default()), 0.0);
    }
}
