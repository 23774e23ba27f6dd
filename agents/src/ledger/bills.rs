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
    market::settlement::Trade,
    message::{BillProposed, MarketOpened, Message, Verdict},
    observation::Observation,
    units::Energy,
};
use std::sync::Arc;

/// Bills that wait for both sides.
#[derive(Debug)]
pub(super) struct Billing {
    pub(super) market: Arc<MarketOpened>,
    /// All trades, by buyer, then seller.
    trades: Vec<Trade>,
    /// What each participant is asked to sign, sellers first.
    pub(super) proposed: Vec<Arc<BillProposed>>,
    /// What it says; `None` until it has answered.
    pub(super) verdicts: Vec<Option<Verdict>>,
    missing: usize,
}

/// The final trades of a slot, also sorted out by participant, sellers first.
#[derive(Debug)]
pub(super) struct Bills {
    pub(super) market: Arc<MarketOpened>,
    pub(super) by_participant: Vec<Arc<[Trade]>>,
}

/// Sorts trades out by participant, sellers first.
fn by_participant(market: &MarketOpened, trades: &[Trade]) -> Vec<Arc<[Trade]>> {
    let mut sorted = vec![Vec::new(); market.sellers.len() + market.buyers.len()];
    for trade in trades {
        sorted[trade.seller as usize].push(*trade);
        sorted[market.sellers.len() + trade.buyer as usize].push(*trade);
    }
    sorted.into_iter().map(Arc::from).collect()
}

impl Ledger {
    /// Proposes to each participant its bills.
    pub(super) fn propose_bills(&mut self, context: &mut Context<'_>) {
        let Phase::Playing(Playing { board, .. }) = &self.phase else { return };
        let market = Arc::clone(board.opened());
        let trades = board.trades(self.chains.genesis().rules.service_fee);
        let proposed: Vec<Arc<BillProposed>> = (0..)
            .zip(by_participant(&market, &trades))
            .map(|(participant, trades)| {
                Arc::new(BillProposed { slot: self.slot, trades, version: board.version(participant) })
            })
            .collect();
        for (prosumer, bills) in participants(&market).zip(&proposed) {
            context.send(prosumer.actor(), Message::BillProposed(Arc::clone(bills)));
        }
        let missing = proposed.len();
        context.wake_after(self.rules.bill_limit(), Wake::BillsExpire(self.slot));
        let billing = Billing { market, trades, proposed, verdicts: vec![None; missing], missing };
        self.wait(Phase::Billing(billing), context);
    }

    pub(super) fn bill_endorsed(&mut self, from: ProsumerId, verdict: Verdict, context: &mut Context<'_>) {
        let Phase::Billing(billing) = &mut self.phase else { return };
        let Some(number) = participant(&billing.market, from) else { return };
        if billing.verdicts[number].replace(verdict).is_none() {
            billing.missing -= 1;
            if billing.missing == 0 {
                self.settle(context);
            }
        }
    }

    /// Settles the trades that both sides have signed; any other falls back to the grid for both.
    pub(super) fn settle(&mut self, context: &mut Context<'_>) {
        let Phase::Billing(billing) = &self.phase else { return };
        let (market, genesis) = (Arc::clone(&billing.market), Arc::clone(self.chains.genesis()));
        let number = |prosumer: ProsumerId| genesis.prosumers[prosumer.index()].0;
        let endorsements = self.endorsements(billing);
        let mut settlement = Settlement { slot: self.slot, ..Settlement::default() };
        for ((prosumer, verdict), endorsement) in participants(&market).zip(&billing.verdicts).zip(&endorsements) {
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
        let trades: Vec<Trade> = billing.trades.iter().filter(both).copied().collect();
        settlement.trades =
            market.bills(&genesis, &trades).map(|(buyer, seller, bill)| (buyer, seller, bill.energy)).collect();
        let has_bills = |(participant, _): &(usize, _)| {
            let bills: &Arc<BillProposed> = &billing.proposed[*participant];
            bills.trades.iter().any(|trade| trade.energy > Energy::ZERO)
        };
        let signed = endorsements.into_iter().enumerate().filter(has_bills).filter_map(|(_, e)| e).collect();
        let settle = self.chains.propose(Call::Settle(Arc::new(settlement)), signed, context.now());
        if self.commit_at_once(ChannelName::Trade, settle, context).is_ok() {
            self.settled(market, trades, context);
        }
    }

    /// Each participant's signature under its bills, sellers first; `None` of those that have not signed, or wrongly.
    fn endorsements(&self, billing: &Billing) -> Vec<Option<Endorsement>> {
        let genesis = self.chains.genesis();
        let endorsement = |(participant, (prosumer, verdict)): (usize, (ProsumerId, &Option<Verdict>))| {
            let Some(Verdict::Endorsed(signature)) = verdict else { return None };
            let (by, signature) = (genesis.prosumer(prosumer), **signature);
            let bills = billing.market.bills(genesis, &billing.proposed[participant].trades).collect();
            let text = BillsOf { slot: self.slot, party: by, bills }.to_json();
            // Each by itself: whoever checks the settlement sees only some of them.
            let claim = Claim { key: genesis.key(by)?, text: &text, signature };
            claim.holds(self.chains.id()).then_some(Endorsement { by, signature })
        };
        participants(&billing.market).zip(&billing.verdicts).enumerate().map(endorsement).collect()
    }

    /// Settles a slot in which there was nobody to trade with.
    pub(super) fn settle_without_trades(&mut self, context: &mut Context<'_>) {
        let nothing = Settlement { slot: self.slot, ..Settlement::default() };
        let settle = self.chains.propose(Call::Settle(Arc::new(nothing)), Vec::new(), context.now());
        if self.commit_at_once(ChannelName::Trade, settle, context).is_err() {
            return;
        }
        let (sellers, buyers) = self.roster.sides();
        let surplus: Vec<f64> = sellers.iter().map(|&seller| self.roster.surplus(seller).value()).collect();
        let market = MarketOpened {
            slot: self.slot,
            total_surplus: surplus.iter().sum(),
            surplus,
            first_choice: Vec::new(),
            closes: self.gate_closes,
            sellers,
            buyers,
        };
        self.settled(Arc::new(market), Vec::new(), context);
    }

    /// Tells every participant its final trades, and waits for the meters.
    fn settled(&mut self, market: Arc<MarketOpened>, trades: Vec<Trade>, context: &mut Context<'_>) {
        let by_participant = by_participant(&market, &trades);
        context.observe(Observation::Settled(self.slot, trades.into()));
        for (prosumer, trades) in participants(&market).zip(&by_participant) {
            context.send(prosumer.actor(), Message::Settled(self.slot, Arc::clone(trades)));
        }
        self.wait(Phase::Metering(Some(Bills { market, by_participant })), context);
        self.close_slot_if_complete(context);
    }
}
