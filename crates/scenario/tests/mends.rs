//! What a message offers to write is read, and means what was meant; or nothing is offered.

use microgrid_scenario::{Draft, Overrides, Plan, schema::Scenario};

/// What is wrong, in the place of `@`, and what was meant by it; `None` where nobody can tell.
type Mistake<'a> = (&'a str, &'a str, Option<&'a str>);

/// What a message offers to write in the place of a mistake.
fn offered(message: &str, mistake: &str) -> Vec<String> {
    // A sign that only looks like another is named, with that.
    let code = if message.contains(": write ") && !message.contains("note: write ") {
        None
    } else {
        message.split("U+").nth(1).and_then(|code| u32::from_str_radix(code.get(..4)?, 16).ok())
    };
    if let Some(sign) = code.and_then(char::from_u32) {
        let meant = message.split("write `").nth(1).and_then(|meant| meant.chars().next()).map(String::from);
        let meant = meant.or_else(|| message.contains("write a plain one").then(|| " ".to_owned()));
        let meant = meant.or_else(|| message.contains("take it out").then(String::new));
        if let Some(meant) = meant {
            return vec![mistake.replace(sign, &meant)];
        }
    }
    let notes = message.lines().filter_map(|line| line.trim_start().strip_prefix("= note: "));
    let offers = notes.flat_map(|note| match note.split_once(": write ") {
        Some((_, meant)) => meant.split(" or ").map(str::to_owned).collect::<Vec<_>>(),
        None if note.starts_with("did you mean ") => note.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        None => Vec::new(),
    });
    offers.collect()
}

/// What a message underlines of a text, from there to the text's end.
fn underlined(message: &str, text: &str) -> Option<String> {
    let lines: Vec<&str> = message.lines().collect();
    let at = lines.iter().position(|line| line.contains('^'))?;
    let column = lines[at].find('^')?;
    let length = lines[at].matches('^').count();
    let part: String = lines[at - 1].chars().skip(column).take(length).collect();
    text.contains(&part).then_some(part)
}

/// What is wrong with the offers of these mistakes, where `read` reads a text.
fn judge<T: PartialEq>(mistakes: &[Mistake<'_>], read: impl Fn(&str) -> Result<T, String>) -> (usize, Vec<String>) {
    let (mut tried, mut wrong) = (0, Vec::new());
    for (place, mistake, meant) in mistakes {
        let with = |value: &str| place.replace('@', value);
        let mut complain = |what: String| wrong.push(format!("{}: {what}", with(mistake)));
        let message = match read(&with(mistake)) {
            Ok(_) => {
                complain("is no mistake".to_owned());
                continue;
            }
            Err(message) => message,
        };
        let offers = offered(&message, mistake);
        let notes = message.lines().filter(|line| line.contains("= note")).collect::<Vec<_>>().join("\n");
        let full = message.clone();
        let message = format!("{}\n{notes}", message.lines().next().unwrap_or_default());
        tried += offers.len();
        // An offer is meant for what is underlined, or for all of what is wrong.
        let text = with(mistake);
        let span = underlined(&full, &text).filter(|_| !full.contains("U+"));
        let apply = |offer: &String| match span.as_ref().map(|span| read(&text.replacen(span, offer, 1))) {
            Some(Ok(done)) => Ok(done),
            _ => read(&with(offer)),
        };
        let scenarios: Vec<_> = offers.iter().map(apply).collect();
        for (offer, scenario) in offers.iter().zip(&scenarios) {
            if let Err(error) = scenario {
                complain(format!(
                    "offers {offer}, of which it says {}\ninstead of\n{message}",
                    error.lines().next().unwrap_or_default()
                ));
            }
        }
        match meant.map(|meant| read(&with(meant))) {
            None if !offers.is_empty() => complain(format!("offers {offers:?}\n{message}")),
            Some(Err(error)) => complain(format!("is nothing itself: {error}")),
            Some(Ok(meant)) if !scenarios.iter().flatten().any(|scenario| *scenario == meant) => {
                complain(format!("offers {offers:?}\n{message}"));
            }
            _ => {}
        }
    }
    (tried, wrong)
}

fn checked(what: (usize, Vec<String>), least: usize) {
    let (tried, wrong) = what;
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(tried >= least, "{tried} offers");
}

fn with(fields: &str) -> String {
    let population = if fields.contains("population:") { "" } else { "population: Synthetic(count: 5), " };
    let name = if fields.contains("name:") { "" } else { "name: \"x\", " };
    format!("({name}{population}\n    {fields},\n)")
}

fn plan(text: &str, set: &[&str]) -> Result<Plan, String> {
    let mut draft = Draft::ron(text).map_err(|error| error.to_string())?;
    draft.give("p.csv", "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n1,1,1,1,2,1.5\n");
    let set = set.iter().map(|&set| set.to_owned()).collect();
    draft.overrides(&Overrides { seed: None, set }).map_err(|error| error.to_string())?;
    draft.plan().map_err(|error| error.to_string())
}

/// The scenarios of all cases.
fn cases(plan: &Plan) -> Vec<Scenario> {
    plan.cases().map(|case| (*case.scenario).clone()).collect()
}

fn read(fields: &str) -> Result<Vec<Scenario>, String> {
    plan(&with(fields), &[]).map(|plan| cases(&plan))
}

fn set(argument: &str) -> Result<Vec<Scenario>, String> {
    let fields = "storage: (capacity_kwh: 10, power_kw: 5), network: (groups: {\"far\": Share(0.2)}, \
                  links: [(from: Ledger, to: Grid)], conditions: [(at: \"1h\", lasting: \"1min\", what: Crash(who: Grid))])";
    plan(&with(fields), &[argument]).map(|plan| cases(&plan))
}

/// Every field with numbers: where it stands, a value that it may have, and whether a percentage is one.
const NUMBERS: &[(&str, &str, bool)] = &[
    ("market: (feed_in_tariff: @)", "0.25", false),
    ("market: (grid_tariff: @)", "0.95", false),
    ("market: (grid_tariff: Constant(@))", "0.95", false),
    ("market: (service_fee: @)", "0.05", false),
    ("preferences: (alpha: @)", "0.45", false),
    ("preferences: (eta: @)", "0.25", true),
    ("preferences: (mu: @)", "0.25", true),
    ("storage: (capacity_kwh: @, power_kw: 5)", "7.5", false),
    ("storage: (capacity_kwh: 10, power_kw: @)", "7.5", false),
    ("storage: (capacity_kwh: 10, power_kw: 5, initial_kwh: @)", "0.5", false),
    ("storage: (capacity_kwh: 10, power_kw: 5, efficiency: @)", "0.75", true),
    ("storage: Some((capacity_kwh: 10, power_kw: 5, efficiency: @))", "0.75", true),
    ("learning: (replicator_step: Scaled(@))", "0.25", false),
    ("learning: (price_step: Fixed(@))", "0.25", false),
    ("learning: (ramp: @)", "0.25", true),
    ("learning: (exploration: @)", "0.25", true),
    ("learning: (tolerance: @)", "0.25", true),
    ("learning: (regrowth: @)", "1.5", true),
    ("learning: (behaviour: BestResponse(noise: @))", "0.25", false),
    ("learning: (mixing: Informed(first: @, halved_every: 10))", "0.25", true),
    ("learning: (mixing: Informed(first: 0.1, halved_every: @))", "2.5", false),
    ("learning: (mix: [(share: @)])", "0.25", true),
    ("learning: (mix: [(share: 0.5, exploration: @)])", "0.25", true),
    ("learning: (mix: [(share: 0.5, mixing: Informed(first: @, halved_every: 10))])", "0.25", true),
    ("network: (jitter: @)", "0.25", true),
    ("network: (loss: @)", "0.25", true),
    ("network: (duplication: @)", "0.25", true),
    ("network: (groups: {\"far\": Share(@)})", "0.25", true),
    ("network: (links: [(from: Ledger, to: Grid, loss: @)])", "0.25", true),
    ("network: (links: [(from: Ledger, to: Grid), (from: Grid, to: Ledger, jitter: @)])", "0.25", true),
    ("network: (conditions: [(at: \"1h\", what: Link(from: Ledger, to: Grid, loss: @))])", "0.25", true),
    ("network: (delay: LogNormal(min: \"1ms\", median: \"5ms\", sigma: @))", "0.25", false),
    ("activation: Independent(period: \"1s\", jitter: @)", "0.25", true),
    ("clock: Wall(speed: @)", "2.5", false),
    ("population: Synthetic(count: 5, pv_share: @)", "0.25", true),
    ("population: Synthetic(count: 5, workplace_share: @)", "0.25", true),
    ("population: Synthetic(count: 5, preference_per_kwh: @)", "0.25", false),
    ("population: Synthetic(count: 5, pv_peak_kw: @)", "5.5", false),
    ("population: Synthetic(count: 5, load_kw: Uniform(min: @, max: 5))", "2.5", false),
    ("population: Synthetic(count: 5, weather: Uniform(min: @, max: 1))", "0.25", true),
    ("population: Synthetic(count: 5, preference_base: LogNormal(median: @, sigma: 0.1))", "0.5", false),
];

/// Every way in which a number such as `0.25` is written elsewhere.
fn other_numbers(meant: &str) -> Vec<String> {
    let number: f64 = meant.parse().unwrap();
    vec![
        meant.replace('.', ","),
        format!("\"{meant}\""),
        format!("\"{}\"", meant.replace('.', ",")),
        format!("'{meant}'"),
        format!("\u{201c}{meant}\u{201d}"),
        format!("({meant})"),
        format!("[{meant}]"),
        format!("{{{meant}}}"),
        meant.replace("5", "\u{ff15}"),
        meant.replace('.', "\u{b7}"),
        format!("{meant}\u{a0}"),
        format!("\u{202d}{meant}\u{202c}"),
        if meant.contains('0') { meant.replace('0', "O") } else { format!("{meant}O") },
        format!("{}/100", number * 100.0),
        format!("{}*10^-2", number * 100.0),
        format!("{}d-2", number * 100.0),
    ]
}

#[test]
fn a_number_is_offered_as_it_was_meant() {
    let mut mistakes = Vec::new();
    for (place, meant, is_share) in NUMBERS {
        for other in other_numbers(meant) {
            mistakes.push(((*place).to_owned(), other, Some((*meant).to_owned())));
        }
        let number: f64 = meant.parse().unwrap();
        for percent in [format!("{}%", number * 100.0), format!("\"{} %\"", number * 100.0)] {
            mistakes.push(((*place).to_owned(), percent, is_share.then(|| (*meant).to_owned())));
        }
    }
    let mistakes: Vec<Mistake<'_>> = mistakes.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_deref())).collect();
    checked(judge(&mistakes, read), 500);
}

#[test]
fn a_number_loses_no_unit_but_its_own() {
    let mistakes: &[Mistake<'_>] = &[
        ("market: (service_fee: @)", "0.3 CNY", Some("0.3")),
        ("market: (service_fee: @)", "0.3CNY/kWh", Some("0.3")),
        ("market: (service_fee: @)", "¥0,3", Some("0.3")),
        ("market: (service_fee: @)", "\"0.3 CNY/kWh\"", Some("0.3")),
        ("market: (service_fee: @)", "0.3 €", None),
        ("market: (service_fee: @)", "$0.3", None),
        ("market: (service_fee: @)", "3 ct", None),
        ("market: (service_fee: @)", "3ct/kWh", None),
        ("market: (grid_tariff: @)", "0.95 CNY", Some("0.95")),
        ("market: (grid_tariff: @)", "95 EUR/MWh", None),
        ("preferences: (alpha: @)", "0.4 CNY", Some("0.4")),
        ("storage: (capacity_kwh: @, power_kw: 5)", "10kWh", Some("10")),
        ("storage: (capacity_kwh: @, power_kw: 5)", "10 KWH", Some("10")),
        ("storage: (capacity_kwh: @, power_kw: 5)", "10 kW", None),
        ("storage: (capacity_kwh: @, power_kw: 5)", "10000 Wh", None),
        ("storage: (capacity_kwh: @, power_kw: 5)", "1 MWh", None),
        ("storage: (capacity_kwh: 10, power_kw: @)", "5kW", Some("5")),
        ("storage: (capacity_kwh: 10, power_kw: @)", "5 kWh", None),
        ("storage: (capacity_kwh: 10, power_kw: @)", "500W", None),
        ("population: Synthetic(count: 5, pv_peak_kw: @)", "5 kWp", Some("5")),
        ("population: Synthetic(count: 5, load_kw: Uniform(min: 1, max: @))", "5 kW", Some("5")),
        ("population: Synthetic(count: 5, load_kw: Uniform(min: 1, max: @))", "5000 W", None),
        ("population: Synthetic(count: @)", "5 prosumers", Some("5")),
        ("population: Synthetic(count: @)", "5k", None),
        ("replicates: @", "3 runs", Some("3")),
        ("learning: (patience: @)", "3s", None),
        ("learning: (patience: @)", "4 updates", Some("4")),
        ("market: (slots: @, open: (1, 1))", "24h", None),
        ("clock: Wall(speed: @)", "60x", Some("60")),
        ("learning: (regrowth: @)", "2 times", Some("2")),
    ];
    checked(judge(mistakes, read), 10);
}

#[test]
fn a_whole_number_is_offered_as_it_was_meant() {
    let mistakes: &[Mistake<'_>] = &[
        ("seed: @", "1e3", Some("1000")),
        ("seed: @", "\"7\"", Some("7")),
        ("seed: @", "1,000", Some("1000")),
        ("seed: @", "1.000.000", Some("1000000")),
        ("seed: @", "1 000", Some("1000")),
        ("seed: @", "1'000", Some("1000")),
        ("seed: @", "7.0", Some("7")),
        ("seed: @", "[7]", Some("7")),
        ("seed: @", "(7)", Some("7")),
        ("seed: @", "{7}", Some("7")),
        ("seed: @", "2O23", Some("2023")),
        ("seed: @", "2o2З", None),
        ("seed: @", "seven", None),
        ("seed: @", "random", None),
        ("seed: @", "", None),
        ("learning: (patience: @)", "3,0", Some("3")),
        ("learning: (patience: @)", "l0", Some("10")),
        ("learning: (price_every: @)", "2.5", Some("3")),
        ("replicates: @", "(5)", Some("5")),
        ("replicates: @", "(5)", Some("[5]")),
        ("replicates: @", "(5, 6)", Some("[5, 6]")),
        ("replicates: @", "{5, 6}", Some("[5, 6]")),
        ("replicates: @", "\"5\"", Some("5")),
        ("replicates: @", "5.0", Some("5")),
        ("replicates: @", "1..3", Some("[1, 2, 3]")),
        ("replicates: @", "[1-3]", Some("[1, 2, 3]")),
        ("replicates: @", "[1 2 3]", Some("[1, 2, 3]")),
        ("replicates: @", "1, 2", None),
        ("market: (slots: 20, open: @)", "8-20", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "8..20", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "[8, 20]", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "{8, 20}", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "8, 20", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "8, 2O", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "(8, 2O)", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "(8; 20)", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "(8 20)", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "(8, 20, 1)", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "\"8 to 20\"", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "(first: 8, last: 20)", Some("(8, 20)")),
        ("market: (slots: 20, open: @)", "12", Some("(12, 12)")),
        ("market: (slots: 20, open: @)", "(12)", Some("(12, 12)")),
        ("market: (calendar: (start: \"2016-06-01\", days: 1), open: @)", "08:00-20:00", Some("\"08:00-20:00\"")),
        ("network: (groups: {\"far\": Prosumers(@)})", "1, 3", Some("[1, 3]")),
        ("network: (groups: {\"far\": Prosumers(@)})", "1", Some("[1]")),
        ("network: (groups: {\"far\": Prosumers(@)})", "[1-3]", Some("[1, 2, 3]")),
        ("network: (groups: {\"far\": Prosumers(@)})", "(1, 3)", Some("[1, 3]")),
        ("network: (groups: {\"far\": @})", "0.2", Some("Share(0.2)")),
        ("network: (groups: {\"far\": @})", "20%", None),
        ("network: (groups: {\"far\": @})", "[1, 2]", Some("Prosumers([1, 2])")),
        ("learning: (choice_set: @)", "3", Some("Sample(3)")),
        ("learning: (choice_set: @)", "Sample(k: 3)", Some("Sample(3)")),
        ("learning: (choice_set: @)", "Sample[3]", None),
    ];
    checked(judge(mistakes, read), 30);
}

/// Every field with a duration.
const DURATIONS: &[&str] = &[
    "market: (slot_length: @, gate_closure: \"1s\")",
    "market: (starts_at: @)",
    "market: (slot_length: \"10h\", gate_closure: @)",
    "activation: LockStep(period: @)",
    "activation: Independent(period: @, jitter: 0.1)",
    "activation: Reactive(min_interval: @)",
    "network: (delay: @)",
    "network: (delay: Constant(@))",
    "network: (delay: Uniform(min: @, max: \"20h\"))",
    "network: (links: [(from: Ledger, to: Grid, delay: @)])",
    "network: (conditions: [(at: @, lasting: \"1min\", what: Crash(who: Ledger))])",
    "network: (conditions: [(at: \"1h\", lasting: @, what: Crash(who: Ledger))])",
    "network: (conditions: [(at: \"1h\", lasting: \"1ms\", every: @, what: Crash(who: Ledger))])",
    "ledger: (block: (timeout: @))",
];

#[test]
fn a_duration_is_offered_as_it_was_meant() {
    let written: &[(&str, Option<&str>)] = &[
        ("90min", Some("\"90min\"")),
        ("90 min", Some("\"90min\"")),
        ("'90min'", Some("\"90min\"")),
        ("\u{201c}90min\u{201d}", Some("\"90min\"")),
        ("\"90 MIN\"", Some("\"90min\"")),
        ("\"1,5h\"", Some("\"90min\"")),
        ("1,5h", Some("\"90min\"")),
        ("1:30", Some("\"90min\"")),
        ("\"01:30:00\"", Some("\"90min\"")),
        ("PT1H30M", Some("\"90min\"")),
        ("\"\u{200e}90min\"", Some("\"90min\"")),
        ("9Omin", Some("\"90min\"")),
        ("\"9O min\"", Some("\"90min\"")),
        ("(\"90min\")", Some("\"90min\"")),
        ("[\"90min\"]", Some("\"90min\"")),
        ("5400", Some("\"5400s\"")),
        ("5400.0", Some("\"5400s\"")),
        ("\"5400\"", Some("\"5400s\"")),
        ("-90min", Some("\"90min\"")),
        ("\"soon\"", None),
        ("\"50%\"", None),
        ("True", None),
    ];
    let mistakes: Vec<Mistake<'_>> =
        DURATIONS.iter().flat_map(|place| written.iter().map(move |(wrong, meant)| (*place, *wrong, *meant))).collect();
    checked(judge(&mistakes, read), 200);
    let short: &[Mistake<'_>] = &[
        ("network: (delay: @)", "10μs", Some("\"10us\"")),
        ("network: (delay: @)", "\"10μs\"", Some("\"10us\"")),
        ("network: (delay: @)", "10 μs", Some("\"10us\"")),
        ("network: (delay: @)", "10µs", Some("\"10us\"")),
        ("network: (delay: @)", "0.5", Some("\"500ms\"")),
        ("network: (delay: @)", "1O ms", Some("\"10ms\"")),
        ("network: (delay: @)", "\"1Oms\"", Some("\"10ms\"")),
        ("network: (delay: @)", "Constant(10ms)", Some("Constant(\"10ms\")")),
        ("network: (delay: @)", "Constant(value: \"10ms\")", Some("Constant(\"10ms\")")),
        ("network: (delay: @)", "{\"Constant\": \"10ms\"}", None),
        ("network: (delay: Uniform(@))", "\"1ms\", \"1s\"", None),
    ];
    checked(judge(short, read), 8);
}

#[test]
fn names_and_brackets_are_offered_as_they_were_meant() {
    let mistakes: &[Mistake<'_>] = &[
        ("preferences: (demand: @)", "\"Firm\"", Some("Firm")),
        ("preferences: (demand: @)", "'Firm'", Some("Firm")),
        ("preferences: (demand: @)", "firm", Some("Firm")),
        ("preferences: (demand: @)", "FIRM", Some("Firm")),
        ("preferences: (demand: @)", "Demand::Firm", None),
        ("preferences: (demand: @)", "Firm()", Some("Firm")),
        ("preferences: (demand: @)", "Some(Firm)", Some("Firm")),
        ("preferences: (demand: @)", "(Firm)", Some("Firm")),
        ("preferences: (demand: @)", "Frim", Some("Firm")),
        ("record: @", "slots", Some("Slots")),
        ("record: @", "\"summary\"", Some("Summary")),
        ("record: @", "true", None),
        ("learning: (fitness: @)", "null", Some("None")),
        ("learning: (fitness: @)", "none", Some("None")),
        ("learning: (fitness: @)", "private", Some("Private")),
        ("learning: (behaviour: @)", "imitation", Some("Imitation")),
        ("learning: (behaviour: @)", "BestResponse(0.1)", Some("BestResponse(noise: 0.1)")),
        ("learning: (behaviour: @)", "BestResponse{noise: 0.1}", Some("BestResponse(noise: 0.1)")),
        ("learning: (behaviour: @)", "BestResponse", None),
        ("learning: (mixing: @)", "Informed(0.1, 10)", None),
        ("learning: (mixing: @)", "Some(..)", None),
        ("learning: (mixing: @)", "Some(None)", Some("None")),
        ("learning: (mixing: @)", "Informed", None),
        (
            "learning: (mixing: @)",
            "Some(Informed(first: 0.1, halved_every: 10))",
            Some("Informed(first: 0.1, halved_every: 10)"),
        ),
        ("learning: (mixing: @)", "Some(Foo(first: 0.1, halved_every: 10))", None),
        ("learning: (mixing: @)", "(first: 0.1, halved_every: 10)", Some("Informed(first: 0.1, halved_every: 10)")),
        ("learning: (mix: [(share: 0.5, mixing: @)])", "Some(Foo(first: 0.1, halved_every: 10))", None),
        ("learning: (adaptation: @)", "delay_aware", Some("DelayAware")),
        ("learning: (adaptation: @)", "DelayAwre", Some("DelayAware")),
        ("learning: (adaptation: @)", "Some(DelayAware)", Some("DelayAware")),
        ("learning: (initial_price: @)", "0.5", None),
        ("learning: (initial_price: @)", "random", Some("Random")),
        ("learning: (price_step: @)", "0.25", Some("Scaled(0.25)")),
        ("learning: (mix: @)", "(share: 0.5)", Some("[(share: 0.5)]")),
        ("learning: (mix: @)", "[share: 0.5]", Some("[(share: 0.5)]")),
        ("learning: (mix: @)", "[{share: 0.5}]", Some("[(share: 0.5)]")),
        ("learning: (mix: @)", "[{\"share\": 0.5}]", Some("[(share: 0.5)]")),
        ("storage: @", "{capacity_kwh: 10, power_kw: 5}", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("storage: @", "{\"capacity_kwh\": 10, \"power_kw\": 5}", None),
        ("storage: @", "[capacity_kwh: 10, power_kw: 5]", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("storage: @", "(capacity_kwh = 10, power_kw: 5)", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("storage: @", "some(capacity_kwh: 10, power_kw: 5)", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("storage: @", "null", Some("None")),
        ("storage: @", "nil", Some("None")),
        ("storage: @", "none", Some("None")),
        ("storage: @", "False", Some("None")),
        ("storage: @", "no", Some("None")),
        ("storage: @", "10", None),
        ("storage: @", "true", None),
        ("storage: @", "(capacity: 10, power_kw: 5)", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("@", "storage: Foo(capacity_kwh: 10, power_kw: 5)", Some("storage: (capacity_kwh: 10, power_kw: 5)")),
        ("storage: @(capacity_kwh: 10, power_kw: 5)", "Foo", Some("Storage")),
        ("storage: Some(@(capacity_kwh: 10, power_kw: 5))", "Foo", Some("Storage")),
        ("population: Synthetic(@(count: 5))", "Foo", Some("Synthetic")),
        ("learning: (mix: [(share: 0.2), @(share: 0.5)])", "Foo", Some("Habit")),
        ("market: @(slots: 24)", "Foo", Some("Market")),
        ("network: (links: [@(from: Ledger, to: Grid)])", "Foo", Some("Link")),
        ("network: (conditions: [(at: \"1h\", what: Link(@(from: Ledger, to: Grid)))])", "Foo", Some("Link")),
        ("clock: @", "Wall(60)", Some("Wall(speed: 60)")),
        ("clock: @", "60", Some("Wall(speed: 60)")),
        ("clock: @", "virtual", Some("Virtual")),
        ("population: @", "5", Some("Synthetic(count: 5)")),
        ("population: @", "(count: 5)", Some("Synthetic(count: 5)")),
        ("population: @", "Synthetic(5)", Some("Synthetic(count: 5)")),
        ("population: @", "{count: 5}", Some("Synthetic(count: 5)")),
        ("population: @, market: (slots: 1, open: (1, 1))", "\"p.csv\"", Some("Profiles(\"p.csv\")")),
        ("population: @, market: (slots: 1, open: (1, 1))", "p.csv", Some("Profiles(\"p.csv\")")),
        ("population: @, market: (slots: 1, open: (1, 1))", "Profiles(p.csv)", Some("Profiles(\"p.csv\")")),
        ("population: @, market: (slots: 1, open: (1, 1))", "Profiles('p.csv')", Some("Profiles(\"p.csv\")")),
        ("population: @, market: (slots: 1, open: (1, 1))", "Profiles(file: \"p.csv\")", Some("Profiles(\"p.csv\")")),
        ("population: @, market: (slots: 1, open: (1, 1))", "Profiles[\"p.csv\"]", None),
        ("name: @", "day", Some("\"day\"")),
        ("name: @", "'day'", Some("\"day\"")),
        ("name: @", "\u{201c}day\u{201d}", Some("\"day\"")),
        ("name: @", "`day`", Some("\"day\"")),
        ("name: @", "2023", Some("\"2023\"")),
        ("report: @", "17", Some("(slot: 17)")),
        ("report: (slot: @)", "17.0", Some("17")),
        ("report: (slot: @)", "some(17)", Some("17")),
        ("report: (slot: @)", "null", Some("None")),
        ("network: (links: [(from: Ledger, to: Grid, one_way: @)])", "True", Some("true")),
        ("network: (links: [(from: Ledger, to: Grid, one_way: @)])", "yes", Some("true")),
        ("network: (links: [(from: Ledger, to: Grid, one_way: @)])", "0", Some("false")),
        ("network: (links: [(from: Ledger, to: Grid, one_way: @)])", "\"true\"", Some("true")),
        ("network: (links: [(from: Ledger, to: @)])", "grid", Some("Grid")),
        ("network: (links: [(from: Ledger, to: @)]), ledger: (peers: 3)", "3", Some("Prosumer(3)")),
        ("network: (links: [(from: Ledger, to: @)])", "\"Grid\"", Some("Grid")),
        ("network: (links: @)", "(from: Ledger, to: Grid)", Some("[(from: Ledger, to: Grid)]")),
        ("network: (links: @)", "[from: Ledger, to: Grid]", Some("[(from: Ledger, to: Grid)]")),
        ("@", "preferences.mu: 0.5", Some("preferences: (mu: 0.5)")),
        ("@", "market.open: (8, 19)", Some("market: (open: (8, 19))")),
        ("@", "\"seed\": 7", Some("seed: 7")),
        ("@", "Seed: 7", Some("seed: 7")),
        ("@", "seed = 7", Some("seed: 7")),
        ("@", "preferences: Preferences{mu: 0.5}", Some("preferences: (mu: 0.5)")),
    ];
    checked(judge(mistakes, read), 60);
}

#[test]
fn what_is_set_is_offered_as_it_was_meant() {
    let mistakes: &[Mistake<'_>] = &[
        ("delay=@", "0.5", Some("500ms")),
        ("delay=@", "10", Some("10ms")),
        ("delay=@", "10μs", Some("10us")),
        ("delay=@", "\"10μs\"", Some("10us")),
        ("delay=@", "1O ms", Some("10ms")),
        ("delay=@", "0,5", None),
        ("delay=@", "10 MS", Some("10ms")),
        ("delay=@", "soon", None),
        ("delay=@", "50%", None),
        ("delay=@", "Constant(10ms)", Some("10ms")),
        ("delay=@", "Uniform(min: 1ms, max: \"1s\")", Some("Uniform(min: \"1ms\", max: \"1s\")")),
        ("delay=@", "Uniform(1ms, 1s)", None),
        ("delay=@", "uniform(min: \"1ms\", max: \"1s\")", Some("Uniform(min: \"1ms\", max: \"1s\")")),
        ("period=@", "5", Some("5s")),
        ("period=@", "1:30", Some("90min")),
        ("period=@", "-5s", Some("5s")),
        ("lasting=@", "60", Some("60s")),
        ("network.conditions[0].at=@", "7200", Some("2h")),
        ("network.conditions[0].at=@", "02:00", Some("2h")),
        ("network.conditions[0].what=@", "Crash(Grid)", None),
        ("network.conditions[0].what=@", "Crash(who: grid)", Some("Crash(who: Grid)")),
        ("network.conditions[0].what=@", "Link(Foo(from: Ledger, to: Grid))", Some("Link(from: Ledger, to: Grid)")),
        ("network.conditions[0].what=@", "Flood(who: Grid)", None),
        ("mu=@", "0,5", Some("0.5")),
        ("mu=@", "50%", Some("0.5")),
        ("mu=@", "50 %", Some("0.5")),
        ("mu=@", "\"0.5\"", Some("0.5")),
        ("mu=@", "1/2", Some("0.5")),
        ("mu=@", "O.5", Some("0.5")),
        ("mu=@", "(0.5)", Some("0.5")),
        ("mu=@", "[0, 0.5]", Some("0, 0.5")),
        ("mu=@", "0;0.5", Some("0, 0.5")),
        ("mu=@", "0 0.5", Some("0, 0.5")),
        ("mu=@", "half", None),
        ("mu=@", "", None),
        ("mu=@", "=0.5", Some("0.5")),
        ("loss=@", "5%", Some("0.05")),
        ("loss=@", "5\u{a0}%", Some("0.05")),
        ("market.service_fee=@", "5%", None),
        ("market.service_fee=@", "0.3 CNY", Some("0.3")),
        ("market.service_fee=@", "0.3CNY/kWh", Some("0.3")),
        ("market.service_fee=@", "0.3 €", None),
        ("market.service_fee=@", "cheap", None),
        ("market.grid_tariff=@", "0,95", Some("0.95")),
        ("market.grid_tariff=@", "95%", None),
        ("storage.initial_kwh=@", "50%", None),
        ("storage.initial_kwh=@", "5kWh", Some("5")),
        ("storage.initial_kwh=@", "5 kW", None),
        ("storage=@", "(capacity_kwh: 10, power_kw: 5, initial_kwh: 50%)", None),
        (
            "storage=@",
            "(capacity_kwh: 10, power_kw: 5, efficiency: 90%)",
            Some("(capacity_kwh: 10, power_kw: 5, efficiency: 0.9)"),
        ),
        ("storage=@", "(capacity_kwh: 10kWh, power_kw: 5)", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("storage=@", "{capacity_kwh: 10, power_kw: 5}", Some("(capacity_kwh: 10, power_kw: 5)")),
        ("storage=@", "Foo(capacity_kwh: 10, power_kw: 6)", Some("(capacity_kwh: 10, power_kw: 6)")),
        ("storage=@", "Some(Foo(capacity_kwh: 10, power_kw: 6))", Some("(capacity_kwh: 10, power_kw: 6)")),
        ("storage=@", "some(capacity_kwh: 10, power_kw: 6)", Some("(capacity_kwh: 10, power_kw: 6)")),
        ("storage=@", "null", Some("None")),
        ("storage=@", "off", Some("None")),
        ("storage=@", "10", None),
        ("population=@", "5O", Some("50")),
        ("population=@", "1e2", Some("100")),
        ("population=@", "5 prosumers", Some("5")),
        ("population=@", "(count: 6)", None),
        ("population=@", "Synthetic(6)", Some("Synthetic(count: 6)")),
        ("population=@", "synthetic(count: 6)", Some("Synthetic(count: 6)")),
        ("population.count=@", "6.0", Some("6")),
        ("market.open=@", "8,19", Some("(8, 19)")),
        ("market.open=@", "8, 2O", Some("(8, 20)")),
        ("market.open=@", "8-19", Some("(8, 19)")),
        ("market.open=@", "8..19", Some("(8, 19)")),
        ("market.open=@", "[8, 19]", Some("(8, 19)")),
        ("market.open=@", "12", Some("(12, 12)")),
        ("replicates=@", "(5)", Some("5")),
        ("replicates=@", "1,2", Some("[1, 2]")),
        ("replicates=@", "1-3", Some("[1, 2, 3]")),
        ("replicates=@", "\"5\"", Some("5")),
        ("seed=@", "1-3", Some("1, 2, 3")),
        ("seed=@", "7.0", Some("7")),
        ("preferences.demand=@", "firm", Some("Firm")),
        ("preferences.demand=@", "\"Firm\"", Some("Firm")),
        ("preferences.demand=@", "'Firm'", Some("Firm")),
        ("preferences.demand=@", "Demand::Firm", Some("Firm")),
        ("adaptation=@", "DelayAwre", Some("DelayAware")),
        ("adaptation=@", "delayaware", Some("DelayAware")),
        ("adaptation=@", "null", Some("None")),
        ("mixing=@", "Some(..)", None),
        ("mixing=@", "Informed", None),
        ("mixing=@", "Informed(0.1, 10)", None),
        ("mixing=@", "Some(Informed(first: 0.1, halved_every: 10))", Some("Informed(first: 0.1, halved_every: 10)")),
        ("mixing=@", "Some(Foo(first: 0.1, halved_every: 10))", None),
        ("mixing=@", "Informed(first: 10%, halved_every: 10)", Some("Informed(first: 0.1, halved_every: 10)")),
        ("mixing=@", "Informed{first: 0.1, halved_every: 10}", Some("Informed(first: 0.1, halved_every: 10)")),
        ("behaviour=@", "BestResponse(0.1)", Some("BestResponse(noise: 0.1)")),
        ("behaviour=@", "BestResponse", None),
        ("behaviour=@", "imitation", Some("Imitation")),
        ("choice_set=@", "3", Some("Sample(3)")),
        ("choice_set=@", "Sample[3]", None),
        ("price_step=@", "fixed(0.1)", Some("Fixed(0.1)")),
        ("activation=@", "poisson", None),
        ("activation=@", "Poisson(1s)", None),
        ("activation=@", "Poisson(period: 1s)", Some("Poisson(period: \"1s\")")),
        ("activation=@", "Poisson(period=\"1s\")", Some("Poisson(period: \"1s\")")),
        ("activation=@", "Activation::Poisson(period: \"1s\")", Some("Poisson(period: \"1s\")")),
        ("mechanism=@", "Negotiation", Some("Negotiation()")),
        ("mechanism=@", "uniformpriceauction", Some("UniformPriceAuction()")),
        ("mechanism=@", "Negotiation(2)", Some("Negotiation(rho: 2)")),
        ("mechanism=@", "Negotiation(rho: 1 kWh)", None),
        ("mechanism=@", "TwoLevelGame(rho: 1)", None),
        ("mechanism=@", "MidMarketRate; Negotiation()", Some("MidMarketRate, Negotiation()")),
        ("mechanism=@", "[MidMarketRate, Negotiation(rho: 2)]", Some("MidMarketRate, Negotiation(rho: 2)")),
        ("bidding=@", "Truthful(steps: 5 kWh)", None),
        ("bidding=@", "Truthful(5)", Some("Truthful(steps: 5)")),
        ("group_share=@", "30%", Some("0.3")),
        ("network.links[0].loss=@", "5%", Some("0.05")),
        ("network.links[0].to=@", "grid", Some("Grid")),
        ("network.links[0].one_way=@", "True", Some("true")),
        ("network.links=@", "(from: Ledger, to: Grid)", Some("[(from: Ledger, to: Grid)]")),
        ("network.links=@", "[(from: Ledger, to: Grid, loss: 5%)]", Some("[(from: Ledger, to: Grid, loss: 0.05)]")),
        ("learning.mix=@", "[{share: 0.5}]", Some("[(share: 0.5)]")),
        ("learning.mix=@", "[Foo(share: 0.5)]", Some("[(share: 0.5)]")),
        ("report.slot=@", "17.0", Some("17")),
        ("clock=@", "Wall(60)", Some("Wall(speed: 60)")),
        ("clock=@", "Wall", None),
        ("record=@", "slots", Some("Slots")),
        ("name=@", "\u{201c}day\u{201d}", None),
        ("@=0.5", "Mu", Some("mu")),
        ("@=0.5", "service_fee", Some("market.service_fee")),
        ("@=0.5", "market:service_fee", Some("market.service_fee")),
        ("@=0.5", "market..service_fee", Some("market.service_fee")),
        ("@=0.5", "market.servic_fee", Some("market.service_fee")),
        ("@=0.5", "price_step.Scaled", Some("learning.price_step.Scaled")),
        ("@=0.5", "mu.Scaled", None),
        ("@=0.5", "m\u{200b}u", Some("mu")),
        ("@=0.5", "\u{202e}mu", Some("mu")),
    ];
    checked(judge(mistakes, set), 60);
}

#[test]
fn what_is_varied_is_offered_as_it_was_meant() {
    let mistakes: &[Mistake<'_>] = &[
        ("vary: {\"mu\": [0, @]}", "50%", Some("0.5")),
        ("vary: {\"mu\": [0, @]}", "\"50%\"", Some("0.5")),
        ("vary: {\"mu\": [@]}", "0,5", Some("0.5")),
        ("vary: {\"mu\": [1, @]}", "O.5", Some("0.5")),
        ("vary: {\"mu\": [1, @]}", "1/2", Some("0.5")),
        ("vary: {\"mu\": @}", "0.5", Some("[0.5]")),
        ("vary: {\"mu\": @}", "(0, 0.5)", Some("[0, 0.5]")),
        ("vary: {\"mu\": @}", "0, 0.5", Some("[0, 0.5]")),
        ("vary: {\"mu\": @}", "\"0, 0.5\"", Some("[0, 0.5]")),
        ("vary: {\"mu\": [@]}", "0 0.5", None),
        ("vary: {\"mu\": [@]}", "0; 0.5", Some("0, 0.5")),
        ("vary: @", "{mu: [0, 0.5]}", Some("{\"mu\": [0, 0.5]}")),
        ("vary: @", "(mu: [0, 0.5])", Some("{\"mu\": [0, 0.5]}")),
        ("vary: @", "{'mu': [0, 0.5]}", Some("{\"mu\": [0, 0.5]}")),
        ("vary: @", "{\u{201c}mu\u{201d}: [0, 0.5]}", Some("{\"mu\": [0, 0.5]}")),
        ("vary: {\"market.service_fee\": [0, @]}", "10%", None),
        ("vary: {\"market.service_fee\": [0, @]}", "\"10%\"", None),
        ("vary: {\"market.service_fee\": [0, @]}", "0.1 CNY", Some("0.1")),
        ("vary: {\"market.service_fee\": [0, @]}", "0.1CNY", Some("0.1")),
        ("vary: {\"market.service_fee\": [0, @]}", "0.1 €", None),
        ("vary: {\"delay\": [\"1s\", @]}", "10ms", Some("\"10ms\"")),
        ("vary: {\"delay\": [\"1s\", @]}", "10μs", Some("\"10us\"")),
        ("vary: {\"delay\": [\"1s\", @]}", "10", Some("\"10ms\"")),
        ("vary: {\"delay\": [\"1s\", @]}", "\"10\"", Some("\"10ms\"")),
        ("vary: {\"@\": [Firm]}", "demand", Some("preferences.demand")),
        ("vary: {\"preferences.demand\": [@]}", "firm", Some("Firm")),
        ("vary: {\"adaptation\": [None, @]}", "DelayAwre", Some("DelayAware")),
        ("vary: {\"adaptation\": [@]}", "Null", Some("None")),
        ("vary: {\"activation\": [@]}", "Poisson(period: 1s)", Some("Poisson(period: \"1s\")")),
        (
            "vary: {\"storage\": [None, @]}",
            "Foo(capacity_kwh: 10, power_kw: 5)",
            Some("(capacity_kwh: 10, power_kw: 5)"),
        ),
        (
            "vary: {\"storage\": [None, @]}",
            "Some(Foo(capacity_kwh: 10, power_kw: 5))",
            Some("(capacity_kwh: 10, power_kw: 5)"),
        ),
        ("vary: {\"storage\": [None, @]}", "(capacity_kwh: 10, power_kw: 5, initial_kwh: 50%)", None),
        ("vary: {@: [0.5]}", "mu", Some("\"mu\"")),
        ("vary: {\"@\": [0.5]}", "Mu", Some("mu")),
        ("vary: {\"@\": [0.5]}", "service_fee", Some("market.service_fee")),
        ("vary: {\"@\": [0.5]}", "market..service_fee", Some("market.service_fee")),
    ];
    checked(judge(mistakes, read), 20);
    let set_several: &[Mistake<'_>] = &[
        ("mu=0,@", "50%", Some("0.5")),
        ("mu=0,@", "O.5", Some("0.5")),
        ("delay=1s,@", "10", Some("10ms")),
        ("delay=1s,@", "10μs", Some("10us")),
        ("market.service_fee=0,@", "10%", None),
        ("adaptation=None,@", "DelayAwre", Some("DelayAware")),
        ("storage=None,@", "Foo(capacity_kwh: 10, power_kw: 6)", Some("(capacity_kwh: 10, power_kw: 6)")),
    ];
    checked(judge(set_several, set), 4);
}

#[test]
fn a_cell_is_offered_as_it_was_meant() {
    let cell = |row: &str| {
        let mut draft =
            Draft::ron("(name: \"x\", population: Profiles(\"p.csv\"), market: (slots: 1, open: (1, 1)))").unwrap();
        draft.give("p.csv", &format!("prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n{row}\n"));
        let plan = draft.plan().map_err(|error| error.to_string())?;
        Ok(plan.cases().next().unwrap().population.prosumers.clone())
    };
    let mistakes: &[Mistake<'_>] = &[
        ("1,1,@,1,2,1.5", "\"1,5\"", Some("1.5")),
        ("1,1,@,1,2,1.5", "1.5 kWh", Some("1.5")),
        ("1,1,@,1,2,1.5", "1.5 kW", None),
        ("1,1,@,1,2,1.5", "1500 Wh", None),
        ("1,1,@,1,2,1.5", "50%", None),
        ("1,1,@,1,2,1.5", "1.O", Some("1.0")),
        ("1,1,@,1,2,1.5", "l.0", Some("1.0")),
        ("1,1,@,1,2,1.5", "NaN", None),
        ("1,1,@,1,2,1.5", "n/a", None),
        ("1,1,@,1,2,1.5", "", None),
        ("1,1,@,1,2,1.5", "-1", None),
        ("1,1,@,1,2,1.5", "1\u{200b}.5", Some("1.5")),
        ("1,1,@,1,2,1.5", "\u{202d}1.5", Some("1.5")),
        ("1,1,@,1,2,1.5", "1·5", Some("1.5")),
        ("1,1,@,1,2,1.5", "1.5*10^1", Some("15")),
        ("1,1,1,1,@,1.5", "2 CNY", Some("2")),
        ("1,1,1,1,@,1.5", "2 €", None),
        ("@,1,1,1,2,1.5", "1.0", Some("1")),
        ("@,1,1,1,2,1.5", "P1", Some("1")),
        ("@,1,1,1,2,1.5", "one", None),
        ("1,@,1,1,2,1.5", "1.0", Some("1")),
        ("1,@,1,1,2,1.5", "l", None),
        ("1,@,1,1,2,1.5", "00:00", None),
    ];
    checked(judge(mistakes, cell), 8);
}
