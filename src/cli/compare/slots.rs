//! The slots in which cases differ.

use super::{MOST_LINES, pairs::Pair};
use crate::{
    cli::{
        case_tables::outcome,
        table::{Cell, Table, key, spare, words},
        text::{AMOUNT, PRICE, bold, cases, cell, change, count, minutes, more, ranges, wrapped},
    },
    record::{Number, RecordError, Run, SlotRow},
    scenario::schema::Record,
};
use indexmap::IndexMap;
use microgrid_agents::ids::Slot;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A slot of both runs.
type Both = (SlotRow, SlotRow);

/// Slots of one run by their cases.
type Slots = BTreeMap<u32, Vec<Slot>>;

/// The slots that only one of a pair of cases has, and those in which they differ in outcome, price, rounds or welfare: those
/// that end otherwise first, then the greatest difference in welfare, price and rounds. Empty without any; `None` where one
/// of the runs keeps no slots.
pub(super) fn difference(a: &Run, b: &Run, pairs: &[Pair<'_>]) -> Result<Option<String>, RecordError> {
    if [a, b].iter().any(|run| run.record() == Record::Summary) {
        return Ok(None);
    }
    let (mut slots, only_a, only_b) = both(a, b, pairs)?;
    let mut text = only("A", &only_a, pairs.len()) + &only("B", &only_b, pairs.len());
    let of_both = slots.len();
    slots.retain(is_shown);
    let elsewhere = of_both - slots.len();
    if of_both == 0 {
        text += if text.is_empty() { "" } else { "All slots that both have are the same.\n" };
        return Ok(Some(text));
    }
    slots.sort_by(|one, other| size(other).partial_cmp(&size(one)).unwrap_or(std::cmp::Ordering::Equal));
    if !slots.is_empty() {
        let title = format!("{} in outcome, price, rounds or welfare", differ(slots.len()));
        text += &format!("{}\n\n{}", bold(&title), lines(&slots[..slots.len().min(MOST_LINES)], pairs.len() > 1));
    }
    text += &more(slots.len(), MOST_LINES, "slot");
    if elsewhere > 0 {
        text += &format!("{} in other columns of slots.csv only, or by less than is shown.\n", differ(elsewhere));
    }
    Ok(Some(text))
}

fn differ(slots: usize) -> String {
    format!("{} {}", count(slots, "slot"), if slots == 1 { "differs" } else { "differ" })
}

/// Tells which slots only one of the runs has, in which of so many cases that have a partner.
fn only(run: &str, slots: &Slots, pairs: usize) -> String {
    let mut groups = IndexMap::<&[Slot], Vec<u32>>::new();
    slots.iter().for_each(|(case, slots)| groups.entry(slots).or_default().push(*case));
    let group = |(slots, of): (&&[Slot], &Vec<u32>)| {
        let of = if of.len() == pairs { String::new() } else { format!(" of {}", cases(of)) };
        let noun = if slots.len() == 1 { "slot" } else { "slots" };
        wrapped(&format!("Only in {run}: {noun} {}{of}.\n", ranges(slots.iter().copied()).join(", ")))
    };
    let mut text: String = groups.iter().take(MOST_LINES).map(group).collect();
    text += &more(groups.len(), MOST_LINES, &format!("case with slots that only {run} has"));
    if text.is_empty() { text } else { text + "\n" }
}

/// The slots of the paired cases in which anything differs, in order, and those that only one of the two has.
fn both(a: &Run, b: &Run, pairs: &[Pair<'_>]) -> Result<(Vec<Both>, Slots, Slots), RecordError> {
    let partner: BTreeMap<u32, u32> = pairs.iter().map(|pair| (pair.a.case, pair.b.case)).collect();
    let of_pairs: BTreeSet<u32> = partner.values().copied().collect();
    let mut of_a = BTreeMap::new();
    for row in a.rows::<SlotRow>()? {
        let row = row?;
        if let Some(b) = partner.get(&row.case) {
            of_a.insert((*b, row.slot), row);
        }
    }
    let (mut both, mut only_b) = (Vec::new(), Slots::new());
    for row in b.rows::<SlotRow>()? {
        let row = row?;
        if let Some(of_a) = of_a.remove(&(row.case, row.slot)) {
            // Cases may have other numbers.
            let mut renumbered = of_a.clone();
            renumbered.case = row.case;
            if renumbered != row {
                both.push((of_a, row));
            }
        } else if of_pairs.contains(&row.case) {
            only_b.entry(row.case).or_default().push(row.slot);
        }
    }
    both.sort_by_key(|(a, _)| (a.case, a.slot));
    let mut only_a = Slots::new();
    of_a.values().for_each(|row| only_a.entry(row.case).or_default().push(row.slot));
    Ok((both, only_a, only_b))
}

/// Whether a slot came to something else, as far as it is shown.
fn is_shown((a, b): &Both) -> bool {
    let apart = |a: Option<Number>, b: Option<Number>, decimals: usize| match a.zip(b) {
        Some((a, b)) => (b.value() - a.value()).abs() * 10_f64.powi(decimals as i32) >= 0.5,
        None => a.is_some() != b.is_some(),
    };
    a.outcome != b.outcome
        || a.rounds != b.rounds
        || apart(a.price_mean_cny_per_kwh, b.price_mean_cny_per_kwh, PRICE)
        || apart(a.welfare_cny, b.welfare_cny, AMOUNT)
}

/// By how much a slot differs; differences that are not defined on one side count as none.
fn size((a, b): &Both) -> (bool, f64, f64, u32, Reverse<(u32, u32)>) {
    let apart = |a: Option<Number>, b: Option<Number>| a.zip(b).map_or(0.0, |(a, b)| (a.value() - b.value()).abs());
    (
        a.outcome != b.outcome,
        apart(a.welfare_cny, b.welfare_cny),
        apart(a.price_mean_cny_per_kwh, b.price_mean_cny_per_kwh),
        a.rounds.abs_diff(b.rounds),
        Reverse((a.case, a.slot)),
    )
}

/// A line a slot, with the case of A where there are `several`.
fn lines(slots: &[Both], several: bool) -> String {
    let apart = |a: Option<Number>, b: Option<Number>| a.zip(b).map(|(a, b)| b.value() - a.value());
    let dated = slots.iter().any(|(a, _)| a.time.is_some());
    Table::of(slots)
        .column_if(several, key("case\nof A"), |(a, _)| a.case)
        .column(key("slot"), |(a, _)| a.slot)
        .column_if(dated, words(spare(2, "begins")), |(a, _)| a.time.as_deref().map(minutes).unwrap_or_default())
        .column(words("outcome\nof A"), |(a, _)| outcome(a.outcome))
        .column(words("\nof B"), |(a, b)| if a.outcome == b.outcome { Cell::from("same") } else { outcome(b.outcome) })
        .column("price\nof A", |(a, _)| cell(a.price_mean_cny_per_kwh, PRICE))
        .column("\nB - A", |(a, b)| change(apart(a.price_mean_cny_per_kwh, b.price_mean_cny_per_kwh), PRICE))
        .column(spare(0, "rounds\nof A"), |(a, _)| a.rounds)
        .column("\nB - A", |(a, b)| change(Some(f64::from(b.rounds) - f64::from(a.rounds)), 0))
        .column(spare(1, "welfare\nof A"), |(a, _)| cell(a.welfare_cny, AMOUNT))
        .column("\nB - A", |(a, b)| change(apart(a.welfare_cny, b.welfare_cny), AMOUNT))
        .draw()
}

#[cfg(test)]
mod tests {
    use crate::{
        Simulation,
        cli::{compare::told, text::plain},
    };
    use std::path::PathBuf;

    /// The run of a day of so many slots, with these values of `mu`.
    fn run(slots: u32, mu: &[f64]) -> (tempfile::TempDir, PathBuf) {
        saying(&format!(r#"market: (slots: {slots}, open: (1, 2)), vary: {{"mu": {mu:?}}}"#))
    }

    fn saying(what: &str) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let ron = format!(r#"Scenario(name: "day", population: Synthetic(count: 3), {what})"#);
        let run = Simulation::builder().ron(ron).build().unwrap().run_into(root.path()).unwrap();
        let folder = run.folder().to_owned();
        (root, folder)
    }

    #[test]
    fn what_does_not_differ_is_counted_and_not_shown() {
        let market = "market: (slots: 12, open: (10, 12))";
        let same =
            saying(&format!(r#"{market}, vary: {{"ledger.block.max_transactions": [400, 500, 600], "mu": [0, 1]}}"#));
        let text = plain(&told(&same.1, None).unwrap());
        let (same, other) = text.split_once("What changes with mu").unwrap();
        assert!(same.ends_with("combinations\n\nnothing changes between 3 pairs\n\n"), "{text}");
        assert!(other.contains("\n   0   1  "), "{text}");

        let of = |alpha: &str| saying(&format!("{market}, preferences: (alpha: {alpha})"));
        let [one, other] = [of("0.4"), of("0.4000001")];
        let text = plain(&told(&one.1, Some(&other.1)).unwrap());
        assert!(text.contains("differ by less than is shown.\n"), "{text}");
        assert!(!text.contains("+0.000") && !text.contains("-0.000"), "{text}");
    }

    #[test]
    fn slots_that_only_one_run_has_are_named() {
        let [long, short, other] = [run(7, &[0.0, 1.0]), run(3, &[0.0, 1.0]), run(6, &[1.0, 0.5])];
        let text = told(&long.1, Some(&short.1)).unwrap();
        assert!(text.contains("Only in A: slots 4 to 7.\n"), "{text}");
        assert!(text.contains("All slots that both have are the same.\n"), "{text}");
        let text = told(&short.1, Some(&long.1)).unwrap();
        assert!(text.contains("Only in B: slots 4 to 7.\n") && !text.contains("Only in A"), "{text}");
        let text = told(&other.1, Some(&long.1)).unwrap();
        assert!(text.contains("Only in A: case 2.\nOnly in B: case 1.\n"), "{text}");
        assert!(text.contains("Only in B: slot 7.\n"), "{text}");
        let text = told(&long.1, Some(&long.1)).unwrap();
        assert!(text.contains("All key figures and slots are the same"), "{text}");
    }
}
