//! How the cases of a study compare with each other and with P2G.

use super::{
    table::{Column, table},
    text::{AMOUNT, bold, count, fixed, gain},
};
use crate::record::{KeyFigures, Knobs, knob_text};

/// A table over the open slots, one line a case; for a study of `mu`, also what the ledger brings, in a sentence.
pub(super) fn comparison(cases: &[KeyFigures]) -> String {
    let Some(first) = cases.first() else { return String::new() };
    let names: Vec<&String> = first.knobs.keys().collect();
    // Replicates differ in nothing else.
    let seeds = !first.knobs.contains_key("seed") && cases.iter().any(|case| case.seed != first.seed);
    let mut columns = vec![Column::new("case").key()];
    columns.extend(names.iter().map(|name| Column::new(name.as_str()).key()));
    columns.extend(seeds.then(|| Column::new("seed").key()));
    columns.extend([
        Column::new("welfare"),
        Column::new("over\ncase 1").spare(1),
        Column::new("P2G\nwelfare").spare(0),
        Column::new("over\nP2G"),
        Column::new("in\nequilibrium"),
    ]);
    let line = |case: &KeyFigures| {
        let open = &case.open_slots;
        let mut cells = vec![case.case.to_string()];
        cells.extend(names.iter().map(|name| case.knobs.get(*name).map_or_else(String::new, knob_text)));
        cells.extend(seeds.then(|| case.seed.to_string()));
        cells.extend([
            fixed(open.welfare_cny, AMOUNT),
            gain(open.welfare_cny, first.open_slots.welfare_cny),
            fixed(open.p2g_welfare_cny, AMOUNT),
            gain(open.welfare_cny, open.p2g_welfare_cny),
            case.equilibrium_share.map_or_else(|| "-".to_owned(), |share| format!("{} %", fixed(100.0 * share, 1))),
        ]);
        cells
    };
    let title = format!("welfare over the {} [CNY]", count(first.open_slots.slots as usize, "open slot"));
    let mut text = format!("{}\n\n{}", bold(&title), table(columns, cases.iter().map(line)));
    if let Some(sentence) = ledger_gain(cases) {
        text += &format!("\n{sentence}\n");
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::plain;
    use serde_json::json;

    fn case(number: u32, knobs: serde_json::Value, welfare: f64) -> KeyFigures {
        let open = json!({
            "slots": 13, "buyers_welfare_cny": 0.0, "sellers_welfare_cny": 0.0, "welfare_cny": welfare,
            "p2g_buyers_welfare_cny": 0.0, "p2g_sellers_welfare_cny": 0.0, "p2g_welfare_cny": 209.647465,
            "welfare_gain_cny": 0.0, "welfare_gain_percent": null,
            "net_cost_cny": 0.0, "p2g_net_cost_cny": 0.0, "savings_cny": 0.0,
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
        ]
        .into_iter()
        .map(|name| (name.to_owned(), json!(0.0)))
        .chain([("messages".to_owned(), json!(0))])
        .collect();
        serde_json::from_value(json!({
            "case": number, "knobs": knobs, "seed": 2023, "slots": 24, "totals": totals,
            "self_sufficiency": null, "self_consumption": null, "market_slots": 12, "equilibrium_share": 0.75,
            "all_slots": open, "open_slots": open,
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
    fn replicates_differ_by_their_seeds_unless_the_seed_is_a_knob() {
        let seeds = |knobs: [serde_json::Value; 2]| {
            let [mut one, mut other] = knobs.map(|knobs| case(1, knobs, 1.0));
            (one.seed, other.seed, other.case) = (7, 8, 2);
            one.open_slots.slots = 1;
            plain(&comparison(&[one, other]))
        };
        insta::assert_snapshot!(seeds([json!({"mu": 1.0}), json!({"mu": 1.0})]));
        let varied = seeds([json!({"seed": 7}), json!({"seed": 8})]);
        assert_eq!(varied.matches("seed").count(), 1);
    }

    #[test]
    fn other_studies_compare_with_their_first_case() {
        insta::assert_snapshot!(plain(&comparison(&[
            case(1, json!({"mu": 1.0, "delay": "0s"}), 313.125384),
            case(2, json!({"mu": 1.0, "delay": "2s"}), 300.0),
        ])));
    }
}
