//! What the facts say when asked: balances and bills. What stood under a key before is [`Query::history`].

use super::{Contract, Query};
use crate::{
    chain::{
        fact::{Account, Bill, Fact, Key, Number},
        identity::Party,
    },
    ids::Slot,
    message::Invoice,
    units::Money,
};

impl Contract {
    /// What the run has brought somebody so far [1e-6 CNY]; negative if it has cost more.
    ///
    /// Of a prosumer: what it earned less what it paid, its fees and the grid's invoices. Of the grid: its invoices.
    /// Of the ledger, the market's operator: the fees. The balances of everybody add up to zero. A balance beyond the
    /// range of [`Money`] is its nearest end.
    pub fn balance(&self, state: &(impl Query + ?Sized), party: Party) -> Money {
        let slots = 1..=self.genesis.rules.slots;
        let sum: i128 = match party {
            Party::Prosumer(number) => slots.map(|slot| of_prosumer(state, slot, number)).sum(),
            Party::Grid => slots
                .flat_map(|slot| state.facts("invoice", slot))
                .map(|(_, fact)| if let Fact::Invoice(invoice) = fact { owed(invoice) } else { 0 })
                .sum(),
            Party::Ledger => slots.filter_map(|slot| fees(state, slot)).map(|fees| i128::from(fees.0)).sum(),
        };
        Money(sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// What a buyer owes a seller for a slot; `None` if they have not traded.
    pub fn bill(&self, state: &(impl Query + ?Sized), slot: Slot, buyer: Number, seller: Number) -> Option<Bill> {
        match state.fact(Key::Bill(slot, buyer, seller)) {
            Some(Fact::Bill(bill)) => Some(bill),
            _ => None,
        }
    }
}

/// What a slot has brought a prosumer [1e-6 CNY].
fn of_prosumer(state: &(impl Query + ?Sized), slot: Slot, number: Number) -> i128 {
    let traded = match state.fact(Key::Account(slot, number)) {
        Some(Fact::Account(Account { earned, paid, fee, .. })) => {
            i128::from(earned.0) - i128::from(paid.0) - i128::from(fee.0)
        }
        _ => 0,
    };
    match state.fact(Key::Invoice(slot, number)) {
        Some(Fact::Invoice(invoice)) => traded - owed(invoice),
        _ => traded,
    }
}

/// What an invoice brings the grid [1e-6 CNY].
fn owed(invoice: Invoice) -> i128 {
    i128::from(invoice.charge.0) - i128::from(invoice.credit.0)
}

fn fees(state: &(impl Query + ?Sized), slot: Slot) -> Option<Money> {
    match state.fact(Key::Fees(slot)) {
        Some(Fact::Fees(fees)) => Some(fees),
        _ => None,
    }
}
