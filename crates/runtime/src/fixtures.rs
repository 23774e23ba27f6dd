//! Ranks that are threads of one process, for tests.

use crate::ranks::Exchange;
use std::{
    mem,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

/// A rank among others that are threads.
#[derive(Debug)]
pub struct Thread {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
}

impl Exchange for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.to.len()
    }

    fn exchange(&mut self, outgoing: &mut [Vec<u8>], incoming: &mut [Vec<u8>]) {
        self.to.iter().zip(outgoing).for_each(|(to, bytes)| to.send(mem::take(bytes)).expect("all ranks are there"));
        self.from.iter().zip(incoming).for_each(|(from, bytes)| *bytes = from.recv().expect("all ranks are there"));
    }

    fn abort(&mut self, why: &str) -> ! {
        panic!("rank {}: {why}", self.rank)
    }
}

/// What each of so many ranks returns.
pub fn on_ranks<T: Send>(ranks: usize, play: impl Fn(Thread) -> T + Sync) -> Vec<T> {
    let mut lines: Vec<Thread> = (0..ranks).map(|rank| Thread { rank, to: Vec::new(), from: Vec::new() }).collect();
    for from in 0..ranks {
        for to in 0..ranks {
            let (sender, receiver) = channel();
            lines[from].to.push(sender);
            lines[to].from.push(receiver);
        }
    }
    thread::scope(|scope| {
        let threads: Vec<_> = lines.into_iter().map(|line| scope.spawn(|| play(line))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no rank panics")).collect()
    })
}
