//! What can be signed.

use serde::Serialize;
use std::borrow::Cow;

/// Something that can be signed.
pub trait Signable: Serialize {
    /// The text that is signed where the chain is kept.
    fn text(&self) -> Cow<'_, str>;
}
