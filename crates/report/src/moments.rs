//! Slots and days as moments on an axis: where it has ticks, from hours of a day to months of a year, and what they say.

use microgrid_agents::ids::Slot;
use microgrid_scenario::calendar::Dates;
use serde::Serialize;
use std::ops::RangeInclusive;

/// Places along an axis, each of which is a slot or a day: value `n` stands for the `n`th from 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moments {
    /// How many there are.
    pub count: usize,
    /// Where ticks are, and what is written there.
    pub ticks: Vec<(usize, String)>,
    /// When the first begins, by the clocks of the zone.
    start: String,
    /// How long each is [s].
    step: u64,
    /// Where clocks are changed, and by how much [s].
    changes: Vec<(usize, i64)>,
}

/// What lies between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tick {
    /// So many hours.
    Hours(i8),
    Day,
    Week,
    /// So many months.
    Months(i8),
}

/// Length of a day [s].
const DAY: u64 = 24 * 3600;

impl Tick {
    /// What keeps so many days legible.
    fn of(days: f64) -> Self {
        match days {
            ..1.1 => Self::Hours(3),
            ..2.1 => Self::Hours(6),
            ..3.6 => Self::Hours(12),
            ..15.0 => Self::Day,
            ..63.0 => Self::Week,
            ..400.0 => Self::Months(1),
            ..1200.0 => Self::Months(3),
            _ => Self::Months(12),
        }
    }
}

impl Moments {
    /// These slots.
    pub(crate) fn of_slots(dates: &Dates, slots: RangeInclusive<Slot>) -> Self {
        let first = *slots.start();
        let step = dates.slot_length().as_secs().max(1);
        Self::of(dates, slots.map(|slot| ((slot - first) as usize, slot)).collect(), step)
    }

    /// The days with these places.
    pub(crate) fn of_days(dates: &Dates, days: RangeInclusive<usize>) -> Self {
        let first = *days.start();
        Self::of(dates, days.map(|day| (day - first, *dates.slots_of(day).start())).collect(), DAY)
    }

    /// The places with the slots with which they begin.
    fn of(dates: &Dates, places: Vec<(usize, Slot)>, step: u64) -> Self {
        let (count, by_day) = (places.len(), step == DAY);
        let every = Tick::of(count as f64 * step as f64 / DAY as f64);
        let (mut ticks, mut changes) = (Vec::new(), Vec::new());
        let (mut start, mut before) = (String::new(), None);
        for (place, slot) in places {
            let begin = dates.begin(slot);
            let (time, offset) = (begin.time(), begin.offset().seconds());
            let midnight = by_day || (time.hour(), time.minute(), time.second()) == (0, 0, 0);
            let whole = time.minute() == 0 && time.second() == 0;
            let is_tick = match every {
                Tick::Hours(hours) => whole && time.hour() % hours == 0,
                Tick::Day => midnight,
                Tick::Week => midnight && begin.strftime("%u").to_string() == "1",
                Tick::Months(months) => midnight && begin.day() == 1 && (begin.month() - 1) % months == 0,
            };
            let new_year = begin.month() == 1 || ticks.is_empty();
            if is_tick {
                let form = match every {
                    Tick::Hours(3) => "%H:%M",
                    Tick::Hours(_) if !midnight => "%H:%M",
                    Tick::Hours(_) | Tick::Day => "%a %-d %b",
                    Tick::Week => "%-d %b",
                    Tick::Months(12) => "%Y",
                    Tick::Months(_) if new_year => "%b %Y",
                    Tick::Months(_) => "%b",
                };
                ticks.push((place, begin.strftime(form).to_string()));
            }
            if start.is_empty() {
                start = begin.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            }
            // Where clocks show an hour twice, or leave one out.
            if let Some(before) = before.replace(offset).filter(|before| !by_day && *before != offset) {
                changes.push((place, i64::from(offset) - i64::from(before)));
            }
        }
        if ticks.is_empty() && count > 0 {
            ticks.push((0, start.replace('T', " ")));
        }
        Self { count, ticks, start, step, changes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_scenario::schema::{Calendar, Market};
    use std::time::Duration;

    #[allow(clippy::field_reassign_with_default)] // It has a field of its own.
    fn dates(start: &str, days: u32) -> Dates {
        let (start, zone) = (start.to_owned(), "Europe/Berlin".to_owned());
        let calendar = Calendar { start, zone, days, slot_length: Duration::from_secs(900) };
        let mut market = Market::default();
        market.calendar = Some(calendar);
        market.dates().unwrap()
    }

    fn slots(start: &str, days: u32) -> Moments {
        let dates = dates(start, days);
        Moments::of_slots(&dates, 1..=dates.slots())
    }

    fn texts(moments: &Moments) -> Vec<&str> {
        moments.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn ticks_are_hours_of_a_day_days_of_a_week_and_months_of_a_year() {
        let day = slots("2016-06-06", 1);
        assert_eq!(texts(&day), ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]);
        assert_eq!(texts(&slots("2016-06-06", 2))[..5], ["Mon 6 Jun", "06:00", "12:00", "18:00", "Tue 7 Jun"]);
        let week = slots("2016-06-06", 7);
        assert_eq!((texts(&week)[0], texts(&week)[6], week.ticks[6].0), ("Mon 6 Jun", "Sun 12 Jun", 6 * 96));
        let days = |start: &str, days: u32| Moments::of_days(&dates(start, days), 0..=days as usize - 1);
        assert_eq!(texts(&days("2016-06-01", 30)), ["6 Jun", "13 Jun", "20 Jun", "27 Jun"]);
        let year = days("2016-01-01", 366);
        assert_eq!((texts(&year).len(), texts(&year)[0], texts(&year)[11]), (12, "Jan 2016", "Dec"));
        assert_eq!((year.count, year.ticks[1].0, year.changes.len()), (366, 31, 0));
        assert_eq!(texts(&days("2015-06-15", 600)), ["Jul 2015", "Oct", "Jan 2016", "Apr", "Jul", "Oct", "Jan 2017"]);
        let one = dates("2016-06-06T05:00", 1);
        assert_eq!(texts(&Moments::of_slots(&one, 2..=3)), ["2016-06-06 05:15:00"]);
    }

    #[test]
    fn hours_stay_where_they_are_where_clocks_change() {
        // At 01:00 UTC of both days: the eighth slot begins at 3 instead of 2, the twelfth at 2 again.
        let spring = slots("2016-03-27", 1);
        assert_eq!((spring.count, spring.changes.clone()), (92, vec![(8, 3600)]));
        assert_eq!(spring.ticks[1], (8, "03:00".to_owned()));
        let autumn = slots("2016-10-30", 1);
        assert_eq!((autumn.count, autumn.changes.clone()), (100, vec![(12, -3600)]));
        assert_eq!(autumn.ticks[1], (16, "03:00".to_owned()));
    }
}
