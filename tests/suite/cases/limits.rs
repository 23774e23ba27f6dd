//! Scenarios at the edges of what may be asked, and of what theory vouches for.

use super::given::{Given, name, sum};
use crate::support::only_case;
use assert_cmd::Command;
use microgrid_agents::{
    market::step::StepSize,
    observation::{Observation, Observed},
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    analysis::stability::{Setting, slot_stability},
    runtime::{Traffic, WatchError, Watcher},
    scenario::Case,
    simulation::simulate,
};
use rayon::prelude::*;
use std::{sync::Arc, time::Duration};

/// The command on a scenario comes to an end by itself, without a panic: it refuses it and says where it is wrong, or runs
/// it.
fn refused_or_run(given: &Given) {
    let folder = given.folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let command = command.current_dir(folder.path()).args(["scenario.ron", "--out", "results"]);
    let output = command.timeout(Duration::from_secs(60)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    match output.status.code() {
        Some(0) => {}
        Some(2) => assert!(said.contains("--> scenario.ron:") && said.contains("allowed"), "{said}"),
        code => panic!("ends with {code:?}: {said}"),
    }
}

#[test]
fn extreme_numbers_are_refused_or_work() {
    let file = |file: &str| Given::file("extreme_numbers", file);
    let [tariffs, speed] = ["tiny_tariffs.ron", "tiny_speed.ron"].map(file);
    let mut kinds = vec![
        tariffs.clone().with("1e-323", "1e-300").with("5e-324", "1e-310"),
        tariffs.clone().with("5e-324", "0").with("1e-323", "5e-324"),
        tariffs.clone().with("5e-324", "1e-12").with("1e-323", "1e-11"),
        tariffs,
        speed.clone().with("5e-324", "1e-200"),
        speed.clone().with("5e-324", "1e300"),
        speed,
    ];
    let plain = |fields: &str| {
        Given::day::<Vec<_>>(&[], "slots: 2, open: (1, 2)", fields)
            .with("Profiles(\"p.csv\")", "Synthetic(count: 5, pv_peak_kw: Constant(20), load_kw: Constant(1))")
            .with("open: (1, 2)", "open: (1, 2), starts_at: \"12h\"")
    };
    kinds.extend([
        plain("preferences: (eta: 1e-300, mu: 1e-300)"),
        plain("storage: (capacity_kwh: 1e-300, power_kw: 1e-300)"),
        plain("storage: (capacity_kwh: 10, power_kw: 5, efficiency: 1e-300, initial_kwh: 10)"),
        plain("storage: (capacity_kwh: 10, power_kw: 5, efficiency: 5e-324)"),
        plain("learning: (replicator_step: Fixed(5e-324), price_step: Scaled(1e-300), ramp: 5e-324)"),
        plain("learning: (behaviour: BestResponse(noise: 5e-324), tolerance: 5e-324)"),
    ]);
    kinds.par_iter().for_each(refused_or_run);
}

/// A scenario is refused, or all its posts count and something is traded.
fn refused_or_traded(given: &Given) {
    match given.load() {
        Err(message) => assert!(message.contains("alpha"), "{message}"),
        Ok(_) => {
            let played = given.run();
            assert_eq!(sum(&played.table("ledger.csv"), "invalid_purchases"), 0.0);
            let traded = sum(&played.open_slots(), "traded_kwh");
            assert!(traded > 0.0 && played.open_slots().iter().all(|row| row.text(name::OUTCOME) != "NoMarket"));
        }
    }
}

#[test]
fn what_is_allowed_is_not_refused_on_the_way() {
    let given = Given::file("purchases_beyond_limit", "nalpha.ron");
    let of = |from: &str, to: &str| given.clone().with(from, to);
    let kinds = [
        given.clone(),
        of("alpha:1e-6", "alpha:5e-6"),
        of("slots:2", "slot_length:\"6h\",slots:2"),
        of("alpha:1e-6", "alpha:1e-6,eta:1"),
        of("10000,10000\n4,1", "10000,9000\n4,1").with("alpha:1e-6", "alpha:2e-6"),
        of("alpha:1e-6", "alpha:1e-6,demand:Firm"),
    ];
    kinds.par_iter().for_each(refused_or_traded);
}

/// How far prices are from rest in the last fifth of a game.
struct Late {
    rest: f64,
    /// From when on it counts, in simulated time [ns].
    from: u64,
    deviation: f64,
}

impl Watcher<MarketProtocol> for Late {
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        for Observed { time, what, .. } in observed.drain(..) {
            let Observation::Committed(commit) = what else { continue };
            if time.0 >= self.from {
                let far = commit.state.prices.iter().map(|price| (price - self.rest).abs());
                self.deviation = far.fold(self.deviation, f64::max);
            }
        }
        Ok(())
    }
}

/// Whether the game of the first slot dies out at 0.7 CNY/kWh with this replicator step.
fn dies_out(case: &Case, step: f64) -> bool {
    let mut scenario = (*case.scenario).clone();
    scenario.learning.replicator_step = StepSize::Fixed(step);
    let from = (scenario.market.gate_closure * 4 / 5).as_nanos() as u64;
    let case = Case { scenario: scenario.into(), ..case.clone() };
    let (late, result) = simulate(&case, None, &Arc::default(), Late { rest: 0.7, from, deviation: 0.0 });
    result.unwrap_or_else(|error| panic!("{error}"));
    late.deviation < 1e-3
}

#[test]
fn theory_of_clocks_out_of_step_is_within_a_tenth_or_on_the_safe_side() {
    let given = Given::case("stability_independent");
    let cases: Vec<_> = given.load().unwrap().cases().collect();
    // Whatever theory calls stable with a tenth to spare dies out.
    let stable = |case: &Case, step: f64| {
        let mut scenario = (*case.scenario).clone();
        scenario.learning.replicator_step = StepSize::Fixed(step);
        let case = Case { scenario: scenario.into(), ..case.clone() };
        slot_stability(&case, 1, &Setting::of(&case)).unwrap().judgement.unwrap().root.is_stable()
    };
    cases.par_iter().for_each(|case| {
        let StepSize::Fixed(step) = case.scenario.learning.replicator_step else { panic!("a fixed step") };
        let [found, theory] = [dies_out(case, step), stable(case, 1.1 * step)];
        assert!(found || !theory, "step {step}");
    });
    // At the critical step itself, for ages up to two periods.
    let [start, end] = ["vary: {", "}, replicates: 1,"].map(|text| text.to_owned());
    let steps =
        r#""replicator_step":[Fixed(0.016098),Fixed(0.018781),Fixed(0.021464),Fixed(0.024147),Fixed(0.0260251)]"#;
    let one = given.with(&format!("{start}{steps}{end}"), "");
    let clocks = [r#"Independent(period: "1s", jitter: 0.2)"#, r#"Poisson(period: "1s")"#];
    let kinds = clocks.iter().flat_map(|clock| [25, 200, 475, 975].map(|delay| (clock, delay)));
    kinds.collect::<Vec<_>>().par_iter().for_each(|(clock, delay)| {
        let given = one.clone().with(clocks[0], clock).with("\"200ms\"", &format!("\"{delay}ms\""));
        let case = only_case(&given.load().unwrap());
        let limits = slot_stability(&case, 1, &Setting::of(&case)).unwrap().judgement.unwrap().limits.unwrap();
        let critical = limits.replicator.fixed;
        assert!(dies_out(&case, critical / 1.1), "{clock}, {delay} ms: grows below {critical}");
        assert!(!dies_out(&case, 10.0 * critical), "{clock}, {delay} ms: dies out far above {critical}");
    });
}
