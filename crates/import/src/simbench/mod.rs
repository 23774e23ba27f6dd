//! Low-voltage grids of SimBench: members, devices and a year of profiles in quarter-hours.
//!
//! Stamps of the source are German local time without offset, through both changes of the clock: its rows are taken by
//! their order, and each stamp is held against the clock that its row has.

mod grid;
mod source;
mod year;

use crate::{
    clock::{Axis, date, in_words},
    community::{Community, Profile},
    error::{ImportError, refused},
    folder::{Folder, Imported},
    page::{Page, count},
};
use grid::Grid;
use source::Source;
use std::path::PathBuf;
use year::ZONE;

/// Length of a row [s].
const STEP: i64 = 900;
/// The set of today's grids, without future devices.
pub const TODAY: &str = "1-complete_data-mixed-all-0-sw";

/// Which grid, over which days.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SimBench {
    /// PyPI's wheel, or a folder with the CSV files of one set.
    pub source: PathBuf,
    /// Name of the subnet, such as `LV2.101`.
    pub grid: String,
    /// Which set of a wheel.
    pub set: String,
    /// The first day; that of the year if not given.
    pub from: Option<String>,
    /// How many days; to the end of the year if not given.
    pub days: Option<u32>,
    /// By how much generation is moved to later [s].
    pub shift_pv: i64,
}

impl SimBench {
    /// A whole year of a grid as it is today.
    pub fn of(source: PathBuf, grid: impl Into<String>) -> Self {
        Self { source, grid: grid.into(), set: TODAY.to_owned(), from: None, days: None, shift_pv: 0 }
    }

    /// Reads the grid.
    pub fn import(&self, folder: &Folder) -> Result<Imported, ImportError> {
        if self.shift_pv < 0 || self.shift_pv % STEP != 0 || self.shift_pv >= 24 * 3600 {
            let problem = format!("--shift-pv: {} is no number of whole rows within a day", in_words(self.shift_pv));
            return Err(
                refused(problem, ["allowed: 0s, 15min, 30min, 45min, 1h, ... up to 23h45min".to_owned()]).into()
            );
        }
        let mut source = Source::open(&self.source, &self.set)?;
        let grid = Grid::read(&mut source, &self.grid)?;
        let mut page = Page {
            kind: "simbench",
            licence: Some(
                "SimBench (simbench.de) by the University of Kassel, Fraunhofer IEE, RWTH Aachen University and TU Dortmund. \
                 The database is under the [Open Database License 1.0](https://opendatacommons.org/licenses/odbl/1-0/), its \
                 contents under the [Database Contents License 1.0](https://opendatacommons.org/licenses/dbcl/1-0/): name \
                 the source, and pass on what you derive of it on the same terms.",
            ),
            ..Page::default()
        };
        page.read.push(format!("grid `{}` of the set {}", self.grid, source.set()));
        page.read.extend(grid.read.clone());
        page.changed.extend(grid.dropped.clone());
        let whole = year::axis()?;
        let axis = self.days(&whole)?;
        let first = whole.slot(axis.at(0)).unwrap_or_default();
        let cut = |values: Vec<String>| values[first..first + axis.slots].to_vec();
        let mut profiles = Vec::new();
        let (loads, noise) = year::profiles(&mut source, "LoadProfile.csv", &whole, &grid.load_profiles(), "_pload")?;
        profiles.extend(loads.into_iter().map(|Profile { name, values }| Profile { name, values: cut(values) }));
        let (generation, night) = year::profiles(&mut source, "RESProfile.csv", &whole, &grid.pv_profiles(), "")?;
        let rows = (self.shift_pv / STEP) as usize;
        for Profile { name, mut values } in generation {
            values.truncate(values.len() - rows);
            values.splice(0..0, vec!["0".to_owned(); rows]);
            profiles.push(Profile { name, values: cut(values) });
        }
        page.sources = source.read;
        if noise + night > 0 {
            let values = count(noise + night, "value");
            page.changed.push(format!("{values} a little below zero (by at most 1e-4 of the peak): taken for 0"));
        }
        page.changed.push(match rows {
            0 => "Generation is not shifted. It stands about an hour early against the clock of the loads, in summer as in \
                  winter: `--shift-pv 1h` moves it."
                .to_owned(),
            rows => format!(
                "Generation is shifted by {} to later: the first {rows} rows of the year are 0, its last {rows} are left out",
                in_words(self.shift_pv)
            ),
        });
        page.placeholders.push(
            "what SimBench calls one load is one member; heat pumps and charging points of its future sets are loads, and so \
             members, of their own"
                .to_owned(),
        );
        let community = Community { members: grid.members, profiles, axis, unit: "Share" };
        Ok(community.imported(folder, page)?)
    }

    fn days(&self, whole: &Axis) -> Result<Axis, ImportError> {
        let first = self.from.as_ref().map(|text| date("--from", text)).transpose()?.unwrap_or(whole.first);
        let before = whole.first.until(first).map_or(-1, |span| span.get_days());
        let left = i64::from(whole.days) - i64::from(before);
        let days = self.days.unwrap_or(left.max(0) as u32);
        if before < 0 || left <= 0 || i64::from(days) > left {
            let problem = match self.days {
                Some(days) => {
                    let days = count(days as usize, "day");
                    format!("--from, --days: {days} from {first} are not all in the source's year")
                }
                None => format!("--from: {first} is not in the source's year"),
            };
            let inside = before >= 0 && left > 0;
            let most = if inside { format!(", from {first} on up to `--days {left}`") } else { String::new() };
            let allowed = format!("allowed: days of 2016, from 2016-01-01 to 2016-12-31{most}");
            return Err(refused(problem, [allowed]).into());
        }
        Ok(Axis::of_days(ZONE, first, days, STEP)?)
    }
}
