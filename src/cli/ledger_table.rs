//! What the ledger of a case has carried.

use super::{
    table::{Table, key, spare, words},
    text::{cell, fixed},
};
use crate::record::{LedgerRow, Number};
use microgrid_agents::chain::refusal::Refusal;
use std::collections::BTreeMap;

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
            fixtures::{day::Day, whole_case},
        },
    };

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
