//! However participants learn, and whenever they act: where the game ends.

use crate::support::{Log, only_case, run, shipped};
use microgrid_agents::{
    ids::Slot,
    market::{balance::SlotFacts, demand::Buyer, pricing::PriceBand, role::Role},
    observation::{GameOver, Outcome},
};
use microgrid_sim::{
    analysis::{
        distance::distance,
        equilibrium::closed_form,
        slot::{slot_facts, slot_terms},
    },
    scenario::Case,
};

/// The end of a slot's game.
#[derive(Debug)]
struct End {
    slot: Slot,
    outcome: Outcome,
    rounds: u32,
    seconds: f64,
    price_gap: f64,
}

fn price_gap(case: &Case, game: &GameOver) -> f64 {
    let (facts, terms) = (slot_facts(case, game.slot), slot_terms(case, game.slot));
    let with = |role| facts.iter().filter(move |facts| facts.role() == role);
    let buyers: Vec<Buyer> = with(Role::Buyer).map(SlotFacts::as_buyer).collect();
    let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
    let band = PriceBand { floor: terms.feed_in_tariff, ceiling: terms.grid_tariff };
    let theory = closed_form(&buyers, &surplus, band, terms.alpha, terms.demand).expect("a market");
    let state = game.state.as_ref().expect("somebody posted");
    distance(&state.prices, state.aggregate.as_ref().expect("somebody chose"), &surplus, band, &theory).price_gap
}

fn ends(case: &Case) -> Vec<End> {
    let log: Log = run(case);
    let games = log.games().filter(|game| game.outcome != Outcome::NoMarket);
    games
        .map(|game| End {
            slot: game.slot,
            outcome: game.outcome,
            rounds: game.rounds,
            seconds: game.time_to_equilibrium.map_or(f64::NAN, |time| time.as_secs_f64()),
            price_gap: price_gap(case, game),
        })
        .collect()
}

#[test]
#[ignore]
fn explore() {
    let text = std::env::var("SETS").unwrap();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let file = words.next().unwrap();
        let all: Vec<&str> = words.collect();
        let sets: Vec<&str> = all.iter().copied().filter(|w| !w.starts_with('@')).collect();
        let begun = std::time::Instant::now();
        let mut case = only_case(&shipped(file, &sets));
        if let Ok(open) = std::env::var("OPEN") {
            let (a, b) = open.split_once(',').unwrap();
            std::sync::Arc::make_mut(&mut case.scenario).market.open = (a.parse().unwrap(), b.parse().unwrap());
        }
        use microgrid_sim::scenario::schema::Activation as A;
        let s = std::time::Duration::from_secs(1);
        for w in &all {
            let scenario = std::sync::Arc::make_mut(&mut case.scenario);
            match *w {
                "@I" => scenario.activation = A::Independent { period: s, jitter: 0.3 },
                "@P" => scenario.activation = A::Poisson { period: s },
                "@R" => scenario.activation = A::Reactive { min_interval: s },
                "@BR" => {
                    scenario.learning.behaviour = microgrid_agents::prosumer::Behaviour::BestResponse { noise: 0.5 }
                }
                "@BRlow" => {
                    scenario.learning.behaviour = microgrid_agents::prosumer::Behaviour::BestResponse { noise: 0.1 }
                }
                "@IM" => scenario.learning.behaviour = microgrid_agents::prosumer::Behaviour::Imitation,
                _ => {}
            }
        }
        let ends = ends(&case);
        let bad: Vec<_> = ends.iter().filter(|e| e.outcome != Outcome::Equilibrium || e.price_gap > 1e-3).collect();
        let mut seconds: Vec<f64> = ends.iter().map(|e| e.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        println!(
            "{line}: {} of {} bad; time median {} max {}; {:?}",
            bad.len(),
            ends.len(),
            seconds[seconds.len() / 2],
            seconds[seconds.len() - 1],
            begun.elapsed()
        );
        if std::env::var("SHOW").is_ok() {
            for e in &bad {
                println!("    {} {:?} rounds {} gap {:.2e}", e.slot, e.outcome, e.rounds, e.price_gap);
            }
        }
    }
}
