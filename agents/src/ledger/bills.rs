//! After the game: bills that both sides recompute, and the trades that become final.

use super::{Ledger, Phase, TradeTransaction};
use crate::{
    actor::Context,
    ids::ProsumerId,
    market::settlement::Trade,
    message::{MarketOpened, Message, Verdict},
    observation::Observation,
};
use std::sync::Arc;

/// Bills that wait for both sides.
#[derive(Debug)]
pub(super) struct Billing {
    pub(super) market: Arc<MarketOpened>,
    pub(super) bills: Bills,
    /// One a participant, sellers first; `None` until it has answered.
    pub(super) verdicts: Vec<Option<Verdict>>,
    pub(super) missing: usize,
}

/// Who gets what after the game.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) market: Arc<MarketOpened>,
    pub(super) bills: Bills,
}

/// The trades of a slot, also sorted out by participant, sellers first.
#[derive(Debug)]
pub(super) struct Bills {
    pub(super) all: Arc<[Trade]>,
    pub(super) by_participant: Vec<Arc<[Trade]>>,
}

impl Bills {
    pub(super) fn of(market: &MarketOpened, trades: Vec<Trade>) -> Self {
        let mut by_participant = vec![Vec::new(); market.sellers.len() + market.buyers.len()];
        for trade in &trades {
            by_participant[trade.seller as usize].push(*trade);
            by_participant[market.sellers.len() + trade.buyer as usize].push(*trade);
        }
        Self { all: trades.into(), by_participant: by_participant.into_iter().map(Arc::from).collect() }
    }
}

/// Sellers first, then buyers: the order in which participants are numbered here.
pub(super) fn participants(market: &MarketOpened) -> impl Iterator<Item = ProsumerId> + '_ {
    market.sellers.iter().chain(&market.buyers).copied()
}

/// A participant's number in that order.
pub(super) fn participant(market: &MarketOpened, prosumer: ProsumerId) -> Option<usize> {
    let seller = market.sellers.binary_search(&prosumer).ok();
    seller.or_else(|| market.buyers.binary_search(&prosumer).ok().map(|index| market.sellers.len() + index))
}

impl Ledger {
    pub(super) fn bill_endorsed(&mut self, from: ProsumerId, verdict: Verdict, context: &mut Context<'_>) {
        let Phase::Billing(billing) = &mut self.phase else { return };
        let Some(number) = participant(&billing.market, from) else { return };
        if billing.verdicts[number].replace(verdict).is_none() {
            billing.missing -= 1;
            if billing.missing == 0 {
                self.propose_settlement(context);
            }
        }
    }

    /// Keeps the trades that both sides endorse; a void trade falls back to the grid for both.
    pub(super) fn propose_settlement(&mut self, context: &mut Context<'_>) {
        let Phase::Billing(Billing { market, bills, verdicts, .. }) = &self.phase else { return };
        let endorsed = |number: usize| verdicts[number] == Some(Verdict::Endorsed);
        let trades: Arc<[Trade]> = if (0..verdicts.len()).all(endorsed) {
            Arc::clone(&bills.all)
        } else {
            let buyers_from = market.sellers.len();
            let both = |t: &&Trade| endorsed(t.seller as usize) && endorsed(buyers_from + t.buyer as usize);
            bills.all.iter().filter(both).copied().collect()
        };
        if let Some(block) = self.trade.submit(TradeTransaction::Settle(self.slot, trades), context) {
            self.commit_trade(block, context);
        }
    }

    pub(super) fn commit_settlement(&mut self, trades: &[Trade], context: &mut Context<'_>) {
        // A proposal that waited while the bills expired is on the chain twice; the first one counts.
        let Phase::Billing(billing) = &self.phase else { return };
        let market = Arc::clone(&billing.market);
        self.settled(market, trades.to_vec(), context);
    }

    /// Tells every participant its final trades, and waits for the meters.
    pub(super) fn settled(&mut self, market: Arc<MarketOpened>, trades: Vec<Trade>, context: &mut Context<'_>) {
        self.contract.settle(&market, &trades);
        let bills = Bills::of(&market, trades);
        context.observe(Observation::Settled(self.slot, Arc::clone(&bills.all)));
        for (prosumer, trades) in participants(&market).zip(&bills.by_participant) {
            context.send(prosumer.actor(), Message::Settled(self.slot, Arc::clone(trades)));
        }
        self.wait(Phase::Metering(Some(Settlement { market, bills })), context);
        self.close_slot_if_complete(context);
    }
}
