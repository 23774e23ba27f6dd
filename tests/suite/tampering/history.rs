//! A case's chains taken out of their file, to be changed and sealed anew by somebody who holds all keys.

use microgrid_agents::{
    chain::{
        block::{Block, Checkpoint, Head, Header, Recorded, SignedCheckpoint, commit_hash, data_hash},
        call::{Call, Proposal},
        fact::{Fact, Key},
        genesis::Genesis,
        hash::Digest,
        identity::{Party, SecretKey, Signature},
        refusal::{Validity, validity},
        transaction::{Envelope, Outcome, Write},
    },
    ids::{ActorId, ChannelName, Slot, peer},
    time::Time,
};
use microgrid_sim::{
    agents::ids::{GRID, LEDGER},
    ledger::{reader::Reader, store::Store},
};
use std::{path::Path, sync::Arc};

/// The chains of the only case of a ledger.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) closed: Slot,
    /// Of all channels in one order.
    pub(crate) blocks: Vec<Step>,
}

/// A block without its hashes, its number and its position.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) channel: ChannelName,
    pub(crate) time: Time,
    pub(crate) transactions: Vec<(Validity, Envelope)>,
}

impl History {
    /// Takes it out of a file.
    pub(crate) fn read(path: &Path) -> Self {
        let reader = Reader::open(path).unwrap();
        let checkpoint: Checkpoint = serde_json::from_str(&reader.checkpoints().unwrap()[0].content).unwrap();
        let mut blocks = Vec::new();
        let read = reader.each_block::<Box<dyn std::error::Error>>(1, |block| {
            let read = |text: &str| serde_json::from_str(text).unwrap();
            let transactions = block.transactions.iter().map(|t| (validity(&t.code).unwrap(), read(&t.envelope)));
            blocks.push(Step {
                channel: block.header.channel,
                time: block.header.time,
                transactions: transactions.collect(),
            });
            Ok(())
        });
        read.unwrap();
        let first = blocks[0].transactions[0].1.proposal().unwrap();
        let Call::Genesis(genesis) = first.call else { panic!("the chain begins with its genesis") };
        Self { genesis, closed: checkpoint.closed, blocks }
    }

    /// A party's signature for this chain.
    pub(crate) fn sign(&self, party: Party, text: &str) -> Signature {
        let actor = match party {
            Party::Ledger => LEDGER,
            Party::Grid => GRID,
            Party::Prosumer(_) => ActorId(2 + self.genesis.member(party).unwrap().0),
            Party::Peer(number) => peer(self.genesis.prosumers.len(), number),
        };
        SecretKey::derive(self.genesis.seed, actor).sign(self.genesis.id(), text)
    }

    /// The first transaction whose call and code are of this kind, with the place of its block.
    pub(crate) fn find(&mut self, wanted: impl Fn(&Call, Validity) -> bool) -> (usize, &mut (Validity, Envelope)) {
        let all =
            self.blocks.iter_mut().enumerate().flat_map(|(n, step)| step.transactions.iter_mut().map(move |t| (n, t)));
        let mut found = all.filter(|(_, (code, envelope))| wanted(&envelope.proposal().unwrap().call, *code));
        found.next().expect("there is such a transaction")
    }

    /// Writes it into a new file: all numbers, hashes and facts follow from the transactions, and the ledger signs.
    pub(crate) fn write(&self, path: &Path) {
        let mut store = Store::create(path).unwrap();
        let mut heads: [Option<Head>; 3] = [None; 3];
        for (position, step) in (0..).zip(&self.blocks) {
            let head = &mut heads[step.channel as usize];
            let block = step.seal(position, head.as_ref());
            let (header_hash, commit_hash) = (block.header.hash(), block.commit_hash);
            *head = Some(Head { channel: step.channel, blocks: block.header.number + 1, header_hash, commit_hash });
            store.insert(1, &block).unwrap();
        }
        let checkpoint = Checkpoint { closed: self.closed, heads: heads.map(|head| head.expect("no chain is empty")) };
        let signature = self.sign(Party::Ledger, &checkpoint.to_json());
        store.commit(1, &SignedCheckpoint { checkpoint, signature: Some(signature) }).unwrap();
        store.close().unwrap();
    }
}

impl Step {
    fn seal(&self, position: u64, head: Option<&Head>) -> Block {
        let recorded = |(validity, envelope): &(Validity, Envelope)| Recorded {
            submitted: envelope.submitted,
            envelope: envelope.to_json(),
            length: envelope.to_json().len() as u64,
            validity: *validity,
            writes: match (&envelope.outcome, validity) {
                (Outcome::Writes(writes), Ok(())) => writes.clone(),
                _ => vec![],
            },
        };
        let transactions: Vec<Recorded> = self.transactions.iter().map(recorded).collect();
        let header = Header {
            channel: self.channel,
            number: head.map_or(0, |head| head.blocks),
            previous_hash: head.map(|head| head.header_hash),
            data_hash: data_hash(transactions.iter().map(|transaction| &transaction.envelope)),
            position,
            time: self.time,
        };
        let effects = transactions.iter().map(|transaction| (transaction.validity, transaction.writes.as_slice()));
        let commit_hash: Digest = commit_hash(head.map(|head| head.commit_hash), &header, effects);
        Block { header, transactions, commit_hash }
    }
}

/// Changes a call, and has it signed again by its maker.
pub(crate) fn change_call(history: &History, envelope: &mut Envelope, change: impl FnOnce(&mut Call)) {
    let Proposal { creator, mut call } = envelope.proposal().unwrap();
    change(&mut call);
    let signed = envelope.signature.is_some();
    envelope.proposal = Proposal { creator, call }.to_json();
    envelope.signature = signed.then(|| history.sign(creator, envelope.proposal.get()));
}

/// Changes the facts that a transaction writes.
pub(crate) fn change_facts(envelope: &mut Envelope, mut change: impl FnMut(Key, &mut Fact)) {
    let Outcome::Writes(writes) = &mut envelope.outcome else { panic!("it writes facts") };
    for Write(key, text) in writes {
        let mut fact = Fact::from_json(*key, text.get()).unwrap();
        change(*key, &mut fact);
        *text = fact.to_json();
    }
}
