//! A part of a study's cases, so that several machines can share them.

use microgrid_agents::debug_as_display;
use std::{
    fmt::{self, Display},
    ops::RangeInclusive,
    str::FromStr,
};

/// A part of a study's cases: the third of twenty, for example, written `3/20`.
///
/// Its cases follow each other, so that those of all parts, one part behind the other, are those of the whole, and replicates
/// of a combination stay together as far as they can. No part has more than one case more than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    number: u32,
    of: u32,
}

/// Why there is no such part.
#[derive(thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartError {
    /// It is not written as one.
    #[error("a part is written as its number and how many there are: 3/20 is the third of twenty")]
    Form,
    /// There are none at all.
    #[error("a study cannot be divided into 0 parts: the least is 1/1, which is all of it")]
    OfNone,
    /// Its number is none of theirs.
    #[error("there is no part {number} of {of}: parts go from 1/{of} to {of}/{of}")]
    Beyond {
        /// Its number.
        number: u32,
        /// How many there are.
        of: u32,
    },
    /// Some parts would have no case.
    #[error("{of} parts are more than there are cases, {cases}: some would be empty, so divide by {cases} at most")]
    Empty {
        /// How many there are.
        of: u32,
        /// How many cases they have together.
        cases: u32,
    },
}

debug_as_display!(PartError);

impl Part {
    /// The part with this number, from 1, of so many.
    ///
    /// # Errors
    /// If there is none of this number.
    pub fn new(number: u32, of: u32) -> Result<Self, PartError> {
        match (number, of) {
            (_, 0) => Err(PartError::OfNone),
            _ if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(PartError::Beyond { number, of }),
        }
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many parts there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The numbers of its cases in a study of so many.
    ///
    /// # Errors
    /// If there are more parts than cases, so that some would have none.
    pub fn cases(self, all: u32) -> Result<RangeInclusive<u32>, PartError> {
        if self.of > all {
            return Err(PartError::Empty { of: self.of, cases: all });
        }
        let before = |number: u32| (u64::from(number) * u64::from(all) / u64::from(self.of)) as u32;
        Ok(before(self.number - 1) + 1..=before(self.number))
    }

    /// What a run of it is called, beside whose `name` belong all parts: `sweep.part-3-of-20`.
    pub fn name(self, name: &str) -> String {
        Self::named(name, self.number, self.of)
    }

    /// The same of a part by whatever stands for its number, such as `*`.
    pub fn named(name: &str, number: impl Display, of: u32) -> String {
        format!("{name}.part-{number}-of-{of}")
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {} of {}", self.number, self.of)
    }
}

impl FromStr for Part {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        // Without the sign that numbers are read with.
        let whole = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
        let (number, of) = text.split_once('/').ok_or(PartError::Form)?;
        let (number, of) = whole(number).zip(whole(of)).ok_or(PartError::Form)?;
        Self::new(number, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_the_whole_one_behind_the_other_and_alike_in_size(all in 1_u32..5000, of in 1_u32..200) {
            let of = of.min(all);
            let parts: Vec<_> = (1..=of).map(|number| Part::new(number, of).unwrap().cases(all).unwrap()).collect();
            prop_assert!(parts.iter().cloned().flatten().eq(1..=all));
            let sizes = || parts.iter().map(|cases| cases.clone().count());
            prop_assert!(sizes().max() <= sizes().min().map(|least| least + 1));
        }
    }

    #[test]
    fn the_largest_study_can_be_divided() {
        let last = Part::new(u32::MAX, u32::MAX).unwrap();
        assert_eq!(last.cases(u32::MAX), Ok(u32::MAX..=u32::MAX));
    }

    #[test]
    fn a_part_reads_as_a_fraction() {
        assert_eq!("3/20".parse(), Part::new(3, 20));
        for (text, expected) in [
            ("x", PartError::Form),
            ("3", PartError::Form),
            ("3/", PartError::Form),
            ("/20", PartError::Form),
            ("+3/20", PartError::Form),
            ("3/20/2", PartError::Form),
            ("3 / 20", PartError::Form),
            ("1.5/2", PartError::Form),
            ("99999999999/20", PartError::Form),
            ("3/0", PartError::OfNone),
            ("0/20", PartError::Beyond { number: 0, of: 20 }),
            ("21/20", PartError::Beyond { number: 21, of: 20 }),
        ] {
            assert_eq!(text.parse::<Part>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn no_part_is_empty() {
        assert_eq!(Part::new(1, 3).unwrap().cases(2), Err(PartError::Empty { of: 3, cases: 2 }));
    }
}
