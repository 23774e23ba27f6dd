//! Whatever is asked of the contract, and by whomever: it answers, and what it refuses leaves no trace.
//!
//! That a refused call writes nothing, that each call reads a key once and before it writes, and that every fact reads
//! back from its text is held to by the world state of these tests at every call.

use crate::world::{SLOT, World};
use microgrid_agents::{
    chain::{
        call::{Call, Settlement},
        fact::{Fact, Game, Key},
        identity::Party,
    },
    ids::Slot,
    market::demand::Buyer,
    statement::{Choice, Dispute, Invoice, MeterReading, Outcome, Quote, Registration, Tariff},
    time::Time,
    units::{Energy, Money},
};
use proptest::{collection::vec, option, prelude::*};
use std::{sync::Arc, time::Duration};

fn slots() -> impl Strategy<Value = Slot> {
    prop_oneof![8 => Just(SLOT), 1 => Just(21), 1 => any::<Slot>()]
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(0.5), 1 => Just(0.0), 2 => 0.0..2.0, 1 => any::<f64>(), 1 => Just(f64::NAN)]
}

fn units() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 1..1_000_000_i64, Just(i64::MAX), Just(i64::MIN), any::<i64>()]
}

fn versions() -> impl Strategy<Value = u32> {
    prop_oneof![0..5_u32, any::<u32>()]
}

fn parties() -> impl Strategy<Value = Party> {
    prop_oneof![Just(Party::Ledger), Just(Party::Grid), (0..8_u32).prop_map(Party::Prosumer)]
}

fn registrations() -> impl Strategy<Value = Registration> {
    prop_oneof![
        [numbers(), numbers(), numbers()]
            .prop_map(|[need, generation, preference]| { Registration::Buyer(Buyer { need, generation, preference }) }),
        units().prop_map(|surplus| Registration::Seller(Energy(surplus))),
        Just(Registration::Idle),
    ]
}

fn games() -> impl Strategy<Value = Game> {
    (vec(0..8_u32, 0..4), vec(0..8_u32, 0..4), vec(numbers(), 0..4)).prop_map(|(sellers, buyers, first_choice)| Game {
        sellers,
        buyers,
        first_choice,
        closes: Time::ZERO,
    })
}

fn choices() -> impl Strategy<Value = Choice> {
    (slots(), versions(), option::of(vec(0..4_u32, 0..4)), vec(numbers(), 0..4), vec(numbers(), 0..4), numbers())
        .prop_map(|(slot, version, known, shares, purchases, responsive)| Choice {
            slot,
            version,
            known: known.map(Arc::from),
            shares,
            purchases,
            responsive,
            change: 0.0,
            updates_at_rest: 0,
            answers: Time::ZERO,
            quotes: Time::ZERO,
            news_age: Duration::ZERO,
        })
}

fn quotes() -> impl Strategy<Value = Quote> {
    (slots(), versions(), numbers(), numbers()).prop_map(|(slot, version, price, change)| Quote {
        slot,
        version,
        price,
        change,
        updates_at_rest: 0,
        answers: Time::ZERO,
    })
}

fn settlements() -> impl Strategy<Value = Settlement> {
    let trades = vec((0..8_u32, 0..8_u32, units().prop_map(Energy)), 0..4);
    (slots(), trades).prop_map(|(slot, trades)| Settlement {
        slot,
        trades,
        disputes: vec![(9, Dispute::NotMine)],
        silent: vec![1],
    })
}

fn readings() -> impl Strategy<Value = MeterReading> {
    [units(), units(), units(), units(), units(), units(), units(), units()].prop_map(|units| {
        let [generated, consumed, charged, discharged, imported, exported, short, long] = units.map(Energy);
        MeterReading { generated, consumed, charged, discharged, imported, exported, short, long }
    })
}

fn calls() -> impl Strategy<Value = Call> {
    let invoice = (slots(), units(), units()).prop_map(|(slot, charge, credit)| Invoice {
        slot,
        charge: Money(charge),
        credit: Money(credit),
    });
    prop_oneof![
        (slots(), numbers(), numbers())
            .prop_map(|(slot, feed_in, grid)| Call::PublishTariff(Arc::new(Tariff::new(slot, feed_in, grid)))),
        (slots(), registrations()).prop_map(|(slot, registration)| Call::Register(slot, registration)),
        (slots(), games()).prop_map(|(slot, game)| Call::OpenGame(slot, Arc::new(game))),
        quotes().prop_map(Call::PostQuote),
        choices().prop_map(|choice| Call::PostChoice(Arc::new(choice))),
        slots().prop_map(|slot| Call::CloseGame(slot, Outcome::Equilibrium)),
        settlements().prop_map(|settlement| Call::Settle(Arc::new(settlement))),
        (slots(), readings(), proptest::option::of(invoice)).prop_map(|(slot, reading, invoice)| Call::RecordEnergy(
            slot,
            Box::new(reading),
            invoice
        )),
    ]
}

/// Worlds at each stage of the slot.
const STAGES: [fn() -> World; 6] =
    [World::begun, World::registered, World::open, World::played, World::closed, World::settled];

proptest! {
    #[test]
    fn garbage_neither_panics_nor_leaves_a_trace(stage in 0..6_usize, calls in vec((parties(), calls()), 1..40)) {
        let mut world = STAGES[stage]();
        for (creator, call) in calls {
            // The world asserts what the module's documentation says.
            let _ = world.call(creator, &call);
            for (key, fact) in &world.state.writes {
                prop_assert_eq!(Some(key.channel()), call.channel(), "written on another channel than the call's");
                match (key, fact) {
                    (Key::Quote(_, number), Fact::Quote(quote)) => {
                        prop_assert_eq!(creator, Party::Prosumer(*number));
                        prop_assert!(quote.price.is_finite() && quote.price >= 0.0);
                    }
                    (Key::Choice(_, number), Fact::Choice(choice)) => {
                        prop_assert_eq!(creator, Party::Prosumer(*number));
                        prop_assert!(choice.shares.iter().all(|share| (0.0..1.001).contains(share)));
                    }
                    (Key::Register(_, number) | Key::Meter(_, number) | Key::Invoice(_, number), _) => {
                        prop_assert_eq!(creator, Party::Prosumer(*number));
                    }
                    (Key::Bill(..), Fact::Bill(bill)) => prop_assert!(bill.energy > Energy::ZERO && bill.payment >= Money::ZERO),
                    _ => {}
                }
            }
        }
        for party in [Party::Ledger, Party::Grid, Party::Prosumer(1), Party::Prosumer(2)] {
            world.balance(party);
        }
        prop_assert!(world.state.fact(Key::Tariff(SLOT)).is_some());
    }
}
