//! The folder that an import leaves: a scenario, its tables and a page about them, or nothing at all.

use crate::{error::ImportError, error::refused, page::Page};
use microgrid_scenario::{Draft, NAME, ScenarioError, files, is_name};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Name of the scenario's file.
const SCENARIO: &str = "scenario.ron";

/// A folder to be filled, whose name is the scenario's.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Name of the scenario.
    pub(crate) name: String,
}

impl Folder {
    /// The folder at `path`, which must not be there, or be empty, or may be written over (`force`). Fails if its name is
    /// none for a scenario.
    pub fn at(path: &Path, force: bool) -> Result<Self, ImportError> {
        let shown = path.display();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !is_name(&name) {
            let problem = format!("--out: `{name}`, the last part of {shown}, is to be the scenario's name");
            return Err(refused(problem, [format!("allowed: {NAME}")]).into());
        }
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(false) if !force => {
                let mend = "name another, empty it, or write over its files with `--force`".to_owned();
                Err(refused(format!("--out: {shown} is not empty"), [mend]).into())
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(refused(format!("--out: cannot write to {shown}: {}", files::in_words(&error)), []).into())
            }
            _ => Ok(Self { path: path.to_owned(), name }),
        }
    }
}

/// What came of an import, ready to be written.
#[derive(Clone, Debug)]
pub struct Imported {
    folder: Folder,
    /// Names and contents.
    files: Vec<(&'static str, String)>,
    /// What it tells of itself.
    pub page: Page,
}

impl Imported {
    /// What is to be written. Fails if the scenario is none that `sim check` lets pass.
    pub(crate) fn new(
        folder: &Folder,
        scenario: String,
        tables: Vec<(&'static str, String)>,
        mut page: Page,
    ) -> Result<Self, ScenarioError> {
        let plan = Draft::named(SCENARIO, &scenario).and_then(|mut draft| {
            tables.iter().for_each(|(name, text)| draft.give(name, text));
            draft.plan()
        });
        let note = "the import would leave this in its folder, which is no scenario; nothing is written";
        page.warnings = plan.map_err(|error| error.noted(note))?.warnings.iter().map(ToString::to_string).collect();
        let mut files = vec![(SCENARIO, scenario), ("import.md", page.markdown(&folder.name))];
        files.splice(1..1, tables);
        Ok(Self { folder: folder.clone(), files, page })
    }

    /// Writes all files; returns their paths.
    pub fn write(&self) -> Result<Vec<PathBuf>, ImportError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| ImportError::Write { path, source }
        };
        fs::create_dir_all(&self.folder.path).map_err(failed(&self.folder.path))?;
        let write = |(name, text): &(&str, String)| {
            let path = self.folder.path.join(name);
            files::write(&path, text).map_err(failed(&path)).map(|()| path)
        };
        self.files.iter().map(write).collect()
    }

    /// What a file of it holds.
    #[doc(hidden)]
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }
}
