//! The tables that cases write, in a run's folder or in that of a single case.

use super::{
    ages::AgeRow,
    case::Sink,
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
    table_format::{Format, LargeTable},
    trades::TradeRow,
};
use microgrid_agents::observation::Observation;
use microgrid_ledger::schema;
use microgrid_scenario::schema::Record;
use std::{collections::BTreeMap, fs, path::Path};

/// The tables that cases write.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) slots: Table<SlotRow>,
    /// Not kept by `record: Summary`.
    pub(super) ages: Option<Table<AgeRow>>,
    pub(super) ledger: Table<LedgerRow>,
    pub(super) key_figures: JsonList<KeyFigures>,
    /// What only `record: Full` keeps.
    pub(super) full: Option<Full>,
}

/// What only `record: Full` keeps.
#[derive(Debug)]
pub(super) struct Full {
    pub(super) prosumers: LargeTable<ProsumerRow>,
    pub(super) trades: LargeTable<TradeRow>,
    pub(super) convergence: LargeTable<ConvergenceRow>,
    pub(super) chains: LedgerFile,
}

/// Names of the files that a run with this `record` has once it is finished.
pub(super) fn files(record: Record, format: Format) -> impl Iterator<Item = &'static str> {
    let slots = (record != Record::Summary).then_some([SlotRow::FILE, AgeRow::FILE]);
    let large = [format.file::<ProsumerRow>(), format.file::<TradeRow>(), format.file::<ConvergenceRow>()];
    let large = (record == Record::Full).then_some(large);
    let chains = (record == Record::Full).then_some(schema::FILE);
    slots
        .into_iter()
        .flatten()
        .chain(large.into_iter().flatten())
        .chain([LedgerRow::FILE, key_figures::FILE])
        .chain(chains)
}

/// Removes what a finished run has beside its [`files`].
///
/// # Errors
/// If a file cannot be removed.
pub(super) fn tidy(folder: &Path, record: Record, format: Format) -> Result<(), RecordError> {
    match record {
        Record::Full => {
            LargeTable::<ProsumerRow>::tidy(folder, format)?;
            LargeTable::<TradeRow>::tidy(folder, format)?;
            LargeTable::<ConvergenceRow>::tidy(folder, format)
        }
        Record::Slots => Ok(()),
        Record::Summary => {
            let slots = folder.join(SlotRow::FILE);
            fs::remove_file(&slots).map_err(RecordError::file("remove", &slots))
        }
    }
}

impl Tables {
    /// Creates them in `folder`, with nothing but headers.
    ///
    /// # Errors
    /// If a file cannot be made.
    pub(super) fn create(folder: &Path, record: Record, format: Format) -> Result<Self, RecordError> {
        let full = || {
            Ok(Full {
                prosumers: LargeTable::create(folder, format)?,
                trades: LargeTable::create(folder, format)?,
                convergence: LargeTable::create(folder, format)?,
                chains: LedgerFile::create(folder)?,
            })
        };
        Ok(Self {
            full: (record == Record::Full).then(full).transpose()?,
            slots: Table::create(folder)?,
            ages: (record != Record::Summary).then(|| Table::create(folder)).transpose()?,
            ledger: Table::create(folder)?,
            key_figures: JsonList::create(&folder.join(key_figures::FILE))?,
        })
    }

    /// Opens them in `folder` to go on where `journal` says; what was written later is removed.
    ///
    /// # Errors
    /// If a file is not as the journal says, or cannot be written.
    pub(super) fn reopen(
        folder: &Path,
        record: Record,
        format: Format,
        journal: &Journal,
    ) -> Result<Self, RecordError> {
        fn table<R: Row>(folder: &Path, journal: &Journal) -> Result<Table<R>, RecordError> {
            Table::reopen(folder, journal.length(R::FILE))
        }
        let full = || {
            Ok(Full {
                prosumers: LargeTable::reopen(folder, format, journal)?,
                trades: LargeTable::reopen(folder, format, journal)?,
                convergence: LargeTable::reopen(folder, format, journal)?,
                chains: LedgerFile::reopen(folder, journal.cases)?,
            })
        };
        Ok(Self {
            full: (record == Record::Full).then(full).transpose()?,
            slots: table(folder, journal)?,
            ages: (record != Record::Summary).then(|| table(folder, journal)).transpose()?,
            ledger: table(folder, journal)?,
            key_figures: JsonList::reopen(&folder.join(key_figures::FILE), journal.length(key_figures::FILE))?,
        })
    }

    /// The journal of a run whose tables these are, with the results of so many cases.
    pub(super) fn journal(&self, cases: u32) -> Journal {
        fn of<R: Row>(table: &Table<R>) -> (&'static str, u64) {
            (R::FILE, table.length())
        }
        let of_full = |full: &Full| [full.prosumers.length(), full.trades.length(), full.convergence.length()];
        let full = self.full.iter().flat_map(of_full).flatten().chain(self.ages.as_ref().map(of));
        let rest = [of(&self.slots), of(&self.ledger), (key_figures::FILE, self.key_figures.end())];
        let lengths: BTreeMap<_, _> = full.chain(rest).map(|(file, length)| (file.to_owned(), length)).collect();
        Journal { cases, lengths }
    }

    /// Takes in the tables of this single case from its `folder`, `slots.csv` last of those that have its slots.
    ///
    /// # Errors
    /// If they cannot be read, or these cannot be written.
    pub(super) fn append_from(&mut self, folder: &Path, case: u32) -> Result<(), RecordError> {
        if let Some(full) = &mut self.full {
            full.chains.append_from(folder)?;
            full.prosumers.append_from(folder, case)?;
            full.trades.append_from(folder, case)?;
            full.convergence.append_from(folder, case)?;
        }
        if let Some(ages) = &mut self.ages {
            ages.append_from(folder)?;
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
    fn flush(&mut self) -> Result<(), RecordError> {
        if let Some(full) = &mut self.full {
            full.prosumers.flush()?;
            full.trades.flush()?;
            full.convergence.flush()?;
        }
        if let Some(ages) = &mut self.ages {
            ages.flush()?;
        }
        self.slots.flush()
    }

    /// Ends a case, which is complete.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn end_case(&mut self, case: u32) -> Result<(), RecordError> {
        let Some(full) = &mut self.full else { return Ok(()) };
        full.prosumers.end_case(case)?;
        full.trades.end_case(case)?;
        full.convergence.end_case(case)
    }

    /// Makes whole what grows by cases, when the run ends after so many of its `cases`; the ledger whatever becomes of
    /// the rest.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn finish(mut self, done: u32, cases: u32) -> Result<(), RecordError> {
        let mut finish = |full: &mut Full| {
            full.prosumers.finish(done, cases)?;
            full.trades.finish(done, cases)?;
            full.convergence.finish(done, cases)
        };
        let finished = self.full.as_mut().map_or(Ok(()), &mut finish);
        self.close().and(finished)
    }

    /// Ends the writing of what does not end by itself.
    ///
    /// # Errors
    /// If `ledger.db` cannot be written.
    pub(super) fn close(self) -> Result<(), RecordError> {
        self.full.map_or(Ok(()), |full| full.chains.close())
    }
}

impl Sink for Tables {
    fn is_full(&self) -> bool {
        self.full.is_some()
    }

    fn observed(&mut self, case: u32, what: &Observation) -> Result<(), RecordError> {
        self.full.as_mut().map_or(Ok(()), |full| full.chains.add(case, what))
    }

    fn convergence(&mut self, rows: impl Iterator<Item = ConvergenceRow>) -> Result<(), RecordError> {
        self.full.as_mut().map_or(Ok(()), |full| full.convergence.append(rows))
    }

    fn prosumers(&mut self, rows: impl Iterator<Item = ProsumerRow>) -> Result<(), RecordError> {
        self.full.as_mut().map_or(Ok(()), |full| full.prosumers.append(rows))
    }

    fn trades(&mut self, rows: Vec<TradeRow>) -> Result<(), RecordError> {
        self.full.as_mut().map_or(Ok(()), |full| full.trades.append(rows))
    }

    fn ages(&mut self, rows: impl Iterator<Item = AgeRow>) -> Result<(), RecordError> {
        self.ages.as_mut().map_or(Ok(()), |ages| ages.append(rows))
    }

    fn close_slot(&mut self, row: SlotRow) -> Result<(), RecordError> {
        self.slots.append([row])?;
        self.flush()
    }
}
