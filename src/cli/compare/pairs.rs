//! Which case of one run belongs to which of another: the one with the same values of all knobs, and the same seed where
//! there is one.

use crate::{
    cli::text::{cases, values, wrapped},
    record::{KeyFigures, Run, SCENARIO, knob_text},
    scenario::{self, Overrides, Plan},
};
use indexmap::IndexSet;
use std::collections::BTreeMap;

/// The cases of two runs that belong together, and those that belong to none.
#[derive(Debug)]
pub(super) struct Paired<'a> {
    /// The knobs that are varied in one of the runs at least.
    pub(super) names: Vec<&'a str>,
    pub(super) pairs: Vec<Pair<'a>>,
    only_a: Vec<u32>,
    only_b: Vec<u32>,
}

/// A case of each run, with the same values of all knobs.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) a: &'a KeyFigures,
    pub(super) b: &'a KeyFigures,
    /// The value of each knob that is varied.
    pub(super) knobs: Vec<String>,
}

impl Pair<'_> {
    /// `case 2 and case 1, mu = 1`.
    pub(super) fn title(&self, names: &[&str]) -> String {
        let Self { a, b, knobs } = self;
        let cases = if a.case == b.case {
            format!("case {}", a.case)
        } else {
            format!("case {} of A, {} of B", a.case, b.case)
        };
        let seeds = if a.seed == b.seed { String::new() } else { format!(", seeds {} and {}", a.seed, b.seed) };
        cases + &values(names.iter().zip(knobs)) + &seeds
    }
}

impl<'a> Paired<'a> {
    /// Pairs the cases of two runs that are done.
    pub(super) fn new(run_a: &Run, a: &'a [KeyFigures], run_b: &Run, b: &'a [KeyFigures]) -> Self {
        let names = names(a, b);
        let (mut a, mut b) = (by_knobs(&names, a, b, run_a), by_knobs(&names, b, a, run_b));
        let mut pairs = Vec::new();
        for (knobs, of_a) in &mut a {
            // Where a knob's value is not known, nothing is the same.
            let (Some(knobs), Some(of_b)) = (knobs.iter().cloned().collect::<Option<Vec<_>>>(), b.get_mut(knobs))
            else {
                continue;
            };
            let mut matched = |same: fn(&KeyFigures, &KeyFigures) -> bool| {
                of_a.retain(|a| match of_b.iter().position(|b| same(a, b)) {
                    Some(at) => {
                        pairs.push(Pair { a, b: of_b.remove(at), knobs: knobs.clone() });
                        false
                    }
                    None => true,
                });
            };
            matched(|a, b| a.seed == b.seed);
            matched(|_, _| true);
        }
        pairs.sort_by_key(|pair| pair.a.case);
        let rest = |cases: ByKnobs<'_>| {
            let mut rest: Vec<u32> = cases.into_values().flatten().map(|case| case.case).collect();
            rest.sort_unstable();
            rest
        };
        Self { names, pairs, only_a: rest(a), only_b: rest(b) }
    }

    /// Tells which cases belong to none of the other run.
    pub(super) fn unpaired(&self) -> String {
        let mut text = String::new();
        for (name, only) in [("A", &self.only_a), ("B", &self.only_b)].iter().filter(|(_, only)| !only.is_empty()) {
            text += &(wrapped(&format!("Only in {name}: {}.", cases(only))) + "\n");
        }
        if text.is_empty() { text } else { text + "\n" }
    }
}

/// Cases by the values of their knobs; a value is `None` where it is not known.
type ByKnobs<'a> = BTreeMap<Vec<Option<String>>, Vec<&'a KeyFigures>>;

/// The knobs that one of the runs varies at least; seeds are no knobs here.
fn names<'a>(a: &'a [KeyFigures], b: &'a [KeyFigures]) -> Vec<&'a str> {
    let knobs = [a, b].into_iter().filter_map(|cases| cases.first()).flat_map(|case| case.knobs.keys());
    let names: IndexSet<&str> = knobs.map(String::as_str).filter(|name| *name != "seed").collect();
    names.into_iter().collect()
}

/// The cases by the values of the knobs. What the run does not vary it may still have: that value of the `other` run
/// which its scenario has already.
fn by_knobs<'a>(names: &[&str], cases: &'a [KeyFigures], other: &[KeyFigures], run: &Run) -> ByKnobs<'a> {
    let varies = |name: &str| cases.first().is_some_and(|case| case.knobs.contains_key(name));
    let plan = if names.iter().all(|name| varies(name)) {
        None
    } else {
        scenario::load(&run.folder().join(SCENARIO), &Overrides::default()).ok()
    };
    let fixed: Vec<Option<String>> = names.iter().map(|name| value_of(name, plan.as_ref()?, other)).collect();
    let mut by_knobs = ByKnobs::new();
    for case in cases {
        let value = |(name, fixed): (&&str, &Option<String>)| case.knobs.get(*name).map(text).or_else(|| fixed.clone());
        by_knobs.entry(names.iter().zip(&fixed).map(value).collect()).or_default().push(case);
    }
    by_knobs
}

/// The value of a knob in the other run's cases that the plan's scenario has already.
fn value_of(name: &str, plan: &Plan, other: &[KeyFigures]) -> Option<String> {
    let values: IndexSet<String> = other.iter().filter_map(|case| case.knobs.get(name)).map(text).collect();
    values.into_iter().find(|value| plan.has(name, value))
}

/// A knob's value; the same duration reads the same however it was written.
fn text(value: &serde_json::Value) -> String {
    let text = knob_text(value);
    match humantime::parse_duration(&text) {
        Ok(duration) if value.is_string() => humantime::format_duration(duration).to_string().replace(' ', ""),
        _ => text,
    }
}
