//! Welfare of buyers, sellers and all, slot by slot, beside the day without a local market (the article's Figs. 6 and 7), and
//! what energy is worth, for several shares of prosumers on the ledger (its Fig. 2).

use super::{along::Along, label};
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Stroke},
    data::{CaseData, Data},
};
use microgrid_agents::market::utility;
use microgrid_record::{Number, SlotRow};

/// As many cases can be told apart in one chart.
const MOST_CASES: usize = 6;

/// Name and title of a chart and the article's figure, and whose welfare it shows, with a local market and without.
type Group = ([&'static str; 3], [fn(&SlotRow) -> Option<Number>; 2]);

const GROUPS: [Group; 3] = [
    (
        ["welfare_buyers", "Welfare of the buyers", "Fig. 6"],
        [|row| row.buyers_welfare_cny, |row| row.p2g_buyers_welfare_cny],
    ),
    (
        ["welfare_sellers", "Welfare of the sellers", "Fig. 6"],
        [|row| row.sellers_welfare_cny, |row| row.p2g_sellers_welfare_cny],
    ),
    (["welfare_total", "Welfare of all prosumers", "Fig. 7"], [|row| row.welfare_cny, |row| row.p2g_welfare_cny]),
];

/// Welfare in the open slots of each case, where there are few.
pub(super) fn of_study(data: &Data) -> impl Iterator<Item = Chart> {
    let few = data.manifest.case_count as usize <= MOST_CASES;
    few.then_some(GROUPS).into_iter().flatten().filter_map(|group| chart(data, group))
}

fn chart(data: &Data, ([name, title, figure], [local, peer_to_grid]): Group) -> Option<Chart> {
    let open = |case: &CaseData| {
        let slots = case.slots.iter().filter(|row| case.entry.open.contains(row.slot));
        slots.cloned().collect::<Vec<_>>()
    };
    let days: Vec<Vec<SlotRow>> = data.cases.iter().map(open).collect();
    let (of, longest) = data.cases.iter().zip(&days).max_by_key(|(_, day)| day.len())?;
    let along = Along::rows(of, longest).for_bars();
    let without = |day: &[SlotRow]| sums(day, along, peer_to_grid);
    // Where cases differ in more than the market, each has a day without one of its own: then none stands for all.
    let same = days.iter().filter(|day| day.len() == longest.len()).all(|day| without(day) == without(longest));
    let p2g = same.then(|| Along::bars("P2G", Color::Series(0), without(longest)));
    let cases = data.cases.iter().zip(&days).enumerate().map(|(n, (case, day))| {
        Along::bars(label::case(data, &case.entry), Color::Series(n + 1), sums(day, along, local))
    });
    let those = if along.days() > Some(1) { "days" } else { "day" };
    let beside = if same { format!(" and in P2G, the same {those} without a local market") } else { String::new() };
    // That of a case has all slots.
    let open = if along.days().is_some() { " in open slots" } else { "" };
    let by_day = if along.is_by_day() { " by day" } else { "" };
    Chart::new(
        (name, format!("{title}{open}{by_day}")),
        match along.is_by_day() {
            true => format!("In the open slots of each day, for each case{beside}."),
            false => format!("In each open slot, for each case{beside} ({figure} of the article)."),
        },
        (along.axis(), Axis::of("welfare").unit("CNY")),
        p2g.into_iter().chain(cases),
    )
}

fn sums(day: &[SlotRow], along: Along<'_>, of: fn(&SlotRow) -> Option<Number>) -> Vec<(f64, f64)> {
    let welfare = |row: &SlotRow| of(row).map(|welfare| (row.slot, welfare.value()));
    along.sums(day.iter().filter_map(welfare))
}

pub(super) fn of_day(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case).for_bars();
    let [local, peer_to_grid] = GROUPS[2].1;
    let what =
        if along.days() > Some(1) { "Welfare of all prosumers in all slots" } else { "Welfare of all prosumers" };
    Chart::new(
        ("welfare", along.title(what)),
        "With the local market, and in P2G, the same slots without one.",
        (along.axis(), Axis::of("welfare").unit("CNY")),
        [
            Along::bars("P2G", Color::Series(0), sums(&case.slots, along, peer_to_grid)),
            Along::bars(label::LOCAL, Color::Series(1), sums(&case.slots, along, local)),
        ],
    )
}

/// Preference for local energy without a ledger of the prosumer that is drawn [CNY/kWh].
const PREFERENCE: f64 = 2.5;

/// Shares of prosumers on the ledger that are drawn.
const SHARES: [f64; 3] = [0.0, 0.6, 1.0];

/// Utility of consumption by (4) and (5), with the scenario's `alpha` and `eta`.
pub(super) fn utility(data: &Data) -> Option<Chart> {
    let preferences = &data.plan.as_ref()?.scenario.preferences;
    let (alpha, eta) = (preferences.alpha, preferences.eta);
    let preference = |mu| utility::photovoltaic_preference(PREFERENCE, eta, mu);
    let most = 1.15 * preference(1.0) / alpha;
    let curve = |mu: f64| {
        (0..=100)
            .map(move |n| f64::from(n) * most / 100.0)
            .map(move |x| (x, utility::utility(x, preference(mu), alpha)))
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
