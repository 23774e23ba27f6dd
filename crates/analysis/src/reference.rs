//! The synchronous reference iteration of section 5: everybody acts at once, on the market of the round before.
//!
//! This is the game without actors, messages or time. What the actors do in lock-step must equal it round by round.

use microgrid_agents::market::{
    aggregate::{Aggregate, Posted, Sums},
    choice_set::ChoiceSet,
    demand::{Buyer, Demand},
    experience::Experience,
    pricing::{PriceBand, next_price, price_step_size},
    replicator::{Fitness, private_step_size, public_step_size, replicator_step},
    step::StepSize,
};
use std::sync::Arc;

/// A slot's market and how its participants learn.
#[derive(Clone, Copy, Debug)]
pub struct Market<'a> {
    /// The buyers.
    pub buyers: &'a [Buyer],
    /// Surplus of each seller [kWh].
    pub surplus: &'a [f64],
    /// Positions of the sellers that each buyer knows, ascending and for all as many; `None` if all know all.
    pub known: Option<&'a [Arc<[u32]>]>,
    /// The prices a seller may ask.
    pub band: PriceBand,
    /// What buyers pay to the operator on top of each price [CNY/kWh].
    pub local_fee: f64,
    /// Curvature of utility in the slot [CNY/kWh²].
    pub alpha: f64,
    /// Whether demand answers freely to price.
    pub demand: Demand,
    /// Whose welfare a buyer compares.
    pub fitness: Fitness,
    /// Step of the replicator dynamics.
    pub replicator_step: StepSize,
    /// Step of the price rule.
    pub price_step: StepSize,
    /// Largest relative move of a price in one round.
    pub ramp: f64,
}

/// One round: the posted prices, and what the choices made at them add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Price of each seller [CNY/kWh].
    pub prices: Vec<f64>,
    /// Demand, net utility and mean share of each seller, and their sums.
    pub aggregate: Aggregate,
    /// Largest move of a price that follows from this round [CNY/kWh].
    pub price_change: f64,
    /// Largest move of a buyer's share that follows from this round.
    pub share_change: f64,
}

/// The iteration, round by round: an endless iterator.
#[derive(Clone, Debug)]
pub struct Iteration<'a> {
    market: Market<'a>,
    prices: Vec<f64>,
    sums: Sums,
    width: usize,
    /// Choice shares `z_ij`, buyer by buyer.
    shares: Vec<f64>,
    /// Optimal purchases `X*_ij` [kWh], buyer by buyer.
    purchases: Vec<f64>,
    /// Sum of each buyer's shares whose purchase answers to price.
    responsive: Vec<f64>,
}

impl<'a> Iteration<'a> {
    /// The iteration that starts from these `prices` [CNY/kWh] and every buyer's `first_choice`, one entry a seller.
    pub fn new(market: Market<'a>, prices: &[f64], first_choice: &[f64]) -> Self {
        let sellers = market.surplus.len();
        let (choice_set, width, shares) = match market.known {
            None => (ChoiceSet::All, sellers, first_choice.repeat(market.buyers.len())),
            Some(known) => {
                let width = known.first().map_or(0, |known| known.len());
                let restricted = known.iter().flat_map(|known| restricted(first_choice, known)).collect();
                (ChoiceSet::Sample(width as u32), width, restricted)
            }
        };
        Self {
            prices: prices.to_vec(),
            sums: Sums::new(choice_set, sellers, market.alpha, market.local_fee),
            width,
            purchases: vec![0.0; shares.len()],
            responsive: vec![0.0; market.buyers.len()],
            shares,
            market,
        }
    }

    /// Choice shares of a buyer by its position, as it would post them in the next round; one a seller that it knows.
    pub fn shares(&self, buyer: usize) -> &[f64] {
        &self.shares[buyer * self.width..][..self.width]
    }

    /// Plays until nothing moves by `tolerance` for `patience` rounds in a row; `None` if not in `most` rounds.
    pub fn rest(&mut self, tolerance: f64, patience: u32, most: u32) -> Option<Rest> {
        let mut quiet = 0;
        for number in 1..=most {
            let round = self.next()?;
            quiet = if round.price_change.max(round.share_change) < tolerance { quiet + 1 } else { 0 };
            if quiet >= patience {
                return Some(Rest { rounds: number, last: round });
            }
        }
        None
    }

    /// Buyers decide what they want at the posted prices (7).
    fn choose(&mut self) {
        let Market { buyers, known, local_fee, alpha, demand, .. } = self.market;
        let choices = self.shares.chunks_exact(self.width).zip(self.purchases.chunks_exact_mut(self.width));
        let mut met = Vec::new();
        for (i, (buyer, (shares, purchases))) in buyers.iter().zip(choices).enumerate() {
            let prices = match known {
                None => &self.prices,
                Some(known) => {
                    met.clear();
                    met.extend(known[i].iter().map(|&j| self.prices[j as usize]));
                    &met
                }
            };
            self.responsive[i] = buyer.charged(local_fee).answer(shares, prices, alpha, demand, purchases);
        }
    }

    /// The ledger adds up demand and net utility (8) to (11).
    fn aggregate(&mut self) -> Aggregate {
        let Market { buyers, surplus, known, band, .. } = self.market;
        let choices = self.shares.chunks_exact(self.width).zip(self.purchases.chunks_exact(self.width));
        let posted = buyers.iter().zip(choices).enumerate().map(|(i, (buyer, (shares, purchases)))| Posted {
            buyer,
            known: known.map(|known| &*known[i]),
            shares,
            purchases,
            responsive: self.responsive[i],
        });
        self.sums.clear();
        self.sums.add(posted);
        self.sums.aggregate(surplus, &self.prices, band)
    }

    /// Buyers take a replicator step (15); returns the largest move of a share.
    fn learn(&mut self, aggregate: &Aggregate) -> f64 {
        let mut largest = 0.0_f64;
        match self.market.fitness {
            Fitness::Public => {
                let step = public_step_size(self.market.replicator_step, self.market.alpha, aggregate);
                for shares in self.shares.chunks_exact_mut(self.width) {
                    largest = largest.max(replicator_step(shares, &aggregate.net_utility, step));
                }
            }
            Fitness::Private => {
                let Market { buyers, known, local_fee, alpha, band, replicator_step: size, .. } = self.market;
                let choices = self.shares.chunks_exact_mut(self.width).zip(self.purchases.chunks_exact(self.width));
                for (i, (buyer, (shares, purchases))) in buyers.iter().zip(choices).enumerate() {
                    let (buyer, mut own) = (buyer.charged(local_fee), Experience::default());
                    let worth = |place: usize| {
                        let j = known.map_or(place, |known| known[i][place] as usize);
                        let met = (self.prices[j], aggregate.served_share[j]);
                        own.note(&buyer, (shares[place], purchases[place]), met, alpha, band)
                    };
                    let fitness: Vec<f64> = (0..self.width).map(worth).collect();
                    let step = private_step_size(size, alpha, aggregate, buyers.len() as u32, &own);
                    largest = largest.max(replicator_step(shares, &fitness, step));
                }
            }
        }
        largest
    }

    /// Sellers move their prices by excess demand (17), (18); returns the largest move.
    fn lead(&mut self, aggregate: &Aggregate) -> f64 {
        let Market { buyers, surplus, band, alpha, price_step, ramp, .. } = self.market;
        let (supply, buyers) = (surplus.iter().sum::<f64>(), buyers.len() as u32);
        let mut largest = 0.0_f64;
        for (j, price) in self.prices.iter_mut().enumerate() {
            let share = surplus[j] / supply;
            let held = aggregate.held.get(j).copied();
            let blind = aggregate.left.get(j).map(|&left| band.blind_step(left, surplus[j]));
            let step = price_step_size(price_step, alpha, share, buyers, held, blind);
            let next = next_price(*price, aggregate.demand[j] - surplus[j], step, band, ramp);
            largest = largest.max((next - *price).abs());
            *price = next;
        }
        largest
    }
}

/// The part of a common first choice that goes to `known` sellers, as shares of its own.
fn restricted(first_choice: &[f64], known: &[u32]) -> impl Iterator<Item = f64> {
    let total: f64 = known.iter().map(|&j| first_choice[j as usize]).sum();
    known.iter().map(move |&j| first_choice[j as usize] / total)
}

impl Iterator for Iteration<'_> {
    type Item = Round;

    fn next(&mut self) -> Option<Round> {
        self.choose();
        let aggregate = self.aggregate();
        let share_change = self.learn(&aggregate);
        let prices = self.prices.clone();
        let price_change = self.lead(&aggregate);
        Some(Round { prices, aggregate, price_change, share_change })
    }
}

/// The end of a game that was played to rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest {
    /// How many rounds were played.
    pub rounds: u32,
    /// The last of them.
    pub last: Round,
}
