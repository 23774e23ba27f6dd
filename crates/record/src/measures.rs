//! What a case came to in each measure, from its rows of `slots.csv`.

use super::{error::RecordError, number::Number, slots::SlotRow};
use microgrid_agents::statement::Outcome;

/// What a slot with a market adds to a measure of its case: to a total, and to what this is divided by in the end.
type Part = (f64, f64);

/// A measure by its name, what it is of a case in words, and what a slot with a market adds to it, `None` where it is
/// undefined there. The second argument is the time from the opening of a slot to gate closure [s], if it is known.
type Measure = (&'static str, &'static str, fn(&SlotRow, Option<f64>) -> Option<Part>);

/// What most measures are.
const MEAN: &str = "Mean over the slots with a market";

/// All measures. What is a ratio in a slot is one of totals in a case; all else is a mean over slots.
pub const MEASURES: [Measure; 29] = [
    ("rounds", MEAN, |row, _| each(f64::from(row.rounds))),
    ("time_to_equilibrium_s", "Mean over the slots that came to equilibrium, of which there may be few", |row, _| {
        time(row).and_then(each)
    }),
    ("messages", MEAN, |row, _| each(row.messages as f64)),
    ("price_mean_cny_per_kwh", "Paid for all trades, divided by the energy of all", |row, _| {
        weighted(row.price_mean_cny_per_kwh, row.traded_kwh.value())
    }),
    ("equilibrium_price_cny_per_kwh", MEAN, |row, _| mean(row.equilibrium_price_cny_per_kwh)),
    ("price_gap", MEAN, |row, _| mean(row.price_gap)),
    ("imbalance", MEAN, |row, _| mean(row.imbalance)),
    ("ess_residual", MEAN, |row, _| mean(row.ess_residual)),
    ("information_age_mean_s", "Mean over all decisions", |row, _| {
        weighted(row.information_age_mean_s, decisions(row)?)
    }),
    ("information_age_p95_s", MEAN, |row, _| mean(row.information_age_p95_s)),
    ("traded_kwh", MEAN, |row, _| each(row.traded_kwh.value())),
    ("grid_import_kwh", MEAN, |row, _| each(row.grid_import_kwh.value())),
    ("grid_export_kwh", MEAN, |row, _| each(row.grid_export_kwh.value())),
    ("buyers_welfare_cny", MEAN, |row, _| mean(row.buyers_welfare_cny)),
    ("sellers_welfare_cny", MEAN, |row, _| mean(row.sellers_welfare_cny)),
    ("welfare_cny", MEAN, |row, _| mean(row.welfare_cny)),
    ("p2g_welfare_cny", MEAN, |row, _| mean(row.p2g_welfare_cny)),
    ("welfare_loss", "Welfare missed in all slots with a market, divided by that of their closed forms", |row, _| {
        welfare_loss(row)
    }),
    ("oscillation_amplitude", MEAN, |row, _| mean(row.oscillation_amplitude)),
    ("messages_per_kwh", "Messages of all slots with a market, divided by all energy traded in them", |row, _| {
        Some((row.messages as f64, row.traded_kwh.value()))
    }),
    (
        "updates_per_actor",
        "Decisions in all slots with a market, divided by the numbers of their participants",
        |row, _| Some((decisions(row)?, participants(row))),
    ),
    ("lost_messages", MEAN, |row, _| each(row.lost_messages as f64)),
    ("duplicated_messages", MEAN, |row, _| each(row.duplicated_messages as f64)),
    (
        "time_to_equilibrium_restricted_s",
        "Mean over the slots with a market, those that did not settle counted with the time to gate closure",
        |row, gate| gate.and_then(|gate| each(time(row).unwrap_or(gate))),
    ),
    ("price_gap_weighted", MEAN, |row, _| mean(row.price_gap_weighted)),
    ("consumption_kwh", MEAN, |row, _| each(row.consumption_kwh.value())),
    ("load_kwh", MEAN, |row, _| each(row.load_kwh.value())),
    ("p2g_storage_welfare_cny", MEAN, |row, _| mean(row.p2g_storage_welfare_cny)),
    ("worse_off", MEAN, |row, _| each(f64::from(row.worse_off))),
];

fn each(value: f64) -> Option<Part> {
    Some((value, 1.0))
}

fn mean(value: Option<Number>) -> Option<Part> {
    each(value?.value())
}

fn weighted(value: Option<Number>, weight: f64) -> Option<Part> {
    Some((value?.value() * weight, weight))
}

/// How long the slot took to equilibrium [s], if it came there.
fn time(row: &SlotRow) -> Option<f64> {
    row.time_to_equilibrium_s.filter(|_| row.outcome == Outcome::Equilibrium).map(Number::value)
}

/// How many prosumers could decide.
fn participants(row: &SlotRow) -> f64 {
    f64::from(row.admitted)
}

/// How many decisions they made.
fn decisions(row: &SlotRow) -> Option<f64> {
    Some(row.updates_per_actor?.value() * participants(row))
}

/// Welfare missed, and the size of that of the closed form.
fn welfare_loss(row: &SlotRow) -> Option<Part> {
    let best = row.equilibrium_welfare_cny?.value();
    Some((best - row.welfare_cny?.value(), best.abs()))
}

/// What a complete case came to.
#[derive(Clone, Debug)]
pub struct CaseMeasures {
    /// Number of the case.
    pub(super) case: u32,
    /// How many slots had a market.
    pub(super) market_slots: u32,
    /// How many of these ended in equilibrium.
    pub(super) equilibria: u32,
    totals: [Part; MEASURES.len()],
}

impl CaseMeasures {
    fn new(case: u32) -> Self {
        Self { case, market_slots: 0, equilibria: 0, totals: [(0.0, 0.0); MEASURES.len()] }
    }

    fn add(&mut self, row: &SlotRow, gate: Option<f64>) {
        if row.outcome == Outcome::NoMarket {
            return;
        }
        self.market_slots += 1;
        self.equilibria += u32::from(row.outcome == Outcome::Equilibrium);
        for (total, (.., measure)) in self.totals.iter_mut().zip(MEASURES) {
            let (value, weight) = measure(row, gate).unwrap_or_default();
            *total = (total.0 + value, total.1 + weight);
        }
    }

    /// Each of [`MEASURES`]; `None` where it is undefined.
    pub(super) fn values(&self) -> [Option<f64>; MEASURES.len()] {
        self.totals.map(|(total, weight)| (weight > 0.0).then(|| total / weight))
    }

    /// Part of the slots with a market that ended in equilibrium; `None` without any.
    pub(super) fn share(&self) -> Option<f64> {
        (self.market_slots > 0).then(|| f64::from(self.equilibria) / f64::from(self.market_slots))
    }
}

/// What each complete case came to, from the rows of `slots.csv`. `slots` is how many slots each case has, and `gate` the
/// time to gate closure [s], if it is known.
pub fn complete_cases(
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
    use crate::fixtures::slot_row;

    /// What a case with these slots came to.
    fn measured(slots: &[&[(&str, &str)]], gate: Option<f64>) -> CaseMeasures {
        let rows = slots.iter().map(|cells| Ok(slot_row(cells)));
        let rows: Vec<_> = rows
            .chain([Ok(slot_row(&[("slot", "9"), ("outcome", "NoMarket"), ("messages", "1000")]))])
            .map(|row: Result<SlotRow, RecordError>| row.map(|row| SlotRow { case: 1, ..row }))
            .collect();
        let mut cases = complete_cases(rows.into_iter(), 9, gate);
        let case = cases.next().unwrap().unwrap();
        assert!(cases.next().is_none());
        case
    }

    fn value(case: &CaseMeasures, name: &str) -> Option<f64> {
        case.values()[MEASURES.iter().position(|(known, ..)| *known == name).unwrap()]
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
        assert_eq!((case.market_slots, case.equilibria, case.share()), (3, 1, Some(1.0 / 3.0)));
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
    fn without_what_it_is_a_ratio_of_nothing_is_told() {
        let case = measured(&[&[("slot", "1"), ("outcome", "GateClosure"), ("messages", "20")]], Some(600.0));
        for name in ["messages_per_kwh", "price_mean_cny_per_kwh", "welfare_loss", "time_to_equilibrium_s"] {
            assert_eq!(value(&case, name), None, "{name}");
        }
        let empty = measured(&[], Some(600.0));
        assert!(empty.values().iter().all(Option::is_none) && empty.share().is_none());
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
