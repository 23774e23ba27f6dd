//! The tables of a run, in its folder, in that of a single case, or in memory.

use super::{
    error::RecordError,
    folder::JsonList,
    journal::Journal,
    key_figures::{self, KeyFigures},
    ledger::LedgerFile,
    recorded::keeps,
    schema::Described,
    sheet::{self, AnySheet, Format, Place, Sheet},
    snapshot::SavedTables,
};
use microgrid_agents::{
    chain::refusal::Refusal,
    ids::{ProsumerId, Slot},
    observation::Observation,
    saved::Unreadable,
};
use microgrid_ledger::schema;
use microgrid_scenario::{Case, schema::Record};
use std::{collections::BTreeMap, ops::RangeInclusive, path::Path};

/// Declares all tables. Whatever is done with each of them, from its file to its rows in memory, follows from here.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident: $row:ident in $module:ident;)+) => {
        pub(super) mod rows {
            $(pub use crate::$module::$row;)+
        }

        /// The files of a run with their columns, in the order in which its manifest names them.
        const FILES: &[fn(Record, Format) -> Option<(&'static str, Vec<Described>)>] = &[$(sheet::file::<rows::$row>),+];
        const TIDY: &[fn(&Path, Record, Format, bool) -> Result<(), RecordError>] = &[$(sheet::tidy::<rows::$row>),+];

        #[derive(Debug)]
        pub(super) struct Sheets {
            $($table: Sheet<rows::$row>,)+
        }

        impl Sheets {
            fn open(place: Place<'_>, record: Record, format: Format) -> Result<Self, RecordError> {
                Ok(Self { $($table: Sheet::open(place, record, format)?,)+ })
            }

            /// All tables, in the order in which they are to be written: the first of the list last.
            pub(super) fn all(&mut self) -> impl Iterator<Item = &mut dyn AnySheet> {
                let all: [&mut dyn AnySheet; FILES.len()] = [$(&mut self.$table),+];
                all.into_iter().rev()
            }
        }

        /// What a case came to: the rows that its tables would have, as far as the scenario's `record` has them kept.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct CaseRows {
            /// Number of the case.
            pub case: u32,
            $($(#[$doc])* pub $table: Vec<rows::$row>,)+
            /// Totals and shares over all slots; varied knobs and the seed.
            pub key_figures: KeyFigures,
            /// What the ledger refused, by slot, prosumer and reason.
            pub refusals: Vec<Refusals>,
        }

        impl CaseRows {
            fn of(case: u32, sheets: Sheets, key_figures: KeyFigures, refusals: Vec<Refusals>) -> Self {
                Self { case, $($table: sheets.$table.into_rows(),)+ key_figures, refusals }
            }
        }
    };
}

// Where `slots.csv`, the first, has a slot, all others are complete: it is written last.
tables! {
    /// Every slot at a glance.
    slots: SlotRow in slots;
    /// How old the news was that was decided on.
    ages: AgeRow in ages;
    /// Every prosumer's slots.
    prosumers: ProsumerRow in prosumers;
    /// What every buyer wanted of every seller, and got.
    trades: TradeRow in trades;
    /// How prices, shares, demands and net utilities moved.
    convergence: ConvergenceRow in convergence;
    /// What each channel of the ledger carried.
    ledger: LedgerRow in ledger;
    /// What mechanisms that clear by a rule of their own have announced and executed.
    clearings: ClearingRow in clearings;
    /// What every prosumer's months came to.
    bills: BillRow in bills;
    /// What all prosumers' days came to.
    days: DayRow in periods;
    /// What all prosumers' months came to.
    months: MonthRow in periods;
}

/// How often the ledger refused what somebody sent, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusals {
    /// In which slot.
    pub slot: Slot,
    /// Number of the prosumer; `None` for the grid.
    pub prosumer: Option<u32>,
    /// Why.
    pub reason: Refusal,
    /// How often.
    pub count: u64,
}

impl CaseRows {
    /// The row of a slot, if it was recorded.
    pub fn slot(&self, slot: Slot) -> Option<&rows::SlotRow> {
        self.slots.iter().find(|row| row.slot == slot)
    }

    /// The trades of a slot.
    pub fn trades_in(&self, slot: Slot) -> impl Iterator<Item = &rows::TradeRow> {
        self.trades.iter().filter(move |row| row.slot == slot)
    }

    /// The last price of each seller in the game of a slot [CNY/kWh], by the sellers' numbers.
    pub fn prices(&self, slot: Slot) -> BTreeMap<u32, f64> {
        let of_slot = self.convergence.iter().filter(|row| row.slot == slot);
        of_slot.filter_map(|row| Some((row.seller, row.price_cny_per_kwh?.value()))).collect()
    }
}

/// The tables that a run with this `record` has once it is finished.
pub(super) fn described(record: Record, format: Format) -> impl Iterator<Item = (&'static str, Vec<Described>)> {
    FILES.iter().filter_map(move |file| file(record, format))
}

/// Names of the files that it has beside them.
pub(super) fn others(record: Record) -> impl Iterator<Item = &'static str> {
    [key_figures::FILE].into_iter().chain(keeps(record, Record::Full).then_some(schema::FILE))
}

/// Removes what a finished run has of its tables beside those that are [`described`], but what it takes to sum it up with
/// others if it is to be `merged` with them.
pub(super) fn tidy(folder: &Path, record: Record, format: Format, merged: bool) -> Result<(), RecordError> {
    TIDY.iter().try_for_each(|tidy| tidy(folder, record, format, merged))
}

/// The tables that cases write.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) sheets: Sheets,
    rest: Rest,
}

#[derive(Debug)]
enum Rest {
    Folder { key_figures: JsonList, chains: Option<LedgerFile> },
    Memory { key_figures: Option<Box<KeyFigures>>, refusals: BTreeMap<(Slot, Option<u32>, Refusal), u64> },
}

impl Tables {
    /// Those in this place: as they were left there, or new ones with nothing but headers.
    pub(super) fn open(place: Place<'_>, record: Record, format: Format) -> Result<Self, RecordError> {
        let sheets = Sheets::open(place, record, format)?;
        let full = keeps(record, Record::Full);
        let rest = match place {
            Place::Memory => Rest::Memory { key_figures: None, refusals: BTreeMap::new() },
            Place::New(folder) => Rest::Folder {
                key_figures: JsonList::create(&folder.join(key_figures::FILE))?,
                chains: full.then(|| LedgerFile::create(folder)).transpose()?,
            },
            Place::Left(folder, journal, newest) => {
                let (done, path) = (journal.done(), folder.join(key_figures::FILE));
                let end = journal.lengths.get(key_figures::FILE).copied().unwrap_or_default();
                if !key_figures::end_at(&path, done.clone(), end)? {
                    let what = format!("the figures of {} cases do not end at byte {end}", done.count());
                    return Err(RecordError::out_of_step(&path, what));
                }
                let key_figures = JsonList::reopen(&path, end)?;
                let chains = full.then(|| LedgerFile::reopen(folder, done, newest)).transpose()?;
                Rest::Folder { key_figures, chains }
            }
        };
        Ok(Self { sheets, rest })
    }

    /// The journal of a run whose tables these are, with the results of the cases from its `first` to this one.
    pub(super) fn journal(&mut self, first: u32, cases: u32) -> Journal {
        let key_figures = match &self.rest {
            Rest::Folder { key_figures, .. } => Some((key_figures::FILE, key_figures.end)),
            Rest::Memory { .. } => None,
        };
        let lengths = self.sheets.all().filter_map(|sheet| sheet.length()).chain(key_figures);
        Journal { first, cases, slots: 0, lengths: lengths.map(|(file, length)| (file.to_owned(), length)).collect() }
    }

    /// Whether they can go on in the middle of a case.
    pub(super) fn can_go_on(&mut self) -> bool {
        matches!(self.rest, Rest::Folder { .. }) && self.sheets.all().all(|sheet| sheet.can_go_on())
    }

    /// Brings to disk what they have of a case under way, the next after those from `first` to the one with this number, and
    /// tells how far that is; `None` if the ledger is in the middle of something.
    pub(super) fn save(&mut self, first: u32, cases: u32) -> Result<Option<SavedTables>, RecordError> {
        let chains = match &self.rest {
            Rest::Folder { chains: Some(chains), .. } => match chains.whole() {
                None => return Ok(None),
                whole => whole.cloned(),
            },
            _ => None,
        };
        let saved = self.sheets.all().map(|sheet| sheet.save().map(|(file, tally)| (file.to_owned(), tally)));
        let tallies = saved.collect::<Result<_, _>>()?;
        Ok(Some(SavedTables { journal: self.journal(first, cases), tallies, chains }))
    }

    /// Takes up what was saved of a case under way.
    pub(super) fn restore(&mut self, saved: &SavedTables) -> Result<(), Unreadable> {
        self.sheets.all().try_for_each(|sheet| sheet.restore(&saved.tallies))
    }

    /// Takes note of whatever is observed in a case. The ledger's blocks are on disk after its checkpoint.
    pub(super) fn observe(&mut self, case: &Case, what: &Observation) -> Result<(), RecordError> {
        self.sheets.all().for_each(|sheet| sheet.observe(what));
        match (&mut self.rest, what) {
            (Rest::Folder { chains: Some(chains), .. }, _) => chains.add(case.number, what),
            (Rest::Memory { refusals, .. }, Observation::Refused(refused)) => {
                let number = |index: usize| case.population.prosumers[index].number;
                let prosumer = ProsumerId::of(refused.from).map(|id| number(id.index()));
                *refusals.entry((refused.slot, prosumer, refused.refusal)).or_default() += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends a case, which is complete and came to these figures.
    pub(super) fn end_case(&mut self, case: &Case, figures: KeyFigures) -> Result<(), RecordError> {
        self.sheets.all().try_for_each(|sheet| sheet.end_case(case))?;
        match &mut self.rest {
            Rest::Folder { key_figures, .. } => key_figures.push(&figures),
            Rest::Memory { key_figures, .. } => {
                *key_figures = Some(Box::new(figures));
                Ok(())
            }
        }
    }

    /// Takes in the tables of these cases from another `folder`, which has no others: that of a single case, or of a part.
    pub(super) fn append_from(&mut self, folder: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError> {
        let Rest::Folder { key_figures, chains } = &mut self.rest else { return Ok(()) };
        if let Some(chains) = chains {
            chains.append_from(folder, cases.clone())?;
        }
        self.sheets.all().try_for_each(|sheet| sheet.append_from(folder, cases.clone()))?;
        key_figures.append_from(&folder.join(key_figures::FILE))
    }

    /// Makes whole what grows by cases, when the run ends after these of its cases, `all` in number; the ledger whatever
    /// becomes of the rest.
    pub(super) fn finish(&mut self, done: RangeInclusive<u32>, all: u32) -> Result<(), RecordError> {
        let finished = self.sheets.all().try_for_each(|sheet| sheet.finish(done.clone(), all));
        self.close().and(finished)
    }

    /// Ends the writing of what does not end by itself.
    pub(super) fn close(&mut self) -> Result<(), RecordError> {
        match &mut self.rest {
            Rest::Folder { chains, .. } => chains.take().map_or(Ok(()), LedgerFile::close),
            Rest::Memory { .. } => Ok(()),
        }
    }

    pub(super) fn into_rows(self, case: u32) -> Option<CaseRows> {
        let Rest::Memory { key_figures, refusals } = self.rest else { return None };
        let refusals = refusals.into_iter();
        let refusals = refusals.map(|((slot, prosumer, reason), count)| Refusals { slot, prosumer, reason, count });
        Some(CaseRows::of(case, self.sheets, *key_figures?, refusals.collect()))
    }
}
