//! Time as others write it: local stamps of a zone, with and without offset, and the even axis of whole days that a
//! scenario's calendar has.

use crate::{
    error::refused,
    page::{count, verb},
};
use jiff::{
    SignedDuration, Timestamp, Zoned,
    civil::{Date, DateTime, Time},
    fmt::strtime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use microgrid_scenario::ScenarioError;

/// More days than this no importer takes.
const MOST_DAYS: u32 = 3660;
/// More slots than this no scenario has.
const MOST_SLOTS: usize = 100_000;

/// The zone of this name.
pub(crate) fn zone(name: &str) -> Result<TimeZone, ScenarioError> {
    zone_of("--zone", name)
}

/// The zone that a flag names.
pub(crate) fn zone_of(flag: &str, name: &str) -> Result<TimeZone, ScenarioError> {
    TimeZone::get(name).map_err(|_| {
        let allowed = "allowed: a name of the time zone database, such as `Europe/Berlin`; `UTC` and `Etc/GMT-1` (an hour \
                       ahead of UTC, all year) have no summer time";
        refused(format!("{flag}: there is no time zone `{name}`"), [allowed.to_owned()])
    })
}

/// A day, written `2016-06-01`.
pub(crate) fn date(flag: &str, text: &str) -> Result<Date, ScenarioError> {
    text.parse().map_err(|_| {
        refused(format!("{flag}: `{text}` is no date"), ["allowed: year, month and day, such as 2016-06-06".to_owned()])
    })
}

/// The length of a slot [s], which has to part an hour.
pub(crate) fn step(text: &str) -> Result<i64, ScenarioError> {
    let seconds = humantime::parse_duration(text).ok().filter(|length| length.subsec_nanos() == 0).map(|l| l.as_secs());
    let fits = seconds.filter(|seconds| (60..=3600).contains(seconds) && 3600 % seconds == 0);
    let allowed = "allowed: what parts an hour into equal parts: 1h, 30min, 20min, 15min, 10min, 5min, ...";
    fits.map(|seconds| seconds as i64).ok_or_else(|| refused(format!("--step: `{text}` is none"), [allowed.to_owned()]))
}

/// A length of time in words, such as `15min`.
pub(crate) fn in_words(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// The slots of some whole days of a zone.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    zone: TimeZone,
    pub(crate) zone_name: String,
    pub(crate) first: Date,
    pub(crate) days: u32,
    start: Timestamp,
    /// Length of a slot [s].
    pub(crate) step: i64,
    pub(crate) slots: usize,
}

impl Axis {
    /// The slots of `step` seconds of so many days from `first` on.
    pub(crate) fn of_days(zone_name: &str, first: Date, days: u32, step: i64) -> Result<Self, ScenarioError> {
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(refused(format!("--days: {days} is not allowed"), [format!("allowed: 1 to {MOST_DAYS}")]));
        }
        let zone = zone(zone_name)?;
        let midnight = |days: u32| {
            let date = first.checked_add(jiff::Span::new().days(i64::from(days))).ok()?;
            date.to_zoned(zone.clone()).ok().map(|midnight| midnight.timestamp())
        };
        let (Some(start), Some(end)) = (midnight(0), midnight(days)) else {
            return Err(refused(
                format!("--from: {first} is too far from now"),
                ["allowed: years of meters".to_owned()],
            ));
        };
        let slots = ((end.as_second() - start.as_second()) / step) as usize;
        if slots > MOST_SLOTS {
            let problem = format!("--days: {} are {slots} slots of {}", count(days as usize, "day"), in_words(step));
            let most = MOST_SLOTS as i64 * step / (24 * 3600);
            return Err(refused(
                problem,
                [format!("allowed: {MOST_SLOTS} slots at most, as in {most} days: `--days {most}`")],
            ));
        }
        Ok(Self { zone, zone_name: zone_name.to_owned(), first, days, start, step, slots })
    }

    /// The whole days of the zone between two moments, if there is one.
    pub(crate) fn within(
        zone_name: &str,
        from: Timestamp,
        to: Timestamp,
        step: i64,
    ) -> Result<Option<Self>, ScenarioError> {
        let zone = zone(zone_name)?;
        let (first, last) = (from.to_zoned(zone.clone()), to.to_zoned(zone.clone()));
        let begins = |at: &Zoned| at.start_of_day().is_ok_and(|midnight| midnight.timestamp() == at.timestamp());
        let tomorrow = |date: Date| date.tomorrow().unwrap_or(date);
        let day = if begins(&first) { first.date() } else { tomorrow(first.date()) };
        let days = day.until(last.date()).map_or(0, |span| span.get_days());
        if days < 1 {
            return Ok(None);
        }
        Self::of_days(zone_name, day, days.unsigned_abs(), step).map(Some)
    }

    /// Fails where these days are not all among those that are `there`, of data from one moment to another. What is
    /// outside of the data is no gap.
    pub(crate) fn is_among(
        &self,
        there: Option<&Self>,
        (from, to): (Timestamp, Timestamp),
        whose: &str,
    ) -> Result<(), ScenarioError> {
        let (start, end) = (self.start, self.at(self.slots));
        if there.is_some_and(|there| there.start <= start && end <= there.at(there.slots)) {
            return Ok(());
        }
        let are = verb(self.days as usize);
        let days = count(self.days as usize, "day");
        let problem = format!("--from, --days: {days} from {} {are} not all within {whose}", self.first);
        let [from, to] = [from, to].map(|at| rfc3339(at, &self.zone));
        let mut notes =
            vec![format!("{whose} go from {from} to {to}; what is outside is no gap, and nothing fills it")];
        notes.extend(there.map(|there| {
            let (first, days) = (there.first, there.days);
            format!("allowed: days from {first} to {}, such as `--from {first} --days {days}`", there.last())
        }));
        if there.is_none() {
            notes.push(format!(
                "allowed: days of {} that are whole in the data, of which there is none",
                self.zone_name
            ));
        }
        Err(refused(problem, notes))
    }

    /// The last day.
    fn last(&self) -> Date {
        self.at(self.slots).to_zoned(self.zone.clone()).date().yesterday().unwrap_or(self.first)
    }

    /// When a slot begins; the one behind the last is the end.
    pub(crate) fn at(&self, slot: usize) -> Timestamp {
        self.start + SignedDuration::from_secs(self.step * slot as i64)
    }

    /// Which slot begins at this moment, if it is one of these days.
    pub(crate) fn slot(&self, at: Timestamp) -> Option<usize> {
        let slot = (at.as_second() - self.start.as_second()).div_euclid(self.step);
        usize::try_from(slot).ok().filter(|slot| *slot < self.slots)
    }

    /// The clock at a slot's beginning.
    pub(crate) fn local(&self, slot: usize) -> DateTime {
        self.at(slot).to_zoned(self.zone.clone()).datetime()
    }

    /// The clock at a slot's beginning, in RFC 3339.
    pub(crate) fn text(&self, slot: usize) -> String {
        rfc3339(self.at(slot), &self.zone)
    }

    /// What these days are, in words.
    pub(crate) fn told(&self) -> String {
        let (days, slots) = (count(self.days as usize, "day"), count(self.slots, "slot"));
        let (first, last, zone) = (self.first, self.last(), &self.zone_name);
        format!("{days} from {first} to {last} in {zone}, {slots} of {}", in_words(self.step))
    }
}

/// A moment by the clock of a zone, with its offset.
pub(crate) fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// How stamps are written, and what they mean.
#[derive(Debug)]
pub(crate) struct Stamps {
    /// As `strftime` writes it; `None`: as ISO 8601 does.
    pub(crate) format: Option<String>,
    pub(crate) zone: TimeZone,
    pub(crate) zone_name: String,
    /// How long before its stamp an interval begins [s]: its length, where stamps are its end.
    pub(crate) back: i64,
}

/// What is wrong with a stamp, and its mend.
pub(crate) type Unclear = (String, String);

/// What `--time-format` may have.
const DIRECTIVES: &str =
    "%Y (2024) or %y (24), %m, %d or %b (Jun), %H or %I with %p, %M, %S; %z (+0200); %s (seconds since 1970)";

impl Stamps {
    /// Fails if no moment can be read that is written in the format.
    pub(crate) fn check(&self) -> Result<(), ScenarioError> {
        let Some(format) = &self.format else { return Ok(()) };
        let moment = Date::constant(2024, 6, 1).at(13, 0, 0, 0).to_zoned(self.zone.clone());
        let Ok(moment) = moment else { return Ok(()) };
        let written = strtime::format(format, &moment);
        let read = written.as_ref().ok().map(|text| (text, self.read(text)));
        let problem = match read {
            Some((_, Some(Stamp::At(at)))) if at == moment.timestamp() => return Ok(()),
            Some((_, Some(Stamp::Local(clock)))) if clock == moment.datetime() => return Ok(()),
            Some((text, _)) => {
                format!(
                    "--time-format: `{format}` tells no date and time of day: {} would be {text}",
                    moment.datetime()
                )
            }
            None => format!("--time-format: `{format}` is none that is known"),
        };
        Err(refused(problem, [format!("allowed: what strftime has, of it {DIRECTIVES}, and what stands between")]))
    }

    /// When the interval of a stamp begins. The hour that a clock shows twice goes by order: a stamp is the first such
    /// moment behind the one `before`.
    pub(crate) fn begin(&self, text: &str, before: Option<Timestamp>) -> Result<Timestamp, Unclear> {
        let back = SignedDuration::from_secs(self.back);
        let at = match self.read(text).ok_or_else(|| self.unread(text))? {
            Stamp::At(at) => at,
            Stamp::Local(clock) => {
                let ambiguous = self.zone.to_ambiguous_zoned(clock);
                let (earlier, later) = match ambiguous.offset() {
                    AmbiguousOffset::Unambiguous { offset } => (offset, offset),
                    AmbiguousOffset::Fold { before, after } => (before, after),
                    AmbiguousOffset::Gap { before, .. } => return Err(self.missing(clock, before)),
                };
                let moment = |offset: Offset| offset.to_timestamp(clock).map_err(|_| self.unread(text));
                let earlier = moment(earlier)?;
                match before {
                    Some(before) if earlier - back <= before => moment(later)?,
                    _ => earlier,
                }
            }
        };
        Ok(at - back)
    }

    fn read(&self, text: &str) -> Option<Stamp> {
        if let Some(format) = &self.format {
            let parts = strtime::parse(format, text).ok()?;
            if parts.offset().is_some() || format.contains("%s") {
                return parts.to_timestamp().ok().map(Stamp::At);
            }
            let clock = parts.to_datetime().or_else(|_| parts.to_date().map(|date| date.to_datetime(Time::midnight())));
            return clock.ok().map(Stamp::Local);
        }
        match text.parse::<Timestamp>() {
            Ok(at) => Some(Stamp::At(at)),
            Err(_) => text.parse::<DateTime>().ok().map(Stamp::Local),
        }
    }

    fn unread(&self, text: &str) -> Unclear {
        let mend = match (&self.format, text.contains("24:00")) {
            (_, true) => "24:00 is 0:00 of the next day: write that".to_owned(),
            (Some(format), _) => format!("allowed: what `--time-format '{format}'` tells"),
            (None, _) => {
                "allowed: 2016-06-01T00:15:00+02:00, 2016-06-01 00:15, or as `--time-format` tells: '%d.%m.%Y %H:%M' for \
                 01.06.2016 00:15"
                    .to_owned()
            }
        };
        ("not a time as it is to be written".to_owned(), mend)
    }

    /// `winter` is the offset until then.
    fn missing(&self, clock: DateTime, winter: Offset) -> Unclear {
        let (zone, seconds) = (&self.zone_name, winter.seconds());
        let keeps = match seconds / 3600 {
            _ if seconds % 3600 != 0 => String::new(),
            0 => format!(": `--stamp-zone Etc/GMT` for winter time of {zone} all year"),
            hours => format!(": `--stamp-zone Etc/GMT{:+}` for winter time of {zone} all year", -hours),
        };
        (
            format!("no clock in {zone} shows {}, where summer time begins", clock.strftime("%Y-%m-%d %H:%M")),
            format!("if the meter's clock has no summer time, name the zone it keeps{keeps}"),
        )
    }
}

enum Stamp {
    At(Timestamp),
    Local(DateTime),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(back: i64) -> Stamps {
        let zone_name = "Europe/Berlin".to_owned();
        Stamps { format: Some("%d.%m.%Y %H:%M".to_owned()), zone: zone(&zone_name).unwrap(), zone_name, back }
    }

    #[test]
    fn days_have_the_slots_that_summer_time_leaves_them() {
        for (day, slots) in [((2016, 3, 27), 92), ((2016, 10, 30), 100), ((2016, 6, 1), 96)] {
            let date = Date::new(day.0, day.1, day.2).unwrap();
            assert_eq!(Axis::of_days("Europe/Berlin", date, 1, 900).unwrap().slots, slots);
        }
        let year = Axis::of_days("Europe/Berlin", Date::new(2016, 1, 1).unwrap(), 366, 900).unwrap();
        assert_eq!(year.slots, 35_136);
        assert_eq!(year.text(0), "2016-01-01T00:00:00+01:00");
        assert_eq!(year.text(35_135), "2016-12-31T23:45:00+01:00");
    }

    #[test]
    fn seconds_since_1970_are_moments_whatever_the_zone() {
        let stamps = Stamps { format: Some("%s".to_owned()), ..stamps(0) };
        stamps.check().unwrap();
        assert_eq!(rfc3339(stamps.begin("1717200000", None).unwrap(), &stamps.zone), "2024-06-01T02:00:00+02:00");
    }

    #[test]
    fn the_doubled_hour_goes_by_order() {
        let stamps = stamps(0);
        let mut before = None;
        let clock =
            ["30.10.2016 01:45", "30.10.2016 02:00", "30.10.2016 02:45", "30.10.2016 02:00", "30.10.2016 02:45"];
        let read = clock.map(|text| {
            let at = stamps.begin(text, before).unwrap();
            before = Some(at);
            rfc3339(at, &stamps.zone)[11..].to_owned()
        });
        assert_eq!(read, ["01:45:00+02:00", "02:00:00+02:00", "02:45:00+02:00", "02:00:00+01:00", "02:45:00+01:00"]);
        assert!(stamps.begin("27.03.2016 02:15", None).unwrap_err().0.contains("no clock in Europe/Berlin shows"));
    }

    #[test]
    fn an_offset_is_never_passed_over() {
        let stamps = Stamps { format: None, ..stamps(0) };
        let read = |text: &str| stamps.begin(text, None).map(|at| at.to_string());
        for text in
            ["2024-01-01T00:15:00+02:00", "2024-01-01 00:15+02:00", "2024-01-01T00:15+0200", "2023-12-31T22:15Z"]
        {
            assert_eq!(read(text).unwrap(), "2023-12-31T22:15:00Z", "{text}");
        }
        assert_eq!(read("2024-01-01 00:15").unwrap(), "2023-12-31T23:15:00Z", "a clock in Berlin");
        for text in ["2024-01-01 00:15 +0200", "2024-01-01T00:15+02:99", "01.01.2024", "2024-13-01", ""] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
        let zoned = stamps.begin("2024-01-01T00:15:00+02:00[Europe/Berlin]", None);
        assert!(zoned.is_err() || zoned.unwrap().to_string() == "2023-12-31T22:15:00Z");
    }

    #[test]
    fn a_stamp_may_be_the_end_of_its_interval() {
        let at = stamps(900).begin("01.06.2016 00:00", None).unwrap();
        assert_eq!(at.to_string(), "2016-05-31T21:45:00Z");
    }

    #[test]
    fn lengths_read_as_they_are_written() {
        assert_eq!([900, 3600, 5400, 0, 90].map(in_words), ["15min", "1h", "1h30min", "0s", "1min30s"]);
        assert_eq!(in_words(400 * 24 * 3600), "9600h");
        assert_eq!(step("30min").unwrap(), 1800);
        assert!(["7min", "2h", "0s", "x"].iter().all(|wrong| step(wrong).is_err()));
    }
}
