//! `snapshot.bin`: a case under way as it was between two of its slots, so that it can go on there in another process.
//!
//! It is written over and over while the case runs, and replaced in one step. What it says of the tables is on disk before it
//! is. One that was made by another version, of other inputs or of another case, or that has lost as much as a bit, is none.

use super::{error::RecordError, folder, journal::Journal, key_figures::Tally, sheet::Place};
use microgrid_agents::{
    chain::{block::SignedCheckpoint, hash::Digest},
    ids::Slot,
    saved::{Unreadable, from_bytes, to_bytes},
    units::Energy,
};
use microgrid_runtime::Traffic;
use microgrid_scenario::Case;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

pub(super) const FILE: &str = "snapshot.bin";

/// What a case that is recorded has come to between two slots.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Standing {
    /// The slot to be written next.
    pub(super) next: Slot,
    /// The last slot whose blocks are all on disk.
    pub(super) on_disk: Slot,
    /// What became of messages since the last slot was closed.
    pub(super) sent: Traffic,
    /// Length of what was put on the chains since then, their first blocks not counted [bytes].
    pub(super) bytes: u64,
    /// Content of each prosumer's storage at the start of the next slot.
    pub(super) contents: Vec<Energy>,
    /// What that content would be had there never been a local market.
    pub(super) alone: Vec<Energy>,
    pub(super) tally: Tally,
}

/// How far the tables of a case under way have come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedTables {
    /// How long each growing file is.
    pub(super) journal: Journal,
    /// What tables remember of the case, by their files.
    pub(super) tallies: BTreeMap<String, Vec<u8>>,
    /// Up to where the case's chains are in `ledger.db`, if that is kept.
    pub(super) chains: Option<SignedCheckpoint>,
}

/// A case under way between two slots.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    of: Source,
    pub(super) standing: Standing,
    pub(super) tables: SavedTables,
    /// What the simulation has come to.
    pub(super) simulation: Vec<u8>,
}

/// Of what a snapshot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Source {
    version: String,
    inputs_sha256: String,
    case: u32,
}

impl Source {
    fn new(inputs_sha256: &str, case: u32) -> Self {
        let (version, inputs_sha256) = (env!("CARGO_PKG_VERSION").to_owned(), inputs_sha256.to_owned());
        Self { version, inputs_sha256, case }
    }
}

impl Standing {
    /// Whether it may be that of this case.
    fn fits(&self, case: &Case) -> bool {
        let prosumers = case.population.prosumers.len();
        (2..=case.scenario.market.slots + 1).contains(&self.next)
            && [self.contents.len(), self.alone.len()] == [prosumers; 2]
            && self.tally.prosumers().all(|count| count == prosumers)
    }
}

impl SavedTables {
    /// Where the tables of a run in `folder` go on.
    pub(super) fn place<'a>(&'a self, folder: &'a Path) -> Place<'a> {
        Place::Left(folder, &self.journal, self.chains.as_ref())
    }
}

impl Snapshot {
    /// How many slots of the case are complete.
    pub(super) fn slots(&self) -> Slot {
        self.standing.next - 1
    }

    /// An error if this is not of the case.
    pub(super) fn check(&self, case: &Case) -> Result<(), Unreadable> {
        let fits = self.of.case == case.number && self.standing.fits(case);
        if fits { Ok(()) } else { Err(Unreadable(format!("it is not of case {}", case.number))) }
    }

    /// That of a run in `folder` with these inputs, after so many cases that are complete; `None` if there is none.
    pub(super) fn read(folder: &Path, inputs_sha256: &str, done: u32) -> Option<Self> {
        let path = folder.join(FILE);
        let content = match folder::read_bytes(&path) {
            Ok(content) => content,
            Err(RecordError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "the case under way begins anew");
                return None;
            }
        };
        let read = || {
            let (digest, text) = content.split_at_checked(DIGEST).ok_or("it is too short".to_owned())?;
            if digest_of(text).0 != digest {
                return Err("it is damaged".to_owned());
            }
            let mut read: Self = from_bytes(text).map_err(|why| why.to_string())?;
            let Journal { cases, slots, .. } = &mut read.tables.journal;
            if read.of != Source::new(inputs_sha256, done + 1) || *cases != done || read.standing.next < 2 {
                return Err("it is not of the case that comes next in this run".to_owned());
            }
            *slots = read.standing.next - 1;
            Ok(read)
        };
        match read() {
            Ok(read) => Some(read),
            Err(why) => {
                tracing::warn!(path = %path.display(), why, "the case under way begins anew");
                None
            }
        }
    }

    fn write(&self, path: &Path) -> Result<(), RecordError> {
        let text = to_bytes(self);
        folder::write_whole(path, |file| {
            let written = file.write_all(&digest_of(&text).0).and_then(|()| file.write_all(&text));
            written
                .and_then(|()| file.flush())
                .and_then(|()| file.get_ref().sync_data())
                .map_err(RecordError::file("write", path))
        })
    }
}

/// Length of what a snapshot begins with: the digest of the rest [bytes].
const DIGEST: usize = 32;

fn digest_of(text: &[u8]) -> Digest {
    Digest::of([text])
}

/// Removes the snapshot of a run, of which nobody has any more use; where there is none, that is as well.
pub(super) fn remove(folder: &Path) -> Result<(), RecordError> {
    let path = folder.join(FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RecordError::file("remove", &path)(error)),
        _ => Ok(()),
    }
}

/// Where the snapshots of a case go, whose tables lie in its run's folder.
#[derive(Debug)]
pub(super) struct Snapshots {
    path: PathBuf,
    of: Source,
    /// Number of the run's first case.
    pub(super) first: u32,
}

impl Snapshots {
    /// Those of this case of the run in `folder` with these inputs, whose `first` case it may be.
    pub(super) fn new(folder: &Path, inputs_sha256: &str, first: u32, case: u32) -> Self {
        Self { path: folder.join(FILE), of: Source::new(inputs_sha256, case), first }
    }

    /// Puts one in the place of the one before.
    pub(super) fn write(
        &self,
        standing: &Standing,
        tables: SavedTables,
        simulation: Vec<u8>,
    ) -> Result<(), RecordError> {
        Snapshot { of: self.of.clone(), standing: standing.clone(), tables, simulation }.write(&self.path)
    }
}
