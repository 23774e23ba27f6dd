//! What the ledger carried: `ledger.csv`, how much of it and how fast on each channel, and `ledger.db`, the chains
//! themselves.

use super::recorded::{Number, Record, Recorded, table};
use super::{durations::Durations, error::RecordError};
use microgrid_agents::{
    chain::{
        block::{Block, SignedCheckpoint},
        refusal::Refusal,
    },
    ids::ChannelName,
    observation::{Commit, Observation, Refused},
    time::Time,
};
use microgrid_ledger::{reader::Reader, schema, store::Store};
use microgrid_scenario::Case;
use rusqlite::ErrorCode;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Declares the table with a column for each refusal, and how a row comes about.
macro_rules! ledger_table {
    ($($column:ident: $refusal:ident,)+) => {
        table! {
            /// What a channel carried in a case.
            LedgerRow in "ledger" of (carried: &Channel, case: u32, channel: ChannelName, most: u32) {
                /// Number of the case.
                case: u32 = case => shown("case"),
                /// Which channel.
                channel: ChannelName = channel => shown("channel"),
                /// Blocks.
                blocks: u64 = carried.blocks => shown("blocks"),
                /// What was asked of the ledger: transactions, and what never became one.
                submitted: u64 = carried.valid + invalid => shown("submitted"),
                /// What counts.
                valid: u64 = carried.valid => shown("valid"),
                /// What does not.
                invalid: u64 = invalid => shown("refused"),
                $(
                    #[doc = concat!("Refused: [`Refusal::", stringify!($refusal), "`].")]
                    $column: u64 = refused(Refusal::$refusal),
                )+
                /// Submitted, but never a transaction.
                off_chain: u64 = carried.off_chain => shown("off the chain"),
                /// Time from submission to commit that half of the valid transactions did not exceed.
                latency_p50_s: Option<Number> ["s"] = after_first.latencies.percentile(50)
                    => rounded("latency, median", 3),
                /// The same of 95 % of them.
                latency_p95_s: Option<Number> ["s"] = after_first.latencies.percentile(95)
                    => rounded("latency, 95 %", 3),
                /// Valid transactions per second of simulated time.
                throughput_per_s: Option<Number> ["1/s"] = after_first.throughput() => rounded("throughput", 4),
                /// Mean number of transactions in a block, as a part of the most that fit.
                block_fill: Option<Number> =
                    Number::new(after_first.transactions as f64 / (after_first.blocks as f64 * f64::from(most)))
                    => rounded("block fill", 2)
                    .in_unit("%", |row| row.block_fill.map(|fill| 100.0 * fill.value()).into()),
                /// Length of all envelopes.
                bytes: u64 ["bytes"] = carried.bytes => rounded("size", 3)
                    .in_unit("MB", |row| (row.bytes as f64 / 1e6).into()),
            }
            where {
                let after_first = &carried.after_first;
                let invalid = carried.refused.values().sum::<u64>();
                let refused = |refusal| carried.refused.get(&refusal).copied().unwrap_or_default();
            }
        }

        impl LedgerRow {
            /// How many were refused for which reason, in the order of [`Refusal::ALL`].
            pub fn refused(&self) -> [(Refusal, u64); Refusal::ALL.len()] {
                [$((Refusal::$refusal, self.$column)),+]
            }
        }
    };
}

ledger_table! {
    bad_signature: BadSignature,
    policy_unmet: PolicyUnmet,
    stale_read: StaleRead,
    forged_identity: ForgedIdentity,
    market_closed: MarketClosed,
    not_a_participant: NotAParticipant,
    old_version: OldVersion,
    not_finite: NotFinite,
    price_out_of_band: PriceOutOfBand,
    price_beyond_ramp: PriceBeyondRamp,
    invalid_shares: InvalidShares,
    invalid_purchases: InvalidPurchases,
    already_registered: AlreadyRegistered,
    invalid_registration: InvalidRegistration,
    more_than_surplus: MoreThanSurplus,
    already_settled: AlreadySettled,
    already_recorded: AlreadyRecorded,
    energy_does_not_balance: EnergyDoesNotBalance,
    wrong_invoice: WrongInvoice,
}

/// What the channels of a case have carried so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Traffic(BTreeMap<ChannelName, Channel>);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Channel {
    blocks: u64,
    valid: u64,
    refused: BTreeMap<Refusal, u64>,
    off_chain: u64,
    bytes: u64,
    /// What came after the first block, which nobody had to wait for.
    after_first: AfterFirst,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct AfterFirst {
    blocks: u64,
    transactions: u64,
    latencies: Durations,
    valid: u64,
    submitted: Option<Time>,
    committed: Time,
}

impl Recorded for LedgerRow {
    const KEPT: Record = Record::Summary;
    type Tally = Traffic;

    fn observe(traffic: &mut Traffic, what: &Observation) {
        match what {
            Observation::Sealed(block) => traffic.0.entry(block.header.channel).or_default().add(block),
            Observation::Committed(Commit { off_chain, .. }) if *off_chain > 0 => {
                let channel = traffic.0.entry(ChannelName::Information).or_default();
                channel.valid += u64::from(*off_chain);
                channel.off_chain += u64::from(*off_chain);
            }
            // One that stands on the chain comes with its block.
            Observation::Refused(Refused { refusal, channel, on_chain: false, .. }) => {
                let channel = traffic.0.entry(*channel).or_default();
                *channel.refused.entry(*refusal).or_default() += 1;
                channel.off_chain += 1;
            }
            _ => {}
        }
    }

    /// In the order of [`ChannelName::ALL`].
    fn of_case(case: &Case, traffic: &Traffic) -> impl Iterator<Item = Self> {
        let (none, most) = (Channel::default(), case.scenario.ledger.block.max_transactions);
        let row = |name| Self::row(traffic.0.get(&name).unwrap_or(&none), case.number, name, most);
        ChannelName::ALL.map(row).into_iter()
    }
}

impl Channel {
    fn add(&mut self, block: &Block) {
        let after_first = (block.header.number > 0).then_some(&mut self.after_first);
        self.blocks += 1;
        self.bytes += block.bytes();
        for transaction in &block.transactions {
            match transaction.validity {
                Ok(()) => self.valid += 1,
                Err(refusal) => *self.refused.entry(refusal).or_default() += 1,
            }
        }
        let Some(later) = after_first else { return };
        later.blocks += 1;
        later.transactions += block.transactions.len() as u64;
        later.committed = block.header.time;
        for transaction in &block.transactions {
            let submitted = transaction.submitted;
            later.submitted = Some(later.submitted.map_or(submitted, |earliest| earliest.min(submitted)));
            if transaction.validity.is_ok() {
                later.valid += 1;
                later.latencies.add(block.header.time - submitted, 1);
            }
        }
    }
}

impl AfterFirst {
    /// Valid transactions per second from the first submission to the last block; `None` where that is no time.
    fn throughput(&self) -> Option<Number> {
        let elapsed = self.committed - self.submitted?;
        Number::new(self.valid as f64 / elapsed.as_secs_f64())
    }
}

/// The cases that the ledger at `path` holds.
fn held(path: &Path) -> Result<impl Iterator<Item = u32> + use<>, RecordError> {
    let found = Reader::open(path).and_then(|reader| reader.checkpoints()).map_err(RecordError::content(path))?;
    Ok(found.into_iter().map(|checkpoint| checkpoint.case))
}

/// A run's `ledger.db` being written.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    store: Store,
    /// The newest checkpoint of the case under way.
    newest: Option<Box<SignedCheckpoint>>,
}

impl LedgerFile {
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(schema::FILE);
        let store = Store::create(&path).map_err(RecordError::content(&path))?;
        Ok(Self { path, store, newest: None })
    }

    /// Opens the one in a run's folder to go on behind these `cases`, its first, or behind this checkpoint of the next one; what
    /// it has beyond is removed.
    pub(super) fn reopen(
        folder: &Path,
        cases: RangeInclusive<u32>,
        newest: Option<&SignedCheckpoint>,
    ) -> Result<Self, RecordError> {
        let path = folder.join(schema::FILE);
        let (first, last) = cases.into_inner();
        if !held(&path)?.take((first..=last).count()).eq(first..=last) {
            return Err(RecordError::out_of_step(&path, format!("it does not hold cases {first} to {last}")));
        }
        let within = newest.map(|checkpoint| (last + 1, checkpoint));
        let store = Store::reopen(&path, last, within).map_err(RecordError::content(&path))?;
        let store = store.ok_or_else(|| {
            RecordError::out_of_step(&path, format!("case {} does not reach its last checkpoint", last + 1))
        })?;
        Ok(Self { path, store, newest: newest.cloned().map(Box::new) })
    }

    /// Takes in the chains of these cases, which the file in another `folder` has to hold.
    pub(super) fn append_from(&mut self, folder: &Path, cases: RangeInclusive<u32>) -> Result<(), RecordError> {
        let other = folder.join(schema::FILE);
        if !held(&other)?.eq(cases) {
            return Err(RecordError::damaged(&other)("it does not hold the cases of its run"));
        }
        self.store.append_from(&other).map_err(RecordError::content(&self.path))
    }

    /// Writes a block or, at a checkpoint, brings all blocks so far to disk; other observations change nothing.
    pub(super) fn add(&mut self, case: u32, what: &Observation) -> Result<(), RecordError> {
        let written = match what {
            Observation::Sealed(block) => self.store.insert(case, block),
            Observation::Checkpoint(signed) => self.store.commit(case, signed),
            _ => return Ok(()),
        };
        written.map_err(RecordError::content(&self.path))?;
        if let Observation::Checkpoint(signed) = what {
            let [trade, information, energy] = signed.checkpoint.heads.map(|head| head.blocks);
            let slot_closed = signed.checkpoint.closed;
            tracing::debug!(target: "ledger", case, slot_closed, trade, information, energy, "commit on disk");
            self.newest = Some(Box::new(SignedCheckpoint::clone(signed)));
        }
        Ok(())
    }

    /// The newest checkpoint of the case under way, if no block has come since.
    pub(super) fn whole(&self) -> Option<&SignedCheckpoint> {
        self.newest.as_deref().filter(|_| self.store.is_whole())
    }

    /// Ends the writing. The file stands alone then, unless somebody else has it open.
    pub(super) fn close(self) -> Result<(), RecordError> {
        match self.store.close() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                tracing::warn!(path = %self.path.display(), "somebody reads the ledger: part of it stays in files beside it");
                Ok(())
            }
            closed => closed.map_err(RecordError::content(&self.path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Row,
        fixtures::{
            day::{Day, state},
            row_of,
        },
    };
    use microgrid_agents::ids::ActorId;
    use microgrid_ledger::fixtures::block;
    use std::sync::Arc;

    fn refused(refusal: Refusal, on_chain: bool) -> Observation {
        let channel = ChannelName::Information;
        Observation::Refused(Refused { slot: 2, from: ActorId(2), refusal, channel, on_chain })
    }

    /// The rows of a case with blocks of up to ten transactions.
    fn rows(traffic: &Traffic) -> Vec<LedgerRow> {
        let mut case = Day::new().case();
        Arc::make_mut(&mut case.scenario).ledger.block.max_transactions = 10;
        LedgerRow::of_case(&case, traffic).collect()
    }

    #[test]
    fn every_refusal_has_a_column_of_its_name() {
        let names = Refusal::ALL.iter().map(|refusal| {
            let mut snake = String::new();
            for letter in refusal.name().chars() {
                if letter.is_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            snake
        });
        let columns = LedgerRow::header().skip_while(|name| *name != "bad_signature").take(Refusal::ALL.len());
        assert!(names.eq(columns));
    }

    #[test]
    fn what_is_on_the_chain_is_counted_by_its_code_and_the_first_block_does_not_blur_the_times() {
        let mut traffic = Traffic::default();
        let valid = || (Ok(()), vec![]);
        let stale = (Err(Refusal::StaleRead), vec![]);
        let mut late = block(ChannelName::Trade, 2, 30, vec![valid()]);
        late.transactions[0].submitted = Time(29_500_000_000);
        let first = block(ChannelName::Trade, 0, 0, vec![valid()]);
        let second = block(ChannelName::Trade, 1, 10, vec![valid(), stale, valid()]);
        for block in [first, second, late] {
            LedgerRow::observe(&mut traffic, &Observation::Sealed(Arc::new(block)));
        }
        // Three valid ones after 20, 20 and 500 ms, from 9.98 s to 30 s; four in two blocks of at most ten.
        let throughput = (3.0 / 20.02).to_string();
        let trade = [
            ("case", "1"),
            ("channel", "trade"),
            ("blocks", "3"),
            ("submitted", "5"),
            ("valid", "4"),
            ("invalid", "1"),
            ("stale_read", "1"),
            ("latency_p50_s", "0.02"),
            ("latency_p95_s", "0.5"),
            ("throughput_per_s", &throughput),
            ("block_fill", "0.2"),
            ("bytes", "95"),
        ];
        let idle = |channel| row_of(&[("case", "1"), ("channel", channel)]);
        let expected = [row_of(&trade), idle("information"), idle("energy")];
        assert_eq!(rows(&traffic), expected);
    }

    #[test]
    fn what_is_off_the_chain_counts_as_submitted_and_is_told_apart() {
        let mut traffic = Traffic::default();
        let commit = |off_chain| Commit { state: state(1, 0.0, 1.2, None), choices: false, off_chain, quoted: vec![] };
        for what in [
            Observation::Committed(commit(4)),
            Observation::Committed(commit(0)),
            Observation::Committed(commit(3)),
            refused(Refusal::OldVersion, false),
            refused(Refusal::OldVersion, true),
            refused(Refusal::PriceOutOfBand, false),
        ] {
            LedgerRow::observe(&mut traffic, &what);
        }
        let rows = rows(&traffic);
        let LedgerRow { submitted, valid, invalid, off_chain, blocks, bytes, .. } = rows[1];
        assert_eq!((submitted, valid, invalid, off_chain, blocks, bytes), (9, 7, 2, 9, 0, 0));
        assert_eq!((rows[1].old_version, rows[1].price_out_of_band), (1, 1));
        assert_eq!(rows[1].refused().iter().map(|(_, count)| count).sum::<u64>(), 2);
        assert_eq!((rows[0].submitted, rows[2].submitted), (0, 0));
    }
}
