//! How the cases of a study compare with each other and with P2G.

use super::{
    table::{Column, table},
    text::{AMOUNT, amounts, bold, count, fixed, gain, ranges, signed, wrapped},
};
use crate::record::{KeyFigures, Knobs, Number, knob_text};

/// Tables, one line a case: welfare beside P2G over the open slots and, over all slots, what the gains consist of; for a
/// study of `mu`, also what the ledger brings, in a sentence.
pub(super) fn comparison(cases: &[KeyFigures]) -> String {
    let Some(first) = cases.first() else { return String::new() };
    let (mut columns, names) = which(cases);
    columns.extend([
        Column::new("welfare"),
        Column::new("over\ncase 1").spare(1),
        Column::new("P2G\nwelfare").spare(0),
        Column::new("over\nP2G"),
        Column::new("in\nequilibrium"),
    ]);
    let line = |case: &KeyFigures| {
        let open = &case.open_slots;
        let mut cells = names(case);
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
    text + "\n" + &gains(cases)
}

/// The columns that tell the cases apart, and what stands there.
fn which(cases: &[KeyFigures]) -> (Vec<Column>, impl Fn(&KeyFigures) -> Vec<String>) {
    let first = &cases[0];
    let names: Vec<String> = first.knobs.keys().cloned().collect();
    // Replicates differ in nothing else.
    let seeds = !first.knobs.contains_key("seed") && cases.iter().any(|case| case.seed != first.seed);
    let columns = ["case"].into_iter().chain(names.iter().map(String::as_str)).chain(seeds.then_some("seed"));
    let columns = columns.map(|name| Column::new(name).key()).collect();
    let cells = move |case: &KeyFigures| {
        let mut cells = vec![case.case.to_string()];
        cells.extend(names.iter().map(|name| case.knobs.get(name).map_or_else(String::new, knob_text)));
        cells.extend(seeds.then(|| case.seed.to_string()));
        cells
    };
    (columns, cells)
}

/// What the gains over P2G consist of, beside what was consumed, over all slots and with the value of what storages hold;
/// what storages bring is shown where they did anything.
fn gains(cases: &[KeyFigures]) -> String {
    let storages = cases.iter().any(KeyFigures::used_storages);
    let (mut columns, names) = which(cases);
    columns.extend(["load\n[kWh]", "consumed\n[kWh]"].map(Column::new));
    columns.extend(storages.then(|| Column::new("devices\n[CNY]")));
    columns.extend(["market\n[CNY]", "savings\n[CNY]", "worse\noff"].map(Column::new));
    let energy =
        amounts(cases.iter().flat_map(|case| [case.totals.load_kwh, case.totals.consumption_kwh].map(Number::new)));
    let line = |case: &KeyFigures| {
        let (all, totals) = (&case.all_slots, &case.totals);
        let mut cells = names(case);
        cells.extend([totals.load_kwh, totals.consumption_kwh].map(|kwh| fixed(kwh, energy)));
        cells.extend(storages.then(|| signed(all.devices_gain_with_storage_value_cny, AMOUNT)));
        let gains = [all.market_gain_with_storage_value_cny, all.savings_with_storage_value_cny];
        cells.extend(gains.map(|amount| signed(amount, AMOUNT)));
        cells.push(all.worse_off_prosumers.to_string());
        cells
    };
    let mut notes = if storages {
        "devices, market: gains in welfare over P2G; savings: in bills\n\
         worse off: prosumers; all with the value of what storages hold at the end\n"
            .to_owned()
    } else {
        "market: gain in welfare over P2G; savings: in bills; worse off: prosumers\n".to_owned()
    };
    let by_trust = |case: &&KeyFigures| case.totals.traded_kwh == 0.0 && case.all_slots.market_gain_cny != 0.0;
    let untraded: Vec<u32> = cases.iter().filter(by_trust).map(|case| case.case).collect();
    if !untraded.is_empty() {
        notes += &wrapped(&format!(
            "without any trade ({} {}), the market's gain is what trust in local energy adds to own consumption\n",
            if untraded.len() == 1 { "case" } else { "cases" },
            ranges(untraded).join(", ")
        ));
    }
    let title = format!("what the gains consist of, over {}", count(cases[0].all_slots.slots as usize, "slot"));
    format!("{}\n\n{}\n{notes}", bold(&title), table(columns, cases.iter().map(line)))
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
}
