//! How the program is divided: the crates are those that the architecture page draws, each standing on those that it
//! names, and no two files import each other, but parent and child.

use super::{quoted, section, sections};
use crate::support::repository;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{Item, UseTree, visit::Visit};

/// Folders of all crates.
fn crates() -> Vec<PathBuf> {
    let further = fs::read_dir(repository("crates")).expect("there are further crates");
    let further = further.map(|entry| entry.expect("the folder can be read").path());
    further.chain(["agents", "python", ""].map(repository)).collect()
}

/// Which crates of ours one depends on, by its manifest.
fn dependencies(manifest: &str) -> BTreeSet<&str> {
    let section = manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split(['.', ' ']).next())
        .filter(|name| name.starts_with("microgrid-"))
        .collect()
}

#[test]
fn each_crate_stands_on_those_that_the_architecture_page_names() {
    let page = sections("docs/architecture.md");
    let table = section(&page, "Layout").tables("crate").remove(0);
    let drawn: BTreeMap<String, BTreeSet<String>> = table
        .iter()
        .map(|row| (quoted(&row[0])[0].to_owned(), quoted(&row[3]).into_iter().map(str::to_owned).collect()))
        .collect();
    let manifests =
        crates().into_iter().map(|folder| fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest"));
    let real: BTreeMap<String, BTreeSet<String>> = manifests
        .map(|manifest| {
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"microgrid-")).expect("a name");
            let short = |name: &&str| name.trim_start_matches("microgrid-").to_owned();
            (name.trim_end_matches('"').to_owned(), dependencies(&manifest).iter().map(short).collect())
        })
        .collect();
    assert_eq!(drawn, real);
}

#[test]
fn what_the_robustness_page_promises_is_held_by_tests_that_there_are() {
    let sources = ["src", "agents", "crates", "tests"].into_iter().flat_map(|folder| all_files(&repository(folder)));
    let (tests, others): (Vec<_>, Vec<_>) = sources.partition(|path| path.extension().is_some_and(|end| end == "rs"));
    let tests: String = tests.iter().map(|path| fs::read_to_string(path).expect("a source file")).collect();
    let snapshots: BTreeSet<String> =
        others.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    let mut named = 0;
    for row in sections("docs/robustness.md").iter().flat_map(|section| section.tables("fault")).flatten() {
        for name in quoted(&row[2]).into_iter().filter(|name| !name.ends_with(".rs")) {
            named += 1;
            let is_there = match name.strip_suffix('*') {
                Some(start) => {
                    let start = format!("suite__bad_scenarios__{start}");
                    snapshots.iter().any(|file| file.starts_with(&start))
                }
                None => {
                    let of_snapshot = format!("suite__bad_scenarios__{name}.snap");
                    tests.contains(&format!("fn {name}(")) || snapshots.contains(&of_snapshot)
                }
            };
            assert!(is_there, "docs/robustness.md names {name}");
        }
    }
    assert!(named > 40, "{named}");
}

/// All files in a folder and in those within.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of source").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// A file's module, and what it imports of its crate.
#[derive(Default)]
struct Imports {
    /// The module under way, within the file.
    module: Vec<String>,
    paths: Vec<Vec<String>>,
}

impl Imports {
    /// Adds a path, if it is one within the crate.
    fn add(&mut self, path: Vec<String>) {
        let mut module = self.module.clone();
        let mut segments = path.into_iter().peekable();
        match segments.peek().map(String::as_str) {
            Some("crate") => module.clear(),
            Some("super" | "self") => {}
            _ => return,
        }
        while let Some(first) = segments.next_if(|segment| matches!(&**segment, "crate" | "super" | "self")) {
            if first == "super" {
                module.pop();
            }
        }
        self.paths.push(module.into_iter().chain(segments).collect());
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.add(with(name.ident.to_string())),
            UseTree::Rename(rename) => self.add(with(rename.ident.to_string())),
            UseTree::Glob(_) => self.add(before.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(before, tree)),
        }
    }
}

impl<'a> Visit<'a> for Imports {
    fn visit_item(&mut self, item: &'a Item) {
        let attributes = match item {
            Item::Mod(module) => &module.attrs,
            Item::Use(import) => &import.attrs,
            _ => &Vec::new(),
        };
        let for_tests =
            attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && quote_of(attribute).contains("test"));
        if for_tests {
            return;
        }
        match item {
            Item::Mod(module) => {
                self.module.push(module.ident.to_string());
                syn::visit::visit_item_mod(self, module);
                self.module.pop();
            }
            Item::Use(import) => self.add_tree(&[], &import.tree),
            item => syn::visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}

/// The text within an attribute's brackets.
fn quote_of(attribute: &syn::Attribute) -> String {
    attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default()
}

/// All source files below a folder, but tests and what only they use.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of source").map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("tests" | "fixtures") => Vec::new(),
        _ if path.is_dir() => files(&path),
        _ => Vec::from_iter((path.extension().is_some_and(|end| end == "rs")).then_some(path)),
    };
    entries.flat_map(of).collect()
}

/// Which module each file of a crate imports; a module is the path that leads to it.
fn graph(source: &Path) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let module = |file: &Path| -> Vec<String> {
        let path = file.strip_prefix(source).expect("a file of the crate").with_extension("");
        let parts = path.iter().map(|part| part.to_str().expect("a name").to_owned());
        parts.filter(|part| !matches!(&**part, "lib" | "main" | "mod")).collect()
    };
    let files = files(source);
    let modules: BTreeSet<Vec<String>> = files.iter().map(|file| module(file)).collect();
    let imports = |file: &PathBuf| {
        let from = module(file);
        let mut imports = Imports { module: from.clone(), paths: Vec::new() };
        imports.visit_file(&syn::parse_file(&fs::read_to_string(file).expect("a text")).expect("a source file"));
        let target = |path: &Vec<String>| {
            (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|path| modules.contains(path))
        };
        let targets = imports.paths.iter().filter_map(target);
        let others = targets.filter(|to| !from.starts_with(to) && !to.starts_with(&from)).collect();
        (from, others)
    };
    files.iter().map(imports).collect()
}

#[test]
fn no_two_files_import_each_other_round_about() {
    for folder in crates() {
        let mut graph = graph(&folder.join("src"));
        assert!(graph.values().any(|imports| !imports.is_empty()) || graph.len() < 5, "{}", folder.display());
        // Whoever imports nothing that is left is in no circle.
        loop {
            let left: BTreeSet<Vec<String>> = graph.keys().cloned().collect();
            graph.retain(|_, imports| imports.iter().any(|import| left.contains(import)));
            if graph.len() == left.len() {
                break;
            }
        }
        assert!(graph.is_empty(), "in {}, or behind them: {graph:#?}", folder.display());
    }
}
