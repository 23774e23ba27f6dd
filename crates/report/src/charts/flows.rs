//! Who trades with whom: buyers against sellers, colored by the energy between them.

use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale},
    data::{
        CaseData,
        flows::{Flows, Party},
    },
};
use microgrid_agents::ids::Slot;

/// The trades of a case's day.
pub(super) fn of_day(case: &CaseData) -> Option<Chart> {
    chart(case.flows.as_ref()?, "Who traded with whom over the day".into())
}

/// The trades of a slot.
pub(super) fn of_slot(case: &CaseData, slot: Slot) -> Option<Chart> {
    chart(case.slot_flows.get(&slot)?, format!("Who traded with whom in slot {slot}"))
}

fn chart(flows: &Flows, title: String) -> Option<Chart> {
    let names = |parties: &[Party]| {
        let name = |party: &Party| match party {
            Party::Prosumer(number) => number.to_string(),
            Party::Others(count) => format!("{count} others, mean"),
        };
        Scale::Names(parties.iter().map(name).collect())
    };
    let size = |party: &Party| match party {
        Party::Prosumer(_) => 1.0,
        Party::Others(count) => *count as f64,
    };
    let of_pair = |buyer: usize, seller: usize| {
        let pairs = size(&flows.buyers[buyer]) * size(&flows.sellers[seller]);
        (seller as f64, buyer as f64, flows.kwh[buyer][seller].map(|kwh| kwh / pairs))
    };
    let cells = (0..flows.buyers.len()).flat_map(|buyer| (0..flows.sellers.len()).map(move |seller| (buyer, seller)));
    let cells = cells.map(|(buyer, seller)| of_pair(buyer, seller)).collect();
    let others = |parties: &[Party]| matches!(parties.last(), Some(Party::Others(_)));
    let summed = others(&flows.buyers) || others(&flows.sellers);
    let caption = if summed {
        "Energy that each buyer got from each seller. Of those that trade least there is the mean: what one of them got from \
         each seller, sold to each buyer, or got from another one of them."
    } else {
        "Energy that each buyer got from each seller."
    };
    let values = Axis::of("energy of a pair").unit("kWh").from_zero();
    Chart::new(
        ("trades", title),
        caption,
        (Axis::of("seller").scale(names(&flows.sellers)), Axis::of("buyer").scale(names(&flows.buyers))),
        [Layer::unnamed(Color::Reference, Mark::Heat(cells, values))],
    )
}
