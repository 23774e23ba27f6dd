//! Scenarios that are given, what becomes of them, and tables by the names of their columns.

use crate::support::{recorded, repository};
use microgrid_sim::{
    ledger::{schema, verify::verify},
    scenario::{self, Case, Overrides, Plan},
};
use std::{collections::BTreeMap, fs, path::PathBuf};
use tempfile::TempDir;

/// Names of columns and fields that tests ask for in several places.
pub(super) mod name {
    pub(in super::super) const OUTCOME: &str = "outcome";
    pub(in super::super) const WANTED: &str = "wanted";
    pub(in super::super) const ADMITTED: &str = "admitted";
    pub(in super::super) const PRICE: &str = "price_cny_per_kwh";
    pub(in super::super) const MEAN_PRICE: &str = "price_mean_cny_per_kwh";
    pub(in super::super) const CLOSED_FORM: &str = "equilibrium_price_cny_per_kwh";
    pub(in super::super) const PRICE_GAP: &str = "price_gap";
    pub(in super::super) const WEIGHTED_GAP: &str = "price_gap_weighted";
    pub(in super::super) const CONSUMPTION: &str = "consumption_kwh";
    pub(in super::super) const LOAD: &str = "load_kwh";
    pub(in super::super) const DEVICES_ALONE: &str = "p2g_storage_welfare_cny";
    pub(in super::super) const WORSE_OFF: &str = "worse_off";
    pub(in super::super) const WORSE_OFF_SLOTS: &str = "worse_off_prosumer_slots";
    pub(in super::super) const WORSE_OFF_PROSUMERS: &str = "worse_off_prosumers";
    pub(in super::super) const DEVICES_GAIN: &str = "devices_gain_cny";
    pub(in super::super) const MARKET_GAIN: &str = "market_gain_cny";
    pub(in super::super) const STORAGE_VALUE: &str = "storage_value_cny";
    pub(in super::super) const STORAGE_VALUE_ALONE: &str = "p2g_storage_value_cny";
    pub(in super::super) const FAIRNESS: &str = "jain_index";
}

/// A scenario with its files, all as text.
#[derive(Clone)]
pub(super) struct Given {
    scenario: String,
    files: BTreeMap<String, String>,
}

impl Given {
    /// The scenario in `file` of a folder of `tests/data/cases`, with all that lies beside it.
    pub(super) fn file(folder: &str, file: &str) -> Self {
        let text = |path: PathBuf| fs::read_to_string(path).unwrap();
        let folder = repository("tests/data/cases").join(folder);
        let scenario = text(folder.join(file));
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let data = files.filter(|path| path.extension().is_some_and(|end| end == "csv"));
        let files = data.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), text(path))).collect();
        Self { scenario, files }
    }

    /// The scenario of a folder of `tests/data/cases`.
    pub(super) fn case(folder: &str) -> Self {
        Self::file(folder, "scenario.ron")
    }

    /// One slot of prosumers with (generation [kWh], load [kWh], preference for local and for grid energy [CNY/kWh]).
    pub(super) fn slot(prosumers: &[[f64; 4]], market: &str, fields: &str) -> Self {
        Self::day(&[prosumers], &format!("slots: 1, open: (1, 1), {market}"), fields)
    }

    /// Several slots, each as in `slot`.
    pub(super) fn day<P: AsRef<[[f64; 4]]>>(slots: &[P], market: &str, fields: &str) -> Self {
        let scenario =
            format!("Scenario(name: \"sibling\", population: Profiles(\"p.csv\"), market: ({market}), {fields})");
        Self { scenario, files: BTreeMap::new() }.and("p.csv", &profiles(slots))
    }

    /// The same with another text in place of one that occurs.
    pub(super) fn with(mut self, from: &str, to: &str) -> Self {
        let texts = std::iter::once(&mut self.scenario).chain(self.files.values_mut());
        let found = texts.filter(|text| text.contains(from)).map(|text| *text = text.replace(from, to)).count();
        assert!(found > 0, "nothing says {from}");
        self
    }

    /// The same with further fields of the scenario.
    pub(super) fn field(mut self, field: &str) -> Self {
        let inside = self.scenario.trim_end().strip_suffix(')').unwrap().trim_end().trim_end_matches(',');
        self.scenario = format!("{inside}, {field})");
        self
    }

    /// The same with this file.
    pub(super) fn and(mut self, file: &str, text: &str) -> Self {
        self.files.insert(file.to_owned(), text.to_owned());
        self
    }

    /// A folder with `scenario.ron` and its files.
    pub(super) fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in &self.files {
            fs::write(folder.path().join(file), text).unwrap();
        }
        fs::write(folder.path().join("scenario.ron"), &self.scenario).unwrap();
        folder
    }

    /// What the program makes of it, or says against it.
    pub(super) fn load(&self) -> Result<Plan, String> {
        let path = self.folder();
        scenario::load(&path.path().join("scenario.ron"), &Overrides::default()).map_err(|error| error.to_string())
    }

    /// Runs all its cases; a ledger that they leave verifies.
    pub(super) fn run(&self) -> Played {
        let plan = self.load().unwrap_or_else(|error| panic!("{error}"));
        let root = tempfile::tempdir().unwrap();
        let run = recorded(&plan, root.path());
        let ledger = run.join(schema::FILE);
        if ledger.exists() {
            verify(&ledger, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
        }
        Played { cases: plan.cases().collect(), run, _root: root }
    }
}

/// Profiles of prosumers, slot by slot.
pub(super) fn profiles<P: AsRef<[[f64; 4]]>>(slots: &[P]) -> String {
    let mut text = String::from("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n");
    for (slot, prosumers) in (1..).zip(slots) {
        for (number, [pv, load, local, grid]) in (1..).zip(prosumers.as_ref()) {
            text += &format!("{number},{slot},{pv},{load},{local},{grid}\n");
        }
    }
    text
}

/// A run that is done.
pub(super) struct Played {
    pub(super) cases: Vec<Case>,
    pub(super) run: PathBuf,
    _root: TempDir,
}

impl Played {
    pub(super) fn table(&self, file: &str) -> Vec<Row> {
        let mut reader = csv::Reader::from_path(self.run.join(file)).unwrap();
        reader.deserialize().map(|row| Row(row.unwrap())).collect()
    }

    /// The slots in which the market was to open.
    pub(super) fn open_slots(&self) -> Vec<Row> {
        let open = |row: &Row| self.case(row).open.contains(row.count("slot"));
        self.table("slots.csv").into_iter().filter(open).collect()
    }

    pub(super) fn case(&self, row: &Row) -> &Case {
        &self.cases[row.count("case") as usize - 1]
    }

    /// Final price of every seller that quoted one, by case, slot and number [CNY/kWh].
    pub(super) fn prices(&self) -> BTreeMap<[u32; 3], f64> {
        let rows = self.table("convergence.csv");
        let prices =
            rows.iter().filter_map(|row| Some((row.counts(["case", "slot", "seller"]), row.maybe(name::PRICE)?)));
        prices.collect()
    }

    pub(super) fn key_figures(&self) -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(self.run.join("kpis.json")).unwrap()).unwrap()
    }
}

/// A row of a table.
pub(super) struct Row(BTreeMap<String, String>);

impl Row {
    pub(super) fn text(&self, column: &str) -> &str {
        self.0.get(column).unwrap_or_else(|| panic!("there is no column {column}"))
    }

    pub(super) fn maybe(&self, column: &str) -> Option<f64> {
        Some(self.text(column)).filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
    }

    pub(super) fn number(&self, column: &str) -> f64 {
        self.maybe(column).unwrap_or_else(|| panic!("{column} is empty"))
    }

    pub(super) fn count(&self, column: &str) -> u32 {
        self.text(column).parse().unwrap()
    }

    pub(super) fn counts<const N: usize>(&self, columns: [&str; N]) -> [u32; N] {
        columns.map(|column| self.count(column))
    }
}

/// Sum of a column [its unit].
pub(super) fn sum(rows: &[Row], column: &str) -> f64 {
    rows.iter().map(|row| row.maybe(column).unwrap_or(0.0)).sum()
}
