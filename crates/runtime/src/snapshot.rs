//! Snapshots: all that a run in virtual time needs to go on from a quiet moment, as bytes.
//!
//! A moment is quiet if no message is on its way: all that is still to happen are wake-ups and ends of crashes. What the
//! actors know of each other's doings they have taken in then, so that the state of the run is that of each actor by itself
//! and what these have asked of their hosts. Whether it is quiet follows from one number, the latest moment at which any
//! message sent so far arrives: nothing has to be counted or looked for.
//!
//! A snapshot is the same whatever the shards, and may be taken up by any number of them.

use super::event::{Event, Moment, What};
use actix::Message;
use microgrid_actor::{
    Actor, ActorId, Protocol, Stream, Time,
    saved::{Unreadable, from_bytes, to_bytes},
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// One of our actors with what is kept for it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct SavedActor<P: Protocol> {
    pub(super) own: Vec<u8>,
    pub(super) behaviour: Stream,
    pub(super) network: Stream,
    pub(super) sequence: u64,
    pub(super) restarts: u32,
    pub(super) overdue: Vec<P::Wake>,
}

/// Something that is still to happen to an actor, by its own doing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct SavedEvent<P: Protocol> {
    time: Time,
    wave: u32,
    actor: ActorId,
    sequence: u64,
    what: SavedWhat<P>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
enum SavedWhat<P: Protocol> {
    Wake(P::Wake, u32),
    Restart,
    Resume,
}

impl<P: Protocol> SavedEvent<P> {
    /// The same as an event that others have no part in; `None` of any other.
    pub(super) fn of(event: &Event<P>) -> Option<Self> {
        let what = match event.what {
            What::Wake(wake, restarts) => SavedWhat::Wake(wake, restarts),
            What::Restart => SavedWhat::Restart,
            What::Resume => SavedWhat::Resume,
            What::Start | What::Message(_) | What::Broadcast(_) => return None,
        };
        let Event { time, wave, sender, sequence, .. } = *event;
        (event.to == sender).then_some(Self { time, wave, actor: sender, sequence, what })
    }

    pub(super) fn event(self) -> Event<P> {
        let Self { time, wave, actor, sequence, what } = self;
        let what = match what {
            SavedWhat::Wake(wake, restarts) => What::Wake(wake, restarts),
            SavedWhat::Restart => What::Restart,
            SavedWhat::Resume => What::Resume,
        };
        Event { time, wave, sender: actor, sequence, to: actor, what }
    }
}

/// Clock → shard: what have you to save, at a quiet moment?
#[derive(Message)]
#[rtype(result = "Option<Part<P>>")]
pub(super) struct Save<P: Protocol>(pub(super) std::marker::PhantomData<P>);

/// A shard's part of a snapshot: its actors in the order of their addresses.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Part<P: Protocol> {
    pub(super) actors: Vec<(ActorId, SavedActor<P>)>,
    pub(super) events: Vec<SavedEvent<P>>,
}

/// A snapshot as it is written and read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Snapshot<P: Protocol> {
    /// When a milestone was last reached.
    pub(super) last_progress: Time,
    /// All actors, in the order of their addresses.
    pub(super) actors: Vec<SavedActor<P>>,
    /// What is still to happen, in the order of time, sender and sequence.
    pub(super) events: Vec<SavedEvent<P>>,
}

impl<P: Protocol> Snapshot<P> {
    /// The bytes of the snapshot that these parts of all shards make.
    pub(super) fn bytes_of(parts: Vec<Part<P>>, last_progress: Time) -> Vec<u8> {
        let (mut actors, mut events) = (Vec::new(), Vec::new());
        for part in parts {
            actors.extend(part.actors);
            events.extend(part.events);
        }
        actors.sort_by_key(|(actor, _)| *actor);
        let actors = actors.into_iter().map(|(_, saved)| saved).collect();
        events.sort_by_key(|event: &SavedEvent<P>| (event.time, event.wave, event.actor, event.sequence));
        to_bytes(&Self { last_progress, actors, events })
    }

    /// Reads one of a run of so many actors, and has these of them take up what it holds of them.
    pub(super) fn restore<'a>(
        bytes: &[u8],
        count: usize,
        actors: impl Iterator<Item = (ActorId, &'a mut Box<dyn Actor<P>>)>,
    ) -> Result<Self, Unreadable> {
        let read: Self = from_bytes(bytes)?;
        if read.actors.len() != count {
            return Err(Unreadable(format!("it has {} actors, and the run {count}", read.actors.len())));
        }
        if let Some(event) = read.events.iter().find(|event| event.actor.0 as usize >= count) {
            return Err(Unreadable(format!("something happens to {:?}, who does not exist", event.actor)));
        }
        for (id, actor) in actors {
            let restored = actor.restore(&read.actors[id.0 as usize].own);
            restored.map_err(|why| Unreadable(format!("{}: {why}", actor.name())))?;
        }
        Ok(read)
    }
}

/// When a snapshot is due: at the first quiet moment behind a milestone, but not too often.
#[derive(Debug)]
pub(super) struct Schedule {
    every: Duration,
    /// When the last one was taken, or the run began, and how long at least until the next.
    last: Instant,
    pause: Duration,
    /// Since when one is being taken.
    begun: Instant,
    /// The last milestone that was looked at, and the one behind which the last snapshot was taken.
    seen: Time,
    saved: Time,
    pub(super) is_due: bool,
    /// The latest arrival of a message when somebody could not be saved: before there is a later one, nothing changes.
    tried: Option<Moment>,
    /// Since when the run is only to reach a quiet moment before it ends.
    ending: Option<Instant>,
}

impl Schedule {
    /// So long may an interrupted run go on to a quiet moment.
    const GRACE: Duration = Duration::from_millis(500);

    /// Where snapshots are asked for every so often, the run takes at least so many times as long as they do.
    const LEISURE: u32 = 50;

    /// That of a run that begins, or goes on from a snapshot behind the milestone reached at `saved`.
    pub(super) fn new(every: Duration, saved: Time) -> Self {
        let now = now();
        Self {
            every,
            last: now,
            pause: every,
            begun: now,
            seen: saved,
            saved,
            is_due: false,
            tried: None,
            ending: None,
        }
    }

    /// Takes note that a milestone was last reached at `progress`, and whether somebody has asked for the run to end;
    /// returns whether it has to end now.
    pub(super) fn look(&mut self, progress: Time, interrupted: bool) -> bool {
        if progress != self.seen {
            self.seen = progress;
            self.is_due = interrupted || self.last.elapsed() >= self.pause;
        }
        if !interrupted {
            return false;
        }
        let since = *self.ending.get_or_insert_with(now);
        self.is_due |= self.seen > self.saved;
        !self.is_due || since.elapsed() >= Self::GRACE
    }

    /// Whether one is to be taken now, when all before `next` has happened and messages arrive up to `in_flight`.
    pub(super) fn is_now(&self, next: Moment, in_flight: Moment) -> bool {
        self.is_due && next > in_flight && self.tried != Some(in_flight)
    }

    /// One is being taken.
    pub(super) fn begin(&mut self) {
        self.begun = now();
    }

    /// One was taken and kept; returns whether the run was to go on for this alone.
    pub(super) fn taken(&mut self) -> bool {
        (self.saved, self.last, self.is_due) = (self.seen, now(), false);
        self.pause =
            if self.every.is_zero() { self.every } else { self.every.max(Self::LEISURE * self.begun.elapsed()) };
        self.ending.is_some()
    }

    /// None could be taken with messages that arrive up to `in_flight`.
    pub(super) fn failed(&mut self, in_flight: Moment) {
        self.tried = Some(in_flight);
    }
}

#[expect(clippy::disallowed_methods, reason = "snapshots are taken by the machine's time, and change no result")]
fn now() -> Instant {
    Instant::now()
}
