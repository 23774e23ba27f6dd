//! What the ledger carried: `ledger.csv`, how much of it and how fast on each channel, and `ledger.db`, the chains
//! themselves.

use super::{durations::Durations, error::RecordError, number::Number, recorded::Recorded, table::table};
use microgrid_agents::{
    chain::{block::Block, refusal::Refusal},
    ids::ChannelName,
    observation::{Commit, Observation, Refused},
    time::Time,
};
use microgrid_ledger::{schema, store::Store};
use microgrid_scenario::{Case, schema::Record};
use rusqlite::ErrorCode;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Declares the table with a column for each refusal, and how a row comes about.
macro_rules! ledger_table {
    ($($(#[$doc:meta])* $column:ident: $refusal:ident,)+) => {
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
                $($(#[$doc])* $column: u64 = refused(Refusal::$refusal),)+
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
                block_fill: Option<Number> = after_first.fill(most) => rounded("block fill", 2)
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
    /// Refused: the signature is missing or is not its sender's.
    bad_signature: BadSignature,
    /// Refused: somebody has not endorsed it whose endorsement it needs.
    policy_unmet: PolicyUnmet,
    /// Refused: it rests on a fact that an earlier transaction has changed since.
    stale_read: StaleRead,
    /// Refused: it came unsigned, and from somebody else than it says.
    forged_identity: ForgedIdentity,
    /// Refused: the slot is not under way, registration has closed or the game is over.
    market_closed: MarketClosed,
    /// Refused: the sender does not take part in this role.
    not_a_participant: NotAParticipant,
    /// Refused: a newer or equal version is already there.
    old_version: OldVersion,
    /// Refused: a number is infinite or none at all.
    not_finite: NotFinite,
    /// Refused: the price lies outside the tariffs.
    price_out_of_band: PriceOutOfBand,
    /// Refused: the price has moved further from the last one than the ramp allows.
    price_beyond_ramp: PriceBeyondRamp,
    /// Refused: shares are negative, do not sum to 1, or are not one a seller.
    invalid_shares: InvalidShares,
    /// Refused: purchases are negative, beyond a firm need, or not one a seller.
    invalid_purchases: InvalidPurchases,
    /// Refused: a registration of the same prosumer is already there.
    already_registered: AlreadyRegistered,
    /// Refused: a registered amount or preference is negative, or beyond any market.
    invalid_registration: InvalidRegistration,
    /// Refused: more energy is to change hands than its seller has, or its buyer asked for.
    more_than_surplus: MoreThanSurplus,
    /// Refused: the slot is settled already.
    already_settled: AlreadySettled,
    /// Refused: a fact is there already and cannot be replaced.
    already_recorded: AlreadyRecorded,
    /// Refused: the energy of a meter reading does not add up with the settled trades.
    energy_does_not_balance: EnergyDoesNotBalance,
    /// Refused: an invoice is not the exchanged energy at the tariffs of the slot.
    wrong_invoice: WrongInvoice,
}

/// What the channels of a case have carried so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic(BTreeMap<ChannelName, Channel>);

/// What one channel has carried so far.
#[derive(Clone, Debug, Default)]
struct Channel {
    blocks: u64,
    valid: u64,
    refused: BTreeMap<Refusal, u64>,
    off_chain: u64,
    bytes: u64,
    /// What came after the first block, which nobody had to wait for.
    after_first: AfterFirst,
}

/// What a channel has carried after its first block.
#[derive(Clone, Debug, Default)]
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
        traffic.add(what);
    }

    fn of_case(case: &Case, traffic: &Traffic) -> impl Iterator<Item = Self> {
        traffic.rows(case.number, case.scenario.ledger.block.max_transactions)
    }
}

impl Traffic {
    /// Takes in an observation of the ledger; others change nothing.
    fn add(&mut self, what: &Observation) {
        match what {
            Observation::Sealed(block) => self.0.entry(block.header.channel).or_default().add(block),
            Observation::Committed(Commit { off_chain, .. }) if *off_chain > 0 => {
                let channel = self.0.entry(ChannelName::Information).or_default();
                channel.valid += u64::from(*off_chain);
                channel.off_chain += u64::from(*off_chain);
            }
            // One that stands on the chain comes with its block.
            Observation::Refused(Refused { refusal, channel, on_chain: false, .. }) => {
                let channel = self.0.entry(*channel).or_default();
                *channel.refused.entry(*refusal).or_default() += 1;
                channel.off_chain += 1;
            }
            _ => {}
        }
    }

    /// The rows of a case whose blocks hold up to `max_transactions`, in the order of [`ChannelName::ALL`].
    fn rows(&self, case: u32, max_transactions: u32) -> impl Iterator<Item = LedgerRow> {
        let none = Channel::default();
        let carried = |name| self.0.get(&name).unwrap_or(&none);
        ChannelName::ALL.map(|name| LedgerRow::row(carried(name), case, name, max_transactions)).into_iter()
    }
}

impl Channel {
    fn add(&mut self, block: &Block) {
        self.blocks += 1;
        for transaction in &block.transactions {
            self.bytes += transaction.envelope.len() as u64;
            match transaction.validity {
                Ok(()) => self.valid += 1,
                Err(refusal) => *self.refused.entry(refusal).or_default() += 1,
            }
        }
        if block.header.number > 0 {
            self.after_first.add(block);
        }
    }
}

impl AfterFirst {
    fn add(&mut self, block: &Block) {
        self.blocks += 1;
        self.transactions += block.transactions.len() as u64;
        self.committed = block.header.time;
        for transaction in &block.transactions {
            let submitted = transaction.submitted;
            self.submitted = Some(self.submitted.map_or(submitted, |earliest| earliest.min(submitted)));
            if transaction.validity.is_ok() {
                self.valid += 1;
                self.latencies.add(block.header.time - submitted);
            }
        }
    }

    /// Valid transactions per second from the first submission to the last block; `None` where that is no time.
    fn throughput(&self) -> Option<Number> {
        let elapsed = self.committed - self.submitted?;
        Number::new(self.valid as f64 / elapsed.as_secs_f64())
    }

    /// Mean number of transactions in a block, as a part of `most`; `None` without blocks.
    fn fill(&self, most: u32) -> Option<Number> {
        Number::new(self.transactions as f64 / (self.blocks as f64 * f64::from(most)))
    }
}

/// A run's `ledger.db` being written.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    store: Store,
}

impl LedgerFile {
    /// Creates it in a run's folder.
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(schema::FILE);
        let store = Store::create(&path).map_err(RecordError::content(&path))?;
        Ok(Self { path, store })
    }

    /// Opens the one in a run's folder to go on behind its first `cases` cases; what it has of others is removed.
    pub(super) fn reopen(folder: &Path, cases: u32) -> Result<Self, RecordError> {
        let path = folder.join(schema::FILE);
        let store = Store::reopen(&path, cases).map_err(RecordError::content(&path))?;
        Ok(Self { path, store })
    }

    /// Takes in all that the ledger in another `folder` holds.
    pub(super) fn append_from(&mut self, folder: &Path) -> Result<(), RecordError> {
        self.store.append_from(&folder.join(schema::FILE)).map_err(RecordError::content(&self.path))
    }

    /// Writes a block or, at a checkpoint, brings all blocks so far to disk; other observations change nothing.
    ///
    /// That they are on disk is announced in the log, and only once it is so.
    pub(super) fn add(&mut self, case: u32, what: &Observation) -> Result<(), RecordError> {
        match what {
            Observation::Sealed(block) => self.store.insert(case, block).map_err(RecordError::content(&self.path)),
            Observation::Checkpoint(signed) => {
                self.store.commit(case, signed).map_err(RecordError::content(&self.path))?;
                let [trade, information, energy] = signed.checkpoint.heads.map(|head| head.blocks);
                let slot_closed = signed.checkpoint.closed;
                tracing::debug!(target: "ledger", case, slot_closed, trade, information, energy, "commit on disk");
                Ok(())
            }
            _ => Ok(()),
        }
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
        fixtures::{day::state, row_of},
    };
    use microgrid_agents::ids::ActorId;
    use microgrid_ledger::fixtures::block;
    use std::sync::Arc;

    fn refused(refusal: Refusal, on_chain: bool) -> Observation {
        let channel = ChannelName::Information;
        Observation::Refused(Refused { slot: 2, from: ActorId(2), refusal, channel, on_chain })
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
            traffic.add(&Observation::Sealed(Arc::new(block)));
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
        assert_eq!(traffic.rows(1, 10).collect::<Vec<_>>(), expected);
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
            traffic.add(&what);
        }
        let rows: Vec<LedgerRow> = traffic.rows(1, 10).collect();
        let LedgerRow { submitted, valid, invalid, off_chain, blocks, bytes, .. } = rows[1];
        assert_eq!((submitted, valid, invalid, off_chain, blocks, bytes), (9, 7, 2, 9, 0, 0));
        assert_eq!((rows[1].old_version, rows[1].price_out_of_band), (1, 1));
        assert_eq!(rows[1].refused().iter().map(|(_, count)| count).sum::<u64>(), 2);
        assert_eq!((rows[0].submitted, rows[2].submitted), (0, 0));
    }
}
