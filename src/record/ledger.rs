//! `ledger.csv`: what each channel of the ledger carried, and how fast.

use super::{durations::Durations, number::Number, table::table};
use microgrid_agents::{
    chain::{block::Block, refusal::Refusal},
    ids::ChannelName,
    observation::{Commit, Observation, Refused},
    time::Time,
};
use std::collections::BTreeMap;

table! {
    /// What a channel carried in a case.
    LedgerRow in "ledger.csv" {
        /// Number of the case.
        case: u32,
        /// Which channel.
        channel: ChannelName,
        /// Blocks.
        blocks: u64,
        /// What was asked of the ledger: transactions, and what never became one.
        submitted: u64,
        /// What counts.
        valid: u64,
        /// What does not.
        invalid: u64,
        /// Refused: the signature is missing or is not its sender's.
        bad_signature: u64,
        /// Refused: somebody has not endorsed it whose endorsement it needs.
        policy_unmet: u64,
        /// Refused: it rests on a fact that an earlier transaction has changed since.
        stale_read: u64,
        /// Refused: it came unsigned, and from somebody else than it says.
        forged_identity: u64,
        /// Refused: the slot is not under way, registration has closed or the game is over.
        market_closed: u64,
        /// Refused: the sender does not take part in this role.
        not_a_participant: u64,
        /// Refused: a newer or equal version is already there.
        old_version: u64,
        /// Refused: a number is infinite or none at all.
        not_finite: u64,
        /// Refused: the price lies outside the tariffs.
        price_out_of_band: u64,
        /// Refused: the price has moved further from the last one than the ramp allows.
        price_beyond_ramp: u64,
        /// Refused: shares are negative, do not sum to 1, or are not one a seller.
        invalid_shares: u64,
        /// Refused: purchases are negative, beyond a firm need, or not one a seller.
        invalid_purchases: u64,
        /// Refused: a registration of the same prosumer is already there.
        already_registered: u64,
        /// Refused: a registered amount or preference is negative.
        invalid_registration: u64,
        /// Refused: more energy is to change hands than its seller has, or its buyer asked for.
        more_than_surplus: u64,
        /// Refused: the slot is settled already.
        already_settled: u64,
        /// Refused: a fact is there already and cannot be replaced.
        already_recorded: u64,
        /// Refused: the energy of a meter reading does not add up with the settled trades.
        energy_does_not_balance: u64,
        /// Refused: an invoice is not the exchanged energy at the tariffs of the slot.
        wrong_invoice: u64,
        /// Submitted, but never a transaction.
        off_chain: u64,
        /// Time from submission to commit that half of the valid transactions did not exceed [s].
        latency_p50_s: Option<Number>,
        /// The same of 95 % of them [s].
        latency_p95_s: Option<Number>,
        /// Valid transactions per second of simulated time.
        throughput_per_s: Option<Number>,
        /// Mean number of transactions in a block, as a part of the most that fit.
        block_fill: Option<Number>,
        /// Length of all envelopes [bytes].
        bytes: u64,
    }
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
    transactions: u64,
    latencies: Durations,
    valid: u64,
    submitted: Option<Time>,
    committed: Time,
}

impl Traffic {
    /// Takes in an observation of the ledger; others change nothing.
    pub(super) fn add(&mut self, what: &Observation) {
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
    pub(super) fn rows(&self, case: u32, max_transactions: u32) -> impl Iterator<Item = LedgerRow> {
        let none = Channel::default();
        ChannelName::ALL.map(|name| self.0.get(&name).unwrap_or(&none).row(case, name, max_transactions)).into_iter()
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

    fn row(&self, case: u32, channel: ChannelName, max_transactions: u32) -> LedgerRow {
        let refused = |refusal| self.refused.get(&refusal).copied().unwrap_or_default();
        let invalid = self.refused.values().sum::<u64>();
        let after_first = &self.after_first;
        let blocks = self.blocks.saturating_sub(1) as f64;
        LedgerRow {
            case,
            channel,
            blocks: self.blocks,
            submitted: self.valid + invalid,
            valid: self.valid,
            invalid,
            bad_signature: refused(Refusal::BadSignature),
            policy_unmet: refused(Refusal::PolicyUnmet),
            stale_read: refused(Refusal::StaleRead),
            forged_identity: refused(Refusal::ForgedIdentity),
            market_closed: refused(Refusal::MarketClosed),
            not_a_participant: refused(Refusal::NotAParticipant),
            old_version: refused(Refusal::OldVersion),
            not_finite: refused(Refusal::NotFinite),
            price_out_of_band: refused(Refusal::PriceOutOfBand),
            price_beyond_ramp: refused(Refusal::PriceBeyondRamp),
            invalid_shares: refused(Refusal::InvalidShares),
            invalid_purchases: refused(Refusal::InvalidPurchases),
            already_registered: refused(Refusal::AlreadyRegistered),
            invalid_registration: refused(Refusal::InvalidRegistration),
            more_than_surplus: refused(Refusal::MoreThanSurplus),
            already_settled: refused(Refusal::AlreadySettled),
            already_recorded: refused(Refusal::AlreadyRecorded),
            energy_does_not_balance: refused(Refusal::EnergyDoesNotBalance),
            wrong_invoice: refused(Refusal::WrongInvoice),
            off_chain: self.off_chain,
            latency_p50_s: after_first.latencies.percentile(50),
            latency_p95_s: after_first.latencies.percentile(95),
            throughput_per_s: after_first.throughput(),
            block_fill: Number::new(after_first.transactions as f64 / (blocks * f64::from(max_transactions))),
            bytes: self.bytes,
        }
    }
}

impl AfterFirst {
    fn add(&mut self, block: &Block) {
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
}
