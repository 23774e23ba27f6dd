//! Settlement: from energy that both sides endorse to bills, accounts and fees.

use super::super::{
    bills::bill,
    desk::{Decision, Desk, ensure},
    mechanism,
};
use microgrid_agents::{
    chain::{
        call::Settlement,
        fact::{Account, Bill, Fact, Game, GridFees, Key, Number, Settled},
        identity::Party,
        refusal::Refusal,
    },
    ids::Slot,
    statement::Registration,
    units::{Energy, Money},
};
use std::collections::{BTreeMap, btree_map::Entry};

impl Desk<'_> {
    /// The ledger has a slot settled in which nobody trades after all.
    pub(super) fn give_up(&mut self, slot: Slot) -> Decision {
        ensure(self.creator == Party::Ledger, Refusal::NotAParticipant)?;
        self.settle(&Settlement { slot, ..Settlement::default() })
    }

    pub(super) fn settle(&mut self, settlement: &Settlement) -> Decision {
        let Settlement { slot, trades, .. } = settlement;
        let slot = *slot;
        self.must_be_vacant(Key::Settlement(slot), Refusal::AlreadySettled)?;
        self.market_opens(slot)?;
        self.must_be_there(Key::Tariff(slot), Refusal::MarketClosed)?;
        let game = self.game(slot);
        let closed = self.read(Key::Closing(slot)).is_some();
        let game = match game {
            Some(game) => ensure(closed, Refusal::MarketClosed).map(|()| game.as_ref())?,
            None if trades.is_empty() => return self.write_settlement(slot, &[]),
            None => return Err(Refusal::MarketClosed),
        };
        let bills = self.bills(slot, game, trades)?;
        self.write_settlement(slot, &bills)
    }

    fn bills(
        &mut self,
        slot: Slot,
        game: &Game,
        trades: &[(Number, Number, Energy)],
    ) -> Result<Vec<(Number, Number, Bill)>, Refusal> {
        let mut terms = mechanism::terms(self, slot);
        // What each seller has left, in units; buyers come in order.
        let mut left = BTreeMap::<Number, i128>::new();
        let mut bills = Vec::with_capacity(trades.len());
        let mut last: Option<(Number, Number)> = None;
        for &(buyer, seller, energy) in trades {
            let before = last.replace((buyer, seller));
            let ascending = before.is_none_or(|before| before < (buyer, seller));
            ensure(ascending && energy > Energy::ZERO, Refusal::InvalidPurchases)?;
            let place = game.sellers.binary_search(&seller).map_err(|_| Refusal::NotAParticipant)?;
            ensure(game.buyers.binary_search(&buyer).is_ok(), Refusal::NotAParticipant)?;
            let left = match left.entry(seller) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(first) => {
                    terms.read_seller(self, slot, seller)?;
                    let surplus = match self.registration(slot, seller) {
                        Some(Registration::Seller(surplus)) => *surplus,
                        _ => Energy::ZERO,
                    };
                    first.insert(i128::from(surplus.0))
                }
            };
            if before.is_none_or(|before| before.0 != buyer) {
                terms.read_buyer(self, slot, buyer)?;
            }
            *left -= i128::from(energy.0);
            ensure(*left >= 0, Refusal::MoreThanSurplus)?;
            let price = terms.price(buyer, (seller, place), energy)?;
            let bill = bill(energy, price, self.genesis.rules.local_fee()).ok_or(Refusal::NotFinite)?;
            bills.push((buyer, seller, bill));
        }
        Ok(bills)
    }

    fn write_settlement(&self, slot: Slot, bills: &[(Number, Number, Bill)]) -> Decision {
        let mut accounts = BTreeMap::<Number, Account>::new();
        let (mut fees, mut grid_fees) = (Money::ZERO, Money::ZERO);
        let grid_fee = self.genesis.rules.grid_fee;
        let mut energy = Energy::ZERO;
        for (buyer, seller, bill) in bills {
            let buyer = accounts.entry(*buyer).or_default();
            enter(&mut buyer.bought.0, bill.energy.0)?;
            enter(&mut buyer.paid.0, bill.payment.0)?;
            enter(&mut buyer.fee.0, bill.fee.0)?;
            let seller = accounts.entry(*seller).or_default();
            enter(&mut seller.sold.0, bill.energy.0)?;
            enter(&mut seller.earned.0, bill.payment.0)?;
            let of_grid = bill.energy.priced(grid_fee).ok_or(Refusal::NotFinite)?;
            enter(&mut fees.0, bill.fee.0 - of_grid.0)?;
            enter(&mut grid_fees.0, of_grid.0)?;
            enter(&mut energy.0, bill.energy.0)?;
        }
        let settled = Settled { bills: u32::try_from(bills.len()).unwrap_or(u32::MAX), energy };
        let bills = bills.iter().map(|&(buyer, seller, bill)| (Key::Bill(slot, buyer, seller), Fact::Bill(bill)));
        let accounts = accounts.into_iter().map(|(n, account)| (Key::Account(slot, n), Fact::Account(account)));
        let of_grid = (grid_fee != 0.0).then_some((Key::GridFees(slot), Fact::GridFees(GridFees(grid_fees))));
        let fees = [(Key::Fees(slot), Fact::Fees(fees))].into_iter().chain(of_grid);
        let settlement = (Key::Settlement(slot), Fact::Settlement(settled));
        Ok(bills.chain(accounts).chain(fees).chain([settlement]).collect())
    }
}

/// Adds an amount to an account, if that can hold it.
fn enter(sum: &mut i64, amount: i64) -> Result<(), Refusal> {
    *sum = sum.checked_add(amount).ok_or(Refusal::NotFinite)?;
    Ok(())
}
