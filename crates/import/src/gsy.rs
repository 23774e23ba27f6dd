//! Profiles as Grid Singularity's simulator takes them: `INTERVAL;POWER(W)`, for a day by its clock or with dates. A value
//! holds until the next row.

use crate::{
    clock::{self, Axis, Stamps, date},
    community::{Community, Member, Profile},
    decimal::Decimal,
    error::{ImportError, refused},
    folder::{Folder, Imported},
    page::{Page, Source},
    table::{self, Table},
};
use jiff::{Timestamp, civil::Time};
use microgrid_scenario::ScenarioError;
use std::path::{Path, PathBuf};

/// Which profiles, and of which days.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Gsy {
    /// Profiles of load; each is a member with the file's name.
    pub loads: Vec<PathBuf>,
    /// Profiles of generation: a file, which is a member of its own, or `NAME=FILE` for the member of that name.
    pub generation: Vec<String>,
    /// Zone of the scenario's calendar and of the stamps.
    pub zone: String,
    /// The first day. A profile without dates needs it.
    pub from: Option<String>,
    /// How many days.
    pub days: Option<u32>,
    /// Length of a slot, such as `15min`.
    pub step: String,
}

/// A profile as its file has it.
#[derive(Debug)]
enum Steps {
    /// Of a day, by the clock.
    Daily(Vec<(Time, Decimal)>),
    /// Of moments.
    Dated(Vec<(Timestamp, Decimal)>),
}

/// A profile with its member.
#[derive(Debug)]
struct Given {
    member: String,
    table: Table,
    steps: Steps,
}

impl Gsy {
    /// Profiles of these loads, on the days that their stamps tell, in quarter-hours.
    pub fn of(loads: Vec<PathBuf>, zone: &str) -> Self {
        let (generation, zone, step) = (Vec::new(), zone.to_owned(), "15min".to_owned());
        Self { loads, generation, zone, from: None, days: None, step }
    }

    /// Reads the profiles.
    pub fn import(&self, folder: &Folder) -> Result<Imported, ImportError> {
        let step = clock::step(&self.step)?;
        let zone = clock::zone(&self.zone)?;
        let stamps = Stamps { format: None, zone, zone_name: self.zone.clone(), back: 0 };
        let mut page = Page { kind: "gsy", ..Page::default() };
        let mut read = |path: &Path, name: Option<&str>| {
            let given = Given::read(path, name, &stamps, step)?;
            page.sources.extend(Source::of_file(path).ok());
            Ok::<_, ScenarioError>(given)
        };
        let loads = self.loads.iter().map(|path| read(path, None)).collect::<Result<Vec<_>, _>>()?;
        let generation = self.generation.iter().map(|text| match text.split_once('=') {
            Some((name, path)) if !Path::new(text).exists() => read(Path::new(path), Some(name)),
            _ => read(Path::new(text), None),
        });
        let generation = generation.collect::<Result<Vec<_>, _>>()?;
        let axis = self.days(loads.iter().chain(&generation), step)?;
        let (mut members, mut profiles) = (Vec::<Member>::new(), Vec::new());
        for (given, what) in
            loads.iter().map(|given| (given, "load")).chain(generation.iter().map(|given| (given, "generation")))
        {
            let name = format!("{} {what}", given.member);
            profiles.push(Profile { name: name.clone(), values: given.values(&axis)? });
            let known = members.iter_mut().find(|member| member.name == given.member);
            match (known, what) {
                (Some(member), "generation") if member.pv_profile.is_none() => member.pv_profile = Some(name),
                (_, "load") => {
                    members.push(Member { name: given.member.clone(), load_profile: Some(name), ..Member::default() })
                }
                _ => members.push(Member { name: given.member.clone(), pv_profile: Some(name), ..Member::default() }),
            }
        }
        page.read.push("power in W, written in kW; a value holds until the next row".to_owned());
        let daily = loads.iter().chain(&generation).filter(|given| matches!(given.steps, Steps::Daily(_))).count();
        if daily > 0 {
            page.changed.push(format!("{daily} profiles of one day by the clock: repeated on each day"));
        }
        Ok(Community { members, profiles, axis, unit: "Kw" }.imported(folder, page)?)
    }

    /// The days that are asked for, or those of the stamps.
    fn days<'a>(&self, mut all: impl Iterator<Item = &'a Given>, step: i64) -> Result<Axis, ScenarioError> {
        let from = self.from.as_ref().map(|text| date("--from", text)).transpose()?;
        let dated = all.find_map(|given| match &given.steps {
            Steps::Dated(steps) => Some(steps),
            Steps::Daily(_) => None,
        });
        if let (Some(from), Some(days)) = (from, self.days) {
            return Axis::of_days(&self.zone, from, days, step);
        }
        let (Some(first), Some(last)) = (dated.and_then(|steps| steps.first()), dated.and_then(|steps| steps.last()))
        else {
            let mend = "say them: `--from 2016-06-01 --days 7`".to_owned();
            return Err(refused("profiles of a day by the clock are of no days yet", [mend]));
        };
        let zone = clock::zone(&self.zone)?;
        let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let first = from.unwrap_or_else(|| day(first.0));
        let days = first.until(day(last.0)).map_or(0, |span| span.get_days()) + 1;
        Axis::of_days(&self.zone, first, self.days.unwrap_or(days.max(0).unsigned_abs()), step)
    }
}

impl Given {
    /// Reads the file there, of the member called `name` or as the file.
    fn read(path: &Path, name: Option<&str>, stamps: &Stamps, step: i64) -> Result<Self, ScenarioError> {
        let file = table::read(path)?;
        let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let separator = if first.contains(';') { ';' } else { ',' };
        let table = Table::of(file, separator)?;
        let wanted = || ["allowed: `INTERVAL;POWER(W)`, or the same with a comma".to_owned()];
        let names: Vec<String> = table.columns.iter().map(|name| name.trim_end_matches(':').to_uppercase()).collect();
        for (n, due) in ["INTERVAL", "POWER(W)"].into_iter().enumerate() {
            if names.get(n).is_none_or(|name| *name != due) {
                return Err(table.at_column(n, format!("the header has no `{due}` here"), wanted()));
            }
        }
        if names.len() > 2 {
            return Err(table.at_column(2, "a column too many", wanted()));
        }
        let (mut daily, mut dated) = (Vec::<(Time, Decimal)>::new(), Vec::<(Timestamp, Decimal)>::new());
        for row in table.rows() {
            let row = row?;
            let (text, watts) = (row.text(0), row.positive(1)?);
            let kilo = watts.times_ten_to(-3);
            let kilo = kilo.ok_or_else(|| row.wrong(1, "too many digits", ["allowed: up to 28".to_owned()]))?;
            let wrong = |problem: &str, mend: &str| Err(row.wrong(0, problem, [mend.to_owned()]));
            let order = ("is not behind the row before", "rows are in the order of time, and none is there twice");
            let seconds = match text.parse::<Time>() {
                Ok(time) if text.len() <= 8 && dated.is_empty() => {
                    if daily.is_empty() && time != Time::midnight() {
                        return wrong("the day does not begin at 00:00", "put a row for `00:00` first");
                    }
                    if daily.last().is_some_and(|(last, _)| *last >= time) {
                        return wrong(order.0, order.1);
                    }
                    daily.push((time, kilo));
                    i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
                }
                _ => {
                    let mend = "allowed: `hh:mm` or `YYYY-MM-DDThh:mm`, the same in all rows";
                    let at = match stamps.begin(text, dated.last().map(|(last, _)| *last)) {
                        Ok(at) if daily.is_empty() => at,
                        Ok(_) => return wrong("a date, behind times of day", mend),
                        Err((problem, _)) => return wrong(&problem, mend),
                    };
                    if dated.last().is_some_and(|(last, _)| *last >= at) {
                        return wrong(order.0, order.1);
                    }
                    dated.push((at, kilo));
                    at.as_second() + i64::from(stamps.zone.to_offset(at).seconds())
                }
            };
            if seconds % step != 0 {
                let mend = "a slot has one value: choose a shorter one, such as `--step 5min`";
                return wrong(&format!("within a slot of {}", clock::in_words(step)), mend);
            }
        }
        let steps = match (daily.first(), dated.first()) {
            (Some(_), _) => Steps::Daily(daily),
            (None, Some(_)) => Steps::Dated(dated),
            (None, None) => return Err(table.at_end("there is no row", ["allowed: at least one".to_owned()])),
        };
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { member: name.map_or_else(stem, str::to_owned), table, steps })
    }

    /// The value of each slot: that of the last row before it, or at it.
    fn values(&self, axis: &Axis) -> Result<Vec<String>, ScenarioError> {
        let value = |slot: usize| match &self.steps {
            Steps::Daily(steps) => held(steps, axis.local(slot).time()),
            Steps::Dated(steps) => held(steps, axis.at(slot)),
        };
        let missing = |slot| {
            let mend = "its first row is later: begin later, with `--from`".to_owned();
            self.table.at_end(format!("there is no value for {}", axis.text(slot)), [mend])
        };
        (0..axis.slots).map(|slot| value(slot).map(|kilo| kilo.to_string()).ok_or_else(|| missing(slot))).collect()
    }
}

/// What holds at this time.
fn held<T: PartialOrd + Copy>(steps: &[(T, Decimal)], at: T) -> Option<Decimal> {
    let behind = steps.partition_point(|(time, _)| *time <= at);
    behind.checked_sub(1).map(|last| steps[last].1)
}
