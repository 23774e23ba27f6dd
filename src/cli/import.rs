//! `sim import`: data of others become a scenario.

use super::{
    error::CliError,
    print,
    text::{bold, wrapped},
};
use clap::{Args, Subcommand, ValueEnum};
use microgrid_import::{
    Folder, Gaps, ImportError, Notation,
    entsoe::Entsoe,
    gsy::Gsy,
    meters::{Layout, Meters, Unit},
    simbench::{self, SimBench},
};
use std::path::PathBuf;

/// Of what kind the data are, and what has to be said of them.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// A grid of SimBench: members, photovoltaics, batteries and a year of quarter-hours.
    ///
    /// Reads the wheel that PyPI has (`pip download --no-deps simbench==1.6.3`), without Python, or a folder with the CSV
    /// files of one set. Each load of the grid is a member.
    #[command(name = "simbench", after_help = SIMBENCH_EXAMPLES)]
    SimBench(SimBenchArguments),
    /// Readings of meters: wide or long tables, in kWh or kW.
    ///
    /// What columns mean is declared, never guessed. Load is import + generation - export. Without `--generation`, load is
    /// what is imported and generation what is exported.
    #[command(after_help = METERS_EXAMPLES)]
    Meters(MetersArguments),
    /// Profiles of Grid Singularity's simulator, `INTERVAL;POWER(W)`.
    ///
    /// Each file is a member with the file's name. A value holds until the next row; a day by the clock is repeated.
    #[command(after_help = GSY_EXAMPLES)]
    Gsy(GsyArguments),
    /// Day-ahead prices of ENTSO-E's transparency platform as the grid's tariff.
    ///
    /// Reads `Publication_MarketDocument` in XML, in 15, 30 and 60 minutes. Positions that curve type A03 leaves out repeat
    /// the price before. Negative prices are kept.
    #[command(after_help = ENTSOE_EXAMPLES)]
    Entsoe(EntsoeArguments),
}

pub(super) const EXAMPLES: &str = "\
Examples:
  sim import simbench simbench-1.6.3-py3-none-any.whl --grid LV2.101 \\
      --out village
  sim import meters 2024.csv --layout wide --time time --import '{} in' \\
      --export '{} out' --unit kwh --zone Europe/Berlin --step 15min \\
      --out street
  sim import gsy house1.csv house2.csv --zone Europe/Berlin \\
      --from 2024-06-01 --days 7 --out houses
  sim import entsoe prices.xml --out spot
  sim check village/scenario.ron             what has become of it
  sim village/scenario.ron                   play it

Leaves scenario.ron, its tables and import.md, a page of what was read, dropped,
shifted and filled, or nothing where anything is wrong. Each kind has examples
of its own: sim import meters --help. All of it: docs/import.md.
";

const SIMBENCH_EXAMPLES: &str = "\
Examples:
  sim import simbench simbench-1.6.3-py3-none-any.whl --grid LV2.101 \\
      --out village
  sim import simbench simbench-1.6.3-py3-none-any.whl --grid LV1.101 \\
      --from 2016-06-06 --days 7 --out week
  sim import simbench FOLDER --grid LV3.101 --shift-pv 1h --out hamlet
";

const METERS_EXAMPLES: &str = "\
Examples:
  sim import meters 2024.csv --layout wide --time time --import '{} in' \\
      --export '{} out' --unit kwh --zone Europe/Berlin --step 15min \\
      --out street
      columns `A in`, `A out`, `B in`, ...: members A, B, ...
  sim import meters export.csv --layout long --time von \\
      --time-format '%d.%m.%Y %H:%M' --member meter --import import \\
      --export export --generation pv --unit kw --zone Europe/Berlin \\
      --step 15min --separator ';' --decimal comma \\
      --gaps 'Interpolate(max: 4)' --out street
      a row for each meter and quarter-hour, in kW, as German exports have it
  sim import meters a.csv b.csv --layout wide --time time --import kWh \\
      --unit kwh --zone UTC --step 30min --out two
      a file for each meter: members a and b
";

const GSY_EXAMPLES: &str = "\
Examples:
  sim import gsy house1.csv house2.csv --zone Europe/Berlin \\
      --from 2024-06-01 --days 7 --out houses
  sim import gsy house1.csv --generation house1=roof.csv \\
      --zone Europe/Berlin --from 2024-06-01 --days 1 --out roof
";

const ENTSOE_EXAMPLES: &str = "\
Examples:
  sim import entsoe prices.xml --out spot
  sim import entsoe january.xml february.xml --zone Europe/Berlin \\
      --resolution 15min --sequence 1 --out spot
";

/// Where the scenario goes.
#[derive(Debug, Args)]
pub(super) struct Out {
    /// Folder of the scenario, which is called like it. It may not be there yet, or has to be empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Write over the files of a folder that is not empty.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(super) struct SimBenchArguments {
    /// The wheel, or a folder with Load.csv, RES.csv, LoadProfile.csv and RESProfile.csv.
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// The grid, by the name of its subnet, such as LV2.101.
    #[arg(long, value_name = "SUBNET")]
    grid: String,
    /// Which set of a wheel: the same with -1- or -2- has SimBench's future devices, too.
    #[arg(long, value_name = "SET", default_value = simbench::TODAY)]
    set: String,
    /// The first day [default: the first of the year, 2016-01-01].
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// How many days [default: to the end of the year].
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Move generation to later by whole rows, less than a day. SimBench's stands about an hour early against its loads' clock.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    shift_pv: std::time::Duration,
    #[command(flatten)]
    to: Out,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shape {
    Wide,
    Long,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EnergyUnit {
    Kwh,
    Kw,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Edge {
    Start,
    End,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sign {
    Point,
    Comma,
}

#[derive(Debug, Args)]
pub(super) struct MetersArguments {
    /// The tables: of different meters, of different times, or both.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<PathBuf>,
    /// Columns for each meter, or a row for each.
    #[arg(long)]
    layout: Shape,
    /// Energy in the interval, or mean power.
    #[arg(long)]
    unit: EnergyUnit,
    /// Time zone of the calendar and of stamps without offset.
    #[arg(long, value_name = "ZONE")]
    zone: String,
    /// Time zone of stamps without offset, if it is another: Etc/GMT-1 for winter time all year.
    #[arg(long, value_name = "ZONE")]
    stamp_zone: Option<String>,
    /// Length of an interval: 15min, 30min, 1h, ...
    #[arg(long, value_name = "DURATION")]
    step: String,
    /// Column of the time stamps.
    #[arg(long, value_name = "COLUMN")]
    time: String,
    /// How stamps are written, as strftime has it: '%d.%m.%Y %H:%M' [default: ISO 8601, such as 2024-06-01T00:15+02:00].
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// Whether a stamp is the start or the end of its interval.
    #[arg(long, default_value = "start")]
    stamps: Edge,
    /// Column of energy from the grid: its name or, in a wide table, a pattern with {} for the member's name.
    #[arg(long, value_name = "COLUMN")]
    import: Option<String>,
    /// The same of energy to the grid.
    #[arg(long, value_name = "COLUMN")]
    export: Option<String>,
    /// The same of what is generated.
    #[arg(long, value_name = "COLUMN")]
    generation: Option<String>,
    /// Column of the members' names, in a long table.
    #[arg(long, value_name = "COLUMN", required_if_eq("layout", "long"))]
    member: Option<String>,
    /// What to do where a value is missing: Refuse, Hold (repeat the one before) or Interpolate(max: N).
    #[arg(long, value_name = "POLICY", default_value = "Refuse")]
    gaps: Gaps,
    /// What stands before decimals.
    #[arg(long, default_value = "point")]
    decimal: Sign,
    /// What stands between cells: a letter of ASCII, or tab.
    #[arg(long, value_name = "LETTER", default_value = ",", value_parser = separator)]
    separator: char,
    /// The first day [default: the first that is whole].
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// How many days [default: to the last that is whole].
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    #[command(flatten)]
    to: Out,
}

#[derive(Debug, Args)]
pub(super) struct GsyArguments {
    /// Profiles of load.
    #[arg(value_name = "SOURCE", required_unless_present = "generation")]
    sources: Vec<PathBuf>,
    /// A profile of generation: of a member of its own, or of the one called NAME. May be repeated.
    #[arg(long, value_name = "[NAME=]FILE")]
    generation: Vec<String>,
    /// Time zone of the calendar and of the stamps.
    #[arg(long, value_name = "ZONE")]
    zone: String,
    /// The first day; profiles without dates need it.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// How many days; profiles without dates need it.
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Length of a slot: 15min, 30min, 1h, ...
    #[arg(long, value_name = "DURATION", default_value = "15min")]
    step: String,
    #[command(flatten)]
    to: Out,
}

#[derive(Debug, Args)]
pub(super) struct EntsoeArguments {
    /// The documents, in any order.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<PathBuf>,
    /// Time zone of the calendar, whose whole days are taken.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Brussels")]
    zone: String,
    /// Only prices of this resolution: 15min, 30min or 60min.
    #[arg(long, value_name = "DURATION")]
    resolution: Option<String>,
    /// Only the auction of this number, where a day has several.
    #[arg(long, value_name = "N")]
    sequence: Option<u32>,
    #[command(flatten)]
    to: Out,
}

/// What stands between the cells of a table.
fn separator(text: &str) -> Result<char, &'static str> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(letter), None) if letter.is_ascii() && letter != '"' => Ok(letter),
        _ => Err("allowed: one letter of ASCII but a quote, or tab"),
    }
}

/// Imports, and tells what has come of it.
pub(super) fn import(kind: Kind) -> Result<(), CliError> {
    let (to, imported) = match kind {
        Kind::SimBench(given) => {
            let folder = Folder::at(&given.to.out, given.to.force)?;
            let mut how = SimBench::of(given.source, given.grid);
            (how.set, how.from, how.days) = (given.set, given.from, given.days);
            // Parts of a second make it no number of rows.
            how.shift_pv = given.shift_pv.as_secs_f64().ceil() as i64;
            (given.to, how.import(&folder)?)
        }
        Kind::Meters(given) => {
            let folder = Folder::at(&given.to.out, given.to.force)?;
            let layout = match (given.layout, given.member) {
                (Shape::Long, member) => Layout::Long { member: member.unwrap_or_default() },
                (Shape::Wide, None) => Layout::Wide,
                (Shape::Wide, Some(_)) => {
                    return Err(CliError::bad_input("--member is for a long table: `--layout long`"));
                }
            };
            let unit = match given.unit {
                EnergyUnit::Kwh => Unit::Kwh,
                EnergyUnit::Kw => Unit::Kw,
            };
            let mut how = Meters::of(given.sources, layout, unit, &given.zone, &given.step, &given.time);
            (how.stamp_zone, how.time_format) = (given.stamp_zone, given.time_format);
            how.ends = matches!(given.stamps, Edge::End);
            (how.import, how.export, how.generation) = (given.import, given.export, given.generation);
            (how.gaps, how.from, how.days) = (given.gaps, given.from, given.days);
            how.notation = Notation { separator: given.separator, decimal_comma: matches!(given.decimal, Sign::Comma) };
            (given.to, how.import(&folder)?)
        }
        Kind::Gsy(given) => {
            let folder = Folder::at(&given.to.out, given.to.force)?;
            let mut how = Gsy::of(given.sources, &given.zone);
            (how.generation, how.from, how.days, how.step) = (given.generation, given.from, given.days, given.step);
            (given.to, how.import(&folder)?)
        }
        Kind::Entsoe(given) => {
            let folder = Folder::at(&given.to.out, given.to.force)?;
            let mut how = Entsoe::of(given.sources, &given.zone);
            (how.resolution, how.sequence) = (given.resolution, given.sequence);
            (given.to, how.import(&folder)?)
        }
    };
    let written = imported.write()?;
    for warning in &imported.page.warnings {
        anstream::eprintln!("{warning}");
    }
    let list = |heading: &str, lines: &[String]| -> String {
        let lines: String = lines.iter().map(|line| wrapped(&format!("{line}\n"))).collect();
        if lines.is_empty() { String::new() } else { format!("{}\n{lines}", bold(heading)) }
    };
    let page = &imported.page;
    let files: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    print(&format!(
        "{}{}{}{}\nnext: sim check {}\n",
        list("read", &page.read),
        list("dropped, shifted, filled", &page.changed),
        list("placeholders, to be made your own", &page.placeholders),
        list("written", &[files.join(", ")]),
        to.out.join("scenario.ron").display(),
    ))
}

impl From<ImportError> for CliError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Input(error) => error.into(),
            ImportError::Write { path, source } => Self::writing(&path, &source),
            other => Self::failed(other),
        }
    }
}
