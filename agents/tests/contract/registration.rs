//! Tariffs and registrations.

use crate::world::{IDLE, SLOT, World, seller, tariff};
use microgrid_agents::{
    chain::{call::Call, hash::Digest, identity::Party, refusal::Refusal},
    market::demand::{Buyer, Demand},
    statement::{Registration, Tariff},
};

const ME: Party = Party::Prosumer(1);

#[test]
fn only_the_grid_publishes_tariffs() {
    let world = World::new(Demand::Elastic);
    let call = Call::PublishTariff(tariff().into());
    for other in [Party::Ledger, ME] {
        assert_eq!(world.attempt(other, call.clone()), Err(Refusal::NotAParticipant));
    }
    assert_eq!(world.reads(Party::Grid, call.clone()), ["tariff/17"]);
    assert_eq!(world.writes(Party::Grid, call), [r#"tariff/17 {"slot":17,"feed_in":0.45,"grid":0.85}"#]);
}

#[test]
fn tariffs_are_finite_and_in_order_and_of_a_slot_of_the_run() {
    let world = World::new(Demand::Elastic);
    let publish =
        |slot, feed_in, grid| world.attempt(Party::Grid, Call::PublishTariff(Tariff::new(slot, feed_in, grid).into()));
    for (feed_in, grid) in [(f64::NAN, 0.85), (0.45, f64::NAN), (0.45, f64::INFINITY), (f64::NEG_INFINITY, 0.85)] {
        assert_eq!(publish(17, feed_in, grid), Err(Refusal::NotFinite));
    }
    assert_eq!(publish(17, 0.0, 0.0), Ok(()));
    assert_eq!(publish(17, -0.2, -0.1), Ok(()));
    assert_eq!(publish(17, -0.1, -0.2), Err(Refusal::PriceOutOfBand));
    assert_eq!(publish(17, 0.85, 0.85), Ok(()));
    assert_eq!(publish(17, 0.85 + 1e-9, 0.85), Err(Refusal::PriceOutOfBand));
    assert_eq!((publish(1, 0.45, 0.85), publish(24, 0.45, 0.85)), (Ok(()), Ok(())));
    assert_eq!(publish(0, 0.45, 0.85), Err(Refusal::MarketClosed));
    assert_eq!(publish(25, 0.45, 0.85), Err(Refusal::MarketClosed));
}

#[test]
fn tariffs_are_published_once() {
    let again = World::begun().attempt(Party::Grid, Call::PublishTariff(tariff().into()));
    assert_eq!(again, Err(Refusal::AlreadyRecorded));
}

#[test]
fn a_prosumer_registers_once_and_does_not_change_its_mind() {
    let world = World::begun();
    let call = Call::Register(SLOT, seller(1));
    assert_eq!(world.reads(ME, call.clone()), ["tariff/17", "game/17", "settlement/17", "register/17/1", "meter/17/1"]);
    assert_eq!(world.writes(ME, call.clone()), [r#"register/17/1 {"Seller":1}"#]);
    let world = World::registered();
    for registration in [seller(1_000_000), Registration::Idle] {
        assert_eq!(world.attempt(ME, Call::Register(SLOT, registration)), Err(Refusal::AlreadyRegistered));
    }
    assert_eq!(world.attempt(Party::Prosumer(5), call), Ok(()));
}

#[test]
fn only_prosumers_register() {
    let world = World::begun();
    for other in [Party::Ledger, Party::Grid] {
        assert_eq!(world.attempt(other, Call::Register(SLOT, seller(1))), Err(Refusal::NotAParticipant));
    }
}

#[test]
fn registration_is_open_between_tariff_and_game_in_slots_of_the_market() {
    let register = |world: &World, slot| world.attempt(Party::Prosumer(5), Call::Register(slot, seller(1)));
    assert_eq!(register(&World::new(Demand::Elastic), SLOT), Err(Refusal::MarketClosed), "no tariff yet");
    assert_eq!(register(&World::registered(), SLOT), Ok(()));
    assert_eq!(register(&World::open(), SLOT), Err(Refusal::MarketClosed), "the game is on");
    let settled = World::begun().after(Party::Ledger, crate::world::settle(&[]));
    assert_eq!(register(&settled, SLOT), Err(Refusal::MarketClosed), "settled without a game");
    for (slot, expected) in
        [(7, Err(Refusal::MarketClosed)), (8, Ok(())), (20, Ok(())), (21, Err(Refusal::MarketClosed))]
    {
        let publish = Call::PublishTariff(Tariff { slot, ..tariff() }.into());
        assert_eq!(register(&World::begun().after(Party::Grid, publish), slot), expected, "slot {slot}");
    }
}

#[test]
fn registered_amounts_are_finite_plausible_and_not_negative() {
    let world = World::begun();
    let register = |registration| world.attempt(ME, Call::Register(SLOT, registration));
    let like = |numbers: [f64; 3]| {
        let [need, generation, preference] = numbers;
        Registration::Buyer(Buyer { need, generation, preference })
    };
    assert_eq!(register(like([0.0; 3])), Ok(()));
    for place in 0..3 {
        for (number, refusal) in [
            (f64::NAN, Refusal::NotFinite),
            (f64::INFINITY, Refusal::NotFinite),
            (f64::NEG_INFINITY, Refusal::NotFinite),
            (-1e-9, Refusal::InvalidRegistration),
            (Registration::MOST * 1.001, Refusal::InvalidRegistration),
        ] {
            let mut numbers = [1.0; 3];
            numbers[place] = number;
            assert_eq!(register(like(numbers)), Err(refusal));
        }
    }
    assert_eq!(register(seller(0)), Err(Refusal::InvalidRegistration));
    assert_eq!(register(seller(i64::MAX)), Err(Refusal::InvalidRegistration));
    let most = Registration::MOST_SURPLUS.0;
    assert_eq!((register(seller(1)), register(seller(most))), (Ok(()), Ok(())));
    assert_eq!(register(seller(most + 1)), Err(Refusal::InvalidRegistration));
    assert_eq!((register(like([Registration::MOST; 3])), register(Registration::Idle)), (Ok(()), Ok(())));
}

/// What a slot's bills add up to has to fit into 64 bits, whoever sells what to whom.
#[test]
fn what_a_slot_could_not_pay_for_is_not_registered() {
    // Six prosumers and a bound of 4e12 CNY: at 1e4 CNY/kWh each may sell 6.66...e7 kWh, at 0.85 as much as at 1.
    let most = 66_666_666_666_666;
    for (grid, surplus, expected) in [
        (1e4, most, Ok(())),
        (1e4, most + 1, Err(Refusal::InvalidRegistration)),
        (0.85, Registration::MOST_SURPLUS.0, Ok(())),
        (1e300, 1, Err(Refusal::InvalidRegistration)),
    ] {
        let publish = Call::PublishTariff(Tariff { grid, ..tariff() }.into());
        let world = World::new(Demand::Elastic).after(Party::Grid, publish);
        assert_eq!(world.attempt(ME, Call::Register(SLOT, seller(surplus))), expected, "{surplus} at {grid}");
    }
}

#[test]
fn a_chain_begins_once() {
    let world = World::begun();
    assert_eq!(world.attempt(Party::Ledger, Call::Anchor(Digest::default())), Err(Refusal::AlreadyRecorded));
    assert_eq!(world.attempt(Party::Prosumer(IDLE), Call::Anchor(Digest::default())), Err(Refusal::AlreadyRecorded));
}
