//! What prosumers generate and want to consume over the day: the article's Figs. A2 and A3.

use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::{CaseData, Data},
};
use microgrid_scenario::population::SlotProfile;

/// So many prosumers are drawn one by one; of more, the mean and where most of them are.
const MOST_PROSUMERS: usize = 8;

/// Generation and load of the prosumers of a case.
pub(super) fn charts(data: &Data, case: &CaseData) -> Vec<Chart> {
    let Some(simulated) = data.simulated(case.entry.case) else { return Vec::new() };
    let members = &simulated.population.prosumers;
    let slots = 1..=simulated.scenario.market.slots;
    let chart = |name: &str, title: &str, figure: &str, of: fn(&SlotProfile) -> f64| {
        let day = |profile: &[SlotProfile]| -> Vec<f64> { profile.iter().map(of).collect() };
        let days: Vec<(u32, Vec<f64>)> = members.iter().map(|member| (member.number, day(&member.profile))).collect();
        let (layers, who) =
            if days.len() <= MOST_PROSUMERS { (each(&days), "each prosumer") } else { (most(&days), "the prosumers") };
        let x = Axis::of("slot").scale(Scale::Names(slots.clone().map(|slot| slot.to_string()).collect()));
        let caption = format!("What {who} had in each slot, as given (Fig. {figure} of the article).");
        Chart::new((name, title), caption, (x, Axis::of(name).unit("kWh").from_zero()), layers)
    };
    let generation = chart("generation", "Generation over the day", "A2", |slot| slot.generation.value());
    generation.into_iter().chain(chart("load", "Load over the day", "A3", |slot| slot.load.value())).collect()
}

fn line(values: impl Iterator<Item = f64>) -> Mark {
    Mark::Line((0_u32..).map(f64::from).zip(values).collect(), Stroke::Solid)
}

fn each(days: &[(u32, Vec<f64>)]) -> Vec<Layer> {
    let layer = |(n, (number, day)): (usize, &(u32, Vec<f64>))| {
        Layer::new(format!("prosumer {number}"), Color::Series(n), line(day.iter().copied()))
    };
    days.iter().enumerate().map(layer).collect()
}

fn most(days: &[(u32, Vec<f64>)]) -> Vec<Layer> {
    let slots = days.first().map_or(0, |day| day.1.len());
    let sorted = |slot: usize| {
        let mut values: Vec<f64> = days.iter().map(|day| day.1[slot]).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let rank = |values: &[f64], share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let span = |slot: usize| {
        let values = sorted(slot);
        (slot as f64, rank(&values, 0.1), rank(&values, 0.9))
    };
    let mean = |slot: usize| days.iter().map(|day| day.1[slot]).sum::<f64>() / days.len() as f64;
    vec![
        Layer::new("80 % of the prosumers", Color::Series(0), Mark::Band((0..slots).map(span).collect())),
        Layer::new(format!("mean of {} prosumers", days.len()), Color::Series(0), line((0..slots).map(mean))),
    ]
}
