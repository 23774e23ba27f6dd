//! Who is connected to a grid, with which devices.

use super::source::Source;
use crate::{community::Member, error::refused, page::count, table::Row};
use microgrid_scenario::{ScenarioError, did_you_mean};
use std::collections::{BTreeMap, BTreeSet};

/// Types of generators that the sun drives.
const PHOTOVOLTAIC: [&str; 3] = ["PV", "PV_MV", "pv"];
/// What SimBench writes where it has no value.
const NOTHING: &str = "NULL";

/// Members of a grid, and what is told of them.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) members: Vec<Member>,
    pub(super) read: Vec<String>,
    pub(super) dropped: Vec<String>,
}

impl Grid {
    /// Reads the subnet called `name`.
    pub(super) fn read(source: &mut Source, name: &str) -> Result<Self, ScenarioError> {
        let mut grid = Self { members: Vec::new(), read: Vec::new(), dropped: Vec::new() };
        // The first load of each node.
        let mut nodes = BTreeMap::<String, usize>::new();
        grid.loads(source, name, &mut nodes)?;
        grid.generators(source, name, &nodes)?;
        grid.storages(source, name, &nodes)?;
        Ok(grid)
    }

    /// Profiles of loads that are used, in alphabetical order.
    pub(super) fn load_profiles(&self) -> BTreeSet<String> {
        self.members.iter().filter_map(|member| member.load_profile.clone()).collect()
    }

    /// The same of generation.
    pub(super) fn pv_profiles(&self) -> BTreeSet<String> {
        self.members.iter().filter_map(|member| member.pv_profile.clone()).collect()
    }

    fn loads(
        &mut self,
        source: &mut Source,
        name: &str,
        nodes: &mut BTreeMap<String, usize>,
    ) -> Result<(), ScenarioError> {
        let table = source.table("Load.csv")?;
        let columns = ["id", "node", "profile", "pLoad", "subnet"].map(|column| table.column(column));
        let [id, node, profile, power, subnet] = all(columns)?;
        let (mut ids, mut subnets) = (BTreeSet::new(), BTreeSet::new());
        for row in table.rows() {
            let row = row?;
            if row.text(subnet) != name {
                subnets.insert(row.text(subnet).to_owned());
                continue;
            }
            new_name(&row, id, &mut ids)?;
            nodes.entry(row.text(node).to_owned()).or_insert(self.members.len());
            self.members.push(Member {
                name: row.text(id).to_owned(),
                load_profile: Some(given(&row, profile)?),
                load_peak_kw: Some(kilo(&row, power)?),
                ..Member::default()
            });
        }
        if self.members.is_empty() {
            let grids = subnets.iter().filter(|subnet| !subnet.contains('_')).map(String::as_str);
            let meant = did_you_mean(name, grids.clone());
            let examples = grids.filter(|grid| grid.starts_with("LV")).take(6).collect::<Vec<_>>().join(", ");
            let problem = format!("--grid: no load is in a subnet `{name}`");
            let there = format!("allowed: a subnet of Load.csv with loads, such as {examples}");
            return Err(refused(problem, meant.into_iter().chain([there])));
        }
        self.read.push(format!(
            "{}, each a member, at {}",
            count(self.members.len(), "load"),
            count(nodes.len(), "node")
        ));
        Ok(())
    }

    fn generators(
        &mut self,
        source: &mut Source,
        name: &str,
        nodes: &BTreeMap<String, usize>,
    ) -> Result<(), ScenarioError> {
        let table = source.table("RES.csv")?;
        let columns = ["id", "node", "type", "profile", "pRES", "sR", "subnet"].map(|column| table.column(column));
        let [id, node, kind, profile, power, apparent, subnet] = all(columns)?;
        let (mut ids, mut others, mut differ, mut alone, mut systems) =
            (BTreeSet::new(), BTreeMap::<String, usize>::new(), Vec::new(), 0, 0);
        for row in table.rows() {
            let row = row?;
            if row.text(subnet) != name {
                continue;
            }
            new_name(&row, id, &mut ids)?;
            if !PHOTOVOLTAIC.contains(&row.text(kind)) {
                *others.entry(row.text(kind).to_owned()).or_default() += 1;
                continue;
            }
            systems += 1;
            let (profile, rated) = (given(&row, profile)?, kilo(&row, power)?);
            let inverter = kilo(&row, apparent)?;
            if inverter != rated {
                differ.push(format!("{} {rated} of {inverter} kVA", row.text(id)));
            }
            let member = match nodes.get(row.text(node)) {
                Some(member) => &mut self.members[*member],
                None => {
                    alone += 1;
                    self.members.push(Member { name: row.text(id).to_owned(), ..Member::default() });
                    self.members.last_mut().expect("it was just added")
                }
            };
            if member.pv_profile.is_some() {
                let mend = "a member has one: add their power, or move one to a node of its own";
                return Err(row.wrong(node, "there are two photovoltaic systems at this node", [mend.to_owned()]));
            }
            (member.pv_profile, member.pv_kwp) = (Some(profile), Some(rated));
        }
        self.read.push(format!(
            "{} by their rated power `pRES`, each with the first load at its node{}",
            count(systems, "photovoltaic system"),
            if alone > 0 {
                format!(", {alone} of them with nobody: members of their own that only generate")
            } else {
                String::new()
            }
        ));
        if !differ.is_empty() {
            self.read.push(format!("`sR` is not `pRES`, and not used: {} (kWp of kVA)", differ.join(", ")));
        }
        for (kind, number) in others {
            let generators = count(number, "generator");
            self.dropped.push(format!("{generators} of type `{kind}`: members generate from the sun only"));
        }
        Ok(())
    }

    fn storages(
        &mut self,
        source: &mut Source,
        name: &str,
        nodes: &BTreeMap<String, usize>,
    ) -> Result<(), ScenarioError> {
        let Some(table) = source.table_if_any("Storage.csv")? else {
            self.read.push("no storages: the set has none".to_owned());
            return Ok(());
        };
        let columns = ["id", "node", "eStore", "sR", "etaStore", "subnet"].map(|column| table.column(column));
        let [id, node, energy, power, efficiency, subnet] = all(columns)?;
        let (mut ids, mut storages) = (BTreeSet::new(), 0);
        for row in table.rows() {
            let row = row?;
            if row.text(subnet) != name {
                continue;
            }
            new_name(&row, id, &mut ids)?;
            storages += 1;
            let Some(member) = nodes.get(row.text(node)) else {
                let mend = "a battery belongs to a member: give the node a load".to_owned();
                return Err(row.wrong(node, "there is no load at this node", [mend]));
            };
            let member = &mut self.members[*member];
            if member.battery_kwh.is_some() {
                let mend = "a member has one: add their energy and power".to_owned();
                return Err(row.wrong(node, "there are two storages at this node", [mend]));
            }
            let share = row.positive(efficiency)?;
            if !(share.is_positive() && share.value() <= 1.0) {
                return Err(row.wrong(efficiency, "no efficiency", ["allowed: above 0, up to 1".to_owned()]));
            }
            member.battery_kwh = Some(above_zero(&row, energy)?);
            member.battery_kw = Some(above_zero(&row, power)?);
            member.battery_efficiency = Some(share.rounded().to_string());
        }
        if storages == 0 {
            self.read.push("no storages".to_owned());
        } else {
            self.read.push(format!(
                "{}, each a battery: `eStore`, power by `sR`, `etaStore` taken for the efficiency each way",
                count(storages, "storage")
            ));
            self.dropped.push(format!(
                "of {}: profiles, self-discharge `sdStore`, and the limits `pMin` and `pMax`, by which there would be \
                 charging only",
                count(storages, "storage")
            ));
        }
        Ok(())
    }
}

/// All columns, or the first that is missing.
fn all<const N: usize>(columns: [Result<usize, ScenarioError>; N]) -> Result<[usize; N], ScenarioError> {
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        *place = column?;
    }
    Ok(places)
}

/// Takes note of a row's name. Fails if it has none, or one that was there.
fn new_name(row: &Row<'_>, id: usize, names: &mut BTreeSet<String>) -> Result<(), ScenarioError> {
    let name = given(row, id)?;
    if names.insert(name) {
        return Ok(());
    }
    Err(row.wrong(id, "is there twice", ["each row of a grid has a name of its own".to_owned()]))
}

/// What a cell says, if it says something.
fn given(row: &Row<'_>, n: usize) -> Result<String, ScenarioError> {
    match row.text(n) {
        "" | NOTHING => Err(row.wrong(n, "the name is missing", ["allowed: a name".to_owned()])),
        text => Ok(text.to_owned()),
    }
}

/// A power or an energy in thousandths of its unit: kW of MW, without what was left of rounding.
fn kilo(row: &Row<'_>, n: usize) -> Result<String, ScenarioError> {
    let mega = row.positive(n)?;
    let kilo = mega.times_ten_to(3).filter(|kilo| kilo.value() <= 1e6);
    let too_large = || row.wrong(n, "more than 1000 MW", ["allowed: 0 to 1000".to_owned()]);
    kilo.map(|kilo| kilo.rounded().to_string()).ok_or_else(too_large)
}

fn above_zero(row: &Row<'_>, n: usize) -> Result<String, ScenarioError> {
    let kilo = kilo(row, n)?;
    if kilo == "0" { Err(row.wrong(n, "a storage of nothing", ["allowed: above 0".to_owned()])) } else { Ok(kilo) }
}
