//! How the grid endorses invoices: those that fall due at one instant with one signature, over the root of a Merkle tree.
//! Each comes with its path to that root, so that whoever has one needs none of the others to check it. One that falls due
//! by itself is signed as it is.

use super::{
    call::{InvoiceBlock, InvoiceTo},
    genesis::Genesis,
    hash::Digest,
    identity::{Claim, Known, Party, SecretKey, Signature},
    merkle::{AuditPath, Tree, leaf},
    transaction::Endorsement,
};

impl InvoiceTo {
    /// Its hash as a leaf, which is that of no other chain's.
    fn leaf(&self, chain: Digest) -> Digest {
        leaf([&chain.0, self.to_json().as_bytes()])
    }
}

impl InvoiceBlock {
    /// The block in which an invoice has this path; `None` if there is no such block.
    fn with(invoice: &InvoiceTo, path: &AuditPath, chain: Digest) -> Option<Self> {
        path.root(invoice.leaf(chain)).map(|root| Self { invoices: path.size, root })
    }
}

/// Endorses these invoices of one instant, all with one signature: gives the endorsement of each by its place.
pub(crate) fn endorse<'a>(
    invoices: &'a [InvoiceTo],
    by: Party,
    key: &'a SecretKey,
    chain: Digest,
) -> impl Fn(u32) -> Endorsement + 'a {
    let size = invoices.len() as u32;
    let known = if key.is_of_kept_chain() { Known::shared() } else { Known::default() };
    let together = (key.is_of_kept_chain() && size > 1).then(|| {
        let tree = Tree::over(invoices.iter().map(|invoice| invoice.leaf(chain)).collect());
        (key.sign_statement(chain, &InvoiceBlock { invoices: size, root: tree.root() }), tree)
    });
    move |place| {
        let (path, signature) = match &together {
            Some((signature, tree)) => (Some(tree.path(place)), *signature),
            None => {
                let path = (size > 1).then(|| AuditPath::stand_in(place, size));
                let invoice = &invoices[place as usize];
                let signature = match &path {
                    Some(path) => key.stand_in(chain, &placed(invoice, path)),
                    None => key.sign_statement(chain, invoice),
                };
                (path, signature)
            }
        };
        Endorsement { path, known: known.clone(), ..Endorsement::new(by, Some(signature)) }
    }
}

/// What stands for an invoice and its place, where nobody keeps the chain and there is no tree.
fn placed<'a>(invoice: &'a InvoiceTo, path: &AuditPath) -> (&'a InvoiceTo, u32, u32) {
    (invoice, path.index, path.size)
}

impl Genesis {
    /// Whether somebody endorses an invoice as the policies ask: the grid, and where anything is signed, with its signature.
    ///
    /// That is checked by the strict rules and by itself, once for all who share it: so it is the same for whoever asks.
    pub(crate) fn is_endorsed(&self, invoice: &InvoiceTo, endorsement: &Endorsement, chain: Digest) -> bool {
        let Endorsement { by, signature, path, known } = endorsement;
        if *by != Party::Grid || !self.has_signatures() {
            return *by == Party::Grid;
        }
        let (Some(key), Some(signature)) = (self.grid, *signature) else { return false };
        let holds = |text: &str| known.holds(Claim { key, text, signature }, chain);
        match (path, signature) {
            (None, Signature::StandIn(_)) => signature.is_under(invoice, key, chain),
            (Some(path), Signature::StandIn(_)) => signature.stands_in_for(&placed(invoice, path), key, chain),
            (None, Signature::Ed25519(_)) => holds(&invoice.to_json()),
            (Some(path), Signature::Ed25519(_)) => {
                InvoiceBlock::with(invoice, path, chain).is_some_and(|block| holds(&block.to_json()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{genesis::Signatures, merkle::Siblings},
        member::{Member, tests::members},
        statement::Invoice,
        units::Money,
    };
    use std::sync::Arc;

    /// The grid of a chain that is kept or not, and so many invoices.
    fn grid(kept: bool, size: u32) -> (Member, Vec<InvoiceTo>) {
        let Member { party, genesis, chain, .. } = members(1).swap_remove(1);
        let key = match kept {
            true => SecretKey::derive(1, crate::ids::GRID),
            false => SecretKey::stand_in_for(1, crate::ids::GRID),
        };
        let genesis = Arc::new(Genesis { grid: Some(key.public()), ..(*genesis).clone() });
        let invoice = |n| Invoice { slot: 9, charge: Money(i64::from(n)), credit: Money(0) };
        let invoices = (1..=size).map(|n| InvoiceTo { party: Party::Prosumer(n), invoice: invoice(n) }).collect();
        (Member::new(party, Some(key), kept, genesis, chain), invoices)
    }

    #[test]
    fn every_invoice_of_a_block_is_endorsed_by_one_signature_and_nothing_else_is() {
        for (kept, size) in [true, false].into_iter().flat_map(|kept| [1, 2, 3, 6, 33].map(|size| (kept, size))) {
            let (grid, invoices) = grid(kept, size);
            let (genesis, chain) = (&grid.genesis, grid.chain);
            let endorsement = grid.endorse(&invoices);
            let all: Vec<Endorsement> = (0..size).map(endorsement).collect();
            let one_signature = all.iter().all(|one| one.signature == all[0].signature);
            assert_eq!(one_signature, kept || size == 1, "where nobody keeps the chain, there is no root to sign");
            assert_eq!(all.iter().all(|one| one.path.is_none()), size == 1);
            for (n, endorsement) in all.iter().enumerate() {
                let invoice = &invoices[n];
                let fails = |invoice: &InvoiceTo, endorsement: &Endorsement, chain| {
                    assert!(!genesis.is_endorsed(invoice, endorsement, chain), "{invoice:?} {endorsement:?}");
                };
                // Twice: what is known to hold changes nothing.
                assert!((0..2).all(|_| genesis.is_endorsed(invoice, endorsement, chain)));
                fails(invoice, endorsement, Digest([3; 32]));
                fails(invoice, &Endorsement { by: Party::Ledger, ..endorsement.clone() }, chain);
                fails(invoice, &Endorsement { signature: None, ..endorsement.clone() }, chain);
                let amount = Invoice { credit: Money(1), ..invoice.invoice };
                fails(&InvoiceTo { invoice: amount, ..*invoice }, endorsement, chain);
                fails(&InvoiceTo { party: Party::Prosumer(99), ..*invoice }, endorsement, chain);
                for other in all.iter().enumerate().filter(|(other, _)| *other != n).map(|(_, other)| other) {
                    fails(invoice, other, chain);
                    fails(invoice, &Endorsement { path: other.path.clone(), ..endorsement.clone() }, chain);
                }
                if let Some(path) = &endorsement.path {
                    fails(invoice, &Endorsement { path: None, ..endorsement.clone() }, chain);
                    let longer = AuditPath { size: size + 1, ..path.clone() };
                    fails(invoice, &Endorsement { path: Some(longer), ..endorsement.clone() }, chain);
                }
            }
        }
    }

    #[test]
    fn a_root_signed_by_somebody_else_counts_for_nothing_whoever_has_checked_the_right_one() {
        let (grid, invoices) = grid(true, 5);
        let (genesis, chain) = (&grid.genesis, grid.chain);
        let honest = grid.endorse(&invoices)(2);
        assert!(genesis.is_endorsed(&invoices[2], &honest, chain));
        let stranger = SecretKey::derive(1, crate::ids::LEDGER);
        let forged = endorse(&invoices, Party::Grid, &stranger, chain)(2);
        assert_eq!(forged.path, honest.path);
        // What is known of the honest one does not help it.
        let forged = Endorsement { known: honest.known.clone(), ..forged };
        assert!(!genesis.is_endorsed(&invoices[2], &forged, chain));
        // That of another slot, too, has a root of its own.
        let later: Vec<InvoiceTo> =
            invoices.iter().map(|to| InvoiceTo { invoice: Invoice { slot: 10, ..to.invoice }, ..*to }).collect();
        let of_later = grid.endorse(&later)(2);
        for mixed in [
            Endorsement { path: of_later.path.clone(), ..honest.clone() },
            Endorsement { signature: of_later.signature, ..honest.clone() },
            of_later,
        ] {
            assert!(!genesis.is_endorsed(&invoices[2], &mixed, chain));
        }
    }

    #[test]
    fn what_stands_in_for_endorsements_is_as_long_as_they_are() {
        for size in [1, 2, 5, 100] {
            let lengths = [true, false].map(|kept| {
                let (grid, invoices) = grid(kept, size);
                let endorsement = grid.endorse(&invoices);
                (0..size).map(|n| serde_json::to_string(&endorsement(n)).unwrap().len()).collect::<Vec<_>>()
            });
            assert_eq!(lengths[0], lengths[1]);
        }
    }

    #[test]
    fn where_nothing_is_signed_the_grid_s_word_is_enough() {
        let (grid, invoices) = grid(true, 2);
        let mut genesis = Arc::unwrap_or_clone(grid.genesis);
        genesis.policies.signatures = Signatures::Off;
        let unsigned = Member::new(Party::Grid, None, true, Arc::new(genesis), grid.chain);
        let endorsement = unsigned.endorse(&invoices)(1);
        assert_eq!(serde_json::to_string(&endorsement).unwrap(), r#"{"by":"grid","signature":null}"#);
        assert!(unsigned.genesis.is_endorsed(&invoices[1], &endorsement, grid.chain));
        let by_another = Endorsement { by: Party::Prosumer(2), ..endorsement };
        assert!(!unsigned.genesis.is_endorsed(&invoices[1], &by_another, grid.chain));
    }

    #[test]
    fn on_the_chain_an_endorsement_has_its_path_and_reads_back() {
        let (grid, invoices) = grid(true, 2);
        let endorsement = grid.endorse(&invoices)(1);
        let text = serde_json::to_string(&endorsement).unwrap();
        let other = leaf([&grid.chain.0[..], invoices[0].to_json().as_bytes()]);
        let signature = endorsement.signature.unwrap();
        let path = format!(r#"{{"index":1,"size":2,"siblings":["{other}"]}}"#);
        assert_eq!(text, format!(r#"{{"by":"grid","signature":"{signature}","path":{path}}}"#));
        let read: Endorsement = serde_json::from_str(&text).unwrap();
        assert_eq!(read, endorsement);
        assert!(matches!(read.path.unwrap().siblings, Siblings::Hashes(hashes) if *hashes == [other]));
        let root = serde_json::from_str::<Endorsement>(r#"{"by":"grid","signature":null,"known":null}"#);
        assert!(root.unwrap_err().to_string().contains("unknown field"));
    }
}
