//! Meter readings and the grid's invoices.

use super::super::desk::{Decision, Desk, ensure};
use microgrid_agents::{
    chain::{
        fact::{Account, Fact, Key},
        refusal::Refusal,
    },
    ids::Slot,
    statement::{Invoice, MeterReading, Registration},
    units::{Energy, Money},
};
use std::sync::Arc;

impl Desk<'_> {
    pub(super) fn record_energy(&mut self, slot: Slot, reading: &MeterReading, invoice: Option<&Invoice>) -> Decision {
        let number = self.prosumer()?;
        let tariff = Arc::clone(self.tariff(slot).ok_or(Refusal::MarketClosed)?);
        let market = self.genesis.market_opens(slot);
        if market && self.must_be_there(Key::Settlement(slot), Refusal::MarketClosed).is_err() {
            let side = self.registration(slot, number);
            let waits = matches!(side, Some(Registration::Buyer(_) | Registration::Seller(_)));
            ensure(!waits, Refusal::MarketClosed)?;
        }
        self.must_be_vacant(Key::Meter(slot, number), Refusal::AlreadyRecorded)?;
        let &MeterReading { generated, consumed, charged, discharged, imported, exported, short, long } = reading;
        let amounts = [generated, consumed, charged, discharged, imported, exported, short, long];
        ensure(amounts.iter().all(|&amount| amount >= Energy::ZERO), Refusal::EnergyDoesNotBalance)?;
        let account = if market { self.account(slot, number).copied().unwrap_or_default() } else { Account::default() };
        let gained = total([generated, discharged, imported, short, account.bought]);
        let given = total([consumed, charged, exported, long, account.sold]);
        ensure(gained == given, Refusal::EnergyDoesNotBalance)?;
        let exchanged = [imported, exported, short, long].iter().any(|&amount| amount != Energy::ZERO);
        let place = self.genesis.tariff_groups.iter().position(|members| members.contains(&number));
        let own = place.and_then(|place| tariff.groups.as_ref()?.get(place));
        let (asks, pays) = own.map_or((tariff.grid, tariff.feed_in), |rates| (rates.grid, rates.feed_in));
        let (asks_more, pays_more) = tariff.imbalance.map_or((asks, pays), |rates| (rates.grid, rates.feed_in));
        let charge = bill([(imported, asks), (short, asks_more)]).ok_or(Refusal::WrongInvoice)?;
        let credit = bill([(exported, pays), (long, pays_more)]).ok_or(Refusal::WrongInvoice)?;
        let due = exchanged.then_some(Invoice { slot, charge, credit });
        ensure(invoice == due.as_ref(), Refusal::WrongInvoice)?;
        let mut writes = vec![(Key::Meter(slot, number), Fact::Meter(*reading))];
        writes.extend(due.map(|invoice| (Key::Invoice(slot, number), Fact::Invoice(invoice))));
        Ok(writes)
    }
}

/// What amounts at their prices come to.
fn bill(amounts: [(Energy, f64); 2]) -> Option<Money> {
    let [one, other] = amounts.map(|(energy, price)| energy.priced(price));
    one?.0.checked_add(other?.0).map(Money)
}

fn total(amounts: [Energy; 5]) -> i128 {
    amounts.iter().map(|amount| i128::from(amount.0)).sum()
}
