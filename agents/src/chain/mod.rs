//! What stands on the ledger: transactions, blocks, facts, identities, and the hashes and signatures that hold them.
//!
//! Types and functions of their bytes only. Who writes chains is the [`ledger`](crate::ledger) actor; who checks them
//! shares nothing with it but this module and the [messages](crate::message) and [units](crate::units) that calls and
//! facts are made of. `docs/ledger.md` tells how all this fits together.
//!
//! | where | what |
//! |---|---|
//! | [`genesis`] | what everybody agrees on beforehand: members with their public keys, rules and policies |
//! | [`call`] | what one may ask of the contract, signed by who asks |
//! | [`transaction`] | a call with its endorsements, the versions it read and what it writes |
//! | [`refusal`] | why a transaction does not count |
//! | [`block`] | transactions in their final order, and the hashes that chain them |
//! | [`fact`] | the world state: keys and values |
//! | [`identity`] | names, keys, signatures |
//! | [`hash`] | digests |
//! | [`json`] | how numbers look in JSON |

pub mod block;
pub mod call;
pub mod fact;
// Hidden: written and read by the simulation and by `microgrid-ledger`.
#[doc(hidden)]
pub mod genesis;
// Hidden: computed again by the verifier in `microgrid-ledger`.
#[doc(hidden)]
pub mod hash;
pub mod identity;
pub mod refusal;
pub mod transaction;
