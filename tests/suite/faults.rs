//! Messages get lost and nothing breaks: what matters is repeated until it is acknowledged.

use crate::support::{Log, only_case, run, shipped, try_run};
use microgrid_agents::{
    ledger::contract::Refusal,
    observation::{Observation, Outcome},
    units::Energy,
};
use microgrid_sim::runtime::{RuntimeError, Shards};
use std::sync::Arc;

fn lossy(loss: &str) -> Log {
    let log = run(&only_case(&shipped("5_prosumers.ron", &["mu=1", &format!("loss={loss}")])));
    assert_eq!(log.closed(), 24);
    assert_eq!(log.prosumers().count(), 24 * 5, "everybody settles every slot, and once only");
    let bought: Energy = log.prosumers().map(|p| p.bought).sum();
    let sold: Energy = log.prosumers().map(|p| p.sold).sum();
    assert_eq!(bought, sold);
    for observed in &log.observed {
        // Whoever has not heard yet that the game is over goes on posting; nothing else is refused.
        let refused = matches!(observed.what, Observation::Refused(.., refusal) if refusal != Refusal::MarketClosed);
        assert!(!refused, "{observed:?}");
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
        assert!(log.messages > lossless.messages, "lost messages are repeated");
    }
}

#[test]
fn with_heavy_loss_every_slot_still_trades_and_settles() {
    for loss in ["0.5", "0.8"] {
        let log = lossy(loss);
        for game in log.games() {
            assert_eq!(game.rounds > 0, game.outcome != Outcome::NoMarket, "slot {} at loss {loss}", game.slot);
        }
    }
}

#[test]
fn a_network_that_loses_everything_is_diagnosed() {
    let mut case = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
    Arc::make_mut(&mut case.scenario).network.loss = 1.0;
    let (log, result) = try_run(&case, Some(Shards::Fixed(2)));
    let error = result.expect_err("nothing arrives");
    assert!(matches!(error, RuntimeError::Stalled { .. }));
    let said = error.to_string();
    assert!(said.contains("grid waits for SlotOpened from the ledger for slot 1"), "{said}");
    assert!(said.contains("ledger waits for TariffPublished from the grid for slot 1"), "{said}");
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
fn a_network_slower_than_the_market_still_lets_every_slot_close() {
    let log = run(&only_case(&shipped("5_prosumers.ron", &["mu=1", "delay=4min"])));
    assert_eq!(log.closed(), 24);
    assert_eq!(log.prosumers().count(), 24 * 5);
}
