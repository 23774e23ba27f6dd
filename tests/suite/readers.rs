//! Whoever reads the tables with pandas, polars or DuckDB has the same numbers of the same types.

use crate::support::{Python, checkout, repository, sim, stdout};
use std::fs;

/// Runs that have every table and between them every kind of cell: columns that are empty throughout, that are whole
/// throughout, that begin so, for more rows than readers look at, and knobs of all types.
const RUNS: [&str; 8] = [
    "scenarios/5_prosumers.ron",
    "scenarios/eta_mu.ron --set eta=0,1,0.3",
    "scenarios/5_prosumers.ron --set mu=0,1,0.5 --set delay=10ms,1s --set price_step=Scaled(0.2),0.05 --set seed=1,2",
    "scenarios/5_prosumers_storage.ron --format parquet --set replicates=2",
    "scenarios/crash.ron --set population=20 --set group_share=0,0.4 --set replicates=1 --set record=Full",
    "scenarios/partition.ron --set lasting=10s --set replicates=2 --set market.open=(17,18)",
    "scenarios/100_prosumers.ron --set mu=1",
    "scenarios/5_prosumers.ron --set mu=1 --set mechanism=ContinuousDoubleAuction,MidMarketRate",
];

#[test]
fn every_table_is_read_alike_by_pandas_polars_and_duckdb() {
    let Some(python) = Python::with("pandas, polars, pyarrow, duckdb") else { return };
    let folder = checkout();
    let runs = RUNS.map(|run| stdout(&mut sim(folder.path(), &format!("{run} -q --no-report"))));
    let script = fs::read_to_string(repository("tests/suite/readers.py")).expect("there is a script");
    let said = python.run(&script, runs.iter().map(|run| run.trim()), folder.path());
    // Ten tables of a case and two of the study with `record: Full`, and fewer with `Slots` or without knobs.
    assert_eq!(said.trim(), "86 tables");
}
