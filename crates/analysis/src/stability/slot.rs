//! The stability of one slot of a case.

use super::{
    Game, Root, Setting, Steps,
    critical::{critical_price_step, critical_replicator_step, first_unstable},
};
use crate::{
    equilibrium::{Corner, Equilibrium},
    slot::{SlotMarket, slot_facts, slot_terms},
};
use microgrid_agents::{
    ids::Slot,
    market::{demand::Buyer, replicator::Fitness, step::StepSize},
};
use microgrid_scenario::{Case, schema::Learning};
use std::time::Duration;

/// Beyond this many unknowns, roots take minutes: none are computed.
const MOST_UNKNOWNS: usize = 800;

/// Beyond this many unknowns, only the largest root is computed and critical values are left out.
const MOST_FOR_LIMITS: usize = 480;

/// Beyond this many unknowns, a slot is not judged where many are at once: each takes a good part of a second.
const MOST_AT_ONCE: usize = 240;

/// Critical delays are looked for below this age [periods].
const MOST_PERIODS: usize = 6;

/// What theory says about the stability of a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotStability {
    /// Which slot.
    pub slot: Slot,
    /// Number of sellers `Q`.
    pub sellers: usize,
    /// Number of buyers `R`.
    pub buyers: usize,
    /// Number of buyers whose purchase answers to price at the equilibrium, `R_e`.
    pub responsive: usize,
    /// Whether some buyers have all they need, so that net utility has a kink where supply just meets demand. What is said
    /// here then is of disturbances that leave nobody short, and of whether those that do overshoot: the worse of the two.
    pub kinked: bool,
    /// Total surplus `S` [kWh].
    pub surplus: f64,
    /// Equilibrium price [CNY/kWh].
    pub price: f64,
    /// Whether a tariff binds at the equilibrium.
    pub corner: Corner,
    /// Whether and how firmly the game holds on to the equilibrium, or why the theory does not say.
    pub judgement: Result<Judgement, Omission>,
}

/// Why theory says nothing about a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// The prosumers learn in a way it does not cover.
    NotCovered,
    /// A tariff binds: there is nothing to linearise.
    Corner,
    /// No purchase answers to price.
    NoAnswer,
    /// There are so many sellers, or lags so long, that finding roots would take too long.
    TooLarge,
}

/// Whether and how firmly the game holds on to an equilibrium.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The largest root.
    pub root: Root,
    /// Where it would leave the unit circle; `None` where finding out would take too long.
    pub limits: Option<Limits>,
}

/// Where the largest root leaves the unit circle, all else as in the scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// By the replicator step.
    pub replicator: StepLimit,
    /// By the price step.
    pub price: StepLimit,
    /// By the delay.
    pub delay: DelayLimit,
}

/// A critical step. Zero: no step is stable; infinite: every one is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLimit {
    /// As a `Fixed` setting.
    pub fixed: f64,
    /// As a `Scaled` setting.
    pub scaled: f64,
    /// How many times the scenario's own setting it is.
    pub margin: f64,
}

/// The critical delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DelayLimit {
    /// The game is unstable even without delay.
    None,
    /// Stable while information is younger than this from actor to actor, in periods, and messages take less than this;
    /// no message is so fast where the block's timeout alone is longer.
    Below(f64, Option<Duration>),
    /// Stable up to this age at least, in periods.
    AtLeast(f64),
}

/// What theory says about `slot`, counted from 1, of `case`, whose `setting` this is; `None` without buyers or sellers.
pub fn slot_stability(case: &Case, slot: Slot, setting: &Setting) -> Option<SlotStability> {
    judged(case, slot, setting, MOST_UNKNOWNS, MOST_FOR_LIMITS)
}

/// Whether the game of `slot` holds on to its equilibrium; `None` where theory does not say, or slowly.
pub fn is_stable(case: &Case, slot: Slot, setting: &Setting) -> Option<bool> {
    judged(case, slot, setting, MOST_AT_ONCE, 0)?.judgement.ok().map(|judgement| judgement.root.is_stable())
}

/// The same with critical values only where there are up to so many unknowns.
fn judged(case: &Case, slot: Slot, setting: &Setting, most: usize, most_for_limits: usize) -> Option<SlotStability> {
    let terms = slot_terms(case, slot);
    let all = SlotMarket::of_all(&slot_facts(case, slot), terms);
    let at = all.equilibrium()?;
    let want = |buyer: &Buyer| {
        let wanted = buyer.optimal_purchase(at.price, terms.alpha, terms.demand);
        (wanted, (buyer.preference - at.price - terms.alpha * (buyer.generation + wanted)).max(0.0))
    };
    let wants: Vec<(f64, f64)> = all.needs.iter().map(want).collect();
    let answers = |(buyer, (wanted, _)): &(&Buyer, &(f64, f64))| buyer.answers_to_price(*wanted, terms.demand);
    let market = Market {
        responsive: all.needs.iter().zip(&wants).filter(answers).count(),
        active: wants.iter().filter(|(wanted, _)| *wanted > 0.0).count(),
        wants,
        supply: all.surplus.iter().sum(),
        alpha: terms.alpha,
        learning: &case.scenario.learning,
    };
    let judgement = match at.corner {
        _ if !setting.is_covered() => Err(Omission::NotCovered),
        Corner::Floor | Corner::Ceiling => Err(Omission::Corner),
        Corner::Interior if market.responsive == 0 => Err(Omission::NoAnswer),
        Corner::Interior => judge(&market, &at, setting, most, most_for_limits),
    };
    Some(SlotStability {
        slot,
        sellers: all.surplus.len(),
        buyers: all.needs.len(),
        responsive: market.responsive,
        kinked: market.active > market.responsive,
        surplus: market.supply,
        price: at.price,
        corner: at.corner,
        judgement,
    })
}

/// What of a slot's market decides how large its steps are.
struct Market<'a> {
    /// What each buyer wants at the equilibrium [kWh], and what a little more would be worth to it beyond the price
    /// [CNY/kWh]: nothing but where it has all it needs.
    wants: Vec<(f64, f64)>,
    responsive: usize,
    /// How many buyers want anything.
    active: usize,
    /// Total surplus [kWh].
    supply: f64,
    alpha: f64,
    learning: &'a Learning,
}

/// How a step's settings translate into the step of public fitness that does the same.
struct Units {
    /// What `Fixed(1)` is worth.
    fixed: f64,
    /// What `Scaled(1)` is worth.
    scaled: f64,
}

impl Units {
    fn step(&self, size: StepSize) -> f64 {
        match size {
            StepSize::Fixed(value) => value * self.fixed,
            StepSize::Scaled(value) => value * self.scaled,
        }
    }

    /// The limit that stands for the `critical` step, where it is `own` now.
    fn limit(&self, critical: f64, own: f64) -> StepLimit {
        StepLimit { fixed: critical / self.fixed, scaled: critical / self.scaled, margin: critical / own }
    }
}

impl Market<'_> {
    /// Units of the replicator step. Private fitness moves the share of buyer i by `a_i X_i`, and demand by `X_i` times
    /// that: all together like public fitness with `sum_i a_i X_i² / S²`.
    fn replicator_units(&self) -> Units {
        let square = self.supply * self.supply;
        match self.learning.fitness() {
            Fitness::Public => {
                let kink: f64 = self.wants.iter().map(|(x, left)| x * left).sum();
                Units { fixed: 1.0, scaled: 1.0 / (self.alpha * square / self.responsive as f64 + kink) }
            }
            Fitness::Private => Units {
                fixed: self.wants.iter().map(|(x, _)| x * x).sum::<f64>() / square,
                scaled: self.wants.iter().map(|(x, left)| self.own_step(*x, *left)).sum::<f64>() / square,
            },
        }
    }

    /// What `Scaled(1)` of a buyer with private fitness does to its demand, `a_i X_i²` [kWh²/CNY].
    fn own_step(&self, wanted: f64, left: f64) -> f64 {
        let moving = self.alpha * self.wants.len() as f64 / self.responsive as f64;
        if wanted > 0.0 { 1.0 / (moving + left / wanted) } else { 0.0 }
    }

    /// What `Fixed(1)` is worth for everybody, and `Scaled(1)` for a seller of mean size.
    fn price_units(&self, sellers: usize) -> Units {
        Units { fixed: 1.0, scaled: self.alpha * sellers as f64 / self.wants.len() as f64 }
    }

    /// By how much net utility falls if everybody is short by a small part of its demand, per part [CNY]. Each buyer
    /// counts by what its steps do to demand: its purchase with public fitness, and with private fitness that times
    /// `a_i X_i`.
    fn shortage(&self) -> f64 {
        let weight = |x: f64, left: f64| match (self.learning.fitness(), self.learning.replicator_step) {
            (Fitness::Public, _) => x,
            (Fitness::Private, StepSize::Fixed(_)) => x * x,
            (Fitness::Private, StepSize::Scaled(_)) => self.own_step(x, left),
        };
        let (mut sum, mut total) = (0.0, 0.0);
        for &(x, left) in &self.wants {
            sum += weight(x, left) * left;
            total += weight(x, left);
        }
        self.supply * sum / total
    }
}

fn judge(
    market: &Market<'_>,
    at: &Equilibrium,
    setting: &Setting,
    most: usize,
    most_for_limits: usize,
) -> Result<Judgement, Omission> {
    let buyers = market.wants.len();
    let fitness = market.learning.fitness();
    let response = market.responsive as f64 / market.alpha;
    // Rounding leaves next to nothing to those whose purchase is free.
    let shortage = if market.active > market.responsive { market.shortage() } else { 0.0 };
    let game = Game { shares: at.shares.clone(), surplus: market.supply, response, shortage };
    let lags = setting.lags(fitness, buyers);
    if game.size(lags) > most {
        return Err(Omission::TooLarge);
    }
    let (replicator, price) = (market.replicator_units(), market.price_units(at.shares.len()));
    let steps = Steps {
        replicator: replicator.step(market.learning.replicator_step),
        price: price.step(market.learning.price_step),
        relative: matches!(market.learning.price_step, StepSize::Scaled(_)),
        excess: setting.excess(),
    };
    let limits = || {
        let replicator = replicator.limit(critical_replicator_step(&game, steps, lags), steps.replicator);
        // Steps of another kind differ between sellers: each kind has a critical size of its own.
        let [fixed, scaled] =
            [false, true].map(|relative| critical_price_step(&game, Steps { relative, ..steps }, lags));
        let own = if steps.relative { scaled } else { fixed };
        let price = StepLimit { fixed: fixed / price.fixed, scaled: scaled / price.scaled, margin: own / steps.price };
        let most = (0..MOST_PERIODS * setting.rhythm.ages() + 1)
            .take_while(|count| game.size(setting.at(*count, fitness, buyers).0) <= most_for_limits)
            .count();
        let critical = first_unstable(most, |count| {
            let (lags, excess) = setting.at(count, fitness, buyers);
            !game.largest_root(Steps { excess, ..steps }, lags).is_stable()
        });
        Limits { replicator, price, delay: delay_limit(critical, most, setting) }
    };
    let root = game.largest_root(steps, lags);
    Ok(Judgement { root, limits: (game.size(lags) <= most_for_limits).then(limits) })
}

fn delay_limit(critical: Option<usize>, most: usize, setting: &Setting) -> DelayLimit {
    match critical {
        Some(0) => DelayLimit::None,
        Some(count) => {
            let ages = setting.rhythm.ages();
            let age = setting.period * count as u32 / ages as u32;
            let message = age.checked_sub(setting.timeout).filter(|rest| !rest.is_zero()).map(|rest| rest / 2);
            DelayLimit::Below(count as f64 / ages as f64, message)
        }
        None => DelayLimit::AtLeast(most as f64 / setting.rhythm.ages() as f64),
    }
}
