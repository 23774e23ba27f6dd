//! `docs/results.md` has every file, column and field that a run leaves, and no other.

use super::{Section, quoted, section, sections};
use crate::support::{recorded, shipped};
use microgrid_sim::{
    record::Run,
    report::{data::Data, figures},
    scenario::{self, Overrides},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A run of two cases with everything recorded.
fn run() -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let run = recorded(&shipped("5_prosumers.ron", &[]), root.path());
    (root, run)
}

fn json(run: &Path, file: &str) -> Value {
    let text = fs::read_to_string(run.join(file)).expect("the file is there");
    serde_json::from_str(&text).expect("the file is JSON")
}

/// What the first column of the section's tables with this header names.
fn named(section: &Section, header: &str) -> Vec<String> {
    let rows = section.tables(header).concat();
    rows.iter().flat_map(|row| quoted(&row[0]).into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The run's tables by name, with their headers.
fn tables(run: &Path) -> Vec<(String, Vec<String>)> {
    let files = fs::read_dir(run).expect("the run's folder").map(|entry| entry.expect("an entry").path());
    let tables = files.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let header = |path: PathBuf| {
        let mut csv = csv::Reader::from_path(&path).expect("a table");
        let header = csv.headers().expect("a header").iter().map(str::to_owned).collect();
        (path.file_name().expect("a name").display().to_string(), header)
    };
    tables.map(header).collect()
}

#[test]
fn every_column_of_every_table_is_documented_in_its_order_and_no_other() {
    let (_root, run) = run();
    let sections = sections("docs/results.md");
    let tables = tables(&run);
    assert!(tables.len() >= 6, "{tables:?}");
    for (file, header) in tables.iter().filter(|(file, _)| file != "summary.csv") {
        // `mu` is the one knob that is varied.
        let columns: Vec<_> =
            named(section(&sections, file), "column").iter().map(|name| name.replace("<knob>", "mu")).collect();
        assert_eq!(&columns, header, "{file} in docs/results.md");
    }
    let documented = sections.iter().filter(|section| section.heading.ends_with(".csv"));
    let documented: BTreeSet<_> = documented.map(|section| section.heading.as_str()).collect();
    assert_eq!(documented, tables.iter().map(|(file, _)| file.as_str()).collect());
}

#[test]
fn the_schema_has_every_column_of_every_table_with_its_documented_unit() {
    let (_root, run) = run();
    let sections = sections("docs/results.md");
    let schema = json(&run, "schema.json");
    let tables = tables(&run);
    assert_eq!(schema.as_object().expect("tables by name").len(), tables.len());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (file, header) in &tables {
        let columns = schema[file].as_array().unwrap_or_else(|| panic!("{file} is in schema.json"));
        assert!(columns.iter().map(|column| text(&column["name"])).eq(header.iter().cloned()), "{file}");
        if ["summary.csv", "paired.csv"].contains(&&**file) {
            continue;
        }
        let documented = section(&sections, file).tables("column").concat();
        let units = documented.iter().map(|row| row[1].clone());
        assert!(units.eq(columns.iter().map(|column| text(&column["unit"]))), "units of {file} in docs/results.md");
    }
    let of = |file: &str, name: &str| {
        let column = schema[file].as_array().expect("columns").iter().find(|column| column["name"] == name);
        let column = column.unwrap_or_else(|| panic!("{file} has {name}"));
        (text(&column["type"]), text(&column["unit"]), column["empty"] == true)
    };
    let told = |kind: &str, unit: &str, empty| (kind.to_owned(), unit.to_owned(), empty);
    assert_eq!(of("summary.csv", "mu"), told("float64", "", false));
    assert_eq!(of("summary.csv", "welfare_cny_sd"), told("float64", "CNY", true));
    assert_eq!(of("summary.csv", "welfare_cny_count"), told("uint32", "", false));
    assert_eq!(of("paired.csv", "from"), told("string", "", false));
    assert_eq!(of("ledger.csv", "bytes"), told("uint64", "bytes", false));
    assert_eq!(of("prosumers.csv", "role"), told("string", "", false));
}

#[test]
fn every_column_of_the_summary_is_one_that_is_documented() {
    let (_root, run) = run();
    let sections = sections("docs/results.md");
    let documented = named(section(&sections, "summary.csv"), "column");
    let measures = named(section(&sections, "Measures"), "measure");
    let is_of_measure = |column: &&String| column.starts_with("<measure>");
    let of_measures: Vec<&String> = documented.iter().filter(is_of_measure).collect();
    let single = |column: &String| column.replace("<knob>", "mu");
    let first = documented.iter().take_while(|column| !is_of_measure(column)).map(single);
    let last = documented.iter().skip_while(|column| !is_of_measure(column)).filter(|column| !is_of_measure(column));
    let all = measures.iter().flat_map(|measure| of_measures.iter().map(move |of| of.replace("<measure>", measure)));
    let expected: Vec<String> = first.chain(all).chain(last.map(single)).collect();
    let tables = tables(&run);
    let columns = |name: &str| &tables.iter().find(|(file, _)| file == name).expect("the table is there").1;
    assert_eq!(columns("summary.csv"), &expected);
    let known = |measure: &&String| columns("slots.csv").contains(measure);
    assert_eq!(
        measures.iter().filter(|measure| !known(measure)).collect::<Vec<_>>(),
        ["time_to_equilibrium_restricted_s"]
    );
    let paired = csv::Reader::from_path(run.join("paired.csv")).expect("the table is there").into_records();
    let paired: BTreeSet<String> = paired.map(|row| row.expect("a row")[5].to_owned()).collect();
    assert_eq!(paired, measures.into_iter().chain(["share_in_equilibrium".to_owned()]).collect());
}

#[test]
fn every_file_is_documented_and_every_documented_file_is_left() {
    let (_root, run) = run();
    let document = sections("docs/results.md");
    let rows = document[0].tables("file").concat();
    let documented: Vec<(String, bool)> = rows
        .iter()
        // What is gone when a run is finished, what only the command line makes, and what only some runs leave.
        .map(|row| (row, ["gone once", "--no-report", "with a partner"].iter().any(|text| row[1].contains(text))))
        .flat_map(|(row, absent)| {
            quoted(&row[0]).into_iter().map(move |name| (name.to_owned(), absent)).collect::<Vec<_>>()
        })
        .collect();
    let left = fs::read_dir(&run).expect("the run's folder").map(|entry| {
        let entry = entry.expect("an entry");
        let folder = entry.file_type().expect("a file type").is_dir();
        entry.file_name().display().to_string() + if folder { "/" } else { "" }
    });
    let left: BTreeSet<String> = left.collect();
    for name in &left {
        assert!(documented.iter().any(|(known, _)| known == name), "{name} is not in docs/results.md");
    }
    for (name, absent) in documented.iter().filter(|(name, _)| !name.starts_with(['.', '<'])) {
        assert!(*absent || left.contains(name), "a run leaves no {name}");
    }
}

/// A figure's name as the document has it.
fn pattern(figure: &str) -> String {
    match (figure.split_once("_by_"), figure.contains("_and_")) {
        (Some(_), true) => return "<measure>_by_<knob>_and_<knob>".to_owned(),
        (Some(_), false) => return "<measure>_by_<knob>".to_owned(),
        (None, _) => {}
    }
    let mut words: Vec<&str> = figure.split('_').collect();
    for (word, sign) in [("case", "<n>"), ("slot", "<k>")] {
        let number = words.windows(2).position(|pair| pair[0] == word && pair[1].parse::<u32>().is_ok());
        number.into_iter().for_each(|at| words[at + 1] = sign);
    }
    words.join("_")
}

#[test]
fn every_figure_is_documented_and_every_documented_figure_is_drawn() {
    let mut drawn = BTreeSet::new();
    let knobs: &[&str] = &["mu=1", "delay=10ms,1s", "price_step=Scaled(0.2),Scaled(0.5)"];
    let far: &[&str] = &[r#"network.links=[(from: Prosumer(1), to: Ledger, delay: Constant("300ms"))]"#];
    let studies = [("5_prosumers_storage.ron", &[][..]), ("5_prosumers.ron", knobs), ("5_prosumers.ron", far)];
    for (scenario, sets) in studies {
        let root = tempfile::tempdir().expect("a temporary folder");
        let run = Run::open(&recorded(&shipped(scenario, sets), root.path())).expect("a run");
        let data = Data::read(&run).expect("its tables");
        drawn.extend(figures::chosen(&data).iter().map(|(name, _)| pattern(name)));
    }
    // Fields of days and hours are of slots with dates.
    let root = tempfile::tempdir().expect("a temporary folder");
    let days = root.path().join("days.ron");
    let text = r#"Scenario(name: "days", market: (calendar: (start: "2016-06-04", days: 3)), population: Synthetic(count: 4))"#;
    fs::write(&days, text).expect("a scenario");
    let plan = scenario::load(&days, &Overrides::default()).expect("a scenario that is right");
    let run = Run::open(&recorded(&plan, root.path())).expect("a run");
    let data = Data::read(&run).expect("its tables");
    drawn.extend(figures::chosen(&data).iter().map(|(name, _)| pattern(name)));
    let document = sections("docs/results.md");
    assert_eq!(drawn, named(section(&document, "figures/"), "figure").into_iter().collect());
}

#[test]
fn every_key_figure_is_documented_and_no_other() {
    let (_root, run) = run();
    let document = sections("docs/results.md");
    let figures = json(&run, "kpis.json");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let tables = section(&document, "kpis.json").tables("field");
    let named = |table: usize| -> BTreeSet<String> {
        tables[table]
            .iter()
            .flat_map(|row| quoted(&row[0]).into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    for case in figures.as_array().expect("a list of cases") {
        assert_eq!(keys(case), named(0));
        assert_eq!(keys(&case["totals"]), named(1));
        for comparison in ["all_slots", "open_slots"] {
            assert_eq!(keys(&case[comparison]), named(2));
        }
    }
}

#[test]
fn every_field_of_the_manifest_is_documented_and_no_other() {
    let (_root, run) = run();
    let document = sections("docs/results.md");
    let manifest = json(&run, "manifest.json");
    let rows = section(&document, "manifest.json").tables("field").concat();
    // What is "left out otherwise" does not hold for this run.
    let named: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
    let always = rows.iter().filter(|row| !row[1].contains("left out otherwise"));
    let always: BTreeSet<&str> = always.flat_map(|row| quoted(&row[0])).collect();
    let found: BTreeSet<&str> = manifest.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!((&found, named.difference(&found).count()), (&always, 3));
    let of_cases = rows.iter().find(|row| row[0] == "`cases`").expect("cases are documented");
    let case = manifest["cases"][0].as_object().expect("a case");
    assert_eq!(case.keys().map(String::as_str).collect::<BTreeSet<_>>(), quoted(&of_cases[1]).into_iter().collect());
}
