//! What moves a buyer's shares beside its learning: exploration, mixing, regrowth. Each leaves their sum as it was.

/// Spreads `part` of the shares evenly, `z_j <- (1 - e) z_j + e / Q`, so that no seller is forgotten.
pub fn explore(shares: &mut [f64], part: f64) {
    let even = part / shares.len() as f64;
    shares.iter_mut().for_each(|share| *share = (1.0 - part) * *share + even);
}

/// Moves a `part` of the `shares` towards these published `surplus`es [kWh], one a seller, so that nobody has to find them
/// by trial: `z_j <- (1 - e) z_j + e S_j / S`.
pub fn mix(shares: &mut [f64], part: f64, surplus: impl Iterator<Item = f64> + Clone) {
    let total: f64 = surplus.clone().sum();
    for (share, surplus) in shares.iter_mut().zip(surplus) {
        *share = (1.0 - part) * *share + part * surplus / total;
    }
}

/// Lets `shares` that a step has made grow from `before` grow `factor` times as far, faster than (15) alone lets them, at
/// sellers whose demand is below half of their surplus (both in kWh); the others make room for it.
pub fn regrow(shares: &mut [f64], before: &[f64], sellers: impl Iterator<Item = (f64, f64)>, factor: f64) {
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
    fn a_part_is_spread_evenly() {
        let mut shares = [1.0, 0.0, 0.0, 0.0];
        explore(&mut shares, 0.2);
        for (share, expected) in shares.iter().zip([0.85, 0.05, 0.05, 0.05]) {
            assert!((share - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_part_goes_where_the_surplus_is() {
        let mut shares = [0.5, 0.5];
        mix(&mut shares, 0.2, [3.0, 1.0].into_iter());
        assert!((shares[0] - 0.55).abs() < 1e-12 && (shares[1] - 0.45).abs() < 1e-12);
        let mut at_rest = [0.75, 0.25];
        mix(&mut at_rest, 0.2, [3.0, 1.0].into_iter());
        assert!((at_rest[0] - 0.75).abs() < 1e-12, "where the market clears, it moves nothing");
    }

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
