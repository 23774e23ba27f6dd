//! `summary.csv`: what each combination of the varied knobs came to, over its replicates.

use super::{
    column::{Column, Kind},
    error::RecordError,
    folder,
    manifest::{Manifest, PlannedCases, knobs},
    measures::{CaseMeasures, MEASURES},
    number::Number,
    schema::{self, Described},
    statistics::{Share, Statistics},
    table::Rows,
};
use csv::StringRecord;
use microgrid_scenario::Plan;
use std::{path::Path, str::FromStr};

pub(super) const FILE: &str = "summary.csv";

/// What a combination of the varied knobs came to, over those of its replicates that are complete.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Counts the combinations of a study from 1.
    pub combination: u32,
    /// Number of its first case.
    pub first_case: u32,
    /// How many of its replicates are complete.
    pub replicates: u32,
    /// Part of their slots in which an equilibrium was looked for that ended in one; `None` without any.
    pub share_in_equilibrium: Option<f64>,
    /// The 95 % confidence interval of that part; `None` without any.
    pub share_interval: Option<(f64, f64)>,
    /// One for each of [`MEASURES`].
    pub measures: Vec<Statistics>,
}

impl Summary {
    /// The combination with this number, of which no case is complete yet.
    fn new(combination: u32, replicates: u32) -> Self {
        Self {
            combination,
            first_case: (combination - 1) * replicates + 1,
            replicates: 0,
            share_in_equilibrium: None,
            share_interval: None,
            measures: vec![Statistics::default(); MEASURES.len()],
        }
    }

    /// Adds a replicate, of all of which `share` is the part that settled.
    fn add(&mut self, case: &CaseMeasures, share: &mut Share) {
        self.replicates += 1;
        share.add(case.equilibria, case.searches);
        self.share_in_equilibrium = share.value();
        self.share_interval = share.interval();
        for (statistics, value) in self.measures.iter_mut().zip(case.values()) {
            value.into_iter().for_each(|value| statistics.add(value));
        }
    }

    /// The statistics of the measure with this name.
    pub fn measure(&self, name: &str) -> Option<&Statistics> {
        MEASURES.iter().position(|known| known.name == name).map(|index| &self.measures[index])
    }
}

/// Sums up complete cases, combination by combination. `replicates` is how many cases each combination has.
pub(crate) fn summaries(
    cases: impl Iterator<Item = Result<CaseMeasures, RecordError>>,
    replicates: u32,
) -> impl Iterator<Item = Result<Summary, RecordError>> {
    let mut cases = cases.fuse().peekable();
    let combination = move |case: &CaseMeasures| (case.case - 1) / replicates + 1;
    std::iter::from_fn(move || {
        let first = match cases.next()? {
            Err(error) => return Some(Err(error)),
            Ok(case) => case,
        };
        let number = combination(&first);
        let (mut summary, mut share) = (Summary::new(number, replicates), Share::default());
        summary.add(&first, &mut share);
        let is_same = |case: &Result<CaseMeasures, _>| case.as_ref().is_ok_and(|case| combination(case) == number);
        while let Some(Ok(case)) = cases.next_if(is_same) {
            summary.add(&case, &mut share);
        }
        Some(Ok(summary))
    })
}

impl Summary {
    fn record(&self, knobs: impl Iterator<Item = String>) -> Vec<String> {
        let mut record = [self.combination, self.first_case, self.replicates].map(|count| count.to_string()).to_vec();
        record.extend(knobs);
        record.push(Number::cell(self.share_in_equilibrium));
        for of in &self.measures {
            record.extend([of.mean(), of.standard_deviation(), of.half_width()].map(Number::cell));
            record.push(of.count.to_string());
        }
        let interval = self.share_interval.unzip();
        record.extend([interval.0, interval.1].map(Number::cell));
        record
    }

    /// Reads back what [`record`](Self::record) wrote for so many knobs; deviations and intervals are the same but for
    /// rounding.
    fn of_record(record: &StringRecord, knobs: usize) -> Option<Self> {
        fn cell<T: FromStr>(record: &StringRecord, index: usize) -> Option<T> {
            record.get(index)?.parse().ok()
        }
        let share = 3 + knobs;
        let interval = share + 1 + 4 * MEASURES.len();
        let statistics = |n| {
            let at = share + 1 + 4 * n;
            Some(Statistics::of(cell(record, at + 3)?, cell(record, at), cell(record, at + 1)))
        };
        Some(Self {
            combination: cell(record, 0)?,
            first_case: cell(record, 1)?,
            replicates: cell(record, 2)?,
            share_in_equilibrium: cell(record, share),
            share_interval: cell(record, interval).zip(cell(record, interval + 1)),
            measures: (0..MEASURES.len()).map(statistics).collect::<Option<_>>()?,
        })
    }
}

/// Reads `summary.csv` of a run with so many varied knobs, combination by combination.
pub(super) fn read(folder: &Path, knobs: usize) -> Result<Rows<Summary>, RecordError> {
    let path = folder.join(FILE);
    let wrong = RecordError::of_rows(&path);
    let csv = csv::Reader::from_reader(folder::open(&path)?);
    Ok(Box::new(csv.into_records().map(move |record| {
        let record = record.map_err(&wrong)?;
        Summary::of_record(&record, knobs).ok_or_else(|| RecordError::Header(path.clone()))
    })))
}

/// The columns of the table of this plan.
pub(super) fn columns(plan: &Plan) -> Vec<Described> {
    let share = |name: &str| Described::new(name, Kind::Optional, None);
    let mut columns =
        ["combination", "case", "replicates"].map(|name| Described::new(name, Kind::Small, None)).to_vec();
    columns.extend(schema::varied(plan).map(|(name, kind)| Described::new(name, kind, None)));
    columns.push(share("share_in_equilibrium"));
    for Column { name, unit, .. } in MEASURES.iter().copied() {
        let statistics = ["mean", "sd", "ci95"].map(|of| Described::new(format!("{name}_{of}"), Kind::Optional, *unit));
        columns.extend(statistics);
        columns.push(Described::new(format!("{name}_count"), Kind::Small, None));
    }
    columns.extend(["share_in_equilibrium_low", "share_in_equilibrium_high"].map(share));
    columns
}

/// Writes the `summary.csv` of some complete cases of the run in `folder`, in place of an older one.
pub(super) fn write(
    folder: &Path,
    manifest: &Manifest<PlannedCases>,
    cases: impl Iterator<Item = Result<CaseMeasures, RecordError>>,
) -> Result<(), RecordError> {
    let plan = &manifest.cases.0;
    let path = folder.join(FILE);
    let wrong = RecordError::content(&path);
    folder::write_whole(&path, |file| {
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(columns(plan).iter().map(|column| &column.name)).map_err(&wrong)?;
        let kinds: Vec<Kind> = schema::varied(plan).map(|(_, kind)| kind).collect();
        for summary in summaries(cases, manifest.replicates) {
            let summary = summary?;
            let knobs = knobs(&plan.setting(summary.first_case).knobs);
            let knobs = knobs.values().zip(&kinds).map(|(value, kind)| schema::cell(value, *kind));
            csv.write_record(summary.record(knobs)).map_err(&wrong)?;
        }
        csv.flush().map_err(RecordError::file("write", &path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::row_of, measures::complete_cases, slots::SlotRow};

    /// The summaries of slots: case, slot, outcome, rounds and price gap of each. The gate closes after 900 s.
    fn collected(slots: &[(u32, u32, &str, u32, &str)], replicates: u32, of_each: u32) -> Vec<Summary> {
        let rows = slots.iter().map(|(case, slot, outcome, rounds, gap)| {
            let [case, slot, rounds] = [case, slot, rounds].map(u32::to_string);
            let time = if *outcome == "Equilibrium" { &*rounds } else { "" };
            Ok(row_of::<SlotRow>(&[
                ("case", &case),
                ("slot", &slot),
                ("outcome", outcome),
                ("rounds", &rounds),
                ("time_to_equilibrium_s", time),
                ("price_gap", gap),
            ]))
        });
        summaries(complete_cases(rows, of_each, Some(900.0)), replicates).map(Result::unwrap).collect()
    }

    #[test]
    fn each_replicate_counts_once_by_its_mean_over_slots_with_a_market() {
        let found = collected(
            &[
                (1, 1, "NoMarket", 0, ""),
                (1, 2, "Equilibrium", 10, "0.1"),
                (1, 3, "Equilibrium", 30, ""),
                (2, 1, "NoMarket", 0, ""),
                (2, 2, "GateClosure", 40, ""),
                (2, 3, "NoMarket", 0, ""),
            ],
            2,
            3,
        );
        let [summary] = found.as_slice() else { panic!("one combination, not {found:?}") };
        assert_eq!((summary.combination, summary.first_case, summary.replicates), (1, 1, 2));
        assert_eq!(summary.share_in_equilibrium, Some(2.0 / 3.0));
        // 2 of 2 slots and 0 of 1 are no better known than two independent ones: by Wilson, with z² / 2 = 1.92,
        // (0.667 + 0.960 -+ sqrt(1.92 (0.222 + 0.480))) / 2.92.
        let (low, high) = summary.share_interval.unwrap();
        assert!((low - 0.1594).abs() < 1e-3 && (high - 0.9548).abs() < 1e-3, "{low}, {high}");
        let times = ["time_to_equilibrium_s", "time_to_equilibrium_restricted_s"].map(|name| summary.measure(name));
        let times = times.map(|of| of.map(|of| (of.count, of.mean())).unwrap());
        assert_eq!(times, [(1, Some(20.0)), (2, Some(460.0))]);
        let rounds = summary.measure("rounds").unwrap();
        assert_eq!((rounds.count, rounds.mean()), (2, Some(30.0)));
        assert!((rounds.standard_deviation().unwrap() - 200_f64.sqrt()).abs() < 1e-12);
        // With one degree of freedom t is 12.7062.
        assert!((rounds.half_width().unwrap() - 127.062).abs() < 1e-3);
        let gap = summary.measure("price_gap").unwrap();
        assert_eq!((gap.count, gap.mean(), gap.standard_deviation(), gap.half_width()), (1, Some(0.1), None, None));
    }

    #[test]
    fn incomplete_cases_and_combinations_without_a_complete_one_are_left_out() {
        let whole = |case| [(case, 1, "Equilibrium", case, ""), (case, 2, "Equilibrium", case, "")];
        let mut slots: Vec<_> = [1, 2, 3].into_iter().flat_map(whole).collect();
        slots.push((4, 1, "Equilibrium", 4, ""));
        let found = collected(&slots, 2, 2);
        let told = found.iter().map(|summary| (summary.combination, summary.first_case, summary.replicates));
        assert_eq!(told.collect::<Vec<_>>(), [(1, 1, 2), (2, 3, 1)]);
        slots.truncate(5);
        assert_eq!(collected(&slots, 2, 2).len(), 1);
    }
}
