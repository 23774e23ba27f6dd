//! Names and brackets that a reader lets pass, though what stands in them is not written so: RON looks ahead where a
//! struct may have brackets within others, and takes whatever name and brackets there are.

use super::{Outline, Value};
use crate::mend::pair;
use std::ops::Range;

/// What is not written as what was read of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Misnamed {
    /// The path of the value from where the text begins.
    pub(crate) path: String,
    /// Where the name stands, or the value that has other brackets [bytes].
    pub(crate) span: Range<usize>,
    /// What is wrong with it.
    pub(crate) problem: String,
    /// How it is written.
    pub(crate) mend: String,
}

/// A value and its counterpart in the full text.
struct Pair {
    path: String,
    value: usize,
    full: usize,
}

impl Outline<'_> {
    /// The first name or bracket that is not that of what was read: of which `full` is written in full, with all names and
    /// brackets, from the value at this path on.
    pub(crate) fn misnamed(&self, full: &Outline<'_>, path: &str) -> Option<Misnamed> {
        let (begin, is_there) = full.walk(0, path);
        let mut pairs = vec![Pair { path: String::new(), value: 0, full: begin }];
        while let Some(pair) = pairs.pop().filter(|_| is_there) {
            let ((names, value), (full_names, full_value)) = (self.held(pair.value), full.held(pair.full));
            let mut due = full_names.iter().map(|(_, name)| *name);
            if let Some((span, name)) = names.iter().find(|(_, name)| !due.any(|known| known == *name)) {
                return Some(not_its_name(pair.path, span.clone(), name, full_names.last().map(|(_, name)| *name)));
            }
            if full.opens(full_value, '[') && !self.opens(value, '[') {
                return Some(self.no_list(pair));
            }
            let is_nameless = |value: usize| self.within(value).any(|n| self.values[n].key.is_none());
            let is_struct = full.within(full_value).any(|n| full.values[n].key.is_some());
            let has_others = self.opens(value, '[') || self.opens(value, '{') || is_struct && is_nameless(value);
            if full.opens(full_value, '(') && has_others {
                return Some(if is_struct { self.no_struct(pair.path, value) } else { self.no_pair(pair.path, value) });
            }
            let within: Vec<usize> = self.within(value).collect();
            // The last is looked at first.
            for (n, value) in within.into_iter().enumerate().rev() {
                let key = self.key_of(value);
                let found = match &key {
                    Some(key) => full.within(full_value).find(|&n| full.key_of(n).as_ref() == Some(key)),
                    None => full.within(full_value).nth(n),
                };
                let path = match key {
                    Some(key) if pair.path.is_empty() => key.into_owned(),
                    Some(key) => format!("{}.{key}", pair.path),
                    None => format!("{}[{n}]", pair.path),
                };
                pairs.extend(found.map(|full| Pair { path, value, full }));
            }
        }
        None
    }

    /// The names before brackets that hold nothing but others, and what stands in the innermost.
    fn held(&self, mut value: usize) -> (Vec<(Range<usize>, &str)>, usize) {
        let mut names = Vec::new();
        loop {
            let Value { span, name_end, .. } = &self.values[value];
            let name = span.start..*name_end;
            if name.end < span.end && !name.is_empty() {
                let written = &self.text[name.clone()];
                names.push((name, written.strip_prefix("r#").unwrap_or(written)));
            }
            let mut within = self.within(value);
            match (within.next(), within.next()) {
                (Some(only), None) if self.values[only].key.is_none() && self.opens(value, '(') => value = only,
                _ => return (names, value),
            }
        }
    }

    /// Whether a value begins with this bracket, perhaps behind a name.
    fn opens(&self, value: usize, bracket: char) -> bool {
        let Value { span, name_end, .. } = &self.values[value];
        // Between a name and its bracket there may be blanks and comments, but no list has a name.
        match bracket {
            '(' => *name_end < span.end && !self.text[*name_end..].starts_with(['[', '{']),
            other => self.text[span.start..].starts_with(other),
        }
    }

    fn no_list(&self, Pair { path, value, .. }: Pair) -> Misnamed {
        let span = self.values[value].span.clone();
        let inner = self.text[span.clone()].trim_start_matches('(').trim_end_matches(')').trim();
        let (problem, mend) = ("expected a list in square brackets, or a number without any", inner);
        let single = if mend.contains(',') { String::new() } else { format!("{mend} or ") };
        let mend = format!("round brackets hold neither: write {single}[{mend}]");
        Misnamed { path, span, problem: problem.to_owned(), mend }
    }
}

impl Outline<'_> {
    fn no_pair(&self, path: String, value: usize) -> Misnamed {
        let span = self.values[value].span.clone();
        let pair = pair(&self.text[span.clone()]).map(|pair| format!(": write {pair}")).unwrap_or_default();
        let problem = "expected values in round brackets".to_owned();
        Misnamed { path, span, problem, mend: format!("first and last stand in round brackets{pair}") }
    }

    fn no_struct(&self, path: String, value: usize) -> Misnamed {
        let problem = "expected a struct, which has round brackets and names without quotes".to_owned();
        let mend = "write `(` and `)` around it, and no quotes around its names".to_owned();
        Misnamed { path, span: self.values[value].span.clone(), problem, mend }
    }
}

fn not_its_name(path: String, span: Range<usize>, name: &str, right: Option<&str>) -> Misnamed {
    let mend = right.map_or_else(
        || "it has no name: take this one out".to_owned(),
        |right| format!("its name may be left out, or is its own: write {right}"),
    );
    Misnamed { path, span, problem: format!("there is no `{name}` here"), mend }
}
