//! `sim check SCENARIO`: is it valid, and what would run?

use super::{args::CheckArguments, error::CliError, print, text::count};
use crate::scenario::{self, Case, Plan};

/// Validates the scenario and describes it in a few lines.
pub(super) fn check(arguments: &CheckArguments) -> Result<(), CliError> {
    let plan = scenario::load(&arguments.input.scenario, &arguments.input.overrides())?;
    print(&describe(&plan))
}

fn describe(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let market = &scenario.market;
    let (first, last) = market.open;
    let sizes: Vec<usize> = plan.cases().map(|case| case.population.prosumers.len()).collect();
    let (smallest, largest) = (sizes.iter().min().copied().unwrap_or(0), sizes.iter().max().copied().unwrap_or(0));
    let prosumers =
        if smallest == largest { count(smallest, "prosumer") } else { format!("{smallest} to {largest} prosumers") };
    let mut text = format!(
        "{} is valid: {prosumers}, {} of {}, market open in slots {first}-{last}, {}\n",
        scenario.name,
        count(market.slots as usize, "slot"),
        humantime::format_duration(market.slot_length),
        count(sizes.len(), "case"),
    );
    for case in plan.cases() {
        text += &describe_case(&case);
    }
    text
}

fn describe_case(case: &Case) -> String {
    let knobs: String = case.knobs.iter().map(|(name, value)| format!("{name} = {value}, ")).collect();
    format!("  case {}: {knobs}seed {}\n", case.number, case.seed)
}
