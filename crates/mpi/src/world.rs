//! All processes that were started together.

use microgrid_runtime::ranks::Exchange;
use mpi::{
    environment::Universe,
    request,
    topology::SimpleCommunicator,
    traits::{Communicator, Destination, Source},
};

/// One of the ranks that `mpirun` has started.
#[derive(Debug)]
pub(crate) struct World {
    rank: i32,
    ranks: i32,
}

impl World {
    /// No message is longer: MPI counts bytes by 32 bits.
    const MOST: usize = 1 << 30;

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

impl Exchange for World {
    fn rank(&self) -> usize {
        self.rank as usize
    }

    fn ranks(&self) -> usize {
        self.ranks as usize
    }

    fn exchange(&mut self, outgoing: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let world = SimpleCommunicator::world();
        let mut incoming = vec![Vec::new(); outgoing.len()];
        let parts: Vec<(i32, &[u8])> =
            self.others().flat_map(|to| messages(&outgoing[to as usize]).map(move |part| (to, part))).collect();
        request::multiple_scope(parts.len(), |scope, sent| {
            for (to, part) in &parts {
                sent.add(world.process_at_rank(*to).immediate_send(scope, *part));
            }
            for from in self.others() {
                let all = &mut incoming[from as usize];
                loop {
                    let (part, _) = world.process_at_rank(from).receive_vec::<u8>();
                    let is_last = part.len() < Self::MOST;
                    if all.is_empty() {
                        *all = part
                    } else {
                        all.extend(part)
                    }
                    if is_last {
                        break;
                    }
                }
            }
            sent.wait_all(&mut Vec::new());
        });
        incoming
    }

    fn abort(&mut self, why: &str) -> ! {
        eprintln!("error: {why}");
        SimpleCommunicator::world().abort(1)
    }
}
