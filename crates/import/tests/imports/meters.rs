//! Readings of meters.

use crate::support::{is_absent, lines, loaded, says, sources, target, unsaid};
use microgrid_import::{
    Gaps, ImportError, Imported, Notation,
    meters::{Layout, Meters, Unit},
};

/// Half-hours of a day from midnight on, by a clock that is written as `stamp` says.
fn day(header: &str, stamp: impl Fn(u32) -> String, cells: impl Fn(u32) -> String) -> String {
    let rows = (0..48).map(|n| format!("{},{}\n", stamp(n), cells(n)));
    format!("{header}\n{}", rows.collect::<String>())
}

fn iso(n: u32) -> String {
    format!("2024-06-01 {:02}:{:02}", n / 2, n % 2 * 30)
}

/// A wide table: two meters, one of which sells.
fn wide() -> String {
    day("time,A in,A out,A pv,B in,note", iso, |n| format!("0.{n:02},0.1,0.30,{n}.5,x"))
}

fn declared(paths: Vec<std::path::PathBuf>) -> Meters {
    let mut how = Meters::of(paths, Layout::Wide, Unit::Kwh, "Europe/Berlin", "30min", "time");
    how.import = Some("{} in".to_owned());
    how.export = Some("{} out".to_owned());
    how.generation = Some("{} pv".to_owned());
    how
}

fn import(text: &str, change: impl Fn(&mut Meters)) -> Result<Imported, ImportError> {
    let (root, paths) = sources(&[("meters.csv", text)]);
    let mut how = declared(paths);
    change(&mut how);
    let imported = how.import(&target(&root))?;
    assert!(is_absent(&root.path().join("imported")));
    Ok(imported)
}

#[test]
fn load_is_what_is_imported_and_generated_less_what_is_exported() {
    let (root, paths) = sources(&[("meters.csv", &wide())]);
    let imported = declared(paths).import(&target(&root)).unwrap();
    let members = "name,load_profile,pv_profile\nA,A load,A generation\nB,B load,\n";
    assert_eq!(imported.file("members.csv").unwrap(), members);
    let profiles = lines(&imported, "profiles.csv");
    assert_eq!(profiles[0], "time,A load,A generation,B load");
    assert_eq!(profiles[4], "2024-06-01T01:30:00+02:00,0.23,0.3,3.5");
    assert_eq!(profiles.len(), 49);
    assert!(imported.page.changed.iter().any(|line| line.contains("not declared: `note`")));
    assert!(imported.file("scenario.ron").unwrap().contains("unit: Kwh"));
    assert_eq!(loaded(&imported).scenario.market.slots, 48);
}

#[test]
fn long_tables_and_wide_ones_come_to_the_same() {
    let of_wide = import(&wide(), |_| {}).unwrap();
    let rows = (0..48).flat_map(|n| [format!("{};A;0,{n:02};0,1;0,30\n", iso(n)), format!("{};B;{n},5;0;0\n", iso(n))]);
    let long = format!("von;meter;in;out;pv\n{}", rows.collect::<String>());
    let of_long = import(&long, |how| {
        how.layout = Layout::Long { member: "meter".to_owned() };
        how.time = "von".to_owned();
        (how.import, how.export, how.generation) = (Some("in".into()), Some("out".into()), Some("pv".into()));
        how.notation = Notation { separator: ';', decimal_comma: true };
    });
    let of_long = of_long.unwrap();
    let without_b = |imported: &Imported| {
        let rows =
            lines(imported, "profiles.csv").into_iter().map(|row| row.split(',').take(4).collect::<Vec<_>>().join(","));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(without_b(&of_long), without_b(&of_wide));
}

#[test]
fn a_file_for_each_meter_has_the_files_name() {
    let text = |value: &str| day("time,kWh", iso, |_| value.to_owned());
    // Its accent stands apart, as in files of macOS.
    let (root, paths) = sources(&[("ka\u{308}the.csv", &text("1")), ("b.csv", &text("2"))]);
    let mut how = Meters::of(paths, Layout::Wide, Unit::Kwh, "Europe/Berlin", "30min", "time");
    how.import = Some("kWh".to_owned());
    let imported = how.import(&target(&root)).unwrap();
    assert_eq!(lines(&imported, "profiles.csv")[1], "2024-06-01T00:00:00+02:00,1,2");
    assert_eq!(lines(&imported, "members.csv"), ["name,load_profile", "käthe,käthe load", "b,b load"]);
    loaded(&imported);
}

#[test]
fn without_a_meter_for_generation_exports_stand_for_it() {
    let imported = import(&wide(), |how| how.generation = None).unwrap();
    assert_eq!(lines(&imported, "profiles.csv")[4], "2024-06-01T01:30:00+02:00,0.03,0.1,3.5");
}

#[test]
fn the_doubled_hour_goes_by_order_and_stamps_may_be_ends() {
    // 30.10.2016 has 50 half-hours; a stamp is the end of its interval.
    let mut stamps = Vec::new();
    for half in (1..=4).chain([5]).chain(4..=5).chain(6..=48) {
        stamps.push(match half {
            48 => "31.10.2016 00:00".to_owned(),
            half => format!("30.10.2016 {:02}:{:02}", half / 2, half % 2 * 30),
        });
    }
    assert_eq!(stamps.len(), 50);
    let rows = stamps.iter().enumerate().map(|(n, stamp)| format!("{stamp},{n}\n"));
    let text = format!("time,A in\n{}", rows.collect::<String>());
    let imported = import(&text, |how| {
        (how.export, how.generation, how.ends) = (None, None, true);
        how.time_format = Some("%d.%m.%Y %H:%M".to_owned());
    });
    let imported = imported.unwrap();
    let profiles = lines(&imported, "profiles.csv");
    assert_eq!(profiles.len(), 51);
    assert_eq!(profiles[5], "2016-10-30T02:00:00+02:00,4");
    assert_eq!(profiles[7], "2016-10-30T02:00:00+01:00,6");
    assert_eq!(profiles[50], "2016-10-30T23:30:00+01:00,49");
    loaded(&imported);
}

#[test]
fn clocks_without_summer_time_are_named_by_their_zone() {
    let stamp = |n: u32| format!("2016-03-27 {:02}:{:02}", n / 2, n % 2 * 30);
    let text = day("time,A in", stamp, |n| n.to_string());
    says(
        import(&text, |how| (how.export, how.generation) = (None, None)),
        &["meters.csv:6:1", "no clock in Europe/Berlin shows 2016-03-27 02:00", "--stamp-zone Etc/GMT-1"],
    );
    let all_year = import(&text, |how| {
        (how.export, how.generation) = (None, None);
        how.stamp_zone = Some("Etc/GMT-1".to_owned());
        (how.from, how.days) = (Some("2016-03-27".to_owned()), Some(1));
    });
    // The day ends an hour before that of the meter.
    assert_eq!(lines(&all_year.unwrap(), "profiles.csv").len(), 47);
}

#[test]
fn gaps_are_filled_as_declared_and_told() {
    let text = wide()
        .replace("2024-06-01 01:30,0.03,", "2024-06-01 01:30,,")
        .replace("2024-06-01 05:00,0.10,0.1,0.30,10.5,x\n", "");
    says(
        import(&text, |_| {}),
        &["meters.csv:5:18", "`A` has no value for 1 slot from 2024-06-01T01:30:00+02:00", "--gaps Hold"],
    );
    let held = import(&text, |how| how.gaps = Gaps::Hold).unwrap();
    assert_eq!(lines(&held, "profiles.csv")[4], "2024-06-01T01:30:00+02:00,0.22,0.3,3.5");
    let drawn = import(&text, |how| how.gaps = Gaps::Interpolate { max: 1 }).unwrap();
    assert_eq!(lines(&drawn, "profiles.csv")[11], "2024-06-01T05:00:00+02:00,0.3,0.3,10.5");
    assert!(drawn.page.changed.iter().any(|line| line.contains("load of `A`: 2 slots filled")));
}

#[test]
fn each_meter_of_a_long_table_has_what_it_meters() {
    let rows = (0..48).flat_map(|n| {
        ["A,2,1,3".to_owned(), format!("B,{n},,"), "C,,,5".to_owned()].map(|cells| format!("{},{cells}\n", iso(n)))
    });
    let long = format!("time,meter,in,out,pv\n{}", rows.collect::<String>());
    let of = |text: &str| {
        import(text, |how| {
            how.layout = Layout::Long { member: "meter".to_owned() };
            (how.import, how.export, how.generation) = (Some("in".into()), Some("out".into()), Some("pv".into()));
        })
    };
    let imported = of(&long).unwrap();
    let members = "name,load_profile,pv_profile\nA,A load,A generation\nB,B load,\nC,,C generation\n";
    assert_eq!(imported.file("members.csv").unwrap(), members);
    assert_eq!(lines(&imported, "profiles.csv")[48], "2024-06-01T23:30:00+02:00,4,3,47,5");
    // What ends before the others do is no gap.
    let short = long.replace(&format!("{},B,47,,\n", iso(47)), "");
    says(of(&short), &["not all within the readings of `B`", "to 2024-06-01T23:30:00+02:00"]);
}

#[test]
fn more_than_a_house_has_is_told() {
    let text = day("time,A in", iso, |_| "450".to_owned());
    let imported = import(&text, |how| (how.export, how.generation) = (None, None)).unwrap();
    let warnings = &imported.page.warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("`A` wants 900 kWh an hour on average"), "{warnings:?}");
}

#[test]
fn days_that_are_not_whole_are_left_out() {
    let text = wide() + "2024-06-02 00:00,1,0,0,1,x\n";
    let imported = import(&text, |_| {}).unwrap();
    assert_eq!(lines(&imported, "profiles.csv").len(), 49);
    assert!(imported.page.changed.iter().any(|line| line.starts_with("2 readings on other days")));
}

/// A mistake in the table, and what is said of it.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 18] = [
    ("time,A in", "when,A in", &["meters.csv:1:1", "the column `time` is missing"]),
    ("A in", "A inn", &["meters.csv:1:12", "`A`: energy is exported, and nothing tells what is imported"]),
    ("A out", "A ouf", &["meters.csv:1:1", "no column fits `{} out`"]),
    ("note", "A in", &["meters.csv:1:27", "the column `A in` is there twice"]),
    (
        "2024-06-01 00:30,",
        "01.06.2024 00:30,",
        &["meters.csv:3:1", "not a time as it is to be written", "--time-format"],
    ),
    ("2024-06-01 00:30,", "2024-06-01 24:00,", &["meters.csv:3:1", "0:00 of the next day"]),
    ("2024-06-01 00:30,", "2024-06-01 00:45,", &["meters.csv:3:1", "no interval of 30min begins here", "--step"]),
    (
        "2024-06-01 00:30,",
        "2024-06-01 00:00,",
        &["meters.csv:3:1", "`A` has this interval, or a later one, above", "sort"],
    ),
    ("2024-06-01 01:00,0.02,", "2024-06-01 01:00,-0.02,", &["meters.csv:4:18", "A in: below zero"]),
    ("2024-06-01 01:00,0.02,0.1,", "2024-06-01 01:00,0.02,9,", &["meters.csv:4:18", "load would be -8.68", "mixed up"]),
    ("2024-06-01 01:00,0.02,", "2024-06-01 01:00,NaN,", &["meters.csv:4:18", "not a number", "has to be filled in"]),
    ("2024-06-01 01:00,0.02,", "2024-06-01 01:00,\"0,02\",", &["meters.csv:4:18", "not a number", "--decimal comma"]),
    ("2024-06-01 01:00,0.02,", "2024-06-01 01:00,0,02,", &["meters.csv:4:1", "the row has 7 cells, the header has 6"]),
    (
        "2024-06-01 01:00,0.02,",
        "2024-06-01 01:00,1000000,",
        &["meters.csv:4:18", "1000000 is more than a scenario may have", "another unit"],
    ),
    (
        "2024-06-01 01:00,0.02,",
        "2024-06-01 01:00,\"1.000,5\",",
        &["meters.csv:4:18", "not a number", "write 1000,5", "--decimal comma"],
    ),
    ("2024-06-01 01:00,0.02,", "2024-06-01 01:00,1 000.5,", &["meters.csv:4:18", "not parted here: write 1000.5"]),
    (
        "2024-06-01 01:00,0.02,0.1,0.30,2.5,x",
        "2024-06-01 01:00,0.02,0.1,0.30,2.5,\"x",
        &["meters.csv:4:", "a quote that opens"],
    ),
    ("2024-06-01 23:30,", "2024-06-01 22:30,", &["meters.csv:49:1", "above"]),
];

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let mut missing = String::new();
    for (what, with, parts) in MISTAKES {
        let text = wide();
        assert!(text.contains(what), "there is no {what}");
        missing += &unsaid(import(&text.replacen(what, with, 1), |_| {}), parts);
    }
    assert!(missing.is_empty(), "{missing}");
    says(import("", |_| {}), &["the file is empty"]);
    says(import("time,A in,A out,A pv\n", |_| {}), &["there is no reading"]);
    says(import(&wide().replace(',', ";"), |_| {}), &["cells are separated by `;`", "--separator ';'"]);
    let two = wide() + &wide().lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    says(import(&two, |_| {}), &["meters.csv:50:1", "above"]);
}

#[test]
fn what_is_declared_has_to_make_sense() {
    let of = |change: &dyn Fn(&mut Meters)| import(&wide(), change);
    let text = |text: &str| Some(text.to_owned());
    says(of(&|how| how.zone = "Europe/Bonn".to_owned()), &["there is no time zone `Europe/Bonn`", "Europe/Berlin"]);
    says(of(&|how| how.step = "7min".to_owned()), &["--step: `7min`", "15min"]);
    says(of(&|how| how.step = "1h".to_owned()), &["meters.csv:3:1", "no interval of 1h begins here"]);
    says(of(&|how| how.step = "15min".to_owned()), &["no day of Europe/Berlin is whole", "--step"]);
    says(of(&|how| how.import = text("{}{}")), &["--import: `{}{}` has several"]);
    says(of(&|how| how.import = text("in")), &["meters.csv:1:1", "the column `in` is missing"]);
    says(of(&|how| (how.import, how.generation) = (None, None)), &["no column is declared", "--import"]);
    says(of(&|how| how.export = text("{}  in")), &["no column fits"]);
    says(of(&|how| how.export = text("{} in")), &["the column `A in` fits --import and --export"]);
    says(
        of(&|how| how.layout = Layout::Long { member: "time".to_owned() }),
        &["is no column of a long table", "--member"],
    );
    says(
        of(&|how| how.time_format = text("%d.%m.%Y %H:%M")),
        &["meters.csv:2:1", "what `--time-format '%d.%m.%Y %H:%M'`"],
    );
    for (format, problem) in
        [("%H", "tells no date and time of day"), ("%Q", "tells no date"), ("%Ö", "is none that is known")]
    {
        says(
            of(&|how| how.time_format = text(format)),
            &[&format!("--time-format: `{format}` {problem}"), "%Y (2024)"],
        );
    }
    let span = "the readings go from 2024-06-01T00:00:00+02:00 to 2024-06-02T00:00:00+02:00";
    for (from, days) in [("2024-05-31", None), ("2024-06-01", Some(2)), ("2024-06-02", None), ("2025-01-01", Some(1))] {
        for gaps in [Gaps::Refuse, Gaps::Hold] {
            says(
                of(&|how| (how.from, how.days, how.gaps) = (text(from), days, gaps)),
                &["not all within the readings", span, "`--from 2024-06-01 --days 1`"],
            );
        }
    }
    says(of(&|how| how.export = text("{} Out")), &["meters.csv:1:11", "no column fits `{} Out`", "write '{} out'"]);
    says(of(&|how| how.time = "Time".to_owned()), &["`time` differs in capitals only"]);
    for (name, unit, mend) in
        [("A Wh", Unit::Kwh, "divide"), ("A [kW]", Unit::Kwh, "--unit kw`"), ("A_kWh", Unit::Kw, "--unit kwh`")]
    {
        let table = day(&format!("time,{name}"), iso, |_| "1".to_owned());
        let refused = import(&table, |how| {
            (how.import, how.export, how.generation, how.unit) = (text(name), None, None, unit);
        });
        says(refused, &["meters.csv:1:6", "by its name", mend, "rename"]);
    }
    let error = of(&|how| how.sources = vec!["/nowhere.csv".into()]).unwrap_err().to_string();
    assert!(error.contains("cannot read /nowhere.csv: there is no such file"), "{error}");
    let (root, paths) = sources(&[("a.csv", &wide()), ("b.csv", &wide())]);
    says(declared(paths).import(&target(&root)), &["b.csv:2:1", "`A` has this interval in another file, too"]);
}
