//! Tables of months and days, of runs whose slots have dates.

use super::tables::{CNY, Fields, KWH, PERCENT, PRICE, Table, minutes, percent};
use crate::data::Data;
use microgrid_record::{DayRow, MonthRow, Number, RecordError, Row, Run};

/// More rows than this are not shown.
const MOST_ROWS: usize = 1500;

/// Declares a table with a row for each of these periods.
macro_rules! table {
    ($run:ident, $row:ident, $period:ident, $title:literal, $cases:expr) => {{
        let rows: Vec<$row> = $run.rows::<$row>()?.collect::<Result<_, _>>()?;
        let fields = Fields::new();
        let fields = if $cases { fields.with("case", None, None, |row: &$row| row.case) } else { fields };
        let fields = fields
            .with(stringify!($period), None, None, |row| row.$period.clone())
            .with("consumed", KWH, 1, |row| row.consumption_kwh)
            .with("generated", KWH, 1, |row| row.generation_kwh)
            .with("traded", KWH, 1, |row| row.traded_kwh)
            .with("from the grid", KWH, 1, |row| row.grid_import_kwh)
            .with("into the grid", KWH, 1, |row| row.grid_export_kwh)
            .with("price", PRICE, 4, |row| row.price_mean_cny_per_kwh)
            .with("net cost", CNY, 2, |row| row.net_cost_cny)
            .with("savings", CNY, 2, |row| row.savings_cny)
            .with("self-sufficiency", PERCENT, 1, |row| percent(row.self_sufficiency.map(Number::value)))
            .with("self-consumption", PERCENT, 1, |row| percent(row.self_consumption.map(Number::value)))
            .with("peak import", Some("kW"), 2, |row| row.peak_import_kw)
            .with("at", None, None, |row| row.peak_import_at.as_deref().map(minutes))
            .with("peak export", Some("kW"), 2, |row| row.peak_export_kw)
            .with("load factor", PERCENT, 1, |row| percent(row.load_factor.map(Number::value)));
        let co2 = rows.iter().any(|row| row.co2_kg.is_some());
        let fields = if co2 { fields.with("emissions", Some("kg"), 1, |row| row.co2_kg) } else { fields };
        let fields =
            fields
                .with("Gini of savings", None, 3, |row| row.savings_gini)
                .with("in equilibrium", PERCENT, 1, |row| percent(row.equilibrium_share.map(Number::value)));
        let note = (rows.len() > MOST_ROWS)
            .then(|| format!("The first {MOST_ROWS} of {}: `{}` has all.", rows.len(), $row::FILE));
        Table::of($title, fields, rows.iter().take(MOST_ROWS), note)
    }};
}

/// Months and days; none where slots have no dates, or where there is but one.
pub(super) fn tables(run: &Run, data: &Data) -> Result<[Option<Table>; 2], RecordError> {
    let dates = data.cases.iter().find_map(|case| case.dates.as_ref());
    let Some(dates) = dates.filter(|_| run.keeps(DayRow::FILE)) else { return Ok([None, None]) };
    let cases = data.manifest.case_count > 1;
    let months = table!(run, MonthRow, month, "Months", cases);
    let days = if dates.days() > 1 { Some(table!(run, DayRow, day, "Days", cases)) } else { None };
    Ok([Some(months), days])
}
