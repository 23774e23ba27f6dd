//! How the slots of a case lie along a chart: one by one or, of weeks with dates, by day.

use super::label;
use crate::{
    chart::{Axis, Color, Layer, Mark, Scale, Stroke},
    data::CaseData,
    moments::Moments,
};
use microgrid_agents::ids::Slot;
use microgrid_record::SlotRow;
use microgrid_scenario::calendar::Dates;
use std::collections::BTreeMap;

/// Slots of more days than this are drawn by day.
const MOST_DAYS: usize = 14;

/// Points of more places than this would touch each other.
const MOST_POINTS: usize = 100;

/// The slots of a case along a chart.
#[derive(Clone, Copy)]
pub(super) struct Along<'a> {
    dates: Option<&'a Dates>,
    first: Slot,
    last: Slot,
    by_day: bool,
}

impl<'a> Along<'a> {
    pub(super) fn of(case: &'a CaseData) -> Self {
        Self::rows(case, &case.slots)
    }

    /// These rows of the case.
    pub(super) fn rows(case: &'a CaseData, rows: &[SlotRow]) -> Self {
        Self::span(case, rows.first().map_or(1, |row| row.slot), rows.last().map_or(0, |row| row.slot))
    }

    /// All that the case has, played or not.
    pub(super) fn all(case: &'a CaseData, slots: Slot) -> Self {
        Self::span(case, 1, slots)
    }

    fn span(case: &'a CaseData, first: Slot, last: Slot) -> Self {
        // A scenario whose calendar varies has other dates in other cases.
        let dates = case.dates.as_deref().filter(|dates| (first..=dates.slots()).contains(&last));
        let by_day = dates.is_some_and(|dates| dates.day_of(last) - dates.day_of(first) >= MOST_DAYS);
        Self { dates, first, last, by_day }
    }

    /// How many days there are; `None` without dates.
    fn days(&self) -> Option<usize> {
        self.dates.map(|dates| dates.day_of(self.last) - dates.day_of(self.first) + 1)
    }

    pub(super) fn axis(&self) -> Axis {
        let Some(dates) = self.dates else { return label::slots(self.first..=self.last) };
        let zone = dates.zone();
        if self.by_day {
            let days = dates.day_of(self.first)..=dates.day_of(self.last);
            return Axis::of("day").scale(Scale::Moments(Moments::of_days(dates, days)));
        }
        let moments = Moments::of_slots(dates, self.first..=self.last);
        let label = match self.days() {
            Some(1) => format!("time on {} ({zone})", dates.begin(self.first).strftime("%A, %-d %B %Y")),
            _ => format!("time in {} ({zone})", dates.begin(self.first).strftime("%Y")),
        };
        Axis::of(label).scale(Scale::Moments(moments))
    }

    /// Where a slot lies on it.
    pub(super) fn place(&self, slot: Slot) -> f64 {
        match self.dates {
            Some(dates) if self.by_day => (dates.day_of(slot) - dates.day_of(self.first)) as f64,
            _ => f64::from(slot) - f64::from(self.first),
        }
    }

    /// What a title says of how long it is.
    pub(super) fn title(&self, what: &str) -> String {
        match self.days() {
            None | Some(1) => format!("{what} over the day"),
            Some(_) if self.by_day => format!("{what} by day"),
            Some(days) => format!("{what} over {days} days"),
        }
    }

    /// For what a caption says that there is a value.
    pub(super) fn each(&self) -> &'static str {
        if self.by_day { "on each day" } else { "in each slot" }
    }

    /// A line with its points or, where these would touch each other, steps.
    pub(super) fn line(&self, name: &str, color: Color, points: Vec<(f64, f64)>) -> Vec<Layer> {
        if self.is_crowded() {
            return vec![Layer::new(name, color, Mark::Steps(points, Stroke::Solid))];
        }
        let dots = points.iter().copied().filter(|point| point.1.is_finite()).collect();
        [Mark::Line(points, Stroke::Solid), Mark::Points(dots)].map(|mark| Layer::new(name, color, mark)).into()
    }

    /// Points or, where these would touch each other, broken steps.
    pub(super) fn dots(&self, name: &str, color: Color, points: Vec<(f64, f64)>) -> Layer {
        let mark = if self.is_crowded() {
            Mark::Steps(points, Stroke::Dotted)
        } else {
            Mark::Points(points.into_iter().filter(|point| point.1.is_finite()).collect())
        };
        Layer::new(name, color, mark)
    }

    fn is_crowded(&self) -> bool {
        self.dates.is_some() && self.place(self.last) as usize >= MOST_POINTS
    }

    pub(super) fn is_by_day(&self) -> bool {
        self.by_day
    }

    /// What the values of slots add up to at each place.
    pub(super) fn sums(&self, values: impl Iterator<Item = (Slot, f64)>) -> Vec<(f64, f64)> {
        if !self.by_day {
            return values.map(|(slot, value)| (self.place(slot), value)).collect();
        }
        let mut sums = BTreeMap::<usize, f64>::new();
        values.for_each(|(slot, value)| *sums.entry(self.place(slot) as usize).or_default() += value);
        sums.into_iter().map(|(place, sum)| (place as f64, sum)).collect()
    }

    /// The mean of the values of slots at each place, where each counts by its weight; what is not finite interrupts, but not
    /// where others are at the place.
    pub(super) fn means(&self, values: impl Iterator<Item = (Slot, f64, f64)>) -> Vec<(f64, f64)> {
        if !self.by_day {
            return values.map(|(slot, value, _)| (self.place(slot), value)).collect();
        }
        let mut sums = BTreeMap::<usize, (f64, f64)>::new();
        for (slot, value, weight) in values {
            let sum = sums.entry(self.place(slot) as usize).or_default();
            if value.is_finite() {
                *sum = (sum.0 + value * weight, sum.1 + weight);
            }
        }
        sums.into_iter().map(|(place, (sum, weights))| (place as f64, sum / weights)).collect()
    }

    /// From the least to the greatest value of a slot on each day, where places are days.
    pub(super) fn band(&self, name: &str, n: usize, values: impl Iterator<Item = (Slot, f64)>) -> Layer {
        let mut spans = BTreeMap::<usize, (f64, f64)>::new();
        for (slot, value) in values.filter(|(_, value)| self.by_day && value.is_finite()) {
            let span = spans.entry(self.place(slot) as usize).or_insert((value, value));
            *span = (span.0.min(value), span.1.max(value));
        }
        let spans = spans.into_iter().map(|(place, (low, high))| (place as f64, low, high)).collect();
        Layer::new(name, Color::Series(n), Mark::Band(spans))
    }

    /// Where each slot lies in a field of days and hours; `None` of less than three days.
    pub(super) fn hours(&self) -> Option<Hours<'a>> {
        let dates = self.dates.filter(|_| self.days() > Some(2))?;
        Some(Hours { dates, first: dates.day_of(self.first), last: dates.day_of(self.last) })
    }
}

/// Days and the hours in them.
pub(super) struct Hours<'a> {
    dates: &'a Dates,
    first: usize,
    last: usize,
}

impl Hours<'_> {
    pub(super) fn axes(&self) -> (Axis, Axis) {
        let days = Axis::of("day").scale(Scale::Moments(Moments::of_days(self.dates, self.first..=self.last)));
        (days, Axis::of("hour").named((0..24).map(|hour| format!("{hour:02}:00"))))
    }

    /// A field of the values of slots, each with the size by which it is divided in the end; of what has no size the sum.
    pub(super) fn field(&self, values: impl Iterator<Item = (Slot, f64, Option<f64>)>) -> Vec<(f64, f64, Option<f64>)> {
        let mut cells = vec![[None::<(f64, f64)>; 24]; self.last - self.first + 1];
        for (slot, value, size) in values.filter(|(_, value, _)| value.is_finite()) {
            let hour = self.dates.begin(slot).hour().clamp(0, 23) as usize;
            let cell = cells[self.dates.day_of(slot) - self.first][hour].get_or_insert((0.0, 0.0));
            *cell = (cell.0 + value, cell.1 + size.unwrap_or(0.0));
        }
        let value = |(sum, size): (f64, f64)| if size > 0.0 { sum / size } else { sum };
        let days = cells.iter().enumerate();
        days.flat_map(|(day, hours)| {
            (0_u32..).zip(hours).map(move |(hour, cell)| (day as f64, f64::from(hour), cell.map(value)))
        })
        .collect()
    }
}
