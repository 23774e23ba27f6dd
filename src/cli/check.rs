//! `sim check SCENARIO`: is it valid, and what would run?

use super::{
    args::Input,
    error::CliError,
    print,
    text::{count, wrapped},
};
use crate::scenario::{Plan, schema::PopulationSource};
use microgrid_agents::market::demand::Demand;

/// More cases than this are not listed.
const MOST_CASES: usize = 50;

/// Validates the scenario and describes it in a few lines.
pub(super) fn check(input: &Input) -> Result<(), CliError> {
    let plan = input.plan()?;
    warn(&plan);
    print(&describe(&plan))
}

/// Tells what the scenario says in vain, and that it is huge if it is.
pub(super) fn warn(plan: &Plan) {
    for warning in &plan.warnings {
        anstream::eprintln!("{warning}");
    }
}

fn describe(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let market = &scenario.market;
    let (first, last) = market.open;
    let (smallest, largest) = plan.population_sizes();
    let prosumers =
        if smallest == largest { count(smallest, "prosumer") } else { format!("{smallest} to {largest} prosumers") };
    let mut text = format!(
        "{} is valid: {prosumers}, {} of {}, market open in slots {first}-{last}, {}\n",
        scenario.name,
        count(market.slots as usize, "slot"),
        humantime::format_duration(market.slot_length),
        count(plan.case_count() as usize, "case"),
    );
    if let (PopulationSource::Profiles(_), Demand::Elastic) = (&scenario.population, scenario.preferences.demand) {
        text += &wrapped(
            "note: with `demand: Elastic` buyers answer to price, so they may consume more or less than the load of their \
             profiles; `demand: Firm` keeps to it\n",
        );
    }
    let (without, open) = plan.slots_without_room(None);
    if without > 0 {
        let slots =
            if without == open { "any open slot".to_owned() } else { format!("{without} of {open} open slots") };
        let (slots, fee) = if plan.varies("market") {
            (format!("{slots} of some case"), String::new())
        } else {
            (slots, format!(" of {} CNY/kWh", market.service_fee))
        };
        text += &wrapped(&format!(
            "note: there is no room for a price in {slots}, where the grid's tariff less the fee{fee} is below the \
             feed-in tariff: nothing can be traded\n",
        ));
    }
    for case in plan.settings().take(MOST_CASES) {
        let knobs: String = case.knobs.iter().map(|(name, value)| format!("{name} = {value}, ")).collect();
        text += &format!("  case {}: {knobs}seed {}\n", case.number, case.seed);
    }
    if plan.case_count() as usize > MOST_CASES {
        text += &format!("  and {} more\n", plan.case_count() as usize - MOST_CASES);
    }
    text
}
