//! `sim ledger`: what a run's `ledger.db` says, and whether it holds.

mod balances;
mod block;
mod channels;
mod export;
mod history;
mod verify;

use super::{
    args::{LedgerCommand, LedgerShowArguments},
    error::CliError,
    print, print_more,
};
use crate::{
    ledger::{position::Position, reader::Reader, schema},
    record::{self, Run},
};
use std::path::{Path, PathBuf};

/// Carries out one of the ledger's subcommands.
pub(super) fn ledger(command: &LedgerCommand) -> Result<(), CliError> {
    match command {
        LedgerCommand::Verify(arguments) => verify::verify(&find(&arguments.run)?),
        LedgerCommand::Show(arguments) => show(arguments),
        LedgerCommand::Export(arguments) => {
            export::export(&Reader::open(&find(&arguments.ledger.run)?)?, arguments.case, &mut print_more)
        }
    }
}

/// The ledger of a run, of a scenario's newest run, or the file itself.
fn find(run: &Path) -> Result<PathBuf, CliError> {
    let candidates = [run.to_owned(), run.join(schema::FILE), run.join(record::LATEST).join(schema::FILE)];
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| match Run::open(run) {
        Ok(other) if !other.keeps(schema::FILE) => {
            CliError::LedgerNotRecorded { run: run.to_owned(), record: other.record() }
        }
        _ => CliError::NoLedger(run.to_owned()),
    })
}

/// Prints channels and balances, a channel's blocks, a block or a key's history, of all cases or one.
fn show(arguments: &LedgerShowArguments) -> Result<(), CliError> {
    let reader = Reader::open(&find(&arguments.ledger.run)?)?;
    let mut text = String::new();
    for case in cases(&reader, arguments.case)? {
        if let Some(key) = arguments.key {
            text += &history::history(&reader, case, key)?;
            continue;
        }
        text += &match (arguments.channel, arguments.block) {
            (Some(channel), Some(number)) => {
                let missing = || CliError::NotOnLedger(Position::block(case, channel, number));
                block::block(case, &reader.block(case, channel, number)?.ok_or_else(missing)?)
            }
            (Some(channel), None) => channels::blocks(&reader, case, channel)?,
            (None, _) => format!("{}\n{}\n", channels::channels(&reader, case)?, balances::balances(&reader, case)?),
        };
    }
    print(&text)
}

/// The numbers of the ledger's cases, or the one that is asked for.
fn cases(reader: &Reader, only: Option<u32>) -> Result<Vec<u32>, CliError> {
    let mut cases: Vec<u32> = reader.checkpoints()?.iter().map(|checkpoint| checkpoint.case).collect();
    if let Some(only) = only {
        cases.retain(|case| *case == only);
        if cases.is_empty() {
            return Err(CliError::NotOnLedger(Position::case(only)));
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixtures::{day::day, file};

    #[test]
    fn a_ledger_is_found_in_a_run_in_the_newest_run_and_by_its_own_name() {
        let ledger = file(&[day()]);
        let run = ledger.path.parent().unwrap();
        assert_eq!(find(run).unwrap(), ledger.path);
        assert_eq!(find(&ledger.path).unwrap(), ledger.path);
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(record::LATEST)).unwrap();
        assert!(matches!(find(home.path()), Err(CliError::NoLedger(path)) if path == home.path()));
        let newest = home.path().join(record::LATEST).join(schema::FILE);
        std::fs::copy(&ledger.path, &newest).unwrap();
        assert_eq!(find(home.path()).unwrap(), newest);
    }

    #[test]
    fn only_cases_that_are_there_are_shown() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        assert_eq!(cases(&reader, None).unwrap(), [1]);
        assert_eq!(cases(&reader, Some(2)).unwrap_err().to_string(), "error: the ledger has no case 2");
    }
}
