//! What waits to be ordered on a channel, or for posts that do not become transactions: cut into batches by count or by
//! timeout.

use crate::{
    actor::{Context, Wake},
    ids::ChannelName,
};
use std::time::Duration;

/// What waits to be ordered on a channel.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// For whose blocks; `None` of posts.
    channel: Option<ChannelName>,
    /// At how many transactions a batch is cut, or how long after its first.
    most: usize,
    timeout: Duration,
    pub(super) waiting: Vec<T>,
    /// Number of the batch that is being filled.
    pub(super) batch: u64,
}

impl<T> Queue<T> {
    pub(super) fn new(channel: Option<ChannelName>, most: usize, timeout: Duration) -> Self {
        Self { channel, most, timeout, waiting: Vec::new(), batch: 0 }
    }

    /// Takes a transaction; returns the batch that it completes, if it does. The first of a batch asks for a wake-up at
    /// its timeout.
    pub(super) fn submit(&mut self, transaction: T, context: &mut Context<'_>) -> Option<Vec<T>> {
        self.waiting.push(transaction);
        if self.waiting.len() >= self.most {
            return Some(self.cut());
        }
        if self.waiting.len() == 1 {
            let cut = |channel| Wake::CutBlock(channel, self.batch);
            context.wake_after(self.timeout, self.channel.map_or(Wake::TakePosts(self.batch), cut));
        }
        None
    }

    /// The timeout of batch `number` has passed: cuts it, unless it was cut already.
    pub(super) fn timed_out(&mut self, number: u64) -> Vec<T> {
        if number == self.batch { self.cut() } else { Vec::new() }
    }

    /// Takes the memory of a batch back, for one to come.
    pub(super) fn give_back(&mut self, mut batch: Vec<T>) {
        if self.waiting.is_empty() && batch.capacity() > self.waiting.capacity() {
            batch.clear();
            self.waiting = batch;
        }
    }

    pub(super) fn cut(&mut self) -> Vec<T> {
        if !self.waiting.is_empty() {
            self.batch += 1;
        }
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Effect,
        ids::LEDGER,
        streams::{Purpose, stream},
        time::Time,
    };

    fn submit(queue: &mut Queue<u32>, transaction: u32) -> (Option<Vec<u32>>, Vec<Effect>) {
        let mut effects = Vec::new();
        let mut random = stream(1, LEDGER, Purpose::Behaviour);
        let mut context = Context::new(Time::ZERO, LEDGER, &mut random, &mut effects);
        let batch = queue.submit(transaction, &mut context);
        (batch, effects)
    }

    #[test]
    fn a_batch_is_cut_by_count_or_by_timeout_whichever_comes_first() {
        let timeout = Duration::from_millis(50);
        let mut queue = Queue::new(None, 2, timeout);

        let (batch, effects) = submit(&mut queue, 1);
        assert!(batch.is_none());
        assert!(matches!(effects[..], [Effect::Wake(after, Wake::TakePosts(0))]
            if after == timeout));
        let (batch, effects) = submit(&mut queue, 2);
        assert_eq!(batch, Some(vec![1, 2]));
        assert!(effects.is_empty());
        assert!(queue.timed_out(0).is_empty(), "cut already");

        submit(&mut queue, 3);
        assert_eq!(queue.timed_out(1), [3]);
        assert!(queue.cut().is_empty());
        submit(&mut queue, 4);
        assert_eq!(queue.timed_out(2), [4], "an empty batch has no number");
    }
}
