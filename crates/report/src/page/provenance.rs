//! How a run was made, and what it left.

use super::{FILE, is_figure};
use crate::format::count;
use microgrid_record::{Manifest, PartOf, Run, SCENARIO, Status};

/// What, how, and whether it is text for a machine.
pub(super) type Fact = (&'static str, String, bool);

/// A file of the run, relative to the page, and what it holds.
pub(super) type FileLink = (String, &'static str);

pub(super) fn facts(manifest: &Manifest) -> Vec<Fact> {
    let status = match &manifest.status {
        Status::Unfinished => "unfinished".to_owned(),
        Status::Finished => "finished".to_owned(),
        Status::Failed(reason) => format!("failed: {reason}"),
        Status::Interrupted => "interrupted".to_owned(),
    };
    let took = manifest.wall_seconds.map(|seconds| ("took", format!("{seconds:.2} s"), false));
    let again = if manifest.deterministic {
        "yes: the same program, scenario and seed leave the same bytes"
    } else {
        "no: it went by the machine's clock"
    };
    let replicates =
        if manifest.replicates > 1 { format!(", {} replicates each", manifest.replicates) } else { String::new() };
    let cases = format!("{}, of {}{replicates}", manifest.case_count, count(manifest.slots as usize, "slot"));
    // A run that another program made of the library has no command.
    let command = (!manifest.command.is_empty()).then(|| ("command", manifest.command.clone(), true));
    let made = [
        ("scenario", manifest.source.clone(), true),
        ("seed", manifest.seed.to_string(), false),
        ("version", manifest.version.clone(), false),
        ("started", manifest.started.replace('T', " ").replace('Z', " UTC"), false),
    ];
    let part = manifest.part.map(|part| ("part", part_of(manifest, part), false));
    let ended = [
        ("status", status, false),
        ("cases", cases, false),
        ("reproducible", again.to_owned(), false),
        ("SHA-256 of the inputs", manifest.inputs_sha256.clone(), true),
    ];
    command.into_iter().chain(made).chain(part).chain(took).chain(ended).collect()
}

/// `3 of 20: cases 9 to 12 of 80`.
pub(super) fn part_of(manifest: &Manifest, part: PartOf) -> String {
    let PartOf { number, of, case_count, .. } = part;
    let (first, last) = manifest.numbers().into_inner();
    let cases = if first == last { format!("case {first}") } else { format!("cases {first} to {last}") };
    format!("{number} of {of}: {cases} of {case_count}")
}

/// The scenario with every default written out, if it is there.
pub(super) fn scenario(run: &Run) -> Option<String> {
    run.input(SCENARIO).ok()
}

/// The run's files but this page, and of its figures only the folder: charts have links to each.
pub(super) fn files(manifest: &Manifest) -> Vec<FileLink> {
    let link = |path: &str| (path.to_owned(), what(path));
    let others = manifest.files.iter().filter(|path| *path != FILE && !is_figure(path));
    let figures = manifest.files.iter().any(|path| is_figure(path)).then(|| link("figures/"));
    [link("manifest.json")].into_iter().chain(others.map(|path| link(path))).chain(figures).collect()
}

/// What a file holds, in a few words.
fn what(path: &str) -> &'static str {
    let stem = path.split_once('.').map_or(path, |(stem, _)| stem);
    match stem {
        "manifest" => "what was run, when, and how it ended",
        "scenario" => "the scenario with every default",
        "schema" => "the tables' columns: type, unit, whether cells may be empty",
        "slots" => "every slot at a glance",
        "prosumers" => "every prosumer's slot",
        "trades" => "who wanted how much from whom, and got",
        "convergence" => "prices and choices during each slot's game",
        "ages" => "how old the news was at decisions",
        "clearings" => "what mechanisms that clear by a rule announced and executed",
        "bills" => "what each member used, paid and saved",
        "days" => "what each day came to",
        "months" => "what each month came to",
        "ledger" if path.ends_with(".csv") => "what each channel of the ledger carried",
        "ledger" => "the ledger itself",
        "kpis" => "each case's totals and comparison with P2G",
        "summary" => "each combination of the varied knobs",
        "paired" => "what turning each knob changed, seed by seed",
        "figures/" => "charts as SVG and PNG",
        _ if path.starts_with("data/") => "data of the scenario",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::{
        Status,
        fixtures::{day::Day, whole_case},
    };
    use std::time::Duration;

    #[test]
    fn every_file_of_a_run_has_a_description() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(&recorder.finish(Status::Interrupted, Duration::ZERO).unwrap()).unwrap();
        let files = files(run.manifest());
        assert!(files.len() > 12, "{files:?}");
        let bare: Vec<_> = files.iter().filter(|(_, what)| what.is_empty()).collect();
        assert!(bare.is_empty(), "{bare:?}");
    }
}
