//! The tables that cases write, in a run's folder or in that of a single case.

use super::{
    convergence::ConvergenceRow,
    error::RecordError,
    folder,
    journal::Journal,
    json_list::JsonList,
    key_figures::{self, KeyFigures},
    ledger::LedgerRow,
    ledger_file::LedgerFile,
    prosumers::ProsumerRow,
    slots::SlotRow,
    table::{Row, Table},
    trades::TradeRow,
};
use crate::{ledger::schema, scenario::schema::Record};
use std::{collections::BTreeMap, path::Path};

/// The tables that cases write.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) slots: Table<SlotRow>,
    pub(super) ledger: Table<LedgerRow>,
    pub(super) key_figures: JsonList<KeyFigures>,
    /// What only `record: Full` keeps.
    pub(super) full: Option<Full>,
}

/// What only `record: Full` keeps.
#[derive(Debug)]
pub(super) struct Full {
    pub(super) prosumers: Table<ProsumerRow>,
    pub(super) trades: Table<TradeRow>,
    pub(super) convergence: Table<ConvergenceRow>,
    pub(super) chains: LedgerFile,
}

/// Names of the files that a run with this `record` has.
pub(super) fn files(record: Record) -> impl Iterator<Item = &'static str> {
    let full: &[&str] = match record {
        Record::Full => &[ProsumerRow::FILE, TradeRow::FILE, ConvergenceRow::FILE],
        Record::Slots => &[],
    };
    let chains = (record == Record::Full).then_some(schema::FILE);
    let rest = [LedgerRow::FILE, key_figures::FILE].into_iter().chain(chains);
    [SlotRow::FILE].into_iter().chain(full.iter().copied()).chain(rest)
}

impl Tables {
    /// Creates them in `folder`, with nothing but headers.
    ///
    /// # Errors
    /// If a file cannot be made.
    pub(super) fn create(folder: &Path, record: Record) -> Result<Self, RecordError> {
        let full = || {
            Ok(Full {
                prosumers: Table::create(folder)?,
                trades: Table::create(folder)?,
                convergence: Table::create(folder)?,
                chains: LedgerFile::create(folder)?,
            })
        };
        Ok(Self {
            full: (record == Record::Full).then(full).transpose()?,
            slots: Table::create(folder)?,
            ledger: Table::create(folder)?,
            key_figures: JsonList::create(&folder.join(key_figures::FILE))?,
        })
    }

    /// Opens them in `folder` to go on where `journal` says; what was written later is removed.
    ///
    /// # Errors
    /// If a file is not as the journal says, or cannot be written.
    pub(super) fn reopen(folder: &Path, record: Record, journal: &Journal) -> Result<Self, RecordError> {
        fn table<R: Row>(folder: &Path, journal: &Journal) -> Result<Table<R>, RecordError> {
            Table::reopen(folder, journal.length(R::FILE))
        }
        let full = || {
            Ok(Full {
                prosumers: table(folder, journal)?,
                trades: table(folder, journal)?,
                convergence: table(folder, journal)?,
                chains: LedgerFile::reopen(folder, journal.cases)?,
            })
        };
        Ok(Self {
            full: (record == Record::Full).then(full).transpose()?,
            slots: table(folder, journal)?,
            ledger: table(folder, journal)?,
            key_figures: JsonList::reopen(&folder.join(key_figures::FILE), journal.length(key_figures::FILE))?,
        })
    }

    /// The journal of a run whose tables these are, with the results of so many cases.
    pub(super) fn journal(&self, cases: u32) -> Journal {
        fn of<R: Row>(table: &Table<R>) -> (&'static str, u64) {
            (R::FILE, table.length())
        }
        let full = self.full.iter().flat_map(|full| [of(&full.prosumers), of(&full.trades), of(&full.convergence)]);
        let rest = [of(&self.slots), of(&self.ledger), (key_figures::FILE, self.key_figures.end())];
        let lengths: BTreeMap<_, _> = full.chain(rest).map(|(file, length)| (file.to_owned(), length)).collect();
        Journal { cases, lengths }
    }

    /// Takes in the tables of a single case from its `folder`, `slots.csv` last of those that have its slots.
    ///
    /// # Errors
    /// If they cannot be read, or these cannot be written.
    pub(super) fn append_from(&mut self, folder: &Path) -> Result<(), RecordError> {
        if let Some(full) = &mut self.full {
            full.chains.append_from(folder)?;
            full.prosumers.append_from(folder)?;
            full.trades.append_from(folder)?;
            full.convergence.append_from(folder)?;
        }
        self.slots.append_from(folder)?;
        self.ledger.append_from(folder)?;
        let figures: Vec<KeyFigures> = folder::read_json(&folder.join(key_figures::FILE))?;
        figures.iter().try_for_each(|figures| self.key_figures.push(figures))
    }

    /// Writes all rows of slots that wait, `slots.csv` last: where it has a slot, the other tables are complete.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        if let Some(full) = &mut self.full {
            full.prosumers.flush()?;
            full.trades.flush()?;
            full.convergence.flush()?;
        }
        self.slots.flush()
    }

    /// Ends the writing of what does not end by itself.
    ///
    /// # Errors
    /// If `ledger.db` cannot be written.
    pub(super) fn close(self) -> Result<(), RecordError> {
        self.full.map_or(Ok(()), |full| full.chains.close())
    }
}
