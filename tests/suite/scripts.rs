//! What a cheat does, one script a kind of misbehaviour.

use crate::cheat::{Act, Forger, Script};
use microgrid_agents::{
    chain::{
        call::{BillsOf, Call, InvoiceTo, Settlement},
        fact::Game,
        hash::Digest,
        identity::Party,
        refusal::Refusal,
        transaction::Endorsement,
    },
    ids::{ActorId, ProsumerId, Slot},
    market::{demand::Buyer, settlement::Trade},
    message::{
        Choice, Dispute, Invoice, MarketState, Message, MeterReading, Quote, Registration, SlotOpened, Submission,
        Tariff, Verdict,
    },
    observation::Outcome,
    time::Time,
    units::{Energy, Money},
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
        Message::SlotOpened(opened) if opened.market_open => Some(*opened),
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
        shares: shares.to_vec(),
        purchases: purchases.to_vec(),
        responsive: 1.0,
        change: f64::NAN,
        updates_at_rest: u32::MAX,
        answers: Time(u64::MAX),
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

/// Posts prices that nobody may ask.
pub(crate) struct Overquote;

impl Script for Overquote {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let (Some(state), [.., last]) = (first_round(heard), me.posts()) else { return Vec::new() };
        let Call::PostQuote(Quote { slot, version, price, .. }) = last.proposal.call else { return Vec::new() };
        assert_eq!((slot, version), (state.slot, 1));
        let leap = if price < 0.65 { 1.25 * price } else { 0.75 * price };
        let refused = |version, price, refusal| Act::refused(me.own(quote(slot, version, price)), refusal);
        vec![
            refused(2, 5.0, Refusal::PriceOutOfBand),
            refused(2, 0.449, Refusal::PriceOutOfBand),
            refused(1000, -1.0, Refusal::PriceOutOfBand),
            refused(u32::MAX, f64::MAX, Refusal::PriceOutOfBand),
            refused(2, leap, Refusal::PriceBeyondRamp),
            refused(1, price, Refusal::OldVersion),
            refused(0, price, Refusal::OldVersion),
            refused(3, f64::NAN, Refusal::NotFinite),
            refused(4, f64::INFINITY, Refusal::NotFinite),
            refused(5, f64::NEG_INFINITY, Refusal::NotFinite),
            Act::refused(me.own(post(choice(slot, 2, &[1.0, 0.0, 0.0], &[1.0; 3]))), Refusal::NotAParticipant),
        ]
    }
}

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
            let cheap = Tariff { feed_in: 0.0, grid: 0.01, ..opened.tariff };
            forge(Party::Grid, Call::PublishTariff(cheap));
            for call in [
                Call::OpenGame(slot, game()),
                Call::CloseGame(slot, Outcome::GateClosure),
                settle(slot, &[]),
                Call::PublishTariff(cheap),
                quote(slot, 1, 0.5),
            ] {
                forge(Party::Ledger, call);
            }
            let own = |call, refusal| Act::refused(me.own(call), refusal);
            acts.extend([
                own(Call::PublishTariff(cheap), Refusal::NotAParticipant),
                own(Call::PublishTariff(Tariff { slot: slot + 1, ..cheap }), Refusal::NotAParticipant),
                own(Call::OpenGame(slot, game()), Refusal::NotAParticipant),
                own(settle(slot, &[]), Refusal::PolicyUnmet),
                own(Call::Genesis(Arc::clone(me.genesis())), Refusal::AlreadyRecorded),
                own(Call::Anchor(Digest::default()), Refusal::AlreadyRecorded),
                Act::refused(
                    me.forged(Party::Grid, Call::PublishTariff(Tariff { slot: slot + 1, ..cheap }), None),
                    Refusal::MarketClosed,
                ),
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
            forge(VICTIMS[0], Call::RecordEnergy(slot, MeterReading::default(), None));
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

/// Tells everybody what only the ledger or the grid may tell them. Nobody listens.
fn lies(opened: SlotOpened) -> Vec<Act> {
    let slot = opened.tariff.slot;
    let later = |slots| SlotOpened { tariff: Tariff { slot: slot + slots, ..opened.tariff }, market_open: false };
    let mut acts = vec![
        Act::send(ActorId::GRID, Message::SlotOpened(later(0))),
        Act::send(ActorId::GRID, Message::SlotOpened(later(1))),
        Act::send(ActorId::LEDGER, Message::SlotOpened(later(1))),
        Act::send(ActorId::LEDGER, Message::MeterRecorded(slot)),
        Act::send(ActorId::LEDGER, Message::BillEndorsed(slot, Verdict::Disputed(Dispute::NotMine))),
    ];
    for victim in [ProsumerId(0), ProsumerId(2)] {
        let free = Invoice { slot, charge: Money(1_000_000_000), credit: Money::ZERO };
        let signature =
            microgrid_agents::chain::identity::SecretKey::derive(1, ActorId::GRID).sign(Digest::default(), "");
        for lie in [
            Message::SlotOpened(later(1)),
            Message::Registered(slot, Err(Refusal::MarketClosed)),
            Message::Settled(slot, Arc::new([])),
            Message::MeterRecorded(slot),
            Message::Invoice(free, Box::new(Endorsement { by: Party::Grid, signature })),
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
            acts.extend(own.map(|said| Act::send(ActorId::LEDGER, Message::Submit(said))));
        }
        if let Message::MarketState(state) = heard
            && state.number == 6
        {
            let is_post = |call: &Call| call.is_post();
            let is_registration = |call: &Call| matches!(call, Call::Register(..));
            acts.extend(me.posts().first().map(|first| Act::refused(Arc::clone(first), Refusal::OldVersion)));
            let earlier = Arc::new(Submission {
                proposal: microgrid_agents::chain::call::Proposal { creator: seller, call: quote(state.slot, 1, 0.5) },
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

/// Sells more than it has, and writes its own invoices.
#[derive(Default)]
pub(crate) struct Oversell {
    grid: f64,
}

/// A reading in its own name, endorsed by whoever endorses it.
fn reading(
    me: &Forger,
    slot: Slot,
    reading: MeterReading,
    invoice: Option<Invoice>,
    endorsements: Vec<Endorsement>,
) -> Arc<Submission> {
    let submission = me.own(Call::RecordEnergy(slot, reading, invoice));
    Arc::new(Submission { endorsements, ..(*submission).clone() })
}

impl Script for Oversell {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let Party::Prosumer(number) = me.party() else { return Vec::new() };
        let own = |call, refusal| Act::refused(me.own(call), refusal);
        match heard {
            Message::SlotOpened(opened) => self.grid = opened.tariff.grid,
            Message::Registered(slot, Ok(())) => {
                let more = Registration::Seller(Registration::MOST_SURPLUS);
                return vec![own(Call::Register(*slot, more), Refusal::MarketClosed)];
            }
            Message::MarketState(state) if state.number == 2 => {
                return vec![own(settle(state.slot, &[(3, number, 1)]), Refusal::MarketClosed)];
            }
            Message::BillProposed(bills) => {
                return vec![
                    own(settle(bills.slot, &[(3, number, i64::MAX)]), Refusal::MoreThanSurplus),
                    own(settle(bills.slot, &[(3, number, 1)]), Refusal::PolicyUnmet),
                ];
            }
            Message::Settled(slot, trades) => {
                let mut acts = vec![own(settle(*slot, &[(3, number, 1)]), Refusal::AlreadySettled)];
                acts.extend(self.false_readings(*slot, trades, me));
                return acts;
            }
            _ => {}
        }
        Vec::new()
    }

    fn after(&mut self, said: &Message, me: &Forger) -> Vec<Act> {
        let Message::Submit(said) = said else { return Vec::new() };
        match said.proposal.call {
            Call::Register(slot, Registration::Seller(_)) => {
                let register = |surplus| me.own(Call::Register(slot, Registration::Seller(surplus)));
                vec![
                    Act::refused(register(Registration::MOST_SURPLUS), Refusal::StaleRead),
                    Act::refused(register(Registration::MOST_SURPLUS + Energy(1)), Refusal::InvalidRegistration),
                    Act::refused(register(Energy(-1)), Refusal::InvalidRegistration),
                ]
            }
            // Another reading that adds up just as well.
            Call::RecordEnergy(slot, told, invoice) => {
                let more = Energy(1);
                let other = MeterReading { generated: told.generated + more, consumed: told.consumed + more, ..told };
                let again = reading(me, slot, other, invoice, said.endorsements.clone());
                vec![Act::refused(again, Refusal::StaleRead)]
            }
            _ => Vec::new(),
        }
    }
}

impl Oversell {
    /// Readings that do not balance with what it has sold, and invoices that are not the grid's.
    fn false_readings(&self, slot: Slot, trades: &[Trade], me: &Forger) -> Vec<Act> {
        let sold: Energy = trades.iter().map(|trade| trade.energy).sum();
        assert!(sold > Energy::ZERO);
        let refused = |told, invoice, endorsements, refusal| {
            Act::refused(reading(me, slot, told, invoice, endorsements), refusal)
        };
        let kept = MeterReading { generated: sold, exported: sold, ..MeterReading::default() };
        let negative = MeterReading { consumed: Energy::ZERO - sold, ..MeterReading::default() };
        let imported = MeterReading { imported: sold + Energy(1_000_000), consumed: Energy(1_000_000), ..kept };
        let imported = MeterReading { generated: Energy::ZERO, exported: Energy::ZERO, ..imported };
        let due = Invoice { slot, charge: imported.imported.at_price(self.grid), credit: Money::ZERO };
        let free = Invoice { charge: Money::ZERO, ..due };
        let endorsed = |invoice| {
            let text = InvoiceTo { party: me.party(), invoice }.to_json();
            vec![Endorsement { by: Party::Grid, signature: me.sign(&text) }]
        };
        vec![
            refused(kept, None, Vec::new(), Refusal::EnergyDoesNotBalance),
            refused(negative, None, Vec::new(), Refusal::EnergyDoesNotBalance),
            refused(imported, None, Vec::new(), Refusal::WrongInvoice),
            refused(imported, Some(free), endorsed(free), Refusal::WrongInvoice),
            refused(imported, Some(due), endorsed(due), Refusal::PolicyUnmet),
        ]
    }
}

/// Says what makes no sense.
pub(crate) struct Garbage;

impl Script for Garbage {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let refused = |call, refusal| Act::refused(me.own(call), refusal);
        if let Some(state) = first_round(heard) {
            return senseless_choices(state.slot, me);
        }
        match heard {
            Message::BillProposed(bills) => {
                let settle = |trades: &[_]| settle(bills.slot, trades);
                vec![
                    refused(settle(&[(4, 1, i64::MAX)]), Refusal::MoreThanSurplus),
                    refused(settle(&[(4, 1, i64::MIN)]), Refusal::InvalidPurchases),
                    refused(settle(&[(4, 1, 1), (3, 1, 1)]), Refusal::InvalidPurchases),
                    refused(settle(&[(u32::MAX, 0, 1)]), Refusal::NotAParticipant),
                ]
            }
            Message::Settled(slot, trades) => {
                let bought: Energy = trades.iter().map(|trade| trade.energy).sum();
                assert!(bought > Energy::ZERO);
                let (most, none) = (Energy(i64::MAX), MeterReading::default());
                let all = MeterReading {
                    generated: most,
                    consumed: most,
                    charged: most,
                    discharged: most,
                    imported: most,
                    exported: most,
                };
                let record = |reading, refusal| refused(Call::RecordEnergy(*slot, reading, None), refusal);
                vec![
                    record(MeterReading { consumed: Energy(i64::MIN), ..none }, Refusal::EnergyDoesNotBalance),
                    record(MeterReading { generated: most, ..none }, Refusal::EnergyDoesNotBalance),
                    record(all, Refusal::EnergyDoesNotBalance),
                    record(MeterReading { consumed: most, imported: most - bought, ..none }, Refusal::WrongInvoice),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn after(&mut self, said: &Message, me: &Forger) -> Vec<Act> {
        let Message::Submit(said) = said else { return Vec::new() };
        let Call::Register(slot, Registration::Buyer(honest)) = said.proposal.call else { return Vec::new() };
        let register = |slot, registration, refusal| Act::refused(me.own(Call::Register(slot, registration)), refusal);
        let buyer = |buyer, refusal| register(slot, Registration::Buyer(buyer), refusal);
        let seller = |surplus| register(slot, Registration::Seller(Energy(surplus)), Refusal::InvalidRegistration);
        vec![
            buyer(Buyer { need: f64::NAN, ..honest }, Refusal::NotFinite),
            buyer(Buyer { generation: f64::NEG_INFINITY, ..honest }, Refusal::NotFinite),
            buyer(Buyer { preference: f64::INFINITY, ..honest }, Refusal::NotFinite),
            buyer(Buyer { generation: 1e300, ..honest }, Refusal::InvalidRegistration),
            buyer(Buyer { preference: 1e300, ..honest }, Refusal::InvalidRegistration),
            seller(i64::MAX),
            seller(0),
            register(0, Registration::Idle, Refusal::MarketClosed),
            register(u32::MAX, Registration::Idle, Refusal::MarketClosed),
        ]
    }
}

fn senseless_choices(slot: Slot, me: &Forger) -> Vec<Act> {
    let third = 1.0 / 3.0;
    let (shares, purchases) = ([third; 3], [1.0; 3]);
    let refused = |choice, refusal| Act::refused(me.own(post(choice)), refusal);
    let of = |shares: &[f64], purchases: &[f64]| choice(slot, 2, shares, purchases);
    let responsive = |responsive| Choice { responsive, ..of(&shares, &purchases) };
    let mut acts = vec![
        refused(of(&[f64::NAN, 0.5, 0.5], &purchases), Refusal::NotFinite),
        refused(of(&shares, &[f64::INFINITY, 1.0, 1.0]), Refusal::NotFinite),
        refused(responsive(f64::NAN), Refusal::NotFinite),
        refused(of(&[], &purchases), Refusal::InvalidShares),
        refused(of(&[1.5, -0.5, 0.0], &purchases), Refusal::InvalidShares),
        refused(of(&[1.0, 1.0, 1.0], &purchases), Refusal::InvalidShares),
        refused(responsive(2.0), Refusal::InvalidShares),
        refused(responsive(-1.0), Refusal::InvalidShares),
        refused(of(&shares, &[1.0; 2]), Refusal::InvalidPurchases),
        refused(of(&shares, &[1.0; 4]), Refusal::InvalidPurchases),
        refused(of(&shares, &[-1.0, 1.0, 1.0]), Refusal::InvalidPurchases),
        // Two of these add up to infinity, whose differences are no numbers.
        refused(of(&shares, &[f64::MAX; 3]), Refusal::InvalidPurchases),
        refused(of(&shares, &[1e10; 3]), Refusal::InvalidPurchases),
        Act::refused(me.own(quote(slot, 2, 0.6)), Refusal::NotAParticipant),
    ];
    for other in [0, slot - 1, slot + 1, u32::MAX] {
        acts.push(refused(choice(other, 2, &shares, &purchases), Refusal::MarketClosed));
    }
    acts
}

/// Says the same thing very often.
pub(crate) struct Flood;

impl Script for Flood {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let Some(state) = first_round(heard) else { return Vec::new() };
        let post = || quote(state.slot, 2, 5.0);
        let own = || Act::refused(me.own(post()), Refusal::PriceOutOfBand);
        let forged = || Act::refused(me.forged(VICTIMS[0], post(), None), Refusal::ForgedIdentity);
        (0..1200).flat_map(|_| [own(), forged()]).collect()
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
                [bare, said].map(|said| Act::send(ActorId::LEDGER, Message::Submit(said)))
            })
        };
        match heard {
            Message::SlotOpened(opened) if opened.market_open => {
                overheard(opened.tariff.slot, |call| matches!(call, Call::Register(..))).collect()
            }
            Message::SlotOpened(SlotOpened { tariff: Tariff { slot, .. }, .. }) | Message::Settled(slot, _) => {
                overheard(*slot, |call| matches!(call, Call::RecordEnergy(..))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Posts what it has posted under the last version that there is.
pub(crate) struct LastWord;

impl Script for LastWord {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let (Some(_), [.., last]) = (first_round(heard), me.posts()) else { return Vec::new() };
        let Call::PostChoice(last) = &last.proposal.call else { return Vec::new() };
        let last = post(Choice { version: u32::MAX, ..(**last).clone() });
        vec![Act::send(ActorId::LEDGER, Message::Submit(me.own(last)))]
    }
}

/// Never answers when it is asked to sign its bills.
pub(crate) struct Silence;

impl Script for Silence {
    fn says(&mut self, message: Message, _: &Forger) -> Option<Message> {
        (!matches!(message, Message::BillEndorsed(..))).then_some(message)
    }
}

/// Signs something else than its bills.
pub(crate) struct WrongText;

impl Script for WrongText {
    fn says(&mut self, message: Message, me: &Forger) -> Option<Message> {
        let Message::BillEndorsed(slot, _) = message else { return Some(message) };
        let nothing = BillsOf { slot, party: me.party(), bills: Vec::new() };
        Some(Message::BillEndorsed(slot, Verdict::Endorsed(Box::new(me.sign(&nothing.to_json())))))
    }
}

/// Disputes every bill.
pub(crate) struct Quarrel;

impl Script for Quarrel {
    fn says(&mut self, message: Message, _: &Forger) -> Option<Message> {
        let Message::BillEndorsed(slot, _) = message else { return Some(message) };
        Some(Message::BillEndorsed(slot, Verdict::Disputed(Dispute::WrongAmount)))
    }
}

/// Signs when it is asked for the third time.
#[derive(Default)]
pub(crate) struct Late {
    asked: u32,
}

impl Script for Late {
    fn on(&mut self, heard: &Message, _: &Forger) -> Vec<Act> {
        match heard {
            Message::BillProposed(_) => self.asked += 1,
            Message::SlotOpened(_) => self.asked = 0,
            _ => {}
        }
        Vec::new()
    }

    fn says(&mut self, message: Message, _: &Forger) -> Option<Message> {
        (!matches!(message, Message::BillEndorsed(..)) || self.asked >= 3).then_some(message)
    }
}
