//! What others have recorded or published, as scenarios: tables in their formats become members, profiles and tariffs in
//! ours, with a page of what was read, dropped, shifted and filled.
//!
//! ```text
//!  table, stamps, decimal ─▶ simbench, meters, gsy ─▶ Community ─┐
//!                     XML ─▶ entsoe ─▶ prices ───────────────────┴─▶ Imported ─write─▶ folder
//! ```
//!
//! Nothing is guessed: what a format leaves open is declared, and what does not fit is refused with its place.

mod clock;
mod community;
mod decimal;
pub mod entsoe;
mod error;
mod folder;
pub mod gsy;
pub mod meters;
mod page;
mod series;
pub mod simbench;
mod table;

pub use error::ImportError;
pub use folder::{Folder, Imported};
pub use page::Page;
pub use series::Gaps;
pub use table::Notation;
