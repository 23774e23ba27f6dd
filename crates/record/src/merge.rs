//! Runs of the parts of a study, which together are one run of the whole.

use super::{
    SCENARIO,
    error::RecordError,
    folder,
    manifest::{Manifest, PartOf, Status, digest, knob_text},
    run::Run,
    schema,
    sheet::Format,
    slots::SlotRow,
    table::Row,
    tables,
};
use microgrid_agents::debug_as_display;
use microgrid_scenario::{PartError, Plan, schema::Record};
use std::{
    collections::BTreeMap,
    fmt::Display,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

/// Runs of all parts of a study, each complete, in the order of their cases.
#[derive(Clone, Debug)]
pub struct Parts(Vec<Run>);

/// Why runs cannot be merged.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("there are no parts to merge")]
    Nothing,
    /// A run is no part of a study.
    #[error("{} is a run of all its cases and no part: parts come of `sim SCENARIO --part 1/20`", .0.display())]
    NoPart(PathBuf),
    /// A part has cases that are not complete.
    #[error("{}", .0.iter().map(|(part, folder)| incomplete(part, folder)).collect::<Vec<_>>().join("\n"))]
    Incomplete(Vec<(PartOf, PathBuf)>),
    /// Two runs are of different studies, or were run in different ways.
    #[error(
        "{} and {} are not parts of the same study, as they differ in {what}\n\
         parts are merged that have the same scenario, seed, options, number of parts and program: leave out what does not \
         belong to them, or run it again as the others",
        one.display(), other.display()
    )]
    Different {
        /// In what, and how.
        what: String,
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// Two runs are of the same part.
    #[error("part {} of {} is there twice: {} and {}\nleave one of them out", part.number, part.of, one.display(), other.display())]
    Twice {
        /// Which part.
        part: PartOf,
        /// One run of it.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// Some parts are not among the runs.
    #[error("{}", missing(spans, *of))]
    Missing {
        /// Their numbers, as far as they follow each other.
        spans: Vec<RangeInclusive<u32>>,
        /// How many parts there are.
        of: u32,
    },
    /// The parts were run by a program of another version.
    #[error(
        "the parts were run by version {made_by} of the program and this is version {}: merge them with that one, or run \
         them again",
        env!("CARGO_PKG_VERSION")
    )]
    OtherVersion {
        /// The version that made them.
        made_by: String,
    },
    /// A run cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A run is of a part that cannot be.
    #[error(transparent)]
    Part(#[from] PartError),
}

debug_as_display!(MergeError);

fn incomplete(part: &PartOf, folder: &Path) -> String {
    let PartOf { number, of, .. } = part;
    format!("part {number} of {of} is not complete: `sim resume {}` finishes it", folder.display())
}

fn missing(spans: &[RangeInclusive<u32>], of: u32) -> String {
    if let [only] = spans
        && only.start() == only.end()
    {
        let number = only.start();
        return format!("part {number} of {of} is missing: run it with `--part {number}/{of}`, as the others were run");
    }
    let told = spans.iter().map(|span| match (span.start(), span.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    });
    let told = told.collect::<Vec<_>>().join(", ");
    format!("parts {told} of {of} are missing: run each with `--part K/{of}`, as the others were run")
}

/// What of `1..=of` is not among these numbers, which ascend.
fn gaps(numbers: impl Iterator<Item = u32>, of: u32) -> Vec<RangeInclusive<u32>> {
    // None follows the last number that there can be.
    let mut due = Some(1);
    let gap = |number: Option<u32>| {
        let gap = due?..=number.map_or(of, |number| number - 1);
        due = number.and_then(|number| number.checked_add(1));
        Some(gap)
    };
    numbers.map(Some).chain([None]).filter_map(gap).filter(|gap| !gap.is_empty()).collect()
}

impl Parts {
    /// Opens the runs in these folders, which may come in any order, and checks that they are all parts of one study.
    ///
    /// # Errors
    /// If a folder is no run of a part, is not complete, or has lost a table; if two are of different studies, or of the same
    /// part; and if one is missing.
    pub fn open(folders: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, MergeError> {
        let runs = folders.into_iter().map(|folder| Run::open(folder.as_ref()));
        let runs = runs.collect::<Result<Vec<_>, _>>()?;
        let (mut numbered, mut left) = (BTreeMap::<u32, &Run>::new(), Vec::new());
        for run in &runs {
            let part = run.manifest().part.ok_or_else(|| MergeError::NoPart(run.folder().to_owned()))?;
            if run.manifest().status != Status::Finished {
                left.push((part, run.folder().to_owned()));
            }
            if let Some(what) = difference(&runs[0], run) {
                let [one, other] = [&runs[0], run].map(|run| run.folder().to_owned());
                return Err(MergeError::Different { what, one, other });
            }
            if let Some(same) = numbered.insert(part.number, run) {
                let [one, other] = [same, run].map(|run| run.folder().to_owned());
                return Err(MergeError::Twice { part, one, other });
            }
        }
        let first = runs.first().ok_or(MergeError::Nothing)?.manifest();
        let of = first.part.map_or(1, |part| part.of);
        let spans = gaps(numbered.into_keys(), of);
        if !left.is_empty() {
            return Err(MergeError::Incomplete(left));
        }
        if !spans.is_empty() {
            return Err(MergeError::Missing { spans, of });
        }
        if first.version != env!("CARGO_PKG_VERSION") {
            return Err(MergeError::OtherVersion { made_by: first.version.clone() });
        }
        runs.iter().try_for_each(is_whole)?;
        let mut runs = runs;
        runs.sort_by_key(|run| *run.manifest().numbers().start());
        Ok(Self(runs))
    }

    /// The runs, in the order of their cases.
    pub fn runs(&self) -> &[Run] {
        &self.0
    }

    /// The manifest of the first, of which those of the others tell the same study.
    fn manifest(&self) -> &Manifest {
        self.0[0].manifest()
    }

    /// The scenario of which they are parts.
    pub fn scenario(&self) -> PathBuf {
        self.0[0].folder().join(SCENARIO)
    }

    /// How their large tables are written.
    pub fn format(&self) -> Format {
        self.0[0].format()
    }

    /// Checks that they are parts of this plan, whatever its name is.
    ///
    /// # Errors
    /// If its scenario or its data are others, which it is if somebody has changed those of a part.
    pub fn check(&self, plan: &Plan) -> Result<(), MergeError> {
        let mut named = plan.clone();
        named.scenario.name.clone_from(&self.manifest().scenario);
        match digest(&named) == self.manifest().inputs_sha256 {
            true => Ok(()),
            false => Err(RecordError::OtherScenario(self.scenario()).into()),
        }
    }

    /// Tells in the manifest of the run that is made of them what all of theirs tell.
    pub(super) fn tell<C>(&self, manifest: &mut Manifest<C>) {
        let Manifest { source, set, own_rules, .. } = self.manifest();
        manifest.source.clone_from(source);
        manifest.set.clone_from(set);
        manifest.own_rules = *own_rules;
    }

    /// How long all of them took together.
    pub(super) fn took(&self) -> Duration {
        let took = self.0.iter().filter_map(|run| Duration::try_from_secs_f64(run.manifest().wall_seconds?).ok());
        took.fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// Fails if a part that says it is finished lacks a file of those that are merged, or has another one there.
fn is_whole(run: &Run) -> Result<(), RecordError> {
    let manifest = run.manifest();
    let tables = tables::described(run.record(), run.format()).map(|(file, _)| file);
    let files = tables.chain(tables::others(run.record())).chain([SlotRow::FILE]);
    files.chain([SCENARIO, schema::FILE]).try_for_each(|file| folder::open(&run.folder().join(file)).map(drop))?;
    let last = *manifest.numbers().end();
    // Where slots are kept, a run is not opened otherwise.
    if run.record() == Record::Summary && !run.ends_with(last, manifest.slots) {
        let why = format!("it does not end with slot {} of case {last}", manifest.slots);
        return Err(RecordError::damaged(&run.folder().join(SlotRow::FILE))(why));
    }
    Ok(())
}

/// In what two runs differ that all parts of a study have in common.
fn difference(one: &Run, other: &Run) -> Option<String> {
    fn differ<T: PartialEq>(what: &str, [a, b]: [T; 2], told: impl Fn(&T) -> String) -> Option<String> {
        (a != b).then(|| format!("{what}: {} and {}", told(&a), told(&b)))
    }
    fn plain(value: &impl Display) -> String {
        value.to_string()
    }
    let both = [one, other];
    let manifests = both.map(Run::manifest);
    let set = |manifest: &Manifest| {
        let set: Vec<_> = manifest.set.iter().map(|(name, value)| format!("{name}={}", knob_text(value))).collect();
        if set.is_empty() { "nothing".to_owned() } else { set.join(" ") }
    };
    let of = |manifest: &Manifest| manifest.part.map_or(1, |part| part.of);
    differ("the version of the program", manifests.map(|of| &of.version), plain)
        .or_else(|| differ("their scenario", manifests.map(|of| &of.scenario), plain))
        .or_else(|| differ("the number of parts", manifests.map(of), plain))
        .or_else(|| differ("their seed", manifests.map(|of| of.seed), plain))
        .or_else(|| differ("what was set", manifests.map(set), plain))
        .or_else(|| differ("how many cases there are", manifests.map(|of| of.study_cases()), plain))
        .or_else(|| {
            let others = "what their scenario.ron, or a data file, says".to_owned();
            (manifests[0].inputs_sha256 != manifests[1].inputs_sha256).then_some(others)
        })
        .or_else(|| {
            let formats = both.map(Run::format);
            differ("the format of their tables", formats, |format| format!("{format:?}").to_lowercase())
        })
        .or_else(|| {
            let rules = "rules that a program gave beside the scenario".to_owned();
            (manifests[0].own_rules != manifests[1].own_rules).then_some(rules)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_in_spans() {
        for (there, of, expected) in [
            (&[1, 2, 3][..], 3, &[][..]),
            (&[], 3, &[1..=3]),
            (&[2], 3, &[1..=1, 3..=3]),
            (&[1, 5], u32::MAX, &[2..=4, 6..=u32::MAX]),
            (&[u32::MAX], u32::MAX, &[1..=u32::MAX - 1]),
        ] {
            assert_eq!(gaps(there.iter().copied(), of), expected, "{there:?} of {of}");
        }
        assert!(missing(&[7..=7], 20).starts_with("part 7 of 20 is missing: "));
        assert!(missing(&[1..=1, 3..=9], 20).starts_with("parts 1, 3 to 9 of 20 are missing: "));
    }
}
