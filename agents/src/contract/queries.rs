//! What the facts say when asked: balances and bills. What stood under a key before is [`Query::history`].

use super::{Contract, Query};
use crate::{
    chain::{
        fact::{Account, Bill, Fact, Key, Number},
        identity::Party,
    },
    ids::Slot,
    units::{Money, Total},
};

impl Contract {
    /// What the run has brought somebody so far; negative if it has cost more.
    ///
    /// Of a prosumer: what it earned less what it paid, its fees and the grid's invoices. Of the grid: its invoices.
    /// Of the ledger, the market's operator: the fees. The balances of everybody add up to zero.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn balance<Q: Query + ?Sized>(&self, state: &Q, party: Party) -> Result<Total<Money>, Q::Error> {
        let mut sum = Total::default();
        for slot in 1..=self.genesis.rules.slots {
            sum += match party {
                Party::Prosumer(number) => of_prosumer(state, slot, number)?,
                Party::Grid => state.facts("invoice", slot)?.into_iter().map(|(_, fact)| owed(Some(fact))).sum(),
                Party::Ledger => fees(state, slot)?,
            };
        }
        Ok(sum)
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

/// What a slot has brought a prosumer.
fn of_prosumer<Q: Query + ?Sized>(state: &Q, slot: Slot, number: Number) -> Result<Total<Money>, Q::Error> {
    let traded = match state.fact(Key::Account(slot, number))? {
        Some(Fact::Account(Account { earned, paid, fee, .. })) => Total::from(earned) - paid - fee,
        _ => Total::default(),
    };
    Ok(traded - owed(state.fact(Key::Invoice(slot, number))?))
}

/// What an invoice, if it is one, brings the grid.
fn owed(fact: Option<Fact>) -> Total<Money> {
    match fact {
        Some(Fact::Invoice(invoice)) => Total::from(invoice.charge) - invoice.credit,
        _ => Total::default(),
    }
}

/// What a slot has brought the operator.
fn fees<Q: Query + ?Sized>(state: &Q, slot: Slot) -> Result<Total<Money>, Q::Error> {
    Ok(if let Some(Fact::Fees(fees)) = state.fact(Key::Fees(slot))? { fees.into() } else { Total::default() })
}
