//! What stands in a variant's brackets or in those of `Some`: with brackets of its own, as `Some((power_kw: 5))`, or
//! without, as `Some(power_kw: 5)`.

use serde::{
    Deserialize, Deserializer,
    de::{IntoDeserializer, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};
use std::{fmt, marker::PhantomData};

/// A struct that is all a variant holds.
pub(super) fn held<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(Either(deserializer))
}

/// A struct that may be left out.
pub(super) fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct Held<T>(T);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Held<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            held(deserializer).map(Self)
        }
    }

    Ok(Option::deserialize(deserializer)?.map(|Held(value)| value))
}

/// An enum that may be left out, with a variant called `None`: what stands there as `None` is that variant.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct Given<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Given<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a variant")
        }

        fn visit_none<E: serde::de::Error>(self) -> Result<T, E> {
            let none: StrDeserializer<'_, E> = "None".into_deserializer();
            T::deserialize(none)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            T::deserialize(deserializer)
        }
    }

    deserializer.deserialize_option(Given(PhantomData)).map(Some)
}

/// Reads a struct as whatever stands there, which RON knows by looking ahead; it expects one or the other otherwise.
struct Either<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Either<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
