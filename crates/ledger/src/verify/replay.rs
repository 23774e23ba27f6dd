//! Plays a case's blocks once more, one after the other, and holds each to what should follow.

use super::{
    bills::Bills,
    contract::{execute, highest_price},
    discrepancy::{Checked, Discrepancy, does_not_hold},
    judge::{Due, judge},
    prepare::{Prepared, Transaction},
    report::CaseReport,
    state::{Execution, State},
};
use crate::{position::Position, reader::Reader};
use microgrid_agents::{
    chain::{
        block::{Header, commit_hash},
        call::{Call, Proposal, Settlement},
        fact::{Fact, Game, Key, Number},
        genesis::{Genesis, Posts},
        hash::Digest,
        identity::Party,
        transaction::{Envelope, Outcome, Version, Write},
    },
    ids::{ChannelName, Slot},
    statement::Registration,
    time::{Time, nanos},
};
use std::collections::BTreeSet;

/// A case under way.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    pub(super) reader: &'a Reader,
    pub(super) case: u32,
    pub(super) genesis: &'a Genesis,
    pub(super) chain: Digest,
    pub(super) state: State,
    pub(super) report: &'a mut CaseReport,
    /// Header hash and commit hash of each channel's last block.
    pub(super) heads: [Option<(Digest, Digest)>; 3],
    position: u64,
    time: Time,
}

impl<'a> Replay<'a> {
    /// Before the first block of a case.
    pub(super) fn new(
        reader: &'a Reader,
        case: u32,
        genesis: &'a Genesis,
        chain: Digest,
        report: &'a mut CaseReport,
    ) -> Self {
        let state = State::default();
        Self { reader, case, genesis, chain, state, report, heads: [None; 3], position: 0, time: Time::ZERO }
    }

    /// How many blocks are done.
    pub(super) fn done(&self) -> u64 {
        self.position
    }

    /// Plays the next block.
    pub(super) fn block(&mut self, block: Prepared) -> Checked {
        let header = &block.header;
        let place = Position::block(self.case, header.channel, header.number);
        self.check_header(header).map_err(|discrepancy| discrepancy.at(place))?;
        self.check_link(header, place)?;
        let transactions = block.transactions?;
        if block.header_hash.0 != block.header_hash.1 {
            return Err(Discrepancy::Hash("header").at(place));
        }
        self.check_size(header, &transactions, place)?;
        for (number, transaction) in (0..).zip(&transactions) {
            self.transaction(header, number, transaction)
                .map_err(|discrepancy| discrepancy.at(place.transaction(number)))?;
        }
        let previous = self.heads[header.channel as usize].map(|(_, commit)| commit);
        let effects = transactions.iter().map(|transaction| (transaction.code, writes(transaction)));
        if commit_hash(previous, header, effects) != block.commit_hash {
            return Err(Discrepancy::Hash("commit").at(place));
        }
        self.heads[header.channel as usize] = Some((block.header_hash.0, block.commit_hash));
        self.position += 1;
        self.time = header.time;
        let report = self.report.channel(header.channel);
        report.blocks += 1;
        report.signatures += block.signatures;
        Ok(())
    }

    /// Every block has its place in one order without gaps.
    fn check_header(&self, header: &Header) -> Result<(), Discrepancy> {
        if header.position != self.position {
            return Err(Discrepancy::Position { found: header.position, expected: self.position });
        }
        // The three chains begin together, before anything happens.
        let began = self.position >= ChannelName::ALL.len() as u64;
        let first = ChannelName::ALL.get(self.position as usize);
        if !began && (first != Some(&header.channel) || header.time != Time::ZERO) {
            return Err(Discrepancy::Beginning("the chains begin at time 0, one after the other"));
        }
        if header.time < self.time {
            return Err(Discrepancy::Time(header.time.0));
        }
        Ok(())
    }

    fn check_link(&self, header: &Header, place: Position) -> Checked {
        let head = self.heads[header.channel as usize].map(|(hash, _)| hash);
        if header.previous_hash == head {
            return Ok(());
        }
        let number = header.number;
        let named = match header.previous_hash {
            Some(hash) => self.reader.block_by_hash(self.case, header.channel, hash)?,
            None => None,
        };
        let discrepancy = match named.filter(|named| Some(*named) != number.checked_sub(1)) {
            Some(named) => Discrepancy::Swapped { number, named },
            None => Discrepancy::Link { number },
        };
        Err(discrepancy.at(place))
    }

    /// A block is cut by count or by timeout; what opens and closes phases stands alone and does not wait.
    fn check_size(&self, header: &Header, transactions: &[Transaction], place: Position) -> Checked {
        let rules = &self.genesis.rules;
        let (found, most) = (transactions.len(), rules.max_transactions);
        if found == 0 || found > most as usize {
            return Err(Discrepancy::BlockSize { found, most }.at(place));
        }
        let begun = transactions[0].envelope.submitted;
        for (number, transaction) in (0..).zip(transactions) {
            let call = &transaction.proposal.call;
            let alone = call.stands_alone();
            if alone && found > 1 {
                return Err(Discrepancy::NotAlone.at(place.transaction(number)));
            }
            let timeout = if alone { 0 } else { nanos(rules.timeout) };
            // Last posts have travelled as messages before, and are submitted when the game closes.
            let held_back = call.is_post() && rules.posts == Posts::Last;
            let may_wait = held_back || (rules.late_blocks && !alone);
            let (submitted, cut) = (transaction.envelope.submitted, header.time);
            if submitted > cut || (!may_wait && cut.0 - begun.0.min(cut.0) > timeout) {
                let discrepancy = Discrepancy::Timeout { submitted: submitted.0, cut: cut.0, timeout };
                return Err(discrepancy.at(place.transaction(number)));
            }
        }
        Ok(())
    }

    fn transaction(&mut self, header: &Header, number: u32, transaction: &Transaction) -> Result<(), Discrepancy> {
        let Proposal { creator, call } = &transaction.proposal;
        if header.number == 0 {
            self.beginning(header.channel, transaction)?;
        } else {
            let execution = execute(self.genesis, &self.state, *creator, call);
            let endorsed = self.endorsed(header.channel, transaction)?;
            let due = judge(&self.state, transaction, endorsed, &execution)?;
            if transaction.code != due.validity {
                let Due { validity: due, detail } = due;
                return Err(Discrepancy::Code { found: transaction.code, due, detail });
            }
            if due.validity.is_ok() {
                self.valid(call, execution, Version(header.number, number))?;
            }
        }
        let report = self.report.channel(header.channel);
        if transaction.code.is_ok() {
            report.valid += 1;
        } else {
            report.invalid += 1;
        }
        Ok(())
    }

    /// A chain begins with genesis or the anchor to it, and nothing besides.
    fn beginning(&self, channel: ChannelName, transaction: &Transaction) -> Result<(), Discrepancy> {
        let Envelope { submitted, proposal: _, signature, endorsements, reads, outcome } = &transaction.envelope;
        let Proposal { creator, call } = &transaction.proposal;
        let right_call = match call {
            Call::Genesis(genesis) => channel == ChannelName::Trade && **genesis == *self.genesis,
            Call::Anchor(digest) => channel != ChannelName::Trade && *digest == self.chain,
            _ => false,
        };
        if !right_call || *creator != Party::Ledger {
            return Err(Discrepancy::Beginning("it is not genesis, or the anchor to it, by the ledger"));
        }
        let bare = signature.is_none() && endorsements.is_empty() && reads.is_empty() && *submitted == Time::ZERO;
        let nothing_written = matches!(outcome, Outcome::Writes(writes) if writes.is_empty());
        if !bare || !nothing_written || transaction.code.is_err() {
            return Err(Discrepancy::Beginning("it is valid, and neither signed nor read nor written"));
        }
        Ok(())
    }

    /// Why the endorsement policy is not met, if it is not.
    fn endorsed(&mut self, channel: ChannelName, transaction: &Transaction) -> Result<Option<String>, Discrepancy> {
        let Outcome::Writes(_) = transaction.envelope.outcome else { return Ok(None) };
        match &transaction.proposal.call {
            Call::RecordEnergy(_, _, Some(_)) if !transaction.invoice_endorsed => {
                Ok(Some(does_not_hold("endorsement", Some(Party::Grid))))
            }
            Call::Settle(settlement) => {
                let bills = Bills::derive(self.genesis, &self.state, settlement.slot);
                if transaction.code.is_ok() {
                    compare(settlement, &bills)?;
                    self.report.bills += bills.0.len() as u64;
                }
                let missing = super::endorsement::missing(self.genesis, self.chain, settlement, &bills, transaction);
                self.report.channel(channel).signatures += missing.checked;
                Ok(missing.why)
            }
            _ => Ok(None),
        }
    }

    /// What counts takes effect.
    fn valid(&mut self, call: &Call, execution: Execution, version: Version) -> Result<(), Discrepancy> {
        match call {
            Call::OpenGame(slot, game) => self.check_players(*slot, game)?,
            Call::Settle(settlement) => self.check_played(settlement.slot)?,
            _ => {}
        }
        self.state.apply(execution, version);
        Ok(())
    }

    /// A game is among all who are registered, and nobody else.
    fn check_players(&self, slot: Slot, game: &Game) -> Result<(), Discrepancy> {
        if self.state.get(Key::Settlement(slot)).is_some() {
            return Err(Discrepancy::LateGame(slot));
        }
        let (sellers, buyers) = self.sides(slot);
        if game.sellers != sellers {
            return Err(Discrepancy::Players("sellers"));
        }
        if game.buyers != buyers {
            return Err(Discrepancy::Players("buyers"));
        }
        let (found, sellers) = (game.first_choice.len(), game.sellers.len());
        if found == sellers { Ok(()) } else { Err(Discrepancy::FirstChoice { found, sellers }) }
    }

    /// Where there are sellers and buyers, and the fee leaves a price between the tariffs, a slot is settled after their
    /// game.
    fn check_played(&self, slot: Slot) -> Result<(), Discrepancy> {
        let (sellers, buyers) = self.sides(slot);
        let played = self.state.get(Key::Game(slot)).is_some();
        let room = match self.state.get(Key::Tariff(slot)).and_then(|known| known.fact.as_ref()) {
            Some(Fact::Tariff(tariff)) => highest_price(tariff, self.genesis.rules.service_fee) >= tariff.feed_in,
            _ => true,
        };
        match played || !room || sellers.is_empty() || buyers.is_empty() {
            true => Ok(()),
            false => Err(Discrepancy::NoGame(slot)),
        }
    }

    /// Who is registered for a slot as seller and as buyer, ascending.
    fn sides(&self, slot: Slot) -> (Vec<Number>, Vec<Number>) {
        let of = |wanted: fn(&Registration) -> bool| {
            let registered = self.state.registrations(slot);
            let of_role = registered.filter(|(_, fact)| matches!(fact, Fact::Register(role) if wanted(role)));
            of_role.map(|(number, _)| number).collect()
        };
        (of(|role| matches!(role, Registration::Seller(_))), of(|role| matches!(role, Registration::Buyer(_))))
    }
}

/// What a transaction has written: nothing, unless it counts.
fn writes(transaction: &Transaction) -> &[Write] {
    match (&transaction.envelope.outcome, transaction.code) {
        (Outcome::Writes(writes), Ok(())) => writes,
        _ => &[],
    }
}

/// A settlement holds the bills that follow from the game, except those that one side does not stand for.
fn compare(settlement: &Settlement, due: &Bills) -> Result<(), Discrepancy> {
    let mut settled = BTreeSet::new();
    for &(buyer, seller, found) in &settlement.trades {
        let due = due.0.get(&(buyer, seller)).map_or_else(Default::default, |bill| bill.energy);
        if found != due {
            return Err(Discrepancy::Bill { buyer, seller, found, due });
        }
        settled.insert((buyer, seller));
    }
    let disputing = settlement.disputes.iter().map(|(number, _)| *number);
    let excused: BTreeSet<Number> = disputing.chain(settlement.silent.iter().copied()).collect();
    let missing = |(buyer, seller): &(Number, Number)| {
        !settled.contains(&(*buyer, *seller)) && !excused.contains(buyer) && !excused.contains(seller)
    };
    match due.0.iter().find(|(pair, _)| missing(pair)) {
        None => Ok(()),
        Some((&(buyer, seller), bill)) => Err(Discrepancy::MissingBill { buyer, seller, due: bill.energy }),
    }
}
