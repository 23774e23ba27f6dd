//! The world state: what is known, one key a fact. A key's text is its kind and its parts, as in `bill/SLOT/BUYER/SELLER`;
//! prosumers are named by their number in the scenario's files.

pub use crate::market::balance::Account;
use crate::{
    ids::{ChannelName, Slot},
    json,
    statement::{Choice, Invoice, MeterReading, Orders, Outcome, Quote, Registration, Tariff},
    time::Time,
    units::{Energy, Money},
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::{fmt, str::FromStr, sync::Arc};

/// Number of a prosumer in the scenario's files.
pub type Number = u32;

/// Declares the keys with the type of fact that stands under each.
macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident(slot $(, $part:ident)*) in $channel:ident, $text:literal: $fact:ty;)+) => {
        /// Where a fact stands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($(#[$doc])* $name(Slot $(, keys!(@number $part))*),)+
        }

        /// What stands there.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Fact {
            $($(#[$doc])* $name($fact),)+
        }

        impl Key {
            /// The channel whose state the fact belongs to.
            pub fn channel(&self) -> ChannelName {
                match self {
                    $(Self::$name(..) => ChannelName::$channel,)+
                }
            }

            /// The slot of which the fact tells.
            pub fn slot(&self) -> Slot {
                match self {
                    $(Self::$name(slot, ..) => *slot,)+
                }
            }
        }

        impl fmt::Display for Key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(slot $(, $part)*) => {
                        write!(f, concat!($text, "/{}"), slot)?;
                        $(write!(f, "/{}", $part)?;)*
                    })+
                }
                Ok(())
            }
        }

        impl FromStr for Key {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut parts = text.split('/');
                let kind = parts.next().unwrap_or_default();
                let numbers: Vec<u32> = parts.map_while(|part| part.parse().ok()).collect();
                let key = match (kind, &numbers[..]) {
                    $(($text, &[slot $(, $part)*]) => Some(Self::$name(slot $(, $part)*)),)+
                    _ => None,
                };
                // A number with a sign or leading zeros would be a second name of the same fact.
                key.filter(|key| key.to_string() == text).ok_or_else(|| {
                    const KEYS: &[&str] = &[$(concat!($text, "/<slot>" $(, "/<", stringify!($part), ">")*)),+];
                    format!("{text} is no key; keys are {}, by numbers", KEYS.join(", "))
                })
            }
        }

        /// As it stands on the chain: its content, of which its key tells the kind.
        impl Serialize for Fact {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name(fact) => fact.serialize(serializer),)+
                }
            }
        }

        impl Fact {
            /// As it stands on the chain.
            pub fn to_json(&self) -> Box<RawValue> {
                to_raw_value(self).expect("every fact has a JSON text")
            }

            /// Reads what stands under `key`; an error if the text is not a fact of the key's kind.
            pub fn from_json(key: Key, text: &str) -> Result<Self, serde_json::Error> {
                match key {
                    $(Key::$name(..) => serde_json::from_str(text).map(Self::$name),)+
                }
            }
        }

        /// A fact with what it is a fact of, so that it can be read without its key.
        #[derive(Serialize, Deserialize)]
        pub(crate) enum Tagged {
            $($name($fact),)+
        }

        impl From<&Fact> for Tagged {
            fn from(fact: &Fact) -> Self {
                match fact {
                    $(Fact::$name(content) => Self::$name(content.clone()),)+
                }
            }
        }

        impl From<Tagged> for Fact {
            fn from(tagged: Tagged) -> Self {
                match tagged {
                    $(Tagged::$name(content) => Self::$name(content),)+
                }
            }
        }

        $(impl TryFrom<Fact> for $fact {
            type Error = Fact;

            fn try_from(fact: Fact) -> Result<Self, Fact> {
                if let Fact::$name(content) = fact { Ok(content) } else { Err(fact) }
            }
        })+
    };
    (@number $part:ident) => { Number };
}

keys! {
    /// The tariffs of a slot.
    Tariff(slot) in Trade, "tariff": Arc<Tariff>;
    /// What a prosumer registered for a slot.
    Register(slot, prosumer) in Trade, "register": Registration;
    /// What a buyer, the second, owes a seller, the third, for a slot.
    Bill(slot, buyer, seller) in Trade, "bill": Bill;
    /// What a participant's bills of a slot add up to.
    Account(slot, prosumer) in Trade, "account": Account;
    /// What the operator earns in a slot.
    Fees(slot) in Trade, "fees": Money;
    /// That a slot is settled.
    Settlement(slot) in Trade, "settlement": Settled;
    /// Who plays in a slot.
    Game(slot) in Information, "game": Arc<Game>;
    /// A seller's last quote of a slot.
    Quote(slot, seller) in Information, "quote": Quote;
    /// A buyer's last choice of a slot.
    Choice(slot, buyer) in Information, "choice": Arc<Choice>;
    /// That a slot's game is over.
    Closing(slot) in Information, "closing": Closing;
    /// A prosumer's energy of a slot.
    Meter(slot, prosumer) in Energy, "meter": MeterReading;
    /// What a prosumer's exchange with the grid in a slot costs and earns it.
    Invoice(slot, prosumer) in Energy, "invoice": Invoice;
    /// A participant's last orders of a slot.
    Orders(slot, prosumer) in Information, "orders": Arc<Orders>;
    /// What was announced and executed at the clearing of this number, from 1, of a slot.
    Clearing(slot, number) in Information, "clearing": Arc<Clearing>;
    /// What the grid earns in a slot by the fee on local trades.
    GridFees(slot) in Trade, "grid_fees": GridFees;
}

json::as_text!(Key);

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
    /// What the buyer pays to the operator and, where there is a grid fee, to the grid [1e-6 CNY].
    pub fee: Money,
}

/// What the grid earns in a slot by the fee on local trades [1e-6 CNY].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GridFees(pub Money);

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

/// What is announced or executed at once in a slot, by a mechanism that clears by a rule of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clearing {
    /// Counts the clearings of the slot from 1.
    pub number: u32,
    /// The price of all its executions, or the price that is announced [CNY/kWh]; `None` if each has its own, or none.
    #[serde(default, skip_serializing_if = "json::is_left_out")]
    pub price: Option<f64>,
    /// What was offered when it cleared [1e-6 kWh].
    pub supply: Energy,
    /// What was asked for [1e-6 kWh].
    pub demand: Energy,
    /// What changes hands, in the order in which it came about.
    pub executions: Vec<Execution>,
}

/// A buyer gets energy [1e-6 kWh] from a seller at a price [CNY/kWh].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution(pub Number, pub Number, pub Energy, #[serde(with = "json::number")] pub f64);

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
            Key::Orders(17, 3),
            Key::Clearing(17, 1),
            Key::GridFees(17),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key));
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
