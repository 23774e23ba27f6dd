//! Prices by a rule, from what was registered, or from the answers to an announcement.

use super::{
    super::{
        desk::{Decision, Desk, ensure},
        discrepancy::Checked,
        state::State,
        tariffs::highest_price,
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
    let band = (tariff.feed_in, highest_price(tariff, rules.service_fee));
    let announces = rules.demand == Demand::Elastic && clearing.number == 1;
    let due =
        if announces { Some(middle(band)) } else { price(rules.mechanism, clearing.supply, clearing.demand, band) };
    ensure(due == clearing.price, Refusal::PriceOutOfBand)?;
    let trades = due.is_some() && !announces;
    ensure(trades || clearing.executions.is_empty(), Refusal::InvalidPurchases)
}

fn middle((lowest, highest): (f64, f64)) -> f64 {
    f64::midpoint(lowest, highest)
}

/// The price of local trade, where anything is offered and wanted.
fn price(mechanism: Mechanism, supply: Energy, demand: Energy, band: (f64, f64)) -> Option<f64> {
    if supply.0 == 0 || demand.0 == 0 {
        return None;
    }
    let (feed_in, highest) = band;
    Some(match mechanism {
        Mechanism::BillSharing => 0.0,
        Mechanism::SupplyDemandRatio if demand.0 > supply.0 => {
            let ratio = supply.value() / demand.value();
            let price = feed_in * highest / ((highest - feed_in) * ratio + feed_in);
            price.max(feed_in).min(highest)
        }
        Mechanism::SupplyDemandRatio => feed_in,
        _ => middle(band),
    })
}

/// The market of a slot.
#[derive(Debug)]
pub(super) struct Rates {
    mechanism: Mechanism,
    band: (f64, f64),
    is_elastic: bool,
    closes: Time,
    surplus: BTreeMap<Number, Energy>,
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
                Fact::Register(Registration::Seller(energy)) => drop(surplus.insert(number, *energy)),
                Fact::Register(Registration::Buyer(buyer)) => {
                    wanted.insert(number, (!is_elastic).then(|| Energy::at_most(buyer.need)));
                }
                _ => {}
            }
        }
        let band = match state.fact(Key::Tariff(slot)) {
            Some(Fact::Tariff(tariff)) => (tariff.feed_in, highest_price(tariff, rules.service_fee)),
            _ => (0.0, 0.0),
        };
        let (mechanism, closes) = (rules.mechanism, game.closes);
        Self { mechanism, band, is_elastic, closes, surplus, wanted, clearings: 0, is_over: false }
    }
}

impl Venue for Rates {
    fn posted(&mut self, number: Number, answer: &Arc<Orders>, _: Time) -> Checked<(), String> {
        let energy = answer.steps.iter().map(|step| step.energy).sum::<microgrid_agents::units::Total<Energy>>();
        self.wanted.insert(number, energy.amount());
        Ok(())
    }

    fn due(&mut self, now: Time) -> Checked<Clearing, String> {
        if self.is_over {
            return Err("the price has been made already".to_owned());
        }
        self.clearings += 1;
        let supply = total(self.surplus.values().copied());
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
        let wanted: Vec<(Number, Energy)> =
            self.wanted.iter().map(|(&number, wanted)| (number, wanted.unwrap_or(Energy::ZERO))).collect();
        let demand = total(wanted.iter().map(|(_, energy)| *energy));
        let price = price(self.mechanism, supply, demand, self.band);
        let traded = supply.min(demand);
        let mut executions = Vec::new();
        if let Some(price) = price {
            let offered: Vec<(Number, Energy)> =
                self.surplus.iter().map(|(&number, &energy)| (number, energy)).collect();
            let (ends, starts) = (shares(&wanted, traded), shares(&offered, traded));
            executions =
                overlaps(&ends, &starts).map(|(buyer, seller, e)| Execution(buyer, seller, e, price)).collect();
        }
        Ok(Clearing { number: self.clearings, price, supply, demand, executions })
    }

    fn close(&mut self, _: Time) -> Checked<(), String> {
        if self.is_over { Ok(()) } else { Err("the market closes before its price is made".to_owned()) }
    }
}

fn total(amounts: impl Iterator<Item = Energy>) -> Energy {
    let sum: i128 = amounts.map(|energy| i128::from(energy.0)).sum();
    Energy(i64::try_from(sum).unwrap_or(i64::MAX))
}

/// Where on a line as long as what is traded each party's proportional part begins and ends: ends are its running share,
/// rounded down.
pub(super) fn shares(amounts: &[(Number, Energy)], traded: Energy) -> Vec<(Number, i64, i64)> {
    let all = amounts.iter().map(|(_, energy)| u128::from(energy.0.unsigned_abs())).sum::<u128>().max(1);
    let (mut running, mut begin) = (0_u128, 0);
    let mut parts = Vec::with_capacity(amounts.len());
    for &(number, energy) in amounts {
        running += u128::from(energy.0.unsigned_abs());
        let end = (u128::from(traded.0.unsigned_abs()) * running / all) as i64;
        parts.push((number, begin, end));
        begin = end;
    }
    parts
}

/// Who trades with whom: those whose parts of the two lines overlap.
pub(super) fn overlaps(
    bought: &[(Number, i64, i64)],
    sold: &[(Number, i64, i64)],
) -> impl Iterator<Item = (Number, Number, Energy)> {
    let mut first = 0;
    bought.iter().flat_map(move |&(buyer, begin, end)| {
        while sold.get(first).is_some_and(|part| part.2 <= begin) {
            first += 1;
        }
        let meets = sold[first..].iter().take_while(move |part| part.1 < end);
        let meets = meets.map(move |&(seller, from, to)| (buyer, seller, Energy(to.min(end) - from.max(begin))));
        meets.filter(|(_, _, energy)| energy.0 > 0).collect::<Vec<_>>()
    })
}
