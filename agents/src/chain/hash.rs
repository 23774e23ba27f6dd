//! Digests: SHA-256, written as hexadecimal text.

use crate::json::as_text;
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// A SHA-256 digest.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A digest in the making: of parts that need not be in memory together.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Goes on with this part.
    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        self.0.update(part);
    }

    /// The digest of all parts, one after the other.
    pub fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Digest {
    /// The digest of these parts, one after the other.
    pub fn of<Part: AsRef<[u8]>>(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut hasher = Hasher::default();
        parts.into_iter().for_each(|part| hasher.add(part));
        hasher.digest()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl FromStr for Digest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        bytes(text).map(Self)
    }
}

crate::debug_as_display!(Digest);
as_text!(Digest, plain: [u8; 32]);

impl From<Digest> for [u8; 32] {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Writes up to 64 bytes as hexadecimal text.
pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let mut digits = [0; 128];
    let digits = &mut digits[..2 * bytes.len()];
    hex::encode_to_slice(bytes, digits).map_err(|_| fmt::Error)?;
    f.write_str(str::from_utf8(digits).map_err(|_| fmt::Error)?)
}

/// Reads hexadecimal text of so many bytes.
pub(super) fn bytes<const LENGTH: usize>(text: &str) -> Result<[u8; LENGTH], hex::FromHexError> {
    let mut bytes = [0; LENGTH];
    hex::decode_to_slice(text, &mut bytes)?;
    Ok(bytes)
}
