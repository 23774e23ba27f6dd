//! Finds the place of a field in a RON text, so that an error can point at it.
//!
//! Reads only the outline of the text: names, brackets and where values begin and end. It never fails; where the text
//! is not RON, the outline ends there.

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
    /// Reads the outline of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader { text, at: 0 };
        reader.skip_blank();
        while reader.rest().starts_with("#!") {
            reader.at = reader.rest().find(']').map_or(text.len(), |end| reader.at + end + 1);
            reader.skip_blank();
        }
        reader.value()
    }

    /// The place of the value at `path`, such as `market.open[1]`, or of the innermost value around it that is there.
    ///
    /// The second part tells whether the value itself is there.
    pub(super) fn find(&self, path: &str) -> (Range<usize>, bool) {
        let mut here = self;
        for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty()) {
            match here.step(step) {
                Some(next) => here = next,
                None => return (here.span.clone(), false),
            }
        }
        (here.span.clone(), true)
    }

    /// The keys of the map at `path` with their places, in order.
    pub(super) fn keys(&self, path: &str) -> Vec<(&str, Range<usize>)> {
        let map = path.split('.').try_fold(self, Self::step);
        let keys = map.into_iter().flat_map(|map| &map.items).filter_map(|item| item.key.as_ref());
        keys.map(|(name, span)| (name.as_str(), span.clone())).collect()
    }

    fn step(&self, step: &str) -> Option<&Self> {
        let by_key = || self.items.iter().find(|item| item.key.as_ref().is_some_and(|(key, _)| key == step));
        let by_index = || step.parse().ok().and_then(|index: usize| self.items.get(index));
        if let Some(item) = by_key().or_else(by_index) {
            return Some(&item.value);
        }
        // The name of an enum's variant is a step of its own to serde, and leads to what the variant holds.
        let is_variant = self.name.as_deref() == Some(step);
        match self.items.as_slice() {
            [Item { key: None, value }] if is_variant => Some(value),
            _ => is_variant.then_some(self),
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

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn next_is(&self, what: char) -> bool {
        self.rest().starts_with(what)
    }

    fn skip(&mut self, what: char) -> bool {
        let found = self.next_is(what);
        if found {
            self.at += what.len_utf8();
        }
        found
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            let comment = match &rest[blank..] {
                line if line.starts_with("//") => line.find('\n').unwrap_or(line.len()),
                block if block.starts_with("/*") => block_comment(block),
                _ => 0,
            };
            self.at += blank + comment;
            if comment == 0 {
                return;
            }
        }
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
        let start = self.at;
        let rest = self.rest();
        let length = match rest.chars().next()? {
            '"' => quoted(rest, '"'),
            '\'' => quoted(rest, '\''),
            'r' if is_raw_string(rest) => raw_string(rest),
            _ => rest.find(|c: char| c.is_whitespace() || "()[]{},:/\"'".contains(c)).unwrap_or(rest.len()),
        };
        self.at += length;
        (length > 0).then(|| self.text[start..self.at].to_owned())
    }
}

/// Length of the quoted text at the start of `text` [bytes].
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_raw_string(text: &str) -> bool {
    text[1..].trim_start_matches('#').starts_with('"')
}

/// Length of the raw string at the start of `text` [bytes].
fn raw_string(text: &str) -> usize {
    let opening = text.find('"').map_or(text.len(), |quote| quote + 1);
    let closing = format!("\"{}", &text[1..opening - 1]);
    text[opening..].find(&closing).map_or(text.len(), |end| opening + end + closing.len())
}

/// Length of the block comment at the start of `text` [bytes]; block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        let (width, deeper) = match rest {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        at += width;
        depth += deeper;
        if depth == 0 {
            return at;
        }
    }
    text.len()
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
        let keys: Vec<_> = outline.keys("vary").into_iter().map(|(name, span)| (name, &text[span])).collect();
        assert_eq!(keys, [("mu", "\"mu\""), ("eta", "\"eta\"")]);
    }

    #[test]
    fn an_outline_of_broken_text_ends_where_it_breaks() {
        for text in ["", "(", "(a: ", "(a: \"", "(a: /*", "(a: r#\"", ")", "(a:: b)", "#![", "(a: 'ü", "({[", "r\""] {
            Outline::of(text).find("a.b[0]");
        }
    }
}
