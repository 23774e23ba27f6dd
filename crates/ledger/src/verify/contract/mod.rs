//! The contract, written a second time from its rules: what a call reads, and what it writes or why it is refused.

mod energy;
mod game;
mod settle;
mod trade;

use super::{
    desk::{Decision, Desk},
    state::{Execution, State},
};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Fact, Key},
        genesis::Genesis,
        identity::Party,
        refusal::Refusal,
    },
    statement::Quote,
};

/// Carries out a call against the state as it is.
pub(super) fn execute(genesis: &Genesis, state: &State, creator: Party, call: &Call) -> Execution {
    let mut desk = Desk { genesis, state, creator, reads: Vec::new() };
    let (writes, refusal) = match desk.execute(call) {
        Ok(writes) => (writes, None),
        Err(refusal) => (Vec::new(), Some(refusal)),
    };
    let with_text = |(key, fact): (Key, Fact)| (key, fact.to_json(), fact);
    Execution { reads: desk.reads, writes: writes.into_iter().map(with_text).collect(), refusal }
}

impl Desk<'_> {
    fn execute(&mut self, call: &Call) -> Decision {
        match call {
            Call::Genesis(_) | Call::Anchor(_) => Err(Refusal::AlreadyRecorded),
            Call::PublishTariff(tariff) => self.publish_tariff(tariff),
            Call::Register(slot, registration) => self.register(*slot, registration),
            Call::OpenGame(slot, game) => self.open_game(*slot, game),
            Call::PostQuote(Quote { slot, .. }) => self.post(*slot, call),
            Call::PostChoice(choice) => self.post(choice.slot, call),
            Call::PostOrders(orders) => self.post(orders.slot, call),
            Call::Clear(slot, clearing) => self.clear(*slot, clearing),
            Call::CloseGame(slot, outcome) => self.close_game(*slot, *outcome),
            Call::Settle(settlement) => self.settle(settlement),
            Call::Void(slot) => self.give_up(*slot),
            Call::RecordEnergy(slot, reading, invoice) => self.record_energy(*slot, reading, invoice.as_ref()),
        }
    }
}
