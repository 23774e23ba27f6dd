//! Makes synthetic populations.
//!
//! Every prosumer draws from a random stream of its own, in a fixed order: first what stays (has it photovoltaics, is
//! it a workplace, peak power, mean load, preferences), then slot by slot the weather and the noise of the load. So the
//! first 100 of 500 prosumers are the 100, and the first slots of a longer study are those of a shorter one.
//!
//! Generation is `peak * sun * weather`, where `sun` is half a sine from [`SUNRISE`] to [`SUNSET`]; load is
//! `mean load * curve * noise`, where the curve of a home peaks in the morning and in the evening and that of a
//! workplace at midday. Both are taken at the middle of the slot. The preference for photovoltaic energy grows with the
//! load, as who needs more pays more. Like profiles, neither generation nor load exceeds 10,000 kWh a slot.

use super::{
    population::{LARGEST_ENERGY, Member, Population, SlotProfile},
    schema::{Market, Synthetic},
};
use microgrid_agents::{
    ids::ProsumerId,
    streams::{Purpose, Stream, stream},
    units::Energy,
};
use rand::RngExt;
use std::f64::consts::PI;

/// When the sun rises [h since midnight].
const SUNRISE: f64 = 6.0;
/// When the sun sets [h since midnight].
const SUNSET: f64 = 20.5;
/// Smallest and largest preference for photovoltaic energy [CNY/kWh].
const PREFERENCE_PV: (f64, f64) = (1.5, 4.5);
/// Smallest and largest preference for grid energy [CNY/kWh].
const PREFERENCE_GRID: (f64, f64) = (1.0, 4.0);

/// Draws the population of the run with this `seed`, for the slots of a `market`.
///
/// `what` must have been checked: its parameters are finite and not negative.
pub(super) fn population(what: &Synthetic, seed: u64, market: &Market) -> Population {
    let prosumers = (0..what.count)
        .map(|position| {
            let random = stream(seed, ProsumerId(position).actor(), Purpose::Population);
            Member::new(position + 1, profile(what, random, market))
        })
        .collect();
    Population { prosumers }
}

fn profile(what: &Synthetic, mut random: Stream, market: &Market) -> Vec<SlotProfile> {
    let hours = market.hours();
    let has_pv = random.random::<f64>() < what.pv_share;
    let workplace = random.random::<f64>() < what.workplace_share;
    let peak = what.pv_peak_kw.draw(&mut random);
    let mean_load = what.load_kw.draw(&mut random);
    let base = what.preference_base.draw(&mut random);
    let for_grid = what.preference_grid.draw(&mut random);
    (0..market.slots)
        .map(|slot| {
            let hour = (market.first_hour() + f64::from(slot) * hours) % 24.0;
            let weather = what.weather.draw(&mut random).min(1.0);
            let noise = what.load_noise.draw(&mut random);
            let curve = if workplace { workplace_curve(hour) } else { home_curve(hour) };
            let generation = if has_pv { peak * sun(hour) * weather * hours } else { 0.0 };
            let load = (mean_load * curve * noise * hours).min(LARGEST_ENERGY);
            let preference_pv = (base + what.preference_per_kwh * load / hours).clamp(PREFERENCE_PV.0, PREFERENCE_PV.1);
            SlotProfile {
                generation: Energy::nearest(generation.min(LARGEST_ENERGY)),
                load: Energy::nearest(load),
                preference_pv,
                preference_grid: for_grid.clamp(PREFERENCE_GRID.0, PREFERENCE_GRID.1).min(preference_pv),
            }
        })
        .collect()
}

/// Generation under a clear sky as a share of peak power.
fn sun(hour: f64) -> f64 {
    (PI * (hour - SUNRISE) / (SUNSET - SUNRISE)).sin().max(0.0) * f64::from((SUNRISE..SUNSET).contains(&hour))
}

/// Load of a home as a multiple of its mean: peaks at half past seven in the morning and in the evening.
fn home_curve(hour: f64) -> f64 {
    (0.6 + 0.5 * bump(hour, 7.5, 1.5) + 0.9 * bump(hour, 19.5, 2.0)) / 0.864
}

/// Load of a workplace as a multiple of its mean: one broad peak after noon.
fn workplace_curve(hour: f64) -> f64 {
    (0.25 + bump(hour, 13.0, 2.8)) / 0.5424
}

fn bump(hour: f64, centre: f64, width: f64) -> f64 {
    let distance = (hour - centre) / width;
    (-distance * distance / 2.0).exp()
}
