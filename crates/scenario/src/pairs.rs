//! Which bracket or comment of a RON text has no other end.

use std::ops::Range;

/// A bracket or a comment without its other end.
#[derive(Debug, PartialEq)]
pub(super) struct Unpaired {
    /// Where it stands [bytes].
    pub(super) span: Range<usize>,
    /// What is wrong with it.
    pub(super) problem: String,
    /// What to do.
    pub(super) mend: String,
}

/// An open bracket.
struct Open {
    at: usize,
    closing: char,
    /// How far its line is indented.
    indent: usize,
}

/// Deeper than any scenario, and than what `ron` reads.
const MOST_NESTED: usize = 1_000;

/// Where brackets stand in more others than anybody means [bytes], for which `ron` would take its time.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(sign) = text[at..].chars().next() {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_NESTED {
            return Some(at);
        }
        at += length(&text[at..])?;
    }
    None
}

/// The first sign, outside of texts and comments, of which this is known.
pub(super) fn first<T>(text: &str, known: impl Fn(char) -> Option<T>) -> Option<(usize, T)> {
    let mut at = 0;
    loop {
        let sign = text[at..].chars().next()?;
        if let Some(known) = known(sign) {
            return Some((at, known));
        }
        at += length(&text[at..])?;
    }
}

/// The first sign of which this is known in a line on which a text begins that does not end there.
pub(super) fn first_beside_open<T>(text: &str, known: impl Fn(char) -> Option<T>) -> Option<(usize, T)> {
    let mut at = 0;
    while !text[at..].is_empty() {
        let end = length(&text[at..]).map_or(text.len(), |length| at + length);
        if text[at..].starts_with('"') && (end == text.len() || text[at..end].contains('\n')) {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let line = line..text[at..].find('\n').map_or(text.len(), |end| at + end);
            let found = |(n, sign)| Some((line.start + n, known(sign)?));
            return text[line.clone()].char_indices().find_map(found);
        }
        at = end;
    }
    None
}

/// The bracket without its other, if there is one: of open ones the innermost but where one closes at another indentation
/// than it was opened. Or the comment that does not end; `None` where a text does not.
pub(super) fn unpaired(text: &str) -> Option<Unpaired> {
    let (mut open, mut askew, mut early, mut at) = (Vec::<Open>::new(), None, None, 0);
    // Where what stands in the line begins, and how far it is indented.
    let (mut begins, mut indent) = (0, 0);
    let mut is_line = true;
    while let Some(sign) = text[at..].chars().next() {
        let Some(length) = length(&text[at..]) else { return comment(text, at) };
        if text[at..at + length].contains('\n') {
            is_line = true;
            begins = at + length;
        } else if is_line && !sign.is_whitespace() {
            is_line = false;
            indent = at - begins;
            begins = at;
        }
        match sign {
            '(' => open.push(Open { at, closing: ')', indent }),
            '[' => open.push(Open { at, closing: ']', indent }),
            '{' => open.push(Open { at, closing: '}', indent }),
            ')' | ']' | '}' => match open.pop() {
                Some(last) if last.closing == sign => {
                    let is_askew = begins == at && last.indent != indent && last.at < at - indent;
                    // What began on a line further out does not end within one further in.
                    if begins != at && last.indent < indent {
                        early = Some(at);
                    }
                    askew = askew.or(is_askew.then_some(last));
                }
                Some(last) if open.iter().any(|outer| outer.closing == sign) => {
                    return Some(not_closed(text, &askew.unwrap_or(last)));
                }
                _ => {
                    let problem = format!("the bracket `{sign}` closes nothing");
                    let mend = "take it out, or open it before".to_owned();
                    let at = early.filter(|early| text[*early..].starts_with(sign)).unwrap_or(at);
                    return Some(Unpaired { span: at..at + 1, problem, mend });
                }
            },
            _ => {}
        }
        at += length;
    }
    let last = open.pop()?;
    Some(not_closed(text, &askew.unwrap_or(last)))
}

fn comment(text: &str, at: usize) -> Option<Unpaired> {
    let (problem, mend) = ("the comment that `/*` opens is not closed", "put `*/` where it ends");
    let unpaired = Unpaired { span: at..at + 2, problem: problem.to_owned(), mend: mend.to_owned() };
    text[at..].starts_with("/*").then_some(unpaired)
}

fn not_closed(text: &str, &Open { at, closing, .. }: &Open) -> Unpaired {
    let problem = format!("the bracket `{}` is not closed", &text[at..=at]);
    Unpaired { span: at..at + 1, problem, mend: format!("put `{closing}` where what it holds ends") }
}

/// The length of the text, comment or sign at the beginning [bytes]; `None` if it does not end.
fn length(text: &str) -> Option<usize> {
    let until = |begin: usize, end: &str| text[begin..].find(end).map(|at| begin + at + end.len());
    let hashes = text.strip_prefix('r').map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        let (mut depth, mut at) = (1, 2);
        while depth > 0 {
            let sign = text.as_bytes().get(at..at + 2)?;
            let change = i32::from(sign == b"/*") - i32::from(sign == b"*/");
            depth += change;
            at += if change == 0 { 1 } else { 2 };
        }
        return Some(at);
    }
    if text.starts_with('r') && text[1 + hashes..].starts_with('"') {
        return until(hashes + 2, &format!("\"{}", "#".repeat(hashes)));
    }
    if let Some(text) = text.strip_prefix('"') {
        let mut escaped = false;
        let ends = |sign: char| {
            let ends = sign == '"' && !escaped;
            escaped = sign == '\\' && !escaped;
            ends
        };
        return text.find(ends).map(|at| at + 2);
    }
    let mut signs = text.chars();
    let character =
        matches!((signs.next(), signs.next(), signs.next()), (Some('\''), Some(c), Some('\'')) if c != '\\');
    let length = if character { 3 } else { 1 };
    Some(text.chars().take(length).map(char::len_utf8).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<usize> {
        unpaired(text).map(|bracket| bracket.span.start)
    }

    #[test]
    fn brackets_are_paired_past_comments_and_texts() {
        for text in
            ["(a: \")\", b: r#\"(\"#, c: '(', /* ( /* ( */ */ d: [1, {\"x\": \"\\\"(\"}]) // (", "", "x", "(a: \"("]
        {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn the_bracket_without_its_other_is_found_by_indentation() {
        for (text, place) in [
            ("(a: (1, 2)", 0),
            ("(a: [1, 2)", 4),
            ("(a: 1))", 6),
            ("/* (", 0),
            ("(a: /* /* */", 4),
            ("(\n    a: (b: 1,\n    c: 2,\n)\n", 9),
            ("(\n    a: (\n        b: 1,\n    c: (\n        d: 2,\n    ),\n)\n", 9),
            ("(\n    a: {\"x\": [1, 2},\n)\n", 15),
            ("(\n    a: (b: 1)),\n    c: 2,\n)\n", 15),
        ] {
            assert_eq!(at(text), Some(place), "{text}");
        }
    }
}
