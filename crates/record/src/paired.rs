//! `paired.csv`: what turning a knob changed, replicate by replicate, with all other knobs and the seed the same.

use super::{
    column::Kind,
    error::RecordError,
    folder,
    manifest::knobs,
    measures::{CaseMeasures, MEASURES},
    number::Number,
    schema::{self, Described},
    statistics::Statistics,
};
use microgrid_scenario::Plan;
use serde::Deserialize;
use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    iter,
    ops::Range,
    path::Path,
};
use tempfile::SpooledTempFile;

/// All pairs of a knob's values are compared up to so many values; of more, each with the first.
const MOST_VALUES: u32 = 6;
/// Where single combinations of the other knobs would come to more rows than this, there are only those over all of them.
const MOST_ROWS: u64 = 1_000_000;

/// The measures of a pair: the share of slots in equilibrium, then all others.
fn measures() -> impl Iterator<Item = &'static str> {
    ["share_in_equilibrium"].into_iter().chain(MEASURES.iter().map(|measure| measure.name))
}

fn count() -> usize {
    MEASURES.len() + 1
}

/// A row of `paired.csv`, without the other knobs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PairedRow {
    /// Which knob.
    pub knob: String,
    /// Its value before.
    pub from: String,
    /// Its value after.
    pub to: String,
    /// Over how many combinations of the other knobs.
    pub combinations: u32,
    /// Which measure.
    pub measure: String,
    /// How many seeds count.
    pub count: u32,
    /// Mean of their differences; `None` without any.
    pub mean: Option<f64>,
    /// Standard deviation of these; `None` with fewer than two.
    pub sd: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean; `None` with fewer than two.
    pub ci95: Option<f64>,
}

impl PairedRow {
    /// Name of the table's file in a run's folder.
    pub const FILE: &'static str = "paired.csv";
}

/// Reads the `paired.csv` of the run in `folder`.
pub(super) fn read(folder: &Path) -> Result<impl Iterator<Item = Result<PairedRow, RecordError>> + use<>, RecordError> {
    let path = folder.join(PairedRow::FILE);
    Ok(rows(folder::open(&path)?, &path))
}

/// The rows of a `paired.csv`, which lies at `path`.
fn rows<F: Read>(file: F, path: &Path) -> impl Iterator<Item = Result<PairedRow, RecordError>> + use<F> {
    let wrong = RecordError::of_rows(path);
    csv::Reader::from_reader(file).into_deserialize().map(move |row| row.map_err(&wrong))
}

/// What the complete cases of a study came to; where these are many, in a file without a name, so that memory does not
/// grow with cases.
#[derive(Debug)]
pub(super) struct Values {
    file: SpooledTempFile,
    /// So many cases are in the file.
    cases: u32,
    folder: Box<Path>,
}

impl Values {
    /// More than this does not stay in memory [bytes].
    const MOST: usize = 1 << 20;

    /// Of no case yet; the file takes its space in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { file: SpooledTempFile::new_in(Self::MOST, folder), cases: 0, folder: folder.into() }
    }

    /// Adds a case; cases come in order.
    pub(super) fn put(&mut self, case: &CaseMeasures) -> Result<(), RecordError> {
        while self.cases + 1 < case.case {
            self.append(iter::repeat_n(None, count()))?;
        }
        self.append([case.share()].into_iter().chain(case.values()))
    }

    fn append(&mut self, values: impl Iterator<Item = Option<f64>>) -> Result<(), RecordError> {
        self.cases += 1;
        let bytes: Vec<u8> = values.flat_map(|value| value.unwrap_or(f64::NAN).to_ne_bytes()).collect();
        self.file.write_all(&bytes).map_err(RecordError::file("write to", &self.folder))
    }

    /// The case behind so many others; what is undefined, and all of a case that is not complete, is not a number.
    fn of(&mut self, before: u32) -> io::Result<Vec<f64>> {
        if before >= self.cases {
            return Ok(vec![f64::NAN; count()]);
        }
        let mut bytes = vec![[0; 8]; count()];
        self.file.seek(SeekFrom::Start(u64::from(before) * 8 * count() as u64))?;
        self.file.read_exact(bytes.as_flattened_mut())?;
        Ok(bytes.into_iter().map(f64::from_ne_bytes).collect())
    }
}

/// What tells the cases of a study apart: the values of a knob, or the seeds.
#[derive(Clone, Copy, Debug)]
struct Axis<'a> {
    /// Empty for the replicates.
    name: &'a str,
    /// The type of the knob's column, in which cells are empty: not all readers know whole numbers there.
    kind: Kind,
    len: u32,
    /// How far apart the cases of two values are that follow each other.
    stride: u32,
}

/// The knobs of a plan in their order, the seed not among them, and the seeds.
fn axes(plan: &Plan) -> (Vec<Axis<'_>>, Axis<'_>) {
    let kinds: Vec<Kind> = schema::varied(plan).map(|(_, kind)| kind).collect();
    let mut seeds = Axis { name: "", kind: Kind::Large, len: plan.scenario.replicates.count() as u32, stride: 1 };
    let mut stride = seeds.len;
    let mut axes = Vec::new();
    for ((name, values), kind) in plan.scenario.vary.iter().zip(kinds).rev() {
        let kind = if let Kind::Name(_) = kind { kind } else { Kind::Optional };
        let axis = Axis { name, kind, len: values.len() as u32, stride };
        stride *= axis.len;
        match name.as_str() {
            // Whoever varies the seed has its values for replicates, and no others.
            "seed" if axis.len > 1 => seeds = axis,
            "seed" => {}
            _ => axes.push(axis),
        }
    }
    axes.reverse();
    (axes, seeds)
}

/// Whether a knob other than the seed has several values.
pub(super) fn has_pairs(plan: &Plan) -> bool {
    axes(plan).0.iter().any(|axis| axis.len > 1)
}

impl Axis<'_> {
    /// The pairs of values that are compared.
    fn pairs(self) -> impl Iterator<Item = (u32, u32)> {
        let firsts = if self.len > MOST_VALUES { 1 } else { self.len };
        (0..firsts).flat_map(move |from| (from + 1..self.len).map(move |to| (from, to)))
    }

    /// A value as it is written, a number with its point: between those of other knobs none is taken for whole.
    fn value(self, plan: &Plan, index: u32) -> String {
        schema::cell(&knobs(&plan.setting(1 + index * self.stride).knobs)[self.name], self.kind)
    }
}

/// How many cases come before the first of a combination of these knobs, where all others have their first value.
fn cases_before(axes: &[Axis<'_>], number: u32) -> u32 {
    let add = |(cases, rest): (u32, u32), axis: &Axis<'_>| (cases + rest % axis.len * axis.stride, rest / axis.len);
    axes.iter().rev().fold((0, number), add).0
}

/// The columns of the table of this plan.
pub(super) fn columns(plan: &Plan) -> Vec<Described> {
    let text = |name| Described::new(name, Kind::Name(""), None);
    let mut columns = ["knob", "from", "to"].map(text).to_vec();
    // Empty where a row is about that knob itself, or about all of its values.
    columns.extend(
        axes(plan).0.iter().map(|axis| Described { empty: true, ..Described::new(axis.name, axis.kind, None) }),
    );
    columns.extend([Described::new("combinations", Kind::Small, None), text("measure")]);
    columns.push(Described::new("count", Kind::Small, None));
    columns.extend(["mean", "sd", "ci95"].map(|name| Described::new(name, Kind::Optional, None)));
    columns
}

/// Writes `paired.csv` from what the cases of this plan came to, in place of an older one.
pub(super) fn write(folder: &Path, plan: &Plan, values: Values) -> Result<(), RecordError> {
    let path = folder.join(PairedRow::FILE);
    folder::write_whole(&path, |file| write_to(file, plan, values).map_err(RecordError::file("write", &path)))
}

/// The rows of what [`write`] writes.
pub(super) fn in_memory(plan: &Plan, values: Values) -> Result<Vec<PairedRow>, RecordError> {
    let (mut table, path) = (Vec::new(), Path::new(PairedRow::FILE));
    write_to(&mut table, plan, values).map_err(RecordError::file("write", path))?;
    rows(&*table, path).collect()
}

fn write_to(file: impl Write, plan: &Plan, values: Values) -> io::Result<()> {
    let (axes, seeds) = axes(plan);
    let mut table = Paired { plan, axes: &axes, seeds, values, csv: csv::Writer::from_writer(file) };
    table.csv.write_record(columns(plan).iter().map(|column| &column.name))?;
    let others = |knob: usize| [&axes[..knob], &axes[knob + 1..]].concat();
    let combinations = |knob: usize| others(knob).iter().map(|axis| axis.len).product::<u32>();
    let rows = |knob: usize| axes[knob].pairs().count() as u64 * u64::from(combinations(knob)) * count() as u64;
    let single = (0..axes.len()).map(rows).sum::<u64>() <= MOST_ROWS;
    // Knobs of words come first: readers look at the first rows, and take `from` and `to` for text then.
    let words = |(_, axis): &(usize, &Axis<'_>)| matches!(axis.kind, Kind::Name(_));
    let (first, then): (Vec<_>, Vec<_>) = axes.iter().enumerate().partition(words);
    for (knob, axis) in first.into_iter().chain(then) {
        let (others, combinations) = (others(knob), combinations(knob));
        if single {
            (0..combinations).try_for_each(|combination| table.rows(*axis, &others, combination..combination + 1))?;
        }
        if combinations > 1 || !single {
            table.rows(*axis, &others, 0..combinations)?;
        }
    }
    table.csv.flush()
}

/// `paired.csv` while it is being written.
struct Paired<'a, W: Write> {
    plan: &'a Plan,
    axes: &'a [Axis<'a>],
    seeds: Axis<'a>,
    values: Values,
    csv: csv::Writer<W>,
}

impl<W: Write> Paired<'_, W> {
    /// The rows of a knob over some combinations of the `others`.
    fn rows(&mut self, knob: Axis<'_>, others: &[Axis<'_>], combinations: Range<u32>) -> io::Result<()> {
        let first = knobs(&self.plan.setting(1 + cases_before(others, combinations.start)).knobs);
        let told = |axis: &Axis<'_>| axis.name != knob.name && combinations.len() == 1;
        let value =
            |axis: &Axis<'_>| if told(axis) { schema::cell(&first[axis.name], axis.kind) } else { String::new() };
        let of_others: Vec<String> = self.axes.iter().map(value).collect();
        for (from, to) in knob.pairs() {
            let pair = [from, to].map(|value| value * knob.stride);
            let statistics = self.differences(pair, others, combinations.clone())?;
            // Of a run that was ended early, what it has not run has no rows.
            if self.values.cases < self.plan.case_count() && statistics.iter().all(|of| of.count == 0) {
                continue;
            }
            let mut record = vec![knob.name.to_owned(), knob.value(self.plan, from), knob.value(self.plan, to)];
            record.extend_from_slice(&of_others);
            record.push(combinations.len().to_string());
            let of_pair = record.len();
            for (measure, of) in measures().zip(&statistics) {
                record.truncate(of_pair);
                record.extend([measure.to_owned(), of.count.to_string()]);
                record.extend([of.mean(), of.standard_deviation(), of.half_width()].map(Number::cell));
                self.csv.write_record(&record)?;
            }
        }
        Ok(())
    }

    /// The statistics of the differences of a pair of values, over the seeds: of each seed the mean over the combinations
    /// of the others, undefined where it is so in one of them.
    fn differences(
        &mut self,
        [from, to]: [u32; 2],
        others: &[Axis<'_>],
        combinations: Range<u32>,
    ) -> io::Result<Vec<Statistics>> {
        let mut statistics = vec![Statistics::default(); count()];
        for seed in 0..self.seeds.len {
            let mut sums = vec![0.0; count()];
            for number in combinations.clone() {
                let at = cases_before(others, number) + seed * self.seeds.stride;
                let (a, b) = (self.values.of(at + from)?, self.values.of(at + to)?);
                for (sum, (a, b)) in sums.iter_mut().zip(a.into_iter().zip(b)) {
                    *sum += b - a;
                }
            }
            for (statistics, sum) in statistics.iter_mut().zip(sums).filter(|(_, sum)| sum.is_finite()) {
                statistics.add(sum / combinations.len() as f64);
            }
        }
        Ok(statistics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::row_of, measures::complete_cases, slots::SlotRow, summary};
    use microgrid_scenario::{self as scenario, Overrides};
    use std::{collections::BTreeMap, fs};

    fn plan(vary: &str, replicates: u32) -> Plan {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("day.ron");
        let text = format!(
            r#"Scenario(name: "day", market: (slots: 1, open: (1, 1)), population: Synthetic(count: 4), vary: {{{vary}}},
               replicates: {replicates})"#
        );
        fs::write(&file, text).unwrap();
        scenario::load(&file, &Overrides::default()).unwrap()
    }

    /// The rows of a plan's table on the rounds of its cases: by all up to the measure, all behind it. Cases of `None`
    /// have no market.
    fn on_rounds(plan: &Plan, rounds: &[Option<u32>]) -> BTreeMap<String, String> {
        let rows = rounds.iter().zip(1_u32..).map(|(rounds, case)| {
            let outcome = if rounds.is_some() { "Equilibrium" } else { "NoMarket" };
            let rounds = rounds.unwrap_or_default().to_string();
            Ok(row_of::<SlotRow>(&[
                ("case", &case.to_string()),
                ("slot", "1"),
                ("outcome", outcome),
                ("rounds", &rounds),
            ]))
        });
        let folder = tempfile::tempdir().unwrap();
        let mut values = Values::new(folder.path());
        complete_cases(rows, 1, None).for_each(|case| values.put(&case.unwrap()).unwrap());
        write(folder.path(), plan, values).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the table");
        let text = fs::read_to_string(folder.path().join(PairedRow::FILE)).unwrap();
        let of_rounds = text.lines().filter_map(|line| line.split_once(",rounds,"));
        of_rounds.map(|(pair, statistics)| (pair.to_owned(), statistics.to_owned())).collect()
    }

    #[track_caller]
    fn assert_row(rows: &BTreeMap<String, String>, pair: &str, count: &str, statistics: &[f64]) {
        let row = rows.get(pair).unwrap_or_else(|| panic!("no {pair} in {rows:#?}"));
        let mut cells = row.split(',');
        assert_eq!(cells.next(), Some(count), "{pair}: {row}");
        let found: Vec<f64> = cells.filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(found.len(), statistics.len(), "{pair}: {row}");
        let differ = found.iter().zip(statistics).any(|(found, expected)| (found - expected).abs() > 1e-3);
        assert!(!differ, "{pair}: {row} and not {statistics:?}");
    }

    #[test]
    fn pairs_have_the_same_seed_and_the_same_values_of_all_other_knobs() {
        let plan = plan(r#""mu": [0.0, 1.0], "delay": ["10ms", "1s", "2s"]"#, 3);
        // A row a combination, a column a seed.
        let some = [
            [10, 20, 30],    // mu = 0, delay = 10ms
            [11, 23, 32],    // 1s
            [100, 200, 300], // 2s
            [14, 21, 34],    // mu = 1, delay = 10ms
            [11, 22, 33],    // 1s
            [100, 200, 300], // 2s
        ];
        let mut rounds: Vec<Option<u32>> = some.as_flattened().iter().copied().map(Some).collect();
        let rows = on_rounds(&plan, &rounds);
        assert_eq!(rows.len(), (3 + 1) + 3 * (2 + 1));
        // 4, 1, 4: with two degrees of freedom t is 4.3027.
        assert_row(&rows, "mu,0.0,1.0,,10ms,1", "3", &[3.0, 1.7321, 4.3027]);
        assert_row(&rows, "mu,0.0,1.0,,2s,1", "3", &[0.0, 0.0, 0.0]);
        // (4 + 0) / 3, (1 - 1) / 3 and (4 + 1) / 3.
        assert_row(&rows, "mu,0.0,1.0,,,3", "3", &[1.0, 0.8819, 2.1908]);
        // 1, 3, 2.
        assert_row(&rows, "delay,10ms,1s,0.0,,1", "3", &[2.0, 1.0, 2.4841]);
        assert_row(&rows, "delay,1s,2s,1.0,,1", "3", &[178.0, 89.0, 221.088]);
        // (1 - 3) / 2, (3 + 1) / 2, (2 - 1) / 2.
        assert_row(&rows, "delay,10ms,1s,,,2", "3", &[0.5, 1.5, 3.7262]);

        // A seed counts where both have a market, and over all combinations where all have; what was not run has none.
        rounds[1] = None;
        rounds.truncate(17);
        let rows = on_rounds(&plan, &rounds);
        assert_row(&rows, "mu,0.0,1.0,,10ms,1", "2", &[4.0, 0.0, 0.0]);
        assert_row(&rows, "mu,0.0,1.0,,2s,1", "2", &[0.0, 0.0, 0.0]);
        assert_row(&rows, "mu,0.0,1.0,,,3", "1", &[4.0 / 3.0]);
    }

    #[test]
    fn a_knob_s_column_is_of_the_type_of_all_of_its_values_and_where_it_is_empty_not_whole() {
        let plan = plan(r#""mu": [0, 0.5], "population": [4, 6], "delay": ["10ms", "1s"]"#, 1);
        let of = |columns: &[Described]| {
            let knob = |name| columns.iter().find(|column| column.name == name).unwrap();
            ["mu", "population", "delay"].map(knob).map(|column| (column.named, column.empty))
        };
        assert_eq!(of(&summary::columns(&plan)), [("float64", false), ("uint64", false), ("string", false)]);
        assert_eq!(of(&columns(&plan)), [("float64", true), ("float64", true), ("string", true)]);
        let rows = on_rounds(&plan, &[Some(10); 8]);
        assert_row(&rows, "mu,0.0,0.5,,4.0,10ms,1", "1", &[0.0]);
        assert_row(&rows, "delay,10ms,1s,0.5,6.0,,1", "1", &[0.0]);
    }

    #[test]
    fn of_many_values_each_is_compared_with_the_first() {
        let pairs = |len| Axis { name: "mu", kind: Kind::Number, len, stride: 1 }.pairs().collect::<Vec<_>>();
        assert_eq!(pairs(3), [(0, 1), (0, 2), (1, 2)]);
        assert_eq!((pairs(6).len(), pairs(7)), (15, (1..7).map(|to| (0, to)).collect()));
        assert_eq!(pairs(1), []);
    }

    #[test]
    fn seeds_that_are_varied_are_replicates_and_not_compared() {
        let plan = plan(r#""seed": [7, 8], "mu": [0.0, 1.0]"#, 1);
        let rows = on_rounds(&plan, &[10, 12, 20, 26].map(Some));
        assert_eq!(rows.len(), 1);
        assert_row(&rows, "mu,0.0,1.0,,1", "2", &[4.0, 2.8284, 25.412]);
        assert!(!has_pairs(&self::plan(r#""seed": [7, 8]"#, 1)) && !has_pairs(&self::plan(r#""mu": [1.0]"#, 3)));
    }

    #[test]
    fn of_a_very_large_study_there_is_what_all_combinations_have_in_common() {
        let values = (0..130).map(|n| format!("{}", f64::from(n) / 130.0)).collect::<Vec<_>>().join(",");
        let plan = plan(&format!(r#""mu": [{values}], "eta": [{values}]"#), 1);
        let rows = on_rounds(&plan, &vec![Some(1); 130 * 130]);
        assert_eq!(rows.len(), 2 * 129);
        assert!(rows.keys().all(|pair| pair.ends_with(",,130")), "{:?}", rows.keys().next());
    }
}
