//! What slots add up to, be it one, a day, a month or a run: energy, money, peaks, emissions, and how evenly savings fall.

use super::{flows::Flows, slot_observations::SlotObservations, theory::Theory};
use microgrid_agents::{
    ids::Slot,
    market::balance::Balance,
    observation::ProsumerSlot,
    statement::Outcome,
    units::{Energy, Money, Total},
};
use microgrid_runtime::Traffic;
use microgrid_scenario::Case;
use serde::{Deserialize, Serialize};

/// What some slots add up to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) slots: u32,
    pub(super) flows: Flows,
    /// Consumed from the grid: what meters draw, of each slot as much as is consumed at most.
    from_grid: Total<Energy>,
    /// Generation that is not used here: what meters feed in, of each slot as much as is generated at most.
    fed_generation: Total<Energy>,
    /// Paid for local trades.
    payments: Total<Money>,
    /// What all draw from the grid beyond what they feed in, in the slot where that is most.
    pub(super) import: Peak,
    /// The other way round.
    pub(super) export: Peak,
    consumption: Peak,
    /// What the grid's energy has emitted [g].
    co2: Option<f64>,
    /// With a market, with one that looked for an equilibrium, and with one that found it.
    pub(super) markets: u32,
    searches: u32,
    equilibria: u32,
    /// Of each prosumer: payments less earnings here, in P2G, and in P2G with storage.
    net_costs: Vec<[Total<Money>; 3]>,
}

/// The most that there was in a slot, and in which; the first of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Peak {
    most: Total<Energy>,
    slot: Slot,
}

impl Peak {
    fn of(most: Total<Energy>, slot: Slot) -> Self {
        if most > Total::default() { Self { most, slot } } else { Self::default() }
    }

    fn join(&mut self, other: Self) {
        if other.most > self.most {
            *self = other;
        }
    }

    /// As mean power over the slot [kW]; `None` if there was nothing.
    pub(super) fn kw(self, case: &Case) -> Option<f64> {
        (self.slot > 0).then(|| self.most.value() / case.scenario.market.hours())
    }

    /// When its slot begins, or its number where slots have no dates.
    pub(super) fn at(self, case: &Case) -> Option<String> {
        let named = || case.time_of(self.slot).unwrap_or_else(|| self.slot.to_string());
        (self.slot > 0).then(named)
    }
}

/// Payments less earnings of a prosumer: here, in P2G, and in P2G with storage.
pub(super) fn net_costs(done: &ProsumerSlot, without: &Balance, alone: &Balance) -> [Total<Money>; 3] {
    let of_grid = |balance: &Balance| Total::from(balance.grid_paid) - balance.grid_earned;
    [Total::from(done.paid()) + done.trades.fee - done.earned(), of_grid(without), of_grid(alone)]
}

impl Sums {
    /// Those of a slot.
    pub(super) fn of(case: &Case, slot: Slot, observed: &SlotObservations, theory: &Theory, traffic: Traffic) -> Self {
        let mut flows = Flows::default();
        observed.prosumers().for_each(|done| flows.add(done));
        let trades = || observed.trades().map(|(.., trade)| trade);
        let grid_fee = case.scenario.market.grid_fee;
        flows.grid_fees = trades().map(|trade| trade.energy.at_price(grid_fee)).sum();
        flows.operator = trades().map(|trade| trade.fee).sum::<Total<_>>() - flows.grid_fees;
        (flows.messages, flows.bytes) = (traffic.sent, observed.bytes);
        let (drawn, fed) = (flows.grid_import_kwh, flows.grid_export_kwh);
        let baselines = theory.peer_to_grid.iter().zip(theory.alone());
        let each = observed.prosumers().zip(baselines);
        let co2 = case.tariffs.co2.as_ref().map(|of| of[slot as usize - 1] * drawn.value());
        Self {
            slots: 1,
            from_grid: drawn.min(flows.consumption_kwh),
            fed_generation: fed.min(flows.generation_kwh),
            payments: trades().map(|trade| trade.payment).sum(),
            import: Peak::of(drawn - fed, slot),
            export: Peak::of(fed - drawn, slot),
            consumption: Peak::of(flows.consumption_kwh, slot),
            co2,
            markets: u32::from(observed.outcome() != Outcome::NoMarket),
            searches: u32::from(observed.outcome().looked_for_equilibrium()),
            equilibria: u32::from(observed.outcome() == Outcome::Equilibrium),
            net_costs: each.map(|(done, (without, alone))| net_costs(done, without, alone)).collect(),
            flows,
        }
    }

    /// Adds those of other, later slots.
    pub(super) fn join(&mut self, other: &Self) {
        self.slots += other.slots;
        self.flows.join(&other.flows);
        self.from_grid += other.from_grid;
        self.fed_generation += other.fed_generation;
        self.payments += other.payments;
        self.import.join(other.import);
        self.export.join(other.export);
        self.consumption.join(other.consumption);
        if let Some(co2) = other.co2 {
            *self.co2.get_or_insert(0.0) += co2;
        }
        self.markets += other.markets;
        self.searches += other.searches;
        self.equilibria += other.equilibria;
        self.net_costs.resize(other.net_costs.len(), Default::default());
        for (sums, others) in self.net_costs.iter_mut().zip(&other.net_costs) {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += *other);
        }
    }

    /// Payments less earnings of all: here, in P2G, and in P2G with storage.
    pub(super) fn net_costs(&self) -> [Total<Money>; 3] {
        [0, 1, 2].map(|which| self.net_costs.iter().map(|of| of[which]).sum())
    }

    /// What each prosumer has saved over P2G, and over P2G with storage.
    pub(super) fn savings(&self) -> [Savings; 2] {
        [1, 2].map(|which| Savings(self.net_costs.iter().map(|of| (of[which] - of[0]).value()).collect()))
    }

    pub(super) fn self_sufficiency(&self) -> Option<f64> {
        let consumed = self.flows.consumption_kwh;
        share((consumed - self.from_grid).value(), consumed.value())
    }

    pub(super) fn self_consumption(&self) -> Option<f64> {
        let generated = self.flows.generation_kwh;
        share((generated - self.fed_generation).value(), generated.value())
    }

    pub(super) fn equilibrium_share(&self) -> Option<f64> {
        share(f64::from(self.equilibria), f64::from(self.searches))
    }

    /// Paid for all local trades, divided by their energy [CNY/kWh].
    pub(super) fn mean_price(&self) -> Option<f64> {
        share(self.payments.value(), self.flows.traded_kwh.value())
    }

    /// Mean consumption of a slot, divided by that of the slot with most.
    pub(super) fn load_factor(&self) -> Option<f64> {
        share(self.flows.consumption_kwh.value() / f64::from(self.slots), self.consumption.most.value())
    }

    pub(super) fn co2_kg(&self) -> Option<f64> {
        self.co2.map(|grams| grams / 1000.0)
    }

    pub(super) fn co2_g_per_kwh(&self) -> Option<f64> {
        share(self.co2?, self.flows.consumption_kwh.value())
    }
}

/// Generation that a prosumer has consumed at once.
pub(super) fn own_use_of(done: &ProsumerSlot) -> Energy {
    done.metered.generation.min(done.balance.consumed)
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// What each of some prosumers has saved [CNY].
pub(super) struct Savings(Vec<f64>);

impl Savings {
    /// What everybody has saved; who has lost has saved nothing.
    fn saved(&self) -> impl Iterator<Item = f64> + '_ {
        self.0.iter().map(|saved| saved.max(0.0))
    }

    /// The Gini coefficient: half the mean difference of two, divided by the mean. 0 where all save the same, 1 - 1 / n where
    /// only one of n saves; `None` if nobody does.
    pub(super) fn gini(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.saved().collect();
        sorted.sort_by(f64::total_cmp);
        let (count, sum) = (sorted.len() as f64, sorted.iter().sum::<f64>());
        let ranked: f64 =
            (1_u32..).zip(&sorted).map(|(rank, saved)| (2.0 * f64::from(rank) - count - 1.0) * saved).sum();
        share(ranked, count * sum)
    }

    /// How many pay more, by half a hundredth or more; less may be of rounding.
    pub(super) fn paying_more(&self) -> u32 {
        self.0.iter().filter(|saved| **saved <= -0.005).count() as u32
    }

    /// Jain's index: 1 where all save the same, 1 / n where only one of n saves; `None` if nobody does.
    pub(super) fn jain_index(&self) -> Option<f64> {
        let (sum, squares) = (self.saved().sum::<f64>(), self.saved().map(|saved| saved * saved).sum::<f64>());
        share(sum * sum, self.0.len() as f64 * squares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn savings_of_all_alike_are_even_and_those_of_one_are_not() {
        let of = |savings: &[f64]| {
            let savings = Savings(savings.to_vec());
            (savings.gini(), savings.jain_index())
        };
        assert_eq!(of(&[2.0; 4]), (Some(0.0), Some(1.0)));
        assert_eq!(of(&[0.0, 0.0, 8.0, 0.0]), (Some(0.75), Some(0.25)));
        // Of 1 and 3 the mean difference of two picks is 1, the mean 2; (1 + 3)² / (2 (1 + 9)).
        assert_eq!(of(&[3.0, 1.0]), (Some(0.25), Some(0.8)));
        assert_eq!(Savings(vec![-0.01, 0.0, -0.004, 7.0, -3.0]).paying_more(), 2);
        // Who loses saves nothing.
        assert_eq!(of(&[-5.0, 4.0]), of(&[0.0, 4.0]));
        assert_eq!(of(&[-1.0, 0.0]), (None, None));
        assert_eq!(of(&[]), (None, None));
    }

    #[test]
    fn a_peak_is_the_first_of_the_largest() {
        let mut peak = Peak::default();
        for (slot, energy) in [(1, -5), (2, 7), (3, 7), (4, 6)] {
            peak.join(Peak::of(Energy(energy).into(), slot));
        }
        assert_eq!(peak, Peak { most: Energy(7).into(), slot: 2 });
        assert_eq!(Peak::of(Energy(-5).into(), 1), Peak::default());
    }
}
