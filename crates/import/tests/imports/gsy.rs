//! Profiles of Grid Singularity's simulator.

use crate::support::{lines, loaded, says, sources, target, unsaid};
use microgrid_import::{ImportError, Imported, gsy::Gsy};

const DAY: &str = "INTERVAL;POWER(W)\n00:00;120.5\n06:00;300\n22:00;0\n";

fn import(text: &str, change: impl Fn(&mut Gsy)) -> Result<Imported, ImportError> {
    let (root, paths) = sources(&[("house.csv", text)]);
    let mut how = Gsy::of(paths, "Europe/Berlin");
    (how.from, how.days) = (Some("2024-03-30".to_owned()), Some(2));
    change(&mut how);
    how.import(&target(&root))
}

#[test]
fn a_day_by_the_clock_is_repeated_and_values_hold() {
    let (root, paths) = sources(&[("house.csv", DAY), ("roof.csv", "INTERVAL,POWER(W):\n00:00,0\n12:00,1500\n")]);
    let mut how = Gsy::of(vec![paths[0].clone()], "Europe/Berlin");
    how.generation = vec![format!(" house ={}", paths[1].display()), paths[1].display().to_string()];
    // The second day is that of summer time: 92 quarter-hours.
    (how.from, how.days) = (Some("2024-03-30".to_owned()), Some(2));
    let imported = how.import(&target(&root)).unwrap();
    assert_eq!(
        lines(&imported, "members.csv"),
        ["name,load_profile,pv_profile", "house,house load,house generation", "roof,,roof generation"]
    );
    let profiles = lines(&imported, "profiles.csv");
    assert_eq!(profiles.len(), 1 + 96 + 92);
    assert_eq!(profiles[1], "2024-03-30T00:00:00+01:00,0.1205,0,0");
    assert_eq!(profiles[25], "2024-03-30T06:00:00+01:00,0.3,0,0");
    let summer = profiles.iter().find(|row| row.starts_with("2024-03-31T06:00:00+02:00")).unwrap();
    assert_eq!(*summer, "2024-03-31T06:00:00+02:00,0.3,0,0");
    assert!(imported.file("scenario.ron").unwrap().contains("unit: Kw)"));
    loaded(&imported);
}

#[test]
fn stamps_with_dates_tell_their_days() {
    let text = "INTERVAL,POWER(W)\n2019-01-01T00:00,10.0\n2019-01-01T00:15,20.0\n2019-01-02T00:00,0\n";
    let imported = import(text, |how| (how.from, how.days) = (None, None)).unwrap();
    let profiles = lines(&imported, "profiles.csv");
    assert_eq!(profiles.len(), 193);
    assert_eq!(profiles[3], "2019-01-01T00:30:00+01:00,0.02");
    loaded(&imported);
}

/// A mistake in the file, and what is said of it.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 13] = [
    ("INTERVAL", "TIME", &["house.csv:1:1", "the header has no `INTERVAL` here"]),
    ("POWER(W)", "ENERGY(kWh)", &["house.csv:1:10", "the header has no `POWER(W)` here"]),
    (
        "INTERVAL;POWER(W)\n",
        "",
        &["house.csv:1:1", "the header has no `INTERVAL` here", "allowed: `INTERVAL;POWER(W)`"],
    ),
    ("06:00;300", "25:00;300", &["house.csv:3:1", "allowed: `hh:mm` or `YYYY-MM-DDThh:mm`"]),
    ("06:00;300", "00:00;300", &["house.csv:3:1", "is not behind the row before"]),
    ("06:00;300", "2024-01-01T06:00;300", &["house.csv:3:1", "a date, behind times of day"]),
    ("06:00;300", "06:05;300", &["house.csv:3:1", "within a slot of 15min", "--step 5min"]),
    ("06:00;300", "06:00;-300", &["house.csv:3:7", "POWER(W): below zero"]),
    (
        "06:00;300",
        "06:00;10000001",
        &["house.csv:3:7", "10000.001 is more than a scenario may have", "0 to 10000 kWh or kW"],
    ),
    ("06:00;300", "06:00;1.000,5", &["house.csv:3:7", "not a number", "thousands are not parted here: write 1000.5"]),
    ("06:00;300", "06:00;\"300", &["house.csv:3:1", "a quote that opens in this row is not closed in it"]),
    ("06:00;300", "06:00;3 kW", &["house.csv:3:7", "not a number"]),
    ("06:00;300", "06:00;300;1", &["house.csv:3:1", "the row has 3 cells, the header has 2"]),
];

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let mut missing = String::new();
    for (what, with, parts) in MISTAKES {
        assert!(DAY.contains(what), "there is no {what}");
        missing += &unsaid(import(&DAY.replacen(what, with, 1), |_| {}), parts);
    }
    assert!(missing.is_empty(), "{missing}");
    says(import("INTERVAL;POWER(W);X\n00:00;1;2\n", |_| {}), &["house.csv:1:19", "a column too many"]);
    says(import("INTERVAL;POWER(W)\n", |_| {}), &["there is no row"]);
    says(
        import("INTERVAL;POWER(W)\n06:00;1\n", |_| {}),
        &["house.csv:2:1", "the day does not begin at 00:00", "put a row for `00:00` first"],
    );
    let dated = "INTERVAL;POWER(W)\n2024-03-30T00:00;1\n2024-03-31T12:00;2\n";
    let of_days = |from: &str, days| {
        let from = Some(from.to_owned());
        import(dated, |how| (how.from, how.days) = (from.clone(), days))
    };
    let span = "the rows of `house` go from 2024-03-30T00:00:00+01:00 to 2024-04-01T00:00:00+02:00";
    for (from, days) in [("2024-03-29", None), ("2024-03-29", Some(1)), ("2024-03-31", Some(2)), ("2024-04-01", None)] {
        says(of_days(from, days), &["not all within the rows", span, "`--from 2024-03-30 --days 2`"]);
    }
    assert_eq!(lines(&of_days("2024-03-31", None).unwrap(), "profiles.csv").len(), 93);
}

#[test]
fn what_is_asked_for_has_to_make_sense() {
    says(import(DAY, |how| how.from = None), &["are of no days yet", "--from 2016-06-01 --days 7"]);
    says(import(DAY, |how| how.step = "1 fortnight".to_owned()), &["--step: `1 fortnight`"]);
    says(import(DAY, |how| how.zone = "CEST".to_owned()), &["there is no time zone `CEST`"]);
    says(import(DAY, |how| how.days = Some(0)), &["--days: 0 is not allowed"]);
    says(import(DAY, |how| how.loads = Vec::new()), &["nobody takes part"]);
    says(
        import(DAY, |how| how.generation = vec![format!("hous={}", how.loads[0].display())]),
        &[
            "--generation: there is no member `hous`",
            "did you mean `house`?",
            "allowed: a member that has a load, house",
        ],
    );
    says(import(DAY, |how| how.days = Some(1100)), &["1100 days are 105596 slots of 15min", "`--days 1041`"]);
    let (root, paths) = sources(&[("house.csv", DAY)]);
    let mut how = Gsy::of([paths.clone(), paths].concat(), "Europe/Berlin");
    (how.from, how.days) = (Some("2024-06-01".to_owned()), Some(1));
    says(how.import(&target(&root)), &["two members are called `house`", "rename"]);
}
