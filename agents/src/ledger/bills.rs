//! After the game: bills that both sides recompute and sign, and the trades that become final.
//!
//! Whose signatures hold decides here which trades are settled; the contract then makes their bills once more.

use super::{Answers, Ledger, Phase, Received, participant, participants};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::{BillsOf, Call, Proposal, Settlement},
        identity::{Claim, Party, Signed, verify_signed},
        submission::{Execution, Pending, Sent},
        transaction::Endorsement,
    },
    ids::{LEDGER, ProsumerId},
    market::{
        settlement::Trade,
        trades::{TradeBook, Trades},
    },
    member::Member,
    message::{BillProposed, MarketOpened, Message, Verdict},
    observation::Observation,
    units::Energy,
};
use rayon::prelude::*;
use std::sync::Arc;

/// Bills that wait for both sides.
#[derive(Debug)]
pub(super) struct Billing {
    pub(super) bills: Bills,
    /// The post on which each participant's bills rest, sellers first.
    pub(super) posts: Vec<Option<Received>>,
    pub(super) verdicts: Answers<Verdict>,
}

impl Billing {
    pub(super) fn proposed(&self, participant: usize) -> Message {
        let (market, trades) = (Arc::clone(&self.bills.market), self.bills.of(participant));
        let version = self.posts[participant].as_ref().map_or(0, |received| received.post.version());
        Message::BillProposed(Arc::new(BillProposed { slot: market.slot, market, trades, version }))
    }
}

/// A settlement that waits for peers to endorse it.
#[derive(Debug)]
pub(super) struct Settling {
    /// With the endorsements of those that have.
    transaction: Pending,
    pub(super) bills: Bills,
    /// Whether as many as are needed have been asked before.
    is_urgent: bool,
}

/// The trades of a slot's market, sorted out by participant.
#[derive(Debug)]
pub(super) struct Bills {
    pub(super) market: Arc<MarketOpened>,
    book: TradeBook,
}

impl Bills {
    pub(super) fn new(market: Arc<MarketOpened>, trades: Vec<Trade>) -> Self {
        let book = TradeBook::new(trades, market.sellers.len(), market.buyers.len());
        Self { market, book }
    }

    /// The trades of a participant, sellers first.
    pub(super) fn of(&self, participant: usize) -> Trades {
        match participant.checked_sub(self.market.sellers.len()) {
            None => self.book.of_seller(participant),
            Some(buyer) => self.book.of_buyer(buyer),
        }
    }
}

impl Ledger {
    pub(super) fn propose_bills(&mut self, context: &mut Context<'_>) {
        let Phase::Playing(playing) = &mut self.phase else { return };
        let bills = Bills::new(Arc::clone(&playing.market), playing.floor.trades());
        let posts = std::mem::take(&mut playing.posts);
        let billing = Billing { bills, verdicts: Answers::of(posts.len()), posts };
        for (participant, prosumer) in participants(&playing.market).enumerate() {
            self.replicas.tell(prosumer.actor(), billing.proposed(participant), context);
        }
        context.wake_after(self.rules.bill_limit(), Wake::BillsExpire(self.slot));
        self.wait(Phase::Billing(billing), context);
    }

    pub(super) fn bill_endorsed(&mut self, from: ProsumerId, verdict: Verdict, context: &mut Context<'_>) {
        let Phase::Billing(billing) = &mut self.phase else { return };
        let Some(number) = participant(&billing.bills.market, from) else { return };
        billing.verdicts.enter(number, verdict);
        if billing.verdicts.are_complete() {
            self.settle(context);
        }
    }

    /// Settles the trades that both sides have signed; any other falls back to the grid for both.
    pub(super) fn settle(&mut self, context: &mut Context<'_>) {
        if !matches!(self.phase, Phase::Billing(_)) {
            return;
        }
        let Phase::Billing(billing) = std::mem::replace(&mut self.phase, Phase::Metering(None)) else { return };
        let genesis = Arc::clone(&self.chains.member.genesis);
        let number = |prosumer: ProsumerId| genesis.prosumers[prosumer.index()].0;
        let endorsements = self.endorsements(&billing);
        let Billing { bills, verdicts, .. } = billing;
        let market = Arc::clone(&bills.market);
        let mut settlement = Settlement { slot: self.slot, ..Settlement::default() };
        for ((prosumer, verdict), endorsement) in participants(&market).zip(verdicts.all()).zip(&endorsements) {
            match (verdict, endorsement) {
                (Some(Verdict::Disputed(dispute)), _) => settlement.disputes.push((number(prosumer), *dispute)),
                (_, None) => settlement.silent.push(number(prosumer)),
                (_, Some(_)) => {}
            }
        }
        let buyers_from = market.sellers.len();
        let both = |trade: &&Trade| {
            endorsements[trade.seller as usize].is_some() && endorsements[buyers_from + trade.buyer as usize].is_some()
        };
        let all = Arc::clone(bills.book.all());
        // Mostly everybody signs, and there is nothing to leave out.
        let bills = match all.iter().all(|trade| both(&trade)) {
            true => bills,
            false => Bills::new(Arc::clone(&market), all.iter().filter(both).copied().collect()),
        };
        let trades = market.bills(bills.book.all().iter());
        settlement.trades.reserve_exact(bills.book.all().len());
        settlement.trades.extend(trades.map(|(buyer, seller, bill)| (buyer, seller, bill.energy)));
        let has_bills = |&participant: &usize| bills.of(participant).iter().any(|trade| trade.energy > Energy::ZERO);
        let signed = (0..).zip(endorsements).filter(|(n, _)| has_bills(n)).filter_map(|(_, signed)| signed).collect();
        self.settled(settlement, signed, bills, context);
    }

    /// Each participant's signature under its bills, sellers first; `None` of those that have not signed, or wrongly.
    ///
    /// Whoever checks the settlement sees only the signatures in it. So they are checked together if all hold that would be in
    /// it, and nobody is missing; and otherwise each by itself, by rules so strict that together they hold as well.
    fn endorsements(&self, billing: &Billing) -> Vec<Option<Endorsement>> {
        let Member { genesis, chain, .. } = &self.chains.member;
        let Billing { bills, verdicts, .. } = billing;
        let signed_by = |(participant, (prosumer, verdict)): (usize, (ProsumerId, &Option<Verdict>))| {
            let Some(Verdict::Endorsed(signature)) = verdict else { return None };
            let by = genesis.prosumer(prosumer);
            if !genesis.has_signatures() {
                return Some((Endorsement::new(by, None), None));
            }
            let (signature, key) = (**signature.as_ref()?, genesis.key(by)?);
            let trades = bills.of(participant);
            let statement = BillsOf { slot: self.slot, party: by, bills: bills.market.bills(trades.iter()).collect() };
            // What stands in for signatures is checked at once.
            let claim = match self.chains.member.keeps_chains() {
                true => Some(Claim { key, text: &statement.to_json(), signature }.signed(*chain)?),
                false if signature.is_under(&statement, key, *chain) => None,
                false => return None,
            };
            let has_bills = !statement.bills.is_empty();
            Some((Endorsement::new(by, Some(signature)), claim.map(|claim| (claim, has_bills))))
        };
        // It is over sooner than others are asked to help.
        if !self.chains.member.keeps_chains() || !genesis.has_signatures() {
            let all = participants(&bills.market).zip(verdicts.all()).enumerate();
            return all.map(|one| Some(signed_by(one)?.0)).collect();
        }
        let prosumers: Vec<ProsumerId> = participants(&bills.market).collect();
        let signed: Vec<_> = prosumers.into_par_iter().zip(verdicts.all()).enumerate().map(signed_by).collect();
        let claims = |wanted: bool| -> Vec<Signed> {
            let all = signed.iter().flatten().filter_map(|(_, claim)| *claim);
            all.filter(|(_, has_bills)| *has_bills == wanted).map(|(claim, _)| claim).collect()
        };
        let all_hold = |claims: Vec<Signed>| verify_signed(&claims).iter().all(|holds| *holds);
        if signed.iter().all(Option::is_some) && all_hold(claims(true)) && all_hold(claims(false)) {
            return signed.into_iter().map(|signed| Some(signed?.0)).collect();
        }
        let each = |signed: Option<(Endorsement, Option<(Signed, bool)>)>| {
            let (endorsement, claim) = signed?;
            claim.is_some_and(|(claim, _)| claim.holds()).then_some(endorsement)
        };
        signed.into_par_iter().map(each).collect()
    }

    /// Puts a settlement on the chain, once enough peers have endorsed it where there are some.
    pub(super) fn settled(
        &mut self,
        settlement: Settlement,
        signed: Vec<Endorsement>,
        bills: Bills,
        context: &mut Context<'_>,
    ) {
        let submission = self.chains.member.submission(Call::Settle(Arc::new(settlement)), signed);
        let transaction = self.chains.execute(Sent { from: LEDGER, submission, at: context.now() });
        let settling = Box::new(Settling { transaction, bills, is_urgent: false });
        if self.lacking(&settling) == 0 {
            return self.commit_settlement(*settling, context);
        }
        context.wake_after(self.rules.bill_limit(), Wake::SettlementExpires(self.slot));
        self.wait(Phase::Settling(settling), context);
        self.ask_endorsers();
    }

    /// Puts it there, tells every participant its final trades, and waits for the meters. If too few peers endorse it, it stands
    /// there as what does not count, and all that was traded falls back to the grid.
    pub(super) fn commit_settlement(&mut self, settling: Settling, context: &mut Context<'_>) {
        let Settling { mut transaction, mut bills, .. } = settling;
        transaction.at = context.now();
        if self.commit_at_once(transaction, context).is_err() {
            context.observe(Observation::Voided(self.slot));
            bills = Bills::new(bills.market, Vec::new());
            if self.decree(Call::Void(self.slot), Vec::new(), context).is_err() {
                return;
            }
        }
        context.observe(Observation::Settled(self.slot, Arc::clone(bills.book.all())));
        for (participant, prosumer) in participants(&bills.market).enumerate() {
            let settled = Message::Settled(self.slot, Box::new(bills.of(participant)));
            self.replicas.tell(prosumer.actor(), settled, context);
        }
        self.wait(Phase::Metering(Some(bills)), context);
        self.close_slot_if_complete(context);
    }

    /// How many more peers have to endorse a settlement.
    pub(super) fn lacking(&self, settling: &Settling) -> usize {
        let Execution { submission, endorsements, .. } = &settling.transaction.execution;
        let Proposal { creator, call } = &submission.proposal;
        self.chains.member.genesis.endorsers(*creator, call).saturating_sub(endorsements.len())
    }

    /// Asks as many peers as are needed to carry the settlement out and endorse it, in another order in each slot; all of them
    /// once these have kept it waiting.
    pub(super) fn ask_endorsers(&mut self) {
        let Phase::Settling(settling) = &mut self.phase else { return };
        let Execution { submission, endorsements, .. } = &settling.transaction.execution;
        let Proposal { creator, call } = &submission.proposal;
        let peers = self.replicas.count();
        let asked = if settling.is_urgent { peers } else { self.chains.member.genesis.endorsers(*creator, call) };
        settling.is_urgent = true;
        for place in (0..asked.min(peers)).map(|n| (self.slot as usize + n) % peers) {
            if endorsements.iter().all(|endorsement| endorsement.by != Party::Peer(place as u32 + 1)) {
                self.replicas.tell_peer(place, Message::Submit(Arc::clone(submission)));
            }
        }
    }

    /// Takes a peer's endorsement of the settlement under way.
    pub(super) fn settlement_endorsed(&mut self, place: usize, execution: Execution, context: &mut Context<'_>) {
        let Phase::Settling(settling) = &mut self.phase else { return };
        let own = &mut settling.transaction.execution;
        let by = Party::Peer(place as u32 + 1);
        let is_known = own.endorsements.iter().any(|known| known.by == by);
        let [endorsement] = &execution.endorsements[..] else { return };
        if is_known || endorsement.by != by || execution.submission != own.submission {
            return;
        }
        if !self.chains.is_endorsed(own, endorsement) {
            return;
        }
        own.endorsements.push(endorsement.clone());
        own.endorsements.sort_unstable_by_key(|known| known.by);
        self.settle_if_endorsed(context);
    }

    fn settle_if_endorsed(&mut self, context: &mut Context<'_>) {
        if !matches!(&self.phase, Phase::Settling(settling) if self.lacking(settling) == 0) {
            return;
        }
        self.end_settling(context);
    }

    /// Ends the waiting for peers to endorse the settlement.
    pub(super) fn end_settling(&mut self, context: &mut Context<'_>) {
        if let Phase::Settling(settling) = std::mem::replace(&mut self.phase, Phase::Metering(None)) {
            self.commit_settlement(*settling, context);
        }
    }
}
