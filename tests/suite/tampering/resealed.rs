//! Chains changed and sealed anew by somebody with keys: all hashes are in order, and the ledger has signed the end.
//! Only what transactions mean gives it away.

use super::{
    File, content, every_post,
    history::{History, Step, change_call, change_facts},
};
use microgrid_agents::{
    chain::{
        call::{BillsOf, Call, InvoiceTo, Settlement},
        fact::{Bill, Fact, Key, Number, Settled},
        identity::Party,
        merkle::{AuditPath, Siblings},
        refusal::Refusal,
        transaction::{Endorsement, Envelope, Outcome, Write},
    },
    ids::{ChannelName, Slot},
    units::{Energy, Money},
};
use rand::RngExt;
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};
use std::sync::Arc;

fn honest() -> History {
    History::read(&File::new(every_post()).path)
}

/// The file of a history.
fn sealed(history: &History) -> File {
    let file = File::empty();
    history.write(&file.path);
    file
}

#[track_caller]
fn assert_named(history: &History, expected: &str) {
    let complaint = sealed(history).complaint();
    assert!(complaint.contains(expected), "{complaint}");
}

#[test]
fn sealing_anew_what_was_not_changed_gives_the_same_ledger() {
    let (original, sealed) = (File::new(every_post()), sealed(&honest()));
    sealed.verify().unwrap_or_else(|error| panic!("{error}"));
    let sorted = |file: &File| {
        let mut content = content(&file.path).unwrap();
        content.sort_by_cached_key(|row| format!("{row:?}"));
        content
    };
    assert!(sorted(&original) == sorted(&sealed));
}

#[test]
fn no_block_can_be_left_out() {
    let honest = honest();
    // Of calls that count for nothing there is no trace anywhere else.
    let counts = |step: &Step| step.transactions.iter().any(|(code, _)| code.is_ok());
    for left_out in (0..honest.blocks.len()).filter(|&n| counts(&honest.blocks[n])) {
        let mut history = honest.clone();
        let step = history.blocks.remove(left_out);
        let found = sealed(&history).verify().is_err();
        assert!(found, "nobody misses block {left_out} of {}: {step:?}", honest.blocks.len());
    }
}

#[test]
fn no_pair_of_blocks_of_a_chain_can_be_swapped() {
    let honest = honest();
    for channel in ChannelName::ALL {
        let of_channel: Vec<usize> =
            (0..honest.blocks.len()).filter(|&n| honest.blocks[n].channel == channel).collect();
        for pair in of_channel.windows(2) {
            let mut history = honest.clone();
            // Each at the time of the other, so that time goes on.
            let (times, [a, b]) = ([0, 1].map(|n| honest.blocks[pair[n]].time), [pair[0], pair[1]]);
            history.blocks.swap(a, b);
            (history.blocks[a].time, history.blocks[b].time) = (times[0], times[1]);
            assert!(sealed(&history).verify().is_err(), "nobody sees that {pair:?} of {} are swapped", channel.name());
        }
    }
}

#[test]
fn a_cut_chain_cannot_claim_to_be_complete_and_is_told_if_it_does_not() {
    let mut history = honest();
    let (second, _) = history.find(|call, _| matches!(call, Call::PublishTariff(tariff) if tariff.slot == 2));
    history.blocks.truncate(second);
    assert_named(&history, "slot 2 is said to be closed, but prosumer 1 has no meter reading in it");
    history.closed = 1;
    let report = sealed(&history).verify().expect("it is how the ledger once was");
    assert_eq!((report.cases[0].closed, report.cases[0].slots), (1, 3), "and not all of it");
    history.closed = 0;
    assert!(sealed(&history).verify().is_ok(), "a checkpoint may be a slot behind");
}

fn settles(call: &Call) -> bool {
    matches!(call, Call::Settle(_))
}

/// The first settlement.
fn settlement(history: &mut History) -> &mut Envelope {
    &mut history.find(|call, _| settles(call)).1.1
}

/// Whose endorsements a settlement has, and its first trade.
fn first_trade(envelope: &Envelope) -> (Number, Number, Energy) {
    let Call::Settle(settlement) = envelope.proposal().unwrap().call else { panic!("it settles") };
    settlement.trades[0]
}

#[test]
fn a_forged_endorsement_is_named() {
    let mut honest = honest();
    let endorsements = &settlement(&mut honest).endorsements;
    let [first, second] = [&endorsements[0], &endorsements[1]].map(Endorsement::clone);
    let text = bills_of(&mut honest, first.by).to_json();
    let forged = |change: &dyn Fn(&mut Vec<Endorsement>)| {
        let mut history = honest.clone();
        change(&mut settlement(&mut history).endorsements);
        history
    };
    let named = |party: Party| format!("code is Valid, but the endorsement of {party} is missing or does not hold");
    // Signed by another, over whatever text: the signer's own bills, or the victim's.
    let borrowed = Endorsement::new(first.by, second.signature);
    assert_named(&forged(&|all| all[0] = borrowed.clone()), &named(first.by));
    let foreign = Endorsement::new(first.by, Some(honest.sign(second.by, &text)));
    assert_named(&forged(&|all| all[0] = foreign.clone()), &named(first.by));
    // Endorsers swapped, renamed, left out.
    let swapped = forged(&|all| (all[0].by, all[1].by) = (second.by, first.by));
    assert_named(&swapped, &named(first.by.min(second.by)));
    assert_named(&forged(&|all| all[0].by = Party::Ledger), &named(first.by));
    let without = forged(&|all| {
        all.remove(0);
    });
    assert_named(&without, &named(first.by));
    // What is said twice counts once, if one of both holds.
    let twice = forged(&|all| all.insert(0, foreign.clone()));
    sealed(&twice).verify().expect("the endorsement is there, whatever else is");
}

#[test]
fn a_forged_endorsement_of_an_invoice_is_named() {
    let honest = honest();
    for signer in [Party::Ledger, Party::Prosumer(1)] {
        let mut history = honest.clone();
        let (_, (_, envelope)) = history.find(|call, _| matches!(call, Call::RecordEnergy(_, _, Some(_))));
        let proposal = envelope.proposal().unwrap();
        let Call::RecordEnergy(_, _, Some(invoice)) = proposal.call else { panic!("it has an invoice") };
        let text = InvoiceTo { party: proposal.creator, invoice }.to_json();
        envelope.endorsements[0] = Endorsement::new(Party::Grid, Some(honest.sign(signer, &text)));
        assert_named(&history, "code is Valid, but the endorsement of grid is missing or does not hold");
    }
}

#[test]
fn an_invoice_is_held_to_the_root_that_the_grid_has_signed_with_the_others() {
    let honest = honest();
    // Messages are lost, but some invoices of each slot come together.
    let together = |wanted: Slot| {
        let is_due = |call: &Call| matches!(call, Call::RecordEnergy(slot, _, Some(_)) if *slot == wanted);
        let all = honest.blocks.iter().flat_map(|step| &step.transactions);
        let due = all.filter(|(code, envelope)| code.is_ok() && is_due(&envelope.proposal().unwrap().call));
        let endorsements: Vec<Endorsement> = due.map(|(_, envelope)| envelope.endorsements[0].clone()).collect();
        let share = |one: &Endorsement| endorsements.iter().filter(|e| e.signature == one.signature).count();
        let shared = endorsements.iter().max_by_key(|one| share(one)).expect("there are some").signature;
        endorsements.into_iter().filter(|one| one.signature == shared).collect::<Vec<_>>()
    };
    let last = together(3);
    let [one, other, ..] = &last[..] else { panic!("some share a root") };
    assert!(one.path != other.path && one.path.is_some());

    // What comes of the ledger if the first of these is changed.
    let becomes = |change: &dyn Fn(&mut Endorsement)| {
        let mut history = honest.clone();
        let mut all = history.blocks.iter_mut().flat_map(|step| &mut step.transactions);
        let (_, envelope) = all.find(|(_, envelope)| envelope.endorsements.first() == Some(one)).expect("it is there");
        change(&mut envelope.endorsements[0]);
        history
    };
    sealed(&becomes(&|_| {})).verify().expect("nothing has changed");
    let path = |endorsement: &mut Endorsement| endorsement.path.clone().expect("it is not alone");
    let changes: [&dyn Fn(&mut Endorsement); 7] = [
        &|mine| mine.path = None,
        &|mine| mine.path.clone_from(&other.path),
        &|mine| mine.signature = Some(honest.sign(Party::Grid, "another root")),
        &|mine| mine.path = Some(AuditPath { index: path(mine).index ^ 1, ..path(mine) }),
        &|mine| mine.path = Some(AuditPath { size: path(mine).size + 1, ..path(mine) }),
        &|mine| mine.path = Some(AuditPath { siblings: Siblings::Hashes([].into()), ..path(mine) }),
        &|mine| mine.by = Party::Ledger,
    ];
    for change in changes {
        let refused = "code is Valid, but the endorsement of grid is missing or does not hold";
        assert_named(&becomes(change), refused);
    }
}

/// What a party has endorsed in the first settlement.
fn bills_of(history: &mut History, party: Party) -> BillsOf {
    let envelope = settlement(history);
    let Outcome::Writes(writes) = &envelope.outcome else { panic!("it writes bills") };
    let bill = |write: &Write| match (write.0, Fact::from_json(write.0, write.1.get()).unwrap()) {
        (Key::Bill(slot, buyer, seller), Fact::Bill(bill)) => Some((slot, buyer, seller, bill)),
        _ => None,
    };
    let all: Vec<_> = writes.iter().filter_map(bill).collect();
    let own = all.iter().filter(|(_, buyer, seller, _)| [buyer, seller].map(|&n| Party::Prosumer(n)).contains(&party));
    BillsOf { slot: all[0].0, party, bills: own.map(|&(_, buyer, seller, bill)| (buyer, seller, bill)).collect() }
}

/// Has the first settlement endorsed anew by these parties, each over its bills as they stand there now.
fn endorse_anew(history: &mut History, parties: &[Party]) {
    for &party in parties {
        let text = bills_of(history, party).to_json();
        let signature = history.sign(party, &text);
        let endorsements = &mut settlement(history).endorsements;
        endorsements
            .iter_mut()
            .filter(|endorsement| endorsement.by == party)
            .for_each(|it| it.signature = Some(signature));
    }
}

/// Changes the first bill of the first settlement, and what its accounts, fees and sums add up to.
fn rebill(history: &mut History, change: impl Fn(&mut Bill)) {
    let envelope = settlement(history);
    let (buyer, seller, _) = first_trade(envelope);
    let mut more = [0; 3];
    change_facts(envelope, |key, fact| match (key, fact) {
        (Key::Bill(_, b, s), Fact::Bill(bill)) if (b, s) == (buyer, seller) => {
            let before = *bill;
            change(bill);
            more = [bill.energy.0 - before.energy.0, bill.payment.0 - before.payment.0, bill.fee.0 - before.fee.0];
        }
        (Key::Account(_, n), Fact::Account(account)) if n == buyer => {
            account.bought += Energy(more[0]);
            account.paid += Money(more[1]);
            account.fee += Money(more[2]);
        }
        (Key::Account(_, n), Fact::Account(account)) if n == seller => {
            account.sold += Energy(more[0]);
            account.earned += Money(more[1]);
        }
        (Key::Fees(_), Fact::Fees(fees)) => *fees += Money(more[2]),
        (Key::Settlement(_), Fact::Settlement(settled)) => settled.energy += Energy(more[0]),
        _ => {}
    });
    let energy = Energy(more[0]);
    change_call(&history.clone(), settlement(history), |call| {
        let Call::Settle(settlement) = call else { panic!("it settles") };
        Arc::make_mut(settlement).trades[0].2 += energy;
    });
}

#[test]
fn a_resigned_bill_with_a_changed_amount_is_named() {
    let mut honest = honest();
    let (buyer, seller, energy) = first_trade(settlement(&mut honest));
    let (buyers, sellers) = (Party::Prosumer(buyer), Party::Prosumer(seller));
    let signers: [&[Party]; 3] = [&[], &[buyers], &[buyers, sellers]];

    // Another payment for the same energy.
    let written = format!("it writes another fact than the contract under bill/1/{buyer}/{seller}");
    let missing = |party: Party| format!("the endorsement of {party} is missing or does not hold");
    for (signers, expected) in signers.into_iter().zip([&written, &missing(buyers), &missing(buyers.min(sellers))]) {
        let mut history = honest.clone();
        rebill(&mut history, |bill| bill.payment.0 -= 1);
        endorse_anew(&mut history, signers);
        assert_named(&history, expected);
    }

    // Less energy, with payment and fee as they follow from it.
    for signers in signers {
        let mut history = honest.clone();
        rebill(&mut history, |bill| {
            bill.energy.0 -= 100_000;
            bill.payment = bill.energy.at_price(bill.price);
            bill.fee = bill.energy.at_price(0.013);
        });
        endorse_anew(&mut history, signers);
        let less = energy - Energy(100_000);
        let expected = format!(
            "the bill of buyer {buyer} from seller {seller} is over {less} kWh, but the game gives {energy} kWh"
        );
        assert_named(&history, &expected);
    }

    // The trade is gone altogether.
    let mut history = honest.clone();
    change_call(&honest, settlement(&mut history), |call| {
        let Call::Settle(settlement) = call else { panic!("it settles") };
        Arc::make_mut(settlement).trades.remove(0);
    });
    let expected = format!("the bill of buyer {buyer} from seller {seller} over {energy} kWh is missing");
    assert_named(&history, &expected);
}

#[test]
fn a_quote_changed_after_the_game_leaves_the_bills_without_endorsement() {
    let mut honest = honest();
    let (_, seller, _) = first_trade(settlement(&mut honest));
    let mut history = honest.clone();
    // The last quote of the seller that counts: nothing reads its price but the bills.
    let mut quotes = history.blocks.iter_mut().flat_map(|step| &mut step.transactions).filter(|(code, envelope)| {
        let proposal = envelope.proposal().unwrap();
        code.is_ok()
            && proposal.creator == Party::Prosumer(seller)
            && matches!(proposal.call, Call::PostQuote(quote) if quote.slot == 1)
    });
    let (_, envelope) = quotes.next_back().unwrap();
    change_call(&honest, envelope, |call| {
        let Call::PostQuote(quote) = call else { panic!("it quotes") };
        quote.price *= 1.000_01;
    });
    let Call::PostQuote(dearer) = envelope.proposal().unwrap().call else { panic!("it quotes") };
    change_facts(envelope, |_, fact| *fact = Fact::Quote(dearer));
    assert_named(&history, &format!("the endorsement of prosumer {seller} is missing or does not hold"));
}

#[test]
fn a_changed_code_is_named() {
    let honest = honest();
    let recoded = |from: Option<Refusal>, to: Option<Refusal>| {
        let mut history = honest.clone();
        let is_post = |call: &Call| call.is_post();
        let (_, (code, _)) = history.find(|call, code| is_post(call) && code.err() == from);
        *code = to.map_or(Ok(()), Err);
        sealed(&history).complaint()
    };
    let stale = Some(Refusal::StaleRead);
    assert!(recoded(None, stale).ends_with("code is StaleRead, but it counts"));
    assert!(recoded(None, Some(Refusal::BadSignature)).ends_with("code is BadSignature, but it counts"));
    assert!(recoded(stale, None).ends_with("has changed since it was read"));
    assert!(recoded(stale, Some(Refusal::PolicyUnmet)).contains("code is PolicyUnmet, but"));
    let refused = recoded(Some(Refusal::MarketClosed), None);
    assert!(refused.ends_with("code is Valid, but the contract says MarketClosed"), "{refused}");
}

#[test]
fn a_call_in_somebody_else_s_name_or_said_twice_does_not_count() {
    let honest = honest();
    let mut history = honest.clone();
    let quote = |call: &Call, code: Result<(), Refusal>| code.is_ok() && matches!(call, Call::PostQuote(_));
    let (place, original) = history.find(quote);
    let original = original.clone();
    let insert = |entry: &(Result<(), Refusal>, Envelope)| {
        let mut history = honest.clone();
        let transactions = &mut history.blocks[place].transactions;
        let first = transactions.iter().position(|(_, envelope)| envelope.to_json() == original.1.to_json()).unwrap();
        transactions.insert(first + 1, entry.clone());
        transactions.truncate(5);
        history
    };
    assert_named(&insert(&original), "has changed since it was read");
    let mut forged = original.clone();
    let proposal = forged.1.proposal().unwrap();
    let other = honest.genesis.prosumers.iter().map(|(n, _)| Party::Prosumer(*n)).find(|p| *p != proposal.creator);
    forged.1.signature = Some(honest.sign(other.unwrap(), forged.1.proposal.get()));
    assert_named(&insert(&forged), "code is Valid, but its signature does not hold");
    forged.1.signature = None;
    assert_named(&insert(&forged), "code is Valid, but its signature does not hold");
}

#[test]
fn a_slot_cannot_be_settled_without_the_game_of_those_who_registered() {
    let honest = honest();
    let mut history = honest.clone();
    // Slot 2 is the last with a market: without its game, no block of its channel has another number.
    let of_slot = |step: &Step| step.transactions.iter().all(|(_, envelope)| slot(envelope) == Some(2));
    history.blocks.retain(|step| step.channel != ChannelName::Information || !of_slot(step));
    let (_, (_, envelope)) = history.find(|call, _| settles(call) && call.slot() == Some(2));
    change_call(&honest, envelope, |call| {
        *call = Call::Settle(Arc::new(Settlement { slot: 2, ..Settlement::default() }))
    });
    envelope.endorsements.clear();
    envelope.reads.truncate(4);
    envelope.reads[2..].iter_mut().for_each(|read| read.1 = None);
    let Outcome::Writes(writes) = &mut envelope.outcome else { panic!("it settles") };
    writes.retain(|Write(key, _)| matches!(key, Key::Fees(_) | Key::Settlement(_)));
    change_facts(envelope, |_, fact| match fact {
        Fact::Fees(fees) => *fees = Money::ZERO,
        Fact::Settlement(settled) => *settled = Settled { bills: 0, energy: Energy::ZERO },
        _ => {}
    });
    assert_named(&history, "slot 2 is settled without a game, though sellers and buyers are registered for it");
}

fn slot(envelope: &Envelope) -> Option<Slot> {
    envelope.proposal().unwrap().call.slot()
}

/// A digit of some envelope is changed, and all hashes follow.
#[test]
fn no_digit_of_what_counts_can_be_changed_but_that_of_a_time() {
    let honest = honest();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let (mut found, mut unnoticed) = (0, 0);
    while found < 250 {
        let mut history = honest.clone();
        let step = random.random_range(0..history.blocks.len());
        let transactions = &mut history.blocks[step].transactions;
        let number = random.random_range(0..transactions.len());
        let (code, envelope) = &mut transactions[number];
        let mut text = envelope.to_json().into_bytes();
        let digits: Vec<usize> = (0..text.len()).filter(|&at| text[at].is_ascii_digit()).collect();
        let at = digits[random.random_range(0..digits.len())];
        text[at] = b'0' + (text[at] - b'0' + random.random_range(1..10)) % 10;
        // What cannot be read, or is spelt in another way, is found before it is understood.
        let Ok(changed) = serde_json::from_slice::<Envelope>(&text) else { continue };
        if changed.proposal().is_err() || changed.to_json().into_bytes() != text {
            continue;
        }
        let (before, code) = (std::mem::replace(envelope, changed), *code);
        let after = Envelope { submitted: before.submitted, ..envelope.clone() };
        match sealed(&history).verify() {
            Err(_) => found += 1,
            Ok(_) => {
                let only_its_time = after.to_json() == before.to_json();
                assert!(only_its_time || code.is_err(), "{} is as good as {}", after.to_json(), before.to_json());
                unnoticed += 1;
            }
        }
    }
    println!("{found} changes found, {unnoticed} of times or of what does not count are not");
}
