//! How often each combination of a study is run, and with which seeds.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};
use std::fmt;

/// How often each combination is run: `replicates: 5` or `replicates: [2023, 7, 11]`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Serialize for Replicates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => count.serialize(serializer),
            Self::Seeds(seeds) => seeds.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Replicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountOrSeeds;

        impl<'de> Visitor<'de> for CountOrSeeds {
            type Value = Replicates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or a list of seeds")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Self::Value, E> {
                u32::try_from(count).map(Replicates::Count).map_err(|_| E::custom("too many replicates"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut seeds = Vec::new();
                while let Some(seed) = list.next_element()? {
                    seeds.push(seed);
                }
                Ok(Replicates::Seeds(seeds))
            }
        }

        deserializer.deserialize_any(CountOrSeeds)
    }
}
