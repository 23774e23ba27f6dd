//! How the cases of a study, or the combinations of a sweep, compare with each other and with P2G.

use super::{
    table::{Table, key, spare},
    text::{self, AMOUNT, amounts, bold, count, fixed, gain, more, number, percent, signed, wrapped},
};
use crate::record::{KeyFigures, Knobs, Number, RecordError, Run, Statistics, Summary, knob_text};

/// More combinations than this are not shown.
const MOST_LINES: usize = 20;

/// Tables, one line a case: welfare beside P2G over the open slots and, over all slots, what the gains consist of; for a
/// study of `mu`, also what the ledger brings, in a sentence.
pub(super) fn comparison(cases: &[KeyFigures]) -> String {
    let Some(first) = cases.first() else { return String::new() };
    let welfare = |case: &KeyFigures| case.open_slots.welfare_cny;
    let p2g = |case: &KeyFigures| case.open_slots.p2g_welfare_cny;
    let table = named(cases)
        .column("welfare", |case| fixed(welfare(case), AMOUNT))
        .column_if(cases.len() > 1, spare(1, format!("over\ncase {}", first.case)), |case| {
            gain(welfare(case), welfare(first))
        })
        .column(spare(0, "P2G\nwelfare"), |case| fixed(p2g(case), AMOUNT))
        .column("over\nP2G", |case| gain(welfare(case), p2g(case)))
        .column("in\nequilibrium", |case| percent(case.equilibrium_share));
    let title = format!("welfare over the {} [CNY]", count(first.open_slots.slots as usize, "open slot"));
    let sentence = ledger_gain(cases).map_or_else(String::new, |sentence| format!("\n{sentence}\n"));
    format!("{}\n\n{}{sentence}\n{}", bold(&title), table.draw(), gains(cases))
}

/// A table with the columns that tell the cases apart.
fn named(cases: &[KeyFigures]) -> Table<&KeyFigures> {
    let first = &cases[0];
    let names: Vec<&String> = first.knobs.keys().collect();
    // Replicates differ in nothing else.
    let seeds = !first.knobs.contains_key("seed") && cases.iter().any(|case| case.seed != first.seed);
    Table::of(cases)
        .column(key("case"), |case| case.case)
        .columns(names.iter().map(|name| key(*name)), |case, n| {
            case.knobs.get(names[n]).map_or_else(String::new, knob_text)
        })
        .column_if(seeds, key("seed"), |case| case.seed)
}

/// What the gains over P2G consist of, beside what was consumed, over all slots and with the value of what storages hold;
/// what storages bring is shown where they did anything.
fn gains(cases: &[KeyFigures]) -> String {
    let storages = cases.iter().any(KeyFigures::used_storages);
    let pay_more = cases.iter().any(|case| case.worse_billed() > 0);
    let energy =
        amounts(cases.iter().flat_map(|case| [case.totals.load_kwh, case.totals.consumption_kwh].map(Number::new)));
    let table = named(cases)
        .column("load\n[kWh]", |case| fixed(case.totals.load_kwh, energy))
        .column("consumed\n[kWh]", |case| fixed(case.totals.consumption_kwh, energy))
        .column_if(storages, "devices\n[CNY]", |case| {
            signed(case.all_slots.devices_gain_with_storage_value_cny, AMOUNT)
        })
        .column("market\n[CNY]", |case| signed(case.all_slots.market_gain_with_storage_value_cny, AMOUNT))
        .column("savings\n[CNY]", |case| signed(case.all_slots.savings_with_storage_value_cny, AMOUNT))
        .column("worse\noff", |case| case.all_slots.worse_off_prosumers)
        .column_if(pay_more, "pay\nmore", |case| case.worse_billed());
    let mut notes = if storages {
        "devices, market: gains in welfare over P2G; savings: in bills; worse off:\n\
         prosumers with less welfare than in P2G with their own storage; all with the\n\
         value of what storages hold at the end\n"
            .to_owned()
    } else {
        "market: gain in welfare over P2G; savings: in bills; worse off: prosumers with\n\
         less welfare than in P2G\n"
            .to_owned()
    };
    if pay_more {
        let alone = if storages { "P2G with their own storage" } else { "P2G" };
        notes += &wrapped(&format!(
            "pay more: prosumers whose bills are above those of {alone}; what they gain is what local energy is worth to them \
             beyond its price\n"
        ));
    }
    let by_trust = |case: &&KeyFigures| case.totals.traded_kwh == 0.0 && case.all_slots.market_gain_cny != 0.0;
    let untraded: Vec<u32> = cases.iter().filter(by_trust).map(|case| case.case).collect();
    if !untraded.is_empty() {
        notes += &wrapped(&format!(
            "without any trade ({}), the market's gain is what trust in local energy adds to own consumption\n",
            text::cases(&untraded)
        ));
    }
    let title = format!("what the gains consist of, over {}", count(cases[0].all_slots.slots as usize, "slot"));
    format!("{}\n\n{}\n{notes}", bold(&title), table.draw())
}

/// What the ledger brings, if all that the study varies is `mu`, and it does so from 0 to 1.
fn ledger_gain(cases: &[KeyFigures]) -> Option<String> {
    let mu = |knobs: &Knobs| if knobs.len() == 1 { knobs.get("mu")?.as_f64() } else { None };
    let at = |value| cases.iter().find(|case| mu(&case.knobs) == Some(value)).map(|case| &case.open_slots);
    let (without, with) = (at(0.0)?, at(1.0)?);
    Some(format!(
        "mu = 1 over mu = 0: {}; mu = 1 over P2G: {}; mu = 0 over P2G: {}",
        gain(with.welfare_cny, without.welfare_cny),
        gain(with.welfare_cny, with.p2g_welfare_cny),
        gain(without.welfare_cny, without.p2g_welfare_cny),
    ))
}

/// One line a combination of which a case is complete, up to [`MOST_LINES`], and where the rest is.
pub(super) fn sweep_table(run: &Run) -> Result<String, RecordError> {
    let mut summaries = run.summaries()?;
    let shown = summaries.by_ref().take(MOST_LINES).collect::<Result<Vec<_>, _>>()?;
    let all = summaries.try_fold(shown.len(), |count, summary| summary.map(|_| count + 1))?;
    let no_knobs = Knobs::new();
    let knobs_of = |summary: &Summary| run.manifest().knobs_of(summary.first_case).unwrap_or(&no_knobs);
    Ok(lines(&shown, knobs_of, run.manifest().replicates) + &rest(all))
}

fn rest(combinations: usize) -> String {
    let more = more(combinations, MOST_LINES, "combination");
    more + "summary.csv has every measure: mean, standard deviation, 95 % interval\n"
}

fn lines<'a>(summaries: &[Summary], knobs_of: impl Fn(&Summary) -> &'a Knobs, replicates: u32) -> String {
    let mean = |of: &Summary, name: &str| of.measure(name).and_then(Statistics::mean);
    let half_width = |of: &Summary| of.measure("welfare_cny").and_then(Statistics::half_width);
    let names = summaries.first().map(|first| knobs_of(first).keys().map(key).collect::<Vec<_>>()).unwrap_or_default();
    Table::of(summaries)
        .column(key("case"), |of| of.first_case)
        .columns(names, |of, n| knobs_of(of).values().nth(n).map_or_else(String::new, knob_text))
        .column_if(replicates > 1, spare(0, "seeds"), |of| of.replicates)
        .column("in equi-\nlibrium", |of| percent(of.share_in_equilibrium))
        .column(spare(3, "rounds"), |of| number(mean(of, "rounds"), 1))
        .column("price\ngap", |of| small(mean(of, "price_gap")))
        .column(spare(1, "ampli-\ntude"), |of| small(mean(of, "oscillation_amplitude")))
        .column(spare(2, "news\nage [s]"), |of| number(mean(of, "information_age_mean_s"), 3))
        .column("welfare", |of| number(mean(of, "welfare_cny"), AMOUNT))
        .column_if(replicates > 1, "± 95 %", |of| number(half_width(of), AMOUNT))
        .draw()
}

/// A number of which the order of magnitude matters.
fn small(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::text::plain,
        record::{
            SlotRow,
            fixtures::{row_of, summaries_of},
        },
    };
    use serde_json::json;

    fn case(number: u32, knobs: serde_json::Value, welfare: f64) -> KeyFigures {
        let open = json!({
            "slots": 13, "buyers_welfare_cny": 0.0, "sellers_welfare_cny": 0.0, "welfare_cny": welfare,
            "p2g_buyers_welfare_cny": 0.0, "p2g_sellers_welfare_cny": 0.0, "p2g_welfare_cny": 209.647465,
            "welfare_gain_cny": 0.0, "welfare_gain_percent": null,
            "net_cost_cny": 0.0, "p2g_net_cost_cny": 0.0, "savings_cny": -12.5,
            "p2g_storage_welfare_cny": 0.0, "devices_gain_cny": 0.0, "market_gain_cny": welfare - 209.647465,
            "p2g_storage_net_cost_cny": 0.0, "market_savings_cny": 0.0, "storage_value_cny": 0.0,
            "p2g_storage_value_cny": 0.0, "welfare_gain_with_storage_value_cny": 0.0,
            "devices_gain_with_storage_value_cny": 0.0,
            "market_gain_with_storage_value_cny": welfare - 209.647465, "savings_with_storage_value_cny": -12.5, "market_savings_with_storage_value_cny": 0.0,
            "worse_off_prosumer_slots": 0, "worse_off_prosumers": 1, "jain_index": null,
        });
        let totals: serde_json::Map<_, _> = [
            "generation_kwh",
            "load_kwh",
            "consumption_kwh",
            "traded_kwh",
            "grid_import_kwh",
            "grid_export_kwh",
            "charged_kwh",
            "discharged_kwh",
            "paid_cny",
            "earned_cny",
            "fees_cny",
            "operator_revenue_cny",
        ]
        .into_iter()
        .map(|name| (name.to_owned(), json!(if name == "traded_kwh" { 2.5 } else { 0.0 })))
        .chain(["messages", "bytes"].map(|name| (name.to_owned(), json!(0))))
        .collect();
        serde_json::from_value(json!({
            "case": number, "knobs": knobs, "seed": 2023, "slots": 24, "totals": totals,
            "self_sufficiency": null, "self_consumption": null, "market_slots": 12, "equilibrium_share": 0.75,
            "all_slots": open, "open_slots": open,
            "mechanism": "TwoLevelGame", "price_spread_cny_per_kwh": null, "time_to_end_s": null,
        }))
        .unwrap()
    }

    #[test]
    fn a_study_of_mu_tells_what_the_ledger_brings() {
        insta::assert_snapshot!(plain(&comparison(&[
            case(1, json!({"mu": 0.0}), 238.150047),
            case(2, json!({"mu": 1.0}), 313.125384),
        ])));
    }

    #[test]
    fn gains_of_storages_are_told_with_what_they_hold_where_they_did_anything() {
        let mut used = case(1, json!({}), 238.0);
        used.all_slots.p2g_storage_value_cny = 3.206;
        used.all_slots.devices_gain_with_storage_value_cny = 7.625;
        let text = plain(&comparison(&[used]));
        assert!(text.contains("devices") && text.contains("+7.625") && text.contains("storages hold"), "{text}");
        let text = plain(&comparison(&[case(1, json!({}), 238.0)]));
        assert!(!text.contains("devices") && !text.contains("storage"), "{text}");
    }

    #[test]
    fn a_gain_without_trades_is_said_to_be_one_of_trust() {
        let traded = |kwh: f64| {
            let mut of = case(1, json!({}), 238.0);
            (of.totals.traded_kwh, of.all_slots.market_gain_cny) = (kwh, 19.7);
            plain(&comparison(&[of])).contains("trust in local energy")
        };
        assert!(traded(0.0) && !traded(1.0));
    }

    #[test]
    fn replicates_differ_by_their_seeds_unless_the_seed_is_a_knob() {
        let seeds = |knobs: [serde_json::Value; 2]| {
            let [mut one, mut other] = knobs.map(|knobs| case(1, knobs, 1.0));
            (one.seed, other.seed, other.case) = (7, 8, 2);
            one.open_slots.slots = 1;
            plain(&comparison(&[one, other]))
        };
        insta::assert_snapshot!(seeds([json!({"mu": 1.0}), json!({"mu": 1.0})]));
        let varied = seeds([json!({"seed": 7}), json!({"seed": 8})]);
        assert_eq!(varied.matches("seed").count(), 2, "once a table");
    }

    #[test]
    fn other_studies_compare_with_their_first_case() {
        insta::assert_snapshot!(plain(&comparison(&[
            case(1, json!({"mu": 1.0, "delay": "0s"}), 313.125384),
            case(2, json!({"mu": 1.0, "delay": "2s"}), 300.0),
        ])));
    }

    /// Summaries of two combinations with these replicates, of a slot with a market each.
    fn summaries(replicates: u32) -> Vec<Summary> {
        let rows = (1..=2 * replicates).map(|case| {
            let (outcome, gap, welfare) =
                if case <= replicates { ("Equilibrium", "0", 24.0) } else { ("GateClosure", "0.0123456", 22.5) };
            let welfare = (welfare + f64::from(case) / 10.0).to_string();
            let rounds = (case * 70).to_string();
            row_of::<SlotRow>(&[
                ("case", &case.to_string()),
                ("slot", "1"),
                ("sellers", "3"),
                ("buyers", "2"),
                ("admitted", "5"),
                ("outcome", outcome),
                ("rounds", &rounds),
                ("price_gap", gap),
                ("information_age_mean_s", "0.07"),
                ("welfare_cny", &welfare),
                ("oscillation_amplitude", gap),
                ("updates_per_actor", "70"),
            ])
        });
        summaries_of(rows, replicates)
    }

    #[test]
    fn combinations_read_like_this() {
        let knobs: Knobs = serde_json::from_value(json!({"delay": "1500ms", "replicator_step": 0.3})).unwrap();
        let text = plain(&lines(&summaries(3), |_| &knobs, 3)) + &rest(MOST_LINES + 4);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn without_replicates_there_is_no_interval() {
        let none = Knobs::new();
        let text = plain(&lines(&summaries(1), |_| &none, 1)) + &rest(2);
        insta::assert_snapshot!(text);
    }
}
