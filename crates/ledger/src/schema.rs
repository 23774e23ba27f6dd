//! Tables and views of `ledger.db`, one place for who writes it and who checks it.

/// Name of the file in a run's folder.
pub const FILE: &str = "ledger.db";

/// What `PRAGMA application_id` says of such a file: the letters `mgri`.
pub const APPLICATION_ID: i32 = 0x6d67_7269;

/// What `PRAGMA user_version` says: the version of the schema.
pub const USER_VERSION: i32 = 4;

/// The statements that make the tables and views, to be carried out in this order.
pub const SQL: &str = include_str!("schema.sql");

/// The same one by one, each exactly as `sqlite_schema` has its text, in the same order.
pub fn statements() -> impl Iterator<Item = &'static str> {
    // No statement holds a semicolon.
    SQL.split(';').map(str::trim).filter(|statement| !statement.is_empty())
}

/// What makes of the tables and views of version 2 those of version 1, and so on to the newest.
const BACK: [&str; USER_VERSION as usize - 1] = [
    "DROP VIEW orders; DROP VIEW clearings; DROP VIEW executions;",
    "DROP VIEW group_tariffs; DROP VIEW imbalance_prices; DROP VIEW imbalances; DROP VIEW grid_fees;",
    "DROP VIEW settlements;
CREATE VIEW settlements AS
SELECT
    case_number,
    slot,
    value ->> 'bills' AS bills,
    value ->> 'energy' AS energy_micro_kwh
FROM fact_keys WHERE kind = 'settlement';",
];

/// The statements that make of these tables and views those of an earlier version, from 1.
pub fn back_to(version: i32) -> String {
    BACK[version as usize - 1..].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn the_database_knows_its_schema_by_the_very_text_that_made_it() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(SQL).unwrap();
        let mut query = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").unwrap();
        let texts: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(texts, statements().collect::<Vec<_>>());
    }
}
