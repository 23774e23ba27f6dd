//! Days and months of a run whose slots have dates, and the key figures of the field.

use super::{
    table::{Table, key, spare},
    text::{PRICE, amounts, bold, cell, fixed, number, percent, signed},
};
use crate::record::{CaseEntry, DayRow, KeyFigures, MonthRow, Number, RecordError, Row, Run};

/// Of so many days each has a line; of more each month.
const MOST_DAYS: usize = 31;

/// A line of a table of days or months.
struct Line {
    name: String,
    traded: Number,
    import: Number,
    export: Number,
    price: Option<Number>,
    self_sufficiency: Option<Number>,
    savings: Number,
    equilibria: Option<Number>,
}

/// Declares what a line is of these rows.
macro_rules! line {
    ($($row:ident: $period:ident),+) => {$(
        impl From<$row> for Line {
            fn from(row: $row) -> Self {
                Self {
                    name: row.$period.unwrap_or_default(),
                    traded: row.traded_kwh,
                    import: row.grid_import_kwh,
                    export: row.grid_export_kwh,
                    price: row.price_mean_cny_per_kwh,
                    self_sufficiency: row.self_sufficiency,
                    savings: row.savings_cny,
                    equilibria: row.equilibrium_share,
                }
            }
        }
    )+};
}

line!(DayRow: day, MonthRow: month);

/// Whether the slots of a run have dates, as far as its tables tell.
pub(super) fn has_dates(run: &Run) -> Result<bool, RecordError> {
    if !run.keeps(DayRow::FILE) {
        return Ok(false);
    }
    Ok(run.rows::<DayRow>()?.next().transpose()?.is_some_and(|row| row.day.is_some()))
}

/// A line for each day of a case or, where there are many, each month; `None` where slots have no dates.
pub(super) fn table(run: &Run, case: &CaseEntry) -> Result<Option<String>, RecordError> {
    if !has_dates(run)? {
        return Ok(None);
    }
    let of_case = |row: u32| row == case.case;
    let mut days = Vec::new();
    for row in run.rows::<DayRow>()? {
        let row = row?;
        if of_case(row.case) {
            days.push(row);
        }
    }
    if days.len() <= MOST_DAYS {
        return Ok(Some(drawn("day", days.into_iter().map(Line::from).collect())));
    }
    let mut months = Vec::new();
    for row in run.rows::<MonthRow>()? {
        let row = row?;
        if of_case(row.case) {
            months.push(row);
        }
    }
    Ok(Some(drawn("month", months.into_iter().map(Line::from).collect())))
}

fn drawn(period: &str, lines: Vec<Line>) -> String {
    let energy = amounts(lines.iter().flat_map(|line| [line.import, line.export, line.traded].map(Some))).min(1);
    Table::of(lines)
        .column(key(period), |line| line.name.clone())
        .column("traded\n[kWh]", |line| fixed(line.traded.value(), energy))
        .column("import\n[kWh]", |line| fixed(line.import.value(), energy))
        .column("export\n[kWh]", |line| fixed(line.export.value(), energy))
        .column("price\n[CNY/kWh]", |line| cell(line.price, PRICE))
        .column("self-\nsufficient", |line| percent(line.self_sufficiency.map(Number::value)))
        .column("savings\n[CNY]", |line| signed(line.savings.value(), 2))
        .column("in equi-\nlibrium", |line| percent(line.equilibria.map(Number::value)))
        .draw()
}

/// The key figures of the field: one line a case.
pub(super) fn figures(cases: &[KeyFigures]) -> String {
    let any = |of: fn(&KeyFigures) -> bool| cases.iter().any(of);
    let at = |at: &Option<String>| {
        at.as_deref().map_or_else(|| "-".to_owned(), |at| at.get(..16).unwrap_or(at).replace('T', "\n"))
    };
    let table = Table::of(cases)
        .column(key("case"), |case| case.case)
        .column("self-suf-\nficiency", |case| percent(case.self_sufficiency))
        .column("self-con-\nsumption", |case| percent(case.self_consumption))
        .column("peak im-\nport [kW]", |case| number(case.peak_import_kw, 2))
        .column("at", |case| at(&case.peak_import_at))
        .column("peak ex-\nport [kW]", |case| number(case.peak_export_kw, 2))
        .column("load\nfactor", |case| percent(case.load_factor))
        .column_if(any(|case| case.co2_kg.is_some()), "CO2\n[g/kWh]", |case| number(case.co2_g_per_kwh, 1))
        .column(spare(0, "Gini of\nsavings"), |case| number(case.savings_gini, 3));
    format!("{}\n\n{}", bold("the community and the grid"), table.draw())
}
