//! After the game: a prosumer's storage, its exchange with the grid, and its meter.

use super::{Phase, Prosumer, bills};
use crate::{
    actor::Context,
    chain::{
        call::{Call, InvoiceTo},
        transaction::Endorsement,
    },
    ids::{GRID, LEDGER},
    market::{
        balance::{Account, Balance, SlotTerms, balance},
        trades::Trades,
    },
    member::Member,
    message::{Exchange, Message},
    observation::{Observation, ProsumerSlot},
    statement::{Invoice, MeterReading},
    units::Energy,
};
use std::sync::Arc;

impl Prosumer {
    pub(super) fn settle(&mut self, trades: &Trades, context: &mut Context<'_>) {
        let side = match &self.phase {
            Phase::Registering | Phase::Admitted => None,
            Phase::Playing(player) => Some(player.side),
            Phase::Billed(side, _) => *side,
            _ => return,
        };
        self.question = None;
        self.tell_decisions(context);
        self.turn_to_grid(bills::add_up(trades, side), context);
    }

    /// Storage first, then the grid: what remains is exchanged with it, if anything does.
    pub(super) fn turn_to_grid(&mut self, trades: Account, context: &mut Context<'_>) {
        let Some(opened) = &self.opened else { return };
        let rates = opened.tariff.rates(self.group);
        let terms = SlotTerms {
            feed_in_tariff: rates.feed_in,
            grid_tariff: rates.grid,
            local_fee: self.rules.local_fee,
            alpha: self.rules.alpha,
            demand: self.rules.demand,
            hours: self.rules.hours,
        };
        let storage = self.devices.storage.as_ref().map(|limits| (limits, self.devices.content));
        let (metered, beside) = (self.needs.metered(self.slot), opened.tariff.imbalance_rates(self.group));
        let planned = balance(self.facts(), &trades, storage, &terms);
        let balance = planned.metered(self.facts(), metered, terms.alpha, beside);
        let Balance { grid_import: import, grid_export: export, short, long, .. } = balance;
        if [import, export, short, long].iter().all(Energy::is_zero) {
            self.report(trades, balance, None, context);
        } else {
            let exchange = Exchange { slot: self.slot, import, export, short, long };
            self.phase = Phase::Exchanging(trades, balance);
            self.ask(GRID, Message::Exchange(Box::new(exchange)), context);
        }
    }

    pub(super) fn invoiced(&mut self, invoice: Invoice, endorsement: Endorsement, context: &mut Context<'_>) {
        // A prosumer accepts only an invoice that it would have written itself, and that the grid stands for.
        let Member { genesis, party, chain, .. } = &self.member;
        if let Phase::Exchanging(trades, balance) = self.phase
            && (invoice.charge, invoice.credit) == (balance.grid_paid, balance.grid_earned)
            && genesis.is_endorsed(&InvoiceTo { party: *party, invoice }, &endorsement, *chain)
        {
            self.report(trades, balance, Some((invoice, endorsement)), context);
        }
    }

    /// Closes its books of the slot and submits the meter reading, with the grid's invoice if there is one.
    fn report(
        &mut self,
        trades: Account,
        balance: Balance,
        invoice: Option<(Invoice, Endorsement)>,
        context: &mut Context<'_>,
    ) {
        self.devices.content = balance.content;
        let (facts, metered) = (*self.facts(), self.needs.metered(self.slot));
        let reading = MeterReading {
            generated: metered.generation,
            consumed: balance.consumed,
            charged: balance.charged,
            discharged: balance.discharged,
            imported: balance.grid_import,
            exported: balance.grid_export,
            short: balance.short,
            long: balance.long,
        };
        let done = ProsumerSlot {
            slot: self.slot,
            prosumer: self.id,
            facts,
            metered,
            trades,
            balance,
            desk: self.desk.address,
        };
        context.observe(Observation::ProsumerDone(Box::new(done)));
        let (invoice, endorsement) = invoice.unzip();
        let call = Call::RecordEnergy(self.slot, Box::new(reading), invoice);
        let submission = self.member.submission(call, endorsement.into_iter().collect());
        self.devices.reading = Some((self.slot, Arc::clone(&submission)));
        self.phase = Phase::Metering;
        self.ask(LEDGER, Message::Submit(submission), context);
    }

    pub(super) fn recorded(&mut self) {
        if matches!(self.phase, Phase::Metering) {
            self.question = None;
            self.phase = Phase::Done;
        }
    }
}
