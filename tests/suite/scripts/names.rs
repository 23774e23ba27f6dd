//! What a cheat says in the names of others, or once more.

use super::{VICTIMS, choice, first_round, game, market_opens, post, quote, settle};
use crate::cheat::{Act, Forger, Script};
use microgrid_agents::{
    chain::{
        call::{Call, Proposal},
        hash::Digest,
        identity::{Party, SecretKey},
        refusal::Refusal,
        transaction::Endorsement,
    },
    ids::{ProsumerId, Slot},
    market::trades::Trades,
    message::{Message, SlotOpened, Submission, Verdict},
    statement::{Dispute, Invoice, Outcome, Registration, Tariff},
    units::Money,
};
use microgrid_sim::agents::ids::{GRID, LEDGER};
use std::sync::Arc;

/// Speaks in the names of others, and of those who run the market.
pub(crate) struct Forgery {
    pub(crate) seed: u64,
}

impl Script for Forgery {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let mut acts = Vec::new();
        let mut forge = |victim, call: Call| acts.extend(me.impersonations(self.seed, victim, &call));
        if let Some(opened) = market_opens(heard) {
            let slot = opened.tariff.slot;
            let cheap = |slot| {
                Call::PublishTariff(Arc::new(Tariff { slot, feed_in: 0.0, grid: 0.01, ..(*opened.tariff).clone() }))
            };
            forge(Party::Grid, cheap(slot));
            for call in [
                Call::OpenGame(slot, game()),
                Call::CloseGame(slot, Outcome::GateClosure),
                settle(slot, &[]),
                cheap(slot),
                quote(slot, 1, 0.5),
            ] {
                forge(Party::Ledger, call);
            }
            let own = |call, refusal| Act::refused(me.own(call), refusal);
            acts.extend([
                own(cheap(slot), Refusal::NotAParticipant),
                own(cheap(slot + 1), Refusal::NotAParticipant),
                own(Call::OpenGame(slot, game()), Refusal::NotAParticipant),
                own(settle(slot, &[]), Refusal::PolicyUnmet),
                own(Call::Genesis(Arc::clone(me.genesis())), Refusal::AlreadyRecorded),
                own(Call::Anchor(Digest::default()), Refusal::AlreadyRecorded),
                Act::refused(me.forged(Party::Grid, cheap(slot + 1), None), Refusal::MarketClosed),
            ]);
            acts.extend(lies(opened));
        }
        if let Some(state) = first_round(heard) {
            let slot = state.slot;
            let mut forge = |victim, call: Call| acts.extend(me.impersonations(self.seed, victim, &call));
            forge(VICTIMS[0], quote(slot, 2, 0.45));
            forge(VICTIMS[1], post(choice(slot, 2, &[1.0, 0.0, 0.0], &[0.0; 3])));
            forge(Party::Grid, quote(slot, 2, 0.45));
        }
        if let Message::BillProposed(bills) = heard {
            let slot = bills.slot;
            let close = Call::CloseGame(slot, Outcome::GateClosure);
            acts.push(Act::refused(me.own(close), Refusal::NotAParticipant));
            acts.push(Act::refused(me.own(settle(slot, &[(3, 1, 1)])), Refusal::PolicyUnmet));
            let mut forge = |victim, call: Call| acts.extend(me.impersonations(self.seed, victim, &call));
            forge(VICTIMS[0], Call::RecordEnergy(slot, Box::default(), None));
            forge(VICTIMS[1], settle(slot, &[(3, 1, 1)]));
        }
        acts
    }

    // After its own: it is itself who would be told that a registration has been refused.
    fn after(&mut self, said: &Message, me: &Forger) -> Vec<Act> {
        let Message::Submit(said) = said else { return Vec::new() };
        let Call::Register(slot, _) = said.proposal.call else { return Vec::new() };
        let idle = Call::Register(slot, Registration::Idle);
        let names = [VICTIMS[0], Party::Prosumer(99)];
        names.into_iter().flat_map(|name| me.impersonations(self.seed, name, &idle)).collect()
    }
}

/// Speaks for others where nobody signs anything.
pub(crate) struct BorrowedName;

impl Script for BorrowedName {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let mut calls = Vec::new();
        if let Some(state) = first_round(heard) {
            calls.extend(VICTIMS.map(|victim| (victim, quote(state.slot, 2, 0.45))));
            calls.push((Party::Grid, quote(state.slot, 2, 0.45)));
            calls.push((Party::Ledger, Call::CloseGame(state.slot, Outcome::GateClosure)));
        }
        if let Message::BillProposed(bills) = heard {
            calls.push((VICTIMS[0], Call::RecordEnergy(bills.slot, Box::default(), None)));
        }
        let forged = |(name, call)| Act::refused(me.forged(name, call, None), Refusal::ForgedIdentity);
        calls.into_iter().map(forged).collect()
    }
}

/// Tells everybody what only the ledger or the grid may tell them. Nobody listens.
fn lies(opened: SlotOpened) -> Vec<Act> {
    let slot = opened.tariff.slot;
    let later = |slots| {
        let tariff = Tariff { slot: slot + slots, ..(*opened.tariff).clone() };
        SlotOpened { tariff: tariff.into(), market_open: false }
    };
    let mut acts = vec![
        Act::send(GRID, Message::SlotOpened(later(0))),
        Act::send(GRID, Message::SlotOpened(later(1))),
        Act::send(LEDGER, Message::SlotOpened(later(1))),
        Act::send(LEDGER, Message::MeterRecorded(slot)),
        Act::send(LEDGER, Message::BillEndorsed(slot, Verdict::Disputed(Dispute::NotMine))),
    ];
    for victim in [ProsumerId(0), ProsumerId(2)] {
        let free = Invoice { slot, charge: Money(1_000_000_000), credit: Money::ZERO };
        let signature = SecretKey::derive(1, GRID).sign(Digest::default(), "");
        for lie in [
            Message::SlotOpened(later(1)),
            Message::Registered(slot, Err(Refusal::MarketClosed)),
            Message::Settled(slot, Box::new(Trades::from_iter([]))),
            Message::MeterRecorded(slot),
            Message::Invoice(Box::new((free, Endorsement::new(Party::Grid, Some(signature))))),
        ] {
            acts.push(Act::send(victim.actor(), lie));
        }
    }
    acts
}

/// Says again what has been said, by itself and by others.
#[derive(Default)]
pub(crate) struct Replay {
    last: Option<Slot>,
}

impl Script for Replay {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let mut acts = Vec::new();
        let [seller, buyer] = VICTIMS;
        if let Message::SlotOpened(opened) = heard
            && let Some(before) = self.last.replace(opened.tariff.slot).filter(|&before| before < opened.tariff.slot)
        {
            let is_reading = |call: &Call| matches!(call, Call::RecordEnergy(..));
            let is_tariff = |call: &Call| matches!(call, Call::PublishTariff(_));
            let is_registration = |call: &Call| matches!(call, Call::Register(..));
            let refused = |said: Option<Arc<Submission>>, refusal| said.map(|said| Act::refused(said, refusal));
            acts.extend(refused(me.overheard(seller, before, is_reading), Refusal::MarketClosed));
            acts.extend(refused(me.overheard(Party::Grid, before, is_tariff), Refusal::AlreadyRecorded));
            acts.extend(refused(me.overheard(Party::Grid, opened.tariff.slot, is_tariff), Refusal::AlreadyRecorded));
            acts.extend(refused(me.overheard(Party::Grid, opened.tariff.slot + 1, is_tariff), Refusal::MarketClosed));
            acts.extend(refused(me.overheard(buyer, before, is_registration), Refusal::MarketClosed));
            acts.extend(refused(me.overheard(me.party(), before, is_registration), Refusal::MarketClosed));
            // Its own question once more, as if the answer had been lost.
            let own = me.overheard(me.party(), before, is_reading);
            acts.extend(own.map(|said| Act::send(LEDGER, Message::Submit(said))));
        }
        if let Message::MarketState(state) = heard
            && state.number == 6
        {
            let is_post = |call: &Call| call.is_post();
            let is_registration = |call: &Call| matches!(call, Call::Register(..));
            acts.extend(me.posts().first().map(|first| Act::refused(Arc::clone(first), Refusal::OldVersion)));
            let earlier = Arc::new(Submission {
                proposal: Proposal { creator: seller, call: quote(state.slot, 1, 0.5) },
                signature: None,
                endorsements: Vec::new(),
            });
            let overheard = me.overheard(seller, state.slot, is_post).unwrap_or(earlier);
            let refusal = if overheard.signature.is_some() { Refusal::OldVersion } else { Refusal::ForgedIdentity };
            acts.push(Act::refused(overheard, refusal));
            let registration = me.overheard(seller, state.slot, is_registration);
            acts.extend(registration.map(|said| Act::refused(said, Refusal::MarketClosed)));
        }
        acts
    }
}

/// Carries to the ledger what others have signed, as soon as they may have: first without what others have endorsed of
/// it, then as it is.
pub(crate) struct Courier;

impl Script for Courier {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let overheard = |slot, of: fn(&Call) -> bool| {
            VICTIMS.into_iter().filter_map(move |victim| me.overheard(victim, slot, of)).flat_map(|said| {
                let bare = Arc::new(Submission { endorsements: Vec::new(), ..(*said).clone() });
                [bare, said].map(|said| Act::send(LEDGER, Message::Submit(said)))
            })
        };
        let recorded = |slot| overheard(slot, |call| matches!(call, Call::RecordEnergy(..))).collect();
        match heard {
            Message::SlotOpened(opened) if opened.market_open => {
                overheard(opened.tariff.slot, |call| matches!(call, Call::Register(..))).collect()
            }
            Message::SlotOpened(SlotOpened { tariff, .. }) => recorded(tariff.slot),
            Message::Settled(slot, _) => recorded(*slot),
            _ => Vec::new(),
        }
    }
}
