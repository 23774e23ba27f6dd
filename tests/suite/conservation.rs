//! Energy and money are conserved to the last unit, in ordinary and in strange slots.

use crate::support::{Log, only_case, run, shipped, written};
use microgrid_agents::{
    observation::{Observation, ProsumerSlot},
    statement::Outcome,
    units::{Energy, Money},
};

/// Holds a run of honest people without loss against the laws: they hold, and nobody is refused anything.
fn assert_orderly(log: &Log, slots: usize, prosumers: usize) {
    let refused = log.observed.iter().find(|observed| matches!(observed.what, Observation::Refused(_)));
    assert!(refused.is_none(), "the honest are refused nothing where nothing is lost: {refused:?}");
    assert_conserved(log, slots, prosumers);
}

/// Holds every law of conservation against a run with this service fee.
pub(crate) fn assert_conserved(log: &Log, slots: usize, prosumers: usize) {
    assert_eq!(log.closed(), slots, "every slot closes");
    assert_eq!(log.prosumers().count(), slots * prosumers, "every prosumer completes every slot");
    for p in log.prosumers() {
        let from_grid = p.balance.grid_import + p.balance.short;
        let inward = p.metered.generation + p.trades.bought + p.balance.discharged + from_grid;
        let into_grid = p.balance.grid_export + p.balance.long;
        let outward = p.balance.consumed + p.trades.sold + p.balance.charged + into_grid;
        assert_eq!(inward, outward, "energy of {p:?}");
    }
    for slot in 1..=slots as u32 {
        let of_slot: Vec<&ProsumerSlot> = log.prosumers().filter(|p| p.slot == slot).collect();
        let energy = |of: fn(&ProsumerSlot) -> Energy| of_slot.iter().map(|p| of(p)).sum::<Energy>();
        let money = |of: fn(&ProsumerSlot) -> Money| of_slot.iter().map(|p| of(p)).sum::<Money>();
        assert_eq!(energy(|p| p.trades.bought), energy(|p| p.trades.sold), "local energy of slot {slot}");

        let exchanges = || log.exchanges().filter(|(exchange, _)| exchange.slot == slot);
        assert_eq!(
            energy(|p| p.balance.grid_import),
            exchanges().map(|(e, _)| e.import).sum(),
            "import of slot {slot}"
        );
        assert_eq!(
            energy(|p| p.balance.grid_export),
            exchanges().map(|(e, _)| e.export).sum(),
            "export of slot {slot}"
        );

        let charged: Money = exchanges().map(|(_, invoice)| invoice.charge).sum();
        let credited: Money = exchanges().map(|(_, invoice)| invoice.credit).sum();
        let settled = log.observed.iter().find_map(|o| match &o.what {
            Observation::Settled(number, trades) if *number == slot => Some(trades),
            _ => None,
        });
        let fees: Money = settled.into_iter().flat_map(|trades| trades.iter()).map(|trade| trade.fee).sum();
        assert_eq!(money(|p| p.trades.fee), fees, "fees of slot {slot}");
        let net_of_prosumers = money(|p| p.earned()) - money(|p| p.paid()) - money(|p| p.trades.fee);
        let net_of_grid_and_operator = charged - credited + fees;
        assert_eq!(net_of_prosumers + net_of_grid_and_operator, Money::ZERO, "money of slot {slot}");
    }
}

#[test]
fn the_studies_conserve_energy_and_money() {
    for plan in [shipped("5_prosumers.ron", &[]), shipped("5_prosumers_storage.ron", &[])] {
        for case in plan.cases() {
            assert_orderly(&run(&case), 24, 5);
        }
    }
}

#[test]
fn a_hundred_prosumers_conserve_energy_and_money() {
    let case = shipped("100_prosumers.ron", &[]).cases().next().expect("a case");
    assert_orderly(&run(&case), 24, 100);
}

/// A day of two slots for the given prosumers: (generation, load) [kWh], the same in both slots.
fn strange(prosumers: &[(f64, f64)], preference: f64, more: &str) -> Log {
    let mut profiles = String::from("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n");
    for (n, (generation, load)) in prosumers.iter().enumerate() {
        for slot in 1..=2 {
            profiles += &format!("{},{slot},{generation},{load},{preference},{preference}\n", n + 1);
        }
    }
    let text = format!(
        r#"Scenario(
            name: "strange",
            market: (slots: 2, open: (1, 2), feed_in_tariff: 0.45, grid_tariff: Constant(0.85), service_fee: 0.013),
            population: Profiles("profiles.csv"),
            {more}
        )"#
    );
    let log = run(&only_case(&written(&text, &profiles)));
    assert_orderly(&log, 2, prosumers.len());
    log
}

fn outcomes(log: &Log) -> Vec<Outcome> {
    log.games().map(|game| game.outcome).collect()
}

#[test]
fn a_slot_without_sellers_buys_from_the_grid() {
    let log = strange(&[(0.0, 2.0), (0.5, 1.5)], 1.5, "");
    assert_eq!(outcomes(&log), [Outcome::NoMarket; 2]);
    assert!(log.prosumers().all(|p| p.balance.grid_import > Energy::ZERO && p.trades.bought == Energy::ZERO));
}

#[test]
fn a_slot_without_buyers_feeds_in() {
    let log = strange(&[(3.0, 2.0), (1.0, 0.0)], 1.5, "");
    assert_eq!(outcomes(&log), [Outcome::NoMarket; 2]);
    let fed_in: Energy = log.prosumers().map(|p| p.balance.grid_export).sum();
    assert_eq!(fed_in, Energy::nearest(4.0));
}

#[test]
fn where_everybody_generates_just_what_it_needs_nothing_moves() {
    let log = strange(&[(1.5, 1.5), (0.0, 0.0), (2.0, 2.0)], 1.5, "");
    assert_eq!(outcomes(&log), [Outcome::NoMarket; 2]);
    assert_eq!(log.exchanges().count(), 0);
}

#[test]
fn a_single_prosumer_is_a_village_too() {
    assert_eq!(outcomes(&strange(&[(1.0, 2.0)], 1.5, "")), [Outcome::NoMarket; 2]);
    assert_eq!(outcomes(&strange(&[(2.0, 1.0)], 1.5, "")), [Outcome::NoMarket; 2]);
}

#[test]
fn a_seller_nobody_wants_falls_to_the_floor_and_feeds_in() {
    // With a preference of 0.5 and 1 kWh of its own, a kWh more is worth less than the feed-in tariff to the buyer.
    let log = strange(&[(1.0, 2.0), (3.0, 1.0)], 0.5, "");
    assert_eq!(outcomes(&log), [Outcome::Equilibrium; 2]);
    for game in log.games() {
        assert_eq!(game.state.as_ref().expect("prices were posted").prices, [0.45]);
    }
    assert!(log.prosumers().all(|p| p.trades.sold == Energy::ZERO));
}

#[test]
fn scarce_rationed_and_firm_markets_conserve_too() {
    let people = [(0.0, 3.0), (0.2, 2.777_777), (3.1, 1.0), (2.000_001, 1.0), (0.0, 1.0)];
    let scarce = strange(&people, 4.5, "");
    assert!(outcomes(&scarce).iter().all(|outcome| *outcome == Outcome::Equilibrium));
    let traded: Energy = scarce.prosumers().filter(|p| p.slot == 1).map(|p| p.trades.sold).sum();
    assert_eq!(traded, Energy(3_100_001), "all the surplus is sold");
    strange(
        &people,
        2.0,
        r#"preferences: (demand: Firm), storage: (capacity_kwh: 1.0, power_kw: 0.3, efficiency: 0.9, initial_kwh: 0.5),"#,
    );
    strange(&people, 2.0, r#"learning: (fitness: Private),"#);
    strange(
        &people,
        2.0,
        r#"network: (delay: Constant("0s")), ledger: (block: (max_transactions: 1, timeout: "0s")),"#,
    );
}
