//! A text of which some parts are written otherwise.

use std::ops::Range;

/// What stands in the place of parts of a text, in their order [bytes].
#[derive(Clone, Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts this in the place of one more part, unless a piece of it is written otherwise already.
    pub(super) fn add(&mut self, part: Range<usize>, written: String) -> bool {
        let at = self.0.partition_point(|(other, _)| other.end <= part.start);
        let is_free = self.0.get(at).is_none_or(|(other, _)| part.end <= other.start);
        if is_free {
            self.0.insert(at, (part, written));
        }
        is_free
    }

    /// Leaves this part as it is in the text.
    pub(super) fn leave(&mut self, part: &Range<usize>) {
        self.0.retain(|(other, _)| other.end <= part.start || part.end <= other.start);
    }

    /// The text so written.
    pub(super) fn of(&self, text: &str) -> String {
        let (mut written, mut at) = (String::new(), 0);
        for (part, other) in &self.0 {
            written.extend([&text[at..part.start], other]);
            at = part.end;
        }
        written + &text[at..]
    }

    /// Which byte of the text stands at byte `at` of the text so written: of what is written otherwise, its beginning.
    pub(super) fn original(&self, at: usize) -> usize {
        self.0.iter().fold(at, |at, (part, other)| match at.checked_sub(part.start) {
            Some(inside) if inside < other.len() => part.start,
            Some(inside) => part.end + inside - other.len(),
            None => at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_edited_text_are_those_of_the_text() {
        let text = "a: 10, b: 20, c: 30";
        let mut edits = Edits::default();
        assert!(edits.add(10..12, "x(20)".to_owned()) && edits.add(3..5, "1".to_owned()));
        let written = edits.of(text);
        assert_eq!(written, "a: 1, b: x(20), c: 30");
        for (sign, at) in [("1", 3), (", b", 5), ("x", 10), ("20", 10), (", c", 12), ("30", 17)] {
            assert_eq!(edits.original(written.find(sign).unwrap()), at, "{sign}");
        }
        assert!(!edits.add(11..12, String::new()) && !edits.add(3..5, String::new()));
        edits.leave(&(4..11));
        assert_eq!(edits.of(text), text);
    }
}
