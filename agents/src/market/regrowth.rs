//! Regrowth: shares of sellers that few have found grow faster than (15) alone lets them.

/// Lets `shares` that a step has made grow from `before` grow `factor` times as far, at sellers whose demand is below half
/// of their surplus (both in kWh); the others make room for it, and the sum stays what it was.
pub(crate) fn regrow(shares: &mut [f64], before: &[f64], sellers: impl Iterator<Item = (f64, f64)>, factor: f64) {
    let sum: f64 = shares.iter().sum();
    for ((share, before), (demand, surplus)) in shares.iter_mut().zip(before).zip(sellers) {
        if *share > *before && demand < surplus / 2.0 {
            *share += (factor - 1.0) * (*share - *before);
        }
    }
    let grown: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share *= sum / grown);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_grows_where_demand_is_missing_grows_faster() {
        let (before, after) = ([0.1, 0.2, 0.7], [0.11, 0.22, 0.67]);
        let mut shares = after;
        regrow(&mut shares, &before, [(0.1, 1.0), (0.6, 1.0), (0.3, 1.0)].into_iter(), 4.0);
        let sum = 0.14 + 0.22 + 0.67;
        for (share, expected) in shares.iter().zip([0.14, 0.22, 0.67]) {
            assert!((share - expected / sum).abs() < 1e-12);
        }
        let mut same = after;
        regrow(&mut same, &before, [(0.1, 1.0); 3].into_iter(), 1.0);
        assert!(same.iter().zip(after).all(|(a, b)| (a - b).abs() < 1e-15));
    }
}
