//! Where each buyer knows only some sellers: what is computed stays the same, and where the market still clears.

use crate::{
    conservation::assert_conserved,
    determinism::assert_same_whatever_the_shards,
    support::{End, Log, only_case, recorded, run, written},
};
use microgrid_agents::{
    chain::{call::Call, fact::Number, identity::Party, refusal::Refusal, transaction::Envelope},
    ids::{ChannelName, ProsumerId},
    market::{
        aggregate::{Aggregate, Sums},
        balance::SlotFacts,
        choice_set::ChoiceSet,
        demand::Buyer,
        pricing::PriceBand,
        role::Role,
    },
    message::{MarketOpened, MarketState},
    observation::Observation,
    statement::{Choice, Outcome},
    time::Time,
};
use microgrid_sim::{
    analysis::{
        equilibrium::{Corner, Equilibrium, closed_form},
        reference::{Iteration, Market},
        slot::{slot_facts, slot_terms},
    },
    ledger::{schema, verify::verify},
    runtime::Shards,
    scenario::{Case, Plan},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

const BAND: PriceBand = PriceBand { floor: 0.45, ceiling: 1.05 };

/// One slot at noon, three prosumers in ten of which have much to sell; with these fields of `learning`, and more.
fn noon(count: u32, learning: &str, more: &str) -> Plan {
    let text = format!(
        r#"Scenario(
            name: "noon",
            market: (slots: 1, starts_at: "12h", open: (1, 1), gate_closure: "50min", grid_tariff: Constant(1.05)),
            population: Synthetic(count: {count}, pv_share: 0.4, pv_peak_kw: LogNormal(median: 11.0, sigma: 0.3)),
            learning: ({learning}),
            {more}
        )"#
    );
    written(&text, "")
}

/// The same with a gate that closes after so many seconds.
fn short(seconds: u64, mut plan: Plan) -> Plan {
    plan.scenario.market.gate_closure = Duration::from_secs(seconds);
    plan
}

/// What a run shows of its only game.
struct Game {
    case: Case,
    log: Log,
    opened: Arc<MarketOpened>,
    /// The choices on the chain that count, with the time of their block and the number of their buyer.
    choices: Vec<(Time, Number, Arc<Choice>)>,
}

impl Game {
    fn of(plan: &Plan) -> Self {
        let case = only_case(plan);
        let log = run(&case);
        let opened = log.observed.iter().find_map(|observed| match &observed.what {
            Observation::MarketOpened(opened) => Some(Arc::clone(opened)),
            _ => None,
        });
        let mut choices = Vec::new();
        for observed in &log.observed {
            let Observation::Sealed(block) = &observed.what else { continue };
            for transaction in block.transactions.iter().filter(|_| block.header.channel == ChannelName::Information) {
                let envelope: Envelope = serde_json::from_str(&transaction.envelope).expect("an envelope");
                let proposal = envelope.proposal().expect("a proposal");
                if let (Call::PostChoice(choice), Party::Prosumer(number)) = (proposal.call, proposal.creator) {
                    assert_ne!(transaction.validity, Err(Refusal::InvalidShares), "{choice:?}");
                    if transaction.validity.is_ok() {
                        choices.push((block.header.time, number, choice));
                    }
                }
            }
        }
        Self { case, opened: opened.expect("a market"), choices, log }
    }

    /// Whom each buyer knows; nobody knows others later than at first.
    fn known(&self) -> BTreeMap<Number, Arc<[u32]>> {
        let mut known = BTreeMap::new();
        for (time, number, choice) in &self.choices {
            let now = choice.known.as_ref().expect("buyers know only some");
            assert_eq!(known.entry(*number).or_insert_with(|| Arc::clone(now)), now, "buyer {number} at {time}");
        }
        assert!(known.keys().copied().eq(self.opened.buyers.iter().map(number)), "every buyer has chosen");
        known
    }

    /// What the market's states show, of those after a buyer's choice.
    fn rounds(&self) -> impl Iterator<Item = (&MarketState, &Aggregate)> {
        self.states().filter_map(|(state, choices)| Some((state, choices.then_some(state.aggregate.as_deref())??)))
    }

    /// The market's states, and whether there was a choice.
    fn states(&self) -> impl Iterator<Item = (&MarketState, bool)> {
        self.log.observed.iter().filter_map(|observed| match &observed.what {
            Observation::Committed(commit) => Some((&*commit.state, commit.choices)),
            _ => None,
        })
    }

    fn end(&self) -> End {
        End::of(&self.case, self.log.games().next().expect("a game"))
    }

    /// The final prices [CNY/kWh].
    fn prices(&self) -> &[f64] {
        &self.log.games().next().and_then(|game| game.state.as_ref()).expect("prices").prices
    }

    fn buyers(&self) -> Vec<Buyer> {
        let facts = slot_facts(&self.case, 1);
        facts.iter().filter(|facts| facts.role() == Role::Buyer).map(SlotFacts::as_buyer).collect()
    }

    fn theory(&self) -> Equilibrium {
        let terms = slot_terms(&self.case, 1);
        closed_form(&self.buyers(), &self.opened.surplus, BAND, terms.alpha, terms.demand).expect("a market")
    }

    /// How much all who know a seller would want of it alone at the closed form's price, relative to its surplus.
    fn reach(&self) -> Vec<f64> {
        let (price, terms) = (self.theory().price, slot_terms(&self.case, 1));
        let mut wanted = vec![0.0; self.opened.sellers.len()];
        for (buyer, known) in self.buyers().iter().zip(self.known().values()) {
            let purchase = buyer.optimal_purchase(price, terms.alpha, terms.demand);
            known.iter().for_each(|&seller| wanted[seller as usize] += purchase);
        }
        wanted.iter().zip(&self.opened.surplus).map(|(wanted, surplus)| wanted / surplus).collect()
    }
}

fn number(prosumer: &ProsumerId) -> Number {
    prosumer.0 + 1
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let far = (found - expected).abs() > tolerance * expected.abs().max(1.0);
        assert!(!far, "{found} instead of {expected}");
    }
}

#[test]
fn messages_in_lock_step_give_the_plain_iteration_over_known_sellers() {
    for (demand, steps) in [
        ("Elastic", "replicator_step: Scaled(0.3), price_step: Scaled(0.5)"),
        ("Firm", "replicator_step: Scaled(0.3), price_step: Scaled(0.3)"),
        ("Elastic", "replicator_step: Fixed(0.1), price_step: Fixed(0.05)"),
    ] {
        let learning = format!("choice_set: Sample(4), {steps}");
        let game = Game::of(&noon(40, &learning, &format!("preferences: (demand: {demand}),")));
        let (scenario, known): (_, Vec<_>) = (&game.case.scenario, game.known().into_values().collect());
        let market = Market {
            buyers: &game.buyers(),
            surplus: &game.opened.surplus,
            known: Some(&known),
            band: BAND,
            local_fee: 0.0,
            alpha: scenario.preferences.alpha,
            demand: scenario.preferences.demand,
            fitness: scenario.learning.fitness(),
            replicator_step: scenario.learning.replicator_step,
            price_step: scenario.learning.price_step,
            ramp: scenario.learning.ramp,
        };
        let first = game.states().next().expect("first prices").0;
        let mut rounds = 0;
        for ((state, found), round) in
            game.rounds().zip(Iteration::new(market, &first.prices, &game.opened.game.first_choice))
        {
            assert_close(&state.prices, &round.prices, 1e-9);
            assert_close(&found.demand, &round.aggregate.demand, 1e-9);
            assert_close(&found.held, &round.aggregate.held, 1e-9);
            assert_close(&found.net_utility, &round.aggregate.net_utility, 1e-9);
            rounds += 1;
        }
        assert!(rounds > 30, "{demand}, {steps}: {rounds} rounds");
    }
}

/// With fixed steps nobody can tell that it knows all because there are no more. Scaled ones differ: those of prices go
/// by what is held in each seller, not by how many there are.
#[test]
fn whoever_draws_all_plays_as_those_who_know_all() {
    let pair = |learning: &str| {
        ["choice_set: All, fitness: Private", "choice_set: Sample(1000)"]
            .map(|choice_set| Game::of(&noon(40, &format!("{choice_set}, {learning}"), "")))
    };
    let [all, drawn] = pair("replicator_step: Fixed(0.1), price_step: Fixed(0.02)");
    assert!(all.rounds().count() > 50);
    for ((all, _), (drawn, _)) in all.rounds().zip(drawn.rounds()) {
        assert_close(&all.prices, &drawn.prices, 1e-9);
    }
    let [all, drawn] = pair("");
    assert!(all.rounds().zip(drawn.rounds()).any(|(all, drawn)| (all.0.prices[0] - drawn.0.prices[0]).abs() > 1e-3));
    assert!(all.end().at_the_closed_form() && drawn.end().at_the_closed_form());
    assert_close(all.prices(), drawn.prices(), 1e-5);
}

#[test]
fn two_thousand_clear_at_one_price_where_each_buyer_knows_sixteen_sellers() {
    let game = Game::of(&noon(2000, "choice_set: Sample(16)", ""));
    let end = game.end();
    assert!(end.outcome == Outcome::Equilibrium && end.corner == Corner::Interior, "{end:?}");
    assert!(end.price_gap < 1e-6, "{end:?}");
    let reach = game.reach();
    assert!(reach.iter().all(|&reach| reach > 1.0), "everybody is known to enough");
}

/// A seller whom too few know cannot sell out at the price of the others, even if all who know it bought from nobody
/// else. It has to be cheaper.
#[test]
fn two_thousand_do_not_where_each_knows_four() {
    let game = Game::of(&short(240, noon(2000, "choice_set: Sample(4)", "")));
    let (end, price) = (game.end(), game.theory().price);
    assert!(end.corner == Corner::Interior && end.price_gap > 0.1, "{end:?}");
    let short: Vec<f64> =
        game.reach().iter().zip(game.prices()).filter(|(reach, _)| **reach < 1.0).map(|(_, price)| *price).collect();
    assert!(short.len() > 10, "{} sellers are known to too few", short.len());
    assert!(short.iter().all(|cheap| *cheap < price - 1e-3), "{short:?} where the others ask {price}");
}

#[test]
fn whom_buyers_know_depends_on_the_seed_alone() {
    let game = |more: &str| Game::of(&short(60, noon(60, "choice_set: Sample(4)", more)));
    let reference = game("");
    for more in [
        r#"network: (delay: Uniform(min: "10ms", max: "2s"), loss: 0.1),"#,
        r#"activation: Poisson(period: "1s"),"#,
        r#"activation: Reactive(min_interval: "500ms"), ledger: (posts: Last),"#,
        "preferences: (mu: 0.5),",
    ] {
        assert_eq!(game(more).known(), reference.known(), "{more}");
    }
    assert_ne!(game("seed: 7,").known(), reference.known());
    // Drawing whom to know shifts nothing that others draw.
    let all = Game::of(&short(60, noon(60, "choice_set: All", "")));
    let first = |game: &Game| game.states().next().expect("first prices").0.prices.clone();
    assert_eq!((&all.opened.game.first_choice, first(&all)), (&reference.opened.game.first_choice, first(&reference)));
}

#[test]
fn buyers_that_have_lost_their_memory_know_the_same_sellers() {
    let game = Game::of(&noon(
        80,
        "choice_set: Sample(8), adaptation: DelayAware",
        r#"network: (groups: {"fragile": Share(0.5)}, conditions: [
            (at: "20s", lasting: "3s", every: "20s", what: Crash(who: Group("fragile"), memory: Lost))])"#,
    ));
    game.known();
    // Crashed buyers are those that do not post for three seconds, and then do again.
    let mut last = BTreeMap::new();
    let silences = game.choices.iter().filter(|(time, number, _)| {
        let before = last.insert(*number, *time);
        before.is_some_and(|before| *time - before > Duration::from_secs(3))
    });
    let crashed: BTreeSet<Number> = silences.map(|(_, number, _)| *number).collect();
    assert!(crashed.len() > 10, "{crashed:?}");
    assert!(game.end().at_the_closed_form(), "{:?}", game.end());
}

#[test]
fn tables_and_chains_are_the_same_whatever_the_shards() {
    for (network, activation) in
        [("", "LockStep"), (r#"delay: LogNormal(min: "5ms", median: "300ms", sigma: 0.5), loss: 0.02"#, "Poisson")]
    {
        let more = format!(r#"activation: {activation}(period: "1s"), network: ({network}),"#);
        let plan = short(20, noon(300, "choice_set: Sample(8)", &more));
        assert_same_whatever_the_shards(&plan, &[Shards::Fixed(2), Shards::Fixed(3), Shards::Fixed(8)]);
    }
}

#[test]
fn which_posts_stand_on_the_chain_changes_nothing_in_the_market() {
    let prices = |posts: &str| {
        let more = format!(
            r#"activation: Independent(period: "1s", jitter: 0.3), network: (delay: Constant("400ms")),
            ledger: (posts: {posts}, block: (timeout: "300ms")),"#
        );
        let game = Game::of(&short(60, noon(90, "choice_set: Sample(4), adaptation: DelayAware", &more)));
        game.states().map(|(state, _)| state.clone()).collect::<Vec<_>>()
    };
    let (every, last) = (prices("Every"), prices("Last"));
    assert!(every.len() > 100, "{} states", every.len());
    assert!(every == last, "they differ");
}

#[test]
fn ledgers_verify_and_books_are_at_zero() {
    for (count, more) in [
        (40, "ledger: (posts: Every, signatures: Everything),"),
        (120, r#"ledger: (posts: Last), activation: Poisson(period: "1s"), network: (loss: 0.1),"#),
    ] {
        let plan = short(15, noon(count, "choice_set: Sample(6)", more));
        let root = tempfile::tempdir().unwrap();
        let file = recorded(&plan, root.path()).join(schema::FILE);
        let report = verify(&file, &mut |_| {}).unwrap_or_else(|error| panic!("{more}: {error}"));
        assert!(report.cases[0].closed == 1 && report.cases[0].bills > 50, "{report:?}");
        assert_conserved(&run(&only_case(&plan)), 1, count as usize);
    }
}

#[test]
fn delay_aware_buyers_of_eight_sellers_find_the_closed_form_under_delay() {
    for activation in ["LockStep", "Poisson"] {
        for delay in ["0s", "500ms", "2s"] {
            let more = format!(
                r#"activation: {activation}(period: "1s"), network: (delay: Constant("{delay}")), ledger: (posts: Last),"#
            );
            let game = |adaptation: &str| {
                Game::of(&noon(80, &format!("choice_set: Sample(8), adaptation: {adaptation}"), &more))
            };
            let aware = game("DelayAware");
            assert!(aware.reach().iter().all(|&reach| reach > 1.0), "everybody is known to enough");
            assert!(aware.end().at_the_closed_form(), "{activation}, delay {delay}: {:?}", aware.end());
            if delay == "2s" {
                let end = game("None").end();
                assert!(end.outcome == Outcome::GateClosure && end.price_gap > 1e-3, "{activation}: {end:?}");
            }
        }
    }
}

/// Where choices come one by one, the ledger keeps its sums up to date instead of adding up all of them.
#[test]
fn what_the_market_shows_is_the_sum_of_the_choices_in_force() {
    for choice_set in [ChoiceSet::All, ChoiceSet::Sample(8)] {
        let learning = format!("choice_set: {choice_set:?}, fitness: Private, tolerance: 1e-6");
        let more = r#"activation: Poisson(period: "1s"), ledger: (posts: Last, block: (timeout: "10ms")),"#;
        let game = Game::of(&noon(200, &learning, more));
        let buyers = game.buyers();
        let many = game.log.observed.iter().filter(|observed| {
            let Observation::Committed(commit) = &observed.what else { return false };
            commit.off_chain as usize * 2 > buyers.len()
        });
        assert_eq!(many.count(), 0, "few choices change at a time");
        let (state, kept) = game.rounds().last().expect("a choice");
        let mut sums = Sums::new(choice_set, game.opened.sellers.len(), 0.4, 0.0);
        assert_eq!(game.choices.len(), buyers.len(), "the last choices");
        sums.add(game.choices.iter().zip(&buyers).map(|((_, _, choice), buyer)| choice.posted(buyer)));
        let fresh = sums.aggregate(&game.opened.surplus, &state.prices, BAND);
        for (kept, fresh) in [
            (&kept.demand, &fresh.demand),
            (&kept.net_utility, &fresh.net_utility),
            (&kept.mean_share, &fresh.mean_share),
            (&kept.held, &fresh.held),
        ] {
            assert_close(kept, fresh, 1e-12);
        }
        assert_ne!(kept.demand, fresh.demand, "they are not added up anew each time");
    }
}
