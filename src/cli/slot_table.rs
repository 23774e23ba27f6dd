//! The table of a case's slots.

use super::text::{AMOUNT, PRICE, cell, table};
use crate::record::SlotRow;

/// One line a slot: who took part, price beside theory, how the game ended, welfare beside P2G.
pub(super) fn slot_table(rows: &[SlotRow]) -> String {
    let header =
        ["slot", "sellers", "buyers", "price", "equilibrium\nprice", "rounds", "outcome", "welfare", "P2G\nwelfare"];
    let line = |row: &SlotRow| {
        vec![
            row.slot.to_string(),
            row.sellers.to_string(),
            row.buyers.to_string(),
            cell(row.price_mean_cny_per_kwh, PRICE),
            cell(row.equilibrium_price_cny_per_kwh, PRICE),
            row.rounds.to_string(),
            format!("{:?}", row.outcome),
            cell(row.welfare_cny, AMOUNT),
            cell(row.p2g_welfare_cny, AMOUNT),
        ]
    };
    table(header.map(str::to_owned).into(), rows.iter().map(line), &[6])
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::observation::Outcome;

    fn row(slot: u32, outcome: Outcome, price: Option<f64>, rounds: u32, welfare: f64) -> SlotRow {
        let header = <SlotRow as crate::record::Row>::COLUMNS.join(",");
        let price = price.map_or_else(String::new, |price| price.to_string());
        let text = format!(
            "{header}\n1,{slot},3,2,{outcome:?},{rounds},,0,{price},{price},,,,,,0,0,0,0,0,{welfare},0,0,15.72,,,,,0,0\n"
        );
        csv::Reader::from_reader(text.as_bytes()).deserialize().next().unwrap().unwrap()
    }

    #[test]
    fn slots_read_like_this() {
        let rows = [
            row(8, Outcome::NoMarket, None, 0, 14.0),
            row(9, Outcome::GateClosure, Some(0.45), 3300, 123.4567),
            row(17, Outcome::Equilibrium, Some(0.7), 71, -0.0001),
        ];
        let text = slot_table(&rows);
        assert!(text.lines().all(|line| line.chars().count() <= 90));
        insta::assert_snapshot!(text);
    }
}
