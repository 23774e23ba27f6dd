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
