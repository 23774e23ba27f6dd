//! What a column is: all that is told of it beside its field, and what a row has in it.

use super::{number::Number, slots::SlotRow};
use microgrid_agents::{ids::ChannelName, market::role::Role, observation::Outcome};
use serde::Serialize;

/// A column of a table with rows `R`, as it is declared beside its field.
#[derive(Debug)]
pub struct Column<R> {
    /// Its name: that of the field.
    pub name: &'static str,
    /// Unit of its numbers; none of counts, shares and names.
    pub unit: Option<&'static str>,
    /// What a row has in it.
    pub value: fn(&R) -> Value,
    /// What it is of a case, where studies compare it.
    pub measure: Option<Measure<R>>,
    /// How the report shows it in its table, if it does.
    pub shown: Option<Shown<R>>,
    /// Which type it has.
    pub(super) kind: Kind,
}

/// What a study compares: a column over the slots of a case that had a market.
#[derive(Debug)]
pub struct Measure<R = SlotRow> {
    /// That of its column.
    pub name: &'static str,
    /// What its axis in a figure says, without the unit.
    pub label: &'static str,
    /// What its axis says of the unit.
    pub unit: Option<&'static str>,
    /// What it is of a case, in words, as the beginning of a caption.
    pub what: &'static str,
    /// What else there is to know of it, behind a caption.
    pub remark: &'static str,
    /// Whether it is next to nothing where a game comes to rest and a thousand or a million times as large where it does
    /// not, so that its axis is logarithmic.
    pub logarithmic: bool,
    /// Whether it may be less than zero.
    pub signed: bool,
    /// Whether it cannot be more than the time to gate closure.
    pub to_gate: bool,
    pub(super) of: Of<R>,
}

/// What a slot with a market adds to a measure of its case: to a total, and to what this is divided by in the end.
pub(super) type Part = (f64, f64);

/// How a measure comes about.
#[derive(Debug)]
pub(super) enum Of<R> {
    /// As the mean over all slots where it is defined.
    Mean(fn(&R) -> Value),
    /// From what a slot adds, `None` where it is undefined there. The second argument is the time from the opening of a
    /// slot to gate closure [s], if it is known.
    Parts(fn(&R, Option<f64>) -> Option<Part>),
}

/// How the report shows a column in its table.
#[derive(Debug)]
pub struct Shown<R> {
    /// The heading.
    pub title: &'static str,
    /// Unit of what is shown.
    pub unit: Option<&'static str>,
    /// Decimals of its numbers; `None` for names, and for numbers that are shown as they are.
    pub decimals: Option<usize>,
    /// Columns with a larger number come later, those with the same in the order of the table.
    pub place: u8,
    /// What is shown of a row.
    pub value: fn(&R) -> Value,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers below 2^32.
    Small,
    /// Whole numbers below 2^64.
    Large,
    /// Numbers.
    Number,
    /// Numbers that may be undefined.
    Optional,
    /// Names, of which this is one.
    Name(&'static str),
}

/// What can stand in a column.
pub(super) trait Cell: Into<Value> {
    /// The type of a column of such.
    const KIND: Kind;
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// What is undefined.
    Missing,
    /// A whole number.
    Whole(u64),
    /// A number.
    Number(f64),
    /// A name.
    Text(String),
}

impl Value {
    /// As a number; `None` of what is none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Missing | Self::Text(_) => None,
        }
    }
}

/// Derived, they would be copied only where rows are.
macro_rules! copied {
    ($($name:ident),+) => {
        $(impl<R> Clone for $name<R> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<R> Copy for $name<R> {})+
    };
}
copied!(Column, Measure, Of, Shown);

impl<R> Column<R> {
    /// A column that is written, and nothing else.
    pub(super) const fn new(name: &'static str, kind: Kind, value: fn(&R) -> Value) -> Self {
        Self { name, unit: None, value, measure: None, shown: None, kind }
    }

    /// In this unit.
    pub(super) const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// A measure of studies: the mean over all slots with a market. `label` is what its axis says.
    pub(super) const fn mean(self, label: &'static str) -> Self {
        self.measured(label, "Mean over the slots with a market", Of::Mean(self.value))
    }

    /// A measure of studies that is `what` of a case: from what each slot with a market adds to it.
    pub(super) const fn total(
        self,
        label: &'static str,
        what: &'static str,
        parts: fn(&R, Option<f64>) -> Option<Part>,
    ) -> Self {
        self.measured(label, what, Of::Parts(parts))
    }

    const fn measured(self, label: &'static str, what: &'static str, of: Of<R>) -> Self {
        let Self { name, unit, .. } = self;
        let (remark, logarithmic, signed, to_gate) = ("", false, false, false);
        let measure = Measure { name, label, unit, what, remark, logarithmic, signed, to_gate, of };
        Self { measure: Some(measure), ..self }
    }

    /// A measure that is next to nothing where a game comes to rest and a thousand or a million times as large where it
    /// does not.
    pub(super) const fn logarithmic(self) -> Self {
        self.as_measure(Measure { logarithmic: true, ..self.to_measure() })
    }

    /// A measure that may be less than zero.
    pub(super) const fn signed(self) -> Self {
        self.as_measure(Measure { signed: true, ..self.to_measure() })
    }

    /// A time that cannot be longer than to gate closure.
    pub(super) const fn to_gate(self) -> Self {
        self.as_measure(Measure { to_gate: true, ..self.to_measure() })
    }

    /// A measure of which there is more to know.
    pub(super) const fn remark(self, remark: &'static str) -> Self {
        self.as_measure(Measure { remark, ..self.to_measure() })
    }

    /// A measure whose axis has no unit.
    pub(super) const fn without_unit(self) -> Self {
        self.as_measure(Measure { unit: None, ..self.to_measure() })
    }

    const fn to_measure(self) -> Measure<R> {
        match self.measure {
            Some(measure) => measure,
            None => panic!("the column is no measure"),
        }
    }

    const fn as_measure(self, measure: Measure<R>) -> Self {
        Self { measure: Some(measure), ..self }
    }

    /// A column that the report shows under this title, as it is.
    pub(super) const fn shown(self, title: &'static str) -> Self {
        let Self { unit, value, .. } = self;
        Self { shown: Some(Shown { title, unit, decimals: None, place: 0, value }), ..self }
    }

    /// A column that the report shows under this title, with so many decimals.
    pub(super) const fn rounded(self, title: &'static str, decimals: usize) -> Self {
        let Self { unit, value, .. } = self;
        Self { shown: Some(Shown { title, unit, decimals: Some(decimals), place: 0, value }), ..self }
    }

    /// A column that the report shows in another unit, in which it has this value.
    pub(super) const fn in_unit(self, unit: &'static str, value: fn(&R) -> Value) -> Self {
        self.as_shown(Shown { unit: Some(unit), value, ..self.to_shown() })
    }

    /// A column that the report shows behind those of a smaller number.
    pub(super) const fn behind(self, place: u8) -> Self {
        self.as_shown(Shown { place, ..self.to_shown() })
    }

    const fn to_shown(self) -> Shown<R> {
        match self.shown {
            Some(shown) => shown,
            None => panic!("the report does not show the column"),
        }
    }

    const fn as_shown(self, shown: Shown<R>) -> Self {
        Self { shown: Some(shown), ..self }
    }
}

impl Kind {
    /// What stands in a cell where there is nothing to tell, as CSV has it.
    pub(super) fn nothing(self) -> &'static str {
        match self {
            Self::Small | Self::Large | Self::Number => "0",
            Self::Optional => "",
            Self::Name(name) => name,
        }
    }
}

/// Declares what can stand in a column, of which type this then is, and which value it has.
macro_rules! cells {
    ($($cell:ty: $kind:expr, |$it:ident| $value:expr;)+) => {
        $(impl Cell for $cell {
            const KIND: Kind = $kind;
        }

        impl From<$cell> for Value {
            fn from($it: $cell) -> Self {
                $value
            }
        })+
    };
}

cells! {
    u32: Kind::Small, |number| Self::Whole(number.into());
    u64: Kind::Large, |number| Self::Whole(number);
    Number: Kind::Number, |number| Self::Number(number.value());
    Role: Kind::Name("Idle"), |role| Self::Text(format!("{role:?}"));
    Outcome: Kind::Name("NoMarket"), |outcome| Self::Text(format!("{outcome:?}"));
    ChannelName: Kind::Name("trade"), |channel| Self::Text(channel.name().to_owned());
}

impl Cell for Option<Number> {
    const KIND: Kind = Kind::Optional;
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

/// What is no finite number is undefined.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Number::new(value).into()
    }
}
