//! A channel: a chain of blocks, cut by count or by timeout. What the transactions mean is the contract's business.

use crate::{
    actor::{Context, Wake},
    ids::ChannelName,
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// When a block is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLimits {
    /// At this many transactions.
    pub max_transactions: usize,
    /// Or this long after its first transaction.
    pub timeout: Duration,
}

/// A block of transactions; copies share them.
#[derive(Clone, Debug, PartialEq)]
pub struct Block<T> {
    /// Position in the chain, from 0.
    pub number: u64,
    /// When it was cut.
    pub time: Time,
    /// In the order in which they reached the ledger.
    pub transactions: Arc<[T]>,
}

/// A chain of blocks and the transactions that wait for the next.
#[derive(Debug)]
pub struct Channel<T> {
    name: ChannelName,
    limits: BlockLimits,
    blocks: Vec<Block<T>>,
    next_number: u64,
    pending: Vec<T>,
}

impl<T: Clone> Channel<T> {
    /// An empty channel.
    pub fn new(name: ChannelName, limits: BlockLimits) -> Self {
        Self { name, limits, blocks: Vec::new(), next_number: 0, pending: Vec::new() }
    }

    /// Takes a transaction; returns the block that it completes, if it does.
    ///
    /// The first transaction of a block asks `context` for a [`Wake::CutBlock`] at its timeout.
    pub fn submit(&mut self, transaction: T, context: &mut Context<'_>) -> Option<Block<T>> {
        self.pending.push(transaction);
        if self.pending.len() >= self.limits.max_transactions {
            return self.cut(context.now());
        }
        if self.pending.len() == 1 {
            context.wake_after(self.limits.timeout, Wake::CutBlock(self.name, self.next_number));
        }
        None
    }

    /// The timeout of block `number` has passed: cuts it, unless it was cut already.
    pub fn timed_out(&mut self, number: u64, now: Time) -> Option<Block<T>> {
        if number == self.next_number { self.cut(now) } else { None }
    }

    fn cut(&mut self, time: Time) -> Option<Block<T>> {
        if self.pending.is_empty() {
            return None;
        }
        let transactions = self.pending.drain(..).collect();
        self.blocks.push(Block { number: self.next_number, time, transactions });
        self.next_number += 1;
        self.blocks.last().cloned()
    }

    /// Forgets all blocks but the newest; their numbers are not used again.
    pub fn forget_before_newest(&mut self) {
        self.blocks.drain(..self.blocks.len().saturating_sub(1));
    }

    /// The blocks held, oldest first.
    pub fn blocks(&self) -> &[Block<T>] {
        &self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Effect,
        ids::ActorId,
        streams::{Purpose, stream},
    };

    fn submit(channel: &mut Channel<u32>, at: u64, transaction: u32) -> (Option<Block<u32>>, Vec<Effect>) {
        let mut effects = Vec::new();
        let mut random = stream(1, ActorId::LEDGER, Purpose::Behaviour);
        let mut context = Context::new(Time(at), ActorId::LEDGER, &mut random, &mut effects);
        let block = channel.submit(transaction, &mut context);
        (block, effects)
    }

    #[test]
    fn a_block_is_cut_by_count_or_by_timeout_whichever_comes_first() {
        let limits = BlockLimits { max_transactions: 2, timeout: Duration::from_millis(50) };
        let mut channel = Channel::new(ChannelName::Information, limits);

        let (block, effects) = submit(&mut channel, 0, 1);
        assert!(block.is_none());
        assert!(matches!(effects[..], [Effect::Wake(after, Wake::CutBlock(ChannelName::Information, 0))]
            if after == limits.timeout));

        let (block, _) = submit(&mut channel, 5, 2);
        assert_eq!(block, Some(Block { number: 0, time: Time(5), transactions: [1, 2].into() }));
        assert!(channel.timed_out(0, Time(50)).is_none(), "cut already");

        submit(&mut channel, 60, 3);
        let block = channel.timed_out(1, Time(110));
        assert_eq!(block, Some(Block { number: 1, time: Time(110), transactions: [3].into() }));
        assert_eq!(channel.blocks().len(), 2);
        channel.forget_before_newest();
        assert_eq!(channel.blocks().iter().map(|block| block.number).collect::<Vec<_>>(), [1]);
    }
}
