//! Tariffs and registrations.

use super::super::desk::{Decision, Desk, ensure};
use microgrid_agents::{
    chain::{
        fact::{Fact, Key},
        identity::Party,
        refusal::Refusal,
    },
    ids::Slot,
    statement::{Rates, Registration, Tariff},
    units::Energy,
};
use std::sync::Arc;

impl Desk<'_> {
    pub(super) fn publish_tariff(&mut self, tariff: &Arc<Tariff>) -> Decision {
        let slot = tariff.slot;
        self.must_be(Party::Grid)?;
        let groups = tariff.groups.as_deref().unwrap_or_default();
        let own = Rates { feed_in: tariff.feed_in, grid: tariff.grid };
        let mut rates: Vec<Rates> = groups.iter().copied().chain([own]).collect();
        let pay_less = rates.iter().all(|rates| rates.feed_in <= rates.grid);
        rates.extend(tariff.imbalance);
        let finite = rates.iter().all(|rates| rates.feed_in.is_finite() && rates.grid.is_finite());
        ensure(finite, Refusal::NotFinite)?;
        ensure(pay_less && groups.len() == self.genesis.tariff_groups.len(), Refusal::PriceOutOfBand)?;
        ensure((1..=self.genesis.rules.slots).contains(&slot), Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Tariff(slot), Refusal::AlreadyRecorded)?;
        Ok(vec![(Key::Tariff(slot), Fact::Tariff(Arc::clone(tariff)))])
    }

    pub(super) fn register(&mut self, slot: Slot, registration: &Registration) -> Decision {
        let number = self.prosumer()?;
        self.market_opens(slot)?;
        let tariff = self.tariff(slot).ok_or(Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Game(slot), Refusal::MarketClosed)?;
        self.must_be_vacant(Key::Settlement(slot), Refusal::MarketClosed)?;
        match registration {
            Registration::Buyer(buyer) => {
                let amounts = [buyer.need, buyer.generation, buyer.preference];
                ensure(amounts.iter().all(|amount| amount.is_finite()), Refusal::NotFinite)?;
                let in_bounds = |amount: &f64| *amount >= 0.0 && *amount <= Registration::MOST;
                ensure(amounts.iter().all(in_bounds), Refusal::InvalidRegistration)?;
            }
            Registration::Seller(surplus) => {
                let plausible = *surplus > Energy::ZERO && *surplus <= Registration::MOST_SURPLUS;
                ensure(plausible, Refusal::InvalidRegistration)?;
                let dearest = tariff.prices().map(f64::abs).chain([self.genesis.rules.local_fee(), 1.0]);
                let dearest = dearest.fold(0.0, f64::max);
                let turnover = surplus.value() * dearest * self.genesis.prosumers.len() as f64;
                ensure(turnover <= Registration::MOST_TURNOVER, Refusal::InvalidRegistration)?;
            }
            Registration::Idle => {}
        }
        let key = Key::Register(slot, number);
        self.must_be_vacant(key, Refusal::AlreadyRegistered)?;
        self.must_be_vacant(Key::Meter(slot, number), Refusal::AlreadyRecorded)?;
        Ok(vec![(key, Fact::Register(*registration))])
    }
}
