//! A market that Python plays slot by slot. The run waits on threads of its own for what the next slot brings.

use crate::{
    errors,
    rules::Raised,
    study::{BETWEEN_LOOKS, How, Source},
    table::Table,
};
use microgrid_sim::{
    Partner, SimulationError,
    agents::ids::Slot,
    record::{ClosedRows, Run},
    scenario::population::Reading,
};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
};

/// What the run has to say.
enum Event {
    /// Waits for what the next slot brings.
    Waits,
    Closed(Box<ClosedRows>),
    /// Is over.
    Ended(Box<Result<Run, SimulationError>>),
}

/// The run's end of it.
struct Outside {
    events: Sender<Event>,
    readings: Receiver<Vec<Reading>>,
    interrupted: Arc<AtomicBool>,
}

impl Partner for Outside {
    fn readings(&mut self, _: Slot) -> Result<Vec<Reading>, String> {
        // Whoever has gone away wants the run to end.
        let _ = self.events.send(Event::Waits);
        Ok(self.readings.recv().unwrap_or_else(|_| {
            self.interrupted.store(true, Ordering::Relaxed);
            Vec::new()
        }))
    }

    fn closed(&mut self, rows: ClosedRows) {
        let _ = self.events.send(Event::Closed(Box::new(rows)));
    }
}

/// A run that is played slot by slot.
#[pyclass(frozen, module = "microgrid_sim._core")]
pub(crate) struct Stepper {
    /// Taken while somebody waits for the run.
    state: Mutex<Option<State>>,
    interrupted: Arc<AtomicBool>,
    raised: Raised,
    currency: String,
}

struct State {
    readings: Option<Sender<Vec<Reading>>>,
    events: Receiver<Event>,
    folder: Option<PathBuf>,
}

/// A prosumer's number with its generation and load [kWh], where they are said.
type Said = (u32, Option<f64>, Option<f64>);

/// Where a closed slot stands, its prosumers and its trades.
type Tables = (Table, Table, Table);

#[pymethods]
impl Stepper {
    /// Begins a run below `out`, up to where the first slot waits for what it brings.
    #[new]
    #[pyo3(signature = (source, out, *, format, shards, owned))]
    fn new(
        py: Python<'_>,
        source: &Source,
        out: PathBuf,
        format: &str,
        shards: Option<String>,
        owned: Vec<(String, Option<Vec<u32>>, Py<PyAny>)>,
    ) -> PyResult<Self> {
        let how = How::new(py, format, None, Some(1), shards, owned)?;
        let (interrupted, raised) = (Arc::clone(&how.interrupted), how.raised.clone());
        let (events, heard) = mpsc::channel();
        let (said, readings) = mpsc::channel();
        let partner = Outside { events: events.clone(), readings, interrupted: Arc::clone(&interrupted) };
        let build = || how.on(source).partner(partner).build();
        let built = py.detach(build).map_err(|error| errors::simulation(py, &error, None))?;
        let currency = built.plan().scenario.market.currency.clone();
        thread::spawn(move || {
            let played = built.run_into(&out);
            drop(built);
            let _ = events.send(Event::Ended(Box::new(played)));
        });
        let state = Mutex::new(Some(State { readings: Some(said), events: heard, folder: None }));
        let stepper = Self { state, interrupted, raised, currency };
        stepper.with(py, |state| stepper.until_it_waits(py, state).map(drop))?;
        Ok(stepper)
    }

    /// Plays a slot with these readings.
    fn step(&self, py: Python<'_>, said: Vec<Said>) -> PyResult<Tables> {
        self.with(py, |state| {
            let over = || PyRuntimeError::new_err("the market is over: all of its slots were played, or it was closed");
            let readings = said.into_iter().map(|(number, generation, load)| Reading { number, generation, load });
            let sender = state.readings.as_ref().filter(|_| state.folder.is_none()).ok_or_else(over)?;
            sender.send(readings.collect()).map_err(|_| over())?;
            let rows = self.until_it_waits(py, state)?;
            let ClosedRows { slot, prosumers, trades, .. } = *rows.ok_or_else(over)?;
            let failed = |error| errors::record(py, &error);
            Ok((
                Table::of_rows([Ok(slot)].into_iter(), &self.currency).map_err(failed)?,
                Table::of_rows(prosumers.into_iter().map(Ok), &self.currency).map_err(failed)?,
                Table::of_rows(trades.into_iter().map(Ok), &self.currency).map_err(failed)?,
            ))
        })
    }

    /// Ends the run, early if slots are left; returns its folder.
    fn close(&self, py: Python<'_>) -> PyResult<Option<PathBuf>> {
        self.with(py, |state| {
            state.readings = None;
            while state.folder.is_none() {
                if let Event::Ended(played) = self.next(py, state)? {
                    state.folder = match *played {
                        Ok(run) => Some(run.own().folder().to_owned()),
                        Err(SimulationError::Ended { folder, .. }) => Some(folder),
                        Err(error) => return Err(errors::simulation(py, &error, self.raised.take())),
                    };
                }
            }
            Ok(state.folder.clone())
        })
    }
}

impl Stepper {
    /// Does something with the run while nobody else does.
    fn with<T>(&self, _: Python<'_>, work: impl FnOnce(&mut State) -> PyResult<T>) -> PyResult<T> {
        let taken = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut state = taken.ok_or_else(|| PyRuntimeError::new_err("another thread plays a slot of this market"))?;
        let done = work(&mut state);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        done
    }

    /// What has been closed when the run waits for the next slot, or is over.
    fn until_it_waits(&self, py: Python<'_>, state: &mut State) -> PyResult<Option<Box<ClosedRows>>> {
        let mut closed = None;
        loop {
            match self.next(py, state)? {
                Event::Waits => return Ok(closed),
                Event::Closed(rows) => closed = Some(rows),
                Event::Ended(played) => match *played {
                    Ok(run) => {
                        state.folder = Some(run.own().folder().to_owned());
                        return Ok(closed);
                    }
                    Err(error) => {
                        if let SimulationError::Ended { folder, .. } = &error {
                            state.folder = Some(folder.clone());
                        }
                        return Err(errors::simulation(py, &error, self.raised.take()));
                    }
                },
            }
        }
    }

    /// What the run says next. A signal ends the run.
    fn next(&self, py: Python<'_>, state: &mut State) -> PyResult<Event> {
        let events = Mutex::new(&mut state.events);
        loop {
            let heard = py.detach(|| events.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(BETWEEN_LOOKS));
            match heard {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => py.check_signals().inspect_err(|_| {
                    self.interrupted.store(true, Ordering::Relaxed);
                })?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the market has ended without a word"));
                }
            }
        }
    }
}
