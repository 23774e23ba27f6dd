//! Whether a settlement is endorsed by both sides of each of its bills.

use super::{
    bills::Bills,
    discrepancy::does_not_hold,
    prepare::{Transaction, endorsements},
};
use microgrid_agents::chain::{
    call::Settlement,
    fact::Number,
    genesis::Genesis,
    hash::Digest,
    identity::{Claim, Party},
};
use std::collections::BTreeSet;

/// What the endorsements of a settlement lack.
#[derive(Debug)]
pub(super) struct Missing {
    /// Why the policy is not met, if it is not.
    pub(super) why: Option<String>,
    /// How many endorsements were checked.
    pub(super) checked: u64,
}

/// Both sides of each trade must have endorsed all their `bills` of the slot, and the ledger must have asked for it.
pub(super) fn missing(
    genesis: &Genesis,
    chain: Digest,
    settlement: &Settlement,
    bills: &Bills,
    transaction: &Transaction,
) -> Missing {
    if transaction.proposal.creator != Party::Ledger {
        return Missing { why: Some("only the ledger settles".to_owned()), checked: 0 };
    }
    let sides: BTreeSet<Number> = settlement.trades.iter().flat_map(|&(buyer, seller, _)| [buyer, seller]).collect();
    let texts = bills.texts(settlement.slot);
    let mut checked = 0;
    let mut standing = BTreeSet::new();
    for (&side, text) in texts.iter().filter(|(side, _)| sides.contains(side)) {
        let party = Party::Prosumer(side);
        let Some(key) = genesis.key(party) else { continue };
        for signature in endorsements(&transaction.envelope, party) {
            checked += 1;
            if (Claim { key, text, signature }).holds(chain) {
                standing.insert(side);
            }
        }
    }
    let lacking = sides.difference(&standing).next();
    let why = lacking.map(|&side| does_not_hold("endorsement", Some(Party::Prosumer(side))));
    Missing { why, checked }
}
