//! All processes that were started together.

use microgrid_runtime::ranks::Exchange;
use mpi::{
    environment::Universe,
    point_to_point::{Message, Status},
    request,
    topology::SimpleCommunicator,
    traits::{Communicator, Destination, Equivalence, Source},
};
use std::{thread, time::Duration};

/// One of the ranks that `mpirun` has started.
#[derive(Debug)]
pub(crate) struct World {
    rank: i32,
    ranks: i32,
}

impl World {
    /// No message is longer: MPI counts bytes by 32 bits.
    const MOST: usize = 1 << 30;

    /// How often a rank looks for a message before it pauses between two looks: about a millisecond.
    const LOOKS: u32 = 5_000;
    const PAUSE: Duration = Duration::from_micros(100);

    /// This one.
    pub(crate) fn of(universe: &Universe) -> Self {
        let all = universe.world();
        Self { rank: all.rank(), ranks: all.size() }
    }

    fn others(&self) -> impl Iterator<Item = i32> {
        let me = self.rank;
        (0..self.ranks).filter(move |rank| *rank != me)
    }
}

/// Bytes as messages: all but the last are of the greatest length, so that the last, which may be empty, is known by its own.
fn messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..=bytes.len() / World::MOST).map(|n| &bytes[n * World::MOST..bytes.len().min((n + 1) * World::MOST)])
}

/// Takes in what another rank has sent, up to its last message, in place of what was there.
fn take_in(from: &impl Source, bytes: &mut Vec<u8>) {
    let mut end = 0;
    loop {
        let (message, status) = arrived(from);
        let (begin, count) = (end, status.count(u8::equivalent_datatype()) as usize);
        end += count;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        message.matched_receive_into(&mut bytes[begin..end]);
        if count < World::MOST {
            return bytes.truncate(end);
        }
    }
}

/// The next message of another rank, once it is there. MPI itself would keep looking out for it; so on a core that others want
/// too, they would come first whenever there is something to do.
fn arrived(from: &impl Source) -> (Message, Status) {
    let looks = (0..).map(|look| {
        if look > World::LOOKS {
            thread::sleep(World::PAUSE);
        }
        from.immediate_matched_probe()
    });
    looks.flatten().next().expect("it looks out for ever")
}

impl Exchange for World {
    fn rank(&self) -> usize {
        self.rank as usize
    }

    fn ranks(&self) -> usize {
        self.ranks as usize
    }

    fn exchange(&mut self, outgoing: &mut [Vec<u8>], incoming: &mut [Vec<u8>]) {
        let world = SimpleCommunicator::world();
        let parts: Vec<(i32, &[u8])> =
            self.others().flat_map(|to| messages(&outgoing[to as usize]).map(move |part| (to, part))).collect();
        request::multiple_scope(parts.len(), |scope, sent| {
            for (to, part) in &parts {
                sent.add(world.process_at_rank(*to).immediate_send(scope, *part));
            }
            for from in self.others() {
                take_in(&world.process_at_rank(from), &mut incoming[from as usize]);
            }
            sent.wait_all(&mut Vec::new());
        });
    }

    fn abort(&mut self, why: &str) -> ! {
        eprintln!("error: {why}");
        SimpleCommunicator::world().abort(1)
    }
}
