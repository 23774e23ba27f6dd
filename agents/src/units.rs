//! What is settled is counted in whole units of 1e-6, so that nothing is lost to rounding.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

/// Units in one kWh or one CNY.
pub(crate) const PER_WHOLE: f64 = 1e6;

macro_rules! whole_units {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// The nearest whole number of units; halves go away from zero.
            pub fn nearest(value: f64) -> Self {
                Self((value * PER_WHOLE).round() as i64)
            }

            /// The largest whole number of units not above `value`.
            ///
            /// A value that misses a whole unit by less than a thousandth of one counts as that unit, so that
            /// the noise of floating point does not cost one.
            pub fn at_most(value: f64) -> Self {
                Self((value * PER_WHOLE + 1e-3).floor() as i64)
            }

            /// As a plain number of kWh or CNY.
            pub fn value(self) -> f64 {
                self.0 as f64 / PER_WHOLE
            }

            /// Itself, or nothing where it is negative.
            pub fn or_zero(self) -> Self {
                Self(self.0.max(0))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
                parts.fold(Self::ZERO, Add::add)
            }
        }

        /// As a decimal number without trailing zeros, exact to the last unit.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let sign = if self.0 < 0 { "-" } else { "" };
                let units = self.0.unsigned_abs();
                let (whole, part) = (units / 1_000_000, units % 1_000_000);
                if part == 0 {
                    return write!(f, "{sign}{whole}");
                }
                let digits = format!("{part:06}");
                write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
            }
        }
    };
}

whole_units! {
    /// Energy as a whole number of 1e-6 kWh.
    Energy
}

impl SubAssign for Energy {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

whole_units! {
    /// Money as a whole number of 1e-6 CNY.
    Money
}

impl Energy {
    /// What this energy costs at `price` [CNY/kWh], to the nearest 1e-6 CNY.
    pub fn at_price(self, price: f64) -> Money {
        Money((self.0 as f64 * price).round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_units_print_as_exact_decimals() {
        assert_eq!(Energy::nearest(1.728).to_string(), "1.728");
        assert_eq!(Money(-1_000_001).to_string(), "-1.000001");
        assert_eq!(Money(-250_000).to_string(), "-0.25");
        assert_eq!(Energy(3_000_000).to_string(), "3");
        assert_eq!(Energy::ZERO.to_string(), "0");
    }

    #[test]
    fn energy_is_priced_to_the_nearest_unit() {
        assert_eq!(Energy::nearest(0.768).at_price(0.7), Money(537_600));
        assert_eq!(Energy(1).at_price(0.49), Money(0));
        assert_eq!(Energy(1).at_price(0.51), Money(1));
    }

    #[test]
    fn at_most_rounds_down_but_forgives_noise() {
        assert_eq!(Energy::at_most(1.999_999_9), Energy(1_999_999));
        assert_eq!(Energy::at_most(0.3 - 1e-16), Energy(300_000));
    }
}
