//! Whatever a prosumer does that it must not do: it is refused by name, and harms nobody but itself.

use crate::{
    cheat::{Cheat, Forger, Script, Tally},
    conservation::assert_conserved,
    scripts::{
        BorrowedName, Courier, Flood, Forgery, Garbage, LastWord, Late, Overquote, Oversell, Quarrel, Replay, Silence,
        WrongText,
    },
    support::{Log, only_case, shipped},
};
use microgrid_agents::{
    chain::{
        genesis::{Posts, Signatures},
        refusal::Refusal,
    },
    ids::{ActorId, ProsumerId, Slot},
    market::settlement::Trade,
    message::MarketOpened,
    observation::{Observation, Observed, ProsumerSlot, Refused},
    statement::Outcome,
    units::Energy,
};
use microgrid_sim::{
    agents::actor::MarketProtocol,
    ledger::{schema, verify},
    record::{CaseRecorder, CaseStore, LedgerRow, Recorder, Run, Status},
    runtime::{Traffic, WatchError, Watcher},
    scenario::{Case, Plan},
    simulation::{actors, simulate_with},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Prosumer 4: buys in every open slot. Prosumer 5: sells.
const BUYER: ProsumerId = ProsumerId(3);
const SELLER: ProsumerId = ProsumerId(4);

/// What is signed, and which posts stand on the chain.
const EVERY: (Signatures, Posts) = (Signatures::Settlement, Posts::Every);
const EVERY_SIGNED: (Signatures, Posts) = (Signatures::Everything, Posts::Every);
const LAST: (Signatures, Posts) = (Signatures::Settlement, Posts::Last);
const LAST_SIGNED: (Signatures, Posts) = (Signatures::Everything, Posts::Last);
const EVERY_UNSIGNED: (Signatures, Posts) = (Signatures::Off, Posts::Every);
const LAST_UNSIGNED: (Signatures, Posts) = (Signatures::Off, Posts::Last);

/// The published day with a market in three slots.
fn day((signatures, posts): (Signatures, Posts)) -> Plan {
    let mut plan = shipped("5_prosumers.ron", &["mu=1"]);
    plan.scenario.market.open = (15, 17).into();
    plan.scenario.market.gate_closure = Duration::from_secs(300);
    plan.scenario.ledger.signatures = signatures;
    plan.scenario.ledger.posts = Some(posts);
    plan
}

/// Records, and keeps all it is shown.
struct Both(CaseRecorder, Log);

impl Watcher<MarketProtocol> for Both {
    fn window(&mut self, observed: &mut Vec<Observed>, traffic: Traffic) -> Result<(), WatchError> {
        self.1.window(&mut observed.clone(), traffic)?;
        self.0.window(observed, traffic)
    }
}

/// A day that has ended well, and whose ledger holds.
struct Day {
    log: Log,
    /// What its `ledger.csv` counts as refused.
    refused: Tally,
    /// What the one who cheats is to have been refused.
    earned: Tally,
}

/// Lives through a day, in which somebody may follow a script.
fn live(plan: &Plan, cheat: Option<(ProsumerId, Box<dyn Script>, Forger)>) -> Day {
    let case = only_case(plan);
    let mut actors = actors(&case);
    let mut count = None;
    if let Some((who, script, forger)) = cheat {
        let place = who.actor().0 as usize;
        let inner = actors.remove(place);
        let (cheat, earned) = Cheat::new(inner, script, forger);
        actors.insert(place, Box::new(cheat));
        count = Some(earned);
    }
    let root = tempfile::tempdir().unwrap();
    let mut recorder =
        Recorder::create_as(Default::default(), root.path(), plan, SystemTime::UNIX_EPOCH, String::new()).unwrap();
    let watcher = Both(recorder.begin(&case).unwrap(), Log::default());
    let (Both(mut recorded, log), result) = simulate_with(actors, &case, None, &Arc::default(), watcher);
    result.unwrap_or_else(|error| panic!("{error}"));
    recorded.end().unwrap();
    recorder.take_in(recorded).unwrap();
    let folder = recorder.finish(Status::Finished, Duration::ZERO).unwrap();
    assert_conserved(&log, 24, 5);
    match verify::verify(&folder.join(schema::FILE), &mut |_| {}) {
        Err(error) if plan.scenario.ledger.signatures == Signatures::Off => {
            assert!(error.to_string().contains("it is unsigned"), "{error}");
        }
        verified => assert!(verified.is_ok(), "{}", verified.unwrap_err()),
    }
    let rows = Run::open(&folder).unwrap().rows::<LedgerRow>().unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let counted = rows.iter().flat_map(LedgerRow::refused).filter(|(_, count)| *count > 0);
    let mut refused = Tally::new();
    counted.for_each(|(refusal, count)| *refused.entry(refusal).or_default() += count);
    let earned = count.map(|earned| earned.lock().unwrap().clone()).unwrap_or_default();
    Day { log, refused, earned }
}

/// Lives through an honest day, and then through the same day in which `who` follows a script.
fn days(ledger: (Signatures, Posts), who: ProsumerId, script: impl Script + 'static) -> (Case, Day, Day) {
    let plan = day(ledger);
    let case = only_case(&plan);
    let honest = live(&plan, None);
    let forger = Forger::new(who, &case, &honest.log);
    let cheated = live(&plan, Some((who, Box::new(script), forger)));
    (case, honest, cheated)
}

/// By whom and why something was refused, and how often.
fn refusals(log: &Log) -> BTreeMap<(ActorId, Refusal), u64> {
    let mut refusals = BTreeMap::new();
    for observed in &log.observed {
        if let Observation::Refused(Refused { from, refusal, .. }) = observed.what {
            *refusals.entry((from, refusal)).or_default() += 1;
        }
    }
    refusals
}

/// The trades of every slot that had a market, by the market.
fn trades(log: &Log) -> BTreeMap<Slot, (Arc<MarketOpened>, Arc<Vec<Trade>>)> {
    let mut markets = BTreeMap::new();
    let mut trades = BTreeMap::new();
    for observed in &log.observed {
        match &observed.what {
            Observation::MarketOpened(market) => drop(markets.insert(market.slot, Arc::clone(market))),
            Observation::Settled(slot, settled) => {
                let market = markets.remove(slot).expect("it had opened");
                trades.insert(*slot, (market, Arc::clone(settled)));
            }
            _ => {}
        }
    }
    assert_eq!(trades.len(), 3);
    trades
}

fn prosumers(log: &Log) -> BTreeMap<(Slot, ProsumerId), &ProsumerSlot> {
    log.prosumers().map(|done| ((done.slot, done.prosumer), done)).collect()
}

fn prices(log: &Log) -> Vec<(Slot, Outcome, Vec<f64>)> {
    let of = |game: &Arc<microgrid_agents::observation::GameOver>| {
        (game.slot, game.outcome, game.state.as_ref().map(|state| state.prices.clone()).unwrap_or_default())
    };
    log.games().map(of).collect()
}

/// What was refused is what the cheat is to have been refused, besides what is refused on an honest day.
fn assert_counted(who: ProsumerId, honest: &Day, cheated: &Day) {
    let mut due = refusals(&honest.log);
    let mut counted = honest.refused.clone();
    for (&refusal, count) in &cheated.earned {
        *due.entry((who.actor(), refusal)).or_default() += count;
        *counted.entry(refusal).or_default() += count;
    }
    assert_eq!(refusals(&cheated.log), due);
    assert_eq!(cheated.refused, counted, "ledger.csv");
}

/// Everything has come out as on the honest day, to the last digit.
fn assert_unharmed(honest: &Day, cheated: &Day) {
    let trades = |day: &Day| trades(&day.log).into_iter().map(|(slot, (_, trades))| (slot, trades)).collect::<Vec<_>>();
    assert_eq!(trades(cheated), trades(honest));
    assert_eq!(prices(&cheated.log), prices(&honest.log));
    assert_eq!(prosumers(&cheated.log), prosumers(&honest.log));
}

/// Illegal acts change nothing but the count of refusals; returns that count.
fn futile(ledger: (Signatures, Posts), who: ProsumerId, script: impl Script + 'static) -> Tally {
    let (_, honest, cheated) = days(ledger, who, script);
    assert_counted(who, &honest, &cheated);
    assert_unharmed(&honest, &cheated);
    cheated.earned
}

fn tally<const N: usize>(counts: [(Refusal, u64); N]) -> Tally {
    counts.into()
}

#[test]
fn quotes_outside_tariffs_ramp_and_order_are_refused() {
    let due = tally([
        (Refusal::PriceOutOfBand, 3 * 4),
        (Refusal::PriceBeyondRamp, 3),
        (Refusal::OldVersion, 3 * 2),
        (Refusal::NotFinite, 3 * 3),
        (Refusal::NotAParticipant, 3),
    ]);
    for ledger in [EVERY, EVERY_SIGNED, EVERY_UNSIGNED, LAST, LAST_SIGNED, LAST_UNSIGNED] {
        assert_eq!(futile(ledger, SELLER, Overquote), due, "{ledger:?}");
    }
}

#[test]
fn nobody_speaks_for_another() {
    let seed = day(EVERY).scenario.seed;
    for ledger in [EVERY, EVERY_SIGNED, LAST, LAST_SIGNED] {
        let signed = ledger.0 == Signatures::Everything;
        let posts = 3 * (4 + 4 + 3);
        let earned = futile(ledger, BUYER, Forgery { seed });
        assert_eq!(earned[&Refusal::ForgedIdentity], 3 * 10 + if signed { 0 } else { posts }, "{ledger:?}");
        assert_eq!(earned[&Refusal::BadSignature], 3 * 17 + if signed { posts } else { 0 }, "{ledger:?}");
        assert_eq!(earned[&Refusal::NotAParticipant], 3 * 4);
        assert_eq!(earned[&Refusal::PolicyUnmet], 3 * 2);
    }
}

#[test]
fn nobody_speaks_for_another_where_nobody_signs() {
    for ledger in [EVERY_UNSIGNED, LAST_UNSIGNED] {
        let earned = futile(ledger, BUYER, BorrowedName);
        assert_eq!(earned, tally([(Refusal::ForgedIdentity, 3 * 5)]), "{ledger:?}");
    }
}

#[test]
fn what_was_said_once_counts_once() {
    for ledger in [EVERY, LAST] {
        let earned = futile(ledger, SELLER, Replay::default());
        assert_eq!(earned[&Refusal::ForgedIdentity], 3, "unsigned posts are not to be carried by others");
        assert_eq!(earned[&Refusal::OldVersion], 3);
        assert_eq!(earned[&Refusal::AlreadyRecorded], 2 * 23, "{earned:?}");
    }
    let earned = futile(EVERY_SIGNED, SELLER, Replay::default());
    assert_eq!(earned.get(&Refusal::ForgedIdentity), None);
    assert_eq!(earned[&Refusal::OldVersion], 3 * 2);
}

#[test]
fn nobody_sells_what_it_has_not_got() {
    for ledger in [EVERY, LAST_SIGNED] {
        let due = tally([
            (Refusal::StaleRead, 3 + 24),
            (Refusal::InvalidRegistration, 3 * 2),
            (Refusal::MarketClosed, 3 * 2),
            (Refusal::MoreThanSurplus, 3),
            (Refusal::PolicyUnmet, 3 + 3),
            (Refusal::AlreadySettled, 3),
            (Refusal::EnergyDoesNotBalance, 3 * 2),
            (Refusal::WrongInvoice, 3 * 2),
        ]);
        assert_eq!(futile(ledger, SELLER, Oversell::default()), due, "{ledger:?}");
    }
}

#[test]
fn garbage_is_refused_by_name() {
    for ledger in [EVERY, EVERY_SIGNED, EVERY_UNSIGNED, LAST, LAST_SIGNED, LAST_UNSIGNED] {
        let due = tally([
            (Refusal::NotFinite, 3 * (3 + 3)),
            (Refusal::InvalidRegistration, 3 * 4),
            (Refusal::InvalidShares, 3 * 5),
            (Refusal::InvalidPurchases, 3 * (5 + 2)),
            (Refusal::MarketClosed, 3 * (2 + 4)),
            (Refusal::NotAParticipant, 3 * (1 + 1)),
            (Refusal::MoreThanSurplus, 3),
            (Refusal::EnergyDoesNotBalance, 3 * 3),
            (Refusal::WrongInvoice, 3),
        ]);
        assert_eq!(futile(ledger, BUYER, Garbage), due, "{ledger:?}");
    }
}

#[test]
fn a_flood_is_refused_to_the_last_drop() {
    for ledger in [EVERY, LAST] {
        let due = tally([(Refusal::PriceOutOfBand, 3 * 1200), (Refusal::ForgedIdentity, 3 * 1200)]);
        assert_eq!(futile(ledger, SELLER, Flood), due, "{ledger:?}");
    }
}

#[test]
fn it_does_not_matter_who_carries_what_is_signed() {
    for ledger in [EVERY, EVERY_SIGNED] {
        let (_, honest, cheated) = days(ledger, BUYER, Courier);
        assert_unharmed(&honest, &cheated);
        let strange = |(_, refusal): &&(ActorId, Refusal)| {
            ![Refusal::StaleRead, Refusal::MarketClosed, Refusal::PolicyUnmet].contains(refusal)
        };
        assert_eq!(refusals(&cheated.log).keys().find(strange), None);
        assert!(cheated.refused[&Refusal::PolicyUnmet] > 0, "a reading without its endorsement does not count");
    }
}

#[test]
fn the_last_version_locks_out_nobody_but_its_maker() {
    for ledger in [EVERY, LAST] {
        let (_, honest, cheated) = days(ledger, BUYER, LastWord);
        let others = |day: &Day| {
            let mut refusals = refusals(&day.log);
            // What was under way or waited when the gate closed.
            let too_late = |refusal| [Refusal::MarketClosed, Refusal::StaleRead].contains(&refusal);
            refusals.retain(|&(from, refusal), _| from != BUYER.actor() && !too_late(refusal));
            refusals
        };
        assert_eq!(others(&cheated), others(&honest));
        let own: BTreeSet<Refusal> =
            refusals(&cheated.log).into_keys().filter(|(from, _)| *from == BUYER.actor()).map(|(_, r)| r).collect();
        assert!(own.contains(&Refusal::OldVersion) && own.len() <= 2, "{own:?}");
        for (slot, (market, trades)) in trades(&cheated.log) {
            let honest_buyer = market.buyers.iter().position(|&buyer| buyer != BUYER).unwrap() as u32;
            assert!(
                trades.iter().any(|trade| trade.buyer == honest_buyer && trade.energy > Energy::ZERO),
                "slot {slot}"
            );
        }
    }
}

/// The trades of all slots without those of `who`, as (slot, buyer, seller, trade).
fn without(log: &Log, who: ProsumerId) -> Vec<(Slot, Trade)> {
    let mut kept = Vec::new();
    for (slot, (market, trades)) in trades(log) {
        let of = |trade: &Trade| [market.buyers[trade.buyer as usize], market.sellers[trade.seller as usize]];
        kept.extend(trades.iter().filter(|trade| !of(trade).contains(&who)).map(|trade| (slot, *trade)));
    }
    kept
}

fn assert_falls_back_to_the_grid(ledger: (Signatures, Posts), who: ProsumerId, script: impl Script + 'static) {
    let (_, honest, cheated) = days(ledger, who, script);
    assert_eq!(refusals(&cheated.log), refusals(&honest.log));
    assert_eq!(prices(&cheated.log), prices(&honest.log));
    let (all, found) = (without(&honest.log, who), without(&cheated.log, who));
    assert!(all.iter().any(|(_, trade)| trade.energy > Energy::ZERO));
    assert_eq!(found, all);
    let settled: usize = trades(&cheated.log).values().map(|(_, trades)| trades.len()).sum();
    assert_eq!(settled, all.len(), "none of its own trades is settled");
    for (&(slot, prosumer), found) in &prosumers(&cheated.log) {
        let honest = prosumers(&honest.log)[&(slot, prosumer)];
        assert_eq!(
            found.balance.grid_export - honest.balance.grid_export,
            honest.trades.sold - found.trades.sold,
            "what is not sold is fed in"
        );
        assert!(
            found.balance.grid_import >= honest.balance.grid_import,
            "what is not bought is drawn, or done without"
        );
        if prosumer == who {
            assert_eq!((found.trades.bought, found.trades.sold), (Energy::ZERO, Energy::ZERO));
        }
    }
}

#[test]
fn who_does_not_sign_its_bills_trades_with_the_grid_and_so_do_those_it_would_have_traded_with() {
    assert_falls_back_to_the_grid(EVERY, SELLER, Silence);
    assert_falls_back_to_the_grid(LAST_SIGNED, BUYER, Silence);
}

#[test]
fn signing_something_else_and_disputing_everything_are_worth_no_more_than_silence() {
    assert_falls_back_to_the_grid(EVERY, BUYER, WrongText);
    assert_falls_back_to_the_grid(LAST, SELLER, Quarrel);
}

#[test]
fn who_signs_when_asked_for_the_third_time_has_signed() {
    let (_, honest, cheated) = days(EVERY, SELLER, Late::default());
    assert_unharmed(&honest, &cheated);
    assert_eq!(refusals(&cheated.log), refusals(&honest.log));
}
