//! Messages get lost and nothing breaks: what matters is repeated until it is acknowledged.

use crate::support::{Log, only_case, run, shipped, try_run};
use microgrid_agents::{
    chain::refusal::Refusal,
    observation::{Observation, Observed, Refused},
    statement::Outcome,
    time::Time,
    units::Energy,
};
use microgrid_sim::{
    runtime::{RuntimeError, Shards},
    scenario::{
        Case,
        schema::{Initial, InitialPrice},
    },
};
use std::{sync::Arc, time::Duration};

fn lossy(loss: &str) -> Log {
    let log = run(&only_case(&shipped("5_prosumers.ron", &["mu=1", &format!("loss={loss}")])));
    assert_eq!(log.closed(), 24);
    assert_eq!(log.prosumers().count(), 24 * 5, "everybody settles every slot, and once only");
    let bought: Energy = log.prosumers().map(|p| p.trades.bought).sum();
    let sold: Energy = log.prosumers().map(|p| p.trades.sold).sum();
    assert_eq!(bought, sold);
    for observed in &log.observed {
        // Whoever has not heard yet that the game is over goes on posting, and what waited when it ended rests on a
        // game that is not open any more; nothing else is refused.
        if let Observation::Refused(Refused { refusal, .. }) = observed.what {
            assert!(matches!(refusal, Refusal::MarketClosed | Refusal::StaleRead), "{observed:?}");
        }
    }
    log
}

#[test]
fn with_some_loss_every_slot_settles_at_the_same_price() {
    let lossless = run(&only_case(&shipped("5_prosumers.ron", &["mu=1"])));
    for loss in ["0.02", "0.1"] {
        let log = lossy(loss);
        for (lossy, reference) in log.games().zip(lossless.games()) {
            assert_eq!(lossy.outcome, reference.outcome, "slot {} at loss {loss}", lossy.slot);
            let (Some(found), Some(expected)) = (&lossy.state, &reference.state) else { continue };
            for (found, expected) in found.prices.iter().zip(&expected.prices) {
                assert!((found - expected).abs() < 1e-4, "slot {}: {found} instead of {expected}", lossy.slot);
            }
        }
        assert!(log.lost * 100 > log.messages, "{} of {} lost", log.lost, log.messages);
    }
}

#[test]
fn with_heavy_loss_every_market_still_trades_and_settles() {
    let log = lossy("0.5");
    for game in log.games().filter(|game| game.outcome != Outcome::NoMarket) {
        let traded: Energy = log.prosumers().filter(|p| p.slot == game.slot).map(|p| p.trades.sold).sum();
        assert!(traded > Energy::ZERO, "slot {}", game.slot);
    }
    lossy("0.9");
}

#[test]
fn a_large_market_comes_to_rest_under_loss_too() {
    let log = run(&only_case(&shipped("100_prosumers.ron", &["mu=1", "loss=0.1", "population=40"])));
    let market: Vec<_> = log.games().filter(|game| game.outcome != Outcome::NoMarket).collect();
    assert!(market.len() >= 10);
    let at_rest = market.iter().filter(|game| game.outcome == Outcome::Equilibrium).count();
    assert!(at_rest * 10 >= market.len() * 9, "{at_rest} of {} came to rest", market.len());
}

#[test]
fn nobody_is_taken_to_be_at_rest_on_news_from_before_the_rest() {
    // Twelve periods from actor to actor, two blocks each: three quiet moves in a row say nothing yet.
    let log = run(&only_case(&shipped("5_prosumers.ron", &["mu=1", "delay=12s"])));
    for game in log.games().filter(|game| game.outcome == Outcome::Equilibrium) {
        let commits = log.observed.iter().filter_map(|observed| match &observed.what {
            Observation::Committed(commit) if commit.state.slot == game.slot => Some(&commit.state),
            _ => None,
        });
        let prices: Vec<_> = commits.map(|state| state.prices.clone()).collect();
        let quiet = prices
            .iter()
            .rev()
            .take_while(|&p| p.iter().zip(&prices[prices.len() - 1]).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!(quiet.count() > 24, "slot {} was quiet for less than a round trip", game.slot);
    }
    assert!(log.games().any(|game| game.outcome == Outcome::GateClosure), "this network is too slow for the market");
}

#[test]
fn a_network_that_loses_everything_is_diagnosed() {
    let mut case = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
    Arc::make_mut(&mut case.scenario).network.loss = 1.0;
    Arc::make_mut(&mut case.population).prosumers[3].number = 42;
    let (log, result) = try_run(&case, Some(Shards::Fixed(2)));
    let error = result.expect_err("nothing arrives");
    assert!(matches!(error, RuntimeError::Stalled { .. }));
    let said = error.to_string();
    assert!(said.contains("grid waits for SlotOpened from the ledger for slot 1"), "{said}");
    assert!(said.contains("ledger waits for PublishTariff from the grid for slot 1"), "{said}");
    assert!(said.contains("prosumer 42 waits for SlotOpened from the ledger for slot 1"), "{said}");
    assert_eq!(log.closed(), 0);
}

#[test]
fn a_market_too_slow_to_settle_down_closes_at_the_gate_and_settles_all_the_same() {
    let log = run(&only_case(&shipped("5_prosumers.ron", &["mu=1", "period=10min"])));
    assert_eq!(log.closed(), 24);
    let closed_at_the_gate = log.games().filter(|game| game.outcome == Outcome::GateClosure).count();
    assert!(closed_at_the_gate > 0);
    assert!(log.games().all(|game| game.outcome != Outcome::Equilibrium || game.rounds >= 4));
}

#[test]
fn no_game_goes_on_beyond_its_gate_however_slow_the_network() {
    for set in [&["mu=1", "delay=4min"][..], &["mu=1", "delay=30min"], &["mu=1", "delay=10min", "loss=0.5"]] {
        assert_gates_hold(&only_case(&shipped("5_prosumers.ron", set)));
    }
    let mut hurried = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
    Arc::make_mut(&mut hurried.scenario).market.gate_closure = Duration::from_millis(65);
    assert_gates_hold(&hurried);
}

fn assert_gates_hold(case: &Case) {
    let log = run(case);
    assert_eq!(log.closed(), 24);
    assert_eq!(log.prosumers().count(), 24 * 5);
    let mut opened = Time::ZERO;
    for Observed { time, what, .. } in &log.observed {
        match what {
            Observation::SlotOpened(_) => opened = *time,
            Observation::GameOver(game) => {
                let played = *time - opened;
                assert!(played <= case.scenario.market.gate_closure, "slot {} was played for {played:?}", game.slot);
            }
            _ => {}
        }
    }
}

#[test]
fn fixed_first_values_do_not_stop_a_market_that_somebody_missed() {
    let set = ["mu=1", "delay=3min", "loss=0.6"];
    let mut case = only_case(&shipped("5_prosumers.ron", &set));
    let scenario = Arc::make_mut(&mut case.scenario);
    scenario.market.open = (10, 17).into();
    case.open = scenario.market.open_slots();
    scenario.learning.initial_price = InitialPrice::Fixed(vec![0.5, 0.6, 0.7]);
    scenario.learning.initial_choice = Initial::Fixed(vec![0.5, 0.3, 0.2]);
    let log = run(&case);
    let sizes = log.observed.iter().filter_map(|o| match &o.what {
        Observation::MarketOpened(market) => Some(market.sellers.len()),
        _ => None,
    });
    assert!(sizes.into_iter().any(|sellers| sellers < 3), "the loss must keep some seller out for this test to tell");
    let invalid =
        |o: &&Observed| matches!(o.what, Observation::Refused(Refused { refusal: Refusal::InvalidShares, .. }));
    assert_eq!(log.observed.iter().filter(invalid).count(), 0);
}
