//! In the place of `parquet_parts.rs` where the crate is built without the feature `parquet`: whatever is asked of such a
//! table ends in an error that says so.

use super::{
    error::RecordError,
    table::{Row, Rows, Section},
};
use microgrid_agents::ids::Slot;
use std::{convert::Infallible, marker::PhantomData, ops::RangeInclusive, path::Path};

/// A table that cannot be.
#[derive(Debug)]
pub(super) struct Parts<R: Row>(Infallible, PhantomData<R>);

fn missing<R: Row, T>(folder: &Path) -> Result<T, RecordError> {
    let source = "this program was built without Parquet (its feature `parquet`)".into();
    Err(RecordError::Content { path: folder.join(R::PARQUET), source })
}

impl<R: Row> Parts<R> {
    pub(super) fn create(folder: &Path) -> Result<Self, RecordError> {
        missing::<R, _>(folder)
    }

    pub(super) fn reopen(folder: &Path, _: RangeInclusive<u32>) -> Result<Self, RecordError> {
        missing::<R, _>(folder)
    }

    pub(super) fn append(&mut self, _: impl IntoIterator<Item = R>) -> Result<(), RecordError> {
        match self.0 {}
    }

    pub(super) fn end_case(&mut self, _: u32) -> Result<(), RecordError> {
        match self.0 {}
    }

    pub(super) fn append_from(&mut self, _: &Path, _: RangeInclusive<u32>) -> Result<(), RecordError> {
        match self.0 {}
    }

    pub(super) fn unite(&mut self, _: RangeInclusive<u32>, _: u32) -> Result<(), RecordError> {
        match self.0 {}
    }
}

pub(super) fn remove(_: &Path) -> Result<(), RecordError> {
    Ok(())
}

pub(super) fn read<R: Row>(folder: &Path, _: Option<&Section>) -> Result<Rows<R>, RecordError> {
    missing::<R, _>(folder)
}

pub(super) fn section<R: Row>(folder: &Path, _: u32, _: RangeInclusive<Slot>) -> Result<Section, RecordError> {
    missing::<R, _>(folder)
}
