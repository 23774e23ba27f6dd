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
