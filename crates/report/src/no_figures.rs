//! In the place of `figures/` where the crate is built without the feature `figures`: none are drawn.

use crate::data::Data;
use microgrid_record::{RecordError, Run};

/// Name of the figures' folder in a run's folder.
pub const FOLDER: &str = "figures";

/// Draws nothing, and leaves what was drawn.
///
/// # Errors
/// None.
pub fn write(_: &mut Run, _: &Data) -> Result<(), RecordError> {
    Ok(())
}
