//! What a cheat posts in the game.

use super::{VICTIMS, choice, first_round, post, quote, settle};
use crate::cheat::{Act, Forger, Script};
use microgrid_agents::{
    chain::{call::Call, refusal::Refusal},
    ids::Slot,
    market::demand::Buyer,
    message::Message,
    statement::{Choice, MeterReading, Quote, Registration},
    units::Energy,
};
use microgrid_sim::agents::ids::LEDGER;

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
                    short: most,
                    long: most,
                };
                let record = |reading, refusal| refused(Call::RecordEnergy(*slot, Box::new(reading), None), refusal);
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
        refused(of(&shares, &[2.0 * Choice::MOST_PURCHASE; 3]), Refusal::InvalidPurchases),
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

/// Posts what it has posted under the last version that there is.
pub(crate) struct LastWord;

impl Script for LastWord {
    fn on(&mut self, heard: &Message, me: &Forger) -> Vec<Act> {
        let (Some(_), [.., last]) = (first_round(heard), me.posts()) else { return Vec::new() };
        let Call::PostChoice(last) = &last.proposal.call else { return Vec::new() };
        let last = post(Choice { version: u32::MAX, ..(**last).clone() });
        vec![Act::send(LEDGER, Message::Submit(me.own(last)))]
    }
}
