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
    let plan = data.plan.as_ref()?;
    let varies = |n, part: &str| plan.varies(&format!("network.conditions[{n}].{part}"));
    let each = || plan.scenario.network.conditions.iter().enumerate();
    let told = ["at", "every", "what.Partition", "what.Link.from", "what.Link.to", "what.Crash.who"];
    if each().any(|(n, _)| told.iter().any(|part| varies(n, part))) {
        return Some("The scenario's `conditions` differ by case.".to_owned());
    }
    let each: Vec<String> = each().map(|(n, condition)| incident(condition, varies(n, "lasting"))).collect();
    (!each.is_empty()).then(|| format!("The scenario's `conditions` bring {}.", each.join("; ")))
}

/// What a condition brings, to whom, when, and for how long, which may differ by case.
fn incident(condition: &Condition, length_varies: bool) -> String {
    let Condition { at, lasting, every, what } = condition;
    let (what, lasts, for_good) = match what {
        Incident::Partition { from, to, one_way: false } => {
            (format!("a partition of {from:?} and {to:?}"), "for", "for good")
        }
        Incident::Partition { from, to, one_way: true } => {
            (format!("a partition from {from:?} to {to:?}"), "for", "for good")
        }
        Incident::Link(link) => (format!("another link of {:?} and {:?}", link.from, link.to), "for", "for good"),
        Incident::Crash { who, .. } => (format!("a crash of {who:?}"), "back after", "never back"),
    };
    let again = every.map_or_else(String::new, |every| format!(" and every {} from then on", format_duration(every)));
    let until = match lasting {
        _ if length_varies => format!("{lasts} a time that differs by case"),
        Some(lasting) => format!("{lasts} {}", format_duration(*lasting)),
        None => for_good.to_owned(),
    };
    format!("{what} {} after the start{again}, {until}", format_duration(*at))
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

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::{
        Run,
        fixtures::{day::Day, whole_case},
    };
    use microgrid_scenario::schema::Who;
    use std::time::Duration;

    #[test]
    fn incidents_name_who_is_meant_and_when_it_is_over() {
        let (_day, recorder) = whole_case(Day::new());
        let mut data = Data::read(&Run::open(recorder.folder()).unwrap()).unwrap();
        assert_eq!(incidents(&data), None);
        let crash = |who| Incident::Crash { who, memory: Default::default() };
        let of = |lasting, every, what| {
            let seconds = |length: Option<u64>| length.map(Duration::from_secs);
            Condition { at: Duration::from_secs(20), lasting: seconds(lasting), every: seconds(every), what }
        };
        let mut told = |conditions: Vec<Condition>, varied: &str| {
            let scenario = &mut data.plan.as_mut().unwrap().scenario;
            scenario.network.conditions = conditions;
            scenario.vary = [(varied.to_owned(), vec![])].into_iter().filter(|(name, _)| !name.is_empty()).collect();
            incidents(&data).unwrap().replace("The scenario's `conditions` bring ", "")
        };
        let peer = || of(Some(600), None, crash(Who::Peer(2)));
        assert_eq!(
            told(vec![peer(), of(None, None, crash(Who::Orderer))], ""),
            "a crash of Peer(2) 20s after the start, back after 10m; a crash of Orderer 20s after the start, never back."
        );
        let far = of(Some(30), Some(3600), crash(Who::Group("far".to_owned())));
        assert_eq!(
            told(vec![far], ""),
            "a crash of Group(\"far\") 20s after the start and every 1h from then on, back after 30s."
        );
        let cut = Incident::Partition { from: Who::Prosumer(3), to: Who::Grid, one_way: true };
        assert_eq!(
            told(vec![of(Some(60), None, cut)], ""),
            "a partition from Prosumer(3) to Grid 20s after the start, for 1m."
        );
        assert_eq!(
            told(vec![peer()], "lasting"),
            "a crash of Peer(2) 20s after the start, back after a time that differs by case."
        );
        let other = "The scenario's `conditions` differ by case.";
        assert_eq!(told(vec![peer()], "network.conditions[0].what"), other);
    }
}
