//! The page of a run, `report.html`: when it is written, what it says, and that it is made from the run's folder alone.

use crate::support::{checkout, repository};
use assert_cmd::Command;
use std::{fs, path::Path, thread, time::Duration};
use tempfile::TempDir;

fn sim(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(folder).args(arguments.split_whitespace());
    command
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).expect("the command prints UTF-8")
}

/// A folder in which the published day has been run, of which nothing but a few slots are open.
fn day(options: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = repository("scenarios/5_prosumers.ron");
    sim(folder.path(), &format!("{} --set mu=1 {options}", scenario.display())).assert().success();
    folder
}

fn manifest_files(run: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(run.join("manifest.json")).expect("every run has a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
    serde_json::from_value(manifest["files"].clone()).expect("the manifest names files")
}

#[test]
fn a_run_leaves_a_report_and_says_where() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = repository("scenarios/5_prosumers.ron");
    let printed = stdout(&mut sim(folder.path(), &format!("{} --set mu=1", scenario.display())));
    let path = printed.lines().last().and_then(|line| line.strip_prefix("report: ")).expect("the last line tells");
    let page = fs::read_to_string(folder.path().join(path)).expect("the report is there");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    let run = folder.path().join("results/5_prosumers/latest");
    assert!(manifest_files(&run).contains(&"report.html".to_owned()));

    let again = stdout(&mut sim(folder.path(), "report results/5_prosumers"));
    assert!(again.trim().ends_with("report.html"), "{again}");
    assert_eq!(page, fs::read_to_string(run.join("report.html")).unwrap(), "the same is made from the folder alone");
    assert_eq!(manifest_files(&run).iter().filter(|file| *file == "report.html").count(), 1);
}

#[test]
fn without_a_report_there_is_none_until_it_is_asked_for() {
    let folder = day("-q --no-report");
    let run = folder.path().join("results/5_prosumers/latest");
    assert!(!run.join("report.html").exists() && !manifest_files(&run).contains(&"report.html".to_owned()));
    let before = fs::read(run.join("slots.csv")).unwrap();
    sim(folder.path(), "report results/5_prosumers").assert().success();
    assert!(run.join("report.html").is_file());
    assert_eq!(before, fs::read(run.join("slots.csv")).unwrap(), "the results stay as they are");
}

#[test]
fn the_report_keeps_the_licence_of_its_library_and_may_load_nothing() {
    let folder = day("-q");
    let page = fs::read_to_string(folder.path().join("results/5_prosumers/latest/report.html")).unwrap();
    assert!(page.contains("plotly.js v") && page.contains("Licensed under the MIT license"));
    assert!(page.contains(r#"content="default-src 'none';"#));
    let (own, _) = page.split_once("<script>").expect("the library comes after the page");
    for loading in ["src=", "@import", "url(http", "//cdn"] {
        assert!(!own.contains(loading), "the page has {loading}");
    }
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
}

#[test]
fn there_is_no_report_of_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = sim(folder.path(), "report nowhere").assert().code(2).get_output().clone();
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_is_opened_by_what_the_system_opens_files_with() {
    use std::os::unix::fs::PermissionsExt;
    let folder = day("-q --no-report");
    let (programs, opened) = (folder.path().join("bin"), folder.path().join("opened"));
    fs::create_dir(&programs).unwrap();
    let opener = programs.join("xdg-open");
    fs::write(&opener, format!("#!/bin/sh\nprintf %s \"$1\" > {0}.part && mv {0}.part {0}\n", opened.display()))
        .unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let path =
        std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())));
    sim(folder.path(), "report results/5_prosumers --open").env("PATH", path.unwrap()).assert().success();
    for _ in 0..400 {
        if opened.exists() {
            break;
        }
        thread::sleep(Duration::from_millis(25));
    }
    let opened = fs::read_to_string(opened).expect("the file was opened");
    assert!(opened.ends_with("report.html"), "{opened}");
}

/// What `report.html` says of the published day where that is changed so.
fn said(changes: &[(&str, &str)], options: &str) -> (TempDir, String) {
    let folder = checkout();
    let path = folder.path().join("scenarios/5_prosumers.ron");
    let mut text = fs::read_to_string(&path).expect("the scenario is there");
    for (old, new) in changes {
        assert!(text.contains(old), "{old} is not there");
        text = text.replace(old, new);
    }
    fs::write(&path, text).unwrap();
    sim(folder.path(), &format!("scenarios/5_prosumers.ron -q --set mu=1 {options}")).assert().success();
    let page = fs::read_to_string(folder.path().join("results/5_prosumers/latest/report.html")).unwrap();
    (folder, page)
}

#[test]
fn with_a_fee_shortage_is_that_at_the_tariff_less_the_fee() {
    let scarce = "less local energy than buyers want even at the grid&#39;s tariff";
    let (_folder, free) = said(&[], "");
    let (_other, charged) = said(&[("service_fee: 0.0", "service_fee: 0.05")], "");
    let text = |page: &str| page.replace("&#x27;", "&#39;").replace("&apos;", "&#39;");
    assert!(text(&free).contains(&format!("{scarce}, so theory&#39;s price")), "without a fee");
    assert!(text(&charged).contains(&format!("{scarce} less the fee, so theory&#39;s price")), "with one");
    assert!(free.contains("% above that of a day without a local market"));
    assert!(!free.contains("own storage") && !free.contains("storages bring"), "nobody has one");
    assert!(charged.contains("grid tariff less the fee") && !free.contains("grid tariff less the fee"));
}

#[test]
fn a_fee_that_leaves_no_room_is_named_wherever_a_market_is_missed() {
    // The tariff is 0.5 up to slot 7, 0.85 to slot 10, then 1.05: 0.5 leaves room from 0.95 on.
    let half = [("service_fee: 0.0", "service_fee: 0.5")];
    let (folder, page) = said(&half, "");
    let of = |command: &str| {
        stdout(&mut sim(folder.path(), &format!("{command} scenarios/5_prosumers.ron --set mu=1"))).replace('\n', " ")
    };
    let (checked, stability) = (of("check"), of("stability"));
    assert!(checked.contains(" of 13 open slots, where the grid's tariff less the fee of 0.5 CNY/kWh"), "{checked}");
    assert!(stability.contains("in which the fee leaves no room for a price"), "{stability}");
    assert!(page.contains("the fee left no room for a price"));

    let (folder, page) = said(&[("service_fee: 0.0", "service_fee: 0.7")], "");
    let told = |arguments: &str| {
        let printed = stdout(&mut sim(folder.path(), &format!("{arguments} --set mu=1")));
        printed.replace('\n', " ")
    };
    assert!(told("check scenarios/5_prosumers.ron").contains("no room for a price in any open slot"));
    assert!(told("stability scenarios/5_prosumers.ron").contains("no slot has room for a price"));
    assert!(told("stability scenarios/5_prosumers.ron --slot 17").contains("the fee leaves no room for a price"));
    assert!(told("scenarios/5_prosumers.ron").contains("what trust in local energy adds to own consumption"));
    assert!(page.contains("nothing was traded, but trust in local energy adds to own consumption"));
    assert!(page.contains("No slot had a market: it was closed, one side was missing or the fee left no room"));
}

#[test]
fn storages_that_began_full_are_said_to() {
    let storage = "storage: (capacity_kwh: 10.0, power_kw: 5.0, efficiency: 0.95, initial_kwh: 7.5)";
    let (_folder, page) = said(&[("storage: None", storage)], "");
    assert!(page.contains("Storages held 7.50 kWh each at the start, took "));
    assert!(page.contains("alone with their own storage"));
}
