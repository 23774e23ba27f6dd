//! What a column is: all that is told of it beside its field, and what a row has in it.

use super::number::Number;
use microgrid_agents::{ids::ChannelName, market::role::Role, statement::Outcome};
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
    /// Of which type it is.
    pub kind: Kind,
    /// What a measure's axis in a figure says, without the unit; empty of what is no measure.
    pub label: &'static str,
    /// What a measure is of a case in words, as the beginning of a caption.
    pub what: &'static str,
    /// What else there is to know of a measure, behind a caption.
    pub remark: &'static str,
    /// Whether a measure is next to nothing where a game comes to rest and a thousand or a million times as large where
    /// it does not, so that its axis is logarithmic.
    pub logarithmic: bool,
    /// Whether a measure may be less than zero.
    pub signed: bool,
    /// Whether a measure cannot be more than the time to gate closure.
    pub until_gate: bool,
    /// Whether a measure's axis says nothing of the unit.
    pub bare: bool,
    /// Of a measure that is no mean: what a slot with a market adds to a total, and to what this is divided by in the end. The
    /// second argument is the time from the opening of a slot to gate closure [s], if known.
    pub(super) ratio: Option<Parts<R>>,
    /// The heading under which the report shows it, if it does.
    pub title: Option<&'static str>,
    /// Decimals that the report shows; `None` for names, and for numbers that are shown as they are.
    pub decimals: Option<usize>,
    /// The unit and the value that the report shows, where these are others.
    pub shown: Option<Shown<R>>,
    /// In the report, columns with a larger number come later, those with the same in the order of the table.
    pub place: u8,
}

type Shown<R> = (&'static str, fn(&R) -> Value);
type Parts<R> = fn(&R, Option<f64>) -> Option<(f64, f64)>;

/// Declares what may be told of a column, and what is known of it then.
macro_rules! told {
    ($($(#[$doc:meta])* $name:ident($($given:ident: $type:ty),*) { $($field:ident: $value:expr),+ })+) => {
        $($(#[$doc])* pub(super) const fn $name(self, $($given: $type),*) -> Self {
            Self { $($field: $value,)+ ..self }
        })+
    };
}

/// What is told of a column beside its field: `name: Kind ["unit"] = value => mean("label").shown("title")`.
impl<R> Column<R> {
    told! {
        unit(unit: &'static str) { unit: Some(unit) }
        /// A measure of studies: the mean over all slots with a market. `label` is what its axis says.
        mean(label: &'static str) { label: label, what: "Mean over the slots with a market" }
        /// A measure of studies that is `what` of a case: a ratio of two totals, of what each slot with a market has.
        ratio(label: &'static str, what: &'static str, parts: Parts<R>) { label: label, what: what, ratio: Some(parts) }
        remark(remark: &'static str) { remark: remark }
        logarithmic() { logarithmic: true }
        signed() { signed: true }
        until_gate() { until_gate: true }
        bare() { bare: true }
        /// Shown in the report under this heading.
        shown(title: &'static str) { title: Some(title) }
        /// The same with so many decimals.
        rounded(title: &'static str, decimals: usize) { title: Some(title), decimals: Some(decimals) }
        /// Shown in another unit, in which it has this value.
        in_unit(unit: &'static str, value: fn(&R) -> Value) { shown: Some((unit, value)) }
        /// Shown behind the columns of a smaller number.
        behind(place: u8) { place: place }
    }

    /// A column that is written, and nothing else.
    pub(super) const fn new(name: &'static str, kind: Kind, value: fn(&R) -> Value) -> Self {
        let (unit, label, what, remark, ratio) = (None, "", "", "", None);
        let (logarithmic, signed, until_gate, bare) = (false, false, false, false);
        let (title, decimals, shown, place) = (None, None, None, 0);
        Self {
            name,
            unit,
            value,
            kind,
            label,
            what,
            remark,
            logarithmic,
            signed,
            until_gate,
            bare,
            ratio,
            title,
            decimals,
            shown,
            place,
        }
    }
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers below 2^32.
    Small,
    /// Whole numbers below 2^64.
    Large,
    /// Numbers.
    Number,
    /// Numbers that may be undefined.
    Optional,
    /// Names, such as this one.
    Name(&'static str),
    /// Names that may be missing.
    Text,
}

impl Kind {
    /// Whether cells of it may be empty.
    pub(super) fn may_be_empty(self) -> bool {
        matches!(self, Self::Optional | Self::Text)
    }
}

/// What can stand in a column.
pub(super) trait Cell: Into<Value> {
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
    String: Kind::Name("TwoLevelGame"), |name| Self::Text(name);
    ChannelName: Kind::Name("trade"), |channel| Self::Text(channel.name().to_owned());
}

impl Cell for Option<Number> {
    const KIND: Kind = Kind::Optional;
}

impl Cell for Option<String> {
    const KIND: Kind = Kind::Text;
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
