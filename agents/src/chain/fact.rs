//! The world state: what is known, one key a fact.
//!
//! | key | channel | fact |
//! |---|---|---|
//! | `tariff/SLOT` | trade | [`Tariff`] |
//! | `register/SLOT/PROSUMER` | trade | [`Registration`] |
//! | `bill/SLOT/BUYER/SELLER` | trade | [`Bill`] |
//! | `account/SLOT/PROSUMER` | trade | [`Account`] |
//! | `fees/SLOT` | trade | the operator's revenue [1e-6 CNY] |
//! | `settlement/SLOT` | trade | [`Settled`] |
//! | `game/SLOT` | information | [`Game`] |
//! | `quote/SLOT/SELLER` | information | [`Quote`] |
//! | `choice/SLOT/BUYER` | information | [`Choice`] |
//! | `closing/SLOT` | information | [`Closing`] |
//! | `meter/SLOT/PROSUMER` | energy | [`MeterReading`] |
//! | `invoice/SLOT/PROSUMER` | energy | [`Invoice`] |
//!
//! Prosumers are named by their number in the scenario's files.

use crate::json;
use crate::{
    ids::{ChannelName, Slot},
    statement::{Choice, Invoice, MeterReading, Outcome, Quote, Registration, Tariff},
    time::Time,
    units::{Energy, Money},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::value::{RawValue, to_raw_value};
use std::{fmt, str::FromStr, sync::Arc};

/// Number of a prosumer in the scenario's files.
pub type Number = u32;

/// Declares the keys with the type of fact that stands under each.
macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident($($part:ident),+) in $channel:ident, $text:literal: $fact:ty;)+) => {
        /// Where a fact stands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($(#[$doc])* $name($($part),+),)+
        }

        /// What stands there.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Fact {
            $($(#[$doc])* $name($fact),)+
        }

        impl Key {
            /// The first part of the key's text, which tells what kind of fact it is.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(..) => $text,)+
                }
            }

            /// The channel whose state the fact belongs to.
            pub fn channel(&self) -> ChannelName {
                match self {
                    $(Self::$name(..) => ChannelName::$channel,)+
                }
            }
        }

        impl Fact {
            /// As it stands on the chain.
            ///
            /// # Panics
            /// Never: every fact has a JSON text.
            pub fn to_json(&self) -> Box<RawValue> {
                match self {
                    $(Self::$name(fact) => to_raw_value(fact),)+
                }
                .expect("every fact has a JSON text")
            }

            /// Reads what stands under `key`.
            ///
            /// # Errors
            /// If the text is not a fact of the key's kind.
            pub fn from_json(key: Key, text: &str) -> Result<Self, serde_json::Error> {
                match key {
                    $(Key::$name(..) => serde_json::from_str(text).map(Self::$name),)+
                }
            }
        }
    };
}

keys! {
    /// The tariffs of a slot.
    Tariff(Slot) in Trade, "tariff": Tariff;
    /// What a prosumer registered for a slot.
    Register(Slot, Number) in Trade, "register": Registration;
    /// What a buyer, the second, owes a seller, the third, for a slot.
    Bill(Slot, Number, Number) in Trade, "bill": Bill;
    /// What a participant's bills of a slot add up to.
    Account(Slot, Number) in Trade, "account": Account;
    /// What the operator earns in a slot.
    Fees(Slot) in Trade, "fees": Money;
    /// That a slot is settled.
    Settlement(Slot) in Trade, "settlement": Settled;
    /// Who plays in a slot.
    Game(Slot) in Information, "game": Arc<Game>;
    /// A seller's last quote of a slot.
    Quote(Slot, Number) in Information, "quote": Quote;
    /// A buyer's last choice of a slot.
    Choice(Slot, Number) in Information, "choice": Arc<Choice>;
    /// That a slot's game is over.
    Closing(Slot) in Information, "closing": Closing;
    /// A prosumer's energy of a slot.
    Meter(Slot, Number) in Energy, "meter": MeterReading;
    /// What a prosumer's exchange with the grid in a slot costs and earns it.
    Invoice(Slot, Number) in Energy, "invoice": Invoice;
}

impl Key {
    fn parts(&self) -> (Slot, [Option<Number>; 2]) {
        match *self {
            Self::Tariff(slot) | Self::Fees(slot) | Self::Settlement(slot) | Self::Game(slot) | Self::Closing(slot) => {
                (slot, [None; 2])
            }
            Self::Register(slot, number)
            | Self::Account(slot, number)
            | Self::Quote(slot, number)
            | Self::Choice(slot, number)
            | Self::Meter(slot, number)
            | Self::Invoice(slot, number) => (slot, [Some(number), None]),
            Self::Bill(slot, buyer, seller) => (slot, [Some(buyer), Some(seller)]),
        }
    }

    /// The slot of which the fact tells.
    pub fn slot(&self) -> Slot {
        self.parts().0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (slot, numbers) = self.parts();
        write!(f, "{}/{slot}", self.kind())?;
        numbers.iter().flatten().try_for_each(|number| write!(f, "/{number}"))
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/');
        let kind = parts.next().unwrap_or_default();
        let numbers: Result<Vec<u32>, _> = parts.map(str::parse).collect();
        let key = match (kind, numbers.as_deref()) {
            ("tariff", Ok(&[slot])) => Self::Tariff(slot),
            ("register", Ok(&[slot, number])) => Self::Register(slot, number),
            ("bill", Ok(&[slot, buyer, seller])) => Self::Bill(slot, buyer, seller),
            ("account", Ok(&[slot, number])) => Self::Account(slot, number),
            ("fees", Ok(&[slot])) => Self::Fees(slot),
            ("settlement", Ok(&[slot])) => Self::Settlement(slot),
            ("game", Ok(&[slot])) => Self::Game(slot),
            ("quote", Ok(&[slot, number])) => Self::Quote(slot, number),
            ("choice", Ok(&[slot, number])) => Self::Choice(slot, number),
            ("closing", Ok(&[slot])) => Self::Closing(slot),
            ("meter", Ok(&[slot, number])) => Self::Meter(slot, number),
            ("invoice", Ok(&[slot, number])) => Self::Invoice(slot, number),
            _ => return Err(format!("{text} is no key")),
        };
        // A number with a sign or leading zeros would be a second name of the same fact.
        if key.to_string() == text { Ok(key) } else { Err(format!("{text} is no key")) }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What a buyer owes a seller for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// Delivered, `x_ij` (10) [1e-6 kWh].
    pub energy: Energy,
    /// Price `p_j` [CNY/kWh].
    pub price: f64,
    /// What the buyer pays and the seller earns [1e-6 CNY].
    pub payment: Money,
    /// What the buyer pays to the operator [1e-6 CNY].
    pub fee: Money,
}

/// What a participant's bills of a slot add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Bought from other prosumers [1e-6 kWh].
    pub bought: Energy,
    /// Sold to other prosumers [1e-6 kWh].
    pub sold: Energy,
    /// Paid to them [1e-6 CNY].
    pub paid: Money,
    /// Earned from them [1e-6 CNY].
    pub earned: Money,
    /// Paid to the operator [1e-6 CNY].
    pub fee: Money,
}

/// That a slot is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// How many bills it has.
    pub bills: u32,
    /// What they add up to [1e-6 kWh].
    pub energy: Energy,
}

/// Who plays in a slot, in order of their numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Game {
    /// Sellers; a seller's position here is its position in every list of the slot.
    pub sellers: Vec<Number>,
    /// Buyers.
    pub buyers: Vec<Number>,
    /// First choice `z(1)` of every buyer, one share a seller.
    #[serde(with = "json::numbers")]
    pub first_choice: Vec<f64>,
    /// When the gate closes.
    pub closes: Time,
}

/// That a slot's game is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// How it ended.
    pub outcome: Outcome,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_have_one_name_each() {
        let keys = [
            Key::Tariff(1),
            Key::Register(17, 3),
            Key::Bill(17, 3, 1),
            Key::Account(17, 3),
            Key::Fees(17),
            Key::Settlement(17),
            Key::Game(17),
            Key::Quote(17, 1),
            Key::Choice(17, 3),
            Key::Closing(17),
            Key::Meter(17, 3),
            Key::Invoice(17, 3),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key));
            assert!(key.to_string().starts_with(&format!("{}/", key.kind())));
        }
        assert_eq!(keys[2].to_string(), "bill/17/3/1");
        for wrong in ["", "bill", "bill/17/3", "bill/17/3/1/4", "bill/17/03/1", "bill/+17/3/1", "Bill/17/3/1"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn facts_read_back_by_the_kind_of_their_key() {
        let bill = Fact::Bill(Bill { energy: Energy(768_000), price: 0.7, payment: Money(537_600), fee: Money::ZERO });
        let text = bill.to_json();
        assert_eq!(text.get(), r#"{"energy":768000,"price":0.7,"payment":537600,"fee":0}"#);
        assert_eq!(Fact::from_json(Key::Bill(17, 3, 1), text.get()).unwrap(), bill);
        assert!(Fact::from_json(Key::Account(17, 3), text.get()).is_err());
        assert_eq!(Fact::from_json(Key::Fees(17), "12").unwrap(), Fact::Fees(Money(12)));
    }
}
