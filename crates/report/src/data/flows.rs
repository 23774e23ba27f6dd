//! Where energy came from and went, from `prosumers.csv`, and who sold how much to whom, from `trades.csv`.

use microgrid_agents::ids::Slot;
use microgrid_record::{ProsumerRow, SlotRow, TradeRow};
use std::collections::BTreeMap;

/// As many buyers and sellers stand by themselves: those that trade most. One more does so too.
pub const MOST_PARTIES: usize = 12;

/// What all prosumers together did in a slot [kWh].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    /// Which slot.
    pub slot: Slot,
    /// Consumed.
    pub consumed: f64,
    /// Bought from other prosumers.
    pub bought: f64,
    /// Taken from their storages.
    pub discharged: f64,
    /// Bought from the grid.
    pub imported: f64,
    /// Put into their storages.
    pub charged: f64,
    /// Content of their storages at the end.
    pub stored: f64,
}

impl Energy {
    /// As `slots.csv` has it, where there is nothing of each prosumer: all but what storages hold.
    pub(super) fn of_all(row: &SlotRow) -> Self {
        Self {
            slot: row.slot,
            consumed: row.consumption_kwh.value(),
            bought: row.traded_kwh.value(),
            discharged: row.discharged_kwh.value(),
            imported: row.grid_import_kwh.value(),
            charged: row.charged_kwh.value(),
            stored: 0.0,
        }
    }

    pub(super) fn add(&mut self, row: &ProsumerRow) {
        self.consumed += row.consumed_kwh.value();
        self.bought += row.bought_kwh.value();
        self.discharged += row.discharged_kwh.value();
        self.imported += row.grid_import_kwh.value();
        self.charged += row.charged_kwh.value();
        self.stored += row.soc_kwh.value();
    }

    /// Where what was consumed came from: own generation, other prosumers, storages, the grid. Where forecasts err, some of
    /// what was bought or drawn goes on into the grid: the grid counts before storages, these before others.
    pub fn sources(&self) -> [f64; 4] {
        let grid = self.imported.min(self.consumed);
        let storage = self.discharged.min(self.consumed - grid);
        let others = self.bought.min(self.consumed - grid - storage);
        [self.consumed - grid - storage - others, others, storage, grid]
    }
}

/// Who sold how much to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Flows {
    /// The buyers, by number; the last may stand for many.
    pub buyers: Vec<Party>,
    /// The sellers, by number; the last may stand for many.
    pub sellers: Vec<Party>,
    /// For each buyer what it got from each seller [kWh]; `None` where the two did not trade.
    pub kwh: Vec<Vec<Option<f64>>>,
}

/// One side of trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The prosumer with this number.
    Prosumer(u32),
    /// So many others.
    Others(usize),
}

#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<(u32, u32), f64>);

impl Sums {
    pub(super) fn add(&mut self, row: &TradeRow) {
        let kwh = row.traded_kwh.value();
        if kwh > 0.0 {
            *self.0.entry((row.buyer, row.seller)).or_default() += kwh;
        }
    }

    /// The sums; `None` where nothing was traded.
    pub(super) fn flows(&self) -> Option<Flows> {
        if self.0.is_empty() {
            return None;
        }
        let (buyers, buyer_at) = self.parties(|(buyer, _)| buyer);
        let (sellers, seller_at) = self.parties(|(_, seller)| seller);
        let mut kwh = vec![vec![None::<f64>; sellers.len()]; buyers.len()];
        for (&(buyer, seller), &sum) in &self.0 {
            *kwh[buyer_at[&buyer]][seller_at[&seller]].get_or_insert(0.0) += sum;
        }
        Some(Flows { buyers, sellers, kwh })
    }

    /// One side of the trades, and at which position each of its prosumers is.
    fn parties(&self, side: fn((u32, u32)) -> u32) -> (Vec<Party>, BTreeMap<u32, usize>) {
        let mut sums = BTreeMap::<u32, f64>::new();
        for (&pair, &kwh) in &self.0 {
            *sums.entry(side(pair)).or_default() += kwh;
        }
        let mut largest: Vec<(u32, f64)> = sums.iter().map(|(&number, &kwh)| (number, kwh)).collect();
        largest.sort_by(|a, b| b.1.total_cmp(&a.1));
        let others = if largest.len() == MOST_PARTIES + 1 { 0 } else { largest.len().saturating_sub(MOST_PARTIES) };
        let mut alone: Vec<u32> = largest[..largest.len() - others].iter().map(|&(number, _)| number).collect();
        alone.sort_unstable();
        let at = |number: &u32| alone.binary_search(number).unwrap_or(alone.len());
        let positions = sums.keys().map(|number| (*number, at(number))).collect();
        let named = alone.iter().map(|&number| Party::Prosumer(number));
        (named.chain((others > 0).then_some(Party::Others(others))).collect(), positions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::fixtures::row_of;

    #[test]
    fn several_others_stand_together_and_one_by_itself() {
        for (sellers, parties, others) in [(12, 12, None), (13, 13, None), (14, 13, Some(Party::Others(2)))] {
            let mut sums = Sums::default();
            for seller in 1..=sellers {
                let cells = [("buyer", "99"), ("seller", &seller.to_string()), ("traded_kwh", &seller.to_string())];
                sums.add(&row_of::<TradeRow>(&cells));
            }
            let flows = sums.flows().unwrap();
            let last = flows.sellers.last().copied();
            assert_eq!((flows.sellers.len(), last.filter(|last| matches!(last, Party::Others(_)))), (parties, others));
        }
    }
}
