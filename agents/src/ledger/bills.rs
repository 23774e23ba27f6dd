//! After the game: bills that both sides recompute and sign, and the trades that become final.
//!
//! Whose signatures hold decides here which trades are settled; the contract then makes their bills once more.

use super::{Ledger, Phase, Playing, participant, participants};
use crate::{
    actor::{Context, Wake},
    chain::{
        call::{BillsOf, Call, Settlement},
        identity::Claim,
        transaction::Endorsement,
    },
    ids::{ChannelName, ProsumerId},
    market::{
        settlement::Trade,
        trades::{TradeBook, Trades},
    },
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
    /// Version of the post on which each participant's bills rest, sellers first.
    versions: Vec<u32>,
    /// What it says; `None` until it has answered.
    pub(super) verdicts: Vec<Option<Verdict>>,
    missing: usize,
}

impl Billing {
    /// What a participant is asked to sign.
    pub(super) fn proposed(&self, participant: usize) -> Message {
        let (slot, trades) = (self.bills.market.slot, self.bills.of(participant));
        Message::BillProposed(Arc::new(BillProposed { slot, trades, version: self.versions[participant] }))
    }
}

/// The trades of a slot's market, sorted out by participant.
#[derive(Debug)]
pub(super) struct Bills {
    pub(super) market: Arc<MarketOpened>,
    book: TradeBook,
}

impl Bills {
    fn new(market: Arc<MarketOpened>, trades: Vec<Trade>) -> Self {
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
    /// Proposes to each participant its bills.
    pub(super) fn propose_bills(&mut self, context: &mut Context<'_>) {
        let Phase::Playing(Playing { board, .. }) = &self.phase else { return };
        let market = Arc::clone(board.opened());
        let bills = Bills::new(Arc::clone(&market), board.trades(self.chains.genesis()));
        let missing = board.posts().len();
        let versions = (0..missing).map(|participant| board.version(participant)).collect();
        let billing = Billing { bills, versions, verdicts: vec![None; missing], missing };
        for (participant, prosumer) in participants(&market).enumerate() {
            context.send(prosumer.actor(), billing.proposed(participant));
        }
        context.wake_after(self.rules.bill_limit(), Wake::BillsExpire(self.slot));
        self.wait(Phase::Billing(billing), context);
    }

    pub(super) fn bill_endorsed(&mut self, from: ProsumerId, verdict: Verdict, context: &mut Context<'_>) {
        let Phase::Billing(billing) = &mut self.phase else { return };
        let Some(number) = participant(&billing.bills.market, from) else { return };
        if billing.verdicts[number].replace(verdict).is_none() {
            billing.missing -= 1;
            if billing.missing == 0 {
                self.settle(context);
            }
        }
    }

    /// Settles the trades that both sides have signed; any other falls back to the grid for both.
    pub(super) fn settle(&mut self, context: &mut Context<'_>) {
        if !matches!(self.phase, Phase::Billing(_)) {
            return;
        }
        let Phase::Billing(billing) = std::mem::replace(&mut self.phase, Phase::Metering(None)) else { return };
        let genesis = Arc::clone(self.chains.genesis());
        let number = |prosumer: ProsumerId| genesis.prosumers[prosumer.index()].0;
        let endorsements = self.endorsements(&billing);
        let Billing { bills, verdicts, .. } = billing;
        let market = Arc::clone(&bills.market);
        let mut settlement = Settlement { slot: self.slot, ..Settlement::default() };
        for ((prosumer, verdict), endorsement) in participants(&market).zip(&verdicts).zip(&endorsements) {
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
        settlement.trades = trades.map(|(buyer, seller, bill)| (buyer, seller, bill.energy)).collect();
        let has_bills = |&participant: &usize| bills.of(participant).iter().any(|trade| trade.energy > Energy::ZERO);
        let signed = (0..).zip(endorsements).filter(|(n, _)| has_bills(n)).filter_map(|(_, signed)| signed).collect();
        let settle = self.chains.propose(Call::Settle(Arc::new(settlement)), signed, context.now());
        if self.commit_at_once(ChannelName::Trade, settle, context).is_ok() {
            self.settled(bills, context);
        }
    }

    /// Each participant's signature under its bills, sellers first; `None` of those that have not signed, or wrongly.
    ///
    /// Each is checked by itself, on as many threads as there are: whoever checks the settlement sees only some of them.
    fn endorsements(&self, billing: &Billing) -> Vec<Option<Endorsement>> {
        let (genesis, chain) = (self.chains.genesis(), self.chains.id());
        let Billing { bills, verdicts, .. } = billing;
        let endorsement = |(participant, (prosumer, verdict)): (usize, (ProsumerId, &Option<Verdict>))| {
            let Some(Verdict::Endorsed(signature)) = verdict else { return None };
            let (by, signature) = (genesis.prosumer(prosumer), **signature);
            let trades = bills.of(participant);
            let bills = bills.market.bills(trades.iter()).collect();
            let text = BillsOf { slot: self.slot, party: by, bills }.to_json();
            let claim = Claim { key: genesis.key(by)?, text: &text, signature };
            claim.holds(chain).then_some(Endorsement { by, signature })
        };
        let prosumers: Vec<ProsumerId> = participants(&bills.market).collect();
        prosumers.into_par_iter().zip(verdicts).enumerate().map(endorsement).collect()
    }

    /// Settles a slot in which there was nobody to trade with.
    pub(super) fn settle_without_trades(&mut self, context: &mut Context<'_>) {
        let nothing = Settlement { slot: self.slot, ..Settlement::default() };
        let settle = self.chains.propose(Call::Settle(Arc::new(nothing)), Vec::new(), context.now());
        if self.commit_at_once(ChannelName::Trade, settle, context).is_err() {
            return;
        }
        let (sellers, buyers) = self.roster.sides();
        let market = self.market(sellers, buyers, Vec::new());
        self.settled(Bills::new(Arc::new(market), Vec::new()), context);
    }

    /// Tells every participant its final trades, and waits for the meters.
    fn settled(&mut self, bills: Bills, context: &mut Context<'_>) {
        context.observe(Observation::Settled(self.slot, Arc::clone(bills.book.all())));
        for (participant, prosumer) in participants(&bills.market).enumerate() {
            context.send(prosumer.actor(), Message::Settled(self.slot, Box::new(bills.of(participant))));
        }
        self.wait(Phase::Metering(Some(bills)), context);
        self.close_slot_if_complete(context);
    }
}
