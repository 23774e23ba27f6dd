//! Vehicles and heat pumps: what they have to use, within which slots, and how a member's rule divides it among them.

use super::{
    calendar::Dates,
    hours::Hours,
    population::{Devices, Scaled},
    tariffs::SlotRates,
};
use jiff::civil::Time;
use microgrid_agents::{
    ids::Slot,
    scheduling::{Outlook, Task, Timing},
    units::Energy,
};
use std::{ops::Range, sync::Arc, time::Duration};

/// What time it is where a slot begins.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub(super) dates: Option<Dates>,
    pub(super) starts_at: Duration,
    pub(super) slot_length: Duration,
    pub(super) slots: Slot,
}

impl Clock {
    const DAY: u64 = 24 * 3600;

    /// Length of a slot [h].
    pub(super) fn hours(&self) -> f64 {
        self.slot_length.as_secs_f64() / 3600.0
    }

    fn seconds(&self, slot: Slot) -> u64 {
        (self.starts_at + self.slot_length * (slot - 1)).as_secs()
    }

    fn time(&self, slot: Slot) -> Time {
        match &self.dates {
            Some(dates) => dates.begin(slot).time(),
            None => {
                let seconds = self.seconds(slot) % Self::DAY;
                let [hour, minute] = [seconds / 3600, seconds / 60 % 60].map(|part| part as i8);
                Time::constant(hour, minute, (seconds % 60) as i8, 0)
            }
        }
    }

    /// The place of the day in which a slot begins.
    fn day(&self, slot: Slot) -> u64 {
        self.dates.as_ref().map_or_else(|| self.seconds(slot) / Self::DAY, |dates| dates.day_of(slot) as u64)
    }

    /// Spans of slots, from 0, of which each has all that belong together, as `key` says; those without a key are left out.
    fn spans(&self, key: impl Fn(Slot) -> Option<u64>) -> Vec<Range<usize>> {
        let mut spans: Vec<(u64, Range<usize>)> = Vec::new();
        for place in 0..self.slots as usize {
            let Some(key) = key(place as Slot + 1) else { continue };
            match spans.last_mut() {
                Some((last, span)) if *last == key && span.end == place => span.end += 1,
                _ => spans.push((key, place..place + 1)),
            }
        }
        spans.into_iter().map(|(_, span)| span).collect()
    }

    /// The slots of each day, from 0.
    fn days(&self) -> Vec<Range<usize>> {
        self.spans(|slot| Some(self.day(slot)))
    }

    /// Each stay at home that has a slot: its first, from 0 or from less if it begins before the run, and how many slots lie
    /// wholly in it, be they in the run or not.
    fn stays(&self, home: Hours) -> Vec<(isize, usize)> {
        let stay = |day: i64| {
            let [from, to] = home.span().map(|minutes| self.slots_to(day, i64::from(minutes)));
            let (first, end) = ((from? - 1e-9).ceil() as isize, (to? + 1e-9).floor() as isize);
            Some((first, usize::try_from(end - first).unwrap_or_default()))
        };
        let is_before_end = |(first, _): &(isize, usize)| *first < self.slots as isize;
        let all = (-1..).map_while(stay).take_while(is_before_end);
        all.filter(|(first, count)| *count > 0 && first + *count as isize > 0).collect()
    }

    /// So many slots after the first begins the one that begins at this many minutes of the day that is so many behind the first.
    fn slots_to(&self, day: i64, minutes: i64) -> Option<f64> {
        match &self.dates {
            Some(dates) => dates.slots_to(day, minutes),
            None => {
                let seconds = (day * Self::DAY as i64 + minutes * 60) as f64 - self.starts_at.as_secs_f64();
                Some(seconds / self.slot_length.as_secs_f64())
            }
        }
    }

    /// How many slots lie wholly in these hours, on a day without changes of clocks.
    pub(super) fn slots_in(&self, hours: Hours) -> usize {
        let begin = self.time(1).duration_since(Time::midnight()).as_secs_f64();
        let [from, to] =
            hours.span().map(|minutes| (f64::from(minutes) * 60.0 - begin) / self.slot_length.as_secs_f64());
        ((to + 1e-9).floor() - (from - 1e-9).ceil()).max(0.0) as usize
    }

    /// So many slots has a day.
    fn a_day(&self) -> usize {
        (Self::DAY as f64 / self.slot_length.as_secs_f64()).round().max(1.0) as usize
    }

    /// The slot, from 0, which is as this one is that may be before the first or behind the last: so many days later or earlier.
    fn alike(&self, place: isize) -> usize {
        let (a_day, slots) = (self.a_day() as isize, self.slots as isize);
        let inside = match place {
            ..0 => place.rem_euclid(a_day),
            _ if place < slots => place,
            _ => slots - 1 - (slots - 1 - place).rem_euclid(a_day),
        };
        inside.clamp(0, slots - 1) as usize
    }
}

/// An electric vehicle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Vehicle {
    /// What it has to have taken in by each departure [kWh].
    pub(super) kwh: f64,
    /// What its charger can do [kW].
    pub(super) kw: f64,
    /// When it is at home.
    pub(super) home: Hours,
    pub(super) timing: Timing,
}

/// A heat pump.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HeatPump {
    pub(super) load: Scaled,
    /// Which part of it may be used at any time of its day, in [0, 1].
    pub(super) shiftable: f64,
    pub(super) timing: Timing,
}

/// What a member's deferrable devices use in each slot, each day planned from what is foreseen of it; `None` without any.
pub(super) fn planned(
    devices: &Devices,
    heat_pump: Option<&HeatPump>,
    vehicle: Option<&Vehicle>,
    rates: &SlotRates,
    clock: &Clock,
) -> Option<Arc<[Energy]>> {
    if heat_pump.is_none() && vehicle.is_none() {
        return None;
    }
    let mut plan = Plan { rates, clock, planned: vec![Energy::ZERO; clock.slots as usize], surplus: Vec::new() };
    if let Some(HeatPump { load, shiftable, timing }) = heat_pump {
        let due: Vec<Energy> = (1..=clock.slots).map(|slot| load.slot(slot)).collect();
        let rated = due.iter().copied().max().unwrap_or_default();
        let deferred: Vec<Energy> = due.iter().map(|due| Energy::at_most(due.value() * shiftable)).collect();
        // What cannot wait is used where it is due.
        plan.planned = due.iter().zip(&deferred).map(|(due, deferred)| *due - *deferred).collect();
        let most: Vec<Energy> = plan.planned.iter().map(|fixed| rated - *fixed).collect();
        plan.foresee(devices);
        for day in clock.days() {
            let task = Task { energy: deferred[day.clone()].iter().copied().sum(), most: most[day.clone()].to_vec() };
            plan.carry_out(*timing, &task, day.start as isize);
        }
    }
    if let Some(Vehicle { kwh, kw, home, timing }) = vehicle {
        let most = Energy::at_most(kw * clock.hours());
        plan.foresee(devices);
        for (first, slots) in clock.stays(*home) {
            plan.carry_out(*timing, &Task { energy: Energy::nearest(*kwh), most: vec![most; slots] }, first);
        }
    }
    Some(plan.planned.into())
}

/// What is planned so far.
#[derive(Debug)]
struct Plan<'a> {
    rates: &'a SlotRates,
    clock: &'a Clock,
    planned: Vec<Energy>,
    /// What a device can foresee to be left of own generation.
    surplus: Vec<Energy>,
}

impl Plan<'_> {
    /// What is planned by now is foreseen by the next device.
    fn foresee(&mut self, devices: &Devices) {
        let left = |(slot, planned): (Slot, &Energy)| {
            let [generation, load] = devices.base(slot);
            generation - load - *planned
        };
        self.surplus = (1..).zip(&self.planned).map(left).collect();
    }

    /// Plans a task that begins with the slot `first`, from 0, or before the run if that is less, and may go on behind it. Of slots
    /// that are not in the run, what is known of the day next to them is foreseen, and what is used there is none of the run's.
    fn carry_out(&mut self, timing: Timing, task: &Task, first: isize) {
        let places = first..first + task.most.len() as isize;
        let alike: Vec<usize> = places.clone().map(|place| self.clock.alike(place)).collect();
        let [grid, feed_in] = [&self.rates.grid, &self.rates.feed_in]
            .map(|rates| alike.iter().map(|place| rates[*place]).collect::<Vec<_>>());
        let surplus: Vec<Energy> = alike.iter().map(|place| self.surplus[*place]).collect();
        let outlook = Outlook { grid_tariff: &grid, feed_in_tariff: &feed_in, surplus: &surplus };
        for (place, used) in places.zip(timing.plan(task, outlook)) {
            if let Some(planned) = usize::try_from(place).ok().and_then(|place| self.planned.get_mut(place)) {
                *planned += used;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Calendar;

    /// What these values of slots come to.
    fn scaled(values: impl Iterator<Item = f64>, times: f64) -> Scaled {
        let sum = |sum: &mut f64, value| {
            *sum += value;
            Some(*sum)
        };
        Scaled { upto: values.scan(0.0, sum).collect(), times }
    }

    fn clock(start: &str, days: u32) -> Clock {
        let slot_length = Duration::from_secs(900);
        let calendar = Calendar { start: start.to_owned(), zone: "Europe/Berlin".to_owned(), days, slot_length };
        let dates = Dates::of(&calendar).unwrap();
        Clock { slots: dates.slots(), dates: Some(dates), starts_at: Duration::ZERO, slot_length }
    }

    fn plan(clock: &Clock, heat_pump: Option<&HeatPump>, vehicle: Option<&Vehicle>) -> Vec<f64> {
        let values = |value: f64| vec![value; clock.slots as usize].into();
        // The sun shines from 10 to 12 of each day.
        let sun = (1..=clock.slots).map(|slot| f64::from((10..12).contains(&clock.time(slot).hour())));
        let generation = Some(scaled(sun, 1.0));
        let rates = SlotRates { grid: values(0.3), feed_in: values(0.1) };
        let (slots, load, planned_before) = (clock.slots, None, None);
        let (preference_pv, preference_grid, forecast) = (1.0, 1.0, None);
        let devices =
            Devices { slots, generation, load, planned: planned_before, preference_pv, preference_grid, forecast };
        let plan = planned(&devices, heat_pump, vehicle, &rates, clock).unwrap();
        plan.iter().map(|energy| energy.value()).collect()
    }

    #[test]
    fn a_vehicle_has_its_energy_by_each_departure_also_where_clocks_change() {
        let clock = clock("2016-03-26", 3);
        let vehicle = Vehicle { kwh: 8.0, kw: 4.0, home: "22:00-06:00".parse().unwrap(), timing: Timing::AtOnce };
        let plan = plan(&clock, None, Some(&vehicle));
        // Of the first night it has all by midnight, before the run.
        assert_eq!(plan.iter().sum::<f64>(), 3.0 * 8.0);
        let first_night: Vec<usize> = (0..140).filter(|place| plan[*place] > 0.0).collect();
        assert_eq!(first_night, Vec::from_iter(88..96), "1 kWh a quarter from 22:00 on");
        assert!(plan.iter().all(|used| *used == 0.0 || *used == 1.0));
    }

    #[test]
    fn a_stay_is_as_long_as_the_time_between_its_hours_and_charges_in_whole_slots() {
        let stays = |start: &str, home: &str| clock(start, 3).stays(home.parse().unwrap());
        // An hour that clocks show twice, and one that they leave out, lie in a night, but in none behind its end.
        assert_eq!(stays("2024-10-26", "18:00-02:30"), [(-24, 34), (72, 34), (172, 34), (268, 34)]);
        assert_eq!(stays("2024-10-26", "18:00-07:00"), [(-24, 52), (72, 56), (172, 52), (268, 52)]);
        assert_eq!(stays("2024-03-30", "18:00-07:00"), [(-24, 52), (72, 48), (164, 52), (260, 52)]);
        assert_eq!(stays("2024-03-30", "00:00-24:00"), [(0, 96), (96, 92), (188, 96)]);
        assert_eq!(stays("2024-06-01T18:00", "18:10-19:40"), [(1, 5), (97, 5), (193, 5)]);
        assert_eq!(stays("2024-06-01", "23:20-23:40"), []);
        let hours = |home: &str| clock("2024-06-01T18:00", 3).slots_in(home.parse().unwrap());
        assert_eq!(["18:10-19:40", "23:20-23:40", "22:00-06:00", "00:00-24:00"].map(hours), [5, 0, 32, 96]);
    }

    #[test]
    fn a_run_begins_and_ends_amid_stays_as_if_it_had_gone_on() {
        for timing in [Timing::AtOnce, Timing::LowTariff, Timing::Surplus] {
            for home in ["22:00-06:00", "18:15-18:00", "09:00-15:00", "00:00-24:00"] {
                for kw in [1.25, 4.0, 11.0] {
                    let vehicle = Vehicle { kwh: 8.0, kw, home: home.parse().unwrap(), timing };
                    let whole = plan(&clock("2016-06-01", 4), None, Some(&vehicle));
                    let begins_at_noon = plan(&clock("2016-06-02T12:00", 2), None, Some(&vehicle));
                    assert_eq!(begins_at_noon, whole[144..336], "{timing:?} {home} {kw}");
                    let night = plan(&clock("2016-06-02", 2), None, Some(&vehicle));
                    assert_eq!(night, whole[96..288], "{timing:?} {home} {kw}");
                }
            }
        }
    }

    #[test]
    fn a_heat_pump_moves_its_part_within_its_day_to_where_the_sun_shines() {
        let clock = clock("2016-06-01", 2);
        let demand = (0..clock.slots).map(|place| if place % 2 == 0 { 2.0 } else { 0.4 });
        let load = scaled(demand, 0.5);
        let pump = |shiftable| HeatPump { load: load.clone(), shiftable, timing: Timing::Surplus };
        for (shiftable, at_noon) in [(0.0, 4.8), (0.5, 8.0)] {
            let plan = plan(&clock, Some(&pump(shiftable)), None);
            for day in [&plan[..96], &plan[96..]] {
                assert!((day.iter().sum::<f64>() - 57.6).abs() < 1e-9, "{shiftable}");
                assert!((day[40..48].iter().sum::<f64>() - at_noon).abs() < 1e-6, "{shiftable}");
                assert!(day.iter().all(|used| *used <= 1.0), "never more than its rated power");
            }
        }
    }
}
