//! Who trades with whom: buyers against sellers, colored by the energy between them.

use super::along::Along;
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark},
    data::{
        CaseData,
        flows::{Flows, Party},
    },
};
use microgrid_agents::ids::Slot;

pub(super) fn of_day(case: &CaseData) -> Option<Chart> {
    let along = Along::of(case);
    let title = match along.days() {
        Some(days @ 2..) => format!("Who traded with whom over {days} days"),
        _ => along.title("Who traded with whom"),
    };
    chart(case, case.flows.as_ref()?, title)
}

pub(super) fn of_slot(case: &CaseData, slot: Slot) -> Option<Chart> {
    chart(case, case.slot_flows.get(&slot)?, format!("Who traded with whom in {}", case.slot_name(slot)))
}

fn chart(case: &CaseData, flows: &Flows, title: String) -> Option<Chart> {
    let axis = |side: &str, parties: &[Party]| {
        let name = |party: &Party| match party {
            Party::Prosumer(number) => case.name(*number),
            Party::Others(count) => format!("{count} others, mean"),
        };
        Axis::of(side).named(parties.iter().map(name))
    };
    let size = |party: &Party| if let Party::Others(count) = party { *count as f64 } else { 1.0 };
    let mut cells = Vec::new();
    for (buyer, row) in flows.kwh.iter().enumerate() {
        for (seller, kwh) in row.iter().enumerate() {
            let pairs = size(&flows.buyers[buyer]) * size(&flows.sellers[seller]);
            cells.push((seller as f64, buyer as f64, kwh.map(|kwh| kwh / pairs)));
        }
    }
    let caption = if flows.buyers.iter().chain(&flows.sellers).any(|party| matches!(party, Party::Others(_))) {
        "Energy that each buyer got from each seller. Of those that trade least there is the mean: what one of them got from \
         each seller, sold to each buyer, or got from another one of them."
    } else {
        "Energy that each buyer got from each seller."
    };
    let values = Axis::of("energy of a pair").unit("kWh").from_zero();
    Chart::new(
        ("trades", title),
        caption,
        (axis("seller", &flows.sellers), axis("buyer", &flows.buyers)),
        [Layer::unnamed(Color::Reference, Mark::Heat(cells, values))],
    )
}
