//! The hot paths: what is done for every message, every pair or every round.
//!
//! What needs signatures is left out. Making and checking them is the work of a library, which picks its instructions
//! by the processor, and of which a slot has a few for each prosumer, not for each round. So is whatever needs a second
//! thread: who comes first there is up to the machine.

mod kernel;
mod market;

use crate::{
    counted,
    stage::Stage,
    support::{SEED, noon},
};
use microgrid_agents::{ids::ActorId, market::role::Role, time::Time};
use microgrid_sim::{
    agents::ids::{LEDGER, ProsumerId},
    analysis::slot::slot_facts,
};

/// A hot path.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// Prepares it, and has it counted.
    pub(crate) run: fn(),
}

/// All hot paths.
pub(crate) const PATHS: [Path; 12] = [
    Path { name: "kernel, ring of 1000", run: || kernel::ring(1_000, 199) },
    Path { name: "kernel, ring of 20000", run: || kernel::ring(20_000, 9) },
    Path { name: "kernel, broadcasts to 1000", run: || kernel::broadcasts(1_000, 100) },
    Path { name: "replicator step, 250 sellers", run: market::replicator_steps },
    Path { name: "sums, 250 sellers", run: market::sums_of_all },
    Path { name: "sums, 16 known", run: market::sums_of_known },
    Path { name: "buyers, all sellers", run: || rounds(100, ALL, Whose::Side(Role::Buyer)) },
    Path { name: "buyers, 16 known", run: || rounds(200, KNOWN, Whose::Side(Role::Buyer)) },
    Path { name: "sellers", run: || rounds(100, ALL, Whose::Side(Role::Seller)) },
    Path { name: "ledger, all sellers", run: || rounds(100, ALL, Whose::Ledger) },
    Path { name: "ledger, 16 known", run: || rounds(200, KNOWN, Whose::Ledger) },
    Path { name: "ledger, every post in a block", run: || rounds(100, BLOCKS, Whose::Ledger) },
];

const ALL: &str = "ledger: (posts: Last),";
const KNOWN: &str = "learning: (choice_set: Sample(16)), ledger: (posts: Last),";
/// Where the chain is kept, so that blocks have texts and hashes.
const BLOCKS: &str = "ledger: (posts: Every), record: Full,";

/// Whose work is counted.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Ledger,
    Side(Role),
}

/// Three rounds in the midst of a noon slot's game.
fn rounds(prosumers: u32, sections: &str, whose: Whose) {
    let case = noon(prosumers, sections);
    let facts = slot_facts(&case, 1);
    let watched = |id: ActorId| match whose {
        Whose::Ledger => id == LEDGER,
        Whose::Side(role) => ProsumerId::of(id).is_some_and(|prosumer| facts[prosumer.index()].role() == role),
    };
    let mut stage = Stage::new(&case);
    stage.play(second(5), |_| false);
    stage.play(second(8), watched);
}

fn second(seconds: u64) -> Time {
    Time(seconds * 1_000_000_000)
}
