//! What can be wrong with a ledger.

use super::report::Report;
use crate::{position::Position, reader::ReadError};
use microgrid_agents::{
    chain::{
        fact::{Key, Number},
        identity::Party,
        refusal::{Validity, code},
    },
    debug_as_display,
    ids::Slot,
    units::Energy,
};

/// Why a ledger does not verify.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no file that could be opened, or nothing in it.
    #[error(transparent)]
    Open(ReadError),
    /// Something is wrong with it.
    #[error("{place}: {discrepancy}")]
    Discrepancy {
        /// Where.
        place: Position,
        /// What.
        discrepancy: Box<Discrepancy>,
        /// What was found to be right before.
        so_far: Box<Report>,
    },
}

debug_as_display!(VerifyError, Discrepancy);

/// The first discrepancy, and where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Position,
    pub(super) discrepancy: Box<Discrepancy>,
}

impl From<ReadError> for Found {
    fn from(error: ReadError) -> Self {
        let place = error.place();
        Self { place, discrepancy: Box::new(Discrepancy::Unreadable(error)) }
    }
}

impl From<rusqlite::Error> for Found {
    fn from(error: rusqlite::Error) -> Self {
        ReadError::from(error).into()
    }
}

impl Discrepancy {
    /// This, at `place`.
    pub(super) fn at(self, place: Position) -> Found {
        Found { place, discrepancy: Box::new(self) }
    }
}

/// Fine, or the first discrepancy.
pub(super) type Checked<T = ()> = Result<T, Found>;

/// What can be wrong with a ledger.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Discrepancy {
    // The file.
    /// A row or the file as a whole cannot be read.
    #[error(transparent)]
    Unreadable(ReadError),
    /// The database finds its own pages inconsistent.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A number in the file's header is not that of a ledger.
    #[error("{name} is {found}, not {expected}")]
    FileHeader {
        /// Which.
        name: &'static str,
        /// What it is.
        found: i64,
        /// What it is in every ledger.
        expected: i64,
    },
    /// A table or view is not that of a ledger.
    #[error("the schema is not that of a ledger: {0} is missing, added or different")]
    Schema(String),

    // Cases.
    /// There are rows, but no checkpoint that stands for them.
    #[error("table {0} has rows of this case, but the case has no checkpoint")]
    NoCheckpoint(&'static str),
    /// Cases are not numbered from 1.
    #[error("case {0} is missing")]
    MissingCase(u32),
    /// Cases follow each other: one that is not complete has none after it.
    #[error("only {closed} of {slots} slots are closed, but other cases follow")]
    IncompleteCase {
        /// Last slot that is closed.
        closed: Slot,
        /// How many slots the case has.
        slots: Slot,
    },
    /// The first block does not say what everybody agrees on.
    #[error("genesis: {0}")]
    Genesis(String),

    // Checkpoints.
    /// The checkpoint's text is none.
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    /// The checkpoint is not signed by the ledger.
    #[error("checkpoint: the ledger's signature does not hold")]
    CheckpointSignature,
    /// The tail of a chain is missing.
    #[error("the chain ends with block {last}, but the ledger has signed block {signed}")]
    Truncated {
        /// Last block that is there.
        last: u64,
        /// Last block that should be.
        signed: u64,
    },
    /// A chain has no blocks.
    #[error("the chain has no blocks, but the ledger has signed block {0}")]
    Empty(u64),
    /// A block stands beyond what the ledger has signed.
    #[error("the ledger has signed no block after {0}")]
    Unsigned(u64),
    /// The last block is not the one that the ledger has signed.
    #[error("its {0} hash is not the one that the ledger has signed")]
    Head(&'static str),
    /// A slot is said to be closed, but something is missing in it.
    #[error("slot {slot} is said to be closed, but {missing}")]
    NotClosed {
        /// Which slot.
        slot: Slot,
        /// What is missing.
        missing: String,
    },
    /// A slot is complete for long, but not said to be closed.
    #[error("slot {slot} is complete, but the ledger says that it has closed no slot after {closed}")]
    Closed {
        /// Which slot.
        slot: Slot,
        /// Last slot said to be closed.
        closed: Slot,
    },

    // Blocks.
    /// A block is missing between others.
    #[error("block {missing} is missing: block {next} comes next")]
    Dropped {
        /// Number of the block that should be there.
        missing: u64,
        /// Number of the block that is.
        next: u64,
    },
    /// The channels' blocks are not in one order without gaps.
    #[error("its position among all blocks is {found}, where {expected} is due")]
    Position {
        /// What it is.
        found: u64,
        /// What it should be.
        expected: u64,
    },
    /// A block was cut before the one before it.
    #[error("it was cut at {0} ns, before the block that comes before it")]
    Time(u64),
    /// A block does not follow the one before it.
    #[error("its previous hash is not the header hash of {}", before(*number))]
    Link {
        /// Number of the block.
        number: u64,
    },
    /// Blocks have changed places.
    #[error("its previous hash is the header hash of block {named}, not of {}: blocks are swapped", before(*number))]
    Swapped {
        /// Number of the block.
        number: u64,
        /// Number of the block that it names as the one before it.
        named: u64,
    },
    /// A hash is not that of what it is said to cover.
    #[error("its {0} hash is not that of its content")]
    Hash(&'static str),
    /// Transactions are not numbered from 0.
    #[error("transaction {expected} is missing: {found} comes next")]
    DroppedTransaction {
        /// What is missing.
        expected: u32,
        /// What is there.
        found: u32,
    },
    /// A block has no transactions, or more than the rules allow.
    #[error("it has {found} transactions, and may have 1 to {most}")]
    BlockSize {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: u32,
    },
    /// A call that makes a block of its own stands among others.
    #[error("it is not alone in its block")]
    NotAlone,
    /// A block was cut later than its timeout, or before a transaction came.
    #[error("it was submitted at {submitted} ns, but its block was cut at {cut} ns, with a timeout of {timeout} ns")]
    Timeout {
        /// When the transaction reached the ledger.
        submitted: u64,
        /// When the block was cut.
        cut: u64,
        /// The rules' timeout.
        timeout: u64,
    },

    // Transactions.
    /// There is no such code.
    #[error("{0:?} is no code")]
    UnknownCode(String),
    /// A text is not what it should be.
    #[error("{what} cannot be read: {why}")]
    Text {
        /// Which text.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// A text is not written the one way that it can be written.
    #[error("{0} is spelt in another way than the ledger spells it")]
    Spelling(&'static str),
    /// A call stands in a chain where it does not belong.
    #[error("its call does not belong in this chain")]
    WrongChannel,
    /// A chain begins otherwise than with genesis or its anchor.
    #[error("it does not begin the chain as it should: {0}")]
    Beginning(&'static str),
    /// A code is not what follows from the chain.
    #[error("code is {}, but {}", code(*.found), reason(*.due, .detail))]
    Code {
        /// What it is.
        found: Validity,
        /// What it should be.
        due: Validity,
        /// Which signature, endorsement or read decides.
        detail: String,
    },
    /// The contract says something else than the transaction.
    #[error("it says that the contract {}, but the contract {}", says(*.found), says(*.due))]
    Outcome {
        /// What the transaction says.
        found: Validity,
        /// What the contract says.
        due: Validity,
    },
    /// A transaction rests on other facts than the contract reads.
    #[error("its reads are not those of the contract")]
    Reads,
    /// A transaction writes something else than the contract.
    #[error("it writes another fact than the contract under {0}")]
    Write(Key),
    /// A transaction writes more or fewer facts than the contract.
    #[error("it writes {found} facts, the contract {due}")]
    Writes {
        /// How many it writes.
        found: usize,
        /// How many the contract writes.
        due: usize,
    },

    // What transactions mean.
    /// A game is not among those who are registered.
    #[error("the game's {0} are not those registered for the slot")]
    Players(&'static str),
    /// The first choice of a game is not one share a seller.
    #[error("the game's first choice has {found} shares for {sellers} sellers")]
    FirstChoice {
        /// Number of shares.
        found: usize,
        /// Number of sellers.
        sellers: usize,
    },
    /// A game opens in a slot that is settled already.
    #[error("a game opens in slot {0}, which is settled already")]
    LateGame(Slot),
    /// A slot is settled without a game, though there were both sides for one.
    #[error("slot {0} is settled without a game, though sellers and buyers are registered for it")]
    NoGame(Slot),
    /// A bill is another than follows from the game.
    #[error("the bill of buyer {buyer} from seller {seller} is over {found} kWh, but the game gives {due} kWh")]
    Bill {
        /// Who buys.
        buyer: Number,
        /// Who sells.
        seller: Number,
        /// What is billed.
        found: Energy,
        /// What should be.
        due: Energy,
    },
    /// A bill is missing, and neither side has disputed it or stayed silent.
    #[error(
        "the bill of buyer {buyer} from seller {seller} over {due} kWh is missing, and neither has disputed it or stayed silent"
    )]
    MissingBill {
        /// Who buys.
        buyer: Number,
        /// Who sells.
        seller: Number,
        /// What should be billed.
        due: Energy,
    },

    // Facts.
    /// A fact in the table is not what the chain says.
    #[error("fact {key}: {what}")]
    Fact {
        /// Its key, as it stands there.
        key: String,
        /// What is wrong.
        what: &'static str,
    },
    /// Amounts of a slot do not add up.
    #[error("the books of slot {slot}: {left} is {found}, but {right} is {expected} [1e-6]")]
    Books {
        /// Which slot.
        slot: Slot,
        /// An amount.
        left: &'static str,
        /// Its value [1e-6 kWh or CNY].
        found: i128,
        /// The amount that should be the same.
        right: &'static str,
        /// Its value [1e-6 kWh or CNY].
        expected: i128,
    },
}

fn before(number: u64) -> String {
    number.checked_sub(1).map_or_else(|| "nothing".to_owned(), |number| format!("block {number}"))
}

fn reason(due: Validity, detail: &str) -> String {
    match due {
        Ok(()) => "it counts".to_owned(),
        Err(_) if detail.is_empty() => format!("should be {}", code(due)),
        Err(_) => detail.to_owned(),
    }
}

fn says(outcome: Validity) -> String {
    match outcome {
        Ok(()) => "carries it out".to_owned(),
        Err(refusal) => format!("refuses it with {}", refusal.name()),
    }
}

/// Whose signature or endorsement does not hold.
pub(super) fn does_not_hold(what: &str, of: Option<Party>) -> String {
    match of {
        None => format!("its {what} does not hold"),
        Some(party) => format!("the {what} of {party} is missing or does not hold"),
    }
}
