//! What a case came to in each measure, from its rows of `slots.csv`.

use super::{
    column::{Column, Kind, Value},
    error::RecordError,
    slots::SlotRow,
    table::Row,
};
use microgrid_agents::statement::Outcome;
use std::sync::LazyLock;

/// The measure that is no column: it comes before those of the columns that are younger.
static RESTRICTED: Column<SlotRow> =
    Column::new("time_to_equilibrium_restricted_s", Kind::Optional, |_| Value::Missing).unit("s").until_gate().ratio(
        "time to equilibrium or gate closure",
        "Mean over the slots with a market, those that did not settle counted with the time to gate closure",
        |row: &SlotRow, gate| {
            let gate = gate.filter(|_| row.outcome.looked_for_equilibrium())?;
            Some((row.settled_after().unwrap_or(gate), 1.0))
        },
    );
const BEFORE_RESTRICTED: usize = 23;

/// All measures, in the order of the columns of `slots.csv`. What is a ratio in a slot is one of totals in a case; all else
/// is a mean over slots.
pub static MEASURES: LazyLock<Vec<&Column<SlotRow>>> = LazyLock::new(|| {
    let mut measures: Vec<_> = SlotRow::COLUMNS.iter().filter(|column| !column.label.is_empty()).collect();
    measures.insert(BEFORE_RESTRICTED, &RESTRICTED);
    measures
});

/// What a complete case came to.
#[derive(Clone, Debug)]
pub(crate) struct CaseMeasures {
    /// Number of the case.
    pub(super) case: u32,
    /// In how many slots an equilibrium was looked for.
    pub(super) searches: u32,
    /// How many of these ended in one.
    pub(super) equilibria: u32,
    /// Of each measure a total, and what this is divided by.
    totals: Vec<(f64, f64)>,
}

impl CaseMeasures {
    fn new(case: u32) -> Self {
        Self { case, searches: 0, equilibria: 0, totals: vec![(0.0, 0.0); MEASURES.len()] }
    }

    fn add(&mut self, row: &SlotRow, gate: Option<f64>) {
        if row.outcome == Outcome::NoMarket {
            return;
        }
        self.searches += u32::from(row.outcome.looked_for_equilibrium());
        self.equilibria += u32::from(row.outcome == Outcome::Equilibrium);
        for (total, column) in self.totals.iter_mut().zip(&*MEASURES) {
            let part = match column.ratio {
                Some(parts) => parts(row, gate),
                None => (column.value)(row).number().map(|value| (value, 1.0)),
            };
            let (value, weight) = part.unwrap_or_default();
            *total = (total.0 + value, total.1 + weight);
        }
    }

    /// Each of [`MEASURES`]; `None` where it is undefined.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<f64>> {
        self.totals.iter().map(|(total, weight)| (*weight > 0.0).then(|| total / weight))
    }

    /// Part of the slots in which an equilibrium was looked for that ended in one; `None` without any.
    pub(super) fn share(&self) -> Option<f64> {
        (self.searches > 0).then(|| f64::from(self.equilibria) / f64::from(self.searches))
    }
}

/// What each complete case came to, from the rows of `slots.csv`. `slots` is how many slots each case has, and `gate` the
/// time to gate closure [s], if it is known.
pub(crate) fn complete_cases(
    rows: impl Iterator<Item = Result<SlotRow, RecordError>>,
    slots: u32,
    gate: Option<f64>,
) -> impl Iterator<Item = Result<CaseMeasures, RecordError>> {
    let mut case = CaseMeasures::new(0);
    rows.filter_map(move |row| {
        let row = match row {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        if case.case != row.case {
            case = CaseMeasures::new(row.case);
        }
        case.add(&row, gate);
        (row.slot == slots).then(|| Ok(case.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::row_of;

    /// What a case with these slots came to.
    fn measured(slots: &[&[(&str, &str)]], gate: Option<f64>) -> CaseMeasures {
        let rows = slots.iter().map(|cells| Ok(row_of::<SlotRow>(cells)));
        let rows: Vec<_> = rows
            .chain([Ok(row_of::<SlotRow>(&[("slot", "9"), ("outcome", "NoMarket"), ("messages", "1000")]))])
            .map(|row: Result<SlotRow, RecordError>| row.map(|row| SlotRow { case: 1, ..row }))
            .collect();
        let mut cases = complete_cases(rows.into_iter(), 9, gate);
        let case = cases.next().unwrap().unwrap();
        assert!(cases.next().is_none());
        case
    }

    fn value(case: &CaseMeasures, name: &str) -> Option<f64> {
        case.values().nth(MEASURES.iter().position(|known| known.name == name).unwrap()).unwrap()
    }

    #[test]
    fn ratios_are_those_of_totals() {
        let slots: [&[(&str, &str)]; 3] = [
            &[
                ("slot", "1"),
                ("outcome", "Equilibrium"),
                ("time_to_equilibrium_s", "30"),
                ("admitted", "10"),
                ("messages", "100"),
                ("traded_kwh", "9"),
                ("price_mean_cny_per_kwh", "0.5"),
                ("equilibrium_price_cny_per_kwh", "0.5"),
                ("welfare_cny", "30"),
                ("equilibrium_welfare_cny", "30"),
                ("updates_per_actor", "3"),
                ("information_age_mean_s", "0.1"),
            ],
            &[
                ("slot", "2"),
                ("outcome", "GateClosure"),
                ("admitted", "2"),
                ("messages", "300"),
                ("traded_kwh", "1"),
                ("price_mean_cny_per_kwh", "1.5"),
                ("equilibrium_price_cny_per_kwh", "0.7"),
                // 5 of 10 CNY are missed, of 40 CNY that the closed form brings in both.
                ("welfare_cny", "5"),
                ("equilibrium_welfare_cny", "10"),
                ("updates_per_actor", "45"),
                ("information_age_mean_s", "1.1"),
            ],
            // Nothing is traded, and nobody decides.
            &[("slot", "3"), ("outcome", "GateClosure"), ("messages", "20")],
        ];
        let case = measured(&slots, Some(600.0));
        assert_eq!((case.searches, case.equilibria, case.share()), (3, 1, Some(1.0 / 3.0)));
        for (name, expected) in [
            ("messages_per_kwh", 420.0 / 10.0),
            ("messages", 140.0),
            ("price_mean_cny_per_kwh", (0.5 * 9.0 + 1.5) / 10.0),
            ("equilibrium_price_cny_per_kwh", 0.6),
            ("welfare_loss", 5.0 / 40.0),
            ("updates_per_actor", (30.0 + 90.0) / 12.0),
            ("information_age_mean_s", (0.1 * 30.0 + 1.1 * 90.0) / 120.0),
            ("time_to_equilibrium_s", 30.0),
            ("time_to_equilibrium_restricted_s", 410.0),
        ] {
            let found = value(&case, name).unwrap();
            assert!((found - expected).abs() < 1e-12, "{name} = {found}, not {expected}");
        }
        assert_eq!(value(&measured(&slots, None), "time_to_equilibrium_restricted_s"), None);
    }

    #[test]
    fn what_looks_for_no_equilibrium_has_missed_none() {
        let slot = |number, outcome| -> [(&str, &str); 3] {
            [("slot", number), ("outcome", outcome), ("time_to_end_s", "60")]
        };
        let (cleared, settled, missed) = (slot("1", "Cleared"), slot("2", "Equilibrium"), slot("3", "GateClosure"));
        let settled = [&settled[..], &[("time_to_equilibrium_s", "30")]].concat();
        let restricted = |case: &CaseMeasures| value(case, "time_to_equilibrium_restricted_s");
        let mixed = measured(&[&cleared, &settled, &missed], Some(600.0));
        assert_eq!((mixed.searches, mixed.share(), restricted(&mixed)), (2, Some(0.5), Some(315.0)));
        let cleared = measured(&[&cleared], Some(600.0));
        assert_eq!((cleared.searches, cleared.share(), restricted(&cleared)), (0, None, None));
        assert_eq!(value(&cleared, "time_to_end_s"), Some(60.0), "it had a market all the same");
    }

    #[test]
    fn without_what_it_is_a_ratio_of_nothing_is_told() {
        let case = measured(&[&[("slot", "1"), ("outcome", "GateClosure"), ("messages", "20")]], Some(600.0));
        for name in ["messages_per_kwh", "price_mean_cny_per_kwh", "welfare_loss", "time_to_equilibrium_s"] {
            assert_eq!(value(&case, name), None, "{name}");
        }
        let empty = measured(&[], Some(600.0));
        assert!(empty.values().all(|value| value.is_none()) && empty.share().is_none());
    }

    #[test]
    fn welfare_below_zero_is_missed_as_welfare_above_is() {
        // 2 CNY are missed of -4, and none of 4.
        let slots: [&[(&str, &str)]; 2] = [
            &[("slot", "1"), ("outcome", "GateClosure"), ("welfare_cny", "-6"), ("equilibrium_welfare_cny", "-4")],
            &[("slot", "2"), ("outcome", "GateClosure"), ("welfare_cny", "4"), ("equilibrium_welfare_cny", "4")],
        ];
        assert_eq!(value(&measured(&slots, None), "welfare_loss"), Some(0.25));
    }
}
