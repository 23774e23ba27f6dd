//! `sim ledger`: what a run's `ledger.db` says, and whether it holds.

mod export;
mod show;

pub(super) use export::export;

use super::{
    args::LedgerCommand,
    error::CliError,
    names::Names,
    print, print_exactly, progress,
    table::{Table, key, words},
    text::{count, in_currency},
};
use crate::{
    ledger::{
        position::Position,
        reader::Reader,
        schema,
        verify::{self, CaseReport, Report, VerifyError},
    },
    record::{self, Run},
    scenario::files,
};
use microgrid_agents::{chain::fact::Key, ids::ChannelName};
use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process,
};

/// Carries out one of the ledger's subcommands.
pub(super) fn ledger(command: &LedgerCommand) -> Result<(), CliError> {
    match command {
        LedgerCommand::Verify { run } => verify(&find(run)?),
        LedgerCommand::Show { run, channel, block, key, case } => print(&shown(run, *case, *key, *channel, *block)?),
        // Nothing is left to do once nobody reads any more.
        LedgerCommand::Export { run, case } => {
            export(run, *case, |line| if print_exactly(line)? { Ok(()) } else { process::exit(0) })
        }
    }
}

/// What there is to see of the ledger of a run: the history of a key, a block, the blocks of a channel or all channels.
pub(super) fn shown(
    run: &Path,
    case: Option<u32>,
    key: Option<Key>,
    channel: Option<ChannelName>,
    block: Option<u64>,
) -> Result<String, CliError> {
    let ledger = find(run)?;
    let reader = Reader::open(&ledger)?;
    // The ledger has numbers; what they mean is told by the run that it lies in, if it does.
    let of_run = ledger.parent().and_then(|folder| Run::open(folder).ok());
    let currency = of_run.as_ref().map_or("CNY", |run| &run.manifest().currency);
    let balances = |case| {
        let names = of_run.as_ref().and_then(|run| Names::of_case(run, case).ok()).unwrap_or_default();
        show::balances(&reader, case, &names).map(|text| in_currency(&text, currency).into_owned())
    };
    let show = |case| match (key, channel, block) {
        (Some(key), ..) => show::history(&reader, case, key),
        (None, Some(channel), Some(number)) => show::block(&reader, case, channel, number),
        (None, Some(channel), None) => show::blocks(&reader, case, channel),
        (None, None, _) => Ok(format!("{}\n{}\n", show::channels(&reader, case)?, balances(case)?)),
    };
    cases(&reader, case)?.into_iter().map(show).collect()
}

/// Verifies the ledger; prints what was covered, whether all of it is in order or not.
fn verify(path: &Path) -> Result<(), CliError> {
    // With which case it begins, the run tells that it lies in: that of a part of a study does not begin with the first.
    let run = path.parent().and_then(|folder| Run::open(folder).ok());
    let first = run.map_or(1, |run| *run.manifest().numbers().start());
    match verify::verify_from(path, first, &mut progress::of_verification()) {
        Ok(report) if report.cases.is_empty() => print(&format!("{} has no blocks yet\n", path.display())),
        Ok(report) => print(&format!("{}{} verifies\n", describe(&report), path.display())),
        Err(error) => {
            if let VerifyError::Discrepancy { so_far, .. } = &error {
                print(&describe(so_far))?;
            }
            Err(error.into())
        }
    }
}

fn describe(report: &Report) -> String {
    report.cases.iter().map(describe_case).collect()
}

fn describe_case(report: &CaseReport) -> String {
    let CaseReport { case, scenario, genesis, closed, slots, bills, channels } = report;
    let channels: Vec<_> = ChannelName::ALL.iter().zip(channels).collect();
    let table = Table::of(&channels)
        .column(key(words("channel")), |(name, _)| name.name())
        .column("blocks", |(_, of)| of.blocks)
        .column("transactions", |(_, of)| of.transactions())
        .column("valid", |(_, of)| of.valid)
        .column("invalid", |(_, of)| of.invalid)
        .column("signatures", |(_, of)| of.signatures)
        .column("facts", |(_, of)| of.facts);
    format!(
        "{scenario}, case {case}: {closed} of {} closed, {} derived once more\ngenesis {genesis}\n\n{}\n",
        count(*slots as usize, "slot"),
        count(usize::try_from(*bills).unwrap_or(usize::MAX), "bill"),
        table.draw(),
    )
}

/// The ledger of a run, of a scenario's newest run, or the file itself.
pub(super) fn find(run: &Path) -> Result<PathBuf, CliError> {
    let candidates = [run.to_owned(), run.join(schema::FILE), run.join(record::LATEST).join(schema::FILE)];
    // A file that is no database is one of some other kind, unless it is called like a ledger.
    let is_ledger = |path: &PathBuf| path.is_file() && (path.ends_with(schema::FILE) || is_database(path));
    candidates.into_iter().find(is_ledger).ok_or_else(|| {
        CliError::bad_input(match Run::open(run) {
            Ok(other) if !other.keeps(schema::FILE) => {
                format!("{} keeps no ledger: its scenario has `record: {:?}`", run.display(), other.record())
            }
            Ok(_) => format!("there is no ledger.db in {}, nor in the run to which its `latest` links", run.display()),
            Err(error) => format!("there is no ledger.db: {error}"),
        })
    })
}

fn is_database(path: &Path) -> bool {
    const BEGINS: &[u8] = b"SQLite format 3\0";
    let mut begins = Vec::new();
    files::open(path).and_then(|file| file.take(BEGINS.len() as u64).read_to_end(&mut begins)).is_ok()
        && begins == BEGINS
}

/// What of the same kind is there instead of this, up to the last of them.
fn not_there(position: Position, first: u64, last: Option<u64>) -> CliError {
    let others = match last {
        None => "none at all".to_owned(),
        Some(last) if last == first => format!("only {last}"),
        Some(last) => format!("{first} to {last}"),
    };
    CliError::bad_input(format!("the ledger has no {position}; it has {others}"))
}

/// The numbers of the ledger's cases, or the one that is asked for.
fn cases(reader: &Reader, only: Option<u32>) -> Result<Vec<u32>, CliError> {
    let cases = reader.checkpoints()?.iter().map(|checkpoint| checkpoint.case).collect::<Vec<u32>>();
    match only {
        None => Ok(cases),
        Some(only) if cases.contains(&only) => Ok(vec![only]),
        Some(only) => Err(not_there(Position::case(only), 1, cases.last().copied().map(u64::from))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        ledger::fixtures::{day::day, file},
    };

    #[test]
    fn a_ledger_is_found_in_a_run_in_the_newest_run_and_by_its_own_name() {
        let ledger = file(&[day()]);
        let run = ledger.path.parent().unwrap();
        assert_eq!(find(run).unwrap(), ledger.path);
        assert_eq!(find(&ledger.path).unwrap(), ledger.path);
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(record::LATEST)).unwrap();
        assert!(matches!(find(home.path()), Err(error) if error.text.contains("no ledger.db")));
        let newest = home.path().join(record::LATEST).join(schema::FILE);
        std::fs::copy(&ledger.path, &newest).unwrap();
        assert_eq!(find(home.path()).unwrap(), newest);
    }

    #[test]
    fn only_cases_that_are_there_are_shown() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        assert_eq!(cases(&reader, None).unwrap(), [1]);
        assert_eq!(cases(&reader, Some(2)).unwrap_err().text, "error: the ledger has no case 2; it has only 1");
    }

    #[test]
    fn counts_read_like_this() {
        let report = verify::verify(&file(&[day()]).path, &mut |_| {}).unwrap();
        insta::assert_snapshot!(plain(&describe(&report)));
    }
}
