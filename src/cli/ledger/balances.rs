//! Who owes what: the balances of everybody, which add up to nothing.

use crate::{
    cli::{
        error::CliError,
        table::{columns, table},
    },
    ledger::reader::{ReadError, Reader},
};
use microgrid_agents::units::{Energy, Money, Total};
use std::collections::BTreeMap;

/// What the facts of accounts and invoices say, slot by slot: SQL could add up no more than 64 bits.
const PROSUMERS: &str = "
    SELECT prosumer, bought_micro_kwh, sold_micro_kwh, paid_micro_cny, earned_micro_cny, fee_micro_cny, 0, 0
    FROM accounts WHERE case_number = ?1
    UNION ALL
    SELECT prosumer, 0, 0, 0, 0, 0, charge_micro_cny, credit_micro_cny FROM invoices WHERE case_number = ?1
    UNION ALL
    SELECT prosumer, 0, 0, 0, 0, 0, 0, 0 FROM meters WHERE case_number = ?1";
const FEES: &str = "SELECT fees_micro_cny FROM fees WHERE case_number = ?1";

/// One line for each prosumer, the operator and the grid, with their sum.
pub(super) fn balances(reader: &Reader, case: u32) -> Result<String, CliError> {
    let header = ["", "bought\n[kWh]", "sold\n[kWh]", "trades\n[CNY]", "fees\n[CNY]", "grid\n[CNY]", "balance\n[CNY]"];
    let mut statement = reader.connection().prepare(PROSUMERS).map_err(ReadError::from)?;
    let mut prosumers = BTreeMap::<i64, Sums>::new();
    let mut rows = statement.query([case]).map_err(ReadError::from)?;
    while let Some(row) = rows.next().map_err(ReadError::from)? {
        let number = row.get(0).map_err(ReadError::from)?;
        prosumers.entry(number).or_default().add(&Sums::read(row).map_err(ReadError::from)?);
    }
    let mut fees = reader.connection().prepare(FEES).map_err(ReadError::from)?;
    let fees = fees.query_map([case], |row| row.get(0).map(Money)).map_err(ReadError::from)?;
    let fees: Result<Total<Money>, _> = fees.sum::<Result<_, _>>().map_err(ReadError::from);
    let mut sum = Sums::default();
    prosumers.values().for_each(|sums| sum.add(sums));
    let operator = Sums { fees: fees?, ..Sums::default() };
    let grid = Sums { grid: -sum.grid, ..Sums::default() };
    [&operator, &grid].into_iter().for_each(|sums| sum.add(sums));
    let mut rows: Vec<_> = prosumers.iter().map(|(number, sums)| sums.line(format!("prosumer {number}"))).collect();
    rows.extend([operator.line("operator".into()), grid.line("grid".into()), sum.line("sum".into())]);
    Ok(table(columns(header, &[0]), rows))
}

/// What somebody has traded, and what it is owed.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    bought: Total<Energy>,
    sold: Total<Energy>,
    trades: Total<Money>,
    fees: Total<Money>,
    grid: Total<Money>,
}

impl Sums {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let energy = |column| row.get(column).map(|units| Total::from(Energy(units)));
        let money = |column| row.get(column).map(|units| Total::from(Money(units)));
        let (trades, grid) = (money(4)? - money(3)?, money(7)? - money(6)?);
        Ok(Self { bought: energy(1)?, sold: energy(2)?, trades, fees: -money(5)?, grid })
    }

    fn add(&mut self, other: &Self) {
        self.bought += other.bought;
        self.sold += other.sold;
        self.trades += other.trades;
        self.fees += other.fees;
        self.grid += other.grid;
    }

    fn line(&self, name: String) -> Vec<String> {
        let energies = [self.bought, self.sold].map(|energy| energy.to_string());
        let balance = self.trades + self.fees + self.grid;
        let amounts = [self.trades, self.fees, self.grid, balance].map(|amount| amount.to_string());
        [name].into_iter().chain(energies).chain(amounts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        ledger::fixtures::{
            chain::Draft,
            day::{day, day_with, genesis},
            file,
        },
    };
    use microgrid_agents::chain::fact::{Fact, Key};

    /// Two invoices of 9e12 CNY to a prosumer are more than 64 bits hold.
    #[test]
    fn balances_do_not_wrap_around() {
        let dear = |draft: &mut Draft| {
            for (key, fact) in draft.outcome.iter_mut().flatten() {
                if let (Key::Invoice(_, 2), Fact::Invoice(invoice)) = (key, fact) {
                    invoice.charge = Money(9_000_000_000_000_000_000);
                }
            }
        };
        let ledger = file(&[day_with(genesis(), dear)]);
        let reader = Reader::open(&ledger.path).unwrap();
        let text = plain(&balances(&reader, 1).unwrap());
        // A table in two parts; grid and balance, less the 1.12 CNY of the trade and the 0.18 that is owed to prosumer 1.
        let cells = |name: &str| text.lines().filter(|line| line.starts_with(name)).map(last).collect::<Vec<_>>();
        fn last(line: &str) -> &str {
            line.split_whitespace().last().unwrap_or_default()
        }
        assert_eq!(cells("prosumer 2"), ["-18000000000000", "-18000000000001.12"], "{text}");
        assert_eq!(cells("grid"), ["17999999999999.82"; 2], "{text}");
        assert_eq!(cells("sum"), ["0", "0"], "{text}");
    }

    #[test]
    fn balances_read_like_this() {
        let ledger = file(&[day()]);
        let reader = Reader::open(&ledger.path).unwrap();
        insta::assert_snapshot!(plain(&balances(&reader, 1).unwrap()));
    }
}
