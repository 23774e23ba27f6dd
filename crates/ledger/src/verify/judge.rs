//! Which code a transaction should have: signature, endorsements, reads, and what the contract says.

use super::{
    discrepancy::{Discrepancy, does_not_hold},
    prepare::Transaction,
    state::{Execution, State},
};
use microgrid_agents::chain::{
    refusal::{Refusal, Validity},
    transaction::{Outcome, Write},
};

/// A code, and what it rests on.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) validity: Validity,
    pub(super) detail: String,
}

/// Which code a transaction should have; `unmet` tells why its endorsement policy is not met.
///
/// # Errors
/// If the transaction is up to date, but is not what the contract makes of its call.
pub(super) fn judge(
    state: &State,
    transaction: &Transaction,
    unmet: Option<String>,
    execution: &Execution,
) -> Result<Due, Discrepancy> {
    let due = |refusal, detail| Ok(Due { validity: Err(refusal), detail });
    if !transaction.signed {
        return due(Refusal::BadSignature, does_not_hold("signature", None));
    }
    if let Some(why) = unmet {
        return due(Refusal::PolicyUnmet, why);
    }
    if let Some(key) = state.stale(&transaction.envelope.reads) {
        return due(Refusal::StaleRead, format!("{key} has changed since it was read"));
    }
    let found = match &transaction.envelope.outcome {
        Outcome::Writes(_) => Ok(()),
        Outcome::Refused(refusal) => Err(*refusal),
    };
    let says = validity(execution);
    if found != says {
        return Err(Discrepancy::Outcome { found, due: says });
    }
    if transaction.envelope.reads != execution.reads {
        return Err(Discrepancy::Reads);
    }
    if let Outcome::Writes(writes) = &transaction.envelope.outcome {
        compare(writes, execution)?;
    }
    Ok(Due {
        validity: says,
        detail: says.err().map_or_else(String::new, |why| format!("the contract says {}", why.name())),
    })
}

fn compare(writes: &[Write], execution: &Execution) -> Result<(), Discrepancy> {
    for (Write(key, text), (due_key, _, due)) in writes.iter().zip(&execution.writes) {
        if key != due_key || text.get() != due.get() {
            return Err(Discrepancy::Write(*due_key));
        }
    }
    let (found, due) = (writes.len(), execution.writes.len());
    if found == due { Ok(()) } else { Err(Discrepancy::Writes { found, due }) }
}

/// As which validity a transaction should stand on the chain, by what the contract makes of it.
pub(super) fn validity(execution: &Execution) -> Validity {
    execution.refusal.map_or(Ok(()), Err)
}
