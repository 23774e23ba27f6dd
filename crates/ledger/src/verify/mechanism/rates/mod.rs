//! Prices by a rule, from what was registered, or from the answers to an announcement.

pub(super) mod rule;

use super::{
    super::{
        desk::{Decision, Desk, ensure},
        discrepancy::Checked,
        state::State,
        tariffs::{highest_price, lowest_price},
    },
    Venue,
};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Clearing, Execution, Fact, Game, Key, Number},
        genesis::Genesis,
        refusal::Refusal,
    },
    ids::Slot,
    market::{demand::Demand, mechanism::Mechanism},
    statement::{OrderSide, Orders, Registration, Tariff},
    time::Time,
    units::Energy,
};
use rule::{Amounts, Facts, pool};
use std::{collections::BTreeMap, sync::Arc};

/// The most that a buyer may answer [1e-6 kWh].
const MOST_ANSWER: i64 = 1_000_000_000_000_000_000;

/// An elastic buyer answers what was announced, at the price that was announced.
pub(super) fn post(desk: &mut Desk<'_>, game: &Game, number: Number, post: &Call) -> Decision {
    let Call::PostOrders(answer) = post else { return Err(Refusal::NotAParticipant) };
    let slot = answer.slot;
    let may = desk.genesis.rules.demand == Demand::Elastic && game.buyers.contains(&number);
    ensure(may && answer.side == OrderSide::Buy, Refusal::NotAParticipant)?;
    let before = desk.orders(slot, number).map_or(0, |orders| orders.version);
    ensure(before < answer.version, Refusal::OldVersion)?;
    let price = desk.clearing(slot, 1).and_then(|announced| announced.price).ok_or(Refusal::MarketClosed)?;
    ensure(answer.steps.iter().all(|step| step.limit == price), Refusal::PriceOutOfBand)?;
    let fits = match answer.steps[..] {
        [] => true,
        [step] => step.energy.0 > 0 && step.energy.0 <= MOST_ANSWER,
        _ => false,
    };
    ensure(fits, Refusal::InvalidPurchases)?;
    Ok(vec![(Key::Orders(slot, number), Fact::Orders(Arc::clone(answer)))])
}

/// The price is that of the rule; nothing changes hands by an announcement, or without a price.
pub(super) fn clear(desk: &Desk<'_>, tariff: &Tariff, clearing: &Clearing) -> Result<(), Refusal> {
    let rules = &desk.genesis.rules;
    let band = (lowest_price(tariff), highest_price(tariff, rules.local_fee()));
    let announces = rules.demand == Demand::Elastic && clearing.number == 1;
    let [supply, demand] = [clearing.supply, clearing.demand].map(|energy| i128::from(energy.0));
    let due = match announces {
        true => Some(middle(band)),
        false => price(rules.mechanism, Facts { supply, demand, band }),
    };
    ensure(due == clearing.price, Refusal::PriceOutOfBand)?;
    let trades = due.is_some() && !announces;
    ensure(trades || clearing.executions.is_empty(), Refusal::InvalidPurchases)
}

fn middle((lowest, highest): (f64, f64)) -> f64 {
    (lowest + highest) / 2.0
}

fn price(mechanism: Mechanism, facts: Facts) -> Option<f64> {
    match mechanism {
        Mechanism::BillSharing => facts.bill_sharing(),
        Mechanism::SupplyDemandRatio => facts.supply_demand_ratio(),
        _ => facts.mid_market_rate(),
    }
}

/// The market of a slot.
#[derive(Debug)]
pub(super) struct Rates {
    mechanism: Mechanism,
    band: (f64, f64),
    is_elastic: bool,
    closes: Time,
    surplus: Amounts,
    /// What buyers want; nothing yet of those who have not answered.
    wanted: BTreeMap<Number, Option<Energy>>,
    clearings: u32,
    is_over: bool,
}

impl Rates {
    pub(super) fn open(genesis: &Genesis, state: &State, slot: Slot, game: &Game) -> Self {
        let rules = &genesis.rules;
        let is_elastic = rules.demand == Demand::Elastic;
        let (mut surplus, mut wanted) = (BTreeMap::new(), BTreeMap::new());
        for (number, fact) in state.registrations(slot) {
            match fact {
                Fact::Register(Registration::Seller(energy)) => {
                    surplus.insert(number, *energy);
                }
                Fact::Register(Registration::Buyer(buyer)) => {
                    wanted.insert(number, (!is_elastic).then(|| Energy::at_most(buyer.need)));
                }
                _ => {}
            }
        }
        let band = match state.fact(Key::Tariff(slot)) {
            Some(Fact::Tariff(tariff)) => (lowest_price(tariff), highest_price(tariff, rules.local_fee())),
            _ => (0.0, 0.0),
        };
        let (mechanism, closes) = (rules.mechanism, game.closes);
        Self { mechanism, band, is_elastic, closes, surplus, wanted, clearings: 0, is_over: false }
    }
}

impl Venue for Rates {
    fn posted(&mut self, number: Number, answer: &Arc<Orders>, _: Time) -> Checked<(), String> {
        self.wanted.insert(number, Some(total(answer.steps.iter().map(|step| &step.energy))));
        Ok(())
    }

    fn due(&mut self, now: Time) -> Checked<Clearing, String> {
        if self.is_over {
            return Err("the price has been made already".to_owned());
        }
        self.clearings += 1;
        let supply = total(self.surplus.values());
        let announces = self.is_elastic && self.clearings == 1;
        if announces {
            let (price, demand) = (Some(middle(self.band)), Energy::ZERO);
            return Ok(Clearing { number: 1, price, supply, demand, executions: Vec::new() });
        }
        let silent = self.wanted.iter().find(|(_, wanted)| wanted.is_none());
        if let (Some((buyer, _)), true) = (silent, now < self.closes) {
            return Err(format!("the price is made before the gate closes, and before buyer {buyer} has answered"));
        }
        self.is_over = true;
        let wanted: Amounts =
            self.wanted.iter().map(|(&number, wanted)| (number, wanted.unwrap_or(Energy::ZERO))).collect();
        let demand = total(wanted.values());
        let [offered, asked] = [supply, demand].map(|energy| i128::from(energy.0));
        let price = price(self.mechanism, Facts { supply: offered, demand: asked, band: self.band });
        let mut executions = Vec::new();
        if let Some(price) = price {
            let pairs = pool(&self.surplus, &wanted).into_iter();
            executions.extend(pairs.map(|((buyer, seller), energy)| Execution(buyer, seller, energy, price)));
        }
        Ok(Clearing { number: self.clearings, price, supply, demand, executions })
    }

    fn close(&mut self, _: Time) -> Checked<(), String> {
        if self.is_over { Ok(()) } else { Err("the market closes before its price is made".to_owned()) }
    }
}

fn total<'a>(amounts: impl Iterator<Item = &'a Energy>) -> Energy {
    let sum: i128 = amounts.map(|energy| i128::from(energy.0)).sum();
    Energy(i64::try_from(sum).unwrap_or(i64::MAX))
}
