//! Meter readings and the grid's invoices.

use super::super::desk::{Decision, Desk, ensure};
use microgrid_agents::{
    chain::{
        fact::{Account, Fact, Key},
        refusal::Refusal,
    },
    ids::Slot,
    statement::{Invoice, MeterReading, Registration},
    units::Energy,
};

impl Desk<'_> {
    pub(super) fn record_energy(&mut self, slot: Slot, reading: &MeterReading, invoice: Option<&Invoice>) -> Decision {
        let number = self.prosumer()?;
        let tariff = self.tariff(slot).ok_or(Refusal::MarketClosed)?;
        let market = self.genesis.market_opens(slot);
        if market && self.must_be_there(Key::Settlement(slot), Refusal::MarketClosed).is_err() {
            let side = self.registration(slot, number);
            let waits = matches!(side, Some(Registration::Buyer(_) | Registration::Seller(_)));
            ensure(!waits, Refusal::MarketClosed)?;
        }
        self.must_be_vacant(Key::Meter(slot, number), Refusal::AlreadyRecorded)?;
        let &MeterReading { generated, consumed, charged, discharged, imported, exported } = reading;
        let amounts = [generated, consumed, charged, discharged, imported, exported];
        ensure(amounts.iter().all(|&amount| amount >= Energy::ZERO), Refusal::EnergyDoesNotBalance)?;
        let account = if market { self.account(slot, number).copied().unwrap_or_default() } else { Account::default() };
        let gained = total([generated, discharged, imported, account.bought]);
        let given = total([consumed, charged, exported, account.sold]);
        ensure(gained == given, Refusal::EnergyDoesNotBalance)?;
        let exchanged = imported != Energy::ZERO || exported != Energy::ZERO;
        let charge = imported.priced(tariff.grid).ok_or(Refusal::WrongInvoice)?;
        let credit = exported.priced(tariff.feed_in).ok_or(Refusal::WrongInvoice)?;
        let due = exchanged.then_some(Invoice { slot, charge, credit });
        ensure(invoice == due.as_ref(), Refusal::WrongInvoice)?;
        let mut writes = vec![(Key::Meter(slot, number), Fact::Meter(*reading))];
        writes.extend(due.map(|invoice| (Key::Invoice(slot, number), Fact::Invoice(invoice))));
        Ok(writes)
    }
}

fn total(amounts: [Energy; 4]) -> i128 {
    amounts.iter().map(|amount| i128::from(amount.0)).sum()
}
