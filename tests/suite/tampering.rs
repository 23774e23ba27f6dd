//! Whatever is changed in a finished run's `ledger.db`, `verify` finds it, or it changes nothing that the ledger says.

mod cleared;
mod flips;
mod history;
mod named;
mod pages;
mod resealed;

use crate::support::{recorded, written};
use microgrid_sim::ledger::{
    schema,
    verify::{Report, VerifyError, verify},
};
use rusqlite::{Connection, OpenFlags, types::Value};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tempfile::TempDir;

/// Three slots of five prosumers, two of them with a market that trades; everything is signed, and the network so slow
/// and lossy, and blocks so long, that some transactions come too late or are stale.
fn finished_run(posts: &str) -> Vec<u8> {
    let scenario = format!(
        r#"Scenario(
            name: "small",
            market: (slots: 3, open: (1, 2), gate_closure: "15s", feed_in_tariff: 0.45, grid_tariff: Constant(0.85),
                     service_fee: 0.013),
            population: Profiles("profiles.csv"),
            learning: (tolerance: 1e-3),
            network: (delay: Constant("100ms"), loss: 0.1),
            ledger: (signatures: Everything, posts: {posts}, block: (max_transactions: 5, timeout: "1200ms")),
        )"#
    );
    let profiles = "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid
1,1,4.828,3.1,1.6167,1.5\n1,2,6.137,3.1,1.6167,1.5\n1,3,0,1.6,1.5,1.5
2,1,3.404,2.9,1.55,1.5\n2,2,4.327,2.9,1.55,1.5\n2,3,0,1.5,1.5,1.5
3,1,1.75,3.35,1.7,1.6\n3,2,2.224,6.5,2.75,1.6\n3,3,0,1.2,1.5,1.6
4,1,1.32,3.32,1.69,1.6\n4,2,1.678,5.9,2.55,1.6\n4,3,0,1.1,1.5,1.6
5,1,4.668,3.3,1.6833,1.5\n5,2,5.933,3.2,1.65,1.5\n5,3,0,1.7,1.5,1.5\n";
    let root = tempfile::tempdir().unwrap();
    let folder = recorded(&written(&scenario, profiles), root.path());
    fs::read(folder.join(schema::FILE)).unwrap()
}

/// The ledger of such a run with every post on the chain.
fn every_post() -> &'static [u8] {
    static RUN: OnceLock<Vec<u8>> = OnceLock::new();
    RUN.get_or_init(|| finished_run("Every"))
}

/// A ledger in a folder of its own.
struct File {
    folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new(bytes: &[u8]) -> Self {
        let file = Self::empty();
        fs::write(&file.path, bytes).unwrap();
        file
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(schema::FILE);
        Self { folder, path }
    }

    fn verify(&self) -> Result<Report, VerifyError> {
        verify(&self.path, &mut |_| {})
    }

    /// What is wrong with it, as the command prints it.
    #[track_caller]
    fn complaint(&self) -> String {
        match self.verify() {
            Ok(_) => panic!("it has been tampered with, and verifies"),
            Err(error) => error.to_string(),
        }
    }
}

/// Everything that a ledger says: its header's numbers, its schema, and each row of each table with the types of its
/// values.
fn content(path: &Path) -> rusqlite::Result<Vec<Vec<Value>>> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut content = Vec::new();
    for query in [
        "PRAGMA application_id",
        "PRAGMA user_version",
        "SELECT type, name, tbl_name, sql FROM sqlite_schema",
        "SELECT * FROM blocks",
        "SELECT * FROM transactions",
        "SELECT * FROM facts",
        "SELECT * FROM checkpoints",
    ] {
        let mut query = database.prepare(query)?;
        let columns = query.column_count();
        let rows = query.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
        for row in rows {
            content.push(row?);
        }
    }
    Ok(content)
}
