//! The documentation says what the program does: its tables are read and held against the program, in both directions.

mod about;
mod results;
mod scenario;
mod structure;
mod variants;
mod withholding;

use crate::support::repository;
use std::fs;

/// A part of a document, from one heading to the next.
#[derive(Debug)]
struct Section {
    /// Its heading, without marks.
    heading: String,
    /// All that stands below it, up to the next heading.
    text: String,
}

/// The rows of a table, each a list of cells.
type Rows = Vec<Vec<String>>;

impl Section {
    /// The rows of all tables whose first header is `first`.
    fn tables(&self, first: &str) -> Vec<Rows> {
        let mut tables = Vec::new();
        let mut lines = self.text.lines().peekable();
        while let Some(line) = lines.next() {
            let begins = cells(line).first().is_some_and(|cell| cell == first);
            if begins && lines.next().is_some_and(|line| line.starts_with("|---")) {
                let mut rows = Rows::new();
                while let Some(line) = lines.next_if(|line| line.starts_with('|')) {
                    rows.push(cells(line));
                }
                tables.push(rows);
            }
        }
        tables
    }
}

/// The cells of a table's line; none if it is not one.
fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|'));
    inner.map_or_else(Vec::new, |inner| inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The sections of a document.
fn sections(path: &str) -> Vec<Section> {
    let text = fs::read_to_string(repository(path)).expect("the document is there");
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('#'), sections.last_mut()) {
            (Some(heading), _) => {
                let heading = heading.trim_start_matches('#').trim().trim_matches('`').to_owned();
                sections.push(Section { heading, text: String::new() });
            }
            (None, Some(section)) => section.text += &format!("{line}\n"),
            (None, None) => panic!("{path} begins with its title"),
        }
    }
    sections
}

/// The section with this heading.
fn section<'a>(sections: &'a [Section], heading: &str) -> &'a Section {
    let found = sections.iter().find(|section| section.heading == heading);
    found.unwrap_or_else(|| panic!("there is no section {heading}"))
}
