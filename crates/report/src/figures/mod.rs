//! Charts on paper: SVG, and PNG made from it.

mod drawing;
mod heat;
mod legend;
mod marks;
mod png;
mod span;
mod style;
#[cfg(test)]
mod tests;
mod ticks;

use super::{
    chart::Chart,
    charts,
    data::{CaseData, Data},
    page::{FIGURES, is_figure},
};
use microgrid_record::{RecordError, Run, caught};
use rayon::prelude::*;
use std::{collections::BTreeSet, fs, io, path::PathBuf};

/// Of so many cases the day and a slot are drawn, from the first on.
pub const MOST_CASES: usize = 4;

pub use drawing::svg;
pub use png::png;

/// The charts that are drawn of a run, with the names of their files: those of the study, and of the first
/// [`MOST_CASES`] cases those of the day and of the slot that is shown.
pub fn chosen(data: &Data) -> Vec<(String, Chart)> {
    let of_case = |case: &CaseData| {
        let number = case.entry.case;
        let named = |prefix: String, charts: Vec<Chart>| {
            charts.into_iter().map(move |mut chart| {
                chart.title += &charts::of_case(data, &case.entry);
                (format!("{prefix}{}", chart.name), chart)
            })
        };
        let day = named(format!("case_{number}_"), charts::case(data, number));
        let slot =
            case.shown.map(|slot| named(format!("case_{number}_slot_{slot}_"), charts::slot(data, number, slot)));
        day.chain(slot.into_iter().flatten()).collect::<Vec<_>>()
    };
    let study = charts::mechanisms(data).into_iter().chain(charts::study(data));
    let study = study.map(|chart| (chart.name.clone(), chart));
    let all = study.chain(data.cases.iter().take(MOST_CASES).flat_map(of_case));
    let mut names = BTreeSet::new();
    all.map(|(name, chart)| (file_name(&name, &mut names), chart)).collect()
}

/// A name as every file system takes it, and that no file has yet: what is varied may be called anything.
fn file_name(name: &str, names: &mut BTreeSet<String>) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "_-.[]=".contains(letter) { letter } else { '_' };
    let name: String = name.chars().take(120).map(plain).collect();
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = [name.clone()].into_iter().chain(numbered).find(|name| !names.contains(name)).expect("numbers go on");
    names.insert(free.clone());
    free
}

/// Draws the [chosen] charts of a run into its folder, in place of what was drawn before, and names them in its manifest.
/// Each figure is whole at any moment, the old one or the new one. What others have put there stays.
pub fn write(run: &mut Run, data: &Data) -> Result<(), RecordError> {
    let folder = run.folder().join(FIGURES);
    fs::create_dir_all(&folder).map_err(RecordError::file("create", &folder))?;
    let draw = |(name, chart): &(String, Chart)| {
        let drawn = caught(|| {
            let svg = svg(chart);
            (png(&svg), svg)
        });
        let undrawn = |why| RecordError::content(&folder.join(name))(format!("it cannot be drawn: {why}"));
        let (png, svg) = drawn.map_err(undrawn)?;
        let write = |ending: &str, bytes: &[u8]| run.put(&format!("{FIGURES}/{name}.{ending}"), bytes).map(drop);
        write("png", &png).and_then(|()| write("svg", svg.as_bytes()))
    };
    let charts = chosen(data);
    charts.par_iter().try_for_each(draw)?;
    let files = charts.iter().flat_map(|(name, _)| ["svg", "png"].map(|ending| format!("{FIGURES}/{name}.{ending}")));
    let files: Vec<String> = files.collect();
    let is_left = |file: &&String| is_figure(file) && !files.contains(file);
    let left: Vec<PathBuf> = run.manifest().files.iter().filter(is_left).map(|file| run.folder().join(file)).collect();
    run.name_files(is_figure, &files)?;
    left.iter().try_for_each(|path| match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RecordError::file("remove", path)(error)),
        _ => Ok(()),
    })
}
