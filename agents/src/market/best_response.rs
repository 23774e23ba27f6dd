//! Smoothed best response: towards what is worth most, the more surely the larger the difference.

/// Moves `shares` by `fraction` of the way to the logit choice, `z_j = exp(sharpness xi_j) / sum_k exp(sharpness
/// xi_k)`.
///
/// `fitness` is `xi` [CNY], `sharpness` is `1 / lambda` [1/CNY], `fraction` lies in [0, 1].
pub fn best_response_step(shares: &mut [f64], fitness: &[f64], sharpness: f64, fraction: f64) {
    // Nothing overflows if the best counts as one.
    let best = fitness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weight = |xi: f64| (sharpness * (xi - best)).exp();
    let total: f64 = fitness.iter().copied().map(weight).sum();
    for (share, &xi) in shares.iter_mut().zip(fitness) {
        *share = (1.0 - fraction) * *share + fraction * weight(xi) / total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_the_exponential_of_the_difference() {
        let mut shares = [0.9, 0.1];
        best_response_step(&mut shares, &[1000.0, 1002.0], 0.5, 1.0);
        assert!((shares[1] / shares[0] - 1.0_f64.exp()).abs() < 1e-12);
    }

    #[test]
    fn a_fraction_of_the_way_is_gone() {
        let mut shares = [0.9, 0.1];
        best_response_step(&mut shares, &[3.0, 3.0], 7.0, 0.25);
        assert!((shares[0] - 0.8).abs() < 1e-12 && (shares[1] - 0.2).abs() < 1e-12);
    }

    #[test]
    fn without_noise_worth_mentioning_the_best_takes_all() {
        let mut shares = [0.5, 0.3, 0.2];
        best_response_step(&mut shares, &[-1e300, 1.0, 0.9], 1e6, 1.0);
        assert_eq!(shares, [0.0, 1.0, 0.0]);
    }
}
