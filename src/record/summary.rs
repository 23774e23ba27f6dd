//! `summary.csv`: what each combination of the varied knobs came to, over its replicates.

use super::{
    error::RecordError,
    folder,
    manifest::{Knobs, Manifest, PlannedCases, knob_text, knobs},
    number::Number,
    slots::SlotRow,
    table,
};
use csv::StringRecord;
use microgrid_agents::observation::Outcome;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::{io, path::Path, str::FromStr};

/// Name of the file in a run's folder.
pub(super) const FILE: &str = "summary.csv";

/// A measure of a slot with a market; undefined where it is `None`.
type Measure = (&'static str, fn(&SlotRow) -> Option<f64>);

/// The measures that are summed up, named after their columns of `slots.csv`.
pub const MEASURES: [Measure; 27] = [
    ("rounds", |row| Some(f64::from(row.rounds))),
    ("time_to_equilibrium_s", |row| row.time_to_equilibrium_s.map(Number::value)),
    ("messages", |row| Some(row.messages as f64)),
    ("price_mean_cny_per_kwh", |row| row.price_mean_cny_per_kwh.map(Number::value)),
    ("equilibrium_price_cny_per_kwh", |row| row.equilibrium_price_cny_per_kwh.map(Number::value)),
    ("price_gap", |row| row.price_gap.map(Number::value)),
    ("imbalance", |row| row.imbalance.map(Number::value)),
    ("ess_residual", |row| row.ess_residual.map(Number::value)),
    ("information_age_mean_s", |row| row.information_age_mean_s.map(Number::value)),
    ("information_age_p95_s", |row| row.information_age_p95_s.map(Number::value)),
    ("traded_kwh", |row| Some(row.traded_kwh.value())),
    ("grid_import_kwh", |row| Some(row.grid_import_kwh.value())),
    ("grid_export_kwh", |row| Some(row.grid_export_kwh.value())),
    ("buyers_welfare_cny", |row| row.buyers_welfare_cny.map(Number::value)),
    ("sellers_welfare_cny", |row| row.sellers_welfare_cny.map(Number::value)),
    ("welfare_cny", |row| row.welfare_cny.map(Number::value)),
    ("p2g_welfare_cny", |row| row.p2g_welfare_cny.map(Number::value)),
    ("welfare_loss", |row| row.welfare_loss.map(Number::value)),
    ("oscillation_amplitude", |row| row.oscillation_amplitude.map(Number::value)),
    ("messages_per_kwh", |row| row.messages_per_kwh.map(Number::value)),
    ("updates_per_actor", |row| row.updates_per_actor.map(Number::value)),
    ("lost_messages", |row| Some(row.lost_messages as f64)),
    ("duplicated_messages", |row| Some(row.duplicated_messages as f64)),
    ("consumption_kwh", |row| Some(row.consumption_kwh.value())),
    ("load_kwh", |row| Some(row.load_kwh.value())),
    ("p2g_storage_welfare_cny", |row| row.p2g_storage_welfare_cny.map(Number::value)),
    ("worse_off", |row| Some(f64::from(row.worse_off))),
];

/// What a combination of the varied knobs came to, over those of its replicates that are complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Counts the combinations of a study from 1.
    pub combination: u32,
    /// Number of its first case.
    pub first_case: u32,
    /// How many of its replicates are complete.
    pub replicates: u32,
    /// Part of their slots with a market that ended in equilibrium; `None` without any.
    pub share_in_equilibrium: Option<f64>,
    /// One for each of [`MEASURES`].
    pub measures: [Statistics; MEASURES.len()],
}

impl Summary {
    /// The statistics of the measure with this name.
    pub fn measure(&self, name: &str) -> Option<&Statistics> {
        MEASURES.iter().position(|(known, _)| *known == name).map(|index| &self.measures[index])
    }
}

/// Statistics over replicates, each of which counts once, by its mean over slots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// In how many replicates the measure was defined.
    pub count: u32,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Statistics {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / f64::from(self.count);
        self.squares += distance * (value - self.mean);
    }

    /// Mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Standard deviation of the replicates around it; `None` with fewer than two.
    pub fn standard_deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / f64::from(self.count - 1)).sqrt())
    }

    /// Half the width of the 95 % confidence interval around the mean, by Student's t; `None` with fewer than two.
    pub fn half_width(&self) -> Option<f64> {
        let deviation = self.standard_deviation()?;
        let t = StudentsT::new(0.0, 1.0, f64::from(self.count - 1)).expect("there is a degree of freedom or more");
        Some(t.inverse_cdf(0.975) * deviation / f64::from(self.count).sqrt())
    }
}

/// A case whose slots are being read.
#[derive(Debug)]
struct CaseSums {
    case: u32,
    market_slots: u64,
    equilibria: u64,
    /// How often each measure was defined, and the sum of its values.
    sums: [(u32, f64); MEASURES.len()],
}

impl CaseSums {
    fn new(case: u32) -> Self {
        Self { case, market_slots: 0, equilibria: 0, sums: [(0, 0.0); MEASURES.len()] }
    }

    fn add(&mut self, row: &SlotRow) {
        if row.outcome == Outcome::NoMarket {
            return;
        }
        self.market_slots += 1;
        self.equilibria += u64::from(row.outcome == Outcome::Equilibrium);
        for ((count, sum), (_, measure)) in self.sums.iter_mut().zip(MEASURES) {
            if let Some(value) = measure(row) {
                *count += 1;
                *sum += value;
            }
        }
    }
}

/// Sums up the rows of `slots.csv`, combination by combination; of incomplete cases nothing is summed up.
///
/// `replicates` is how many cases each combination has, and `slots` how many slots each case has.
pub(crate) fn summaries(
    rows: impl Iterator<Item = Result<SlotRow, RecordError>>,
    replicates: u32,
    slots: u32,
) -> impl Iterator<Item = Result<Summary, RecordError>> {
    let mut rows = rows.fuse();
    let mut current: Option<Sums> = None;
    let mut case = CaseSums::new(0);
    std::iter::from_fn(move || {
        loop {
            let row = match rows.next() {
                None => return current.take().map(|sums| Ok(sums.summary)),
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(row)) => row,
            };
            if case.case != row.case {
                case = CaseSums::new(row.case);
            }
            case.add(&row);
            if row.slot == slots {
                let before = current.take();
                let combination = (case.case - 1) / replicates + 1;
                let (same, other) = match before {
                    Some(sums) if sums.summary.combination == combination => (Some(sums), None),
                    other => (None, other),
                };
                let mut sums = same.unwrap_or_else(|| Sums::new(combination, replicates));
                sums.add(&case);
                current = Some(sums);
                if let Some(other) = other {
                    return Some(Ok(other.summary));
                }
            }
        }
    })
}

/// A combination whose cases are being read.
#[derive(Debug)]
struct Sums {
    summary: Summary,
    market_slots: u64,
    equilibria: u64,
}

impl Sums {
    fn new(combination: u32, replicates: u32) -> Self {
        let summary = Summary {
            combination,
            first_case: (combination - 1) * replicates + 1,
            replicates: 0,
            share_in_equilibrium: None,
            measures: [Statistics::default(); MEASURES.len()],
        };
        Self { summary, market_slots: 0, equilibria: 0 }
    }

    fn add(&mut self, case: &CaseSums) {
        let summary = &mut self.summary;
        summary.replicates += 1;
        self.market_slots += case.market_slots;
        self.equilibria += case.equilibria;
        let share = || self.equilibria as f64 / self.market_slots as f64;
        summary.share_in_equilibrium = (self.market_slots > 0).then(share);
        for (statistics, &(count, sum)) in summary.measures.iter_mut().zip(&case.sums) {
            if count > 0 {
                statistics.add(sum / f64::from(count));
            }
        }
    }
}

impl Summary {
    fn record(&self, knobs: &Knobs) -> Vec<String> {
        let cell = |value: Option<f64>| value.and_then(Number::new).map_or_else(String::new, |value| value.to_string());
        let mut record = [self.combination, self.first_case, self.replicates].map(|count| count.to_string()).to_vec();
        record.extend(knobs.values().map(knob_text));
        record.push(cell(self.share_in_equilibrium));
        for of in &self.measures {
            record.extend([of.mean(), of.standard_deviation(), of.half_width()].map(cell));
            record.push(of.count.to_string());
        }
        record
    }

    /// Reads back what [`record`](Self::record) wrote for so many knobs; deviations and intervals are the same but for
    /// rounding.
    fn of_record(record: &StringRecord, knobs: usize) -> Option<Self> {
        fn cell<T: FromStr>(record: &StringRecord, index: usize) -> Option<T> {
            record.get(index)?.parse().ok()
        }
        let share = 3 + knobs;
        let mut measures = [Statistics::default(); MEASURES.len()];
        for (n, statistics) in measures.iter_mut().enumerate() {
            let at = share + 1 + 4 * n;
            let count: u32 = cell(record, at + 3)?;
            let deviation = cell(record, at + 1).unwrap_or(0.0);
            let squares = deviation * deviation * (f64::from(count) - 1.0);
            *statistics = Statistics { count, mean: cell(record, at).unwrap_or(0.0), squares };
        }
        Some(Self {
            combination: cell(record, 0)?,
            first_case: cell(record, 1)?,
            replicates: cell(record, 2)?,
            share_in_equilibrium: cell(record, share),
            measures,
        })
    }
}

/// Reads `summary.csv` of a run with so many varied knobs, combination by combination.
///
/// # Errors
/// If the file cannot be opened; each row by itself if it is not of this table.
pub(super) fn read(
    folder: &Path,
    knobs: usize,
) -> Result<impl Iterator<Item = Result<Summary, RecordError>> + use<>, RecordError> {
    let path = folder.join(FILE);
    let csv = csv::Reader::from_path(&path);
    let csv = csv.map_err(|source| RecordError::Table { path: path.clone(), source })?;
    Ok(csv.into_records().map(move |record| {
        let record = record.map_err(|source| RecordError::Table { path: path.clone(), source })?;
        Summary::of_record(&record, knobs).ok_or_else(|| RecordError::Header(path.clone()))
    }))
}

/// The columns of `summary.csv` with these varied knobs.
pub(super) fn columns<'a>(knobs: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut columns = ["combination", "case", "replicates"].map(str::to_owned).to_vec();
    columns.extend(knobs.map(str::to_owned));
    columns.push("share_in_equilibrium".to_owned());
    for (measure, _) in MEASURES {
        columns.extend(["mean", "sd", "ci95", "count"].map(|statistic| format!("{measure}_{statistic}")));
    }
    columns
}

/// Writes `summary.csv` from the `slots.csv` of the run in `folder`, in place of an older one.
///
/// # Errors
/// If `slots.csv` cannot be read or `summary.csv` cannot be written.
pub(super) fn write(folder: &Path, manifest: &Manifest<PlannedCases>) -> Result<(), RecordError> {
    let plan = &manifest.cases.0;
    let mut summaries = summaries(table::read(folder)?, manifest.replicates, manifest.slots);
    let mut unreadable = None;
    folder::write_whole(&folder.join(FILE), |file| {
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(columns(plan.scenario.vary.keys().map(String::as_str)))?;
        for summary in &mut summaries {
            match summary {
                Ok(summary) => csv.write_record(summary.record(&knobs(&plan.setting(summary.first_case).knobs)))?,
                Err(error) => {
                    unreadable = Some(error);
                    return Err(io::Error::other("slots.csv cannot be read"));
                }
            }
        }
        csv.flush()
    })
    .map_err(|error| unreadable.unwrap_or(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::table::Row;

    /// Rows of a table: case, slot, outcome, rounds and price gap of each.
    fn rows(slots: &[(u32, u32, &str, u32, &str)]) -> impl Iterator<Item = Result<SlotRow, RecordError>> {
        let header = SlotRow::COLUMNS.join(",") + "\n";
        let row = |(case, slot, outcome, rounds, gap): &_| {
            format!("{case},{slot},3,2,{outcome},{rounds},,900,,,{gap},,,,,4,1,1,,,,,,,,,,,9,1,5,5,,9,8,,0\n")
        };
        let text: String = [header].into_iter().chain(slots.iter().map(row)).collect();
        let rows: Vec<SlotRow> =
            csv::Reader::from_reader(text.as_bytes()).into_deserialize().map(Result::unwrap).collect();
        rows.into_iter().map(Ok)
    }

    fn collected(slots: &[(u32, u32, &str, u32, &str)], replicates: u32, of_each: u32) -> Vec<Summary> {
        summaries(rows(slots), replicates, of_each).map(Result::unwrap).collect()
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

    #[test]
    fn intervals_are_those_of_student() {
        // Quantiles of t at 0.975 as statistical tables print them.
        for (count, t) in [(2, 12.706), (3, 4.303), (6, 2.571), (11, 2.228), (31, 2.042), (121, 1.980)] {
            let mut statistics = Statistics::default();
            (0..count).for_each(|n| statistics.add(f64::from(n)));
            let scale = statistics.standard_deviation().unwrap() / f64::from(count).sqrt();
            let found = statistics.half_width().unwrap() / scale;
            assert!((found - t).abs() < 6e-4, "{count} values: {found}");
        }
    }

    #[test]
    fn equal_replicates_do_not_deviate() {
        let mut statistics = Statistics::default();
        (0..10).for_each(|_| statistics.add(0.1));
        assert_eq!((statistics.mean(), statistics.half_width()), (Some(0.1), Some(0.0)));
    }
}
