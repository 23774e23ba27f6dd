//! What a slot is called on the command line: its number or, where slots have dates, the moment at which it begins.

use super::error::CliError;
use jiff::{civil::DateTime, fmt::temporal::Pieces, tz::Offset};
use microgrid_agents::ids::Slot;
use std::{fmt, str::FromStr};

/// A slot as it is called on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SlotName {
    /// By its number.
    Number(Slot),
    /// By the moment at which it begins.
    Time(Moment),
}

/// A moment as it is called: by the clocks of the slots' zone or, with an offset, by any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    text: String,
    clock: DateTime,
    offset: Option<Offset>,
}

/// How a moment may be called.
const EXAMPLE: &str = "2016-06-05T12:00";

impl SlotName {
    /// Whether the slot with this number, which begins at this time by RFC 3339, is called so.
    pub(super) fn is(&self, slot: Slot, time: Option<&str>) -> bool {
        match self {
            Self::Number(number) => slot == *number,
            Self::Time(moment) => time.is_some_and(|time| moment.is(time)),
        }
    }

    /// That two slots of a case are called so, which begin at these times.
    pub(super) fn is_of_two(&self, times: [&str; 2]) -> CliError {
        let [one, other] = times;
        let text = match self {
            Self::Number(number) => format!("there are two slots {number}"),
            Self::Time(moment) => format!("clocks show {moment} twice, as they are set back"),
        };
        CliError::bad_input(format!("{text}: say {one} or {other}"))
    }
}

impl Moment {
    fn is(&self, time: &str) -> bool {
        let Ok(begins) = time.parse::<Self>() else { return false };
        match self.offset.zip(begins.offset) {
            Some((own, other)) => own.to_timestamp(self.clock).ok() == other.to_timestamp(begins.clock).ok(),
            None => self.clock == begins.clock,
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected the number of a slot, or when it begins, such as {EXAMPLE}");
        let pieces = Pieces::parse(text).ok().filter(|pieces| pieces.time_zone_annotation().is_none());
        let pieces = pieces.ok_or_else(wrong)?;
        let time = pieces.time().ok_or_else(|| format!("expected a time of the day too, such as {EXAMPLE}"))?;
        Ok(Self { text: text.to_owned(), clock: pieces.date().to_datetime(time), offset: pieces.to_numeric_offset() })
    }
}

impl FromStr for SlotName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_time = text.starts_with(|sign: char| sign.is_ascii_digit()) && text.contains(['-', ':']);
        if is_time { text.parse().map(Self::Time) } else { whole(text).map(Self::Number).map_err(Into::into) }
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "slot {number}"),
            Self::Time(moment) => write!(f, "a slot that begins at {moment}"),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A whole number.
pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "expected a whole number, neither negative nor too large, of digits alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_called_with_or_without_seconds_and_offset() {
        let begins = "2016-06-05T12:00:00+02:00";
        let is = |text: &str| text.parse::<SlotName>().unwrap().is(7, Some(begins));
        let same = ["2016-06-05T12:00", "2016-06-05 12:00", "2016-06-05T12:00:00", "2016-06-05T12:00:00+02:00"];
        let same = same.into_iter().chain(["2016-06-05T10:00Z", "2016-06-05 10:00:00Z", "2016-06-05T08:00-02:00", "7"]);
        same.for_each(|text| assert!(is(text), "{text}"));
        let others = ["2016-06-05T12:15", "2016-06-05T12:00Z", "2016-06-05T12:00+01:00", "2016-06-06T12:00", "8"];
        others.into_iter().for_each(|text| assert!(!is(text), "{text}"));
        assert!(!"2016-06-05T12:00".parse::<SlotName>().unwrap().is(7, None), "it has no date");
    }

    #[test]
    fn what_is_no_slot_is_told_what_is_missing() {
        for (text, missing) in [
            ("2016-06-05", "a time of the day too"),
            ("2016-06-05T25:00", "when it begins"),
            ("2016-06-05T12:00[Europe/Berlin]", "when it begins"),
            ("12:00", "when it begins"),
            ("-3", "a whole number"),
            ("1e3", "a whole number"),
            ("noon", "a whole number"),
        ] {
            let told = text.parse::<SlotName>().unwrap_err();
            assert!(told.contains(missing), "{text}: {told}");
        }
    }
}
