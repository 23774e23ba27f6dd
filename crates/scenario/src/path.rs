//! Parts of a scenario by their paths, such as `market.feed_in_tariff` or `network.links[0].loss`, and the knobs, which
//! are short names for some of them.
//!
//! A part is set by reading the scenario anew from the tree of its values, with a text in the place of that part. So a
//! path leads through whatever fields the schema has, and the text is read as what stands there.

use super::{
    error::{Mistake, did_you_mean, most_like},
    notation,
    outline::{Misnamed, Outline},
    pairs::too_deep,
    schema::Scenario,
    signs::looks_alike,
};
use ron::{Deserializer as Ron, Error};
use serde::de::{
    Deserializer, Error as _, IntoDeserializer, Visitor,
    value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer},
};
use serde_json::Value as Tree;
use std::iter;

/// All knobs, with what each is short for: the first of these paths that is there. `*` stands for all parts.
const KNOBS: &[(&str, &[&str])] = &[
    ("population", &["population.count"]),
    ("mechanism", &["market.mechanism"]),
    ("every", &["market.mechanism.every"]),
    ("rho", &["market.mechanism.rho"]),
    ("eta", &["preferences.eta"]),
    ("mu", &["preferences.mu"]),
    ("alpha", &["preferences.alpha"]),
    ("delay", &["network.delay"]),
    ("jitter", &["network.jitter"]),
    ("loss", &["network.loss"]),
    ("duplication", &["network.duplication"]),
    ("group_share", &["network.groups.*.Share"]),
    ("lasting", &["network.conditions.*.lasting"]),
    ("behaviour", &["learning.behaviour"]),
    ("choice_set", &["learning.choice_set"]),
    ("fitness", &["learning.fitness"]),
    ("adaptation", &["learning.adaptation"]),
    ("mixing", &["learning.mixing"]),
    ("regrowth", &["learning.regrowth"]),
    ("price_every", &["learning.price_every"]),
    ("exploration", &["learning.exploration"]),
    ("replicator_step", &["learning.replicator_step"]),
    ("price_step", &["learning.price_step"]),
    ("ramp", &["learning.ramp"]),
    ("bidding", &["learning.bidding"]),
    ("steps", &["learning.bidding.steps"]),
    ("activation", &["activation"]),
    ("period", &["activation.period", "activation.min_interval"]),
    ("block_timeout", &["ledger.block.timeout"]),
    ("seed", &["seed"]),
];

/// What belongs to a run as a whole: its tables and its manifest say it once for all cases.
const OF_THE_RUN: &[&str] = &[
    "name",
    "market.calendar",
    "market.currency",
    "market.slots",
    "market.slot_length",
    "market.open",
    "market.gate_closure",
    "clock",
    "record",
    "report",
    "replicates",
    "vary",
];

/// Names of all knobs.
pub fn knob_names() -> impl Iterator<Item = &'static str> {
    KNOBS.iter().map(|(name, _)| *name)
}

/// The scenario with the value that `text` means in the place of what `name`, a knob or a path, stands for; whether the
/// scenario allows it is not checked.
///
/// `scenario` has to be a checked one, and what it varies is left out.
pub(super) fn set(scenario: &Scenario, name: &str, text: &str) -> Result<Scenario, Mistake> {
    if let Ok(number) = text.parse::<f64>() {
        if !number.is_finite() {
            return Err(Mistake::new("expected a finite number", []));
        }
        // As what is left of `0,05` where a comma begins another value.
        if text.starts_with('0') && text[1..].starts_with(|next: char| next.is_ascii_digit()) {
            return Err(Mistake::new("a number does not begin with 0 before other digits", []));
        }
    }
    if steps(name).is_empty() || covers("vary", name) {
        let allowed = "allowed: a knob or a path, with several values to vary it".to_owned();
        return Err(Mistake::of_name(format!("`{name}` is nothing to set"), [allowed]));
    }
    if !is_well_formed(name) {
        let rule = "a path has a point before each name but the first".to_owned();
        let is_there = find(&tree(scenario), &steps(name)).is_some();
        let mend = if is_there { format!("{rule}: write {}", well_formed(&steps(name))) } else { rule };
        let notes: Vec<_> = looks_alike(name).into_iter().chain([mend]).collect();
        return Err(Mistake::of_name(format!("`{name}` is no path"), notes));
    }
    if too_deep(text).is_some() {
        return Err(Mistake::new(notation::TOO_DEEP, []));
    }
    if let Some((key, _)) = Outline::of(text).repeated_key() {
        return Err(Mistake::new(format!("{key}: given twice"), []));
    }
    let scenario = scenario.unvaried();
    let tree = tree(&scenario);
    let places = places(&tree, name, text);
    if places.is_empty() {
        let allowed = format!("allowed: a scenario that has {}", paths(name, text).join(" or "));
        return Err(Mistake::new("there is nothing to set", [allowed]));
    }
    for place in &places {
        known_group(&scenario, place)?;
    }
    let changed = put(&tree, &places, text).map_err(|(place, at, error)| {
        let is_unknown = matches!(error, Error::NoSuchStructField { .. });
        if is_unknown && canonical(&steps(&at)).len() <= canonical(&place).len() {
            return unknown_name(&tree, name, error);
        }
        notation::mistake(&at, &error, text, |text| {
            let changed = put(&tree, &places, text).map_err(|(.., error)| error)?;
            misnamed(&changed, &places, text).map_or(Ok(()), |_| Err(Error::Eof))
        })
    })?;
    match misnamed(&changed, &places, text) {
        Some(Misnamed { path, span, problem, mend }) => {
            Err(Mistake { path, part: Some(Box::new(span)), ..Mistake::new(problem, [mend]) })
        }
        None => Ok(changed),
    }
}

/// A name or a bracket in a text that is not that of what was put in these places.
fn misnamed(changed: &Scenario, places: &[Vec<String>], text: &str) -> Option<Misnamed> {
    let has_brackets = text.contains(['(', '[', '{']);
    has_brackets.then(|| notation::misnamed(text, changed, &places[0].join("."))).flatten()
}

/// The place in which something cannot be put, the path of what cannot be read, and why.
type Wrong<'a> = (Vec<&'a str>, String, Error);

/// The scenario of the tree with what a text means in these places, of which there is one at least. A bare value within it
/// stands for a constant, as in a file.
fn put<'a>(tree: &Tree, places: &'a [Vec<String>], text: &str) -> Result<Scenario, Wrong<'a>> {
    let mut done = put_as_written(tree, places, text);
    let mut text = text.to_owned();
    while let Err((_, at, error)) = &done
        && notation::wants_name(error)
        && let Some(more) = notation::with_constants(&text, at)
    {
        let next = put_as_written(tree, places, &more);
        if next.as_ref().is_err_and(|(_, next, _)| next.starts_with(at.as_str())) {
            break;
        }
        (done, text) = (next, more);
    }
    done
}

fn put_as_written<'a>(before: &Tree, places: &'a [Vec<String>], text: &str) -> Result<Scenario, Wrong<'a>> {
    let place = |tree: &Tree, place: &'a [String]| {
        let steps: Vec<&str> = place.iter().map(String::as_str).collect();
        let part = Part { tree, change: Some((&steps, text)) };
        serde_path_to_error::deserialize(part).map_err(|error| {
            let at = error.path().to_string();
            (steps.clone(), at, error.into_inner())
        })
    };
    let scenario = place(before, &places[0])?;
    places[1..].iter().try_fold(scenario, |scenario, next| place(&tree(&scenario), next))
}

/// Refuses a group that is not there, where there are others: a name with a mistake would make another one.
fn known_group(scenario: &Scenario, place: &[String]) -> Result<(), Mistake> {
    let groups = &scenario.network.groups;
    match place {
        [network, parts, name, rest @ ..]
            if (network.as_str(), parts.as_str()) == ("network", "groups")
                && !groups.contains_key(name)
                && !(groups.is_empty() && rest.is_empty()) =>
        {
            let known = groups.keys().map(String::as_str);
            let allowed = format!("groups: {}", known.clone().collect::<Vec<_>>().join(", "));
            let allowed = if groups.is_empty() { "the scenario has no groups".to_owned() } else { allowed };
            let notes: Vec<_> = did_you_mean(name, known).into_iter().chain([allowed]).collect();
            Err(Mistake::of_name(format!("there is no group `{name}`"), notes))
        }
        _ => Ok(()),
    }
}

/// Whether a study cannot vary what `name` stands for.
pub(super) fn is_of_the_run(name: &str) -> bool {
    OF_THE_RUN.iter().any(|of_run| overlaps(of_run, name))
}

/// Whether one of two names stands for a part of what the other does.
pub(super) fn overlaps(one: &str, other: &str) -> bool {
    covers(one, other) || covers(other, one)
}

/// Whether `outer` stands for all of what `inner` stands for.
pub(super) fn covers(outer: &str, inner: &str) -> bool {
    let begins = |outer: &str, inner: &str| {
        let (outer, inner) = (steps(outer), steps(inner));
        let (outer, inner) = (canonical(&outer), canonical(&inner));
        !outer.is_empty()
            && outer.len() <= inner.len()
            && outer.iter().zip(&inner).all(|(one, other)| one == other || *one == "*")
    };
    paths(inner, "").iter().any(|inner| paths(outer, "").iter().any(|outer| begins(outer, inner)))
}

/// Whether a name stands for just what is at this path.
pub(super) fn is_at(name: &str, path: &str) -> bool {
    let depth = |path| canonical(&steps(path)).len();
    covers(name, path) && paths(name, "").iter().any(|name| depth(name) == depth(path))
}

/// Whether two scenarios differ in what `name` stands for, where both have it.
pub(super) fn differ_in(name: &str, one: &Scenario, other: &Scenario) -> bool {
    let [one, other] = [one, other].map(tree);
    places(&one, name, "").iter().any(|place| {
        let [one, other] = [&one, &other].map(|tree| find(tree, place));
        one.zip(other).is_some_and(|(one, other)| one != other)
    })
}

fn tree(scenario: &Scenario) -> Tree {
    serde_json::to_value(scenario).expect("every scenario can be written")
}

fn paths<'a>(name: &'a str, text: &str) -> Vec<&'a str> {
    match KNOBS.iter().find(|(knob, _)| *knob == name) {
        // The knob is called like the field, whose values have names.
        Some(("population", _)) if text.starts_with(char::is_alphabetic) => vec!["population"],
        Some((_, paths)) => paths.to_vec(),
        None => vec![name],
    }
}

/// The name of what is set, where a value is a whole population and not how many prosumers it has.
pub(super) fn whole<'a>(name: &'a str, value: &str) -> &'a str {
    if paths(name, value) == ["population"] { "population." } else { name }
}

/// Where the tree has what `name` stands for. A path that is not there stays, so that it can be told what is wrong.
fn places(tree: &Tree, name: &str, text: &str) -> Vec<Vec<String>> {
    let paths: Vec<_> = paths(name, text).into_iter().map(steps).collect();
    let is_there = |steps: &&Vec<&str>| {
        // What is `None` may be left out.
        let place = [steps.iter().map(|step| (*step).to_owned()).collect()];
        steps.contains(&"*") || find(tree, steps).is_some() || put_as_written(tree, &place, "None").is_ok()
    };
    let Some(path) = paths.iter().find(is_there) else {
        let is_knob = knob_names().any(|knob| knob == name);
        return if is_knob { Vec::new() } else { vec![steps(name).into_iter().map(str::to_owned).collect()] };
    };
    if !path.contains(&"*") {
        return vec![path.iter().map(|step| (*step).to_owned()).collect()];
    }
    let mut places: Vec<Vec<String>> = vec![Vec::new()];
    for step in path {
        let further = |before: Vec<String>| {
            let all = if *step == "*" { keys(find(tree, &before)) } else { vec![(*step).to_owned()] };
            all.into_iter().map(move |key| [&before[..], &[key]].concat())
        };
        places = places.into_iter().flat_map(further).filter(|place| find(tree, place).is_some()).collect();
    }
    places
}

/// By what the parts of a list or a map are found.
fn keys(tree: Option<&Tree>) -> Vec<String> {
    match tree {
        Some(Tree::Object(parts)) => parts.keys().cloned().collect(),
        Some(Tree::Array(parts)) => (0..parts.len()).map(|n| n.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The steps of a path. Between quotes, one may have any name.
fn steps(path: &str) -> Vec<&str> {
    let (mut steps, mut rest) = (Vec::new(), path);
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let (step, after) = rest[1..].split_once('"').unwrap_or((&rest[1..], ""));
            steps.push(step);
            rest = after;
        } else if ['.', '[', ']'].contains(&first) {
            rest = &rest[1..];
        } else {
            let (step, after) = rest.split_at(rest.find(['.', '[', ']']).unwrap_or(rest.len()));
            steps.extend(Some(step).filter(|step| *step != "?"));
            rest = after;
        }
    }
    steps
}

/// Whether each step of a path but the first stands behind a point or in brackets, and none is empty.
fn is_well_formed(path: &str) -> bool {
    let (mut rest, mut is_first) = (path, true);
    while is_first || !rest.is_empty() {
        let in_brackets = !is_first && rest.starts_with('[');
        rest = if is_first { rest } else { &rest[1..] };
        let end = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(0, |end| end + 2),
            None => rest.find(['.', '[', ']', '"']).unwrap_or(rest.len()),
        };
        let is_entry = rest[..end].starts_with(|c: char| c == '"' || c == '*' || c.is_ascii_digit());
        if end == 0 || in_brackets && !is_entry || in_brackets != rest[end..].starts_with(']') {
            return false;
        }
        rest = &rest[end + usize::from(in_brackets)..];
        is_first = false;
        if !rest.is_empty() && !rest.starts_with(['.', '[']) {
            return false;
        }
    }
    true
}

/// The path with these steps.
fn well_formed(steps: &[&str]) -> String {
    let written = |step: &&str| match step {
        step if index(step).is_some() => format!("[{step}]"),
        step if step.contains(['.', '[', ']']) => format!(".\"{step}\""),
        step => format!(".{step}"),
    };
    steps.iter().map(written).collect::<String>().trim_start_matches('.').to_owned()
}

/// The place in a list that a step stands for, in the only way to write it.
fn index(step: &str) -> Option<usize> {
    step.parse().ok().filter(|place: &usize| place.to_string() == step)
}

/// The steps without the names of variants, which may be left out; but groups may have any name.
fn canonical<'a>(steps: &[&'a str]) -> Vec<&'a str> {
    let is_variant =
        |n: usize, step: &str| step.starts_with(char::is_uppercase) && !(n == 2 && steps[..2] == ["network", "groups"]);
    steps.iter().enumerate().filter(|(n, step)| !is_variant(*n, step)).map(|(_, step)| *step).collect()
}

/// What the tree has there; the names of variants may be left out.
fn find<'a>(tree: &'a Tree, steps: &[impl AsRef<str>]) -> Option<&'a Tree> {
    let Some((step, rest)) = steps.split_first() else { return Some(tree) };
    match tree {
        Tree::Array(parts) => find(parts.get(index(step.as_ref())?)?, rest),
        Tree::Object(parts) => match parts.get(step.as_ref()) {
            Some(part) => find(part, rest),
            None => variant(tree).and_then(|(_, part)| find(part, steps)),
        },
        _ => None,
    }
}

/// The variant that a value seems to be, with what it holds.
fn variant(tree: &Tree) -> Option<(&str, &Tree)> {
    let parts = tree.as_object().filter(|parts| parts.len() == 1)?;
    let (name, part) = parts.iter().next()?;
    name.starts_with(char::is_uppercase).then_some((name, part))
}

/// What is wrong with a name that stands for nothing.
fn unknown_name(tree: &Tree, name: &str, error: Error) -> Mistake {
    let Error::NoSuchStructField { found, expected, .. } = error else { unreachable!("it is about a field") };
    let is_path = name.contains(['.', '[']);
    let problem =
        if is_path { format!("{name}: there is no `{found}`") } else { format!("there is no knob or path `{name}`") };
    let mut notes = Vec::from_iter(looks_alike(name));
    if is_path {
        let is_first = steps(name).first() == Some(&&*found);
        let knob = KNOBS.iter().find(|(knob, _)| is_first && *knob == found);
        let full = knob.map(|(knob, paths)| name.replacen(knob, paths[0], 1));
        let like = || most_like(&found, expected.iter().copied()).map(|meant| name.replacen(&*found, meant, 1));
        let meant = full.filter(|path| find(tree, &steps(path)).is_some()).or_else(like);
        notes.extend(meant.map(|meant| format!("did you mean `{meant}`?")));
        notes.push(if expected.is_empty() {
            "what it would be a part of has no such parts here".to_owned()
        } else {
            format!("allowed: {}", expected.join(", "))
        });
    } else {
        let mut paths = Vec::new();
        leaves(tree, "", &mut paths);
        let known = knob_names().chain(expected.iter().copied());
        let dotted = name.replace([':', '/'], ".");
        let dotted = Some(dotted).filter(|path| path != name && find(tree, &steps(path)).is_some());
        let same_end = paths.iter().find(|path| steps(path).last() == Some(&name));
        let hint = dotted.as_ref().or(same_end).map(|path| format!("did you mean `{path}`?"));
        let hint = hint.or_else(|| did_you_mean(name.trim_matches('-'), known));
        notes.extend(hint);
        let knobs: Vec<_> = knob_names().collect();
        notes.push(format!("allowed: {}; or any path, such as market.feed_in_tariff", knobs.join(", ")));
    }
    Mistake::of_name(problem, notes)
}

/// The paths of all fields without parts, with no names of variants.
fn leaves(tree: &Tree, path: &str, found: &mut Vec<String>) {
    match (variant(tree), tree) {
        (Some((_, part)), _) => leaves(part, path, found),
        (None, Tree::Object(parts)) if !parts.is_empty() => {
            for (key, part) in parts {
                leaves(part, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// A part of a scenario's tree, with a text in the place of what is some steps below it.
#[derive(Clone, Copy)]
struct Part<'a> {
    tree: &'a Tree,
    change: Option<(&'a [&'a str], &'a str)>,
}

impl<'de> Part<'de> {
    /// Visits the parts of what changes at or below one of them, `step`, which may be new if it has a name.
    fn parts<V: Visitor<'de>>(self, step: &'de str, visitor: V) -> Result<V::Value, Error> {
        let part = |tree, changes: bool| {
            let change = self.change.filter(|_| changes);
            Part { tree, change: change.map(|(steps, text)| (&steps[1..], text)) }
        };
        match self.tree {
            Tree::Array(list) => match index(step).filter(|at| *at < list.len()) {
                Some(at) => visitor
                    .visit_seq(SeqDeserializer::new(list.iter().enumerate().map(|(n, tree)| part(tree, n == at)))),
                None => self.no_part(step, visitor),
            },
            Tree::Object(_) | Tree::Null => {
                let given = || self.tree.as_object().into_iter().flatten().map(|(name, tree)| (name.as_str(), tree));
                let absent = given().all(|(name, _)| name != step).then_some((step, &Tree::Null));
                let parts = given().chain(absent).map(|(name, tree)| (name, part(tree, name == step)));
                visitor.visit_map(MapDeserializer::new(parts))
            }
            _ => self.no_part(step, visitor),
        }
    }

    fn no_part<V: Visitor<'de>>(self, step: &'de str, _: V) -> Result<V::Value, Error> {
        Err(Error::unknown_field(step, &[]))
    }
}

/// What `read` makes of the whole `text`, which is RON.
fn written<'de, T>(text: &'de str, read: impl FnOnce(&mut Ron<'de>) -> Result<T, Error>) -> Result<T, Error> {
    let mut ron = Ron::from_str_with_options(text, &notation::options()).map_err(|error| error.code)?;
    let value = read(&mut ron)?;
    ron.end()?;
    Ok(value)
}

impl<'de> IntoDeserializer<'de, Error> for Part<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// What is not changed is read from the tree, and what is from its text; what is done where something `below` changes.
macro_rules! read {
    ($below:ident: $($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Error> {
            match self.change {
                None => self.tree.$method($($argument,)* visitor).map_err(Error::custom),
                Some(([], text)) => written(text, |ron| ron.$method($($argument,)* visitor)),
                Some(([step, ..], _)) => self.$below(step, visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Part<'de> {
    type Error = Error;

    read! {
        no_part:
        deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_f32() deserialize_f64()
        deserialize_char() deserialize_bytes() deserialize_byte_buf() deserialize_unit() deserialize_identifier()
        deserialize_ignored_any() deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
    }
    read! {
        parts:
        deserialize_any() deserialize_map() deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_seq() deserialize_tuple(len: usize) deserialize_tuple_struct(name: &'static str, len: usize)
    }

    /// Text needs no quotes.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.change {
            None => self.tree.deserialize_str(visitor).map_err(Error::custom),
            Some(([], text)) if ["\"", "r\"", "r#"].iter().any(|quote| text.starts_with(quote)) => {
                written(text, |ron| ron.deserialize_str(visitor))
            }
            Some(([], text)) => visitor.visit_str(text),
            Some(([step, ..], _)) => self.no_part(step, visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.change {
            Some(([], "None")) => visitor.visit_none(),
            Some(([], text)) if text.strip_prefix("Some").is_some_and(|rest| rest.trim_start().starts_with('(')) => {
                written(text, |ron| ron.deserialize_option(visitor))
            }
            None if self.tree.is_null() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let now = variant(self.tree);
        let (variant, tree, change) = match (self.change, now) {
            (None, _) => return self.tree.deserialize_enum(name, variants, visitor).map_err(Error::custom),
            (Some(([], text)), _) if text.starts_with(char::is_alphabetic) => {
                return written(text, |ron| ron.deserialize_enum(name, variants, visitor));
            }
            // A bare value is a constant, or takes the place of the one that is there.
            (Some(change @ ([], _)), _) if variants.contains(&"Constant") => ("Constant", &Tree::Null, change),
            (Some(change @ ([], _)), Some((variant, tree))) if !tree.is_object() => (variant, tree, change),
            (Some(([], text)), _) => return Err(Error::unknown_variant(text, variants)),
            (Some((steps, text)), Some((variant, tree))) => {
                let skipped = usize::from(steps[0] == variant);
                (variant, tree, (&steps[skipped..], text))
            }
            (Some(([step, ..], _)), None) => return Err(Error::unknown_field(step, &[])),
        };
        let part = Part { tree, change: Some(change) };
        visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(iter::once((variant, part)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::TextFile;

    /// A scenario in which everything is given.
    fn full() -> Scenario {
        let text = r#"(name: "full", population: Synthetic(count: 5), report: (slot: 17),
            storage: (capacity_kwh: 10, power_kw: 5),
            learning: (fitness: Private, initial_choice: Fixed([0.5, 0.5]), mixing: Informed(first: 0.1, halved_every: 10),
                mix: [(share: 0.5, adaptation: None, exploration: 0.1)]),
            network: (delay: Uniform(min: "1ms", max: "1s"), groups: {"Far": Share(0.2), "near": Prosumers([1, 2])},
                links: [(from: Group("Far"), to: Ledger, delay: Constant("300ms"), loss: 0.05)],
                conditions: [(at: "1h", lasting: "1min", what: Crash(who: Group("Far"), memory: Lost)),
                    (at: "2h", lasting: "1min", what: Link(from: Grid, to: Ledger, jitter: 0.5))]),
            ledger: (posts: Last), clock: Wall(speed: 60), replicates: [1, 2])"#;
        notation::scenario(&TextFile { path: None, text: text.into() }).unwrap()
    }

    /// The paths of everything in the tree, without and with the names of variants.
    fn all(tree: &Tree, path: &str, full: &str, found: &mut Vec<(String, String)>) {
        let below = |path: &str, key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match (variant(tree).filter(|_| path != "network.groups"), tree) {
            (Some((name, part)), _) => return all(part, path, &below(full, name), found),
            (None, Tree::Object(parts)) => {
                parts.iter().for_each(|(key, part)| all(part, &below(path, key), &below(full, key), found));
            }
            (None, Tree::Array(parts)) => {
                for (n, part) in parts.iter().enumerate() {
                    all(part, &format!("{path}[{n}]"), &format!("{full}[{n}]"), found);
                }
            }
            _ => {}
        }
        found.push((path.to_owned(), full.to_owned()));
    }

    #[test]
    fn every_part_of_a_scenario_can_be_set_by_its_path() {
        for scenario in [full(), Scenario::new("usual", crate::schema::PopulationSource::Profiles("x.csv".into()))] {
            let text = notation::written(&scenario);
            let (outline, mut paths) = (Outline::of(&text), Vec::new());
            all(&tree(&scenario), "", "", &mut paths);
            paths.retain(|(path, _)| !["", "vary"].contains(&path.as_str()));
            assert!(paths.len() > 60, "{paths:?}");
            let mut changed = 0;
            for (path, full) in &paths {
                // A path leads to what stands in the variant's brackets, but its value is set with the variant.
                let tree = tree(&scenario);
                let is_variant = find(&tree, &steps(path)).is_some_and(|part| variant(part).is_some());
                let (span, there) = outline.find(if is_variant { path } else { full });
                assert!(there, "{path} in {text}");
                let value = &text[span];
                let set = |value: &str| set(&scenario, path, value);
                assert_eq!(set(value).as_ref().ok(), Some(&scenario), "{path}={value}: {:?}", set(value));
                // Another value makes another scenario.
                if let Ok(number) = value.parse::<f64>() {
                    let other = format!("{}", if number == 0.0 { 1.0 } else { 2.0 * number });
                    assert_ne!(
                        set(&other).unwrap_or_else(|error| panic!("{path}={other}: {error:?}")),
                        scenario,
                        "{path}"
                    );
                    changed += 1;
                } else if humantime::parse_duration(value.trim_matches('"')).is_ok() {
                    assert_ne!(set("7ms").unwrap(), scenario, "{path}");
                    changed += 1;
                }
                // There is nothing that is called so.
                let unknown = super::set(&scenario, &format!("{path}.zzz"), "1");
                let is_map = path == "network.groups";
                assert!(unknown.as_ref().is_err_and(|mistake| mistake.is_of_name) || is_map, "{path}.zzz: {unknown:?}");
            }
            assert!(changed > 20, "{changed} of {}", paths.len());
        }
    }

    #[test]
    fn a_knob_is_its_path() {
        let scenario = full();
        for (knob, path, value) in [
            ("population", "population.count", "7"),
            ("population", "population.Synthetic.count", "7"),
            ("population", "population", "Synthetic(count: 7)"),
            ("mu", "preferences.mu", "0.5"),
            ("delay", "network.delay", "200ms"),
            ("group_share", "network.groups.Far", "0.7"),
            ("group_share", "network.groups.Far.Share", "0.7"),
            ("lasting", "network.conditions[*].lasting", "3min"),
            ("price_step", "learning.price_step.Scaled", "0.7"),
            ("price_step", "learning.price_step", "Fixed(0.7)"),
            ("period", "activation.period", "3s"),
            ("block_timeout", "ledger.block.timeout", "3s"),
            ("seed", "seed", "3"),
        ] {
            let [by_knob, by_path] = [knob, path].map(|name| set(&scenario, name, value).unwrap());
            assert_eq!(by_knob, by_path, "{knob} {path}");
            assert_ne!(by_knob, scenario, "{knob}");
            assert!(
                covers(knob, path) && covers(path, knob) || path.contains("Far") || path == "population",
                "{knob} {path}"
            );
        }
        let reactive = set(&scenario, "activation", r#"Reactive(min_interval: "1s")"#).unwrap();
        assert_eq!(set(&reactive, "period", "3s").unwrap(), set(&reactive, "activation.min_interval", "3s").unwrap());
        let negotiated = set(&scenario, "mechanism", "Negotiation(rho: 1)").unwrap();
        assert_eq!(set(&negotiated, "rho", "3").unwrap(), set(&scenario, "mechanism", "Negotiation(rho: 3)").unwrap());
        let every = |every: &str| set(&scenario, "mechanism", &format!("UniformPriceAuction(every: {every})")).unwrap();
        assert_eq!(set(&every("\"1s\""), "every", "3s").unwrap(), every("\"3s\""));
        for (name, _) in KNOBS.iter().filter(|(name, _)| *name != "every") {
            assert!(!places(&tree(&negotiated), name, "").is_empty(), "{name}");
        }
    }

    #[test]
    fn what_is_not_given_can_be_set() {
        let scenario = Scenario::new("usual", crate::schema::PopulationSource::Profiles("x.csv".into()));
        let set = |scenario: &Scenario, name: &str, text: &str| set(scenario, name, text).unwrap();
        let with = set(&scenario, "storage", "(capacity_kwh: 10, power_kw: 5)");
        assert_eq!(set(&with, "storage.capacity_kwh", "20").storage.unwrap().capacity_kwh, 20.0);
        assert_eq!(set(&with, "storage", "None").storage, None);
        assert_eq!(set(&scenario, "report.slot", "5").report.slot, Some(5));
        assert_eq!(set(&scenario, "preferences.preference_pv", "2").preferences.preference_pv, Some(2.0));
        assert_eq!(set(&scenario, "network.groups.South", "Share(0.3)").network.groups.len(), 1);
        let mixed = set(&scenario, "learning.mix", "[(share: 0.3)]");
        let mixed = set(&mixed, "learning.mix[0].adaptation", "None");
        assert_eq!(mixed.learning.mix[0].adaptation, Some(microgrid_agents::prosumer::Adaptation::None));
        let free = set(&scenario, "market.grid_tariff", "0.7");
        assert_eq!(free.market.grid_tariff, crate::schema::Tariff::Constant(0.7));
    }

    #[test]
    fn every_knob_is_explained() {
        let text = include_str!("../../../docs/scenario.md");
        let section = text.split("\n## ").find(|section| section.starts_with("Knobs")).unwrap();
        let first_cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        let explained: Vec<&str> =
            first_cells.flat_map(|cell| cell.split(',')).map(|name| name.trim_matches([' ', '`'])).collect();
        let mut missing: Vec<_> = knob_names().filter(|name| !explained.contains(name)).collect();
        missing.extend(explained.iter().filter(|name| !knob_names().any(|known| known == **name)));
        assert!(missing.is_empty(), "{missing:?}");
    }
}
