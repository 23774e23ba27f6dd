//! The `sim` command: its arguments, what it prints, and its exit codes.
//!
//! Everything it prints about a run is read back from the run's folder, so that `sim show` says the same.

mod args;
mod bill;
mod case_tables;
mod check;
mod compare;
mod comparison;
mod error;
#[cfg(test)]
mod fuzz;
mod import;
mod ledger;
mod list;
mod manual;
mod merge;
mod mistyped;
mod names;
mod periods;
mod price_path;
mod progress;
pub mod ranks;
mod report;
mod run;
mod show;
mod signals;
mod slot_name;
mod slurm;
mod stability;
mod summary;
mod table;
mod terminal;
mod text;
mod trade_matrix;

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use args::{Arguments, Command};
use clap::Parser;
use error::CliError;
use std::{
    env,
    ffi::OsString,
    io::{self, ErrorKind, Write},
    path::Path,
    process::ExitCode,
};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    prelude::*,
};

/// Runs the command with the program's arguments.
///
/// Exit code 0: done; 1: failed; 2: bad input.
pub fn main() -> ExitCode {
    let given: Vec<OsString> = env::args_os().collect();
    let mut arguments = Arguments::try_parse_from(&given).unwrap_or_else(|error| {
        // The same mistake with words that a terminal does not obey.
        let shown: Vec<OsString> = given.iter().map(|word| terminal::clean(&word.to_string_lossy()).into()).collect();
        let error = Arguments::try_parse_from(&shown).err().unwrap_or(error);
        mistyped::explained(error, &shown).exit()
    });
    log_to_stderr(match &arguments.command {
        Some(Command::Resume { how, .. }) => how.told.verbose,
        Some(Command::Merge { told, .. }) => told.verbose,
        _ => arguments.how.told.verbose,
    });
    let done = match (arguments.command.take(), arguments.input.take()) {
        (Some(Command::Check { input }), _) => {
            check::check(&input).map_err(|error| noted(error, mistyped::run_instead(&input.scenario)))
        }
        (Some(Command::Import { kind }), _) => import::import(*kind),
        (Some(Command::Resume { run, how }), _) => run::resume(&run, &how),
        (Some(Command::Merge { runs, place, told }), _) => merge::merge(&runs, &place, &told),
        (Some(Command::Slurm { input, place, batch }), _) => {
            slurm::slurm(&input, &place, &batch).map_err(|error| noted(error, mistyped::run_instead(&input.scenario)))
        }
        (Some(Command::Show { run, slot, member, case }), _) => {
            show::show(&run, slot.as_ref(), member.as_deref(), case)
        }
        (Some(Command::Report { run, open }), _) => report::report(&run, open),
        (Some(Command::Stability { input, slot }), _) => {
            let done = stability::stability(&input, slot.as_ref());
            done.map_err(|error| noted(error, mistyped::run_instead(&input.scenario)))
        }
        (Some(Command::Ledger(command)), _) => ledger::ledger(&command),
        (Some(Command::Compare { a, b }), _) => compare::compare(&a, b.as_deref()),
        (Some(Command::List { folder }), _) => list::list(&folder),
        (Some(Command::Completions { shell }), _) => manual::completions(shell),
        (Some(Command::Man { out }), _) => manual::man(out.as_deref()),
        (None, Some(input)) => {
            let done = run::run(&input, &arguments);
            let meant =
                || mistyped::run_instead(&input.scenario).or_else(|| mistyped::command_instead(&input.scenario));
            done.map_err(|error| noted(error, meant()))
        }
        (None, None) => unreachable!("without a subcommand, clap asks for a scenario"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.print();
            error.exit_code.into()
        }
    }
}

/// What `sim show` prints of a run, without colours, or why it cannot.
#[doc(hidden)] // Hidden: for the Python package.
pub fn shown(run: &Path, slot: Option<&str>, member: Option<&str>, case: Option<u32>) -> Result<String, String> {
    let slot = slot.map(str::parse).transpose()?;
    let text = show::told(run, slot.as_ref(), member, case);
    text.map(|text| strip_str(&text).to_string()).map_err(|error| error.text.replacen("error: ", "", 1))
}

/// The error with what may have been meant.
fn noted(error: CliError, meant: Option<String>) -> CliError {
    let note = meant.map_or_else(String::new, |meant| format!("\n = note: {meant}"));
    CliError { text: error.text + &note, ..error }
}

/// Logs at the level of `RUST_LOG` or, without it, of `verbosity`: 0 warnings, 1 what happens, 2 and more every detail.
fn log_to_stderr(verbosity: u8) {
    let level = match verbosity {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let asked = env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(level));
    let colours = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colours);
    // Whoever cannot be told anything cannot be told that either.
    let lines = lines.log_internal_errors(false);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// Prints to stdout, with bold and colours only where `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and the terminal let
/// them; a terminal obeys nothing else in the text. A reader that has gone away, as in `sim show RUN | head`, is no error.
fn print(text: &str) -> Result<(), CliError> {
    print_exactly(&terminal::clean_styled(text)).map(drop)
}

/// Prints the text as it is; says whether the reader is still there.
fn print_exactly(text: &str) -> Result<bool, CliError> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::failed(format!("cannot print: {error}"))),
    }
}
