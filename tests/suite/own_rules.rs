//! Rules that a program gives in the place of the simulator's own: one that does the same changes nothing, one that
//! misbehaves is refused by name, and every run can be repeated.

use crate::{
    determinism::{ALL_SHARDS, different, files, leave_out},
    ordering::Notebook,
    support::{only_case, recorded, repository, shipped},
    wall_clock::one_slot,
};
use microgrid_sim::agents::ids::GRID;
use microgrid_sim::network::TooSoon;
use microgrid_sim::{
    agents::{
        chain::refusal::Refusal,
        ledger::Durability,
        market::{replicator::largest_change, shares::explore},
        message::MarketState,
        observation::Observation,
    },
    ledger::{schema, verify},
    prelude::*,
    record::{Record, RecordError, Recorder, Run},
    runtime::{Failure, RuntimeError},
    scenario::{Custom, Observer, Overrides, Plan, Rule, Whose},
    simulation::simulate,
    study::StudyError,
};
use rand::{Rng, RngExt};
use std::{
    collections::BTreeSet,
    num::NonZero,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Excess-demand pricing, written out once more.
#[derive(Clone, Debug)]
struct SamePricing;

impl PricingRule for SamePricing {
    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        let Offer { price, demand, surplus, step, band, ramp, .. } = *offer;
        let reach = ramp * price.abs().max(band.ceiling - band.floor);
        (price + step * (demand - surplus)).max(band.floor.max(price - reach)).min(band.ceiling.min(price + reach))
    }
}

/// Replicator dynamics, by the same function.
#[derive(Clone, Debug)]
struct SameChoice;

impl ChoiceRule for SameChoice {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, _: &mut Stream) -> f64 {
        replicator_step(shares, lesson.fitness, lesson.step)
    }
}

/// What a scenario says of its links, and nothing else.
#[derive(Debug)]
struct SameNetwork(Bounds);

impl Carrier for SameNetwork {
    fn carry(&self, letter: &Letter, random: &mut Stream) -> Fate {
        letter.usual.fate(random)
    }

    fn bounds(&self) -> Bounds {
        self.0
    }
}

/// Always the same delay.
#[derive(Debug)]
struct Ten;

const TEN: Duration = Duration::from_millis(10);

impl Carrier for Ten {
    fn carry(&self, _: &Letter, _: &mut Stream) -> Fate {
        Fate::Arrives(TEN)
    }

    fn bounds(&self) -> Bounds {
        Bounds::delays(TEN, TEN)
    }
}

fn everybody(rules: impl IntoIterator<Item = Rule>) -> Custom {
    Custom { rules: rules.into_iter().map(|rule| (Whose::Everybody, rule)).collect(), ..Custom::default() }
}

fn same_rules() -> Custom {
    everybody([Rule::Pricing(Box::new(SamePricing)), Rule::Choice(Box::new(SameChoice))])
}

#[track_caller]
fn assert_changes_nothing(plan: Plan, own: Custom) {
    // How far somebody is from the ledger, only an own carrier itself knows.
    let files = |plan: &Plan, shards| {
        let mut files = files(plan, shards);
        files.iter_mut().for_each(|(name, file)| leave_out("delay_s", name, file));
        files
    };
    let usual = files(&plan, None);
    let plan = {
        let mut plan = plan;
        plan.custom = own;
        plan
    };
    for shards in ALL_SHARDS {
        let differ = different(&usual, &files(&plan, Some(shards))).join(", ");
        assert!(differ.is_empty(), "{differ} differ with {shards:?}");
    }
}

#[test]
fn rules_that_copy_the_usual_ones_change_nothing() {
    assert_changes_nothing(shipped("5_prosumers.ron", &[]), same_rules());
}

#[test]
fn they_change_nothing_where_messages_are_lost_and_prosumers_forget_everything() {
    let mut plan = shipped("5_prosumers.ron", &["mu=1", "loss=0.1"]);
    plan.scenario.market.open = (12, 14).into();
    plan.scenario.network.conditions = crashes();
    assert_changes_nothing(plan, same_rules());
}

#[test]
fn they_change_nothing_where_buyers_know_some_sellers_only_and_explore() {
    let mut plan = shipped("100_prosumers.ron", &["mu=1", "choice_set=Sample(8)", "exploration=0.01"]);
    plan.scenario.market.open = (12, 12).into();
    let usual = files(&plan, None);
    plan.custom = same_rules();
    assert_eq!(different(&usual, &files(&plan, Some(Shards::Fixed(3)))), [""; 0]);
}

#[test]
fn a_network_that_copies_the_usual_one_changes_nothing() {
    let own = Custom { carrier: Some(Arc::new(Ten)), ..Custom::default() };
    assert_changes_nothing(shipped("5_prosumers.ron", &["mu=1"]), own);
}

#[test]
fn a_random_network_that_copies_the_usual_one_changes_nothing() {
    let plan = shipped("5_prosumers.ron", &["mu=1", "loss=0.1", "jitter=0.3"]);
    let (shortest, almost_longest) = (TEN.mul_f64(0.7), TEN.mul_f64(1.3));
    let bounds = Bounds { shortest, almost_longest, loss: 0.1 };
    assert_changes_nothing(plan, Custom { carrier: Some(Arc::new(SameNetwork(bounds))), ..Custom::default() });
}

fn crashes() -> Vec<microgrid_sim::scenario::schema::Condition> {
    use microgrid_sim::{
        network::Memory,
        scenario::schema::{Condition, Incident, Who},
    };
    let crash = |number, second: u64| Condition {
        at: Duration::from_secs(12 * 3600 + second),
        lasting: Some(Duration::from_secs(4)),
        every: None,
        what: Incident::Crash { who: Who::Prosumer(number), memory: Memory::Lost },
    };
    vec![crash(1, 20), crash(4, 27)]
}

/// A rule with a memory and some chance: it counts how often it was asked.
#[derive(Clone, Debug)]
struct Counting {
    asked: u32,
    longest: Arc<AtomicU64>,
}

impl PricingRule for Counting {
    fn next_price(&mut self, offer: &Offer<'_>, random: &mut Stream) -> f64 {
        self.asked += 1;
        self.longest.fetch_max(u64::from(self.asked), Ordering::Relaxed);
        let shiver = if self.asked < 20 { 1e-3 * (random.random::<f64>() - 0.5) } else { 0.0 };
        offer.moved_by(offer.step * offer.excess() + shiver)
    }
}

#[test]
fn a_rule_s_memory_lasts_over_slots_and_is_lost_in_a_crash() {
    let longest = |crash: bool| {
        let asked = Arc::new(AtomicU64::new(0));
        let mut plan = shipped("5_prosumers.ron", &["mu=1"]);
        plan.scenario.market.open = (11, 12).into();
        if crash {
            let mut crash = crashes().remove(0);
            // Between the slots.
            crash.at = Duration::from_secs(11 * 3600 - 60);
            plan.scenario.network.conditions = vec![crash];
        }
        let rule = Rule::Pricing(Box::new(Counting { asked: 0, longest: Arc::clone(&asked) }));
        plan.custom.rules = vec![(Whose::These([1].into()), rule)];
        let reference = files(&plan, Some(Shards::Fixed(1)));
        for shards in [Shards::PerActor, Shards::Fixed(3)] {
            assert_eq!(different(&reference, &files(&plan, Some(shards))), [""; 0]);
        }
        asked.load(Ordering::Relaxed)
    };
    let (kept, lost) = (longest(false), longest(true));
    assert!(lost < kept && 2 * lost >= kept, "{lost} of {kept}");
}

/// What an own rule may come up with.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    NoNumber,
    TooDear,
    TooFast,
    TooMuch,
    Negative,
}

impl PricingRule for Wrong {
    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        match self {
            Self::NoNumber => f64::NAN,
            Self::TooDear => offer.band.ceiling + 0.1,
            _ if offer.price > 0.6 => offer.band.floor,
            _ => offer.band.ceiling,
        }
    }
}

impl ChoiceRule for Wrong {
    fn learn(&mut self, shares: &mut [f64], _: &Lesson<'_>, _: &mut Stream) -> f64 {
        match self {
            Self::NoNumber => shares[0] = f64::NAN,
            Self::Negative => {
                shares[0] = -0.5;
                shares[1] = 1.5 - shares[2..].iter().sum::<f64>();
            }
            _ => shares[0] += 0.5,
        }
        0.0
    }
}

fn noon() -> SimulationBuilder {
    let builder = Simulation::builder().file(repository("scenarios/5_prosumers.ron")).set("mu", 1);
    builder.edit(|scenario| {
        scenario.market.open = (12, 12).into();
        scenario.market.gate_closure = Duration::from_secs(60);
    })
}

/// Runs noon with a rule that misbehaves; what is refused is refused to this prosumer, for this reason, and all else is
/// in order.
#[track_caller]
fn assert_refused(simulation: SimulationBuilder, prosumer: u32, reason: Refusal) {
    let simulation = simulation.build().unwrap();
    let results = simulation.run().unwrap();
    let case = &results.cases[0];
    // Posts that are under way as the gate closes come too late, whoever sent them.
    let refusals = || case.refusals.iter().filter(|refusals| refusals.reason != Refusal::MarketClosed);
    let whose: BTreeSet<_> = refusals().map(|refusals| (refusals.prosumer, refusals.reason)).collect();
    assert_eq!(whose, [(Some(prosumer), reason)].into());
    assert!(refusals().all(|refusals| refusals.slot == 12 && refusals.count > 10));
    let slot = case.slot(12).unwrap();
    assert!(slot.traded_kwh.value() > 0.0, "the market goes on with its last post that counted");
    let band = 0.45..=simulation.plan().price_bands(1)[11].ceiling;
    assert!(case.prices(12).values().all(|price| band.contains(price)));
    let root = tempfile::tempdir().unwrap();
    let run = simulation.run_into(root.path()).unwrap();
    verify::verify(&run.folder().join(schema::FILE), &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn prices_that_are_none_are_refused() {
    assert_refused(noon().pricing_of([5], Wrong::NoNumber), 5, Refusal::NotFinite);
    assert_refused(noon().pricing_of([5], Wrong::TooDear), 5, Refusal::PriceOutOfBand);
    assert_refused(noon().pricing_of([5], Wrong::TooFast), 5, Refusal::PriceBeyondRamp);
}

#[test]
fn shares_that_are_none_are_refused() {
    let buyers = noon().run().unwrap().cases[0].trades.iter().map(|trade| trade.buyer).collect::<BTreeSet<_>>();
    let buyer = *buyers.first().unwrap();
    assert_refused(noon().choice_of([buyer], Wrong::NoNumber), buyer, Refusal::NotFinite);
    assert_refused(noon().choice_of([buyer], Wrong::TooMuch), buyer, Refusal::InvalidShares);
    assert_refused(noon().choice_of([buyer], Wrong::Negative), buyer, Refusal::InvalidShares);
}

/// Asks a price that tells its number.
#[derive(Clone, Debug)]
struct Numbered;

fn price_of(seller: u32, floor: f64) -> f64 {
    floor + 1e-3 * f64::from(seller)
}

impl PricingRule for Numbered {
    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        let me = offer.sellers().nth(offer.me).expect("it sells");
        offer.moved_by(price_of(me, offer.band.floor) - offer.price)
    }
}

/// Counts the prices that tell a number, each of which has to be that of the seller who asks it.
#[derive(Clone, Debug)]
struct Checking {
    floor: f64,
    told: Arc<AtomicU64>,
}

impl ChoiceRule for Checking {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, _: &mut Stream) -> f64 {
        assert_eq!(lesson.sellers().count(), shares.len());
        for (seller, &price) in lesson.sellers().zip(lesson.prices().iter()) {
            // Others are on their way from the first prices, which are drawn.
            let told = (1..=20).find(|&number| (price - price_of(number, self.floor)).abs() < 1e-9);
            if let Some(number) = told {
                assert_eq!(number, seller);
                self.told.fetch_add(1, Ordering::Relaxed);
            }
        }
        0.0
    }
}

#[test]
fn rules_know_sellers_by_their_numbers() {
    for known in ["All", "Sample(3)"] {
        let rule = Checking { floor: 0.45, told: Arc::default() };
        let told = Arc::clone(&rule.told);
        let builder = Simulation::builder().file(repository("scenarios/100_prosumers.ron"));
        let builder = builder.set("population", 20).set("choice_set", known);
        let builder = builder.edit(|scenario| scenario.market.open = (12, 12).into());
        builder.pricing(Numbered).choice(rule).run().unwrap();
        let told = told.load(Ordering::Relaxed);
        assert!(told > 50, "{told}");
    }
}

/// Looks for a seller that there is not, in the first slot that it plays; or for its first price already.
#[derive(Clone, Debug)]
struct Clumsy {
    at_once: bool,
}

impl PricingRule for Clumsy {
    fn first_price(&mut self, _: &MarketOpened, band: PriceBand, _: &mut Stream) -> Option<f64> {
        assert!(!self.at_once, "no idea");
        Some(band.ceiling)
    }

    fn next_price(&mut self, offer: &Offer<'_>, _: &mut Stream) -> f64 {
        offer.news.prices[offer.news.prices.len()]
    }
}

#[test]
fn a_rule_that_panics_is_told_with_its_prosumer_and_slot_in_either_clock() {
    for shards in [Shards::Fixed(1), Shards::Fixed(3)] {
        let error = noon().pricing_of([5], Clumsy { at_once: false }).shards(shards).run().unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("case 1: prosumer 5 panicked in slot 12: index out of bounds: the len is "), "{said}");
        assert!(said.contains(" (tests/suite/own_rules.rs:"), "{said}");
    }
    let day = only_case(&shipped("5_prosumers.ron", &["mu=1"]));
    let mut plan = one_slot(&day, 17, "10s", 600.0);
    plan.custom = everybody([Rule::Pricing(Box::new(Clumsy { at_once: true }))]);
    let (_, result) = simulate(&only_case(&plan), None, &Arc::default(), Notebook::default());
    let said = result.unwrap_err().to_string();
    assert!(said.contains(" panicked in slot 1: no idea (tests/suite/own_rules.rs:"), "{said}");
}

#[derive(Debug)]
struct Hasty;

impl Carrier for Hasty {
    fn carry(&self, letter: &Letter, _: &mut Stream) -> Fate {
        Fate::Arrives(if letter.to == GRID { TEN / 2 } else { TEN })
    }

    fn bounds(&self) -> Bounds {
        Bounds::delays(TEN, TEN)
    }
}

#[test]
fn a_network_that_is_quicker_than_it_says_ends_the_run() {
    for shards in [Shards::Fixed(1), Shards::Fixed(3)] {
        let error = noon().network(Hasty).shards(shards).run().unwrap_err();
        let SimulationError::Study(StudyError::Case { source: RuntimeError::Failed(failure), .. }) = &error else {
            panic!("{error}")
        };
        assert!(matches!(failure, Failure::TooSoon(TooSoon { to: GRID, .. })), "{failure}");
        assert!(error.to_string().contains("arrive after 5ms, and says that none takes less than 10ms"), "{error}");
    }
}

/// Loses almost everything for ever.
#[derive(Debug)]
struct Nowhere;

impl Carrier for Nowhere {
    fn carry(&self, _: &Letter, random: &mut Stream) -> Fate {
        if random.next_u64().is_multiple_of(4096) { Fate::Twice(Duration::MAX, Duration::MAX) } else { Fate::Lost }
    }

    fn bounds(&self) -> Bounds {
        Bounds::delays(TEN, TEN)
    }
}

#[test]
fn a_network_that_leads_nowhere_stalls_the_run_and_says_so() {
    let error = noon().network(Nowhere).run().unwrap_err();
    assert!(error.to_string().contains("waits for"), "{error}");
}

#[test]
fn rows_in_memory_are_those_of_the_run_s_folder_whatever_the_jobs() {
    let build = |jobs| {
        let builder = noon().vary("delay", ["10ms", "100ms", "300ms"]).pricing(SamePricing);
        builder.jobs(NonZero::new(jobs).unwrap()).build().unwrap()
    };
    let results = build(1).run().unwrap();
    assert_eq!(build(3).run().unwrap(), results);
    let root = tempfile::tempdir().unwrap();
    let run = build(2).run_into(root.path()).unwrap();
    fn all<R: microgrid_sim::record::Row>(run: &Run) -> Vec<R> {
        run.rows().unwrap().map(Result::unwrap).collect()
    }
    let cases = &results.cases;
    assert_eq!(cases.len(), 3);
    assert_eq!(all::<SlotRow>(&run), cases.iter().flat_map(|case| case.slots.clone()).collect::<Vec<_>>());
    assert_eq!(all::<ProsumerRow>(&run), cases.iter().flat_map(|case| case.prosumers.clone()).collect::<Vec<_>>());
    assert_eq!(all::<TradeRow>(&run), cases.iter().flat_map(|case| case.trades.clone()).collect::<Vec<_>>());
    let paths = all::<ConvergenceRow>(&run);
    assert!(paths.len() > 100 && paths == cases.iter().flat_map(|case| case.convergence.clone()).collect::<Vec<_>>());
    assert_eq!(all::<LedgerRow>(&run), cases.iter().flat_map(|case| case.ledger.clone()).collect::<Vec<_>>());
    let figures: Vec<KeyFigures> = cases.iter().map(|case| case.key_figures.clone()).collect();
    assert_eq!(run.key_figures().unwrap(), figures);
    let summaries: Vec<_> = run.summaries().unwrap().map(Result::unwrap).collect();
    assert!(summaries.len() == 3 && summaries == results.summaries);
    let paired: Vec<_> = run.paired().unwrap().map(Result::unwrap).collect();
    assert!(paired.len() > 3 * 20 && paired == results.paired);
}

#[test]
fn what_cases_came_to_in_memory_does_not_depend_on_how_much_is_recorded() {
    let run = |record| {
        let edit = move |scenario: &mut Scenario| scenario.record = record;
        noon().edit(edit).vary("delay", ["10ms", "100ms"]).run().unwrap()
    };
    let (full, summary) = (run(Record::Full), run(Record::Summary));
    assert!(summary.cases.iter().all(|case| case.slots.is_empty() && case.ages.is_empty() && case.trades.is_empty()));
    assert_eq!((summary.summaries, summary.paired), (full.summaries, full.paired));
    assert_eq!(summary.cases[1].ledger, full.cases[1].ledger);
}

#[test]
fn a_simulation_that_is_interrupted_tells_how_far_it_has_come_and_is_resumed() {
    let root = tempfile::tempdir().unwrap();
    let three = || noon().vary("delay", ["10ms", "100ms", "300ms"]).jobs(NonZero::<usize>::MIN);
    let (flag, told) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<Progress>>>::default());
    let (stop, tell) = (Arc::clone(&flag), Arc::clone(&told));
    let simulation = three().interrupt(Arc::clone(&flag)).progress(move |progress| {
        stop.fetch_or(progress.cases_done == 1 && progress.slots_kept == 0, Ordering::Relaxed);
        tell.lock().unwrap().push(progress);
    });
    let simulation = simulation.build().unwrap();
    let error = simulation.run_into(root.path()).unwrap_err();
    let SimulationError::Ended { error: StudyError::Interrupted, folder } = error else { panic!("{error}") };
    let slots = u64::from(simulation.plan().scenario.market.slots);
    let last = told.lock().unwrap().drain(..).next_back().unwrap();
    assert_eq!((last.cases_done, last.cases, last.slots), (1, simulation.case_count(), 3 * slots));

    let other = three().pricing(SamePricing).build().unwrap().resume(&folder);
    assert!(matches!(other, Err(SimulationError::Record(RecordError::OwnRules(_)))), "{other:?}");
    flag.store(false, Ordering::Relaxed);
    let run = simulation.resume(&folder).unwrap();
    let told: Vec<_> = told.lock().unwrap().drain(..).collect();
    let (first, last) = (told[0], told[told.len() - 1]);
    assert_eq!((first.cases_done, first.slots_done, first.slots_kept), (1, slots, slots));
    assert_eq!((last.cases_done, last.slots_done), (3, 3 * slots));
    let whole = three().build().unwrap().run_into(root.path()).unwrap();
    for file in ["slots.csv", "trades.csv", "ledger.csv", "kpis.json", "summary.csv", "paired.csv"] {
        assert_eq!(whole.input(file).unwrap(), run.input(file).unwrap(), "{file}");
    }
    assert_eq!(simulation.resume(&folder).unwrap().manifest(), run.manifest(), "there is nothing left to do");
}

#[test]
fn a_run_with_rules_of_its_own_says_so_and_nobody_resumes_it_without_them() {
    let root = tempfile::tempdir().unwrap();
    let run = noon().network(Ten).build().unwrap().run_into(root.path()).unwrap();
    assert!(run.manifest().own_rules);
    let plan = microgrid_sim::scenario::load(&run.folder().join("scenario.ron"), &Overrides::default()).unwrap();
    assert!(matches!(Recorder::resume(&run, &plan), Err(RecordError::OwnRules(_))));
    let usual = recorded(&plan, root.path());
    assert!(!std::fs::read_to_string(usual.join("manifest.json")).unwrap().contains("own_rules"));
}

#[test]
fn a_scenario_made_in_code_is_the_one_of_the_file() {
    let plan = shipped("5_prosumers.ron", &["mu=1"]);
    let case = plan.cases().next().unwrap();
    let mut scenario = plan.scenario.clone();
    scenario.population = PopulationSource::Synthetic(Synthetic::new(1));
    let tariffs = std::fs::read_to_string(repository("scenarios/data/tariff.csv")).unwrap();
    scenario.market.grid_tariff = Tariff::Csv("night.csv".into());
    let made = Simulation::builder()
        .scenario(scenario)
        .data("night.csv", tariffs)
        .population((*case.population).clone())
        .build()
        .unwrap();
    let [of_file, of_code] = [&plan, made.plan()].map(|plan| plan.cases().next().unwrap());
    assert_eq!(of_file.population, of_code.population);
    assert_eq!(of_file.tariffs, of_code.tariffs);
    let usual = files(&plan, None);
    let differ = different_but_for_data(&usual, &files(made.plan(), None));
    assert_eq!(differ, ["scenario.ron"], "only the names of its data files differ");
}

/// Which of the files in both differ.
fn different_but_for_data<'a>(
    left: &'a std::collections::BTreeMap<String, Vec<u8>>,
    right: &std::collections::BTreeMap<String, Vec<u8>>,
) -> Vec<&'a str> {
    let differ = left.iter().filter(|(name, bytes)| right.get(*name).is_some_and(|other| other != *bytes));
    differ.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn an_observer_sees_everything_and_changes_nothing() {
    let seen: Arc<Mutex<Vec<(Time, ActorId)>>> = Arc::default();
    let (log, closed) = (Arc::clone(&seen), Arc::new(AtomicU64::new(0)));
    let counter = Arc::clone(&closed);
    let watched = noon().observe(move |case, observed| {
        assert_eq!(case, 1);
        log.lock().unwrap().push((observed.time, observed.actor));
        if matches!(observed.what, Observation::SlotClosed(_)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(watched.run().unwrap(), noon().run().unwrap());
    assert_eq!(closed.load(Ordering::Relaxed), 24);
    assert!(seen.lock().unwrap().is_sorted());
}

#[test]
fn what_cannot_be_built_says_why() {
    let said = |builder: SimulationBuilder| builder.build().unwrap_err().to_string();
    assert!(said(Simulation::builder()).starts_with("there is no scenario"));
    assert_eq!(said(noon().pricing_of([6], SamePricing)), "there is no prosumer 6 to have a rule of its own");
    assert!(said(noon().set("mo", 1)).contains("there is no knob or path `mo`"));
    assert!(said(noon().edit(|scenario| scenario.learning.ramp = -1.0)).contains("learning.ramp: not allowed"));
    let few = Scenario::new("few", PopulationSource::Synthetic(Synthetic::new(3)));
    assert!(Simulation::builder().scenario(few.clone()).choice_of([3], SameChoice).build().is_ok());
    assert!(said(Simulation::builder().scenario(few).choice_of([4], SameChoice)).contains("no prosumer 4"));
}

#[test]
fn what_would_change_nothing_is_refused() {
    let said = |builder: SimulationBuilder| builder.build().unwrap_err().to_string();
    let five = || Simulation::builder().file(repository("scenarios/5_prosumers.ron"));
    let edited = || five().edit(|scenario| scenario.preferences.mu = 0.3);
    for builder in [edited(), edited().set("mu", 1).vary("preferences.mu", [0, 1])] {
        let message = said(builder);
        assert!(message.contains("mu: edited and varied") || message.contains("sets again what"), "{message}");
    }
    assert!(edited().set("mu", 1).build().is_ok(), "what is set comes after edits");
    assert!(edited().edit(|scenario| scenario.vary.clear()).build().is_ok(), "nothing is varied any more");
    assert!(said(edited().vary("mu", [0.1, 0.2])).contains("mu: edited and varied"));
    assert!(said(five().vary("mu", [0.1]).set("mu", 1)).contains("`mu` is given twice"));
    let noon = Simulation::builder().ron(r#"(name: "x", population: Synthetic(count: 2))"#).build().unwrap();
    let people = (*noon.plan().cases().next().unwrap().population).clone();
    let twice =
        || Simulation::builder().ron(r#"(name: "x", population: Synthetic(count: 2))"#).population(people.clone());
    assert!(twice().build().is_ok());
    assert!(said(twice().population(people.clone())).contains("population: given twice"));
    let other = |scenario: &mut Scenario| scenario.population = PopulationSource::Synthetic(Synthetic::new(3));
    assert!(said(twice().edit(other)).contains("population: given twice"));
}

#[test]
fn mistakes_made_in_code_name_what_is_wrong_in_a_few_words() {
    let scenario = || Scenario::new("x", PopulationSource::Synthetic(Synthetic::new(500)));
    let plan = Simulation::builder().scenario(scenario()).build().unwrap();
    let mut people = (*plan.plan().cases().next().unwrap().population).clone();
    let mut profile: Vec<_> = people.prosumers[6].profile.iter().collect();
    profile[2].preference_pv = f64::NAN;
    people.prosumers[6].profile = profile.into();
    let error = Simulation::builder().scenario(scenario()).population(people.clone()).build().unwrap_err();
    let SimulationError::Scenario(error) = error else { panic!("{error}") };
    insta::assert_snapshot!(error, @r"
    error: prosumer 7, slot 3: preference_pv: not allowed
     |
     = note: found: NaN
     = note: allowed: a number from 0.000001 to 10000
    ");
    assert_eq!(format!("{error:?}"), error.to_string());
    people.prosumers[6].profile = people.prosumers[5].profile.iter().take(5).collect::<Vec<_>>().into();
    let error = Simulation::builder().scenario(scenario()).population(people).build().unwrap_err();
    assert!(error.to_string().contains("prosumer 7: the profile does not fit the market"), "{error}");
    let mut wrong = scenario();
    wrong.market.feed_in_tariff = Tariff::Constant(-1.0);
    let said = |builder: SimulationBuilder| builder.build().unwrap_err().to_string();
    insta::assert_snapshot!(said(Simulation::builder().scenario(wrong)), @r"
    error: market.feed_in_tariff.Constant: not allowed
     |
     = note: found: -1
     = note: allowed: 0, or from 0.000001 to 10000; below 0 only with a market.calendar
    ");
    let varied = Simulation::builder().scenario(scenario()).vary("market.feed_in_tariff", [0.3, 0.9]);
    insta::assert_snapshot!(said(varied), @r"
    error: market.feed_in_tariff: with it, market.grid_tariff.Constant: not allowed
     |
     = note: found: 0.9
     = note: found there: 0.85
     = note: allowed: from the feed-in tariff of 0.9 to 10000
    ");
    let long = format!("{:?}", Simulation::builder().ron("(name: \"x\", x: 1)").build().unwrap_err());
    assert!(long.contains("there is no field `x`") && long.len() < 1000, "{long}");
}

/// Its own exploration.
#[derive(Clone, Debug)]
struct Exploring;

impl ChoiceRule for Exploring {
    fn learn(&mut self, shares: &mut [f64], lesson: &Lesson<'_>, random: &mut Stream) -> f64 {
        let before = shares.to_vec();
        SameChoice.learn(shares, lesson, random);
        explore(shares, 0.05);
        largest_change(&before, shares)
    }
}

#[test]
fn of_several_rules_for_one_prosumer_the_last_one_counts() {
    let own = noon().choice(Wrong::TooMuch).choice(Exploring).run().unwrap();
    let scenario_s = noon().set("exploration", 0.05).run().unwrap();
    assert_eq!(own.cases[0].convergence, scenario_s.cases[0].convergence);
}

/// The usual pricing, which counts how often it acts on a market state that nobody has been shown yet.
#[derive(Clone, Debug, Default)]
struct Ahead {
    /// The newest market state that was shown: slot and number.
    shown: Arc<AtomicU64>,
    acts: Arc<AtomicU64>,
    ahead: Arc<AtomicU64>,
}

fn label(state: &MarketState) -> u64 {
    u64::from(state.slot) << 32 | state.number
}

impl PricingRule for Ahead {
    fn next_price(&mut self, offer: &Offer<'_>, random: &mut Stream) -> f64 {
        self.acts.fetch_add(1, Ordering::Relaxed);
        if label(offer.news) > self.shown.load(Ordering::Relaxed) {
            self.ahead.fetch_add(1, Ordering::Relaxed);
        }
        SamePricing.next_price(offer, random)
    }
}

#[test]
fn with_durability_block_nobody_acts_on_what_is_not_recorded() {
    let ahead = Ahead::default();
    let shown = Arc::clone(&ahead.shown);
    let mut plan = shipped("5_prosumers.ron", &["mu=1"]);
    plan.scenario.market.open = (16, 17).into();
    plan.scenario.ledger.durability = Durability::Block;
    plan.custom = everybody([Rule::Pricing(Box::new(ahead.clone()))]);
    plan.custom.observer = Some(Observer::new(move |_, observed| {
        if let Observation::Committed(commit) = &observed.what {
            shown.store(label(&commit.state), Ordering::Relaxed);
        }
    }));
    files(&plan, Some(Shards::Fixed(1)));
    assert!(ahead.acts.load(Ordering::Relaxed) > 100);
    assert_eq!(ahead.ahead.load(Ordering::Relaxed), 0);
}
