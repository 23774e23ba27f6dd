//! `sim completions` and `sim man`: what a shell and `man` have to know of the command, made from its arguments.

use super::{args::Arguments, error::CliError, print, print_exactly};
use crate::scenario::files;
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use std::{fs, io, path::Path};

/// Prints what makes a shell complete the command's arguments.
pub(super) fn completions(shell: Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "sim", &mut script);
    print_exactly(&String::from_utf8_lossy(&script)).map(drop)
}

/// Prints the page of `sim` or, where a folder is given, leaves there a page for it and one for each subcommand.
pub(super) fn man(folder: Option<&Path>) -> Result<(), CliError> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    let Some(folder) = folder else { return print(&page(&Man::new(command)).map_err(CliError::failed)?) };
    command.build();
    let written = fs::create_dir_all(folder).and_then(|()| write(command, folder));
    written.map_err(|error| CliError::writing(folder, &error))
}

/// Writes the page of a command, and those of all below it.
fn write(command: Command, folder: &Path) -> io::Result<()> {
    command.get_subcommands().try_for_each(|below| write(below.clone(), folder))?;
    let man = Man::new(command);
    files::write(&folder.join(man.get_filename()), &page(&man)?)
}

/// A page, with its examples as they stand: `man` would fill their lines.
fn page(man: &Man) -> io::Result<String> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).replacen(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n.nf\n", 1))
}
