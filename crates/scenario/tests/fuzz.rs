//! Scenarios, settings and profiles that have gone wrong: reading them ends soon, in a plan or in an error with its place.
//!
//! `FUZZ_SECONDS` says how long each target looks for what does otherwise [s]: 3 if it is not set.

use microgrid_scenario::{Overrides, load};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    env, fmt, fs,
    path::Path,
    time::{Duration, Instant},
};

/// Whatever is read, it takes no longer, in a build for tests on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// What numbers, names and signs may meet.
const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "'",
    "/*",
    "*/",
    "//",
    "\n",
    "\r",
    ";",
    "\t",
    " ",
    "-",
    ".",
    "0",
    "1",
    "1e999",
    "-0.0",
    "NaN",
    "inf",
    "1000000",
    "4294967296",
    "18446744073709551616",
    "0x7fffffff",
    "1_0",
    "\"99999h\"",
    "\"1ns\"",
    "Some(",
    "None",
    "r#None",
    "r#\"",
    "Synthetic(",
    "Profiles(",
    "Constant(",
    "Fixed([",
    "Group(\"",
    "vary: {",
    "\"mu\": [",
    "conditions: [",
    "#![enable(implicit_some)]",
    "\\u{0}",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[31m",
    "é",
];

/// A way for a text to go wrong.
#[derive(Clone, Debug)]
enum Mutation {
    Change(Index, u8),
    Delete(Index, usize),
    /// So much of one text, perhaps the same, somewhere else.
    Copy(Index, Index, usize, Index),
    /// Something, so many times.
    Insert(Index, &'static str, usize),
}

impl Mutation {
    fn apply(&self, text: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = |index: &Index, text: &[u8]| index.index(text.len() + 1);
        match self {
            Self::Change(index, byte) => {
                let at = at(index, text);
                if let Some(there) = text.get_mut(at) {
                    *there = *byte;
                }
            }
            Self::Delete(index, length) => {
                let at = at(index, text);
                text.drain(at..text.len().min(at + length));
            }
            Self::Copy(other, from, length, to) => {
                let (other, to) = (other.get(others), at(to, text));
                let from = at(from, other);
                text.splice(to..to, other[from..other.len().min(from + length)].iter().copied());
            }
            Self::Insert(index, token, times) => {
                let at = at(index, text);
                text.splice(at..at, token.repeat(*times).into_bytes());
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let times = prop_oneof![9 => 1..3_usize, 1 => 100..20_000_usize];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Change(at, byte)),
        (any::<Index>(), 1..60_usize).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (any::<Index>(), any::<Index>(), 1..300_usize, any::<Index>())
            .prop_map(|(other, from, length, to)| Mutation::Copy(other, from, length, to)),
        (any::<Index>(), select(TOKENS), times).prop_map(|(at, token, times)| Mutation::Insert(at, token, times)),
    ]
}

/// What is to be read; shown as text, as far as it is.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// A text that is one of `texts` but for some mutations.
fn mutated(texts: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    (any::<Index>(), vec(mutation(), 1..5)).prop_map(move |(index, mutations)| {
        let mut text = index.get(&texts).clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut text, &texts));
        Input(text)
    })
}

fn shipped(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Tries inputs for as long as is asked for, the same ones in the same order each time.
#[expect(clippy::disallowed_methods, reason = "how long a target runs is a matter of the machine's clock")]
fn fuzz<S: Strategy>(inputs: &S, read: impl Fn(S::Value) -> Result<String, TestCaseError>) {
    let seconds = env::var("FUZZ_SECONDS").map_or(3, |text| text.parse().expect("FUZZ_SECONDS is a number of seconds"));
    let begun = Instant::now();
    let mut tried = 0_u64;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&tried.to_le_bytes());
        let config = Config { cases: 50, failure_persistence: None, ..Config::default() };
        tried += u64::from(config.cases);
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let tested = runner.run(inputs, |input| {
            let begun = Instant::now();
            let said = read(input)?;
            prop_assert!(begun.elapsed() < LONGEST, "it took {:?}: {said:.200}", begun.elapsed());
            Ok(())
        });
        tested.unwrap_or_else(|error| panic!("{error}"));
    }
    eprintln!("{tried} inputs tried");
}

/// Reads the scenario in `folder`; what is wrong with it has a place.
fn read(folder: &Path, set: Vec<String>) -> Result<String, TestCaseError> {
    match load(&folder.join("x.ron"), &Overrides { seed: None, set }) {
        Ok(plan) => Ok(plan.resolved_ron()),
        Err(error) => {
            let text = error.to_string();
            let place = text.lines().nth(1).unwrap_or_default().trim_start();
            prop_assert!(place.starts_with("--> ") || text.contains('^') || text.contains("x.ron is empty"), "{text}");
            prop_assert!(text.starts_with("error: ") && text.len() < 20_000, "{text}");
            Ok(text)
        }
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for file in ["5_prosumers.csv", "noon.csv", "tariff.csv"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/data").join(file);
        fs::copy(from, folder.path().join("data").join(file)).unwrap();
    }
    folder
}

#[test]
fn a_scenario_that_has_gone_wrong_is_told_where() {
    let folder = folder();
    fuzz(&mutated(shipped("", "ron")), |Input(text)| {
        fs::write(folder.path().join("x.ron"), text).unwrap();
        read(folder.path(), Vec::new())
    });
}

#[test]
fn a_setting_that_has_gone_wrong_is_told_where() {
    let folder = folder();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/partition.ron"), folder.path().join("x.ron"))
        .unwrap();
    let settings = [
        "mu=0.5,1",
        "delay=Uniform(min: \"1ms\", max: \"1s\"),\"10ms\"",
        "network.groups.\"a.b\"=Share(0.2)",
        "network.conditions[0].what=Link((from: Ledger, to: Grid, loss: 0.1))",
        "network.conditions.*.at=1h",
        "storage=Some((capacity_kwh: 10, power_kw: 5))",
        "population=Synthetic(count: 7)",
        "learning.mix=[(share: 0.5, adaptation: Some(None))]",
        "market.grid_tariff=0.9",
        "activation.period=1s",
        "mechanism=Negotiation(rho: 2),MidMarketRate,UniformPriceAuction(every: \"10s\")",
        "learning.bidding=Truthful(steps: 5)",
        "every=10s",
    ];
    let settings = mutated(settings.map(|text| text.as_bytes().to_vec()).to_vec());
    fuzz(&vec(settings, 1..3), |settings| {
        let set = settings.iter().map(|Input(text)| String::from_utf8_lossy(text).into_owned());
        read(folder.path(), set.collect())
    });
}

#[test]
fn data_that_have_gone_wrong_are_told_where() {
    let folder = folder();
    let scenario =
        "(name: \"x\", population: Profiles(\"data/x.csv\"), market: (grid_tariff: Csv(\"data/tariff.csv\")))";
    fs::write(folder.path().join("x.ron"), scenario).unwrap();
    let profiles = shipped("data", "csv").remove(0);
    fuzz(&mutated(vec![profiles]), |Input(text)| {
        fs::write(folder.path().join("data/x.csv"), text).unwrap();
        read(folder.path(), Vec::new())
    });
}
