//! What happened on the way, in plain language: storages, incidents, messages that were lost, transactions refused.

use crate::{
    data::Data,
    format::{NARROW, fixed, grouped},
};
use humantime::format_duration;
use microgrid_agents::chain::refusal::Refusal;
use microgrid_record::{LedgerRow, SlotRow, Totals};
use microgrid_scenario::schema::{Condition, Incident};

/// All there is to say, a paragraph each.
pub(super) fn reading(data: &Data, ledger: &[LedgerRow]) -> Vec<String> {
    let said = [storages(data), incidents(data), messages(data), refusals(ledger)];
    said.into_iter().flatten().collect()
}

fn storages(data: &Data) -> Option<String> {
    let storage = data.plan.as_ref()?.scenario.storage.as_ref()?;
    let totals = || data.complete().map(|(_, figures)| &figures.totals);
    let sum = |of: fn(&Totals) -> f64| totals().map(of).sum::<f64>();
    totals().next()?;
    let (charged, discharged) = (sum(|totals| totals.charged_kwh), sum(|totals| totals.discharged_kwh));
    if charged + discharged == 0.0 {
        return Some("Storages were not used.".to_owned());
    }
    let cases = if totals().count() > 1 { ", in all cases together" } else { "" };
    let held = match storage.initial_kwh {
        0.0 => String::new(),
        initial => format!("held {} kWh each at the start, ", fixed(initial, 2)),
    };
    Some(format!("Storages {held}took {} kWh and gave {} kWh{cases}.", fixed(charged, 2), fixed(discharged, 2)))
}

fn incidents(data: &Data) -> Option<String> {
    let conditions = &data.plan.as_ref()?.scenario.network.conditions;
    let each: Vec<String> = conditions.iter().map(incident).collect();
    (!each.is_empty()).then(|| format!("The scenario's `conditions` bring {}.", each.join("; ")))
}

fn incident(condition: &Condition) -> String {
    let what = match condition.what {
        Incident::Partition { .. } => "a partition",
        Incident::Link(_) => "other links",
        Incident::Crash { .. } => "crashes",
    };
    let again =
        condition.every.map_or_else(String::new, |every| format!(" and every {} from then on", format_duration(every)));
    format!("{what} {} after the start{again}", format_duration(condition.at))
}

fn messages(data: &Data) -> Option<String> {
    let rows = || data.cases.iter().flat_map(|case| &case.slots);
    let sum = |of: fn(&SlotRow) -> u64| rows().map(of).sum::<u64>();
    let (sent, lost, twice) =
        (sum(|row| row.messages), sum(|row| row.lost_messages), sum(|row| row.duplicated_messages));
    let mut said = Vec::new();
    if lost > 0 {
        let share = fixed(100.0 * lost as f64 / sent as f64, 2);
        said.push(format!("{} of {} messages ({share} %) never arrived", number(lost), number(sent)));
    }
    if twice > 0 {
        said.push(format!("{} arrived twice", number(twice)));
    }
    (!said.is_empty()).then(|| format!("{}.", said.join("; ")))
}

fn refusals(ledger: &[LedgerRow]) -> Option<String> {
    let mut reasons: Vec<(Refusal, u64)> = Refusal::ALL.iter().map(|&refusal| (refusal, 0)).collect();
    for row in ledger {
        reasons.iter_mut().zip(row.refused()).for_each(|((_, sum), (_, count))| *sum += count);
    }
    reasons.retain(|(_, sum)| *sum > 0);
    reasons.sort_by_key(|&(_, sum)| std::cmp::Reverse(sum));
    let all: u64 = reasons.iter().map(|(_, sum)| sum).sum();
    let often = |sum| if reasons.len() == 1 { String::new() } else { format!(" ({})", number(sum)) };
    let each = reasons.iter().map(|(refusal, sum)| format!("{refusal}{}", often(*sum)));
    let what = if all == 1 { "transaction" } else { "transactions" };
    (all > 0).then(|| format!("The ledger refused {} {what}: {}.", number(all), each.collect::<Vec<_>>().join(", ")))
}

fn number(whole: u64) -> String {
    grouped(&whole.to_string(), NARROW, 4)
}
