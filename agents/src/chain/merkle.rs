//! Merkle trees, with the hashes and shape of RFC 6962 (Certificate Transparency): a leaf's hash is no node's, and where
//! nodes cannot be paired the last goes up as it is. So neither can a node pass for a leaf, nor do two lists have one root.
//!
//! Of its own and not a library's: `ct-merkle` hashes a whole path anew for each leaf that it adds, and like `rs_merkle`
//! compares with a root that is known, where here the root follows from the path. The tests hold it to that library.

use super::hash::{Digest, Hasher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::sync::OnceLock;

/// The hash of a leaf: of these parts, one after the other.
pub(crate) fn leaf<Part: AsRef<[u8]>>(parts: impl IntoIterator<Item = Part>) -> Digest {
    let mut hasher = Hasher::default();
    hasher.add([0]);
    parts.into_iter().for_each(|part| hasher.add(part));
    hasher.digest()
}

fn node(left: Digest, right: Digest) -> Digest {
    let mut hasher = Hasher::default();
    hasher.add([1]);
    hasher.add(left.0);
    hasher.add(right.0);
    hasher.digest()
}

/// A tree: its levels from the leaves up to the root.
#[derive(Clone, Debug)]
pub(crate) struct Tree(Vec<Vec<Digest>>);

impl Tree {
    /// The tree over these hashes of leaves; panics if there are none.
    pub(crate) fn over(leaves: Vec<Digest>) -> Self {
        assert!(!leaves.is_empty(), "a tree has leaves");
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| if let [left, right] = *pair { node(left, right) } else { pair[0] });
            let above = above.collect();
            levels.push(above);
        }
        Self(levels)
    }

    pub(crate) fn root(&self) -> Digest {
        self.0[self.0.len() - 1][0]
    }

    /// What leads from the leaf at this place to the root.
    pub(crate) fn path(&self, index: u32) -> AuditPath {
        let size = self.0[0].len() as u32;
        let sibling = |(place, level): (usize, &Vec<Digest>)| level.get(place ^ 1).copied();
        let siblings = self.0.iter().enumerate().map(|(height, level)| (index as usize >> height, level));
        AuditPath { index, size, siblings: Siblings::Hashes(siblings.filter_map(sibling).collect()) }
    }
}

/// What leads from a leaf to the root: the leaf's place, and the hashes beside those on its way, from the leaf up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPath {
    /// The leaf's place among the leaves, counted from 0.
    pub index: u32,
    /// How many leaves there are.
    pub size: u32,
    /// The hashes beside the way, from the leaf up.
    pub siblings: Siblings,
}

/// The hashes beside the way from a leaf to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Siblings {
    /// Those of a tree. What is read from text always is.
    Hashes(Box<[Digest]>),
    /// So many that nobody has computed, where nobody keeps the chain; as text, zeros.
    StandIn(u32),
}

impl<'de> Deserialize<'de> for Siblings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => Deserialize::deserialize(deserializer).map(Self::Hashes),
            false => Result::deserialize(deserializer).map(|plain| plain.map_or_else(Self::StandIn, Self::Hashes)),
        }
    }
}

impl Serialize for Siblings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// What stands in for so many hashes: only its length is ever asked for, a million times a slot.
        static ZEROS: [OnceLock<Box<RawValue>>; 33] = [const { OnceLock::new() }; 33];
        match self {
            Self::Hashes(hashes) if serializer.is_human_readable() => hashes.serialize(serializer),
            Self::Hashes(hashes) => Ok::<_, u32>(hashes).serialize(serializer),
            Self::StandIn(count) if !serializer.is_human_readable() => Err::<(), _>(count).serialize(serializer),
            Self::StandIn(count) => {
                let zeros = || serde_json::value::to_raw_value(&vec![Digest::default(); *count as usize]);
                ZEROS[*count as usize].get_or_init(|| zeros().expect("hashes have a JSON text")).serialize(serializer)
            }
        }
    }
}

impl AuditPath {
    /// What stands in for the path of a leaf where nobody keeps the chain: as long, with nothing in it.
    pub(crate) fn stand_in(index: u32, size: u32) -> Self {
        Self { index, size, siblings: Siblings::StandIn(turns(index, size).count() as u32) }
    }

    /// The root to which it leads from this hash of a leaf; `None` if no tree of its size has such a path.
    pub(crate) fn root(&self, leaf: Digest) -> Option<Digest> {
        let Siblings::Hashes(hashes) = &self.siblings else { return None };
        if self.index >= self.size || turns(self.index, self.size).count() != hashes.len() {
            return None;
        }
        let up = |hash, (is_right, &sibling)| if is_right { node(sibling, hash) } else { node(hash, sibling) };
        Some(turns(self.index, self.size).zip(hashes).fold(leaf, up))
    }
}

/// On the way from a leaf to the root, at each node that has a sibling, whether it is the right one of both.
fn turns(index: u32, size: u32) -> impl Iterator<Item = bool> {
    let levels = std::iter::successors(Some((index, size)), |&(place, nodes)| Some((place / 2, nodes.div_ceil(2))));
    levels
        .take_while(|&(_, nodes)| nodes > 1)
        .filter(|(place, nodes)| place ^ 1 < *nodes)
        .map(|(place, _)| place % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::{HashableLeaf, mem_backed_tree::MemoryBackedTree};
    use sha2::{Sha256, digest};

    struct Text(String);

    impl HashableLeaf for Text {
        fn hash<H: digest::Update>(&self, hasher: &mut H) {
            hasher.update(self.0.as_bytes());
        }
    }

    fn tree(size: u32) -> Tree {
        Tree::over((0..size).map(|n| leaf([format!("invoice {n}")])).collect())
    }

    #[test]
    fn roots_and_paths_are_those_of_certificate_transparency() {
        let mut theirs = MemoryBackedTree::<Sha256, Text>::new();
        for size in 1..=70 {
            theirs.push(Text(format!("invoice {}", size - 1)));
            let mine = tree(size);
            assert_eq!(mine.root().0[..], theirs.root().as_bytes()[..], "{size}");
            for index in 0..size {
                let Siblings::Hashes(hashes) = mine.path(index).siblings else { panic!("they are computed") };
                let hashes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
                assert_eq!(hashes, theirs.prove_inclusion(index as usize).as_bytes(), "{index} of {size}");
            }
        }
    }

    #[test]
    fn a_path_leads_from_its_leaf_to_the_root_and_from_nowhere_else() {
        for size in 1..=33 {
            let tree = tree(size);
            for index in 0..size {
                let (path, own) = (tree.path(index), tree.0[0][index as usize]);
                assert_eq!(path.root(own), Some(tree.root()));
                let elsewhere = |path: &AuditPath| assert_ne!(path.root(own), Some(tree.root()), "{path:?}");
                (0..size).filter(|&other| other != index).for_each(|other| {
                    elsewhere(&AuditPath { index: other, ..path.clone() });
                    elsewhere(&tree.path(other));
                });
                let Siblings::Hashes(hashes) = &path.siblings else { panic!("they are computed") };
                elsewhere(&AuditPath {
                    siblings: Siblings::Hashes([&hashes[..], &[own]].concat().into()),
                    ..path.clone()
                });
                for flipped in 0..hashes.len() {
                    let mut hashes = hashes.clone();
                    hashes[flipped].0[7] ^= 1;
                    elsewhere(&AuditPath { siblings: Siblings::Hashes(hashes), ..path.clone() });
                }
                if let [_, above @ ..] = &hashes[..] {
                    // An inner node in the place of a leaf. In a tree half as large its hash would do, were it a leaf's.
                    let siblings = Siblings::Hashes(above.into());
                    for size in [size, size.div_ceil(2)] {
                        let shorter = AuditPath { index: index / 2, size, siblings: siblings.clone() };
                        for pair in [[own, hashes[0]], [hashes[0], own]] {
                            assert_ne!(shorter.root(leaf(pair.map(|hash| hash.0))), Some(tree.root()));
                        }
                    }
                }
            }
        }
        assert_eq!(AuditPath { index: 1, size: 1, siblings: Siblings::Hashes([].into()) }.root(leaf(["x"])), None);
        assert_eq!(AuditPath { index: 0, size: 0, siblings: Siblings::Hashes([].into()) }.root(leaf(["x"])), None);
    }

    #[test]
    fn what_stands_in_for_a_path_is_as_long_and_leads_nowhere() {
        for size in [1, 2, 3, 7, 100, 1025] {
            let tree = tree(size);
            for index in 0..size {
                let (path, stands_in) = (tree.path(index), AuditPath::stand_in(index, size));
                let [real, zeros] = [&path, &stands_in].map(|path| serde_json::to_string(path).unwrap());
                assert_eq!(real.len(), zeros.len());
                assert_eq!(serde_json::from_str::<AuditPath>(&real).unwrap(), path);
                assert_eq!(stands_in.root(tree.0[0][index as usize]), None);
                if size > 1 {
                    let read: AuditPath = serde_json::from_str(&zeros).unwrap();
                    assert_ne!(read.root(tree.0[0][index as usize]), Some(tree.root()));
                }
            }
        }
        assert_eq!(AuditPath::stand_in(0, u32::MAX).siblings, Siblings::StandIn(32));
    }
}
