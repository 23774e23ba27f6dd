//! Chains whose hashes and signatures are all in order, made by a ledger that does not keep the rules.

use super::{
    File,
    chain::{Chain, Draft, Endorsed, write},
    day::{day, day_with, genesis, settle_over},
    file,
};
use microgrid_agents::{
    chain::{
        call::{Call, InvoiceBlock, InvoiceTo, Settlement},
        fact::{Fact, Key},
        genesis::{Genesis, Policies, Rules, Signatures},
        hash::Digest,
        identity::Party,
        merkle::{AuditPath, Siblings},
        refusal::Refusal,
    },
    market::choice_set::ChoiceSet,
    statement::{Dispute, Invoice, Quote, Registration},
    units::{Energy, Money},
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

fn complaint(change: impl FnMut(&mut Draft)) -> String {
    file(&[day_with(genesis(), change)]).complaint()
}

#[test]
fn a_forged_endorsement_is_named() {
    let forged = complaint(|draft| {
        if let Call::Settle(_) = draft.call {
            draft.endorsements[1].signer = Party::Prosumer(1);
        }
    });
    let place = "case 1, trade block 3, transaction 0";
    let expected = "code is Valid, but the endorsement of prosumer 2 is missing or does not hold";
    assert_eq!(forged, format!("{place}: {expected}"));
    let invoice = complaint(|draft| {
        if let Call::RecordEnergy(2, _, Some(_)) = draft.call {
            draft.endorsements.clear();
        }
    });
    let expected = "code is Valid, but the endorsement of grid is missing or does not hold";
    assert_eq!(invoice, format!("case 1, energy block 2, transaction 1: {expected}"));
}

#[test]
fn a_bill_with_another_amount_is_found_though_both_sides_have_signed_it() {
    let forged = complaint(|draft| {
        if let Call::Settle(_) = draft.call {
            *draft = settle_over(Energy(900_000), Money(621_000), Money(9_000));
        }
    });
    let expected = "the bill of buyer 2 from seller 1 is over 0.9 kWh, but the game gives 1.6 kWh";
    assert_eq!(forged, format!("case 1, trade block 3, transaction 0: {expected}"));
    let forged = complaint(|draft| {
        if let Call::Settle(_) = draft.call {
            *draft = settle_over(Energy(1_600_000), Money(1_104_001), Money(16_000));
        }
    });
    assert!(
        forged.ends_with("code is Valid, but the endorsement of prosumer 1 is missing or does not hold"),
        "{forged}"
    );
}

/// A settlement without its trade, which leaves everything else out of balance.
fn without_trade(draft: &mut Draft, settlement: Settlement) {
    if let Call::Settle(_) = draft.call {
        let kept = |(key, _): &(Key, Fact)| matches!(key, Key::Fees(_) | Key::Settlement(_));
        let writes = settle_over(Energy::ZERO, Money::ZERO, Money::ZERO).outcome.unwrap();
        let mut writes: Vec<_> = writes.into_iter().filter(kept).collect();
        if let (_, Fact::Settlement(settled)) = &mut writes[1] {
            settled.bills = 0;
        }
        draft.outcome = Ok(writes);
        draft.reads.truncate(4);
        draft.endorsements.clear();
        draft.call = Call::Settle(Arc::new(settlement));
    }
}

#[test]
fn a_bill_may_be_missing_only_where_one_side_has_disputed_it_or_stayed_silent() {
    let none = Settlement { slot: 1, ..Settlement::default() };
    let missing = complaint(|draft| without_trade(draft, none.clone()));
    assert!(missing.contains("the bill of buyer 2 from seller 1 over 1.6 kWh is missing"), "{missing}");
    let silent = Settlement { silent: vec![2], ..none.clone() };
    let disputed = Settlement { disputes: vec![(1, Dispute::WrongAmount)], ..none };
    for excuse in [silent, disputed] {
        // What is wrong then is no longer the settlement, but that the meters still count on the trade.
        let later = complaint(|draft| without_trade(draft, excuse.clone()));
        assert!(later.contains("energy block 1, transaction 0") && later.contains("EnergyDoesNotBalance"), "{later}");
    }
}

#[test]
fn an_unsigned_or_foreign_call_counts_for_nothing() {
    for signer in [None, Some(Party::Prosumer(2))] {
        let forged = complaint(|draft| {
            if let (Call::Register(..), Party::Prosumer(1)) = (&draft.call, draft.creator) {
                draft.signer = signer;
            }
        });
        assert_eq!(forged, "case 1, trade block 2, transaction 0: code is Valid, but its signature does not hold");
    }
    let stranger = complaint(|draft| {
        if let Call::Register(..) = draft.call {
            draft.creator = Party::Prosumer(9);
        }
    });
    assert!(stranger.ends_with("code is Valid, but its signature does not hold"), "{stranger}");
}

/// The second quote of the slot, changed.
fn second_quote(change: impl Fn(&mut Quote)) -> impl FnMut(&mut Draft) {
    move |draft| {
        if let Call::PostQuote(quote) = &mut draft.call
            && (quote.version, quote.price) == (2, 0.69)
        {
            change(quote);
            draft.outcome = Ok(vec![(Key::Quote(1, 1), Fact::Quote(*quote))]);
        }
    }
}

#[test]
fn a_call_that_the_contract_refuses_cannot_be_valid() {
    type Change = fn(&mut Quote);
    let refusals: [(Change, Refusal); 5] = [
        (|quote| quote.price = 0.6, Refusal::PriceBeyondRamp),
        (|quote| quote.price = 0.4, Refusal::PriceOutOfBand),
        (|quote| quote.price = f64::NAN, Refusal::NotFinite),
        (|quote| quote.version = 1, Refusal::OldVersion),
        (|quote| quote.slot = 2, Refusal::MarketClosed),
    ];
    for (change, refusal) in refusals {
        let says =
            format!("it says that the contract carries it out, but the contract refuses it with {}", refusal.name());
        assert_eq!(complaint(second_quote(change)), format!("case 1, information block 3, transaction 1: {says}"));
    }
    let slow = file(&[day_with(genesis(), second_quote(|quote| (quote.version, quote.price) = (5, 0.6)))]);
    assert!(slow.complaint().starts_with("case 1, trade block 3"), "four steps of a tenth allow for it, not the bill");
}

#[test]
fn choices_are_held_to_the_simplex_and_firm_demand_to_the_need() {
    let choice = |change: fn(&mut microgrid_agents::statement::Choice)| {
        move |draft: &mut Draft| {
            if let Call::PostChoice(choice) = &mut draft.call {
                change(Arc::make_mut(choice));
                draft.outcome = Ok(vec![(Key::Choice(1, 2), Fact::Choice(Arc::clone(choice)))]);
            }
        }
    };
    let refused = |complaint: String, refusal: Refusal| {
        assert!(complaint.ends_with(&format!("but the contract refuses it with {}", refusal.name())), "{complaint}");
    };
    refused(complaint(choice(|choice| choice.shares = vec![0.9])), Refusal::InvalidShares);
    refused(complaint(choice(|choice| choice.shares = vec![0.5, 0.5])), Refusal::InvalidShares);
    refused(complaint(choice(|choice| choice.responsive = 1.1)), Refusal::InvalidShares);
    refused(complaint(choice(|choice| choice.purchases = vec![-1.0])), Refusal::InvalidPurchases);
    refused(complaint(choice(|choice| choice.purchases = vec![f64::INFINITY])), Refusal::NotFinite);
    let firm = Rules { demand: microgrid_agents::market::demand::Demand::Firm, ..genesis().rules };
    let firm = file(&[day_with(Genesis { rules: firm, ..genesis() }, |draft| {
        if let Call::PostChoice(_) = draft.call {
            draft.reads.push(Key::Register(1, 2));
        }
    })]);
    refused(firm.complaint(), Refusal::InvalidPurchases);
}

/// A day whose buyer knows a sample of the sellers, and tells of these.
fn acquainted(size: u32, known: Option<&'static [u32]>) -> File {
    let rules = Rules { choice_set: ChoiceSet::Sample(size), ..genesis().rules };
    file(&[day_with(Genesis { rules, ..genesis() }, |draft| {
        if let Call::PostChoice(choice) = &mut draft.call {
            Arc::make_mut(choice).known = known.map(Into::into);
            draft.outcome = Ok(vec![(Key::Choice(1, 2), Fact::Choice(Arc::clone(choice)))]);
        }
    })])
}

#[test]
fn choices_tell_of_the_sellers_that_their_buyer_can_know() {
    for size in [1, 16] {
        assert!(acquainted(size, Some(&[0])).verify().is_ok(), "there is but one seller");
        for known in [None, Some(&[][..]), Some(&[1]), Some(&[0, 0]), Some(&[0, 1])] {
            let complaint = acquainted(size, known).complaint();
            assert!(complaint.ends_with("but the contract refuses it with InvalidShares"), "{known:?}: {complaint}");
        }
    }
    let told_of_all = complaint(|draft| {
        if let Call::PostChoice(choice) = &mut draft.call {
            Arc::make_mut(choice).known = Some([0].into());
            draft.outcome = Ok(vec![(Key::Choice(1, 2), Fact::Choice(Arc::clone(choice)))]);
        }
    });
    assert!(told_of_all.ends_with("but the contract refuses it with InvalidShares"), "{told_of_all}");
}

#[test]
fn what_a_transaction_reads_and_writes_is_what_the_contract_does() {
    let reads = complaint(|draft| {
        if let Call::CloseGame(..) = draft.call {
            draft.reads.pop();
        }
    });
    assert_eq!(reads, "case 1, information block 4, transaction 0: its reads are not those of the contract");
    let fees = complaint(|draft| {
        if let (Call::Settle(_), Ok(writes)) = (&draft.call, &mut draft.outcome) {
            writes[3].1 = Fact::Fees(Money::ZERO);
        }
    });
    assert_eq!(fees, "case 1, trade block 3, transaction 0: it writes another fact than the contract under fees/1");
    let more = complaint(|draft| {
        if let (Call::CloseGame(..), Ok(writes)) = (&draft.call, &mut draft.outcome) {
            writes.push((Key::Fees(2), Fact::Fees(Money(5))));
        }
    });
    assert_eq!(more, "case 1, information block 4, transaction 0: it writes 2 facts, the contract 1");
}

#[test]
fn a_game_without_somebody_registered_is_found() {
    let shut_out = complaint(|draft| {
        if let Call::Register(_, registration) = &mut draft.call
            && draft.creator == Party::Prosumer(2)
        {
            *registration = Registration::Idle;
            draft.outcome = Ok(vec![(Key::Register(1, 2), Fact::Register(Registration::Idle))]);
        }
    });
    let expected =
        "case 1, information block 1, transaction 0: the game's buyers are not those registered for the slot";
    assert_eq!(shut_out, expected);
}

#[test]
fn invoices_follow_from_meter_and_tariff_and_meters_from_trades() {
    let invoice = complaint(|draft| {
        if let Call::RecordEnergy(2, _, Some(invoice)) = &mut draft.call {
            invoice.charge = Money(1);
            *draft = resigned(draft);
        }
    });
    assert!(invoice.ends_with("the contract refuses it with WrongInvoice"), "{invoice}");
    let meter = complaint(|draft| {
        if let Call::RecordEnergy(2, reading, None) = &mut draft.call {
            reading.generated = Energy(1);
            *draft = resigned(draft);
        }
    });
    assert!(meter.ends_with("the contract refuses it with EnergyDoesNotBalance"), "{meter}");
}

/// The record of energy with facts and endorsement as its call has them.
fn resigned(draft: &Draft) -> Draft {
    let Call::RecordEnergy(slot, ref reading, invoice) = draft.call else { panic!("it records energy") };
    let Party::Prosumer(number) = draft.creator else { panic!("a prosumer records it") };
    let mut writes = vec![(Key::Meter(slot, number), Fact::Meter(**reading))];
    writes.extend(invoice.map(|invoice| (Key::Invoice(slot, number), Fact::Invoice(invoice))));
    let text = |invoice| microgrid_agents::chain::call::InvoiceTo { party: draft.creator, invoice }.to_json();
    let endorsements = invoice.map(|invoice| Endorsed::under(text(invoice), Party::Grid)).into_iter().collect();
    Draft { outcome: Ok(writes), endorsements, ..draft.clone() }
}

#[test]
fn a_second_spelling_of_the_same_is_found() {
    let respelt = |respell: fn(String) -> String| {
        complaint(move |draft| {
            if let Call::CloseGame(..) = draft.call {
                draft.respell = respell;
            }
        })
    };
    let place = "case 1, information block 4, transaction 0";
    let spelt = "is spelt in another way than the ledger spells it";
    let envelope = respelt(|text| text.replace("\"signature\":null", "\"signature\": null"));
    assert_eq!(envelope, format!("{place}: the envelope {spelt}"));
    let proposal = respelt(|text| text.replace("[1,\"Equilibrium\"]", "[ 1,\"Equilibrium\"]"));
    assert_eq!(proposal, format!("{place}: the proposal {spelt}"));
    let unknown = respelt(|text| text.replace("\"reads\"", "\"read\""));
    assert!(unknown.starts_with(&format!("{place}: envelope cannot be read: unknown field `read`")), "{unknown}");
    let price = complaint(|draft| {
        if let Call::PostQuote(Quote { version: 2, price: 5.0, .. }) = draft.call {
            draft.respell = |text| text.replace("5.0", "5.00");
        }
    });
    assert_eq!(price, format!("case 1, information block 3, transaction 0: the proposal {spelt}"));
}

#[test]
fn blocks_keep_their_limits() {
    let limits = |rules: Rules| file(&[day_with(Genesis { rules, ..genesis() }, |_| {})]).complaint();
    let rules = genesis().rules;
    let full = limits(Rules { max_transactions: 2, ..rules.clone() });
    assert_eq!(full, "case 1, information block 3: it has 3 transactions, and may have 1 to 2");
    let late = limits(Rules { timeout: std::time::Duration::from_millis(49), ..rules });
    assert!(late.starts_with("case 1, trade block 2, transaction 0: it was submitted at 10000000 ns"), "{late}");
    let early = complaint(|draft| {
        if let Call::CloseGame(..) = draft.call {
            draft.submitted += 1;
        }
    });
    assert!(early.starts_with("case 1, information block 4, transaction 0: it was submitted"), "{early}");
}

#[test]
fn a_checkpoint_cannot_claim_what_the_chain_does_not_show() {
    let signed = |change: fn(&mut Chain)| {
        let mut chain = day();
        change(&mut chain);
        file(&[chain])
    };
    assert_eq!(
        signed(|chain| chain.closed = 3).complaint(),
        "case 1: slot 3 is said to be closed, but there are only 2 slots"
    );
    assert_eq!(
        signed(|chain| chain.closed = 0).complaint(),
        "case 1: slot 2 is complete, but the ledger says that it has closed no slot after 0"
    );
    let mut early = Chain::begin(genesis());
    early.closed = 1;
    assert_eq!(
        file(&[early]).complaint(),
        "case 1: slot 1 is said to be closed, but prosumer 1 has no meter reading in it"
    );
    // Both chains are sound, but the ledger has signed the other one.
    let (mine, other) = (day(), day_with(genesis(), second_quote(|quote| quote.answers.0 = 1)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    write(&path, &[other]);
    let mixed = file(&[mine]).tamper(&format!(
        "ATTACH '{}' AS other; DELETE FROM checkpoints; INSERT INTO checkpoints SELECT * FROM other.checkpoints",
        path.display()
    ));
    assert_eq!(
        mixed.complaint(),
        "case 1, information block 4: its header hash is not the one that the ledger has signed"
    );
}

/// The text of what prosumer 1 or 2 owes for slot 1, or for another.
fn invoice(number: u32, slot: u32) -> String {
    let (charge, credit) = if number == 1 { (0, 180_000) } else { (400_000, 0) };
    let invoice = Invoice { slot, charge: Money(charge), credit: Money(credit) };
    InvoiceTo { party: Party::Prosumer(number), invoice }.to_json()
}

fn sha256(parts: &[&[u8]]) -> Digest {
    Digest(Sha256::digest(parts.concat()).into())
}

fn leaf(chain: Digest, text: &str) -> Digest {
    sha256(&[&[0], &chain.0, text.as_bytes()])
}

/// What the grid signs for a block of these two invoices.
fn block(leaves: [Digest; 2]) -> String {
    let root = sha256(&[&[1], &leaves[0].0, &leaves[1].0]);
    InvoiceBlock { invoices: 2, root }.to_json()
}

/// The day with the invoices of slot 1 signed together, and then each endorsement changed; the first is at place 0.
fn together(change: impl Fn(u32, &mut Endorsed)) -> File {
    let leaves = [1, 2].map(|number| leaf(genesis().id(), &invoice(number, 1)));
    file(&[day_with(genesis(), |draft| {
        if let (Call::RecordEnergy(1, ..), Party::Prosumer(number)) = (&draft.call, draft.creator) {
            let [endorsed] = &mut draft.endorsements[..] else { panic!("the grid endorses it") };
            assert_eq!(endorsed.text, invoice(number, 1));
            let siblings = Siblings::Hashes([leaves[2 - number as usize]].into());
            endorsed.text = block(leaves);
            endorsed.path = Some(AuditPath { index: number - 1, size: 2, siblings });
            change(number, endorsed);
        }
    })])
}

#[test]
fn invoices_that_are_signed_together_are_each_held_to_the_root() {
    let report = together(|_, _| {}).verify().unwrap();
    assert_eq!(report.cases[0].channels[2].signatures, 7, "as many as where each is signed by itself");

    let missing = "code is Valid, but the endorsement of grid is missing or does not hold";
    let refused = |who: u32, change: fn(&mut Endorsed)| {
        let forged = together(|number, endorsed| {
            if number == who {
                change(endorsed)
            }
        });
        assert_eq!(forged.complaint(), format!("case 1, energy block 1, transaction {}: {missing}", who - 1));
    };
    for who in [1, 2] {
        // No path, the other's place, another size, a sibling changed, left out or added.
        refused(who, |endorsed| endorsed.path = None);
        refused(who, |endorsed| endorsed.path.as_mut().unwrap().index ^= 1);
        refused(who, |endorsed| endorsed.path.as_mut().unwrap().size = 3);
        refused(who, |endorsed| endorsed.path.as_mut().unwrap().size = 1);
        refused(who, |endorsed| {
            let Siblings::Hashes(hashes) = &mut endorsed.path.as_mut().unwrap().siblings else { panic!("hashes") };
            hashes[0].0[31] ^= 1;
        });
        refused(who, |endorsed| endorsed.path.as_mut().unwrap().siblings = Siblings::Hashes([].into()));
        refused(who, |endorsed| {
            let siblings = Siblings::Hashes([Digest([1; 32]); 2].into());
            endorsed.path.as_mut().unwrap().siblings = siblings;
        });
        // The root is signed by somebody else, or is said to be of another number of invoices.
        refused(who, |endorsed| endorsed.signer = Party::Prosumer(1));
        refused(who, |endorsed| endorsed.text = endorsed.text.replace("\"invoices\":2", "\"invoices\":1"));
        // The same invoices on another chain, and of another slot.
        refused(who, |endorsed| {
            endorsed.text = block([1, 2].map(|number| leaf(Digest([9; 32]), &invoice(number, 1))));
        });
        refused(who, |endorsed| {
            let leaves = [1, 2].map(|number| leaf(genesis().id(), &invoice(number, 2)));
            endorsed.text = block(leaves);
            let own = endorsed.path.as_ref().unwrap().index as usize;
            endorsed.path.as_mut().unwrap().siblings = Siblings::Hashes([leaves[1 - own]].into());
        });
        // The whole path of the other: what it leads to from one's own invoice is no root.
        refused(who, |endorsed| {
            let AuditPath { index, size, .. } = endorsed.path.take().unwrap();
            let own = leaf(genesis().id(), &invoice(index + 1, 1));
            endorsed.path = Some(AuditPath { index: 1 - index, size, siblings: Siblings::Hashes([own].into()) });
        });
        // Leaves hashed like inner nodes, and inner nodes like leaves.
        refused(who, |endorsed| {
            let bare = [1, 2].map(|number| sha256(&[&genesis().id().0, invoice(number, 1).as_bytes()]));
            endorsed.text = block(bare);
            let own = endorsed.path.as_ref().unwrap().index as usize;
            endorsed.path.as_mut().unwrap().siblings = Siblings::Hashes([bare[1 - own]].into());
        });
        refused(who, |endorsed| {
            let [one, two] = [1, 2].map(|number| leaf(genesis().id(), &invoice(number, 1)));
            endorsed.text = InvoiceBlock { invoices: 2, root: sha256(&[&one.0, &two.0]) }.to_json();
        });
    }
}

#[test]
fn an_unsigned_ledger_is_refused_as_such() {
    let policies = Policies::new(Signatures::Off);
    let keyless = Genesis { policies, ledger: None, grid: None, prosumers: vec![(1, None), (2, None)], ..genesis() };
    for genesis in [keyless, Genesis { policies, ..genesis() }] {
        let complaint = file(&[day_with(genesis, |_| {})]).complaint();
        assert!(complaint.starts_with("case 1: it is unsigned, by its genesis (`signatures: Off`)"), "{complaint}");
    }
    // Without its key, no signature of somebody can hold.
    let complaint = |genesis| file(&[day_with(genesis, |_| {})]).complaint();
    let ledger = complaint(Genesis { ledger: None, ..genesis() });
    assert_eq!(ledger, "case 1: checkpoint: the ledger's signature does not hold");
    let grid = complaint(Genesis { grid: None, ..genesis() });
    assert_eq!(grid, "case 1, trade block 1, transaction 0: code is Valid, but its signature does not hold");
}
