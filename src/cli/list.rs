//! `sim list`: the runs below a folder.

use super::{
    args::ListArguments,
    error::CliError,
    print,
    table::{Cell, Column, Tone, table},
    text::{fixed, signed},
};
use crate::record::{KeyFigures, RecordError, Run, Status};
use std::{
    cmp::Reverse,
    fs, io,
    path::{Path, PathBuf},
};

/// Runs lie in a scenario's folder, and that in the folder of all results.
const DEPTH: u32 = 2;

/// Prints a line a run, the newest first. What else lies in the folder is passed over.
pub(super) fn list(arguments: &ListArguments) -> Result<(), CliError> {
    let folder = &arguments.folder;
    let mut found = Vec::new();
    let list_error = |source| CliError::NoFolder { folder: folder.clone(), source };
    runs(folder, DEPTH, &mut found).map_err(list_error)?;
    print(&listed(folder, &found))
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
        match read(path) {
            Ok(read) => runs.push(read),
            Err(error) => unreadable.push(format!("not read: {error}\n")),
        }
    }
    runs.sort_by_key(|(run, _)| (Reverse(run.manifest().started.clone()), run.folder().to_owned()));
    unreadable.sort();
    let columns = vec![
        Column::new("scenario").left().key(),
        Column::new("started (UTC)").left().key(),
        Column::new("seed").spare(1),
        Column::new("cases").spare(0),
        Column::new("status").left(),
        Column::new("settled\n[%]"),
        Column::new("welfare\nover\nP2G [%]"),
    ];
    let lines = table(columns, runs.iter().map(|(run, figures)| line(run, figures)));
    let told = if runs.is_empty() { format!("no runs in {}\n", folder.display()) } else { lines };
    told + &unreadable.concat()
}

/// A run with the key figures of its cases, if it has come so far as to have any.
fn read(path: &Path) -> Result<(Run, Vec<KeyFigures>), RecordError> {
    let run = Run::open(path)?;
    let figures = run.key_figures()?;
    Ok((run, figures))
}

fn line(run: &Run, figures: &[KeyFigures]) -> Vec<Cell> {
    let manifest = run.manifest();
    let (done, cases) = (figures.len() as u32, manifest.case_count);
    let (status, tone) = match &manifest.status {
        Status::Finished => ("finished", Tone::Good),
        Status::Unfinished => ("unfinished", Tone::Caution),
        Status::Interrupted => ("interrupted", Tone::Caution),
        Status::Failed(_) => ("failed", Tone::Bad),
    };
    vec![
        manifest.scenario.clone().into(),
        manifest.started.replace('T', " ").replace('Z', "").into(),
        manifest.seed.to_string().into(),
        if done == cases { cases.to_string() } else { format!("{done} of {cases}") }.into(),
        Cell::toned(status, tone),
        in_equilibrium(figures),
        gains(figures).into(),
    ]
}

/// The part of all market slots, of all cases, that ended in equilibrium.
fn in_equilibrium(figures: &[KeyFigures]) -> Cell {
    let slots: f64 = figures.iter().map(|case| f64::from(case.market_slots)).sum();
    let share = |case: &KeyFigures| f64::from(case.market_slots) * case.equilibrium_share.unwrap_or(0.0);
    let settled: f64 = figures.iter().map(share).sum();
    if slots == 0.0 {
        return "-".into();
    }
    let tone = if settled < slots { Tone::Caution } else { Tone::Good };
    Cell::toned(fixed(100.0 * settled / slots, 1), tone)
}

/// The least and the greatest gain of a case.
fn gains(figures: &[KeyFigures]) -> String {
    let gains: Vec<f64> = figures.iter().filter_map(|case| case.open_slots.welfare_gain_percent).collect();
    let least = gains.iter().copied().min_by(f64::total_cmp).map(|gain| signed(gain, 1));
    let greatest = gains.iter().copied().max_by(f64::total_cmp).map(|gain| signed(gain, 1));
    match (least, greatest) {
        (Some(least), Some(greatest)) if least == greatest => least,
        (Some(least), Some(greatest)) => format!("{least}..{greatest}"),
        _ => "-".to_owned(),
    }
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
            assert!(text.contains("\nday       ") && text.contains("1 of 2  unfinished"), "{text}");
            assert!(text.contains(&format!("not read: {}", broken.join("manifest.json").display())), "{text}");
        }
        let nothing = root.join("pictures");
        assert_eq!(listed(&nothing, &[]), format!("no runs in {}\n", nothing.display()));
    }
}
