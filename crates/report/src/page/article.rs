//! The published study's numbers beside the run's, where the run is of that study.

use super::{details::Details, outcome::case_at};
use crate::{
    data::Data,
    format::{fixed, gain},
};
use microgrid_agents::{ids::Slot, market::demand::Demand};
use microgrid_record::{CaseEntry, Number, TradeRow};
use microgrid_scenario::{
    Plan,
    schema::{Open, Scenario, Tariff},
};

/// The study's profiles and tariff, as they are shipped.
const PROFILES: &str = include_str!("../../../../scenarios/data/5_prosumers.csv");
const TARIFF: &str = include_str!("../../../../scenarios/data/tariff.csv");

/// Table 1: the slot, and who buys how much from whom with everybody on the ledger [kWh].
const TABLE_1: (Slot, [(u32, u32, f64); 6]) =
    (17, [(3, 1, 0.768), (3, 2, 0.224), (3, 5, 0.608), (4, 1, 0.960), (4, 2, 0.280), (4, 5, 0.760)]);
/// Gain in welfare over slots 8 to 20, with everybody on the ledger, over nobody on it and over P2G.
const GAINS: (&str, &str) = ("+11.4 %", "+30.1 %");

/// A number of the article beside the run's.
#[derive(Debug, PartialEq)]
pub(super) struct Beside {
    pub(super) what: String,
    pub(super) article: String,
    /// `-` where the run has none.
    pub(super) here: String,
}

/// The article's numbers beside the run's; `None` where the run is of another study.
pub(super) fn article(data: &Data, trades: &Details<TradeRow>) -> Option<Vec<Beside>> {
    let plan = data.plan.as_ref().filter(|plan| is_published_study(plan))?;
    let everybody = |case: &&CaseEntry| mu(plan, case) == 1.0;
    let with = data.cases.iter().map(|case| &case.entry).find(everybody)?;
    let mut lines = Vec::new();
    if let Some(trades) = trades.of(with.case, TABLE_1.0) {
        lines.extend(TABLE_1.1.iter().map(|&(buyer, seller, article)| Beside {
            what: format!("Table 1, slot 17: {buyer} buys from {seller} [kWh]"),
            article: fixed(article, 3),
            here: traded(&trades.rows, buyer, seller).map_or_else(|| "-".to_owned(), |kwh| fixed(kwh, 3)),
        }));
    }
    let figures = data.case(with.case)?.key_figures.as_ref()?;
    let welfare = figures.open_slots.welfare_cny;
    if let Some(without) = case_at(data, 0.0) {
        lines.push(Beside {
            what: "welfare over slots 8 to 20: mu = 1 over mu = 0".to_owned(),
            article: GAINS.0.to_owned(),
            here: gain(welfare, without.open_slots.welfare_cny),
        });
    }
    lines.push(Beside {
        what: "welfare over slots 8 to 20: mu = 1 over P2G".to_owned(),
        article: GAINS.1.to_owned(),
        here: gain(welfare, figures.open_slots.p2g_welfare_cny),
    });
    Some(lines)
}

fn traded(trades: &[TradeRow], buyer: u32, seller: u32) -> Option<f64> {
    let trade = trades.iter().find(|trade| (trade.buyer, trade.seller) == (buyer, seller));
    trade.map(|trade| Number::value(trade.traded_kwh))
}

/// The share of prosumers on the ledger in a case.
fn mu(plan: &Plan, case: &CaseEntry) -> f64 {
    let varied = case.knobs.get("mu").and_then(serde_json::Value::as_f64);
    varied.unwrap_or(plan.scenario.preferences.mu)
}

/// Whether the population, the market and the preferences are those of the article, and nothing but `mu` is varied.
fn is_published_study(plan: &Plan) -> bool {
    let Scenario { market, preferences, storage, vary, .. } = &plan.scenario;
    let reads = |text: &str| plan.inputs.iter().any(|input| *input.text == *text);
    let same_tariffs = market.feed_in_tariff == Tariff::Constant(0.45) && market.local_fee() == 0.0;
    let same_market = same_tariffs && market.open == Open::Slots(8, 20);
    let same_preferences = (preferences.alpha, preferences.eta, preferences.demand) == (0.4, 0.2, Demand::Elastic);
    reads(PROFILES)
        && reads(TARIFF)
        && same_market
        && same_preferences
        && storage.is_none()
        && vary.keys().all(|knob| knob == "mu")
}
