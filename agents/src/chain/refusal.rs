//! Why a transaction does not count: the codes that stand on the chain.

use serde::{Deserialize, Serialize};

/// Declares the reasons with their messages, and a list of them all.
macro_rules! refusals {
    ($($(#[$doc:meta])+ $name:ident: $message:literal,)+) => {
        /// Why a transaction does not count: its code on the chain, where a transaction that counts has `Valid`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
        pub enum Refusal {
            $($(#[$doc])+ #[error($message)] $name,)+
        }

        impl Refusal {
            /// All of them, in a fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name, as it stands on the chain.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

refusals! {
    /// The signature is missing or is not its sender's.
    BadSignature: "signature missing or wrong",
    /// Somebody has not endorsed it whose endorsement it needs.
    PolicyUnmet: "endorsements missing",
    /// It rests on a fact that an earlier transaction has changed since.
    StaleRead: "read a fact that has changed since",
    /// It came unsigned, and from somebody else than it says.
    ForgedIdentity: "sent in somebody else's name",
    /// The slot is not under way, registration has closed or the game is over.
    MarketClosed: "market closed",
    /// The sender does not take part in this role.
    NotAParticipant: "not a participant",
    /// A newer or equal version is already there.
    OldVersion: "version not newer",
    /// A number is infinite or none at all.
    NotFinite: "number not finite",
    /// The price lies outside the tariffs.
    PriceOutOfBand: "price out of band",
    /// The price has moved further from the last one than the ramp allows.
    PriceBeyondRamp: "price moved beyond the ramp",
    /// Shares are negative, do not sum to 1, or are not one for each seller that the buyer knows.
    InvalidShares: "invalid shares",
    /// Purchases are negative, beyond a firm need, or not one for each seller that the buyer knows.
    InvalidPurchases: "invalid purchases",
    /// A registration of the same prosumer is already there.
    AlreadyRegistered: "already registered",
    /// A registered amount or preference is negative, or beyond any market.
    InvalidRegistration: "invalid registration",
    /// More energy is to change hands than its seller has, or its buyer asked for.
    MoreThanSurplus: "more energy than the surplus",
    /// The slot is settled already.
    AlreadySettled: "already settled",
    /// A fact is there already and cannot be replaced.
    AlreadyRecorded: "already recorded",
    /// The energy of a meter reading does not add up with the settled trades.
    EnergyDoesNotBalance: "energy does not balance",
    /// An invoice is not the exchanged energy at the tariffs of the slot.
    WrongInvoice: "invoice does not match the meter and the tariffs",
}

/// Whether a transaction counts.
pub type Validity = Result<(), Refusal>;

/// Refuses by this name what does not hold.
pub(crate) fn ensure(holds: bool, refusal: Refusal) -> Validity {
    if holds { Ok(()) } else { Err(refusal) }
}

/// What stands on the chain for a transaction's validity: `Valid`, or the name of the refusal.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn code(validity: Validity) -> &'static str {
    validity.map_or_else(Refusal::name, |()| "Valid")
}

/// Reads a code back; `None` if there is no such code.
#[doc(hidden)] // Hidden: for the verifier in `microgrid-ledger` too.
pub fn validity(code: &str) -> Option<Validity> {
    if code == "Valid" {
        return Some(Ok(()));
    }
    Refusal::ALL.iter().find(|refusal| refusal.name() == code).map(|&refusal| Err(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        assert_eq!(validity(code(Ok(()))), Some(Ok(())));
        for &refusal in Refusal::ALL {
            assert_eq!(validity(code(Err(refusal))), Some(Err(refusal)));
            assert_eq!(serde_json::to_string(&refusal).unwrap(), format!("\"{}\"", refusal.name()));
        }
        assert_eq!(validity("Fine"), None);
    }
}
