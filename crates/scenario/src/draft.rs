//! A scenario on its way to a plan: read from a file or made in code.

use super::{
    data::Sources,
    error::{Report, ScenarioError},
    load,
    overrides::Overrides,
    parse,
    plan::{DataFile, Plan},
    population::Population,
    schema::{PopulationSource, Scenario},
    text_file::TextFile,
};
use std::path::{Path, PathBuf};

/// A scenario on its way to a plan: read from a file or made in code, and not checked yet.
#[derive(Clone, Debug)]
pub struct Draft {
    source: PathBuf,
    file: TextFile,
    data: Vec<DataFile>,
}

/// Name of the profiles of a population that was made in code.
const PROFILES: &str = "profiles.csv";

impl Draft {
    /// Reads the scenario at `path`, whose data files are relative to it.
    ///
    /// # Errors
    /// If there is no such file, or no text in it.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let unreadable = |problem| {
            let notes = vec!["allowed: a scenario, which is a RON file".to_owned()];
            ScenarioError::Unreadable(Box::new(Report { problem, place: None, notes }))
        };
        let file = match TextFile::read(path).map_err(|unreadable| unreadable.reason()) {
            Ok(file) => file,
            Err(Ok(reason)) => return Err(unreadable(format!("cannot read {}: {reason}", path.display()))),
            Err(Err(error)) => return Err(error),
        };
        if file.text.trim().is_empty() {
            return Err(unreadable(format!("{} is empty", path.display())));
        }
        Ok(Self { source: path.to_owned(), file, data: Vec::new() })
    }

    /// The scenario with this RON text.
    pub fn ron(text: &str) -> Self {
        let source = "a scenario made in code".to_owned();
        let file = TextFile { path: source.clone(), text: text.into() };
        Self { source: source.into(), file, data: Vec::new() }
    }

    /// The scenario made in code.
    pub fn of(scenario: &Scenario) -> Self {
        Self::ron(&parse::written(scenario))
    }

    /// Gives a data file of the scenario in code; it takes the place of one that would be read from disk.
    pub fn give(&mut self, name: &str, text: &str) {
        self.data.retain(|file| file.name != name);
        self.data.push(DataFile { name: name.to_owned(), text: text.into() });
    }

    /// Gives the population in code.
    ///
    /// # Errors
    /// If the scenario cannot be read.
    pub fn populate(&mut self, population: &Population) -> Result<(), ScenarioError> {
        self.give(PROFILES, &population.to_csv());
        self.edit(|scenario| scenario.population = PopulationSource::Profiles(PROFILES.into()))
    }

    /// Changes whatever there is in the scenario; what it has become is checked later.
    ///
    /// # Errors
    /// If the scenario cannot be read.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Scenario)) -> Result<(), ScenarioError> {
        let mut scenario = parse::scenario(&self.file)?;
        edit(&mut scenario);
        self.file.text = parse::written(&scenario).into();
        Ok(())
    }

    /// Sets what `overrides` say, reads the data files and checks everything.
    ///
    /// # Errors
    /// The first mistake found, with its place. The scenario has to be right even where an override replaces a value.
    pub fn plan(self, overrides: &Overrides) -> Result<Plan, ScenarioError> {
        let sources = Sources { folder: self.source.parent().unwrap_or(Path::new("")), given: &self.data };
        load::plan(&self.file, &self.source, sources, overrides)
    }
}
