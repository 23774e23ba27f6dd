//! What was meant by arguments that fit nothing: a mistyped subcommand, a knob without its option, a word too many.

use super::args::{Arguments, Command};
use crate::{
    framework::quoted,
    record::{Run, SCENARIO},
    scenario::knob_names,
};
use clap::{
    CommandFactory, Error, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{ffi::OsString, path::Path};

/// The subcommands alone, so that whatever comes first is taken for one.
#[derive(Debug, Parser)]
#[command(name = "sim")]
struct Subcommands {
    #[command(subcommand)]
    _command: Command,
}

/// The same error or, if it can be told what was meant, one that says it.
pub(super) fn explained(error: Error, arguments: &[OsString]) -> Error {
    let unexpected = |word: &str, tip: String| {
        let message =
            format!("unexpected argument '{word}' found\n\n  tip: {tip}\n\nFor more information, try '--help'.\n");
        Error::raw(ErrorKind::UnknownArgument, message)
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let Some(word) = said(&error, ContextKind::InvalidArg) else { return error };
            let name = word.trim_start_matches('-');
            let is_long = |name: &str| Arguments::command().get_opts().any(|option| option.get_long() == Some(name));
            let given = arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix('-'));
            if knob_names().any(|knob| knob == name) {
                unexpected(word, format!("a knob is set by '--set {name}=VALUE'"))
            } else if let Some(long) = given.into_iter().find(|name| is_long(name)) {
                unexpected(word, format!("a long option has two dashes: '--{long}'"))
            } else {
                error
            }
        }
        ErrorKind::ArgumentConflict => {
            let Some(word) = said(&error, ContextKind::InvalidSubcommand) else { return error };
            let Err(first) = Subcommands::try_parse_from(arguments) else { return error };
            let name = said(&first, ContextKind::InvalidSubcommand);
            match name.filter(|name| !Path::new(name).exists()) {
                Some(_) if similar(&first).is_some() => first,
                Some(name) => unexpected(name, format!("a scenario runs without a subcommand: 'sim {word}'")),
                None if Arguments::command().find_subcommand(word).is_some() => {
                    let scenario = name.unwrap_or("SCENARIO");
                    unexpected(word, format!("a subcommand comes first: 'sim {word} {scenario}'"))
                }
                None if word.contains('=') => unexpected(word, format!("a knob is set by '--set {word}'")),
                None => unexpected(
                    word,
                    "one scenario is run at a time, and a knob is set by '--set NAME=VALUE'".to_owned(),
                ),
            }
        }
        _ => error,
    }
}

/// What may have been meant by a scenario that is none, but a run's folder or a file in it.
pub(super) fn run_instead(path: &Path) -> Option<String> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let run = Run::open(folder)
        .ok()
        .filter(|run| path.is_dir() || Run::lies_in(folder) && !path.ends_with(SCENARIO) && run.folder() == folder)?;
    let [folder, scenario] =
        [folder.to_owned(), run.folder().join(SCENARIO)].map(|path| quoted(&path.display().to_string()));
    Some(format!("`sim show {folder}` shows the run that is there, and its scenario is {scenario}"))
}

/// What may have been meant by a scenario that is not there: a subcommand, or an option.
pub(super) fn command_instead(path: &Path) -> Option<String> {
    let name = path
        .to_str()
        .filter(|name| name.len() > 2 && name.chars().all(|c| c.is_ascii_alphabetic()) && !path.exists())?;
    let options = Arguments::command();
    if name == "version" || options.get_arguments().any(|option| option.get_long() == Some(name)) {
        return Some(format!("did you mean `--{name}`?"));
    }
    let first = Subcommands::try_parse_from(["sim", name]).err()?;
    let usual = "a scenario runs by `sim SCENARIO`; `sim --help` lists the subcommands".to_owned();
    Some(similar(&first).map_or(usual, |name| format!("did you mean `sim {name}`?")))
}

/// The subcommand that looks like the one that is not there.
fn similar(error: &Error) -> Option<&str> {
    match error.get(ContextKind::SuggestedSubcommand)? {
        ContextValue::Strings(names) => names.last().map(String::as_str),
        ContextValue::String(name) => Some(name),
        _ => None,
    }
}

fn said(error: &Error, what: ContextKind) -> Option<&str> {
    match error.get(what)? {
        ContextValue::String(word) => Some(word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(arguments: &str) -> String {
        let arguments: Vec<OsString> = arguments.split(' ').map(OsString::from).collect();
        let error = Arguments::try_parse_from(&arguments).expect_err("the arguments are mistyped");
        let error = explained(error, &arguments);
        assert_eq!(error.exit_code(), 2, "{error}");
        error.to_string()
    }

    #[test]
    fn what_was_mistyped_is_named_with_what_was_meant() {
        for (arguments, meant) in [
            ("sim comprae a b", "'compare'"),
            ("sim shwo results/x --slot 3", "'show'"),
            ("sim ledgr verify x", "'ledger'"),
            ("sim ledger verfy x", "'verify'"),
            ("sim run day.ron", "'sim day.ron'"),
            ("sim simulate day.ron --seed 7", "'sim day.ron'"),
            ("sim Cargo.toml check", "'sim check Cargo.toml'"),
            ("sim Cargo.toml mu=0.5", "'--set mu=0.5'"),
            ("sim Cargo.toml --set mu 0.5", "'--set NAME=VALUE'"),
            ("sim Cargo.toml other.ron", "one scenario"),
            ("sim day.ron --mu 0.5", "'--set mu=VALUE'"),
            ("sim day.ron -set mu=1", "'--set'"),
            ("sim day.ron --sed 7", "'--seed'"),
            ("sim check day.ron --sett mu=1", "'--set'"),
        ] {
            let said = message(arguments);
            assert!(said.contains(meant), "{arguments}: {said}");
        }
        for (path, meant) in
            [("lst", "sim list"), ("chekc", "sim check"), ("run", "sim SCENARIO"), ("5_prosumer", ""), ("day.ron", "")]
                .into_iter()
                .chain([("version", "`--version`"), ("Help", "sim help"), ("seed", "`--seed`")])
        {
            let said = command_instead(Path::new(path)).unwrap_or_default();
            assert!(said.contains(meant) && said.is_empty() == meant.is_empty(), "{path}: {said}");
        }
    }
}
