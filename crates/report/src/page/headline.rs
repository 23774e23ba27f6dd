//! The headline numbers: a card each, with the numbers of every case or, of many cases, their range.

use super::tables::case_name;
use crate::{
    data::{CaseData, Data},
    format::{fixed, grouped, knobs},
};
use microgrid_record::{KeyFigures, Number};

/// The numbers of more cases than this are summed up by their range.
const MOST_CASES: usize = 4;

/// A headline number.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) title: &'static str,
    pub(super) hint: &'static str,
    pub(super) entries: Vec<Entry>,
}

/// What it is in a case.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Which case, if there are several.
    pub(super) label: String,
    /// The number as it is in the results.
    pub(super) value: f64,
    /// The number as it reads.
    pub(super) text: String,
    pub(super) unit: &'static str,
}

/// A figure of a case, and how it reads.
struct Figure {
    title: &'static str,
    hint: &'static str,
    unit: &'static str,
    decimals: usize,
    of: Of,
}

/// What a figure is of a case.
type Of = fn(&CaseData, &KeyFigures) -> Option<f64>;

/// Title of what there is only where there are storages.
const DEVICES: &str = "Gain of the devices";

const FIGURES: [Figure; 12] = [
    figure("Welfare", "of all prosumers over the open slots", "CNY", 2, |_, it| Some(it.open_slots.welfare_cny)),
    figure("Gain over P2G", "in welfare over the open slots, beside the grid alone", "%", 1, |_, it| {
        it.open_slots.welfare_gain_percent
    }),
    figure(
        DEVICES,
        "in welfare over all slots, by storages alone, with what they hold at the end",
        "CNY",
        2,
        |_, it| Some(it.all_slots.devices_gain_with_storage_value_cny),
    ),
    figure("Gain of the market", "in welfare over all slots, beyond what each has alone", "CNY", 2, |_, it| {
        Some(it.all_slots.market_gain_with_storage_value_cny)
    }),
    figure("Savings", "in bills over all slots, beside P2G", "CNY", 2, |_, it| {
        Some(it.all_slots.savings_with_storage_value_cny)
    }),
    figure("Slots in equilibrium", "of those with a market", "%", 1, |_, it| it.equilibrium_share.map(percent)),
    figure("Mean price", "of local trades, by energy", "CNY/kWh", 4, |case, _| mean_price(case)),
    figure("Traded", "between prosumers", "kWh", 2, |_, it| Some(it.totals.traded_kwh)),
    figure("Consumption", "beside what was wanted (100 %)", "%", 1, |_, it| {
        (it.totals.load_kwh > 0.0).then(|| percent(it.totals.consumption_kwh / it.totals.load_kwh))
    }),
    figure("Self-sufficiency", "consumption met without the grid", "%", 1, |_, it| it.self_sufficiency.map(percent)),
    figure("Self-consumption", "generation used in the microgrid", "%", 1, |_, it| it.self_consumption.map(percent)),
    figure("Messages", "sent by everybody", "", 0, |_, it| Some(it.totals.messages as f64)),
];

const fn figure(title: &'static str, hint: &'static str, unit: &'static str, decimals: usize, of: Of) -> Figure {
    Figure { title, hint, unit, decimals, of }
}

fn percent(share: f64) -> f64 {
    100.0 * share
}

/// Mean price of a case's trades, weighted by energy [CNY/kWh]; `None` without trades.
fn mean_price(case: &CaseData) -> Option<f64> {
    let traded =
        || case.slots.iter().filter_map(|row| Some((row.price_mean_cny_per_kwh?.value(), row.traded_kwh.value())));
    let energy: f64 = traded().map(|(_, kwh)| kwh).sum();
    let value: f64 = traded().map(|(price, kwh)| price * kwh).sum();
    Number::new(value / energy).map(Number::value)
}

/// The headline numbers of the cases that are done.
pub(super) fn cards(data: &Data) -> Vec<Card> {
    let card = |figure: &Figure| {
        let entries = entries(data, figure);
        (!entries.is_empty()).then_some(Card { title: figure.title, hint: figure.hint, entries })
    };
    let storages = data.has_storages();
    FIGURES.iter().filter(|figure| storages || figure.title != DEVICES).filter_map(card).collect()
}

fn entries(data: &Data, figure: &Figure) -> Vec<Entry> {
    let value = |(case, figures)| Some((case, (figure.of)(case, figures)?));
    let values: Vec<_> = data.complete().filter_map(value).collect();
    let entry = |label, value| Entry { label, value, text: text(value, figure.decimals), unit: figure.unit };
    match values.len() {
        0 => Vec::new(),
        1 if data.manifest.case_count == 1 => vec![entry(String::new(), values[0].1)],
        count if count <= MOST_CASES => {
            values.iter().map(|(case, value)| entry(short_name(data, case), *value)).collect()
        }
        _ => range(data, &values, figure.decimals, entry),
    }
}

/// The least and the greatest of some values, or the one that they all have.
fn range(
    data: &Data,
    values: &[(&CaseData, f64)],
    decimals: usize,
    entry: impl Fn(String, f64) -> Entry,
) -> Vec<Entry> {
    let least = values.iter().min_by(|one, other| one.1.total_cmp(&other.1));
    let most = values.iter().max_by(|one, other| one.1.total_cmp(&other.1));
    let (Some(least), Some(most)) = (least, most) else { return Vec::new() };
    if text(least.1, decimals) == text(most.1, decimals) {
        return vec![entry("in every case".to_owned(), least.1)];
    }
    // Where several cases read the same, none of them is the one.
    let whose = |(case, value): &(&CaseData, f64)| {
        let alike = values.iter().filter(|other| text(other.1, decimals) == text(*value, decimals)).count();
        if alike == 1 { case_name(data, &case.entry) } else { format!("in {alike} of {} cases", values.len()) }
    };
    vec![entry(format!("least, {}", whose(least)), least.1), entry(format!("most, {}", whose(most)), most.1)]
}

/// A case by its knobs or, where it has none, by its number or seed.
fn short_name(data: &Data, case: &CaseData) -> String {
    let plain = case.entry.knobs.is_empty() || data.manifest.replicates > 1;
    if plain { case_name(data, &case.entry) } else { knobs(&case.entry.knobs) }
}

fn text(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |digits| ("\u{2212}", digits));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    // As in tables, four digits stand by themselves.
    let whole = whole.parse().ok().filter(|_| whole.len() > 4).map_or_else(|| whole.to_owned(), grouped);
    format!("{sign}{whole}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped_and_keep_their_decimals() {
        let texts = [(313.125, 2), (5196.657, 2), (27_980.139, 2), (11_256_885.0, 0), (-12_345.67, 1), (-0.001, 2)];
        let texts = texts.map(|(value, decimals)| text(value, decimals));
        let expected =
            ["313.12", "5196.66", "27\u{202f}980.14", "11\u{202f}256\u{202f}885", "\u{2212}12\u{202f}345.7", "0.00"];
        assert_eq!(texts, expected);
    }
}
