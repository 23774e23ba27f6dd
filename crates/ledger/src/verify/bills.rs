//! The bills of a slot, and what is signed of them.

use microgrid_agents::{
    chain::{
        call::BillsOf,
        fact::{Bill, Number},
        identity::Party,
    },
    ids::Slot,
    units::Energy,
};
use std::collections::BTreeMap;

/// The bills of a slot, by buyer and seller.
#[derive(Debug, Default)]
pub(super) struct Bills(pub(super) BTreeMap<(Number, Number), Bill>);

impl Bills {
    /// The texts that participants sign, each to endorse all its bills.
    pub(super) fn texts(&self, slot: Slot) -> BTreeMap<Number, String> {
        let mut bills: BTreeMap<Number, Vec<(Number, Number, Bill)>> = BTreeMap::new();
        for (&(buyer, seller), &bill) in &self.0 {
            for party in [buyer, seller] {
                bills.entry(party).or_default().push((buyer, seller, bill));
            }
        }
        let text = |(party, bills)| (party, BillsOf { slot, party: Party::Prosumer(party), bills }.to_json());
        bills.into_iter().map(text).collect()
    }
}

/// What `energy` costs at `price`, with the operator's `fee` [CNY/kWh]; `None` if no money can pay for it.
pub(super) fn bill(energy: Energy, price: f64, fee: f64) -> Option<Bill> {
    Some(Bill { energy, price, payment: energy.priced(price)?, fee: energy.priced(fee)? })
}
