//! Who wins where some are nearer to the ledger than others: each prosumer's gain against its delay.

use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::{CaseData, Data, gains::Gain},
};
use indexmap::IndexMap;
use microgrid_agents::market::role::Role;
use microgrid_record::knob_text;

/// How the names of the charts begin.
pub(super) const NAME: &str = "gain_and_delay";

/// Of more prosumers of a mechanism, so many are drawn.
const MOST_POINTS: usize = 400;
/// Delays that are more than so many are put together where a mean is taken.
const MOST_DELAYS: usize = 8;

/// A chart for sellers and one for buyers: each prosumer's point or, where several mechanisms are compared, a line of means
/// in a color for each.
pub(super) fn charts(data: &Data) -> impl Iterator<Item = Chart> {
    [(Role::Seller, "sellers"), (Role::Buyer, "buyers")].into_iter().filter_map(|(role, them)| chart(data, role, them))
}

fn chart(data: &Data, role: Role, them: &str) -> Option<Chart> {
    let mut found = IndexMap::<Option<String>, Vec<Gain>>::new();
    for case in &data.cases {
        let gains: Vec<Gain> = case.gains.iter().filter(|one| one.role == role).copied().collect();
        if !gains.is_empty() {
            found.entry(mechanism(data, case)).or_default().extend(gains);
        }
    }
    let delays = || found.values().flatten().map(|one| one.delay);
    let (least, most) = (delays().fold(f64::INFINITY, f64::min), delays().fold(0.0, f64::max));
    let is_wide = least > 0.0 && most / least >= 100.0;
    let several = if data.manifest.case_count > 1 { " of its case" } else { "" };
    let alone = found.len() == 1;
    let means_are = if alone { ". The line is the mean" } else { ": means" };
    let caption = format!(
        "Welfare that each prosumer gained over P2G in all slots with a market{several} in which it was one of the {them}, \
         against how long a message takes in the mean between it and the ledger, one way, as links are set{means_are} of \
         those that are about as far away."
    );
    let layers = found.into_iter().enumerate().flat_map(|(n, (name, gains))| {
        let layer = |mark| Layer { name: name.clone(), color: Color::Series(n), mark };
        let means = means(&gains);
        let points = if alone { some(&gains) } else { means.clone() };
        [layer(Mark::Points(points)), layer(Mark::Line(means, Stroke::Solid))]
    });
    let scale = if is_wide { Scale::Logarithmic } else { Scale::Linear };
    Chart::new(
        (format!("{NAME}_{them}"), format!("Gain against delay, {them}")),
        caption,
        (Axis::of("delay to the ledger").unit("s").scale(scale), Axis::of("gain over P2G").unit("CNY").from_zero()),
        layers.collect::<Vec<_>>(),
    )
}

/// The mechanism of a case, where the study compares several.
fn mechanism(data: &Data, case: &CaseData) -> Option<String> {
    case.entry.knobs.get(&data.mechanisms.as_ref()?.knob).map(knob_text)
}

/// As many points as can be seen, evenly from all.
fn some(gains: &[Gain]) -> Vec<(f64, f64)> {
    let step = gains.len().div_ceil(MOST_POINTS).max(1);
    gains.iter().step_by(step).map(|one| (one.delay, one.gain)).collect()
}

/// Mean gains of those with the same delay or, of many delays, of as many prosumers each that follow each other.
fn means(gains: &[Gain]) -> Vec<(f64, f64)> {
    let mut sorted = gains.to_vec();
    sorted.sort_by(|one, other| one.delay.total_cmp(&other.delay));
    let same: Vec<&[Gain]> = sorted.chunk_by(|one, other| one.delay == other.delay).collect();
    let classes =
        if same.len() <= MOST_DELAYS { same } else { sorted.chunks(sorted.len().div_ceil(MOST_DELAYS)).collect() };
    let mean = |class: &[Gain], of: fn(&Gain) -> f64| class.iter().map(of).sum::<f64>() / class.len() as f64;
    classes.into_iter().map(|class| (mean(class, |one| one.delay), mean(class, |one| one.gain))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gains(of: impl IntoIterator<Item = (f64, f64)>) -> Vec<Gain> {
        of.into_iter().map(|(delay, gain)| Gain { role: Role::Buyer, delay, gain }).collect()
    }

    #[test]
    fn means_are_of_those_as_far_away() {
        let near_and_far = gains([(0.5, -1.0), (0.01, 3.0), (0.5, 2.0), (0.01, 4.0)]);
        assert_eq!(means(&near_and_far), [(0.01, 3.5), (0.5, 0.5)]);
        let each_its_own = gains((0..80).map(|n| (f64::from(n), f64::from(2 * n))));
        let classes = means(&each_its_own);
        assert_eq!((classes.len(), classes[0], classes[7]), (8, (4.5, 9.0), (74.5, 149.0)));
        assert_eq!(means(&[]), []);
    }

    #[test]
    fn of_many_prosumers_some_are_drawn_from_the_first_to_the_last() {
        let many = gains((0..10_001).map(|n| (f64::from(n), 0.0)));
        let drawn = some(&many);
        assert!((300..=MOST_POINTS).contains(&drawn.len()) && drawn[drawn.len() - 1].0 > 9_900.0);
        assert_eq!(some(&many[..7]).len(), 7);
    }
}
