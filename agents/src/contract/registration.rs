//! Before the game: the tariffs of a slot, and who takes part in it.

use super::{Contract, Stub};
use crate::{
    chain::{
        fact::{Fact, Key, Number},
        refusal::{Refusal, Validity, ensure},
    },
    ids::Slot,
    market::demand::Buyer,
    statement::{Registration, Tariff},
    units::Energy,
};
use std::sync::Arc;

impl Contract {
    pub(super) fn publish_tariff(&self, tariff: Arc<Tariff>, stub: &mut impl Stub) -> Validity {
        let slot = tariff.slot;
        ensure(tariff.prices().all(f64::is_finite), Refusal::NotFinite)?;
        let mut rates = (0..self.genesis.tariff_groups.len()).map(|group| tariff.rates(Some(group)));
        let pays_less = tariff.feed_in <= tariff.grid && rates.all(|rates| rates.feed_in <= rates.grid);
        let groups = tariff.groups.as_ref().map_or(0, |groups| groups.len());
        ensure(pays_less && groups == self.genesis.tariff_groups.len(), Refusal::PriceOutOfBand)?;
        ensure((1..=self.genesis.rules.slots).contains(&slot), Refusal::MarketClosed)?;
        ensure(!stub.has(Key::Tariff(slot)), Refusal::AlreadyRecorded)?;
        stub.write(Key::Tariff(slot), Fact::Tariff(tariff));
        Ok(())
    }

    /// A prosumer says what it wants of a slot, once, before the game and before its meter is read.
    pub(super) fn register(
        &self,
        number: Number,
        slot: Slot,
        registration: Registration,
        stub: &mut impl Stub,
    ) -> Validity {
        ensure(self.genesis.market_opens(slot), Refusal::MarketClosed)?;
        let tariff = stub.find::<Arc<Tariff>>(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
        ensure(!stub.has(Key::Game(slot)), Refusal::MarketClosed)?;
        ensure(!stub.has(Key::Settlement(slot)), Refusal::MarketClosed)?;
        match registration {
            Registration::Buyer(Buyer { need, generation, preference }) => {
                let numbers = [need, generation, preference];
                ensure(numbers.iter().all(|number| number.is_finite()), Refusal::NotFinite)?;
                let plausible = 0.0..=Registration::MOST;
                ensure(numbers.iter().all(|number| plausible.contains(number)), Refusal::InvalidRegistration)?;
            }
            Registration::Seller(surplus) => {
                let fee = self.genesis.rules.local_fee();
                let dearest = tariff.prices().map(f64::abs).fold(fee.max(1.0), f64::max);
                let turnover = surplus.value() * dearest * self.genesis.prosumers.len() as f64;
                let plausible = surplus > Energy::ZERO && surplus <= Registration::MOST_SURPLUS;
                ensure(plausible && turnover <= Registration::MOST_TURNOVER, Refusal::InvalidRegistration)?;
            }
            Registration::Idle => {}
        }
        let key = Key::Register(slot, number);
        ensure(!stub.has(key), Refusal::AlreadyRegistered)?;
        ensure(!stub.has(Key::Meter(slot, number)), Refusal::AlreadyRecorded)?;
        stub.write(key, Fact::Register(registration));
        Ok(())
    }
}
