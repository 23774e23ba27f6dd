//! Cases with known right answers, each with siblings of its kind. The inputs are in `tests/data/cases`; what is right is
//! computed here (`theory.rs`) from these inputs alone.

mod given;
mod lengths;
mod limits;
mod money;
mod prices;
mod theory;
