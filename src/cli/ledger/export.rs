//! `sim ledger export RUN`: all blocks as JSON, one a line, the same for the same chains.

use super::{cases, find};
use crate::{
    cli::error::CliError,
    ledger::{
        position::Position,
        reader::{ReadError, Reader, StoredBlock},
    },
};
use microgrid_agents::{chain::hash::Digest, ids::ChannelName, time::Time};
use serde::Serialize;
use serde_json::value::RawValue;
use std::path::Path;

/// A block as a line.
#[derive(Serialize)]
struct Line<'a> {
    case: u32,
    channel: ChannelName,
    number: u64,
    position: u64,
    time_ns: Time,
    previous_hash: Option<Digest>,
    data_hash: Digest,
    header_hash: Digest,
    commit_hash: Digest,
    transactions: Vec<LineTransaction<'a>>,
}

#[derive(Serialize)]
struct LineTransaction<'a> {
    code: &'a str,
    envelope: &'a RawValue,
}

/// Hands the blocks of all cases of a run's ledger, or of one, to `print`, line by line.
pub(in crate::cli) fn export(
    run: &Path,
    only: Option<u32>,
    mut print: impl FnMut(&str) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let reader = Reader::open(&find(run)?)?;
    cases(&reader, only)?.into_iter().try_for_each(|case| reader.each_block(case, |block| print(&line(case, &block)?)))
}

fn line(case: u32, block: &StoredBlock) -> Result<String, ReadError> {
    let mut transactions = Vec::with_capacity(block.transactions.len());
    for transaction in &block.transactions {
        let envelope = serde_json::from_str::<&RawValue>(&transaction.envelope).ok();
        let one_line = envelope.filter(|envelope| !envelope.get().contains('\n'));
        let place = Position::block(case, block.header.channel, block.header.number).transaction(transaction.number);
        let wrong = || ReadError::column(place, "transactions", "envelope", "JSON on one line");
        let envelope = one_line.ok_or_else(wrong)?;
        transactions.push(LineTransaction { code: &transaction.code, envelope });
    }
    let line = Line {
        case,
        channel: block.header.channel,
        number: block.header.number,
        position: block.header.position,
        time_ns: block.header.time,
        previous_hash: block.header.previous_hash,
        data_hash: block.header.data_hash,
        header_hash: block.header_hash,
        commit_hash: block.commit_hash,
        transactions,
    };
    let mut text = serde_json::to_string(&line).expect("a block has a JSON text");
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixtures::{day::day, file};
    use microgrid_agents::chain::{block::data_hash, transaction::Envelope};

    #[test]
    fn every_block_is_a_line_from_which_its_hashes_follow() {
        let (ledger, mut lines) = (file(&[day()]), Vec::new());
        export(&ledger.path, None, |line| {
            lines.push(line.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(lines.len(), 13);
        for (position, line) in lines.iter().enumerate() {
            let block: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(block["position"], position);
            #[derive(serde::Deserialize)]
            struct Exported {
                transactions: Vec<ExportedTransaction>,
            }
            #[derive(serde::Deserialize)]
            struct ExportedTransaction {
                envelope: Box<RawValue>,
            }
            let exported: Exported = serde_json::from_str(line).unwrap();
            let texts: Vec<&str> = exported.transactions.iter().map(|transaction| transaction.envelope.get()).collect();
            assert_eq!(block["data_hash"], data_hash(&texts).to_string());
            assert!(texts.iter().all(|text| serde_json::from_str::<Envelope>(text).is_ok()));
        }
        assert!(
            lines[0].starts_with(
                r#"{"case":1,"channel":"trade","number":0,"position":0,"time_ns":0,"previous_hash":null,"#
            )
        );
    }
}
