//! `sim slurm SCENARIO`: a batch script that runs a sweep in parts, each as a task of a job array.

use super::{
    args::{Batch, Input, Place},
    error::CliError,
    print_exactly,
    summary::all_parts,
    text::counted,
};
use crate::{
    framework::quoted,
    record::Format,
    scenario::{self, Plan},
};
use std::path::Path;

/// Prints the script for a scenario that is valid and has a case for every task.
pub(super) fn slurm(input: &Input, place: &Place, batch: &Batch) -> Result<(), CliError> {
    let mut overrides = input.overrides();
    overrides.set.extend(place.name.iter().map(|name| format!("name={name}")));
    let plan = scenario::load(&input.scenario, &overrides)?;
    let (tasks, cases) = (batch.tasks.get(), plan.case_count());
    if tasks > cases {
        let (name, cases_of) = (&plan.scenario.name, counted(cases as usize, "case"));
        let why = format!("{name} has {cases_of}, and each task needs one of its own: `--tasks {cases}` is the most");
        return Err(CliError::bad_input(why));
    }
    [&*input.scenario, &*place.out].into_iter().try_for_each(writable)?;
    print_exactly(&script(&plan, input, place, batch)).map(drop)
}

/// Fails for a path that a line of a script cannot hold.
fn writable(path: &Path) -> Result<(), CliError> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(()),
        _ => Err(CliError::bad_input(format!(
            "the path {} has letters that a script cannot hold: rename what it leads to",
            path.display()
        ))),
    }
}

fn script(plan: &Plan, input: &Input, place: &Place, batch: &Batch) -> String {
    let (name, tasks, cpus) = (&plan.scenario.name, batch.tasks.get(), batch.cpus);
    let cases = counted(plan.case_count() as usize, "case");
    let out = quoted(&place.out.display().to_string());
    let to = if place.out == Path::new(Place::ROOT) { String::new() } else { format!(" --out {out}") };
    let merge = quoted(&format!("sim merge {}{to}", all_parts(&place.out, name, tasks)));
    let time = batch.time.iter().map(|time| format!("#SBATCH --time={time}\n")).collect::<String>();
    // As they were given, so that whoever reads the script knows them again.
    let seed = input.seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
    let set = input.set.iter().map(|set| format!(" --set {}", quoted(set))).collect::<String>();
    let called = place.name.iter().map(|name| format!(" --name {}", quoted(name))).collect::<String>();
    let format = if batch.format == Format::Parquet { " --format parquet" } else { "" };
    let scenario = quoted(&input.scenario.display().to_string());
    format!(
        r#"#!/bin/sh
# Runs {name}, {cases}, in {tasks} parts, each as a task. Saved as {name}.sh, it is submitted, and the
# parts are merged once all are done, by
#
#   job=$(sbatch --parsable {name}.sh)
#   sbatch --dependency=afterok:$job --job-name={name}-merge --wrap={merge}
#
# Submitted again, each task goes on with what it has; one whose part is complete does nothing.
#SBATCH --job-name={name}
#SBATCH --array=1-{tasks}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={cpus}
{time}
exec sim {scenario}{seed}{set}{called}{to}{format} \
    --part "$SLURM_ARRAY_TASK_ID/{tasks}" --resume --jobs "${{SLURM_CPUS_PER_TASK:-{cpus}}}" --no-report
"#
    )
}
