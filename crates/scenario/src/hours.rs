//! Times of day, days of the week and months, as people write them: `08:00-20:00`, `Mon-Fri`, `Oct-Mar`.

use jiff::{
    Zoned,
    civil::{Time, Weekday},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// From one time of day to another, the second not included; over midnight if that comes first: `22:00-06:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from: u16,
    to: u16,
}

impl Hours {
    /// The whole day.
    pub const ALL: Self = Self { from: 0, to: DAY };

    /// Whether a time of day lies in them and, over midnight, whether that is on the day after they have begun.
    fn holds(self, time: Time) -> Option<bool> {
        let minute = minutes(time);
        let Self { from, to } = self;
        match from < to {
            true => (from <= minute && minute < to).then_some(false),
            false if minute >= from => Some(false),
            false => (minute < to).then_some(true),
        }
    }

    /// Whether a time of day lies in them.
    pub fn contains(self, time: Time) -> bool {
        self.holds(time).is_some()
    }

    /// From when to when they are [min], counted from the midnight before they begin.
    pub fn span(self) -> [u16; 2] {
        let Self { from, to } = self;
        [from, if from < to { to } else { to + DAY }]
    }
}

fn minutes(time: Time) -> u16 {
    time.hour() as u16 * 60 + time.minute() as u16
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected hours such as `08:00-20:00`, found `{text}`");
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            let is_time = digits(hour) && minute.len() == 2 && digits(minute);
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (is_time && minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
        };
        let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
        if from == DAY {
            return Err(format!(
                "`{text}` begins at the end of a day: from midnight on is `00:00-{:02}:{:02}`",
                to / 60,
                to % 60
            ));
        }
        if from == to {
            return Err(format!("`{text}` ends as it begins: a whole day is `00:00-24:00`"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Some of a cycle of names: `Mon-Fri`, `Sat,Sun`, `Fri-Mon`.
fn some_of(names: &[&str], what: &str, text: &str) -> Result<u16, String> {
    let place = |name: &str| {
        let found = names.iter().position(|known| known.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| format!("expected {what} such as `{}-{}`, found `{text}`", names[0], names[4]))
    };
    let mut all = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (place(first)?, place(last)?);
        all |= 1 << at;
        while at != last {
            at = (at + 1) % names.len();
            all |= 1 << at;
        }
    }
    Ok(all)
}

/// Names of those in a set, spans as `Mon-Fri`.
fn named(names: &[&str], set: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut at, mut is_first) = (0, true);
    while at < names.len() {
        if set >> at & 1 == 0 {
            at += 1;
            continue;
        }
        let end = (at..names.len()).take_while(|n| set >> n & 1 == 1).last().unwrap_or(at);
        let comma = if is_first { "" } else { "," };
        match end - at {
            0 => write!(f, "{comma}{}", names[at])?,
            _ => write!(f, "{comma}{}-{}", names[at], names[end])?,
        }
        (at, is_first) = (end + 1, false);
    }
    Ok(())
}

/// Days of the week: `Mon-Fri`, or `Sat,Sun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Days(u16);

impl Days {
    /// All of them.
    pub const ALL: Self = Self(0x7f);

    /// Whether a day is one of them.
    pub fn contains(self, day: Weekday) -> bool {
        self.0 >> day.to_monday_zero_offset() & 1 == 1
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        some_of(&DAYS, "days of the week", text).map(Self)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(&DAYS, self.0, f)
    }
}

/// Months: `Apr-Sep`, or `Dec,Jan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Months(u16);

impl Months {
    /// Whether a month of this number, from 1, is one of them.
    pub fn contains(self, month: i8) -> bool {
        self.0 >> (month - 1) & 1 == 1
    }
}

impl FromStr for Months {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        some_of(&MONTHS, "months", text).map(Self)
    }
}

impl fmt::Display for Months {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(&MONTHS, self.0, f)
    }
}

/// Hours of all days or of some: `08:00-20:00`, or `Mon-Fri 22:00-06:00`, whose last part is that of the day after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HoursOfDays {
    /// Which days.
    pub days: Days,
    /// Which hours of them.
    pub hours: Hours,
}

impl HoursOfDays {
    /// Whether a moment lies in them.
    pub fn contains(self, moment: &Zoned) -> bool {
        let day = |is_later: bool| if is_later { moment.weekday().previous() } else { moment.weekday() };
        self.hours.holds(moment.time()).is_some_and(|is_later| self.days.contains(day(is_later)))
    }
}

impl FromStr for HoursOfDays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().rsplit_once(' ') {
            None => Ok(Self { days: Days::ALL, hours: text.trim().parse()? }),
            Some((days, hours)) => Ok(Self { days: days.replace(' ', "").parse()?, hours: hours.parse()? }),
        }
    }
}

impl fmt::Display for HoursOfDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != Days::ALL {
            write!(f, "{} ", self.days)?;
        }
        self.hours.fmt(f)
    }
}

/// How they are read from a text and written as one.
macro_rules! as_text {
    ($($name:ident)+) => {$(
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )+};
}

as_text!(Hours Days Months HoursOfDays);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_go_over_midnight_and_belong_to_the_day_on_which_they_begin() {
        let night: HoursOfDays = "Fri 22:00-06:00".parse().unwrap();
        let at = |text: &str| night.contains(&format!("{text}[Europe/Berlin]").parse().unwrap());
        // 3 June 2016 was a Friday.
        assert!(at("2016-06-03T22:00") && at("2016-06-03T23:45") && at("2016-06-04T05:45"));
        assert!(!at("2016-06-04T06:00") && !at("2016-06-03T05:00") && !at("2016-06-04T22:00"));
        assert_eq!((night.hours.span(), night.to_string().as_str()), ([22 * 60, 30 * 60], "Fri 22:00-06:00"));
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["08:00-20:00", "Mon-Fri 06:00-22:00", "Sat-Sun 09:30-24:00", "Mon,Wed-Thu 00:00-01:00"] {
            assert_eq!(text.parse::<HoursOfDays>().unwrap().to_string(), text);
        }
        assert_eq!("Fri-Mon".parse::<Days>().unwrap().to_string(), "Mon,Fri-Sun");
        assert_eq!("oct-mar".parse::<Months>().unwrap().to_string(), "Jan-Mar,Oct-Dec");
    }

    #[test]
    fn what_is_none_is_told() {
        for text in ["8-20", "08:00", "08:00-08:00", "08:60-09:00", "24:01-25:00", "24:00-08:00", "+8:00-09:00", ""] {
            assert!(text.parse::<Hours>().is_err(), "{text}");
        }
        for (text, said) in [("24:00-08:00", "from midnight on is `00:00-08:00`"), ("08:00-08:00", "`00:00-24:00`")] {
            assert!(text.parse::<Hours>().unwrap_err().ends_with(said), "{text}");
        }
        let wrong = "Mo-Fr 08:00-20:00".parse::<HoursOfDays>().unwrap_err();
        assert_eq!(wrong, "expected days of the week such as `Mon-Fri`, found `Mo-Fr`");
    }
}
