//! What a terminal would obey, in names, paths and values of others.

/// Text of others, such as names and paths, as a terminal may show it: signs that it would obey, or that say how others
/// stand, are shown as `\u{1b}`. Lines stay lines.
pub(super) fn clean(text: &str) -> String {
    let obeyed = |sign: char| match sign {
        '\n' | '\t' => false,
        // What turns the direction of writing, or is seen nowhere.
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        sign => sign.is_control(),
    };
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        if obeyed(sign) { shown.extend(sign.escape_unicode()) } else { shown.push(sign) }
    }
    shown
}

/// The same of text that has bold and colors of our own, which stay.
pub(super) fn clean_styled(text: &str) -> String {
    /// Begins a style, which digits and `m` follow.
    const STYLE: &str = "\x1b[";
    let mut pieces = text.split(STYLE);
    let mut shown = clean(pieces.next().unwrap_or_default());
    for piece in pieces {
        let rest = piece.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == ';');
        match rest.strip_prefix('m') {
            Some(rest) => shown += &(STYLE.to_owned() + &piece[..piece.len() - rest.len()] + &clean(rest)),
            None => shown += &(clean(STYLE) + &clean(piece)),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_but_our_own_styles() {
        let hostile = "a\u{1b}[31mb\u{1b}]0;t\u{7}\u{9b}2J\r\u{202e}\u{2066}\u{0}\u{7f}é日\u{feff}c\nd";
        let seen = r"a\u{1b}[31mb\u{1b}]0;t\u{7}\u{9b}2J\u{d}\u{202e}\u{2066}\u{0}\u{7f}é日\u{feff}c";
        assert_eq!(clean(hostile), format!("{seen}\nd"));
        let bold = |text: &str| format!("\x1b[1;32m{text}\x1b[0m");
        assert_eq!(clean_styled(&bold(&clean(hostile))), bold(&format!("{seen}\nd")));
        assert_eq!(clean_styled(&bold("x\u{1b}[2J\u{1b}[\u{1b}[1")), bold(r"x\u{1b}[2J\u{1b}[\u{1b}[1"));
    }
}
