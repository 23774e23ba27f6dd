//! Several cases at a time, each on a thread of its own and into a folder of its own.
//!
//! The threads take the cases in the order of their numbers; the thread that started them takes each into the run's
//! tables as soon as all before it are there. When a case fails no other is begun, but those under way are played to
//! their end: they are of use to whoever resumes the run, and the first case that fails is the same with any number of
//! threads.

use super::{Done, Options, StudyError, reporter::Reporter};
use crate::{
    record::{CaseFolders, Recorder},
    runtime::Shards,
    scenario::{LastPopulation, Plan},
    simulation::simulate,
};
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{self, Sender},
    },
    thread,
};

/// What a thread has to say.
enum News {
    /// So many slots have been closed.
    Slots(u64),
    /// A case of so many slots was complete before.
    Kept(u32),
    /// The case is complete.
    Complete,
    /// A case could not be completed.
    Failed(u32, StudyError),
}

/// What the threads share.
struct Shared<'a> {
    plan: &'a Plan,
    options: &'a Options,
    folders: CaseFolders,
    drawn: LastPopulation,
    /// Number of the next case that nobody has taken.
    next: AtomicU32,
    /// Whether a case has failed, so that none is to be begun.
    failed: AtomicBool,
}

/// Runs the cases of a plan that the recorder does not have yet on `jobs` threads.
pub(super) fn run(
    plan: &Plan,
    mut recorder: Recorder,
    options: &Options,
    jobs: usize,
    mut tell: impl FnMut(Done),
) -> (Recorder, Result<(), StudyError>) {
    let shared = Shared {
        plan,
        options,
        folders: recorder.folders(),
        drawn: LastPopulation::default(),
        next: AtomicU32::new(recorder.done() + 1),
        failed: AtomicBool::new(false),
    };
    let mut first_failure: Option<(u32, StudyError)> = None;
    let mut half_written = false;
    thread::scope(|scope| {
        let (sender, news) = mpsc::channel();
        for _ in 0..jobs {
            let (sender, shared) = (sender.clone(), &shared);
            scope.spawn(move || shared.play(&sender));
        }
        drop(sender);
        for news in news {
            let done = match news {
                News::Slots(slots) => Done::slots(slots),
                News::Kept(slots) => Done::kept(1, slots),
                News::Complete => Done::CASE,
                News::Failed(..) => Done::default(),
            };
            tell(done);
            let taken_in = match news {
                News::Slots(_) => continue,
                News::Kept(_) | News::Complete => {
                    // What could not be written once may be half written: nothing goes behind it.
                    let taken_in = if half_written { Ok(()) } else { take_in(&mut recorder) };
                    half_written |= taken_in.is_err();
                    taken_in
                }
                News::Failed(case, error) => Err((case, error)),
            };
            if let Err(failure) = taken_in {
                shared.failed.store(true, Ordering::Relaxed);
                first_failure = first_failure.take().into_iter().chain([failure]).min_by_key(rank);
            }
        }
    });
    (recorder, first_failure.map_or(Ok(()), |(_, error)| Err(error)))
}

/// Takes all cases that come next and are complete into the run's tables.
fn take_in(recorder: &mut Recorder) -> Result<(), (u32, StudyError)> {
    while recorder.take_in().map_err(|error| (recorder.done() + 1, error.into()))? {}
    Ok(())
}

/// What ended a study rather than what followed from that: a failure before an interruption, the first case first.
fn rank((case, error): &(u32, StudyError)) -> (bool, u32) {
    (matches!(error, StudyError::Interrupted), *case)
}

impl Shared<'_> {
    /// Plays one case after the other until there are no more, or one has failed.
    fn play(&self, news: &Sender<News>) {
        // Nobody listens only if the study has been given up.
        let tell = |what| drop(news.send(what));
        while !self.failed.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number > self.plan.case_count() {
                return;
            }
            if self.folders.is_complete(number) {
                tell(News::Kept(self.plan.scenario.market.slots));
                continue;
            }
            if self.options.interrupted.load(Ordering::Relaxed) {
                return tell(News::Failed(number, StudyError::Interrupted));
            }
            match self.play_case(number, news) {
                Ok(()) => tell(News::Complete),
                Err(error) => return tell(News::Failed(number, error)),
            }
        }
    }

    fn play_case(&self, number: u32, news: &Sender<News>) -> Result<(), StudyError> {
        let case = self.plan.case(number, &self.drawn);
        let recorder = self.folders.begin(&case)?;
        let news = news.clone();
        let tell = move |done: Done| drop(news.send(News::Slots(done.slots)));
        let reporter = Reporter::new(&case, recorder, tell);
        let shards = self.options.shards.unwrap_or_else(|| Shards::beside_others(case.population.prosumers.len() + 2));
        let (reporter, result) = simulate(&case, Some(shards), &self.options.interrupted, reporter);
        result.map_err(|source| StudyError::of(number, source))?;
        Ok(reporter.into_parts().0.end()?)
    }
}
