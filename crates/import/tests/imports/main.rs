//! What imports leave, and what they refuse.

mod entsoe;
mod gsy;
mod meters;
mod simbench;
mod support;
