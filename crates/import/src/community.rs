//! Members and their profiles, as the tables and the scenario that have them.

use crate::{
    clock::{Axis, in_words},
    error::refused,
    folder::{Folder, Imported},
    page::{Page, count},
};
use csv::WriterBuilder;
use microgrid_scenario::ScenarioError;
use std::{collections::BTreeSet, iter};

/// Tariffs [EUR/kWh] and preferences [EUR/kWh] that stand in for what a source does not tell.
const GRID_TARIFF: &str = "0.30";
const FEED_IN_TARIFF: &str = "0.08";
const PREFERENCE_PV: &str = "1.2";
const PREFERENCE_GRID: &str = "1.0";

/// Of more slots than this, every post of the game would be hundreds of megabytes.
const MOST_POSTED: usize = 200;
/// Of more slots than this, so would every trade.
const MOST_RECORDED: usize = 3000;

/// A row of `members.csv`; what is `None` is left empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) load_profile: Option<String>,
    pub(crate) load_peak_kw: Option<String>,
    pub(crate) pv_profile: Option<String>,
    pub(crate) pv_kwp: Option<String>,
    pub(crate) battery_kwh: Option<String>,
    pub(crate) battery_kw: Option<String>,
    pub(crate) battery_efficiency: Option<String>,
}

/// A cell of a member.
type Cell = fn(&Member) -> Option<&String>;

/// Columns of `members.csv` behind the name.
const COLUMNS: [(&str, Cell); 7] = [
    ("load_profile", |member| member.load_profile.as_ref()),
    ("load_peak_kw", |member| member.load_peak_kw.as_ref()),
    ("pv_profile", |member| member.pv_profile.as_ref()),
    ("pv_kwp", |member| member.pv_kwp.as_ref()),
    ("battery_kwh", |member| member.battery_kwh.as_ref()),
    ("battery_kw", |member| member.battery_kw.as_ref()),
    ("battery_efficiency", |member| member.battery_efficiency.as_ref()),
];

/// A column of `profiles.csv`: a value for each slot, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// Who takes part, over which days.
#[derive(Debug)]
pub(crate) struct Community {
    pub(crate) members: Vec<Member>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) axis: Axis,
    /// Unit of the profiles, as the scenario names it.
    pub(crate) unit: &'static str,
}

impl Community {
    /// The folder's files. Fails if a name is there twice, or nobody is there.
    pub(crate) fn imported(&self, folder: &Folder, mut page: Page) -> Result<Imported, ScenarioError> {
        if self.members.is_empty() {
            return Err(refused("nobody takes part", ["allowed: at least one member".to_owned()]));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.members.iter().find(|member| !names.insert(&member.name)) {
            let mend = "each member has a name of its own: rename a file, a column or a meter".to_owned();
            return Err(refused(format!("two members are called `{}`", twice.name), [mend]));
        }
        page.read.push(format!(
            "{} and {}, over {}",
            count(self.members.len(), "member"),
            count(self.profiles.len(), "profile"),
            self.axis.told()
        ));
        page.placeholders.extend([
            format!("tariffs: the grid asks {GRID_TARIFF} EUR/kWh and pays {FEED_IN_TARIFF} EUR/kWh, all the time"),
            format!(
                "preferences: {PREFERENCE_PV} EUR/kWh for photovoltaic and {PREFERENCE_GRID} EUR/kWh for grid energy, the \
                 same for all; demand is firm, so that load is what is consumed"
            ),
        ]);
        let tables = vec![("members.csv", self.members()), ("profiles.csv", self.profiles())];
        Imported::new(folder, self.scenario(&folder.name), tables, page)
    }

    fn scenario(&self, name: &str) -> String {
        let calendar = calendar(&self.axis);
        let unit = self.unit;
        let kept = kept(&self.axis);
        format!(
            "// Made by `sim import`; import.md tells of what. Tariffs and preferences are placeholders.\n\
             Scenario(\n    name: \"{name}\",\n    market: (\n        {calendar}\n        currency: \"EUR\",\n        \
             grid_tariff: Constant({GRID_TARIFF}),\n        feed_in_tariff: {FEED_IN_TARIFF},\n    ),\n    \
             population: Members(members: \"members.csv\", profiles: \"profiles.csv\", unit: {unit}),\n    \
             preferences: (demand: Firm, preference_pv: {PREFERENCE_PV}, preference_grid: {PREFERENCE_GRID}),\n{kept})\n",
        )
    }

    /// `members.csv`, with the columns that anybody needs.
    fn members(&self) -> String {
        let used: Vec<&(&str, Cell)> =
            COLUMNS.iter().filter(|(_, cell)| self.members.iter().any(|member| cell(member).is_some())).collect();
        let header = iter::once("name").chain(used.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
        let row = |member: &Member| {
            let cells = used.iter().map(|(_, cell)| cell(member).cloned().unwrap_or_default());
            iter::once(member.name.clone()).chain(cells).collect()
        };
        csv_text(header, self.members.iter().map(row))
    }

    /// `profiles.csv`, a row for each slot.
    fn profiles(&self) -> String {
        let names = self.profiles.iter().map(|profile| profile.name.clone());
        let header = iter::once("time".to_owned()).chain(names).collect();
        let row = |slot: usize| {
            let values = self.profiles.iter().map(|profile| profile.values[slot].clone());
            iter::once(self.axis.text(slot)).chain(values).collect()
        };
        csv_text(header, (0..self.axis.slots).map(row))
    }
}

/// What of a run over these days is kept, in a scenario.
pub(crate) fn kept(axis: &Axis) -> String {
    let posts = "    // Of so many slots not every post is kept on the chain: `Every` keeps them.\n    ledger: (posts: Last),\n";
    let record = "    // Nor each trade: `Full` keeps them.\n    record: Slots,\n";
    let kept = [(MOST_POSTED, posts), (MOST_RECORDED, record)];
    kept.into_iter().filter(|(most, _)| axis.slots > *most).map(|(_, text)| text).collect()
}

/// The calendar of a scenario over these days.
pub(crate) fn calendar(axis: &Axis) -> String {
    format!(
        "calendar: (start: \"{}\", zone: \"{}\", days: {}, slot_length: \"{}\"),",
        axis.first,
        axis.zone_name,
        axis.days,
        in_words(axis.step)
    )
}

/// A table as text.
pub(crate) fn csv_text(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut csv = WriterBuilder::new().from_writer(Vec::new());
    for row in iter::once(header).chain(rows) {
        csv.write_record(&row).expect("memory takes all that is written, and rows are as long as the header");
    }
    let bytes = csv.into_inner().expect("memory takes all that is written");
    String::from_utf8(bytes).expect("cells are text")
}
