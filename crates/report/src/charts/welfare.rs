//! Welfare of buyers, sellers and all, slot by slot, beside the day without a local market: the article's Figs. 6 and 7.

use super::label;
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark},
    data::{CaseData, Data},
};
use microgrid_agents::ids::Slot;
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
        let (first, last) = case.entry.open;
        let slots = case.slots.iter().filter(move |row| (first..=last).contains(&row.slot));
        slots.cloned().collect::<Vec<_>>()
    };
    let days: Vec<Vec<SlotRow>> = data.cases.iter().map(open).collect();
    let longest = days.iter().max_by_key(|day| day.len())?;
    let (x, place) = label::slots(longest);
    let without = |day: &[SlotRow]| bars(day, place, peer_to_grid);
    // Where cases differ in more than the market, each has a day without one of its own: then none stands for all.
    let same = days.iter().filter(|day| day.len() == longest.len()).all(|day| without(day) == without(longest));
    let p2g = same.then(|| Layer::new("P2G", Color::Series(0), without(longest)));
    let cases = data.cases.iter().zip(&days).enumerate().map(|(n, (case, day))| {
        Layer::new(label::case(data, &case.entry), Color::Series(n + 1), bars(day, place, local))
    });
    let beside = if same { " and in P2G, the same day without a local market" } else { "" };
    Chart::new(
        (name, title),
        format!("In each open slot, for each case{beside} ({figure} of the article)."),
        (x, Axis::of("welfare").unit("CNY")),
        p2g.into_iter().chain(cases),
    )
}

fn bars(day: &[SlotRow], place: impl Fn(Slot) -> f64, of: fn(&SlotRow) -> Option<Number>) -> Mark {
    let bar = |row: &SlotRow| of(row).map(|welfare| (place(row.slot), welfare.value()));
    Mark::Bars(day.iter().filter_map(bar).collect())
}

/// The welfare of a case's day, beside P2G.
pub(super) fn of_day(case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let [local, peer_to_grid] = GROUPS[2].1;
    Chart::new(
        ("welfare", "Welfare of all prosumers over the day"),
        "With the local market, and in P2G, the same slots without one.",
        (x, Axis::of("welfare").unit("CNY")),
        [
            Layer::new("P2G", Color::Series(0), bars(&case.slots, place, peer_to_grid)),
            Layer::new("local market", Color::Series(1), bars(&case.slots, place, local)),
        ],
    )
}
