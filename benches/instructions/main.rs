//! Counts the instructions of the hot paths and holds them against a committed baseline: unlike time, they are the same on
//! a busy machine. Needs Valgrind, whose Callgrind counts.
//!
//! `cargo bench --bench instructions` fails if a path has grown by more than 5 %; with `-- --accept` what it counts becomes
//! the baseline.
//!
//! | where | what |
//! |---|---|
//! | `paths` | the hot paths |
//! | `stage` | lets the actors of a case play without a runtime |
//! | `callgrind` | has Callgrind count a path, in a process of its own |
//! | `baseline` | the committed counts, and how others compare with them |

mod baseline;
mod callgrind;
mod paths;
#[path = "../support/ring.rs"]
mod ring;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use baseline::{Comparison, Counts};
use clap::Parser;
use paths::{PATHS, Path};
use rayon::prelude::*;
use std::{error::Error, hint::black_box, process::ExitCode};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Instruction counts of the hot paths.
#[derive(Debug, Parser)]
struct Arguments {
    /// Make what is counted the new baseline
    #[arg(long)]
    accept: bool,
    /// Run this path instead of counting any
    #[arg(long, hide = true)]
    run: Option<String>,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Whatever runs in here is counted, and nothing else: Callgrind goes by the name of this function.
#[inline(never)]
pub(crate) fn counted(work: &mut dyn FnMut()) {
    work();
    // Something to come back to: without it the compiler would leave by a jump into `work`.
    black_box(());
}

fn count() -> Result<Counts, Box<dyn Error>> {
    let toolchain = baseline::toolchain()?;
    let count = |path: &Path| Ok((path.name.to_owned(), callgrind::count(path.name)?));
    let paths: Result<_, String> = PATHS.par_iter().map(count).collect();
    Ok(Counts { toolchain, paths: paths? })
}

fn main() -> ExitCode {
    run(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(name) = arguments.run {
        let path = PATHS.iter().find(|path| path.name == name).ok_or("there is no such path")?;
        (path.run)();
        return Ok(ExitCode::SUCCESS);
    }
    let now = count()?;
    if arguments.accept {
        now.save()?;
        println!("{}", Comparison { before: None, now: &now });
        return Ok(ExitCode::SUCCESS);
    }
    let before = Counts::load()?;
    let comparison = Comparison { before: Some(&before), now: &now };
    println!("{comparison}");
    Ok(if comparison.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
