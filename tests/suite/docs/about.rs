//! What the project says about itself beside its documentation: how it is cited, and what has changed.

use crate::support::repository;
use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).expect("the file is there")
}

/// A line of YAML in block style: how far it is indented, whether it begins an element of a list, its key, which an
/// element may lack, and its value.
#[derive(Debug)]
struct Line {
    indent: usize,
    element: bool,
    key: String,
    value: String,
}

/// The lines of a YAML file of maps and lists in block style, with every value on the line of its key.
///
/// Panics where the file is anything else, so that every parser of YAML reads it alike.
fn yaml(text: &str) -> Vec<Line> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    let line = |line: &str| {
        assert!(!line.contains('\t') && line == line.trim_end(), "{line:?}");
        let (element, rest) =
            line.trim_start().strip_prefix("- ").map_or((false, line.trim_start()), |rest| (true, rest));
        let keyed = rest.split_once(':').filter(|_| !rest.starts_with('"'));
        let (key, value) = keyed.unwrap_or(("", rest));
        assert!(element || keyed.is_some(), "{line:?} has no key");
        let value = value.trim();
        let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
        let bare = |letter: char| !":#\"'[]{}&*!|>%@`".contains(letter);
        let fine = quoted && !value[1..value.len() - 1].contains(['"', '\\']) || value.chars().all(bare);
        assert!(fine || value.starts_with("https://"), "{line:?} needs quotes");
        assert!(key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'), "{line:?}");
        let indent = line.len() - rest.len();
        Line { indent, element, key: key.to_owned(), value: value.trim_matches('"').to_owned() }
    };
    let lines: Vec<Line> = lines.map(line).collect();
    for pair in lines.windows(2) {
        let deeper = pair[1].indent > pair[0].indent;
        assert!(!deeper || pair[0].value.is_empty(), "{:?} has a value and something below it", pair[0]);
    }
    lines
}

#[test]
fn the_citation_names_this_version_and_the_article() {
    let lines = yaml(&read("CITATION.cff"));
    let value = |key: &str| {
        let found = lines.iter().find(|line| line.indent == 0 && line.key == key);
        found.unwrap_or_else(|| panic!("{key} is missing")).value.as_str()
    };
    assert_eq!(value("cff-version"), "1.2.0");
    assert_eq!((value("title"), value("type")), ("microgrid-sim", "software"));
    assert_eq!(value("version"), env!("CARGO_PKG_VERSION"));
    assert!(!value("message").is_empty() && value("authors").is_empty() && value("license").is_empty());
    let below = |key: &'static str| {
        let section = lines.iter().skip_while(move |line| line.indent > 0 || line.key != key);
        section.skip(1).take_while(|line| line.indent > 0)
    };
    let licenses = read("Cargo.toml")
        .lines()
        .find_map(|line| Some(line.strip_prefix("license = \"")?.trim_matches('"').to_owned()));
    let cited: Vec<_> = below("license").map(|line| line.value.as_str()).collect();
    assert_eq!(licenses, Some(cited.join(" OR ")));
    assert_eq!(below("authors").filter(|line| line.element).count(), 1);
    let article: Vec<_> = below("references").collect();
    let has = |key: &str, value: &str| {
        assert!(article.iter().any(|line| line.key == key && line.value == value), "{key}: {value}")
    };
    has("type", "article");
    has("title", "Electricity trading optimization decision for microgrid based on blockchain and two-level game");
    has("journal", "Electric Power Automation Equipment");
    for author in ["Zhou", "Cao", "Zang", "Zhang", "Peng"] {
        has("family-names", author);
    }
}

#[test]
fn the_changelog_begins_with_this_version() {
    let text = read("CHANGELOG.md");
    let versions: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let released = versions.iter().find(|version| **version != "[Unreleased]");
    let newest = released.expect("a version").trim_start_matches('[');
    assert!(newest.starts_with(env!("CARGO_PKG_VERSION")), "{versions:?}");
    let kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    for kind in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(kinds.contains(&kind), "{kind} is no kind of change");
    }
}
