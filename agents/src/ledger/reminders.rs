//! Whom the ledger waits for: says again what those may have missed, names them when asked, and tells who has lost its
//! memory where it stands.

use super::{Billing, Ledger, Phase, Received, participant, participants};
use crate::{
    actor::Context,
    ids::ProsumerId,
    message::{MarketOpened, Message, Shown, Standing},
};
use std::sync::Arc;

impl Ledger {
    /// Says again what those who have not answered may have missed.
    pub(super) fn remind(&mut self, context: &mut Context<'_>) {
        let Some(opened) = self.opened.clone() else { return };
        let mut reminders: Vec<(ProsumerId, Message)> = Vec::new();
        if matches!(self.phase, Phase::Registering | Phase::Playing(_) | Phase::Billing(_)) {
            let silent = self.registrations.silent().filter(|&place| self.readings.all()[place].is_none());
            reminders.extend(silent.map(|place| (ProsumerId(place as u32), Message::SlotOpened(opened.clone()))));
        }
        match &self.phase {
            Phase::BetweenSlots => return,
            Phase::Registering => {}
            Phase::Playing(playing) if self.peers_take_posts() => {
                if playing.is_closing {
                    self.gather_again();
                }
            }
            Phase::Playing(playing) => {
                for (participant, prosumer) in participants(&playing.market).enumerate() {
                    if playing.version(participant) == 0 && playing.floor.awaits(participant) {
                        reminders.push((prosumer, Message::MarketOpened(Arc::clone(&playing.market))));
                        if let Some(Shown::Notice(notice)) = playing.floor.shown() {
                            reminders.push((prosumer, Message::Notice(notice)));
                        }
                    }
                }
            }
            Phase::Billing(billing) => {
                let everybody: Vec<ProsumerId> = participants(&billing.bills.market).collect();
                let silent = billing.verdicts.silent();
                reminders.extend(silent.map(|participant| (everybody[participant], billing.proposed(participant))));
            }
            Phase::Settling(_) => self.ask_endorsers(),
            Phase::Metering(bills) => {
                for prosumer in self.readings.silent().map(|place| ProsumerId(place as u32)) {
                    let trades = bills.as_ref().and_then(|bills| Some(bills.of(participant(&bills.market, prosumer)?)));
                    let reminder = match trades {
                        Some(trades) => Message::Settled(self.slot, Box::new(trades)),
                        None => Message::SlotOpened(opened.clone()),
                    };
                    reminders.push((prosumer, reminder));
                }
            }
        }
        for (prosumer, reminder) in reminders {
            self.replicas.tell(prosumer.actor(), reminder, context);
        }
        self.remind_later(context);
    }

    /// Who has not said yet what the ledger waits for; `None` after the last slot.
    pub(super) fn missing(&self) -> Option<String> {
        let missing = |what: &str, who: Vec<ProsumerId>| {
            let name = |id: &ProsumerId| self.chains.member.genesis.prosumer(*id).to_string();
            let names: Vec<String> = who.iter().take(5).map(name).collect();
            let more = if who.len() > 5 { format!(" and {} more", who.len() - 5) } else { String::new() };
            format!("{what} from {}{more} for slot {}", names.join(", "), self.slot)
        };
        let prosumer = |place: usize| ProsumerId(place as u32);
        Some(match &self.phase {
            Phase::BetweenSlots if self.is_over() => return None,
            Phase::BetweenSlots => format!("PublishTariff from the grid for slot {}", self.slot + 1),
            Phase::Registering => missing("Register", self.registrations.silent().map(prosumer).collect()),
            Phase::Playing(_) => format!("rest or gate closure of slot {}", self.slot),
            Phase::Billing(Billing { bills, verdicts, .. }) => {
                let everybody: Vec<ProsumerId> = participants(&bills.market).collect();
                missing("BillEndorsed", verdicts.silent().map(|place| everybody[place]).collect())
            }
            Phase::Settling(settling) => {
                format!("{} more peers to endorse the settlement of slot {}", self.lacking(settling), self.slot)
            }
            Phase::Metering(_) => missing("RecordEnergy", self.readings.silent().map(prosumer).collect()),
        })
    }

    /// Where a prosumer stands that has lost its memory.
    pub(super) fn standing(&self, prosumer: ProsumerId) -> Standing {
        let is_read = self.readings.all()[prosumer.index()].is_some();
        let Some(opened) = self.opened.clone().filter(|_| !is_read) else { return Standing::Done(self.slot) };
        let takes_part = |market: &Arc<MarketOpened>, posts: &[Option<Received>], shown| {
            let post = participant(market, prosumer).and_then(|number| posts.get(number)?.as_ref());
            Standing::Playing(opened.clone(), Arc::clone(market), post.map(|received| received.post.clone()), shown)
        };
        match &self.phase {
            Phase::BetweenSlots => Standing::Done(self.slot),
            Phase::Playing(playing) if participant(&playing.market, prosumer).is_some() => {
                takes_part(&playing.market, &playing.posts, playing.floor.shown())
            }
            Phase::Billing(Billing { bills, posts, .. }) if participant(&bills.market, prosumer).is_some() => {
                takes_part(&bills.market, posts, None)
            }
            Phase::Settling(settling) if participant(&settling.bills.market, prosumer).is_some() => {
                takes_part(&settling.bills.market, &[], None)
            }
            Phase::Metering(Some(bills)) => match participant(&bills.market, prosumer) {
                Some(number) => Standing::Settled(opened, Arc::clone(&bills.market), bills.of(number)),
                None => Standing::Open(opened),
            },
            _ => Standing::Open(opened),
        }
    }
}
