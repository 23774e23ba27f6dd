//! Readings of meters, in tables whose columns, units, stamps and gaps are declared.
//!
//! A member's load is what it imports and generates less what it exports. Without a meter for generation, import stands for
//! load and export for generation: what is behind the meter is not seen.

mod columns;
mod readings;

use crate::{
    clock::{self, Axis, Stamps, date},
    community::{Community, Member, Profile},
    decimal::Decimal,
    error::{ImportError, refused},
    folder::{Folder, Imported},
    page::{Page, Source, count},
    series::{Gap, Gaps, filled},
    table::{self, Notation, Table},
};
use columns::Declared;
use microgrid_scenario::{ScenarioError, composed};
use readings::Readings;
use std::path::PathBuf;

/// How a table has its meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Columns for each meter.
    Wide,
    /// A row for each meter, with its name in this column.
    Long {
        /// The column with the name.
        member: String,
    },
}

/// What the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Energy in the interval [kWh].
    Kwh,
    /// Mean power in the interval [kW].
    Kw,
}

/// Which tables, and what their columns mean.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Meters {
    /// The tables.
    pub sources: Vec<PathBuf>,
    /// How they have their meters.
    pub layout: Layout,
    /// What the numbers are.
    pub unit: Unit,
    /// Zone of the scenario's calendar.
    pub zone: String,
    /// Zone of stamps without offset, if it is another.
    pub stamp_zone: Option<String>,
    /// Length of an interval, such as `15min`.
    pub step: String,
    /// Column of the stamps.
    pub time: String,
    /// How they are written, as `strftime` has it; ISO 8601 if not given.
    pub time_format: Option<String>,
    /// Whether a stamp is the end of its interval.
    pub ends: bool,
    /// Columns of energy from the grid: a name or, in a wide table, a pattern with `{}` for the member's.
    pub import: Option<String>,
    /// The same of energy to the grid.
    pub export: Option<String>,
    /// The same of what is generated.
    pub generation: Option<String>,
    /// What is done where a value is missing.
    pub gaps: Gaps,
    /// How cells and numbers are written.
    pub notation: Notation,
    /// The first day; the first whole one if not given.
    pub from: Option<String>,
    /// How many days; to the last whole one if not given.
    pub days: Option<u32>,
}

impl Meters {
    /// Tables with stamps in ISO 8601 at the beginning of their intervals, without columns so far.
    pub fn of(sources: Vec<PathBuf>, layout: Layout, unit: Unit, zone: &str, step: &str, time: &str) -> Self {
        Self {
            sources,
            layout,
            unit,
            zone: zone.to_owned(),
            stamp_zone: None,
            step: step.to_owned(),
            time: time.to_owned(),
            time_format: None,
            ends: false,
            import: None,
            export: None,
            generation: None,
            gaps: Gaps::Refuse,
            notation: Notation::default(),
            from: None,
            days: None,
        }
    }

    /// Reads the tables.
    pub fn import(&self, folder: &Folder) -> Result<Imported, ImportError> {
        self.composed().import_composed(folder)
    }

    /// The same with names of columns composed and trimmed, as those of tables are.
    fn composed(&self) -> Self {
        let name = |text: &String| composed(text.trim()).into_owned();
        let [import, export, generation] =
            [&self.import, &self.export, &self.generation].map(|column| column.as_ref().map(name));
        let layout = match &self.layout {
            Layout::Wide => Layout::Wide,
            Layout::Long { member } => Layout::Long { member: name(member) },
        };
        Self { time: name(&self.time), layout, import, export, generation, ..self.clone() }
    }

    fn import_composed(&self, folder: &Folder) -> Result<Imported, ImportError> {
        let step = clock::step(&self.step)?;
        let zone_name = self.stamp_zone.clone().unwrap_or_else(|| self.zone.clone());
        let flag = if self.stamp_zone.is_some() { "--stamp-zone" } else { "--zone" };
        let stamps = Stamps {
            format: self.time_format.clone(),
            zone: clock::zone_of(flag, &zone_name)?,
            zone_name,
            back: if self.ends { step } else { 0 },
        };
        stamps.check()?;
        let declared = Declared::of(self)?;
        let mut page = Page { kind: "meters", ..Page::default() };
        let mut tables = Vec::new();
        for path in &self.sources {
            let table = Table::declared(table::read(path)?, self.notation)?;
            let columns = declared.columns(&table, &table::stem(path))?;
            if !columns.unused.is_empty() {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let unused = columns.unused.join("`, `");
                page.changed.push(format!("columns of {name} that are not declared: `{unused}`"));
            }
            page.sources.extend(Source::of_file(path).ok());
            tables.push((table, columns));
        }
        let readings = Readings::read(&tables, &stamps, step)?;
        let axis = self.days(&readings, step)?;
        let (members, profiles) = self.members(&readings, &axis, &mut page)?;
        let outside = readings.outside(&axis);
        if outside > 0 {
            let readings = count(outside, "reading");
            page.changed.push(format!("{readings} on other days, or on days that are not whole: left out"));
        }
        let behind = match (&self.generation, &self.export) {
            (Some(_), _) => "load is import + generation - export",
            (None, Some(_)) => "load is import, generation is export: what is used of one's own is in neither",
            (None, None) => "load is import",
        };
        page.read.push(behind.to_owned());
        let ends = if self.ends { "end" } else { "beginning" };
        page.read.push(format!("stamps of {} are the {ends} of their intervals", stamps.zone_name));
        let unit = match self.unit {
            Unit::Kwh => "Kwh",
            Unit::Kw => "Kw",
        };
        Ok(Community { members, profiles, axis, unit }.imported(folder, page)?)
    }

    /// The days that are asked for, or all whole ones.
    fn days(&self, readings: &Readings<'_>, step: i64) -> Result<Axis, ScenarioError> {
        let span = readings.span();
        let Some(whole) = Axis::within(&self.zone, span.0, span.1, step)? else {
            let zone = clock::zone(&self.zone)?;
            let [first, last] = [span.0, span.1].map(|at| clock::rfc3339(at, &zone));
            let mend = "allowed: readings of at least one day from midnight to midnight by that clock, whose stamps are `--step` \
                        apart";
            let there = format!("they go from {first} to {last}");
            return Err(refused(
                format!("no day of {} is whole in these readings", self.zone),
                [there, mend.to_owned()],
            ));
        };
        let from = self.from.as_ref().map(|from| date("--from", from)).transpose()?.unwrap_or(whole.first);
        let left = from.until(whole.first).map_or(0, |span| span.get_days()) + whole.days as i32;
        let axis = Axis::of_days(&self.zone, from, self.days.unwrap_or(left.max(1).unsigned_abs()), step)?;
        axis.is_among(Some(&whole), span, "the readings")?;
        for name in readings.names() {
            let span = readings.span_of(name);
            let whole = Axis::within(&self.zone, span.0, span.1, step)?;
            axis.is_among(whole.as_ref(), span, &format!("the readings of `{name}`"))?;
        }
        Ok(axis)
    }

    fn members(
        &self,
        readings: &Readings<'_>,
        axis: &Axis,
        page: &mut Page,
    ) -> Result<(Vec<Member>, Vec<Profile>), ScenarioError> {
        let (mut members, mut profiles) = (Vec::new(), Vec::new());
        for name in readings.names() {
            let of = readings.on(name, axis);
            let mut member = Member { name: name.to_owned(), ..Member::default() };
            let mut full = |what: &str, values: &[Option<Decimal>]| {
                let (values, filled_in) =
                    filled(values, self.gaps).map_err(|gap| self.gap(readings, name, axis, gap))?;
                if filled_in > 0 {
                    let slots = count(filled_in, "slot");
                    page.changed.push(format!("{what} of `{name}`: {slots} filled by `{}`", self.gaps));
                }
                let profile = format!("{name} {what}");
                let values = values.iter().map(Decimal::to_string).collect();
                profiles.push(Profile { name: profile.clone(), values });
                Ok::<_, ScenarioError>(profile)
            };
            member.load_profile = of.load.map(|values| full("load", &values)).transpose()?;
            member.pv_profile = of.generation.map(|values| full("generation", &values)).transpose()?;
            members.push(member);
        }
        Ok((members, profiles))
    }

    /// What to say of a gap that cannot be filled.
    fn gap(&self, readings: &Readings<'_>, name: &str, axis: &Axis, gap: Gap) -> ScenarioError {
        let problem =
            format!("`{name}` has no value for {} from {} on", count(gap.length, "slot"), axis.text(gap.first));
        let mend = match self.gaps {
            _ if gap.length == axis.slots => "it has none on these days: take others, or leave its columns out",
            _ if gap.first == 0 => "no value is before it that could be held: begin later, with `--from`",
            Gaps::Refuse => {
                "`--gaps Hold` repeats the value before, `--gaps 'Interpolate(max: 4)'` draws a line over up to 4"
            }
            _ if gap.first + gap.length == axis.slots => {
                "no value is behind it for a line: `--gaps Hold` repeats the value before, or end earlier, with `--days`"
            }
            Gaps::Hold | Gaps::Interpolate { .. } => "it is longer than `max`: `--gaps Hold` repeats the value before",
        };
        readings.placed(name, axis.at(gap.first), &problem, mend)
    }
}
