//! What is settled is counted in whole units of 1e-6, so that nothing is lost to rounding.
//!
//! Single amounts have 64 bits, since there are many of them; what many of them add up to is a [`Total`] of 128 bits.
//! An amount that leaves its range ends the program rather than wrap around: scenarios and the contract admit none.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    iter::Sum,
    marker::PhantomData,
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

            /// Whether there is nothing of it.
            pub fn is_zero(&self) -> bool {
                self.0 == 0
            }

            /// Itself, or nothing where it is negative.
            pub fn or_zero(self) -> Self {
                Self(self.0.max(0))
            }
        }

        whole_units!(@operator $name, Add add checked_add, AddAssign add_assign);
        whole_units!(@operator $name, Sub sub checked_sub, SubAssign sub_assign);

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(self.0.checked_neg().expect(OUT_OF_RANGE))
            }
        }

        /// For a sum that is known to be an amount itself; any other is a [`Total`].
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
                parts.fold(Self::ZERO, Add::add)
            }
        }

        impl From<$name> for Total<$name> {
            fn from(amount: $name) -> Self {
                Self::of(amount.0.into())
            }
        }

        impl Total<$name> {
            /// As a single amount; `None` where it is beyond the range of one.
            pub fn amount(self) -> Option<$name> {
                i64::try_from(self.units).ok().map($name)
            }
        }

        /// As a decimal number without trailing zeros, exact to the last unit.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Total::from(*self), f)
            }
        }
    };
    (@operator $name:ident, $Op:ident $op:ident $checked:ident, $OpAssign:ident $op_assign:ident) => {
        impl $Op for $name {
            type Output = Self;
            fn $op(self, other: Self) -> Self {
                Self(self.0.$checked(other.0).expect(OUT_OF_RANGE))
            }
        }

        impl $OpAssign for $name {
            fn $op_assign(&mut self, other: Self) {
                *self = self.$op(other);
            }
        }
    };
}

const OUT_OF_RANGE: &str = "an amount beyond 9e12 kWh or CNY";

whole_units! {
    /// Energy as a whole number of 1e-6 kWh.
    Energy
}

whole_units! {
    /// Money as a whole number of 1e-6 CNY.
    Money
}

impl Energy {
    /// What this energy costs at `price` [CNY/kWh], to the nearest 1e-6 CNY; panics beyond any amount of money.
    pub fn at_price(self, price: f64) -> Money {
        self.priced(price).expect(OUT_OF_RANGE)
    }

    /// The same, or `None` where it is beyond any amount of money, or no number at all.
    pub fn priced(self, price: f64) -> Option<Money> {
        let units = (self.0 as f64 * price).round();
        (units.abs() < i64::MAX as f64).then_some(Money(units as i64))
    }
}

/// What amounts of [`Energy`] or of [`Money`] add up to, however many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Total<Amount> {
    units: i128,
    of: PhantomData<Amount>,
}

impl<Amount> Total<Amount> {
    const fn of(units: i128) -> Self {
        Self { units, of: PhantomData }
    }

    /// As a plain number of kWh or CNY.
    pub fn value(self) -> f64 {
        self.units as f64 / PER_WHOLE
    }
}

impl<Amount, Other: Into<Self>> Add<Other> for Total<Amount> {
    type Output = Self;
    fn add(self, other: Other) -> Self {
        Self::of(self.units + other.into().units)
    }
}

impl<Amount, Other: Into<Self>> Sub<Other> for Total<Amount> {
    type Output = Self;
    fn sub(self, other: Other) -> Self {
        Self::of(self.units - other.into().units)
    }
}

impl<Amount> Neg for Total<Amount> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::of(-self.units)
    }
}

impl<Amount, Other: Into<Self>> AddAssign<Other> for Total<Amount> {
    fn add_assign(&mut self, other: Other) {
        self.units += other.into().units;
    }
}

impl<Amount, Part: Into<Self>> Sum<Part> for Total<Amount> {
    fn sum<I: Iterator<Item = Part>>(parts: I) -> Self {
        parts.fold(Self::of(0), Add::add)
    }
}

/// As a decimal number without trailing zeros, exact to the last unit.
impl<Amount> fmt::Display for Total<Amount> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let units = self.units.unsigned_abs();
        let text = format!("{sign}{}.{:06}", units / 1_000_000, units % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
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
    fn what_many_amounts_add_up_to_does_not_wrap_around() {
        let total: Total<Money> = [Money(i64::MAX); 3].into_iter().sum();
        assert_eq!(total.to_string(), "27670116110564.327421");
        assert_eq!((total - Money(i64::MAX) - Money(i64::MAX)).amount(), Some(Money(i64::MAX)));
        assert_eq!(total.amount(), None);
        let debts: Total<Money> = [Money(i64::MIN); 2].into_iter().sum();
        assert_eq!((debts.value(), (-debts).value()), (-18_446_744_073_709.55, 18_446_744_073_709.55));
    }

    #[test]
    #[should_panic(expected = "beyond 9e12")]
    fn a_single_amount_does_not_wrap_around() {
        let _ = Energy(i64::MAX) + Energy(1);
    }

    #[test]
    fn what_no_money_can_pay_has_no_price() {
        assert_eq!(Energy(1_000_000_000_000_000).priced(9e3), Some(Money(9_000_000_000_000_000_000)));
        for price in [1e4, -1e4, f64::INFINITY, f64::NAN] {
            assert_eq!(Energy(1_000_000_000_000_000).priced(price), None, "{price}");
        }
    }

    #[test]
    fn at_most_rounds_down_but_forgives_noise() {
        assert_eq!(Energy::at_most(1.999_999_9), Energy(1_999_999));
        assert_eq!(Energy::at_most(0.3 - 1e-16), Energy(300_000));
    }
}
