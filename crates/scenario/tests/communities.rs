//! What is told of mistakes in the tables of a community, and of what is allowed but hardly meant.

use microgrid_scenario::{Draft, Overrides, Plan, ScenarioError, load};

const MEMBERS: &str = "name,load_profile,pv_profile,pv_kwp,ev_kwh,ev_kw,ev_home\n\
                       Anna,flat,roof,,5,3,18:00-07:00\nBen,flat,,,,,\nCem,flat,roof,,,,\n";
const MARKET: &str =
    "calendar: (start: \"2024-06-01\", days: 1, slot_length: \"1h\"), grid_tariff: 0.3, feed_in_tariff: 0.08";

fn profiles() -> String {
    let rows = (0..24).map(|hour| format!("2024-06-01T{hour:02}:00:00Z,1,2,3\n"));
    format!("time,flat,roof,barn\n{}", rows.collect::<String>())
}

/// A long table: the roof in half-hours, which the flat load has in hours.
fn of_two_steps() -> String {
    let rows = (0..48).map(|half| {
        let time = format!("2024-06-01T{:02}:{:02}:00Z", half / 2, half % 2 * 30);
        let flat = if half % 2 == 0 { format!("{time},flat,1\n") } else { String::new() };
        format!("{flat}{time},roof,2\n")
    });
    format!("time,profile,value\n{}", rows.collect::<String>())
}

fn plan(members: &str, profiles: &str, market: &str, unit: &str) -> Result<Plan, ScenarioError> {
    let text = format!(
        "Scenario(name: \"c\", market: ({market}), preferences: (preference_pv: 1.2, preference_grid: 1), population: \
         Members(members: \"members.csv\", profiles: \"profiles.csv\", unit: {unit}))"
    );
    let mut draft = Draft::ron(&text)?;
    draft.give("members.csv", members);
    draft.give("profiles.csv", profiles);
    draft.plan()
}

/// Where each of these parts is missing in what is said.
fn unsaid(said: &str, parts: &[&str]) -> String {
    let missing: Vec<_> = parts.iter().filter(|part| !said.contains(**part)).collect();
    if missing.is_empty() { String::new() } else { format!("no {missing:?} in\n{said}\n") }
}

#[test]
fn mistakes_in_tables_are_told_with_their_place_and_mend() {
    let separated = MEMBERS.replace(',', ";");
    let shares = MEMBERS.replace("Anna,flat,roof,,", "Anna,flat,roof,5,");
    let mistakes: &[(&str, &str, &str, &[&str])] = &[
        (&separated, &profiles(), "Kwh", &["members.csv:1:1", "cells are not separated by commas"]),
        (
            &MEMBERS.replace("Ben,", "\"Ben,"),
            &profiles(),
            "Kwh",
            &["members.csv:3:1", "a quote that opens in this row"],
        ),
        (
            &MEMBERS.replace("Ben,flat,,,,,", "Ben,flat,,,,,\""),
            &profiles(),
            "Kwh",
            &["members.csv:3:", "a quote that opens in this row"],
        ),
        (
            &MEMBERS.replace("name,", "\"name,"),
            &profiles(),
            "Kwh",
            &["members.csv:1:1", "a quote that opens in this row"],
        ),
        (MEMBERS, &profiles().replace("barn", "slot"), "Kwh", &["profiles.csv:1:16", "has both `time` and `slot`"]),
        (
            MEMBERS,
            &of_two_steps(),
            "Kwh",
            &["`flat` has 3600 s from row to row, and the table 1800 s", "all profiles of a table"],
        ),
        (
            &shares,
            &profiles(),
            "Kwh",
            &["pv_kwp: the profile is energy or power already", "`unit: Share`", "it says `Kwh`"],
        ),
        (MEMBERS, &profiles(), "Share", &["its profile is a share", "or `unit: Kwh` or `Kw`"]),
        (
            &MEMBERS.replace("18:00", "Mon-Fri 18:00"),
            &profiles(),
            "Kwh",
            &["members.csv:2:", "hours alone", "each day"],
        ),
    ];
    let mut missing = String::new();
    for (members, profiles, unit, parts) in mistakes {
        match plan(members, profiles, MARKET, unit) {
            Ok(_) => missing += &format!("this is not refused: {parts:?}\n"),
            Err(error) => missing += &unsaid(&error.to_string(), parts),
        }
    }
    assert!(missing.is_empty(), "{missing}");
}

#[test]
fn prices_by_which_errors_pay_and_units_that_are_too_large_are_doubted() {
    let imbalance = |short: &str, long: &str| format!("{MARKET}, imbalance: (short: {short}, long: {long})");
    let told = |market: &str, profiles: &str| {
        let plan = plan(MEMBERS, profiles, market, "Kwh").unwrap_or_else(|error| panic!("{error}"));
        plan.warnings.iter().map(|warning| warning.to_string() + "\n").collect::<String>()
    };
    assert_eq!(told(&imbalance("0.3", "0.08"), &profiles()), "", "as dear as without imbalance");
    let group = format!("{}, tariffs: {{}}", imbalance("0.41", "0.05"));
    assert_eq!(told(&group, &profiles()), "");
    let in_watts = profiles().replace("Z,1,2,3", "Z,100.5,2,3");
    for (market, profiles, parts) in [
        (
            imbalance("0.2", "0.05"),
            profiles(),
            &["market.imbalance.short", "less load than it has", "the grid asks 0.3"],
        ),
        (imbalance("-0.2", "-0.2"), profiles(), &["market.imbalance.short", "found -0.2", "at least that"]),
        (
            imbalance("0.4", "0.1"),
            profiles(),
            &["market.imbalance.long", "less generation than it has", "the grid pays 0.08"],
        ),
        (
            MARKET.to_owned(),
            in_watts,
            &["`Anna` wants 100 kWh an hour on average", "profiles.csv", "1000 Wh are 1 kWh"],
        ),
    ] {
        let missing = unsaid(&told(&market, &profiles), parts);
        assert!(missing.is_empty(), "{market}: {missing}");
    }
}

#[test]
fn names_that_look_alike_are_the_same() {
    let root = tempfile::tempdir().unwrap();
    let accents_apart = profiles().replace("flat", "Ka\u{308}the");
    let text = format!(
        "Scenario(name: \"c\", market: ({MARKET}), preferences: (preference_pv: 1.2, preference_grid: 1), population: \
         Members(members: \"members.csv\", profiles: \"profiles.csv\"))"
    );
    let members = MEMBERS.replace("flat", "K\u{e4}the");
    for (name, text) in [("profiles.csv", &accents_apart), ("members.csv", &members), ("c.ron", &text)] {
        std::fs::write(root.path().join(name), text).unwrap();
    }
    load(&root.path().join("c.ron"), &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn profiles_that_nobody_has_are_known() {
    let plan = plan(MEMBERS, &profiles(), MARKET, "Kwh").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.unused_profiles(), ["barn"]);
}
