//! What energy is worth to who consumes it: equations (4) and (5).

/// Utility `U(x, w)` of consuming `x` [kWh] with preference `w` [CNY/kWh] and curvature `alpha` [CNY/kWh²] (4) [CNY].
///
/// Quadratic up to satiation at `w / alpha`, constant beyond.
pub fn utility(x: f64, preference: f64, alpha: f64) -> f64 {
    let enough = preference / alpha;
    if x >= enough { preference * enough / 2.0 } else { preference * x - alpha / 2.0 * x * x }
}

/// Preference for photovoltaic energy `(1 + eta mu) w_pv0` (5) [CNY/kWh].
///
/// `mu` in [0, 1] is the share of prosumers on the ledger, `eta` in [0, 1] how strongly that raises trust in local
/// energy, `without_ledger` the preference `w_pv0` without a ledger [CNY/kWh].
pub fn photovoltaic_preference(without_ledger: f64, eta: f64, mu: f64) -> f64 {
    (1.0 + eta * mu) * without_ledger
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utility_is_quadratic_up_to_satiation_and_constant_beyond() {
        assert!((utility(2.0, 2.5, 0.4) - 4.2).abs() < 1e-12);
        assert!((utility(6.25, 2.5, 0.4) - 7.8125).abs() < 1e-12);
        assert_eq!(utility(10.0, 2.5, 0.4), utility(6.25, 2.5, 0.4));
        assert_eq!(utility(0.0, 2.5, 0.4), 0.0);
    }

    #[test]
    fn the_ledger_raises_the_preference_for_local_energy() {
        assert_eq!(photovoltaic_preference(2.5, 0.2, 0.0), 2.5);
        assert!((photovoltaic_preference(2.5, 0.2, 0.6) - 2.8).abs() < 1e-12);
        assert!((photovoltaic_preference(2.5, 0.2, 1.0) - 3.0).abs() < 1e-12);
    }
}
