//! Studies as Python asks for them: played on another thread, while Python waits and listens for signals.

use crate::{
    errors, frame,
    rules::{Given, Raised},
};
use microgrid_sim::{
    Progress, Simulation, SimulationBuilder, SimulationError,
    record::{Format, Run},
    runtime::Shards,
    scenario::{LastPopulation, Part, Plan},
};
use pyo3::{exceptions::PyValueError, prelude::*};
use pyo3_arrow::input::AnyRecordBatch;
use std::{
    fmt::Display,
    num::NonZero,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// How often Python is asked whether it wants to go on.
pub(crate) const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Where a scenario comes from: a file or a text, with the data files that are given with it.
#[pyclass(module = "microgrid_sim._core")]
#[derive(Clone, Debug)]
pub(crate) struct Source {
    file: Option<PathBuf>,
    text: Option<String>,
    data: Vec<(String, String)>,
    settings: Vec<(String, Vec<String>)>,
}

#[pymethods]
impl Source {
    #[new]
    #[pyo3(signature = (*, file=None, text=None))]
    fn new(file: Option<PathBuf>, text: Option<String>) -> Self {
        Self { file, text, data: Vec::new(), settings: Vec::new() }
    }

    /// Gives a data file as text.
    fn give(&mut self, name: String, text: String) {
        self.data.retain(|(known, _)| *known != name);
        self.data.push((name, text));
    }

    /// Gives a data file as a frame that speaks Arrow.
    fn give_frame(&mut self, name: String, frame: AnyRecordBatch) -> PyResult<()> {
        self.give(name, frame::csv(frame)?);
        Ok(())
    }

    /// Sets a knob or a field, as `--set` does; several values vary it.
    fn set(&mut self, name: String, values: Vec<String>) {
        self.settings.push((name, values));
    }

    fn copy(&self) -> Self {
        self.clone()
    }

    /// The scenario as a run would keep it, with all that is set in it; and what it says in vain.
    fn resolved(&self, py: Python<'_>) -> PyResult<(String, Vec<String>)> {
        let plan = self.plan(py)?;
        let warnings = plan.warnings.iter().map(ToString::to_string).collect();
        Ok((plan.resolved_ron(), warnings))
    }

    /// How many slots the scenario has, and the numbers of its prosumers, in its first case.
    fn shape(&self, py: Python<'_>) -> PyResult<(u32, Vec<u32>)> {
        let plan = self.plan(py)?;
        let numbers = py.detach(|| {
            let case = plan.case(1, &LastPopulation::default());
            case.population.prosumers.iter().map(|member| member.number).collect()
        });
        Ok((plan.scenario.market.slots, numbers))
    }

    /// The data files, as they were given.
    #[getter]
    fn data(&self) -> Vec<(String, String)> {
        self.data.clone()
    }
}

impl Source {
    pub(crate) fn builder(&self) -> SimulationBuilder {
        let mut builder = Simulation::builder();
        if let Some(file) = &self.file {
            builder = builder.file(file);
        }
        if let Some(text) = &self.text {
            builder = builder.ron(text);
        }
        let builder = self.data.iter().fold(builder, |builder, (name, text)| builder.data(name, text));
        self.settings.iter().fold(builder, |builder, (name, values)| builder.vary(name, values))
    }

    pub(crate) fn plan(&self, py: Python<'_>) -> PyResult<Plan> {
        let built = py.detach(|| self.builder().build().map(|simulation| simulation.plan().clone()));
        built.map_err(|error| errors::simulation(py, &error, None))
    }
}

/// What a text of an argument means.
fn read<T: FromStr<Err: Display>>(argument: &str, text: &str) -> PyResult<T> {
    text.parse().map_err(|error| PyValueError::new_err(format!("{argument}: {error}")))
}

/// How a study is run.
pub(crate) struct How {
    format: Format,
    part: Option<Part>,
    jobs: Option<NonZero<usize>>,
    shards: Option<Shards>,
    owned: Vec<Given>,
    /// What a rule raises.
    pub(crate) raised: Raised,
    /// Set to end it early.
    pub(crate) interrupted: Arc<AtomicBool>,
}

impl How {
    pub(crate) fn new(
        py: Python<'_>,
        format: &str,
        part: Option<String>,
        jobs: Option<usize>,
        shards: Option<String>,
        owned: Vec<(String, Option<Vec<u32>>, Py<PyAny>)>,
    ) -> PyResult<Self> {
        let format = match format {
            "csv" => Format::Csv,
            "parquet" => Format::Parquet,
            other => {
                let why = format!("format: expected \"csv\" or \"parquet\", found {other:?}");
                return Err(PyValueError::new_err(why));
            }
        };
        let part = part.map(|part| read("part", &part)).transpose()?;
        let shards = shards.map(|shards| read("shards", &shards)).transpose()?;
        let jobs = jobs.map(|jobs| NonZero::new(jobs).ok_or_else(|| PyValueError::new_err("jobs: expected 1 or more")));
        let raised = Raised::default();
        let given = |(class, whose, rule): (String, _, Py<PyAny>)| Given::new(&class, whose, rule.bind(py), &raised);
        let owned = owned.into_iter().map(given).collect::<PyResult<_>>()?;
        Ok(Self { format, part, jobs: jobs.transpose()?, shards, owned, raised, interrupted: Arc::default() })
    }

    /// The study of this source, run so.
    pub(crate) fn on(self, source: &Source) -> SimulationBuilder {
        let builder = source.builder().format(self.format).interrupt(self.interrupted);
        let builder = self.part.into_iter().fold(builder, SimulationBuilder::part);
        let builder = self.shards.into_iter().fold(builder, SimulationBuilder::shards);
        let builder = self.jobs.into_iter().fold(builder, SimulationBuilder::jobs);
        self.owned.into_iter().fold(builder, |builder, rule| rule.to(builder))
    }
}

/// How far a study has come, and who wants to know.
struct Shown<'py> {
    latest: Arc<Mutex<Option<Progress>>>,
    tell: Option<Bound<'py, PyAny>>,
}

impl Shown<'_> {
    fn show(&self) -> PyResult<()> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (&self.tell, latest) {
            (Some(tell), Some(Progress { cases_done, cases, slots_done, slots, slots_kept, .. })) => {
                tell.call1((cases_done, cases, slots_done, slots, slots_kept)).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Plays a study into a new folder below `out`, or goes on with the newest there to `resume` it, or with the run that has `begun`
/// in `out` itself; returns the run's folder.
/// `owned` are rules: which kind, whose, and the rule. `tell` is called with cases done, cases, slots done, slots, and slots
/// that were there before.
#[pyfunction]
#[pyo3(signature = (source, out, *, format, part, jobs, shards, resume, begun, owned, tell))]
#[expect(clippy::too_many_arguments, reason = "each is one of the Python function, by its name")]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    source: &Source,
    out: PathBuf,
    format: &str,
    part: Option<String>,
    jobs: Option<usize>,
    shards: Option<String>,
    resume: bool,
    begun: bool,
    owned: Vec<(String, Option<Vec<u32>>, Py<PyAny>)>,
    tell: Option<Bound<'py, PyAny>>,
) -> PyResult<PathBuf> {
    let how = How::new(py, format, part, jobs, shards, owned)?;
    let (interrupted, raised, latest) = (Arc::clone(&how.interrupted), how.raised.clone(), Arc::new(Mutex::new(None)));
    let shown = Shown { latest: Arc::clone(&latest), tell };
    let told = move |progress| *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    let build = || how.on(source).progress(told).build();
    let built = py.detach(build).map_err(|error| errors::simulation(py, &error, None))?;
    let (sender, receiver) = mpsc::channel();
    let player = thread::spawn(move || {
        let played = match (begun, resume) {
            (true, _) => built.resume(&out),
            (false, true) => built.resume_or_run_into(&out),
            (false, false) => built.run_into(&out),
        };
        // Rules are given back before anybody is told that it is over.
        drop(built);
        // Whoever has asked waits.
        let _ = sender.send(played);
    });
    let receiver = Mutex::new(receiver);
    let mut wish: PyResult<()> = Ok(());
    let played: Result<Run, SimulationError> = loop {
        let next = py.detach(|| receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(BETWEEN_LOOKS));
        match next {
            Ok(played) => break played,
            Err(RecvTimeoutError::Disconnected) => {
                py.detach(|| player.join()).map_err(|_| PyValueError::new_err("the simulator panicked"))?;
                return Err(PyValueError::new_err("the simulator has ended without a word"));
            }
            Err(RecvTimeoutError::Timeout) if wish.is_ok() => {
                wish = py.check_signals().and_then(|()| shown.show());
                interrupted.store(wish.is_err(), Ordering::Relaxed);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    match played {
        Ok(run) => {
            // It may have come to its end all the same.
            wish.and_then(|()| shown.show())?;
            Ok(run.own().folder().to_owned())
        }
        Err(error) => {
            let cause = raised.take();
            let error = errors::simulation(py, &error, cause);
            if let Err(wish) = wish {
                let value = wish.value(py);
                value.call_method1("add_note", (error.value(py).to_string(),))?;
                return Err(wish);
            }
            Err(error)
        }
    }
}
