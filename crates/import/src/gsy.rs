//! Profiles as Grid Singularity's simulator takes them: `INTERVAL;POWER(W)`, for a day by its clock or with dates. A value
//! holds until the next row.

use crate::{
    clock::{self, Axis, Stamps, date},
    community::{Community, Member, Profile},
    decimal::Decimal,
    error::{ImportError, refused},
    folder::{Folder, Imported},
    page::{Page, Source, count},
    table::{self, Row, Table},
};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use microgrid_scenario::{LARGEST_VALUE, ScenarioError, composed, did_you_mean};
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
    /// Whether the member was named, and not called as the file.
    is_named: bool,
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
        let has_load = |name: &str| loads.iter().any(|given| given.member == name);
        let named = generation.iter().find(|given| given.is_named && !has_load(&given.member));
        if let Some(Given { member, .. }) = named {
            let known = || loads.iter().map(|given| given.member.as_str());
            let list = known().collect::<Vec<_>>().join(", ");
            let allowed = match list.as_str() {
                "" => "allowed: a file alone, which is a member of its own".to_owned(),
                list => format!("allowed: a member that has a load, {list}; a file alone is a member of its own"),
            };
            let problem = format!("--generation: there is no member `{member}`");
            return Err(refused(problem, did_you_mean(member, known()).into_iter().chain([allowed])).into());
        }
        let all = || loads.iter().chain(&generation);
        let axis = self.days(all, &stamps.zone, step)?;
        let outside = all().map(|given| given.outside(&axis)).sum::<usize>();
        if outside > 0 {
            page.changed.push(format!("{} of other days: left out", count(outside, "row")));
        }
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
            page.changed.push(format!("{} of one day by the clock: repeated on each day", count(daily, "profile")));
        }
        Ok(Community { members, profiles, axis, unit: "Kw" }.imported(folder, page)?)
    }

    /// The days that are asked for, or those that all stamps have; a day of which there is a row is one to its end.
    fn days<'a, I>(&self, all: impl Fn() -> I, zone: &TimeZone, step: i64) -> Result<Axis, ScenarioError>
    where
        I: Iterator<Item = &'a Given>,
    {
        let from = self.from.as_ref().map(|text| date("--from", text)).transpose()?;
        let spans: Vec<_> = all().filter_map(|given| Some((given, given.span(zone)?))).collect();
        let first = spans.iter().map(|(_, (first, ..))| *first).max();
        let Some(first) = from.or(first) else {
            let mend = "say them: `--from 2016-06-01 --days 7`".to_owned();
            return Err(refused("profiles of a day by the clock are of no days yet", [mend]));
        };
        let last = spans.iter().map(|(_, (_, last, _))| *last).min();
        let days = last.map_or(0, |last| days_between(first, last) + 1);
        let days = match self.days {
            None if last.is_none() => {
                let mend = "say how many: `--days 7`".to_owned();
                return Err(refused("profiles of a day by the clock are of no days yet", [mend]));
            }
            asked => asked.unwrap_or(days.max(1).unsigned_abs()),
        };
        let axis = Axis::of_days(&self.zone, first, days, step)?;
        for (given, (first, last, whole)) in spans {
            let there = days_between(first, last) + 1;
            let there = u32::try_from(there).ok().filter(|days| *days > 0);
            let there = there.map(|days| Axis::of_days(&self.zone, first, days, step)).transpose()?;
            axis.is_among(there.as_ref(), whole, &format!("the rows of `{}`", given.member))?;
        }
        Ok(axis)
    }
}

fn days_between(first: Date, last: Date) -> i32 {
    first.until(last).map_or(0, |span| span.get_days())
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
            let (text, kilo) = (row.text(0), kilo(&row)?);
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
        let stem = || table::stem(path);
        let member = name.map_or_else(stem, |name| composed(name.trim()).into_owned());
        Ok(Self { member, is_named: name.is_some(), table, steps })
    }

    /// The first day that has a value from its beginning on, the last that has a row, and from when to when that is; none
    /// of a day by the clock.
    fn span(&self, zone: &TimeZone) -> Option<(Date, Date, (Timestamp, Timestamp))> {
        let Steps::Dated(steps) = &self.steps else { return None };
        let ((first, _), (last, _)) = (steps.first()?, steps.last()?);
        let [begin, last] = [first, last].map(|at| at.to_zoned(zone.clone()));
        let begins_whole = begin.start_of_day().is_ok_and(|midnight| midnight == begin);
        let tomorrow = |date: Date| date.checked_add(1.day()).unwrap_or(date);
        let day = if begins_whole { begin.date() } else { tomorrow(begin.date()) };
        let end = tomorrow(last.date()).to_zoned(zone.clone()).ok()?;
        Some((day, last.date(), (*first, end.timestamp())))
    }

    /// How many of its rows are of other days.
    fn outside(&self, axis: &Axis) -> usize {
        match &self.steps {
            Steps::Daily(_) => 0,
            Steps::Dated(steps) => steps.iter().filter(|(at, _)| axis.slot(*at).is_none()).count(),
        }
    }

    /// The value of each slot: that of the last row before it, or at it.
    fn values(&self, axis: &Axis) -> Result<Vec<String>, ScenarioError> {
        let value = |slot: usize| match &self.steps {
            Steps::Daily(steps) => held(steps, axis.local(slot).time()),
            Steps::Dated(steps) => held(steps, axis.at(slot)),
        };
        let missing = |slot| {
            let mend = "its first row is later".to_owned();
            self.table.at_end(format!("there is no value for {}", axis.text(slot)), [mend])
        };
        (0..axis.slots).map(|slot| value(slot).map(|kilo| kilo.to_string()).ok_or_else(|| missing(slot))).collect()
    }
}

/// The power of a row [kW].
fn kilo(row: &Row<'_>) -> Result<Decimal, ScenarioError> {
    let kilo = row.positive(1)?.times_ten_to(-3);
    let kilo = kilo.ok_or_else(|| row.wrong(1, "too many digits", ["allowed: up to 28".to_owned()]))?;
    if kilo.value() <= LARGEST_VALUE { Ok(kilo) } else { Err(row.too_much(1, kilo)) }
}

/// What holds at this time.
fn held<T: PartialOrd + Copy>(steps: &[(T, Decimal)], at: T) -> Option<Decimal> {
    let behind = steps.partition_point(|(time, _)| *time <= at);
    behind.checked_sub(1).map(|last| steps[last].1)
}
