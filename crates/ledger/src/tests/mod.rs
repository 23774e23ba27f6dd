//! Ledgers made by hand, and what a verifier says of them when somebody has tampered with them.

mod flips;
mod forgery;
mod tampering;

pub(crate) use super::fixtures::{File, chain, day, file};
use super::verify::{Report, VerifyError, verify};

impl File {
    fn verify(&self) -> Result<Report, VerifyError> {
        verify(&self.path, &mut |_| {})
    }

    /// Carries out statements, without asking whether they make sense.
    fn tamper(self, sql: &str) -> Self {
        rusqlite::Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
        self
    }

    /// What is wrong with it, as the command prints it.
    fn complaint(&self) -> String {
        self.verify().expect_err("something is wrong").to_string()
    }
}
