//! What stood under a key, as `ledger.db` tells it.

use super::{
    position::Position,
    reader::{ReadError, Reader},
};
use microgrid_agents::chain::{
    fact::{Fact, Key},
    transaction::{Envelope, Outcome, Version, Write},
};
use rusqlite::params;

const WRITERS: &str = "SELECT block, number, envelope FROM transactions
    WHERE case_number = ? AND channel = ? AND code = 'Valid' AND instr(envelope, ?) > 0 ORDER BY block, number";

/// The chains of one case, as they lie in the file: nothing in them is checked.
#[derive(Clone, Copy, Debug)]
pub struct CaseState<'a> {
    /// The file.
    pub reader: &'a Reader,
    /// Number of the case.
    pub case: u32,
}

impl CaseState<'_> {
    /// Every fact that has ever stood under `key`, with the transaction that wrote it, oldest first; an error if the chain
    /// cannot be read.
    pub fn history(&self, key: Key) -> Result<Vec<(Version, Fact)>, ReadError> {
        let place = Position::channel(self.case, key.channel());
        let unreadable = |_| ReadError::column(place, "facts", "value", "a fact of its key's kind");
        let mut statement = self.reader.connection().prepare_cached(WRITERS)?;
        let mut rows = statement.query(params![self.case, key.channel().name(), format!("[\"{key}\",")])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            let (block, number, text): (i64, u32, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let envelope: Envelope = serde_json::from_str(&text).map_err(unreadable)?;
            let Outcome::Writes(writes) = envelope.outcome else { continue };
            for Write(_, fact) in writes.iter().filter(|Write(written, _)| *written == key) {
                let fact = Fact::from_json(key, fact.get()).map_err(unreadable)?;
                history.push((Version(block as u64, number), fact));
            }
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{day::day, file};

    #[test]
    fn a_history_has_every_fact_that_counted_and_ends_with_the_present_one() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let state = CaseState { reader: &reader, case: 1 };
        let history = state.history(Key::Quote(1, 1)).unwrap();
        let versions: Vec<Version> = history.iter().map(|(version, _)| *version).collect();
        assert!(versions.len() > 1 && versions.is_sorted(), "{versions:?}");
        let present = "SELECT value FROM facts WHERE case_number = 1 AND key = 'quote/1/1'";
        let present: String = reader.connection().query_row(present, [], |row| row.get(0)).unwrap();
        assert_eq!(history.last().map(|(_, quote)| quote.to_json().get().to_owned()), Some(present));
        assert!(state.history(Key::Quote(1, 2)).unwrap().is_empty());
    }
}
