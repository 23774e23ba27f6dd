//! Prediction instead of caution: steps that are as large as the age of news allows, and a seller that knows what it has
//! already asked for.

/// Size of the buyers' scaled step where the loop is older than one period by `excess` periods: `n^n / (n + 1)^(n + 1)`
/// with `n = 1 + L`, the largest with which an integrator that hears of itself `n` periods late does not overshoot.
pub(super) fn buyers_step(excess: f64) -> f64 {
    let n = 1.0 + excess;
    (n / (n + 1.0)).powf(n) / (n + 1.0)
}

/// The demand that a seller may expect at its last price [kWh] (Smith predictor).
///
/// `demand` [kWh] is what it hears of, which answered a mean price of `answered` [CNY/kWh]; `last` is the price that is on
/// its way since. Of all buyers `responsive` shares answer to its price, each with a slope of one over `alpha`.
pub(in crate::prosumer) fn expected_demand(demand: f64, answered: f64, last: f64, responsive: f64, alpha: f64) -> f64 {
    (demand + responsive / alpha * (answered - last)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_delay_a_quarter_is_the_step_that_does_not_overshoot() {
        assert_eq!(buyers_step(0.0), 0.25);
        assert!((buyers_step(1.0) - 4.0 / 27.0).abs() < 1e-12);
        // z(u+1) = z(u) - k z(u-n) goes by the roots of r^(n+1) - r^n + k: with this k they meet on the real line.
        for n in 1..=8_i32 {
            let k = buyers_step(f64::from(n) - 1.0);
            let at = |root: f64| root.powi(n + 1) - root.powi(n) + k;
            let meeting = f64::from(n) / f64::from(n + 1);
            assert!(at(meeting).abs() < 1e-15, "{n}");
            assert!((1..1000).all(|i| at(f64::from(i) / 1000.0) > -1e-15), "{n}: a larger step has no real root");
        }
    }

    #[test]
    fn what_is_asked_for_already_is_not_asked_for_again() {
        // A price raised by 0.1 since, at which two buyers will want 0.5 kWh less in all.
        assert!((expected_demand(2.0, 0.6, 0.7, 2.0, 0.4) - 1.5).abs() < 1e-12);
        assert_eq!(expected_demand(2.0, 0.7, 0.7, 2.0, 0.4), 2.0);
        assert_eq!(expected_demand(0.1, 0.6, 0.9, 2.0, 0.4), 0.0);
    }
}
