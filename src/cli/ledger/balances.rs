//! Who owes what: the balances of everybody, which add up to nothing.

use crate::{
    cli::{
        error::CliError,
        table::{columns, table},
    },
    ledger::reader::{ReadError, Reader},
};
use microgrid_agents::units::{Energy, Money};

/// What the facts of accounts and invoices add up to, by prosumer.
const PROSUMERS: &str = "
    SELECT prosumer, sum(bought), sum(sold), sum(paid), sum(earned), sum(fee), sum(charge), sum(credit)
    FROM (
        SELECT prosumer, bought_micro_kwh AS bought, sold_micro_kwh AS sold, paid_micro_cny AS paid,
            earned_micro_cny AS earned, fee_micro_cny AS fee, 0 AS charge, 0 AS credit
        FROM accounts WHERE case_number = ?1
        UNION ALL
        SELECT prosumer, 0, 0, 0, 0, 0, charge_micro_cny, credit_micro_cny FROM invoices WHERE case_number = ?1
        UNION ALL
        SELECT prosumer, 0, 0, 0, 0, 0, 0, 0 FROM meters WHERE case_number = ?1
    )
    GROUP BY prosumer ORDER BY prosumer";
const FEES: &str = "SELECT coalesce(sum(fees_micro_cny), 0) FROM fees WHERE case_number = ?1";

/// One line for each prosumer, the operator and the grid, with their sum.
pub(super) fn balances(reader: &Reader, case: u32) -> Result<String, CliError> {
    let header = ["", "bought\n[kWh]", "sold\n[kWh]", "trades\n[CNY]", "fees\n[CNY]", "grid\n[CNY]", "balance\n[CNY]"];
    let mut statement = reader.connection().prepare(PROSUMERS).map_err(ReadError::from)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Sums::read(row)?));
    let prosumers: Result<Vec<(i64, Sums)>, _> =
        statement.query_map([case], read).and_then(Iterator::collect).map_err(ReadError::from);
    let prosumers = prosumers?;
    let fees: i64 = reader.connection().query_row(FEES, [case], |row| row.get(0)).map_err(ReadError::from)?;
    let total = |pick: fn(&Sums) -> i64| prosumers.iter().map(|(_, sums)| pick(sums)).sum::<i64>();
    let operator = Sums { fees, ..Sums::default() };
    let grid = Sums { grid: -total(|sums| sums.grid), ..Sums::default() };
    let sum = Sums {
        bought: total(|sums| sums.bought),
        sold: total(|sums| sums.sold),
        trades: total(|sums| sums.trades),
        fees: total(|sums| sums.fees) + fees,
        grid: total(|sums| sums.grid) + grid.grid,
    };
    let mut rows: Vec<_> = prosumers.iter().map(|(number, sums)| sums.line(format!("prosumer {number}"))).collect();
    rows.extend([operator.line("operator".into()), grid.line("grid".into()), sum.line("sum".into())]);
    Ok(table(columns(header, &[0]), rows))
}

/// What somebody has traded [1e-6 kWh], and what it is owed [1e-6 CNY].
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    bought: i64,
    sold: i64,
    trades: i64,
    fees: i64,
    grid: i64,
}

impl Sums {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (paid, earned, fee): (i64, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let (charge, credit): (i64, i64) = (row.get(6)?, row.get(7)?);
        Ok(Self { bought: row.get(1)?, sold: row.get(2)?, trades: earned - paid, fees: -fee, grid: credit - charge })
    }

    fn line(&self, name: String) -> Vec<String> {
        let energies = [self.bought, self.sold].map(|energy| Energy(energy).to_string());
        let balance = self.trades + self.fees + self.grid;
        let amounts = [self.trades, self.fees, self.grid, balance].map(|amount| Money(amount).to_string());
        [name].into_iter().chain(energies).chain(amounts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::plain;
    use crate::ledger::tests::{day::day, file};

    #[test]
    fn balances_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        insta::assert_snapshot!(plain(&balances(&reader, 1).unwrap()));
    }
}
