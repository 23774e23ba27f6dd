//! `sim import`: what it leaves runs, and says the same however the source was written; where it refuses it leaves nothing.

use crate::support::{sim, stdout};
use std::{fs, path::Path};

/// Two meters over a day of half-hours: wide in kWh, and long in kW, which are twice as many.
fn write_meters(folder: &Path) {
    let mut wide = "time,A_in,A_out,A_pv,B_in\n".to_owned();
    let mut long = "von;meter;in;out;pv\n".to_owned();
    for half in 0..48_u32 {
        let time = format!("2024-06-01T{:02}:{:02}+02:00", half / 2, half % 2 * 30);
        let pv = if (16..36).contains(&half) { 3 } else { 0 };
        let (out, load) = (pv.min(2), half % 5 + 1);
        wide += &format!("{time},{load},{out},{pv},{}.5\n", half % 3);
        long += &format!("{time};A;{},0;{},0;{},0\n{time};B;{},0;0;0\n", 2 * load, 2 * out, 2 * pv, 2 * (half % 3) + 1);
    }
    fs::write(folder.join("wide.csv"), wide).expect("the table is written");
    fs::write(folder.join("long.csv"), long).expect("the table is written");
}

#[test]
fn the_same_day_in_wide_kwh_and_in_long_kw_gives_the_same_tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_meters(folder.path());
    let common = "--zone Europe/Berlin --step 30min";
    for arguments in [
        format!(
            "wide.csv --layout wide --unit kwh --time time --import {{}}_in --export {{}}_out --generation {{}}_pv {common}"
        ),
        format!(
            "long.csv --layout long --unit kw --time von --member meter --import in --export out --generation pv \
             --separator ; --decimal comma {common}"
        ),
    ] {
        let out = arguments.split('.').next().expect("the file's name");
        let told = stdout(&mut sim(folder.path(), &format!("import meters {arguments} --out {out}/day")));
        assert!(told.contains("load is import + generation - export") && told.contains("next: sim check"), "{told}");
        let checked = stdout(&mut sim(folder.path(), &format!("check {out}/day/scenario.ron")));
        assert!(checked.contains("day is valid: 2 prosumers, 48 slots"), "{checked}");
        stdout(&mut sim(folder.path(), &format!("{out}/day/scenario.ron --out {out}/results --no-report -q")));
    }
    for table in ["slots.csv", "trades.csv", "prosumers.csv"] {
        let [wide, long] = ["wide", "long"].map(|out| folder.path().join(out).join("results/day/latest").join(table));
        let [wide, long] = [wide, long].map(|path| fs::read_to_string(path).expect("the run has the table"));
        assert!(wide == long, "{table} differs");
    }
}

#[test]
fn prices_and_profiles_become_scenarios_that_are_valid() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let prices = "<Publication_MarketDocument><TimeSeries><currency_Unit.name>EUR</currency_Unit.name>\
                  <price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType><Period><timeInterval>\
                  <start>2024-05-31T22:00Z</start><end>2024-06-01T22:00Z</end></timeInterval><resolution>PT60M</resolution>\
                  <Point><position>1</position><price.amount>80</price.amount></Point>\
                  <Point><position>13</position><price.amount>-5.07</price.amount></Point>\
                  </Period></TimeSeries></Publication_MarketDocument>";
    fs::write(folder.path().join("prices.xml"), prices).expect("the document is written");
    fs::write(folder.path().join("house.csv"), "INTERVAL;POWER(W)\n00:00;120.5\n").expect("the profile is written");
    for (arguments, valid) in [
        ("entsoe prices.xml --out spot", "spot is valid: 20 prosumers, 24 slots"),
        (
            "gsy house.csv --zone Europe/Berlin --from 2024-03-31 --days 1 --out houses",
            "houses is valid: 1 prosumer, 92 slots",
        ),
    ] {
        stdout(&mut sim(folder.path(), &format!("import {arguments}")));
        let out = arguments.rsplit(' ').next().expect("a folder");
        let checked = stdout(&mut sim(folder.path(), &format!("check {out}/scenario.ron")));
        assert!(checked.contains(valid), "{checked}");
        let page = fs::read_to_string(folder.path().join(out).join("import.md")).expect("a page");
        assert!(page.contains("| SHA-256 |") && page.contains("## Placeholders"), "{page}");
    }
}

#[test]
fn examples_in_the_help_can_be_copied_from_80_columns() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for kind in ["", "simbench ", "meters ", "gsy ", "entsoe "] {
        let help = stdout(&mut sim(folder.path(), &format!("import {kind}--help")));
        let (_, examples) = help.split_once("Examples:\n").expect("the help has examples");
        let commands = examples.matches("\n  sim ").count() + usize::from(examples.starts_with("  sim "));
        assert!(commands > 1, "{examples}");
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn what_is_refused_ends_with_code_2_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let house = folder.path().join("house.csv");
    fs::write(&house, "INTERVAL;POWER(W)\n00:00;-1\n").expect("the profile is written");
    let import = "import gsy house.csv --zone Europe/Berlin --from 2024-06-01 --days 1 --out";
    let ends = |arguments: &str| {
        let output = sim(folder.path(), arguments).output().expect("the command runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = ends(&format!("{import} houses"));
    assert!(code == Some(2) && said.contains("house.csv:2:7") && said.contains("= note: allowed: 0 or more"), "{said}");
    assert!(!folder.path().join("houses").exists());
    fs::write(&house, "INTERVAL;POWER(W)\n00:00;1\n").expect("the profile is written");
    stdout(&mut sim(folder.path(), &format!("{import} houses")));
    let checked = stdout(&mut sim(folder.path(), "check houses/scenario.ron"));
    assert!(checked.contains("open on 1 day, 96 of 96 slots"), "{checked}");
    let profiles = folder.path().join("houses/profiles.csv");
    let more = fs::read_to_string(&profiles).expect("profiles").replace('\n', ",1\n").replacen(",1", ",barn", 1);
    fs::write(&profiles, more).expect("the profiles are written");
    let checked = stdout(&mut sim(folder.path(), "check houses/scenario.ron"));
    assert!(checked.contains("note: profile `barn` is used by no member"), "{checked}");
    let (code, said) = ends(&format!("{import} houses"));
    assert!(code == Some(2) && said.contains("houses is not empty") && said.contains("--force"), "{said}");
    stdout(&mut sim(folder.path(), &format!("{import} houses --force")));
    let (code, said) = ends(&format!("{import} house.csv"));
    assert!(code == Some(2) && said.contains("there is a file where a folder is to be"), "{said}");
    let (code, said) = ends(&format!("{import} .hidden"));
    assert!(code == Some(2) && said.contains("is to be the scenario's name"), "{said}");
}
