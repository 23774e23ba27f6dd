//! The utility grid.
