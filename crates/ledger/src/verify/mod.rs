//! Checks a ledger from genesis to its end, with nothing but `ledger.db`, and trusts nobody.
//!
//! It shares with the writer the vocabulary of the [chain](microgrid_agents::chain) and its hash and signature
//! functions. The rules of the contract and the derivation of bills it has of its own.
//!
//! | where | what is checked |
//! |---|---|
//! | `file` | its pages are sound, all rows belong to a case; that it is a ledger, the reader has checked |
//! | `checkpoint` | the ledger's signature; chains go as far as it says, slots are closed that it says are |
//! | `prepare` | a block by itself: hashes, spelling, signatures; many blocks at a time |
//! | `merkle` | where an invoice's path leads: to the root that the grid has signed |
//! | `replay` | block by block: links, positions, sizes, codes, what is written |
//! | `judge` | the code of a transaction: signature, endorsements, reads, and what the contract says |
//! | `contract` | what the contract makes of a call |
//! | `mechanism` | what a way of trading allows, and the bills that follow from it |
//! | `facts` | the table of facts, and the sums in it |

mod bills;
mod checkpoint;
mod contract;
mod desk;
mod discrepancy;
mod facts;
mod file;
mod judge;
mod mechanism;
mod merkle;
mod prepare;
mod replay;
mod report;
mod state;
mod tariffs;

pub use discrepancy::VerifyError;
pub use report::{CaseReport, ChannelReport, Progress, Report};

use super::{
    position::Position,
    reader::{ReadError, Reader, StoredBlock, StoredCheckpoint},
};
use discrepancy::{Checked, Found};
use microgrid_agents::{
    chain::{call::Call, genesis::Genesis, transaction::Envelope},
    ids::ChannelName,
};
use prepare::prepare;
use rayon::prelude::*;
use replay::Replay;
use std::{path::Path, sync::Arc};

/// So many bytes of transactions are read at a time, to be prepared on all cores.
const BATCH_BYTES: usize = 8 << 20;
/// Or so many blocks.
const BATCH_BLOCKS: usize = 4096;

/// Why there is nothing to verify where nothing is signed.
const UNSIGNED: &str = "it is unsigned, by its genesis (`signatures: Off`), so nothing in it proves who asked for what: \
    run the scenario with `ledger: (signatures: Settlement)` for a ledger to verify";

/// Checks the ledger at `path`, and tells `progress` every now and then how far it has come. Fails if there is no such
/// file or nothing in it, or with the first discrepancy.
pub fn verify(path: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Report, VerifyError> {
    verify_from(path, 1, progress)
}

/// The same of the ledger of a part of a study, whose cases begin with the `first`.
pub fn verify_from(path: &Path, first: u32, progress: &mut dyn FnMut(Progress)) -> Result<Report, VerifyError> {
    let mut report = Report::default();
    let checked = match Reader::open(path) {
        Err(error @ (ReadError::Open { .. } | ReadError::NoFile(_) | ReadError::Blank(_))) => {
            return Err(VerifyError::Open(error));
        }
        Err(error) => Err(error.into()),
        Ok(reader) => check(&reader, first, &mut report, progress),
    };
    match checked {
        Ok(()) => Ok(report),
        Err(Found { place, what }) => Err(VerifyError::Discrepancy { place, what, so_far: Box::new(report) }),
    }
}

fn check(reader: &Reader, first: u32, report: &mut Report, progress: &mut dyn FnMut(Progress)) -> Checked {
    file::check(reader)?;
    let checkpoints = reader.checkpoints()?;
    file::check_cases(reader, &checkpoints, first)?;
    for (n, stored) in checkpoints.iter().enumerate() {
        check_case(reader, stored, checkpoints.len(), report, progress)?;
        if let Some(&CaseReport { closed, slots, .. }) = report.cases.last()
            && closed < slots
            && n + 1 < checkpoints.len()
        {
            let what = format!("only {closed} of {slots} slots are closed, but other cases follow");
            return Err(Position::case(stored.case).wrong(what));
        }
    }
    Ok(())
}

fn check_case(
    reader: &Reader,
    stored: &StoredCheckpoint,
    cases: usize,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Checked {
    let genesis = genesis(reader, stored.case)?;
    if !genesis.has_signatures() {
        return Err(Position::case(stored.case).wrong(UNSIGNED));
    }
    let mut replay = Replay::new(reader, &genesis);
    let result = check_chains(&mut replay, stored, &mut |done, blocks| {
        progress(Progress { case: stored.case, cases, done, blocks });
    });
    report.cases.push(replay.report);
    result
}

fn check_chains(replay: &mut Replay<'_>, stored: &StoredCheckpoint, progress: &mut dyn FnMut(u64, u64)) -> Checked {
    let (reader, case) = (replay.reader, replay.case);
    let checkpoint = checkpoint::read(stored, replay.genesis, replay.chain)?;
    checkpoint::check_numbers(reader, case, &checkpoint)?;
    let blocks = checkpoint.heads.iter().map(|head| head.blocks).sum();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let read = reader.each_block(case, |block| -> Checked {
        bytes += block.transactions.iter().map(|transaction| transaction.envelope.len()).sum::<usize>();
        batch.push(block);
        if bytes >= BATCH_BYTES || batch.len() >= BATCH_BLOCKS {
            bytes = 0;
            progress(replay.position, blocks);
            play(replay, std::mem::take(&mut batch))?;
        }
        Ok(())
    });
    // What cannot be read comes after what was read before it.
    play(replay, batch)?;
    read?;
    progress(replay.position, blocks);
    checkpoint::check_heads(replay, &checkpoint)?;
    checkpoint::check_closed(replay, checkpoint.closed)?;
    replay.report.closed = checkpoint.closed;
    facts::check(replay)
}

/// Prepares blocks on all cores, then plays them in their order: the outcome is that of one after the other.
fn play(replay: &mut Replay<'_>, blocks: Vec<StoredBlock>) -> Checked {
    let (case, genesis, chain) = (replay.case, replay.genesis, replay.chain);
    let prepared: Vec<_> = blocks.into_par_iter().map(|block| prepare(case, genesis, chain, block)).collect();
    prepared.into_iter().try_for_each(|block| replay.block(block))
}

/// What everybody agreed on before the case began: the first transaction of its main chain.
fn genesis(reader: &Reader, case: u32) -> Checked<Arc<Genesis>> {
    let place = Position::block(case, ChannelName::Trade, 0).transaction(0);
    let wrong = |why: String| place.wrong(format!("genesis: {why}"));
    let block = reader.block(case, ChannelName::Trade, 0)?;
    let first = block.as_ref().and_then(|block| block.transactions.first());
    let text = &first.ok_or_else(|| wrong("it is missing".to_owned()))?.envelope;
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let proposal = envelope.proposal().map_err(|error| wrong(error.to_string()))?;
    let Call::Genesis(genesis) = proposal.call else { return Err(wrong("it is another call".to_owned())) };
    if genesis.case != case {
        return Err(wrong(format!("it is that of case {}", genesis.case)));
    }
    if !genesis.prosumers.is_sorted_by(|(earlier, _), (later, _)| earlier < later) {
        return Err(wrong("its prosumers are not in ascending order".to_owned()));
    }
    Ok(genesis)
}
