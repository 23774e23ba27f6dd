//! Prices of ENTSO-E's transparency platform.

use crate::support::{lines, loaded, says, sources, target, unsaid};
use microgrid_import::{ImportError, Imported, entsoe::Entsoe};

/// A time series of one period.
fn series(start: &str, end: &str, resolution: &str, more: &str, points: &[(u32, &str)]) -> String {
    let point = |(position, price): &(u32, &str)| {
        format!(
            "      <Point>\n        <position>{position}</position>\n        <price.amount>{price}</price.amount>\n      </Point>\n"
        )
    };
    format!(
        "  <TimeSeries>\n    <in_Domain.mRID codingScheme=\"A01\">10Y1001A1001A82H</in_Domain.mRID>\n{more}    \
         <currency_Unit.name>EUR</currency_Unit.name>\n    <price_Measure_Unit.name>MWH</price_Measure_Unit.name>\n    \
         <curveType>A03</curveType>\n    <Period>\n      <timeInterval>\n        <start>{start}</start>\n        \
         <end>{end}</end>\n      </timeInterval>\n      <resolution>{resolution}</resolution>\n{}    </Period>\n  </TimeSeries>\n",
        points.iter().map(point).collect::<String>()
    )
}

fn document(series: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Publication_MarketDocument \
         xmlns=\"urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3\">\n  <type>A44</type>\n{}</Publication_MarketDocument>\n",
        series.concat()
    )
}

/// A day in hours, then one in quarter-hours, with what is left out and what is negative.
fn two_days() -> String {
    let hours = [(1, "73.24"), (3, "-5.07"), (24, "60")];
    let quarters = [(1, "80"), (50, "0"), (96, "99.999")];
    document(&[
        series("2025-06-01T22:00Z", "2025-06-02T22:00Z", "PT15M", "", &quarters),
        series("2025-05-31T22:00Z", "2025-06-01T22:00Z", "PT60M", "", &hours),
    ])
}

fn import(text: &str, change: impl Fn(&mut Entsoe)) -> Result<Imported, ImportError> {
    let (root, paths) = sources(&[("prices.xml", text)]);
    let mut how = Entsoe::of(paths, "Europe/Berlin");
    change(&mut how);
    how.import(&target(&root))
}

#[test]
fn positions_that_are_left_out_repeat_and_both_resolutions_follow_each_other() {
    let (root, paths) = sources(&[("prices.xml", &two_days())]);
    let imported = Entsoe::of(paths, "Europe/Berlin").import(&target(&root)).unwrap();
    let prices = lines(&imported, "prices.csv");
    assert_eq!(prices.len(), 1 + 24 + 96);
    assert_eq!(prices[0], "time,price_per_kwh");
    assert_eq!(prices[1], "2025-06-01T00:00:00+02:00,0.07324");
    assert_eq!(prices[2], "2025-06-01T01:00:00+02:00,0.07324");
    assert_eq!(prices[3], "2025-06-01T02:00:00+02:00,-0.00507");
    assert_eq!(prices[24], "2025-06-01T23:00:00+02:00,0.06");
    assert_eq!(prices[25], "2025-06-02T00:00:00+02:00,0.08");
    assert_eq!(prices[120], "2025-06-02T23:45:00+02:00,0.099999");
    let page = imported.file("import.md").unwrap();
    assert!(page.contains("96 of 15min, 24 of 1h, of which 21 are negative"), "{page}");
    assert!(page.contains("114 positions that curve type A03 leaves out"), "{page}");
    let scenario = imported.file("scenario.ron").unwrap();
    assert!(
        scenario.contains("start: \"2025-06-01\", zone: \"Europe/Berlin\", days: 2, slot_length: \"15min\""),
        "{scenario}"
    );
    assert!(scenario.contains("feed_in_tariff: -0.00507"), "{scenario}");
    loaded(&imported);
}

#[test]
fn one_of_two_auctions_is_chosen() {
    let sequence = |n| {
        let name = "classificationSequence_AttributeInstanceComponent.position";
        let price = if n == 1 { "10" } else { "20" };
        let more = format!("    <{name}>{n}</{name}>\n");
        series("2025-05-31T22:00Z", "2025-06-01T22:00Z", "PT15M", &more, &[(1, price)])
    };
    let text = document(&[sequence(1), sequence(2)]);
    says(
        import(&text, |_| {}),
        &["prices.xml:28:5", "prices for 2025-05-31T22:00:00Z are there twice", "--sequence 1"],
    );
    let imported = import(&text, |how| how.sequence = Some(2)).unwrap();
    assert_eq!(lines(&imported, "prices.csv")[96], "2025-06-01T23:45:00+02:00,0.02");
    let both = document(&[
        series("2025-05-31T22:00Z", "2025-06-01T22:00Z", "PT15M", "", &[(1, "1")]),
        series("2025-05-31T22:00Z", "2025-06-01T22:00Z", "PT60M", "", &[(1, "2")]),
    ]);
    says(import(&both, |_| {}), &["--resolution 15min"]);
    let hours = import(&both, |how| how.resolution = Some("60min".to_owned())).unwrap();
    assert_eq!(lines(&hours, "prices.csv").len(), 25);
    says(import(&both, |how| how.resolution = Some("30min".to_owned())), &["no period is left"]);
}

/// A mistake in the document, and what is said of it.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

const MISTAKES: [Mistake; 21] = [
    ("</Period>", "</Perriod>", &["prices.xml:27", "the file is no XML"]),
    (
        "Publication_MarketDocument",
        "GL_MarketDocument",
        &["prices.xml:2:1", "a `GL_MarketDocument` has no prices", "A44"],
    ),
    (
        "<type>A44<",
        "<type>A65<",
        &["prices.xml:3:3", "no day-ahead prices, but load (document type A65)", "allowed", "A44"],
    ),
    ("</Publication_MarketDocument>", "", &["prices.xml:53", "the document is cut off here"]),
    (">80<", ">-0.0005<", &["prices.xml:17:9", "`-0.0005` is a price too near to 0", "0.001"]),
    ("TimeSeries", "timeseries", &["prices.xml:2:1", "there are no prices"]),
    ("MWH", "KWH", &["prices.xml:7:5", "another unit", "allowed: MWH"]),
    (
        "    <currency_Unit.name>EUR</currency_Unit.name>\n",
        "",
        &["prices.xml:4:3", "`TimeSeries` has no `currency_Unit.name`"],
    ),
    ("A03", "A02", &["prices.xml:8:5", "another type of curve", "A01"]),
    ("A03", "A01", &["prices.xml:20:9", "position 2 is missing", "A01 has each position"]),
    ("PT15M", "P1D", &["prices.xml:14:7", "another resolution", "PT15M"]),
    ("<start>2025-06-01T22:00Z", "<start>yesterday", &["prices.xml:11:9", "`yesterday` is no time"]),
    ("<end>2025-06-02T22:00Z", "<end>2025-06-02T22:05Z", &["prices.xml:10:7", "no whole number of positions"]),
    ("<end>2025-06-02T22:00Z", "<end>2025-06-01T21:00Z", &["prices.xml:10:7", "no whole number of positions"]),
    ("<end>2025-06-02T22:00Z", "<end>9025-06-02T22:00Z", &["prices.xml:10:7", "the period is too long", "400 days"]),
    ("<position>96<", "<position>97<", &["prices.xml:24:9", "position 97 does not belong here", "from 1 to 96"]),
    ("<position>50<", "<position>1<", &["prices.xml:20:9", "position 1 does not belong here"]),
    ("<position>1<", "<position>2<", &["prices.xml:16:9", "position 1 is missing", "add position 1"]),
    ("<price.amount>80<", "<price.amount>8o<", &["prices.xml:17:9", "`8o` is no price"]),
    ("price.amount", "quantity", &["prices.xml:15:7", "`Point` has no `price.amount`"]),
    ("2025-06-02T22:00Z", "2025-06-01T23:00Z", &["prices.xml:20:9", "position 50 does not belong here", "from 1 to 4"]),
];

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let mut missing = String::new();
    for (what, with, parts) in MISTAKES {
        assert!(two_days().contains(what), "there is no {what}");
        let all = ["Publication_MarketDocument", "TimeSeries", "price.amount", "A03"].contains(&what);
        let text = two_days();
        missing +=
            &unsaid(import(&if all { text.replace(what, with) } else { text.replacen(what, with, 1) }, |_| {}), parts);
    }
    assert!(missing.is_empty(), "{missing}");
    let answer = "<Acknowledgement_MarketDocument><Reason><text>No matching data found</text></Reason></Acknowledgement_MarketDocument>";
    says(import(answer, |_| {}), &["prices.xml:1:1", "No matching data found"]);
    let day = |start, end| series(start, end, "PT60M", "", &[(1, "1")]);
    let gap = document(&[day("2025-05-31T22:00Z", "2025-06-01T22:00Z"), day("2025-06-02T22:00Z", "2025-06-03T22:00Z")]);
    says(
        import(&gap, |_| {}),
        &["prices.xml:26:5", "no prices from 2025-06-01T22:00:00Z to 2025-06-02T22:00:00Z", "add a document"],
    );
    let short = document(&[day("2025-06-01T00:00Z", "2025-06-02T00:00Z")]);
    says(import(&short, |_| {}), &["no day of Europe/Berlin is whole", "--zone"]);
    let hours =
        document(&[day("2025-05-31T22:00Z", "2025-06-01T22:00Z"), day("2025-06-01T22:00Z", "2025-06-02T22:00Z")]);
    let amid = |how: &mut Entsoe| how.zone = "Asia/Kathmandu".to_owned();
    says(import(&hours, amid), &["prices.xml:", "days of Asia/Kathmandu begin amid", "they are of 1h", "--zone"]);
    let zones = two_days().replacen("10Y1001A1001A82H", "10YFR-RTE------C", 1);
    says(
        import(&zones, |_| {}),
        &["prices.xml:29:3", "another bidding zone, 10Y1001A1001A82H beside 10YFR-RTE------C"],
    );
    // What no importer looks at, `sim check` would refuse.
    let long = two_days().replace("EUR", "ELEVENLETTERS");
    says(
        import(&long, |_| {}),
        &["scenario.ron:", "market.currency", "the import would leave this", "nothing is written"],
    );
    says(import(&two_days(), |how| how.zone = "Mars".to_owned()), &["there is no time zone `Mars`"]);
}
