//! A day of two slots with a seller, prosumer 1, and a buyer, prosumer 2: everything in it was worked out by hand.
//!
//! The market opens in slot 1 only. It has an offer beyond the tariffs, one that is made twice at once, a trade of
//! 1.6 kWh at 0.69 CNY/kWh and exchanges with the grid.

use super::chain::{Chain, Draft, SEED, draft, key};
use microgrid_agents::{
    chain::{
        call::{BillsOf, Call, InvoiceTo, Settlement},
        fact::{Account, Bill, Closing, Fact, Game, Key, Settled},
        genesis::{Genesis, Policies, Posts, Rules, Signatures},
        identity::Party::{self, Grid, Ledger, Prosumer},
        refusal::Refusal,
    },
    ids::ChannelName::{Energy as EnergyChannel, Information, Trade},
    market::{
        choice_set::ChoiceSet,
        demand::{Buyer, Demand},
    },
    message::{Choice, Invoice, MeterReading, Quote, Registration, Tariff},
    observation::Outcome,
    time::Time,
    units::{Energy, Money},
};
use std::{sync::Arc, time::Duration};

const SELLER: Party = Prosumer(1);
const BUYER: Party = Prosumer(2);

pub(crate) fn genesis() -> Genesis {
    Genesis {
        scenario: "day".into(),
        case: 1,
        seed: SEED,
        rules: Rules {
            slots: 2,
            open: (1, 1),
            demand: Demand::Elastic,
            service_fee: 0.01,
            ramp: 0.1,
            choice_set: ChoiceSet::All,
            posts: Posts::Every,
            max_transactions: 3,
            timeout: Duration::from_millis(50),
            late_blocks: false,
        },
        policies: Policies::new(Signatures::Settlement),
        ledger: key(Ledger).public(),
        grid: key(Grid).public(),
        prosumers: vec![(1, key(SELLER).public()), (2, key(BUYER).public())],
    }
}

/// The day as it should be.
pub(crate) fn day() -> Chain {
    day_with(genesis(), |_| {})
}

/// The day under another genesis, with every transaction changed before it is signed and hashed.
pub(crate) fn day_with(genesis: Genesis, mut change: impl FnMut(&mut Draft)) -> Chain {
    let mut chain = Chain::begin(genesis);
    let mut block = |chain: &mut Chain, channel, ms, mut drafts: Vec<Draft>| {
        drafts.iter_mut().for_each(&mut change);
        chain.block(channel, ms, drafts);
    };
    block(&mut chain, Trade, 0, vec![tariff(0, 1)]);
    block(&mut chain, Trade, 60, registrations());
    block(&mut chain, Information, 60, vec![open()]);
    block(&mut chain, Information, 120, vec![quote(70, 1, 0.7, None), choice()]);
    let twice = Draft { code: Some(Err(Refusal::StaleRead)), ..quote(132, 3, 0.68, None) };
    let beyond = quote(130, 2, 5.0, Some(Refusal::PriceOutOfBand));
    block(&mut chain, Information, 132, vec![beyond, quote(131, 2, 0.69, None), twice]);
    block(&mut chain, Information, 140, vec![close()]);
    block(&mut chain, Trade, 150, vec![settle()]);
    block(&mut chain, EnergyChannel, 210, vec![sellers_energy(), buyers_energy()]);
    block(&mut chain, Trade, 3_600_000, vec![tariff(3_600_000, 2)]);
    block(&mut chain, EnergyChannel, 3_600_060, night());
    chain.closed = 2;
    chain
}

fn tariff(ms: u64, slot: u32) -> Draft {
    let tariff = Tariff { slot, feed_in: 0.45, grid: 1.0 };
    let key = Key::Tariff(slot);
    draft(ms, Grid, Call::PublishTariff(tariff), &[key], Ok(vec![(key, Fact::Tariff(tariff))])).signed()
}

fn registrations() -> Vec<Draft> {
    let buyer = Buyer { need: 1.2, generation: 0.5, preference: 2.04 };
    let both = [(1, Registration::Seller(Energy(2_000_000))), (2, Registration::Buyer(buyer))];
    let register = |(number, registration)| {
        let key = Key::Register(1, number);
        let reads = [Key::Tariff(1), Key::Game(1), Key::Settlement(1), key, Key::Meter(1, number)];
        let writes = Ok(vec![(key, Fact::Register(registration))]);
        draft(number as u64 * 10, Prosumer(number), Call::Register(1, registration), &reads, writes).signed()
    };
    both.map(register).into()
}

fn open() -> Draft {
    let game = Game { sellers: vec![1], buyers: vec![2], first_choice: vec![1.0], closes: Time(3_300_000_000_000) };
    let game = Arc::new(game);
    let reads = [Key::Tariff(1), Key::Game(1)];
    let writes = Ok(vec![(Key::Game(1), Fact::Game(Arc::clone(&game)))]);
    draft(60, Ledger, Call::OpenGame(1, game), &reads, writes)
}

fn quote(ms: u64, version: u32, price: f64, refusal: Option<Refusal>) -> Draft {
    let quote = Quote { slot: 1, version, price, change: f64::INFINITY, updates_at_rest: 0, answers: Time::ZERO };
    let key = Key::Quote(1, 1);
    let reads = [Key::Closing(1), Key::Game(1), key, Key::Tariff(1)];
    let writes = vec![(key, Fact::Quote(quote))];
    draft(ms, SELLER, Call::PostQuote(quote), &reads, refusal.map_or(Ok(writes), Err)).signed()
}

fn choice() -> Draft {
    let choice = Arc::new(Choice {
        slot: 1,
        version: 1,
        known: None,
        shares: vec![1.0],
        purchases: vec![1.6],
        responsive: 1.0,
        change: f64::INFINITY,
        updates_at_rest: 0,
        answers: Time::ZERO,
        quotes: Time::ZERO,
        news_age: Duration::from_millis(10),
    });
    let key = Key::Choice(1, 2);
    let reads = [Key::Closing(1), Key::Game(1), key];
    draft(80, BUYER, Call::PostChoice(Arc::clone(&choice)), &reads, Ok(vec![(key, Fact::Choice(choice))])).signed()
}

fn close() -> Draft {
    let outcome = Outcome::Equilibrium;
    let writes = Ok(vec![(Key::Closing(1), Fact::Closing(Closing { outcome }))]);
    draft(140, Ledger, Call::CloseGame(1, outcome), &[Key::Game(1), Key::Closing(1)], writes)
}

fn settle() -> Draft {
    settle_over(Energy(1_600_000), Money(1_104_000), Money(16_000))
}

/// The settlement of a trade over this energy, for this payment and fee, signed by both sides.
pub(crate) fn settle_over(energy: Energy, payment: Money, fee: Money) -> Draft {
    let bill = Bill { energy, price: 0.69, payment, fee };
    let sold = Account { sold: energy, earned: payment, ..Account::default() };
    let bought = Account { bought: energy, paid: payment, fee, ..Account::default() };
    let writes = vec![
        (Key::Bill(1, 2, 1), Fact::Bill(bill)),
        (Key::Account(1, 1), Fact::Account(sold)),
        (Key::Account(1, 2), Fact::Account(bought)),
        (Key::Fees(1), Fact::Fees(fee)),
        (Key::Settlement(1), Fact::Settlement(Settled { bills: 1, energy })),
    ];
    let settlement = Settlement { slot: 1, trades: vec![(2, 1, energy)], ..Settlement::default() };
    let (quote, surplus, choice) = (Key::Quote(1, 1), Key::Register(1, 1), Key::Choice(1, 2));
    let reads = [Key::Settlement(1), Key::Tariff(1), Key::Game(1), Key::Closing(1), quote, surplus, choice];
    let endorse = |party| (party, BillsOf { slot: 1, party, bills: vec![(2, 1, bill)] }.to_json(), party);
    let endorsements = vec![endorse(SELLER), endorse(BUYER)];
    Draft { endorsements, ..draft(150, Ledger, Call::Settle(settlement.into()), &reads, Ok(writes)) }
}

/// Generates 3, consumes 1, sells 1.6: 0.4 kWh go to the grid at 0.45 CNY/kWh.
fn sellers_energy() -> Draft {
    let reading = MeterReading {
        generated: Energy(3_000_000),
        consumed: Energy(1_000_000),
        exported: Energy(400_000),
        ..MeterReading::default()
    };
    energy(160, 1, 1, reading, Some((0, 180_000)))
}

/// Generates 0.5, buys 1.6, consumes 2.5: 0.4 kWh come from the grid at 1 CNY/kWh.
fn buyers_energy() -> Draft {
    let reading = MeterReading {
        generated: Energy(500_000),
        consumed: Energy(2_500_000),
        imported: Energy(400_000),
        ..MeterReading::default()
    };
    energy(161, 1, 2, reading, Some((400_000, 0)))
}

/// Prosumer 1 lives on its storage, prosumer 2 on the grid.
fn night() -> Vec<Draft> {
    let lit = Energy(250_000);
    let stored = MeterReading { consumed: lit, discharged: lit, ..MeterReading::default() };
    let drawn = MeterReading { consumed: lit, imported: lit, ..MeterReading::default() };
    vec![energy(3_600_010, 2, 1, stored, None), energy(3_600_011, 2, 2, drawn, Some((250_000, 0)))]
}

fn energy(ms: u64, slot: u32, number: u32, reading: MeterReading, invoice: Option<(i64, i64)>) -> Draft {
    let party = Prosumer(number);
    let invoice = invoice.map(|(charge, credit)| Invoice { slot, charge: Money(charge), credit: Money(credit) });
    let (meter, account) = (Key::Meter(slot, number), Key::Account(slot, number));
    let reads = match slot {
        1 => vec![Key::Tariff(1), Key::Settlement(1), meter, account],
        _ => vec![Key::Tariff(slot), meter],
    };
    let mut writes = vec![(meter, Fact::Meter(reading))];
    writes.extend(invoice.map(|invoice| (Key::Invoice(slot, number), Fact::Invoice(invoice))));
    let endorsements = invoice.map(|invoice| (Grid, InvoiceTo { party, invoice }.to_json(), Grid));
    let call = Call::RecordEnergy(slot, reading, invoice);
    Draft { endorsements: endorsements.into_iter().collect(), ..draft(ms, party, call, &reads, Ok(writes)).signed() }
}
