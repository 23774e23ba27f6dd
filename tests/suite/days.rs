//! Days that nothing links are simulations of their own: played side by side or one after the other, they leave the same.

use crate::{
    conservation::assert_conserved,
    resume::{SHARDS, go_on},
    support::{only_case, run, sim, stdout},
    sweep::{Files, assert_same, files},
};
use microgrid_agents::{
    actor::MarketProtocol,
    observation::{Observation, Observed},
};
use microgrid_sim::{
    prelude::*,
    record::{Recorder, Status},
    runtime::{RuntimeError, Shards, Traffic, WatchError, Watcher},
    scenario::Plan,
    simulation::simulate_days,
    study::{self, Options},
};
use std::{
    fmt::Write,
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, SystemTime},
};

/// The last slots of days that begin on 25 March; clocks change on the third.
const ENDS: [u32; 5] = [96, 192, 284, 380, 476];

const MEMBERS: &str = "\
name,load_profile,load_peak_kw,pv_profile,pv_kwp,ev_kwh,ev_kw,ev_home,ev_charging
a,flat,2,roof,9,,,,
b,evening,4,,,7,3.7,08:00-17:00,AtOnce
c,flat,3,,,,,,
d,evening,1.5,roof,12,,,,
";

fn profiles(days: usize) -> String {
    let mut table = String::from("slot,flat,evening,roof\n");
    for slot in 0..ENDS[days - 1] {
        let evening = if (68..88).contains(&(slot % 96)) { 0.875 } else { 0.25 };
        let roof = 0.125 * f64::from(slot % 7);
        writeln!(table, "{},0.5,{evening},{roof}", slot + 1).unwrap();
    }
    table
}

/// So many days with these fields in their scenario, their market and their members' table in place of the usual.
fn community(days: usize, market: &str, more: &str, members: &str) -> Plan {
    let text = format!(
        r#"Scenario(
            name: "days",
            market: (
                calendar: (start: "2016-03-25", zone: "Europe/Berlin", days: {days}, slot_length: "15min"),
                open: "12:00-12:30", gate_closure: "2min", grid_tariff: 0.30, feed_in_tariff: 0.08, service_fee: 0.01,
                {market}
            ),
            population: Members(members: "members.csv", profiles: "profiles.csv", unit: Share),
            preferences: (preference_pv: 1.5, preference_grid: 1.2),
            {more}
        )"#
    );
    let builder = Simulation::builder().ron(text).data("members.csv", members).data("profiles.csv", profiles(days));
    builder.build().unwrap_or_else(|error| panic!("{error}")).plan().clone()
}

pub(crate) fn plain() -> Plan {
    community(5, "", "record: Slots", MEMBERS)
}

fn recorded(plan: &Plan, root: &Path, jobs: usize, shards: Option<Shards>) -> PathBuf {
    let recorder = Recorder::create_as(Default::default(), root, plan, SystemTime::UNIX_EPOCH, String::new()).unwrap();
    let options = Options { jobs: NonZero::new(jobs), shards, ..Options::default() };
    let (recorder, result) = study::run(plan, recorder, &options, |_| {});
    result.unwrap_or_else(|error| panic!("{error}"));
    recorder.finish(Status::Finished, Duration::ZERO).unwrap()
}

/// Plays a plan on these numbers of threads and shards, and holds what they leave against each other.
fn assert_alike(plan: &Plan, ways: &[(usize, usize)]) -> Files {
    let root = tempfile::tempdir().unwrap();
    let expected = files(&recorded(plan, root.path(), 1, None));
    for &(jobs, shards) in ways {
        assert_same(&expected, &recorded(plan, root.path(), jobs, Some(Shards::Fixed(shards))));
    }
    expected
}

const WAYS: [(usize, usize); 5] = [(1, 2), (2, 1), (2, 2), (3, 1), (3, 2)];

#[test]
fn days_are_the_same_on_any_number_of_threads_and_shards() {
    assert!(only_case(&plain()).independent_days().is_some());
    let files = assert_alike(&plain(), &WAYS);
    let slots = String::from_utf8(files["slots.csv"].clone()).unwrap();
    assert_eq!(slots.lines().count(), 1 + 476);
    assert!(slots.contains("2016-03-27T01:45:00+01:00") && slots.contains("2016-03-27T03:00:00+02:00"));
}

#[test]
fn days_are_the_same_whatever_befalls_messages_and_whoever_acts_when() {
    for more in [
        r#"network: (delay: Uniform(min: "5ms", max: "300ms"), jitter: 0.3, loss: 0.1, duplication: 0.1)"#,
        r#"activation: Poisson(period: "1s"), network: (delay: Exponential(min: "5ms", mean: "50ms"))"#,
        // Down over midnight, and without memory behind it.
        r#"network: (delay: "5ms", groups: {"fragile": Share(0.5)}, conditions: [
               (at: "86395s", lasting: "20s", every: "1day", what: Crash(who: Group("fragile"), memory: Lost))
           ])"#,
    ] {
        assert_alike(&community(5, "", &format!("record: Slots, {more}"), MEMBERS), &[(3, 1), (2, 2)]);
    }
}

#[test]
fn what_is_left_in_the_middle_goes_on_at_a_later_day() {
    let (plan, root) = (plain(), tempfile::tempdir().unwrap());
    let expected = files(&recorded(&plan, root.path(), 1, None));
    for jobs in 1..=3 {
        let (mut folder, mut kept) = (None, Vec::new());
        for shards in SHARDS.into_iter().cycle().take(6) {
            let (had, finished) = go_on(&plan, root.path(), &mut folder, 1, shards, jobs);
            kept.push(had);
            if finished {
                break;
            }
            assert!(folder.as_ref().unwrap().join("snapshot.bin").exists(), "{kept:?}");
        }
        assert_eq!(kept, [0, 96, 192, 284, 380], "{jobs} jobs");
        assert_same(&expected, &folder.unwrap());
    }
}

#[test]
fn what_links_days_makes_them_one_simulation() {
    let battery = MEMBERS.replace("ev_kwh", "battery_kwh,battery_kw,ev_kwh").replace(",flat,3,,", ",flat,3,,,4,2");
    let battery = battery.replace("roof,9,", "roof,9,,,").replace("4,,,7", "4,,,,,7").replace("roof,12,", "roof,12,,,");
    let linked = [
        community(2, "", "record: Slots", &battery),
        community(2, "", "record: Slots, storage: (capacity_kwh: 4, power_kw: 2)", MEMBERS),
        community(2, "", "record: Full", MEMBERS),
        community(2, "", "record: Slots, learning: (initial_price: Previous)", MEMBERS),
        community(1, "", "record: Slots", MEMBERS),
    ];
    for plan in linked {
        assert!(only_case(&plan).independent_days().is_none());
        let (root, mut folder) = (tempfile::tempdir().unwrap(), None);
        let some = u64::from(plan.scenario.market.slots / 2 + 1);
        go_on(&plan, root.path(), &mut folder, some, SHARDS[0], 2);
        let (had, _) = go_on(&plan, root.path(), &mut folder, 1, SHARDS[0], 2);
        assert_eq!(had, some, "it goes on within a day");
    }
}

#[test]
fn days_conserve_energy_and_money() {
    let case = only_case(&community(5, "grid_fee: 0.02", "record: Slots", MEMBERS));
    let log = run(&case);
    assert_conserved(&log, 476, 4);
    let traded = log.games().filter(|game| game.state.is_some()).count();
    assert!(traded >= 5, "{traded} markets");
}

#[test]
fn the_first_day_is_what_it_is_alone() {
    let slots = |days| {
        let results = community(days, "", "record: Slots", MEMBERS);
        let root = tempfile::tempdir().unwrap();
        let table = fs::read_to_string(recorded(&results, root.path(), 1, None).join("slots.csv")).unwrap();
        table.lines().take(1 + 96).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(slots(2), slots(1));
}

/// Notes in which order slots are closed; fails behind one of them if that is not 0.
struct Order {
    closed: Vec<u32>,
    fails_at: u32,
}

impl Watcher<MarketProtocol> for Order {
    fn window(&mut self, observed: &mut Vec<Observed>, _: Traffic) -> Result<(), WatchError> {
        for observed in observed.drain(..) {
            if let Observation::SlotClosed(slot) = observed.what {
                self.closed.push(slot);
            }
        }
        if self.fails_at > 0 && self.closed.last() >= Some(&self.fails_at) { Err("enough".into()) } else { Ok(()) }
    }
}

#[test]
fn days_are_shown_in_their_order_up_to_where_one_fails() {
    let case = only_case(&plain());
    for (at_a_time, fails_at) in [(1, 0), (4, 0), (1, 100), (3, 100), (4, 476)] {
        let watcher = Order { closed: Vec::new(), fails_at };
        let (Order { closed, .. }, result) = simulate_days(&case, None, at_a_time, None, &Arc::default(), watcher);
        let last = if fails_at == 0 { 476 } else { fails_at };
        assert_eq!(closed, (1..=last).collect::<Vec<_>>());
        assert_eq!(matches!(result, Err(RuntimeError::Watcher(_))), fails_at > 0, "{result:?}");
    }
}

#[test]
fn several_cases_play_their_days_beside_each_other() {
    let vary = r#"record: Slots, vary: {"mu": [0.0, 0.5, 1.0]}"#;
    assert_alike(&community(2, "", vary, MEMBERS), &[(2, 1), (5, 1), (7, 1)]);
}

#[test]
fn an_interrupt_ends_all_days_under_way() {
    let (case, interrupted) = (only_case(&plain()), Arc::new(AtomicBool::new(true)));
    let (Order { closed, .. }, result) =
        simulate_days(&case, None, 3, None, &interrupted, Order { closed: Vec::new(), fails_at: 0 });
    assert!(matches!(result, Err(RuntimeError::Interrupted)), "{result:?}");
    assert!(closed.is_empty());
}

#[test]
fn check_tells_of_independent_days() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("members.csv"), MEMBERS).unwrap();
    fs::write(folder.path().join("profiles.csv"), profiles(5)).unwrap();
    let said = |plan: &Plan| {
        fs::write(folder.path().join("days.ron"), plan.resolved_ron().replace("data/", "")).unwrap();
        stdout(&mut sim(folder.path(), "check days.ron"))
    };
    let line = "days are independent: they run in parallel";
    assert!(said(&plain()).contains(line));
    assert!(!said(&community(5, "", "record: Full", MEMBERS)).contains(line));
}
