//! The linear theory of stability tells where the game of actors and messages turns from dying out to growing.

use crate::support::{only_case, repository, run, shipped, written};
use assert_cmd::Command;
use microgrid_agents::{
    ids::ActorId,
    market::{
        balance::SlotFacts,
        demand::{Buyer, Demand},
        pricing::PriceBand,
        replicator::Fitness,
        role::Role,
        step::StepSize,
    },
    observation::{Commit, Observation, Observed},
    prosumer::Activation,
    streams::{Purpose, Stream, stream},
    time::Time,
};
use microgrid_sim::{
    analysis::{
        reference::{self, Iteration},
        slot::slot_facts,
        stability::{
            Caveat, DelayLimit, Game, Lags, Omission, Rhythm, Setting, StepLimit, Steps, critical_price_step,
            critical_replicator_step, slot_stability,
        },
    },
    runtime::{Traffic, WatchError, Watcher},
    scenario::Case,
    simulation::simulate,
};
use rayon::prelude::*;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[derive(Deserialize)]
struct Reference {
    markets: BTreeMap<String, Market>,
    critical: Vec<Critical>,
}

#[derive(Deserialize)]
struct Market {
    alpha: f64,
    preference_pv: Vec<f64>,
    pv_kwh: Vec<f64>,
    surplus_kwh: Vec<f64>,
    clearing_price: f64,
}

#[derive(Deserialize)]
struct Critical {
    market: String,
    price_step: f64,
    information_delay_periods: usize,
    critical_replicator_step: f64,
    ratio_to_undelayed_bound: f64,
}

fn reference() -> Reference {
    serde_json::from_str(&std::fs::read_to_string(repository("tests/data/stability.json")).unwrap()).unwrap()
}

impl Market {
    fn game(&self) -> Game {
        let surplus: f64 = self.surplus_kwh.iter().sum();
        Game {
            shares: self.surplus_kwh.iter().map(|s| s / surplus).collect(),
            surplus,
            response: self.pv_kwh.len() as f64 / self.alpha,
            shortage: 0.0,
        }
    }

    /// The critical replicator step, looked for from far above.
    fn predicted(&self, price: f64, lags: Lags) -> f64 {
        let game = self.game();
        critical_replicator_step(&game, Steps::whole(3.0 * game.replicator_bound(), price), lags)
    }
}

#[test]
fn all_reference_steps_are_critical() {
    let Reference { markets, critical } = reference();
    assert_eq!(critical.len(), 24);
    for expected in &critical {
        let (market, lags) = (&markets[&expected.market], in_lock_step(2 * expected.information_delay_periods));
        let found = market.predicted(expected.price_step, lags);
        let what =
            format!("{}, b = {}, d = {}", expected.market, expected.price_step, expected.information_delay_periods);
        if expected.critical_replicator_step == 0.0 {
            assert_eq!(found, 0.0, "{what}");
            continue;
        }
        // The reference gives nine decimals.
        let error = (found - expected.critical_replicator_step).abs();
        assert!(error < 1e-6 * found && error < 1e-8, "{what}: {found}");
        let ratio = found / market.game().replicator_bound();
        assert!((ratio - expected.ratio_to_undelayed_bound).abs() < 1e-5, "{what}: {ratio}");
        // The same edge, found from below and, where it depends on the price step, by that.
        let game = market.game();
        let below = Steps::whole(found / 2.0, expected.price_step);
        assert!((critical_replicator_step(&game, below, lags) / found - 1.0).abs() < 1e-7, "{what}");
        if expected.information_delay_periods > 0 {
            let above = Steps::whole(found, 2.0 * expected.price_step);
            let price = critical_price_step(&game, above, lags);
            assert!((price / expected.price_step - 1.0).abs() < 1e-4, "{what}: {price}");
        }
    }
}

#[test]
fn for_small_price_steps_each_half_period_of_delay_takes_its_part_of_the_bound() {
    for market in reference().markets.values() {
        let game = market.game();
        let worst = |price: f64| {
            let ratio = |halves| market.predicted(price, in_lock_step(halves)) / game.replicator_bound();
            // Sellers of different size hold on to the equilibrium a little longer.
            assert!((1.0..1.02).contains(&ratio(0)), "{}", ratio(0));
            (1..=8).map(|h| (ratio(h) / ratio(0) * (1.0 + h as f64) - 1.0).abs()).fold(0.0, f64::max)
        };
        let [coarse, fine, finest] = [1e-2, 1e-3, 1e-4].map(|part| worst(part * game.price_bound()));
        assert!(fine < coarse / 5.0 && finest < fine / 5.0 && finest < 2e-3, "{coarse}, {fine}, {finest}");
    }
}

/// Longest game [rounds].
const ROUNDS: usize = 2400;

/// Rounds whose largest deviation counts as one; longer than any oscillation here.
const WINDOW: usize = 150;

/// How far the first prices are from rest [CNY/kWh].
const DISTURBANCE: f64 = 1e-4;

const IN_LOCK_STEP: &str = r#"LockStep(period: "1s")"#;

fn in_lock_step(halves: usize) -> Lags {
    Lags::of_half_periods(halves, Fitness::Public)
}

/// How a market is played, with a period of a second.
#[derive(Clone, Copy, Debug)]
struct Play<'a> {
    /// A value of the field in the scenario, as are those below.
    activation: &'a str,
    price_step: &'a str,
    fitness: &'a str,
    adaptation: &'a str,
    message_delay_ms: u32,
    block_timeout_ms: u32,
    /// How much more than it costs a little more energy is worth to the latter half of the buyers, whose demand is firm and
    /// who have all they need; all demand is elastic if zero [CNY/kWh].
    sated: f64,
}

impl Default for Play<'_> {
    fn default() -> Self {
        Self {
            activation: IN_LOCK_STEP,
            price_step: "Scaled(0.5)",
            fitness: "Public",
            adaptation: "None",
            message_delay_ms: 0,
            block_timeout_ms: 0,
            sated: 0.0,
        }
    }
}

/// A case of this market that begins close to rest and never ends by itself.
fn disturbed(market: &Market, play: Play<'_>) -> Case {
    let Play { activation, price_step, fitness, adaptation, message_delay_ms, block_timeout_ms, sated } = play;
    let game = market.game();
    let signs: Vec<f64> = (0..game.shares.len()).map(|j| [1.0, -0.6, 0.3, -0.9, 0.7][j % 5]).collect();
    let mean = signs.iter().sum::<f64>() / signs.len() as f64;
    let prices: Vec<f64> = signs.iter().map(|sign| market.clearing_price + DISTURBANCE * sign).collect();
    let shares: Vec<f64> = game.shares.iter().zip(&signs).map(|(z, sign)| z + 1e-5 * (sign - mean)).collect();
    let text = format!(
        r#"Scenario(
            name: "disturbed",
            market: (slots: 1, open: (1, 1), gate_closure: "1h", feed_in_tariff: 0.0, grid_tariff: Constant(2.0)),
            population: Profiles("profiles.csv"),
            preferences: (alpha: {}, mu: 0.0, preference_grid: 1.0, demand: {}),
            learning: (price_step: {price_step}, ramp: 1.0, tolerance: 1e-300, patience: 1000000, fitness: {fitness},
                       adaptation: {adaptation}, initial_price: Fixed({prices:?}), initial_choice: Fixed({shares:?})),
            activation: {activation},
            network: (delay: Constant("{message_delay_ms}ms")),
            ledger: (block: (timeout: "{block_timeout_ms}ms"), posts: Last),
        )"#,
        market.alpha,
        if sated > 0.0 { "Firm" } else { "Elastic" },
    );
    let mut profiles = String::from("prosumer,slot,pv_kwh,load_kwh,preference_pv\n");
    for (n, surplus) in (1..).zip(&market.surplus_kwh) {
        profiles += &format!("{n},1,{},1,2\n", surplus + 1.0);
    }
    let free = if sated > 0.0 { market.pv_kwh.len().div_ceil(2) } else { market.pv_kwh.len() };
    for (i, (&generation, &preference)) in market.pv_kwh.iter().zip(&market.preference_pv).enumerate() {
        let wanted = (preference - market.clearing_price) / market.alpha - generation;
        let (need, preference) = if i < free { (2.0 * wanted, preference) } else { (wanted, preference + sated) };
        profiles += &format!("{},1,{generation},{},{preference}\n", 101 + i, generation + need);
    }
    only_case(&written(&text, &profiles))
}

/// Watches how far prices are from rest, until it is plain where that leads.
struct Deviation {
    rest: f64,
    /// Largest deviation in each window of rounds, the one under way included.
    windows: Vec<f64>,
    /// Whether all began together, with nothing but the disturbance.
    in_step: Option<bool>,
    /// Whether the disturbance grows.
    grows: Option<bool>,
    enough: Arc<AtomicBool>,
}

impl Deviation {
    fn judge(&self) -> Option<bool> {
        let (last, whole) = self.windows.split_last()?;
        // Out of step, a game begins without the prices of some sellers, far from rest.
        let (begun, newest) = (*whole.get(1)?, *whole.last()?);
        if *last > 30.0 * begun || (self.in_step == Some(true) && *last > 30.0 * DISTURBANCE) {
            return Some(true);
        }
        if whole.len() > 2 && newest < (1e-3 * begun).max(1e-10) {
            return Some(false);
        }
        // What swings far from rest to the end does not come to it, though swings may differ.
        let far = newest > 100.0 * DISTURBANCE;
        (whole.len() * WINDOW >= ROUNDS).then(|| far || newest > 0.9 * whole[whole.len() / 2])
    }
}

impl Watcher<microgrid_sim::agents::actor::MarketProtocol> for Deviation {
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        for Observed { time, what, .. } in observed.drain(..) {
            let Observation::Committed(commit) = what else { continue };
            let window = (time.0 / 1_000_000_000) as usize / WINDOW;
            let deviation = commit.state.prices.iter().map(|price| (price - self.rest).abs()).fold(0.0, f64::max);
            self.in_step.get_or_insert(deviation < 1.01 * DISTURBANCE);
            self.windows.resize(self.windows.len().max(window + 1), 0.0);
            self.windows[window] = self.windows[window].max(deviation);
            self.grows = self.grows.or_else(|| self.judge());
        }
        self.enough.store(self.grows.is_some(), Ordering::Relaxed);
        Ok(())
    }
}

/// Whether a small disturbance grows with this replicator step.
fn grows(case: &Case, market: &Market, replicator_step: StepSize) -> bool {
    let mut scenario = (*case.scenario).clone();
    scenario.learning.replicator_step = replicator_step;
    let case = Case { scenario: scenario.into(), ..case.clone() };
    let enough = Arc::<AtomicBool>::default();
    let rest = market.clearing_price;
    let watcher = Deviation { rest, windows: Vec::new(), in_step: None, grows: None, enough: Arc::clone(&enough) };
    let (Deviation { grows, .. }, _interrupted) = simulate(&case, None, &enough, watcher);
    grows.expect("the game lasts until the disturbance has grown or died out")
}

/// Where between `low` and `high` disturbances begin to grow, to within a factor of `precision`.
fn critical(mut low: f64, mut high: f64, precision: f64, grows: impl Fn(f64) -> bool) -> f64 {
    while high > precision * low {
        let middle = (low * high).sqrt();
        *if grows(middle) { &mut high } else { &mut low } = middle;
    }
    (low * high).sqrt()
}

/// The critical replicator step of the simulation.
fn simulated(case: &Case, market: &Market) -> f64 {
    let bound = market.game().replicator_bound();
    critical(0.01 * bound, 3.0 * bound, 1.01, |step| grows(case, market, StepSize::Fixed(step)))
}

#[test]
fn actors_lose_their_equilibrium_where_theory_says() {
    let markets = reference().markets;
    // Information is as old as two messages take. Between whole periods, as just at them it is in time or late by chance.
    let delays = [(0, 0), (1, 375), (2, 625), (4, 1125), (8, 2125)];
    let cases: Vec<_> = [("slot_17", 0.06), ("eleven", 0.033333333)]
        .into_iter()
        .flat_map(|(name, price_step)| delays.map(|(halves, millis)| (name, price_step, halves, millis)))
        .collect();
    cases.into_par_iter().for_each(|(name, price_step, halves, millis)| {
        let market = &markets[name];
        let predicted = market.predicted(price_step, in_lock_step(halves));
        let play = Play { price_step: &format!("Fixed({price_step})"), message_delay_ms: millis, ..Play::default() };
        let found = simulated(&disturbed(market, play), market);
        assert!((found / predicted - 1.0).abs() < 0.05, "{name} {millis} ms: {found} simulated, {predicted} predicted");
    });
}

#[test]
fn news_that_arrives_just_when_it_is_needed_is_in_time_or_late_by_chance() {
    let (market, price_step) = (&reference().markets["slot_17"], 0.06);
    let [early, late] = [1, 2].map(|halves| market.predicted(price_step, in_lock_step(halves)));
    let play = Play { price_step: &format!("Fixed({price_step})"), message_delay_ms: 500, ..Play::default() };
    let found = simulated(&disturbed(market, play), market);
    assert!((1.02 * late..0.98 * early).contains(&found), "{found} is not between {late} and {early}");
}

#[test]
fn where_theory_allows_no_step_the_smallest_disturbance_grows() {
    let markets = reference().markets;
    let cases = [("slot_17", 0.18), ("eleven", 0.1)].map(|(name, step)| [(name, step, 2), (name, step, 4)]).concat();
    cases.into_par_iter().for_each(|(name, price_step, periods)| {
        let market = &markets[name];
        assert_eq!(market.predicted(price_step, in_lock_step(2 * periods)), 0.0);
        let message_delay_ms = 500 * periods as u32 + 125;
        let play = Play { price_step: &format!("Fixed({price_step})"), message_delay_ms, ..Play::default() };
        let step = StepSize::Fixed(1e-3 * market.game().replicator_bound());
        assert!(grows(&disturbed(market, play), market, step), "{name}, d = {periods}");
    });
}

const INDEPENDENT: &str = r#"Independent(period: "1s", jitter: 0.2)"#;

const POISSON: &str = r#"Poisson(period: "1s")"#;

/// Asserts that the critical replicator step of markets of actors is no less than nine tenths of what theory says: in
/// lock-step with either kind of step, out of step with several seeds.
///
/// Out of step a game begins without the prices of some, far from rest, where a `Scaled` step is not what it is at rest.
fn actors_hold_on_as_far_as_theory_says<'a>(plays: impl IntoIterator<Item = Play<'a>>) {
    let eleven = reference().markets.remove("eleven").unwrap();
    let markets = [("four", four()), ("eleven", eleven)];
    let plays: Vec<_> = plays.into_iter().flat_map(|play| markets.iter().map(move |market| (market, play))).collect();
    plays.into_par_iter().for_each(|((name, market), play)| {
        let case = disturbed(market, play);
        let limits = slot_stability(&case, 1, &Setting::of(&case)).unwrap().judgement.unwrap().limits.unwrap();
        let StepLimit { fixed, scaled, .. } = limits.replicator;
        let ratios = [1, 2].map(|seed| {
            let case = Case { seed, ..case.clone() };
            let step = |part: f64| match seed {
                2 if play.activation == IN_LOCK_STEP => StepSize::Scaled(part * scaled),
                _ => StepSize::Fixed(part * fixed),
            };
            critical(0.6, 4.0, 1.08, |part| grows(&case, market, step(part)))
        });
        println!("{ratios:.2?}: {name}, {play:?}");
        assert!(ratios.iter().all(|ratio| *ratio >= 0.9), "{ratios:?}: {name}, {play:?}");
    });
}

#[test]
fn actors_who_have_all_they_need_hold_on_as_far_as_theory_says() {
    let plays = [IN_LOCK_STEP, INDEPENDENT, POISSON].into_iter().flat_map(|activation| {
        let plays = ["Public", "Private"].map(|fitness| [(fitness, 10), (fitness, 600)]).concat();
        plays.into_iter().map(move |(fitness, message_delay_ms)| (activation, fitness, message_delay_ms))
    });
    // Half of the buyers, to whom more is worth a little or a lot.
    for left in [0.05, 0.5] {
        let plays = plays.clone().map(|(activation, fitness, message_delay_ms)| Play {
            activation,
            fitness,
            message_delay_ms,
            price_step: "Scaled(0.1)",
            sated: left,
            ..Play::default()
        });
        actors_hold_on_as_far_as_theory_says(plays);
    }
}

#[test]
fn actors_whose_posts_wait_for_a_block_hold_on_as_far_as_theory_says() {
    let plays = [IN_LOCK_STEP, INDEPENDENT, POISSON].into_iter().flat_map(|activation| {
        [300, 600, 900, 1300, 2000, 3000].map(|block_timeout_ms| Play {
            activation,
            block_timeout_ms,
            message_delay_ms: 20,
            price_step: "Scaled(0.1)",
            ..Play::default()
        })
    });
    actors_hold_on_as_far_as_theory_says(plays);
}

#[test]
fn actors_who_measure_their_loop_out_of_step_hold_on_as_far_as_theory_says() {
    let plays = [INDEPENDENT, POISSON].into_iter().flat_map(|activation| {
        let plays = ["Scaled(0.1)", "Scaled(0.5)"].map(|price_step| [50, 250, 500].map(|ms| (price_step, ms)));
        plays.concat().into_iter().map(move |(price_step, message_delay_ms)| Play {
            activation,
            price_step,
            message_delay_ms,
            adaptation: "DelayAware",
            ..Play::default()
        })
    });
    actors_hold_on_as_far_as_theory_says(plays);
}

/// Two sellers and two buyers.
fn four() -> Market {
    Market {
        alpha: 0.4,
        preference_pv: vec![1.66, 1.74],
        pv_kwh: vec![1.0, 1.0],
        surplus_kwh: vec![2.0, 1.0],
        clearing_price: 0.7,
    }
}

/// When, by whom, and what.
type Post = (f64, usize, Vec<(f64, f64)>);

/// The linear game of actors with these clocks, post by post: whether prices come to rest with this replicator step.
///
/// Everything is a small difference from rest. Messages take half of `age`, so that a post counts for others `age` later.
fn linear_game_grows(
    market: &Market,
    clocks: Activation,
    age: f64,
    (price_step, replicator): (f64, f64),
    seed: u64,
) -> bool {
    let game = market.game();
    let (sellers, buyers) = (game.shares.len(), market.pv_kwh.len());
    let wanted = |i: usize| (market.preference_pv[i] - market.clearing_price) / market.alpha - market.pv_kwh[i];
    let second = |time: Time| time.0 as f64 / 1e9;
    let role = |actor: usize| if actor < sellers { Role::Seller } else { Role::Buyer };
    let mut random: Vec<Stream> =
        (0..sellers + buyers).map(|actor| stream(seed, ActorId(actor as u32), Purpose::Activation)).collect();
    let mut due: Vec<Time> =
        (0..sellers + buyers).map(|actor| clocks.first(role(actor), Time(0), &mut random[actor])).collect();
    let mut prices: Vec<f64> = (0..sellers).map(|j| if j % 2 == 0 { 1.0 } else { -0.6 }).collect();
    let mut shares = vec![vec![0.0; sellers]; buyers];
    // What has arrived of prices, and of each buyer's share and purchase by seller; what came of it; what is under way.
    let (mut shown, mut chosen) = (prices.clone(), vec![vec![(0.0, 0.0); sellers]; buyers]);
    let (mut fitness, mut demand) = (vec![0.0; sellers], vec![0.0; sellers]);
    let mut posts: VecDeque<Post> = VecDeque::new();
    let (mut early, mut late) = (0.0_f64, 0.0_f64);
    loop {
        let (actor, now) = due.iter().copied().enumerate().min_by_key(|(_, time)| *time).unwrap();
        let at = second(now);
        while posts.front().is_some_and(|post| post.0 + age <= at) {
            let (_, who, post) = posts.pop_front().unwrap();
            match who.checked_sub(sellers) {
                None => shown[who] = post[0].0,
                Some(buyer) => {
                    chosen[buyer] = post;
                    fitness = shown.iter().map(|price| -game.surplus * price).collect();
                    let of = |j: usize| {
                        (0..buyers).map(|i| chosen[i][j].0 * wanted(i) + game.shares[j] * chosen[i][j].1).sum()
                    };
                    demand = (0..sellers).map(of).collect();
                }
            }
        }
        let post = match actor.checked_sub(sellers) {
            None => {
                prices[actor] += price_step * demand[actor];
                vec![(prices[actor], 0.0)]
            }
            Some(buyer) => {
                let mean: f64 = game.shares.iter().zip(&fitness).map(|(z, xi)| z * xi).sum();
                for j in 0..sellers {
                    shares[buyer][j] += replicator * game.shares[j] * (fitness[j] - mean);
                }
                shares[buyer].iter().zip(&shown).map(|(share, price)| (*share, -price / market.alpha)).collect()
            }
        };
        posts.push_back((at, actor, post));
        due[actor] = clocks.next(role(actor), now, &mut random[actor]).unwrap();
        let largest = prices.iter().fold(0.0, |largest: f64, price| largest.max(price.abs()));
        match at {
            800.0..1600.0 => early = early.max(largest),
            3200.0..4000.0 => late = late.max(largest),
            _ => {}
        }
        if at >= 4000.0 || largest > 1e9 {
            return largest > 1e9 || late > early;
        }
    }
}

#[test]
fn out_of_step_theory_is_near_or_on_the_safe_side() {
    let period = Duration::from_secs(1);
    let clocks = [
        (Rhythm::LockStep, Activation::LockStep { period }),
        (Rhythm::Standing, Activation::Independent { period, jitter: 0.0 }),
        (Rhythm::Drifting, Activation::Independent { period, jitter: 0.2 }),
        (Rhythm::Poisson, Activation::Poisson { period }),
    ];
    let eleven = reference().markets.remove("eleven").unwrap();
    let markets = [("four", four()), ("eleven", eleven)];
    let cases = markets.iter().flat_map(|market| clocks.map(|clocks| (market, clocks)));
    let cases: Vec<_> = cases.flat_map(|case| [0.1, 0.5].map(|step| (case, step))).collect();
    cases.into_par_iter().for_each(|(((name, market), (rhythm, clocks)), scaled)| {
        let buyers = market.pv_kwh.len();
        let price_step = scaled * market.alpha * market.surplus_kwh.len() as f64 / buyers as f64;
        for age in [0.1, 0.45, 0.95, 1.95] {
            let lags = match rhythm {
                Rhythm::LockStep => in_lock_step((2.0 * age) as usize),
                rhythm => Lags::out_of_step(rhythm, age, buyers, Fitness::Public),
            };
            let predicted = market.predicted(price_step, lags);
            let grows = |part: f64| linear_game_grows(market, clocks, age, (price_step, part * predicted), 7);
            let what = format!("{name}, {rhythm:?}, age {age}, price step {scaled}: {predicted}");
            // Where next to nothing is stable, a tenth of it is nothing.
            if predicted > 0.1 * market.game().replicator_bound() {
                assert!(!grows(0.9), "{what}");
                let far = match rhythm {
                    Rhythm::LockStep => 1.02,
                    Rhythm::Drifting => 1.4,
                    Rhythm::Poisson => 4.0,
                    // How far depends on how the clocks happen to stand.
                    Rhythm::Standing => continue,
                };
                assert!(grows(far), "{what}");
            }
        }
    });
}

#[test]
fn clocks_out_of_step_are_late_by_what_news_waits() {
    // Played by actors for 2,000 rounds, this market comes to rest with the smaller step and not with the larger.
    let text = r#"Scenario(
        name: "independent", market: (slots: 1, open: (1, 1), feed_in_tariff: 0.05, grid_tariff: Constant(3.0)),
        population: Profiles("profiles.csv"), preferences: (alpha: 0.4, mu: 0.0),
        learning: (price_step: Fixed(0.032), replicator_step: Fixed(0.02)),
        activation: Independent(period: "1s", jitter: 0.2),
        network: (delay: Constant("200ms")), ledger: (block: (timeout: "50ms")),
    )"#;
    let mut profiles = String::from("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n");
    let buyers = [(1.963, 4.962, 2.6709), (3.738, 8.924, 4.258), (1.898, 4.912, 2.6426), (1.96, 7.731, 3.7716)];
    for (n, (pv, load, preference)) in (1..).zip(buyers.into_iter().chain([(3.612, 8.219, 4.0598)])) {
        profiles += &format!("{n},1,{pv},{load},{preference},0.9\n");
    }
    for (n, pv) in (6..).zip([7.028979, 5.680374, 8.384487, 8.49241]) {
        profiles += &format!("{n},1,{pv},2,2,0.9\n");
    }
    let case = only_case(&written(text, &profiles));
    let limits = slot_stability(&case, 1, &Setting::of(&case)).unwrap().judgement.unwrap().limits.unwrap();
    assert!((0.021464..0.024147).contains(&limits.replicator.fixed), "{}", limits.replicator.fixed);
}

/// The only case of the published day with everybody on the ledger and these knobs set.
fn published(set: &[&str]) -> Case {
    only_case(&shipped("5_prosumers.ron", &[&["mu=1"], set].concat()))
}

#[test]
fn private_fitness_and_either_kind_of_step_turn_where_theory_says() {
    for (fitness, price_step) in [(Fitness::Public, "Scaled(0.5)"), (Fitness::Private, "Fixed(0.06)")] {
        let knobs = [&format!("fitness={fitness:?}")[..], &format!("price_step={price_step}")];
        let case = published(&knobs);
        let found = slot_stability(&case, 17, &Setting::of(&case)).unwrap();
        let limit = found.judgement.unwrap().limits.unwrap().replicator;
        for (part, dies_out) in [(0.97, true), (1.03, false)] {
            for step in [StepSize::Fixed(part * limit.fixed), StepSize::Scaled(part * limit.scaled)] {
                assert_eq!(plain_iteration_settles(&case, fitness, step), dies_out, "{fitness:?}, {step:?}");
            }
        }
    }
}

/// Whether slot 17, played without actors, comes much closer to rest from a small disturbance.
fn plain_iteration_settles(case: &Case, fitness: Fitness, replicator_step: StepSize) -> bool {
    let facts = slot_facts(case, 17);
    let with = |role| facts.iter().filter(move |facts| facts.role() == role);
    let buyers: Vec<Buyer> = with(Role::Buyer).map(SlotFacts::as_buyer).collect();
    let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
    let market = reference::Market {
        known: None,
        buyers: &buyers,
        surplus: &surplus,
        band: PriceBand { floor: 0.45, ceiling: 0.85 },
        local_fee: 0.0,
        alpha: 0.4,
        demand: Demand::Elastic,
        fitness,
        replicator_step,
        price_step: case.scenario.learning.price_step,
        ramp: 0.1,
    };
    let deviation = |prices: &[f64]| prices.iter().map(|price| (price - 0.7).abs()).fold(0.0, f64::max);
    let rounds = Iteration::new(market, &[0.7001, 0.6999, 0.7001], &[0.48, 0.14, 0.38]);
    rounds.skip(4000).take(200).map(|round| deviation(&round.prices)).fold(0.0, f64::max) < 1e-5
}

#[test]
fn steps_shrink_by_the_age_that_participants_find() {
    for (delay, expected) in [("200ms", 0.0), ("400ms", 1.5), ("500ms", 2.0), ("700ms", 2.0), ("900ms", 3.5)] {
        let case = published(&[&format!("delay={delay}"), "adaptation=DelayAware"]);
        let setting = Setting::of(&case);
        assert!((setting.excess() - expected).abs() < 1e-9, "{delay}");
        assert_eq!(Setting::of(&published(&[&format!("delay={delay}")])).excess(), 0.0);
        // What they find in a game: the age of the newest market state and of the quotes behind it, and, if that is more
        // than a period, two ways to the ledger, as long as those back.
        let case = published(&[&format!("delay={delay}")]);
        let travel = (setting.age - setting.timeout) / 2;
        let log = run(&case);
        let commits: Vec<&Commit> = log
            .observed
            .iter()
            .filter_map(|observed| match &observed.what {
                Observation::Committed(commit) if commit.state.slot == 17 => Some(commit),
                _ => None,
            })
            .collect();
        let from = commits[0].state.time.0 / 1_000_000_000 + 20;
        for halves in 0..8 {
            let now = from * 1_000_000_000 + halves * 500_000_000;
            let known = commits.iter().rfind(|commit| (commit.state.time + travel).0 < now).unwrap();
            let seen = (now - known.state.time.0) as f64 / 1e9 + known.state.news_age.as_secs_f64();
            let found = if seen > 1.0 { seen + 2.0 * travel.as_secs_f64() - 1.0 } else { 0.0 };
            assert!((found - expected).abs() < 1e-6, "{delay}: {found} at {now}");
        }
    }
}

#[test]
fn theory_says_what_it_leaves_out() {
    use Caveat::{Faults, Halving, NotCovered, OutOfStep, RandomDelay, Tie, UnevenBlocks};
    for (knob, caveat) in [
        ("jitter=0.2", RandomDelay),
        ("delay=475ms", Tie),
        ("block_timeout=500ms", UnevenBlocks),
        ("adaptation=HalveOnOscillation", Halving),
        ("loss=0.1", Faults),
        ("duplication=0.1", Faults),
        ("behaviour=Imitation", NotCovered("Imitation")),
        ("exploration=0.1", NotCovered("exploration")),
    ] {
        assert_eq!(Setting::of(&published(&[knob])).caveats, [caveat], "{knob}");
    }
    for (activation, caveat) in [
        (r#"Independent(period: "1s", jitter: 0.2)"#, OutOfStep("Independent", Rhythm::Drifting)),
        (r#"Independent(period: "1s", jitter: 0.05)"#, OutOfStep("Independent", Rhythm::Standing)),
        (r#"Poisson(period: "1s")"#, OutOfStep("Poisson", Rhythm::Poisson)),
        (r#"Reactive(min_interval: "1s")"#, OutOfStep("Reactive", Rhythm::Standing)),
    ] {
        let knobs = [&format!("activation={activation}")[..], "block_timeout=0s"];
        assert_eq!(Setting::of(&published(&knobs)).caveats, [caveat], "{activation}");
        assert_eq!(Setting::of(&published(&knobs[..1])).caveats[1..], [UnevenBlocks], "{activation}");
    }
    let case = published(&["behaviour=Imitation"]);
    assert_eq!(slot_stability(&case, 17, &Setting::of(&case)).unwrap().judgement, Err(Omission::NotCovered));
    let case = published(&[]);
    assert_eq!(Setting::of(&case).caveats, []);
    assert_eq!(slot_stability(&case, 10, &Setting::of(&case)).unwrap().judgement, Err(Omission::Corner));
}

#[test]
fn links_count_by_their_mean_over_prosumers_both_ways() {
    let with = |network: &str| {
        let mut case = published(&[]);
        let mut scenario = (*case.scenario).clone();
        scenario.network = ron::from_str(network).unwrap();
        case.scenario = scenario.into();
        Setting::of(&case)
    };
    // How much longer than back a message takes to the ledger, and how old information is [ms].
    let millis = |setting: &Setting| [setting.slower_up, setting.age.as_secs_f64()].map(|time| (1000.0 * time).round());
    let random = with(r#"(delay: Exponential(min: "10ms", mean: "30ms"))"#);
    assert_eq!((millis(&random), &random.caveats[..]), ([0.0, 110.0], &[Caveat::RandomDelay][..]));
    let all = with(r#"(links: [(from: Ledger, to: Prosumers, one_way: true, delay: Some(Constant("90ms")))])"#);
    assert_eq!((millis(&all), &all.caveats[..]), ([-80.0, 150.0], &[][..]));
    let one = with(r#"(links: [(from: Prosumer(1), to: Everybody, delay: Some(Constant("110ms")))])"#);
    assert_eq!((millis(&one), &one.caveats[..]), ([0.0, 110.0], &[Caveat::UnevenLinks][..]));
    let far = with(
        r#"(groups: {"far": Share(0.5)}, links: [(from: Group("far"), to: Ledger, delay: Some(Constant("110ms")))])"#,
    );
    // Of five prosumers, half are three: as the network is, not as it could be.
    assert_eq!((millis(&far), &far.caveats[..]), ([0.0, 190.0], &[Caveat::UnevenLinks][..]));
    let through_peers = |posts: &str| Setting::of(&published(&["ledger.peers=3", &format!("ledger.posts={posts}")]));
    // Four ways of 10 ms, and a block.
    let (every, last) = (through_peers("Every"), through_peers("Last"));
    assert_eq!((millis(&every), &every.caveats[..]), ([0.0, 90.0], &[Caveat::Peers][..]));
    assert_eq!((millis(&last), &last.caveats[..]), ([0.0, 90.0], &[][..]));
}

#[test]
fn the_critical_delay_is_the_first_that_is_unstable() {
    let limits = |delay: &str| {
        let case = published(&[&format!("delay={delay}")]);
        slot_stability(&case, 17, &Setting::of(&case)).unwrap().judgement.unwrap()
    };
    let DelayLimit::Below(_, Some(message)) = limits("10ms").limits.unwrap().delay else { panic!("there is one") };
    let delay = |micros: i64| format!("{}us", message.as_micros() as i64 + micros);
    assert!(limits(&delay(-100)).root.is_stable());
    assert!(!limits(&delay(100)).root.is_stable());
}

/// What `sim stability` prints.
fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let output = command.arg("stability").arg(repository("scenarios/5_prosumers.ron")).args(arguments).assert();
    let text = String::from_utf8(output.success().get_output().stdout.clone()).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let tables = text.lines().filter(|line| !line.starts_with('-'));
    assert!(tables.clone().all(|line| line.chars().count() <= 80), "{text}");
    text
}

#[test]
fn the_stability_of_a_day_reads_like_this() {
    insta::assert_snapshot!(printed(&["--set", "mu=1"]));
}

#[test]
fn the_stability_of_a_slot_reads_like_this() {
    insta::assert_snapshot!(printed(&["--set", "mu=1", "--slot", "17"]));
}

#[test]
fn the_stability_of_a_sweep_reads_like_this() {
    let delays = "delay=10ms,225ms,400ms,600ms,1100ms";
    let sweep = ["--set", "mu=1", "--set", delays, "--set", "replicator_step=0.1,0.3", "--slot", "17"];
    insta::assert_snapshot!(printed(&sweep));
}

#[test]
fn a_closed_slot_has_no_stability() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let command = command.arg("stability").arg(repository("scenarios/5_prosumers.ron")).args(["--slot", "7"]);
    let said = command.assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8(said).unwrap().contains("the market is open in slots 8 to 20, not in slot 7"));
}
