//! The contract: what the ledger's transactions mean, whatever carries them.
//!
//! It registers participants, takes quotes and choices, sums them up, sees when everybody has come to rest, and settles.
//! It knows no message, block or channel.

use super::rest::{Rest, all_at_rest};
use crate::{
    chain::refusal::Refusal,
    ids::{ProsumerId, Slot},
    market::{
        aggregate::{Aggregate, Posted},
        demand::{Buyer, Demand},
        pricing::PriceBand,
        settlement::{Trade, divide},
    },
    message::{Choice, MarketOpened, MeterReading, Quote, Registration},
    time::Time,
    units::Energy,
};
use std::sync::Arc;

/// What the contract holds everybody to.
#[derive(Clone, Debug)]
pub struct ContractRules {
    /// Number of prosumers.
    pub prosumers: usize,
    /// Curvature `alpha` of utility [CNY/kWh²].
    pub alpha: f64,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// Operator's fee on local trades [CNY/kWh].
    pub service_fee: f64,
    /// How many updates in a row must be at rest.
    pub patience: u32,
}

/// The state of one slot.
#[derive(Debug)]
pub struct Contract {
    rules: ContractRules,
    slot: Slot,
    band: PriceBand,
    registrations: Vec<Option<Registration>>,
    registered: usize,
    readings: Vec<Option<MeterReading>>,
    read: usize,
    /// Net local purchases of each prosumer, final.
    net_bought: Vec<Energy>,
    game: Option<Game>,
}

/// The state of a slot's game.
#[derive(Debug)]
struct Game {
    opened: Arc<MarketOpened>,
    buyers: Vec<Buyer>,
    surplus: Vec<Energy>,
    prices: Vec<f64>,
    /// Newest quote of each seller.
    quotes: Vec<Option<Quote>>,
    /// Newest choice of each buyer.
    choices: Vec<Option<Arc<Choice>>>,
    /// Rest of each participant, sellers first.
    rest: Vec<Rest>,
    aggregate: Option<Arc<Aggregate>>,
}

impl Contract {
    /// The contract before the first slot.
    pub fn new(rules: ContractRules) -> Self {
        let everybody = rules.prosumers;
        Self {
            rules,
            slot: 0,
            band: PriceBand { floor: 0.0, ceiling: 0.0 },
            registrations: vec![None; everybody],
            registered: 0,
            readings: vec![None; everybody],
            read: 0,
            net_bought: vec![Energy::ZERO; everybody],
            game: None,
        }
    }

    /// Begins a slot whose prices are bound to `band`.
    pub fn open_slot(&mut self, slot: Slot, band: PriceBand) {
        self.slot = slot;
        self.band = band;
        self.registrations.fill(None);
        self.registered = 0;
        self.readings.fill(None);
        self.read = 0;
        self.net_bought.fill(Energy::ZERO);
        self.game = None;
    }

    /// Registers a prosumer for the slot; repeating the same registration is fine.
    ///
    /// # Errors
    /// [`Refusal::AlreadyRegistered`] if it differs from the one that is there, [`Refusal::InvalidRegistration`] if an
    /// amount is negative or not a number.
    pub fn register(&mut self, prosumer: ProsumerId, registration: Registration) -> Result<(), Refusal> {
        let valid = match registration {
            Registration::Buyer(Buyer { need, generation, preference }) => {
                [need, generation, preference].iter().all(|amount| amount.is_finite() && *amount >= 0.0)
            }
            Registration::Seller(surplus) => surplus > Energy::ZERO,
            Registration::Idle => true,
        };
        match &mut self.registrations[prosumer.index()] {
            _ if !valid => Err(Refusal::InvalidRegistration),
            Some(known) if *known == registration => Ok(()),
            Some(_) => Err(Refusal::AlreadyRegistered),
            vacant => {
                *vacant = Some(registration);
                self.registered += 1;
                Ok(())
            }
        }
    }

    /// Whether a prosumer is registered for the slot.
    pub fn is_registered(&self, prosumer: ProsumerId) -> bool {
        self.registrations[prosumer.index()].is_some()
    }

    /// Whether everybody is registered.
    pub fn all_registered(&self) -> bool {
        self.registered == self.rules.prosumers
    }

    /// The registered sellers and buyers, each in order of their number.
    pub fn sides(&self) -> (Vec<ProsumerId>, Vec<ProsumerId>) {
        let of = |wanted: fn(&Registration) -> bool| {
            let registered = self.registrations.iter().enumerate();
            registered.filter(|(_, r)| r.as_ref().is_some_and(wanted)).map(|(n, _)| ProsumerId(n as u32)).collect()
        };
        (of(|r| matches!(r, Registration::Seller(_))), of(|r| matches!(r, Registration::Buyer(_))))
    }

    /// The surplus of a registered seller; zero for others.
    pub fn surplus(&self, prosumer: ProsumerId) -> Energy {
        match self.registrations[prosumer.index()] {
            Some(Registration::Seller(surplus)) => surplus,
            _ => Energy::ZERO,
        }
    }

    /// Opens the game among the registered.
    pub fn open_game(&mut self, opened: Arc<MarketOpened>) {
        let buyers = opened.buyers.iter().filter_map(|buyer| match self.registrations[buyer.index()] {
            Some(Registration::Buyer(facts)) => Some(facts),
            _ => None,
        });
        self.game = Some(Game {
            buyers: buyers.collect(),
            surplus: opened.sellers.iter().map(|&seller| self.surplus(seller)).collect(),
            prices: vec![f64::INFINITY; opened.sellers.len()],
            quotes: vec![None; opened.sellers.len()],
            choices: vec![None; opened.buyers.len()],
            rest: vec![Rest::default(); opened.sellers.len() + opened.buyers.len()],
            aggregate: None,
            opened,
        });
    }

    fn game(&mut self, slot: Slot) -> Result<&mut Game, Refusal> {
        if slot != self.slot {
            return Err(Refusal::MarketClosed);
        }
        self.game.as_mut().ok_or(Refusal::MarketClosed)
    }

    /// Takes a seller's quote at time `now`; returns the seller's index.
    ///
    /// # Errors
    /// The market is closed, the prosumer is no seller, the version is old, or the price is out of band.
    pub fn post_quote(&mut self, from: ProsumerId, quote: Quote, now: Time) -> Result<u32, Refusal> {
        let band = self.band;
        let game = self.game(quote.slot)?;
        let index = game.opened.sellers.binary_search(&from).map_err(|_| Refusal::NotAParticipant)?;
        let newest = &mut game.quotes[index];
        if newest.is_some_and(|newest| quote.version <= newest.version) {
            return Err(Refusal::OldVersion);
        }
        if !band.contains(quote.price) {
            return Err(Refusal::PriceOutOfBand);
        }
        game.prices[index] = quote.price;
        *newest = Some(quote);
        game.rest[index].note(quote.version, quote.updates_at_rest, quote.answers, now);
        Ok(index as u32)
    }

    /// Takes a buyer's choice at time `now`.
    ///
    /// # Errors
    /// The market is closed, the prosumer is no buyer, the version is old, or shares or purchases are impossible.
    pub fn post_choice(&mut self, from: ProsumerId, choice: Arc<Choice>, now: Time) -> Result<(), Refusal> {
        let demand = self.rules.demand;
        let game = self.game(choice.slot)?;
        let index = game.opened.buyers.binary_search(&from).map_err(|_| Refusal::NotAParticipant)?;
        let newest = &mut game.choices[index];
        if newest.as_ref().is_some_and(|newest| choice.version <= newest.version) {
            return Err(Refusal::OldVersion);
        }
        check_choice(&choice, game.quotes.len(), &game.buyers[index], demand)?;
        let sellers = game.quotes.len();
        game.rest[sellers + index].note(choice.version, choice.updates_at_rest, choice.answers, now);
        *newest = Some(choice);
        Ok(())
    }

    /// Sums up the choices as they stand, at the prices as they stand: (8), (9) and (11).
    pub fn aggregate(&mut self) {
        let Some(game) = &mut self.game else { return };
        let posted = game.choices.iter().zip(&game.buyers).filter_map(|(post, buyer)| {
            let choice = post.as_deref()?;
            let Choice { shares, purchases, responsive, .. } = choice;
            Some(Posted { buyer, shares, purchases, responsive: *responsive })
        });
        let sums = Aggregate::of(&game.opened.surplus, &game.prices, self.rules.alpha, posted);
        game.aggregate = Some(Arc::new(sums));
    }

    /// Prices as they stand, infinite where there is no quote, and what the choices added up to last.
    pub fn market(&self) -> Option<(&[f64], Option<&Arc<Aggregate>>)> {
        self.game.as_ref().map(|game| (&game.prices[..], game.aggregate.as_ref()))
    }

    /// Whether the last `patience` updates of every participant were at rest, on news of a market at rest.
    pub fn at_rest(&self) -> bool {
        self.game.as_ref().is_some_and(|game| all_at_rest(&game.rest, self.rules.patience))
    }

    /// Whether a participant has posted anything yet.
    pub fn has_posted(&self, prosumer: ProsumerId) -> bool {
        let Some(game) = &self.game else { return false };
        match (game.opened.sellers.binary_search(&prosumer), game.opened.buyers.binary_search(&prosumer)) {
            (Ok(index), _) => game.quotes[index].is_some(),
            (_, Ok(index)) => game.choices[index].is_some(),
            _ => false,
        }
    }

    /// Most choices that one buyer has made.
    pub fn rounds(&self) -> u32 {
        let Some(game) = &self.game else { return 0 };
        game.choices.iter().flatten().map(|choice| choice.version).max().unwrap_or(0)
    }

    /// Ends the game; the trades that follow from it (10), by buyer, then seller.
    ///
    /// A pair trades at the seller's last price. Pairs without demand are left out.
    pub fn close_game(&mut self) -> Vec<Trade> {
        let Some(game) = self.game.take() else { return Vec::new() };
        let mut trades = Vec::new();
        for (j, &price) in game.prices.iter().enumerate() {
            let of = |post: &Option<Arc<Choice>>| {
                post.as_ref().map_or((0.0, 0.0), |choice| (choice.shares[j], choice.purchases[j]))
            };
            let wanted: Vec<f64> = game.choices.iter().map(of).map(|(share, purchase)| share * purchase).collect();
            let parts = divide(game.surplus[j], &wanted);
            for (i, (post, energy)) in game.choices.iter().zip(parts).enumerate() {
                let (_, optimal) = of(post);
                if optimal > 0.0 {
                    let fee = self.rules.service_fee;
                    trades.push(Trade::new(i as u32, j as u32, optimal, energy, price, fee));
                }
            }
        }
        trades.sort_by_key(|trade| (trade.buyer, trade.seller));
        trades
    }

    /// Makes trades final: what prosumers trade from here on must show on their meters.
    pub fn settle(&mut self, market: &MarketOpened, trades: &[Trade]) {
        for trade in trades {
            self.net_bought[market.buyers[trade.buyer as usize].index()] += trade.energy;
            self.net_bought[market.sellers[trade.seller as usize].index()] -= trade.energy;
        }
    }

    /// Records a meter reading; repeating one is fine.
    ///
    /// # Errors
    /// [`Refusal::EnergyDoesNotBalance`] if what came in is not what went out, to the last unit.
    pub fn record_energy(&mut self, prosumer: ProsumerId, reading: MeterReading) -> Result<(), Refusal> {
        let inward = reading.generated + reading.discharged + reading.imported + self.net_bought[prosumer.index()];
        if inward != reading.consumed + reading.charged + reading.exported {
            return Err(Refusal::EnergyDoesNotBalance);
        }
        if self.readings[prosumer.index()].replace(reading).is_none() {
            self.read += 1;
        }
        Ok(())
    }

    /// Whether a prosumer's reading of the slot is in.
    pub fn is_read(&self, prosumer: ProsumerId) -> bool {
        self.readings[prosumer.index()].is_some()
    }

    /// Whether all readings of the slot are in.
    pub fn all_read(&self) -> bool {
        self.read == self.rules.prosumers
    }
}

fn check_choice(choice: &Choice, sellers: usize, buyer: &Buyer, demand: Demand) -> Result<(), Refusal> {
    let sum: f64 = choice.shares.iter().sum();
    let shares_valid = choice.shares.len() == sellers
        && choice.shares.iter().all(|share| *share >= 0.0)
        && (sum - 1.0).abs() < 1e-6
        && (0.0..=1.0 + 1e-6).contains(&choice.responsive);
    if !shares_valid {
        return Err(Refusal::InvalidShares);
    }
    let most = if demand == Demand::Firm { buyer.need } else { f64::MAX };
    let purchases_valid =
        choice.purchases.len() == sellers && choice.purchases.iter().all(|x| (0.0..=most).contains(x));
    if purchases_valid { Ok(()) } else { Err(Refusal::InvalidPurchases) }
}
