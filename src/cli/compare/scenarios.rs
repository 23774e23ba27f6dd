//! In what the scenarios of two runs differ: field by field, with every default written out.

use crate::{
    cli::{
        table::{Table, key, words},
        text::{bold, wrapped},
    },
    record::{RecordError, Run, SCENARIO},
    scenario::{self, Overrides, Plan},
};
use indexmap::{IndexMap, IndexSet};

/// The fields, data files and versions in which the runs differ, or that there are none.
pub(super) fn difference(a: &Run, b: &Run) -> Result<String, RecordError> {
    let (scenario_a, scenario_b) = (fields(&meant(a)?), fields(&meant(b)?));
    let names: IndexSet<&String> = scenario_a.keys().chain(scenario_b.keys()).collect();
    let differing = names.into_iter().filter(|name| scenario_a.get(*name) != scenario_b.get(*name));
    let differing: Vec<&String> = differing.collect();
    let value =
        |fields: &IndexMap<String, String>, name| fields.get(name).map_or_else(|| "-".to_owned(), String::clone);
    let mut text = if differing.is_empty() {
        "The scenarios are the same.\n".to_owned()
    } else {
        let table = Table::of(differing)
            .column(key(words("field")), |name| name.to_string())
            .column(words("A"), |name| value(&scenario_a, *name))
            .column(words("B"), |name| value(&scenario_b, *name));
        format!("{}\n\n{}", bold("scenarios"), table.draw())
    };
    text += &data(a, b)?;
    let versions = [a, b].map(|run| &run.manifest().version);
    if versions[0] != versions[1] {
        text += &format!("A was made by version {} of the program, B by {}.\n", versions[0], versions[1]);
    }
    Ok(text)
}

/// A run's resolved scenario, where this version can read it with what `None` means in its place.
fn meant(run: &Run) -> Result<String, RecordError> {
    match scenario::load(&run.folder().join(SCENARIO), &Overrides::default()) {
        Ok(plan) => Ok(spelt_out(plan).resolved_ron()),
        Err(_) => run.input(SCENARIO),
    }
}

/// The same plan with what `None` means in its place, as far as that is the same in all its cases.
fn spelt_out(mut plan: Plan) -> Plan {
    let (smallest, largest) = plan.population_sizes();
    let (varies_sellers, varies_mechanism) = (plan.varies("choice_set"), plan.varies("mechanism"));
    let scenario = &mut plan.scenario;
    if smallest == largest && !varies_mechanism {
        scenario.ledger.posts = Some(scenario.posts(largest));
    }
    if !varies_sellers {
        scenario.learning.fitness = Some(scenario.learning.fitness());
        let usual = scenario.learning.fitness;
        scenario.learning.mix.iter_mut().for_each(|habit| habit.fitness = habit.fitness.or(usual));
    }
    plan
}

/// Tells which data files of both runs differ.
fn data(a: &Run, b: &Run) -> Result<String, RecordError> {
    let mut differing = Vec::new();
    for name in a.inputs().filter(|name| b.keeps(name)) {
        if a.input(name)? != b.input(name)? {
            differing.push(name);
        }
    }
    if differing.is_empty() {
        return Ok(String::new());
    }
    Ok(wrapped(&format!("Other data in both: {}.", differing.join(", "))) + "\n")
}

/// The fields of a resolved scenario by their paths, in order, with the values as they are written.
///
/// Takes the text apart as it was written, a field a line, so that scenarios of other versions can be read too.
fn fields(resolved: &str) -> IndexMap<String, String> {
    let mut fields = IndexMap::new();
    let mut way = Way::default();
    for line in resolved.lines() {
        let mut line = line.trim().trim_end_matches(',');
        while let Some(rest) = line.strip_prefix([')', ']', '}']) {
            way.0.pop();
            line = rest.trim_start_matches(", ");
        }
        if line.is_empty() {
            continue;
        }
        let (name, value) = match line.split_once(": ").filter(|(name, _)| is_name(name)) {
            Some((name, value)) => (name.trim_matches('"').to_owned(), value),
            None => (way.next_element(), line),
        };
        let head = value.trim_end_matches(['(', '[', '{']);
        if !["", "{}", "[]"].contains(&head) && !way.0.is_empty() {
            fields.insert(way.to(&name), head.to_owned());
        }
        for opened in 0..value.len() - head.len() {
            let name = if opened == 0 { name.clone() } else { way.next_element() };
            way.0.push((name, 0));
        }
    }
    fields
}

/// The names that lead to a line of a scenario, and how many elements without a name each has had so far.
#[derive(Debug, Default)]
struct Way(Vec<(String, usize)>);

impl Way {
    /// The name of the next element without one: its number, from 0.
    fn next_element(&mut self) -> String {
        let count = self.0.last_mut().map_or(0, |(_, count)| std::mem::replace(count, *count + 1));
        count.to_string()
    }

    /// The path of a field here; the scenario itself is not named in it.
    fn to(&self, name: &str) -> String {
        let names = self.0.iter().skip(1).map(|(name, _)| name.as_str());
        names.chain([name]).collect::<Vec<_>>().join(".")
    }
}

/// Whether a field or a key can be called so.
fn is_name(text: &str) -> bool {
    let quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    quoted || text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_by_the_way_to_it() {
        let text = r#"Scenario(
    name: "day: one",
    market: (
        open: (8, 20),
        grid_tariff: Csv("data/tariff.csv"),
    ),
    activation: LockStep(
        period: "1s",
    ),
    network: (
        groups: {
            "far": Share(0.2),
        },
        conditions: [],
        links: [(
            from: Ledger,
        ), (
            from: Grid,
        )],
    ),
    vary: {
        "mu": [0, 1],
    },
)
"#;
        let found = fields(text);
        let found: Vec<_> = found.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        assert_eq!(
            found,
            [
                "name = \"day: one\"",
                "market.open = (8, 20)",
                "market.grid_tariff = Csv(\"data/tariff.csv\")",
                "activation = LockStep",
                "activation.period = \"1s\"",
                "network.groups.far = Share(0.2)",
                "network.links.0.from = Ledger",
                "network.links.1.from = Grid",
                "vary.mu = [0, 1]",
            ]
        );
    }
}
