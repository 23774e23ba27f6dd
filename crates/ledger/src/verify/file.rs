//! The file as a whole: is it a ledger, are its pages sound, do its rows belong to its cases?

use super::discrepancy::Checked;
use crate::{
    position::Position,
    reader::{Reader, StoredCheckpoint},
    schema,
};
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Checks the file's header, its pages and its schema.
pub(super) fn check(reader: &Reader) -> Checked {
    check_header(reader)?;
    check_schema(reader)?;
    let damaged = |how: String| Position::FILE.wrong(format!("the database is damaged: {how}"));
    let soundness: String = reader
        .connection()
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if soundness == "ok" { Ok(()) } else { Err(damaged(soundness.replace('\n', " "))) }
}

fn check_header(reader: &Reader) -> Checked {
    for (name, expected) in [("application_id", schema::APPLICATION_ID), ("user_version", schema::USER_VERSION)] {
        let found: i64 = reader.connection().query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
        if found != i64::from(expected) {
            return Err(Position::FILE.wrong(format!("{name} is {found}, not {expected}")));
        }
    }
    Ok(())
}

/// A table or view: type, name, table and text.
type Object = (String, String, String, Option<String>);

fn check_schema(reader: &Reader) -> Checked {
    let model = Connection::open_in_memory()?;
    model.execute_batch(schema::SQL)?;
    let (due, found) = (objects(&model)?, objects(reader.connection())?);
    match due.symmetric_difference(&found).next() {
        None => Ok(()),
        Some((_, name, ..)) => {
            let what = format!("the schema is not that of a ledger: {name} is missing, added or different");
            Err(Position::FILE.wrong(what))
        }
    }
}

fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

/// Makes sure that cases are numbered from 1, and that no table has rows of others.
pub(super) fn check_cases(reader: &Reader, checkpoints: &[StoredCheckpoint]) -> Checked {
    let cases: BTreeSet<u32> = checkpoints.iter().map(|checkpoint| checkpoint.case).collect();
    for table in ["blocks", "transactions", "facts"] {
        if let Some((case, channel)) = reader.groups(table)?.into_iter().find(|(case, _)| !cases.contains(case)) {
            let what = format!("table {table} has rows of this case, but the case has no checkpoint");
            return Err(Position::channel(case, channel).wrong(what));
        }
    }
    match (1..).zip(&cases).find(|(due, found)| due != *found) {
        None => Ok(()),
        Some((due, _)) => Err(Position::FILE.wrong(format!("case {due} is missing"))),
    }
}
