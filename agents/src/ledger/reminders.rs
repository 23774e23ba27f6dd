//! Whom the ledger waits for: says again what those may have missed, and names them when asked.

use super::{Billing, Bills, Ledger, Phase, Playing, participant, participants};
use crate::{
    actor::Context,
    ids::ProsumerId,
    message::{Message, SlotOpened},
};
use std::sync::Arc;

impl Ledger {
    /// Says again what those who have not answered may have missed.
    pub(super) fn remind(&mut self, context: &mut Context<'_>) {
        let Some(opened) = self.opened else { return };
        match &self.phase {
            Phase::BetweenSlots => return,
            Phase::Registering => self.remind_unregistered(opened, context),
            Phase::Playing(Playing { board, .. }) => {
                self.remind_unregistered(opened, context);
                for (participant, prosumer) in participants(board.opened()).enumerate() {
                    if board.version(participant) == 0 {
                        context.send(prosumer.actor(), Message::MarketOpened(Arc::clone(board.opened())));
                    }
                }
            }
            Phase::Billing(billing) => {
                self.remind_unregistered(opened, context);
                let participants = participants(&billing.bills.market).zip(&billing.verdicts).enumerate();
                for (participant, (prosumer, _)) in participants.filter(|(_, (_, verdict))| verdict.is_none()) {
                    context.send(prosumer.actor(), billing.proposed(participant));
                }
            }
            Phase::Metering(bills) => self.remind_of_meters(bills.as_ref(), opened, context),
        }
        self.remind_later(context);
    }

    fn remind_unregistered(&self, opened: SlotOpened, context: &mut Context<'_>) {
        let silent = |&prosumer: &ProsumerId| !self.roster.is_registered(prosumer) && !self.roster.is_read(prosumer);
        for prosumer in self.roster.everybody().filter(silent) {
            context.send(prosumer.actor(), Message::SlotOpened(opened));
        }
    }

    fn remind_of_meters(&self, bills: Option<&Bills>, opened: SlotOpened, context: &mut Context<'_>) {
        for prosumer in self.roster.everybody().filter(|&p| !self.roster.is_read(p)) {
            let trades = bills.and_then(|bills| Some(bills.of(participant(&bills.market, prosumer)?)));
            let reminder = match trades {
                Some(trades) => Message::Settled(self.slot, Box::new(trades)),
                None => Message::SlotOpened(opened),
            };
            context.send(prosumer.actor(), reminder);
        }
    }

    /// Who has not said yet what the ledger waits for; `None` after the last slot.
    pub(super) fn missing(&self) -> Option<String> {
        let missing = |who: Vec<ProsumerId>| {
            let names: Vec<String> =
                who.iter().take(5).map(|p| self.chains.genesis().prosumer(*p).to_string()).collect();
            let more = if who.len() > 5 { format!(" and {} more", who.len() - 5) } else { String::new() };
            format!("{}{more} for slot {}", names.join(", "), self.slot)
        };
        match &self.phase {
            Phase::BetweenSlots if self.slot == self.slots() => None,
            Phase::BetweenSlots => Some(format!("PublishTariff from the grid for slot {}", self.slot + 1)),
            Phase::Registering => {
                let silent = self.roster.everybody().filter(|&p| !self.roster.is_registered(p)).collect();
                Some(format!("Register from {}", missing(silent)))
            }
            Phase::Playing(_) => Some(format!("rest or gate closure of slot {}", self.slot)),
            Phase::Billing(Billing { bills, verdicts, .. }) => {
                let silent =
                    participants(&bills.market).zip(verdicts).filter(|(_, v)| v.is_none()).map(|(p, _)| p).collect();
                Some(format!("BillEndorsed from {}", missing(silent)))
            }
            Phase::Metering(_) => {
                let silent = self.roster.everybody().filter(|&p| !self.roster.is_read(p)).collect();
                Some(format!("RecordEnergy from {}", missing(silent)))
            }
        }
    }
}
