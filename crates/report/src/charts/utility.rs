//! What energy is worth, for several shares of prosumers on the ledger: the article's Fig. 2.

use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Stroke},
    data::Data,
};
use microgrid_agents::market::utility::{photovoltaic_preference, utility};

/// Preference for local energy without a ledger of the prosumer that is drawn [CNY/kWh].
const PREFERENCE: f64 = 2.5;

/// Shares of prosumers on the ledger that are drawn.
const SHARES: [f64; 3] = [0.0, 0.6, 1.0];

/// Utility of consumption by (4) and (5), with the scenario's `alpha` and `eta`.
pub(super) fn chart(data: &Data) -> Option<Chart> {
    let preferences = &data.plan.as_ref()?.scenario.preferences;
    let (alpha, eta) = (preferences.alpha, preferences.eta);
    let preference = |mu| photovoltaic_preference(PREFERENCE, eta, mu);
    let most = 1.15 * preference(1.0) / alpha;
    let curve = |mu: f64| {
        (0..=100).map(move |n| f64::from(n) * most / 100.0).map(move |x| (x, utility(x, preference(mu), alpha)))
    };
    let layer = |(n, mu): (usize, f64)| {
        Layer::new(format!("mu = {mu}"), Color::Series(n), Mark::Line(curve(mu).collect(), Stroke::Solid))
    };
    Chart::new(
        ("utility", "Utility of local energy"),
        format!(
            "What consumption is worth to a prosumer whose preference is {PREFERENCE} CNY/kWh without a ledger, for \
             several shares mu of prosumers on the ledger (alpha = {alpha}, eta = {eta}; Fig. 2 of the article)."
        ),
        (Axis::of("consumption").unit("kWh").from_zero(), Axis::of("utility").unit("CNY").from_zero()),
        SHARES.into_iter().enumerate().map(layer),
    )
}
