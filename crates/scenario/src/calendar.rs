//! Slots as moments of a zone: what date and time each has, with its days of 23, 24 and 25 hours.

use super::error::Mistake;
use jiff::{
    SignedDuration, Timestamp, ToSpan, Zoned,
    civil::{Date, DateTime},
    fmt::temporal::Pieces,
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, time::Duration};

/// Dates of slots: from the start on, so many days of the zone, in slots of this length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// When the first slot begins: a date, or a date and time, as the zone's clocks show it; its offset tells apart what they
    /// show twice.
    pub start: String,
    /// Name of the zone in the IANA database, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub zone: String,
    /// How many days.
    pub days: u32,
    /// Length of a slot.
    #[serde(default = "hour", with = "humantime_serde")]
    pub slot_length: Duration,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn hour() -> Duration {
    Duration::from_secs(3600)
}

/// The dates of a run's slots.
#[derive(Clone, PartialEq)]
pub struct Dates {
    zone: TimeZone,
    start: Timestamp,
    slot_length: Duration,
    slots: u32,
    /// The first slot of each day, and its date.
    days: Vec<(u32, Date)>,
}

impl Dates {
    /// Those of a calendar; a mistake if there are none.
    pub(super) fn of(calendar: &Calendar) -> Result<Self, Mistake> {
        let at = |field: &str| format!("market.calendar.{field}");
        let Calendar { start, zone, days, slot_length } = calendar;
        let wrong = |field: &str, problem: &str, found: &str, allowed: &str| {
            Err(Mistake::value(&at(field), problem, found, allowed))
        };
        let (Ok(begin), Ok(pieces)) = (start.parse::<DateTime>(), Pieces::parse(start.as_str())) else {
            let allowed = "a date, such as \"2016-06-01\", or one with a time of day, such as \"2016-06-01T06:00\"";
            return wrong("start", "is no date", start, allowed);
        };
        let Ok(tz) = TimeZone::get(zone) else {
            let allowed = "the name of a zone in the IANA database, such as \"Europe/Berlin\" or \"UTC\"";
            return wrong("zone", "there is no such zone", zone, allowed);
        };
        let ambiguous = tz.to_ambiguous_zoned(begin);
        // A date is the day's first moment, be that midnight or not.
        let first = match pieces.to_numeric_offset() {
            Some(offset) => offset.to_timestamp(begin).map(|first| first.to_zoned(tz.clone())),
            None if ambiguous.is_ambiguous() && pieces.time().is_some() => {
                let allowed = "a moment that the zone's clocks show once, or one with its offset";
                return wrong("start", "the zone's clocks show it twice or never", start, allowed);
            }
            None => ambiguous.compatible(),
        };
        let Ok(first) = first else {
            return wrong("start", "is no date", start, "a date of the years -9999 to 9999");
        };
        if pieces.time_zone_annotation().is_some() || pieces.time().is_some() && first.datetime() != begin {
            let allowed = format!("a time by the clocks of {zone}, best without an offset");
            return wrong("start", "its offset is not that of the zone", start, &allowed);
        }
        let length = SignedDuration::try_from(*slot_length).unwrap_or(SignedDuration::MAX).as_nanos().max(1);
        let since = |moment: &Zoned| moment.timestamp().duration_since(first.timestamp()).as_nanos();
        let mut slots = 0;
        for day in 0..=i64::from(*days) {
            let moment =
                begin.checked_add(day.days()).and_then(|begin| Ok((begin.date(), begin.to_zoned(tz.clone())?)));
            let Ok((date, begins)) = moment else {
                return wrong("days", "they go beyond the calendar", &days.to_string(), "fewer days");
            };
            let begins = if day == 0 { first.clone() } else { begins };
            if begins.offset().seconds() % 60 != 0 {
                let allowed = "a later start: tables tell offsets in hours and minutes";
                return wrong("start", &format!("on {date} the zone was not whole minutes from UTC"), start, allowed);
            }
            if since(&begins) % length != 0 {
                let allowed = "a length of which days are multiples, also those on which clocks change";
                let found = humantime::format_duration(*slot_length).to_string();
                let problem = format!("{date} would not begin with a slot");
                return Err(Mistake::value(&at("slot_length"), &problem, found, allowed));
            }
            let Ok(before) = u32::try_from(since(&begins) / length) else {
                return wrong("days", "too many slots", &days.to_string(), "fewer days, or longer slots");
            };
            slots = before;
        }
        let mut starts = vec![(1, first.date())];
        let mut next = first.date().tomorrow();
        while let Ok(date) = next {
            let Ok(midnight) = date.to_zoned(tz.clone()) else { break };
            let slot = ((since(&midnight) + length - 1) / length) as u32 + 1;
            if slot > slots {
                break;
            }
            // A day that a zone leaves out has no slots.
            if starts.last().is_some_and(|(first, _)| *first == slot) {
                starts.pop();
            }
            starts.push((slot, date));
            next = date.tomorrow();
        }
        Ok(Self { zone: tz, start: first.timestamp(), slot_length: *slot_length, slots, days: starts })
    }

    /// Name of the zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// How many slots there are.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Length of a slot.
    pub fn slot_length(&self) -> Duration {
        self.slot_length
    }

    /// The moment at which a slot, counted from 1, begins; the one behind the last is the end.
    pub fn begin(&self, slot: u32) -> Zoned {
        self.timestamp(slot).to_zoned(self.zone.clone())
    }

    fn timestamp(&self, slot: u32) -> Timestamp {
        let since = SignedDuration::try_from(self.slot_length * (slot - 1)).expect("at most 100,000 days");
        self.start + since
    }

    /// When a slot begins, by RFC 3339 with the offset of its zone: `2016-06-01T06:15:00+02:00`.
    pub fn time(&self, slot: u32) -> String {
        self.begin(slot).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// The slot that begins at a moment, if one does.
    pub fn slot_at(&self, moment: Timestamp) -> Option<u32> {
        let since = moment.duration_since(self.start).as_nanos();
        let length = self.slot_length.as_nanos() as i128;
        let before = u32::try_from(since / length).ok().filter(|_| since % length == 0 && since >= 0)?;
        (before < self.slots).then_some(before + 1)
    }

    /// So many slots after a moment begins the first slot; less than none if that is before.
    pub(super) fn slots_before(&self, moment: Timestamp) -> f64 {
        moment.duration_since(self.start).as_secs_f64() / self.slot_length.as_secs_f64()
    }

    /// So many slots after the first begins the one that begins at this many minutes of the day that is so many behind the
    /// first; less than none if that is before, a part of one more if none begins just then.
    pub(super) fn slots_to(&self, day: i64, minutes: i64) -> Option<f64> {
        let midnight = self.days[0].1.checked_add(day.days()).ok()?.at(0, 0, 0, 0);
        let clock = midnight.checked_add(minutes.minutes()).ok()?;
        Some(self.slots_before(clock.to_zoned(self.zone.clone()).ok()?.timestamp()))
    }

    /// How many days there are, each of one date.
    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// The place of the day in which a slot begins, from 0.
    pub fn day_of(&self, slot: u32) -> usize {
        self.days.partition_point(|(first, _)| *first <= slot) - 1
    }

    /// The slots of a day, by its place.
    pub fn slots_of(&self, day: usize) -> RangeInclusive<u32> {
        let behind = self.days.get(day + 1).map_or(self.slots + 1, |(first, _)| *first);
        self.days[day].0..=behind - 1
    }

    /// The date of a day, by its place.
    pub fn date(&self, day: usize) -> Date {
        self.days[day].1
    }
}

impl fmt::Debug for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} slots of {:?} from {}", self.slots, self.slot_length, self.time(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(start: &str, zone: &str, days: u32, minutes: u64) -> Result<Dates, String> {
        let slot_length = Duration::from_secs(60 * minutes);
        let calendar = Calendar { start: start.to_owned(), zone: zone.to_owned(), days, slot_length };
        Dates::of(&calendar).map_err(|mistake| format!("{}: {}", mistake.path, mistake.problem))
    }

    #[test]
    fn days_have_92_96_and_100_quarters_where_clocks_change() {
        let year = dates("2016-01-01", "Europe/Berlin", 366, 15).unwrap();
        assert_eq!((year.slots(), year.days()), (35_136, 366));
        let mut lengths: Vec<(usize, usize)> = (0..366).map(|day| (day, year.slots_of(day).count())).collect();
        lengths.retain(|(_, length)| *length != 96);
        assert_eq!(lengths, [(86, 92), (303, 100)]);
        assert_eq!((year.date(86).to_string(), year.date(303).to_string()), ("2016-03-27".into(), "2016-10-30".into()));
        let first = *year.slots_of(86).start();
        let times = [0, 7, 8].map(|after| year.time(first + after));
        assert_eq!(times, ["2016-03-27T00:00:00+01:00", "2016-03-27T01:45:00+01:00", "2016-03-27T03:00:00+02:00"]);
        let first = *year.slots_of(303).start();
        let times = [8, 11, 12, 16].map(|after| year.time(first + after));
        let hours = ["02:00:00+02:00", "02:45:00+02:00", "02:00:00+01:00", "03:00:00+01:00"];
        assert_eq!(times, hours.map(|hour| format!("2016-10-30T{hour}")));
        assert!((1..=year.slots()).all(|slot| year.slot_at(year.begin(slot).timestamp()) == Some(slot)));
        assert_eq!(year.slot_at(year.begin(35_137).timestamp()), None);
        assert_eq!([1, 96, 97, 35_136].map(|slot| year.day_of(slot)), [0, 0, 1, 365]);
    }

    #[test]
    fn what_is_no_calendar_is_told() {
        for (found, expected) in [
            (dates("2016-02-30", "UTC", 1, 15), "market.calendar.start: is no date"),
            (dates("2016-02-28", "Europe/Berlni", 1, 15), "market.calendar.zone: there is no such zone"),
            (
                dates("2016-03-27T02:30", "Europe/Berlin", 1, 15),
                "market.calendar.start: the zone's clocks show it twice",
            ),
            (dates("2016-03-26", "Europe/Berlin", 3, 120), "market.calendar.slot_length: 2016-03-28 would not begin"),
            (dates("9999-12-01", "UTC", 99, 60), "market.calendar.days: they go beyond the calendar"),
            (
                dates("1800-01-01", "Europe/Berlin", 1, 60),
                "market.calendar.start: on 1800-01-01 the zone was not whole",
            ),
            (dates("2024-06-01T06:00+05:00", "Europe/Berlin", 1, 60), "market.calendar.start: its offset is not that"),
            (dates("2024-06-01T06:00Z", "Europe/Berlin", 1, 60), "market.calendar.start: "),
        ] {
            let problem = found.unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
        assert_eq!(dates("2016-03-26", "Australia/Lord_Howe", 30, 30).unwrap().slots(), 30 * 48 + 1);
    }

    fn days(of: &Dates) -> Vec<String> {
        (0..of.days()).map(|day| format!("{} {}", of.date(day), of.slots_of(day).count())).collect()
    }

    #[test]
    fn a_day_begins_with_its_first_moment_and_an_offset_tells_which_of_two_hours() {
        let cairo = dates("2024-04-26", "Africa/Cairo", 1, 60).unwrap();
        assert_eq!((cairo.slots(), cairo.time(1)), (23, "2024-04-26T01:00:00+03:00".to_owned()));
        let of = |offset: &str| dates(&format!("2016-10-30T02:00{offset}"), "Europe/Berlin", 1, 60).unwrap();
        assert_eq!((of("+02:00").slots(), of("+01:00").slots()), (25, 24));
        // Samoa had no 30 December 2011.
        let apia = dates("2011-12-29", "Pacific/Apia", 3, 60).unwrap();
        assert_eq!(days(&apia), ["2011-12-29 24", "2011-12-31 24"]);
        // Days are dates, also where a run begins amid one.
        let noon = dates("2024-10-26T12:00", "Europe/Berlin", 2, 60).unwrap();
        assert_eq!(days(&noon), ["2024-10-26 12", "2024-10-27 25", "2024-10-28 12"]);
        assert_eq!([1, 12, 13, 37, 38].map(|slot| noon.day_of(slot)), [0, 0, 1, 1, 2]);
    }
}
