//! How things look in the JSON on the chain. Numbers that JSON has no digits for are the texts `inf`, `-inf` and `NaN`.
//!
//! A field is marked with `#[serde(with = "json::number")]`, a list of numbers with `json::numbers`,
//! a duration with `json::nanoseconds`, a part that is JSON already with `json::raw`. In formats that are no text all keep
//! every bit.

use crate::parcel;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, io};

/// A number as it looks in JSON.
struct Written(f64);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has_digits = self.0.is_finite() || !serializer.is_human_readable();
        if has_digits { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(Reader).map(Self),
            false => f64::deserialize(deserializer).map(Self),
        }
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a number, or inf, -inf or NaN as text")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        let mut known = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].into_iter();
        known.find(|n| n.to_string() == text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// One number.
pub(crate) mod number {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Written(*number).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Written::deserialize(deserializer).map(|written| written.0)
    }
}

/// A list of numbers.
pub(crate) mod numbers {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|&number| Written(number)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<Written>::deserialize(deserializer)?.into_iter().map(|written| written.0).collect())
    }
}

/// A duration: a whole number of nanoseconds.
pub(crate) mod nanoseconds {
    use super::*;
    use crate::time::nanos;
    use std::time::Duration;

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(nanos(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}

/// JSON text.
pub(crate) mod raw {
    use super::*;
    use serde_json::value::RawValue;

    pub(crate) fn serialize<S: Serializer>(text: &RawValue, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { text.serialize(serializer) } else { text.get().serialize(serializer) }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
        match deserializer.is_human_readable() {
            true => Deserialize::deserialize(deserializer),
            false => RawValue::from_string(String::deserialize(deserializer)?).map_err(de::Error::custom),
        }
    }
}

/// Whether a field is left out: a text has none that says nothing.
pub(crate) fn is_left_out<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default() && !parcel::is_being_made()
}

/// Has types stand on the chain as they are displayed, and read back from that text. In formats that are no text, those that
/// have one are their `plain` form.
macro_rules! as_text {
    ($name:ty, plain: $plain:ty) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match serializer.is_human_readable() {
                    true => serializer.collect_str(self),
                    false => <$plain>::from(*self).serialize(serializer),
                }
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match deserializer.is_human_readable() {
                    true => <String as ::serde::Deserialize>::deserialize(deserializer)?
                        .parse()
                        .map_err(::serde::de::Error::custom),
                    false => <$plain as ::serde::Deserialize>::deserialize(deserializer).map(Self::from),
                }
            }
        }
    };
    ($($name:ty),+) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as ::serde::Deserialize>::deserialize(deserializer)?.parse().map_err(::serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use as_text;

/// Gives types the text over which they are signed.
macro_rules! signed_as_json {
    ($($name:ty),+) => {$(
        impl $name {
            /// The JSON text that is signed.
            pub fn to_json(&self) -> String {
                ::serde_json::to_string(self).expect("what is signed has a JSON text")
            }
        }

        impl $crate::chain::signable::Signable for $name {
            fn text(&self) -> ::std::borrow::Cow<'_, str> {
                self.to_json().into()
            }
        }
    )+};
}
pub(crate) use signed_as_json;

/// Length of the JSON text of a value [bytes], which is not made for that.
pub(crate) fn length(value: &impl Serialize) -> u64 {
    struct Counted(u64);

    impl io::Write for Counted {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0 += text.len() as u64;
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, value).expect("every value has a JSON text");
    counted.0
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
        for (wrong, why) in [("true", "invalid type: boolean `true`"), (r#""none""#, r#"invalid value: string "none""#)]
        {
            let error = serde_json::from_str::<Both>(&format!(r#"{{"one":{wrong},"many":[]}}"#)).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{why}, expected a number, or inf")), "{error}");
        }
    }
}
