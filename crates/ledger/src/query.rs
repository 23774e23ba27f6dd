//! The contract's queries, answered by `ledger.db`.

use super::{
    position::Position,
    reader::{ReadError, Reader},
};
use microgrid_agents::{
    chain::{
        fact::{Fact, Key},
        transaction::{Envelope, Outcome, Version, Write},
    },
    contract::Query,
    ids::Slot,
};
use rusqlite::{OptionalExtension, params};

const FACT: &str = "SELECT value FROM facts WHERE case_number = ? AND channel = ? AND key = ?";
const FACTS: &str = "SELECT key, value FROM facts WHERE case_number = ? AND key >= ? AND key < ?";
const WRITERS: &str = "SELECT block, number, envelope FROM transactions
    WHERE case_number = ? AND channel = ? AND code = 'Valid' AND instr(envelope, ?) > 0 ORDER BY block, number";

/// The world state of one case, as it lies in the file: nothing in it is checked.
#[derive(Clone, Copy, Debug)]
pub struct CaseState<'a> {
    /// The file.
    pub reader: &'a Reader,
    /// Number of the case.
    pub case: u32,
}

impl CaseState<'_> {
    fn unreadable(&self, key: Key) -> ReadError {
        let place = Position::channel(self.case, key.channel());
        ReadError::column(place, "facts", "value", "a fact of its key's kind")
    }

    fn read(&self, key: Key, text: &str) -> Result<Fact, ReadError> {
        Fact::from_json(key, text).map_err(|_| self.unreadable(key))
    }
}

impl Query for CaseState<'_> {
    type Error = ReadError;

    fn fact(&self, key: Key) -> Result<Option<Fact>, ReadError> {
        let mut statement = self.reader.connection().prepare_cached(FACT)?;
        let found = params![self.case, key.channel().name(), key.to_string()];
        let text: Option<String> = statement.query_row(found, |row| row.get(0)).optional()?;
        text.map(|text| self.read(key, &text)).transpose()
    }

    fn facts(&self, kind: &str, slot: Slot) -> Result<Vec<(Key, Fact)>, ReadError> {
        let mut statement = self.reader.connection().prepare_cached(FACTS)?;
        // In the order of texts, `0` follows `/`.
        let mut rows = statement.query(params![self.case, format!("{kind}/{slot}/"), format!("{kind}/{slot}0")])?;
        let mut facts = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, value): (String, String) = (row.get(0)?, row.get(1)?);
            if let Ok(key) = name.parse() {
                facts.push((key, self.read(key, &value)?));
            }
        }
        facts.sort_by_key(|(key, _)| *key);
        Ok(facts)
    }

    fn history(&self, key: Key) -> Result<Vec<(Version, Fact)>, ReadError> {
        let mut statement = self.reader.connection().prepare_cached(WRITERS)?;
        let mut rows = statement.query(params![self.case, key.channel().name(), format!("[\"{key}\",")])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            let (block, number, text): (i64, u32, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let envelope: Envelope = serde_json::from_str(&text).map_err(|_| self.unreadable(key))?;
            let Outcome::Writes(writes) = envelope.outcome else { continue };
            for Write(_, fact) in writes.iter().filter(|Write(written, _)| *written == key) {
                history.push((Version(block as u64, number), self.read(key, fact.get())?));
            }
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{
        day::{day, genesis},
        file,
    };
    use microgrid_agents::{
        chain::{fact::Bill, identity::Party},
        contract::Contract,
        units::{Energy, Money, Total},
    };
    use std::sync::Arc;

    #[test]
    fn the_contract_answers_from_the_file() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let state = CaseState { reader: &reader, case: 1 };
        let contract = Contract::new(Arc::new(genesis()));

        let everybody = [Party::Prosumer(1), Party::Prosumer(2), Party::Grid, Party::Ledger];
        let balances = everybody.map(|party| contract.balance(&state, party).unwrap());
        assert!(balances.iter().all(|balance| *balance != Total::default()), "{balances:?}");
        assert_eq!(balances.into_iter().sum::<Total<Money>>(), Total::default());

        let bill = Bill { energy: Energy(1_600_000), price: 0.69, payment: Money(1_104_000), fee: Money(16_000) };
        assert_eq!(contract.bill(&state, 1, 2, 1).unwrap(), Some(bill));
        assert_eq!(contract.bill(&state, 1, 1, 2).unwrap(), None);
        assert_eq!(state.facts("bill", 1).unwrap(), [(Key::Bill(1, 2, 1), Fact::Bill(bill))]);
        assert!(state.facts("bill", 2).unwrap().is_empty());
    }

    #[test]
    fn a_history_has_every_fact_that_counted_and_ends_with_the_present_one() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        let state = CaseState { reader: &reader, case: 1 };
        let key = Key::Quote(1, 1);
        let history = state.history(key).unwrap();
        let versions: Vec<Version> = history.iter().map(|(version, _)| *version).collect();
        assert!(versions.len() > 1 && versions.is_sorted(), "{versions:?}");
        assert_eq!(state.fact(key).unwrap().as_ref(), history.last().map(|(_, quote)| quote));
        assert!(state.history(Key::Quote(1, 2)).unwrap().is_empty());
    }
}
