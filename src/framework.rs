//! The simulator as a library: a [`SimulationBuilder`] makes a [`Simulation`] of a scenario and own rules in the place of some
//! of its own, and that [`Results`], a run's folder, or what a run still lacks. The `sim` command runs scenarios through it.
//!
//! A [`Simulation`] does the same whenever it is run, on however many shards and however many cases at a time, as long as its
//! own rules draw all that is random from the stream that they are given.

pub use crate::{
    record::Results,
    study::{Partner, Progress, StudyError},
};

use crate::{
    network::Carrier,
    ranks::Ranks,
    record::{CaseStore, Format, MemoryRecorder, MergeError, Parts, RecordError, Recorder, Run, Status},
    runtime::Shards,
    scenario::{
        Custom, Draft, Observer, Overrides, Part, PartError, Plan, Rule, ScenarioError, Whose, population::Population,
        schema::Scenario,
    },
    study::{self, Options, Shared},
};
use microgrid_agents::{
    debug_as_display,
    observation::Observed,
    prosumer::{Bidder, ChoiceRule, PricingRule},
};
use std::{
    fmt::{self, Display},
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Instant, SystemTime},
};

/// Puts a [`Simulation`] together: a scenario, what is set in it, and own rules.
///
/// The scenario comes from a [`file`](Self::file), a [`ron`](Self::ron) text or is [made in code](Self::scenario); the last
/// one given counts. Nothing is checked before [`build`](Self::build).
///
/// ```
/// use microgrid_sim::Simulation;
///
/// let results = Simulation::builder()
///     .ron(r#"Scenario(name: "noon", population: Synthetic(count: 10))"#)
///     .edit(|scenario| scenario.market.open = (12, 13).into())
///     .vary("mu", [0.0, 1.0])
///     .run()?;
/// let welfare = |case: usize| results.cases[case].key_figures.open_slots.welfare_cny;
/// assert!(welfare(1) > welfare(0), "the ledger raises trust in local energy");
/// # Ok::<(), microgrid_sim::SimulationError>(())
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct SimulationBuilder {
    draft: Option<Result<Draft, ScenarioError>>,
    data: Vec<(String, String)>,
    populations: Vec<Population>,
    edits: Vec<Hidden<Edit>>,
    overrides: Overrides,
    set: Vec<(String, Vec<String>)>,
    custom: Custom,
    options: Options,
    format: Format,
    part: Option<Part>,
    listener: Option<Hidden<Listener>>,
}

/// A change of the scenario.
type Edit = Box<dyn FnOnce(&mut Scenario)>;

impl SimulationBuilder {
    /// Takes the scenario from this RON file; its data files are relative to it.
    pub fn file(self, path: impl AsRef<Path>) -> Self {
        Self { draft: Some(Draft::read(path.as_ref())), ..self }
    }

    /// Takes the scenario from this RON text.
    pub fn ron(self, text: impl AsRef<str>) -> Self {
        Self { draft: Some(Draft::ron(text.as_ref())), ..self }
    }

    /// Takes a scenario made in code, such as a [`Scenario::new`] with some of its fields set.
    pub fn scenario(self, scenario: Scenario) -> Self {
        Self { draft: Some(Ok(Draft::of(scenario))), ..self }
    }

    /// Gives a data file that the scenario names, such as `"profiles.csv"`, as text; it is not looked for on disk.
    pub fn data(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.data.push((name.into(), text.into()));
        self
    }

    /// Gives the prosumers, once, in the place of the scenario's.
    pub fn population(mut self, population: Population) -> Self {
        self.populations.push(population);
        self
    }

    /// Changes whatever there is in the scenario, before anything is set; but not what is varied.
    pub fn edit(mut self, edit: impl FnOnce(&mut Scenario) + 'static) -> Self {
        self.edits.push(Hidden(Box::new(edit)));
        self
    }

    /// Sets a knob or any field by its path, once, as `--set` does: `set("mu", 1.0)`, `set("delay", "200ms")`,
    /// `set("market.feed_in_tariff", 0.3)`.
    pub fn set(self, name: &str, value: impl Display) -> Self {
        self.vary(name, [value])
    }

    /// Varies a knob or a field: one case for each combination of what is varied.
    pub fn vary(mut self, name: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        self.set.push((name.to_owned(), values.into_iter().map(|value| value.to_string()).collect()));
        self
    }

    /// Changes the scenario as the command line's `--seed` and `--set` do; errors show these.
    pub fn overrides(self, overrides: Overrides) -> Self {
        Self { overrides, ..self }
    }

    /// Sets the seed of everything random.
    pub fn seed(self, seed: u64) -> Self {
        self.set("seed", seed)
    }

    /// Has all sellers move their prices by this rule.
    pub fn pricing(self, rule: impl PricingRule + 'static) -> Self {
        self.rule(Whose::Everybody, Rule::Pricing(Box::new(rule)))
    }

    /// Has the prosumers with these numbers move their prices by this rule, whenever they sell. Each has its own copy; of
    /// several rules for one prosumer, the last one counts.
    pub fn pricing_of(self, prosumers: impl IntoIterator<Item = u32>, rule: impl PricingRule + 'static) -> Self {
        self.rule(Whose::These(prosumers.into_iter().collect()), Rule::Pricing(Box::new(rule)))
    }

    /// Has all buyers move their shares by this rule.
    pub fn choice(self, rule: impl ChoiceRule + 'static) -> Self {
        self.rule(Whose::Everybody, Rule::Choice(Box::new(rule)))
    }

    /// Has the prosumers with these numbers move their shares by this rule, whenever they buy. See
    /// [`pricing_of`](Self::pricing_of).
    pub fn choice_of(self, prosumers: impl IntoIterator<Item = u32>, rule: impl ChoiceRule + 'static) -> Self {
        self.rule(Whose::These(prosumers.into_iter().collect()), Rule::Choice(Box::new(rule)))
    }

    /// Everybody makes its orders in auctions by this rule.
    pub fn bidder(self, rule: impl Bidder + 'static) -> Self {
        self.rule(Whose::Everybody, Rule::Bidder(Box::new(rule)))
    }

    /// The prosumers with these numbers make their orders in auctions by this rule.
    pub fn bidder_of(self, prosumers: impl IntoIterator<Item = u32>, rule: impl Bidder + 'static) -> Self {
        self.rule(Whose::These(prosumers.into_iter().collect()), Rule::Bidder(Box::new(rule)))
    }

    fn rule(mut self, whose: Whose, rule: Rule) -> Self {
        self.custom.rules.push((whose, rule));
        self
    }

    /// Has messages travel by this rule.
    pub fn network(mut self, carrier: impl Carrier + 'static) -> Self {
        self.custom.carrier = Some(Arc::new(carrier));
        self
    }

    /// Shows all that is observed to `show`, with the number of the case, in the order (time, actor, sequence) within a
    /// case. Cases that run side by side call it at the same time. It cannot change the run.
    pub fn observe(mut self, show: impl Fn(u32, &Observed) + Send + Sync + 'static) -> Self {
        self.custom.observer = Some(Observer::new(show));
        self
    }

    /// Tells `show` how far the simulation has come, of how many cases and slots: at the start and after every slot and
    /// case.
    pub fn progress(mut self, show: impl FnMut(Progress) + Send + 'static) -> Self {
        self.listener = Some(Hidden(Arc::new(Mutex::new(show))));
        self
    }

    /// Has somebody else say what each slot brings, as it comes, and hear what has become of it; there has to be one case. A run
    /// in a folder keeps the profiles that were played as `played_profiles.csv`.
    pub fn partner(mut self, partner: impl Partner + 'static) -> Self {
        self.options.partner = Some(Shared::new(partner));
        self.custom.is_live = true;
        self
    }

    /// Ends the simulation early, as soon as somebody sets this flag: with
    /// [`StudyError::Interrupted`](crate::study::StudyError::Interrupted). A run in a folder can be
    /// [resumed](Simulation::resume).
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.options.interrupted = flag;
        self
    }

    /// Spreads the actors of a case so; changes how long a run takes, never its results. Chosen by their number if it is
    /// not given.
    pub fn shards(mut self, shards: Shards) -> Self {
        self.options.shards = Some(shards);
        self
    }

    /// Runs so many cases at a time; changes how long a study takes, never its results. Chosen by the number of cores if
    /// it is not given.
    pub fn jobs(mut self, jobs: NonZero<usize>) -> Self {
        self.options.jobs = Some(jobs);
        self
    }

    /// Plays all cases together with the other ranks; only on rank 0 are there results, and the others
    /// [follow](Simulation::follow).
    #[doc(hidden)] // Hidden: for `sim-mpi`.
    pub fn among(mut self, ranks: Ranks) -> Self {
        self.options.ranks = Some(ranks);
        self
    }

    /// Writes the large tables of a run's folder in this format; CSV if it is not given.
    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Runs only this part of the cases. Each part may run on a machine of its own; [`merge_into`](Simulation::merge_into)
    /// makes one run of the runs of all parts.
    pub fn part(self, part: Part) -> Self {
        Self { part: Some(part), ..self }
    }

    /// Reads the scenario and checks everything.
    ///
    /// # Errors
    /// The first mistake in the scenario or in what was set, with its place if it has one in a text; a rule for somebody who
    /// does not take part; or more parts than there are cases.
    pub fn build(self) -> Result<Simulation, SimulationError> {
        let Self { draft, data, populations, edits, overrides, set, custom, options, format, part, listener } = self;
        let mut draft = draft.ok_or(SimulationError::NoScenario)??;
        data.iter().for_each(|(name, text)| draft.give(name, text));
        populations.into_iter().try_for_each(|population| draft.populate(population))?;
        edits.into_iter().for_each(|Hidden(edit)| draft.edit(edit));
        draft.overrides(&overrides)?;
        set.into_iter().for_each(|(name, values)| draft.set(&name, values));
        let mut plan = draft.plan()?.of_part(part)?;
        plan.custom = custom;
        let whose = plan.custom.rules.iter().map(|(whose, _)| whose);
        let named = whose.filter_map(|whose| if let Whose::These(numbers) = whose { Some(numbers) } else { None });
        if let Some(&number) = named.flatten().find(|&&number| !plan.includes(number)) {
            return Err(SimulationError::NoProsumer(number));
        }
        match plan.numbers().count() {
            cases if cases > 1 && options.partner.is_some() => Err(SimulationError::ManyCases(cases)),
            _ => Ok(Simulation { plan, options, format, listener }),
        }
    }

    /// Builds the simulation and runs it: rows in memory.
    ///
    /// # Errors
    /// As [`build`](Self::build) and [`Simulation::run`].
    pub fn run(self) -> Result<Results, SimulationError> {
        self.build()?.run()
    }
}

/// A study that has been checked and can be run: a scenario with its own rules. See [`SimulationBuilder`].
#[derive(Clone, Debug)]
pub struct Simulation {
    plan: Plan,
    options: Options,
    format: Format,
    listener: Option<Hidden<Listener>>,
}

/// Who is told how far a simulation has come.
type Listener = Arc<Mutex<dyn FnMut(Progress) + Send>>;

/// What cannot be shown.
#[derive(Clone)]
struct Hidden<T>(T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Why there are no results.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// No scenario was given.
    #[error("there is no scenario: give the builder a file, a text or a scenario made in code")]
    NoScenario,
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A rule was given for somebody who does not take part.
    #[error("there is no prosumer {0} to have a rule of its own")]
    NoProsumer(u32),
    /// A partner can take part in one case only.
    #[error("a partner takes part in one case, and there are {0}: vary nothing, and have one replicate")]
    ManyCases(usize),
    /// A case could not be run to its end.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// A run ended early, and has kept what was done before.
    #[error("{error}; what was done before is in {}", folder.display())]
    Ended {
        /// Why.
        error: StudyError,
        /// The run's folder.
        folder: PathBuf,
    },
    /// A run's folder could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is no such part of its cases.
    #[error(transparent)]
    Part(#[from] PartError),
    /// Runs are not all parts of it.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

debug_as_display!(SimulationError);

impl Simulation {
    /// A builder without a scenario yet.
    pub fn builder() -> SimulationBuilder {
        SimulationBuilder::default()
    }

    /// The scenario with all that belongs to it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many cases are run: combinations of the varied knobs times replicates, or those of them that are in its part.
    pub fn case_count(&self) -> u32 {
        self.plan.numbers().count() as u32
    }

    /// Runs all cases and returns their rows, with what `summary.csv` and `paired.csv` of the same run would say.
    ///
    /// # Errors
    /// If a case cannot be run to its end: the first one that fails.
    pub fn run(&self) -> Result<Results, SimulationError> {
        let (recorder, result) = self.play(MemoryRecorder::new(&self.plan));
        result?;
        Ok(recorder.finish()?)
    }

    /// Runs all cases and writes a new run's folder `root/<scenario name>/<start time>-seed<seed>/`; of a part,
    /// `root/<scenario name>.part-3-of-20/<start time>-seed<seed>/`.
    ///
    /// # Errors
    /// If a case cannot be run to its end, or a file cannot be written.
    pub fn run_into(&self, root: impl AsRef<Path>) -> Result<Run, SimulationError> {
        let (clock, started) = now();
        self.record(Recorder::create_as(self.format, root.as_ref(), &self.plan, started, command())?, clock)
    }

    /// The same, but goes on with the newest run there if it is of this scenario, part, format and version: one that was ended
    /// early is finished, and one that is finished is left as it is.
    ///
    /// # Errors
    /// If that run is under way, a case cannot be run to its end, or a file cannot be written.
    pub fn resume_or_run_into(&self, root: impl AsRef<Path>) -> Result<Run, SimulationError> {
        match Run::open(&root.as_ref().join(self.plan.name())) {
            Ok(newest) if newest.is_of(&self.plan, self.format) => self.resume(newest.folder()),
            Ok(newest) => {
                let folder = newest.folder().display();
                tracing::info!(%folder, "the newest run is another: this one begins anew");
                self.run_into(root)
            }
            Err(RecordError::NoRun { .. }) => self.run_into(root),
            Err(error) => {
                tracing::warn!(%error, "the newest run cannot be read: this one begins anew");
                self.run_into(root)
            }
        }
    }

    /// Makes one run of runs of all parts of this study, in a new folder `root/<scenario name>/<start time>-seed<seed>/`: it has
    /// the tables that a run of all cases leaves.
    ///
    /// # Errors
    /// If the parts are not of this study, or a file cannot be read or written.
    pub fn merge_into(&self, parts: &Parts, root: impl AsRef<Path>) -> Result<Run, SimulationError> {
        parts.check(&self.plan)?;
        let (clock, started) = now();
        let mut recorder = Recorder::of_parts(parts, root.as_ref(), &self.plan, started, command())?;
        let take_in = |part: &Run| match self.options.interrupted.load(Ordering::Relaxed) {
            true => Err(StudyError::Interrupted),
            false => Ok(recorder.take_in_part(part)?),
        };
        match parts.runs().iter().try_for_each(take_in) {
            // What is left to do is what a study does once it has all of its cases.
            Ok(()) => self.record(recorder, clock),
            failed => self.finish(recorder, failed, clock),
        }
    }

    /// Runs what the run in this folder still lacks, which this simulation has begun, or another of the same scenario, in
    /// the format of the run. One that is finished is left as it is.
    ///
    /// # Errors
    /// If the run is under way, or was made by another version, from another scenario or with own rules, which are in no
    /// file; if a case cannot be run to its end, or a file cannot be written.
    pub fn resume(&self, folder: impl AsRef<Path>) -> Result<Run, SimulationError> {
        let (clock, _) = now();
        let run = Run::open(folder.as_ref())?;
        if run.manifest().status == Status::Finished {
            return Ok(run.own());
        }
        let part = run.manifest().part.map(|part| part.part()).transpose()?;
        let simulation = Self { plan: self.plan.clone().of_part(part)?, ..self.clone() };
        simulation.record(Recorder::resume(&run, &simulation.plan)?, clock)
    }

    fn record(&self, recorder: Recorder, clock: Instant) -> Result<Run, SimulationError> {
        let (folder, done, slots) = (recorder.folder.display(), recorder.done, recorder.under_way());
        tracing::info!(%folder, cases = self.case_count(), done, slots_of_the_next = slots, "the study begins");
        let (recorder, result) = self.play(recorder);
        self.finish(recorder, result, clock)
    }

    fn finish(
        &self,
        recorder: Recorder,
        result: Result<(), StudyError>,
        clock: Instant,
    ) -> Result<Run, SimulationError> {
        let folder = recorder.folder.clone();
        let status = match &result {
            Ok(()) => Status::Finished,
            Err(StudyError::Interrupted) => Status::Interrupted,
            Err(other) => Status::Failed(other.to_string()),
        };
        let finished = recorder.finish(status, clock.elapsed()).and_then(|folder| {
            let played = self.options.partner.as_ref().and_then(Shared::played);
            played.map_or(Ok(()), |played| keep_played(&folder, &played.to_csv())).map(|()| folder)
        });
        if let Err(error) = result {
            if let Err(error) = finished {
                tracing::warn!(%error, "the manifest does not tell how the run ended");
            }
            return Err(SimulationError::Ended { error, folder });
        }
        Ok(Run::open(&finished?)?)
    }

    fn play<S: CaseStore>(&self, store: S) -> (S, Result<(), StudyError>) {
        let listener = self.listener.clone();
        study::run(&self.plan, store, &self.options, move |progress| {
            if let Some(Hidden(tell)) = &listener {
                tell.lock().unwrap_or_else(PoisonError::into_inner)(progress);
            }
        })
    }

    /// Plays what rank 0 says, which runs the same simulation, until it dismisses the others.
    #[doc(hidden)] // Hidden: for `sim-mpi`.
    pub fn follow(&self) {
        if let Some(ranks) = &self.options.ranks {
            study::follow(&self.plan, ranks, &self.options.interrupted);
        }
    }
}

/// What was played in a run with a partner, as a profile file.
const PLAYED: &str = "played_profiles.csv";

fn keep_played(folder: &Path, csv: &str) -> Result<(), RecordError> {
    let mut run = Run::open(folder)?;
    run.put(PLAYED, csv.as_bytes())?;
    run.name_files(|file| file == PLAYED, &[PLAYED.to_owned()])
}

#[expect(clippy::disallowed_methods, reason = "a run's manifest tells when it started and how long it took")]
fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

/// The command line that the program was given, as a shell takes it.
fn command() -> String {
    std::env::args_os().map(|argument| quoted(&argument.display().to_string())).collect::<Vec<_>>().join(" ")
}

/// An argument as a shell takes it: in quotes, unless it has only letters, digits and signs that no shell looks at.
pub(crate) fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        network::{Bounds, Fate, Letter},
        record::SlotRow,
    };
    use microgrid_agents::streams::Stream;

    /// Does not know itself.
    #[derive(Debug)]
    struct Unsure;

    impl Carrier for Unsure {
        fn carry(&self, letter: &Letter, random: &mut Stream) -> Fate {
            letter.usual.fate(random)
        }

        fn bounds(&self) -> Bounds {
            panic!("no bounds")
        }
    }

    #[test]
    fn a_panic_outside_of_the_actors_ends_the_run_with_an_error_and_a_folder_that_is_whole() {
        let day = || {
            Simulation::builder().ron(
                r#"Scenario(name: "day", market: (slots: 2, open: (1, 2)), population: Synthetic(count: 3),
                vary: {"mu": [0.0, 1.0, 0.5]})"#,
            )
        };
        let root = tempfile::tempdir().unwrap();
        for jobs in [1, 2] {
            let wicked = [day().network(Unsure), day().progress(|at| assert_eq!(at.cases_done, 0, "told enough"))];
            for (simulation, expected) in wicked.into_iter().zip(["no bounds", "told enough"]) {
                let simulation = simulation.jobs(NonZero::new(jobs).unwrap()).build().unwrap();
                let error = simulation.run_into(root.path()).unwrap_err();
                let SimulationError::Ended { error: StudyError::Panicked { why, .. }, folder } = &error else {
                    panic!("{error}")
                };
                assert!(why.contains(expected) && why.contains("(src/framework.rs:"), "{why}");
                let run = Run::open(folder).unwrap();
                assert!(matches!(&run.manifest().status, Status::Failed(reason) if reason.contains(why)));
                let slots = run.rows::<SlotRow>().unwrap().map(Result::unwrap).count();
                assert_eq!(slots, 2 * run.key_figures().unwrap().len(), "cases are there as a whole");
                if expected == "told enough" {
                    let finished = day().build().unwrap().resume(folder).unwrap();
                    assert_eq!(finished.rows::<SlotRow>().unwrap().map(Result::unwrap).count(), 6);
                }
            }
        }
    }

    #[test]
    fn a_shell_reads_quoted_arguments_as_they_were_given() {
        for plain in ["scenarios/day.ron", "--set", "delay=1ms,2ms", "mu=0.5"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my day.ron"), "'my day.ron'");
        assert_eq!(quoted("price_step=Fixed(0.1)"), "'price_step=Fixed(0.1)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
