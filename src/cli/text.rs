//! How numbers and words look on the terminal.

use super::{table::WIDTH, terminal::clean};
use crate::record::Number;
pub(super) use crate::report::format::{count, fixed, gain, in_currency, is_nothing, ranges, signed};
use anstyle::{AnsiColor, Style};
use indexmap::IndexMap;
use std::fmt::Display;

/// Decimals of a price [CNY/kWh].
pub(super) const PRICE: usize = 4;
/// Decimals of an energy [kWh] or an amount of money [CNY].
pub(super) const AMOUNT: usize = 3;

/// Slots have a line each up to so many; of more there is what they come to.
pub(super) const MOST_SLOTS: usize = 50;

/// A number that may be undefined.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| fixed(value, decimals))
}

/// A difference that may be undefined.
pub(super) fn change(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| signed(value, decimals))
}

/// A cell of a run's table that may be undefined.
pub(super) fn cell(value: Option<Number>, decimals: usize) -> String {
    number(value.map(Number::value), decimals)
}

/// A share that may be undefined, in per cent.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{} %", fixed(100.0 * share, 1)))
}

/// How many of so many things there are beyond those that are shown, if there are any.
pub(super) fn more(all: usize, shown: usize, thing: &str) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        left => format!("and {}\n", count(left, &format!("more {thing}"))),
    }
}

/// A whole number with commas between its thousands: `35,136`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// Decimals for amounts of which the largest is among these, so that a column of them stays narrow.
pub(super) fn amounts(values: impl IntoIterator<Item = Option<Number>>) -> usize {
    match values.into_iter().flatten().map(|value| value.value().abs()).fold(0.0, f64::max) {
        ..1e5 => AMOUNT,
        ..1e7 => 1,
        _ => 0,
    }
}

/// A name in up to so many letters.
pub(super) fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A number of things with commas between its thousands: `1 slot`, `35,136 slots`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    count(number, thing).replacen(&number.to_string(), &grouped(number), 1)
}

/// A moment by RFC 3339 as it reads in a table: to the minute, by the clocks of its zone.
pub(super) fn minutes(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// A column of moments, without the year where it is the same for all, which the heading tells then.
#[derive(Clone, Debug, Default)]
pub(super) struct Begins(Option<String>);

impl Begins {
    /// Of these moments by RFC 3339.
    pub(super) fn of<'a>(times: impl IntoIterator<Item = &'a str>) -> Self {
        let mut years = times.into_iter().map(|time| time.get(..5));
        let first = years.next().flatten();
        Self(first.filter(|first| years.all(|year| year == Some(first))).map(str::to_owned))
    }

    pub(super) fn heading(&self) -> String {
        self.0.as_ref().map_or_else(|| "begins".to_owned(), |year| format!("begins\nin {}", year.trim_end_matches('-')))
    }

    pub(super) fn cell(&self, time: &str) -> String {
        let minutes = minutes(time);
        let year = self.0.as_deref().unwrap_or_default();
        minutes.strip_prefix(year).unwrap_or(&minutes).to_owned()
    }
}

/// How often there is what: `40 Equilibrium, 3 GateClosure`, the most frequent first.
pub(super) fn tally(things: impl IntoIterator<Item = impl Display>) -> String {
    let mut counts: IndexMap<String, usize> = IndexMap::new();
    things.into_iter().for_each(|thing| *counts.entry(thing.to_string()).or_default() += 1);
    counts.sort_by(|_, one, _, other| other.cmp(one));
    counts.iter().map(|(thing, count)| format!("{count} {thing}")).collect::<Vec<_>>().join(", ")
}

/// `, mu = 1, delay = 10ms`.
pub(super) fn values<N: Display, V: Display>(knobs: impl IntoIterator<Item = (N, V)>) -> String {
    knobs.into_iter().map(|(name, value)| format!(", {name} = {value}")).collect()
}

/// `case 7`, `cases 1 to 3, 7`.
pub(super) fn cases(numbers: &[u32]) -> String {
    let list = ranges(numbers.iter().copied()).join(", ");
    format!("{} {list}", if numbers.len() == 1 { "case" } else { "cases" })
}

pub(super) fn bold(text: &str) -> String {
    styled(text, Style::new().bold())
}

/// Text that says that something failed.
pub(super) fn red(text: &str) -> String {
    styled(text, AnsiColor::Red.on_default().bold())
}

fn styled(text: &str, style: Style) -> String {
    format!("{style}{}{style:#}", clean(text))
}

/// Words in lines of at most [`WIDTH`] characters, as far as no word is longer.
pub(super) fn wrapped(text: &str) -> String {
    wrapped_at(WIDTH, text)
}

/// Words in lines of at most so many characters.
pub(super) fn wrapped_at(width: usize, text: &str) -> String {
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > width {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines += word;
        length += letters;
    }
    lines
}

/// The same without bold and colours.
#[cfg(test)]
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_between_words() {
        let knobs: Vec<String> = (0..20).map(|n| format!("knob_{n} = {n},")).collect();
        let text = wrapped(&knobs.join(" "));
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.replace('\n', " "), knobs.join(" "));
        assert_eq!(wrapped("short"), "short");
    }
}
