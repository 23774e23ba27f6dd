//! A slot's optimal and actual trades, buyers by sellers, and its prosumers' balances.

use super::{
    table::{Column, table},
    text::{AMOUNT, PRICE, bold, cell, fixed},
};
use crate::record::{Number, ProsumerRow, TradeRow};
use microgrid_agents::market::role::Role;
use std::collections::BTreeMap;

/// So many sellers side by side fit a terminal.
const SELLERS_ABREAST: usize = 4;

/// What every buyer wanted of every seller, and got [kWh]: a line a buyer, then what each seller sold, and its price.
///
/// Empty without trades.
pub(super) fn trade_matrix(trades: &[&TradeRow], prosumers: &[&ProsumerRow]) -> String {
    if trades.is_empty() {
        return "no trades\n\n".to_owned();
    }
    let with = |role| prosumers.iter().filter(move |row| row.role == role).map(|row| row.prosumer);
    let buyers: Vec<u32> = with(Role::Buyer).collect();
    let sellers: Vec<u32> = with(Role::Seller).collect();
    let by_pair: BTreeMap<(u32, u32), &TradeRow> =
        trades.iter().map(|trade| ((trade.buyer, trade.seller), *trade)).collect();
    let mut text = format!("{}\n\n", bold("optimal and actual purchases [kWh]"));
    for sellers in sellers.chunks(SELLERS_ABREAST) {
        text += &block(&buyers, sellers, &by_pair);
        text.push('\n');
    }
    text
}

fn block(buyers: &[u32], sellers: &[u32], trades: &BTreeMap<(u32, u32), &TradeRow>) -> String {
    let each = |kind: &'static str| sellers.iter().map(move |seller| Column::new(format!("{kind}\nfrom {seller}")));
    let buyer = Column::new("buyer").left().key();
    let columns = [buyer].into_iter().chain(each("optimal")).chain(each("actual")).collect();
    let amount = |value: Option<Number>| fixed(value.map_or(0.0, Number::value), AMOUNT);
    let line = |&buyer: &u32| {
        let of = |&seller: &u32| trades.get(&(buyer, seller));
        let optimal = sellers.iter().map(|seller| amount(of(seller).and_then(|trade| trade.optimal_kwh)));
        let actual = sellers.iter().map(|seller| amount(of(seller).map(|trade| trade.traded_kwh)));
        [buyer.to_string()].into_iter().chain(optimal).chain(actual).collect()
    };
    let below = |name: &str, cell: &dyn Fn(u32) -> String| -> Vec<String> {
        let blank = sellers.iter().map(|_| String::new());
        [name.to_owned()].into_iter().chain(blank).chain(sellers.iter().map(|&seller| cell(seller))).collect()
    };
    let of_seller = |seller| buyers.iter().filter_map(move |&buyer| trades.get(&(buyer, seller)));
    let sold = |seller| fixed(of_seller(seller).map(|trade| trade.traded_kwh.value()).sum(), AMOUNT);
    let price = |seller| cell(of_seller(seller).find_map(|trade| trade.price_cny_per_kwh), PRICE);
    let rows = buyers.iter().map(line).chain([below("sold", &sold), below("price", &price)]);
    table(columns, rows)
}

/// Every prosumer's slot: energy, then money and welfare. Storage is shown where somebody used one.
pub(super) fn balances(prosumers: &[&ProsumerRow]) -> String {
    format!(
        "{}\n\n{}\n{}\n\n{}",
        bold("energy [kWh]"),
        energy(prosumers),
        bold("money and welfare [CNY]"),
        money(prosumers)
    )
}

fn energy(prosumers: &[&ProsumerRow]) -> String {
    let stored = stored(prosumers);
    let mut header = vec!["PV", "load", "consumed", "bought", "sold", "import", "export"];
    if stored {
        header.extend(["charged", "dis-\ncharged", "stored"]);
    }
    let columns = who().into_iter().chain(header.into_iter().map(Column::new)).collect();
    let line = |row: &&ProsumerRow| {
        let mut amounts = vec![row.pv_kwh, row.load_kwh, row.consumed_kwh];
        amounts.extend([row.bought_kwh, row.sold_kwh, row.grid_import_kwh, row.grid_export_kwh]);
        if stored {
            amounts.extend([row.charged_kwh, row.discharged_kwh, row.soc_kwh]);
        }
        let mut cells = vec![row.prosumer.to_string(), format!("{:?}", row.role)];
        cells.extend(amounts.into_iter().map(|amount| fixed(amount.value(), AMOUNT)));
        cells
    };
    table(columns, prosumers.iter().map(line))
}

/// Whether somebody uses a storage.
fn stored(prosumers: &[&ProsumerRow]) -> bool {
    let amounts = |row: &ProsumerRow| [row.charged_kwh, row.discharged_kwh, row.soc_kwh];
    prosumers.iter().any(|row| amounts(row).iter().any(|amount| amount.value() != 0.0))
}

fn money(prosumers: &[&ProsumerRow]) -> String {
    let stored = stored(prosumers);
    let mut header = vec!["paid", "earned", "fee", "welfare", "P2G\nwelfare"];
    header.extend(stored.then_some("P2G with\nstorage"));
    let columns = who().into_iter().chain(header.into_iter().map(Column::new)).collect();
    let line = |row: &&ProsumerRow| {
        let mut cells = vec![row.prosumer.to_string(), format!("{:?}", row.role)];
        cells.extend([row.paid_cny, row.earned_cny, row.fee_cny].map(|amount| fixed(amount.value(), AMOUNT)));
        cells.extend([row.welfare_cny, row.p2g_welfare_cny].map(|amount| cell(amount, AMOUNT)));
        cells.extend(stored.then(|| cell(row.p2g_storage_welfare_cny, AMOUNT)));
        cells
    };
    table(columns, prosumers.iter().map(line))
}

/// Whom a line is about.
fn who() -> [Column; 2] {
    [Column::new("no.").key(), Column::new("role").left().key()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::{Row, fixtures::row_of},
    };

    /// Rows that differ in these columns: a line each, in which cells are separated by spaces.
    fn rows<R: Row>(columns: &str, lines: &[&str]) -> Vec<R> {
        let row = |line: &&str| {
            let cells: Vec<_> = columns.split_whitespace().zip(line.split_whitespace()).collect();
            row_of::<R>(&cells)
        };
        lines.iter().map(row).collect()
    }

    fn prosumers() -> Vec<ProsumerRow> {
        rows(
            "prosumer role pv_kwh load_kwh consumed_kwh bought_kwh sold_kwh paid_cny earned_cny welfare_cny p2g_welfare_cny",
            &[
                "1 Seller 4.828 3.1 3.1 0 1.728 0 1.2096 5.299 4.8",
                "2 Seller 3.604 3.1 3.1 0 0.504 0 0.3528 4.442 4.3",
                "3 Buyer 2.4 4 4 1.6 0 1.12 0 3.5 3.2",
                "4 Buyer 2.3 4.3 4.3 2 0 1.4 0 4.1 3.9",
                "5 Seller 4.468 3.1 3.1 0 1.368 0 0.9576 5.047 4.7",
            ],
        )
    }

    #[test]
    fn trades_read_like_the_article_s_table() {
        let trades: Vec<TradeRow> = rows(
            "buyer seller optimal_kwh traded_kwh price_cny_per_kwh payment_cny",
            &[
                "3 1 1.6 0.768 0.7 0.5376",
                "3 2 1.6 0.224 0.7 0.1568",
                "3 5 1.6 0.608 0.7 0.4256",
                "4 1 2 0.96 0.7 0.672",
                "4 2 2 0.28 0.7 0.196",
                "4 5 2 0.76 0.7 0.532",
            ],
        );
        let prosumers = prosumers();
        let text = trade_matrix(&trades.iter().collect::<Vec<_>>(), &prosumers.iter().collect::<Vec<_>>());
        insta::assert_snapshot!(plain(&text));
    }

    #[test]
    fn balances_read_like_this() {
        insta::assert_snapshot!(plain(&balances(&prosumers().iter().collect::<Vec<_>>())));
    }

    #[test]
    fn many_sellers_are_shown_a_few_at_a_time() {
        let prosumers: Vec<ProsumerRow> =
            rows("prosumer role", &["1 Buyer", "2 Seller", "3 Seller", "4 Seller", "5 Seller", "6 Seller"]);
        let trades: Vec<TradeRow> = rows("buyer seller traded_kwh", &["1 6 1"]);
        let text = trade_matrix(&trades.iter().collect::<Vec<_>>(), &prosumers.iter().collect::<Vec<_>>());
        assert_eq!(text.matches("buyer").count(), 2);
        assert!(plain(&text).lines().all(|line| line.chars().count() <= 80));
    }
}
