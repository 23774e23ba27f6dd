//! Why a transaction does not count: the codes that stand on the chain.

use serde::{Deserialize, Serialize};

/// Declares the reasons with their messages, and a list of them all.
macro_rules! refusals {
    ($($name:ident: $message:literal,)+) => {
        /// Why a transaction does not count: its code on the chain, where a transaction that counts has `Valid`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
        pub enum Refusal {
            $(#[doc = $message] #[error($message)] $name,)+
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
    BadSignature: "the signature is missing or is not its sender's",
    PolicyUnmet: "somebody has not endorsed it whose endorsement it needs",
    StaleRead: "it rests on a fact that an earlier transaction has changed since",
    ForgedIdentity: "it came unsigned, and from somebody else than it says",
    MarketClosed: "the slot is not under way, registration has closed or the game is over",
    NotAParticipant: "the sender does not take part in this role",
    OldVersion: "a newer or equal version is already there",
    NotFinite: "a number is infinite or none at all",
    PriceOutOfBand: "the price lies outside the tariffs",
    PriceBeyondRamp: "the price has moved further from the last one than the ramp allows",
    InvalidShares: "shares are negative, do not sum to 1, or are not one for each seller that the buyer knows",
    InvalidPurchases: "purchases are negative, beyond a firm need, or not one for each seller that the buyer knows",
    AlreadyRegistered: "a registration of the same prosumer is already there",
    InvalidRegistration: "a registered amount or preference is negative, or beyond any market",
    MoreThanSurplus: "more energy is to change hands than its seller has, or its buyer asked for",
    AlreadySettled: "the slot is settled already",
    AlreadyRecorded: "a fact is there already and cannot be replaced",
    EnergyDoesNotBalance: "the energy of a meter reading does not add up with the settled trades",
    WrongInvoice: "an invoice is not the exchanged energy at the tariffs of the slot",
}

/// Whether a transaction counts.
pub type Validity = Result<(), Refusal>;

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
