//! Chains made by hand: whoever makes them says what each transaction reads and writes, and what becomes of it.

use crate::ledger::schema;
use microgrid_agents::{
    chain::{
        block::{Checkpoint, Head, Header, commit_hash, data_hash},
        call::{Call, Proposal},
        fact::{Fact, Key},
        genesis::Genesis,
        hash::Digest,
        identity::{Party, SecretKey, Signature},
        refusal::{Refusal, Validity, code},
        transaction::{Endorsement, Envelope, Outcome, Read, Version, Write},
    },
    ids::{ActorId, ChannelName, Slot},
    time::Time,
};
use rusqlite::Connection;
use std::{collections::BTreeMap, path::Path, sync::Arc};

pub(crate) const SEED: u64 = 7;

/// The secret key of a party; prosumers are numbered from 1.
pub(crate) fn key(party: Party) -> SecretKey {
    let actor = match party {
        Party::Ledger => ActorId::LEDGER,
        Party::Grid => ActorId::GRID,
        Party::Prosumer(number) => ActorId(number + 1),
    };
    SecretKey::derive(SEED, actor)
}

/// A transaction to be: everything about it may be changed before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) submitted: u64,
    pub(crate) creator: Party,
    /// Who signs the proposal.
    pub(crate) signer: Option<Party>,
    pub(crate) call: Call,
    /// Who is said to endorse which text, and whose key signs it.
    pub(crate) endorsements: Vec<(Party, String, Party)>,
    pub(crate) reads: Vec<Key>,
    pub(crate) outcome: Result<Vec<(Key, Fact)>, Refusal>,
    /// What becomes of it, if it is not its outcome.
    pub(crate) code: Option<Validity>,
    /// Changes the text of the envelope.
    pub(crate) respell: fn(String) -> String,
}

/// A draft of an unsigned call at a time [ms].
pub(crate) fn draft(
    ms: u64,
    creator: Party,
    call: Call,
    reads: &[Key],
    outcome: Result<Vec<(Key, Fact)>, Refusal>,
) -> Draft {
    Draft {
        submitted: ms * 1_000_000,
        creator,
        signer: None,
        call,
        endorsements: Vec::new(),
        reads: reads.to_vec(),
        outcome,
        code: None,
        respell: |text| text,
    }
}

impl Draft {
    /// The same, signed by its creator.
    pub(crate) fn signed(self) -> Self {
        Self { signer: Some(self.creator), ..self }
    }
}

/// A row of `blocks`, with the rows of `transactions` that belong to it.
#[derive(Clone, Debug)]
struct Row {
    header: Header,
    commit_hash: Digest,
    transactions: Vec<(Validity, String)>,
}

/// Three chains under way.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) id: Digest,
    pub(crate) closed: Slot,
    rows: Vec<Row>,
    facts: BTreeMap<Key, (String, Version)>,
}

impl Chain {
    /// The first block of each.
    pub(crate) fn begin(genesis: Genesis) -> Self {
        let genesis = Arc::new(genesis);
        let id = genesis.id();
        let mut chain = Self { genesis, id, closed: 0, rows: Vec::new(), facts: BTreeMap::new() };
        for channel in ChannelName::ALL {
            let call = match channel {
                ChannelName::Trade => Call::Genesis(Arc::clone(&chain.genesis)),
                _ => Call::Anchor(id),
            };
            chain.block(channel, 0, vec![draft(0, Party::Ledger, call, &[], Ok(vec![]))]);
        }
        chain
    }

    fn last(&self, channel: ChannelName) -> Option<&Row> {
        self.rows.iter().rev().find(|row| row.header.channel == channel)
    }

    /// Cuts a block at a time [ms]. All its transactions were carried out against the state before it.
    pub(crate) fn block(&mut self, channel: ChannelName, ms: u64, drafts: Vec<Draft>) {
        let number = self.last(channel).map_or(0, |row| row.header.number + 1);
        let before: BTreeMap<Key, Version> = self.facts.iter().map(|(key, (_, version))| (*key, *version)).collect();
        let mut transactions = Vec::new();
        let mut effects = Vec::new();
        for (place, draft) in (0..).zip(drafts) {
            let envelope = self.envelope(&draft, &before);
            let validity = draft.code.unwrap_or(draft.outcome.as_ref().map(drop).map_err(|refusal| *refusal));
            let writes = match (envelope.outcome.clone(), validity) {
                (Outcome::Writes(writes), Ok(())) => writes,
                _ => vec![],
            };
            for Write(key, text) in &writes {
                self.facts.insert(*key, (text.get().to_owned(), Version(number, place)));
            }
            effects.push((validity, writes));
            transactions.push((validity, (draft.respell)(envelope.to_json())));
        }
        let header = Header {
            channel,
            number,
            previous_hash: self.last(channel).map(|row| row.header.hash()),
            data_hash: data_hash(transactions.iter().map(|(_, text)| text)),
            position: self.rows.len() as u64,
            time: Time(ms * 1_000_000),
        };
        let previous = self.last(channel).map(|row| row.commit_hash);
        let effects = effects.iter().map(|(validity, writes)| (*validity, writes.as_slice()));
        let commit_hash = commit_hash(previous, &header, effects);
        self.rows.push(Row { header, commit_hash, transactions });
    }

    fn envelope(&self, draft: &Draft, before: &BTreeMap<Key, Version>) -> Envelope {
        let proposal = Proposal { creator: draft.creator, call: draft.call.clone() }.to_json();
        let endorsements = draft
            .endorsements
            .iter()
            .map(|(by, text, signer)| Endorsement { by: *by, signature: key(*signer).sign(self.id, text) });
        Envelope {
            submitted: Time(draft.submitted),
            signature: draft.signer.map(|signer| key(signer).sign(self.id, proposal.get())),
            endorsements: endorsements.collect(),
            reads: draft.reads.iter().map(|key| Read(*key, before.get(key).copied())).collect(),
            outcome: match &draft.outcome {
                Ok(writes) => Outcome::Writes(writes.iter().map(|(key, fact)| Write(*key, fact.to_json())).collect()),
                Err(refusal) => Outcome::Refused(*refusal),
            },
            proposal,
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let head = |channel| {
            let last = self.last(channel).unwrap();
            let (header_hash, commit_hash) = (last.header.hash(), last.commit_hash);
            Head { channel, blocks: last.header.number + 1, header_hash, commit_hash }
        };
        Checkpoint { closed: self.closed, heads: ChannelName::ALL.map(head) }
    }

    /// The ledger's signature over the text of a checkpoint.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Signature {
        key(Party::Ledger).sign(self.id, &checkpoint.to_json())
    }

    /// Writes it into a database that has its tables.
    fn insert(&self, database: &Connection) -> rusqlite::Result<()> {
        let case = self.genesis.case;
        for Row { header, commit_hash, transactions } in &self.rows {
            let (channel, number) = (header.channel.name(), header.number);
            database.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rusqlite::params![
                    case,
                    channel,
                    number.cast_signed(),
                    header.position.cast_signed(),
                    header.time.0.cast_signed(),
                    header.previous_hash.map(|hash| hash.0),
                    header.data_hash.0,
                    header.hash().0,
                    commit_hash.0,
                ],
            )?;
            for (place, (validity, envelope)) in transactions.iter().enumerate() {
                database.execute(
                    "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?)",
                    rusqlite::params![case, channel, number.cast_signed(), place as u32, code(*validity), envelope],
                )?;
            }
        }
        for (key, (text, Version(block, place))) in &self.facts {
            let (channel, block) = (key.channel().name(), block.cast_signed());
            database.execute(
                "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?)",
                (case, channel, key.to_string(), text, block, *place),
            )?;
        }
        let checkpoint = self.checkpoint();
        let signature = self.sign(&checkpoint).to_string();
        database.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (case, checkpoint.to_json(), signature))?;
        Ok(())
    }
}

/// Writes cases into a new database.
pub(crate) fn write(path: &Path, cases: &[Chain]) {
    let mut database = Connection::open(path).unwrap();
    database.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    database.pragma_update(None, "user_version", schema::USER_VERSION).unwrap();
    let transaction = database.transaction().unwrap();
    transaction.execute_batch(schema::SQL).unwrap();
    cases.iter().for_each(|case| case.insert(&transaction).unwrap());
    transaction.commit().unwrap();
}
