//! What the ledger of a case has carried.

use super::{
    table::{Column, table},
    text::{cell, fixed},
};
use crate::record::{LedgerRow, Number};
use microgrid_agents::chain::refusal::Refusal;
use std::collections::BTreeMap;

/// One line a channel and, if there are any, what was refused and how many posts counted without being transactions.
pub(super) fn ledger_table(channels: &[LedgerRow]) -> String {
    let columns = vec![
        Column::new("ledger").left().key(),
        Column::new("blocks"),
        Column::new("submitted"),
        Column::new("valid"),
        Column::new("latency\np50 [s]").spare(1),
        Column::new("latency\np95 [s]"),
        Column::new("valid\nper s").spare(0),
        Column::new("block\nfill [%]").spare(2),
        Column::new("size\n[MB]"),
    ];
    let rows = channels.iter().map(|row| {
        let fill = row.block_fill.and_then(|fill| Number::new(100.0 * fill.value()));
        vec![
            row.channel.name().to_owned(),
            row.blocks.to_string(),
            row.submitted.to_string(),
            row.valid.to_string(),
            cell(row.latency_p50_s, 3),
            cell(row.latency_p95_s, 3),
            cell(row.throughput_per_s, 4),
            cell(fill, 2),
            fixed(row.bytes as f64 / 1e6, 2),
        ]
    });
    let mut text = table(columns, rows);
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
