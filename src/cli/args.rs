//! The command line's arguments.

use super::{
    import,
    slot_name::{SlotName, whole},
    text::wrapped_at,
};
use crate::{
    record::Format,
    runtime::Shards,
    scenario::{self, Overrides, Part, Plan, ScenarioError, knob_names},
};
use clap::{ArgAction, Args, Parser, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};
use clap_complete::Shell;
use microgrid_agents::{chain::fact::Key, ids::ChannelName};
use std::{num::NonZero, path::PathBuf};

/// Simulates a local electricity market as agents that exchange messages.
///
/// Plays every case of a scenario and leaves its results in DIR/<scenario name>/<start>-seed<seed>/.
#[derive(Debug, Parser)]
#[command(
    name = "sim",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = after_help(),
    after_long_help = after_help()
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) input: Option<Input>,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) how: HowToRun,
}

/// Runs a scenario as `sim` does, on several processes that talk by MPI: mpirun -n 4 sim-mpi SCENARIO.
///
/// Leaves the same results, to the byte, in one folder. Cases are played one after the other, each by all processes, which have
/// to see the same files. `sim` has the commands for what to do with the results; `sim resume` finishes a run that was ended early.
#[derive(Debug, Parser)]
#[command(name = "sim-mpi", version, after_help = EXIT_CODES)]
pub(super) struct RanksArguments {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) told: Told,
}

/// What becomes of the results, and which are wanted.
#[derive(Debug, Args)]
pub(super) struct Output {
    #[command(flatten)]
    pub(super) place: Place,
    /// How to write the large tables, prosumers, trades and convergence: csv or parquet.
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub(super) format: Format,
    /// Run only this part of the cases, so that machines can share them: 3/20 is the third of twenty, each with as many cases,
    /// to a case. Its results go to DIR/<scenario name>.part-3-of-20/; `sim merge` makes one run of all parts.
    #[arg(long, value_name = "K/N")]
    pub(super) part: Option<Part>,
    /// Go on with the newest run of the same scenario, options and part, if there is one: finish it as `sim resume` does, or
    /// leave it as it is if it is finished.
    #[arg(long)]
    pub(super) resume: bool,
}

/// Where results go.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Root folder of the results.
    #[arg(long, value_name = "DIR", default_value = Self::ROOT)]
    pub(super) out: PathBuf,
    /// Name of the run, in the place of the scenario's: its results go to DIR/NAME/<start>-seed<seed>/.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(super) name: Option<String>,
}

impl Place {
    /// Where they go if nobody says.
    pub(super) const ROOT: &str = "results";
}

const EXAMPLES: &str = "\
Examples:
  sim scenarios/5_prosumers.ron                       play the day, for every varied knob
  sim scenarios/5_prosumers.ron --set delay=200ms     the same with a slower network
  sim scenarios/5_prosumers.ron --name mine           its results go to results/mine
  sim scenarios/100_prosumers.ron --seed 7 -q         print only where the results are
  sim scenarios/5_prosumers.ron --set delay=0s,1s,2s  sweep over it, on all cores
  sim scenarios/100_prosumers.ron --set market.service_fee=0,0.02
  sim scenarios/100_prosumers.ron --format parquet    large tables as compressed columns
  sim resume results/5_prosumers                      finish the newest run if it was ended early
  sim scenarios/delay.ron --part 3/20                 the third of twenty parts of a sweep
  sim merge results/delay.part-*-of-20                one run of all twenty
  sim slurm scenarios/delay.ron --tasks 20            a batch script that runs them on a cluster
  sim check scenarios/5_prosumers.ron                 is the scenario valid, what would run?
  sim import simbench WHEEL --grid LV2.101 --out village
                                                      a scenario of data of others
  sim stability scenarios/5_prosumers.ron             would it spiral in, and how firmly?
  sim show results/5_prosumers                        the tables of the newest run
  sim show results/5_prosumers --slot 17 --case 2     who bought how much from whom
  sim show results/village --slot 2016-06-05T12:00    the same of a run whose slots have dates
  sim show results/village --member Bakery             what one member has used, paid and saved
  sim report results/5_prosumers --open               look at the newest run in the browser
  sim list                                            all runs, and what they came to
  sim compare results/5_prosumers/A results/5_prosumers/B
  sim ledger verify results/5_prosumers               does the ledger of the newest run hold?
  sim ledger show results/5_prosumers                 its channels, and who owes what
  sim ledger show results/5_prosumers --channel trade --block 3
  sim ledger show results/5_prosumers --key bill/17/3/1
  sim ledger export results/5_prosumers               its blocks as JSON, one a line
";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed or ended early, 2 bad input. RUST_LOG sets the log, over -v.";

/// What stands below the options: examples, all knobs, exit codes.
fn after_help() -> String {
    let names = wrapped_at(87, &knob_names().collect::<Vec<_>>().join(", "));
    let knobs: String = names.lines().map(|line| format!("  {line}\n")).collect();
    format!("{EXAMPLES}\nKnobs for --set, beside the paths of all fields:\n{knobs}\n{EXIT_CODES}")
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Validate a scenario without running it.
    Check {
        #[command(flatten)]
        input: Input,
    },
    /// Make a scenario of what others have recorded: SimBench, meters, profiles, prices.
    #[command(after_help = import::EXAMPLES)]
    Import {
        #[command(subcommand)]
        kind: Box<import::Kind>,
    },
    /// Finish a run that was interrupted or killed, in place.
    ///
    /// Its results are those of a run that nobody ended: complete cases are kept, the one under way goes on behind its last
    /// closed slot of which there is a snapshot, and the others run again.
    Resume {
        /// A run's folder, or a scenario's folder for its newest run.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        #[command(flatten)]
        how: HowToRun,
    },
    /// Make one run of the runs of all parts of a sweep, as `sim SCENARIO --part 3/20` leaves them.
    ///
    /// It has the same tables, to the byte, as one run of the whole sweep, and a report and figures of all cases. The parts may
    /// have run anywhere and are given in any order; each has to be there once, be complete and be of the same scenario, seed,
    /// options and program, or nothing is written. They stay as they are.
    #[command(after_help = MERGE_EXAMPLES)]
    Merge {
        /// The folders of all parts, or for each the folder that has its newest run.
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<PathBuf>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        told: Told,
    },
    /// Print a batch script for Slurm that runs a sweep in parts, each as a task of a job array.
    ///
    /// Each task runs one part and, submitted again, goes on with what it has, or does nothing if its part is complete. The head
    /// of the script says how to submit it and how the parts are merged once all are done. Relative paths are those of the
    /// folder in which it is submitted, and `sim` has to be found on the machines of the cluster.
    #[command(after_help = SLURM_EXAMPLES)]
    Slurm {
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        batch: Batch,
    },
    /// Print the tables of a run.
    Show {
        /// A run's folder, or a scenario's folder for its newest run.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// Show this slot's trades and prosumers: its number or, where slots have dates, when it begins, such as
        /// 2016-06-05T12:00 by the clocks of their zone, or 2016-06-05T10:00Z.
        #[arg(long, value_name = "K", allow_negative_numbers = true)]
        slot: Option<SlotName>,
        /// Show this member's bills: its name or its number.
        #[arg(long, value_name = "NAME", conflicts_with = "slot")]
        member: Option<String>,
        /// Show only this case.
        #[arg(long, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true)]
        case: Option<u32>,
    },
    /// Make the report and the figures of a run anew, from its folder.
    ///
    /// Leaves report.html, which any browser opens, and figures/ in the run's folder, in the place of those that are
    /// there. The report needs no network: it says how the run came out, in numbers and in words, and how it was made, and
    /// has charts of the study, of every case's day and of every slot, and tables that sort. Of a run that was interrupted
    /// or killed it shows what there is. Prints the report's path.
    #[command(after_help = REPORT_EXAMPLES)]
    Report {
        /// A run's folder, or a scenario's folder for its newest run.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// Open the report in the browser.
        #[arg(long)]
        open: bool,
    },
    /// Does the game spiral in to its equilibrium, by linear theory, and with what margin?
    ///
    /// Prints the largest root of the game linearised at its equilibrium and the critical steps and delay, for every
    /// market slot. Runs nothing.
    Stability {
        #[command(flatten)]
        input: Input,
        /// Look only at this slot, by its number or when it begins: in detail or, if knobs vary, a line for each combination.
        #[arg(long, value_name = "K", allow_negative_numbers = true)]
        slot: Option<SlotName>,
    },
    /// Check a run's ledger, look into it, or export it.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Tell in what two runs differ, or the values of one run's knobs.
    ///
    /// Of two runs their scenarios, key figures and slots: cases are compared with those of the same values of all varied
    /// knobs, and the same seed where there is one. Where several seeds are the same, key figures are paired by seed, with
    /// 95 % intervals. What differs most comes first. Of one run what each of its knobs changed, paired by seed, from
    /// paired.csv. Exit code 0 whether anything differs or not.
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare {
        /// A run's folder, or a scenario's folder for its newest run.
        #[arg(value_name = "RUN")]
        a: PathBuf,
        /// The other run; without it, the values of the run's knobs are compared.
        #[arg(value_name = "RUN")]
        b: Option<PathBuf>,
    },
    /// List the runs in a folder, the newest first, with how they ended and what they came to.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// The folder of all results, or of a scenario's.
        #[arg(value_name = "DIR", default_value = "results")]
        folder: PathBuf,
    },
    /// Print what makes a shell complete the arguments of sim.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell.
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page of sim, or write those of all its subcommands.
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Write a page for sim and one for each subcommand into this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// What a batch script asks of the cluster, and how its tasks run.
#[derive(Debug, Args)]
pub(super) struct Batch {
    /// How many tasks, and so parts, there are: no more than cases.
    #[arg(long, value_name = "N", value_parser = whole::<NonZero<u32>>, allow_negative_numbers = true)]
    pub(super) tasks: NonZero<u32>,
    /// Cores of each task, which plays as many cases at a time.
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<NonZero<u32>>, allow_negative_numbers = true)]
    pub(super) cpus: NonZero<u32>,
    /// How long a task may take, as Slurm writes it, such as 30 (minutes), 2:00:00 or 1-12 (days-hours) [default: the
    /// partition's].
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(super) time: Option<String>,
    /// How to write the large tables, prosumers, trades and convergence: csv or parquet.
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub(super) format: Format,
}

/// A time as Slurm writes it: `MM`, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`.
fn time_limit(text: &str) -> Result<String, String> {
    let (days, clock) = text.split_once('-').map_or((None, text), |(days, clock)| (Some(days), clock));
    let is_whole = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = days.is_none_or(is_whole) && clock.split(':').all(is_whole) && clock.split(':').count() <= 3;
    let forms = "a time limit is written as MM, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS";
    if is_time { Ok(text.to_owned()) } else { Err(forms.to_owned()) }
}

const MERGE_EXAMPLES: &str = "\
Examples:
  sim scenarios/delay.ron --part 1/2                  on one machine
  sim scenarios/delay.ron --part 2/2                  on another
  sim merge results/delay.part-*-of-2                 one run, in results/delay
  sim merge FROM_ONE FROM_OTHER --name all            the same, in results/all

All of it, with how cases are divided: docs/cluster.md.
";

const SLURM_EXAMPLES: &str = "\
Examples:
  sim slurm scenarios/delay.ron --tasks 20 > delay.sh
  sbatch delay.sh                                     then as the head of delay.sh says
  sim slurm scenarios/delay.ron --tasks 20 --cpus 4 --time 2:00:00 \\
      --set mu=0.5,1 --format parquet --out /scratch/results > delay.sh
  sbatch --partition long --mem 4G delay.sh           whatever else the cluster asks for

All of it: docs/cluster.md.
";

const REPORT_EXAMPLES: &str = "\
Examples:
  sim report results/5_prosumers --open               the newest run of the scenario, in the browser
  sim report results/5_prosumers/A                    of the run in this folder
  sim scenarios/5_prosumers.ron --no-report           without one until it is asked for

What the report shows, and how much of what is large: docs/results.md.
";

const COMPARE_EXAMPLES: &str = "\
Examples:
  sim scenarios/5_prosumers.ron -q                    prints where its results are, A
  sim scenarios/5_prosumers.ron --set delay=200ms -q  the same of B
  sim compare A B                                     what the delay changed, and in which slots
  sim compare results/delay                           what each knob of the newest run changed, seed by seed
  sim compare results/5_prosumers results/5_prosumers_storage
                                                      the newest runs of two scenarios
";

const LIST_EXAMPLES: &str = "\
Examples:
  sim list                                            all runs in results/
  sim list results/5_prosumers                        those of one scenario
";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  sim completions bash > ~/.local/share/bash-completion/completions/sim
  sim completions zsh > ~/.zfunc/_sim                 with ~/.zfunc in fpath
  sim completions fish > ~/.config/fish/completions/sim.fish
";

const MAN_EXAMPLES: &str = "\
Examples:
  sim man | man -l -                                  read the page at once
  sim man --out ~/.local/share/man/man1               then `man sim` and `man sim-compare` know it
";

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Check every block, signature and bill from genesis on, with nothing but the ledger itself.
    ///
    /// Exit code 0: all is in order; 1: something is not; 2: there is no ledger.
    Verify {
        /// A run's folder, a scenario's folder for its newest run, or a ledger.db.
        #[arg(value_name = "RUN")]
        run: PathBuf,
    },
    /// Print channels and balances, a channel's blocks, a block, or the history of a key.
    Show {
        /// A run's folder, a scenario's folder for its newest run, or a ledger.db.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// Show the blocks of this channel.
        #[arg(long, value_name = "CHANNEL", value_parser = channel())]
        channel: Option<ChannelName>,
        /// Show this block of the channel, by its number from 0, the channel's first. Amounts in it
        /// are in 1e-6 kWh and 1e-6 of the currency, prices in it a kWh.
        #[arg(long, value_name = "N", requires = "channel", value_parser = whole::<u64>, allow_negative_numbers = true)]
        block: Option<u64>,
        /// Show every fact that has stood under this key: what it is, the slot's number and the numbers of the prosumers it
        /// is about, for example quote/17/1 or bill/17/3/1. Amounts in it are in 1e-6 kWh and 1e-6 of the currency, prices in it a kWh.
        #[arg(long, value_name = "KEY", conflicts_with = "channel")]
        key: Option<Key>,
        /// Show only this case.
        #[arg(long, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true)]
        case: Option<u32>,
    },
    /// Print all blocks in order as JSON, one a line.
    Export {
        /// A run's folder, a scenario's folder for its newest run, or a ledger.db.
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// Export only this case.
        #[arg(long, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true)]
        case: Option<u32>,
    },
}

/// One of the three channels by its name.
fn channel() -> impl TypedValueParser<Value = ChannelName> {
    let read = |name: String| ChannelName::ALL.into_iter().find(|channel| channel.name() == name).ok_or("no channel");
    PossibleValuesParser::new(ChannelName::ALL.map(ChannelName::name)).try_map(read)
}

/// A name for a run.
fn name(text: &str) -> Result<String, String> {
    if scenario::is_name(text) { Ok(text.to_owned()) } else { Err(format!("allowed: {}", scenario::NAME)) }
}

/// How to run cases, and what to say meanwhile.
#[derive(Debug, Args)]
pub(super) struct HowToRun {
    /// How many cases run at a time. Changes the speed, never the results [default: one a core; one in all for up to
    /// two cases, large populations, `durability: Block` and `clock: Wall`].
    #[arg(short, long, value_name = "N", value_parser = whole::<NonZero<usize>>, allow_negative_numbers = true)]
    pub(super) jobs: Option<NonZero<usize>>,
    /// How many shards host the actors: per-actor, per-core or a number. Changes the speed, and results only by the wall
    /// clock [default: by the size of the population].
    #[arg(long, value_name = "SHARDS")]
    pub(super) shards: Option<Shards>,
    #[command(flatten)]
    pub(super) told: Told,
}

/// What is made and said of results.
#[derive(Debug, Args)]
pub(super) struct Told {
    /// Make no report.html and no figures; `sim report` makes them later.
    #[arg(long)]
    pub(super) no_report: bool,
    /// Print nothing but the path of the results.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Log what happens; twice, in detail.
    #[arg(short, long, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

/// A scenario and what to change in it.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// The scenario's file.
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: PathBuf,
    /// Seed of everything random, instead of the scenario's.
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Set a knob, or any field by its path such as market.feed_in_tariff, to a value written as in the scenario; it is
    /// then not varied. Several values, separated by commas, vary it. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
}

impl Input {
    /// What to change in the scenario.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { seed: self.seed, set: self.set.clone() }
    }

    /// The plan of the scenario so changed.
    pub(super) fn plan(&self) -> Result<Plan, ScenarioError> {
        scenario::load(&self.scenario, &self.overrides())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        RanksArguments::command().debug_assert();
    }

    #[test]
    fn a_scenario_runs_without_a_subcommand() {
        let arguments = "sim day.ron --seed 7 --set mu=0.5 --set delay=10ms --shards per-core -vv".split(' ');
        let Arguments { command: None, input: Some(input), output: Output { place: Place { out, .. }, .. }, how } =
            Arguments::try_parse_from(arguments).unwrap()
        else {
            panic!("this is a scenario and no subcommand")
        };
        assert_eq!((input.scenario, input.seed), (PathBuf::from("day.ron"), Some(7)));
        assert_eq!((how.told.verbose, out), (2, PathBuf::from("results")));
        assert_eq!(input.set, ["mu=0.5", "delay=10ms"]);
    }

    #[test]
    fn a_run_is_resumed_with_options_of_its_own() {
        let arguments = Arguments::try_parse_from("sim resume results/day --jobs 3 -v".split(' ')).unwrap();
        let Some(Command::Resume { run, how }) = arguments.command else { panic!("this resumes a run") };
        assert_eq!((run, how.jobs, how.told.verbose), (PathBuf::from("results/day"), NonZero::new(3), 1));
    }

    #[test]
    fn time_limits_are_those_of_slurm() {
        for right in ["30", "30:00", "2:00:00", "1-12", "1-12:30", "1-12:30:15"] {
            assert_eq!(time_limit(right).as_deref(), Ok(right));
        }
        for wrong in ["", "2h", "1-", "-5", "1:2:3:4", "1 0", "1-2-3", "$(date)"] {
            assert!(time_limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn help_has_every_knob_in_lines_that_fit() {
        let help = after_help();
        let (_, knobs) = help.split_once("Knobs for --set, beside the paths of all fields:\n").unwrap();
        let (knobs, _) = knobs.split_once("\n\n").unwrap();
        assert!(knobs.lines().all(|line| line.len() <= 90), "{knobs}");
        let named: Vec<_> = knobs.split(',').map(str::trim).collect();
        assert_eq!(named, knob_names().collect::<Vec<_>>());
    }

    #[test]
    fn subcommands_need_no_scenario_of_their_own() {
        let arguments = Arguments::try_parse_from(["sim", "show", "results/day", "--slot", "17"]).unwrap();
        let Some(Command::Show { slot, member: None, case: None, .. }) = arguments.command else {
            panic!("this shows")
        };
        assert_eq!(slot, Some(SlotName::Number(17)));
        let slot = |name| ["sim", "stability", "day.ron", "--slot", name];
        let Some(Command::Stability { slot: Some(SlotName::Time(_)), .. }) =
            Arguments::try_parse_from(slot("2016-06-05 12:00")).unwrap().command
        else {
            panic!("this is a moment")
        };
        assert_eq!(Arguments::try_parse_from(slot("2016-06-05")).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_block_is_asked_for_by_its_channel() {
        let arguments = "sim ledger show results/day --channel trade --block 3".split(' ');
        let command = Arguments::try_parse_from(arguments).unwrap().command;
        let Some(Command::Ledger(LedgerCommand::Show { channel, block, case, .. })) = command else {
            panic!("this shows a block")
        };
        assert_eq!((channel, block, case), (Some(ChannelName::Trade), Some(3), None));
        for wrong in ["--block 3", "--channel gossip"] {
            let arguments = "sim ledger show results/day".split(' ').chain(wrong.split(' '));
            assert_eq!(Arguments::try_parse_from(arguments).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn options_without_a_scenario_are_refused() {
        assert_eq!(Arguments::try_parse_from(["sim", "--seed", "7"]).unwrap_err().exit_code(), 2);
        assert_eq!(Arguments::try_parse_from(["sim", "-q"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn senseless_arguments_are_refused() {
        for wrong in ["--shards 0", "--jobs 0", "--seed -1", "-q -v", "--format xlsx", "--part 21/20", "--part x"] {
            let arguments = ["sim", "day.ron"].into_iter().chain(wrong.split(' '));
            assert_eq!(Arguments::try_parse_from(arguments).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}
