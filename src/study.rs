//! All cases of a plan, recorded in a run's folder or in memory: as many at a time as there are jobs, each on a thread of
//! its own.
//!
//! The threads take the cases in the order of their numbers; who has ended a case has it taken in. When a case fails no
//! other is begun, but those under way are played to their end: they are of use to whoever resumes the run, and the first
//! case that fails is the same with any number of jobs.

use crate::{
    ranks::Ranks,
    record::{CaseRecorder, CaseStore, ClosedRows, RecordError},
    runtime::{RuntimeError, Shards, Traffic, WatchError, Watcher, caught},
    scenario::{
        Case, LastPopulation, Plan,
        population::{Population, Reading},
        schema::{Clock, Scenario},
    },
    simulation::{simulate_among, simulate_days},
};
use microgrid_agents::{
    actor::MarketProtocol,
    debug_as_display,
    ids::{ProsumerId, Slot},
    ledger::Durability,
    message::SlotOpened,
    observation::{Observation, Observed, Refused},
    statement::Tariff,
};
use rayon::ThreadPoolBuilder;
use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

/// How to run a study.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the actors of a case are spread; chosen by their number if `None`.
    pub shards: Option<Shards>,
    /// How many cases run at a time; chosen by [`suitable_jobs`] if `None`. Where there are fewer cases, so many of their
    /// days, if nothing links these. Changes how long a study takes, never its results.
    pub jobs: Option<NonZero<usize>>,
    /// The ranks that play all cases together, one after the other, if there are several.
    pub ranks: Option<Ranks>,
    /// Set from outside to end the study early.
    pub interrupted: Arc<AtomicBool>,
    /// Who says what each slot brings, if somebody does.
    pub partner: Option<Shared>,
}

/// Somebody who takes part in a study from outside: another simulator, or a person. It is asked by one thread at a time.
pub trait Partner: Send {
    /// What a slot brings, which begins once this returns. Whoever is left out has what the scenario says.
    ///
    /// # Errors
    /// An error ends the study, as one of the case.
    fn readings(&mut self, slot: Slot) -> Result<Vec<Reading>, String>;

    /// Shows what has become of a slot.
    fn closed(&mut self, rows: ClosedRows);
}

/// A [`Partner`] of the only case of a study.
#[derive(Clone)]
pub struct Shared {
    partner: Arc<Mutex<dyn Partner>>,
    /// The population with all that has been said.
    played: Arc<OnceLock<Arc<Population>>>,
}

impl Shared {
    pub(crate) fn new(partner: impl Partner + 'static) -> Self {
        Self { partner: Arc::new(Mutex::new(partner)), played: Arc::default() }
    }

    /// The population with all that has been said, once the case has begun.
    pub(crate) fn played(&self) -> Option<&Population> {
        self.played.get().map(|population| &**population)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Partner")
    }
}

/// A partner in a case.
struct Joined {
    partner: Shared,
    population: Arc<Population>,
    /// How many slots there are.
    slots: Slot,
}

impl Joined {
    /// Has it said what a slot brings, unless that is beyond the last.
    fn ask(&self, slot: Slot) -> Result<(), String> {
        if slot > self.slots {
            return Ok(());
        }
        let readings = lock(&self.partner.partner).readings(slot)?;
        self.population.say(slot, &readings)
    }
}

/// How far a study has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many cases are complete.
    pub cases_done: u32,
    /// Number of cases.
    pub cases: u32,
    /// How many slots have been closed, in all cases together.
    pub slots_done: u64,
    /// Number of slots of all cases.
    pub slots: u64,
    /// How many of the closed slots a resumed study had from before, so that they say nothing about its speed.
    pub slots_kept: u64,
}

/// Why a study ended early.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// Somebody asked for it.
    #[error("interrupted")]
    Interrupted,
    /// A case could not be run to its end.
    #[error("case {case}: {source}")]
    Case {
        /// Which case.
        case: u32,
        /// Why.
        source: RuntimeError,
    },
    /// Something panicked outside of the simulation: a rule that is asked before it begins, or whoever is told of progress.
    #[error("case {case}: something panicked: {why}")]
    Panicked {
        /// In which case.
        case: u32,
        /// Why, and where in the source.
        why: String,
    },
    /// Results could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

debug_as_display!(StudyError);

/// More cases at a time than this have no machine to run on, but every one takes a thread.
const MOST_JOBS: usize = 128;

/// How many cases of a plan are best run at a time: one a core, but one after the other where there are no more than
/// two, where a case itself takes several threads, where every block waits for the disk, by the wall clock, and in
/// rayon's pool, whose other threads have work of their own.
pub fn suitable_jobs(plan: &Plan, shards: Option<Shards>) -> NonZero<usize> {
    let Scenario { ledger, clock, .. } = &plan.scenario;
    let (_, largest) = plan.population_sizes();
    // Beside the prosumers there are the ledger and the grid.
    let shards = shards.unwrap_or_else(|| Shards::beside_others(largest + 2));
    let alone = shards.threads(largest + 2) > 1 || ledger.durability == Durability::Block || *clock != Clock::Virtual;
    if plan.numbers().count() <= 2 || alone || in_pool() {
        return NonZero::<usize>::MIN;
    }
    cores()
}

/// How many days of a case are best played at a time, where nothing links them, in a study of so many cases at a time: those
/// that are left of the jobs or, without a number of these, of the cores.
fn suitable_days(plan: &Plan, options: &Options, cases: usize) -> usize {
    if in_pool() {
        return 1;
    }
    let (_, largest) = plan.population_sizes();
    let threads = || options.shards.map_or(1, |shards| shards.threads(largest + 2));
    let left = options.jobs.map_or_else(|| cores().get() / threads(), NonZero::get) / cases;
    left.clamp(1, MOST_JOBS)
}

fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Whether this thread is one of rayon's.
fn in_pool() -> bool {
    rayon::current_thread_index().is_some()
}

/// Runs all cases of a plan, or of its part, that the store does not have yet, and has them taken in; gives the store back with the outcome,
/// so that it can be finished either way. `progress` is called at the start and after every slot and case.
pub fn run<S: CaseStore>(
    plan: &Plan,
    store: S,
    options: &Options,
    mut progress: impl FnMut(Progress) + Send + 'static,
) -> (S, Result<(), StudyError>) {
    let (numbers, slots) = (plan.numbers(), plan.scenario.market.slots);
    let cases = numbers.clone().count() as u32;
    let kept = numbers.clone().filter(|&case| store.has(case)).count() as u32;
    let of = |cases: u32| u64::from(cases) * u64::from(slots);
    let slots_kept = of(kept) + u64::from(store.under_way());
    let mut at = Progress { cases_done: kept, cases, slots_done: slots_kept, slots: of(cases), slots_kept };
    let mut tell = move |cases, slots| {
        at.cases_done += cases;
        at.slots_done += slots;
        progress(at);
    };
    tell(0, 0);
    let jobs = match options.ranks {
        Some(_) => 1,
        None => options.jobs.unwrap_or_else(|| suitable_jobs(plan, options.shards)).get(),
    };
    let jobs = jobs.min(cases as usize).min(MOST_JOBS);
    let study = Study {
        plan,
        options,
        beside_others: jobs > 1 || in_pool(),
        days: suitable_days(plan, options, jobs),
        store: Mutex::new(store),
        next: AtomicU32::new(*numbers.start()),
        last: *numbers.end(),
        drawn: LastPopulation::default(),
        failures: Mutex::new(Vec::new()),
        tell: Arc::new(Mutex::new(tell)),
    };
    // A case asks rayon's pool for work: where this thread of it waits for the case, it needs another.
    let own_pool = || ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
    let play: &(dyn Fn() + Sync) = if in_pool() { &|| own_pool().install(|| study.play()) } else { &|| study.play() };
    thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(play))));
    let store = study.store.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failures = study.failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What ended the study rather than what followed from that.
    let rank = |(case, error): &(u32, StudyError)| (matches!(error, StudyError::Interrupted), *case);
    (store, failures.into_iter().min_by_key(rank).map_or(Ok(()), |(_, error)| Err(error)))
}

/// Plays what rank 0 says, which [runs](run) the same plan, until it has nothing more to play.
pub fn follow(plan: &Plan, ranks: &Ranks, interrupted: &Arc<AtomicBool>) {
    let drawn = LastPopulation::default();
    ranks.follow(|(case, day), exchange| {
        // How it has ended is rank 0's to tell.
        let _ = simulate_among(&plan.case(case, &drawn), day, exchange, interrupted, Nobody);
    });
}

/// Watches where rank 0 does.
struct Nobody;

impl Watcher<MarketProtocol> for Nobody {
    fn window(&mut self, _: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        Ok(())
    }
}

/// What the threads share.
struct Study<'a, S, T> {
    plan: &'a Plan,
    options: &'a Options,
    /// Whether other cases have the machine too.
    beside_others: bool,
    /// How many days of a case are played at a time, where nothing links them.
    days: usize,
    store: Mutex<S>,
    /// Number of the next case that nobody has taken.
    next: AtomicU32,
    /// Number of the last case.
    last: u32,
    drawn: LastPopulation,
    /// The cases that have failed.
    failures: Mutex<Vec<(u32, StudyError)>>,
    /// Tells that so many more cases and slots are done.
    tell: Arc<Mutex<T>>,
}

impl<S: CaseStore, T: FnMut(u32, u64) + Send + 'static> Study<'_, S, T> {
    /// What a thread does: plays one case after the other until there are no more, or one has failed.
    fn play(&self) {
        while lock(&self.failures).is_empty() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number > self.last {
                return;
            }
            if lock(&self.store).has(number) {
                continue;
            }
            let panicked = |why| Err(StudyError::Panicked { case: number, why });
            if let Err(error) = caught(|| self.play_case(number)).unwrap_or_else(panicked) {
                lock(&self.failures).push((number, error));
            }
        }
    }

    fn play_case(&self, number: u32) -> Result<(), StudyError> {
        if self.options.interrupted.load(Ordering::Relaxed) {
            return Err(StudyError::Interrupted);
        }
        let mut case = self.plan.case(number, &self.drawn);
        if let Some(partner) = &self.options.partner {
            case.population = Arc::clone(partner.played.get_or_init(|| Arc::new(case.population.live())));
        }
        tracing::info!(case = number, seed = case.seed, knobs = ?case.knobs, "case begins");
        let beside_others = || Shards::beside_others(case.population.prosumers.len() + 2);
        let shards = self.options.shards.or_else(|| self.beside_others.then(beside_others));
        let joined = || {
            let partner = self.options.partner.clone()?;
            Some(Joined { partner, population: Arc::clone(&case.population), slots: case.scenario.market.slots })
        };
        let play = |recorder| {
            let reporter = Reporter { recorder, case: case.clone(), tell: Arc::clone(&self.tell), joined: joined() };
            let (Reporter { recorder, .. }, result) = simulate_days(
                &case,
                shards,
                self.days,
                self.options.ranks.as_ref(),
                &self.options.interrupted,
                reporter,
            );
            (recorder, result)
        };
        let mut begun = lock(&self.store).begin(&case)?;
        if let Some(joined) = joined() {
            begun.show_closed();
            let failed = |why: String| StudyError::Case { case: number, source: RuntimeError::Watcher(why.into()) };
            joined.ask(1).map_err(failed)?;
        }
        let (mut recorder, mut result) = play(begun);
        if let Err(RuntimeError::Snapshot(why)) = result {
            tracing::warn!(case = number, %why, "the case begins anew");
            let again = lock(&self.store).start_over(recorder)?;
            (recorder, result) = play(again);
        }
        let result = match result {
            Ok(()) => recorder.end().map_err(StudyError::from),
            Err(RuntimeError::Interrupted) => Err(StudyError::Interrupted),
            Err(source) => Err(StudyError::Case { case: number, source }),
        };
        let taken_in = lock(&self.store).take_in(recorder);
        result?;
        (*lock(&self.tell))(1, 0);
        Ok(taken_in?)
    }
}

/// Locks what a thread may have left behind when it panicked, which ends the study anyway.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches a case: has it recorded, tells how far it has come, and logs what happens.
struct Reporter<T> {
    recorder: CaseRecorder,
    case: Case,
    tell: Arc<Mutex<T>>,
    joined: Option<Joined>,
}

impl<T: FnMut(u32, u64) + Send> Watcher<MarketProtocol> for Reporter<T> {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        let Case { number, population, custom, .. } = &self.case;
        let closed = observed.iter().filter(|observed| matches!(observed.what, Observation::SlotClosed(_))).count();
        observed.iter().for_each(|observed| log(*number, population, observed));
        if let Some(observer) = &custom.observer {
            observed.iter().for_each(|observed| observer.show(*number, observed));
        }
        self.recorder.window(observed, traffic)?;
        if let Some(joined) = &self.joined
            && let Some(rows) = self.recorder.take_closed()
        {
            let next = rows.slot.slot + 1;
            lock(&joined.partner.partner).closed(rows);
            joined.ask(next)?;
        }
        if closed > 0 {
            (*lock(&self.tell))(0, closed as u64);
        }
        Ok(())
    }

    fn snapshots_every(&self) -> Option<Duration> {
        self.recorder.snapshots_every()
    }

    fn keep(&mut self, snapshot: Vec<u8>) -> Result<(), WatchError> {
        self.recorder.keep(snapshot)
    }

    fn resumes_from(&mut self) -> Option<Vec<u8>> {
        self.recorder.resumes_from()
    }
}

/// Tells whoever reads the log what happens in a case.
fn log(case: u32, population: &Population, Observed { time, what, .. }: &Observed) {
    match what {
        Observation::SlotOpened(SlotOpened { tariff, market_open, .. }) => {
            let Tariff { slot, feed_in, grid, .. } = &**tariff;
            tracing::debug!(case, slot, %time, feed_in, grid, market_open, "slot opened");
        }
        Observation::MarketOpened(market) => {
            let (sellers, buyers) = (market.sellers.len(), market.buyers.len());
            tracing::debug!(case, slot = market.slot, %time, sellers, buyers, "market opened");
        }
        Observation::GameOver(game) => {
            tracing::info!(case, slot = game.slot, %time, outcome = ?game.outcome, rounds = game.rounds, "game over");
        }
        Observation::Refused(Refused { slot, from, refusal, channel, on_chain }) => {
            let prosumer = ProsumerId::of(*from).map(|from| population.prosumers[from.index()].number);
            tracing::debug!(case, slot, %time, prosumer, channel = channel.name(), on_chain, %refusal, "refused");
        }
        Observation::SlotClosed(slot) => tracing::debug!(case, slot, %time, "slot closed"),
        Observation::Committed(commit) => {
            tracing::trace!(case, slot = commit.state.slot, %time, number = commit.state.number, "market shown");
        }
        Observation::Sealed(block) => {
            let (channel, number) = (block.header.channel.name(), block.header.number);
            tracing::trace!(case, %time, channel, number, transactions = block.transactions.len(), "block committed");
        }
        _ => {}
    }
}
