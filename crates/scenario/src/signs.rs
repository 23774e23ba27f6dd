//! Signs that only look like those of the keyboard, or that nobody sees, and signs that other languages have.

/// The text with the signs of the keyboard that are meant by others.
pub(super) fn typed(text: &str) -> String {
    text.chars().flat_map(|sign| keyed(sign).unwrap_or(Some(sign))).collect()
}

/// The sign of the keyboard, if there is one, that is meant by another which looks like it, or like nothing.
fn keyed(sign: char) -> Option<Option<char>> {
    match sign {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(Some(' ')),
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Some(None),
        // What turns the direction of writing.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(None),
        sign if sign.is_control() && !sign.is_whitespace() => Some(None),
        '−' | '\u{2010}'..='\u{2015}' => Some(Some('-')),
        '∶' | '꞉' => Some(Some(':')),
        '\u{37e}' => Some(Some(';')),
        '·' | '٫' => Some(Some('.')),
        '、' | '،' => Some(Some(',')),
        // ASCII in full width, in its order.
        '！'..='～' => Some(char::from_u32(u32::from(sign) - 0xFEE0)),
        _ => None,
    }
}

/// What such a sign is called.
fn name(sign: char) -> &'static str {
    const NAMES: &[(char, &str)] = &[
        ('\u{a0}', "a no-break space"),
        ('\u{1680}', "an Ogham space mark"),
        ('\u{2000}', "an en quad"),
        ('\u{2001}', "an em quad"),
        ('\u{2002}', "an en space"),
        ('\u{2003}', "an em space"),
        ('\u{2004}', "a three-per-em space"),
        ('\u{2005}', "a four-per-em space"),
        ('\u{2006}', "a six-per-em space"),
        ('\u{2007}', "a figure space"),
        ('\u{2008}', "a punctuation space"),
        ('\u{2009}', "a thin space"),
        ('\u{200a}', "a hair space"),
        ('\u{202f}', "a narrow no-break space"),
        ('\u{205f}', "a medium mathematical space"),
        ('\u{3000}', "an ideographic space"),
        ('\u{ad}', "a soft hyphen"),
        ('\u{180e}', "a Mongolian vowel separator"),
        ('\u{200b}', "a zero width space"),
        ('\u{200c}', "a zero width non-joiner"),
        ('\u{200d}', "a zero width joiner"),
        ('\u{2060}', "a word joiner"),
        ('\u{feff}', "a byte order mark"),
        ('\u{61c}', "an Arabic letter mark"),
        ('\u{200e}', "a left-to-right mark"),
        ('\u{200f}', "a right-to-left mark"),
        ('\u{202a}', "a left-to-right embedding"),
        ('\u{202b}', "a right-to-left embedding"),
        ('\u{202c}', "a pop directional formatting"),
        ('\u{202d}', "a left-to-right override"),
        ('\u{202e}', "a right-to-left override"),
        ('\u{2066}', "a left-to-right isolate"),
        ('\u{2067}', "a right-to-left isolate"),
        ('\u{2068}', "a first strong isolate"),
        ('\u{2069}', "a pop directional isolate"),
        ('−', "a minus sign"),
        ('\u{2010}', "a hyphen"),
        ('\u{2011}', "a non-breaking hyphen"),
        ('\u{2012}', "a figure dash"),
        ('\u{2013}', "an en dash"),
        ('\u{2014}', "an em dash"),
        ('\u{2015}', "a horizontal bar"),
        ('∶', "a ratio"),
        ('꞉', "a modifier letter colon"),
        ('\u{37e}', "a Greek question mark"),
        ('·', "a middle dot"),
        ('٫', "an Arabic decimal separator"),
        ('、', "an ideographic comma"),
        ('،', "an Arabic comma"),
        ('“', "a left double quotation mark"),
        ('”', "a right double quotation mark"),
        ('„', "a low double quotation mark"),
        ('‟', "a reversed double quotation mark"),
        ('″', "a double prime"),
        ('«', "a left guillemet"),
        ('»', "a right guillemet"),
    ];
    let known = NAMES.iter().find(|(known, _)| *known == sign).map(|(_, name)| *name);
    known.unwrap_or(if sign.is_control() { "a control character" } else { "a full-width sign" })
}

/// What is wrong with a sign that only looks like one of the keyboard, and what to do.
pub(super) fn look_alike(sign: char) -> Option<(String, String)> {
    keyed(sign).map(|meant| instead(sign, meant))
}

/// The same of a bracket.
pub(super) fn bracket_alike(sign: char) -> Option<(String, String)> {
    let bracket = keyed(sign)?.filter(|meant| "()[]{}".contains(*meant))?;
    Some(instead(sign, Some(bracket)))
}

/// The same of a quote.
pub(super) fn quote_alike(sign: char) -> Option<(String, String)> {
    QUOTES.contains(sign).then(|| instead(sign, Some('"')))
}

/// Signs that stand around a text elsewhere.
const QUOTES: &str = "“”„‟″«»＂";

/// The text with straight quotes in the place of others.
pub(super) fn straight(text: &str) -> String {
    text.replace(|sign| QUOTES.contains(sign), "\"")
}

fn instead(sign: char, meant: Option<char>) -> (String, String) {
    let called = format!("{}, U+{:04X}", name(sign), u32::from(sign));
    match meant {
        Some(' ') => (format!("this is {called}, and no blank of the keyboard"), "write a plain one".to_owned()),
        Some(meant) => (format!("this is {called}, and not the `{meant}` of the keyboard"), format!("write `{meant}`")),
        None => (format!("a sign that cannot be seen stands here, {called}"), "take it out".to_owned()),
    }
}

/// What is wrong with the first sign of a text that only looks like one of the keyboard, and what to do.
pub(super) fn looks_alike(text: &str) -> Option<String> {
    text.chars().find_map(look_alike).map(|(problem, mend)| format!("{problem}: {mend}"))
}

/// What parts a name and its value.
pub(super) const COLON: &str = "a colon stands between a name and its value";

/// How a comment is written.
pub(super) const COMMENT: &str = "a comment begins with `//`";

/// What to write in the place of the sign with which `text` begins, if RON has another.
pub(super) fn mend_sign(text: &str) -> Option<&'static str> {
    const SIGNS: &[(&[&str], &str)] = &[
        (&["#", "--", "<!--", "REM "], COMMENT),
        (&["="], COLON),
        (&[";"], "a comma stands between values"),
        (&["“", "”", "„", "'", "‘", "’", "`"], "text stands in straight double quotes"),
    ];
    SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| text.starts_with(sign))).map(|(_, mend)| *mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_that_is_not_the_keyboards_is_told_by_its_name() {
        let mut told = 0;
        for sign in ('\u{80}'..='\u{ffff}').filter(|sign| keyed(*sign).is_some() || QUOTES.contains(*sign)) {
            let (problem, mend) = look_alike(sign).or_else(|| quote_alike(sign)).unwrap();
            assert!(problem.contains(&format!("U+{:04X}", u32::from(sign))) && !mend.is_empty(), "{problem}");
            let is_full_width = ('！'..='～').contains(&sign);
            assert_eq!(name(sign) == "a full-width sign", is_full_width, "{problem}");
            assert_eq!(name(sign) == "a control character", sign.is_control(), "{problem}");
            told += 1;
        }
        assert!(told > 160, "{told}");
        assert!((' '..='~').all(|sign| keyed(sign).is_none()), "what the keyboard has means itself");
    }
}
