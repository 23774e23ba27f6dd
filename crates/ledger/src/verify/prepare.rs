//! What can be checked of a block by itself, before its turn in the replay: its hashes, the spelling of its
//! transactions, and the signatures over texts that the block itself holds.

use super::{discrepancy::Checked, merkle};
use crate::{
    position::Position,
    reader::{StoredBlock, StoredTransaction},
};
use microgrid_agents::{
    chain::{
        block::{Header, data_hash},
        call::{Call, InvoiceBlock, InvoiceTo, Proposal},
        fact::Fact,
        genesis::Genesis,
        hash::Digest,
        identity::{self, Claim, Party},
        refusal::{self, Validity},
        transaction::{Endorsement, Envelope, Outcome, Write},
    },
    ids::ChannelName,
};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Prepared {
    /// As it is stored.
    pub(super) stored: StoredBlock,
    pub(super) transactions: Checked<Vec<Transaction>>,
    pub(super) signatures: u64,
}

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) code: Validity,
    pub(super) envelope: Envelope,
    pub(super) proposal: Proposal,
    /// Whether its maker has signed it.
    pub(super) signed: bool,
    /// Whether the grid has endorsed its invoice.
    pub(super) invoice_endorsed: bool,
    /// How many peers stand for what has been made of its call.
    pub(super) peers: usize,
}

/// Reads a block of `case`, whose chains begin with `genesis` and are identified by `chain`.
pub(super) fn prepare(case: u32, genesis: &Genesis, chain: Digest, block: StoredBlock) -> Prepared {
    let mut signatures = 0;
    let transactions = read_all(case, &block).map(|mut transactions| {
        signatures = check_signatures(genesis, chain, &mut transactions);
        transactions
    });
    Prepared { stored: block, transactions, signatures }
}

fn read_all(case: u32, block: &StoredBlock) -> Checked<Vec<Transaction>> {
    let StoredBlock { header: Header { channel, number, data_hash: due, .. }, transactions, .. } = block;
    let place = Position::block(case, *channel, *number);
    let wrong_hash = |of| place.wrong(format!("its {of} hash is not that of its content"));
    for (expected, transaction) in (0..).zip(transactions) {
        if transaction.number != expected {
            let what = format!("transaction {expected} is missing: {} comes next", transaction.number);
            return Err(place.wrong(what));
        }
    }
    if data_hash(transactions.iter().map(|transaction| &transaction.envelope)) != *due {
        return Err(wrong_hash("data"));
    }
    let read = |stored: &StoredTransaction| {
        read(*channel, stored).map_err(|what| place.transaction(stored.number).wrong(what))
    };
    let read = transactions.iter().map(read).collect::<Checked<_>>()?;
    if block.header_hash == block.header.hash() { Ok(read) } else { Err(wrong_hash("header")) }
}

/// Reads a transaction, and makes sure that it is spelt as the ledger spells it, so that no text has two forms.
fn read(channel: ChannelName, stored: &StoredTransaction) -> Checked<Transaction, String> {
    let code = refusal::validity(&stored.code).ok_or_else(|| format!("{:?} is no code", stored.code))?;
    let unreadable = |what| move |error: serde_json::Error| format!("{what} cannot be read: {error}");
    let misspelt = |what| Err(format!("{what} is spelt in another way than the ledger spells it"));
    let envelope: Envelope = serde_json::from_str(&stored.envelope).map_err(unreadable("envelope"))?;
    let proposal = envelope.proposal().map_err(unreadable("proposal"))?;
    if envelope.to_json() != stored.envelope {
        return misspelt("the envelope");
    }
    if proposal.to_json().get() != envelope.proposal.get() {
        return misspelt("the proposal");
    }
    if proposal.call.channel().is_some_and(|home| home != channel) {
        return Err("its call does not belong in this chain".to_owned());
    }
    // What counts is compared with what the contract writes: that settles its spelling.
    if let (Outcome::Writes(writes), Err(_)) = (&envelope.outcome, code) {
        for Write(key, text) in writes {
            let fact = Fact::from_json(*key, text.get()).map_err(unreadable("a fact"))?;
            if fact.to_json().get() != text.get() {
                return misspelt("a fact");
            }
        }
    }
    Ok(Transaction { code, envelope, proposal, signed: false, invoice_endorsed: false, peers: 0 })
}

/// Checks the signatures of makers, all of the block together, and the endorsements of invoices, each by itself but for those
/// that share one; returns their number.
fn check_signatures(genesis: &Genesis, chain: Digest, transactions: &mut [Transaction]) -> u64 {
    let mut claims = Vec::new();
    // Which transaction a claim is for, and whether it is a peer's.
    let mut owners = Vec::new();
    let executions: Vec<String> = match genesis.peers.is_empty() {
        true => Vec::new(),
        false => transactions.iter().map(|transaction| execution(&transaction.envelope)).collect(),
    };
    let (mut endorsed, mut known) = (Vec::new(), BTreeMap::new());
    let mut count = 0;
    for (n, transaction) in transactions.iter().enumerate() {
        let Proposal { creator, call } = &transaction.proposal;
        if genesis.must_be_signed(*creator, call)
            && let (Some(key), Some(signature)) = (genesis.key(*creator), transaction.envelope.signature)
        {
            claims.push(Claim { key, text: transaction.envelope.proposal.get(), signature });
            owners.push((n, false));
        }
        if genesis.endorsers(*creator, call) > 0 {
            let mut last = None;
            for Endorsement { by, signature, .. } in &transaction.envelope.endorsements {
                let counts = matches!(by, Party::Peer(_)) && last.is_none_or(|last| last < *by);
                if !counts {
                    continue;
                }
                last = Some(*by);
                let (Some(key), Some(signature)) = (genesis.key(*by), *signature) else { continue };
                claims.push(Claim { key, text: &executions[n], signature });
                owners.push((n, true));
            }
        }
        if let Some(invoice) = invoice_text(transaction) {
            for endorsement in endorsements(&transaction.envelope, Party::Grid) {
                count += 1;
                if is_under(endorsement, &invoice, genesis, chain, &mut known) {
                    endorsed.push(n);
                }
            }
        }
    }
    count += claims.len() as u64;
    let truths = identity::verify(chain, &claims);
    for ((n, is_of_peer), _) in owners.into_iter().zip(truths).filter(|(_, holds)| *holds) {
        match is_of_peer {
            true => transactions[n].peers += 1,
            false => transactions[n].signed = true,
        }
    }
    for n in endorsed {
        transactions[n].invoice_endorsed = true;
    }
    for transaction in transactions {
        let Proposal { creator, call } = &transaction.proposal;
        transaction.signed |= !genesis.must_be_signed(*creator, call);
    }
    count
}

/// What a peer signs: the text of the envelope without who submitted it when, and who stands for it.
fn execution(envelope: &Envelope) -> String {
    let Envelope { proposal, reads, outcome, .. } = envelope;
    let [reads, outcome] = [serde_json::to_string(reads), serde_json::to_string(outcome)]
        .map(|text| text.expect("what was read as JSON has a text"));
    format!(r#"{{"proposal":{proposal},"reads":{reads},"outcome":{outcome}}}"#)
}

fn invoice_text(transaction: &Transaction) -> Option<String> {
    match &transaction.proposal {
        Proposal { creator, call: Call::RecordEnergy(_, _, Some(invoice)) } => {
            Some(InvoiceTo { party: *creator, invoice: *invoice }.to_json())
        }
        _ => None,
    }
}

/// The endorsements by `party`.
fn endorsements(envelope: &Envelope, party: Party) -> impl Iterator<Item = &Endorsement> {
    envelope.endorsements.iter().filter(move |endorsement| endorsement.by == party)
}

/// Whether the grid's signature is under an invoice, or under the block to whose root the invoice's path leads. A block's
/// is checked once: `known` has what it was found to be.
fn is_under(
    endorsement: &Endorsement,
    invoice: &str,
    genesis: &Genesis,
    chain: Digest,
    known: &mut BTreeMap<(String, String), bool>,
) -> bool {
    let (Some(key), Some(signature)) = (genesis.grid, endorsement.signature) else { return false };
    let Some(path) = &endorsement.path else { return Claim { key, text: invoice, signature }.holds(chain) };
    let Some(root) = merkle::root(path, &[&chain.0, invoice.as_bytes()]) else { return false };
    let text = InvoiceBlock { invoices: path.size, root }.to_json();
    let entry = known.entry((text, signature.to_string()));
    *entry.or_insert_with_key(|(text, _)| Claim { key, text, signature }.holds(chain))
}
