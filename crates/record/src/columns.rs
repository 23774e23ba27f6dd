//! The columns of a table as Parquet has them.

use super::number::Number;
use microgrid_agents::{ids::ChannelName, market::role::Role, statement::Outcome};
use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::writer::SerializedRowGroupWriter,
    record::Field,
    schema::types::Type,
};
use std::{fmt::Debug, fs::File};

/// A group of rows being written.
pub(super) type RowGroup<'a> = SerializedRowGroupWriter<'a, File>;

/// What a field of a row becomes in Parquet.
pub(super) trait Cell: Sized {
    /// The column that it stands in.
    type Values: Values;

    /// Puts it behind the cells that are there.
    fn put(&self, values: &mut Self::Values);

    /// Reads it back; `None` if `field` is of another type.
    fn get(field: &Field) -> Option<Self>;
}

/// The cells of a column that wait to be written.
pub(super) trait Values: Debug + Default + Send {
    /// The column's name and type.
    fn schema(name: &str) -> Type;

    /// Writes all cells as the next column of `group`, and forgets them.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>) -> Result<(), ParquetError>;
}

/// Numbers that may be undefined.
#[derive(Debug, Default)]
pub(super) struct Optional {
    /// Those that are defined.
    numbers: Vec<f64>,
    /// For each row, 1 if its number is defined and 0 if not.
    defined: Vec<i16>,
}

fn write<T: DataType>(group: &mut RowGroup<'_>, cells: &[T::T], defined: Option<&[i16]>) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("the schema has a column for every field of a row");
    column.typed::<T>().write_batch(cells, defined, None)?;
    column.close()
}

fn column(name: &str, physical: Physical, logical: Option<LogicalType>, repetition: Repetition) -> Type {
    let column = Type::primitive_type_builder(name, physical).with_logical_type(logical).with_repetition(repetition);
    column.build().expect("a type that Parquet knows")
}

/// Declares columns without undefined cells.
macro_rules! required {
    ($($values:ty: $parquet:ty, $physical:ident, $logical:expr;)+) => {
        $(impl Values for $values {
            fn schema(name: &str) -> Type {
                column(name, Physical::$physical, $logical, Repetition::REQUIRED)
            }

            fn write(&mut self, group: &mut RowGroup<'_>) -> Result<(), ParquetError> {
                write::<$parquet>(group, self, None)?;
                self.clear();
                Ok(())
            }
        })+
    };
}

required! {
    Vec<i32>: Int32Type, INT32, Some(LogicalType::integer(32, false));
    Vec<i64>: Int64Type, INT64, Some(LogicalType::integer(64, false));
    Vec<f64>: DoubleType, DOUBLE, None;
    Vec<ByteArray>: ByteArrayType, BYTE_ARRAY, Some(LogicalType::String);
}

impl Values for Optional {
    fn schema(name: &str) -> Type {
        column(name, Physical::DOUBLE, None, Repetition::OPTIONAL)
    }

    fn write(&mut self, group: &mut RowGroup<'_>) -> Result<(), ParquetError> {
        write::<DoubleType>(group, &self.numbers, Some(&self.defined))?;
        self.numbers.clear();
        self.defined.clear();
        Ok(())
    }
}

impl Cell for u32 {
    type Values = Vec<i32>;

    fn put(&self, values: &mut Vec<i32>) {
        values.push(self.cast_signed());
    }

    fn get(field: &Field) -> Option<Self> {
        if let Field::UInt(number) = field { Some(*number) } else { None }
    }
}

impl Cell for u64 {
    type Values = Vec<i64>;

    fn put(&self, values: &mut Vec<i64>) {
        values.push(self.cast_signed());
    }

    fn get(field: &Field) -> Option<Self> {
        if let Field::ULong(number) = field { Some(*number) } else { None }
    }
}

impl Cell for Number {
    type Values = Vec<f64>;

    fn put(&self, values: &mut Vec<f64>) {
        values.push(self.value());
    }

    fn get(field: &Field) -> Option<Self> {
        if let Field::Double(number) = field { Self::new(*number) } else { None }
    }
}

impl Cell for Option<Number> {
    type Values = Optional;

    fn put(&self, values: &mut Optional) {
        values.numbers.extend(self.map(Number::value));
        values.defined.push(i16::from(self.is_some()));
    }

    fn get(field: &Field) -> Option<Self> {
        if *field == Field::Null { Some(None) } else { Number::get(field).map(Some) }
    }
}

/// Declares what is written by its name, as in CSV.
macro_rules! names {
    ($($kind:ident: $($variant:ident = $name:literal),+;)+) => {
        $(impl Cell for $kind {
            type Values = Vec<ByteArray>;

            fn put(&self, values: &mut Vec<ByteArray>) {
                values.push(match self {
                    $(Self::$variant => ByteArray::from($name),)+
                });
            }

            fn get(field: &Field) -> Option<Self> {
                let Field::Str(name) = field else { return None };
                match name.as_str() {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        })+
    };
}

names! {
    Role: Buyer = "Buyer", Seller = "Seller", Idle = "Idle";
    Outcome: Equilibrium = "Equilibrium", Rest = "Rest", GateClosure = "GateClosure", NoMarket = "NoMarket";
    ChannelName: Trade = "trade", Information = "information", Energy = "energy";
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the table is declared like all others")]
mod tests {
    use super::*;
    use crate::{
        parquet_parts::{self, Parts},
        table::table,
    };
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

    fn written(name: impl Serialize) -> String {
        serde_json::to_value(name).unwrap().as_str().unwrap().to_owned()
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
        let text = |values: Vec<ByteArray>| values[0].as_utf8().unwrap().to_owned();
        fn put<C: Cell>(cell: &C) -> C::Values {
            let mut values = C::Values::default();
            cell.put(&mut values);
            values
        }
        for role in [Role::Buyer, Role::Seller, Role::Idle] {
            assert_eq!(text(put(&role)), written(role));
        }
        for outcome in [Outcome::Equilibrium, Outcome::Rest, Outcome::GateClosure, Outcome::NoMarket] {
            assert_eq!(text(put(&outcome)), written(outcome));
        }
        for channel in ChannelName::ALL {
            assert_eq!(text(put(&channel)), written(channel));
        }
    }
}
