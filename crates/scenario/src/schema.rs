//! The scenario file's fields and types. What a scenario gets where its file says nothing is the published study, and a
//! synthetic population that makes a mixed market whenever the sun shines.

use indexmap::IndexMap;
use microgrid_agents::{
    chain::genesis::{PeerPolicy, Posts, Signatures},
    ledger::Durability,
    market::{demand::Demand, storage::StorageLimits},
};
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal, StandardUniform};
use ron::value::RawValue;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny, SeqAccess, Unexpected, Visitor, value::SeqAccessDeserializer},
};
use serde_json::json;
use std::{
    fmt::{self, Display},
    path::PathBuf,
    time::Duration,
};

/// Largest number of slots, of prosumers and of cases.
pub(super) const LARGEST_COUNT: u32 = 1_000_000;

/// A struct of settings, each with what it is where nothing is said.
macro_rules! with_defaults {
    ($(#[$about:meta])* pub struct $name:ident {
        $($(#[$field_about:meta])* pub $field:ident: $type:ty = $default:expr,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }
    };
}

mod brackets;
mod learning;
mod market;
mod members;
mod network;

pub use crate::calendar::Calendar;
pub use learning::{Habit, Initial, InitialPrice, Learning};
pub(crate) use market::{CO2, FIRST_AND_LAST};
pub use market::{GroupTariffs, Imbalance, Market, Open, Rate};
pub use members::{Community, ForecastError, Unit};
pub use microgrid_agents::prosumer::Activation;
pub use network::{Condition, Incident, Link, Members, Network, Who};

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name of the scenario, and of the folder of its results.
    pub name: String,
    /// Seed of everything random.
    #[serde(default = "usual_seed")]
    pub seed: u64,
    /// Slots, opening hours and tariffs.
    #[serde(default)]
    pub market: Market,
    /// Who takes part.
    pub population: PopulationSource,
    /// What energy is worth.
    #[serde(default)]
    pub preferences: Preferences,
    /// Everybody's storage, if there is any.
    #[serde(default, deserialize_with = "brackets::optional")]
    pub storage: Option<Storage>,
    /// How buyers and sellers adapt.
    #[serde(default)]
    pub learning: Learning,
    /// When they act.
    #[serde(default)]
    pub activation: Activation,
    /// How messages travel.
    #[serde(default)]
    pub network: Network,
    /// How the ledger works.
    #[serde(default)]
    pub ledger: Ledger,
    /// Which time the actors live in.
    #[serde(default)]
    pub clock: Clock,
    /// What is written down.
    #[serde(default)]
    pub record: Record,
    /// What figures show.
    #[serde(default)]
    pub report: Report,
    /// Knobs and paths to vary, each with its values: one case per combination.
    #[serde(default)]
    pub vary: IndexMap<String, Vec<Value>>,
    /// With which seeds each combination is run.
    #[serde(default)]
    pub replicates: Replicates,
}

impl Scenario {
    /// A scenario of this name with everything else by default.
    pub fn new(name: &str, population: PopulationSource) -> Self {
        let shortest = json!({ "name": name, "population": { "Profiles": "" } });
        let usual: Self = serde_json::from_value(shortest).expect("all else has a default");
        Self { population, ..usual }
    }

    /// Curvature of utility in one slot, `alpha / h` (4) [CNY/kWh²].
    pub fn alpha_of_slot(&self) -> f64 {
        self.preferences.alpha / self.market.hours()
    }

    /// Which posts become transactions, with this many prosumers.
    pub fn posts(&self, prosumers: usize) -> Posts {
        let by_peers = self.ledger.peers.0 > 1 && !self.market.mechanism.has_parts();
        let usual =
            if self.market.mechanism.needs_every_post() || by_peers { Posts::Every } else { Posts::usual(prosumers) };
        self.ledger.posts.unwrap_or(usual)
    }

    /// The same with nothing to vary.
    pub(super) fn unvaried(&self) -> Self {
        Self { vary: IndexMap::new(), ..self.clone() }
    }
}

fn usual_seed() -> u64 {
    2023
}

/// A value as it is written in a scenario, such as `0.5`, `10ms` or `Poisson(period: "1s")`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(Box<RawValue>);

impl Value {
    /// The value that is written so.
    pub fn new(value: impl Display) -> Self {
        let text = value.to_string();
        let quoted = || RawValue::from_rust(&text).expect("any text can be quoted");
        Self(RawValue::from_ron(&text).map_or_else(|_| quoted(), |value| value.trim().to_owned()))
    }

    /// What it says word for word, however numbers and durations are written; values of one knob that have the same are the
    /// same.
    pub(super) fn words(&self) -> Vec<String> {
        let words = self.text();
        let words = words.split(|c| "()[]{}:,".contains(c)).map(word);
        words.filter(|word| !["", "Some", "Constant"].contains(&word.as_str())).collect()
    }

    /// How it is written; quotes around it make no difference.
    pub fn text(&self) -> String {
        self.0.into_rust().unwrap_or_else(|_| on_one_line(self.0.get_ron()))
    }
}

/// A word of a value, or what it says.
fn word(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"');
    match (text.replace('_', "").parse::<f64>(), humantime::parse_duration(text)) {
        // The zero that is negative is one.
        (Ok(number), _) => (number + 0.0).to_string(),
        (_, Ok(duration)) => format!("{duration:?}"),
        _ => text.to_owned(),
    }
}

/// A value without the comments and blanks that say nothing.
fn on_one_line(value: &str) -> String {
    let (mut line, mut rest) = (String::new(), value);
    loop {
        // Goes on behind blanks and comments.
        let next = ron::Deserializer::from_str(rest).map_or(rest, |ron| ron.remainder());
        let Some(first) = next.chars().next() else { return line };
        let (opened, closes) = (line.ends_with(['(', '[', '{']), ")]},:(".contains(first));
        if next.len() < rest.len() && !line.is_empty() && !opened && !closes {
            line.push(' ');
        }
        // A text may hold what would be a comment elsewhere.
        let is_text = next.starts_with(['"', '\'']) || next.starts_with("r\"") || next.starts_with("r#");
        let behind_text = || {
            let mut ron = ron::Deserializer::from_str(next).ok()?;
            IgnoredAny::deserialize(&mut ron).ok().map(|_| ron.remainder())
        };
        rest = is_text.then(behind_text).flatten().unwrap_or(&next[first.len_utf8()..]);
        line += &next[..next.len() - rest.len()];
    }
}

/// What the grid asks or pays for energy [CNY/kWh].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tariff {
    /// The same in every slot.
    Constant(f64),
    /// By hours, days and months: of several rates that hold the last counts.
    Schedule(Vec<Rate>),
    /// One value a slot, or from some moments on, from a CSV file with the columns `slot` or `time` and `price_per_kwh`.
    Csv(PathBuf),
}

/// Where the prosumers' data come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PopulationSource {
    /// A CSV file with the columns `prosumer, slot, pv_kwh, load_kwh, preference_pv, preference_grid`.
    Profiles(PathBuf),
    /// Members with names and devices of their own.
    Members(#[serde(deserialize_with = "brackets::held")] Community),
    /// Drawn at random from the scenario's seed.
    Synthetic(#[serde(deserialize_with = "brackets::held")] Synthetic),
}

with_defaults! {
    /// A synthetic population: what its prosumers' data are drawn from.
    ///
    /// How the draws become profiles is told in docs/scenario.md.
    pub struct Synthetic {
        /// How many prosumers.
        pub count: u32 = 0,
        /// Share of prosumers with photovoltaics, in [0, 1].
        pub pv_share: f64 = 0.8,
        /// Peak power of a prosumer's photovoltaics [kW].
        pub pv_peak_kw: Distribution = Distribution::LogNormal { median: 5.0, sigma: 0.3 },
        /// What the weather leaves of a clear sky's generation in a slot; kept in [0, 1].
        pub weather: Distribution = Distribution::Normal { mean: 0.85, std_dev: 0.12 },
        /// Share of workplaces, whose load follows the sun, in [0, 1]; the others are homes.
        pub workplace_share: f64 = 0.5,
        /// Mean load of a prosumer over the day [kW].
        pub load_kw: Distribution = Distribution::LogNormal { median: 2.0, sigma: 0.3 },
        /// Factor on the load of a slot.
        pub load_noise: Distribution = Distribution::LogNormal { median: 1.0, sigma: 0.2 },
        /// Preference for photovoltaic energy of a prosumer without load, `w_pv0` [CNY/kWh].
        pub preference_base: Distribution = Distribution::LogNormal { median: 0.6, sigma: 0.1 },
        /// What each kWh of load in an hour, each kW of mean load in a slot, adds to the preference for photovoltaic
        /// energy [CNY/kWh²].
        pub preference_per_kwh: f64 = 0.4,
        /// Preference for grid energy, `w_grid` [CNY/kWh]; kept in [1, 4] and not above that for photovoltaic energy.
        pub preference_grid: Distribution = Distribution::Uniform { min: 1.0, max: 2.0 },
    }
}

impl Synthetic {
    /// So many prosumers, with everything else by default.
    pub fn new(count: u32) -> Self {
        Self { count, ..Self::default() }
    }
}

/// What a quantity that may not be negative is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Distribution {
    /// Always this value.
    Constant(f64),
    /// Any value from `min` to `max`, all equally likely.
    Uniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// The bell curve; what falls below zero counts as zero.
    Normal {
        /// Its centre.
        mean: f64,
        /// Its width.
        std_dev: f64,
    },
    /// The logarithm is normal: half of the values lie below `median`, two thirds within a factor of `exp(sigma)`.
    LogNormal {
        /// Its median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
}

impl Distribution {
    /// One draw, never negative. The parameters do not change how many random numbers it takes.
    pub(crate) fn draw(&self, random: &mut impl Rng) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { min, max } => {
                let position: f64 = StandardUniform.sample(random);
                min + (max - min) * position
            }
            Self::Normal { mean, std_dev } => (mean + std_dev * normal(random)).max(0.0),
            Self::LogNormal { median, sigma } => median * (sigma * normal(random)).exp(),
        }
    }
}

fn normal(random: &mut impl Rng) -> f64 {
    StandardNormal.sample(random)
}

with_defaults! {
    /// What energy is worth.
    pub struct Preferences {
        /// Curvature of utility in an hour [CNY/kWh²]: see [`Scenario::alpha_of_slot`].
        pub alpha: f64 = 0.4,
        /// How strongly the ledger raises trust in local energy, in [0, 1].
        pub eta: f64 = 0.2,
        /// Share of prosumers on the ledger, in [0, 1].
        pub mu: f64 = 1.0,
        /// Whether demand answers freely to price.
        pub demand: Demand = Demand::Elastic,
        /// Everybody's preference `w_pv0`, where the profiles have no column for it [CNY/kWh].
        pub preference_pv: Option<f64> = None,
        /// Everybody's preference `w_grid`, where the profiles have no column for it [CNY/kWh].
        pub preference_grid: Option<f64> = None,
    }
}

impl Preferences {
    /// Everybody's preferences, where they are given, with the names of their fields.
    pub(crate) fn everybodys(&self) -> [(&'static str, Option<f64>); 2] {
        [("preference_pv", self.preference_pv), ("preference_grid", self.preference_grid)]
    }
}

/// Everybody's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Largest content [kWh].
    pub capacity_kwh: f64,
    /// Largest charging and discharging power [kW].
    pub power_kw: f64,
    /// Efficiency each way, in (0, 1].
    #[serde(default = "usual_efficiency")]
    pub efficiency: f64,
    /// Content at the start of the run [kWh].
    #[serde(default)]
    pub initial_kwh: f64,
}

impl Storage {
    /// Its efficiency each way if nobody says.
    pub(crate) const USUAL_EFFICIENCY: f64 = 0.95;

    /// What the storage can do, in the terms of the market's equations.
    pub fn limits(&self) -> StorageLimits {
        StorageLimits { capacity: self.capacity_kwh, power: self.power_kw, efficiency: self.efficiency }
    }
}

fn usual_efficiency() -> f64 {
    Storage::USUAL_EFFICIENCY
}

/// Which time the actors live in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Clock {
    /// Simulated time, as fast as the machine can: exactly repeatable.
    #[default]
    Virtual,
    /// The machine's clock: actors run free, and no two runs are the same.
    Wall {
        /// Simulated seconds per second.
        speed: f64,
    },
}

/// What is written down. What is left out changes nothing in the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// All tables and the ledger.
    #[default]
    Full,
    /// Slots, key figures and what the ledger carried; no trades, no prosumers, no path of prices and no ledger.
    Slots,
    /// What cases and combinations came to, but no slots either.
    Summary,
}

/// What figures show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// The slot whose game is drawn; `None`: of each case the one with most traded energy.
    pub slot: Option<u32>,
}

/// How the ledger works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// When a block is cut.
    pub block: Block,
    /// What is signed.
    pub signatures: Signatures,
    /// Which posts of the game become transactions; `None`: every one up to 100 prosumers or where their order
    /// decides on trades, the last ones beyond.
    pub posts: Option<Posts>,
    /// When commits are on disk.
    pub durability: Durability,
    /// How many peers hold it; with one, it is orderer and peer in one.
    pub peers: PeerCount,
    /// Whose client each prosumer is.
    pub clients: Clients,
    /// What clients do when their peer does not answer.
    pub on_outage: Outage,
    /// How many peers must endorse a settlement.
    pub policy: PeerPolicy,
}

/// How many peers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerCount(pub u32);

impl Default for PeerCount {
    fn default() -> Self {
        Self(1)
    }
}

/// Which prosumers are clients of which peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Clients {
    /// In the order of their numbers, in turn: the first is the first peer's, the second the second's, and so on.
    #[default]
    ByNumber,
    /// Those of these groups are clients of the peers with these numbers, by the first group that has them; the others as by
    /// number.
    ByGroup(IndexMap<String, u32>),
}

/// What clients do when their peer does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outage {
    /// Wait until it does.
    #[default]
    Wait,
    /// Go to the next peer.
    Switch,
}

with_defaults! {
    /// When a block is cut.
    pub struct Block {
        /// At this many transactions.
        pub max_transactions: u32 = 500,
        /// Or this long after the first transaction.
        #[serde(with = "humantime_serde")]
        pub timeout: Duration = Duration::from_millis(50),
    }
}

/// How often each combination is run: `replicates: 5` or `replicates: [2023, 7, 11]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Replicates {
    /// So often, with the scenario's seed and the ones that follow it.
    Count(u32),
    /// Once with each of these seeds.
    Seeds(Vec<u64>),
}

impl Replicates {
    /// How many replicates there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Count(count) => *count as usize,
            Self::Seeds(seeds) => seeds.len(),
        }
    }

    /// The seed of a replicate, counted from 0, in a scenario with this seed.
    pub fn seed(&self, base: u64, replicate: usize) -> u64 {
        match self {
            Self::Count(_) => base + replicate as u64,
            Self::Seeds(seeds) => seeds[replicate],
        }
    }
}

impl Default for Replicates {
    fn default() -> Self {
        Self::Count(1)
    }
}

/// By hand, so that a mistake in the list is told where it stands.
impl<'de> Deserialize<'de> for Replicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountOrSeeds;

        impl<'de> Visitor<'de> for CountOrSeeds {
            type Value = Replicates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 on, or a list of seeds")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Self::Value, E> {
                let most = || E::custom(format_args!("too many: at most {LARGEST_COUNT} are allowed"));
                u32::try_from(count).map(Replicates::Count).map_err(|_| most())
            }

            /// Also of `-0`.
            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Self::Value, E> {
                let whole = u64::try_from(count).map_err(|_| E::invalid_value(Unexpected::Signed(count), &self))?;
                self.visit_u64(whole)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Replicates::Seeds)
            }
        }

        deserializer.deserialize_any(CountOrSeeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_the_same_however_it_is_laid_out_and_remarked() {
        for (written, text) in [
            ("0.5 // half\n", "0.5"),
            ("/* a */ Fixed( /* b */\n    0.1 // c\n  ) ", "Fixed(0.1)"),
            ("Poisson (period:\t\"1s /* no // remark */\" ,)", "Poisson(period: \"1s /* no // remark */\",)"),
            ("Profiles(r#\"a \"/*\" // b\"#)", "Profiles(r#\"a \"/*\" // b\"#)"),
            ("( 8 ,20 )", "(8,20)"),
            ("\"10ms // none\"", "10ms // none"),
            ("{\"a\" : [ 'x' , 1 ]}", "{\"a\": ['x', 1]}"),
        ] {
            let value: Value = ron::from_str(written).unwrap();
            assert_eq!(value.text(), text, "{written}");
        }
    }
}
