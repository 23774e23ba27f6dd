//! Prices by a rule: what the community has to sell and wants to buy decides what a local kWh costs, and is shared out in
//! proportion; the rest is exchanged with the grid.
//!
//! Three mechanisms that differ in the [rule](rule::Rate) only. With firm demand what was registered is all there is to
//! know: the market is over as it opens. With elastic demand the middle of the tariffs is announced first, each buyer
//! answers it once, and the answers make the price.

mod board;
mod law;
mod player;
pub mod rule;

pub(crate) use board::Board;
pub(crate) use law::Law;
pub(crate) use player::Player;
