//! Where the tables of a set lie: in PyPI's wheel, which is a ZIP archive, or in a folder.

use crate::{
    error::refused,
    page,
    table::{self, Table},
};
use microgrid_scenario::{LARGEST_DATA, Report, ScenarioError, TextFile, did_you_mean, files};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};
use zip::{ZipArchive, result::ZipError};

/// What stands between cells.
const SEPARATOR: char = ';';

/// A set of tables.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    kind: Kind,
    /// What was read.
    pub(super) read: Vec<page::Source>,
}

#[derive(Debug)]
enum Kind {
    Folder,
    Wheel { archive: ZipArchive<BufReader<File>>, set: String },
}

impl Source {
    /// The set in a wheel, or the one that a folder is.
    pub(super) fn open(path: &Path, set: &str) -> Result<Self, ScenarioError> {
        let read = Vec::new();
        if path.is_dir() {
            if set != super::TODAY {
                let mend = "leave it out, or name the wheel".to_owned();
                return Err(refused(format!("--set: a folder is a set, and {} is one", path.display()), [mend]));
            }
            return Ok(Self { path: path.to_owned(), kind: Kind::Folder, read });
        }
        let unreadable = |why: String, mend: &str| {
            let problem = format!("cannot read {}: {why}", path.display());
            ScenarioError::Unreadable(Report::unplaced(problem, [mend.to_owned()]))
        };
        const WANTED: &str = "allowed: the wheel that `pip download --no-deps simbench==1.6.3` brings, or a folder with \
                              Load.csv, RES.csv, LoadProfile.csv and RESProfile.csv";
        let file = files::open(path).map_err(|error| unreadable(files::in_words(&error), WANTED))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(why(&error), WANTED))?;
        let names = archive.file_names().flatten();
        let set_of = |name: Cow<'_, str>| Some(name.strip_prefix(NETWORKS)?.split_once('/')?.0.to_owned());
        let sets: BTreeSet<String> = names.filter_map(set_of).collect();
        if sets.is_empty() {
            return Err(unreadable(format!("it has no tables in {NETWORKS}"), WANTED));
        }
        if !sets.contains(set) {
            let known = format!("allowed: {}", sets.iter().cloned().collect::<Vec<_>>().join(", "));
            let meant = did_you_mean(set, sets.iter().map(String::as_str));
            return Err(refused(format!("--set: there is no set `{set}`"), meant.into_iter().chain([known])));
        }
        let read = vec![page::Source::of_file(path).map_err(|error| unreadable(files::in_words(&error), WANTED))?];
        Ok(Self { path: path.to_owned(), kind: Kind::Wheel { archive, set: set.to_owned() }, read })
    }

    /// What the set is called.
    pub(super) fn set(&self) -> String {
        match &self.kind {
            Kind::Folder => "in the folder".to_owned(),
            Kind::Wheel { set, .. } => format!("`{set}`"),
        }
    }

    /// A table of it.
    pub(super) fn table(&mut self, name: &str) -> Result<Table, ScenarioError> {
        let file = match &mut self.kind {
            Kind::Folder => {
                let path = self.path.join(name);
                let file = table::read(&path)?;
                self.read.extend(page::Source::of_file(&path).ok());
                file
            }
            Kind::Wheel { archive, set } => {
                let entry = format!("{NETWORKS}{set}/{name}");
                let shown = format!("{}/{entry}", self.path.display());
                let bytes = entry_of(archive, &entry).map_err(|why| {
                    ScenarioError::Unreadable(Report::unplaced(format!("cannot read {shown}: {why}"), []))
                })?;
                TextFile::of(shown, bytes)?
            }
        };
        Table::of(file, SEPARATOR)
    }

    /// The same, if it is there.
    pub(super) fn table_if_any(&mut self, name: &str) -> Result<Option<Table>, ScenarioError> {
        let is_there = match &self.kind {
            Kind::Folder => self.path.join(name).exists(),
            Kind::Wheel { archive, set } => archive.index_for_name(&format!("{NETWORKS}{set}/{name}")).is_some(),
        };
        is_there.then(|| self.table(name)).transpose()
    }
}

/// Where a wheel has its sets.
const NETWORKS: &str = "simbench/networks/";

fn entry_of(archive: &mut ZipArchive<BufReader<File>>, name: &str) -> Result<Vec<u8>, String> {
    let entry = archive.by_name(name).map_err(|error| why(&error))?;
    let mut bytes = Vec::new();
    // A damaged archive may promise anything.
    entry.take(LARGEST_DATA).read_to_end(&mut bytes).map_err(|error| files::in_words(&error))?;
    Ok(bytes)
}

fn why(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) => files::in_words(error),
        ZipError::FileNotFound => "there is no such file in the archive".to_owned(),
        ZipError::InvalidArchive(_) => "it is no ZIP archive, or a damaged one".to_owned(),
        other => other.to_string(),
    }
}
