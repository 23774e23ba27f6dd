//! The table of facts, held to the state that the replay has led to, and to the sums that must agree in it.

use super::{
    discrepancy::{Checked, Found},
    replay::Replay,
};
use crate::{position::Position, reader::StoredFact};
use microgrid_agents::{
    chain::{
        fact::{Fact, GridFees, Key},
        hash::Digest,
    },
    ids::{ChannelName, Slot},
};
use std::{collections::BTreeMap, fmt::Display};

/// Compares the facts of the replayed case with the table: nothing more, nothing less; then looks into the books.
pub(super) fn check(replay: &mut Replay<'_>) -> Checked {
    let (reader, case) = (replay.reader, replay.case);
    let complete = |slot| is_complete(replay, slot);
    let slots: Vec<_> = replay.state.metered_slots().filter(|&slot| complete(slot)).collect();
    let mut books = Books::default();
    reader.each_fact(case, |stored| {
        let key = compare(replay, stored)?;
        let Ok(fact) = Fact::from_json(key, stored.value) else {
            return Err(wrong(case, stored.channel, key, "it cannot be read"));
        };
        books.enter(key, &fact);
        replay.report.channel(stored.channel).facts += 1;
        Ok(())
    })?;
    if let Some(key) = replay.state.first_key() {
        return Err(wrong(case, key.channel(), key, "the chain has it, the table has not"));
    }
    books.check(&slots).map_err(|what| Position::case(case).wrong(what))
}

fn compare(replay: &mut Replay<'_>, stored: StoredFact<'_>) -> Checked<Key> {
    let wrong = |what| wrong(replay.case, stored.channel, stored.key, what);
    let key: Key = stored.key.parse().map_err(|_| wrong("there is no such key"))?;
    if key.channel() != stored.channel {
        return Err(wrong("it belongs to another channel"));
    }
    let known = replay.state.take(key).ok_or_else(|| wrong("the chain knows nothing of it"))?;
    if Digest::of([stored.value]) != known.digest {
        return Err(wrong("it is not what the chain says"));
    }
    if stored.version != known.version {
        return Err(wrong("another transaction has written it"));
    }
    Ok(key)
}

fn wrong(case: u32, channel: ChannelName, key: impl Display, what: &str) -> Found {
    Position::channel(case, channel).wrong(format!("fact {key}: {what}"))
}

/// Whether everything of a slot is on the chain: its meter readings and, if the market was to open, its settlement.
pub(super) fn is_complete(replay: &Replay<'_>, slot: Slot) -> bool {
    let settled = !replay.genesis.market_opens(slot) || replay.state.get(Key::Settlement(slot)).is_some();
    settled && replay.state.meters(slot) == replay.genesis.prosumers.len()
}

/// Sums that must agree in every slot: what one side of a trade pays, the other earns, and no energy is lost.
#[derive(Debug, Default)]
struct Books(BTreeMap<Slot, Page>);

/// What the facts of a slot add up to, in whole units of 1e-6 kWh or CNY.
#[derive(Debug, Default)]
struct Page {
    bills: i128,
    billed: [i128; 3],
    bought: [i128; 3],
    sold: [i128; 2],
    fees: i128,
    settled: [i128; 2],
    gained: i128,
    given: i128,
}

impl Books {
    fn enter(&mut self, key: Key, fact: &Fact) {
        let page = self.0.entry(key.slot()).or_default();
        match fact {
            Fact::Bill(bill) => {
                page.bills += 1;
                add(&mut page.billed, [bill.energy.0, bill.payment.0, bill.fee.0]);
            }
            Fact::Account(account) => {
                add(&mut page.bought, [account.bought.0, account.paid.0, account.fee.0]);
                add(&mut page.sold, [account.sold.0, account.earned.0]);
            }
            Fact::Fees(fees) | Fact::GridFees(GridFees(fees)) => page.fees += i128::from(fees.0),
            Fact::Settlement(settled) => add(&mut page.settled, [i64::from(settled.bills), settled.energy.0]),
            Fact::Meter(meter) => {
                let gained = [meter.generated, meter.discharged, meter.imported, meter.short];
                let given = [meter.consumed, meter.charged, meter.exported, meter.long];
                page.gained += gained.iter().map(|energy| i128::from(energy.0)).sum::<i128>();
                page.given += given.iter().map(|energy| i128::from(energy.0)).sum::<i128>();
            }
            _ => {}
        }
    }

    /// Whether every slot's sums agree; energy is balanced in slots that are `complete`.
    fn check(&self, complete: &[Slot]) -> Checked<(), String> {
        for (&slot, page) in &self.0 {
            let [energy, payments, fees] = page.billed;
            let pairs = [
                ("the number of bills", page.bills, "that of the settlement", page.settled[0]),
                ("billed energy", energy, "that of the settlement", page.settled[1]),
                ("energy bought", page.bought[0], "billed energy", energy),
                ("energy sold", page.sold[0], "billed energy", energy),
                ("money paid", page.bought[1], "billed money", payments),
                ("money earned", page.sold[1], "billed money", payments),
                ("fees paid", page.bought[2], "billed fees", fees),
                ("what operator and grid earn by fees", page.fees, "billed fees", fees),
            ];
            let balance = ("energy gained", page.gained, "energy given", page.given);
            let balance = complete.binary_search(&slot).is_ok().then_some(balance);
            if let Some((left, found, right, expected)) =
                pairs.into_iter().chain(balance).find(|(_, found, _, expected)| found != expected)
            {
                return Err(format!("the books of slot {slot}: {left} is {found}, but {right} is {expected} [1e-6]"));
            }
        }
        Ok(())
    }
}

fn add<const N: usize>(sums: &mut [i128; N], amounts: [i64; N]) {
    sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += i128::from(amount));
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_agents::{
        chain::fact::{Account, Bill, Settled},
        statement::MeterReading,
        units::{Energy, Money},
    };

    fn page(earned: i64, imported: i64) -> Books {
        let (energy, payment, fee) = (Energy(1_600_000), Money(1_120_000), Money(16_000));
        let facts = [
            (Key::Bill(1, 2, 1), Fact::Bill(Bill { energy, price: 0.7, payment, fee })),
            (Key::Account(1, 1), Fact::Account(Account { sold: energy, earned: Money(earned), ..Account::default() })),
            (Key::Account(1, 2), Fact::Account(Account { bought: energy, paid: payment, fee, ..Account::default() })),
            (Key::Fees(1), Fact::Fees(fee)),
            (Key::Settlement(1), Fact::Settlement(Settled { bills: 1, energy })),
            (Key::Meter(1, 1), Fact::Meter(MeterReading { generated: energy, ..MeterReading::default() })),
            (
                Key::Meter(1, 2),
                Fact::Meter(MeterReading { consumed: energy, imported: Energy(imported), ..MeterReading::default() }),
            ),
        ];
        let mut books = Books::default();
        facts.iter().for_each(|(key, fact)| books.enter(*key, fact));
        books
    }

    #[test]
    fn what_is_paid_is_earned_and_what_is_gained_is_given() {
        assert!(page(1_120_000, 0).check(&[1]).is_ok());
        let error = page(1_120_001, 0).check(&[1]).unwrap_err();
        assert_eq!(error, "the books of slot 1: money earned is 1120001, but billed money is 1120000 [1e-6]");
        assert!(page(1_120_000, 5).check(&[]).is_ok(), "a reading may still be missing");
        assert!(page(1_120_000, 5).check(&[1]).unwrap_err().contains(": energy gained is "));
    }
}
