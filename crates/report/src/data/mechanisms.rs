//! Mechanisms side by side: what each came to, and how far it is from the first, seed by seed.

use microgrid_record::{Manifest, PairedRow, RecordError, Run, Statistics, Summary, knob_text};

/// What a knob is called that says by which mechanism trades come about.
const KNOBS: [&str; 2] = ["mechanism", "market.mechanism"];

/// What mechanisms are compared by.
pub const MEASURES: [&str; 8] = [
    "welfare_loss",
    "savings_cny",
    "price_spread_cny_per_kwh",
    "jain_index",
    "worse_off",
    "messages",
    "bytes",
    "time_to_end_s",
];

/// The mechanisms that a study compares.
#[derive(Clone, Debug, PartialEq)]
pub struct Mechanisms {
    /// The knob that tells them apart.
    pub knob: String,
    /// Each with what it came to, in the order of the cases.
    pub each: Vec<Mechanism>,
}

/// What a mechanism came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Mechanism {
    /// Its name, with its parameters where these are given.
    pub name: String,
    /// Mean of each of [`MEASURES`] over all combinations of the other knobs.
    pub means: [Option<f64>; MEASURES.len()],
    /// Of each, the mean difference from the first mechanism, and half of its 95 % confidence interval where there are
    /// several seeds; `None` for the first.
    pub beyond_first: [Option<(f64, Option<f64>)>; MEASURES.len()],
}

impl Mechanisms {
    /// Of a run that varies the mechanism.
    pub(super) fn read(run: &Run, summaries: &[Summary]) -> Result<Option<Self>, RecordError> {
        let manifest = run.manifest();
        let varied = manifest.cases.first().into_iter().flat_map(|case| case.knobs.keys());
        let Some(knob) = varied.cloned().find(|name| KNOBS.contains(&&**name)) else { return Ok(None) };
        let mut each: Vec<Mechanism> = Vec::new();
        for name in manifest.cases.iter().filter_map(|case| case.knobs.get(&knob).map(knob_text)) {
            if each.iter().all(|known| known.name != name) {
                let of_it = summaries.iter().filter(|summary| value(manifest, summary, &knob) == Some(&name));
                let mean = |measure: &str| {
                    let means = of_it.clone().filter_map(|summary| summary.measure(measure)?.mean());
                    means.collect::<Statistics>().mean()
                };
                each.push(Mechanism { means: MEASURES.map(mean), beyond_first: [None; MEASURES.len()], name });
            }
        }
        let mut mechanisms = Self { knob, each };
        if mechanisms.each.len() < 2 {
            return Ok(None);
        }
        // It is made when the run ends.
        if run.folder().join(PairedRow::FILE).is_file() {
            run.paired()?.try_for_each(|row| row.map(|row| mechanisms.take(&row)))?;
        }
        Ok(Some(mechanisms))
    }

    /// Takes a difference, if it is one from the first mechanism; those over all combinations of the other knobs come last.
    fn take(&mut self, row: &PairedRow) {
        let place = MEASURES.iter().position(|measure| *measure == row.measure);
        let is_first = row.knob == self.knob && row.from == self.each[0].name;
        let later = self.each.iter_mut().find(|mechanism| mechanism.name == row.to);
        if let (Some(place), true, Some(later)) = (place, is_first, later) {
            later.beyond_first[place] = row.mean.map(|mean| (mean, row.ci95));
        }
    }
}

/// The value that a knob has in a combination.
fn value<'a>(manifest: &'a Manifest, of: &Summary, knob: &str) -> Option<&'a str> {
    manifest.cases.get(of.first_case.checked_sub(1)? as usize)?.knobs.get(knob)?.as_str()
}
