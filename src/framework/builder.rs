//! Puts a simulation together.

use super::{Listener, Progress, Results, Simulation, SimulationError};
use crate::{
    network::Carrier,
    record::Format,
    runtime::Shards,
    scenario::{Custom, Draft, Observer, Overrides, Rule, Whose, population::Population, schema::Scenario},
    study::Options,
};
use microgrid_agents::{
    observation::Observed,
    prosumer::{ChoiceRule, PricingRule},
};
use std::{
    fmt::{self, Display},
    num::NonZero,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool},
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
///     .edit(|scenario| scenario.market.open = (12, 13))
///     .vary("mu", [0.0, 1.0])
///     .run()?;
/// let welfare = |case: usize| results.cases[case].key_figures.open_slots.welfare_cny;
/// assert!(welfare(1) > welfare(0), "the ledger raises trust in local energy");
/// # Ok::<(), microgrid_sim::SimulationError>(())
/// ```
#[derive(Default)]
pub struct SimulationBuilder {
    source: Option<Source>,
    data: Vec<(String, String)>,
    populations: Vec<Population>,
    edits: Vec<Edit>,
    overrides: Overrides,
    set: Vec<(String, Vec<String>)>,
    custom: Custom,
    options: Options,
    format: Format,
    listener: Option<Listener>,
}

/// A change of the scenario.
type Edit = Box<dyn FnOnce(&mut Scenario)>;

/// Where the scenario comes from.
#[derive(Debug)]
enum Source {
    File(PathBuf),
    Ron(String),
    Code(Box<Scenario>),
}

impl SimulationBuilder {
    /// Takes the scenario from this RON file; its data files are relative to it.
    #[must_use]
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        Self { source: Some(Source::File(path.into())), ..self }
    }

    /// Takes the scenario from this RON text.
    #[must_use]
    pub fn ron(self, text: impl Into<String>) -> Self {
        Self { source: Some(Source::Ron(text.into())), ..self }
    }

    /// Takes a scenario made in code, such as a [`Scenario::new`] with some of its fields set.
    #[must_use]
    pub fn scenario(self, scenario: Scenario) -> Self {
        Self { source: Some(Source::Code(Box::new(scenario))), ..self }
    }

    /// Gives a data file that the scenario names, such as `"profiles.csv"`, as text; it is not looked for on disk.
    #[must_use]
    pub fn data(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.data.push((name.into(), text.into()));
        self
    }

    /// Gives the prosumers, once, in the place of the scenario's.
    #[must_use]
    pub fn population(mut self, population: Population) -> Self {
        self.populations.push(population);
        self
    }

    /// Changes whatever there is in the scenario, before anything is set; but not what is varied.
    #[must_use]
    pub fn edit(mut self, edit: impl FnOnce(&mut Scenario) + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Sets a knob or any field by its path, once, as `--set` does: `set("mu", 1.0)`, `set("delay", "200ms")`,
    /// `set("market.feed_in_tariff", 0.3)`.
    #[must_use]
    pub fn set(self, name: &str, value: impl Display) -> Self {
        self.vary(name, [value])
    }

    /// Varies a knob or a field: one case for each combination of what is varied.
    #[must_use]
    pub fn vary(mut self, name: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        self.set.push((name.to_owned(), values.into_iter().map(|value| value.to_string()).collect()));
        self
    }

    /// Changes the scenario as the command line's `--seed` and `--set` do; errors show these.
    #[must_use]
    pub fn overrides(self, overrides: Overrides) -> Self {
        Self { overrides, ..self }
    }

    /// Sets the seed of everything random.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.set("seed", seed)
    }

    /// Has all sellers move their prices by this rule.
    #[must_use]
    pub fn pricing(self, rule: impl PricingRule + 'static) -> Self {
        self.rule(Whose::Everybody, Rule::Pricing(Box::new(rule)))
    }

    /// Has the prosumers with these numbers move their prices by this rule, whenever they sell. Each has a copy of its
    /// own. Of several rules for one prosumer, the last one counts.
    #[must_use]
    pub fn pricing_of(self, prosumers: impl IntoIterator<Item = u32>, rule: impl PricingRule + 'static) -> Self {
        self.rule(Whose::These(prosumers.into_iter().collect()), Rule::Pricing(Box::new(rule)))
    }

    /// Has all buyers move their shares by this rule.
    #[must_use]
    pub fn choice(self, rule: impl ChoiceRule + 'static) -> Self {
        self.rule(Whose::Everybody, Rule::Choice(Box::new(rule)))
    }

    /// Has the prosumers with these numbers move their shares by this rule, whenever they buy. Each has a copy of its
    /// own. Of several rules for one prosumer, the last one counts.
    #[must_use]
    pub fn choice_of(self, prosumers: impl IntoIterator<Item = u32>, rule: impl ChoiceRule + 'static) -> Self {
        self.rule(Whose::These(prosumers.into_iter().collect()), Rule::Choice(Box::new(rule)))
    }

    fn rule(mut self, whose: Whose, rule: Rule) -> Self {
        self.custom.rules.push((whose, rule));
        self
    }

    /// Has messages travel by this rule.
    #[must_use]
    pub fn network(mut self, carrier: impl Carrier + 'static) -> Self {
        self.custom.carrier = Some(Arc::new(carrier));
        self
    }

    /// Shows all that is observed to `show`, with the number of the case, in the order (time, actor, sequence) within a
    /// case. Cases that run side by side call it at the same time. It cannot change the run.
    #[must_use]
    pub fn observe(mut self, show: impl Fn(u32, &Observed) + Send + Sync + 'static) -> Self {
        self.custom.observer = Some(Observer::new(show));
        self
    }

    /// Tells `show` how far the simulation has come, of how many cases and slots: at the start and after every slot and
    /// case.
    #[must_use]
    pub fn progress(mut self, show: impl FnMut(Progress) + Send + 'static) -> Self {
        self.listener = Some(Listener(Arc::new(Mutex::new(show))));
        self
    }

    /// Ends the simulation early, as soon as somebody sets this flag: with
    /// [`StudyError::Interrupted`](crate::study::StudyError::Interrupted). A run in a folder can be
    /// [resumed](Simulation::resume).
    #[must_use]
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.options.interrupted = flag;
        self
    }

    /// Spreads the actors of a case so; changes how long a run takes, never its results. Chosen by their number if it is
    /// not given.
    #[must_use]
    pub fn shards(mut self, shards: Shards) -> Self {
        self.options.shards = Some(shards);
        self
    }

    /// Runs so many cases at a time; changes how long a study takes, never its results. Chosen by the number of cores if
    /// it is not given.
    #[must_use]
    pub fn jobs(mut self, jobs: NonZero<usize>) -> Self {
        self.options.jobs = Some(jobs);
        self
    }

    /// Writes the large tables of a run's folder in this format; CSV if it is not given.
    #[must_use]
    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Reads the scenario and checks everything.
    ///
    /// # Errors
    /// The first mistake in the scenario or in what was set, with its place if it has one in a text; or a rule for
    /// somebody who does not take part.
    pub fn build(self) -> Result<Simulation, SimulationError> {
        let Self { source, data, populations, edits, overrides, set, custom, options, format, listener } = self;
        let mut draft = match source.ok_or(SimulationError::NoScenario)? {
            Source::File(path) => Draft::read(&path)?,
            Source::Ron(text) => Draft::ron(&text)?,
            Source::Code(scenario) => Draft::of(*scenario),
        };
        data.iter().for_each(|(name, text)| draft.give(name, text));
        populations.into_iter().try_for_each(|population| draft.populate(population))?;
        edits.into_iter().for_each(|edit| draft.edit(edit));
        draft.overrides(&overrides)?;
        set.into_iter().for_each(|(name, values)| draft.set(&name, values));
        let mut plan = draft.plan()?;
        plan.custom = custom;
        let named = plan.custom.rules.iter().filter_map(|(whose, _)| match whose {
            Whose::Everybody => None,
            Whose::These(numbers) => Some(numbers),
        });
        match named.flatten().find(|&&number| !plan.includes(number)) {
            Some(&number) => Err(SimulationError::NoProsumer(number)),
            None => Ok(Simulation { plan, options, format, listener }),
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

impl fmt::Debug for SimulationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, overrides, set, custom, options, format, .. } = self;
        let mut shown = f.debug_struct("SimulationBuilder");
        shown.field("source", source).field("overrides", overrides).field("set", set).field("custom", custom);
        shown.field("options", options).field("format", format).finish_non_exhaustive()
    }
}
