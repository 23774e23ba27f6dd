//! A block as a person reads it.

use crate::ledger::{
    position::Position,
    reader::{StoredBlock, StoredTransaction},
};
use microgrid_agents::chain::{
    hash::Digest,
    transaction::{Envelope, Outcome, Read, Version, Write},
};

/// The block's header and its transactions.
pub(super) fn block(case: u32, block: &StoredBlock) -> String {
    let header = &block.header;
    let previous = header.previous_hash.map_or_else(|| "none".to_owned(), |hash: Digest| hash.to_string());
    let place = Position::block(case, header.channel, header.number);
    let mut text = format!(
        "{place}\n\nposition       {}\ncut at         {}\nprevious hash  {previous}\ndata hash      {}\n\
         header hash    {}\ncommit hash    {}\n\n",
        header.position, header.time, header.data_hash, block.header_hash, block.commit_hash,
    );
    block.transactions.iter().for_each(|transaction| text += &describe(transaction));
    text
}

/// Who asked for what, who stands for it, and what became of it.
fn describe(StoredTransaction { number, code, envelope }: &StoredTransaction) -> String {
    let read: Result<Envelope, _> = serde_json::from_str(envelope);
    let Ok((envelope, proposal)) = read.and_then(|envelope| envelope.proposal().map(|proposal| (envelope, proposal)))
    else {
        return format!("transaction {number}: {code}\n  {envelope}\n\n");
    };
    let signed = if envelope.signature.is_some() { "signed" } else { "unsigned" };
    let endorsers: String = envelope.endorsements.iter().map(|e| format!(", endorsed by {}", e.by)).collect();
    let mut text = format!(
        "transaction {number}: {code}\n  by {} at {}, {signed}{endorsers}\n  {}\n",
        proposal.creator,
        envelope.submitted,
        serde_json::to_string(&proposal.call).unwrap_or_default(),
    );
    for Read(key, version) in &envelope.reads {
        text += &match version {
            Some(Version(block, number)) => format!("  reads {key} of block {block}, transaction {number}\n"),
            None => format!("  reads {key}: nothing there\n"),
        };
    }
    match &envelope.outcome {
        Outcome::Refused(refusal) => text += &format!("  refused: {refusal}\n"),
        Outcome::Writes(writes) => {
            writes.iter().for_each(|Write(key, fact)| text += &format!("  writes {key} {}\n", fact.get()));
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{
        fixtures::{day::day, file},
        reader::Reader,
    };
    use microgrid_agents::ids::ChannelName;

    #[test]
    fn blocks_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let settlement = reader.block(1, ChannelName::Trade, 3).unwrap().unwrap();
        let quotes = reader.block(1, ChannelName::Information, 3).unwrap().unwrap();
        insta::assert_snapshot!(block(1, &settlement) + &block(1, &quotes));
        assert_eq!(reader.block(1, ChannelName::Trade, 9).unwrap(), None);
    }

    #[test]
    fn what_is_no_transaction_is_shown_as_it_is() {
        let garbage = StoredTransaction { number: 4, code: "Valid".into(), envelope: "{".into() };
        assert_eq!(describe(&garbage), "transaction 4: Valid\n  {\n\n");
    }
}
