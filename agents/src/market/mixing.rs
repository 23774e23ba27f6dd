//! Mixing: a part of the demand that goes where the surplus is, so that nobody has to find it by trial.

/// Moves a `part` of the `shares` towards these published `surplus`es [kWh], one a seller: `z_j <- (1 - e) z_j + e S_j /
/// S`; their sum stays 1.
pub fn mix(shares: &mut [f64], part: f64, surplus: impl Iterator<Item = f64> + Clone) {
    let total: f64 = surplus.clone().sum();
    for (share, surplus) in shares.iter_mut().zip(surplus) {
        *share = (1.0 - part) * *share + part * surplus / total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_where_the_surplus_is() {
        let mut shares = [0.5, 0.5];
        mix(&mut shares, 0.2, [3.0, 1.0].into_iter());
        assert!((shares[0] - 0.55).abs() < 1e-12 && (shares[1] - 0.45).abs() < 1e-12);
        let mut at_rest = [0.75, 0.25];
        mix(&mut at_rest, 0.2, [3.0, 1.0].into_iter());
        assert!((at_rest[0] - 0.75).abs() < 1e-12, "where the market clears, it moves nothing");
    }
}
