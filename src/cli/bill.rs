//! `sim show RUN --member NAME`: what a member has used, paid and saved, month by month.

use super::{
    error::CliError,
    summary,
    table::{Table, key},
    text::{bold, fixed, signed, wrapped},
};
use crate::{
    record::{BillRow, CaseEntry, Number, RecordError, Run},
    scenario::composed,
};
use std::collections::BTreeMap;

/// A line of a table of bills: a month, or all of them.
struct Line<'a> {
    name: String,
    rows: &'a [BillRow],
}

impl Line<'_> {
    fn sum(&self, of: fn(&BillRow) -> Number) -> f64 {
        // In whole units, as they are settled.
        self.rows.iter().map(|row| (of(row).value() * 1e6).round()).sum::<f64>() / 1e6
    }
}

/// The bills of a member, by its name or number, in all cases or in `only` one.
pub(super) fn bills(run: &Run, member: &str, only: Option<&CaseEntry>) -> Result<String, CliError> {
    let found = of_member(run, member, only).map_err(CliError::bad_input)?;
    if found.is_empty() {
        let names = names(run).map_err(CliError::bad_input)?.join(", ");
        let known = wrapped(&format!("it has {names}"));
        return Err(CliError::bad_input(format!("the run has no bills of a member {member:?}; {known}")));
    }
    let told = found.iter().filter_map(|(case, rows)| Some(told(run, run.case(*case)?, rows)));
    Ok(told.collect::<Vec<_>>().join("\n"))
}

/// The rows of a member in each case; a name is preferred to a number.
fn of_member(run: &Run, member: &str, only: Option<&CaseEntry>) -> Result<BTreeMap<u32, Vec<BillRow>>, RecordError> {
    let (mut named, mut numbered) = (BTreeMap::<u32, Vec<BillRow>>::new(), BTreeMap::<u32, Vec<BillRow>>::new());
    let member = &*composed(member.trim());
    let number = member.parse::<u32>().ok();
    for row in run.rows::<BillRow>()? {
        let row = row?;
        if only.is_some_and(|only| only.case != row.case) {
            continue;
        }
        if row.name.as_deref().is_some_and(|name| composed(name) == member) {
            named.entry(row.case).or_default().push(row);
        } else if number == Some(row.prosumer) {
            numbered.entry(row.case).or_default().push(row);
        }
    }
    Ok(if named.is_empty() { numbered } else { named })
}

/// So many names fit a message.
const MOST_NAMES: usize = 30;

/// What members are called: the first of them, and how many there are beyond.
fn names(run: &Run) -> Result<Vec<String>, RecordError> {
    let mut all = BTreeMap::<u32, String>::new();
    for row in run.rows::<BillRow>()? {
        let row = row?;
        all.entry(row.prosumer).or_insert_with(|| row.name.unwrap_or_else(|| row.prosumer.to_string()));
    }
    let left = all.len().saturating_sub(MOST_NAMES);
    let more = (left > 0).then(|| format!("and {left} more"));
    Ok(all.into_values().take(MOST_NAMES).chain(more).collect())
}

fn told(run: &Run, case: &CaseEntry, rows: &[BillRow]) -> String {
    let first = &rows[0];
    let named = first.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
    let group = first.group.as_ref().map_or_else(String::new, |group| format!(", group {group}"));
    let title = format!("{}: member {}{named}{group}", summary::title(run, case), first.prosumer);
    let month = |row: &BillRow| row.month.clone().unwrap_or_else(|| "all".to_owned());
    let each = rows.iter().map(|row| Line { name: month(row), rows: std::slice::from_ref(row) });
    let all = (rows.len() > 1).then(|| Line { name: "all".to_owned(), rows });
    let lines: Vec<Line<'_>> = each.chain(all).collect();
    let table = || Table::of(&lines).column(key("month"), |line| line.name.clone());
    let kwh = |of: fn(&BillRow) -> Number| move |line: &&Line<'_>| fixed(line.sum(of), 1);
    let cny = |of: fn(&BillRow) -> Number| move |line: &&Line<'_>| fixed(line.sum(of), 2);
    let saved = |of: fn(&BillRow) -> Number| move |line: &&Line<'_>| signed(line.sum(of), 2);
    let stores =
        lines.iter().any(|line| line.sum(|row| row.charged_kwh) > 0.0 || line.sum(|row| row.discharged_kwh) > 0.0);
    let balances = lines.iter().any(|line| line.sum(|row| row.short_kwh) > 0.0 || line.sum(|row| row.long_kwh) > 0.0);
    let energy = table()
        .column("consumed", kwh(|row| row.consumption_kwh))
        .column("own\nroof", kwh(|row| row.own_use_kwh))
        .column_if(stores, "own\nstorage", kwh(|row| row.discharged_kwh))
        .column("neigh-\nbours", kwh(|row| row.bought_kwh))
        .column("grid", kwh(|row| row.grid_import_kwh))
        .column("generated", kwh(|row| row.generation_kwh))
        .column("to neigh-\nbours", kwh(|row| row.sold_kwh))
        .column("into\nthe grid", kwh(|row| row.grid_export_kwh))
        .draw();
    let unforeseen = table().column("short", kwh(|row| row.short_kwh)).column("long", kwh(|row| row.long_kwh)).draw();
    let unforeseen = if balances {
        format!("{}\n\n{unforeseen}\n", bold("beside what was registered [kWh]"))
    } else {
        String::new()
    };
    let money = table()
        .column("paid to\nneighb.", cny(|row| row.local_paid_cny))
        .column("earned\nof them", cny(|row| row.local_earned_cny))
        .column("service\nfee", cny(|row| row.service_fee_cny))
        .column("grid\nfee", cny(|row| row.grid_fee_cny))
        .column("paid to\nthe grid", cny(|row| row.grid_paid_cny))
        .column("earned\nof it", cny(|row| row.grid_earned_cny))
        .column("net\ncost", cny(|row| row.net_cost_cny))
        .draw();
    let beside = table()
        .column("net cost", cny(|row| row.net_cost_cny))
        .column("in P2G", cny(|row| row.p2g_net_cost_cny))
        .column("saved", saved(|row| row.savings_cny))
        .column_if(stores, "in P2G\nwith storage", cny(|row| row.p2g_storage_net_cost_cny))
        .column_if(stores, "saved\nbeside it", saved(|row| row.market_savings_cny))
        .draw();
    format!(
        "{}\n\n{}\n\n{energy}\n{unforeseen}{}\n\n{money}\n{}\n\n{beside}",
        bold(&wrapped(&title)),
        bold("energy [kWh]"),
        bold("money [CNY]"),
        bold("beside the grid alone [CNY]")
    )
}
