//! Finds the place of a field in a RON text, so that an error can point at it.
//!
//! Reads only the outline of the text: names, brackets and where values begin and end. It never fails; where the text
//! is not RON, the outline ends there. The text may be anything, so nothing here recurses into its brackets.

mod misnamed;

pub(super) use misnamed::Misnamed;

use ron::Deserializer as Ron;
use serde::{Deserialize, de::IgnoredAny};
use std::{borrow::Cow, collections::BTreeSet, iter, ops::Range};

/// All values of a text with their places.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outline<'a> {
    text: &'a str,
    /// Each before what stands in its brackets; the first is the whole.
    values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
struct Value {
    /// Field name or map key before it [bytes].
    key: Option<Range<usize>>,
    /// Where it stands [bytes].
    span: Range<usize>,
    /// Where the name in front of its bracket ends, or the bare word that it is [bytes].
    name_end: usize,
    /// Number of the first value behind it and what stands in its brackets.
    next: usize,
}

impl<'a> Outline<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, values: Reader { text, at: 0, values: Vec::new(), open: Vec::new() }.read() }
    }

    /// The place of the value at `path`, such as `market.open[1]`, or of the innermost value around it that is there.
    ///
    /// The second part tells whether the value itself is there.
    pub(super) fn find(&self, path: &str) -> (Range<usize>, bool) {
        let (value, is_there) = self.walk(0, path);
        (self.values[value].span.clone(), is_there)
    }

    /// The places of the values at a path from each entry of a list on, of those that are there.
    pub(super) fn in_entries(&self, list: &str, path: &str) -> impl Iterator<Item = Range<usize>> {
        let (list, is_there) = self.walk(0, list);
        let found = self.within(list).filter(move |_| is_there).map(move |entry| self.walk(entry, path));
        found.filter(|(_, is_there)| *is_there).map(|(value, _)| self.values[value].span.clone())
    }

    /// The value at a path from a value on, or the last one on the way there; and whether it is the one.
    fn walk(&self, mut here: usize, mut path: &str) -> (usize, bool) {
        loop {
            path = path.trim_start_matches(['.', '[', ']']);
            if path.is_empty() {
                return (here, true);
            }
            match self.step(here, path) {
                Some(next) => (here, path) = next,
                None => return (here, false),
            }
        }
    }

    /// The path and place of a key that its map has had before, however it is written.
    pub(super) fn repeated_key(&self) -> Option<(String, Range<usize>)> {
        let repeated = |map: usize| {
            let mut keys = BTreeSet::new();
            self.within(map).find(|&n| self.key_of(n).is_some_and(|key| !keys.insert(key)))
        };
        let n = (0..self.values.len()).find_map(repeated)?;
        Some((self.path(n), self.values[n].key.clone()?))
    }

    /// The place of a key of the map at `path`, or of the innermost value around it that is there.
    pub(super) fn key(&self, path: &str, key: &str) -> Range<usize> {
        let map = self.step(0, path).map_or(0, |(map, _)| map);
        let at_key = self.within(map).find(|&n| self.key_of(n).is_some_and(|name| name == key));
        at_key.and_then(|n| self.values[n].key.clone()).unwrap_or_else(|| self.values[map].span.clone())
    }

    /// The place and path of the bare word or number in the middle of which byte `at` lies, or of the value whose bracket
    /// that is.
    pub(super) fn word_around(&self, at: usize) -> Option<(Range<usize>, String)> {
        let mut here = 0;
        while let Some(inner) = self.within(here).find(|&n| self.values[n].span.contains(&at)) {
            here = inner;
        }
        let span = &self.values[here].span;
        let inside_word = self.within(here).next().is_none() && span.start < at || self.values[here].name_end == at;
        (inside_word && self.name(here).is_some()).then(|| (span.clone(), self.path(here)))
    }

    /// Where the last value that ends before byte `at` does so.
    pub(super) fn end_before(&self, at: usize) -> usize {
        self.values.iter().map(|value| value.span.end).filter(|end| *end <= at).max().unwrap_or(at)
    }

    /// What stands in the brackets of a value, in order.
    fn within(&self, value: usize) -> impl Iterator<Item = usize> + '_ {
        let inside = move |&n: &usize| n < self.values[value].next;
        iter::successors(Some(value + 1).filter(inside), move |&n| Some(self.values[n].next).filter(inside))
    }

    fn name(&self, value: usize) -> Option<&'a str> {
        let Value { span, name_end, .. } = &self.values[value];
        Some(&self.text[span.start..*name_end]).filter(|name| !name.is_empty())
    }

    /// What the key of a value says, with quotes or without.
    fn key_of(&self, value: usize) -> Option<Cow<'a, str>> {
        let written = &self.text[self.values[value].key.clone()?];
        let quoted = written.contains('"').then(|| ron::from_str(written).ok()).flatten();
        Some(quoted.map_or(Cow::Borrowed(written), Cow::Owned))
    }

    fn path(&self, value: usize) -> String {
        let (mut here, mut path) = (0, String::new());
        while let Some((n, inner)) = self.within(here).enumerate().take_while(|(_, inner)| *inner <= value).last() {
            path += &match self.key_of(inner) {
                Some(key) if path.is_empty() => key.into_owned(),
                Some(key) => format!(".{key}"),
                None => format!("[{n}]"),
            };
            here = inner;
        }
        path
    }

    /// The value one step along the path, with the rest of the path. Keys of maps may have points in them.
    fn step<'p>(&self, mut here: usize, path: &'p str) -> Option<(usize, &'p str)> {
        let after =
            |step: &str| path.strip_prefix(step).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[', ']']));
        let by_key = |n| Some((n, after(&self.key_of(n)?)?));
        let step = path.split(['.', '[', ']']).next().unwrap_or_default();
        let rest = &path[step.len()..];
        loop {
            let by_index = || Some((self.within(here).nth(step.parse().ok()?)?, rest));
            if let Some(found) = self.within(here).find_map(by_key).or_else(by_index) {
                return Some(found);
            }
            let name = self.name(here)?;
            let mut inside = self.within(here);
            let only = inside.next().filter(|&n| self.values[n].key.is_none() && inside.next().is_none());
            // The name of an enum's variant is a step of its own to serde, and leads to what the variant holds.
            if name == step {
                return Some((only.unwrap_or(here), rest));
            }
            // Where it is no step, brackets within its own are those of what it holds, as in `Some((mu: 1))`.
            here = only?;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: Vec<Value>,
    /// The values in whose brackets we are, each with what closes it.
    open: Vec<(usize, char)>,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Vec<Value> {
        self.skip_blank();
        let mut key = None;
        loop {
            let mut ended = self.begin(key);
            // What ends here, before the next value begins.
            key = loop {
                if let Some(n) = ended {
                    self.values[n].next = self.values.len();
                    if self.open.is_empty() {
                        return self.values;
                    }
                    self.skip_blank();
                    if self.values[n].key.is_none() && self.skip(':') {
                        let key = self.values[n].span.clone();
                        self.values.truncate(n);
                        self.skip_blank();
                        break Some(key);
                    }
                    let Value { key, span, .. } = &self.values[n];
                    let nothing = key.is_none() && span.is_empty();
                    if !self.skip(',') && nothing {
                        // What is not RON ends the value in whose brackets it stands.
                        ended = self.end();
                        continue;
                    }
                }
                self.skip_blank();
                let closes = self.open.last().is_some_and(|(_, bracket)| self.rest().starts_with(*bracket));
                if !closes {
                    break None;
                }
                self.at += 1;
                ended = self.end();
            };
        }
    }

    /// Reads a value up to its opening bracket; one without brackets is complete.
    fn begin(&mut self, key: Option<Range<usize>>) -> Option<usize> {
        let (n, start) = (self.values.len(), self.at);
        self.at += self.word();
        let name_end = self.at;
        self.values.push(Value { key, span: start..name_end, name_end, next: n + 1 });
        self.skip_blank();
        let closing = match self.rest().chars().next() {
            Some('(') => ')',
            Some('[') if name_end == start => ']',
            // A struct in the brackets of another language.
            Some('{') => '}',
            _ => {
                self.at = name_end;
                return Some(n);
            }
        };
        self.at += 1;
        self.open.push((n, closing));
        None
    }

    /// Ends the value in whose brackets we are.
    fn end(&mut self) -> Option<usize> {
        let (n, _) = self.open.pop()?;
        self.values[n].span.end = self.at;
        Some(n)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self, what: char) -> bool {
        let found = self.rest().starts_with(what);
        self.at += if found { what.len_utf8() } else { 0 };
        found
    }

    /// Goes on behind blanks, comments and, at the beginning, attributes.
    fn skip_blank(&mut self) {
        let is_plain = |c: char| c.is_ascii_graphic() && !"/#".contains(c);
        if self.rest().starts_with(is_plain) {
            return;
        }
        self.at = self.text.len() - Ron::from_str(self.rest()).map_or(0, |ron| ron.remainder().len());
    }

    /// The length of a string, a character, a number or a name [bytes]; 0 before a bracket.
    fn word(&self) -> usize {
        let rest = self.rest();
        let is_raw = |rest: &str| rest.starts_with('r') && rest[1..].trim_start_matches('#').starts_with('"');
        if rest.starts_with(['"', '\'']) || is_raw(rest) {
            let read = |mut ron: Ron<'_>| IgnoredAny::deserialize(&mut ron).ok().map(|_| ron.remainder().len());
            let remainder = Ron::from_str(rest).ok().and_then(read);
            // Single quotes around a text, which is none, end in the line.
            let single = || rest.lines().next()?.get(1..)?.find('\'').filter(|_| rest.starts_with('\''));
            remainder.map(|behind| rest.len() - behind).or_else(|| Some(single()? + 2)).unwrap_or(rest.len())
        } else {
            rest.find(|c: char| c.is_whitespace() || "()[]{},:/\"'".contains(c)).unwrap_or(rest.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, path: &str) -> String {
        let (span, there) = Outline::of(text).find(path);
        format!("{}{}", if there { "" } else { "around: " }, &text[span])
    }

    #[test]
    fn a_value_is_found_by_its_path_past_comments_and_strings() {
        let text = r##"#![enable(implicit_some)]
            // market: (open: (1, 2)) is only a comment
            Scenario( /* so is /* this */ one: 1 */
                name: "a \" market: (", raw: r#"b ": ("#, letter: '(',
                market: (open: (8, /* , */ 20), deep: Some(x: -1.5e-3)),
                step: Scaled(0.3), list: [1, (a: "ü", b: 3),],
                vary: {"mu": [0, 1.0], "eta": []}, unit: None)"##;
        assert_eq!(found(text, "market.open"), "(8, /* , */ 20)");
        assert_eq!(found(text, "market.open[1]"), "20");
        assert_eq!(found(text, "market.deep.x"), "-1.5e-3");
        assert_eq!(found(text, "raw"), r##"r#"b ": ("#"##);
        assert_eq!(found(text, "letter"), "'('");
        assert_eq!(found(text, "step.Scaled"), "0.3");
        assert_eq!(found(text, "step[0]"), "0.3");
        assert_eq!(found(text, "list[1].b"), "3");
        assert_eq!(found(text, "vary.mu[1]"), "1.0");
        assert_eq!(found(text, "unit"), "None");
        assert_eq!(found(text, "market.slots"), "around: (open: (8, /* , */ 20), deep: Some(x: -1.5e-3))");
        let outline = Outline::of(text);
        let (span, path) = outline.word_around(text.find("20)").unwrap() + 1).unwrap();
        assert_eq!((&text[span], path.as_str()), ("20", "market.open[1]"));
        assert_eq!(outline.repeated_key(), None);
        let twice = r#"(a: [1, (b: {"x.y": 1, "z": 2, "x.y": 3})])"#;
        let (path, span) = Outline::of(twice).repeated_key().unwrap();
        assert_eq!((path.as_str(), span.start), ("a[1].b.x.y", twice.rfind("\"x.y").unwrap()));
    }

    #[test]
    fn an_outline_of_broken_text_ends_where_it_breaks() {
        for text in ["", "(", "(a: ", "(a: \"", "(a: /*", "(a: r#\"", ")", "(a:: b)", "#![", "(a: 'ü", "({[", "r\""] {
            Outline::of(text).find("a.b[0]");
        }
    }
}
