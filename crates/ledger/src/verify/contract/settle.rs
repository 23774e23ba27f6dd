//! Settlement: from energy that both sides endorse to bills, accounts and fees.

use super::{super::bills::most_due, Decision, Desk, ensure};
use microgrid_agents::{
    chain::{
        call::Settlement,
        fact::{Account, Bill, Fact, Game, Key, Number, Settled},
        refusal::Refusal,
    },
    ids::Slot,
    statement::{Choice, Registration},
    units::{Energy, Money},
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// What a seller brings to its trades.
struct Offer {
    price: f64,
    surplus: Energy,
    /// Position in the game's list.
    place: usize,
    /// Sold so far [1e-6 kWh].
    sold: i128,
}

impl<'a> Desk<'a> {
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
        let mut offers = BTreeMap::<Number, Offer>::new();
        // With the units that each buyer may still get.
        let mut choices = BTreeMap::<Number, (&'a Arc<Choice>, i128)>::new();
        let mut bills = Vec::with_capacity(trades.len());
        let mut last = None;
        for &(buyer, seller, energy) in trades {
            let ascending = last.replace((buyer, seller)).is_none_or(|last| last < (buyer, seller));
            ensure(ascending && energy > Energy::ZERO, Refusal::InvalidPurchases)?;
            let place = game.sellers.binary_search(&seller).map_err(|_| Refusal::NotAParticipant)?;
            ensure(game.buyers.binary_search(&buyer).is_ok(), Refusal::NotAParticipant)?;
            let offer = match offers.entry(seller) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(first) => first.insert(self.offer(slot, seller, place)?),
            };
            let (choice, due) = match choices.entry(buyer) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(first) => {
                    let choice = self.choice(slot, buyer).ok_or(Refusal::NotAParticipant)?;
                    first.insert((choice, most_due(choice.pairs().map(|(_, share, x)| share * x).sum())))
                }
            };
            let (share, purchase) = choice.of(offer.place as u32).unwrap_or_default();
            let wanted = Energy::nearest(share * purchase);
            ensure(i128::from(energy.0) <= i128::from(wanted.0) + 1, Refusal::MoreThanSurplus)?;
            offer.sold += i128::from(energy.0);
            ensure(offer.sold <= i128::from(offer.surplus.0), Refusal::MoreThanSurplus)?;
            *due -= i128::from(energy.0);
            ensure(*due >= 0, Refusal::MoreThanSurplus)?;
            let bill = bill(energy, offer.price, self.genesis.rules.service_fee).ok_or(Refusal::NotFinite)?;
            bills.push((buyer, seller, bill));
        }
        Ok(bills)
    }

    fn offer(&mut self, slot: Slot, seller: Number, place: usize) -> Result<Offer, Refusal> {
        let price = self.quote(slot, seller).ok_or(Refusal::NotAParticipant)?.price;
        let surplus = match self.registration(slot, seller) {
            Some(Registration::Seller(surplus)) => *surplus,
            _ => Energy::ZERO,
        };
        Ok(Offer { price, surplus, place, sold: 0 })
    }

    fn write_settlement(&self, slot: Slot, bills: &[(Number, Number, Bill)]) -> Decision {
        let mut accounts = BTreeMap::<Number, Account>::new();
        let mut fees = Money::ZERO;
        let mut energy = Energy::ZERO;
        for (buyer, seller, bill) in bills {
            let buyer = accounts.entry(*buyer).or_default();
            enter(&mut buyer.bought.0, bill.energy.0)?;
            enter(&mut buyer.paid.0, bill.payment.0)?;
            enter(&mut buyer.fee.0, bill.fee.0)?;
            let seller = accounts.entry(*seller).or_default();
            enter(&mut seller.sold.0, bill.energy.0)?;
            enter(&mut seller.earned.0, bill.payment.0)?;
            enter(&mut fees.0, bill.fee.0)?;
            enter(&mut energy.0, bill.energy.0)?;
        }
        let settled = Settled { bills: u32::try_from(bills.len()).unwrap_or(u32::MAX), energy };
        let bills = bills.iter().map(|&(buyer, seller, bill)| (Key::Bill(slot, buyer, seller), Fact::Bill(bill)));
        let accounts = accounts.into_iter().map(|(n, account)| (Key::Account(slot, n), Fact::Account(account)));
        let totals = [(Key::Fees(slot), Fact::Fees(fees)), (Key::Settlement(slot), Fact::Settlement(settled))];
        Ok(bills.chain(accounts).chain(totals).collect())
    }
}

/// What `energy` costs at `price`, with the operator's `fee` [CNY/kWh]; `None` if no money can pay for it.
pub(in crate::verify) fn bill(energy: Energy, price: f64, fee: f64) -> Option<Bill> {
    Some(Bill { energy, price, payment: energy.priced(price)?, fee: energy.priced(fee)? })
}

/// Adds an amount to an account, if that can hold it.
fn enter(sum: &mut i64, amount: i64) -> Result<(), Refusal> {
    *sum = sum.checked_add(amount).ok_or(Refusal::NotFinite)?;
    Ok(())
}
