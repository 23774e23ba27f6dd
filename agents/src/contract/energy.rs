//! What really happened: meter readings, and what the grid charges and credits for the rest.

use super::{Contract, Stub};
use crate::{
    chain::{
        fact::{Account, Fact, Key, Number},
        refusal::{Refusal, Validity, ensure},
    },
    ids::Slot,
    statement::{Invoice, MeterReading, Registration, Tariff},
    units::Energy,
};
use std::sync::Arc;

impl Contract {
    pub(super) fn record_energy(
        &self,
        number: Number,
        slot: Slot,
        reading: MeterReading,
        invoice: Option<Invoice>,
        stub: &mut impl Stub,
    ) -> Validity {
        let tariff: Arc<Tariff> = stub.find(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
        let market_opens = self.genesis.market_opens(slot);
        if market_opens && !stub.has(Key::Settlement(slot)) {
            // Who trades, waits for its bills; the others need not.
            let registration = stub.find(Key::Register(slot, number));
            ensure(matches!(registration, None | Some(Registration::Idle)), Refusal::MarketClosed)?;
        }
        ensure(!stub.has(Key::Meter(slot, number)), Refusal::AlreadyRecorded)?;
        ensure(nothing_negative(&reading), Refusal::EnergyDoesNotBalance)?;
        let traded =
            if market_opens { stub.find(Key::Account(slot, number)).unwrap_or_default() } else { Account::default() };
        ensure(balances(&reading, &traded), Refusal::EnergyDoesNotBalance)?;
        let group = self.genesis.tariff_group(number);
        ensure(tariff.due(group, &reading) == Some(invoice), Refusal::WrongInvoice)?;
        stub.write(Key::Meter(slot, number), Fact::Meter(reading));
        if let Some(invoice) = invoice {
            stub.write(Key::Invoice(slot, number), Fact::Invoice(invoice));
        }
        Ok(())
    }
}

fn nothing_negative(reading: &MeterReading) -> bool {
    let MeterReading { generated, consumed, charged, discharged, imported, exported, short, long } = *reading;
    [generated, consumed, charged, discharged, imported, exported, short, long]
        .iter()
        .all(|&amount| amount >= Energy::ZERO)
}

/// Whether what came in is what went out, to the last unit.
fn balances(reading: &MeterReading, traded: &Account) -> bool {
    let sum = |amounts: [Energy; 5]| amounts.iter().map(|amount| i128::from(amount.0)).sum::<i128>();
    let came_in = sum([reading.generated, reading.discharged, reading.imported, reading.short, traded.bought]);
    came_in == sum([reading.consumed, reading.charged, reading.exported, reading.long, traded.sold])
}
