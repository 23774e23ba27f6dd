//! `import.md`: what was read, dropped and changed, and of what the scenario is made up.

use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// So many things, in words: `1 day`, `2 days`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The verb for so many things.
pub(crate) fn verb(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Source {
    /// The file there.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
        let mut block = vec![0; 1 << 20];
        loop {
            match file.read(&mut block)? {
                0 => break,
                read => {
                    hash.update(&block[..read]);
                    bytes += read as u64;
                }
            }
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, bytes, sha256: hex::encode(hash.finalize()) })
    }
}

/// What an import tells of itself.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub(crate) kind: &'static str,
    pub(crate) sources: Vec<Source>,
    /// Who owns the data, and on what terms it may be passed on, where that is known.
    pub(crate) licence: Option<&'static str>,
    /// What was read.
    pub read: Vec<String>,
    /// What was left out, shifted, filled or rounded off.
    pub changed: Vec<String>,
    /// What the source does not tell and the scenario needs.
    pub placeholders: Vec<String>,
    /// What is allowed, but hardly meant, as `sim check` warns of it.
    pub warnings: Vec<String>,
}

impl Page {
    pub(crate) fn markdown(&self, name: &str) -> String {
        let list = |heading: &str, lines: &[String]| {
            let none = ["Nothing.".to_owned()];
            let lines = if lines.is_empty() { &none[..] } else { lines };
            let items: String = lines.iter().map(|line| format!("- {line}\n")).collect();
            format!("\n## {heading}\n\n{items}")
        };
        let row = |source: &Source| format!("| `{}` | {} | `{}` |\n", source.name, source.bytes, source.sha256);
        let rows: String = self.sources.iter().map(row).collect();
        let licence = self.licence.unwrap_or("Not known: ask whoever gave you the data before you pass them on.");
        format!(
            "# {name}\n\nMade by `sim import {}`. Run it with `sim scenario.ron`.\n\n## Source\n\n| file | bytes | SHA-256 |\n\
             |---|---|---|\n{rows}\n{licence}\n{}{}{}",
            self.kind,
            list("Read", &self.read),
            list("Dropped, shifted, filled", &self.changed),
            list("Placeholders", &self.placeholders),
        )
    }
}
