//! The file as a whole: are its pages sound, do its rows belong to its cases?

use super::discrepancy::Checked;
use crate::{
    position::Position,
    reader::{Reader, StoredCheckpoint},
};
use std::collections::BTreeSet;

/// Checks the file's pages; whoever has opened it has checked its header and its schema.
pub(super) fn check(reader: &Reader) -> Checked {
    let damaged = |how: String| Position::FILE.wrong(format!("the database is damaged: {how}"));
    let soundness: String = reader
        .connection()
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if soundness == "ok" { Ok(()) } else { Err(damaged(soundness.replace('\n', " "))) }
}

/// Makes sure that cases are numbered from the `first` on, and that no table has rows of others.
pub(super) fn check_cases(reader: &Reader, checkpoints: &[StoredCheckpoint], first: u32) -> Checked {
    let cases: BTreeSet<u32> = checkpoints.iter().map(|checkpoint| checkpoint.case).collect();
    for table in ["blocks", "transactions", "facts"] {
        if let Some((case, channel)) = reader.groups(table)?.into_iter().find(|(case, _)| !cases.contains(case)) {
            let what = format!("table {table} has rows of this case, but the case has no checkpoint");
            return Err(Position::channel(case, channel).wrong(what));
        }
    }
    match (first..).zip(&cases).find(|(due, found)| due != *found) {
        None => Ok(()),
        Some((due, _)) => Err(Position::FILE.wrong(format!("case {due} is missing"))),
    }
}
