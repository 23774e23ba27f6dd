//! `sim stability SCENARIO`: does the game spiral in to its equilibrium, by linear theory, and how far is it from not
//! doing so?

use super::{
    args::Input,
    error::CliError,
    print,
    slot_name::SlotName,
    table::{Cell, Table, Tone, key, words},
    text::{AMOUNT, Begins, MOST_SLOTS, PRICE, bold, count, fixed, in_currency, tally, values, wrapped},
};
use crate::{
    analysis::{
        equilibrium::Corner,
        stability::{
            Caveat, DelayLimit, Judgement, Limits, Omission, Setting, SlotStability, StepLimit, slot_stability,
        },
    },
    report::format::bounds,
    scenario::{Case, LastPopulation, Plan, calendar::Dates},
};
use microgrid_agents::{ids::Slot, market::mechanism::Mechanism};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// So many slots stand for many more.
const LEAST_STABLE: usize = 20;

/// Prints a table of the market slots for each combination of knobs or, with a slot given, that slot in all of them.
pub(super) fn stability(input: &Input, slot: Option<&SlotName>) -> Result<(), CliError> {
    let plan = input.plan()?;
    let others: BTreeSet<_> =
        mechanisms(&plan).filter(|mechanism| !mechanism.is_game()).map(|other| other.name()).collect();
    if !others.is_empty() {
        let others = Vec::from_iter(others).join(", ");
        return Err(CliError::bad_input(format!(
            "the linear theory is that of TwoLevelGame, and has nothing to say about {others}: `--set \
             mechanism=TwoLevelGame` leaves the rest as it is"
        )));
    }
    let told = |text: &str| print(&in_currency(text, &plan.scenario.market.currency));
    match slot.map(|slot| numbered(&plan, slot)).transpose()? {
        Some(slot) if !plan.open().contains(slot) => {
            let open = plan.open();
            let spans = open.spans();
            let shown = spans.iter().take(3).map(|(first, last)| format!("{first} to {last}")).collect::<Vec<_>>();
            let more = if spans.len() > shown.len() { ", ..." } else { "" };
            let open = format!(
                "the market is open in slots {}{more}, not in slot {slot}{}",
                shown.join(", "),
                at(&plan, slot)
            );
            Err(CliError::bad_input(open))
        }
        Some(slot) => told(&one_slot(&plan, slot)),
        None => combinations(&plan).try_for_each(|case| told(&format!("{}\n", all_slots(&plan, &case)))),
    }
}

/// The number of the slot that is called so.
fn numbered(plan: &Plan, slot: &SlotName) -> Result<Slot, CliError> {
    let Some(dates) = plan.dates() else {
        return match slot {
            SlotName::Number(number) => Ok(*number),
            SlotName::Time(moment) => {
                let slots = plan.scenario.market.slots;
                Err(CliError::bad_input(format!(
                    "no slot begins at {moment}: slots have no dates, but numbers, 1 to {slots}"
                )))
            }
        };
    };
    let called = |number: &Slot| slot.is(*number, Some(&dates.time(*number)));
    match (slot, &(1..=dates.slots()).filter(called).collect::<Vec<_>>()[..]) {
        (SlotName::Number(number), _) | (_, [number]) => Ok(*number),
        (_, [one, other, ..]) => Err(slot.is_of_two([&dates.time(*one), &dates.time(*other)])),
        (_, []) => {
            let length = humantime::format_duration(dates.slot_length());
            let (first, last) = (dates.time(1), dates.time(dates.slots()));
            Err(CliError::bad_input(format!(
                "there is no such slot as {slot}: those of {length} begin from {first} to {last}"
            )))
        }
    }
}

/// When a slot begins, behind its number; empty where slots have no dates.
fn at(plan: &Plan, slot: Slot) -> String {
    let dates = plan.dates().filter(|dates| (1..=dates.slots()).contains(&slot));
    dates.map_or_else(String::new, |dates| format!(" at {}", dates.time(slot)))
}

/// The mechanism of each combination of knobs.
fn mechanisms(plan: &Plan) -> impl Iterator<Item = Mechanism> + '_ {
    plan.settings().step_by(plan.scenario.replicates.count()).map(|setting| setting.scenario().market.mechanism)
}

/// The first case of each combination of knobs: replicates differ by nothing but their seed.
fn combinations(plan: &Plan) -> impl Iterator<Item = Case> + '_ {
    let drawn = LastPopulation::default();
    (1..=plan.case_count()).step_by(plan.scenario.replicates.count()).map(move |number| plan.case(number, &drawn))
}

fn title(plan: &Plan, case: &Case) -> String {
    let (name, count, knobs) = (&plan.scenario.name, plan.case_count(), values(case.knobs.iter().cloned()));
    wrapped(&format!("{name}, case {} of {count}{knobs}, seed {}", case.number, case.seed))
}

fn all_slots(plan: &Plan, case: &Case) -> String {
    let setting = Setting::of(case);
    let slots: Vec<Slot> = case.open.iter().collect();
    let found: Vec<SlotStability> = slots.par_iter().filter_map(|slot| slot_stability(case, *slot, &setting)).collect();
    let mut text = format!("{}\n{}\n", bold(&title(plan, case)), information(&setting));
    if found.is_empty() {
        return text + &nothing_found(plan, plan.slots_without_room(Some(case.number)));
    }
    let notes = notes(&setting.caveats, &found);
    let dates = plan.dates().map(|dates| &**dates);
    let (verdicts, found) = least_stable(found);
    text += &verdicts;
    if !found.is_empty() {
        text += &rest_table(&found, dates);
    }
    if found.iter().any(|slot| judged(slot).is_some_and(|found| found.limits.is_some())) {
        text += &format!("\ncritical steps and delays, all else as it is\n\n{}", limit_table(&found, dates));
    }
    text += &notes;
    match plan.slots_without_room(Some(case.number)) {
        (0, _) => text,
        (without, _) => {
            text + &format!("\nnot shown: {}, in which the fee leaves no room for a price\n", count(without, "slot"))
        }
    }
}

/// Of many slots those with the largest roots, if they have any, and in words what there is of all; otherwise all.
fn least_stable(mut slots: Vec<SlotStability>) -> (String, Vec<SlotStability>) {
    if slots.len() <= MOST_SLOTS {
        return (String::new(), slots);
    }
    let verdicts = tally(slots.iter().map(|slot| judged(slot).map_or("no verdict", |found| verdict(Some(found)))));
    let all = count(slots.len(), "slot");
    slots.retain(|slot| judged(slot).is_some());
    let modulus = |slot: &SlotStability| judged(slot).map_or(0.0, |found| found.root.modulus);
    slots.sort_by(|one, other| modulus(other).total_cmp(&modulus(one)));
    let below = match slots.len() {
        0 => String::new(),
        1..=LEAST_STABLE => "; those with a verdict are below".to_owned(),
        _ => format!("; those {LEAST_STABLE} with the largest roots are below"),
    };
    slots.truncate(LEAST_STABLE);
    slots.sort_by_key(|slot| slot.slot);
    let text = wrapped(&format!("{all}: {verdicts}{below}\n")) + "`--slot K` shows any\n\n";
    (text, slots)
}

/// Why no slot is judged, where in so many of the open slots the fee leaves no room for a price.
fn nothing_found(plan: &Plan, (without, open): (usize, usize)) -> String {
    let [feed_in, grid] = bounds(&plan.scenario.market);
    let lacking = match without {
        0 => "both buyers and sellers".to_owned(),
        without if without == open => format!("room for a price: {grid} less the fee is below {feed_in}"),
        _ => format!("buyers, sellers and room for a price between {feed_in} and {grid} less the fee"),
    };
    wrapped(&format!("no slot has {lacking}\n"))
}

fn information(setting: &Setting) -> String {
    let age = humantime::format_duration(setting.age);
    let periods = fixed(setting.age_in_periods(), 3);
    format!("information is {age} or {periods} periods old from actor to actor\n")
}

fn judged(slot: &SlotStability) -> Option<&Judgement> {
    slot.judgement.as_ref().ok()
}

/// A table of slots, each by its number or, where it has a date, by when it begins.
fn of_slots<T>(rows: Vec<T>, slot: fn(&T) -> Slot, dates: Option<&Dates>) -> Table<T> {
    let times = |rows: &[T]| -> Vec<String> {
        dates.iter().flat_map(|dates| rows.iter().map(|row| dates.time(slot(row)))).collect()
    };
    let begins = Begins::of(times(&rows).iter().map(String::as_str));
    Table::of(rows).column_if(dates.is_none(), key("slot"), slot).column_if(
        dates.is_some(),
        key(words(begins.heading())),
        |row| dates.map(|dates| begins.cell(&dates.time(slot(row)))).unwrap_or_default(),
    )
}

/// Where the game rests, and how it gets there.
fn rest_table(slots: &[SlotStability], dates: Option<&Dates>) -> String {
    let [sellers, buyers] = if dates.is_some() { ["sel-\nlers", "buy-\ners"] } else { ["sellers", "buyers"] };
    let table = of_slots(slots.iter().collect(), |slot| slot.slot, dates)
        .column(sellers, |slot| slot.sellers)
        .column(buyers, |slot| slot.buyers)
        .column("surplus", |slot| fixed(slot.surplus, AMOUNT))
        .column("price", |slot| fixed(slot.price, PRICE))
        .column(words("bound\nby"), |slot| corner(slot.corner));
    roots(table, |slot| judged(slot)).draw()
}

fn corner(corner: Corner) -> &'static str {
    match corner {
        Corner::Interior => "-",
        Corner::Floor => "feed-in",
        Corner::Ceiling => "tariff",
    }
}

/// Adds the modulus of the largest root, its period in rounds, and what they mean.
fn roots<'a, T>(table: Table<T>, judged: impl Fn(&T) -> Option<&'a Judgement>) -> Table<T> {
    let root = |of: &T| judged(of).map(|found| found.root);
    let period = |of: &T| root(of)?.period().map(|rounds| fixed(rounds, 1));
    let tone = |of: &T| match root(of) {
        None => Tone::Plain,
        Some(root) if root.is_stable() => Tone::Good,
        Some(_) => Tone::Bad,
    };
    table
        .column("largest\nroot", |of| root(of).map_or_else(|| "-".to_owned(), |root| fixed(root.modulus, 5)))
        .column("period", |of| period(of).unwrap_or_else(|| "-".to_owned()))
        .column(words("verdict"), |of| Cell { text: verdict(judged(of)).to_owned(), tone: tone(of) })
}

fn verdict(judged: Option<&Judgement>) -> &'static str {
    match judged.map(|found| (found.root.is_stable(), found.root.period().is_some())) {
        Some((true, true)) => "spirals in",
        Some((true, false)) => "settles",
        Some((false, true)) => "spirals out",
        Some((false, false)) => "drifts off",
        None => "-",
    }
}

fn limit_table(slots: &[SlotStability], dates: Option<&Dates>) -> String {
    let limited = slots.iter().filter_map(|slot| Some((slot.slot, judged(slot)?.limits?)));
    of_slots(limited.collect(), |(slot, _)| *slot, dates)
        .columns(["replicator\nstep\nFixed", "\n\nScaled", "\n\nmargin"], |(_, of), n| limits(of.replicator)[n].clone())
        .columns(["price\nstep\nFixed", "\n\nScaled", "\n\nmargin"], |(_, of), n| limits(of.price)[n].clone())
        .columns(["\nage\nbelow", "\nmessage\nbelow"], |(_, of), n| delays(of.delay)[n].clone())
        .draw()
}

fn limits(limit: StepLimit) -> [String; 3] {
    [limit.fixed, limit.scaled, limit.margin].map(step)
}

fn delays(limit: DelayLimit) -> [String; 2] {
    match limit {
        DelayLimit::None => ["none", "none"].map(str::to_owned),
        DelayLimit::AtLeast(periods) => [format!("over {periods}"), "-".to_owned()],
        DelayLimit::Below(periods, None) => [periods.to_string(), "none".to_owned()],
        DelayLimit::Below(periods, Some(message)) => {
            [periods.to_string(), humantime::format_duration(message).to_string()]
        }
    }
}

/// Four significant digits; zero is a step that no size makes stable, infinity one that any size leaves so.
fn step(value: f64) -> String {
    if value == 0.0 {
        "none".to_owned()
    } else if value.is_infinite() {
        "any".to_owned()
    } else {
        fixed(value, (3 - value.log10().floor() as i32).clamp(0, 9) as usize)
    }
}

/// One slot in all combinations: in detail if there is only one, else a line for each.
fn one_slot(plan: &Plan, slot: Slot) -> String {
    let cases: Vec<Case> = combinations(plan).collect();
    let settings: Vec<Setting> = cases.iter().map(Setting::of).collect();
    let found: Vec<Option<SlotStability>> =
        cases.par_iter().zip(&settings).map(|(case, setting)| slot_stability(case, slot, setting)).collect();
    if let ([case], [setting], [found]) = (&cases[..], &settings[..], &found[..]) {
        let head = format!(
            "{}\n{}\n",
            bold(&format!("{}, slot {slot}{}", title(plan, case), at(plan, slot))),
            information(setting)
        );
        return match found {
            Some(found) => head + &detail(case, found) + &notes(&setting.caveats, std::slice::from_ref(found)),
            None => head + missing(plan, slot),
        };
    }
    let mut caveats = Vec::new();
    for caveat in settings.iter().flat_map(|setting| &setting.caveats) {
        if !caveats.contains(caveat) {
            caveats.push(caveat.clone());
        }
    }
    let table = case_table(&cases, &settings, &found);
    let known: Vec<SlotStability> = found.into_iter().flatten().collect();
    let title = bold(&format!("{}, slot {slot}{}", plan.scenario.name, at(plan, slot)));
    format!("{title}\n\n{table}{}", notes(&caveats, &known))
}

/// What a slot lacks that is not judged, in the only combination.
fn missing(plan: &Plan, slot: Slot) -> &'static str {
    let room = plan.price_bands(1).get(slot as usize - 1).is_none_or(|band| band.has_room());
    if room { "there are no buyers or no sellers\n" } else { "the fee leaves no room for a price\n" }
}

fn case_table(cases: &[Case], settings: &[Setting], found: &[Option<SlotStability>]) -> String {
    let names = cases.iter().take(1).flat_map(|case| case.knobs.iter().map(|(name, _)| key(name.replace('_', "\n"))));
    let judged = |n: &usize| found[*n].as_ref().and_then(judged);
    let margin = |n: &usize, of: fn(Limits) -> f64| {
        judged(n).and_then(|found| found.limits).map_or_else(|| "-".to_owned(), |limits| step(of(limits)))
    };
    let table = Table::of(0..cases.len())
        .column(key("case"), |&n| cases[n].number)
        .columns(names, |&n, knob| cases[n].knobs[knob].1.clone())
        .column("age", |&n| fixed(settings[n].age_in_periods(), 3));
    roots(table, judged)
        .column("replic.\nmargin", |n| margin(n, |limits| limits.replicator.margin))
        .column("price\nmargin", |n| margin(n, |limits| limits.price.margin))
        .draw()
}

fn detail(case: &Case, found: &SlotStability) -> String {
    let SlotStability { sellers, buyers, responsive, surplus, price, .. } = found;
    let mut text = format!(
        "equilibrium price {} CNY/kWh, {} with {} kWh, {}\n{responsive} of these answer to price\n",
        fixed(*price, PRICE),
        count(*sellers, "seller"),
        fixed(*surplus, AMOUNT),
        count(*buyers, "buyer"),
    );
    let Some(judged) = judged(found) else { return text };
    let root = judged.root;
    let period = root.period().map_or_else(String::new, |rounds| format!(", period {} rounds", fixed(rounds, 1)));
    let rounds = fixed(std::f64::consts::LN_10 / root.modulus.ln().abs(), 0);
    let change = if root.is_stable() { "smaller" } else { "larger" };
    let verdict = verdict(Some(judged));
    let modulus = fixed(root.modulus, 6);
    text += &format!("largest root {modulus}{period}: {verdict}\nten times {change} every {rounds} rounds\n");
    let Some(found) = judged.limits else { return text };
    let learning = &case.scenario.learning;
    let steps =
        [("replicator", learning.replicator_step, found.replicator), ("price", learning.price_step, found.price)];
    let table = Table::of(steps)
        .column(key(words("step")), |(name, ..)| *name)
        .column(words("here"), |(_, own, _)| format!("{own:?}"))
        .columns(["critical\nFixed", "\nScaled", "margin"], |(.., limit), n| limits(*limit)[n].clone());
    text += &format!("\n{}\n", table.draw());
    text + &match (found.delay, delays(found.delay)) {
        (DelayLimit::None, _) => "no delay is stable with these steps\n".to_owned(),
        (DelayLimit::AtLeast(periods), _) => format!("stable up to information {periods} periods old at least\n"),
        (DelayLimit::Below(..), [age, message]) => {
            format!("stable while information is younger than {age} periods: messages below {message}\n")
        }
    }
}

/// What the theory leaves out, each once.
fn notes(caveats: &[Caveat], slots: &[SlotStability]) -> String {
    let omitted = |what| slots.iter().any(|slot| slot.judgement == Err(what));
    let limitless = slots.iter().filter_map(judged).any(|found| found.limits.is_none());
    let own = [
        (omitted(Omission::Corner), "where a tariff binds, prices rest at it: there is nothing to linearise"),
        (omitted(Omission::NoAnswer), "where no purchase answers to price, prices have no rest to be judged at"),
        (omitted(Omission::TooLarge), "too many sellers or too long lags: no roots are computed"),
        (limitless, "too many sellers or too long lags: critical steps and delays are left out"),
        (
            slots.iter().any(|slot| slot.kinked && slot.judgement.is_ok()),
            "some buyers have all they need: what they do when short steadies the game until it overshoots, and counts for \
             overshooting alone, which errs on the safe side",
        ),
    ];
    let own = own.into_iter().filter(|(applies, _)| *applies).map(|(_, note)| note.to_owned());
    let notes = caveats.iter().map(Caveat::to_string).chain(own);
    let lines: String = notes.map(|note| wrapped(&format!("- {note}")) + "\n").collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}
