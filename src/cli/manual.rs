//! `sim completions` and `sim man`: what a shell and `man` have to know of the command, made from its arguments.

use super::{
    args::{Arguments, CompletionsArguments, ManArguments},
    error::CliError,
    print,
};
use clap::CommandFactory;
use clap_complete::generate;
use clap_mangen::{Man, generate_to};
use std::fs;

/// Prints what makes a shell complete the command's arguments.
pub(super) fn completions(arguments: &CompletionsArguments) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Arguments::command(), "sim", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the page of `sim` or, where a folder is given, leaves there a page for it and one for each subcommand.
pub(super) fn man(arguments: &ManArguments) -> Result<(), CliError> {
    if let Some(folder) = &arguments.out {
        let written = fs::create_dir_all(folder).and_then(|()| generate_to(Arguments::command(), folder));
        return written.map_err(|source| CliError::NotWritten { folder: folder.clone(), source });
    }
    let mut page = Vec::new();
    Man::new(Arguments::command()).render(&mut page).map_err(CliError::Output)?;
    print(&String::from_utf8_lossy(&page))
}
