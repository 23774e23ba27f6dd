//! Where the documentation lists the variants of an enum, it lists those that there are, by the names that files have.

use super::{Section, quoted, section, sections};
use microgrid_sim::{
    agents::{
        chain::{
            genesis::{Posts, Signatures},
            refusal::Refusal,
        },
        ledger::Durability,
        market::{
            choice_set::ChoiceSet, demand::Demand, mechanism::Mechanism, replicator::Fitness, role::Role,
            step::StepSize,
        },
        prosumer::{Adaptation, Behaviour, Mixing},
        statement::Outcome,
    },
    ledger::schema,
    network::{Delay, Memory},
    scenario::schema::{Activation, Clock, Incident, Members, PopulationSource, Record, Tariff, Who},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Asks an enum which variants it can be read from.
struct Probe<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no enum"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.set(variants);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The names of the variants of an enum, as files have them.
fn variants<'de, T: Deserialize<'de>>() -> BTreeSet<&'static str> {
    let found = Cell::new(&[][..]);
    assert!(T::deserialize(Probe(&found)).is_err());
    assert!(!found.get().is_empty(), "{} is no enum", std::any::type_name::<T>());
    found.get().iter().copied().collect()
}

/// The variants that stand in backticks, without what they hold.
fn names(text: &str) -> BTreeSet<&str> {
    let names = quoted(text).into_iter().map(|name| name.split('(').next().unwrap_or_default());
    names.filter(|name| name.starts_with(|letter: char| letter.is_ascii_uppercase())).collect()
}

/// A place in the documentation that lists variants, as far as they are told there; `None` of an option is among them.
#[track_caller]
fn assert_listed<'de, T: Deserialize<'de>>(place: &str, listed: &str, optional: bool) {
    let mut expected = variants::<T>();
    expected.extend(optional.then_some("None"));
    assert_eq!(names(listed), expected, "{place} lists the variants of {}", std::any::type_name::<T>());
}

/// The first cells of the table with this header, one below the other.
fn first_cells(section: &Section, header: &str) -> String {
    let [table] = &section.tables(header)[..] else { panic!("one table of {header}s in {}", section.heading) };
    table.iter().map(|row| format!("{}\n", row[0])).collect()
}

/// The cell of a row that begins with this name, in any table with this header.
fn cell(section: &Section, header: &str, name: &str, column: usize) -> String {
    let rows = section.tables(header).concat();
    let row = rows.into_iter().find(|row| row[0] == format!("`{name}`"));
    row.unwrap_or_else(|| panic!("no {name} in {}", section.heading)).swap_remove(column)
}

#[test]
fn fields_of_scenarios_list_the_variants_that_there_are() {
    let sections = sections("docs/scenario.md");
    let listed = |heading: &str, field: &str| cell(section(&sections, heading), "field", field, 1);
    assert_listed::<PopulationSource>("population", &listed("Fields", "population"), false);
    assert_listed::<Clock>("clock", &listed("Fields", "clock"), false);
    assert_listed::<Record>("record", &listed("Fields", "record"), false);
    assert_listed::<Mechanism>("mechanism", &listed("market", "mechanism"), false);
    assert_listed::<Tariff>("grid_tariff", &listed("market", "grid_tariff"), false);
    assert_listed::<Demand>("demand", &listed("preferences", "demand"), false);
    assert_listed::<Behaviour>("behaviour", &listed("learning", "behaviour"), false);
    assert_listed::<ChoiceSet>("choice_set", &listed("learning", "choice_set"), false);
    assert_listed::<Fitness>("fitness", &listed("learning", "fitness"), true);
    assert_listed::<StepSize>("replicator_step", &listed("learning", "replicator_step"), false);
    assert_listed::<StepSize>("price_step", &listed("learning", "price_step"), false);
    assert_listed::<Adaptation>("adaptation", &listed("learning", "adaptation"), false);
    assert_listed::<Mixing>("mixing", &listed("learning", "mixing"), true);
    assert_listed::<Signatures>("signatures", &listed("ledger", "signatures"), false);
    assert_listed::<Posts>("posts", &listed("ledger", "posts"), true);
    assert_listed::<Durability>("durability", &listed("ledger", "durability"), false);
}

#[test]
fn activations_and_what_befalls_messages_are_those_that_there_are() {
    let sections = sections("docs/scenario.md");
    assert_listed::<Activation>("activation", &first_cells(section(&sections, "activation"), "variant"), false);
    let network = section(&sections, "network");
    assert_listed::<Delay>("the delays", &first_cells(network, "delay"), false);
    let items = network.text.lines().filter_map(|line| line.strip_prefix("- `")?.split(['(', '`']).next());
    assert_listed::<Incident>("the incidents", &items.map(|name| format!("`{name}` ")).collect::<String>(), false);
    let paragraph = |begin: &str| {
        let from = network.text.find(begin).unwrap_or_else(|| panic!("no {begin}"));
        network.text[from..].split([':', '.']).next().unwrap_or_default()
    };
    assert_listed::<Members>("the groups", paragraph("**Groups**"), false);
    assert_listed::<Who>("the parties", paragraph("**Links**"), false);
    let memories = network.text.split("`memory: ").skip(1).filter_map(|rest| rest.split(['`', ')']).next());
    assert_listed::<Memory>("the crashes", &memories.map(|name| format!("`{name}` ")).collect::<String>(), false);
}

#[test]
fn delays_have_the_documented_parameters() {
    let sections = sections("docs/scenario.md");
    let documented = first_cells(section(&sections, "network"), "delay");
    let (min, sigma) = (Duration::from_secs(1), 0.5);
    let each = [
        Delay::Constant(min),
        Delay::Uniform { min, max: min },
        Delay::Exponential { min, mean: min },
        Delay::LogNormal { min, median: min, sigma },
    ];
    let mut seen = BTreeSet::new();
    for (delay, cell) in each.iter().zip(quoted(&documented)) {
        let (name, fields) = cell.trim_end_matches(')').split_once('(').expect("a variant with parameters");
        let path = |field: &str| match field.split_once(':') {
            Some((field, _)) => format!("{name}.{}", field.trim()),
            None => name.to_owned(),
        };
        let parameters: Vec<_> = delay.parameters().iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(fields.split(',').map(path).collect::<Vec<_>>(), parameters, "{delay:?}, in the order of the table");
        seen.insert(name);
    }
    assert_eq!(seen, variants::<Delay>(), "there is one of each here");
}

#[test]
fn outcomes_roles_and_refusals_are_those_that_there_are() {
    let sections_of = |path| sections(path);
    let results = sections_of("docs/results.md");
    assert_listed::<Outcome>("outcome", &cell(section(&results, "slots.csv"), "column", "outcome", 2), false);
    assert_listed::<Role>("role", &cell(section(&results, "prosumers.csv"), "column", "role", 2), false);
    let ledger = sections_of("docs/ledger.md");
    assert_listed::<Refusal>("the codes", &first_cells(section(&ledger, "Codes"), "code"), false);
}

#[test]
fn views_of_a_ledger_are_listed_with_their_columns() {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    database.execute_batch(schema::SQL).unwrap();
    let sql = "SELECT views.name, group_concat(columns.name, ', ')
               FROM sqlite_schema AS views JOIN pragma_table_info(views.name) AS columns
               WHERE views.type = 'view' AND views.name <> 'fact_keys' AND columns.name NOT IN ('case_number', 'slot')
               GROUP BY views.name";
    let mut query = database.prepare(sql).unwrap();
    let views = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let views: BTreeMap<String, String> = views.map(Result::unwrap).collect();
    let listed = section(&sections("docs/ledger.md"), "Opening ledger.db").tables("view").concat();
    let listed = listed.iter().map(|row| (quoted(&row[0]).concat(), quoted(&row[1]).concat()));
    assert_eq!(listed.collect::<BTreeMap<_, _>>(), views);
}
