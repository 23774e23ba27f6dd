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
    fn hours(&self) -> f64 {
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

    /// The slots of each stay at home, from 0.
    fn stays(&self, home: Hours) -> Vec<Range<usize>> {
        let mut stay = 0;
        let keys: Vec<Option<u64>> = (1..=self.slots)
            .map(|slot| {
                let time = self.time(slot);
                stay += u64::from(home.ends_at(time));
                home.contains(time).then_some(stay)
            })
            .collect();
        self.spans(|slot| keys[slot as usize - 1])
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
    let mut planned = vec![Energy::ZERO; clock.slots as usize];
    // What is foreseen to be left of own generation, which each device leaves to the next.
    let mut surplus: Vec<Energy> = (1..=clock.slots)
        .map(|slot| {
            let [generation, load] = devices.base(slot);
            generation - load
        })
        .collect();
    let mut carry_out = |timing: Timing, task: &Task, span: Range<usize>| {
        let outlook = Outlook {
            grid_tariff: &rates.grid[span.clone()],
            feed_in_tariff: &rates.feed_in[span.clone()],
            surplus: &surplus[span.clone()],
        };
        for (place, used) in span.zip(timing.plan(task, outlook)) {
            planned[place] += used;
            surplus[place] -= used;
        }
    };
    if let Some(HeatPump { load, shiftable, timing }) = heat_pump {
        let due: Vec<Energy> = (1..=clock.slots).map(|slot| load.slot(slot)).collect();
        let rated = due.iter().copied().max().unwrap_or_default();
        for day in clock.days() {
            let due = &due[day.clone()];
            let deferred: Vec<Energy> = due.iter().map(|due| Energy::at_most(due.value() * shiftable)).collect();
            let fixed: Vec<Energy> = due.iter().zip(&deferred).map(|(due, deferred)| *due - *deferred).collect();
            // What cannot wait is used where it is due.
            carry_out(Timing::AtOnce, &Task { energy: fixed.iter().copied().sum(), most: fixed.clone() }, day.clone());
            let most = fixed.iter().map(|fixed| rated - *fixed).collect();
            carry_out(*timing, &Task { energy: deferred.into_iter().sum(), most }, day);
        }
    }
    if let Some(Vehicle { kwh, kw, home, timing }) = vehicle {
        let whole = (f64::from(home.minutes()) * 60.0 / clock.slot_length.as_secs_f64()).round() as usize;
        let most = Energy::at_most(kw * clock.hours());
        for stay in clock.stays(*home) {
            // Of a stay that has begun before the run, or goes on behind it, its part.
            let is_cut = stay.start == 0 || stay.end == clock.slots as usize;
            let part = if is_cut { (stay.len() as f64 / whole.max(1) as f64).min(1.0) } else { 1.0 };
            let task = Task { energy: Energy::nearest(kwh * part), most: vec![most; stay.len()] };
            carry_out(*timing, &task, stay);
        }
    }
    Some(planned.into())
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
        // From midnight to 6:00 of the first day it takes three quarters, from 22:00 on at the end one.
        assert_eq!(plan.iter().sum::<f64>(), 6.0 + 8.0 + 8.0 + 2.0);
        let first_night: Vec<usize> = (80..140).filter(|place| plan[*place] > 0.0).collect();
        assert_eq!(first_night, Vec::from_iter(88..96), "1 kWh a quarter from 22:00 on");
        assert!(plan.iter().all(|used| *used == 0.0 || *used == 1.0));
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
