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
        let mut varied = manifest.cases.first().into_iter().flat_map(|case| case.knobs.keys());
        let Some(knob) = varied.find(|name| KNOBS.contains(&&***name)).cloned() else { return Ok(None) };
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
    manifest.knobs_of(of.first_case)?.get(knob)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use microgrid_record::{
        Status,
        fixtures::day::{Day, watch},
    };
    use std::{fs, time::Duration};

    /// The run of a day by two mechanisms, the second with twice the messages of the first, as far as `known` it is ended.
    fn run(known: bool) -> (Day, Run) {
        let mut day = Day::new();
        let mut recorder = day.recorder();
        for (messages, case) in [10, 20].into_iter().zip(&day.plan.cases().collect::<Vec<_>>()) {
            if case.number > 1 {
                recorder.begin_case(case);
            }
            day.begin();
            for slot in 1..=3 {
                let window = day.slot(slot);
                watch(&mut recorder, window, messages).unwrap();
            }
            recorder.end_case().unwrap();
        }
        let folder = recorder.finish(Status::Finished, Duration::ZERO).unwrap();
        let change = |file: &str, changes: [(&str, &str); 2]| {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            let changed = changes.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
            assert_ne!(text, changed);
            fs::write(folder.join(file), changed).unwrap();
        };
        let values =
            [(r#""mu": 0.0"#, r#""mechanism": "TwoLevelGame""#), (r#""mu": 1.0"#, r#""mechanism": "Other(n: 1)""#)];
        change("manifest.json", values);
        change(
            "paired.csv",
            [("mu,0.0,1.0,", "mechanism,TwoLevelGame,Other(n: 1),"), ("from,to,mu,", "from,to,mechanism,")],
        );
        if !known {
            fs::remove_file(folder.join("paired.csv")).unwrap();
        }
        // The tables are no longer as long as it tells.
        let (manifest, text) =
            (folder.join("manifest.json"), fs::read_to_string(folder.join("manifest.json")).unwrap());
        let mut told: serde_json::Value = serde_json::from_str(&text).unwrap();
        told["bytes"] = serde_json::json!({});
        fs::write(manifest, told.to_string()).unwrap();
        let run = Run::open(&folder).unwrap();
        (day, run)
    }

    fn read(run: &Run) -> Mechanisms {
        let summaries: Vec<Summary> = run.summaries().unwrap().map(Result::unwrap).collect();
        Mechanisms::read(run, &summaries).unwrap().unwrap()
    }

    #[test]
    fn each_mechanism_has_its_means_and_how_far_it_is_from_the_first() {
        let (_day, run) = run(true);
        let Mechanisms { knob, each } = read(&run);
        let [first, second] = &each[..] else { panic!("two mechanisms: {each:?}") };
        assert_eq!((&*knob, &*first.name, &*second.name), ("mechanism", "TwoLevelGame", "Other(n: 1)"));
        let messages = MEASURES.iter().position(|measure| *measure == "messages").unwrap();
        assert_eq!((first.means[messages], second.means[messages]), (Some(10.0), Some(20.0)));
        assert_eq!((first.beyond_first[messages], second.beyond_first[messages]), (None, Some((10.0, None))));
        let savings = MEASURES.iter().position(|measure| *measure == "savings_cny").unwrap();
        assert_eq!((first.means[savings], second.beyond_first[savings]), (Some(-1.8), Some((0.0, None))));
    }

    #[test]
    fn of_a_run_that_has_not_ended_there_are_no_differences_yet() {
        let (_day, run) = run(false);
        let each = read(&run).each;
        assert_eq!(each.len(), 2);
        assert!(each.iter().flat_map(|of| of.beyond_first).all(|difference| difference.is_none()));
    }

    #[test]
    fn a_study_of_something_else_compares_no_mechanisms() {
        let day = Day::new();
        let recorder = day.recorder();
        let run = Run::open(recorder.folder()).unwrap();
        assert_eq!(Mechanisms::read(&run, &[]).unwrap(), None);
    }
}
