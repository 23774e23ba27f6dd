//! A slot's optimal and actual trades, buyers by sellers, and its prosumers' balances.

use super::{
    names::Names,
    table::{Table, key, words},
    text::{AMOUNT, PRICE, bold, cell, fixed},
};
use crate::record::{Number, ProsumerRow, TradeRow};
use microgrid_agents::market::role::Role;
use std::collections::BTreeMap;

/// So many sellers side by side fit a terminal.
const SELLERS_ABREAST: usize = 4;
/// Letters of names that fit beside and above columns.
const BESIDE: usize = 12;
const ABOVE: usize = 10;

/// What every buyer wanted of every seller, and got [kWh]: a line a buyer, then what each seller sold, and its price.
///
/// Empty without trades.
pub(super) fn trade_matrix(trades: &[TradeRow], prosumers: &[ProsumerRow]) -> String {
    if trades.is_empty() {
        return "no trades\n\n".to_owned();
    }
    let with = |role| prosumers.iter().filter(move |row| row.role == role).map(|row| row.prosumer);
    let buyers: Vec<u32> = with(Role::Buyer).collect();
    let sellers: Vec<u32> = with(Role::Seller).collect();
    let names = Names::of(prosumers);
    let by_pair: BTreeMap<(u32, u32), &TradeRow> =
        trades.iter().map(|trade| ((trade.buyer, trade.seller), trade)).collect();
    let mut text = format!("{}\n\n", bold("optimal and actual purchases [kWh]"));
    for sellers in sellers.chunks(SELLERS_ABREAST) {
        text += &block(&buyers, sellers, &by_pair, &names);
        text.push('\n');
    }
    text
}

/// A line of the matrix: a buyer's, or what stands below all of them.
enum Line {
    Buyer(u32),
    Sold,
    Price,
}

fn block(buyers: &[u32], sellers: &[u32], trades: &BTreeMap<(u32, u32), &TradeRow>, names: &Names) -> String {
    let each = |kind: &'static str| {
        let head = move |seller: &u32| format!("{kind}\nfrom {seller}\n{}", names.get(*seller, ABOVE));
        sellers.iter().map(move |seller| head(seller).trim_end().to_owned())
    };
    let amount = |value: Option<Number>| fixed(value.map_or(0.0, Number::value), AMOUNT);
    let of_seller = |seller| buyers.iter().filter_map(move |&buyer| trades.get(&(buyer, seller)));
    let lines = buyers.iter().map(|buyer| Line::Buyer(*buyer)).chain([Line::Sold, Line::Price]);
    Table::of(lines)
        .column(key(words("buyer")), |line| match line {
            Line::Buyer(buyer) => buyer.to_string(),
            Line::Sold => "sold".to_owned(),
            Line::Price => "price".to_owned(),
        })
        .column_if(names.any(), key(words("name")), |line| match line {
            Line::Buyer(buyer) => names.get(*buyer, BESIDE),
            Line::Sold | Line::Price => String::new(),
        })
        .columns(each("optimal"), |line, n| match line {
            Line::Buyer(buyer) => amount(trades.get(&(*buyer, sellers[n])).and_then(|trade| trade.optimal_kwh)),
            Line::Sold | Line::Price => String::new(),
        })
        .columns(each("actual"), |line, n| match line {
            Line::Buyer(buyer) => amount(trades.get(&(*buyer, sellers[n])).map(|trade| trade.traded_kwh)),
            Line::Sold => fixed(of_seller(sellers[n]).map(|trade| trade.traded_kwh.value()).sum(), AMOUNT),
            Line::Price => cell(of_seller(sellers[n]).find_map(|trade| trade.price_cny_per_kwh), PRICE),
        })
        .draw()
}

/// Every prosumer's slot: energy, then money and welfare. Storage is shown where somebody used one.
pub(super) fn balances(prosumers: &[ProsumerRow]) -> String {
    let amounts = |row: &ProsumerRow| [row.charged_kwh, row.discharged_kwh, row.soc_kwh];
    let stored = prosumers.iter().any(|row| amounts(row).iter().any(|amount| amount.value() != 0.0));
    let names = Names::of(prosumers);
    let table = || {
        let table = Table::of(prosumers).column(key("no."), |row| row.prosumer);
        let table = table.column_if(names.any(), key(words("name")), |row| names.get(row.prosumer, BESIDE));
        table.column(key(words("role")), |row| format!("{:?}", row.role))
    };
    let amount = |amount: Number| fixed(amount.value(), AMOUNT);
    // With names there is little room.
    let consumed = if names.any() { "con-\nsumed" } else { "consumed" };
    let energy = table()
        .column("PV", |row| amount(row.pv_kwh))
        .column("load", |row| amount(row.load_kwh))
        .column(consumed, |row| amount(row.consumed_kwh))
        .column("bought", |row| amount(row.bought_kwh))
        .column("sold", |row| amount(row.sold_kwh))
        .column("import", |row| amount(row.grid_import_kwh))
        .column("export", |row| amount(row.grid_export_kwh))
        .column_if(stored, "charged", |row| amount(row.charged_kwh))
        .column_if(stored, "dis-\ncharged", |row| amount(row.discharged_kwh))
        .column_if(stored, "stored", |row| amount(row.soc_kwh))
        .draw();
    let money = table()
        .column("paid", |row| amount(row.paid_cny))
        .column("earned", |row| amount(row.earned_cny))
        .column("fee", |row| amount(row.fee_cny))
        .column("welfare", |row| cell(row.welfare_cny, AMOUNT))
        .column("P2G\nwelfare", |row| cell(row.p2g_welfare_cny, AMOUNT))
        .column_if(stored, "P2G with\nstorage", |row| cell(row.p2g_storage_welfare_cny, AMOUNT))
        .draw();
    format!("{}\n\n{energy}\n{}\n\n{money}", bold("energy [kWh]"), bold("money and welfare [CNY]"))
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
        let text = trade_matrix(&trades, &prosumers);
        insta::assert_snapshot!(plain(&text));
    }

    #[test]
    fn balances_read_like_this() {
        insta::assert_snapshot!(plain(&balances(&prosumers())));
    }

    #[test]
    fn who_has_a_name_is_called_by_it_too() {
        let mut prosumers = prosumers();
        let names = ["Müller, Anna", "王小明", "Community Hall of the Upper Village", "дом 5"];
        prosumers.iter_mut().zip(names).for_each(|(row, name)| row.name = Some(name.to_owned()));
        let trades: Vec<TradeRow> = rows("buyer seller traded_kwh", &["3 1 0.5", "3 5 0.25", "4 2 0.125"]);
        let text = trade_matrix(&trades, &prosumers) + &balances(&prosumers);
        insta::assert_snapshot!(plain(&text));
    }

    #[test]
    fn many_sellers_are_shown_a_few_at_a_time() {
        let prosumers: Vec<ProsumerRow> =
            rows("prosumer role", &["1 Buyer", "2 Seller", "3 Seller", "4 Seller", "5 Seller", "6 Seller"]);
        let trades: Vec<TradeRow> = rows("buyer seller traded_kwh", &["1 6 1"]);
        let text = trade_matrix(&trades, &prosumers);
        assert_eq!(text.matches("buyer").count(), 2);
        assert!(plain(&text).lines().all(|line| line.chars().count() <= 80));
    }
}
