//! Plays a case's blocks once more, one after the other, and holds each to what should follow.

use super::{
    bills::Bills,
    contract::execute,
    discrepancy::{Checked, does_not_hold},
    judge::{judge, unendorsed},
    mechanism,
    prepare::{Prepared, Transaction},
    report::CaseReport,
    state::State,
    tariffs::{highest_price, lowest_price},
};
use crate::{position::Position, reader::Reader};
use microgrid_agents::{
    chain::{
        block::{Header, commit_hash},
        call::{Call, Proposal, Settlement},
        fact::{Clearing, Execution, Fact, Game, Key, Number},
        genesis::{Genesis, Posts},
        hash::Digest,
        identity::Party,
        transaction::{Envelope, Outcome, Version, Write},
    },
    ids::{ChannelName, Slot},
    statement::{Outcome as GameOutcome, Registration},
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
    pub(super) report: CaseReport,
    /// Header hash and commit hash of each channel's last block.
    pub(super) heads: [Option<(Digest, Digest)>; 3],
    /// How many blocks are done.
    pub(super) position: u64,
    time: Time,
    /// The slot whose settlement too few peers have endorsed, until it is given up.
    unendorsed: Option<Slot>,
    /// The market of the slot under way, if it is one that clears.
    venue: Option<Box<dyn mechanism::Venue>>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(reader: &'a Reader, genesis: &'a Genesis) -> Self {
        let (case, chain, state) = (genesis.case, genesis.id(), State::default());
        let (scenario, slots) = (genesis.scenario.clone(), genesis.rules.slots);
        let report =
            CaseReport { case, scenario, genesis: chain, slots, closed: 0, bills: 0, channels: Default::default() };
        Self {
            reader,
            case,
            genesis,
            chain,
            state,
            report,
            heads: [None; 3],
            position: 0,
            time: Time::ZERO,
            unendorsed: None,
            venue: None,
        }
    }

    pub(super) fn block(&mut self, block: Prepared) -> Checked {
        let Prepared { stored, transactions, signatures } = block;
        let header = &stored.header;
        let place = Position::block(self.case, header.channel, header.number);
        self.check_header(header).map_err(|what| place.wrong(what))?;
        self.check_link(header, place)?;
        let transactions = transactions?;
        self.check_size(header, &transactions, place)?;
        for (number, transaction) in (0..).zip(&transactions) {
            self.transaction(header, number, transaction).map_err(|what| place.transaction(number).wrong(what))?;
        }
        let previous = self.heads[header.channel as usize].map(|(_, commit)| commit);
        let effects = transactions.iter().map(|transaction| (transaction.code, writes(transaction)));
        if commit_hash(previous, header, effects) != stored.commit_hash {
            return Err(place.wrong("its commit hash is not that of its content"));
        }
        self.heads[header.channel as usize] = Some((stored.header_hash, stored.commit_hash));
        self.position += 1;
        self.time = header.time;
        let report = self.report.channel(header.channel);
        report.blocks += 1;
        report.signatures += signatures;
        Ok(())
    }

    /// Every block has its place in one order without gaps.
    fn check_header(&self, header: &Header) -> Checked<(), String> {
        if header.position != self.position {
            let (found, due) = (header.position, self.position);
            return Err(format!("its position among all blocks is {found}, where {due} is due"));
        }
        // The three chains begin together, before anything happens.
        let began = self.position >= ChannelName::ALL.len() as u64;
        let first = ChannelName::ALL.get(self.position as usize);
        if !began && (first != Some(&header.channel) || header.time != Time::ZERO) {
            return begins_wrong("the chains begin at time 0, one after the other");
        }
        if header.time < self.time {
            return Err(format!("it was cut at {} ns, before the block that comes before it", header.time.0));
        }
        Ok(())
    }

    fn check_link(&self, header: &Header, place: Position) -> Checked {
        let head = self.heads[header.channel as usize].map(|(hash, _)| hash);
        if header.previous_hash == head {
            return Ok(());
        }
        let named = match header.previous_hash {
            Some(hash) => self.reader.block_by_hash(self.case, header.channel, hash)?,
            None => None,
        };
        let before = header.number.checked_sub(1);
        let due = before.map_or_else(|| "nothing".to_owned(), |number| format!("block {number}"));
        Err(place.wrong(match named.filter(|named| Some(*named) != before) {
            Some(named) => {
                format!("its previous hash is the header hash of block {named}, not of {due}: blocks are swapped")
            }
            None => format!("its previous hash is not the header hash of {due}"),
        }))
    }

    /// A block is cut by count or by timeout; what opens and closes phases stands alone and does not wait.
    fn check_size(&self, header: &Header, transactions: &[Transaction], place: Position) -> Checked {
        let rules = &self.genesis.rules;
        let (found, most) = (transactions.len(), rules.max_transactions);
        if found == 0 || found > most as usize {
            return Err(place.wrong(format!("it has {found} transactions, and may have 1 to {most}")));
        }
        let begun = transactions[0].envelope.submitted;
        for (number, transaction) in (0..).zip(transactions) {
            let call = &transaction.proposal.call;
            let alone = call.stands_alone();
            if alone && found > 1 {
                return Err(place.transaction(number).wrong("it is not alone in its block"));
            }
            let timeout = if alone { 0 } else { nanos(rules.timeout) };
            // Last posts have travelled as messages before, and are submitted when the game closes.
            let held_back = call.is_post() && rules.posts == Posts::Last;
            let may_wait = held_back || (rules.late_blocks && !alone);
            let (submitted, cut) = (transaction.envelope.submitted, header.time);
            if submitted > cut || (!may_wait && cut.0 - begun.0.min(cut.0) > timeout) {
                return Err(place.transaction(number).wrong(format!(
                    "it was submitted at {} ns, but its block was cut at {} ns, with a timeout of {timeout} ns",
                    submitted.0, cut.0
                )));
            }
        }
        Ok(())
    }

    fn transaction(&mut self, header: &Header, number: u32, transaction: &Transaction) -> Checked<(), String> {
        let Proposal { creator, call } = &transaction.proposal;
        if header.number == 0 {
            self.beginning(header.channel, transaction)?;
        } else {
            let execution = execute(self.genesis, &self.state, *creator, call);
            let endorsed = self.endorsed(header.channel, transaction)?;
            judge(&self.state, transaction, endorsed, &execution)?;
            if transaction.code.is_ok() {
                match call {
                    Call::OpenGame(slot, game) => {
                        self.check_players(*slot, game)?;
                        self.venue = mechanism::venue(self.genesis, &self.state, *slot, game, header.time);
                    }
                    Call::PostOrders(orders) => {
                        if let (Some(venue), Party::Prosumer(number)) = (&mut self.venue, creator) {
                            venue.posted(*number, orders, header.time)?;
                        }
                    }
                    Call::Clear(_, clearing) => {
                        let venue = self.venue.as_mut().ok_or("nothing is cleared in this game")?;
                        compare_clearing(clearing, &venue.due(header.time)?)?;
                    }
                    Call::CloseGame(slot, outcome) => {
                        self.check_end(*slot, *outcome, header.time)?;
                        if let Some(mut venue) = self.venue.take() {
                            venue.close(header.time)?;
                        }
                    }
                    Call::Settle(settlement) => self.check_played(settlement.slot)?,
                    Call::Void(slot) if self.unendorsed != Some(*slot) => {
                        return Err(format!(
                            "slot {slot} is given up, though no settlement of it stands there that too few peers endorse"
                        ));
                    }
                    _ => {}
                }
                self.state.apply(execution, Version(header.number, number));
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
    fn beginning(&self, channel: ChannelName, transaction: &Transaction) -> Checked<(), String> {
        let Envelope { submitted, proposal: _, signature, endorsements, reads, outcome } = &transaction.envelope;
        let Proposal { creator, call } = &transaction.proposal;
        let right_call = match call {
            Call::Genesis(genesis) => channel == ChannelName::Trade && **genesis == *self.genesis,
            Call::Anchor(digest) => channel != ChannelName::Trade && *digest == self.chain,
            _ => false,
        };
        if !right_call || *creator != Party::Ledger {
            return begins_wrong("it is not genesis, or the anchor to it, by the ledger");
        }
        let bare = signature.is_none() && endorsements.is_empty() && reads.is_empty() && *submitted == Time::ZERO;
        let nothing_written = matches!(outcome, Outcome::Writes(writes) if writes.is_empty());
        if !bare || !nothing_written || transaction.code.is_err() {
            return begins_wrong("it is valid, and neither signed nor read nor written");
        }
        Ok(())
    }

    /// Why the endorsement policy is not met, if it is not.
    fn endorsed(&mut self, channel: ChannelName, transaction: &Transaction) -> Checked<Option<String>, String> {
        let Outcome::Writes(_) = transaction.envelope.outcome else { return Ok(None) };
        match &transaction.proposal.call {
            Call::RecordEnergy(_, _, Some(_)) if !transaction.invoice_endorsed => {
                Ok(Some(does_not_hold("endorsement", Some(Party::Grid))))
            }
            Call::Settle(settlement) => {
                let bills = mechanism::bills(self.genesis, &self.state, settlement.slot);
                if transaction.code.is_ok() {
                    compare(settlement, &bills)?;
                    self.report.bills += bills.0.len() as u64;
                }
                let (why, checked) = unendorsed(self.genesis, self.chain, settlement, &bills, transaction);
                self.report.channel(channel).signatures += checked;
                let lacking = self.lacking_peers(transaction);
                if why.is_none() && lacking.is_some() {
                    self.unendorsed = Some(settlement.slot);
                }
                Ok(why.or(lacking))
            }
            _ => Ok(self.lacking_peers(transaction)),
        }
    }

    /// Why a transaction has not as many peers behind it as it needs, if it has not.
    fn lacking_peers(&self, transaction: &Transaction) -> Option<String> {
        let Proposal { creator, call } = &transaction.proposal;
        let (found, needed) = (transaction.peers, self.genesis.endorsers(*creator, call));
        (found < needed).then(|| format!("{found} peers endorse it, where {needed} have to"))
    }

    /// A game is among all who are registered, and nobody else.
    fn check_players(&self, slot: Slot, game: &Game) -> Checked<(), String> {
        if self.state.get(Key::Settlement(slot)).is_some() {
            return Err(format!("a game opens in slot {slot}, which is settled already"));
        }
        let (sellers, buyers) = self.sides(slot);
        for (side, same) in [("sellers", game.sellers == sellers), ("buyers", game.buyers == buyers)] {
            if !same {
                return Err(format!("the game's {side} are not those registered for the slot"));
            }
        }
        mechanism::opens(self.genesis, game)
    }

    /// A game ends as its mechanism has it, by its gate.
    fn check_end(&self, slot: Slot, outcome: GameOutcome, now: Time) -> Checked<(), String> {
        let Some(Fact::Game(game)) = self.state.fact(Key::Game(slot)) else { return Ok(()) };
        // Where peers take the posts, they hand in the last ones once the gate has closed.
        let Genesis { rules, peers, .. } = self.genesis;
        let may_be_late = rules.late_blocks || (rules.posts == Posts::Last && !peers.is_empty());
        let late = now > game.closes && !may_be_late;
        let early = now < game.closes && outcome == GameOutcome::GateClosure;
        let right = (outcome == GameOutcome::Cleared) == self.venue.is_some();
        if !late && !early && right {
            return Ok(());
        }
        Err(format!("the game ends as {outcome:?} at {} ns, and its gate closes at {} ns", now.0, game.closes.0))
    }

    /// Where there are both sides, and the fee leaves a price between the tariffs, there is a game first.
    fn check_played(&self, slot: Slot) -> Checked<(), String> {
        let (sellers, buyers) = self.sides(slot);
        let played = self.state.get(Key::Game(slot)).is_some();
        let room = match self.state.fact(Key::Tariff(slot)) {
            Some(Fact::Tariff(tariff)) => highest_price(tariff, self.genesis.rules.local_fee()) >= lowest_price(tariff),
            _ => true,
        };
        if played || !room || sellers.is_empty() || buyers.is_empty() {
            return Ok(());
        }
        Err(format!("slot {slot} is settled without a game, though sellers and buyers are registered for it"))
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

fn begins_wrong(how: &str) -> Checked<(), String> {
    Err(format!("it does not begin the chain as it should: {how}"))
}

/// What a transaction has written: nothing, unless it counts.
fn writes(transaction: &Transaction) -> &[Write] {
    match (&transaction.envelope.outcome, transaction.code) {
        (Outcome::Writes(writes), Ok(())) => writes,
        _ => &[],
    }
}

/// A clearing is the one that is due.
fn compare_clearing(found: &Clearing, due: &Clearing) -> Checked<(), String> {
    let heads = |clearing: &Clearing| {
        let Clearing { number, price, supply, demand, executions } = clearing;
        let price = price.map_or("no price".to_owned(), |price| format!("{price} CNY/kWh"));
        let count = executions.len();
        format!("number {number}, {price}, {supply} kWh offered, {demand} kWh asked for, {count} executions")
    };
    if heads(found) != heads(due) {
        return Err(format!("the clearing is {}, but the posts give {}", heads(found), heads(due)));
    }
    let pairs = found.executions.iter().zip(&due.executions);
    match pairs.into_iter().find(|(found, due)| found != due) {
        None => Ok(()),
        Some((Execution(buyer, seller, energy, price), Execution(due_buyer, due_seller, due_energy, due_price))) => {
            Err(format!(
                "buyer {buyer} gets {energy} kWh from seller {seller} at {price} CNY/kWh, but the posts give buyer \
                 {due_buyer} {due_energy} kWh from seller {due_seller} at {due_price} CNY/kWh"
            ))
        }
    }
}

/// A settlement holds the bills that follow from the game, except those that one side does not stand for.
fn compare(settlement: &Settlement, due: &Bills) -> Checked<(), String> {
    let mut settled = BTreeSet::new();
    for &(buyer, seller, found) in &settlement.trades {
        let due = due.0.get(&(buyer, seller)).map_or_else(Default::default, |bill| bill.energy);
        if found != due {
            let bill = format!("the bill of buyer {buyer} from seller {seller}");
            return Err(format!("{bill} is over {found} kWh, but the game gives {due} kWh"));
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
        Some(((buyer, seller), bill)) => Err(format!(
            "the bill of buyer {buyer} from seller {seller} over {} kWh is missing, and neither has disputed it or stayed silent",
            bill.energy
        )),
    }
}
