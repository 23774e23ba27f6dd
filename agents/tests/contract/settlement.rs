//! Trades, bills, accounts, balances.

use crate::world::{BUYERS, SELLERS, SLOT, TRADES, World, choice, post, quote, seller, settle, tariff};
use microgrid_agents::{
    chain::{
        call::{Call, Settlement},
        fact::{Account, Bill, Fact, Key, Number},
        identity::Party,
        refusal::{Refusal, Validity},
    },
    market::{
        demand::Demand,
        settlement::{Division, Party as Side, Wish},
    },
    statement::{Choice, Outcome, Registration, Tariff},
    units::{Energy, Money},
};
use proptest::{collection::vec, prelude::*};
use std::sync::Arc;

/// What becomes of these trades after the game.
fn settles(trades: &[(Number, Number, i64)]) -> Validity {
    let trades: Vec<_> = trades.iter().map(|&(buyer, seller, energy)| (buyer, seller, Energy(energy))).collect();
    World::closed().attempt(Party::Ledger, settle(&trades))
}

#[test]
fn a_settlement_writes_bills_accounts_fees_and_its_sums() {
    let expected = [
        r#"bill/17/2/1 {"energy":500000,"price":0.6,"payment":300000,"fee":5000}"#,
        r#"bill/17/2/4 {"energy":300000,"price":0.7,"payment":210000,"fee":3000}"#,
        r#"bill/17/6/1 {"energy":500000,"price":0.6,"payment":300000,"fee":5000}"#,
        r#"bill/17/6/4 {"energy":200000,"price":0.7,"payment":140000,"fee":2000}"#,
        r#"account/17/1 {"bought":0,"sold":1000000,"paid":0,"earned":600000,"fee":0}"#,
        r#"account/17/2 {"bought":800000,"sold":0,"paid":510000,"earned":0,"fee":8000}"#,
        r#"account/17/4 {"bought":0,"sold":500000,"paid":0,"earned":350000,"fee":0}"#,
        r#"account/17/6 {"bought":700000,"sold":0,"paid":440000,"earned":0,"fee":7000}"#,
        "fees/17 15000",
        r#"settlement/17 {"bills":4,"energy":1500000}"#,
    ];
    assert_eq!(World::closed().writes(Party::Ledger, settle(&TRADES)), expected);
}

#[test]
fn a_settlement_rests_on_the_posts_and_registrations_of_those_who_trade() {
    let slot = ["settlement/17", "tariff/17", "game/17", "closing/17"];
    let posts = ["quote/17/1", "register/17/1", "choice/17/2", "quote/17/4", "register/17/4", "choice/17/6"];
    let reads = World::closed().reads(Party::Ledger, settle(&TRADES));
    assert_eq!(reads, slot.iter().chain(&posts).copied().collect::<Vec<_>>());
    assert_eq!(World::closed().reads(Party::Ledger, settle(&[])), slot);
}

#[test]
fn a_slot_is_settled_once() {
    for trades in [&TRADES[..], &[]] {
        assert_eq!(World::settled().attempt(Party::Ledger, settle(trades)), Err(Refusal::AlreadySettled));
    }
}

#[test]
fn a_game_settles_after_it_has_closed() {
    assert_eq!(World::played().attempt(Party::Ledger, settle(&TRADES)), Err(Refusal::MarketClosed));
    assert_eq!(World::played().attempt(Party::Ledger, settle(&[])), Err(Refusal::MarketClosed));
}

#[test]
fn a_slot_without_a_game_settles_without_trades() {
    let world = World::registered();
    assert_eq!(world.attempt(Party::Ledger, settle(&TRADES)), Err(Refusal::MarketClosed));
    let expected = ["fees/17 0", r#"settlement/17 {"bills":0,"energy":0}"#];
    assert_eq!(world.writes(Party::Ledger, settle(&[])), expected);
    let bare = World::new(Demand::Elastic);
    assert_eq!(bare.attempt(Party::Ledger, settle(&[])), Err(Refusal::MarketClosed), "no tariff");
    for (slot, expected) in
        [(7, Err(Refusal::MarketClosed)), (8, Ok(())), (20, Ok(())), (21, Err(Refusal::MarketClosed))]
    {
        let world = World::begun().after(Party::Grid, Call::PublishTariff(Tariff { slot, ..tariff() }.into()));
        let call = Call::Settle(Arc::new(Settlement { slot, ..Settlement::default() }));
        assert_eq!(world.attempt(Party::Ledger, call), expected, "slot {slot}");
    }
}

#[test]
fn trades_stand_in_order_and_each_once() {
    assert_eq!(settles(&[(2, 1, 100), (2, 4, 100), (6, 1, 100)]), Ok(()));
    for trades in [
        [(2, 4, 100), (2, 1, 100), (6, 1, 100)],
        [(6, 1, 100), (2, 4, 100), (6, 4, 100)],
        [(2, 1, 100), (2, 1, 100), (6, 1, 100)],
    ] {
        assert_eq!(settles(&trades), Err(Refusal::InvalidPurchases));
    }
}

#[test]
fn a_trade_has_some_energy() {
    assert_eq!(settles(&[(2, 1, 1)]), Ok(()));
    for energy in [0, -1, i64::MIN] {
        assert_eq!(settles(&[(2, 1, energy)]), Err(Refusal::InvalidPurchases));
    }
}

#[test]
fn trades_are_between_a_seller_and_a_buyer_of_the_game() {
    for (buyer, seller) in [(2, 3), (3, 1), (2, 2), (1, 1), (1, 2), (2, 99), (99, 1)] {
        assert_eq!(settles(&[(buyer, seller, 100)]), Err(Refusal::NotAParticipant), "{buyer} buys from {seller}");
    }
}

#[test]
fn nobody_trades_who_has_not_posted() {
    let close = || Call::CloseGame(SLOT, Outcome::GateClosure);
    let trade = || settle(&[(2, 1, Energy(100))]);
    let quoted = World::open().after(Party::Prosumer(1), Call::PostQuote(quote(1, 0.6)));
    let chose = |world: World| world.after(Party::Prosumer(2), post(choice(1, [0.5, 0.5], [1.0, 1.0])));
    let both = chose(quoted.clone()).after(Party::Ledger, close());
    assert_eq!(both.attempt(Party::Ledger, trade()), Ok(()));
    let no_choice = quoted.after(Party::Ledger, close());
    assert_eq!(no_choice.attempt(Party::Ledger, trade()), Err(Refusal::NotAParticipant));
    let no_quote = chose(World::open()).after(Party::Ledger, close());
    assert_eq!(no_quote.attempt(Party::Ledger, trade()), Err(Refusal::NotAParticipant));
}

#[test]
fn nobody_gets_more_than_it_asked_for_by_more_than_a_unit_of_rounding() {
    assert_eq!(settles(&[(2, 4, 300_001)]), Ok(()));
    assert_eq!(settles(&[(2, 4, 300_002)]), Err(Refusal::MoreThanSurplus));
    assert_eq!(settles(&[(2, 4, i64::MAX)]), Err(Refusal::MoreThanSurplus));
}

#[test]
fn nobody_gets_more_in_all_than_it_asked_for() {
    let both = [([0.5, 0.5], [1.0, 1.0]); 2];
    let world = game_of([seller(3_000_000); 2], [0.6, 0.6], both);
    let settles =
        |first, second| world.attempt(Party::Ledger, settle(&[(2, 1, Energy(first)), (2, 4, Energy(second))]));
    assert_eq!(settles(500_001, 499_999), Ok(()));
    assert_eq!(settles(500_001, 500_000), Err(Refusal::MoreThanSurplus));
}

#[test]
fn nobody_sells_more_than_its_surplus_by_a_single_unit() {
    assert_eq!(settles(&[(2, 1, 499_999), (6, 1, 500_001)]), Ok(()));
    assert_eq!(settles(&[(2, 1, 500_000), (6, 1, 500_001)]), Err(Refusal::MoreThanSurplus));
}

#[test]
fn amounts_beyond_any_market_neither_overflow_nor_panic() {
    let most = Registration::MOST_SURPLUS;
    let surpluses = [seller(most.0), seller(most.0)];
    let wanted = [Choice::MOST_PURCHASE; 2];
    let world = game_of(surpluses, [0.84, 0.84], [([0.5, 0.5], wanted), ([1.0, 0.0], wanted)]);
    let half = Energy(most.0 / 2);
    let settled = world.clone().after(Party::Ledger, settle(&[(2, 1, half), (2, 4, half)]));
    let account = settled.state.fact(Key::Account(SLOT, 2)).expect("it has traded");
    let Fact::Account(account) = account else { panic!("no account") };
    assert_eq!(account.bought, most);
    for more in [half + Energy(1), Energy(i64::MAX)] {
        let oversold = world.attempt(Party::Ledger, settle(&[(2, 1, half), (6, 1, more)]));
        assert_eq!(oversold, Err(Refusal::MoreThanSurplus));
    }
}

#[test]
fn bills_stand_by_pair_and_balances_follow() {
    let world = World::settled();
    let bill = Bill { energy: Energy(300_000), price: 0.7, payment: Money(210_000), fee: Money(3_000) };
    assert_eq!(world.bill(SLOT, 2, 4), Some(bill));
    assert_eq!(world.bill(SLOT, 4, 2), None);
    assert_eq!(world.bill(16, 2, 4), None);
    let balances = [(1, 600_000), (2, -518_000), (3, 0), (4, 350_000), (6, -447_000)];
    for (number, expected) in balances {
        assert_eq!(world.balance(Party::Prosumer(number)), Money(expected), "prosumer {number}");
    }
    assert_eq!(world.balance(Party::Ledger), Money(15_000));
    assert_eq!(world.balance(Party::Grid), Money::ZERO);
}

/// A game over, with these surpluses, prices and choices.
fn game_of(surpluses: [Registration; 2], prices: [f64; 2], choices: [([f64; 2], [f64; 2]); 2]) -> World {
    let mut world = World::begun();
    for (number, surplus) in SELLERS.into_iter().zip(surpluses) {
        world = world.after(Party::Prosumer(number), Call::Register(SLOT, surplus));
    }
    world = world.after(Party::Ledger, Call::OpenGame(SLOT, crate::world::game()));
    for (number, price) in SELLERS.into_iter().zip(prices) {
        world = world.after(Party::Prosumer(number), Call::PostQuote(quote(1, price)));
    }
    for (number, (shares, purchases)) in BUYERS.into_iter().zip(choices) {
        world = world.after(Party::Prosumer(number), post(choice(1, shares, purchases)));
    }
    world.after(Party::Ledger, Call::CloseGame(SLOT, Outcome::GateClosure))
}

proptest! {
    #[test]
    fn what_follows_from_a_game_settles_and_the_books_agree(
        surpluses in [1..3_000_000_i64, 1..3_000_000_i64],
        prices in [0.45..=0.84, 0.45..=0.84],
        firsts in [0.0..=1.0, 0.0..=1.0],
        purchases in [[0.0..4.0, 0.0..4.0], [0.0..4.0, 0.0..4.0]],
        settled in vec(any::<bool>(), 4),
        seed in any::<u64>(),
    ) {
        let shares = firsts.map(|first: f64| [first, 1.0 - first]);
        let choices = [(shares[0], purchases[0]), (shares[1], purchases[1])];
        let world = game_of(surpluses.map(seller), prices, choices);
        let sellers = [0, 1].map(|j| Side { number: SELLERS[j], most: Energy(surpluses[j]) });
        let buyers = BUYERS.map(|number| Side { number, most: Side::ANY });
        let wishes = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| {
            Wish { buyer: i as u32, seller: j as u32, wanted: shares[i][j] * purchases[i][j] }
        });
        let parts = Division { seed, slot: SLOT, sellers: &sellers, buyers: &buyers, wishes: &wishes }.divide();
        let trade = |(wish, energy): (&Wish, Energy)| {
            (BUYERS[wish.buyer as usize], SELLERS[wish.seller as usize], energy)
        };
        let mut trades: Vec<(Number, Number, Energy)> = wishes.iter().zip(parts).map(trade).collect();
        trades.retain(|trade| trade.2 > Energy::ZERO);
        let mut keep = settled.into_iter();
        trades.retain(|_| keep.next().unwrap_or(true));
        let world = world.after(Party::Ledger, settle(&trades));

        let mut expected = [Account::default(); 7];
        let mut fees = Money::ZERO;
        for &(buyer, seller, energy) in &trades {
            let bill = world.bill(SLOT, buyer, seller).expect("each trade has a bill");
            let price = prices[usize::from(seller == SELLERS[1])];
            let whole = (energy, price, energy.at_price(price), energy.at_price(0.01));
            prop_assert_eq!((bill.energy, bill.price, bill.payment, bill.fee), whole);
            let buyer = &mut expected[buyer as usize];
            buyer.bought += energy;
            buyer.paid += bill.payment;
            buyer.fee += bill.fee;
            let seller = &mut expected[seller as usize];
            seller.sold += energy;
            seller.earned += bill.payment;
            fees += bill.fee;
        }
        let pairs = BUYERS.into_iter().flat_map(|buyer| SELLERS.map(|seller| world.bill(SLOT, buyer, seller)));
        prop_assert_eq!(pairs.flatten().count(), trades.len());
        for (number, account) in (0..).zip(expected) {
            let known = world.state.fact(Key::Account(SLOT, number));
            prop_assert_eq!(known, (account != Account::default()).then_some(Fact::Account(account)));
        }
        prop_assert_eq!(world.state.fact(Key::Fees(SLOT)), Some(Fact::Fees(fees)));
        let everybody = (1..=6).map(Party::Prosumer).chain([Party::Grid, Party::Ledger]);
        prop_assert_eq!(everybody.map(|party| world.balance(party)).sum::<Money>(), Money::ZERO);
    }
}
