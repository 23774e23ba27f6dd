//! Markets that clear, changed and sealed anew by somebody with all keys: what does not follow from the posts is found,
//! though the contract has nothing against it.

use super::{
    File,
    history::{History, change_call, change_facts},
};
use crate::support::{recorded, written};
use microgrid_agents::{
    chain::{
        call::Call,
        fact::{Clearing, Execution, Fact},
    },
    statement::Orders,
    time::Time,
    units::Energy,
};
use microgrid_sim::ledger::schema;
use std::{fs, sync::Arc};

/// A slot of eight prosumers by this mechanism.
fn honest(mechanism: &str) -> History {
    let text = format!(
        r#"Scenario(
            name: "cleared",
            market: (slots: 1, starts_at: "12h", open: (1, 1), gate_closure: "20s", mechanism: {mechanism}),
            population: Synthetic(count: 8, pv_share: 0.5),
            learning: (bidding: Ramp),
        )"#
    );
    let root = tempfile::tempdir().unwrap();
    let folder = recorded(&written(&text, ""), root.path());
    let file = File::new(&fs::read(folder.join(schema::FILE)).unwrap());
    file.verify().unwrap_or_else(|error| panic!("{mechanism}: {error}"));
    History::read(&file.path)
}

fn executes(call: &Call) -> bool {
    matches!(call, Call::Clear(_, clearing) if !clearing.executions.is_empty())
}

/// What is said of a history whose first clearing with executions is another.
fn with_clearing(honest: &History, change: impl Fn(&mut Clearing)) -> String {
    let (mut history, changed) = (honest.clone(), |clearing: &Arc<Clearing>| {
        let mut clearing = Clearing::clone(clearing);
        change(&mut clearing);
        Arc::new(clearing)
    });
    let keys = honest.clone();
    let envelope = &mut history.find(|call, code| executes(call) && code.is_ok()).1.1;
    change_call(&keys, envelope, |call| {
        let Call::Clear(_, clearing) = call else { panic!("it clears") };
        *clearing = changed(clearing);
    });
    change_facts(envelope, |_, fact| {
        if let Fact::Clearing(clearing) = fact {
            *clearing = changed(clearing);
        }
    });
    complaint(&history)
}

fn complaint(history: &History) -> String {
    let file = File::empty();
    history.write(&file.path);
    file.complaint()
}

const MECHANISMS: [&str; 6] = [
    "MidMarketRate",
    "BillSharing",
    "SupplyDemandRatio",
    "UniformPriceAuction()",
    r#"UniformPriceAuction(every: "3s")"#,
    "ContinuousDoubleAuction",
];

#[test]
fn an_execution_that_does_not_follow_is_found_with_every_mechanism() {
    for mechanism in MECHANISMS {
        let honest = honest(mechanism);
        let found = |what: &str, change: &dyn Fn(&mut Clearing)| {
            let complaint = with_clearing(&honest, change);
            assert!(complaint.contains("information block"), "{mechanism}, {what}: {complaint}");
        };
        found("a unit less", &|clearing| clearing.executions[0].2 -= Energy(1));
        found("one left out", &|clearing| clearing.executions.truncate(clearing.executions.len() - 1));
        found("one made up", &|clearing| {
            let Execution(buyer, seller, _, price) = clearing.executions[0];
            clearing.executions.push(Execution(buyer, seller, Energy(1), price));
        });
        found("another supply", &|clearing| clearing.supply += Energy(1));
        found("another price", &|clearing| {
            clearing.price = clearing.price.map(|price| price + 1e-3);
            clearing.executions.iter_mut().for_each(|execution| execution.3 += 1e-3);
        });
    }
}

#[test]
fn a_clearing_that_is_left_out_is_missed_with_every_mechanism() {
    for mechanism in MECHANISMS {
        let mut history = honest(mechanism);
        let (block, _) = history.find(|call, code| executes(call) && code.is_ok());
        history.blocks.remove(block);
        complaint(&history);
    }
}

#[test]
fn orders_that_are_changed_no_longer_give_what_was_executed() {
    for mechanism in ["UniformPriceAuction()", "ContinuousDoubleAuction"] {
        let mut history = honest(mechanism);
        let keys = history.clone();
        let changed = |orders: &Arc<Orders>| {
            let mut orders = Orders::clone(orders);
            orders.steps.truncate(1);
            orders.steps[0].energy = Energy(1);
            Arc::new(orders)
        };
        // All orders of everybody: whichever of them were executed.
        let all = history.blocks.iter_mut().flat_map(|step| &mut step.transactions).filter(|(code, _)| code.is_ok());
        for (_, envelope) in all.filter(|(_, envelope)| {
            let orders = |call: &Call| matches!(call, Call::PostOrders(orders) if !orders.steps.is_empty());
            orders(&envelope.proposal().unwrap().call)
        }) {
            change_call(&keys, envelope, |call| {
                let Call::PostOrders(orders) = call else { panic!("they are orders") };
                *orders = changed(orders);
            });
            change_facts(envelope, |_, fact| {
                if let Fact::Orders(orders) = fact {
                    *orders = changed(orders);
                }
            });
        }
        let complaint = complaint(&history);
        assert!(complaint.contains("the posts give") || complaint.contains("no orders have met"), "{complaint}");
    }
}

/// What is said where the first block with such a call is cut so much later [ns], or sooner.
fn complaint_at_another_time(mechanism: &str, later: i64, wanted: impl Fn(&Call) -> bool) -> String {
    let mut history = honest(mechanism);
    let (block, _) = history.find(|call, code| wanted(call) && code.is_ok());
    let step = &mut history.blocks[block];
    step.time = Time(step.time.0.strict_add_signed(later));
    step.transactions[0].1.submitted = step.time;
    complaint(&history)
}

#[test]
fn a_market_is_cleared_when_that_is_due_and_goes_on_until_its_gate_closes() {
    let often = r#"UniformPriceAuction(every: "3s")"#;
    let late = complaint_at_another_time(often, 1, executes);
    assert!(late.contains("when that is not due"), "{late}");
    let mut history = honest(often);
    let (block, _) = history.find(|call, code| executes(call) && code.is_ok());
    history.blocks.remove(block);
    let missed = complaint(&history);
    assert!(missed.contains("orders have met, and were not cleared at"), "{missed}");
    let closes = |call: &Call| matches!(call, Call::CloseGame(..));
    for mechanism in ["TwoLevelGame", often, "ContinuousDoubleAuction"] {
        let late = complaint_at_another_time(mechanism, 1, closes);
        assert!(late.contains("the game ends as "), "{late}");
    }
    let early = complaint_at_another_time("TwoLevelGame", -1, closes);
    assert!(early.contains("the game ends as GateClosure"), "{early}");
    let early = complaint_at_another_time("ContinuousDoubleAuction", -1, closes);
    assert!(early.contains("the market closes before its gate"), "{early}");
}

#[test]
fn the_order_in_which_orders_came_decides_who_trades() {
    let mut history = honest("ContinuousDoubleAuction");
    // Swaps posts of one block, as if who came first had come last.
    let posts = |call: &Call| matches!(call, Call::PostOrders(_));
    let mut swapped = 0;
    for step in &mut history.blocks {
        let is_post = |(_, envelope): &(_, microgrid_agents::chain::transaction::Envelope)| {
            posts(&envelope.proposal().unwrap().call)
        };
        if step.transactions.len() > 1 && step.transactions.iter().all(is_post) {
            step.transactions.reverse();
            swapped += 1;
        }
    }
    assert!(swapped > 0, "some orders share a block");
    complaint(&history);
}
