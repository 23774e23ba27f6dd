//! A small day with known numbers, and hand-made observations of it.
//!
//! Prosumers 2, 5 and 9 over three slots; the market is to open in slots 2 and 3.
//!
//! | slot | 2 | 5 | 9 | |
//! |---|---|---|---|---|
//! | 1 | needs 1 kWh | needs 1 kWh | needs 1 kWh | closed |
//! | 2 | sells 4 kWh | needs 4 kWh | needs 2 kWh | in equilibrium, each buyer buys 2 kWh at 1.2 CNY/kWh |
//! | 3 | stays out | needs 1 kWh | needs 1 kWh | nobody sells |

use crate::{
    analysis::slot::{slot_facts, slot_terms},
    ledger::store::tests::{block, checkpoint},
    record::{Format, Recorder},
    runtime::{Traffic, WatchError, Watcher},
    scenario::{self, Case, Overrides, Plan, schema::Record},
};
use microgrid_agents::{
    chain::refusal::Refusal,
    ids::{ActorId, ChannelName, ProsumerId, Slot},
    market::{
        aggregate::Aggregate,
        balance::{LocalTrades, balance},
        role::Role,
        settlement::Trade,
        storage::StorageLimits,
    },
    message::{MarketOpened, MarketState},
    observation::{Commit, GameOver, Observation, Observed, Outcome, ProsumerSlot},
    time::Time,
    units::Energy,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

const PROFILES: &str = "\
prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid
2,1,0,1,2,1.5
2,2,5,1,2,1.5
2,3,1,1,2,1.5
5,1,0,1,2,1.5
5,2,0,4,2,1.5
5,3,0,1,2,1.5
9,1,0,1,2,1.5
9,2,0,2,2,1.5
9,3,0,1,2,1.5
";

const STORAGE: StorageLimits = StorageLimits { capacity: 10.0, power: 5.0, efficiency: 0.5 };
const INITIAL: f64 = 3.0;

/// A scenario's files and the results of its runs, in a folder of their own.
pub(crate) struct Day {
    folder: TempDir,
    pub(super) plan: Plan,
    contents: Vec<Energy>,
}

impl Day {
    /// Without storage.
    pub(crate) fn new() -> Self {
        Self::with("None", 0.0, "Full")
    }

    /// Without storage, recording so much.
    pub(crate) fn recording(record: Record) -> Self {
        Self::with("None", 0.0, &format!("{record:?}"))
    }

    /// With a storage of 3 kWh at the start.
    pub(super) fn with_storage() -> Self {
        Self::with("(capacity_kwh: 10.0, power_kw: 5.0, efficiency: 0.5, initial_kwh: 3.0)", INITIAL, "Full")
    }

    fn with(storage: &str, content: f64, record: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("day.ron");
        fs::write(&file, scenario_text(storage, record)).unwrap();
        fs::write(folder.path().join("profiles.csv"), PROFILES).unwrap();
        let plan = scenario::load(&file, &Overrides::default()).unwrap();
        Self { folder, plan, contents: vec![Energy::nearest(content); 3] }
    }

    /// Begins another case.
    pub(super) fn begin(&mut self) {
        let initial = self.plan.scenario.storage.as_ref().map_or(0.0, |storage| storage.initial_kwh);
        self.contents = vec![Energy::nearest(initial); 3];
    }

    pub(super) fn case(&self) -> Case {
        self.plan.cases().next().unwrap()
    }

    /// Where results go.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// A recorder whose first case has begun.
    pub(super) fn recorder(&self) -> Recorder {
        self.recorder_as(Format::Csv)
    }

    /// The same in this format.
    pub(super) fn recorder_as(&self, format: Format) -> Recorder {
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_359_313);
        let command = "sim day.ron".to_owned();
        let mut recorder = Recorder::create_as(format, &self.root(), &self.plan, started, command).unwrap();
        recorder.begin_case(&self.case());
        recorder
    }

    /// Everything observed of a slot, its closing last: of the ledger, a block with a valid and an invalid transaction
    /// and the checkpoint.
    pub(super) fn slot(&mut self, slot: Slot) -> Vec<Observation> {
        let mut observed = match slot {
            1 => vec![],
            2 => game(),
            _ => vec![nobody_sells(slot)],
        };
        observed.extend(self.prosumers(slot).into_iter().map(|done| Observation::ProsumerDone(Box::new(done))));
        let number = u64::from(slot) - 1;
        let transactions = vec![(Ok(()), vec![]), (Err(Refusal::StaleRead), vec![])];
        observed.push(Observation::Sealed(Arc::new(block(ChannelName::Trade, number, number, transactions))));
        observed.push(Observation::Checkpoint(Arc::new(checkpoint(slot, [number + 1, 0, 0]))));
        observed.push(Observation::SlotClosed(slot));
        observed
    }

    /// What the prosumers make of a slot, with the trades of the table above.
    fn prosumers(&mut self, slot: Slot) -> Vec<ProsumerSlot> {
        let case = self.case();
        let terms = slot_terms(&case, slot);
        let storage = case.scenario.storage.as_ref().map(|_| STORAGE);
        let mut all = Vec::new();
        for (id, (facts, content)) in (0..).zip(slot_facts(&case, slot).iter().zip(&mut self.contents)) {
            let local = if slot == 2 { trades_of(facts.role()) } else { LocalTrades::default() };
            let after = balance(facts, &local, storage.as_ref().map(|limits| (limits, *content)), &terms);
            *content = after.content;
            all.push(ProsumerSlot {
                slot,
                prosumer: ProsumerId(id),
                role: facts.role(),
                generation: facts.generation,
                load: facts.load,
                consumed: after.consumed,
                bought: local.bought,
                sold: local.sold,
                charged: after.charged,
                discharged: after.discharged,
                content: after.content,
                grid_import: after.grid_import,
                grid_export: after.grid_export,
                paid: local.paid + after.grid_paid,
                earned: local.earned + after.grid_earned,
                fee: local.fee,
                welfare: after.welfare,
            });
        }
        all
    }
}

fn trades_of(role: Role) -> LocalTrades {
    let kwh = |amount| Energy::nearest(amount);
    match role {
        Role::Buyer => LocalTrades { bought: kwh(2.0), paid: kwh(2.0).at_price(1.2), ..LocalTrades::default() },
        Role::Seller => LocalTrades { sold: kwh(4.0), earned: kwh(4.0).at_price(1.2), ..LocalTrades::default() },
        Role::Idle => LocalTrades::default(),
    }
}

/// The market of slot 2: opened, a quote, two choices, settled.
fn game() -> Vec<Observation> {
    let market = MarketOpened {
        slot: 2,
        sellers: vec![ProsumerId(0)],
        surplus: vec![4.0],
        total_surplus: 4.0,
        buyers: vec![ProsumerId(1), ProsumerId(2)],
        first_choice: vec![1.0],
        closes: Time(6_900_000_000_000),
    };
    let unquoted = state(1, 3600.25, f64::INFINITY, None);
    let quoted = state(2, 3600.3, 1.2, None);
    let chosen = state(3, 3600.8, 1.2, Some(4.0));
    let over = GameOver {
        slot: 2,
        outcome: Outcome::Equilibrium,
        admitted: 2,
        rounds: 7,
        time_to_equilibrium: Some(Duration::from_millis(6_020)),
        state: Some(Arc::clone(&chosen)),
    };
    // Trades by seller and then by falling buyer, and one of nothing: the table sorts and leaves out.
    let trade = |buyer, energy, optimal| Trade::new(buyer, 0, optimal, Energy::nearest(energy), 1.2, 0.0);
    vec![
        Observation::MarketOpened(Arc::new(market)),
        Observation::Committed(Commit { off_chain: 0, state: unquoted, choices: false, quoted: vec![] }),
        Observation::Committed(Commit { off_chain: 0, state: quoted, choices: false, quoted: vec![0] }),
        Observation::Decided(2, Duration::from_millis(20)),
        Observation::Decided(2, Duration::from_millis(30)),
        Observation::Committed(Commit { off_chain: 0, state: chosen, choices: true, quoted: vec![] }),
        Observation::GameOver(Arc::new(over)),
        Observation::Settled(2, [trade(1, 2.0, 2.0), trade(0, 0.0, 0.0), trade(0, 2.0, 2.0)].into()),
    ]
}

fn nobody_sells(slot: Slot) -> Observation {
    let over =
        GameOver { slot, outcome: Outcome::NoMarket, admitted: 0, rounds: 0, time_to_equilibrium: None, state: None };
    Observation::GameOver(Arc::new(over))
}

pub(crate) fn state(block: u64, seconds: f64, price: f64, demand: Option<f64>) -> Arc<MarketState> {
    let aggregate = demand.map(|demand| {
        let sums =
            Aggregate { demand: vec![demand], net_utility: vec![1.6], mean_share: vec![1.0], ..Aggregate::default() };
        Arc::new(Aggregate { total: demand, served: demand, responsive: 2.0, ..sums })
    });
    let time = Time((seconds * 1e9).round() as u64);
    Arc::new(MarketState {
        slot: 2,
        number: block,
        time,
        quotes_time: time,
        news_age: Duration::ZERO,
        choices_time: time,
        oldest_answered: time,
        prices: vec![price],
        aggregate,
    })
}

/// Shows `recorder` a window.
pub(super) fn watch(recorder: &mut Recorder, window: Vec<Observation>, messages: u64) -> Result<(), WatchError> {
    let traffic = Traffic { sent: messages, ..Traffic::default() };
    recorder.window(&mut observed(window), traffic)
}

/// These observations as the runtime gives them.
pub(super) fn observed(window: Vec<Observation>) -> Vec<Observed> {
    let observed = |what| Observed { time: Time::ZERO, actor: ActorId::LEDGER, what };
    window.into_iter().map(observed).collect()
}

/// The lines of a table, without its header.
pub(super) fn lines(folder: &Path, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.ends_with('\n'), "{file} ends within a row");
    text.lines().skip(1).map(str::to_owned).collect()
}

fn scenario_text(storage: &str, record: &str) -> String {
    format!(
        r#"Scenario(
    name: "day",
    seed: 7,
    market: (slots: 3, slot_length: "1h", open: (2, 3), gate_closure: "55min", feed_in_tariff: 0.45,
             grid_tariff: Constant(1.5), service_fee: 0.0),
    population: Profiles("profiles.csv"),
    preferences: (alpha: 0.4, eta: 0.2, mu: 0.0, demand: Elastic),
    storage: {storage},
    learning: (fitness: Public, replicator_step: Scaled(0.3), price_step: Scaled(0.5), ramp: 0.1, tolerance: 1e-7,
               patience: 3, initial_price: Random, initial_choice: Random, adaptation: None),
    activation: LockStep(period: "1s"),
    network: (delay: Constant("10ms"), loss: 0.0),
    ledger: (block: (max_transactions: 500, timeout: "50ms")),
    record: {record},
    vary: {{"mu": [0.0, 1.0]}},
    replicates: 1,
)
"#
    )
}
