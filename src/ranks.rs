//! Processes that run a study together: rank 0 runs it as one process would, but for the cases, which it plays with all ranks;
//! the others play what it tells them.

use crate::runtime::{
    caught,
    ranks::{Exchange, Line},
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// This rank among all that run a study together.
#[derive(Clone)]
pub struct Ranks(Arc<Mutex<dyn Exchange>>);

/// What is played together: a case, or one of its days where these are simulations of their own.
pub(crate) type Played = (u32, Option<u32>);

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Ranks {
    /// The rank that reaches the others so.
    pub fn new(exchange: impl Exchange + 'static) -> Self {
        Self(Arc::new(Mutex::new(exchange)))
    }

    fn lock(&self) -> MutexGuard<'_, dyn Exchange + 'static> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is rank 0, which has the results.
    pub fn is_first(&self) -> bool {
        self.lock().rank() == 0
    }

    /// What all ranks say, in their order.
    pub fn all(&self, mine: String) -> Vec<String> {
        Line::new(&mut *self.lock()).all(mine)
    }

    /// What rank 0 says.
    pub fn of_first(&self, mine: u8) -> u8 {
        Line::new(&mut *self.lock()).of_first(mine)
    }

    /// Ends all ranks at once, with a message.
    pub fn abort(&self, why: &str) -> ! {
        self.lock().abort(why)
    }

    /// Rank 0: plays something with all ranks, at which each is given the way to the others.
    pub(crate) fn play<T>(&self, what: Played, play: impl FnOnce(&mut dyn Exchange) -> T) -> T {
        let mut exchange = self.lock();
        Line::new(&mut *exchange).of_first(Some(what));
        played(&mut *exchange, play)
    }

    /// The others: play what rank 0 tells them, until it dismisses them.
    pub(crate) fn follow(&self, play: impl Fn(Played, &mut dyn Exchange)) {
        let mut exchange = self.lock();
        while let Some(what) = Line::new(&mut *exchange).of_first(None) {
            played(&mut *exchange, |exchange| play(what, exchange));
        }
    }

    /// Rank 0: tells the others that there is nothing more to play.
    pub fn dismiss(&self) {
        Line::new(&mut *self.lock()).of_first(None::<Played>);
    }
}

/// Plays with the others, who would wait for one that panics.
fn played<T>(exchange: &mut dyn Exchange, play: impl FnOnce(&mut dyn Exchange) -> T) -> T {
    caught(|| play(exchange)).unwrap_or_else(|why| {
        let rank = exchange.rank();
        exchange.abort(&format!("rank {rank} panicked: {why}"))
    })
}
