//! The members' bills: for each case and member a row a month, from which the page's script makes a bill.

use super::Json;
use microgrid_record::{BillRow, Number, RecordError, Row, Run};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The page has room for so many rows.
const MOST_ROWS: usize = 20_000;

/// What a bill has of something.
type Amount = fn(&BillRow) -> Number;

/// What the script needs of a row, in its order.
const COLUMNS: [(&str, Amount); 18] = [
    ("generated", |row| row.generation_kwh),
    ("consumed", |row| row.consumption_kwh),
    ("roof", |row| row.own_use_kwh),
    ("storage", |row| row.discharged_kwh),
    ("bought", |row| row.bought_kwh),
    ("sold", |row| row.sold_kwh),
    ("imported", |row| row.grid_import_kwh),
    ("exported", |row| row.grid_export_kwh),
    ("paid", |row| row.local_paid_cny),
    ("earned", |row| row.local_earned_cny),
    ("service", |row| row.service_fee_cny),
    ("network", |row| row.grid_fee_cny),
    ("gridPaid", |row| row.grid_paid_cny),
    ("gridEarned", |row| row.grid_earned_cny),
    ("p2g", |row| row.p2g_net_cost_cny),
    ("p2gStorage", |row| row.p2g_storage_net_cost_cny),
    ("short", |row| row.short_kwh),
    ("long", |row| row.long_kwh),
];

/// The bills of a case.
#[derive(Debug, Serialize)]
struct OfCase {
    columns: [&'static str; COLUMNS.len()],
    /// What money is called.
    currency: &'static str,
    /// Whether a member has a storage that did anything, here or in P2G.
    storage: bool,
    members: Vec<OfMember>,
}

#[derive(Debug, Serialize)]
struct OfMember {
    label: String,
    /// Month, and a number for each column.
    months: Vec<(Option<String>, Vec<f64>)>,
}

/// The bills of the cases that there is room for, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Bills {
    cases: BTreeMap<u32, BTreeMap<u32, OfMember>>,
    /// Those in which storages did anything.
    with_storage: BTreeSet<u32>,
    left_out: usize,
}

impl Bills {
    pub(super) fn read(run: &Run) -> Result<Self, RecordError> {
        let mut bills = Self::default();
        if !run.keeps(BillRow::FILE) {
            return Ok(bills);
        }
        let (mut rows, mut full) = (0, None);
        for row in run.rows::<BillRow>()? {
            let row = row?;
            rows += 1;
            let member = (row.case, row.prosumer);
            // Either all months of a case or none: of what is too much, members with larger numbers are left out.
            let is_known = bills.cases.get(&row.case).is_some_and(|case| case.contains_key(&row.prosumer));
            if !is_known && (rows > MOST_ROWS || full.is_some_and(|full| full <= member)) {
                full = full.or(Some(member)).map(|full: (u32, u32)| full.min(member));
                bills.left_out += 1;
                continue;
            }
            let stored = row.charged_kwh.value() + row.discharged_kwh.value();
            if stored > 0.0 || row.p2g_storage_net_cost_cny != row.p2g_net_cost_cny {
                bills.with_storage.insert(row.case);
            }
            let named = row.name.as_ref().map(|name| format!("{name} ({})", row.prosumer));
            let label = named.unwrap_or_else(|| row.prosumer.to_string());
            let new = || OfMember { label, months: Vec::new() };
            let of = bills.cases.entry(row.case).or_default().entry(row.prosumer).or_insert_with(new);
            of.months.push((row.month.clone(), COLUMNS.iter().map(|(_, value)| value(&row).value()).collect()));
        }
        Ok(bills)
    }

    pub(super) fn has_any(&self) -> bool {
        !self.cases.is_empty()
    }

    pub(super) fn note(&self) -> Option<String> {
        let left = self.left_out;
        (left > 0).then(|| {
            format!("{left} bills of later cases and members are not on this page: `{}` has all.", BillRow::FILE)
        })
    }

    /// All this for the page's script, each case by itself.
    pub(super) fn json(self) -> impl Iterator<Item = Json> {
        let columns = COLUMNS.map(|(name, _)| name);
        self.cases.into_iter().map(move |(case, members)| {
            let members = members.into_values().collect();
            let storage = self.with_storage.contains(&case);
            Json::new(format!("bills-{case}"), &OfCase { columns, currency: "CNY", storage, members })
        })
    }
}
