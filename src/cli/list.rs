//! `sim list`: the runs below a folder.

use super::{
    error::CliError,
    price_path::Range,
    print,
    table::{Cell, Table, Tone, key, spare, words},
    text::{bold, fixed, signed},
};
use crate::{
    framework::quoted,
    record::{KeyFigures, Manifest, Run, Status, knob_text},
    scenario::files,
};
use indexmap::IndexSet;
use std::{
    cmp::Reverse,
    fs, io,
    path::{Path, PathBuf},
};

/// Runs lie in a scenario's folder, and that in the folder of all results.
const DEPTH: u32 = 2;
/// Of a knob with more values than this the first and the last are shown.
const MOST_VALUES: usize = 4;

/// Prints a line a run, the newest first. What else lies in the folder is passed over.
pub(super) fn list(folder: &Path) -> Result<(), CliError> {
    print(&told(folder)?)
}

/// What that prints.
pub(super) fn told(folder: &Path) -> Result<String, CliError> {
    let mut found = Vec::new();
    let unlisted = |why: &str| CliError::bad_input(format!("cannot list {}: {why}", folder.display()));
    if folder.is_file() {
        return Err(unlisted("it is a file, and runs are in a folder, such as `results`"));
    }
    runs(folder, DEPTH, &mut found).map_err(|error| match (error.kind(), files::meant(folder)) {
        (_, Some(meant)) => unlisted(&format!("it is not there: did you mean {}?", meant.display())),
        (io::ErrorKind::NotFound, None) => unlisted("there is no such folder; a run makes one"),
        _ => unlisted(&files::in_words(&error)),
    })?;
    Ok(listed(folder, &found))
}

/// The folders of runs in `folder` and below.
fn runs(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if Run::lies_in(folder) {
        found.push(folder.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Links lead to runs that are there anyway.
        if entry.file_type()?.is_dir() {
            // What cannot be read is none of ours.
            runs(&entry.path(), depth - 1, found).unwrap_or_default();
        }
    }
    Ok(())
}

fn listed(folder: &Path, found: &[PathBuf]) -> String {
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for path in found {
        match Run::open(path).and_then(|run| run.key_figures().map(|figures| (run, figures))) {
            Ok(read) => runs.push(read),
            Err(error) => unreadable.push(format!("not read: {error}\n")),
        }
    }
    runs.sort_by_key(|(run, _)| (Reverse(run.manifest().started.clone()), run.folder().to_owned()));
    unreadable.sort();
    if runs.is_empty() {
        return format!("no runs in {}\n{}", folder.display(), unreadable.concat());
    }
    let started = |run: &Run| run.manifest().started.replace('T', " ").replace('Z', "");
    let table = Table::of(&runs)
        .column(key(words("scenario")), |(run, _)| name(run.manifest()))
        .column(key(words("started (UTC)")), |(run, _)| started(run))
        .column(spare(1, "seed"), |(run, _)| run.manifest().seed)
        .column(spare(0, "cases"), |(run, figures)| match run.manifest().case_count {
            cases if cases as usize == figures.len() => cases.to_string(),
            cases => format!("{} of {cases}", figures.len()),
        })
        .column(words("status"), |(run, _)| status(&run.manifest().status))
        .column("settled\n[%]", |(_, figures)| in_equilibrium(figures))
        .column("welfare\nover\nP2G [%]", |(_, figures)| gains(figures))
        .column(words("knobs"), |(run, _)| knobs(run.manifest()));
    let folders = runs.iter().map(|(run, _)| format!("{}\n", quoted(&run.folder().display().to_string())));
    let title = bold("their folders, for `sim show`, `report`, `compare`, `resume` and `ledger`");
    format!("{}\n{title}\n{}{}", table.draw(), folders.collect::<String>(), unreadable.concat())
}

/// What the run's folder lies in: its scenario's name, with that of its part.
fn name(manifest: &Manifest) -> String {
    let part = manifest.part.and_then(|part| part.part().ok());
    part.map_or_else(|| manifest.scenario.clone(), |part| part.name(&manifest.scenario))
}

/// What was set and what is varied, as `--set` takes it: `mu=1 delay=10ms,1s`.
fn knobs(manifest: &Manifest) -> String {
    let varied = manifest.cases.first().into_iter().flat_map(|case| case.knobs.keys());
    let varied = varied.map(|name| {
        let values = manifest.cases.iter().filter_map(|case| case.knobs.get(name).map(knob_text));
        let values: Vec<String> = values.collect::<IndexSet<_>>().into_iter().collect();
        match values.as_slice() {
            [first, .., last] if values.len() > MOST_VALUES => format!("{name}={first},...,{last}"),
            _ => format!("{name}={}", values.join(",")),
        }
    });
    let set = manifest.set.iter().map(|(name, value)| format!("{name}={}", knob_text(value)));
    set.chain(varied).collect::<Vec<_>>().join(" ")
}

fn status(status: &Status) -> Cell {
    let (text, tone) = match status {
        Status::Finished => ("finished", Tone::Good),
        Status::Unfinished => ("unfinished", Tone::Caution),
        Status::Interrupted => ("interrupted", Tone::Caution),
        Status::Failed(_) => ("failed", Tone::Bad),
    };
    Cell { text: text.to_owned(), tone }
}

/// The part of all market slots, of all cases whose mechanism looks for an equilibrium, that ended in one.
fn in_equilibrium(figures: &[KeyFigures]) -> Cell {
    let searches = figures.iter().filter_map(|case| Some((f64::from(case.market_slots), case.equilibrium_share?)));
    let (slots, settled) = searches.fold((0.0, 0.0), |(all, of), (slots, share)| (all + slots, of + slots * share));
    if slots == 0.0 {
        return "-".into();
    }
    let tone = if settled < slots { Tone::Caution } else { Tone::Good };
    Cell { text: fixed(100.0 * settled / slots, 1), tone }
}

/// The least and the greatest gain of a case.
fn gains(figures: &[KeyFigures]) -> String {
    let Some(Range { least, greatest }) =
        Range::of(figures.iter().filter_map(|case| case.open_slots.welfare_gain_percent))
    else {
        return "-".to_owned();
    };
    let (least, greatest) = (signed(least, 1), signed(greatest, 1));
    if least == greatest { least } else { format!("{least}..{greatest}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::fixtures::{day::Day, whole_case},
    };

    #[test]
    fn runs_are_found_among_other_things() {
        let (_day, recorder) = whole_case(Day::new());
        let home = recorder.folder().parent().unwrap().to_owned();
        let root = home.parent().unwrap();
        fs::create_dir_all(root.join("pictures/of/cats/and")).unwrap();
        fs::write(root.join("notes.txt"), "nothing of ours").unwrap();
        let broken = home.join("broken");
        fs::create_dir(&broken).unwrap();
        fs::write(broken.join("manifest.json"), "{}").unwrap();
        for folder in [root, &home] {
            let mut found = Vec::new();
            runs(folder, DEPTH, &mut found).unwrap();
            assert_eq!(found.len(), 2, "the run and the broken one, not the link to the newest: {found:?}");
            let text = plain(&listed(folder, &found));
            assert!(text.contains("\nday       ") && text.contains("  unfinished"), "{text}");
            assert!(text.contains("  mu=0,1\n"), "{text}");
            assert!(text.contains(&format!("`ledger`\n{}\nnot read: ", recorder.folder().display())), "{text}");
            assert!(text.contains(&format!("not read: {}", broken.join("manifest.json").display())), "{text}");
        }
        assert!(told(&root.join("notes.txt")).unwrap_err().text.contains("it is a file"));
        assert!(told(&root.join("PICTURES")).unwrap_err().text.ends_with("pictures?"));
        let nothing = root.join("pictures");
        assert_eq!(listed(&nothing, &[]), format!("no runs in {}\n", nothing.display()));
    }
}
