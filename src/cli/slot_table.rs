//! The table of a case's slots.

use super::{
    table::{Cell, Table, Tone, key, words},
    text::{PRICE, amounts, cell},
};
use crate::record::SlotRow;
use microgrid_agents::statement::Outcome;

/// One line a slot: who took part, price beside theory, how the game ended, welfare beside P2G.
pub(super) fn slot_table(rows: &[SlotRow]) -> String {
    let decimals = amounts(rows.iter().flat_map(|row| [row.welfare_cny, row.p2g_welfare_cny]));
    Table::of(rows)
        .column(key("slot"), |row| row.slot)
        .column("sellers", |row| row.sellers)
        .column("buyers", |row| row.buyers)
        .column("price", |row| cell(row.price_mean_cny_per_kwh, PRICE))
        .column("equilib.\nprice", |row| cell(row.equilibrium_price_cny_per_kwh, PRICE))
        .column("rounds", |row| row.rounds)
        .column(words("outcome"), |row| outcome(row.outcome))
        .column("welfare", |row| cell(row.welfare_cny, decimals))
        .column("P2G\nwelfare", |row| cell(row.p2g_welfare_cny, decimals))
        .draw()
}

/// How a game ended, in its tone.
pub(super) fn outcome(outcome: Outcome) -> Cell {
    let tone = match outcome {
        Outcome::Equilibrium => Tone::Good,
        Outcome::Rest | Outcome::GateClosure => Tone::Caution,
        Outcome::NoMarket => Tone::Plain,
    };
    Cell { text: format!("{outcome:?}"), tone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::text::plain, record::fixtures::row_of};

    fn row(slot: u32, outcome: Outcome, price: Option<f64>, rounds: u32, welfare: f64) -> SlotRow {
        let [slot, rounds, welfare] = [slot.to_string(), rounds.to_string(), welfare.to_string()];
        let (outcome, price) = (format!("{outcome:?}"), price.map_or_else(String::new, |price| price.to_string()));
        row_of::<SlotRow>(&[
            ("slot", &slot),
            ("sellers", "3"),
            ("buyers", "2"),
            ("outcome", &outcome),
            ("rounds", &rounds),
            ("price_mean_cny_per_kwh", &price),
            ("equilibrium_price_cny_per_kwh", &price),
            ("welfare_cny", &welfare),
            ("p2g_welfare_cny", "15.72"),
        ])
    }

    #[test]
    fn slots_read_like_this() {
        let rows = [
            row(8, Outcome::NoMarket, None, 0, 14.0),
            row(9, Outcome::GateClosure, Some(0.45), 3300, 123.4567),
            row(17, Outcome::Equilibrium, Some(0.7), 71, -0.0001),
        ];
        let text = plain(&slot_table(&rows));
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(text);
    }
}
