//! Pairwise proportional imitation: a buyer meets others, and follows them by as much as they do better.

use rand::{Rng, RngExt};

/// Moves `shares` by as many meetings as there are sellers.
///
/// In each meeting one of the buyer's own suppliers j, drawn by `shares`, is held against one of somebody else's, k,
/// drawn by `others`. If k is worth more, `step / Q (xi_k - xi_j)` of the demand moves from j to k, where Q counts
/// meetings and sellers. If all buyers have the same shares, the expected move is that of a replicator step (15) of
/// this size. No share loses more than half of what it was; where `others` are all zero, nobody is met.
///
/// So many meetings keep the move of a single one as small, relative to the share that it takes from, as a replicator
/// step's: with fewer, the bound of one half would slow down what it should not.
pub fn imitation_step(shares: &mut [f64], others: &[f64], fitness: &[f64], step: f64, random: &mut impl Rng) {
    let (own, met) = (running_sums(shares), running_sums(others));
    if met.last().is_none_or(|total| *total <= 0.0) {
        return;
    }
    let meetings = shares.len();
    let least: Vec<f64> = shares.iter().map(|share| share / 2.0).collect();
    for _ in 0..meetings {
        let (j, k) = (draw(&own, random), draw(&met, random));
        if fitness[k] > fitness[j] {
            let wanted = step / meetings as f64 * (fitness[k] - fitness[j]);
            let moved = wanted.min((shares[j] - least[j]).max(0.0));
            shares[j] -= moved;
            shares[k] += moved;
        }
    }
}

fn running_sums(weights: &[f64]) -> Vec<f64> {
    let add = |sum: &mut f64, weight: &f64| {
        *sum += weight;
        Some(*sum)
    };
    weights.iter().scan(0.0, add).collect()
}

/// Draws a position in proportion to the weights whose running sums these are.
fn draw(sums: &[f64], random: &mut impl Rng) -> usize {
    let at = random.random::<f64>() * sums[sums.len() - 1];
    // Rounding may put the draw on the total itself.
    sums.partition_point(|&sum| sum <= at).min(sums.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::ActorId,
        streams::{Purpose, stream},
    };

    #[test]
    fn positions_are_drawn_in_proportion_and_those_without_weight_never() {
        let mut random = stream(7, ActorId(3), Purpose::Behaviour);
        let lottery = running_sums(&[0.0, 0.5, 0.0, 1.5]);
        let mut counts = [0; 4];
        (0..10_000).for_each(|_| counts[draw(&lottery, &mut random)] += 1);
        assert_eq!((counts[0], counts[2]), (0, 0));
        assert!((2_300..2_700).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn nobody_follows_those_who_do_worse_or_are_not_there() {
        let mut random = stream(7, ActorId(3), Purpose::Behaviour);
        let mut shares = [0.7, 0.3];
        imitation_step(&mut shares, &[1.0, 0.0], &[1.0, 2.0], 0.1, &mut random);
        imitation_step(&mut shares, &[0.0, 0.0], &[1.0, 2.0], 0.1, &mut random);
        imitation_step(&mut shares, &[0.0, 1.0], &[2.0, 1.0], 0.1, &mut random);
        assert_eq!(shares, [0.7, 0.3]);
    }
}
