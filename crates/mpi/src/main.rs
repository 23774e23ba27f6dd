//! `sim-mpi`: runs of `sim` that several processes share, which talk by MPI.

mod world;

use mpi::Threading;
use std::process::ExitCode;
use world::World;

/// As in `sim`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A case is played on a thread of its own.
    let Some((universe, Threading::Serialized | Threading::Multiple)) =
        mpi::initialize_with_threading(Threading::Serialized)
    else {
        eprintln!("error: this MPI does not let a program have several threads");
        return ExitCode::FAILURE;
    };
    let code = microgrid_sim::cli::ranks::main(World::of(&universe));
    drop(universe);
    code.into()
}
