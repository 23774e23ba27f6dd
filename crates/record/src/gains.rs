//! What prosumers gain over going on alone, each with its own storage (P2G with storage): who is worse off, and how
//! evenly the gains fall.

use super::{slot_observations::SlotObservations, theory::Theory};
use microgrid_agents::{
    market::balance::Balance,
    observation::ProsumerSlot,
    units::{Energy, Total},
};
use serde::{Deserialize, Serialize};

/// What rounding to whole units may cost a prosumer with each of its trades, and once more with its own storage and the
/// grid [CNY]. Who has lost no more than this is not worse off.
const ROUNDING: f64 = 1e-6;

#[derive(Clone, Debug)]
pub(super) struct Gains {
    /// In the order of the population, and what its storage took in, here and in P2G with storage.
    each: Vec<(Gain, [Energy; 2])>,
    /// Welfare beyond that of P2G, in the same order.
    over_p2g: Vec<Gain>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Gain {
    /// Welfare beyond that of P2G with storage, over several slots with the value of what its storage holds [CNY].
    gain: f64,
    roundings: f64,
}

impl Gain {
    fn is_loss(&self) -> bool {
        self.gain < -ROUNDING * self.roundings
    }
}

impl Gains {
    /// The gains of a slot, at whose start storages held `contents` and would have held `alone` in P2G.
    pub(super) fn of(gathered: &SlotObservations, theory: &Theory, contents: &[Energy], alone: &[Energy]) -> Self {
        let mut roundings = vec![1.0; contents.len()];
        for (buyer, seller, _) in gathered.trades().filter(|(.., trade)| trade.energy > Energy::ZERO) {
            [buyer, seller].into_iter().for_each(|party| roundings[party.index()] += 1.0);
        }
        let prosumers = gathered.prosumers().zip(theory.alone()).zip(contents.iter().zip(alone)).zip(roundings);
        let gain = |(((done, without), (&content, &alone)), roundings): (((&ProsumerSlot, &Balance), _), _)| {
            let taken = [done.balance.content - content, without.content - alone];
            (Gain { gain: done.balance.welfare - without.welfare, roundings }, taken)
        };
        let each: Vec<_> = prosumers.map(gain).collect();
        let baselines = gathered.prosumers().zip(&theory.peer_to_grid).zip(&each);
        let over_p2g = baselines.map(|((done, without), (Gain { roundings, .. }, _))| Gain {
            gain: done.balance.welfare - without.welfare,
            roundings: *roundings,
        });
        Self { over_p2g: over_p2g.collect(), each }
    }

    /// Jain's index of the gains over P2G in this slot.
    pub(super) fn jain_index(&self) -> Option<f64> {
        jain_index(&self.over_p2g)
    }

    /// How many are worse off in this slot, whatever their storages hold.
    pub(super) fn worse_off(&self) -> u32 {
        self.each.iter().filter(|(gain, _)| gain.is_loss()).count() as u32
    }
}

/// The gains of several slots.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RunGains {
    /// In the order of the population.
    each: Vec<Gain>,
    /// What storages hold at the end beyond what they held at the start, here and in P2G with storage.
    stored: Vec<[Total<Energy>; 2]>,
}

impl RunGains {
    pub(super) fn new(prosumers: usize) -> Self {
        Self { each: vec![Gain::default(); prosumers], stored: vec![Default::default(); prosumers] }
    }

    /// How many prosumers' these are.
    pub(super) fn prosumers(&self) -> usize {
        self.each.len()
    }

    /// Adds a slot's, where a kWh in each storage is worth so much [CNY/kWh].
    pub(super) fn add(&mut self, gains: &Gains, values: &[f64]) {
        let ends = self.each.iter_mut().zip(&mut self.stored).zip(values);
        for (((end, stored), value), (gain, taken)) in ends.zip(&gains.each) {
            end.gain += gain.gain + value * (taken[0] - taken[1]).value();
            end.roundings += gain.roundings;
            stored.iter_mut().zip(taken).for_each(|(sum, taken)| *sum += *taken);
        }
    }

    /// What is stored is worth here and in P2G with storage [CNY].
    pub(super) fn stored_value(&self, values: &[f64]) -> [f64; 2] {
        let first = values.first().copied().unwrap_or_default();
        let is_same = values.iter().all(|value| *value == first);
        [0, 1].map(|which| {
            let stored = || self.stored.iter().map(|stored| stored[which]);
            if is_same {
                first * stored().sum::<Total<Energy>>().value()
            } else {
                stored().zip(values).map(|(kwh, value)| value * kwh.value()).sum()
            }
        })
    }

    pub(super) fn worse_off(&self) -> u32 {
        self.each.iter().filter(|end| end.is_loss()).count() as u32
    }

    pub(super) fn jain_index(&self) -> Option<f64> {
        jain_index(&self.each)
    }
}

/// Jain's index of everybody's gains, `(sum g)² / (n sum g²)`: 1 where all gain the same, 1 / n where only one gains. Who
/// loses, or gains no more than rounding may bring, counts as 0; `None` if nobody gains.
fn jain_index(everybody: &[Gain]) -> Option<f64> {
    let gains = || everybody.iter().filter(|one| one.gain > ROUNDING * one.roundings).map(|one| one.gain);
    let (sum, squares) = (gains().sum::<f64>(), gains().map(|gain| gain * gain).sum::<f64>());
    (squares > 0.0).then(|| sum * sum / (everybody.len() as f64 * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(gains: &[f64]) -> RunGains {
        RunGains { each: gains.iter().map(|&gain| Gain { gain, roundings: 2.0 }).collect(), stored: Vec::new() }
    }

    #[test]
    fn equal_gains_are_fair_and_a_single_one_is_not() {
        assert_eq!(run(&[3.0; 5]).jain_index(), Some(1.0));
        assert_eq!(run(&[0.0, 7.0, 0.0, 0.0]).jain_index(), Some(0.25));
        // (1 + 3)² / (2 (1 + 9))
        assert_eq!(run(&[1.0, 3.0]).jain_index(), Some(0.8));
    }

    #[test]
    fn losses_count_as_no_gain_and_without_gains_fairness_is_undefined() {
        assert_eq!(run(&[-5.0, 4.0]).jain_index(), Some(0.5));
        assert_eq!((run(&[-5.0, 0.0]).jain_index(), run(&[1e-6, 2e-6]).jain_index()), (None, None));
    }

    #[test]
    fn what_rounding_costs_makes_nobody_worse_off() {
        assert_eq!(run(&[-2e-6, -2.1e-6, 0.0, -1.0, 1.0]).worse_off(), 2);
    }
}
