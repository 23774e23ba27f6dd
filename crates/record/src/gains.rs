//! What prosumers gain over going on alone, each with its own storage (P2G with storage): who is worse off, and how
//! evenly the gains fall.

use super::{slot_observations::SlotObservations, theory::Theory};
use microgrid_agents::{
    market::balance::Balance,
    observation::ProsumerSlot,
    units::{Energy, Total},
};

/// What rounding to whole units may cost a prosumer with each of its trades, and once more with its own storage and the
/// grid [CNY]. Who has lost no more than this is not worse off.
const ROUNDING: f64 = 1e-6;

/// What the prosumers gained in a slot.
#[derive(Clone, Debug)]
pub(super) struct Gains {
    /// In the order of the population.
    each: Vec<Gain>,
    /// What all storages hold at the end beyond what they held at the start, here and in P2G with storage.
    pub(super) stored: [Total<Energy>; 2],
}

/// What a prosumer gained in a slot.
#[derive(Clone, Copy, Debug)]
struct Gain {
    /// Welfare beyond that of P2G with storage [CNY].
    welfare: f64,
    /// What its storage took in beyond what it would have in P2G.
    content: Energy,
    /// How often something was rounded.
    roundings: u32,
}

impl Gains {
    /// The gains of a slot, at whose start storages held `contents` and would have held `alone` in P2G.
    pub(super) fn of(gathered: &SlotObservations, theory: &Theory, contents: &[Energy], alone: &[Energy]) -> Self {
        let mut roundings = vec![1; contents.len()];
        for (buyer, seller, _) in gathered.trades().filter(|(.., trade)| trade.energy > Energy::ZERO) {
            [buyer, seller].into_iter().for_each(|party| roundings[party.index()] += 1);
        }
        let (mut stored, mut stored_alone) = (Total::default(), Total::default());
        let prosumers = gathered.prosumers().zip(&theory.alone).zip(contents.iter().zip(alone)).zip(roundings);
        let gain = |(((done, without), (&content, &alone)), roundings): (((&ProsumerSlot, &Balance), _), _)| {
            let (taken, taken_alone) = (done.content - content, without.content - alone);
            stored += taken;
            stored_alone += taken_alone;
            Gain { welfare: done.welfare - without.welfare, content: taken - taken_alone, roundings }
        };
        let each = prosumers.map(gain).collect();
        Self { each, stored: [stored, stored_alone] }
    }

    /// How many are worse off in this slot, whatever their storages hold.
    pub(super) fn worse_off(&self) -> u32 {
        let ends = self.each.iter().map(|gain| End { gain: gain.welfare, roundings: gain.roundings.into() });
        ends.filter(End::is_loss).count() as u32
    }
}

/// What each prosumer gained over some slots.
#[derive(Clone, Debug, Default)]
pub(super) struct RunGains(Vec<End>);

/// What a prosumer gained over some slots.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// Welfare, and the value of what its storage holds, beyond P2G with storage [CNY].
    gain: f64,
    /// How often something was rounded.
    roundings: f64,
}

impl End {
    fn is_loss(&self) -> bool {
        self.gain < -ROUNDING * self.roundings
    }
}

impl RunGains {
    /// Nothing yet, of so many prosumers.
    pub(super) fn new(prosumers: usize) -> Self {
        Self(vec![End::default(); prosumers])
    }

    /// Adds a slot's, where a kWh in storage is worth `storage_value` [CNY/kWh].
    pub(super) fn add(&mut self, gains: &Gains, storage_value: f64) {
        for (end, gain) in self.0.iter_mut().zip(&gains.each) {
            end.gain += gain.welfare + storage_value * gain.content.value();
            end.roundings += f64::from(gain.roundings);
        }
    }

    /// How many ended worse off.
    pub(super) fn worse_off(&self) -> u32 {
        self.0.iter().filter(|end| end.is_loss()).count() as u32
    }

    /// Jain's index of the gains, `(sum g)² / (n sum g²)`: 1 where all gain the same, 1 / n where only one gains. Who
    /// loses, or gains no more than rounding may bring, counts as 0; `None` if nobody gains.
    pub(super) fn jain_index(&self) -> Option<f64> {
        let gains = || self.0.iter().filter(|end| end.gain > ROUNDING * end.roundings).map(|end| end.gain);
        let (sum, squares) = (gains().sum::<f64>(), gains().map(|gain| gain * gain).sum::<f64>());
        (squares > 0.0).then(|| sum * sum / (self.0.len() as f64 * squares))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(gains: &[f64]) -> RunGains {
        RunGains(gains.iter().map(|&gain| End { gain, roundings: 2.0 }).collect())
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
