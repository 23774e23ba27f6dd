//! Values by slot, some of them missing, and what is done about these.

use crate::decimal::Decimal;
use std::str::FromStr;

/// What is done where a meter has no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gaps {
    /// Nothing is imported.
    #[default]
    Refuse,
    /// The value before is repeated.
    Hold,
    /// So many slots in a row, at most, lie on a line between the values around them.
    Interpolate {
        /// How many slots in a row.
        max: u32,
    },
}

impl FromStr for Gaps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix("Interpolate(").and_then(|rest| rest.strip_suffix(')'));
        let max = inner.map(|inner| inner.trim().strip_prefix("max:").unwrap_or(inner).trim().parse::<u32>());
        match (text, max) {
            ("Refuse", _) => Ok(Self::Refuse),
            ("Hold", _) => Ok(Self::Hold),
            (_, Some(Ok(max))) if max > 0 => Ok(Self::Interpolate { max }),
            _ => Err("allowed: Refuse, Hold, or Interpolate(max: 4) for at most 4 slots in a row".to_owned()),
        }
    }
}

/// Slots without a value that cannot be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) first: usize,
    pub(crate) length: usize,
}

/// The values with the gaps filled, and how many were.
pub(crate) fn filled(values: &[Option<Decimal>], gaps: Gaps) -> Result<(Vec<Decimal>, usize), Gap> {
    let (mut full, mut count) = (Vec::with_capacity(values.len()), 0);
    while full.len() < values.len() {
        let first = full.len();
        if let Some(value) = values[first] {
            full.push(value);
            continue;
        }
        let length = values[first..].iter().take_while(|value| value.is_none()).count();
        let gap = Gap { first, length };
        let (before, after) = (full.last().copied(), values.get(first + length).copied().flatten());
        match (gaps, before, after) {
            (Gaps::Hold, Some(before), _) => full.extend(vec![before; length]),
            (Gaps::Interpolate { max }, Some(before), Some(after)) if length <= max as usize => {
                let whole = length as u32 + 1;
                for part in 1..whole {
                    full.push(before.between(after, part, whole).ok_or(gap)?);
                }
            }
            _ => return Err(gap),
        }
        count += length;
    }
    Ok((full, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &str, gaps: &str) -> Result<String, Gap> {
        let values: Vec<_> = values.split(' ').map(Decimal::parse).collect();
        let (full, count) = filled(&values, gaps.parse().unwrap())?;
        let full: Vec<_> = full.iter().map(Decimal::to_string).collect();
        Ok(format!("{} ({count})", full.join(" ")))
    }

    #[test]
    fn gaps_are_filled_as_declared() {
        assert_eq!(told("1 2 3", "Refuse").unwrap(), "1 2 3 (0)");
        assert_eq!(told("1 - - 4", "Refuse"), Err(Gap { first: 1, length: 2 }));
        assert_eq!(told("1 - - 4 -", "Hold").unwrap(), "1 1 1 4 4 (3)");
        assert_eq!(told("- 1", "Hold"), Err(Gap { first: 0, length: 1 }));
        assert_eq!(told("1 - - 4", "Interpolate(max: 2)").unwrap(), "1 2 3 4 (2)");
        assert_eq!(told("1 - - 4", "Interpolate(max: 1)"), Err(Gap { first: 1, length: 2 }));
        assert_eq!(told("1 -", "Interpolate(max: 4)"), Err(Gap { first: 1, length: 1 }));
        assert!(["hold", "Interpolate", "Interpolate(max: 0)"].iter().all(|wrong| wrong.parse::<Gaps>().is_err()));
    }
}
