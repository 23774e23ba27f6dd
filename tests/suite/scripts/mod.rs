//! What a cheat does, one script a kind of misbehaviour.

mod bills;
mod names;
mod posts;

pub(crate) use bills::{Late, Oversell, Quarrel, Silence, WrongText};
pub(crate) use names::{BorrowedName, Courier, Forgery, Replay};
pub(crate) use posts::{Flood, Garbage, LastWord, Overquote};

use microgrid_agents::{
    chain::{
        call::{Call, Settlement},
        fact::Game,
        identity::Party,
    },
    ids::Slot,
    message::{MarketState, Message, SlotOpened},
    statement::{Choice, Quote},
    time::Time,
    units::Energy,
};
use std::{sync::Arc, time::Duration};

/// The number of prosumer 1, who sells, and of prosumer 3, who buys: honest people.
const VICTIMS: [Party; 2] = [Party::Prosumer(1), Party::Prosumer(3)];

/// The state of the market after everybody's first post: time to act, since the next post is half a period away.
fn first_round(heard: &Message) -> Option<&MarketState> {
    match heard {
        Message::MarketState(state) if state.number == 2 => Some(state),
        _ => None,
    }
}

fn market_opens(heard: &Message) -> Option<SlotOpened> {
    match heard {
        Message::SlotOpened(opened) if opened.market_open => Some(opened.clone()),
        _ => None,
    }
}

fn quote(slot: Slot, version: u32, price: f64) -> Call {
    Call::PostQuote(Quote {
        slot,
        version,
        price,
        change: f64::NAN,
        updates_at_rest: u32::MAX,
        answers: Time(u64::MAX),
    })
}

fn choice(slot: Slot, version: u32, shares: &[f64], purchases: &[f64]) -> Choice {
    Choice {
        slot,
        version,
        known: None,
        shares: shares.to_vec(),
        purchases: purchases.to_vec(),
        responsive: 1.0,
        change: f64::NAN,
        updates_at_rest: u32::MAX,
        answers: Time(u64::MAX),
        quotes: Time(u64::MAX),
        news_age: Duration::MAX,
    }
}

fn post(choice: Choice) -> Call {
    Call::PostChoice(Arc::new(choice))
}

fn settle(slot: Slot, trades: &[(u32, u32, i64)]) -> Call {
    let trades = trades.iter().map(|&(buyer, seller, energy)| (buyer, seller, Energy(energy))).collect();
    Call::Settle(Arc::new(Settlement { slot, trades, ..Settlement::default() }))
}

fn game() -> Arc<Game> {
    Arc::new(Game { sellers: vec![4], buyers: vec![1, 3], first_choice: vec![1.0], closes: Time::ZERO })
}
