//! However participants learn, and whenever they act: where the game ends.

use crate::{
    determinism::{different, files},
    support::{End, Log, only_case, run, shipped},
};
use microgrid_agents::{
    market::{
        replicator::{Fitness, public_step_size},
        step::StepSize,
    },
    message::MarketState,
    observation::{Commit, GameOver, Observation},
    prosumer::{Adaptation, Behaviour},
    statement::Outcome,
    time::Time,
};
use microgrid_sim::{
    analysis::equilibrium::Corner,
    scenario::{
        Case,
        schema::{Activation, Habit, Learning, Scenario},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const PERIOD: Duration = Duration::from_secs(1);
const LOCK_STEP: Activation = Activation::LockStep { period: PERIOD };
const INDEPENDENT: Activation = Activation::Independent { period: PERIOD, jitter: 0.3 };
const POISSON: Activation = Activation::Poisson { period: PERIOD };
const REACTIVE: Activation = Activation::Reactive { min_interval: PERIOD };

fn markets(log: &Log) -> impl Iterator<Item = &Arc<GameOver>> {
    log.games().filter(|game| game.outcome != Outcome::NoMarket)
}

fn ends(case: &Case) -> Vec<End> {
    let log = run(case);
    markets(&log).map(|game| End::of(case, game)).collect()
}

/// The published day with everybody on the ledger, changed.
fn flagship(set: &[&str], change: impl FnOnce(&mut Scenario)) -> Case {
    let mut case = only_case(&shipped("5_prosumers.ron", &[&["mu=1"], set].concat()));
    change(Arc::make_mut(&mut case.scenario));
    case.open = case.scenario.market.open_slots();
    case
}

/// Everything that the ledger has shown of the games.
fn shown(log: &Log) -> Vec<Arc<MarketState>> {
    let commits = log.observed.iter().filter_map(|observed| match &observed.what {
        Observation::Committed(Commit { state, .. }) => Some(Arc::clone(state)),
        _ => None,
    });
    commits.collect()
}

#[test]
fn on_news_of_this_period_delay_aware_steps_are_whole_steps() {
    for delay in ["0s", "10ms", "220ms"] {
        let [whole, aware] = [Adaptation::None, Adaptation::DelayAware]
            .map(|adaptation| run(&flagship(&[&format!("delay={delay}")], |s| s.learning.adaptation = adaptation)));
        assert_eq!(shown(&whole), shown(&aware), "delay {delay}");
    }
}

/// With a period of a quarter of a second there is time for slot 11, too. Demand there exceeds the surplus by 3.5 % at the
/// grid's tariff: between sellers who all serve nearly everything there is so little to choose that shares take thousands
/// of periods to come to rest.
#[test]
fn delay_aware_markets_find_the_closed_form_price_at_every_delay() {
    let period = Duration::from_millis(250);
    for activation in [
        Activation::LockStep { period },
        Activation::Independent { period, jitter: 0.3 },
        Activation::Poisson { period },
        Activation::Reactive { min_interval: period },
    ] {
        for (delay, jitter) in
            [("0s", 0.0), ("125ms", 0.3), ("250ms", 0.0), ("500ms", 0.3), ("750ms", 0.0), ("750ms", 0.3)]
        {
            let set = [&format!("delay={delay}"), "adaptation=DelayAware", "block_timeout=10ms"];
            let case = flagship(&set, |scenario| {
                scenario.activation = activation;
                scenario.network.jitter = jitter;
            });
            let ends = ends(&case);
            assert_eq!(ends.len(), 8);
            for end in ends {
                assert!(end.at_the_closed_form(), "{activation:?}, delay {delay}, jitter {jitter}: {end:?}");
            }
        }
    }
}

#[test]
fn without_adaptation_the_same_markets_fail_from_half_a_period_on() {
    for (activation, delays) in
        [(LOCK_STEP, ["500ms", "3s"]), (INDEPENDENT, ["500ms", "1s"]), (POISSON, ["500ms", "2s"])]
    {
        for delay in delays {
            let case = flagship(&[&format!("delay={delay}")], |scenario| {
                scenario.activation = activation;
                scenario.market.open = (16, 17).into();
            });
            for end in ends(&case) {
                let fails = end.outcome == Outcome::GateClosure && end.price_gap > 1e-3;
                assert!(fails, "{activation:?}, delay {delay}: {end:?}");
            }
        }
    }
}

#[test]
fn a_hundred_delay_aware_participants_find_it_too() {
    for (activation, delay) in [(LOCK_STEP, "3s"), (INDEPENDENT, "1s"), (POISSON, "500ms")] {
        let mut case = only_case(&shipped("100_prosumers.ron", &["mu=1", &format!("delay={delay}")]));
        let scenario = Arc::make_mut(&mut case.scenario);
        scenario.activation = activation;
        scenario.learning.adaptation = Adaptation::DelayAware;
        scenario.learning.tolerance = 1e-7;
        scenario.market.open = (14, 15).into();
        case.open = scenario.market.open_slots();
        let ends = ends(&case);
        assert!(ends.iter().all(End::at_the_closed_form), "{activation:?}, delay {delay}: {ends:?}");
    }
}

#[test]
fn halved_steps_calm_what_swings() {
    let ends = ends(&flagship(&["delay=500ms", "adaptation=HalveOnOscillation"], |_| {}));
    assert!(ends.iter().all(End::at_the_closed_form), "{ends:?}");
}

#[test]
fn shares_that_have_collapsed_are_no_equilibrium() {
    for delay in ["10s", "20s"] {
        for end in ends(&flagship(&[&format!("delay={delay}")], |_| {})) {
            assert!(end.outcome != Outcome::Equilibrium || end.price_gap <= 1e-3, "delay {delay}: {end:?}");
        }
    }
}

#[test]
fn whoever_imitates_finds_the_closed_form() {
    for (fitness, activation) in
        [(Fitness::Public, LOCK_STEP), (Fitness::Private, LOCK_STEP), (Fitness::Public, POISSON)]
    {
        let case = flagship(&[], |scenario| {
            scenario.activation = activation;
            scenario.learning.behaviour = Behaviour::Imitation;
            scenario.learning.fitness = Some(fitness);
        });
        let ends = ends(&case);
        assert!(ends.iter().all(End::at_the_closed_form), "{fitness:?}, {activation:?}: {ends:?}");
    }
}

fn responding(noise: f64) -> Case {
    flagship(&[], |scenario| {
        scenario.learning.behaviour = Behaviour::BestResponse { noise };
        scenario.market.open = (13, 17).into();
    })
}

#[test]
fn smoothed_best_response_rests_at_the_logit_equilibrium() {
    let noise = 0.4;
    let case = responding(noise);
    let log = run(&case);
    for game in markets(&log) {
        assert_eq!(game.outcome, Outcome::Rest, "its prices are not those that clear the market");
        let market = game.state.as_ref().and_then(|state| state.aggregate.clone()).expect("a market");
        let unit = public_step_size(StepSize::Scaled(1.0), case.scenario.preferences.alpha, &market) / market.stride;
        let sharpness = unit / noise;
        let shares = &market.mean_share;
        for j in 1..shares.len() {
            let expected = sharpness * (market.net_utility[j] - market.net_utility[0]);
            let found = (shares[j] / shares[0]).ln();
            assert!((found - expected).abs() < 1e-4, "slot {}: {found} instead of {expected}", game.slot);
        }
    }
}

/// With the fraction 0.3 and the price step 0.5 the pair spirals in from a noise of 0.23 on (`docs/model.md`, section 4).
#[test]
fn smoothed_best_response_with_too_little_noise_never_rests() {
    let outcomes =
        |noise| ends(&responding(noise)).into_iter().map(|end| (end.corner, end.outcome)).collect::<Vec<_>>();
    assert!(outcomes(0.3).iter().all(|(_, outcome)| *outcome == Outcome::Rest));
    assert!(outcomes(0.15).iter().all(|(_, outcome)| *outcome == Outcome::GateClosure));
}

#[test]
fn exploration_forgets_no_seller_and_moves_the_rest_a_little() {
    let case = flagship(&["exploration=0.01"], |_| {});
    let log = run(&case);
    for state in shown(&log) {
        let Some(market) = &state.aggregate else { continue };
        let least = market.mean_share.iter().copied().fold(1.0, f64::min);
        assert!(state.number < 5 || least >= 0.01 / market.mean_share.len() as f64 - 1e-12, "{state:?}");
    }
    for end in markets(&log).map(|game| End::of(&case, game)) {
        assert!(end.outcome == Outcome::Rest && end.price_gap < 0.05, "{end:?}");
        assert!(end.price_gap > 1e-3 || end.corner != Corner::Interior, "{end:?}");
    }
}

#[test]
fn first_prices_do_not_depend_on_when_people_act() {
    let first_prices = |activation: Activation| {
        let log = run(&flagship(&[], |scenario| {
            scenario.activation = activation;
            scenario.market.open = (17, 17).into();
        }));
        let mut first = BTreeMap::new();
        for state in shown(&log) {
            for (j, &price) in state.prices.iter().enumerate().filter(|(_, price)| price.is_finite()) {
                first.entry(j).or_insert(price.to_bits());
            }
        }
        first
    };
    let expected = first_prices(LOCK_STEP);
    assert_eq!(expected.len(), 3);
    for activation in [INDEPENDENT, POISSON, REACTIVE] {
        assert_eq!(first_prices(activation), expected);
    }
}

fn habit(share: f64, behaviour: Behaviour) -> Habit {
    Habit {
        share,
        behaviour: Some(behaviour),
        fitness: None,
        replicator_step: None,
        price_step: None,
        exploration: None,
        adaptation: None,
        mixing: None,
        regrowth: None,
        bidding: None,
    }
}

#[test]
fn a_mixed_population_has_as_many_of_each_as_its_shares_say() {
    let path = |learning: &dyn Fn(&mut Learning)| {
        let mut case = only_case(&shipped("100_prosumers.ron", &["mu=1", "population=20"]));
        let scenario = Arc::make_mut(&mut case.scenario);
        scenario.market.open = (13, 13).into();
        case.open = scenario.market.open_slots();
        scenario.market.gate_closure = Duration::from_secs(20);
        learning(&mut scenario.learning);
        shown(&run(&case))
    };
    let imitation = Behaviour::Imitation;
    let (replicators, imitators) = (path(&|_| {}), path(&|learning| learning.behaviour = imitation));
    assert_eq!(path(&|learning| learning.mix = vec![habit(0.0, imitation)]), replicators);
    assert_eq!(path(&|learning| learning.mix = vec![habit(1.0, imitation)]), imitators);
    let halves = |first, second| path(&|learning| learning.mix = vec![habit(0.5, first), habit(0.5, second)]);
    assert_eq!(halves(imitation, imitation), imitators);
    let (mixed, swapped) = (halves(imitation, Behaviour::Replicator), halves(Behaviour::Replicator, imitation));
    assert!(mixed != replicators && mixed != imitators && mixed != swapped);
}

/// The seconds in which each seller's quotes were committed, and those in which choices were.
fn periods(log: &Log) -> (BTreeMap<u32, Vec<u64>>, Vec<u64>) {
    let (mut quotes, mut choices) = (BTreeMap::<u32, Vec<u64>>::new(), Vec::new());
    for observed in &log.observed {
        let Observation::Committed(commit) = &observed.what else { continue };
        let second = (observed.time - Time::ZERO).as_secs();
        for &seller in &commit.quoted {
            quotes.entry(seller).or_default().push(second);
        }
        choices.extend(commit.choices.then_some(second));
    }
    (quotes, choices)
}

#[test]
fn sellers_may_move_every_fifth_period_and_the_market_rests_where_it_did() {
    for (price_every, apart) in [("1", 1), ("5", 5)] {
        let case =
            flagship(&[&format!("price_every={price_every}")], |scenario| scenario.market.open = (17, 17).into());
        let log = run(&case);
        let (quotes, choices) = periods(&log);
        assert_eq!(quotes.len(), 3);
        for (seller, seconds) in quotes {
            assert!(seconds.len() > 10, "seller {seller}: {seconds:?}");
            assert!(seconds.windows(2).all(|two| two[1] == two[0] + apart), "seller {seller}: {seconds:?}");
        }
        assert!(choices.windows(2).all(|two| two[1] == two[0] + 1), "buyers choose in every period: {choices:?}");
        let end = End::of(&case, markets(&log).next().expect("a market"));
        assert!(end.outcome == Outcome::Equilibrium && end.price_gap < 1e-6, "{end:?}");
    }
}

#[test]
fn by_default_sellers_move_in_every_period() {
    let files = |set: &[&str]| files(&shipped("5_prosumers.ron", &[&["mu=1"], set].concat()), None);
    let (default, every) = (files(&[]), files(&["price_every=1"]));
    assert_eq!(different(&default, &every), [""; 0]);
    assert!(different(&default, &files(&["price_every=2"])).contains(&"slots.csv"));
}
