//! A number as the result tables print it.

use microgrid_agents::units::{Energy, Money, Total};
use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, time::Duration};

/// A defined number of a result table: finite, never a negative zero.
///
/// It prints as the shortest decimal, without exponent, that reads back as the same number; in a table always with a point,
/// `2.0`, so that no reader takes a column of whole values for one of whole numbers. What may be undefined is an
/// `Option<Number>`, an empty cell where it is `None`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Number(f64);

impl Number {
    /// The number behind `value`, or `None` where it is infinite or not a number.
    pub fn new(value: f64) -> Option<Self> {
        // Adding zero makes a negative zero positive and changes nothing else.
        value.is_finite().then_some(Self(value + 0.0))
    }

    /// What a table has of `value`, if it is one.
    pub(super) fn cell(value: Option<f64>) -> String {
        value.and_then(Self::new).map_or_else(String::new, Self::with_point)
    }

    fn with_point(self) -> String {
        let text = self.to_string();
        if text.contains('.') { text } else { text + ".0" }
    }

    /// As a plain number.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Number {
    type Error = &'static str;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or("not a finite number")
    }
}

/// In kWh. Exact, because 1e-6 kWh is coarser than an `f64` below 9e9 kWh.
impl From<Energy> for Number {
    fn from(energy: Energy) -> Self {
        Self(energy.value())
    }
}

/// In CNY. Exact, because 1e-6 CNY is coarser than an `f64` below 9e9 CNY.
impl From<Money> for Number {
    fn from(money: Money) -> Self {
        Self(money.value())
    }
}

/// In kWh or CNY.
impl<Amount> From<Total<Amount>> for Number {
    fn from(total: Total<Amount>) -> Self {
        Self(total.value())
    }
}

/// In seconds. Exact to the nanosecond below 104 days.
impl From<Duration> for Number {
    fn from(duration: Duration) -> Self {
        // One division rounds once, unlike `as_secs_f64`, so that the shortest decimal is the exact one.
        Self(duration.as_nanos() as f64 / 1e9)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The same digits as those of `Display`, several times faster; only the rare exponent is left to that.
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(self.0);
        if text.contains('e') { serializer.serialize_str(&self.with_point()) } else { serializer.serialize_str(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_numbers_cannot_be_printed() {
        assert_eq!(Number::new(f64::NAN), None);
        assert_eq!(Number::new(f64::INFINITY), None);
        assert_eq!(Number::new(-0.0).unwrap().to_string(), "0");
    }

    #[test]
    fn numbers_print_shortest_and_without_exponent() {
        assert_eq!(Number::new(0.1 + 0.2).unwrap().to_string(), "0.30000000000000004");
        assert_eq!(Number::new(2.5e-8).unwrap().to_string(), "0.000000025");
        assert_eq!(Number::new(2.0).unwrap().to_string(), "2");
    }

    #[test]
    fn tables_hold_what_is_displayed_and_always_a_point() {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let values =
            [0.0, -0.0, 2.0, -1.5, 0.1 + 0.2, 2.5e-8, -3e-5, 1e15, 1e16, -1.5e17, 1e22, f64::MAX, f64::MIN_POSITIVE];
        let numbers = values.map(|value| Number::new(value).unwrap());
        csv.serialize(numbers).unwrap();
        let text = String::from_utf8(csv.into_inner().unwrap()).unwrap();
        let cells: Vec<&str> = text.trim_end().split(',').collect();
        for (cell, number) in cells.iter().zip(numbers) {
            assert_eq!(cell.strip_suffix(".0").unwrap_or(cell), number.to_string());
            assert_eq!(cell.matches('.').count(), 1, "{cell}");
            assert_eq!(*cell, Number::cell(Some(number.value())));
            assert_eq!(cell.parse(), Ok(number.value()));
        }
        assert_eq!(cells[..4], ["0.0", "0.0", "2.0", "-1.5"]);
        assert_eq!(cells.len(), values.len());
    }

    #[test]
    fn settled_amounts_and_times_print_exactly() {
        for units in [0, 1, -1, -250_000, 1_728_000, 999_999_999_999_999, 123_456_789_012_345] {
            assert_eq!(Number::from(Energy(units)).to_string(), Energy(units).to_string());
            assert_eq!(Number::from(Money(units)).to_string(), Money(units).to_string());
        }
        assert_eq!(Number::from(Duration::from_nanos(57_600_515_000_001)).to_string(), "57600.515000001");
    }
}
