//! Meter readings and invoices.

use crate::world::{IDLE, SLOT, World, tariff};
use microgrid_agents::{
    chain::{
        call::Call,
        identity::Party,
        refusal::{Refusal, Validity},
    },
    market::demand::Demand,
    statement::{Invoice, MeterReading, Registration, Tariff},
    units::{Energy, Money},
};

const BUYER: Party = Party::Prosumer(2);

/// What the buyer's meter shows, with every amount in use; it has bought 800,000 units.
const READING: MeterReading = MeterReading {
    generated: Energy(1_750_000),
    consumed: Energy(2_500_000),
    charged: Energy(170_000),
    discharged: Energy(100_000),
    imported: Energy(50_000),
    exported: Energy(30_000),
    short: Energy::ZERO,
    long: Energy::ZERO,
};
const INVOICE: Invoice = Invoice { slot: SLOT, charge: Money(42_500), credit: Money(13_500) };

fn records(reading: MeterReading, invoice: Option<Invoice>) -> Validity {
    World::settled().attempt(BUYER, Call::RecordEnergy(SLOT, reading.into(), invoice))
}

#[test]
fn a_reading_is_written_with_its_invoice() {
    let world = World::settled();
    let call = Call::RecordEnergy(SLOT, READING.into(), Some(INVOICE));
    assert_eq!(world.reads(BUYER, call.clone()), ["tariff/17", "settlement/17", "meter/17/2", "account/17/2"]);
    let amounts = r#""generated":1750000,"consumed":2500000,"charged":170000"#;
    let more = r#""discharged":100000,"imported":50000,"exported":30000"#;
    let invoice = r#"invoice/17/2 {"slot":17,"charge":42500,"credit":13500}"#;
    assert_eq!(world.writes(BUYER, call), [format!("meter/17/2 {{{amounts},{more}}}"), invoice.to_string()]);
}

#[test]
fn only_prosumers_have_meters() {
    for other in [Party::Ledger, Party::Grid] {
        let call = Call::RecordEnergy(SLOT, MeterReading::default().into(), None);
        assert_eq!(World::settled().attempt(other, call), Err(Refusal::NotAParticipant));
    }
}

#[test]
fn the_reading_of_who_trades_follows_the_settlement_and_nobody_else_need_wait() {
    let nothing = |slot| Call::RecordEnergy(slot, MeterReading::default().into(), None);
    let reads = |world: &World, party, slot| world.attempt(party, nothing(slot));
    let idle = Party::Prosumer(IDLE);
    for party in [BUYER, Party::Prosumer(1)] {
        assert_eq!(reads(&World::closed(), party, SLOT), Err(Refusal::MarketClosed));
    }
    assert_eq!(reads(&World::closed(), idle, SLOT), Ok(()));
    assert_eq!(reads(&World::settled(), idle, SLOT), Ok(()));
    assert_eq!(reads(&World::begun(), BUYER, SLOT), Ok(()), "it has not registered");
    let read = World::begun().after(BUYER, nothing(SLOT));
    let registration = Call::Register(SLOT, Registration::Idle);
    assert_eq!(read.attempt(BUYER, registration), Err(Refusal::AlreadyRecorded), "too late to join");
    assert_eq!(reads(&World::new(Demand::Elastic), idle, 21), Err(Refusal::MarketClosed), "no tariff");
    let closed = World::begun().after(Party::Grid, Call::PublishTariff(Tariff { slot: 21, ..tariff() }.into()));
    assert_eq!(reads(&closed, idle, 21), Ok(()));
    assert_eq!(closed.reads(BUYER, nothing(21)), ["tariff/21", "meter/21/2"]);
    let early = World::closed();
    let expected = ["tariff/17", "settlement/17", "register/17/3", "meter/17/3", "account/17/3"];
    assert_eq!(early.reads(idle, nothing(SLOT)), expected);
}

#[test]
fn a_reading_is_recorded_once() {
    let call = Call::RecordEnergy(SLOT, READING.into(), Some(INVOICE));
    let world = World::settled().after(BUYER, call.clone());
    assert_eq!(world.attempt(BUYER, call), Err(Refusal::AlreadyRecorded));
}

#[test]
fn energy_balances_with_the_trades_to_the_last_unit() {
    assert_eq!(records(READING, Some(INVOICE)), Ok(()));
    let amounts: [fn(&mut MeterReading) -> &mut Energy; 6] = [
        |reading| &mut reading.generated,
        |reading| &mut reading.consumed,
        |reading| &mut reading.charged,
        |reading| &mut reading.discharged,
        |reading| &mut reading.imported,
        |reading| &mut reading.exported,
    ];
    for (place, amount) in amounts.into_iter().enumerate() {
        for change in [Energy(1), Energy(-1)] {
            let mut reading = READING;
            *amount(&mut reading) += change;
            assert_eq!(records(reading, Some(INVOICE)), Err(Refusal::EnergyDoesNotBalance), "amount {place}");
        }
    }
    let seller = MeterReading { generated: Energy(1_000_000), ..MeterReading::default() };
    let record = |reading: MeterReading| {
        World::settled().attempt(Party::Prosumer(1), Call::RecordEnergy(SLOT, reading.into(), None))
    };
    assert_eq!(record(seller), Ok(()), "what it sold left it");
    assert_eq!(record(MeterReading { consumed: Energy(1), ..seller }), Err(Refusal::EnergyDoesNotBalance));
}

#[test]
fn no_amount_is_negative_even_where_the_sums_agree() {
    let idle = |reading: MeterReading| {
        World::settled().attempt(Party::Prosumer(IDLE), Call::RecordEnergy(SLOT, reading.into(), None))
    };
    let (one, none) = (Energy(1), MeterReading::default());
    assert_eq!(idle(MeterReading { generated: one, consumed: one, ..none }), Ok(()));
    assert_eq!(idle(MeterReading { discharged: one, charged: one, ..none }), Ok(()));
    for reading in [
        MeterReading { generated: -one, consumed: -one, ..none },
        MeterReading { generated: -one, discharged: one, ..none },
        MeterReading { discharged: -one, generated: one, ..none },
        MeterReading { consumed: -one, charged: one, ..none },
        MeterReading { charged: -one, consumed: one, ..none },
        MeterReading { imported: -one, generated: one, ..none },
        MeterReading { exported: -one, consumed: one, ..none },
    ] {
        assert_eq!(idle(reading), Err(Refusal::EnergyDoesNotBalance));
    }
}

#[test]
fn an_invoice_is_the_exchange_at_the_tariffs_to_the_last_unit() {
    let wrong = Err(Refusal::WrongInvoice);
    assert_eq!(records(READING, None), wrong);
    for one in [Money(1), Money(-1)] {
        assert_eq!(records(READING, Some(Invoice { charge: INVOICE.charge + one, ..INVOICE })), wrong);
        assert_eq!(records(READING, Some(Invoice { credit: INVOICE.credit + one, ..INVOICE })), wrong);
    }
    assert_eq!(records(READING, Some(Invoice { slot: 16, ..INVOICE })), wrong);
    let only_import = MeterReading { exported: Energy::ZERO, consumed: Energy(2_530_000), ..READING };
    assert_eq!(records(only_import, Some(Invoice { credit: Money::ZERO, ..INVOICE })), Ok(()));
    assert_eq!(records(only_import, None), wrong);
    let only_export = MeterReading { imported: Energy::ZERO, consumed: Energy(2_450_000), ..READING };
    assert_eq!(records(only_export, Some(Invoice { charge: Money::ZERO, ..INVOICE })), Ok(()));
    assert_eq!(records(only_export, None), wrong);
}

#[test]
fn without_an_exchange_there_is_no_invoice() {
    let none = Energy::ZERO;
    let alone = MeterReading { imported: none, exported: none, consumed: Energy(2_480_000), ..READING };
    assert_eq!(records(alone, None), Ok(()));
    let empty = Invoice { slot: SLOT, charge: Money::ZERO, credit: Money::ZERO };
    assert_eq!(records(alone, Some(empty)), Err(Refusal::WrongInvoice));
}

#[test]
fn amounts_beyond_any_meter_neither_overflow_nor_panic() {
    let most = Energy(i64::MAX);
    let all = MeterReading {
        generated: most,
        consumed: most,
        charged: most,
        discharged: most,
        imported: most,
        exported: most,
        ..MeterReading::default()
    };
    assert_eq!(records(all, Some(INVOICE)), Err(Refusal::EnergyDoesNotBalance));
    let idle = |invoice| World::settled().attempt(Party::Prosumer(IDLE), Call::RecordEnergy(SLOT, all.into(), invoice));
    assert_eq!(idle(Some(INVOICE)), Err(Refusal::WrongInvoice));
    let (charge, credit) = (most.at_price(0.85), most.at_price(0.45));
    assert_eq!(idle(Some(Invoice { slot: SLOT, charge, credit })), Ok(()));
    // At a tariff above 1, no money can pay for it, whatever the invoice says.
    let publish = Call::PublishTariff(Tariff { grid: 1.1, ..tariff() }.into());
    let dear = World::new(Demand::Elastic).after(Party::Grid, publish).after(Party::Ledger, crate::world::settle(&[]));
    for invoice in [None, Some(Invoice { slot: SLOT, charge: Money(i64::MAX), credit })] {
        let refused = dear.attempt(Party::Prosumer(IDLE), Call::RecordEnergy(SLOT, all.into(), invoice));
        assert_eq!(refused, Err(Refusal::WrongInvoice));
    }
}

#[test]
fn the_balances_of_everybody_add_up_to_zero() {
    let exported = MeterReading {
        generated: Energy(3_000_000),
        consumed: Energy(1_900_000),
        exported: Energy(100_000),
        ..MeterReading::default()
    };
    let credit = Invoice { slot: SLOT, charge: Money::ZERO, credit: Money(45_000) };
    let world = World::settled()
        .after(BUYER, Call::RecordEnergy(SLOT, READING.into(), Some(INVOICE)))
        .after(Party::Prosumer(1), Call::RecordEnergy(SLOT, exported.into(), Some(credit)));
    let expected = [(1, 645_000), (2, -547_000), (3, 0), (4, 350_000), (5, 0), (6, -447_000)];
    let mut sum = Money::ZERO;
    for (number, money) in expected {
        assert_eq!(world.balance(Party::Prosumer(number)), Money(money), "prosumer {number}");
        sum += Money(money);
    }
    assert_eq!(world.balance(Party::Grid), Money(-16_000));
    assert_eq!(world.balance(Party::Ledger), Money(15_000));
    assert_eq!(sum + Money(-16_000) + Money(15_000), Money::ZERO);
}
