//! The headline numbers: a card each, with the numbers of every case or, of many cases, their range.

use super::tables::case_name;
use crate::{
    data::{CaseData, Data},
    format::{NARROW, fixed, grouped, in_currency, knobs},
};
use microgrid_record::{KeyFigures, Number};

/// The numbers of more cases than this are summed up by their range.
const MOST_CASES: usize = 4;

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
    pub(super) unit: String,
}

/// A figure of a case: its title and what it is, its unit, its decimals, and how it is come by.
type Figure = (&'static str, &'static str, &'static str, usize, fn(&CaseData, &KeyFigures) -> Option<f64>);

/// Title of what there is only where there are storages.
const DEVICES: &str = "Gain of the devices";

const FIGURES: [Figure; 16] = [
    ("Welfare", "of all prosumers over the open slots", "CNY", 2, |_, it| Some(it.open_slots.welfare_cny)),
    ("Gain over P2G", "in welfare over the open slots, beside the grid alone", "%", 1, |_, it| {
        it.open_slots.welfare_gain_percent
    }),
    (DEVICES, "in welfare over all slots, by storages alone, with what they hold at the end", "CNY", 2, |_, it| {
        Some(it.all_slots.devices_gain_with_storage_value_cny)
    }),
    ("Gain of the market", "in welfare over all slots, beyond what each has alone", "CNY", 2, |_, it| {
        Some(it.all_slots.market_gain_with_storage_value_cny)
    }),
    ("Savings", "in bills over all slots, beside P2G", "CNY", 2, |_, it| Some(it.all_slots.savings_cny)),
    ("Slots in equilibrium", "of those with a market", "%", 1, |_, it| it.equilibrium_share.map(percent)),
    ("Mean price", "of local trades, by energy", "CNY/kWh", 4, |case, _| mean_price(case)),
    ("Traded", "between prosumers", "kWh", 2, |_, it| Some(it.totals.traded_kwh)),
    ("Consumption", "beside what was wanted (100 %)", "%", 1, |_, it| {
        (it.totals.load_kwh > 0.0).then(|| percent(it.totals.consumption_kwh / it.totals.load_kwh))
    }),
    ("Self-sufficiency", "consumption met without the grid", "%", 1, |_, it| it.self_sufficiency.map(percent)),
    ("Self-consumption", "generation used in the microgrid", "%", 1, |_, it| it.self_consumption.map(percent)),
    ("Peak from the grid", "mean power of a slot, what others feed in taken off", "kW", 2, |case, it| {
        it.peak_import_kw.filter(|_| case.dates.is_some())
    }),
    ("Peak into the grid", "mean power of a slot, what others draw taken off", "kW", 2, |case, it| {
        it.peak_export_kw.filter(|_| case.dates.is_some())
    }),
    ("Load factor", "mean consumption of a slot, beside the most", "%", 1, |case, it| {
        it.load_factor.filter(|_| case.dates.is_some()).map(percent)
    }),
    ("Emissions", "of the grid's energy", "kg CO\u{2082}", 1, |_, it| it.co2_kg),
    ("Messages", "sent by everybody", "", 0, |_, it| Some(it.totals.messages as f64)),
];

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

pub(super) fn cards(data: &Data) -> Vec<Card> {
    let figures = FIGURES.iter().filter(|figure| figure.0 != DEVICES || data.has_storages());
    let cards = figures.map(|figure| Card { title: figure.0, hint: figure.1, entries: entries(data, figure) });
    cards.filter(|card| !card.entries.is_empty()).collect()
}

fn entries(data: &Data, &(_, _, unit, decimals, of): &Figure) -> Vec<Entry> {
    let values: Vec<_> = data.complete().filter_map(|(case, figures)| Some((case, of(case, figures)?))).collect();
    let entry = |label: String, value| Entry {
        label,
        value,
        text: text(value, decimals),
        unit: in_currency(unit, data.currency()).into_owned(),
    };
    match values.len() {
        1 if data.manifest.case_count == 1 => return vec![entry(String::new(), values[0].1)],
        count if count <= MOST_CASES => {
            return values.iter().map(|(case, value)| entry(short_name(data, case), *value)).collect();
        }
        _ => {}
    }
    // Of many cases the least and the greatest, or the one that they all have.
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

/// As in tables, four digits stand by themselves.
fn text(value: f64, decimals: usize) -> String {
    grouped(&fixed(value, decimals), NARROW, 5)
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
