//! Exploration: a part of the demand that goes everywhere, so that no seller is forgotten.

/// Spreads `part` of the shares evenly, `z_j <- (1 - e) z_j + e / Q`; their sum stays 1.
pub fn explore(shares: &mut [f64], part: f64) {
    let even = part / shares.len() as f64;
    shares.iter_mut().for_each(|share| *share = (1.0 - part) * *share + even);
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
}
