//! Which code a transaction should have: signature, endorsements, reads, and what the contract says.

use super::{
    bills::Bills,
    discrepancy::{Checked, does_not_hold},
    prepare::Transaction,
    state::{Execution, State, Written},
};
use microgrid_agents::chain::{
    call::Settlement,
    fact::Number,
    genesis::Genesis,
    hash::Digest,
    identity::{Claim, Party, verify},
    refusal::{Refusal, code},
    transaction::{Endorsement, Outcome, Write},
};
use std::collections::BTreeSet;

/// Whether a transaction has the code that it should have; `unmet` tells why its endorsement policy is not met.
pub(super) fn judge(
    state: &State,
    transaction: &Transaction,
    unmet: Option<String>,
    execution: &Execution,
) -> Checked<(), String> {
    let (due, why) = if !transaction.signed {
        (Err(Refusal::BadSignature), does_not_hold("signature", None))
    } else if let Some(why) = unmet {
        (Err(Refusal::PolicyUnmet), why)
    } else if let Some(key) = state.stale(&transaction.envelope.reads) {
        (Err(Refusal::StaleRead), format!("{key} has changed since it was read"))
    } else {
        compare(transaction, execution)?;
        let due = execution.refusal.map_or(Ok(()), Err);
        (due, due.map_or_else(|why| format!("the contract says {}", why.name()), |()| "it counts".to_owned()))
    };
    if transaction.code == due { Ok(()) } else { Err(format!("code is {}, but {why}", code(transaction.code))) }
}

/// Whether a transaction that is up to date is what the contract makes of its call.
fn compare(transaction: &Transaction, execution: &Execution) -> Checked<(), String> {
    let (writes, found) = match &transaction.envelope.outcome {
        Outcome::Writes(writes) => (writes.as_slice(), None),
        Outcome::Refused(refusal) => (&[][..], Some(*refusal)),
    };
    if found != execution.refusal {
        let [found, due] = [found, execution.refusal].map(|refusal| match refusal {
            None => "carries it out".to_owned(),
            Some(refusal) => format!("refuses it with {}", refusal.name()),
        });
        return Err(format!("it says that the contract {found}, but the contract {due}"));
    }
    if transaction.envelope.reads != execution.reads {
        return Err("its reads are not those of the contract".to_owned());
    }
    let mut pairs = writes.iter().zip(&execution.writes);
    let differs =
        |(Write(key, text), (due_key, due, _)): &(&Write, &Written)| key != due_key || text.get() != due.get();
    if let Some((_, (key, ..))) = pairs.find(differs) {
        return Err(format!("it writes another fact than the contract under {key}"));
    }
    let (found, due) = (writes.len(), execution.writes.len());
    if found == due { Ok(()) } else { Err(format!("it writes {found} facts, the contract {due}")) }
}

/// Why the endorsement policy of a settlement is not met, if it is not, and how many endorsements were checked: both sides
/// of each trade must have endorsed all their `bills` of the slot, and the ledger must have asked for it.
pub(super) fn unendorsed(
    genesis: &Genesis,
    chain: Digest,
    settlement: &Settlement,
    bills: &Bills,
    transaction: &Transaction,
) -> (Option<String>, u64) {
    if transaction.proposal.creator != Party::Ledger {
        return (Some("only the ledger settles".to_owned()), 0);
    }
    let sides: BTreeSet<Number> = settlement.trades.iter().flat_map(|&(buyer, seller, _)| [buyer, seller]).collect();
    let texts = bills.texts(settlement.slot);
    // In the order in which they stand there: together they are checked as the ledger has.
    let claimed = transaction.envelope.endorsements.iter().filter_map(|endorsement| {
        let Endorsement { by: by @ Party::Prosumer(side), signature: Some(signature), path: None, .. } = *endorsement
        else {
            return None;
        };
        let (key, text) = (genesis.key(by)?, texts.get(&side).filter(|_| sides.contains(&side))?);
        Some((side, Claim { key, text, signature }))
    });
    let (whose, claims): (Vec<Number>, Vec<Claim<'_>>) = claimed.unzip();
    let holding = whose.iter().zip(verify(chain, &claims)).filter(|(_, holds)| *holds);
    let standing: BTreeSet<Number> = holding.map(|(side, _)| *side).collect();
    let checked = claims.len() as u64;
    let lacking = sides.difference(&standing).next();
    (lacking.map(|&side| does_not_hold("endorsement", Some(Party::Prosumer(side)))), checked)
}
