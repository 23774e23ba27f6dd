//! What a cheat makes of its registration, its bills and its meter.

use super::settle;
use crate::cheat::{Act, Forger, Script};
use microgrid_agents::{
    chain::{
        call::{BillsOf, Call, InvoiceTo},
        identity::Party,
        refusal::Refusal,
        transaction::Endorsement,
    },
    ids::Slot,
    market::trades::Trades,
    message::{Message, Submission, Verdict},
    statement::{Dispute, Invoice, MeterReading, Registration},
    units::{Energy, Money},
};
use std::sync::Arc;

/// Sells more than it has, and writes its own invoices.
#[derive(Default)]
pub(crate) struct Oversell {
    grid: f64,
}

/// A reading in its own name, endorsed by whoever endorses it.
fn reading(
    me: &Forger,
    slot: Slot,
    reading: MeterReading,
    invoice: Option<Invoice>,
    endorsements: Vec<Endorsement>,
) -> Arc<Submission> {
    let submission = me.own(Call::RecordEnergy(slot, Box::new(reading), invoice));
    Arc::new(Submission { endorsements, ..(*submission).clone() })
}

impl Script for Oversell {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let Party::Prosumer(number) = me.party() else { return Vec::new() };
        let own = |call, refusal| Act::refused(me.own(call), refusal);
        match heard {
            Message::SlotOpened(opened) => self.grid = opened.tariff.grid,
            Message::Registered(slot, Ok(())) => {
                let more = Registration::Seller(Registration::MOST_SURPLUS);
                return vec![own(Call::Register(*slot, more), Refusal::MarketClosed)];
            }
            Message::MarketState(state) if state.number == 2 => {
                return vec![own(settle(state.slot, &[(3, number, 1)]), Refusal::MarketClosed)];
            }
            Message::BillProposed(bills) => {
                return vec![
                    own(settle(bills.slot, &[(3, number, i64::MAX)]), Refusal::MoreThanSurplus),
                    own(settle(bills.slot, &[(3, number, 1)]), Refusal::PolicyUnmet),
                ];
            }
            Message::Settled(slot, trades) => {
                let mut acts = vec![own(settle(*slot, &[(3, number, 1)]), Refusal::AlreadySettled)];
                acts.extend(self.false_readings(*slot, trades, me));
                return acts;
            }
            _ => {}
        }
        Vec::new()
    }

    fn after(&mut self, said: &Message, me: &Forger) -> Vec<Act> {
        let Message::Submit(said) = said else { return Vec::new() };
        match said.proposal.call {
            Call::Register(slot, Registration::Seller(_)) => {
                let register = |surplus| me.own(Call::Register(slot, Registration::Seller(surplus)));
                vec![
                    Act::refused(register(Registration::MOST_SURPLUS), Refusal::StaleRead),
                    Act::refused(register(Registration::MOST_SURPLUS + Energy(1)), Refusal::InvalidRegistration),
                    Act::refused(register(Energy(-1)), Refusal::InvalidRegistration),
                ]
            }
            // Another reading that adds up just as well.
            Call::RecordEnergy(slot, ref told, invoice) => {
                let more = Energy(1);
                let other = MeterReading { generated: told.generated + more, consumed: told.consumed + more, ..**told };
                let again = reading(me, slot, other, invoice, said.endorsements.clone());
                vec![Act::refused(again, Refusal::StaleRead)]
            }
            _ => Vec::new(),
        }
    }
}

impl Oversell {
    /// Readings that do not balance with what it has sold, and invoices that are not the grid's.
    fn false_readings(&self, slot: Slot, trades: &Trades, me: &Forger) -> Vec<Act> {
        let sold: Energy = trades.iter().map(|trade| trade.energy).sum();
        assert!(sold > Energy::ZERO);
        let refused = |told, invoice, endorsements, refusal| {
            Act::refused(reading(me, slot, told, invoice, endorsements), refusal)
        };
        let kept = MeterReading { generated: sold, exported: sold, ..MeterReading::default() };
        let negative = MeterReading { consumed: Energy::ZERO - sold, ..MeterReading::default() };
        let imported = MeterReading { imported: sold + Energy(1_000_000), consumed: Energy(1_000_000), ..kept };
        let imported = MeterReading { generated: Energy::ZERO, exported: Energy::ZERO, ..imported };
        let due = Invoice { slot, charge: imported.imported.at_price(self.grid), credit: Money::ZERO };
        let free = Invoice { charge: Money::ZERO, ..due };
        let endorsed = |invoice| {
            let text = InvoiceTo { party: me.party(), invoice }.to_json();
            vec![Endorsement::new(Party::Grid, Some(me.sign(&text)))]
        };
        vec![
            refused(kept, None, Vec::new(), Refusal::EnergyDoesNotBalance),
            refused(negative, None, Vec::new(), Refusal::EnergyDoesNotBalance),
            refused(imported, None, Vec::new(), Refusal::WrongInvoice),
            refused(imported, Some(free), endorsed(free), Refusal::WrongInvoice),
            refused(imported, Some(due), endorsed(due), Refusal::PolicyUnmet),
        ]
    }
}

/// Never answers when it is asked to sign its bills.
pub(crate) struct Silence;

impl Script for Silence {
    fn says(&mut self, message: Message, _: &Forger) -> Option<Message> {
        (!matches!(message, Message::BillEndorsed(..))).then_some(message)
    }
}

/// Signs something else than its bills.
pub(crate) struct WrongText;

impl Script for WrongText {
    fn says(&mut self, message: Message, me: &Forger) -> Option<Message> {
        let Message::BillEndorsed(slot, _) = message else { return Some(message) };
        let nothing = BillsOf { slot, party: me.party(), bills: Vec::new() };
        Some(Message::BillEndorsed(slot, Verdict::Endorsed(Some(Box::new(me.sign(&nothing.to_json()))))))
    }
}

/// Disputes every bill.
pub(crate) struct Quarrel;

impl Script for Quarrel {
    fn says(&mut self, message: Message, _: &Forger) -> Option<Message> {
        let Message::BillEndorsed(slot, _) = message else { return Some(message) };
        Some(Message::BillEndorsed(slot, Verdict::Disputed(Dispute::WrongAmount)))
    }
}

/// Signs when it is asked for the third time.
#[derive(Default)]
pub(crate) struct Late {
    asked: u32,
}

impl Script for Late {
    fn on(&mut self, heard: &Message, _: &Forger) -> Vec<Act> {
        match heard {
            Message::BillProposed(_) => self.asked += 1,
            Message::SlotOpened(_) => self.asked = 0,
            _ => {}
        }
        Vec::new()
    }

    fn says(&mut self, message: Message, _: &Forger) -> Option<Message> {
        (!matches!(message, Message::BillEndorsed(..)) || self.asked >= 3).then_some(message)
    }
}
