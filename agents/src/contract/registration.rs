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

impl Contract {
    pub(super) fn publish_tariff(&self, tariff: Tariff, stub: &mut impl Stub) -> Validity {
        let Tariff { slot, feed_in, grid } = tariff;
        ensure(feed_in.is_finite() && grid.is_finite(), Refusal::NotFinite)?;
        ensure(0.0 <= feed_in && feed_in <= grid, Refusal::PriceOutOfBand)?;
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
        let tariff = stub.find::<Tariff>(Key::Tariff(slot)).ok_or(Refusal::MarketClosed)?;
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
                let dearest = tariff.grid.max(self.genesis.rules.service_fee).max(1.0);
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
