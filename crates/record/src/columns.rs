//! The columns of a table as Parquet has them.

use super::{
    column::{Kind, Value},
    table::Row,
};
use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::writer::SerializedRowGroupWriter,
    record::{self, Field},
    schema::types::Type,
};
use serde::{
    Deserializer,
    de::{Error as _, IntoDeserializer, Visitor, value},
    forward_to_deserialize_any,
};
use std::{fs::File, marker::PhantomData};

/// The cells of some rows that wait to be written, column by column.
#[derive(Debug)]
pub(super) struct Cells<R> {
    columns: Vec<Waiting>,
    rows: PhantomData<fn(R)>,
}

/// The cells of a column that wait to be written.
#[derive(Clone, Debug, Default)]
struct Waiting {
    whole: Vec<u64>,
    numbers: Vec<f64>,
    names: Vec<ByteArray>,
    /// For each row, 1 if its cell is defined and 0 if not.
    defined: Vec<i16>,
}

/// Names and types of the columns of a table.
pub(super) fn schema<R: Row>() -> impl Iterator<Item = Type> {
    R::COLUMNS.iter().map(|column| {
        let (physical, logical) = match column.kind {
            Kind::Small => (Physical::INT32, Some(LogicalType::integer(32, false))),
            Kind::Large => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Kind::Number | Kind::Optional => (Physical::DOUBLE, None),
            Kind::Name(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if column.kind == Kind::Optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let column = Type::primitive_type_builder(column.name, physical);
        let column = column.with_logical_type(logical).with_repetition(repetition);
        column.build().expect("a type that Parquet knows")
    })
}

impl<R: Row> Cells<R> {
    /// Of no rows yet.
    pub(super) fn new() -> Self {
        Self { columns: vec![Waiting::default(); R::COLUMNS.len()], rows: PhantomData }
    }

    /// Adds a row.
    pub(super) fn put(&mut self, row: &R) {
        for (waiting, column) in self.columns.iter_mut().zip(R::COLUMNS) {
            let value = (column.value)(row);
            waiting.defined.push(i16::from(value != Value::Missing));
            match value {
                Value::Missing => {}
                Value::Whole(number) => waiting.whole.push(number),
                Value::Number(number) => waiting.numbers.push(number),
                Value::Text(name) => waiting.names.push(name.into_bytes().into()),
            }
        }
    }

    /// Writes all rows as a group, and forgets them.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>) -> Result<(), ParquetError> {
        for (waiting, column) in self.columns.iter_mut().zip(R::COLUMNS) {
            let Waiting { whole, numbers, names, defined } = std::mem::take(waiting);
            let mut writer = group.next_column()?.expect("the schema has a column for every field of a row");
            match column.kind {
                Kind::Small => {
                    let whole: Vec<i32> = whole.iter().map(|number| (*number as u32).cast_signed()).collect();
                    writer.typed::<Int32Type>().write_batch(&whole, None, None)
                }
                Kind::Large => {
                    let whole: Vec<i64> = whole.iter().map(|number| number.cast_signed()).collect();
                    writer.typed::<Int64Type>().write_batch(&whole, None, None)
                }
                Kind::Number => writer.typed::<DoubleType>().write_batch(&numbers, None, None),
                Kind::Optional => writer.typed::<DoubleType>().write_batch(&numbers, Some(&defined), None),
                Kind::Name(_) => writer.typed::<ByteArrayType>().write_batch(&names, None, None),
            }?;
            writer.close()?;
        }
        Ok(())
    }
}

/// Reads a row back; `None` if `record` is not of this table.
pub(super) fn row<R: Row>(record: &record::Row) -> Option<R> {
    let cells = record.get_column_iter().map(|(_, field)| Read(field));
    R::deserialize(value::SeqDeserializer::new(cells)).ok()
}

/// A cell that is read back.
struct Read<'a>(&'a Field);

impl<'de> IntoDeserializer<'de> for Read<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Read<'de> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        match self.0 {
            Field::UInt(number) => visitor.visit_u32(*number),
            Field::ULong(number) => visitor.visit_u64(*number),
            Field::Double(number) => visitor.visit_f64(*number),
            Field::Str(text) => visitor.visit_borrowed_str(text),
            other => Err(value::Error::custom(format!("no column has {other}"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        if *self.0 == Field::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        let Field::Str(text) = self.0 else { return self.deserialize_any(visitor) };
        value::BorrowedStrDeserializer::new(text).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[expect(unreachable_pub, reason = "the table is declared like all others")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        column::Cell,
        number::Number,
        parquet_parts::{self, Parts},
        table::table,
    };
    use microgrid_agents::{ids::ChannelName, market::role::Role, statement::Outcome};
    use serde::Serialize;

    table! {
        /// A cell of every kind.
        EveryKind in "every" {
            /// A number up to 2^32.
            small: u32,
            /// A number up to 2^64.
            large: u64,
            /// A number.
            number: Number,
            /// A number that may be undefined.
            optional: Option<Number>,
            /// A name.
            role: Role,
            /// A name.
            outcome: Outcome,
            /// A name.
            channel: ChannelName,
        }
    }

    #[test]
    fn every_kind_of_cell_is_read_back_as_it_was_written() {
        let number = |value| Number::new(value).unwrap();
        let row = |small, large, value, role, outcome, channel| EveryKind {
            small,
            large,
            number: number(value),
            optional: (value > 0.0).then(|| number(value)),
            role,
            outcome,
            channel,
        };
        let rows = [
            row(0, 0, 0.0, Role::Buyer, Outcome::Equilibrium, ChannelName::Trade),
            row(u32::MAX, u64::MAX, 0.1 + 0.2, Role::Seller, Outcome::GateClosure, ChannelName::Information),
            row(1 << 31, 1 << 63, -2.5e-8, Role::Idle, Outcome::NoMarket, ChannelName::Energy),
        ];
        let folder = tempfile::tempdir().unwrap();
        let mut table = Parts::create(folder.path()).unwrap();
        table.append(rows.clone()).unwrap();
        table.unite(0, 1).unwrap();
        let read: Vec<EveryKind> = parquet_parts::read(folder.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn names_are_those_of_csv() {
        fn written<C: Cell + Serialize + Copy>(name: C) {
            assert_eq!(serde_json::to_value(name).unwrap(), serde_json::to_value::<Value>(name.into()).unwrap());
        }
        [Role::Buyer, Role::Seller, Role::Idle].into_iter().for_each(written);
        [Outcome::Equilibrium, Outcome::Rest, Outcome::GateClosure, Outcome::NoMarket].into_iter().for_each(written);
        ChannelName::ALL.into_iter().for_each(written);
    }
}
