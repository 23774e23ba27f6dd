//! Who trades with whom: buyers against sellers, colored by the energy between them.

use super::label;
use crate::report::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale},
    data::{
        CaseData, Data,
        flows::{Flows, Party},
    },
};
use microgrid_agents::ids::Slot;

/// The trades of a case's day.
pub(super) fn of_day(data: &Data, case: &CaseData) -> Option<Chart> {
    let title = format!("Who traded with whom over the day{}", label::of_case(data, &case.entry));
    chart(case.flows.as_ref()?, "trades", title)
}

/// The trades of a slot.
pub(super) fn of_slot(data: &Data, case: &CaseData, slot: Slot) -> Option<Chart> {
    let title = format!("Who traded with whom in slot {slot}{}", label::of_case(data, &case.entry));
    chart(case.slot_flows.get(&slot)?, "trades", title)
}

fn chart(flows: &Flows, name: &str, title: String) -> Option<Chart> {
    let names = |parties: &[Party]| {
        let name = |party: &Party| match party {
            Party::Prosumer(number) => number.to_string(),
            Party::Others(count) => format!("{count} others"),
        };
        Scale::Names(parties.iter().map(name).collect())
    };
    let rows = flows.kwh.iter().enumerate();
    let cells = rows
        .flat_map(|(buyer, row)| row.iter().enumerate().map(move |(seller, kwh)| (seller as f64, buyer as f64, *kwh)));
    let values = Axis::of("energy").unit("kWh").scale(Scale::LinearFromZero);
    Chart {
        name: name.into(),
        title,
        caption: "Energy that each buyer got from each seller; those that trade least are taken together.".into(),
        x: Axis::of("seller").scale(names(&flows.sellers)),
        y: Axis::of("buyer").scale(names(&flows.buyers)),
        layers: vec![Layer::unnamed(Color::Reference, Mark::Heat { cells: cells.collect(), values })],
    }
    .with_data()
}
