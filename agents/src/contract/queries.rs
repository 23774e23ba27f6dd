//! What the facts say when asked: balances and bills. What stood under a key before is [`Query::history`].

use super::{Contract, Query};
use crate::{
    chain::{
        fact::{Account, Bill, Fact, Key, Number},
        identity::Party,
    },
    ids::Slot,
    units::Money,
};

impl Contract {
    /// What the run has brought somebody so far [1e-6 CNY]; negative if it has cost more.
    ///
    /// Of a prosumer: what it earned less what it paid, its fees and the grid's invoices. Of the grid: its invoices.
    /// Of the ledger, the market's operator: the fees. The balances of everybody add up to zero. A balance beyond the
    /// range of [`Money`] is its nearest end.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn balance<Q: Query + ?Sized>(&self, state: &Q, party: Party) -> Result<Money, Q::Error> {
        let mut sum = 0;
        for slot in 1..=self.genesis.rules.slots {
            sum += match party {
                Party::Prosumer(number) => of_prosumer(state, slot, number)?,
                Party::Grid => state.facts("invoice", slot)?.into_iter().map(|(_, fact)| owed(Some(fact))).sum(),
                Party::Ledger => fees(state, slot)?,
            };
        }
        Ok(Money(sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64))
    }

    /// What a buyer owes a seller for a slot; `None` if they have not traded.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn bill<Q: Query + ?Sized>(
        &self,
        state: &Q,
        slot: Slot,
        buyer: Number,
        seller: Number,
    ) -> Result<Option<Bill>, Q::Error> {
        let fact = state.fact(Key::Bill(slot, buyer, seller))?;
        Ok(if let Some(Fact::Bill(bill)) = fact { Some(bill) } else { None })
    }
}

/// What a slot has brought a prosumer [1e-6 CNY].
fn of_prosumer<Q: Query + ?Sized>(state: &Q, slot: Slot, number: Number) -> Result<i128, Q::Error> {
    let traded = match state.fact(Key::Account(slot, number))? {
        Some(Fact::Account(Account { earned, paid, fee, .. })) => {
            i128::from(earned.0) - i128::from(paid.0) - i128::from(fee.0)
        }
        _ => 0,
    };
    Ok(traded - owed(state.fact(Key::Invoice(slot, number))?))
}

/// What an invoice, if it is one, brings the grid [1e-6 CNY].
fn owed(fact: Option<Fact>) -> i128 {
    match fact {
        Some(Fact::Invoice(invoice)) => i128::from(invoice.charge.0) - i128::from(invoice.credit.0),
        _ => 0,
    }
}

/// What a slot has brought the operator [1e-6 CNY].
fn fees<Q: Query + ?Sized>(state: &Q, slot: Slot) -> Result<i128, Q::Error> {
    Ok(if let Some(Fact::Fees(fees)) = state.fact(Key::Fees(slot))? { i128::from(fees.0) } else { 0 })
}
