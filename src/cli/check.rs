//! `sim check SCENARIO`: is it valid, and what would run?

use super::{
    args::Input,
    error::CliError,
    print,
    text::{counted, grouped, wrapped},
};
use crate::{
    report::format::bounds,
    scenario::{
        Plan,
        calendar::Dates,
        schema::{Open, PopulationSource, Record},
    },
};
use microgrid_agents::market::demand::Demand;

/// More cases than this are not listed.
const MOST_CASES: usize = 50;

/// More profiles than this are not named.
const MOST_PROFILES: usize = 8;

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

/// When the market is open: `open in slots 8-20`, or `open 08:00-20:00 on 28 days, 1,344 of 2,688 slots`.
fn opening(plan: &Plan) -> String {
    let (market, open) = (&plan.scenario.market, plan.open());
    match (&market.open, plan.dates()) {
        (Open::Hours(hours), Some(dates)) => {
            let mut days: Vec<usize> = open.iter().map(|slot| dates.day_of(slot)).collect();
            days.dedup();
            let when = if hours.is_empty() { String::new() } else { format!(" {}", market.open) };
            let all = counted(market.slots as usize, "slot");
            format!("open{when} on {}, {} of {all}", counted(days.len(), "day"), grouped(open.count()))
        }
        (open, _) => format!("open in slots {}", open.to_string().trim_matches(['(', ')']).replace(", ", "-")),
    }
}

/// From when to when the slots are, and which days are not of 24 hours.
fn days(dates: &Dates) -> String {
    let usual = (24 * 3600) as f64 / dates.slot_length().as_secs_f64();
    let others = (0..dates.days()).map(|day| (dates.date(day), dates.slots_of(day).count()));
    let others: Vec<String> = others
        .filter(|(_, slots)| *slots as f64 != usual)
        .map(|(date, slots)| format!("{date} has {slots} slots"))
        .collect();
    let (shown, more) = others.split_at(others.len().min(4));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more days", more.len()) };
    let others = if shown.is_empty() { String::new() } else { format!("; {}{more}", shown.join(", ")) };
    wrapped(&format!("  from {} to {}, {}{others}\n", dates.time(1), dates.time(dates.slots() + 1), dates.zone()))
}

fn describe(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let market = &scenario.market;
    let (smallest, largest) = plan.population_sizes();
    let prosumers = if smallest == largest {
        counted(smallest, "prosumer")
    } else {
        format!("{} to {} prosumers", grouped(smallest), grouped(largest))
    };
    let mut text = format!(
        "{} is valid: {prosumers}, {} of {}, market {}, {}\n",
        scenario.name,
        counted(market.slots as usize, "slot"),
        humantime::format_duration(market.slot_length),
        opening(plan),
        counted(plan.case_count() as usize, "case"),
    );
    if let Some(dates) = plan.dates() {
        text += &days(dates);
        text += &format!("  leaves {} on disk, beside its report\n", plan.on_disk());
        if plan.cases().take(MOST_CASES).all(|case| case.independent_days().is_some()) {
            text += "  days are independent: they run in parallel\n";
        }
    }
    if let (PopulationSource::Profiles(_) | PopulationSource::Members(_), Demand::Elastic) =
        (&scenario.population, scenario.preferences.demand)
    {
        text += &wrapped(
            "note: with `demand: Elastic` buyers answer to price, so they may consume more or less than the load of their \
             profiles; `demand: Firm` keeps to it\n",
        );
    }
    if plan.is_unsigned() && plan.scenario.record == Record::Full {
        text += &wrapped(
            "note: with `signatures: Off` nothing is signed, so `sim ledger verify` refuses the ledger; with `signatures: \
             Settlement` what is settled is signed\n",
        );
    }
    if let unused @ [first, ..] = plan.unused_profiles() {
        let shown = unused.iter().take(MOST_PROFILES).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let more = unused.len().saturating_sub(MOST_PROFILES);
        let names = match (unused.len(), more) {
            (1, _) => format!("profile `{first}` is"),
            (_, 0) => format!("profiles {shown} are"),
            _ => format!("profiles {shown} and {more} more are"),
        };
        text += &wrapped(&format!("note: {names} used by no member\n"));
    }
    let (without, open) = plan.slots_without_room(None);
    if without > 0 {
        let slots = if without == open {
            "any open slot".to_owned()
        } else {
            format!("{} of {} open slots", grouped(without), grouped(open))
        };
        let (slots, fee) = if plan.varies("market") {
            (format!("{slots} of some case"), String::new())
        } else {
            (slots, format!(" of {} {}/kWh", market.local_fee(), market.currency))
        };
        let [feed_in, grid] = bounds(market);
        text += &wrapped(&format!(
            "note: there is no room for a price in {slots}, where {grid} less the fee{fee} is below {feed_in}: nothing can \
             be traded\n",
        ));
    }
    for case in plan.settings().take(MOST_CASES) {
        let knobs: String = case.knobs.iter().map(|(name, value)| format!("{name} = {value}, ")).collect();
        text += &format!("  case {}: {knobs}seed {}\n", case.number, case.seed);
    }
    if plan.case_count() as usize > MOST_CASES {
        text += &format!("  and {} more\n", grouped(plan.case_count() as usize - MOST_CASES));
    }
    text
}
