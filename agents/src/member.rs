//! A member of the chains: an actor's name and key, and what it does with them.

use crate::chain::{
    call::{Call, InvoiceTo, Proposal},
    genesis::Genesis,
    hash::Digest,
    identity::{Party, SecretKey, Signature},
    invoices,
    signable::Signable,
    submission::Submission,
    transaction::Endorsement,
};
use std::sync::Arc;

/// A member of the chains, who can sign.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub party: Party,
    key: Option<SecretKey>,
    keeps_chains: bool,
    /// What everybody agrees on.
    pub genesis: Arc<Genesis>,
    /// The chains' identifier, that of the genesis.
    pub chain: Digest,
}

impl Member {
    /// The member `party` of the chains of `genesis`, whose identifier is `chain`; it has a key where anything is signed.
    pub fn new(party: Party, key: Option<SecretKey>, keeps_chains: bool, genesis: Arc<Genesis>, chain: Digest) -> Self {
        Self { party, key, keeps_chains, genesis, chain }
    }

    /// Signs a statement for these chains; `None` where nothing is signed.
    pub fn sign(&self, statement: &impl Signable) -> Option<Signature> {
        self.key.as_ref().map(|key| key.sign_statement(self.chain, statement))
    }

    /// Signs a text for these chains, which are kept; `None` where nothing is signed.
    pub(crate) fn sign_text(&self, text: &str) -> Option<Signature> {
        self.key.as_ref().map(|key| key.sign(self.chain, text))
    }

    /// What is as long as a signature, where chains are not kept; `None` where nothing is signed.
    pub(crate) fn name_in_place_of_signature(&self) -> Option<Signature> {
        self.key.as_ref().map(|key| key.public().name())
    }

    /// Endorses invoices that fall due at one instant: gives the endorsement of each by its place.
    pub(crate) fn endorse<'a>(&'a self, invoices: &'a [InvoiceTo]) -> impl Fn(u32) -> Endorsement + 'a {
        let signed = self.key.as_ref().map(|key| invoices::endorse(invoices, self.party, key, self.chain));
        move |place| match &signed {
            Some(endorsement) => endorsement(place),
            None => Endorsement::new(self.party, None),
        }
    }

    /// Whether the chains are kept, so that they need texts.
    pub fn keeps_chains(&self) -> bool {
        self.keeps_chains
    }

    /// A call to submit to the ledger, signed if the policies ask for it.
    pub fn submission(&self, call: Call, endorsements: Vec<Endorsement>) -> Arc<Submission> {
        let creator = self.party;
        let signed = self.genesis.must_be_signed(creator, &call);
        let proposal = Proposal { creator, call };
        let signature = if signed { self.sign(&proposal) } else { None };
        Arc::new(Submission { proposal, signature, endorsements })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        chain::{
            genesis::{Policies, Posts, Rules, Signatures},
            identity::{Claim, verify},
        },
        ids::ActorId,
        market::{choice_set::ChoiceSet, demand::Demand, mechanism::Mechanism, opening::OpenSlots},
        statement::{Quote, Registration},
        time::Time,
    };
    use std::time::Duration;

    /// The ledger, the grid and prosumers 1, 2 and so on, in the order of their addresses.
    pub(crate) fn members(prosumers: u32) -> Vec<Member> {
        let key = |actor: u32| SecretKey::derive(1, ActorId(actor));
        let rules = Rules {
            slots: 24,
            open: OpenSlots::span(8, 20),
            demand: Demand::Elastic,
            service_fee: 0.0,
            grid_fee: 0.0,
            ramp: 0.1,
            choice_set: ChoiceSet::All,
            posts: Posts::Every,
            max_transactions: 500,
            timeout: Duration::from_millis(50),
            late_blocks: false,
            mechanism: Mechanism::TwoLevelGame,
        };
        let genesis = Arc::new(Genesis {
            scenario: "day".into(),
            case: 1,
            seed: 1,
            rules,
            policies: Policies::new(Signatures::Settlement),
            ledger: Some(key(0).public()),
            grid: Some(key(1).public()),
            peers: Vec::new(),
            prosumers: (1..=prosumers).map(|number| (number, Some(key(number + 1).public()))).collect(),
            tariff_groups: Vec::new(),
        });
        let chain = genesis.id();
        let party = |actor| match actor {
            0 => Party::Ledger,
            1 => Party::Grid,
            actor => Party::Prosumer(actor - 1),
        };
        let member = |actor| Member::new(party(actor), Some(key(actor)), true, Arc::clone(&genesis), chain);
        (0..prosumers + 2).map(member).collect()
    }

    /// So what was signed before there were others still is, to the byte.
    #[test]
    fn the_article_s_game_is_not_named_in_a_genesis() {
        let genesis = &*members(1)[0].genesis;
        let text = serde_json::to_string(genesis).unwrap();
        assert!(!text.contains("mechanism"), "{text}");
        assert_eq!(serde_json::from_str::<Genesis>(&text).unwrap(), *genesis);
    }

    #[test]
    fn a_submission_is_signed_where_the_policies_ask_for_it() {
        let member = &members(1)[2];
        let registration = member.submission(Call::Register(8, Registration::Idle), Vec::new());
        let text = registration.proposal.to_json();
        let key = member.genesis.key(member.party).unwrap();
        let claim = Claim { key, text: text.get(), signature: registration.signature.unwrap() };
        assert_eq!(verify(member.chain, &[claim]), [true]);
        let quote = Quote { slot: 8, version: 1, price: 0.5, change: 0.0, updates_at_rest: 0, answers: Time::ZERO };
        assert_eq!(member.submission(Call::PostQuote(quote), Vec::new()).signature, None);
    }
}
