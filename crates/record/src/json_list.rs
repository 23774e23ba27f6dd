//! A JSON list as a file that grows, and is valid JSON all the while.

use super::{error::RecordError, folder};
use serde::Serialize;
use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    marker::PhantomData,
    path::{Path, PathBuf},
};

/// A list in a file; its text is always that of the whole list printed at once.
#[derive(Debug)]
pub(super) struct JsonList<T> {
    path: PathBuf,
    file: File,
    /// Where the text ends that stays when the list grows [bytes]: behind the opening bracket or the last item.
    end: u64,
    items: PhantomData<fn(T)>,
}

impl<T: Serialize> JsonList<T> {
    /// Creates the file with an empty list.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub(super) fn create(path: &Path) -> Result<Self, RecordError> {
        let file = File::create_new(path).map_err(RecordError::file("create", path))?;
        let mut list = Self { path: path.to_owned(), file, end: 0, items: PhantomData };
        list.write("[", "]\n")?;
        Ok(list)
    }

    /// Opens the list in a file to go on behind its first `end` bytes; what follows them is cut off.
    ///
    /// # Errors
    /// If the file is shorter than that or cannot be written.
    pub(super) fn reopen(path: &Path, end: u64) -> Result<Self, RecordError> {
        let file = folder::cut(path, end)?;
        let mut list = Self { path: path.to_owned(), file, end, items: PhantomData };
        list.write("", if end == 1 { "]\n" } else { "\n]\n" })?;
        Ok(list)
    }

    /// Where the text ends that stays when the list grows [bytes].
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds an item.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn push(&mut self, item: &T) -> Result<(), RecordError> {
        let alone = serde_json::to_string_pretty(&[item])
            .map_err(|source| RecordError::Json { path: self.path.clone(), source })?;
        let item = alone.trim_start_matches('[').trim_end_matches("\n]");
        let comma = if self.end == 1 { "" } else { "," };
        self.write(&format!("{comma}{item}"), "\n]\n")
    }

    /// Writes `text` behind what stays and then what closes the list, in one piece, so that the list is whole whoever
    /// ends the program.
    fn write(&mut self, text: &str, closing: &str) -> Result<(), RecordError> {
        self.file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(format!("{text}{closing}").as_bytes()))
            .map_err(RecordError::file("write", &self.path))?;
        self.end += text.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_growing_list_is_at_any_time_what_a_whole_one_prints() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.json");
        let mut list = JsonList::create(&path).unwrap();
        let items = [vec![], vec!["[", "\n]"], vec!["x"]];
        for done in 0..=items.len() {
            let whole = serde_json::to_string_pretty(&items[..done]).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}\n"));
            if let Some(item) = items.get(done) {
                list.push(item).unwrap();
            }
        }
    }

    #[test]
    fn a_list_that_is_cut_off_is_whole_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.json");
        let mut list = JsonList::create(&path).unwrap();
        let mut ends = vec![list.end()];
        for item in ["a", "b", "c"] {
            list.push(&item).unwrap();
            ends.push(list.end());
        }
        for (kept, &end) in ends.iter().enumerate().rev() {
            let mut again = JsonList::reopen(&path, end).unwrap();
            let items = &["a", "b", "c"][..kept];
            assert_eq!(fs::read_to_string(&path).unwrap(), serde_json::to_string_pretty(items).unwrap() + "\n");
            again.push(&"d").unwrap();
            let items: Vec<_> = items.iter().chain(&["d"]).collect();
            assert_eq!(fs::read_to_string(&path).unwrap(), serde_json::to_string_pretty(&items).unwrap() + "\n");
        }
    }
}
