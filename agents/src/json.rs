//! How numbers look in the JSON on the chain: those that JSON has no digits for are the texts `inf`, `-inf` and `NaN`.
//!
//! A field is marked with `#[serde(with = "json::number")]`, a list of numbers with `json::numbers`,
//! a duration with `json::nanoseconds`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number as it looks in JSON.
struct Written(f64);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Written;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, or inf, -inf or NaN as text")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Written, E> {
        Ok(Written(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Written, E> {
        Ok(Written(value as f64))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Written, E> {
        Ok(Written(value as f64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
        match text {
            "inf" => Ok(Written(f64::INFINITY)),
            "-inf" => Ok(Written(f64::NEG_INFINITY)),
            "NaN" => Ok(Written(f64::NAN)),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

/// One number.
pub(crate) mod number {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Written(*number).serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Written::deserialize(deserializer).map(|written| written.0)
    }
}

/// A list of numbers.
pub(crate) mod numbers {
    use super::*;

    /// Writes them.
    ///
    /// # Errors
    /// Those of the serializer.
    pub(crate) fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|&number| Written(number)))
    }

    /// Reads them.
    ///
    /// # Errors
    /// If one is none.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<Written>::deserialize(deserializer)?.into_iter().map(|written| written.0).collect())
    }
}

/// A duration: a whole number of nanoseconds.
pub(crate) mod nanoseconds {
    use super::*;
    use crate::time::nanos;
    use std::time::Duration;

    /// Writes it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(nanos(*duration))
    }

    /// Reads it.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Both {
        #[serde(with = "number")]
        one: f64,
        #[serde(with = "numbers")]
        many: Vec<f64>,
    }

    #[test]
    fn every_number_comes_back_finite_or_not() {
        let many = vec![0.1 + 0.2, -0.0, 1e300, f64::NEG_INFINITY, 5e-324];
        let text = serde_json::to_string(&Both { one: f64::INFINITY, many: many.clone() }).unwrap();
        assert_eq!(text, r#"{"one":"inf","many":[0.30000000000000004,-0.0,1e+300,"-inf",5e-324]}"#);
        let back: Both = serde_json::from_str(&text).unwrap();
        assert_eq!(back.one, f64::INFINITY);
        assert!(back.many.iter().zip(&many).all(|(a, b)| a.to_bits() == b.to_bits()));
        let back: Both = serde_json::from_str(r#"{"one":"NaN","many":[3]}"#).unwrap();
        assert!(back.one.is_nan() && back.many == [3.0]);
        assert!(serde_json::from_str::<Both>(r#"{"one":"none","many":[]}"#).is_err());
    }
}
