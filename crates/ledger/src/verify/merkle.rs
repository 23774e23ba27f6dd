//! Where a path through a Merkle tree leads, by RFC 9162, section 2.1.3.2.

use microgrid_agents::chain::{
    hash::Digest,
    merkle::{AuditPath, Siblings},
};

/// The root to which `path` leads from the leaf of these parts; `None` if no tree of its size has such a path.
pub(super) fn root(path: &AuditPath, leaf: &[&[u8]]) -> Option<Digest> {
    let Siblings::Hashes(siblings) = &path.siblings else { return None };
    let (mut place, mut last) = (path.index, path.size.checked_sub(1)?);
    if place > last {
        return None;
    }
    let mut root = Digest::of([&[&[0_u8][..]], leaf].concat());
    for Digest(sibling) in siblings {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            root = Digest::of([&[1], &sibling[..], &root.0]);
            // Up to where it has had no sibling.
            while place % 2 == 0 && place != 0 {
                (place, last) = (place / 2, last / 2);
            }
        } else {
            root = Digest::of([&[1], &root.0[..], sibling]);
        }
        (place, last) = (place / 2, last / 2);
    }
    (last == 0).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    fn sha256(parts: &[&[u8]]) -> Digest {
        Digest(Sha256::digest(parts.concat()).into())
    }

    /// RFC 9162, section 2.1.1, to the letter.
    fn hash(leaves: &[String]) -> Digest {
        match leaves {
            [one] => sha256(&[&[0], one.as_bytes()]),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                sha256(&[&[1], &hash(left).0, &hash(right).0])
            }
        }
    }

    /// RFC 9162, section 2.1.3.1.
    fn path(index: usize, leaves: &[String]) -> Vec<Digest> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let (mut below, sibling) =
            if index < half { (path(index, left), right) } else { (path(index - half, right), left) };
        below.push(hash(sibling));
        below
    }

    #[test]
    fn a_path_leads_to_the_root_by_its_definition_and_only_the_right_one_does() {
        for size in 1..=40 {
            let leaves: Vec<String> = (0..size).map(|n| format!("invoice {n}")).collect();
            let due = Some(hash(&leaves));
            for index in 0..size {
                let found = |index: usize, size: usize, siblings: &[Digest], leaf: &str| {
                    let siblings = Siblings::Hashes(siblings.into());
                    root(
                        &AuditPath { index: index as u32, size: size as u32, siblings },
                        &[b"inv", &leaf.as_bytes()[3..]],
                    )
                };
                let (siblings, leaf) = (path(index, &leaves), &leaves[index]);
                assert_eq!(found(index, size, &siblings, leaf), due);
                for other in (0..size).filter(|&other| other != index) {
                    assert_ne!(found(other, size, &siblings, leaf), due);
                    assert_ne!(found(index, size, &path(other, &leaves), leaf), due);
                    assert_ne!(found(index, size, &siblings, &leaves[other]), due);
                }
                assert_eq!(found(index, size, &[&siblings[..], &[Digest([1; 32])]].concat(), leaf), None);
                assert_eq!(found(index, 2 * size + 1, &siblings, leaf), None);
                if let [rest @ .., _] = &siblings[..] {
                    assert_eq!(found(index, size, rest, leaf), None);
                }
            }
        }
        for (index, size) in [(0, 0), (1, 1), (u32::MAX, u32::MAX)] {
            assert_eq!(root(&AuditPath { index, size, siblings: Siblings::Hashes([].into()) }, &[b"x"]), None);
        }
    }
}
