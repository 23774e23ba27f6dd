//! What a study found against two knobs at once, with the bound that linear theory draws.

use super::{
    label::{self, KnobAxis},
    sweep::{Measure, measures},
};
use crate::{
    chart::{Chart, Color, Layer, Mark, Stroke},
    data::Data,
};
use microgrid_analysis::stability::{Setting, is_stable};
use microgrid_scenario::{LastPopulation, Plan};

/// The measures for which there is a field of colors.
const MEASURES: [&str; 3] = ["share_in_equilibrium", "time_to_equilibrium_restricted_s", "welfare_cny"];

/// Beyond so many games (a slot of a combination), or so many prosumers, theory is not asked.
const MOST_GAMES: usize = 3000;
const MOST_PROSUMERS: usize = 100;

pub(super) fn charts(data: &Data) -> Vec<Chart> {
    let after = |n| data.knobs().skip(n + 1);
    let pairs: Vec<_> = data.knobs().enumerate().flat_map(|(n, y)| after(n).map(move |x| (x, y))).collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let stable = judged(data);
    let measures: Vec<Measure> =
        measures(data.manifest.gate_closure_s).filter(|measure| MEASURES.contains(&measure.name)).collect();
    let fields = pairs.iter().flat_map(|pair| measures.iter().map(move |measure| (pair, measure)));
    fields.filter_map(|((x, y), measure)| chart(data, x, y, data.knobs().count() > 2, measure, &stable)).collect()
}

/// For each combination, whether linear theory says that the games of all its slots spiral in; `None` where it says
/// nothing.
fn judged(data: &Data) -> Vec<Option<bool>> {
    let judged = |plan: &Plan| {
        let games = data.summaries.len() * plan.open().count();
        games <= MOST_GAMES && plan.population_sizes().1 <= MOST_PROSUMERS
    };
    let Some(plan) = data.plan.as_ref().filter(|plan| judged(plan)) else { return vec![None; data.summaries.len()] };
    let drawn = LastPopulation::default();
    let judge = |first_case: u32| {
        let case = plan.case(first_case, &drawn);
        let setting = Setting::of(&case);
        let mut judgements = case.open.iter().filter_map(|slot| is_stable(&case, slot, &setting)).peekable();
        judgements.peek()?;
        Some(judgements.all(|stable| stable))
    };
    data.summaries.iter().map(|summary| judge(summary.first_case)).collect()
}

/// A cell of a field: the values of the combinations in it, and what theory says of each.
#[derive(Clone, Debug, Default)]
struct Cell {
    values: Vec<f64>,
    stable: Vec<Option<bool>>,
}

impl Cell {
    fn mean(&self) -> Option<f64> {
        (!self.values.is_empty()).then(|| self.values.iter().sum::<f64>() / self.values.len() as f64)
    }

    /// What theory says of all its combinations alike.
    fn is_stable(&self) -> Option<bool> {
        let first = *self.stable.first()?;
        first.filter(|_| self.stable.iter().all(|stable| *stable == first))
    }
}

fn chart(data: &Data, x: &str, y: &str, averaged: bool, measure: &Measure, stable: &[Option<bool>]) -> Option<Chart> {
    let (x_axis, y_axis) = (KnobAxis::named(x, label::values(data, x)), KnobAxis::named(y, label::values(data, y)));
    let mut cells = vec![vec![Cell::default(); y_axis.places.len()]; x_axis.places.len()];
    for (summary, stable) in data.summaries.iter().zip(stable) {
        let place = |knob, axis: &KnobAxis| axis.place(data.knob(summary.first_case, knob)?);
        let (Some(column), Some(row)) = (place(x, &x_axis), place(y, &y_axis)) else { continue };
        let cell = &mut cells[column as usize][row as usize];
        cell.values.extend((measure.of)(summary).map(|(mean, _)| mean));
        cell.stable.push(*stable);
    }
    let field = cells.iter().enumerate().flat_map(|(column, cells)| {
        cells.iter().enumerate().map(move |(row, cell)| (column as f64, row as f64, cell.mean()))
    });
    let field = Mark::Heat(field.collect(), measure.axis.clone());
    let bound = Mark::Line(bound(&cells), Stroke::Solid);
    let theory = if bound.is_empty() { "" } else { " The line is where linear theory has its bound: `sim stability`." };
    let mean = if averaged { " Each cell is the mean over all other knobs." } else { "" };
    Chart::new(
        (format!("{}_by_{x}_and_{y}", measure.word()), format!("{} by {x} and {y}", measure.title())),
        format!("{}.{mean}{theory}{}", measure.what, measure.remark),
        (x_axis.axis, y_axis.axis),
        [Layer::unnamed(Color::Reference, field), Layer::new("stability bound", Color::Reference, bound)],
    )
}

/// The edges between cells that theory calls stable and cells that it does not.
fn bound(cells: &[Vec<Cell>]) -> Vec<(f64, f64)> {
    let at = |column: usize, row: usize| cells.get(column).and_then(|cells| cells.get(row)).and_then(Cell::is_stable);
    let differ = |one: Option<bool>, other: Option<bool>| one.zip(other).is_some_and(|(one, other)| one != other);
    let mut edges = Vec::new();
    for (column, row) in (0..cells.len()).flat_map(|column| (0..cells[column].len()).map(move |row| (column, row))) {
        let (x, y) = (column as f64, row as f64);
        if differ(at(column, row), at(column + 1, row)) {
            edges.extend([(x + 0.5, y - 0.5), (x + 0.5, y + 0.5), (f64::NAN, f64::NAN)]);
        }
        if differ(at(column, row), at(column, row + 1)) {
            edges.extend([(x - 0.5, y + 0.5), (x + 0.5, y + 0.5), (f64::NAN, f64::NAN)]);
        }
    }
    edges
}
