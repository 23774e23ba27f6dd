//! What a run's folder promises.

mod cleared;
mod damage;
mod study;

use super::*;
use crate::fixtures::{
    day::{self, Day, lines, observed, watch},
    row_of, whole_case,
};
use microgrid_agents::{
    observation::Observation,
    units::{Energy, Money},
};
use microgrid_runtime::{Traffic, Watcher};
use std::{fs, path::Path, time::Duration};

/// The cells of a line, by column.
fn cell<R: Row>(line: &str, column: &str) -> String {
    let index = R::header().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"));
    line.split(',').nth(index).unwrap().to_owned()
}

/// The rows of a table that is kept as CSV.
fn rows<R: Row>(folder: &Path) -> Vec<R> {
    Run::open(folder).unwrap().rows().unwrap().map(Result::unwrap).collect()
}

fn slot_cell(line: &str, column: &str) -> String {
    cell::<SlotRow>(line, column)
}

#[test]
fn a_slot_is_written_whole_when_it_is_closed_and_not_before() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let folder = recorder.folder().to_owned();
    let first = day.slot(1);
    watch(&mut recorder, first, 1).unwrap();
    let mut second = day.slot(2);
    let closing = second.split_off(second.len() - 1);
    watch(&mut recorder, second, 1).unwrap();
    let counts =
        || ["slots.csv", "prosumers.csv", "trades.csv", "convergence.csv"].map(|file| lines(&folder, file).len());
    assert_eq!(counts(), [1, 3, 0, 0]);
    watch(&mut recorder, closing, 1).unwrap();
    assert_eq!(counts(), [2, 6, 2, 2]);
}

#[test]
fn a_slot_may_be_reported_closed_before_its_prosumers_within_a_window() {
    let (_day, in_order) = whole_case(Day::new());
    let mut other = Day::new();
    let mut recorder = other.recorder();
    for slot in 1..=3 {
        let mut window = other.slot(slot);
        // What the ledger has to say comes first.
        window.rotate_right(3);
        watch(&mut recorder, window, 10).unwrap();
    }
    for file in ["slots.csv", "prosumers.csv", "trades.csv", "convergence.csv"] {
        assert_eq!(lines(in_order.folder(), file), lines(recorder.folder(), file));
    }
}

#[test]
fn a_slot_without_market_leaves_the_market_s_columns_empty() {
    let (_day, recorder) = whole_case(Day::new());
    let slots = lines(recorder.folder(), "slots.csv");
    for (line, sellers, buyers) in [(&slots[0], "0", "3"), (&slots[2], "0", "2")] {
        assert_eq!(slot_cell(line, "outcome"), "NoMarket");
        assert_eq!((slot_cell(line, "sellers"), slot_cell(line, "buyers")), (sellers.into(), buyers.into()));
        for column in [
            "time_to_equilibrium_s",
            "price_mean_cny_per_kwh",
            "equilibrium_price_cny_per_kwh",
            "price_gap",
            "imbalance",
            "ess_residual",
            "information_age_mean_s",
            "information_age_p95_s",
            "welfare_loss",
            "price_gap_weighted",
            "equilibrium_welfare_cny",
            "oscillation_amplitude",
            "messages_per_kwh",
            "updates_per_actor",
        ] {
            assert_eq!(slot_cell(line, column), "", "{column}");
        }
        for column in ["buyers_welfare_cny", "welfare_cny", "p2g_welfare_cny", "p2g_storage_welfare_cny"] {
            assert_ne!(slot_cell(line, column), "", "{column}");
        }
    }
}

#[test]
fn a_market_in_equilibrium_is_at_no_distance_from_theory() {
    let (_day, recorder) = whole_case(Day::new());
    let line = &lines(recorder.folder(), "slots.csv")[1];
    let exact = [
        ("case", "1"),
        ("slot", "2"),
        ("sellers", "1"),
        ("buyers", "2"),
        ("outcome", "Equilibrium"),
        ("rounds", "7"),
        ("time_to_equilibrium_s", "6.02"),
        ("price_mean_cny_per_kwh", "1.2"),
        ("information_age_mean_s", "0.025"),
        ("information_age_p95_s", "0.03"),
        ("traded_kwh", "4.0"),
        ("grid_export_kwh", "0.0"),
        ("oscillation_amplitude", "0.0"),
        // Ten messages for 4 kWh, two decisions of three participants.
        ("messages_per_kwh", "2.5"),
        ("updates_per_actor", "0.6666666666666666"),
        ("lost_messages", "0"),
        ("duplicated_messages", "0"),
    ];
    for (column, value) in exact {
        assert_eq!(slot_cell(line, column), value, "{column}");
    }
    let number = |column| slot_cell(line, column).parse::<f64>().unwrap();
    assert!((number("equilibrium_price_cny_per_kwh") - 1.2).abs() < 1e-9);
    assert!(number("price_gap") < 1e-9 && number("imbalance") < 1e-9);
    assert!(number("welfare_loss").abs() < 1e-9);
    // Each buyer: U(2, 2) = 3.2 less 2.4 paid. The grid's energy is worth nothing at its price of 1.5.
    assert!((number("buyers_welfare_cny") - 1.6).abs() < 1e-9);
    // U(1, 2) = 1.8 and 4.8 earned, in P2G 4 kWh at 0.45.
    assert!((number("sellers_welfare_cny") - 6.6).abs() < 1e-9);
    assert!((number("p2g_sellers_welfare_cny") - 3.6).abs() < 1e-9);
    assert!((number("welfare_cny") - 8.2).abs() < 1e-9);
}

#[test]
fn theory_starts_from_what_storages_held_when_the_slot_began() {
    let (_day, recorder) = whole_case(Day::with_storage());
    let line = &lines(recorder.folder(), "slots.csv")[1];
    let held = lines(recorder.folder(), "prosumers.csv")[3..6]
        .iter()
        .any(|line| cell::<ProsumerRow>(line, "discharged_kwh") == "0.5");
    assert!(held, "somebody discharges what slot 1 left");
    assert!(slot_cell(line, "welfare_loss").parse::<f64>().unwrap().abs() < 1e-9);
}

#[test]
fn messages_count_for_the_slot_that_is_closed_next() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    watch(&mut recorder, vec![], 5).unwrap();
    for (slot, messages) in [(1, 7), (2, 3)] {
        let window = day.slot(slot);
        watch(&mut recorder, window, messages).unwrap();
        watch(&mut recorder, vec![], 100).unwrap();
    }
    let third = day.slot(3);
    watch(&mut recorder, third, 1).unwrap();
    let messages: Vec<_> =
        lines(recorder.folder(), "slots.csv").iter().map(|line| slot_cell(line, "messages")).collect();
    assert_eq!(messages, ["12", "103", "101"]);
    recorder.end_case().unwrap();
    assert_eq!(Run::open(recorder.folder()).unwrap().key_figures().unwrap()[0].totals.messages, 216);
}

#[test]
fn trades_name_prosumers_by_number_and_leave_out_what_nobody_wanted() {
    let (_day, recorder) = whole_case(Day::new());
    let trade = |buyer| -> TradeRow {
        row_of(&[
            ("case", "1"),
            ("slot", "2"),
            ("buyer", buyer),
            ("seller", "2"),
            ("optimal_kwh", "2"),
            ("traded_kwh", "2"),
            ("price_cny_per_kwh", "1.2"),
            ("payment_cny", "2.4"),
        ])
    };
    assert_eq!(rows::<TradeRow>(recorder.folder()), [trade("5"), trade("9")]);
}

#[test]
fn prosumers_print_settled_amounts_exactly() {
    let (_day, recorder) = whole_case(Day::new());
    let rows = lines(recorder.folder(), "prosumers.csv");
    let cells = |line: &str| {
        let columns =
            ["slot", "prosumer", "role", "pv_kwh", "load_kwh", "bought_kwh", "sold_kwh", "paid_cny", "earned_cny"];
        columns.map(|column| cell::<ProsumerRow>(line, column)).join(" ")
    };
    assert_eq!(cells(&rows[3]), "2 2 Seller 5.0 1.0 0.0 4.0 0.0 4.8");
    assert_eq!(cells(&rows[4]), "2 5 Buyer 0.0 4.0 2.0 0.0 2.4 0.0");
    assert_eq!(cells(&rows[6]), "3 2 Idle 1.0 1.0 0.0 0.0 0.0 0.0");
}

#[test]
fn convergence_has_a_row_for_each_seller_that_may_have_changed() {
    let (_day, recorder) = whole_case(Day::new());
    // Nothing for the block without quote or choice; empty until somebody has chosen.
    let game = [("case", "1"), ("slot", "2"), ("seller", "2"), ("price_cny_per_kwh", "1.2"), ("messages", "10")];
    let quoted = [("time_s", "3600.3"), ("price_gap", "0")];
    let chosen = [
        ("time_s", "3600.8"),
        ("share", "1"),
        ("demand_kwh", "4"),
        ("net_utility", "1.6"),
        ("price_gap", "0"),
        ("imbalance", "0"),
        ("information_age_s", "0"),
    ];
    let expected = [&quoted[..], &chosen].map(|cells| row_of([&game[..], cells].concat().as_slice()));
    assert_eq!(rows::<ConvergenceRow>(recorder.folder()), expected);
}

#[test]
fn convergence_tells_how_far_the_market_is_from_theory_and_what_became_of_messages_so_far() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let first = day.slot(1);
    watch(&mut recorder, first, 100).unwrap();
    let mut second = observed(day.slot(2));
    for observed in &mut second {
        if let Observation::Committed(commit) = &mut observed.what
            && commit.choices
        {
            let mut state = (*commit.state).clone();
            state.prices = vec![1.45];
            state.news_age = Duration::from_millis(250);
            let mut sums = (**state.aggregate.as_ref().unwrap()).clone();
            sums.demand = vec![3.0];
            state.aggregate = Some(sums.into());
            commit.state = state.into();
        }
    }
    let mut later = second.split_off(4);
    recorder.window(&mut second, Traffic { sent: 7, lost: 2, duplicated: 1 }).unwrap();
    recorder.window(&mut later, Traffic { sent: 3, lost: 1, duplicated: 0 }).unwrap();
    let cells = |line: &str, columns: [&str; 6]| columns.map(|column| cell::<ConvergenceRow>(line, column)).join(" ");
    let columns = ["price_gap", "imbalance", "information_age_s", "messages", "lost_messages", "duplicated_messages"];
    let rows = lines(recorder.folder(), "convergence.csv");
    assert_eq!(cells(&rows[0], columns), "0.0   7 2 1");
    // 0.25 above the equilibrium price of 1.2, a quarter of the only seller's 4 kWh unsold.
    assert_eq!(cells(&rows[1], columns), "0.25 0.25 0.25 10 3 1");
    let slot = &lines(recorder.folder(), "slots.csv")[1];
    assert_eq!((slot_cell(slot, "lost_messages"), slot_cell(slot, "duplicated_messages")), ("3".into(), "1".into()));
}

#[test]
fn a_slot_closed_without_one_of_its_prosumers_ends_the_run() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let mut window = day.slot(1);
    window.retain(|what| !matches!(what, Observation::ProsumerDone(done) if done.prosumer.0 == 1));
    let error = watch(&mut recorder, window, 1).unwrap_err();
    assert_eq!(error.to_string(), "slot 1 was closed before prosumer 5 was done with it");
}

#[test]
fn a_slot_closed_without_a_checkpoint_ends_the_run_and_is_not_written() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let mut window = day.slot(1);
    window.retain(|what| !matches!(what, Observation::Checkpoint(_)));
    let error = watch(&mut recorder, window, 1).unwrap_err();
    assert_eq!(error.to_string(), "slot 1 was closed without a checkpoint");
    assert_eq!(lines(recorder.folder(), "slots.csv").len(), 0);
}

#[test]
fn a_run_that_is_cut_off_says_unfinished_and_reads_back() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let first = day.slot(1);
    watch(&mut recorder, first, 1).unwrap();
    drop(recorder);
    let run = Run::open(&day.root().join("day")).unwrap();
    assert_eq!(run.manifest().status, Status::Unfinished);
    assert_eq!(run.manifest().wall_seconds, None);
    assert_eq!((run.manifest().case_count, run.manifest().cases.len()), (2, 2));
    assert!(run.key_figures().unwrap().is_empty());
    assert_eq!(run.rows::<SlotRow>().unwrap().map(|row| row.unwrap().slot).collect::<Vec<_>>(), [1]);
}

#[test]
fn the_manifest_tells_how_a_run_ended() {
    for (status, text) in [
        (Status::Finished, r#""status": "finished""#),
        (Status::Interrupted, r#""status": "interrupted""#),
        (Status::Failed("disk on fire".to_owned()), r#""reason": "disk on fire""#),
    ] {
        let (_day, recorder) = whole_case(Day::new());
        let folder = recorder.finish(status.clone(), Duration::from_millis(1500)).unwrap();
        assert!(fs::read_to_string(folder.join("manifest.json")).unwrap().contains(text));
        let manifest = Manifest::read(&folder).unwrap();
        assert_eq!((manifest.status, manifest.wall_seconds), (status, Some(1.5)));
        let leftovers = fs::read_dir(&folder)
            .unwrap()
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "new"));
        assert_eq!(leftovers.count(), 0);
    }
}

#[test]
fn all_files_of_a_run_are_in_its_manifest() {
    let (_day, recorder) = whole_case(Day::new());
    let folder = recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    for file in &Run::open(&folder).unwrap().manifest().files {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_to_string(folder.join("data/profiles.csv")).unwrap().lines().count(), 10);
}

#[test]
fn runs_that_start_in_the_same_second_get_folders_of_their_own() {
    let day = Day::new();
    let names =
        [day.recorder(), day.recorder()].map(|recorder| recorder.folder().file_name().unwrap().display().to_string());
    assert_eq!(names, ["2026-11-22T14-55-13Z-seed7", "2026-11-22T14-55-13Z-seed7-2"]);
    assert_eq!(Run::open(&day.root().join("day")).unwrap().folder(), day.root().join("day/latest"));
    assert_eq!(fs::read_link(day.root().join("day/latest")).unwrap(), Path::new(&names[1]));
}

#[test]
fn key_figures_follow_their_definitions() {
    let (_day, recorder) = whole_case(Day::new());
    let run = Run::open(recorder.folder()).unwrap();
    let [case] = &run.key_figures().unwrap()[..] else { panic!("one case is done") };
    assert_eq!((case.slots, case.market_slots, case.equilibrium_share), (3, 1, Some(1.0)));
    assert_eq!(case.knobs["mu"], 0.0);
    let totals = &case.totals;
    assert_eq!((totals.generation_kwh, totals.load_kwh, totals.traded_kwh), (6.0, 13.0, 4.0));
    // Nobody buys from the grid at 1.5 with w_grid = 1.5: what is consumed is local.
    assert_eq!((totals.consumption_kwh, totals.grid_import_kwh), (6.0, 0.0));
    assert_eq!((case.self_sufficiency, case.self_consumption), (Some(1.0), Some(1.0)));
    assert_eq!((totals.paid_cny, totals.earned_cny, totals.fees_cny), (4.8, 4.8, 0.0));
    // P2G earns 4 kWh at 0.45; with the market, payments and earnings cancel.
    assert_eq!((case.open_slots.p2g_net_cost_cny, case.open_slots.net_cost_cny), (-1.8, 0.0));
    assert_eq!(case.open_slots.savings_cny, -1.8);
    assert_eq!((case.all_slots.slots, case.open_slots.slots), (3, 2));
    let slots: Vec<SlotRow> = run.rows().unwrap().collect::<Result<_, _>>().unwrap();
    let open: f64 = slots.iter().filter(|row| row.slot >= 2).map(|row| row.welfare_cny.unwrap().value()).sum();
    assert!((case.open_slots.welfare_cny - open).abs() < 1e-12);
}

/// Nine amounts of 9e12 CNY are beyond 64 bits of 1e-6 CNY, and so are two.
#[test]
fn totals_do_not_wrap_around() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    for slot in 1..=3 {
        let mut window = day.slot(slot);
        for what in &mut window {
            if let Observation::ProsumerDone(done) = what {
                (done.trades.paid, done.balance.grid_import) =
                    (Money(9_000_000_000_000_000_000), Energy(9_000_000_000_000_000_000));
            }
        }
        watch(&mut recorder, window, 1).unwrap();
    }
    recorder.end_case().unwrap();
    let run = Run::open(recorder.folder()).unwrap();
    let case = &run.key_figures().unwrap()[0];
    assert_eq!((case.totals.paid_cny, case.totals.grid_import_kwh), (8.1e13, 8.1e13));
    // Less the 4.8 CNY that the seller earns.
    assert_eq!((case.all_slots.net_cost_cny, case.open_slots.net_cost_cny), (8.1e13 - 4.8, 5.4e13 - 4.8));
    let imported = lines(recorder.folder(), "slots.csv");
    assert_eq!(slot_cell(&imported[0], "grid_import_kwh"), "27000000000000.0");
}

#[test]
fn a_case_without_consumption_or_market_has_undefined_shares() {
    let day = Day::new();
    let mut recorder = day.recorder();
    recorder.end_case().unwrap();
    let run = Run::open(recorder.folder()).unwrap();
    let case = &run.key_figures().unwrap()[0];
    assert_eq!((case.self_sufficiency, case.self_consumption, case.equilibrium_share), (None, None, None));
}

#[test]
fn a_table_without_its_header_is_not_read_as_an_empty_one() {
    let (_day, recorder) = whole_case(Day::new());
    let path = recorder.folder().join("slots.csv");
    let run = Run::open(recorder.folder()).unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    for text in [String::new(), whole.replacen("case,slot", "slot,case", 1), whole.replacen("case,", "", 1)] {
        fs::write(&path, text).unwrap();
        assert!(matches!(run.rows::<SlotRow>().map(|_| ()), Err(RecordError::Header(wrong)) if wrong == path));
    }
}

#[test]
fn a_table_of_an_older_version_says_so() {
    let (_day, recorder) = whole_case(Day::new());
    let path = recorder.folder().join("slots.csv");
    let text = fs::read_to_string(&path).unwrap();
    let without = |line: &str| line.rsplitn(3, ',').last().unwrap().to_owned() + "\n";
    fs::write(&path, text.lines().map(without).collect::<String>()).unwrap();
    let error = Run::open(recorder.folder()).unwrap().rows::<SlotRow>().map(drop).unwrap_err().to_string();
    let (what, mend) = error.split_once('\n').unwrap();
    assert!(what.ends_with("slots.csv: it has no short_kwh, long_kwh"), "{error}");
    assert!(mend.contains("older version") && mend.contains("or run again: `sim "), "{error}");
}

#[test]
fn a_run_is_recorded_even_where_no_link_to_it_can_be_made() {
    let day = Day::new();
    let latest = day.root().join("day/latest");
    fs::create_dir_all(&latest).unwrap();
    let recorder = day.recorder();
    assert!(Run::open(recorder.folder()).is_ok() && latest.is_dir());
    assert_eq!(fs::read_dir(day.root().join("day")).unwrap().count(), 2, "the run and the folder in the way");
}

#[test]
fn the_key_figures_of_several_cases_are_one_list_and_the_manifest_knows_all_cases_from_the_start() {
    let (day, mut recorder) = whole_case(Day::new());
    let manifest = || fs::read(day.root().join("day/latest/manifest.json")).unwrap();
    let before = manifest();
    let second = day.plan.cases().nth(1).unwrap();
    recorder.begin_case(&second);
    recorder.end_case().unwrap();
    assert!(manifest() == before);
    let run = Run::open(recorder.folder()).unwrap();
    let knobs: Vec<_> = run.manifest().cases.iter().map(|case| &case.knobs).collect();
    assert_eq!(knobs, run.key_figures().unwrap().iter().map(|figures| &figures.knobs).collect::<Vec<_>>());
    let whole = serde_json::to_string_pretty(&run.key_figures().unwrap()).unwrap();
    assert_eq!(fs::read_to_string(recorder.folder().join("kpis.json")).unwrap(), format!("{whole}\n"));
}

/// How many blocks `ledger.db` has at this moment, to whoever opens it.
fn blocks_on_disk(folder: &Path) -> u32 {
    let database = rusqlite::Connection::open(folder.join("ledger.db")).unwrap();
    database.query_one("SELECT count(*) FROM blocks", [], |row| row.get(0)).unwrap()
}

#[test]
fn blocks_are_on_disk_at_their_checkpoint_and_those_without_one_never() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let folder = recorder.folder().to_owned();
    let first = day.slot(1);
    watch(&mut recorder, first, 1).unwrap();
    assert_eq!((blocks_on_disk(&folder), lines(&folder, "slots.csv").len()), (1, 1));
    let mut second = day.slot(2);
    second.retain(|what| matches!(what, Observation::Sealed(_)));
    watch(&mut recorder, second, 1).unwrap();
    assert_eq!(blocks_on_disk(&folder), 1);
    recorder.finish(Status::Interrupted, Duration::ZERO).unwrap();
    assert_eq!(blocks_on_disk(&folder), 1);
    assert!(!folder.join("ledger.db-wal").exists());
}

#[test]
fn what_the_ledger_of_a_case_carried_is_written_when_the_case_is_done() {
    let mut day = Day::new();
    let mut recorder = day.recorder();
    let folder = recorder.folder().to_owned();
    for slot in 1..=3 {
        let window = day.slot(slot);
        watch(&mut recorder, window, 1).unwrap();
        assert_eq!(lines(&folder, "ledger.csv").len(), 0);
    }
    recorder.end_case().unwrap();
    let rows: Vec<LedgerRow> = Run::open(&folder).unwrap().rows().unwrap().collect::<Result<_, _>>().unwrap();
    let counts = |row: &LedgerRow| (row.channel.name(), row.blocks, row.valid, row.stale_read);
    assert_eq!(
        rows.iter().map(counts).collect::<Vec<_>>(),
        [("trade", 3, 3, 3), ("information", 0, 0, 0), ("energy", 0, 0, 0)]
    );
    // The scenario's blocks hold up to 500.
    assert_eq!(rows[0].block_fill.unwrap().value(), 2.0 / 500.0);
}

#[test]
fn where_there_is_no_run_none_is_opened() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(Run::open(root.path()), Err(RecordError::NoRun { path, .. }) if path == root.path()));
}
