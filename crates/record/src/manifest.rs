//! `manifest.json`: what was run, when, and how it ended.

use super::{error::RecordError, folder, number::Number};
use indexmap::IndexMap;
use microgrid_agents::chain::hash::Digest;
use microgrid_agents::market::opening::OpenSlots;
use microgrid_scenario::{Part, PartError, Plan, Setting, schema::Clock};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    fs,
    ops::RangeInclusive,
    path::{Component, Path},
    time::{Duration, SystemTime},
};

pub(super) const FILE: &str = "manifest.json";

/// How a run has ended, if it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", content = "reason", rename_all = "lowercase")]
pub enum Status {
    /// It is under way, or was ended from outside.
    Unfinished,
    /// All cases are done.
    Finished,
    /// It could not go on, for this reason.
    Failed(String),
    /// Its user ended it.
    Interrupted,
}

/// What was run, when, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest<C = Vec<CaseEntry>> {
    /// Name of the scenario.
    pub scenario: String,
    /// The scenario's file as it was given.
    pub source: String,
    /// What was set in it to a single value, but for its name and seed; not known of runs of older versions.
    #[serde(default)]
    pub set: Knobs,
    /// The scenario's seed or, where `replicates` lists seeds, the first of these.
    pub seed: u64,
    /// Version of the program.
    pub version: String,
    /// The command line.
    pub command: String,
    /// Start of the run, UTC in RFC 3339.
    pub started: String,
    /// How long it took [s]; `None` until it has ended.
    pub wall_seconds: Option<f64>,
    /// SHA-256 of `scenario.ron` and the data files, one after the other, in hexadecimal.
    pub inputs_sha256: String,
    /// Whether the same program gives the same results again; it does not by the machine's clock.
    pub deterministic: bool,
    /// How it has ended.
    #[serde(flatten)]
    pub status: Status,
    /// How many cases the run has: those of the study, or of its part.
    pub case_count: u32,
    /// How many slots each case has.
    pub slots: u32,
    /// With how many seeds each combination of the varied knobs is run.
    pub replicates: u32,
    /// Time from the opening of a slot to gate closure [s]; not known of runs of older versions.
    #[serde(default)]
    pub gate_closure_s: Option<f64>,
    /// What money is called; not known of runs of older versions.
    #[serde(default = "cny")]
    pub currency: String,
    /// All cases of the run, whether they have been played or not.
    pub cases: C,
    /// The run's files, relative to its folder.
    pub files: Vec<String>,
    /// How long each table of a finished run is [bytes]; not known of runs of older versions.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub bytes: IndexMap<String, u64>,
    /// Whether prosumers or the network followed rules that a program gave beside the scenario; left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_rules: bool,
    /// Of which study it runs which part; left out where it runs all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartOf>,
    /// Whether nothing is signed, in some case at least, so that no ledger of it can be verified; left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsigned: bool,
}

/// Which part of a study a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartOf {
    /// Number of the part, from 1.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
    /// How many cases all parts have together.
    pub case_count: u32,
}

impl PartOf {
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        plan.part().map(|part| Self { number: part.number(), of: part.of(), case_count: plan.case_count() })
    }

    /// The part.
    ///
    /// # Errors
    /// If there is none of this number.
    pub fn part(&self) -> Result<Part, PartError> {
        Part::new(self.number, self.of)
    }

    /// The numbers of its cases.
    fn cases(&self) -> Result<RangeInclusive<u32>, PartError> {
        self.part()?.cases(self.case_count)
    }
}

/// What it is called where nobody says.
fn cny() -> String {
    "CNY".to_owned()
}

/// A case of the study.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CaseEntry {
    /// Its number, the `case` of all tables.
    pub case: u32,
    /// Varied knobs and their values.
    pub knobs: Knobs,
    /// Its seed.
    pub seed: u64,
    /// The slots in which the local market is open: the first and the last, or a list of such spans.
    pub open: OpenSlots,
}

/// SHA-256 of its scenario, as a run writes it, and its data files.
#[doc(hidden)] // Hidden: for ranks that have to read the same.
pub fn digest(plan: &Plan) -> String {
    let scenario = plan.resolved_ron();
    Digest::of([&*scenario].into_iter().chain(plan.inputs.iter().map(|input| &*input.text))).to_string()
}

/// Time from the opening of a slot to gate closure [s].
pub(super) fn gate_closure_s(plan: &Plan) -> f64 {
    Number::from(plan.scenario.market.gate_closure).value()
}

/// Knobs by name, in the order of the scenario's `vary`; numbers as numbers, anything else as text.
pub type Knobs = IndexMap<String, serde_json::Value>;

pub(super) fn knobs(written: &[(String, String)]) -> Knobs {
    written.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}

/// A knob's value as a person writes it: text without quotes, numbers as short as they can be.
pub fn knob_text(value: &serde_json::Value) -> String {
    match (value.as_str(), value.as_u64(), value.as_f64()) {
        (Some(text), ..) => text.to_owned(),
        // Seeds may be larger than what an `f64` holds exactly.
        (None, Some(whole), _) => whole.to_string(),
        (None, None, Some(number)) => number.to_string(),
        (None, None, None) => value.to_string(),
    }
}

fn value(text: &str) -> serde_json::Value {
    let number = || text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
    match text.parse::<u64>() {
        Ok(whole) => whole.into(),
        Err(_) => number().map_or_else(|| text.into(), Into::into),
    }
}

/// The cases of a plan, made as they are written, so that memory does not grow with their number.
#[derive(Clone, Debug)]
pub(super) struct PlannedCases(pub(super) Plan);

impl Serialize for PlannedCases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let open = self.0.open();
        let entry = |Setting { number: case, knobs: written, seed, .. }: Setting| CaseEntry {
            case,
            knobs: knobs(&written),
            seed,
            open: open.clone(),
        };
        serializer.collect_seq(self.0.settings_of(self.0.numbers()).map(entry))
    }
}

impl Manifest<PlannedCases> {
    pub(super) fn new(plan: &Plan, started: SystemTime, command: String, files: Vec<String>) -> Self {
        Self {
            scenario: plan.scenario.name.clone(),
            source: plan.source.display().to_string(),
            set: knobs(&plan.set),
            seed: plan.first_seed(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command,
            started: humantime::format_rfc3339_seconds(started).to_string(),
            wall_seconds: None,
            inputs_sha256: digest(plan),
            deterministic: plan.scenario.clock == Clock::Virtual,
            status: Status::Unfinished,
            case_count: plan.numbers().count() as u32,
            slots: plan.scenario.market.slots,
            replicates: plan.scenario.replicates.count() as u32,
            gate_closure_s: Some(gate_closure_s(plan)),
            currency: plan.scenario.market.currency.clone(),
            cases: PlannedCases(plan.clone()),
            files,
            bytes: IndexMap::new(),
            own_rules: plan.custom.changes_results(),
            part: PartOf::new(plan),
            unsigned: plan.is_unsigned(),
        }
    }
}

impl Manifest {
    /// Reads that of the run in `folder`, whose numbers have to be such as a run has.
    pub(super) fn read(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(FILE);
        let manifest: Self = folder::read_json(&path)?;
        let Self { case_count, slots, replicates, cases, files, bytes, .. } = &manifest;
        let is_time = |seconds: Option<f64>| seconds.is_none_or(|seconds| Duration::try_from_secs_f64(seconds).is_ok());
        let numbers = manifest.part.map_or_else(|| Some(1..=*case_count), |part| part.cases().ok());
        let is_case = |(due, case): (u32, &CaseEntry)| case.case == due && case.open.are_within(*slots);
        let is_inside = |file: &String| Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
        let fields = [
            ("wall_seconds", is_time(manifest.wall_seconds)),
            ("gate_closure_s", is_time(manifest.gate_closure_s)),
            ("slots", *slots > 0),
            ("replicates", *replicates > 0 && manifest.study_cases().is_multiple_of(*replicates)),
            ("case_count", *case_count > 0 && *case_count as usize == cases.len()),
            ("part", numbers.as_ref().is_some_and(|numbers| numbers.clone().count() == cases.len())),
            ("cases", numbers.into_iter().flatten().zip(cases).all(is_case)),
            ("files", files.iter().all(is_inside)),
            ("bytes", bytes.keys().all(|file| files.contains(file))),
        ];
        match fields.iter().find(|(_, is_right)| !is_right) {
            None => manifest.check_lengths(folder).map(|()| manifest),
            Some((field, _)) => Err(RecordError::damaged(&path)(format!("`{field}` is not that of a run"))),
        }
    }

    /// Fails if a table is not as long as the run has written it: whoever reads it row by row could not tell.
    fn check_lengths(&self, folder: &Path) -> Result<(), RecordError> {
        for (file, length) in &self.bytes {
            let path = folder.join(file);
            // What cannot be read at all is told by whoever reads it.
            let Ok(found) = fs::metadata(&path).map(|there| there.len()) else { continue };
            if found != *length {
                let why = format!("it has {found} bytes, and the run has written {length}");
                return Err(RecordError::damaged(&path)(why));
            }
        }
        Ok(())
    }

    /// The numbers of its cases.
    pub fn numbers(&self) -> RangeInclusive<u32> {
        let first = self.cases.first().map_or(1, |case| case.case);
        first..=first + self.case_count - 1
    }

    /// Its case with this number.
    pub fn case(&self, number: u32) -> Option<&CaseEntry> {
        self.cases.get(number.checked_sub(*self.numbers().start())? as usize)
    }

    /// The varied knobs of the combination whose first case has this number, of which a part may have later cases alone.
    pub fn knobs_of(&self, first_case: u32) -> Option<&Knobs> {
        self.case(first_case.max(*self.numbers().start())).map(|case| &case.knobs)
    }

    /// The manifest of the same run under way again, if its scenario and data are those of `plan`.
    pub(super) fn resumed(self, plan: &Plan) -> Option<Manifest<PlannedCases>> {
        let fresh = Manifest::new(plan, SystemTime::UNIX_EPOCH, self.command, self.files);
        let same = self.inputs_sha256 == fresh.inputs_sha256 && self.part == fresh.part;
        let Self { source, set, started, wall_seconds, .. } = self;
        same.then_some(Manifest { source, set, started, wall_seconds, ..fresh })
    }
}

impl<C> Manifest<C> {
    /// What tells the run apart from others: the scenario and what was set in it, `day, mu = 1, delay = 10ms`.
    pub fn title(&self) -> String {
        let set = self.set.iter().map(|(name, value)| format!(", {name} = {}", knob_text(value)));
        let part = self.part.map_or_else(String::new, |PartOf { number, of, .. }| format!(", part {number} of {of}"));
        self.scenario.clone() + &set.collect::<String>() + &part
    }

    /// How many cases the study has, of which the run may have a part.
    pub fn study_cases(&self) -> u32 {
        self.part.map_or(self.case_count, |part| part.case_count)
    }
}

impl<C: Serialize> Manifest<C> {
    /// Notes how long these tables in `folder` are, which grow no more.
    pub(super) fn measure<'a>(
        &mut self,
        folder: &Path,
        tables: impl Iterator<Item = &'a str>,
    ) -> Result<(), RecordError> {
        let measured = tables.map(|file| {
            let path = folder.join(file);
            let length = fs::metadata(&path).map_err(RecordError::file("read", &path))?.len();
            Ok((file.to_owned(), length))
        });
        self.bytes = measured.collect::<Result<_, RecordError>>()?;
        Ok(())
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), RecordError> {
        folder::write_json(&folder.join(FILE), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn knobs_read_as_they_were_written() {
        let values = serde_json::json!([9_007_199_254_740_993_u64, 1.0, 0.25, "10ms"]);
        let read: Vec<_> = values.as_array().unwrap().iter().map(knob_text).collect();
        assert_eq!(read, ["9007199254740993", "1", "0.25", "10ms"]);
    }

    #[test]
    fn knobs_are_numbers_however_they_are_written_and_exact_where_they_are_whole() {
        for (text, expected) in [
            (".5", json!(0.5)),
            ("1.", json!(1.0)),
            ("0", json!(0)),
            ("1e-3", json!(0.001)),
            ("18446744069414584320", json!(18_446_744_069_414_584_320_u64)),
            ("10ms", json!("10ms")),
            ("inf", json!("inf")),
            ("Fixed(0.1)", json!("Fixed(0.1)")),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}
