//! Numbers as they are written: read, moved by powers of ten and added without rounding.

use std::fmt;

/// More digits than this no meter and no market writes.
const MOST_DIGITS: u32 = 28;

/// A decimal number, `digits / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    pub(crate) const ZERO: Self = Self { digits: 0, scale: 0 };

    /// Reads a number such as `-1.25` or `3e-05`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = [whole, part].concat();
        if digits.is_empty() || digits.len() > MOST_DIGITS as usize || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let digits: i128 = digits.parse().ok()?;
        Self { digits: if negative { -digits } else { digits }, scale: part.len() as u32 }.times_ten_to(exponent)
    }

    /// The number times this power of ten; `None` beyond what is read.
    pub(crate) fn times_ten_to(self, power: i32) -> Option<Self> {
        let scale = (self.scale as i32).checked_sub(power)?;
        if scale > MOST_DIGITS as i32 || scale < -(MOST_DIGITS as i32) {
            return (self.digits == 0).then_some(Self::ZERO);
        }
        let up = 10_i128.pow((-scale).max(0) as u32);
        Some(Self { digits: self.digits.checked_mul(up)?, scale: scale.max(0) as u32 })
    }

    pub(crate) fn is_negative(self) -> bool {
        self.digits < 0
    }

    pub(crate) fn is_positive(self) -> bool {
        self.digits > 0
    }

    /// `self + other`; `None` where the digits of both do not fit together.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let digits = self.at(scale)?.checked_add(other.at(scale)?)?;
        Some(Self { digits, scale })
    }

    /// `self - other`, likewise.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { digits: -other.digits, ..other })
    }

    /// The digits at a larger scale.
    fn at(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(scale - self.scale)?)
    }

    /// What lies `part / whole` of the way to `to`, with at least six digits behind the point.
    pub(crate) fn between(self, to: Self, part: u32, whole: u32) -> Option<Self> {
        let scale = self.scale.max(to.scale).max(6);
        let (from, to) = (self.at(scale)?, to.at(scale)?);
        let (part, whole) = (i128::from(part), i128::from(whole));
        let way = to.checked_sub(from)?.checked_mul(part)?;
        let digits = from.checked_add(way.checked_add(whole / 2)?.div_euclid(whole))?;
        Some(Self { digits, scale })
    }

    /// The number to twelve digits, where more are what other programs left of rounding: 16.1 for 16.099999999999998.
    pub(crate) fn rounded(self) -> Self {
        let more = self.digits.unsigned_abs().to_string().len().saturating_sub(12) as u32;
        let drop = more.min(self.scale);
        let unit = 10_i128.pow(drop);
        Self { digits: (self.digits + self.digits.signum() * unit / 2) / unit, scale: self.scale - drop }
    }

    pub(crate) fn value(self) -> f64 {
        self.digits as f64 / 10_f64.powi(self.scale as i32)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let (digits, scale) = (self.digits.unsigned_abs().to_string(), self.scale as usize);
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, part) = digits.split_at(digits.len() - scale);
        match part.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            part => write!(f, "{sign}{whole}.{part}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_moved_and_added_without_rounding() {
        let read = |text| Decimal::parse(text).unwrap();
        let moved = |text, power| read(text).times_ten_to(power).unwrap().to_string();
        assert_eq!(moved("0.0139", 3), "13.9");
        assert_eq!(moved("-5.07", -3), "-0.00507");
        assert_eq!(moved("2e3", 3), "2000000");
        assert_eq!(moved("1.5E-05", 0), "0.000015");
        assert_eq!(read("0.1").plus(read("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(read("0.10").minus(read("0.2")).unwrap().to_string(), "-0.1");
        assert_eq!(read("1").between(read("2"), 1, 3).unwrap().to_string(), "1.333333");
        for (text, rounded) in [("16.099999999999998", "16.1"), ("-0.30000000000000004", "-0.3"), ("0.0139", "0.0139")]
        {
            assert_eq!(read(text).rounded().to_string(), rounded);
        }
        assert_eq!(read("123456789012345678").rounded().to_string(), "123456789012345678");
        for wrong in ["", "-", ".", "1,5", "1 000", "nan", "inf", "0x1", "1e", "--1", "1e-2147483648", "9e99"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
    }
}
