//! Somebody outside of the scenario who says what each slot brings: who says what the scenario says changes nothing, and what
//! was played can be played again.

use crate::{
    determinism::{content, different},
    support::repository,
};
use microgrid_sim::{
    Partner, SimulationError, StudyError,
    prelude::*,
    record::{ClosedRows, Run, Status},
    runtime::RuntimeError,
    scenario::population::Reading,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Says what `say` does, and keeps what it is shown.
struct Says<F> {
    say: F,
    heard: Arc<Mutex<Vec<ClosedRows>>>,
}

impl<F: FnMut(Slot, &[ClosedRows]) -> Result<Vec<Reading>, String> + Send> Partner for Says<F> {
    fn readings(&mut self, slot: Slot) -> Result<Vec<Reading>, String> {
        let heard = self.heard.lock().unwrap();
        assert_eq!(slot as usize, heard.len() + 1, "a slot begins when the one before is closed");
        (self.say)(slot, &heard)
    }

    fn closed(&mut self, rows: ClosedRows) {
        self.heard.lock().unwrap().push(rows);
    }
}

type Heard = Arc<Mutex<Vec<ClosedRows>>>;

fn says(
    say: impl FnMut(Slot, &[ClosedRows]) -> Result<Vec<Reading>, String> + Send + 'static,
) -> (impl Partner + 'static, Heard) {
    let heard = Heard::default();
    (Says { say, heard: Arc::clone(&heard) }, heard)
}

/// A scenario of the repository with everybody on the ledger.
fn day(file: &str) -> SimulationBuilder {
    Simulation::builder().file(repository("scenarios").join(file)).set("mu", 1.0)
}

fn population(file: &str) -> Population {
    let plan = day(file).build().unwrap();
    let case = plan.plan().cases().next().unwrap();
    Population::clone(&case.population)
}

/// How a run was made, and of what.
const HOW: [&str; 3] = ["played_profiles.csv", "scenario.ron", "5_prosumers.csv"];

/// What two runs have left, but for how they were made.
fn same(one: &Path, other: &Path) {
    let [one, other] = [one, other].map(|folder| {
        let mut files = content(folder);
        files.retain(|name, _| !HOW.contains(&name.as_str()));
        files
    });
    assert_eq!(different(&one, &other), Vec::<&str>::new());
}

#[test]
fn who_says_what_the_scenario_says_changes_nothing_whatever_the_shards() {
    for file in ["5_prosumers.ron", "5_prosumers_storage.ron"] {
        let folder = tempfile::tempdir().unwrap();
        let usual = day(file).build().unwrap().run_into(folder.path().join("usual")).unwrap();
        for shards in [1, 3] {
            let known = population(file);
            let (partner, heard) = says(move |slot, _| {
                let of = |member: &Member| {
                    let SlotProfile { generation, load, .. } = member.profile.slot(slot);
                    let [generation, load] = [generation, load].map(|energy| Some(energy.value()));
                    Reading { number: member.number, generation, load }
                };
                Ok(known.prosumers.iter().map(of).collect())
            });
            let shards = Shards::Fixed(shards);
            let run = day(file).partner(partner).shards(shards).build().unwrap().run_into(folder.path()).unwrap();
            same(run.folder(), usual.folder());
            let slots: Vec<SlotRow> = heard.lock().unwrap().iter().map(|rows| rows.slot.clone()).collect();
            assert_eq!(slots, usual.rows::<SlotRow>().unwrap().map(Result::unwrap).collect::<Vec<_>>());
            let trades: Vec<TradeRow> = heard.lock().unwrap().iter().flat_map(|rows| rows.trades.clone()).collect();
            assert_eq!(trades, usual.rows::<TradeRow>().unwrap().map(Result::unwrap).collect::<Vec<_>>());
            assert!(run.manifest().own_rules, "nobody resumes it without its partner");
        }
    }
}

#[test]
fn what_was_played_can_be_played_again() {
    let folder = tempfile::tempdir().unwrap();
    // Who buys at noon has its load cut by what the last price was: a loop through another simulator.
    let (partner, heard) = says(|slot, heard: &[ClosedRows]| {
        let price = heard.last().and_then(|rows| rows.slot.price_mean_cny_per_kwh).map_or(0.5, |price| price.value());
        let load = Some(2.0 - price + f64::from(slot) / 3.0);
        Ok(vec![
            Reading { number: 3, generation: None, load },
            Reading { number: 1, generation: Some(0.25), load: None },
        ])
    });
    let run = day("5_prosumers.ron").partner(partner).build().unwrap().run_into(folder.path()).unwrap();
    assert!(run.keeps("played_profiles.csv"));
    let row = &heard.lock().unwrap()[16];
    let of = |number| row.prosumers.iter().find(|row| row.prosumer == number).unwrap();
    assert_eq!((of(1).pv_kwh.value(), row.slot.slot), (0.25, 17));
    let played = std::fs::read_to_string(run.folder().join("played_profiles.csv")).unwrap();
    let again = day("5_prosumers.ron").data("data/5_prosumers.csv", played).build().unwrap();
    let again = again.run_into(folder.path().join("again")).unwrap();
    same(run.folder(), again.folder());
}

#[test]
fn who_goes_away_or_says_what_cannot_be_ends_the_run_and_its_files_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |reading: Reading| says(move |slot, _| Ok(if slot == 3 { vec![reading] } else { vec![] })).0;
    let of = |number, load| Reading { number, generation: None, load: Some(load) };
    for (reading, said) in [
        (of(9, 1.0), "there is no prosumer 9"),
        (of(1, -1.0), "prosumer 1: load of -1 kWh, allowed: from 0 to 10000"),
        (of(1, f64::NAN), "prosumer 1: load of NaN kWh"),
    ] {
        let simulation = day("5_prosumers.ron").partner(wrong(reading)).build().unwrap();
        let error = simulation.run_into(folder.path()).unwrap_err();
        let SimulationError::Ended { error, folder } = &error else { panic!("{error}") };
        assert!(matches!(error, StudyError::Case { source: RuntimeError::Watcher(_), .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        let run = Run::open(folder).unwrap();
        assert!(matches!(&run.manifest().status, Status::Failed(why) if why.contains(said)));
        assert_eq!(run.rows::<SlotRow>().unwrap().count(), 2);
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let (partner, _) = says(move |slot, _| {
        flag.store(slot == 3, Ordering::Relaxed);
        Ok(vec![])
    });
    let simulation = day("5_prosumers.ron").partner(partner).interrupt(interrupted).build().unwrap();
    let error = simulation.run_into(folder.path()).unwrap_err();
    let SimulationError::Ended { error: StudyError::Interrupted, folder } = &error else { panic!("{error}") };
    assert_eq!(Run::open(folder).unwrap().rows::<SlotRow>().unwrap().count(), 2);
    let many = day("5_prosumers.ron").vary("seed", [1, 2]).partner(says(|_, _| Ok(vec![])).0).build().unwrap_err();
    assert!(matches!(many, SimulationError::ManyCases(2)), "{many}");
}
