//! What the ledger's contract takes and what it refuses, without any channel or message.

use microgrid_agents::{
    chain::refusal::Refusal,
    ids::ProsumerId,
    ledger::contract::{Contract, ContractRules},
    market::{
        demand::{Buyer, Demand},
        pricing::PriceBand,
        settlement::Trade,
    },
    message::{Choice, MarketOpened, MeterReading, Quote, Registration},
    time::Time,
    units::{Energy, Money},
};
use std::{sync::Arc, time::Duration};

const SELLERS: [ProsumerId; 2] = [ProsumerId(0), ProsumerId(3)];
const BUYER: ProsumerId = ProsumerId(1);
const IDLE: ProsumerId = ProsumerId(2);

fn rules() -> ContractRules {
    ContractRules { prosumers: 4, alpha: 0.4, demand: Demand::Elastic, service_fee: 0.01, patience: 2 }
}

fn buyer() -> Registration {
    Registration::Buyer(Buyer { need: 1.6, generation: 1.75, preference: 2.04 })
}

/// Slot 17 with two sellers of 1 kWh and 0.5 kWh, one buyer, and one who stays out.
fn open() -> Contract {
    let mut contract = Contract::new(rules());
    contract.open_slot(17, PriceBand { floor: 0.45, ceiling: 0.85 });
    for (seller, surplus) in SELLERS.into_iter().zip([1_000_000, 500_000]) {
        contract.register(seller, Registration::Seller(Energy(surplus))).expect("a seller registers");
    }
    contract.register(BUYER, buyer()).expect("a buyer registers");
    contract.register(IDLE, Registration::Idle).expect("one who stays out registers");
    let (sellers, buyers) = contract.sides();
    let market = MarketOpened {
        slot: 17,
        surplus: vec![1.0, 0.5],
        first_choice: vec![0.5, 0.5],
        closes: Time(0),
        sellers,
        buyers,
    };
    contract.open_game(Arc::new(market));
    contract
}

fn quote(version: u32, price: f64, change: f64) -> Quote {
    Quote { slot: 17, version, price, change, updates_at_rest: 0, answers: Time::ZERO }
}

fn choice(version: u32, shares: [f64; 2], purchases: [f64; 2], change: f64) -> Choice {
    let (shares, purchases) = (shares.to_vec(), purchases.to_vec());
    Choice {
        slot: 17,
        version,
        shares,
        purchases,
        responsive: 1.0,
        change,
        updates_at_rest: 0,
        answers: Time::ZERO,
        news_age: Duration::ZERO,
    }
}

#[test]
fn registration_is_complete_when_everybody_has_said_something() {
    let contract = open();
    assert!(contract.all_registered());
    assert_eq!(contract.sides(), (SELLERS.to_vec(), vec![BUYER]));
    assert_eq!(contract.surplus(SELLERS[1]), Energy(500_000));
}

#[test]
fn a_registration_may_be_repeated_but_not_changed() {
    let mut contract = open();
    assert_eq!(contract.register(BUYER, buyer()), Ok(()));
    assert_eq!(contract.register(BUYER, Registration::Idle), Err(Refusal::AlreadyRegistered));
    let strange = Registration::Buyer(Buyer { need: f64::NAN, generation: 0.0, preference: 1.0 });
    assert_eq!(contract.register(BUYER, strange), Err(Refusal::InvalidRegistration));
    assert_eq!(contract.register(IDLE, Registration::Seller(Energy(-1))), Err(Refusal::InvalidRegistration));
}

#[test]
fn quotes_are_held_to_band_version_role_and_slot() {
    let mut contract = open();
    let infinity = f64::INFINITY;
    assert_eq!(contract.post_quote(SELLERS[1], quote(1, 0.6, infinity), Time::ZERO), Ok(1));
    assert_eq!(contract.post_quote(SELLERS[1], quote(1, 0.7, 0.1), Time::ZERO), Err(Refusal::OldVersion));
    assert_eq!(contract.post_quote(SELLERS[1], quote(2, 0.86, 0.1), Time::ZERO), Err(Refusal::PriceOutOfBand));
    assert_eq!(contract.post_quote(SELLERS[1], quote(2, f64::NAN, 0.1), Time::ZERO), Err(Refusal::PriceOutOfBand));
    assert_eq!(contract.post_quote(BUYER, quote(1, 0.6, infinity), Time::ZERO), Err(Refusal::NotAParticipant));
    let late = Quote { slot: 16, ..quote(3, 0.6, 0.1) };
    assert_eq!(contract.post_quote(SELLERS[1], late, Time::ZERO), Err(Refusal::MarketClosed));
    let (prices, aggregate) = contract.market().expect("the game is open");
    assert_eq!(prices, [f64::INFINITY, 0.6], "refused quotes change nothing");
    assert!(aggregate.is_none());
}

#[test]
fn choices_must_be_shares_of_one_and_possible_purchases() {
    let mut contract = open();
    let mut post = |shares, purchases| {
        contract.post_choice(BUYER, Arc::new(choice(1, shares, purchases, f64::INFINITY)), Time::ZERO)
    };
    assert_eq!(post([0.7, 0.4], [1.0, 1.0]), Err(Refusal::InvalidShares));
    assert_eq!(post([1.2, -0.2], [1.0, 1.0]), Err(Refusal::InvalidShares));
    assert_eq!(post([f64::NAN, 0.5], [1.0, 1.0]), Err(Refusal::InvalidShares));
    assert_eq!(post([0.5, 0.5], [-1.0, 1.0]), Err(Refusal::InvalidPurchases));
    assert_eq!(post([0.5, 0.5], [f64::NAN, 1.0]), Err(Refusal::InvalidPurchases));
    assert_eq!(post([0.5, 0.5], [1.0, 1.0]), Ok(()));
}

#[test]
fn rest_needs_the_patience_of_everybody() {
    let mut contract = open();
    let quiet_quote = |version, updates_at_rest| Quote { updates_at_rest, ..quote(version, 0.6, 0.0) };
    let quiet_choice =
        |version, updates_at_rest| Arc::new(Choice { updates_at_rest, ..choice(version, [0.5, 0.5], [1.0, 1.0], 0.0) });
    contract.post_quote(SELLERS[0], quiet_quote(1, 2), Time::ZERO).expect("a fresh quote");
    contract.post_choice(BUYER, quiet_choice(1, 5), Time::ZERO).expect("a fresh choice");
    assert!(!contract.at_rest(), "the second seller has not said anything");
    contract.post_quote(SELLERS[1], quiet_quote(1, 1), Time::ZERO).expect("a fresh quote");
    assert!(!contract.at_rest(), "the second seller needs one more quiet update");
    contract.post_quote(SELLERS[1], quiet_quote(4, 4), Time::ZERO).expect("versions in between may be lost");
    assert!(contract.at_rest());
    contract.post_choice(BUYER, quiet_choice(2, 0), Time::ZERO).expect("a fresh choice");
    assert!(!contract.at_rest(), "the buyer moves again");
}

/// The game over, with a single trade: half a kWh at 0.6 from the first seller; the second never quoted.
fn played() -> (Contract, Vec<Trade>) {
    let mut contract = open();
    contract.post_quote(SELLERS[0], quote(1, 0.6, f64::INFINITY), Time::ZERO).expect("a fresh quote");
    let choice = choice(1, [0.25, 0.75], [2.0, 0.0], f64::INFINITY);
    contract.post_choice(BUYER, Arc::new(choice), Time::ZERO).expect("a fresh choice");
    let trades = contract.close_game();
    (contract, trades)
}

#[test]
fn closing_settles_at_the_last_prices_and_leaves_nothing_to_post_to() {
    let (mut contract, trades) = played();
    assert_eq!(trades.len(), 1, "nobody buys from a seller without a price");
    assert_eq!((trades[0].buyer, trades[0].seller, trades[0].energy), (0, 0, Energy(500_000)));
    assert_eq!((trades[0].payment, trades[0].fee), (Money(300_000), Money(5_000)));
    assert_eq!(contract.post_quote(SELLERS[0], quote(2, 0.6, 0.0), Time::ZERO), Err(Refusal::MarketClosed));
    assert!(contract.close_game().is_empty());
}

#[test]
fn a_meter_reading_must_agree_with_the_settled_trades_to_the_last_unit() {
    let (mut contract, trades) = played();
    let market = MarketOpened {
        slot: 17,
        sellers: SELLERS.to_vec(),
        surplus: vec![1.0, 0.5],
        buyers: vec![BUYER],
        first_choice: vec![0.5, 0.5],
        closes: Time(0),
    };
    contract.settle(&market, &trades);
    let reading = MeterReading { generated: Energy(1_750_000), consumed: Energy(2_250_000), ..MeterReading::default() };
    let short = MeterReading { consumed: Energy(2_249_999), ..reading };
    assert_eq!(contract.record_energy(BUYER, short), Err(Refusal::EnergyDoesNotBalance));
    assert!(!contract.is_read(BUYER));
    assert_eq!(contract.record_energy(BUYER, reading), Ok(()));
    assert_eq!(contract.record_energy(BUYER, reading), Ok(()), "repeating is fine");
    let seller = MeterReading { generated: Energy(500_000), ..MeterReading::default() };
    assert_eq!(contract.record_energy(SELLERS[0], seller), Ok(()), "what it sold left it");
    assert!(!contract.all_read());
}
