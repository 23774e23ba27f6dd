//! Finds the place of a field in a RON text, so that an error can point at it.
//!
//! Reads only the outline of the text: names, brackets and where values begin and end. It never fails; where the text
//! is not RON, the outline ends there.

use ron::Deserializer as Ron;
use serde::{Deserialize, de::IgnoredAny};
use std::ops::Range;

/// A value in the text with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outline {
    /// Where it stands [bytes].
    pub(super) span: Range<usize>,
    /// The name in front of its bracket, or the bare word that it is.
    name: Option<String>,
    /// What stands in its brackets, in order.
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq)]
struct Item {
    /// Field name or map key.
    key: Option<(String, Range<usize>)>,
    value: Outline,
}

impl Outline {
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader { text, at: 0 };
        reader.skip_blank();
        reader.value()
    }

    /// The place of the value at `path`, such as `market.open[1]`, or of the innermost value around it that is there.
    ///
    /// The second part tells whether the value itself is there.
    pub(super) fn find(&self, path: &str) -> (Range<usize>, bool) {
        let (mut here, mut path) = (self, path);
        loop {
            path = path.trim_start_matches(['.', '[', ']']);
            if path.is_empty() {
                return (here.span.clone(), true);
            }
            match here.step(path) {
                Some(next) => (here, path) = next,
                None => return (here.span.clone(), false),
            }
        }
    }

    /// The path and place of a key that its map has twice.
    pub(super) fn repeated_key(&self) -> Option<(String, Range<usize>)> {
        for (n, item) in self.items.iter().enumerate() {
            let name = item.key.as_ref().map_or_else(|| format!("[{n}]"), |(key, _)| key.clone());
            if let Some((key, span)) = &item.key
                && self.items[..n].iter().any(|other| other.key.as_ref().is_some_and(|(other, _)| other == key))
            {
                return Some((name, span.clone()));
            }
            if let Some((path, span)) = item.value.repeated_key() {
                let dot = if path.starts_with('[') { "" } else { "." };
                return Some((format!("{name}{dot}{path}"), span));
            }
        }
        None
    }

    /// The place of a key of the map at `path`, or of the innermost value around it that is there.
    pub(super) fn key(&self, path: &str, key: &str) -> Range<usize> {
        let map = self.step(path).map_or(self, |(map, _)| map);
        let keys = map.items.iter().filter_map(|item| item.key.as_ref());
        keys.into_iter().find(|(name, _)| name == key).map_or(map.span.clone(), |(_, span)| span.clone())
    }

    /// The value one step along the path, with the rest of the path. Keys of maps may have points in them.
    fn step<'a>(&'a self, path: &'a str) -> Option<(&'a Self, &'a str)> {
        let after =
            |step: &str| path.strip_prefix(step).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[', ']']));
        let by_key = |item: &'a Item| Some((&item.value, after(&item.key.as_ref()?.0)?));
        let step = path.split(['.', '[', ']']).next().unwrap_or_default();
        let by_index = || step.parse().ok().and_then(|index: usize| self.items.get(index));
        let rest = &path[step.len()..];
        let found = self.items.iter().find_map(by_key);
        if let Some(found) = found.or_else(|| by_index().map(|item| (&item.value, rest))) {
            return Some(found);
        }
        // The name of an enum's variant is a step of its own to serde, and leads to what the variant holds.
        let is_variant = self.name.as_deref() == Some(step);
        match self.items.as_slice() {
            [Item { key: None, value }] if is_variant => Some((value, rest)),
            _ => is_variant.then_some((self, rest)),
        }
    }

    /// The place and path of the bare word or number in the middle of which byte `at` lies.
    pub(super) fn word_around(&self, at: usize) -> Option<(Range<usize>, String)> {
        let (mut here, mut path) = (self, String::new());
        while let Some((n, item)) = here.items.iter().enumerate().find(|(_, item)| item.value.span.contains(&at)) {
            path += &match &item.key {
                Some((key, _)) if path.is_empty() => key.clone(),
                Some((key, _)) => format!(".{key}"),
                None => format!("[{n}]"),
            };
            here = &item.value;
        }
        let inside_word = here.items.is_empty() && here.name.is_some() && here.span.start < at;
        inside_word.then(|| (here.span.clone(), path))
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
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
        self.at = self.text.len() - Ron::from_str(self.rest()).map_or(0, |ron| ron.remainder().len());
    }

    fn value(&mut self) -> Outline {
        let start = self.at;
        let name = self.word();
        let after_name = self.at;
        self.skip_blank();
        let items = match self.rest().chars().next() {
            Some('(') => self.items('(', ')'),
            Some('[') if name.is_none() => self.items('[', ']'),
            Some('{') if name.is_none() => self.items('{', '}'),
            _ => {
                self.at = after_name;
                Vec::new()
            }
        };
        Outline { span: start..self.at, name, items }
    }

    fn items(&mut self, open: char, close: char) -> Vec<Item> {
        let mut items = Vec::new();
        self.skip(open);
        loop {
            self.skip_blank();
            if self.skip(close) {
                return items;
            }
            let before = self.at;
            let mut item = Item { key: None, value: self.value() };
            self.skip_blank();
            if self.skip(':') {
                let span = item.value.span;
                let key = self.text[span.clone()].trim_matches('"').to_owned();
                self.skip_blank();
                item = Item { key: Some((key, span)), value: self.value() };
                self.skip_blank();
            }
            items.push(item);
            self.skip(',');
            if self.at == before {
                return items;
            }
        }
    }

    /// A string, a character, a number or a name; `None` before a bracket.
    fn word(&mut self) -> Option<String> {
        let rest = self.rest();
        let is_raw = |rest: &str| rest.starts_with('r') && rest[1..].trim_start_matches('#').starts_with('"');
        let length = if rest.starts_with(['"', '\'']) || is_raw(rest) {
            let mut ron = Ron::from_str(rest).ok()?;
            IgnoredAny::deserialize(&mut ron).map_or(rest.len(), |_| rest.len() - ron.remainder().len())
        } else {
            rest.find(|c: char| c.is_whitespace() || "()[]{},:/\"'".contains(c)).unwrap_or(rest.len())
        };
        self.at += length;
        (length > 0).then(|| rest[..length].to_owned())
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
