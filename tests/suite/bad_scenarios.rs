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
    negative_step: fields("learning: (replicator_step: Scaled(-0.3)),"),
    tolerance_zero: fields("learning: (tolerance: 0),"),
    patience_zero: fields("learning: (patience: 0),"),
    period_zero: fields("activation: LockStep(period: \"0s\"),"),
    everything_lost: fields("network: (loss: 1.0),"),
    empty_blocks: fields("ledger: (block: (max_transactions: 0)),"),
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
