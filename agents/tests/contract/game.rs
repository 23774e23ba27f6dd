//! Opening, quotes, choices, closing.

use crate::world::{IDLE, SELLERS, SLOT, World, choice, game, post, quote, tariff};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Fact, Key},
        identity::Party,
        refusal::{Refusal, Validity},
    },
    market::demand::Demand,
    statement::{Choice, Outcome, Quote, Tariff},
};

const SELLER: Party = Party::Prosumer(1);
const BUYER: Party = Party::Prosumer(2);
const CLOSE: Call = Call::CloseGame(SLOT, Outcome::GateClosure);

#[test]
fn the_ledger_opens_a_game_once_in_slots_of_the_market_that_have_tariffs() {
    let world = World::registered();
    let open = || Call::OpenGame(SLOT, game());
    assert_eq!(world.reads(Party::Ledger, open()), ["tariff/17", "game/17"]);
    let fact = r#"game/17 {"sellers":[1,4],"buyers":[2,6],"first_choice":[0.5,0.5],"closes":1}"#;
    assert_eq!(world.writes(Party::Ledger, open()), [fact]);
    for other in [SELLER, Party::Grid] {
        assert_eq!(world.attempt(other, open()), Err(Refusal::NotAParticipant));
    }
    assert_eq!(World::open().attempt(Party::Ledger, open()), Err(Refusal::AlreadyRecorded));
    let bare = World::new(Demand::Elastic);
    assert_eq!(bare.attempt(Party::Ledger, open()), Err(Refusal::MarketClosed));
    for (slot, expected) in
        [(7, Err(Refusal::MarketClosed)), (8, Ok(())), (20, Ok(())), (21, Err(Refusal::MarketClosed))]
    {
        let publish = Call::PublishTariff(Tariff { slot, ..tariff() }.into());
        let world = World::begun().after(Party::Grid, publish);
        assert_eq!(world.attempt(Party::Ledger, Call::OpenGame(slot, game())), expected, "slot {slot}");
    }
}

#[test]
fn the_ledger_closes_an_open_game_once() {
    let world = World::played();
    assert_eq!(world.reads(Party::Ledger, CLOSE), ["game/17", "closing/17"]);
    assert_eq!(world.writes(Party::Ledger, CLOSE), [r#"closing/17 {"outcome":"GateClosure"}"#]);
    for other in [SELLER, Party::Grid] {
        assert_eq!(world.attempt(other, CLOSE), Err(Refusal::NotAParticipant));
    }
    assert_eq!(World::registered().attempt(Party::Ledger, CLOSE), Err(Refusal::MarketClosed));
    assert_eq!(World::closed().attempt(Party::Ledger, CLOSE), Err(Refusal::AlreadyRecorded));
}

#[test]
fn posts_count_only_while_the_game_is_on() {
    let posts = [(SELLER, Call::PostQuote(quote(2, 0.6))), (BUYER, post(choice(2, [0.5, 0.5], [1.0, 1.0])))];
    for (creator, call) in posts {
        assert_eq!(World::registered().attempt(creator, call.clone()), Err(Refusal::MarketClosed));
        assert_eq!(World::played().attempt(creator, call.clone()), Ok(()));
        assert_eq!(World::closed().attempt(creator, call.clone()), Err(Refusal::MarketClosed));
        assert_eq!(World::settled().attempt(creator, call), Err(Refusal::MarketClosed));
    }
    let other_slot = Quote { slot: 16, ..quote(2, 0.6) };
    assert_eq!(World::played().attempt(SELLER, Call::PostQuote(other_slot)), Err(Refusal::MarketClosed));
    let other_slot = Choice { slot: 16, ..choice(2, [0.5, 0.5], [1.0, 1.0]) };
    assert_eq!(World::played().attempt(BUYER, post(other_slot)), Err(Refusal::MarketClosed));
}

#[test]
fn sellers_quote_and_buyers_choose() {
    let world = World::open();
    let quotes = |party| world.attempt(party, Call::PostQuote(quote(1, 0.6)));
    let chooses = |party| world.attempt(party, post(choice(1, [0.5, 0.5], [1.0, 1.0])));
    assert_eq!((quotes(SELLER), chooses(BUYER)), (Ok(()), Ok(())));
    for other in [BUYER, Party::Prosumer(IDLE), Party::Prosumer(99), Party::Ledger, Party::Grid] {
        assert_eq!(quotes(other), Err(Refusal::NotAParticipant));
    }
    for other in [SELLER, Party::Prosumer(IDLE), Party::Prosumer(99), Party::Ledger, Party::Grid] {
        assert_eq!(chooses(other), Err(Refusal::NotAParticipant));
    }
}

#[test]
fn a_post_touches_the_facts_of_its_maker_only() {
    let world = World::played();
    let call = Call::PostQuote(quote(2, 0.65));
    assert_eq!(world.reads(Party::Prosumer(4), call.clone()), ["closing/17", "game/17", "quote/17/4", "tariff/17"]);
    let fact = r#"{"slot":17,"version":2,"price":0.65,"change":"inf","updates_at_rest":0,"answers":0}"#;
    assert_eq!(world.writes(Party::Prosumer(4), call), [format!("quote/17/4 {fact}")]);
    let made = choice(2, [0.5, 0.5], [1.0, 1.0]);
    assert_eq!(world.reads(BUYER, post(made.clone())), ["closing/17", "game/17", "choice/17/2"]);
    let state = world.after(BUYER, post(made.clone())).state;
    assert_eq!(state.writes, [(Key::Choice(17, 2), Fact::Choice(made.into()))]);
    let firm = World::open_firm().reads(BUYER, post(choice(1, [0.5, 0.5], [1.0, 1.0])));
    assert_eq!(firm, ["closing/17", "game/17", "choice/17/2", "register/17/2"]);
}

#[test]
fn only_a_newer_version_replaces_a_post() {
    let quotes = |world: &World, version| world.attempt(SELLER, Call::PostQuote(quote(version, 0.6)));
    let chooses = |world: &World, version| world.attempt(BUYER, post(choice(version, [0.5, 0.5], [1.0, 1.0])));
    let open = World::open();
    assert_eq!((quotes(&open, 0), chooses(&open, 0)), (Err(Refusal::OldVersion), Err(Refusal::OldVersion)));
    assert_eq!((quotes(&open, u32::MAX), chooses(&open, u32::MAX)), (Ok(()), Ok(())));
    let seen = open.after(SELLER, Call::PostQuote(quote(3, 0.6))).after(BUYER, post(choice(3, [0.5, 0.5], [1.0, 1.0])));
    for old in 0..=3 {
        assert_eq!((quotes(&seen, old), chooses(&seen, old)), (Err(Refusal::OldVersion), Err(Refusal::OldVersion)));
    }
    assert_eq!((quotes(&seen, 4), chooses(&seen, 4)), (Ok(()), Ok(())));
}

#[test]
fn a_price_is_finite_and_lies_between_the_tariffs() {
    let world = World::open();
    let quotes = |price| world.attempt(SELLER, Call::PostQuote(quote(1, price)));
    assert_eq!((quotes(0.45), quotes(0.84)), (Ok(()), Ok(())));
    for beyond in [0.45 - 1e-9, 0.84 + 1e-9, -0.6, f64::MAX, f64::MIN] {
        assert_eq!(quotes(beyond), Err(Refusal::PriceOutOfBand));
    }
    for strange in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(quotes(strange), Err(Refusal::NotFinite));
    }
}

#[test]
fn a_price_moves_within_the_ramp_from_version_to_version() {
    let world = World::open().after(SELLER, Call::PostQuote(quote(5, 0.6)));
    let quotes = |version, price| world.attempt(SELLER, Call::PostQuote(quote(version, price)));
    for (version, lowest, highest) in [(6, 0.6 * 0.9, 0.6 * 1.1), (7, 0.6 * 0.9 * 0.9, 0.6 * 1.1 * 1.1)] {
        for price in [lowest, highest, lowest * (1.0 - 5e-10), highest * (1.0 + 5e-10)] {
            assert_eq!(quotes(version, price), Ok(()), "{price} at version {version}");
        }
        for price in [lowest * (1.0 - 2e-9), highest * (1.0 + 2e-9)] {
            assert_eq!(quotes(version, price), Err(Refusal::PriceBeyondRamp), "{price} at version {version}");
        }
    }
    assert_eq!((quotes(u32::MAX, 0.45), quotes(u32::MAX, 0.84)), (Ok(()), Ok(())));
    assert_eq!(quotes(6, 0.85), Err(Refusal::PriceOutOfBand), "the band is named before the ramp");
    assert_eq!(World::open().attempt(SELLER, Call::PostQuote(quote(5, 0.84))), Ok(()), "the first price is free");
}

/// What becomes of a buyer's first choice.
fn chooses(shares: impl Into<Vec<f64>>, purchases: impl Into<Vec<f64>>) -> Validity {
    World::open().attempt(BUYER, post(choice(1, shares, purchases)))
}

#[test]
fn shares_are_one_a_seller_and_sum_to_one() {
    let invalid = Err(Refusal::InvalidShares);
    assert_eq!(chooses([1.0, 0.0], [1.0, 1.0]), Ok(()));
    assert_eq!(chooses([0.5, 0.5 + 9e-7], [1.0, 1.0]), Ok(()));
    assert_eq!(chooses([0.5, 0.5 - 9e-7], [1.0, 1.0]), Ok(()));
    assert_eq!(chooses([0.5, 0.5 + 1.1e-6], [1.0, 1.0]), invalid);
    assert_eq!(chooses([0.5, 0.5 - 1.1e-6], [1.0, 1.0]), invalid);
    assert_eq!(chooses([1.0 + 1e-9, -1e-9], [1.0, 1.0]), invalid);
    assert_eq!(chooses([1.0], [1.0, 1.0]), invalid);
    assert_eq!(chooses([0.5, 0.25, 0.25], [1.0, 1.0]), invalid);
    assert_eq!(chooses([], []), invalid);
    let responsive =
        |responsive| World::open().attempt(BUYER, post(Choice { responsive, ..choice(1, [0.5, 0.5], [1.0, 1.0]) }));
    assert_eq!((responsive(0.0), responsive(1.0 + 9e-7)), (Ok(()), Ok(())));
    assert_eq!((responsive(-1e-9), responsive(1.0 + 1.1e-6)), (invalid, invalid));
    for strange in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(chooses([0.5, strange], [1.0, 1.0]), Err(Refusal::NotFinite));
        assert_eq!(responsive(strange), Err(Refusal::NotFinite));
    }
}

#[test]
fn a_choice_tells_of_as_many_sellers_as_its_buyer_knows_in_their_order() {
    let chooses = |world: &World, known: Option<&[u32]>, entries: usize| {
        let shares = vec![1.0 / entries as f64; entries];
        let choice = Choice { known: known.map(Into::into), ..choice(1, shares, vec![1.0; entries]) };
        world.attempt(BUYER, post(choice))
    };
    let invalid = Err(Refusal::InvalidShares);
    let one = World::open_to_acquaintances(1);
    assert_eq!((chooses(&one, Some(&[0]), 1), chooses(&one, Some(&[1]), 1)), (Ok(()), Ok(())));
    for (known, entries) in [(&[2][..], 1), (&[u32::MAX], 1), (&[], 0), (&[0, 1], 2), (&[0], 2), (&[0, 1], 1), (&[], 1)]
    {
        assert_eq!(chooses(&one, Some(known), entries), invalid, "{known:?} with {entries} shares");
    }
    assert_eq!((chooses(&one, None, 1), chooses(&one, None, 2)), (invalid, invalid), "not all are known");
    // There are but two sellers, so that whoever may know more knows both.
    for size in [2, 16] {
        let both = World::open_to_acquaintances(size);
        assert_eq!(chooses(&both, Some(&[0, 1]), 2), Ok(()));
        for known in [&[1, 0][..], &[0, 0], &[0, 2], &[0]] {
            assert_eq!(chooses(&both, Some(known), known.len()), invalid, "{known:?}");
        }
        assert_eq!(chooses(&both, None, 2), invalid);
    }
    let all = World::open();
    assert_eq!((chooses(&all, None, 2), chooses(&all, Some(&[0, 1]), 2)), (Ok(()), invalid));
    let few_purchases = Choice { known: Some([0].into()), ..choice(1, [1.0], []) };
    assert_eq!(one.attempt(BUYER, post(few_purchases)), Err(Refusal::InvalidPurchases));
}

#[test]
fn whom_a_buyer_knows_stays_the_same_within_a_slot() {
    let of = |version, seller: u32| post(Choice { known: Some([seller].into()), ..choice(version, [1.0], [1.0]) });
    let world = World::open_to_acquaintances(1).after(BUYER, of(1, 1));
    assert_eq!(world.attempt(BUYER, of(2, 0)), Err(Refusal::InvalidShares));
    assert_eq!(world.attempt(BUYER, of(2, 1)), Ok(()));
    assert_eq!(world.attempt(Party::Prosumer(6), of(1, 0)), Ok(()), "another buyer may know others");
    let fact = world.writes(BUYER, of(2, 1)).remove(0);
    assert!(fact.starts_with(r#"choice/17/2 {"slot":17,"version":2,"known":[1],"shares":[1.0],"#), "{fact}");
    let without = World::open().writes(BUYER, post(choice(1, [0.5, 0.5], [1.0, 1.0]))).remove(0);
    assert!(!without.contains("known"), "where all are known it goes without saying: {without}");
}

#[test]
fn a_choice_over_known_sellers_is_settled_with_these() {
    let to_second = |seller: u32| post(Choice { known: Some([seller].into()), ..choice(1, [1.0], [0.2]) });
    let world = World::open_to_acquaintances(1)
        .after(SELLER, Call::PostQuote(quote(1, 0.6)))
        .after(Party::Prosumer(SELLERS[1]), Call::PostQuote(quote(1, 0.7)))
        .after(BUYER, to_second(1))
        .after(Party::Ledger, CLOSE);
    let settle = |trade| world.attempt(Party::Ledger, crate::world::settle(&[trade]));
    let energy = microgrid_agents::units::Energy(200_000);
    assert_eq!(settle((2, SELLERS[1], energy)), Ok(()));
    assert_eq!(settle((2, SELLERS[0], energy)), Err(Refusal::MoreThanSurplus));
}

#[test]
fn purchases_are_one_a_seller_plausible_and_not_negative() {
    let most = Choice::MOST_PURCHASE;
    assert_eq!(chooses([0.5, 0.5], [0.0, most]), Ok(()));
    assert_eq!(chooses([0.5, 0.5], [0.0, most * 1.001]), Err(Refusal::InvalidPurchases));
    assert_eq!(chooses([0.5, 0.5], [1.0, -1e-9]), Err(Refusal::InvalidPurchases));
    assert_eq!(chooses([0.5, 0.5], [1.0]), Err(Refusal::InvalidPurchases));
    assert_eq!(chooses([0.5, 0.5], [1.0; 3]), Err(Refusal::InvalidPurchases));
    for strange in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(chooses([0.5, 0.5], [strange, 1.0]), Err(Refusal::NotFinite));
    }
}

#[test]
fn firm_demand_is_no_more_than_the_need() {
    let chooses = |world: World, most| world.attempt(BUYER, post(choice(1, [0.5, 0.5], [0.1, most])));
    assert_eq!(chooses(World::open_firm(), 1.6), Ok(()));
    assert_eq!(chooses(World::open_firm(), 1.6 + 1e-9), Err(Refusal::InvalidPurchases));
    assert_eq!(chooses(World::open(), 1.6 + 1e-9), Ok(()), "elastic demand may exceed the need");
}

#[test]
fn a_share_is_of_the_seller_at_its_position_in_the_game() {
    let world = World::open()
        .after(SELLER, Call::PostQuote(quote(1, 0.6)))
        .after(Party::Prosumer(SELLERS[1]), Call::PostQuote(quote(1, 0.7)))
        .after(BUYER, post(choice(1, [1.0, 0.0], [0.2, 0.4])))
        .after(Party::Ledger, CLOSE);
    let settle = |trade| world.attempt(Party::Ledger, crate::world::settle(&[trade]));
    let energy = microgrid_agents::units::Energy(200_000);
    assert_eq!(settle((2, SELLERS[0], energy)), Ok(()));
    assert_eq!(settle((2, SELLERS[1], energy)), Err(Refusal::MoreThanSurplus));
}
