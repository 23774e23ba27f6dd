//! Every mistake in a scenario is shown where it is, with what was found and what is allowed.

use microgrid_sim::scenario::{Overrides, load};
use std::{fs, process::Command};

const PROFILES: &str = "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid
1,1,0,1,2,1.5
1,2,3,1,2,1.5
1,3,3,1,2,1.5
2,1,0,1,2,1.5
2,2,2,1,2,1.5
2,3,0,1,2,1.5
3,1,0,1,2,1.5
3,2,0,1,2,1.5
3,3,0,1,2,1.5
";
const TARIFF: &str = "slot,grid_tariff_cny_per_kwh
1,0.5
2,0.85
3,0.45
";

/// A folder with a sound scenario's data, for a scenario to go wrong in.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        Self(folder).with("profiles.csv", PROFILES).with("tariff.csv", TARIFF)
    }

    fn with(self, file: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.path().join(file), text).unwrap();
        self
    }

    /// The message about `file`, with the folder's path left out.
    fn message(&self, file: &str, overrides: &Overrides) -> String {
        let folder = self.0.path();
        let message = load(&folder.join(file), overrides).expect_err("the scenario is bad").to_string();
        // The terminal obeys no sign of a scenario.
        let message = ['\u{1b}', '\u{200b}', '\u{202c}', '\u{202d}', '\u{202e}']
            .iter()
            .fold(message, |shown, sign| shown.replace(*sign, &sign.escape_unicode().to_string()));
        self.assert_refused(file, overrides, &message);
        message.replace(&format!("{}/", folder.display()), "").replace(&folder.display().to_string(), ".")
    }

    /// The command says just this about `file`, exits with code 2 and leaves no results.
    fn assert_refused(&self, file: &str, overrides: &Overrides, message: &str) {
        let results = self.0.path().join("results");
        let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
        sim.arg(self.0.path().join(file)).arg("--out").arg(&results);
        sim.args(overrides.seed.map(|seed| format!("--seed={seed}")));
        sim.args(overrides.set.iter().map(|setting| format!("--set={setting}")));
        let output = sim.output().expect("the command runs");
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).trim_end(), message.trim_end());
        assert!(output.stdout.is_empty() && !results.exists(), "{message}");
    }
}

/// The message about a sound scenario of three slots to which these fields are added.
fn fields(fields: &str) -> String {
    scenario(sound(fields))
}

fn sound(fields: &str) -> String {
    let market = if fields.contains("market:") {
        ""
    } else {
        "\n    market: (slots: 3, open: (1, 3), grid_tariff: Csv(\"tariff.csv\")),"
    };
    let population = if fields.contains("population:") { "" } else { "\n    population: Profiles(\"profiles.csv\")," };
    let name = if fields.contains("name:") { "" } else { "\n    name: \"bad\"," };
    format!("Scenario({name}{population}{market}\n    {fields}\n)\n")
}

fn scenario(text: impl AsRef<[u8]>) -> String {
    Folder::new().with("bad.ron", text).message("bad.ron", &Overrides::default())
}

fn profiles(text: impl AsRef<[u8]>) -> String {
    Folder::new().with("bad.ron", sound("")).with("profiles.csv", text).message("bad.ron", &Overrides::default())
}

fn tariff(text: &str) -> String {
    Folder::new().with("bad.ron", sound("")).with("tariff.csv", text).message("bad.ron", &Overrides::default())
}

fn set(arguments: &[&str]) -> String {
    overridden("", None, arguments)
}

/// The message about a sound scenario with these fields, of which the command line changes something.
fn overridden(fields: &str, seed: Option<u64>, arguments: &[&str]) -> String {
    let set = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Folder::new().with("bad.ron", sound(fields)).message("bad.ron", &Overrides { seed, set })
}

#[test]
fn the_scenario_to_go_wrong_is_sound() {
    let folder = Folder::new().with("bad.ron", sound(""));
    assert_eq!(load(&folder.0.path().join("bad.ron"), &Overrides::default()).unwrap().case_count(), 1);
}

macro_rules! messages {
    ($($name:ident: $message:expr,)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!($message);
        })*
    };
}

// The file.
messages! {
    no_such_file: Folder::new().message("nowhere.ron", &Overrides::default()),
    a_folder: Folder::new().message("data", &Overrides::default()),
    empty_file: scenario("\n  \n"),
    only_a_comment: scenario("// nothing here\n"),
    not_utf8: scenario(b"Scenario(\n    name: \"M\xfcnchen\",\n)\n"),
    with_a_nul: scenario(b"Scenario(\n    name: \"b\0d\",\n)\n"),
    in_yaml: scenario("# a study\nname: bad\npopulation:\n  count: 5\n"),
    in_toml: scenario("name = \"bad\"\n\n[population]\ncount = 5\n"),
    in_json: scenario("{\n    \"name\": \"bad\",\n    \"population\": {\"count\": 5}\n}\n"),
    in_curly_brackets: scenario("Scenario {\n    name: \"bad\",\n    population: Synthetic(count: 5),\n}\n"),
    without_brackets: scenario("name: \"bad\",\npopulation: Synthetic(count: 5),\n"),
    a_script: scenario("#!/usr/bin/env sim\nScenario(name: \"bad\", population: Synthetic(count: 5))\n"),
}

// Its syntax and types.
messages! {
    missing_comma: scenario("Scenario(\n    name: \"bad\"\n    population: Synthetic(count: 5),\n)\n"),
    unclosed_bracket: scenario("Scenario(\n    name: \"bad\",\n    population: Synthetic(count: 5),\n"),
    unclosed_string: scenario("Scenario(\n    name: \"bad,\n)\n"),
    trailing_text: scenario("Scenario(name: \"bad\", population: Synthetic(count: 5))\nand more\n"),
    unknown_field: fields("netwrok: (loss: 0.1),"),
    unknown_field_in_a_variant: fields("activation: LockStep(perid: \"1s\"),"),
    unknown_variant: fields("preferences: (demand: Elastisch),"),
    missing_field: scenario("Scenario(\n    name: \"bad\",\n)\n"),
    duplicate_field: fields("seed: 1,\n    seed: 2,"),
    number_as_text: fields("preferences: (alpha: \"0.4\"),"),
    text_as_number: fields("network: (delay: Constant(10)),"),
    fraction_as_count: fields("population: Synthetic(count: 5.5),"),
    negative_count: fields("population: Synthetic(count: -5),"),
    duration_without_quotes: fields("vary: {\"delay\": [10ms, 20ms]},"),
    number_with_letters: fields("vary: {\"mu\": [1x]},"),
    field_by_a_word_of_its_name: fields("market: (fee: 0.1),"),
    no_duration: fields("activation: LockStep(period: \"1 fortnight\"),"),
    one_open_slot: fields("market: (open: (8)),"),
    step_without_kind: fields("learning: (ramp: 0.1, price_step: 0.5),"),
    vary_not_a_map: fields("vary: [\"mu\"],"),
}

// Values that are not allowed.
messages! {
    name_with_a_slash: fields("name: \"../bad\","),
    seed_without_room_for_replicates: fields("seed: 18446744073709551615,"),
    no_slots: fields("market: (slots: 0),"),
    open_reversed: fields("market: (slots: 3, open: (3, 1)),"),
    open_beyond_the_last_slot: fields("market: (slots: 3, open: (1, 4)),"),
    default_open_beyond_the_last_slot: fields("market: (slots: 3),"),
    gate_closure_after_the_slot: fields("market: (slot_length: \"15min\", gate_closure: \"20min\"),"),
    starts_on_the_next_day: fields("market: (starts_at: \"25h\"),"),
    gate_closure_zero: fields("market: (gate_closure: \"0s\"),"),
    negative_feed_in_tariff: fields("market: (feed_in_tariff: -0.45),"),
    constant_tariff_below_feed_in: fields("market: (feed_in_tariff: 0.45, grid_tariff: Constant(0.4)),"),
    infinite_fee: fields("market: (service_fee: inf),"),
    no_prosumers: fields("population: Synthetic(count: 0),"),
    uniform_reversed: fields("population: Synthetic(count: 5, load_kw: Uniform(min: 2, max: 1)),"),
    preference_of_a_synthetic_population: fields(
        "population: Synthetic(count: 5),\n    preferences: (preference_pv: 2.0),"
    ),
    alpha_too_small: fields("preferences: (alpha: 1e-7),"),
    alpha_nan: fields("preferences: (alpha: NaN),"),
    mu_above_one: fields("preferences: (eta: 0.2, mu: 1.5),"),
    efficiency_above_one: fields("storage: (capacity_kwh: 10, power_kw: 5, efficiency: 1.05),"),
    efficiency_zero: fields("storage: (capacity_kwh: 10, power_kw: 5, efficiency: 0),"),
    more_stored_than_fits: fields("storage: (capacity_kwh: 10, power_kw: 5, initial_kwh: 11),"),
    nobody_known: fields("learning: (choice_set: Sample(0)),"),
    known_sellers_without_number: fields("learning: (choice_set: Sample),"),
    public_fitness_of_known_sellers: fields("learning: (choice_set: Sample(4), fitness: Public),"),
    public_fitness_of_a_part: fields(
        "learning: (choice_set: Sample(4), mix: [\n        (share: 0.2, behaviour: Imitation),\n        \
         (share: 0.5, fitness: Public),\n    ]),"
    ),
    negative_step: fields("learning: (replicator_step: Scaled(-0.3)),"),
    tolerance_zero: fields("learning: (tolerance: 0),"),
    patience_zero: fields("learning: (patience: 0),"),
    period_zero: fields("activation: LockStep(period: \"0s\"),"),
    everything_lost: fields("network: (loss: 1.0),"),
    empty_blocks: fields("ledger: (block: (max_transactions: 0)),"),
    no_peers: fields("ledger: (peers: 0),"),
    more_peers_than_prosumers: fields("ledger: (peers: 4),"),
    more_peers_than_synthetic_prosumers: fields("population: Synthetic(count: 5),\n    ledger: (peers: 6),"),
    clients_of_an_unknown_group: fields("ledger: (peers: 2, clients: ByGroup({\"far\": 2})),"),
    clients_of_an_unknown_peer: fields(
        "network: (groups: {\"far\": Prosumers([2])}),\n    ledger: (peers: 2, clients: ByGroup({\"far\": 3})),"
    ),
    more_endorsers_than_peers: fields("ledger: (peers: 2, policy: AtLeast(3)),"),
    link_of_an_unknown_peer: fields(
        "ledger: (peers: 2),\n    network: (links: [(from: Peer(3), to: Orderer, loss: 0.1)]),"
    ),
    crash_of_a_peer_that_is_awaited: fields(
        "ledger: (peers: 2),\n    network: (conditions: [(at: \"1h\", what: Crash(who: Peer(2)))]),"
    ),
    crash_of_all_peers: fields(
        "ledger: (peers: 2, on_outage: Switch),\n    network: (conditions: [\n        (at: \"1h\", what: Crash(who: Peer(1))),\n        \
         (at: \"2h\", what: Crash(who: Peer(2))),\n    ]),"
    ),
    last_posts_of_orders_at_peers: fields(
        "market: (slots: 3, open: (1, 3), mechanism: UniformPriceAuction()),\n    ledger: (peers: 2, posts: Last),"
    ),
    last_posts_of_orders: fields(
        "market: (slots: 3, open: (1, 3), mechanism: ContinuousDoubleAuction),\n    ledger: (posts: Last),"
    ),
    no_replicates: fields("replicates: 0,"),
    choice_negative: fields("learning: (initial_choice: Fixed([1.2, -0.2])),"),
    choice_not_summing_to_one: fields("learning: (initial_choice: Fixed([0.6, 0.3])),"),
    choice_of_another_length: fields("learning: (initial_choice: Fixed([0.5, 0.5])),"),
    price_of_another_length: fields("learning: (initial_price: Fixed([0.5])),"),
    price_outside_the_tariffs: fields(
        "market: (slots: 3, open: (2, 2), grid_tariff: Csv(\"tariff.csv\")),\n    \
         learning: (initial_price: Fixed([0.5, 0.9])),"
    ),
}

// Knobs.
messages! {
    unknown_knob: fields("vary: {\n        \"mu\": [0, 1],\n        \"jiter\": [0.1],\n    },"),
    misspelt_knob: fields("vary: {\"price_stp\": [0.1]},"),
    nothing_to_vary: fields("vary: {\"mu\": []},"),
    knob_given_twice: fields("vary: {\"mu\": [0], \"eta\": [0.1], \"mu\": [1]},"),
    knob_of_the_wrong_type: fields("vary: {\"period\": [\"1s\", 2]},"),
    knob_out_of_range: fields("vary: {\"mu\": [0, 0.5, 1.5]},"),
    profiles_resized: fields("vary: {\"population\": [10, 20]},"),
    too_many_cases: fields("vary: {\"mu\": [0, 0.5, 1]},\n    replicates: 1000000,"),
    argument_without_value: set(&["mu"]),
    argument_with_an_unknown_knob: set(&["eta=0.1", "nu=0.5"]),
    argument_of_the_wrong_type: set(&["mu=one"]),
    argument_out_of_range: set(&["mu=0,0.5,2"]),
    argument_that_resizes_profiles: set(&["population=10"]),
    argument_that_varies_the_seed_of_replicates: overridden("replicates: 3,", None, &["mu=1", "seed=5,6"]),
    argument_given_twice: set(&["mu=0", "eta=0.1", "mu=1"]),
    argument_with_the_seed_again: overridden("", Some(7), &["seed=8"]),
    argument_seed_out_of_range: overridden("", Some(u64::MAX), &[]),
    seeds_of_replicates: fields("vary: {\"mu\": [0, 1], \"seed\": [5, 6]},\n    replicates: 3,"),
}

// Knobs of asynchrony.
messages! {
    argument_of_a_misspelt_knob: set(&["activaton=Poisson(period: \"1s\")"]),
    argument_without_unit: set(&["delay=10"]),
    argument_with_an_empty_value: set(&["mu=0,,1"]),
    argument_with_no_value: set(&["mu="]),
    argument_activation_misspelt: set(&["activation=Lockstep(period: \"1s\")"]),
    argument_activation_without_period: set(&["activation=Poisson"]),
    argument_activation_out_of_range: set(&["activation=Independent(period: \"1s\", jitter: 1)"]),
    argument_mechanism_misspelt: set(&["mechanism=TwoLevelGame,Negotiations(rho: 1)"]),
    argument_mechanism_without_brackets: set(&["mechanism=Negotiation"]),
    argument_mechanism_with_an_unknown_parameter: set(&["mechanism=Negotiation(roh: 1)"]),
    argument_mechanism_with_fields_that_it_has_not: set(&["mechanism=TwoLevelGame(rho: 1)"]),
    argument_mechanism_with_a_unit: set(&["mechanism=Negotiation(rho: 1 kWh)"]),
    argument_mechanisms_between_semicolons: set(&["mechanism=MidMarketRate;Negotiation()"]),
    argument_mechanisms_in_a_list: set(&["mechanism=[MidMarketRate, Negotiation()]"]),
    argument_mechanism_behind_its_part: set(&["rho=2", "mechanism=Negotiation()"]),
    mechanism_without_brackets: fields("market: (slots: 3, open: (1, 3), mechanism: UniformPriceAuction),"),
    mechanism_with_fields_that_it_has_not: fields("market: (slots: 3, open: (1, 3), mechanism: TwoLevelGame(rho: 1)),"),
    mechanism_with_a_unit: fields("market: (slots: 3, open: (1, 3), mechanism: Negotiation(rho: 1 kWh)),"),
    argument_mechanism_of_known_sellers: set(&["mechanism=Negotiation(rho: 1)", "choice_set=Sample(3)"]),
    argument_rho_out_of_range: set(&["mechanism=Negotiation(rho: 1)", "rho=0"]),
    argument_rho_without_a_negotiation: set(&["rho=1"]),
    argument_adaptation_misspelt: set(&["adaptation=None,DelayAwre"]),
    argument_behaviour_without_noise: set(&["behaviour=BestResponse"]),
    argument_behaviour_without_any_noise: set(&["behaviour=BestResponse(noise: 0)"]),
    argument_fitness_misspelt: set(&["fitness=Public,private"]),
    argument_choice_set_of_nobody: set(&["choice_set=Sample(4),Sample(0)"]),
    argument_fitness_beyond_the_choice_set: overridden("", None, &["choice_set=Sample(4)", "fitness=Private,Public"]),
    argument_exploration_out_of_range: set(&["exploration=0.1,1"]),
    argument_jitter_out_of_range: set(&["jitter=0,1.5"]),
    argument_duplication_out_of_range: set(&["duplication=-0.1"]),
    argument_group_share_without_groups: set(&["group_share=0.5"]),
    argument_group_share_out_of_range:
        overridden("network: (groups: {\"far\": Share(0.2)}),", None, &["group_share=0.5,1.5"]),
    argument_lasting_without_conditions: set(&["lasting=1min"]),
    argument_lasting_without_unit: overridden(CONDITION, None, &["lasting=60"]),
    argument_lasting_too_long: overridden(CONDITION, None, &["lasting=1min,10min"]),
    argument_that_makes_too_many_cases: overridden("replicates: 1000000,", None, &["mu=0,1"]),
    argument_with_the_seed_of_listed_replicates: overridden("replicates: [1, 2],", Some(7), &[]),
    knob_without_unit: fields("vary: {\"delay\": [\"10ms\", 10]},"),
    knob_with_a_misspelt_variant: fields("vary: {\"adaptation\": [None, DelayAwre]},"),
    knob_of_groups_that_are_not_there: fields("vary: {\"group_share\": [0.1, 0.2]},"),
    seeds_of_listed_replicates: fields("vary: {\"seed\": [5, 6]},\n    replicates: [1, 2],"),
}

// Paths.
messages! {
    path_of_a_misspelt_field: set(&["market.feed_in_tarif=0.3"]),
    path_without_its_beginning: set(&["feed_in_tariff=0.3"]),
    path_into_a_number: set(&["market.feed_in_tariff.x=0.3"]),
    path_of_another_variant: set(&["activation.Poisson.period=1s"]),
    path_beyond_a_list: overridden("network: (links: [(from: Ledger, to: Grid)]),", None, &["network.links[1].loss=0.1"]),
    path_of_the_wrong_type: set(&["market.feed_in_tariff=cheap"]),
    path_with_a_misspelt_variant: set(&["preferences.demand=Elastic,Frim"]),
    path_out_of_range: set(&["ledger.block.timeout=1ms,2days"]),
    path_into_what_is_not_given: set(&["storage.capacity_kwh=10"]),
    path_that_leaves_another_in_the_wrong: overridden(
        "market: (slots: 3, open: (1, 3)),", None, &["market.feed_in_tariff=0.9"]
    ),
    path_above_the_tariffs_of_a_file: set(&["market.feed_in_tariff=0.3,0.5"]),
    path_and_knob_of_the_same: set(&["mu=0.5", "preferences.mu=0,1"]),
    path_around_what_is_set: set(&["period=1s", "activation=Poisson(period: \"2s\")"]),
    path_within_what_is_varied: overridden(
        "vary: {\"activation\": [LockStep(period: \"1s\")]},", None, &["activation.period=3s"]
    ),
    path_to_vary: set(&["vary={}"]),
    path_that_all_cases_share: set(&["market.slots=3,4"]),
    path_that_varies_a_file: set(&["market.grid_tariff=0.9,Csv(\"tariff.csv\")"]),
    varied_path_misspelt: fields("vary: {\"mu\": [0], \"market.fee\": [0.1]},"),
    varied_path_of_the_wrong_type: fields("vary: {\"market.service_fee\": [0, 0.1, \"10%\"]},"),
    varied_path_twice: fields("vary: {\"preferences.mu\": [0, 1], \"mu\": [1]},"),
    varied_together_in_the_wrong: fields(
        "market: (slots: 3, open: (1, 3)),\n    vary: {\"market.feed_in_tariff\": [0.3, 0.7], \
         \"market.grid_tariff\": [0.8, 0.6]},"
    ),
    varied_for_the_whole_run: fields("vary: {\"record\": [Full, Slots]},"),
    group_given_twice: network("groups: {\"far\": Share(0.2), \"far\": Share(0.3)}"),
}

/// A condition that happens again every five minutes.
const CONDITION: &str = "network: (conditions: [(at: \"1min\", lasting: \"1min\", every: \"5min\", \
                         what: Crash(who: Prosumer(1)))]),";

fn network(parts: &str) -> String {
    fields(&format!("population: Synthetic(count: 5),\n    network: ({parts}),"))
}

fn condition(parts: &str) -> String {
    network(&format!("groups: {{\"far\": Share(0.2)}}, conditions: [({parts})]"))
}

// Networks, their groups and conditions, replicates, clocks, mixes and records.
messages! {
    jitter_above_one: network("jitter: 1.5"),
    duplication_negative: network("duplication: -0.5"),
    log_normal_too_wide: network("delay: LogNormal(min: \"1ms\", median: \"5ms\", sigma: 3)"),
    exponential_reversed: network("delay: Exponential(min: \"2s\", mean: \"1s\")"),
    group_share_above_one: network("groups: {\"near\": Share(0.2), \"far\": Share(1.2)}"),
    group_of_nobody_known: network("groups: {\"far\": Prosumers([1, 6])}"),
    link_to_an_unknown_group: network("links: [(from: Ledger, to: Group(\"far\"), loss: 0.1)]"),
    link_with_an_unknown_field: network("links: [(from: Ledger, to: Grid, lose: 0.1)]"),
    link_with_a_reversed_delay:
        network("links: [(from: Grid, to: Ledger, delay: Uniform(min: \"2s\", max: \"1s\"))]"),
    link_that_loses_everything: network("links: [(from: Everybody, to: Ledger, loss: 1)]"),
    link_to_an_unknown_prosumer: network("links: [(from: Prosumer(0), to: Ledger)]"),
    partition_without_end: condition("at: \"1h\", what: Partition(from: Group(\"far\"), to: Everybody)"),
    partition_of_an_unknown_group:
        condition("at: \"1h\", lasting: \"1min\", what: Partition(from: Group(\"near\"), to: Everybody)"),
    crash_without_end: condition("at: \"1h\", what: Crash(who: Ledger)"),
    crash_of_a_ledger_that_forgets:
        condition("at: \"1h\", lasting: \"1min\", what: Crash(who: Ledger, memory: Lost)"),
    condition_without_time: condition("lasting: \"1min\", what: Crash(who: Ledger)"),
    condition_of_an_unknown_kind: condition("at: \"1h\", lasting: \"1min\", what: Flood(who: Ledger)"),
    condition_again_before_it_ends:
        condition("at: \"1h\", lasting: \"1min\", every: \"1min\", what: Crash(who: Ledger)"),
    condition_again_without_end: condition("at: \"1h\", every: \"1min\", what: Link(from: Ledger, to: Grid)"),
    replicates_without_seeds: fields("replicates: [],"),
    replicates_with_a_seed_twice: fields("replicates: [5, 6, 5],"),
    replicates_as_text: fields("replicates: \"three\","),
    replicates_with_a_negative_seed: fields("replicates: [5, -6],"),
    clock_that_stands: fields("clock: Wall(speed: 0),"),
    clock_unknown: fields("clock: Real(speed: 60),"),
    record_unknown: fields("record: Everything,"),
    mix_share_above_one: fields("learning: (mix: [(share: 1.2, fitness: Private)]),"),
    mix_of_more_than_all: fields("learning: (mix: [(share: 0.7), (share: 0.6)]),"),
    mix_without_share: fields("learning: (mix: [(behaviour: Imitation)]),"),
    mix_with_negative_noise: fields("learning: (mix: [(share: 0.5, behaviour: BestResponse(noise: -1))]),"),
    exploration_of_everything: fields("learning: (exploration: 1),"),
    behaviour_unknown: fields("learning: (behaviour: Greedy),"),
    reactive_without_interval: fields("activation: Reactive(min_interval: \"0s\"),"),
}

// Of several mistakes the first is shown.
messages! {
    mistakes_in_another_order_than_they_are_looked_for: fields(
        "network: (\n        loss: 1,\n        groups: {\"household\": Prosumers([1])},\n    ),\n    \
         ledger: (peers: 2, clients: ByGroup({\"houshold\": 2})),\n    preferences: (mu: 2),\n    seed: 18446744073709551615,"
    ),
    mistakes_of_a_market_from_below: fields("market: (slots: 3, open: (1, 3), grid_fee: -1, gate_closure: \"0s\"),"),
    mistake_behind_one_that_is_varied: fields("vary: {\"seed\": [5, 6]},\n    preferences: (mu: 2),\n    replicates: 3,"),
    mistake_that_only_another_brings_about: fields(
        "market: (open: (1, 3), slots: 0),\n    ledger: (policy: AtLeast(2), peers: 0),"
    ),
    arguments_with_several_mistakes: set(&["mu=2", "seed=18446744073709551615"]),
}

// What is set together is looked at together.
messages! {
    argument_of_a_group_that_cannot_be_read: set(&[
        "ledger.clients=ByGroup({\"a\": 1})", "network.groups={\"a\": [1, 2]}"
    ]),
    argument_of_a_link_to_a_group_that_cannot_be_read: set(&[
        "network.links=[(from: Group(\"a\"), to: Ledger, loss: 0.1)]", "network.groups={\"a\": [1, 2]}"
    ]),
    argument_of_a_group_beside_a_mistake: set(&[
        "ledger.clients=ByGroup({\"a\": 1})", "mu=2", "network.groups={\"a\": Prosumers([1, 2])}"
    ]),
    argument_of_a_misspelt_group: overridden(
        "network: (groups: {\"household\": Share(0.2)}),", None, &["ledger.clients=ByGroup({\"houshold\": 1})"]
    ),
    argument_with_a_mistake_in_a_list: overridden("ledger: (peers: 2),", None, &[
        "network.conditions=[(at: \"1h\", lasting: \"1min\", what: Crash(who: Grid)), \
         (at: \"2h\", lasting: \"1min\", what: Crash(who: Peer(5)))]"
    ]),
    argument_with_something_left_out_in_a_list: set(&[
        "network.conditions=[(at: \"1h\", lasting: \"1min\", what: Crash(who: Grid)), (at: \"2h\", what: Crash(who: Grid))]"
    ]),
    varied_list_with_a_mistake: fields(
        "vary: {\"network.links\": [[], [(from: Grid, to: Ledger), /* none */ (from: Prosumer(7), to: Grid)]]},"
    ),
    argument_with_several_whole_numbers: set(&["ledger.peers=2,30"]),
    varied_whole_numbers: fields("vary: {\"ledger.peers\": [2,30]},"),
    varied_whole_numbers_that_are_no_thousands: fields("vary: {\"ledger.peers\": [2,300]},"),
    group_of_whole_numbers: network("groups: {\"far\": Prosumers([1,6])}"),
    argument_of_peers_too_few_in_a_case: set(&["ledger.peers=2,3", "ledger.policy=AtLeast(3)"]),
    varied_peers_too_few_in_a_case: fields("ledger: (policy: AtLeast(3)),\n    vary: {\"ledger.peers\": [3, 1]},"),
    varied_beside_a_mistake: fields("ledger: (policy: AtLeast(5)),\n    vary: {\"mu\": [0, 1]},"),
    varied_beside_no_number: fields("preferences: (preference_pv: NaN),\n    vary: {\"mu\": [0, 1]},"),
}

#[test]
fn what_is_varied_may_make_right_what_is_wrong_without_it() {
    let links = "network: (groups: {\"far\": Prosumers([2])}, links: [(from: Peer(3), to: Orderer, loss: 0.1)]),";
    for (beside, set) in [
        ("ledger: (policy: AtLeast(3)), vary: {\"ledger.peers\": [3, 4]},", &[][..]),
        ("ledger: (clients: ByGroup({\"far\": 3})), vary: {\"ledger.peers\": [3, 4]},", &[]),
        ("vary: {\"mu\": [0, 1], \"ledger.peers\": [3, 4]},", &[]),
        ("vary: {\"ledger.peers\": [3, 4]},", &["ledger.policy=AtLeast(3)"]),
        ("vary: {\"ledger.peers\": [3]},", &["ledger.peers=3,4", "ledger.policy=AtLeast(3)"]),
        ("ledger: (peers: 4), market: (feed_in_tariff: 0.9), vary: {\"market.feed_in_tariff\": [0.3, 0.4]},", &[]),
        (
            "ledger: (peers: 4), learning: (fitness: Public, choice_set: Sample(2)), vary: {\"fitness\": [Private, None]},",
            &[],
        ),
    ] {
        let text = format!("(name: \"x\", population: Synthetic(count: 5), {links} {beside})");
        let folder = Folder::new().with("day.ron", text);
        let set = set.iter().map(|&set| set.to_owned()).collect();
        let plan = load(&folder.0.path().join("day.ron"), &Overrides { seed: None, set });
        let cases = plan.unwrap_or_else(|error| panic!("{error}")).cases().count();
        assert_eq!(cases, if beside.contains("mu") { 4 } else { 2 }, "{beside}");
    }
    let narrow = PROFILES.replace(",2,1.5", ",1.5").replace("preference_pv,", "");
    let high = "market: (slots: 3, open: (1, 3), feed_in_tariff: 0.84, grid_tariff: Csv(\"tariff.csv\")),";
    let text =
        format!("{high} vary: {{\"market.feed_in_tariff\": [0.3, 0.4], \"preferences.preference_pv\": [2, 3]}},");
    let folder = Folder::new().with("profiles.csv", narrow).with("day.ron", sound(&text));
    let plan = load(&folder.0.path().join("day.ron"), &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    let last = plan.cases().last().unwrap().population;
    assert_eq!(last.prosumers[0].profile.slot(1).preference_pv, 3.0);
}

/// What the command warns of in a sound scenario with these fields.
fn warnings(fields: &str, set: &[&str]) -> String {
    let folder = Folder::new().with("odd.ron", sound(fields));
    let set = set.iter().map(|&set| set.to_owned()).collect();
    let plan = load(&folder.0.path().join("odd.ron"), &Overrides { seed: None, set });
    let told: String =
        plan.unwrap_or_else(|error| panic!("{error}")).warnings.iter().map(|warning| format!("{warning}\n")).collect();
    told.replace(&format!("{}/", folder.0.path().display()), "")
}

/// The second peer crashes for good as the second slot begins.
const LOST: &str = "population: Synthetic(count: 5),\n    \
                    network: (conditions: [(at: \"1h\", what: Crash(who: Peer(2)))]),\n    ";

// What is allowed, but does nothing, or nothing good.
messages! {
    settings_of_several_peers_with_one:
        warnings("ledger: (\n        clients: ByGroup({}),\n        on_outage: Switch,\n        policy: All,\n    ),", &[]),
    argument_of_several_peers_with_one: warnings("", &["ledger.policy=Majority"]),
    policy_that_a_lost_peer_cannot_meet:
        warnings(&format!("{LOST}ledger: (peers: 3, on_outage: Switch, policy: All),"), &[]),
    argument_of_a_policy_that_a_lost_peer_cannot_meet:
        warnings(&format!("{LOST}ledger: (peers: 3, on_outage: Switch),"), &["ledger.policy=Any,AtLeast(3)"]),
    varied_peers_of_whom_too_few_are_left: warnings(
        &format!("{LOST}ledger: (peers: 3, on_outage: Switch, policy: Majority),\n    vary: {{\"ledger.peers\": [3, 2]}},"), &[]
    ),
}

#[test]
fn what_does_something_in_some_case_is_not_warned_of() {
    let one = "ledger: (on_outage: Switch, policy: All),";
    for (fields, set) in [
        (format!("{one} vary: {{\"ledger.peers\": [1, 2]}},"), &[][..]),
        (one.to_owned(), &["ledger.peers=1,2"]),
        (one.to_owned(), &["ledger.peers=2"]),
        (format!("{LOST}ledger: (peers: 3, on_outage: Switch, policy: Majority),"), &[]),
        (format!("{LOST}ledger: (peers: 3, on_outage: Switch, policy: All),"), &["network.conditions[0].lasting=1h"]),
    ] {
        assert_eq!(warnings(&fields, set), "", "{fields}");
    }
}

// Data.
messages! {
    profiles_missing: fields("population: Profiles(\"profile.csv\"),"),
    profiles_a_folder: fields("population: Profiles(\"data\"),"),
    profiles_empty: profiles(""),
    profiles_without_rows: profiles("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n"),
    profiles_not_utf8: profiles(b"prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n1,1,0,1,\xb2,1\n"),
    profiles_without_preference: profiles("prosumer,slot,pv_kwh,load_kwh,preference_pv\n1,1,0,1,2\n"),
    preference_given_twice: fields("preferences: (preference_grid: 1.5),"),
    profiles_without_load: profiles("prosumer,slot,pv_kwh,preference_pv,preference_grid\n1,1,0,1,2\n"),
    profiles_with_an_unknown_column: profiles(PROFILES.replace("load_kwh", "load_kw")),
    profiles_with_a_column_twice: profiles(PROFILES.replace("load_kwh", "pv_kwh")),
    profiles_with_a_gap: profiles(PROFILES.replace("2,2,2,1,2,1.5\n", "")),
    profiles_with_a_duplicate: profiles(PROFILES.replace("3,2,0", "3,1,0")),
    profiles_with_a_slot_too_many: profiles(format!("{PROFILES}3,4,0,1,2,1.5\n")),
    profiles_with_slot_zero: profiles(PROFILES.replace("1,1,0,1", "1,0,0,1")),
    profiles_with_a_short_row: profiles(PROFILES.replace("2,3,0,1,2,1.5", "2,3,0,1,2")),
    negative_load: profiles(PROFILES.replace("1,2,3,1,", "1,2,3, -1 ,")),
    negative_generation: profiles(PROFILES.replace("1,2,3,1,", "1,2,-3,1,")),
    load_nan: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,NaN,")),
    load_not_a_number: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,much,")),
    preference_zero: profiles(PROFILES.replace("1,2,3,1,2,", "1,2,3,1,0,")),
    bad_cell_after_blank_lines: profiles(
        format!("\u{feff}{PROFILES}").replace("1,2,3,1,", "\n\n1,2,3,-1,").replace('\n', "\r\n")
    ),
    quoted_row: profiles(PROFILES.replace("1,2,3,1,2,", "1,2,3,\"-1\",2,")),
    tariff_below_feed_in: tariff(&TARIFF.replace("0.5\n", "0.4\n")),
    tariff_with_a_gap: tariff(&TARIFF.replace("2,0.85\n", "")),
    tariff_with_a_duplicate: tariff(&TARIFF.replace("3,", "2,")),
    tariff_missing: fields("market: (slots: 3, open: (1, 3), grid_tariff: Csv(\"tarif.csv\")),"),
}

// What people write who know it otherwise: the message says how it is written here.
messages! {
    decimal_comma: fields("market: (slots: 3, open: (1, 3), service_fee: 0,45),"),
    decimal_comma_of_the_last_field: fields("learning: (price_every: 1, tolerance: 0,5, ramp: 0,1),"),
    decimal_comma_in_quotes: fields("preferences: (eta: \"0,2\"),"),
    thousands: fields("seed: 1,000,"),
    percentage: fields("network: (loss: 5%),"),
    percentage_in_quotes: fields("network: (jitter: \"2,5 %\"),"),
    number_with_a_unit: fields("market: (slots: 3, open: (1, 3), service_fee: 0.3 CNY),"),
    number_behind_its_currency: fields("market: (slots: 3, open: (1, 3), service_fee: €0.3),"),
    number_in_quotes: fields("seed: \"7\","),
    power_of_ten: fields("learning: (tolerance: 10^-6),"),
    fraction: fields("preferences: (eta: 1/4),"),
    whole_number_with_an_exponent: fields("seed: 1e3,"),
    whole_number_with_a_point: fields("learning: (patience: 3.0),"),
    rounded_below_zero: fields("storage: (capacity_kwh: 10, power_kw: 5, initial_kwh: -1e-17),"),
    bare_duration: fields("activation: LockStep(period: 10ms),"),
    bare_duration_with_a_blank: fields("activation: LockStep(period: 10 s),"),
    words_without_quotes: fields("name: my day,"),
    bare_delay: fields("network: (delay: 10ms),"),
    delay_without_unit: fields("network: (delay: 10),"),
    duration_without_unit: fields("activation: LockStep(period: \"10\"),"),
    duration_by_the_clock: fields("market: (slots: 3, open: (1, 3), slot_length: \"1:30\"),"),
    duration_with_a_decimal_comma: fields("market: (slots: 3, open: (1, 3), slot_length: \"0,5h\"),"),
    duration_in_capitals: fields("market: (slots: 3, open: (1, 3), gate_closure: \"15 MIN\"),"),
    truth_in_capitals: network("links: [(from: Ledger, to: Grid, one_way: True)]"),
    truth_as_yes: network("links: [(from: Ledger, to: Grid, one_way: yes)]"),
    nothing_as_null: fields("storage: null,"),
    nothing_in_small_letters: fields("learning: (fitness: none),"),
    name_without_quotes: fields("name: bad,"),
    name_in_single_quotes: fields("name: 'bad',"),
    name_in_curly_quotes: fields("name: “bad”,"),
    variant_in_quotes: fields("preferences: (demand: \"Firm\"),"),
    variant_in_capitals: fields("preferences: (demand: FIRM),"),
    field_in_quotes: fields("\"seed\": 7,"),
    field_in_capitals: fields("Seed: 7,"),
    struct_in_curly_brackets: fields("preferences: {\"mu\": 0.5},"),
    list_in_round_brackets: fields("vary: {\"mu\": (0, 0.5)},"),
    vary_in_round_brackets: fields("vary: (mu: [0, 0.5]),"),
    vary_without_quotes: fields("vary: {mu: [0, 0.5]},"),
    comment_of_another_kind: fields("# a comment"),
    comment_behind_a_field: fields("seed: 7, -- a comment"),
    equals_sign: fields("seed = 7,"),
    semicolon: fields("seed: 7; clock: Virtual,"),
    colon_left_out: fields("preferences: (mu: 0.5, eta 0.2),"),
    tariff_as_text: fields("market: (slots: 3, open: (1, 3), grid_tariff: \"tariff.csv\"),"),
    tariff_with_a_decimal_comma: fields("market: (slots: 3, open: (1, 3), grid_tariff: 0,9),"),
    population_as_number: fields("population: 5,"),
    population_without_its_name: fields("population: (count: 5),"),
    known_sellers_as_number: fields("learning: (choice_set: 16),"),
    clock_without_its_field: fields("clock: Wall(60),"),
    group_as_number: network("groups: {\"far\": 0.2}"),
    group_as_list: network("groups: {\"far\": [1, 2]}"),
    party_as_text: network("links: [(from: \"far\", to: Ledger)]"),
    bracket_not_closed_within: scenario(
        "Scenario(\n    name: \"bad\",\n    population: Synthetic(count: 5,\n    network: (loss: 0.1),\n)\n"
    ),
    bracket_of_another_kind: fields("vary: {\"mu\": [0, 1)},"),
    bracket_too_many: fields("preferences: (mu: 0.5)),"),
    varied_percentage: fields("vary: {\"mu\": [0, 5%]},"),
    varied_duration_without_unit: fields("vary: {\"period\": [\"1s\", \"10\"]},"),
    varied_storage_with_a_mistake: fields("vary: {\"storage\": [None, Some(capacity: 10, power_kw: 5)]},"),
    an_archive: scenario(b"PK\x03\x04\x14\0\x06\0"),
    a_misspelt_file: Folder::new().with("village.ron", sound("")).message("vilage.ron", &Overrides::default()),
    argument_with_a_decimal_comma: set(&["mu=0,5"]),
    argument_with_a_zero_before_digits: set(&["market.service_fee=0,05"]),
    argument_with_a_percentage: set(&["loss=5%"]),
    argument_with_a_unit: set(&["market.service_fee=0.3 CNY"]),
    argument_with_thousands: set(&["learning.price_every=1,000"]),
    argument_with_another_list: set(&["mu=[0,0.5]"]),
    argument_with_a_bare_duration_within: set(&["activation=Poisson(period: 1s)"]),
    argument_with_a_bracket_not_closed: set(&["activation=Poisson(period: \"1s\""]),
    argument_without_a_field: set(&["behaviour=BestResponse(0.1)"]),
    argument_with_a_variant_in_small_letters: set(&["preferences.demand=firm"]),
    argument_in_capitals: set(&["MU=0.5"]),
    argument_with_a_file_that_is_not_there: set(&["population=Profiles(\"nowhere.csv\")"]),
    argument_with_prices_beyond_the_tariffs: set(&["learning.initial_price=Fixed([9, 9])"]),
    path_with_two_points: set(&["market..service_fee=0.1"]),
    path_with_a_point_behind: set(&["market.=0.1"]),
    path_with_brackets_of_a_name: set(&["market[service_fee]=0.1"]),
    varied_path_with_two_points: fields("vary: {\"market..service_fee\": [0.1]},"),
    path_of_a_misspelt_group:
        overridden("network: (groups: {\"household\": Share(0.2), \"shop\": Share(0.1)}),", None, &["network.groups.houshold=Share(0.3)"]),
    path_into_a_group_of_none: set(&["network.groups.houshold.Share=0.3"]),
    group_without_a_name: network("groups: {\"\": Share(0.2)}"),
    varied_path_of_a_misspelt_group: fields(
        "network: (groups: {\"household\": Share(0.2)}),\n    vary: {\"network.groups.Household.Share\": [0.1]},"
    ),
}

// Signs that look like those of the keyboard.
messages! {
    no_break_space: fields("preferences: (mu:\u{a0}0.5),"),
    no_break_space_before_a_field: fields("\u{a0}seed: 7,"),
    zero_width_space: fields("activation: Lock\u{200b}Step(period: \"1s\"),"),
    full_width_colon: fields("seed\u{ff1a} 7,"),
    full_width_comma: fields("seed: 7\u{ff0c} clock: Virtual,"),
    full_width_brackets: fields("preferences: \u{ff08}mu: 0.5\u{ff09},"),
    minus_sign: fields("preferences: (eta: \u{2212}0.2),"),
    en_dash_in_a_list: fields("vary: {\"mu\": [0, \u{2013}1]},"),
    typographic_quotes_of_a_key: fields("vary: {\u{201c}mu\u{201d}: [0, 1]},"),
    argument_with_a_minus_sign: set(&["eta=\u{2212}0.2"]),
    argument_with_a_no_break_space: set(&["mu=0\u{a0}.5"]),
    argument_with_a_full_width_sign: set(&["mu\u{ff1d}0.5"]),
    argument_with_a_sign_nobody_sees: set(&["m\u{200b}u=0.5"]),
    no_break_spaces_as_indentation: fields("preferences: (\n\u{a0}\u{a0}\u{a0}\u{a0}mu: 0.5,\n    ),"),
    thin_space_in_a_number: fields("population: Synthetic(count: 1\u{2009}000),"),
    narrow_no_break_space_in_a_duration: fields("network: (delay: 10\u{202f}ms),"),
    full_width_bracket_that_opens: fields("preferences: \u{ff08}mu: 0.5),"),
    full_width_bracket_that_closes: fields("vary: {\"mu\": [0, 1\u{ff3d}},"),
    typographic_quote_that_opens: fields("record: Full, population: Profiles(\u{201c}profiles.csv\"),"),
    typographic_quote_that_closes: fields("record: Full, population: Profiles(\"profiles.csv\u{201d}),"),
    sign_that_turns_the_direction: fields("preferences: (mu: \u{202e}0.5\u{202c}),"),
    argument_with_a_sign_that_turns_the_direction: set(&["mu=\u{202e}0.5"]),
    argument_with_typographic_quotes: set(&["activation=Poisson(period: \u{201c}1s\u{201d})"]),
    column_with_a_no_break_space: profiles(PROFILES.replace("load_kwh", "load\u{a0}kwh")),
    load_with_a_sign_that_turns_the_direction: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,\u{202d}1,")),
}

// Names and brackets that RON itself would let pass, and what does not fit what it is of.
messages! {
    replicates_in_round_brackets: fields("replicates: (5),"),
    replicates_in_round_brackets_with_a_comma: fields("replicates: (5, 6),"),
    struct_with_another_name: fields("storage: Foo(capacity_kwh: 10, power_kw: 5),"),
    struct_with_another_name_in_some: fields("storage: Some(Foo(capacity_kwh: 10, power_kw: 5)),"),
    struct_with_another_name_in_a_variant: condition("at: \"1h\", what: Link(Foo(from: Ledger, to: Grid))"),
    struct_without_its_names: fields("storage: (10, 5, 0.9, 0),"),
    struct_with_its_names_in_quotes: fields("storage: {\"capacity_kwh\": 10, \"power_kw\": 5},"),
    argument_with_another_name: set(&["storage=Some(Foo(capacity_kwh: 10, power_kw: 5))"]),
    argument_of_replicates_in_round_brackets: set(&["replicates=(5)"]),
    variant_with_dots: fields("learning: (mixing: Some(..)),"),
    percentage_of_what_is_not_known: fields("storage: (capacity_kwh: 10, power_kw: 5, initial_kwh: 50%),"),
    number_in_another_currency: fields("market: (slots: 3, open: (1, 3), service_fee: 3 ct),"),
    letters_for_digits: fields("market: (slots: 3, open: (1, 2O)),"),
    argument_with_a_greek_letter: set(&["delay=10μs"]),
    argument_with_a_fraction_without_unit: set(&["delay=0.5"]),
    argument_with_other_slots_than_the_profiles: set(&["market.slots=2", "market.open=(1, 2)"]),
    argument_with_other_slots_than_the_tariff:
        overridden("population: Synthetic(count: 5),", None, &["market.slots=2", "market.open=(1, 2)"]),
    tariff_of_more_slots: fields("population: Synthetic(count: 5),\n    market: (slots: 2, open: (1, 2), grid_tariff: Csv(\"tariff.csv\")),"),
    wide_of_two_kinds: profiles("slot,P1_pv,P2_pv,P1_load,P2_load\n1,0,0,1,1\n2,3,3,1,1\n"),
}

// Nothing runs twice the same.
messages! {
    varied_twice_the_same: fields("vary: {\"eta\": [0.2, 0.3], \"mu\": [0.1, 0.5, 0.10]},"),
    varied_twice_the_same_duration: fields("vary: {\"delay\": [\"1s\", \"10ms\", Constant(\"1000ms\")]},"),
    varied_twice_the_same_name: fields("vary: {\"fitness\": [None, Public, None]},"),
    varied_twice_the_same_struct: fields(
        "vary: {\"activation\": [Poisson(period: \"1s\"), Poisson( period: \"1000ms\", )]},"
    ),
    argument_twice_the_same: set(&["mu=0,1,0.0"]),
    argument_twice_the_same_name: set(&["adaptation=None,DelayAware,None"]),
}

// What people write who know it otherwise, of ranges, numbers, lists, names and where something ends.
messages! {
    range_of_open_slots: fields("market: (slots: 3, open: 1-3),"),
    range_of_open_slots_with_points: fields("market: (slots: 3, open: 1..=3),"),
    range_of_open_slots_with_a_step: fields("market: (slots: 3, open: (1,3,1)),"),
    range_of_open_slots_with_names: fields("market: (slots: 3, open: (from: 1, to: 3)),"),
    range_of_open_slots_in_one_bracket: fields("market: (slots: 3, open: (1-3)),"),
    open_slots_without_brackets: fields("market: (slots: 3, open: 1, 3),"),
    one_open_slot_without_brackets: fields("market: (slots: 3, open: 3),"),
    range_of_values: fields("vary: {\"mu\": 0..1},"),
    range_in_a_list: fields("vary: {\"mu\": [0..1]},"),
    list_of_values_without_brackets: fields("vary: {\"mu\": 0, 1},"),
    struct_with_its_name_in_curly_brackets: fields("market: Market{slots: 3},"),
    argument_with_some_in_small_letters: set(&["storage=some((capacity_kwh: 10, power_kw: 5))"]),
    argument_with_a_type: set(&["activation=Activation::Poisson(period: \"1s\")"]),
    argument_with_a_minus_sign_and_a_decimal_comma: set(&["mu=\u{2212}0,5"]),
    range_with_dots: fields("vary: {\"mu\": [0, ..., 1]},"),
    range_of_seeds: fields("replicates: 1..5,"),
    range_of_prosumers: network("groups: {\"far\": Prosumers([1-3])}"),
    argument_with_a_range: set(&["mu=0..1"]),
    argument_with_a_range_of_seeds: set(&["seed=1-5"]),
    argument_with_a_function: set(&["mu=range(0,1,0.1)"]),
    argument_with_open_slots: set(&["market.open=1,3"]),
    argument_with_open_slots_and_a_letter: set(&["market.open=8, 2O"]),
    decimal_comma_in_a_list: fields("vary: {\"mu\": [0,5, 1]},"),
    decimal_commas_in_a_list: fields("learning: (initial_choice: Fixed([0,5, 0,5])),"),
    values_without_commas: fields("vary: {\"mu\": [0 1]},"),
    values_with_semicolons: fields("vary: {\"mu\": [0; 1]},"),
    list_as_text: fields("vary: {\"mu\": \"0, 1\"},"),
    list_without_brackets_of_its_own: network("groups: {\"far\": Prosumers(1, 3)}"),
    struct_in_the_place_of_a_list: network("links: (from: Ledger, to: Grid)"),
    list_without_brackets_of_its_structs: network("links: [from: Ledger, to: Grid]"),
    tiny_count: fields("market: (slots: 1e-3),"),
    thousands_with_a_point: fields("population: Synthetic(count: 1.000),"),
    thousands_with_an_apostrophe: fields("population: Synthetic(count: 1'000),"),
    power_of_ten_with_a_d: fields("learning: (tolerance: 1d-3),"),
    count_in_brackets: fields("learning: (patience: [3]),"),
    negative_seed: fields("seed: -1,"),
    negative_replicates: fields("replicates: -5,"),
    negative_zero_replicates: fields("replicates: -0,"),
    too_many_replicates: fields("replicates: 99999999999,"),
    negative_delay: fields("network: (delay: \"-5s\"),"),
    slot_length_as_number: fields("market: (slots: 3, open: (1, 3), slot_length: 3600),"),
    time_of_day_without_quotes: fields("market: (slots: 3, open: (1, 3), starts_at: 06:00),"),
    no_delay: fields("network: (delay: \"soon\"),"),
    some_in_small_letters: fields("storage: some((capacity_kwh: 10, power_kw: 5)),"),
    some_of_a_number_in_small_letters: fields("report: (slot: some(3)),"),
    storage_as_truth: fields("storage: True,"),
    no_storage_as_truth: fields("storage: false,"),
    nothing_with_brackets: fields("storage: None(),"),
    report_as_number: fields("report: 3,"),
    population_without_its_field: fields("population: Synthetic(5),"),
    price_as_number: fields("learning: (initial_price: 0.5),"),
    file_with_a_name: fields("population: Profiles(file: \"profiles.csv\"),"),
    name_as_number: fields("name: 2023,"),
    variant_with_small_letters_in_quotes: fields("record: \"slots\","),
    variant_with_its_type: fields("activation: Activation::Poisson(period: \"1s\"),"),
    variant_without_its_field: fields("activation: LockStep,"),
    path_as_field: fields("preferences.mu: 0.5,"),
    comma_left_out: fields("preferences: (mu: 0.5)\n    // remark\n    seed: 7,"),
    comma_left_out_in_the_line: fields("seed: 7 clock: Virtual,"),
    comma_left_out_between_structs: network("links: [(from: Ledger, to: Grid) (from: Grid, to: Ledger)]"),
    comment_not_closed: fields("seed: 7, /* a remark /* within */"),
    comment_of_one_stroke: fields("seed: 7, / a comment"),
    text_behind: scenario("Scenario(name: \"bad\", population: Synthetic(count: 5));\n"),
    comment_behind: scenario("Scenario(name: \"bad\", population: Synthetic(count: 5)) # end\n"),
    argument_of_control_signs: set(&["\u{1b}[31m=1"]),
    argument_with_two_signs_of_equality: set(&["mu==0.5"]),
}

// Tables as other programs leave them.
messages! {
    table_with_semicolons: profiles(PROFILES.replace(',', ";")),
    table_with_semicolons_and_decimal_commas: profiles(PROFILES.replace(',', ";").replace('.', ",")),
    table_with_tabs: profiles(PROFILES.replace(',', "\t")),
    table_with_its_separator_named: profiles(format!("sep=;\n{}", PROFILES.replace(',', ";"))),
    table_with_decimal_commas: profiles(PROFILES.replace("1.5", "1,5")),
    table_with_a_quoted_decimal_comma: profiles(PROFILES.replacen("1.5", "\"1,5\"", 2)),
    table_with_thousands: profiles(PROFILES.replace("1,2,3,1,", "1,2,\"1.234,5\",1,")),
    table_with_a_row_of_semicolons: profiles(PROFILES.replace("2,2,2,1,2,1.5", "2;2;2;1;2;1.5")),
    table_without_header: profiles(PROFILES.split_once('\n').unwrap().1),
    table_with_a_comment: profiles(format!("# made by hand\n{PROFILES}")),
    table_with_a_comment_below: profiles(format!("{PROFILES}# made by hand\n")),
    table_with_a_comma_behind_each_row: profiles(PROFILES.replace('\n', ",\n")),
    table_with_a_comma_behind_a_row: profiles(PROFILES.replace("2,2,2,1,2,1.5", "2,2,2,1,2,1.5,")),
    table_that_is_a_scenario: profiles(sound("")),
    table_that_is_an_archive: profiles(b"PK\x03\x04\x14\0\x06\0"),
    table_that_is_compressed: profiles(b"\x1f\x8b\x08\0\0\0\0\0"),
    table_in_utf_16: profiles(PROFILES.encode_utf16().fold(vec![0xff, 0xfe], |bytes, unit| [bytes, unit.to_le_bytes().to_vec()].concat())),
    column_of_power: profiles(PROFILES.replace("pv_kwh", "pv_kw")),
    column_of_power_in_words: profiles(PROFILES.replace("load_kwh", "Load (kW)")),
    column_in_other_words: profiles(PROFILES.replace("pv_kwh", "Generation")),
    column_in_capitals: profiles(PROFILES.replace("prosumer", "Prosumer")),
    column_by_its_symbol: profiles(PROFILES.replace("preference_pv", "w_pv0")),
    column_of_another_kind: profiles(PROFILES.replace('\n', ",2026-01-01\n").replacen("2026-01-01", "date", 1)),
    tariff_by_another_name: tariff(&TARIFF.replace("grid_tariff_cny_per_kwh", "price")),
    prosumer_with_a_point: profiles(PROFILES.replace("\n1,", "\n1.0,")),
    prosumer_with_a_letter: profiles(PROFILES.replace("\n1,", "\nP1,")),
    prosumer_negative: profiles(PROFILES.replace("\n1,", "\n-1,")),
    slot_with_a_point: profiles(PROFILES.replace("1,2,3,1,", "1,2.0,3,1,")),
    slot_by_the_clock: profiles(PROFILES.replace("1,2,3,1,", "1,13:00,3,1,")),
    load_left_out: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,,")),
    load_not_available: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,NA,")),
    load_with_a_unit: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,1 kWh,")),
    load_with_another_minus: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,−1,")),
    quote_not_closed: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,\"1,")),
    load_that_a_spreadsheet_has_not: profiles(PROFILES.replace("1,2,3,1,", "1,2,3,#DIV/0!,")),
    row_of_nothing: profiles(format!("{PROFILES},,,,,\n")),
    row_in_quotes: profiles(PROFILES.replace("2,2,2,1,2,1.5", "\"2,2,2,1,2,1.5\"")),
    header_in_quotes: profiles(PROFILES.replacen("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid", "\"prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\"", 1)),
    header_behind_a_title: profiles(format!("Table 1: mine\n{PROFILES}")),
    row_of_units: profiles(PROFILES.replacen("\n1,1,", "\n,,kWh,kWh,,\n1,1,", 1).replacen("\n,,", "\nno.,,", 1)),
    row_of_totals: profiles(format!("{PROFILES}Total,,8,9,,\n")),
    column_too_many: profiles(PROFILES.replace('\n', ",x\n").replacen(",x", ",note", 1)),
    header_behind_blanks: profiles(format!("  \n{PROFILES}")),
    header_there_twice: profiles(format!("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n{PROFILES}")),
    index_of_pandas: profiles(PROFILES.replace('\n', "\n0,").replacen("prosumer", ",prosumer", 1)),
    index_of_pandas_read_back: profiles(PROFILES.replace('\n', "\n0,").replacen("prosumer", "Unnamed: 0,prosumer", 1)),
    wide_by_prosumers: profiles("slot,P1 load,P2 load,P3 load\n1,1,1,1\n2,1,1,1\n3,1,1,1\n"),
    wide_by_slots: profiles("prosumer,1,2,3\n1,1,1,1\n2,1,1,1\n3,1,1,1\n"),
    wide_by_the_clock: profiles("time,anna,ben,carl,dora,emil,fritz,gina\n00:00,1,1,1,1,1,1,1\n"),
    wide_tariff: tariff("00:00,01:00,02:00\n0.5,0.85,0.45\n"),
    profiles_in_other_capitals: fields("population: Profiles(\"Profiles.CSV\"),"),
    profiles_behind_a_backslash: fields("population: Profiles(\"data\\\\..\\\\profiles.csv\"),"),
    preference_rounded_below_zero: profiles(PROFILES.replace("1,2,3,1,2,", "1,2,3,1,-1e-17,")),
}

#[test]
fn a_bare_value_is_the_constant_that_it_means() {
    const BARE: &str = r#"market: (slots: 3, open: (1, 3), grid_tariff: 0.9),
        population: Synthetic(count: 5, load_kw: 2, weather: 0.5),
        network: (delay: "20ms",
            links: [(from: Ledger, to: Grid, delay: "1s"), (from: Grid, to: Prosumers, loss: 0.1),
                (from: Prosumers, to: Grid, delay: "2s"), (from: Prosumer(1), to: Grid, delay: Constant("4s"))],
            conditions: [(at: "1h", what: Link(from: Grid, to: Ledger, delay: "3s"))]),
        vary: {"population": [5, Synthetic(count: 6, load_kw: 2, weather: 0.5)], "market.grid_tariff": [0.7, Constant(0.8)]},"#;
    let full = [("grid_tariff: ", "0.9"), ("load_kw: ", "2"), ("weather: ", "0.5")]
        .into_iter()
        .chain(["\"20ms\"", "\"1s\"", "\"2s\"", "\"3s\""].map(|time| ("delay: ", time)))
        .fold(BARE.to_owned(), |text, (field, value)| {
            text.replace(&format!("{field}{value}"), &format!("{field}Constant({value})"))
        });
    let plan = |text: &str| {
        let folder = Folder::new().with("day.ron", sound(text));
        let set = ["network.links[1]=(from: Grid, to: Ledger, delay: \"7s\")".to_owned()].into();
        load(&folder.0.path().join("day.ron"), &Overrides { seed: None, set }).unwrap_or_else(|error| panic!("{error}"))
    };
    let [bare, full] = [BARE, &full].map(plan);
    assert!(bare.cases().map(|case| case.scenario).eq(full.cases().map(|case| case.scenario)));
    let [bare, full] = [bare, full].map(|plan| plan.resolved_ron());
    assert_eq!(bare.split("vary:").next(), full.split("vary:").next());
    for written in ["delay: Constant(\"20ms\")", "delay: Constant(\"7s\")", "load_kw: Constant(2.0)"] {
        assert!(bare.contains(written), "{written}: {bare}");
    }
}

#[test]
fn mistakes_behind_and_in_bare_constants_are_shown_where_they_are() {
    insta::assert_snapshot!(fields("network: (delay: \"20ms\", losss: 0.1),"));
    insta::assert_snapshot!(network("delay: \"20ms\", jitter: 1.5"));
    insta::assert_snapshot!(network("delay: \"2days\""));
}

#[test]
fn energy_that_rounding_leaves_just_below_zero_is_zero() {
    let text = PROFILES.replace("1,2,3,1,", "1,2,-1e-17,-4e-7,");
    let folder = Folder::new().with("bad.ron", sound("")).with("profiles.csv", text);
    let plan = load(&folder.0.path().join("bad.ron"), &Overrides::default()).unwrap();
    let slot = plan.cases().next().unwrap().population.prosumers[0].profile.slot(2);
    assert_eq!((slot.generation.value(), slot.load.value()), (0.0, 0.0));
}

#[test]
fn tables_may_have_blanks_quotes_and_other_line_ends() {
    for text in [
        PROFILES.replace(',', " , "),
        PROFILES.replace("pv_kwh", "\"pv_kwh\"").replace("1.5", "\"1.5\""),
        format!("\u{feff}{}", PROFILES.replace('\n', "\r\n")),
        PROFILES.replace("\n1,", "\n01,"),
        PROFILES.replace("\n2,1", "\n \n\t\r\n2,1") + " \n\n  \n",
    ] {
        let folder = Folder::new().with("bad.ron", sound("")).with("profiles.csv", &text);
        assert!(load(&folder.0.path().join("bad.ron"), &Overrides::default()).is_ok(), "{text}");
    }
}

#[test]
fn energy_that_no_house_has_is_doubted_and_run_all_the_same() {
    let told = |text: &str| {
        let folder = Folder::new().with("bad.ron", sound("")).with("profiles.csv", text);
        let plan = load(&folder.0.path().join("bad.ron"), &Overrides::default()).unwrap();
        let told: String = plan.warnings.iter().map(|warning| warning.to_string() + "\n").collect();
        told.replace(&format!("{}/", folder.0.path().display()), "")
    };
    assert_eq!(told(PROFILES), "");
    assert_eq!(told(&PROFILES.replace("1,2,3,1,", "1,2,297,1,")), "", "100 kWh an hour on average");
    for shipped in
        fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")).unwrap().map(|file| file.unwrap().path())
    {
        let Some("ron") = shipped.extension().and_then(|ending| ending.to_str()) else { continue };
        let warnings = load(&shipped, &Overrides::default()).unwrap().warnings;
        assert!(!format!("{warnings:?}").contains("no house"), "{}", shipped.display());
    }
    insta::assert_snapshot!(told(&PROFILES.replace("2,2,2,1,", "2,2,2,412.5,")));
    insta::assert_snapshot!(told(&PROFILES.replace("2,1,0,1,", "2,1,300.1,1,")));
}

#[test]
fn what_a_cell_has_that_is_not_seen_is_no_part_of_a_number() {
    for sign in ['\u{1b}', '\u{1}', '\u{7f}', '\u{85}'] {
        let text = PROFILES.replace("1,2,3,1,", &format!("1,2,3,1{sign}[31m,"));
        let folder = Folder::new().with("bad.ron", sound("")).with("profiles.csv", text);
        let said = load(&folder.0.path().join("bad.ron"), &Overrides::default()).unwrap_err().to_string();
        assert!(said.contains("nothing but letters and digits that are seen") && !said.contains("write"), "{said:?}");
    }
}

#[test]
fn data_files_of_the_same_name_are_refused_as_runs_keep_them_in_one_folder() {
    let folder = Folder::new();
    fs::create_dir(folder.0.path().join("other")).unwrap();
    let text = sound(
        "population: Profiles(\"other/tariff.csv\"), market: (slots: 3, open: (1, 3), grid_tariff: Csv(\"tariff.csv\")),",
    );
    let folder = folder.with("other/tariff.csv", PROFILES).with("bad.ron", text);
    insta::assert_snapshot!(folder.message("bad.ron", &Overrides::default()));
}

#[test]
fn a_tariff_that_equals_the_feed_in_tariff_is_allowed() {
    let folder = Folder::new()
        .with("bad.ron", sound("market: (feed_in_tariff: 0.85, grid_tariff: Constant(0.85), slots: 3, open: (1, 3)),"));
    assert!(load(&folder.0.path().join("bad.ron"), &Overrides::default()).is_ok());
}
