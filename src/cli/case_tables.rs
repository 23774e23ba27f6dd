//! The tables of a case: its slots, and what its ledger has carried.

use super::{
    table::{Cell, Table, Tone, key, spare, words},
    text::{AMOUNT, Begins, PRICE, amounts, cell, fixed, more},
};
use crate::record::{ClearingRow, LedgerRow, Number, SlotRow};
use microgrid_agents::{chain::refusal::Refusal, statement::Outcome};
use std::collections::BTreeMap;

/// One line a slot: who took part, price beside theory, how the game ended, welfare beside P2G.
pub(super) fn slot_table(rows: &[SlotRow]) -> String {
    let decimals = amounts(rows.iter().flat_map(|row| [row.welfare_cny, row.p2g_welfare_cny]));
    let dated = rows.iter().any(|row| row.time.is_some());
    let narrow = ["sel-\nlers", "buy-\ners", "equil.\nprice"];
    let [sellers, buyers, theory] = if dated { narrow } else { ["sellers", "buyers", "equilib.\nprice"] };
    let begins = Begins::of(rows.iter().filter_map(|row| row.time.as_deref()));
    Table::of(rows)
        .column_if(!dated, key("slot"), |row| row.slot)
        .column_if(dated, key(words(begins.heading())), |row| {
            row.time.as_deref().map(|time| begins.cell(time)).unwrap_or_default()
        })
        .column(sellers, |row| row.sellers)
        .column(buyers, |row| row.buyers)
        .column("price", |row| cell(row.price_mean_cny_per_kwh, PRICE))
        .column(theory, |row| cell(row.equilibrium_price_cny_per_kwh, PRICE))
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
        Outcome::Rest | Outcome::GateClosure | Outcome::Void => Tone::Caution,
        Outcome::Cleared | Outcome::NoMarket => Tone::Plain,
    };
    Cell { text: format!("{outcome:?}"), tone }
}

/// More clearings than this are not shown of a slot.
const MOST_CLEARINGS: usize = 20;

/// One line for each time that a market cleared; empty where it did not.
pub(super) fn clearings(rows: &[ClearingRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let table = Table::of(rows.iter().take(MOST_CLEARINGS))
        .column(key("clearing"), |row| row.number)
        .column("at [s]", |row| fixed(row.time_s.value(), 3))
        .column("price\n[CNY/kWh]", |row| cell(row.price_cny_per_kwh, PRICE))
        .column("supply\n[kWh]", |row| fixed(row.supply_kwh.value(), AMOUNT))
        .column("demand\n[kWh]", |row| fixed(row.demand_kwh.value(), AMOUNT))
        .column("executions", |row| row.executions)
        .column("traded\n[kWh]", |row| fixed(row.traded_kwh.value(), AMOUNT));
    format!("{}{}\n", table.draw(), more(rows.len(), MOST_CLEARINGS, "clearing"))
}

/// One line a channel and, if there are any, what was refused and how many posts counted without being transactions.
pub(super) fn ledger_table(channels: &[LedgerRow]) -> String {
    let fill = |row: &LedgerRow| row.block_fill.and_then(|fill| Number::new(100.0 * fill.value()));
    let mut text = Table::of(channels)
        .column(key(words("ledger")), |row| row.channel.name())
        .column("blocks", |row| row.blocks)
        .column("submitted", |row| row.submitted)
        .column("valid", |row| row.valid)
        .column(spare(1, "latency\np50 [s]"), |row| cell(row.latency_p50_s, 3))
        .column("latency\np95 [s]", |row| cell(row.latency_p95_s, 3))
        .column(spare(0, "valid\nper s"), |row| cell(row.throughput_per_s, 4))
        .column(spare(2, "block\nfill [%]"), |row| cell(fill(row), 2))
        .column("size\n[MB]", |row| fixed(row.bytes as f64 / 1e6, 2))
        .draw();
    let off_chain: u64 = channels.iter().map(|row| row.off_chain).sum();
    if off_chain > 0 {
        text += &format!("of these, off the chain: {off_chain}\n");
    }
    let mut refused = BTreeMap::<Refusal, u64>::new();
    for (refusal, times) in channels.iter().flat_map(LedgerRow::refused).filter(|&(_, times)| times > 0) {
        *refused.entry(refusal).or_default() += times;
    }
    let each: Vec<String> = refused.iter().map(|(refusal, times)| format!("{times} {}", refusal.name())).collect();
    if !each.is_empty() {
        text += &format!("refused: {}\n", each.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::{
            Run,
            fixtures::{day::Day, row_of, whole_case},
        },
    };

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

    #[test]
    fn slots_with_dates_read_like_this() {
        let at = |slot, time: &str| {
            let mut row = row(slot, Outcome::GateClosure, Some(0.45), 3300, 123.4567);
            row.time = Some(time.to_owned());
            row
        };
        let mut rows = vec![at(8, "2016-06-01T11:45:00+02:00"), at(9, "2016-06-01T12:00:00+02:00")];
        let text = plain(&slot_table(&rows));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
        rows.push(at(10, "2017-01-01T00:00:00+01:00"));
        assert!(plain(&slot_table(&rows)).contains("2016-06-01 11:45"));
    }

    #[test]
    fn figures_of_the_ledger_read_like_this() {
        let (_day, recorder) = whole_case(Day::new());
        let run = Run::open(recorder.folder()).unwrap();
        let channels: Vec<LedgerRow> = run.rows().unwrap().map(Result::unwrap).collect();
        let carried = |of: fn(&LedgerRow) -> u64| channels.iter().map(of).sum::<u64>();
        assert_eq!((carried(|row| row.blocks), carried(|row| row.submitted - row.off_chain)), (3, 6));
        insta::assert_snapshot!(plain(&ledger_table(&channels)));
    }
}
