//! `sim-mpi SCENARIO`: what `sim SCENARIO` does, by several processes.

use super::{
    args::{HowToRun, RanksArguments, Told},
    error::CliError,
    log_to_stderr, run,
};
use crate::{
    framework::Simulation, ranks::Ranks, record, runtime::caught, runtime::ranks::Exchange, scenario::schema::Clock,
};
use clap::Parser;

/// Runs the command with the program's arguments, which are the same on all ranks; returns the exit code, on which they have
/// agreed. Only rank 0 says anything.
pub fn main(exchange: impl Exchange + 'static) -> u8 {
    let ranks = Ranks::new(exchange);
    caught(|| run(&ranks)).unwrap_or_else(|why| ranks.abort(&format!("a rank panicked: {why}")))
}

fn run(ranks: &Ranks) -> u8 {
    let arguments = match RanksArguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if ranks.is_first() {
                // Nobody could be told.
                let _ = error.print();
            }
            return error.exit_code() as u8;
        }
    };
    if ranks.is_first() {
        log_to_stderr(arguments.told.verbose);
    }
    let RanksArguments { input, output, told } = arguments;
    let told = Told { quiet: told.quiet || !ranks.is_first(), ..told };
    let how = HowToRun { jobs: None, shards: None, told };
    let done = run::simulation(&input, &output, &how, Some(ranks));
    let done = agreed(ranks, done).and_then(|simulation| match ranks.is_first() {
        true => {
            let done = run::run_and_tell(simulation, &output, &how.told);
            ranks.dismiss();
            done
        }
        false => {
            simulation.follow();
            Ok(())
        }
    });
    let code = done.map_or_else(
        |error| {
            if ranks.is_first() {
                error.print();
            }
            error.exit_code
        },
        |()| 0,
    );
    // Not before all is written: whoever ends with a code of its own takes the others with it.
    ranks.of_first(code)
}

/// The simulation, if all ranks have read the same and can run it together.
fn agreed(ranks: &Ranks, mine: Result<Simulation, CliError>) -> Result<Simulation, CliError> {
    let read = |simulation: &Simulation| format!("{} {}", env!("CARGO_PKG_VERSION"), record::digest(simulation.plan()));
    let all = ranks.all(mine.as_ref().map_or_else(|error| error.text.clone(), read));
    if let Some(rank) = all.iter().position(|one| *one != all[0]) {
        let read = |rank: usize| match all[rank].strip_prefix("error: ") {
            Some(why) => format!("\nrank {rank} says: {why}"),
            None => String::new(),
        };
        let what =
            format!("ranks see different files: rank {rank} has not read what rank 0 has, or is another version");
        return Err(CliError::bad_input(what + &read(0) + &read(rank)));
    }
    let simulation = mine?;
    if simulation.plan().scenario.clock != Clock::Virtual {
        return Err(CliError::bad_input(
            "ranks share simulated time, and this scenario runs by the wall clock: `sim` runs it",
        ));
    }
    Ok(simulation)
}
