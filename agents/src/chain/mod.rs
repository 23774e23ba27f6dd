//! What stands on the ledger: transactions, blocks, facts, identities, and the hashes and signatures that hold them.
//!
//! Types and functions of their bytes only: who writes chains is the [`ledger`](crate::ledger) actor, and who checks them
//! shares nothing with it but what they are made of. `docs/ledger.md` tells how all this fits together.

pub mod block;
pub mod call;
pub mod fact;
#[doc(hidden)] // Hidden: written and read by the simulation and by `microgrid-ledger`.
pub mod genesis;
#[doc(hidden)] // Hidden: computed again by the verifier in `microgrid-ledger`.
pub mod hash;
pub mod identity;
pub(crate) mod invoices;
pub mod merkle;
pub mod refusal;
pub mod signable;
pub(crate) mod stub;
pub(crate) mod submission;
pub mod transaction;
