//! The `sim` command.

use std::process::ExitCode;

/// Messages are small and short-lived, and cross threads: mimalloc is several times faster at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    microgrid_sim::cli::main()
}
