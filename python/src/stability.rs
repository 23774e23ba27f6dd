//! What linear theory says of the game's equilibrium, for Python.

use crate::{
    errors,
    study::Source,
    table::{Table, field},
};
use microgrid_sim::{
    agents::ids::Slot,
    analysis::stability::{Caveat, DelayLimit, Setting, SlotStability, slot_stability},
    record::{Kind, Value},
    scenario::{Case, LastPopulation, Plan},
};
use pyo3::prelude::*;

/// A column of the table: its name, type and unit, and what a judged slot of a case has in it.
type Column = (&'static str, Kind, Option<&'static str>, fn(&Case, &SlotStability) -> Value);

const COLUMNS: &[Column] = &[
    ("case", Kind::Small, None, |case, _| case.number.into()),
    ("slot", Kind::Small, None, |_, of| of.slot.into()),
    ("sellers", Kind::Small, None, |_, of| (of.sellers as u32).into()),
    ("buyers", Kind::Small, None, |_, of| (of.buyers as u32).into()),
    ("responsive_buyers", Kind::Small, None, |_, of| (of.responsive as u32).into()),
    ("surplus_kwh", Kind::Optional, Some("kWh"), |_, of| of.surplus.into()),
    ("equilibrium_price_cny_per_kwh", Kind::Optional, Some("CNY/kWh"), |_, of| of.price.into()),
    ("largest_root", Kind::Optional, None, |_, of| number(of, |judged| Some(judged.root.modulus))),
    ("period_rounds", Kind::Optional, None, |_, of| number(of, |judged| judged.root.period())),
    ("stable", Kind::Text, None, |_, of| {
        Value::Text(match &of.judgement {
            Ok(judged) if judged.root.is_stable() => "yes".to_owned(),
            Ok(_) => "no".to_owned(),
            Err(omission) => format!("{omission:?}"),
        })
    }),
    ("critical_replicator_step", Kind::Optional, None, |_, of| {
        number(of, |judged| judged.limits.map(|limits| limits.replicator.fixed))
    }),
    ("replicator_margin", Kind::Optional, None, |_, of| {
        number(of, |judged| judged.limits.map(|limits| limits.replicator.margin))
    }),
    ("critical_price_step", Kind::Optional, None, |_, of| {
        number(of, |judged| judged.limits.map(|limits| limits.price.fixed))
    }),
    ("price_margin", Kind::Optional, None, |_, of| {
        number(of, |judged| judged.limits.map(|limits| limits.price.margin))
    }),
    ("stable_below_age_periods", Kind::Optional, None, |_, of| {
        number(of, |judged| match judged.limits?.delay {
            DelayLimit::None => Some(0.0),
            DelayLimit::Below(periods, _) => Some(periods),
            DelayLimit::AtLeast(_) => None,
        })
    }),
    ("stable_below_delay_s", Kind::Optional, Some("s"), |_, of| {
        number(of, |judged| match judged.limits?.delay {
            DelayLimit::None => Some(0.0),
            DelayLimit::Below(_, delay) => delay.map(|delay| delay.as_secs_f64()),
            DelayLimit::AtLeast(_) => None,
        })
    }),
];

fn number(of: &SlotStability, figure: impl Fn(&microgrid_sim::analysis::stability::Judgement) -> Option<f64>) -> Value {
    of.judgement.as_ref().ok().and_then(figure).map_or(Value::Missing, Value::Number)
}

/// What theory says about a slot, or about all open ones, of each combination of what is varied: a row for each, and in the
/// table's notes what it leaves out.
#[pyfunction]
#[pyo3(signature = (source, slot=None))]
pub(crate) fn stability(py: Python<'_>, source: &Source, slot: Option<Slot>) -> PyResult<Table> {
    let plan = source.plan(py)?;
    let mechanisms = plan.settings().step_by(plan.scenario.replicates.count());
    for mechanism in mechanisms.map(|setting| setting.scenario().market.mechanism) {
        if !mechanism.is_game() {
            let why = format!(
                "the linear theory is that of TwoLevelGame, and has nothing to say about {}: mechanism=\"TwoLevelGame\" \
                 leaves the rest as it is",
                mechanism.name()
            );
            return Err(errors::results(py, why));
        }
    }
    if let Some(slot) = slot.filter(|slot| !plan.open().contains(*slot)) {
        return Err(errors::results(
            py,
            format!("the market is not open in slot {slot}, but in {:?}", plan.open().spans()),
        ));
    }
    Ok(py.detach(|| judged(&plan, slot)))
}

fn judged(plan: &Plan, slot: Option<Slot>) -> Table {
    let drawn = LastPopulation::default();
    let (mut notes, mut rows) = (Vec::new(), Vec::new());
    for number in (1..=plan.case_count()).step_by(plan.scenario.replicates.count()) {
        let case = plan.case(number, &drawn);
        let setting = Setting::of(&case);
        for note in setting.caveats.iter().map(Caveat::to_string) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        let slots: Vec<Slot> = slot.map_or_else(|| case.open.iter().collect(), |slot| vec![slot]);
        let found = slots.into_iter().filter_map(|slot| slot_stability(&case, slot, &setting));
        rows.extend(found.map(|found| COLUMNS.iter().map(|(.., value)| value(&case, &found)).collect::<Vec<_>>()));
    }
    let currency = &plan.scenario.market.currency;
    let columns = COLUMNS.iter().enumerate().map(|(place, (name, kind, unit, _))| {
        let unit = unit.map(|unit| unit.replace("CNY", currency));
        let values = rows.iter().map(|row| row[place].clone()).collect();
        (field(name, *kind, unit.as_deref()), values)
    });
    Table::of_columns(columns, notes)
}
