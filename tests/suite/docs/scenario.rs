//! `docs/scenario.md` has every field, with the default and the range that the loader knows.

use super::{Section, quoted, section, sections};
use microgrid_sim::{
    prelude::*,
    scenario::{Overrides, load},
};
use std::{collections::BTreeSet, fs, time::Duration};

/// Where the fields of a table stand in a scenario.
struct Place {
    /// The heading above the table.
    heading: &'static str,
    /// Which of the tables of fields below that heading.
    table: usize,
    /// What stands before and behind the fields.
    around: (&'static str, &'static str),
    /// Fields that have to be there, or leave room for the largest and smallest values of the others.
    base: &'static [(&'static str, &'static str)],
}

const PLACES: [Place; 12] = [
    Place { heading: "Fields", table: 0, around: ("", ""), base: &[] },
    Place {
        heading: "market",
        table: 0,
        around: ("market: (", ")"),
        base: &[("open", "(1, 1)"), ("gate_closure", "\"1ms\""), ("grid_tariff", "Constant(10000)")],
    },
    Place { heading: "preferences", table: 0, around: ("preferences: (", ")"), base: &[] },
    Place {
        heading: "storage",
        table: 0,
        around: ("storage: (", ")"),
        base: &[("capacity_kwh", "10"), ("power_kw", "5")],
    },
    Place { heading: "learning", table: 0, around: ("learning: (", ")"), base: &[] },
    Place { heading: "network", table: 0, around: ("network: (", ")"), base: &[] },
    Place {
        heading: "network",
        table: 1,
        around: ("network: (conditions: [(", ")])"),
        base: &[("at", "\"1h\""), ("lasting", "\"1min\""), ("what", "Link(from: Ledger, to: Grid)")],
    },
    Place { heading: "ledger", table: 0, around: ("ledger: (", ")"), base: &[] },
    Place { heading: "block", table: 0, around: ("ledger: (block: (", "))"), base: &[] },
    Place {
        heading: "Synthetic populations",
        table: 0,
        around: ("population: Synthetic(", ")"),
        base: &[("count", "5")],
    },
    Place {
        heading: "Members",
        table: 0,
        around: ("population: Members(", ")"),
        base: &[("members", "\"members.csv\"")],
    },
    Place {
        heading: "Calendar",
        table: 0,
        around: ("market: (calendar: (", "))"),
        base: &[("start", "\"2016-06-01\""), ("days", "1"), ("slot_length", "\"1day\"")],
    },
];

/// What the other fields have that a range names.
const NAMED: [(&str, &str); 4] =
    [("slot_length", "1h"), ("capacity_kwh", "10"), ("feed_in_tariff", "0.45"), ("lasting", "1min")];

/// Ranges in words: of each field a value that is allowed and one that is not.
const IN_WORDS: [(&str, &str, &str); 21] = [
    ("peers", "2", "0"),
    ("policy", "AtLeast(1)", "AtLeast(2)"),
    ("mechanism", "Negotiation(rho: 1e-4)", "Negotiation(rho: 9e-5)"),
    ("bidding", "Truthful(steps: 1000)", "Truthful(steps: 1001)"),
    ("name", "\"a-b_c.D9\"", "\".hidden\""),
    ("clock", "Wall(speed: 0.001)", "Wall(speed: 0)"),
    ("feed_in_tariff", "1e-6", "9e-7"),
    ("service_fee", "10000", "5e-324"),
    ("grid_fee", "1e-6", "9e-7"),
    ("currency", "\"EUR\"", "\"\""),
    ("vary", "{\"mu\": [0]}", "{\"mu\": []}"),
    ("replicates", "[7, 8]", "[7, 7]"),
    ("open", "(1, 24)", "(3, 2)"),
    ("behaviour", "BestResponse(noise: 0.001)", "BestResponse(noise: 0)"),
    ("choice_set", "Sample(1000000)", "Sample(1000001)"),
    ("mixing", "Informed(first: 0, halved_every: 0.001)", "Informed(first: 0.1, halved_every: 0)"),
    ("mix", "[(share: 0.4), (share: 0.6)]", "[(share: 0.5), (share: 0.6)]"),
    ("initial_price", "Random", "Fixed([-1])"),
    ("initial_choice", "Random", "Fixed([0.5, 0.4])"),
    ("weather", "Constant(2)", "Constant(-1)"),
    ("preference_grid", "Constant(9)", "Constant(-1)"),
];

/// A row of a table of fields.
#[derive(Debug)]
struct Field {
    name: String,
    kind: String,
    default: String,
    range: String,
}

fn documented(sections: &[Section], place: &Place) -> Vec<Field> {
    // What a block is, the ledger's table tells.
    let (heading, prefix) = if place.heading == "block" { ("ledger", "block.") } else { (place.heading, "") };
    let rows = section(sections, heading).tables("field").swap_remove(place.table);
    let field = |cells: Vec<String>| {
        let [name, kind, default, range, _] =
            <[String; 5]>::try_from(cells).expect("field, type, default, range, meaning");
        let name = name.trim_matches('`').strip_prefix(prefix)?.to_owned();
        Some(Field { name, kind, default, range })
    };
    rows.into_iter().filter_map(field).collect()
}

/// The scenario with these fields in this place.
fn scenario(place: &Place, fields: &[(&str, &str)]) -> String {
    let has = |name| place.around.0.is_empty() && fields.iter().any(|(field, _)| *field == name);
    let mut text = "Scenario(".to_owned();
    for (name, value) in [("name", "\"docs\""), ("population", "Synthetic(count: 5)")] {
        if !has(name) && !place.around.0.starts_with(name) {
            text += &format!("{name}: {value}, ");
        }
    }
    let inner: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    text + place.around.0 + &inner.join(", ") + place.around.1 + ")"
}

/// The place's fields but for this one.
fn others<'a>(place: &'a Place, field: &str) -> Vec<(&'a str, &'a str)> {
    place.base.iter().copied().filter(|(name, _)| *name != field).collect()
}

/// The scenario with this value in this place, and what else it needs.
fn with(place: &Place, field: &str, value: &str) -> String {
    let mut fields = others(place, field);
    fields.push((field, value));
    scenario(place, &fields)
}

/// The scenario as the loader understands it, or what is wrong with it.
fn loaded(text: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("docs.ron");
    fs::write(&path, text).expect("the scenario is written");
    let profiles = "prosumer,slot,pv_kwh,load_kwh\n".to_owned()
        + &(1..=24).map(|slot| format!("1,{slot},1,2\n")).collect::<String>();
    fs::write(folder.path().join("profiles.csv"), profiles).expect("the profiles are written");
    let members = "name,preference_pv,preference_grid\nSelma,2,1\n";
    fs::write(folder.path().join("members.csv"), members).expect("the members are written");
    load(&path, &Overrides::default()).map(|plan| plan.resolved_ron()).map_err(|error| error.to_string())
}

/// What the loader would have allowed instead.
fn allowed(text: &str) -> BTreeSet<String> {
    let error = loaded(text).expect_err("nothing is called zzz");
    let (_, list) = error.split_once("allowed: ").unwrap_or_else(|| panic!("{error}"));
    list.lines().next().unwrap_or_default().split(", ").map(|name| name.replace(" or ", "")).collect()
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_one() {
    let sections = sections("docs/scenario.md");
    for place in &PLACES {
        let names = documented(&sections, place).into_iter().map(|field| field.name);
        let known: BTreeSet<String> = names.map(|name| name.split('.').next().unwrap_or_default().to_owned()).collect();
        let fields = [place.base, &[("zzz", "0")]].concat();
        assert_eq!(known, allowed(&scenario(place, &fields)), "{} in docs/scenario.md", place.heading);
    }
    for field in documented(&sections, &PLACES[0])
        .iter()
        .filter(|field| field.kind.starts_with("struct") && !field.default.contains("("))
    {
        assert!(!section(&sections, &field.name).tables("field").is_empty(), "{} has no table", field.name);
    }
}

#[test]
fn every_column_of_members_is_documented_and_every_documented_column_is_one() {
    let sections = sections("docs/scenario.md");
    let rows = section(&sections, "Members").tables("column").swap_remove(0);
    let documented: Vec<String> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let ron = "Scenario(name: \"docs\", population: Members(members: \"members.csv\"))";
    let unknown = Simulation::builder().ron(ron).data("members.csv", "name,zzz\n").build();
    let error = unknown.expect_err("nothing is called zzz").to_string();
    let (_, known) = error.split_once("columns: ").unwrap_or_else(|| panic!("{error}"));
    assert_eq!(documented.join(", "), known.lines().next().unwrap_or_default());
}

#[test]
fn fields_that_are_told_in_words_are_all_told() {
    let sections = sections("docs/scenario.md");
    for (heading, text) in [
        ("learning", "learning: (mix: [(share: 0.1, zzz: 0)])"),
        ("network", "network: (links: [(from: Ledger, to: Grid, zzz: 0)])"),
        ("network", "network: (conditions: [(at: \"1h\", lasting: \"1s\", what: Partition(zzz: 0))])"),
        ("network", "network: (conditions: [(at: \"1h\", lasting: \"1s\", what: Crash(zzz: 0))])"),
        ("Tariffs", "market: (grid_tariff: Schedule([(zzz: 0)]))"),
        ("Tariffs", "market: (imbalance: (zzz: 0))"),
        ("Tariffs", "market: (tariffs: {\"tenants\": (zzz: 0)})"),
        ("network", "network: (delay: Exponential(zzz: 0))"),
        ("network", "network: (delay: LogNormal(zzz: 0))"),
        ("activation", "activation: Independent(zzz: 0)"),
        ("activation", "activation: Reactive(zzz: 0)"),
        ("clock", "clock: Wall(zzz: 0)"),
    ] {
        let told = &section(&sections, heading).text;
        for name in allowed(&scenario(&PLACES[0], &[("clock", "Virtual")]).replace("clock: Virtual", text)) {
            assert!(told.contains(&format!("`{name}`")) || told.contains(&format!("{name}: ")), "{name} of {text}");
        }
    }
}

#[test]
fn documented_defaults_are_those_of_a_field_that_is_left_out() {
    let sections = sections("docs/scenario.md");
    let mut checked = 0;
    for place in &PLACES {
        for Field { name, kind, default, .. } in documented(&sections, place) {
            if place.heading == "ledger" && name.contains('.') {
                continue;
            }
            let left_out =
                if place.base.is_empty() && place.around.0.is_empty() && ["name", "population"].contains(&&*name) {
                    Err(loaded(&with(place, &name, "zzz")).expect_err("nothing is called zzz"))
                } else {
                    loaded(&scenario(place, &others(place, &name)))
                };
            match quoted(&default)[..] {
                [value] => {
                    let given = loaded(&with(place, &name, value)).unwrap_or_else(|error| panic!("{error}"));
                    assert_eq!(Ok(given), left_out, "default of {}.{name}", place.heading);
                    checked += 1;
                }
                _ if default == "required" => assert!(left_out.is_err(), "{}.{name} is not required", place.heading),
                _ => {
                    assert!(default == "see below" && kind.starts_with("struct"), "{}.{name}: {default}", place.heading)
                }
            }
        }
    }
    assert!(checked > 50, "only {checked} defaults were found");
}

#[test]
fn documented_variants_are_those_that_a_field_takes() {
    let sections = sections("docs/scenario.md");
    for place in &PLACES {
        for Field { name, kind, .. } in documented(&sections, place) {
            let variants =
                quoted(&kind).into_iter().map(|variant| variant.split('(').next().unwrap_or_default().to_owned());
            // An optional field takes `None` too.
            let mut variants: BTreeSet<String> = variants.filter(|variant| variant != "None").collect();
            if !variants.is_empty() && !name.contains('.') {
                variants.insert("None".to_owned());
                let mut known = allowed(&with(place, &name, "Zzz"));
                known.insert("None".to_owned());
                assert_eq!(variants, known, "{}.{name}", place.heading);
            }
        }
    }
    let rows = section(&sections, "activation").tables("variant").swap_remove(0);
    let variants = rows.iter().map(|row| quoted(&row[0])[0].split('(').next().unwrap_or_default().to_owned());
    assert_eq!(variants.collect::<BTreeSet<_>>(), allowed(&with(&PLACES[0], "activation", "Zzz")));
}

/// A bound of a range: a number or a duration.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Number(f64),
    Whole(u64),
    Time(Duration),
}

impl Bound {
    fn read(text: &str, whole: bool) -> Option<Self> {
        let text = text.trim().trim_matches('`');
        let text = NAMED.iter().find(|(name, _)| *name == text).map_or(text, |(_, value)| value);
        if let Some((power, rest)) = text.split_once(" - ") {
            let two_to =
                |power: &str| power.strip_prefix("2^")?.parse().ok().and_then(|power| 1_u128.checked_shl(power));
            return Some(Self::Whole((two_to(power)? - two_to(rest)?) as u64));
        }
        let digits = text.replace(',', "");
        match (digits.parse::<f64>(), whole) {
            (Ok(_), true) => digits.parse().ok().map(Self::Whole),
            (Ok(number), false) => Some(Self::Number(number)),
            (Err(_), _) => humantime::parse_duration(text).ok().map(Self::Time),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Number(number) => format!("{number:?}"),
            Self::Whole(number) => number.to_string(),
            Self::Time(time) => format!("\"{}\"", humantime::format_duration(time)),
        }
    }

    /// The values just below and just above, where there are any.
    fn beside(self) -> [Option<String>; 2] {
        match self {
            Self::Number(number) => {
                let step = 1e-9 * number.abs().max(1e-3);
                [number - step, number + step].map(|number| Some(Self::Number(number).text()))
            }
            Self::Whole(number) => {
                let below = number.checked_sub(1).map_or_else(|| "-1".to_owned(), |number| number.to_string());
                [below, (u128::from(number) + 1).to_string()].map(Some)
            }
            Self::Time(time) => {
                let step = Duration::from_nanos(1);
                [time.checked_sub(step), Some(time + step)].map(|time| time.map(|time| Self::Time(time).text()))
            }
        }
    }
}

/// Values that a range allows, and values just outside of it; `None` where it is told in words.
fn edges(range: &str, whole: bool) -> Option<(Vec<String>, Vec<String>)> {
    let range = range.split(", in every").next().unwrap_or_default();
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    let mut bound = |text: &str, upper: bool, open: bool| {
        let bound = Bound::read(text, whole)?;
        let [below, above] = bound.beside();
        let (within, beyond) = if upper { (below, above) } else { (above, below) };
        if open {
            outside.push(bound.text());
            inside.extend(within);
        } else {
            inside.push(bound.text());
            outside.extend(beyond);
        }
        Some(bound)
    };
    let (lower, upper) = if let Some(lower) = range.strip_prefix("above ") {
        let (lower, upper) = lower.split_once(", up to ").unwrap_or((lower, ""));
        (bound(lower, false, true)?, upper)
    } else if let Some(lower) = range.strip_suffix(" up") {
        (bound(lower, false, false)?, "")
    } else {
        let (lower, upper) = range.split_once(" to ")?;
        (bound(lower, false, false)?, upper)
    };
    match (upper.strip_prefix("below "), lower) {
        (Some(upper), _) => bound(upper, true, true)?,
        // The largest number, where none is given.
        (None, Bound::Number(_)) if upper.is_empty() => bound("10,000", true, false)?,
        (None, _) if upper.is_empty() => lower,
        (None, _) => bound(upper, true, false)?,
    };
    Some((inside, outside))
}

#[test]
fn documented_ranges_are_those_that_the_loader_allows_to_the_last_digit() {
    let sections = sections("docs/scenario.md");
    let (mut edges_checked, mut in_words) = (0, BTreeSet::new());
    for place in &PLACES {
        for Field { name, kind, default, range } in documented(&sections, place) {
            if range.is_empty() || name.contains('.') {
                continue;
            }
            let Some((inside, outside)) = edges(&range, kind.starts_with("whole number")) else {
                in_words.insert(name);
                continue;
            };
            // As in the default, a number may stand in a variant.
            let variant = quoted(&default).first().and_then(|default| Some(default.split_once('(')?.0));
            let given = |value: &str| {
                let value = variant.map_or_else(|| value.to_owned(), |variant| format!("{variant}({value})"));
                // What preferences there are without a column for them, is told for profiles only.
                if place.heading == "preferences" && name.starts_with("preference_") {
                    let both = ["preference_pv", "preference_grid"]
                        .map(|field| format!("{field}: {}", if field == name { &value } else { "1" }));
                    let population = "name: \"docs\", population: Profiles(\"profiles.csv\")";
                    return loaded(&format!("Scenario({population}, preferences: ({}))", both.join(", ")));
                }
                loaded(&with(place, &name, &value))
            };
            for value in &inside {
                assert!(given(value).is_ok(), "{}.{name} = {value}, range {range}: {:?}", place.heading, given(value));
            }
            for value in &outside {
                assert!(given(value).is_err(), "{}.{name} = {value} is allowed, range {range}", place.heading);
            }
            edges_checked += inside.len() + outside.len();
        }
    }
    assert!(edges_checked > 80, "only {edges_checked} edges were found");
    for (name, fine, wrong) in IN_WORDS {
        let place = PLACES.iter().find(|place| {
            documented(&sections, place).iter().any(|field| {
                field.name == name
                    && !field.range.is_empty()
                    && in_words.contains(name)
                    && edges(&field.range, false).is_none()
            })
        });
        let place = place.unwrap_or_else(|| panic!("the range of {name} is not told in words"));
        assert!(loaded(&with(place, name, fine)).is_ok(), "{name} = {fine}: {:?}", loaded(&with(place, name, fine)));
        assert!(loaded(&with(place, name, wrong)).is_err(), "{name} = {wrong} is allowed");
        in_words.remove(name);
    }
    // These need another field beside them, which bad_scenarios.rs has.
    for beside in ["fitness", "every"] {
        in_words.remove(beside);
    }
    assert!(in_words.is_empty(), "ranges that nobody checks: {in_words:?}");
    for (value, fine) in [("1us", true), ("999ns", false), ("1day", true), ("1day 1ns", false)] {
        for variant in ["LockStep(period", "Independent(period", "Poisson(period", "Reactive(min_interval"] {
            let activation = format!("{variant}: \"{value}\")");
            assert_eq!(loaded(&with(&PLACES[0], "activation", &activation)).is_ok(), fine, "{activation}");
        }
    }
}
