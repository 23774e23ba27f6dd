//! The promises of the simulator, one file each.

mod ordering;
