//! What several promises need: scenarios to run, and a watcher that keeps all it sees.

use assert_cmd::Command;
use microgrid_agents::{
    ids::Slot,
    market::{balance::SlotFacts, demand::Buyer, pricing::PriceBand, role::Role},
    message::Exchange,
    observation::{GameOver, Observation, Observed, ProsumerSlot},
    statement::{Invoice, Outcome},
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    analysis::{
        distance::distance,
        equilibrium::{Corner, closed_form},
        slot::{slot_facts, slot_terms},
    },
    record::{Recorder, Status},
    runtime::{RuntimeError, Shards, Traffic, WatchError, Watcher},
    scenario::{self, Case, Overrides, Plan},
    simulation::simulate,
    study,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder with a copy of the shipped scenarios, as in a fresh checkout.
pub(crate) fn checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenarios = folder.path().join("scenarios");
    copy(&repository("scenarios"), &scenarios);
    let examples = folder.path().join("examples");
    fs::create_dir(&examples).expect("a new folder");
    fs::copy(repository("examples/street.csv"), examples.join("street.csv")).expect("a file is copied");
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copied = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, copied).expect("a file is copied");
        }
    }
}

/// The command with these arguments, to be run in a folder.
pub(crate) fn sim(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(folder).args(arguments.split_whitespace());
    command
}

/// What a command prints that succeeds.
pub(crate) fn stdout(command: &mut Command) -> String {
    let output = command.assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("the command prints UTF-8")
}

/// A Python interpreter.
pub(crate) struct Python(String);

impl Python {
    /// The interpreter of CI is named by this variable; without it, the machine's own has to do.
    const NAMED_BY: &str = "NOTEBOOK_PYTHON";

    /// One that has these packages. Without one, unless it was named, says that the test is skipped.
    pub(crate) fn with(packages: &str) -> Option<Self> {
        let named = std::env::var(Self::NAMED_BY).ok();
        let python = Self(named.clone().unwrap_or_else(|| "python3".to_owned()));
        let tried = python.command(&format!("import {packages}")).output();
        let found = tried.is_ok_and(|output| output.status.success());
        assert!(found || named.is_none(), "{} lacks one of {packages}", python.0);
        if !found {
            eprintln!("skipped: no python3 with {packages}; {} may name one", Self::NAMED_BY);
        }
        found.then_some(python)
    }

    fn command(&self, script: &str) -> std::process::Command {
        let mut command = std::process::Command::new(&self.0);
        command.args(["-c", script]);
        command
    }

    /// What a script prints that succeeds, with these arguments in this folder.
    pub(crate) fn run<'a>(&self, script: &str, arguments: impl IntoIterator<Item = &'a str>, folder: &Path) -> String {
        let output = self.command(script).args(arguments).current_dir(folder).output().expect("Python starts");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}\n{}", said(&output.stdout), said(&output.stderr));
        said(&output.stdout)
    }
}

/// A scenario of the repository with some knobs set.
pub(crate) fn shipped(name: &str, set: &[&str]) -> Plan {
    let overrides = Overrides { seed: None, set: set.iter().map(ToString::to_string).collect() };
    let path = repository("scenarios").join(name);
    scenario::load(&path, &overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// A scenario given as text, with a profile given as CSV under the name `profiles.csv`.
pub(crate) fn written(text: &str, profiles: &str) -> Plan {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("profiles.csv"), profiles).expect("the profile is written");
    let path = folder.path().join("scenario.ron");
    std::fs::write(&path, text).expect("the scenario is written");
    scenario::load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The only case of a plan.
pub(crate) fn only_case(plan: &Plan) -> Case {
    assert_eq!(plan.case_count(), 1);
    plan.cases().next().expect("a plan has a case")
}

/// Keeps all it is shown.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) observed: Vec<Observed>,
    pub(crate) messages: u64,
    pub(crate) lost: u64,
}

impl Watcher<MarketProtocol> for Log {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.observed.append(observed);
        self.messages += traffic.sent;
        self.lost += traffic.lost;
        Ok(())
    }
}

impl Log {
    fn all<'a, T: 'a>(&'a self, pick: impl Fn(&'a Observation) -> Option<T> + 'a) -> impl Iterator<Item = T> + 'a {
        self.observed.iter().filter_map(move |observed| pick(&observed.what))
    }

    /// The end of every slot's game.
    pub(crate) fn games(&self) -> impl Iterator<Item = &Arc<GameOver>> {
        self.all(|what| if let Observation::GameOver(game) = what { Some(game) } else { None })
    }

    /// Every prosumer's slots.
    pub(crate) fn prosumers(&self) -> impl Iterator<Item = &ProsumerSlot> {
        self.all(|what| if let Observation::ProsumerDone(slot) = what { Some(&**slot) } else { None })
    }

    /// Everything exchanged with the grid.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = (&Exchange, &Invoice)> {
        self.all(
            |what| if let Observation::Exchanged(exchange, invoice) = what { Some((exchange, invoice)) } else { None },
        )
    }

    /// How many slots were closed.
    pub(crate) fn closed(&self) -> usize {
        self.all(|what| if let Observation::SlotClosed(slot) = what { Some(slot) } else { None }).count()
    }
}

/// How the game of a slot ended, beside theory.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) slot: Slot,
    pub(crate) outcome: Outcome,
    pub(crate) price_gap: f64,
    pub(crate) corner: Corner,
}

impl End {
    pub(crate) fn of(case: &Case, game: &GameOver) -> Self {
        let (facts, terms) = (slot_facts(case, game.slot), slot_terms(case, game.slot));
        let with = |role| facts.iter().filter(move |facts| facts.role() == role);
        let buyers: Vec<Buyer> = with(Role::Buyer).map(SlotFacts::as_buyer).collect();
        let surplus: Vec<f64> = with(Role::Seller).map(|facts| facts.surplus().value()).collect();
        let band = PriceBand { floor: terms.feed_in_tariff, ceiling: terms.grid_tariff };
        let theory = closed_form(&buyers, &surplus, band, terms.alpha, terms.demand).expect("a market");
        let state = game.state.as_ref().expect("somebody posted");
        let aggregate = state.aggregate.as_ref().expect("somebody chose");
        Self {
            slot: game.slot,
            outcome: game.outcome,
            price_gap: distance(&state.prices, aggregate, &surplus, band, &theory).price_gap,
            corner: theory.corner,
        }
    }

    pub(crate) fn at_the_closed_form(&self) -> bool {
        self.outcome == Outcome::Equilibrium && self.price_gap <= 1e-3
    }
}

/// Runs a case; panics if it does not end well.
pub(crate) fn run(case: &Case) -> Log {
    let (log, result) = try_run(case, None);
    result.unwrap_or_else(|error| panic!("{error}"));
    log
}

/// Runs a case.
pub(crate) fn try_run(case: &Case, shards: Option<Shards>) -> (Log, Result<(), RuntimeError>) {
    simulate(case, shards, &Arc::default(), Log::default())
}

/// Runs all cases of a plan and records them under `root`; returns the run's folder.
pub(crate) fn recorded(plan: &Plan, root: &Path) -> PathBuf {
    let recorder = Recorder::create_as(Default::default(), root, plan, SystemTime::UNIX_EPOCH, String::new())
        .expect("a new folder");
    let (recorder, result) = study::run(plan, recorder, &study::Options::default(), |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    recorder.finish(Status::Finished, Duration::ZERO).expect("the run is written")
}
