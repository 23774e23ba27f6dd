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

/// More bars than these, of several layers beside each other, could not be told apart.
const MOST_BARS: usize = 31;

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

    /// The same by day where bars of slots beside each other would be too narrow to be told apart.
    pub(super) fn for_bars(self) -> Self {
        Self { by_day: self.by_day || self.days() > Some(1) && self.is_crowded(), ..self }
    }

    /// How many days there are; `None` without dates.
    pub(super) fn days(&self) -> Option<usize> {
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

    /// Bars or, where there are too many, steps that a place without a value interrupts.
    pub(super) fn bars(name: impl Into<String>, color: Color, points: Vec<(f64, f64)>) -> Layer {
        if points.len() <= MOST_BARS {
            return Layer::new(name, color, Mark::Bars(points));
        }
        // A value holds up to the gap behind it.
        let mut last = f64::NAN;
        let held = |(place, value): (f64, f64)| {
            let end = value.is_nan().then_some((place, last));
            last = value;
            end.into_iter().chain([(place, value)])
        };
        let parted = parted(points, |point| point.0, |place| (place, f64::NAN));
        Layer::new(name, color, Mark::Steps(parted.into_iter().flat_map(held).collect(), Stroke::Solid))
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

    /// From the least to the greatest value of a slot on each day, where places are days; with a gap where there is none.
    pub(super) fn band(&self, name: &str, n: usize, values: impl Iterator<Item = (Slot, f64)>) -> Layer {
        let spans = parted(self.spans(values), |span| span.0, |place| (place, f64::NAN, f64::NAN));
        Layer::new(name, Color::Series(n), Mark::Band(spans))
    }

    /// Whether places are days and values differ within one: then what is drawn is a mean.
    pub(super) fn is_mean(&self, values: impl Iterator<Item = (Slot, f64)>) -> bool {
        self.spans(values).iter().any(|span| span.1 < span.2)
    }

    fn spans(&self, values: impl Iterator<Item = (Slot, f64)>) -> Vec<(f64, f64, f64)> {
        let mut spans = BTreeMap::<usize, (f64, f64)>::new();
        for (slot, value) in values.filter(|(_, value)| self.by_day && value.is_finite()) {
            let span = spans.entry(self.place(slot) as usize).or_insert((value, value));
            *span = (span.0.min(value), span.1.max(value));
        }
        spans.into_iter().map(|(place, (low, high))| (place as f64, low, high)).collect()
    }

    /// Where each slot lies in a field of days and hours; `None` of less than three days.
    pub(super) fn hours(&self) -> Option<Hours<'a>> {
        let dates = self.dates.filter(|_| self.days() > Some(2))?;
        Some(Hours { dates, first: dates.day_of(self.first), last: dates.day_of(self.last) })
    }
}

/// The same with a gap behind each that is not followed by its neighbour.
fn parted<T: Copy>(points: Vec<T>, place: fn(&T) -> f64, gap: impl Fn(f64) -> T) -> Vec<T> {
    let mut parted: Vec<T> = Vec::with_capacity(points.len());
    for point in points {
        let next = parted.last().map(|last| place(last) + 1.0);
        parted.extend(next.filter(|next| *next < place(&point)).map(&gap));
        parted.push(point);
    }
    parted
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

    /// A field of the values of slots, each with the size by which it is divided in the end; of what has no size the sum or,
    /// of an hour that clocks show twice, half of it.
    pub(super) fn field(&self, values: impl Iterator<Item = (Slot, f64, Option<f64>)>) -> Vec<(f64, f64, Option<f64>)> {
        let mut cells = vec![[None::<(f64, f64, u32)>; 24]; self.last - self.first + 1];
        for (slot, value, size) in values.filter(|(_, value, _)| value.is_finite()) {
            let hour = self.dates.begin(slot).hour().clamp(0, 23) as usize;
            let cell = cells[self.dates.day_of(slot) - self.first][hour].get_or_insert((0.0, 0.0, 0));
            *cell = (cell.0 + value, cell.1 + size.unwrap_or(0.0), cell.2 + 1);
        }
        let length = self.dates.slot_length().as_secs_f64();
        let hours = |slots: u32| (f64::from(slots) * length / length.max(3600.0)).max(1.0);
        let value = |(sum, size, slots): (f64, f64, u32)| sum / if size > 0.0 { size } else { hours(slots) };
        let days = cells.iter().enumerate();
        days.flat_map(|(day, hours)| {
            (0_u32..).zip(hours).map(move |(hour, cell)| (day as f64, f64::from(hour), cell.map(value)))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_scenario::schema::{Calendar, Market};
    use std::{sync::Arc, time::Duration};

    /// A case of so many days from the one before the clocks are set back.
    #[allow(clippy::field_reassign_with_default)] // It has a field of its own.
    fn case(days: u32, minutes: u64) -> (CaseData, Slot) {
        let (start, zone) = ("2016-10-29".to_owned(), "Europe/Berlin".to_owned());
        let calendar = Calendar { start, zone, days, slot_length: Duration::from_secs(60 * minutes) };
        let mut market = Market::default();
        market.calendar = Some(calendar);
        let dates = Arc::new(market.dates().unwrap());
        let slots = dates.slots();
        (CaseData { dates: Some(dates), ..CaseData::default() }, slots)
    }

    #[test]
    fn an_hour_that_clocks_show_twice_is_told_by_its_mean() {
        for (minutes, of_an_hour) in [(15, 4.0), (60, 1.0), (20, 3.0)] {
            let (case, slots) = case(3, minutes);
            let hours = Along::all(&case, slots).hours().unwrap();
            let sums = hours.field((1..=slots).map(|slot| (slot, 1.0, None)));
            assert!(sums.iter().all(|cell| cell.2 == Some(of_an_hour)), "{sums:?}");
            let means = hours.field((1..=slots).map(|slot| (slot, 6.0, Some(2.0))));
            assert!(means.iter().all(|cell| cell.2 == Some(3.0)), "{means:?}");
        }
    }

    #[test]
    fn bars_are_steps_and_bands_have_gaps_where_days_are_many_or_missing() {
        let (case, slots) = case(40, 60);
        let along = Along::all(&case, slots);
        let values = || [(1, 1.0), (2, 3.0), (30, 2.0), (100, 4.0)].into_iter();
        assert!(along.is_mean(values()) && !along.is_mean(values().skip(1)));
        let Mark::Band(spans) = along.band("", 0, values()).mark else { panic!("a band") };
        assert_eq!((spans.len(), spans[0], spans[1], spans[3]), (4, (0.0, 1.0, 3.0), (1.0, 2.0, 2.0), (4.0, 4.0, 4.0)));
        assert!(spans[2].0 == 2.0 && spans[2].1.is_nan());
        let days = |days: u32| (0..days).filter(|day| *day != 5).map(|day| (f64::from(day), f64::from(day)));
        let drawn = |count| Along::bars("", Color::Series(0), days(count).collect()).mark;
        let Mark::Steps(points, _) = drawn(40) else { panic!("steps") };
        assert_eq!((points.len(), points[5], points[7]), (41, (5.0, 4.0), (6.0, 6.0)));
        assert!(points[6].0 == 5.0 && points[6].1.is_nan());
        assert!(matches!(drawn(30), Mark::Bars(points) if points.len() == 29));
    }

    #[test]
    fn bars_of_several_days_are_of_days_where_there_are_many() {
        for (days, minutes, by_day) in [(1, 15, false), (2, 60, false), (2, 15, true), (7, 15, true), (20, 60, true)] {
            let (case, slots) = case(days, minutes);
            assert_eq!(Along::all(&case, slots).for_bars().is_by_day(), by_day, "{days} days");
        }
    }
}
