//! What is told of markets that clear by a rule, and what all mechanisms are compared by.

use super::*;
use crate::fixtures::day::cleared;
use microgrid_agents::{chain::fact::Execution, market::settlement::Trade, statement::Outcome};
use std::sync::Arc;

/// A run of the day's first case, whose market clears, as far as `change` leaves what is observed of it.
fn run(change: impl Fn(&mut Observation)) -> (Day, fixtures::Recording) {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    for slot in 1..=3 {
        let mut window = if slot == 2 { cleared(day.slot(2)) } else { observed(day.slot(slot)) };
        window.iter_mut().for_each(|observed| change(&mut observed.what));
        recorder.window(&mut window, Traffic { sent: 10, ..Traffic::default() }).unwrap();
    }
    recorder.end_case().unwrap();
    (day, recorder)
}

#[track_caller]
fn assert_near(found: Option<Number>, expected: f64) {
    assert!(found.is_some_and(|found| (found.value() - expected).abs() < 1e-9), "{found:?} and not {expected}");
}

#[test]
fn a_market_that_clears_has_trades_and_theory_but_no_state_of_a_game() {
    let (_day, recorder) = run(|_| ());
    let line = &lines(recorder.folder(), "slots.csv")[1];
    for (column, value) in [
        ("outcome", "Cleared"),
        ("time_to_equilibrium_s", ""),
        ("price_gap", ""),
        ("price_gap_weighted", ""),
        ("imbalance", ""),
        ("ess_residual", ""),
        ("oscillation_amplitude", ""),
        ("price_mean_cny_per_kwh", "1.2"),
        ("traded_kwh", "4.0"),
        ("admitted", "3"),
        ("price_spread_cny_per_kwh", "0.0"),
        ("time_to_end_s", "12.25"),
    ] {
        assert_eq!(slot_cell(line, column), value, "{column}");
    }
    let slot = &rows::<SlotRow>(recorder.folder())[1];
    assert_near(slot.equilibrium_price_cny_per_kwh, 1.2);
    assert_near(slot.welfare_loss, 0.0);
    assert_eq!(lines(recorder.folder(), "convergence.csv").len(), 0);
    assert_eq!(lines(recorder.folder(), "trades.csv").len(), 2);
}

#[test]
fn what_was_announced_and_executed_has_a_row_each() {
    let (_day, recorder) = run(|_| ());
    let row = |cells: &[(&str, &str)]| row_of::<ClearingRow>(&[&[("case", "1"), ("slot", "2")], cells].concat());
    let expected = [
        row(&[("number", "1"), ("time_s", "3600.25"), ("price_cny_per_kwh", "0.975"), ("supply_kwh", "4")]),
        row(&[
            ("number", "2"),
            ("time_s", "3612.5"),
            ("price_cny_per_kwh", "1.2"),
            ("supply_kwh", "4"),
            ("demand_kwh", "5"),
            ("executions", "2"),
            ("traded_kwh", "4"),
        ]),
    ];
    assert_eq!(rows::<ClearingRow>(recorder.folder()), expected);
    // Where each execution has a price of its own, there is none of all.
    let (_day, recorder) = run(|what| {
        if let Observation::Cleared(_, clearing) = what {
            let mut each = (**clearing).clone();
            each.price = None;
            each.executions.iter_mut().for_each(|Execution(_, _, energy, _)| *energy = Energy(1_500_000));
            *clearing = each.into();
        }
    });
    let second = &rows::<ClearingRow>(recorder.folder())[1];
    assert_eq!((second.price_cny_per_kwh, second.executions, second.traded_kwh.value()), (None, 2, 3.0));
    let (_day, game) = whole_case(Day::new());
    assert_eq!(rows::<ClearingRow>(game.folder()), []);
}

#[test]
fn a_market_that_clears_has_missed_no_equilibrium() {
    let (_day, recorder) = run(|_| ());
    let run = Run::open(recorder.folder()).unwrap();
    let [case] = &run.key_figures().unwrap()[..] else { panic!("one case is done") };
    assert_eq!((case.market_slots, case.equilibrium_share), (1, None));
    let summary = run.summaries().unwrap().next().unwrap().unwrap();
    assert_eq!((summary.share_in_equilibrium, summary.share_interval), (None, None));
    assert_eq!(summary.measure("time_to_equilibrium_restricted_s").unwrap().mean(), None);
    assert_eq!(summary.measure("time_to_end_s").unwrap().mean(), Some(12.25));
    assert_eq!(summary.measure("messages").unwrap().mean(), Some(10.0));
}

#[test]
fn all_mechanisms_are_compared_by_the_same_figures() {
    let (_day, recorder) = run(|_| ());
    let slots = rows::<SlotRow>(recorder.folder());
    assert!(slots.iter().all(|row| row.mechanism == "TwoLevelGame"));
    // P2G earns 4 kWh at 0.45; with the market, payments and earnings cancel, and less is bought of nobody.
    assert_eq!(slots.iter().map(|row| row.savings_cny.value()).collect::<Vec<_>>(), [0.0, -1.8, 0.0]);
    // The seller gains 6.6 - 3.6, each buyer 3.2 - 2.4: (3 + 0.8 + 0.8)² / (3 (9 + 0.64 + 0.64)).
    assert_near(slots[1].jain_index, 21.16 / 30.84);
    assert_eq!((slots[0].jain_index, slots[0].time_to_end_s, slots[2].time_to_end_s), (None, None, None));
    assert_eq!(slots[2].price_spread_cny_per_kwh, None);
    let prosumers = rows::<ProsumerRow>(recorder.folder());
    [3.0, 0.8, 0.8].into_iter().zip(&prosumers[3..6]).for_each(|(gain, row)| assert_near(row.gain_cny, gain));
    assert!(prosumers.iter().all(|row| row.delay_s.map(Number::value) == Some(0.01)));

    let run = Run::open(recorder.folder()).unwrap();
    let case = &run.key_figures().unwrap()[0];
    assert_eq!(case.mechanism, "TwoLevelGame");
    assert_eq!((case.price_spread_cny_per_kwh, case.time_to_end_s), (Some(0.0), Some(12.25)));
    let of_slots: f64 = slots.iter().map(|row| row.savings_cny.value()).sum();
    assert_eq!(case.all_slots.savings_cny, of_slots);
}

#[test]
fn savings_are_positive_where_less_is_paid_and_prices_spread_where_participants_pay_others() {
    let (_day, recorder) = run(|what| match what {
        Observation::Settled(_, trades) => {
            let trade = |buyer, energy, price| Trade::new(buyer, 0, 2.0, Energy::nearest(energy), price, 0.1);
            *trades = Arc::new(vec![trade(0, 2.0, 1.3), trade(1, 1.0, 1.0), trade(1, 3.0, 1.2)]);
        }
        // A buyer pays 2.4 less, of which 0.5 go to the operator.
        Observation::ProsumerDone(done) if done.slot == 2 && done.prosumer.0 == 1 => {
            (done.trades.paid, done.trades.fee) = (Money::ZERO, Money::nearest(0.5));
        }
        _ => {}
    });
    let slot = &rows::<SlotRow>(recorder.folder())[1];
    // -1.8 in P2G, and here 2.4 + 0.5 - 4.8.
    assert_eq!(slot.savings_cny.value(), 0.1);
    // 1.3 of one buyer, (1 + 3.6) / 4 = 1.15 of the other.
    assert_near(slot.price_spread_cny_per_kwh, 0.15);
}

#[test]
fn bytes_are_those_of_the_slot_s_blocks_without_the_first_of_a_chain() {
    let (_day, recorder) = run(|_| ());
    let slots = rows::<SlotRow>(recorder.folder());
    let ledger = rows::<LedgerRow>(recorder.folder());
    let bytes: Vec<u64> = slots.iter().map(|row| row.bytes).collect();
    // Each slot has a block of two transactions; the block of slot 1 is the first of its chain.
    assert_eq!(bytes, [0, 38, 38]);
    assert_eq!(ledger[0].bytes, 38 + bytes.iter().sum::<u64>());
    let case = &Run::open(recorder.folder()).unwrap().key_figures().unwrap()[0];
    assert_eq!(case.totals.bytes, 76);
}

#[test]
fn a_game_that_missed_equilibrium_ends_all_the_same() {
    let (_day, recorder) = run(|what| {
        if let Observation::GameOver(game) = what
            && game.slot == 2
        {
            let mut over = (**game).clone();
            over.outcome = Outcome::GateClosure;
            *game = over.into();
        }
    });
    let slot = &rows::<SlotRow>(recorder.folder())[1];
    assert_eq!((slot.time_to_equilibrium_s, slot.time_to_end_s.map(Number::value)), (None, Some(12.25)));
    let case = &Run::open(recorder.folder()).unwrap().key_figures().unwrap()[0];
    assert_eq!((case.equilibrium_share, case.time_to_end_s), (Some(0.0), Some(12.25)));
}
