//! Grids of SimBench.

use crate::support::{is_absent, lines, loaded, says, sources, target, unsaid};
use jiff::{Timestamp, tz::TimeZone};
use microgrid_import::simbench::SimBench;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

const LOAD: &str = "id;node;profile;pLoad;qLoad;sR;subnet;voltLvl\n\
                    L1;N1;H0-A;0.0139;0.001;0.015;LV9.101;7\n\
                    L2;N1;H0-B;0.002;0.001;0.003;LV9.101;7\n\
                    L3;N2;H0-A;0.004;0.001;0.005;LV9.101;7\n\
                    other;N1;H0-A;0.1;0.001;0.005;MV1.101_LV9.101_eq;5\n";
const RES: &str = "id;node;type;profile;calc_type;pRES;qRES;sR;subnet;voltLvl\n\
                   S1;N1;PV;PV1;pq;0.0076;0;0.0096;LV9.101;7\n\
                   S2;N3;PV;PV1;pq;0.01;0;0.01;LV9.101;7\n\
                   W1;N2;Wind;WP4;pq;0.2;0;0.2;LV9.101;7\n";
const STORAGE: &str = "id;node;type;profile;pStor;qStor;chargeLevel;sR;eStore;etaStore;sdStore;pMin;pMax;qMin;qMax;subnet;voltLvl\n\
                       B1;N2;PV_Storage;Storage_PV1_H0-A;-0.0068;0;0;0.0068;0.0137;0.95;0.13;-0.0068;0;0;0;LV9.101;7\n";

/// A year as SimBench writes it: local clock without offset, values by the number of the row.
fn year(columns: &[&str], value: impl Fn(usize) -> String) -> String {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let start: Timestamp = "2015-12-31T23:00:00Z".parse().unwrap();
    let mut text = format!("time;{}\n", columns.join(";"));
    for row in 0..35_136 {
        let at = start + jiff::SignedDuration::from_secs(900 * row as i64);
        text += &at.to_zoned(zone.clone()).strftime("%d.%m.%Y %H:%M").to_string();
        columns.iter().for_each(|_| text += &format!(";{}", value(row)));
        text.push('\n');
    }
    text
}

/// A set as a folder, with one file changed.
fn set(changed: &str, change: &dyn Fn(String) -> String) -> TempDir {
    let loads = year(&["H0-A_qload", "H0-A_pload", "H0-B_pload"], |row| format!("0.{:06}", row * 7));
    let sun = year(&["PV1", "WP4"], |row| if row == 40 { "0.5".to_owned() } else { "0".to_owned() });
    let files = [("Load.csv", LOAD.to_owned()), ("RES.csv", RES.to_owned()), ("Storage.csv", STORAGE.to_owned())];
    let files = files.into_iter().chain([("LoadProfile.csv", loads), ("RESProfile.csv", sun)]);
    let files: Vec<(&str, String)> =
        files.map(|(name, text)| (name, if name == changed { change(text) } else { text })).collect();
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    sources(&borrowed).0
}

fn whole() -> TempDir {
    set("", &|text| text)
}

fn of(root: &TempDir) -> SimBench {
    SimBench::of(root.path().to_owned(), "LV9.101")
}

#[test]
fn a_grid_is_its_loads_with_the_devices_at_their_nodes() {
    let root = whole();
    let imported = of(&root).import(&target(&root)).unwrap();
    assert_eq!(
        imported.file("members.csv").unwrap(),
        "name,load_profile,load_peak_kw,pv_profile,pv_kwp,battery_kwh,battery_kw,battery_efficiency\n\
         L1,H0-A,13.9,PV1,7.6,,,\n\
         L2,H0-B,2,,,,,\n\
         L3,H0-A,4,,,13.7,6.8,0.95\n\
         S2,,,PV1,10,,,\n"
    );
    let profiles = lines(&imported, "profiles.csv");
    assert_eq!(profiles.len(), 1 + 35_136);
    assert_eq!(profiles[0], "time,H0-A,H0-B,PV1");
    assert_eq!(profiles[1], "2016-01-01T00:00:00+01:00,0.000000,0.000000,0");
    assert_eq!(profiles[41], "2016-01-01T10:00:00+01:00,0.000280,0.000280,0.5");
    // Both changes of the clock, by the row.
    assert!(
        profiles[8264].starts_with("2016-03-27T01:45:00+01:00,")
            && profiles[8265].starts_with("2016-03-27T03:00:00+02:00,")
    );
    assert!(
        profiles[29_096].starts_with("2016-10-30T02:45:00+02:00,")
            && profiles[29_097].starts_with("2016-10-30T02:00:00+01:00,")
    );
    let page = imported.file("import.md").unwrap();
    for told in [
        "LoadProfile.csv` | ",
        "Open Database License",
        "1 generator of type `Wind`",
        "S1 7.6 of 9.6 kVA",
        "an hour early",
    ] {
        assert!(page.contains(told), "no {told} in\n{page}");
    }
    let plan = loaded(&imported);
    assert_eq!((plan.scenario.market.slots, plan.scenario.name.as_str()), (35_136, "imported"));
}

#[test]
fn generation_is_moved_to_later_and_days_are_cut_out_of_the_year() {
    let root = whole();
    let mut how = of(&root);
    (how.from, how.days, how.shift_pv) = (Some("2016-01-01".to_owned()), Some(2), 3600);
    let imported = how.import(&target(&root)).unwrap();
    let profiles = lines(&imported, "profiles.csv");
    assert_eq!(profiles.len(), 1 + 192);
    assert_eq!(profiles[45], "2016-01-01T11:00:00+01:00,0.000308,0.000308,0.5");
    assert!(profiles[41].ends_with(",0"));
    assert!(imported.page.changed.iter().any(|line| line.contains("shifted by 1h to later")));
    assert_eq!(loaded(&imported).scenario.market.slots, 192);
}

#[test]
fn a_wheel_gives_the_same_as_its_folder() {
    let root = whole();
    let wheel = root.path().join("simbench-0-py3-none-any.whl");
    let mut zip = ZipWriter::new(File::create(&wheel).unwrap());
    for name in ["Load.csv", "RES.csv", "Storage.csv", "LoadProfile.csv", "RESProfile.csv"] {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(format!("simbench/networks/tiny/{name}"), options).unwrap();
        zip.write_all(&fs::read(root.path().join(name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    let folder = target(&root);
    let of_folder = of(&root).import(&folder).unwrap();
    let mut how = SimBench::of(wheel.clone(), "LV9.101");
    how.set = "tiny".to_owned();
    let of_wheel = how.import(&folder).unwrap();
    for file in ["members.csv", "profiles.csv", "scenario.ron"] {
        assert!(of_folder.file(file) == of_wheel.file(file), "{file} differs");
    }
    how.set = "tinny".to_owned();
    says(how.import(&folder), &["--set: there is no set `tinny`", "did you mean `tiny`?"]);
    let mut both = of(&root);
    both.set = "tiny".to_owned();
    says(both.import(&folder), &["--set: a folder is a set, and ", "leave it out"]);
    let damaged = fs::read(&wheel).unwrap();
    fs::write(&wheel, &damaged[..damaged.len() / 2]).unwrap();
    says(how.import(&folder), &["it is no ZIP archive, or a damaged one", "pip download"]);
}

/// A mistake in a file, and what is said of it.
type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 22] = [
    ("Load.csv", "pLoad", "load", &["Load.csv:1:1", "the column `pLoad` is missing", "did you mean `load`?"]),
    ("Load.csv", "0.0139", "0,0139", &["Load.csv:2:12", "pLoad: not a number", "write 0.0139"]),
    ("Load.csv", "0.0139", "-0.0139", &["Load.csv:2:12", "below zero", "allowed: 0 or more"]),
    ("Load.csv", "L2;", "L1;", &["Load.csv:3:1", "id: is there twice"]),
    ("Load.csv", "L2;N1;H0-B", "L2;N1;NULL", &["Load.csv:3:7", "profile: the name is missing"]),
    ("Load.csv", "L2;N1;", "L2;N1;x;", &["Load.csv:3:1", "the row has 9 cells, the header has 8"]),
    ("Load.csv", "LV9.101;7", "LV9.102;7", &["no load is in a subnet `LV9.101`", "did you mean `LV9.102`?"]),
    ("Load.csv", ";", ",", &["Load.csv:1:1", "cells are separated by `,`"]),
    ("Load.csv", "qLoad", "pLoad", &["Load.csv:1:23", "the column `pLoad` is there twice"]),
    ("Load.csv", "0.0139", "99999", &["Load.csv:2:12", "more than 1000 MW"]),
    ("RES.csv", "S2;N3", "S2;N1", &["RES.csv:3:4", "two photovoltaic systems at this node"]),
    ("RES.csv", "0.0076", "nan", &["RES.csv:2:17", "pRES: not a number", "has to be filled in"]),
    ("Storage.csv", "B1;N2", "B1;N8", &["Storage.csv:2:4", "there is no load at this node"]),
    ("Storage.csv", "0.95", "95", &["Storage.csv:2:61", "etaStore: no efficiency", "above 0, up to 1"]),
    ("Storage.csv", "0.0137", "0", &["Storage.csv:2:54", "a storage of nothing"]),
    (
        "LoadProfile.csv",
        "H0-B_pload",
        "H0-C_pload",
        &["LoadProfile.csv:1:1", "the column `H0-B_pload` is missing", "did you mean"],
    ),
    (
        "LoadProfile.csv",
        "27.03.2016 03:00",
        "27.03.2016 02:00",
        &["LoadProfile.csv:8266:1", "is to be 27.03.2016 03:00"],
    ),
    (
        "LoadProfile.csv",
        "30.10.2016 03:00",
        "30.10.2016 02:00",
        &["LoadProfile.csv:29102:1", "is to be 30.10.2016 03:00"],
    ),
    ("LoadProfile.csv", "01.01.2016 00:15;0.000007", "01.01.2016 00:15;0.1;0.2", &["LoadProfile.csv:3:1", "5 cells"]),
    ("LoadProfile.csv", ";0.000014;0.000014", ";0;-0.2", &["LoadProfile.csv:4:20", "below zero"]),
    ("RESProfile.csv", "31.12.2016 23:45;0;0\n", "", &["RESProfile.csv:35136", "the year ends after 35135 rows"]),
    (
        "RESProfile.csv",
        "31.12.2016 23:45;0;0\n",
        "31.12.2016 23:45;0;0\n01.01.2017 00:00;0;0\n",
        &["RESProfile.csv:35138:1", "a row too many"],
    ),
];

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let mut missing = String::new();
    for (file, what, with, parts) in MISTAKES {
        let root = set(file, &|text| {
            assert!(text.contains(what), "{file} has no {what}");
            text.replace(what, with)
        });
        missing += &unsaid(of(&root).import(&target(&root)), parts);
        assert!(is_absent(&root.path().join("imported")));
    }
    assert!(missing.is_empty(), "{missing}");
}

#[test]
fn what_is_asked_for_has_to_make_sense() {
    let root = whole();
    let changed = |change: &dyn Fn(&mut SimBench)| {
        let mut how = of(&root);
        change(&mut how);
        how.import(&target(&root))
    };
    let date = |text: &str| Some(text.to_owned());
    for (shift, said) in [(600, "10min"), (24 * 3600, "24h"), (400 * 24 * 3600, "9600h")] {
        let problem = format!("--shift-pv: {said} is no number of whole rows within a day");
        says(changed(&|how| how.shift_pv = shift), &[&problem, "15min", "up to 23h45min"]);
    }
    says(changed(&|how| how.from = date("June")), &["--from: `June` is no date", "2016-06-06"]);
    says(
        changed(&|how| how.from = date("2017-01-01")),
        &["--from: 2017-01-01 is not in the source's year", "to 2016-12-31"],
    );
    says(changed(&|how| (how.from, how.days) = (date("2016-12-31"), Some(2))), &["up to `--days 1`"]);
    says(changed(&|how| how.days = Some(0)), &["--days: 0 is not allowed"]);
    says(changed(&|how| how.grid = "LV9".to_owned()), &["no load is in a subnet `LV9`"]);
    says(changed(&|how| how.source = Path::new("/nowhere").to_owned()), &["cannot read /nowhere", "pip download"]);
    fs::remove_file(root.path().join("RES.csv")).unwrap();
    let error = changed(&|_| {}).unwrap_err().to_string();
    assert!(error.contains("RES.csv: there is no such file"), "{error}");
}
