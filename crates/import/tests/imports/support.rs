//! Folders and files to import from and to.

use microgrid_import::{Folder, ImportError, Imported};
use microgrid_scenario::{Overrides, Plan, load};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder with these files, to import from.
pub(crate) fn sources(files: &[(&str, &str)]) -> (TempDir, Vec<PathBuf>) {
    let root = tempfile::tempdir().unwrap();
    let write = |(name, text): &(&str, &str)| {
        let path = root.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths = files.iter().map(write).collect();
    (root, paths)
}

/// A folder to import to.
pub(crate) fn target(root: &TempDir) -> Folder {
    Folder::at(&root.path().join("imported"), false).unwrap()
}

/// Writes what was imported and loads it as the scenario that it is to be.
pub(crate) fn loaded(imported: &Imported) -> Plan {
    let paths = imported.write().unwrap();
    let scenario = paths.iter().find(|path| path.ends_with("scenario.ron")).unwrap();
    load(scenario, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The lines of a file that was imported.
pub(crate) fn lines<'a>(imported: &'a Imported, file: &str) -> Vec<&'a str> {
    imported.file(file).unwrap().lines().collect()
}

/// Holds an error against what it has to say.
#[track_caller]
pub(crate) fn says(refused: Result<Imported, ImportError>, parts: &[&str]) {
    let missing = unsaid(refused, parts);
    assert!(missing.is_empty(), "{missing}");
}

/// What an error ought to say and does not; nothing if it says all.
pub(crate) fn unsaid(refused: Result<Imported, ImportError>, parts: &[&str]) -> String {
    let error = match refused {
        Ok(_) => return format!("this is not refused: {parts:?}\n"),
        Err(error) => error.to_string(),
    };
    let wanted = [&["= note: "], parts].concat();
    let missing: Vec<&str> = wanted.into_iter().filter(|part| !error.contains(part)).collect();
    if missing.is_empty() { missing.concat() } else { format!("no {missing:?} in\n{error}\n") }
}

/// Whether nothing has been left there.
pub(crate) fn is_absent(path: &Path) -> bool {
    !path.exists()
}
