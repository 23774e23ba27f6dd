//! The utility grid: publishes its tariffs slot by slot, balances what prosumers lack or have left, and sends invoices.

use crate::{
    actor::{Actor, Context, MarketProtocol, Wake},
    chain::call::{Call, InvoiceTo},
    ids::{ActorId, LEDGER, ProsumerId, Slot},
    member::Member,
    message::{Exchange, Message},
    observation::Observation,
    saved::{Unreadable, from_bytes, to_bytes},
    statement::{MeterReading, Tariff},
    time::Time,
};
use std::{fmt::Debug, ops::RangeInclusive, sync::Arc, time::Duration};

/// What the grid asks and pays, and when.
#[derive(Clone, Debug)]
pub struct GridRules {
    /// What it pays and asks in each slot.
    pub tariffs: Arc<dyn Tariffs>,
    /// The slots that are played: all of a run, or those of a part that nothing links to others.
    pub slots: RangeInclusive<Slot>,
    /// Length of a slot.
    pub slot_length: Duration,
    /// After how long an unanswered message is repeated.
    pub retry_after: Duration,
}

/// What the grid pays and asks in each slot.
pub trait Tariffs: Debug + Send + Sync {
    /// The tariffs of a slot.
    fn of(&self, slot: Slot) -> Tariff;
}

impl Tariffs for Vec<Tariff> {
    fn of(&self, slot: Slot) -> Tariff {
        self[slot as usize - 1].clone()
    }
}

/// The utility grid as an actor.
#[derive(Debug)]
pub struct Grid {
    rules: GridRules,
    member: Member,
    /// The last slot that has begun by the clock.
    begun: Slot,
    /// The slot whose tariff the ledger has not confirmed yet.
    unconfirmed: Slot,
    /// Counts publications, so that an old retry is recognised.
    publication: u64,
    /// For each prosumer the last slot whose exchange is booked.
    booked: Vec<Slot>,
    /// For each prosumer the group whose tariffs it has, if they are not everybody's.
    groups: Vec<Option<usize>>,
    /// Whose exchange has come in this instant, and what invoice is due for it.
    due: Vec<(ProsumerId, InvoiceTo)>,
}

impl Grid {
    /// A grid with these rules, and its identity on the chains.
    pub fn new(rules: GridRules, member: Member) -> Self {
        let booked = vec![0; member.genesis.prosumers.len()];
        let genesis = &member.genesis;
        let groups = genesis.prosumers.iter().map(|(number, _)| genesis.tariff_group(*number)).collect();
        let first = *rules.slots.start();
        Self { rules, member, begun: first - 1, unconfirmed: first, publication: 0, booked, groups, due: Vec::new() }
    }

    fn last(&self) -> Slot {
        *self.rules.slots.end()
    }

    fn tariff(&self, slot: Slot) -> Tariff {
        self.rules.tariffs.of(slot)
    }

    /// Publishes the oldest unconfirmed tariff of a slot that has begun, and does so again until it is confirmed.
    fn publish(&mut self, context: &mut Context<'_>) {
        if self.unconfirmed <= self.begun {
            self.publication += 1;
            let tariff = Call::PublishTariff(Arc::new(self.tariff(self.unconfirmed)));
            context.send(LEDGER, Message::Submit(self.member.submission(tariff, Vec::new())));
            context.wake_after(self.rules.retry_after, Wake::Retry(self.publication));
        }
    }

    fn begin(&mut self, slot: Slot, context: &mut Context<'_>) {
        let nothing_under_way = self.unconfirmed > self.begun;
        self.begun = slot;
        if nothing_under_way {
            self.publish(context);
        }
        if slot < self.last() {
            context.wake_at(Time::after_slots(slot, self.rules.slot_length), Wake::SlotBegins(slot + 1));
        }
    }

    /// Answers a prosumer's exchange with its invoice, unless no money can pay for it: at the end of the instant, together
    /// with all others. Books it the first time only.
    fn invoice(&mut self, from: ProsumerId, exchange: Exchange, context: &mut Context<'_>) {
        let Exchange { slot, import: imported, export: exported, short, long } = exchange;
        let reading = MeterReading { imported, exported, short, long, ..MeterReading::default() };
        let party = self.member.genesis.prosumer(from);
        let group = self.groups[from.index()];
        let Some(Some(invoice)) = self.tariff(slot).due(group, &reading) else { return };
        let booked = &mut self.booked[from.index()];
        if *booked < exchange.slot {
            *booked = exchange.slot;
            context.observe(Observation::Exchanged(exchange, invoice));
        }
        if self.due.is_empty() {
            context.wake_after(Duration::ZERO, Wake::SendInvoices);
        }
        self.due.push((from, InvoiceTo { party, invoice }));
    }

    /// Sends the invoices of this instant, all with one signature.
    fn send_invoices(&mut self, context: &mut Context<'_>) {
        let (to, invoices): (Vec<_>, Vec<_>) = std::mem::take(&mut self.due).into_iter().unzip();
        let endorsement = self.member.endorse(&invoices);
        for (place, (to, InvoiceTo { invoice, .. })) in (0..).zip(to.iter().zip(&invoices)) {
            context.send(to.actor(), Message::Invoice(Box::new((*invoice, endorsement(place)))));
        }
    }
}

impl Actor<MarketProtocol> for Grid {
    fn start(&mut self, context: &mut Context<'_>) {
        self.begin(*self.rules.slots.start(), context);
    }

    fn receive(&mut self, from: ActorId, message: Message, context: &mut Context<'_>) {
        match message {
            Message::SlotOpened(opened) if from == LEDGER && opened.tariff.slot == self.unconfirmed => {
                self.unconfirmed += 1;
                self.publish(context);
            }
            Message::Exchange(exchange) if self.rules.slots.contains(&exchange.slot) => {
                if let Some(from) = ProsumerId::of(from) {
                    self.invoice(from, *exchange, context);
                }
            }
            _ => {}
        }
    }

    fn wake(&mut self, wake: Wake, context: &mut Context<'_>) {
        match wake {
            Wake::SlotBegins(slot) => self.begin(slot, context),
            Wake::Retry(publication) if publication == self.publication => self.publish(context),
            Wake::SendInvoices => self.send_invoices(context),
            _ => {}
        }
    }

    fn save(&self) -> Option<Vec<u8>> {
        let Self { rules: _, member: _, begun, unconfirmed, publication, booked, groups: _, due } = self;
        (unconfirmed > begun && due.is_empty()).then(|| to_bytes(&(begun, unconfirmed, publication, booked)))
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), Unreadable> {
        let (begun, unconfirmed, publication, booked): (_, _, _, Vec<Slot>) = from_bytes(saved)?;
        if booked.len() != self.booked.len() || begun > self.last() {
            return Err(Unreadable("it has other slots or prosumers".to_owned()));
        }
        (self.begun, self.unconfirmed, self.publication, self.booked) = (begun, unconfirmed, publication, booked);
        Ok(())
    }

    fn name(&self) -> String {
        "grid".into()
    }

    fn waiting_for(&self) -> Option<String> {
        (self.unconfirmed <= self.last()).then(|| format!("SlotOpened from the ledger for slot {}", self.unconfirmed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Effect,
        chain::{identity::Party, transaction::Endorsement},
        ids::GRID,
        member::tests::members,
        message::SlotOpened,
        statement::Invoice,
        streams::{Purpose, stream},
        units::{Energy, Money},
    };

    fn grid() -> Grid {
        let rules = GridRules {
            tariffs: Arc::new(vec![Tariff::new(1, 0.45, 0.5), Tariff::new(2, 0.45, 0.85)]),
            slots: 1..=2,
            slot_length: Duration::from_secs(3600),
            retry_after: Duration::from_secs(3),
        };
        Grid::new(rules, members(2).swap_remove(1))
    }

    fn during(grid: &mut Grid, call: impl FnOnce(&mut Grid, &mut Context<'_>)) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut random = stream(1, GRID, Purpose::Behaviour);
        call(grid, &mut Context::new(Time::ZERO, GRID, &mut random, &mut effects));
        effects
    }

    fn sent(effects: &[Effect]) -> Vec<&Message> {
        effects.iter().filter_map(|e| if let Effect::Send(_, message) = e { Some(message) } else { None }).collect()
    }

    #[test]
    fn a_tariff_is_repeated_until_the_slot_opens() {
        let mut grid = grid();
        let first = during(&mut grid, |g, c| g.start(c));
        let tariff = Call::PublishTariff(Arc::new(Tariff::new(1, 0.45, 0.5)));
        let tariff = Message::Submit(grid.member.submission(tariff, Vec::new()));
        assert_eq!(sent(&first), [&tariff]);
        assert_eq!(sent(&during(&mut grid, |g, c| g.wake(Wake::Retry(1), c))), [&tariff]);

        let opened = SlotOpened { tariff: Arc::new(grid.tariff(1)), market_open: false };
        during(&mut grid, |g, c| g.receive(ProsumerId(0).actor(), Message::SlotOpened(opened.clone()), c));
        assert_eq!(
            sent(&during(&mut grid, |g, c| g.wake(Wake::Retry(2), c))),
            [&tariff],
            "only the ledger opens slots"
        );
        during(&mut grid, |g, c| g.receive(LEDGER, Message::SlotOpened(opened.clone()), c));
        assert!(sent(&during(&mut grid, |g, c| g.wake(Wake::Retry(3), c))).is_empty());
    }

    #[test]
    fn an_exchange_is_booked_once_and_invoiced_each_time_it_is_asked() {
        let mut grid = grid();
        let exchange = exchange();
        let from = ProsumerId(1).actor();
        let mut answered = || {
            let booked = during(&mut grid, |g, c| g.receive(from, Message::Exchange(Box::new(exchange)), c));
            assert!(grid.save().is_none(), "it is in the middle of something");
            (booked.len(), during(&mut grid, |g, c| g.wake(Wake::SendInvoices, c)))
        };
        let (first, again) = (answered(), answered());
        let invoice = Invoice { slot: 2, charge: Money(1_700_000), credit: Money(450_000) };
        let statement = InvoiceTo { party: Party::Prosumer(2), invoice };
        let endorsed = Endorsement::new(Party::Grid, grid.member.sign(&statement));
        let invoice = Message::Invoice(Box::new((invoice, endorsed)));
        assert_eq!((first.0, sent(&first.1)), (2, vec![&invoice]), "booked, and observed");
        assert_eq!((again.0, sent(&again.1)), (1, vec![&invoice]), "not booked again");
    }

    #[test]
    fn what_falls_due_at_one_instant_is_signed_once_and_each_can_check_its_own() {
        let mut grid = grid();
        let (genesis, chain) = (Arc::clone(&grid.member.genesis), grid.member.chain);
        let exchange = |import| Exchange { slot: 1, import: Energy(import), ..exchange() };
        let all = during(&mut grid, |g, c| {
            // The second asks twice, since a message has been doubled.
            for (from, import) in [(0, 1_000_000), (1, 2_000_000), (1, 2_000_000)] {
                g.receive(ProsumerId(from).actor(), Message::Exchange(Box::new(exchange(import))), c);
            }
        });
        let wakes = all.iter().filter(|effect| matches!(effect, Effect::Wake(Duration::ZERO, Wake::SendInvoices)));
        assert_eq!(wakes.count(), 1);
        let effects = during(&mut grid, |g, c| g.wake(Wake::SendInvoices, c));
        let answers: Vec<_> = effects
            .iter()
            .map(|effect| match effect {
                Effect::Send(to, Message::Invoice(invoice)) => (ProsumerId::of(*to).unwrap(), &**invoice),
                other => panic!("it sends invoices: {other:?}"),
            })
            .collect();
        assert_eq!(answers.iter().map(|(to, _)| to.0).collect::<Vec<_>>(), [0, 1, 1]);
        for &(to, (invoice, endorsement)) in &answers {
            assert_eq!(endorsement.signature, answers[0].1.1.signature, "there is one");
            let statement = InvoiceTo { party: genesis.prosumer(to), invoice: *invoice };
            assert!(genesis.is_endorsed(&statement, endorsement, chain));
            let other = InvoiceTo { party: genesis.prosumer(ProsumerId(1 - to.0)), ..statement };
            assert!(!genesis.is_endorsed(&other, endorsement, chain));
        }
        assert!(during(&mut grid, |g, c| g.wake(Wake::SendInvoices, c)).is_empty());
    }

    fn exchange() -> Exchange {
        let (import, export) = (Energy::nearest(2.0), Energy::nearest(1.0));
        Exchange { slot: 2, import, export, short: Energy::ZERO, long: Energy::ZERO }
    }
}
