//! The data files of a scenario.

use super::{
    error::ScenarioError,
    plan::DataFile,
    population::Population,
    profiles,
    schema::{GridTariff, PopulationSource, Scenario},
    text_file::TextFile,
    validate::Violation,
};
use std::{path::Path, sync::Arc};

/// What the data files say.
#[derive(Clone, Debug)]
pub(super) struct Data {
    /// The prosumers, unless they are synthetic.
    pub(super) profiles: Option<Arc<Population>>,
    /// The grid's tariff of each slot [CNY/kWh].
    pub(super) grid_tariffs: Arc<[f64]>,
}

/// Why the data are no good: because of the scenario that names them, or in themselves.
pub(super) enum DataError {
    /// To be shown in the scenario.
    Scenario(Violation),
    /// Shows its place already.
    Data(ScenarioError),
}

impl From<ScenarioError> for DataError {
    fn from(error: ScenarioError) -> Self {
        Self::Data(error)
    }
}

/// Where data files come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// What their paths are relative to.
    pub(super) folder: &'a Path,
    /// Those that are given in code.
    pub(super) given: &'a [DataFile],
}

/// Reads what `scenario` names; returns it with the files.
pub(super) fn read(scenario: &Scenario, sources: Sources<'_>) -> Result<(Data, Vec<DataFile>), DataError> {
    let (market, mut inputs) = (&scenario.market, Vec::new());
    let profiles = match &scenario.population {
        PopulationSource::Synthetic(_) => None,
        PopulationSource::Profiles(path) => {
            let file = sources.open("population.Profiles", path)?;
            inputs.push(data_file(path, &file));
            Some(Arc::new(profiles::population(&file, market.slots, &scenario.preferences)?))
        }
    };
    let grid_tariffs = match &market.grid_tariff {
        GridTariff::Constant(tariff) => vec![*tariff; market.slots as usize],
        GridTariff::Csv(path) => {
            let place = "market.grid_tariff.Csv";
            let file = sources.open(place, path)?;
            let tariffs = data_file(path, &file);
            // Runs keep copies of their data files in one folder.
            if inputs.iter().any(|profiles: &DataFile| profiles.name == tariffs.name) {
                let problem = "the profiles are in a file of the same name";
                let allowed = "data files with names of their own";
                return Err(DataError::Scenario(Violation::new(place, problem, &file.path, allowed)));
            }
            inputs.push(tariffs);
            profiles::tariffs(&file, market)?
        }
    };
    Ok((Data { profiles, grid_tariffs: grid_tariffs.into() }, inputs))
}

fn data_file(path: &Path, file: &TextFile) -> DataFile {
    DataFile { name: path.file_name().unwrap_or_default().display().to_string(), text: file.text.clone() }
}

impl Sources<'_> {
    /// The file at `path`, which stands at this `place` in the scenario.
    fn open(&self, place: &str, path: &Path) -> Result<TextFile, DataError> {
        if let Some(given) = self.given.iter().find(|file| Path::new(&file.name) == path) {
            return Ok(TextFile { path: given.name.clone(), text: given.text.clone() });
        }
        let path = self.folder.join(path);
        TextFile::read(&path).map_err(|unreadable| match unreadable.reason() {
            Ok(reason) => {
                let problem = format!("cannot be read: {reason}");
                let allowed = "a CSV file, its path relative to the scenario's file";
                DataError::Scenario(Violation::new(place, &problem, path.display(), allowed))
            }
            Err(error) => DataError::Data(error),
        })
    }
}
