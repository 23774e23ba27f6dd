//! Welfare of buyers, sellers and all, slot by slot, beside the day without a local market: the article's Figs. 6 and 7.

use super::label;
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark},
    data::{CaseData, Data},
};
use microgrid_record::{Number, SlotRow};

/// As many cases can be told apart in one chart.
const MOST_CASES: usize = 6;

/// Whose welfare.
struct Group {
    name: &'static str,
    title: &'static str,
    figure: &'static str,
    local: fn(&SlotRow) -> Option<Number>,
    peer_to_grid: fn(&SlotRow) -> Option<Number>,
}

const BUYERS: Group = Group {
    name: "welfare_buyers",
    title: "Welfare of the buyers",
    figure: "Fig. 6",
    local: |row| row.buyers_welfare_cny,
    peer_to_grid: |row| row.p2g_buyers_welfare_cny,
};

const SELLERS: Group = Group {
    name: "welfare_sellers",
    title: "Welfare of the sellers",
    figure: "Fig. 6",
    local: |row| row.sellers_welfare_cny,
    peer_to_grid: |row| row.p2g_sellers_welfare_cny,
};

const ALL: Group = Group {
    name: "welfare_total",
    title: "Welfare of all prosumers",
    figure: "Fig. 7",
    local: |row| row.welfare_cny,
    peer_to_grid: |row| row.p2g_welfare_cny,
};

/// Welfare in the open slots of each case, where there are few.
pub(super) fn of_study(data: &Data) -> impl Iterator<Item = Chart> {
    let few = data.manifest.case_count as usize <= MOST_CASES;
    few.then_some([BUYERS, SELLERS, ALL]).into_iter().flatten().filter_map(|group| chart(data, &group))
}

fn chart(data: &Data, group: &Group) -> Option<Chart> {
    let open = |case: &CaseData| {
        let (first, last) = case.entry.open;
        let slots = case.slots.iter().filter(move |row| (first..=last).contains(&row.slot));
        slots.cloned().collect::<Vec<_>>()
    };
    let days: Vec<Vec<SlotRow>> = data.cases.iter().map(open).collect();
    let longest = days.iter().max_by_key(|day| day.len())?;
    let (x, place) = label::slots(longest);
    let bars = |day: &[SlotRow], of: fn(&SlotRow) -> Option<Number>| {
        let bar = |row: &SlotRow| of(row).map(|welfare| (place(row.slot), welfare.value()));
        Mark::Bars(day.iter().filter_map(bar).collect())
    };
    let without = |day: &[SlotRow]| bars(day, group.peer_to_grid);
    // Where cases differ in more than the market, each has a day without one of its own: then none stands for all.
    let same = days.iter().filter(|day| day.len() == longest.len()).all(|day| without(day) == without(longest));
    let peer_to_grid = same.then(|| Layer::new("P2G", Color::Series(0), without(longest)));
    let local = data.cases.iter().zip(&days).enumerate().map(|(n, (case, day))| {
        Layer::new(label::case(data, &case.entry), Color::Series(n + 1), bars(day, group.local))
    });
    let beside = if same { " and in P2G, the same day without a local market" } else { "" };
    Chart {
        name: group.name.into(),
        title: group.title.into(),
        caption: format!("In each open slot, for each case{beside} ({} of the article).", group.figure),
        x,
        y: Axis::of("welfare").unit("CNY"),
        layers: peer_to_grid.into_iter().chain(local).collect(),
    }
    .with_data()
}

/// The welfare of a case's day, beside P2G.
pub(super) fn of_day(data: &Data, case: &CaseData) -> Option<Chart> {
    let (x, place) = label::slots(&case.slots);
    let bars = |of: fn(&SlotRow) -> Option<Number>| {
        let bar = |row: &SlotRow| of(row).map(|welfare| (place(row.slot), welfare.value()));
        Mark::Bars(case.slots.iter().filter_map(bar).collect())
    };
    Chart {
        name: "welfare".into(),
        title: format!("Welfare of all prosumers over the day{}", label::of_case(data, &case.entry)),
        caption: "With the local market, and in P2G, the same slots without one.".into(),
        x,
        y: Axis::of("welfare").unit("CNY"),
        layers: vec![
            Layer::new("P2G", Color::Series(0), bars(ALL.peer_to_grid)),
            Layer::new("local market", Color::Series(1), bars(ALL.local)),
        ],
    }
    .with_data()
}
