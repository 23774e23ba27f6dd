//! `sim-mpi` with a fault, for `tests/mpi/run.sh`: rank 1 panics in the middle of a run.

#[path = "../src/world.rs"]
mod world;

use microgrid_runtime::ranks::Exchange;
use mpi::Threading;
use world::World;

#[derive(Debug)]
struct Broken {
    world: World,
    exchanges: u32,
}

impl Exchange for Broken {
    fn rank(&self) -> usize {
        self.world.rank()
    }

    fn ranks(&self) -> usize {
        self.world.ranks()
    }

    fn exchange(&mut self, outgoing: &mut [Vec<u8>], incoming: &mut [Vec<u8>]) {
        self.exchanges += 1;
        assert!(self.rank() != 1 || self.exchanges < 100, "out of order");
        self.world.exchange(outgoing, incoming);
    }

    fn abort(&mut self, why: &str) -> ! {
        self.world.abort(why)
    }
}

fn main() {
    let (universe, _) = mpi::initialize_with_threading(Threading::Serialized).expect("MPI begins once");
    microgrid_sim::cli::ranks::main(Broken { world: World::of(&universe), exchanges: 0 });
}
