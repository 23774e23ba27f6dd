//! The examples run, and what they assert holds.

#[path = "../../examples/custom_bidder.rs"]
mod custom_bidder;
#[path = "../../examples/custom_buyer.rs"]
mod custom_buyer;
#[path = "../../examples/custom_network.rs"]
mod custom_network;
#[path = "../../examples/custom_seller.rs"]
mod custom_seller;
#[path = "../../examples/first_day.rs"]
mod first_day;
#[path = "../../examples/quickstart.rs"]
mod quickstart;

use crate::support::repository;
use std::fs;

#[test]
fn the_quickstart_finds_the_price_of_the_closed_form() {
    quickstart::main().unwrap();
}

#[test]
fn a_seller_with_a_rule_of_its_own_makes_the_price_that_it_should() {
    custom_seller::main().unwrap();
}

#[test]
fn a_buyer_with_a_rule_of_its_own_gets_what_it_should() {
    custom_buyer::main().unwrap();
}

#[test]
fn a_buyer_that_waits_pays_what_sellers_ask() {
    custom_bidder::main().unwrap();
}

#[test]
fn a_network_with_a_rule_of_its_own_is_slow_when_it_should_be() {
    custom_network::main().unwrap();
}

#[test]
fn a_hamlet_made_in_code_gains_from_trust() {
    first_day::main().unwrap();
}

#[test]
fn every_example_is_run_here_and_short() {
    let here = fs::read_to_string(repository("tests/suite/examples.rs")).unwrap();
    let examples = fs::read_dir(repository("examples")).unwrap().map(|entry| entry.unwrap().path());
    let programs: Vec<_> = examples.filter(|path| path.extension().is_some_and(|kind| kind == "rs")).collect();
    assert_eq!(programs.len(), 6);
    for path in programs {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(here.contains(&format!("    {name}::main().unwrap();")), "{name} is not run");
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines < 60, "{name} has {lines} lines");
    }
}
