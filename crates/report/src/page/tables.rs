//! The tables of the page, sorted in the browser: cases, combinations, slots, the ledger's figures, and who did what in a
//! slot.

use crate::{
    data::{
        Data,
        mechanisms::{MEASURES, Mechanism},
    },
    format::{self, fixed},
};
use microgrid_agents::market::demand::Demand;
use microgrid_record::{
    self as record, CaseEntry, KeyFigures, LedgerRow, ProsumerRow, Row, SlotRow, Summary, TradeRow, Value, knob_text,
};
use microgrid_scenario::Plan;
use serde::Serialize;

pub(super) const CNY: Option<&str> = Some("CNY");
pub(super) const KWH: Option<&str> = Some("kWh");
pub(super) const PRICE: Option<&str> = Some("CNY/kWh");
const SECONDS: Option<&str> = Some("s");
pub(super) const PERCENT: Option<&str> = Some("%");

/// More slots than this are not on the page.
const MOST_SLOTS: usize = 5_000;

fn figures(data: &Data) -> Vec<&KeyFigures> {
    data.complete().map(|(_, figures)| figures).collect()
}

/// The columns that tell cases apart.
fn which<'a>(data: &'a Data, figures: &[&'a KeyFigures]) -> Fields<'a, &'a KeyFigures> {
    let fields = Fields::new().with("case", None, None, |case: &&KeyFigures| case.case);
    let fields = knobs(data, fields, |case| case.case);
    let several_seeds = figures.iter().any(|case| case.seed != figures[0].seed);
    if several_seeds && !figures[0].knobs.contains_key("seed") {
        fields.with("seed", None, None, |case| case.seed)
    } else {
        fields
    }
}

/// A column for each varied knob, of rows that tell of a case.
fn knobs<'a, R: 'a>(data: &'a Data, fields: Fields<'a, R>, case: fn(&R) -> u32) -> Fields<'a, R> {
    let value = |name| move |row: &R| data.knob(case(row), name).map(knob);
    data.knobs().fold(fields, |fields, name| fields.with(name, None, None, value(name)))
}

/// The cases that are done, in the slots in which the market was open.
pub(super) fn cases(data: &Data) -> Table {
    let figures = figures(data);
    let fields = which(data, &figures)
        .with("market slots", None, None, |case| case.market_slots)
        .with("in equilibrium", PERCENT, 1, |case| percent(case.equilibrium_share))
        .with("welfare", CNY, 3, |case| case.open_slots.welfare_cny)
        .with("P2G welfare", CNY, 3, |case| case.open_slots.p2g_welfare_cny)
        .with("over P2G", PERCENT, 1, |case| case.open_slots.welfare_gain_percent);
    Table::of("Cases: welfare over the open slots", fields, &figures, None)
}

/// What the cases that are done gained and used, over all slots.
pub(super) fn gains(data: &Data) -> Table {
    let (figures, storages) = (figures(data), data.has_storages());
    let mut fields = which(data, &figures);
    if storages {
        fields = fields.with("devices' gain", CNY, 3, |case| case.all_slots.devices_gain_with_storage_value_cny);
    }
    let fields = fields
        .with("market's gain", CNY, 3, |case| case.all_slots.market_gain_with_storage_value_cny)
        .with("savings", CNY, 3, |case| case.all_slots.savings_with_storage_value_cny)
        .with("worse off", None, None, |case| case.all_slots.worse_off_prosumers)
        .with("fairness", None, 3, |case| case.all_slots.jain_index)
        .with("load", KWH, 3, |case| case.totals.load_kwh)
        .with("consumed", KWH, 3, |case| case.totals.consumption_kwh)
        .with("traded", KWH, 3, |case| case.totals.traded_kwh)
        .with("from the grid", KWH, 3, |case| case.totals.grid_import_kwh)
        .with("into the grid", KWH, 3, |case| case.totals.grid_export_kwh)
        .with("self-sufficiency", PERCENT, 1, |case| percent(case.self_sufficiency))
        .with("self-consumption", PERCENT, 1, |case| percent(case.self_consumption))
        .with("messages", None, None, |case| case.totals.messages);
    let savings = format!(
        "Savings are of money alone{}. Worse off are prosumers with less welfare than each has alone; Jain's index of fairness \
         goes by what each gains beyond that.",
        why_negative(data)
    );
    let note = if storages {
        format!(
            "Gains are in welfare: the devices' is that of P2G with storage over P2G, the market's what is beyond. All gains and \
             savings are with the value of what storages hold at the end beyond the start. {savings}"
        )
    } else {
        format!("The market's gain is that in welfare over P2G. {savings}")
    };
    Table::of("Gains and energy over all slots", fields, &figures, Some(note))
}

/// Why savings may be negative, for who reads what they are of.
fn why_negative(data: &Data) -> String {
    let plan = data.plan.as_ref();
    let is_firm = |plan: &Plan| plan.scenario.preferences.demand == Demand::Firm && !plan.varies("preferences");
    let rows = || data.cases.iter().flat_map(|case| &case.slots);
    let errs = rows().any(|row| row.short_kwh.value() > 0.0 || row.long_kwh.value() > 0.0);
    let more = (!plan.is_some_and(is_firm)).then_some("more is consumed");
    let unforeseen = errs.then_some("what was not foreseen, and is settled with the grid, costs more");
    let reasons: Vec<&str> = more.into_iter().chain(unforeseen).collect();
    if reasons.is_empty() {
        return String::new();
    }
    format!(": they are negative where more is spent than in P2G because {}", reasons.join(", or because "))
}

pub(super) fn percent(share: Option<f64>) -> Option<f64> {
    share.map(|share| 100.0 * share)
}

/// What each combination of the varied knobs came to; `None` where a case each says the same.
pub(super) fn combinations(data: &Data) -> Option<Table> {
    if data.manifest.replicates < 2 || data.summaries.is_empty() {
        return None;
    }
    let fields = Fields::new().with("combination", None, None, |row: &Summary| row.combination);
    let mut fields = knobs(data, fields, |row| row.first_case)
        .with("replicates", None, None, |row| row.replicates)
        .with("in equilibrium", PERCENT, 1, |row| percent(row.share_in_equilibrium))
        .with("from", PERCENT, 1, |row| row.share_interval.map(|(low, _)| 100.0 * low))
        .with("to", PERCENT, 1, |row| row.share_interval.map(|(_, high)| 100.0 * high));
    for (title, unit, decimals, measure) in [
        ("rounds", None, 1, "rounds"),
        ("time to equilibrium or gate", SECONDS, 1, "time_to_equilibrium_restricted_s"),
        ("price gap", PRICE, 6, "price_gap"),
        ("amplitude", PRICE, 6, "oscillation_amplitude"),
        ("news' age", SECONDS, 3, "information_age_mean_s"),
        ("welfare", CNY, 3, "welfare_cny"),
    ] {
        let statistics = move |row: &Summary| row.measure(measure).copied().unwrap_or_default();
        fields = fields.with(title, unit, decimals, move |row| statistics(row).mean()).with(
            "± 95 %",
            unit,
            decimals,
            move |row| statistics(row).half_width(),
        );
    }
    let note = "Means over the market slots of each replicate, those that did not settle counted with the time to gate \
                closure, of the news' age over all decisions; and 95 % confidence intervals over the replicates, of shares by \
                Wilson.";
    Some(Table::of("Combinations of the varied knobs", fields, &data.summaries, Some(note.to_owned())))
}

/// How a measure of mechanisms is shown: its title, unit and decimals, and by what it is multiplied.
type Shown = (&'static str, Option<&'static str>, usize, f64);
const COMPARED: [Shown; MEASURES.len()] = [
    ("welfare loss", PERCENT, 2, 100.0),
    ("savings", CNY, 3, 1.0),
    ("price spread", PRICE, 4, 1.0),
    ("fairness", None, 3, 1.0),
    ("worse off", None, 2, 1.0),
    ("messages", None, 0, 1.0),
    ("on the chains", Some("kB"), 1, 1e-3),
    ("time to the end", SECONDS, 1, 1.0),
];

/// What the mechanisms came to that the study compares, and how far they are from the first; none if it compares none.
pub(super) fn mechanisms(data: &Data) -> Vec<Table> {
    let Some(mechanisms) = &data.mechanisms else { return Vec::new() };
    let named = || Fields::new().with("mechanism", None, None, |of: &Mechanism| Value::Text(of.name.clone()));
    let (mut means, mut beyond) = (named(), named());
    for (place, (title, unit, decimals, factor)) in COMPARED.into_iter().enumerate() {
        means = means.with(title, unit, decimals, move |of| of.means[place].map(|mean| factor * mean));
        beyond = beyond.with(title, unit, None, move |of| {
            let (mean, half_width) = of.beyond_first[place]?;
            let interval = half_width.map(|half| format!(" ± {}", fixed(factor * half, decimals)));
            let difference = format::signed(factor * mean, decimals).replace('-', "\u{2212}");
            Some(Value::Text(difference + &interval.unwrap_or_default()))
        });
    }
    let others: Vec<&str> = data.knobs().filter(|knob| **knob != mechanisms.knob).map(String::as_str).collect();
    let over =
        if others.is_empty() { String::new() } else { format!(" and over all values of {}", others.join(" and ")) };
    let what = format!(
        "Of a slot with a market, in the mean over seeds{over}. Welfare loss: what is missed of welfare at the closed form, in \
         per cent of it. Savings: in bills over P2G. Price spread: between the buyers that pay most and least, or the sellers \
         that earn most and least where that is more. Fairness: Jain's index of gains over P2G. Worse off: prosumers with \
         less welfare than alone. On the chains: transactions as text."
    );
    let first = &mechanisms.each[0].name;
    let how = format!(
        "Less that of {first} with the same seed and the same values of all other knobs, with the 95 % confidence interval of \
         the mean difference where there are several seeds."
    );
    let means = Table::of("What each came to", means, &mechanisms.each, Some(what));
    let beyond = Table::of(&format!("How far each is from {first}"), beyond, &mechanisms.each[1..], Some(how));
    // Of a run under way there is nothing to pair yet.
    let is_paired = mechanisms.each.iter().flat_map(|of| of.beyond_first).any(|difference| difference.is_some());
    [Some(means), is_paired.then_some(beyond)].into_iter().flatten().collect()
}

/// The slots of all cases; `None` where the run keeps none.
pub(super) fn slots(data: &Data) -> Option<Table> {
    let all = || data.cases.iter().flat_map(|case| &case.slots);
    let (count, open) = (all().count(), all().filter(|row| !is_closed(row)).count());
    let (rows, left_out): (Vec<&SlotRow>, _) = if count <= MOST_SLOTS {
        (all().collect(), None)
    } else {
        let note =
            format!("{} of {count} slots, those with a market first come; slots.csv has all.", MOST_SLOTS.min(open));
        (all().filter(|row| !is_closed(row)).take(MOST_SLOTS).collect(), Some(note))
    };
    if rows.is_empty() {
        return None;
    }
    let dated = rows.iter().any(|row| row.time.is_some());
    let fields = Fields::shown().beside_if(dated, "slot", "begins", |row: &SlotRow| row.time.as_deref().map(minutes));
    Some(Table::of("Slots", fields, rows, left_out))
}

fn is_closed(row: &SlotRow) -> bool {
    row.outcome == microgrid_agents::statement::Outcome::NoMarket
}

pub(super) fn ledger(rows: &[LedgerRow]) -> Table {
    Table::of("What the ledger carried", Fields::shown(), rows, None)
}

pub(super) fn prosumers(rows: &[ProsumerRow], note: Option<String>) -> Table {
    let named = rows.iter().any(|row| row.name.is_some());
    let fields = Fields::shown().beside_if(named, "prosumer", "name", |row: &ProsumerRow| row.name.clone());
    Table::of("Prosumers in this slot", fields, rows, note)
}

pub(super) fn trades(rows: &[TradeRow], note: Option<String>) -> Table {
    let named = |of: fn(&TradeRow) -> &Option<String>| rows.iter().any(|row| of(row).is_some());
    let fields = Fields::shown()
        .beside_if(named(|row| &row.buyer_name), "buyer", "buyer's name", |row: &TradeRow| row.buyer_name.clone())
        .beside_if(named(|row| &row.seller_name), "seller", "seller's name", |row| row.seller_name.clone());
    Table::of("Trades in this slot", fields, rows, note)
}

/// A case in a few words: `case 2, mu = 1`, with its seed where cases differ in nothing else.
pub(super) fn case_name(data: &Data, case: &CaseEntry) -> String {
    let knobs = case.knobs.iter().map(|(name, value)| format!(", {name} = {}", knob_text(value))).collect::<String>();
    let seed = if data.manifest.replicates > 1 { format!(", seed {}", case.seed) } else { String::new() };
    format!("case {}{knobs}{seed}", case.case)
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Table {
    /// What it shows, in a few words.
    caption: String,
    columns: Vec<Column>,
    /// A row has a cell for each column.
    pub(super) rows: Vec<Vec<Value>>,
    /// What was left out, and where it is.
    note: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Column {
    title: String,
    unit: Option<&'static str>,
    /// Decimals of its numbers; `None` for text and for numbers that are shown as they are.
    decimals: Option<usize>,
}

/// The columns of a table of such rows, each with what a row has in it.
pub(super) struct Fields<'a, R>(Vec<(Column, Cell<'a, R>)>);
type Cell<'a, R> = Box<dyn Fn(&R) -> Value + 'a>;

impl<'a, R> Fields<'a, R> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a column named `title`, its numbers in this `unit` and with so many `decimals`.
    pub(super) fn with<C: Into<Value>>(
        mut self,
        title: &str,
        unit: Option<&'static str>,
        decimals: impl Into<Option<usize>>,
        cell: impl Fn(&R) -> C + 'a,
    ) -> Self {
        let column = Column { title: title.to_owned(), unit, decimals: decimals.into() };
        self.0.push((column, Box::new(move |row| cell(row).into())));
        self
    }

    /// Adds a column of text behind another, where there is something to tell.
    fn beside_if<C: Into<Value>>(
        mut self,
        wanted: bool,
        other: &str,
        title: &str,
        cell: impl Fn(&R) -> C + 'a,
    ) -> Self {
        let behind = self.0.iter().position(|(column, _)| column.title == other).map_or(self.0.len(), |at| at + 1);
        let column = Column { title: title.to_owned(), unit: None, decimals: None };
        if wanted {
            self.0.insert(behind, (column, Box::new(move |row| cell(row).into())));
        }
        self
    }
}

impl<R: Row> Fields<'_, R> {
    /// The columns of which their table says that they are shown.
    fn shown() -> Self {
        let mut shown: Vec<&record::Column<R>> = R::COLUMNS.iter().filter(|column| column.title.is_some()).collect();
        shown.sort_by_key(|column| column.place);
        shown.into_iter().fold(Self::new(), |fields, column| {
            let (unit, value) = column.shown.map_or((column.unit, column.value), |(unit, value)| (Some(unit), value));
            fields.with(column.title.unwrap_or_default(), unit, column.decimals, value)
        })
    }
}

impl Table {
    pub(super) fn of<'a, R: 'a>(
        caption: &str,
        fields: Fields<'_, R>,
        rows: impl IntoIterator<Item = &'a R>,
        note: Option<String>,
    ) -> Self {
        let cells = |row: &R| fields.0.iter().map(|(column, cell)| rounded(cell(row), column.decimals)).collect();
        let rows = rows.into_iter().map(cells).collect();
        let columns = fields.0.into_iter().map(|(column, _)| column).collect();
        Self { caption: caption.to_owned(), columns, rows, note }
    }
}

/// A moment without seconds and offset, as it reads in a table.
pub(super) fn minutes(time: &str) -> String {
    time.get(..16).map_or_else(|| time.to_owned(), |minutes| minutes.replace('T', " "))
}

/// A value to so many decimals, which is how it is shown.
fn rounded(value: Value, decimals: Option<usize>) -> Value {
    match (value, decimals) {
        (Value::Number(value), Some(decimals)) => {
            let scale = 10_f64.powi(decimals as i32);
            Value::Number((value * scale).round() / scale + 0.0)
        }
        (value, _) => value,
    }
}

/// A knob's value: numbers sort as numbers, and text as text.
fn knob(value: &serde_json::Value) -> Value {
    match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => Value::Whole(whole),
        (None, Some(number)) => Value::Number(number),
        (None, None) => Value::Text(knob_text(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::mechanisms::Mechanisms;
    use microgrid_record::{
        Run,
        fixtures::{day::Day, whole_case},
    };
    use serde_json::json;

    #[test]
    fn cells_are_as_exact_as_they_are_shown() {
        let fields = Fields::<'_, (u32, f64)>::new();
        let fields = fields.with("case", None, None, |row| row.0).with("welfare", Some("CNY"), 2, |row| row.1);
        let rows = [(1, 238.150_047), (2, -0.001), (3, f64::NAN)];
        let table = serde_json::to_value(Table::of("cases", fields, &rows, None)).unwrap();
        assert_eq!(table["rows"], json!([[1, 238.15], [2, 0.0], [3, null]]));
        assert_eq!(table["columns"][1], json!({"title": "welfare", "unit": "CNY", "decimals": 2}));
    }

    #[test]
    fn mechanisms_stand_side_by_side_and_beside_the_first() {
        let (_day, recorder) = whole_case(Day::new());
        let mut data = Data::read(&Run::open(recorder.folder()).unwrap()).unwrap();
        assert!(mechanisms(&data).is_empty());
        let named = |name: &str, means, beyond_first| Mechanism { name: name.to_owned(), means, beyond_first };
        let of = |means: [f64; 8]| means.map(Some);
        let beyond = [(0.01, Some(0.002)), (-1.5, None), (0.2, Some(0.05)), (-0.125, Some(0.5)), (0.0, Some(0.0))];
        let mut beyond: Vec<_> = beyond.map(Some).to_vec();
        beyond.resize(8, None);
        data.mechanisms = Some(Mechanisms {
            knob: "mechanism".to_owned(),
            each: vec![
                named("TwoLevelGame", of([0.001, 4.0, 0.0, 0.9, 0.0, 1200.0, 56_789.0, 61.25]), [None; 8]),
                named("BillSharing", of([0.011, 2.5, 0.2, 0.775, 0.0, 90.0, 8_000.0, 0.5]), beyond.try_into().unwrap()),
            ],
        });
        let tables = serde_json::to_value(mechanisms(&data)).unwrap();
        assert_eq!(
            tables[0]["rows"],
            json!([
                ["TwoLevelGame", 0.1, 4.0, 0.0, 0.9, 0.0, 1200.0, 56.8, 61.3],
                ["BillSharing", 1.1, 2.5, 0.2, 0.775, 0.0, 90.0, 8.0, 0.5]
            ])
        );
        let beside = [
            "BillSharing",
            "+1.00 ± 0.20",
            "\u{2212}1.500",
            "+0.2000 ± 0.0500",
            "\u{2212}0.125 ± 0.500",
            "0.00 ± 0.00",
        ];
        let none = serde_json::Value::Null;
        assert_eq!(tables[1]["rows"][0].as_array().unwrap()[..6], beside.map(|text| json!(text)));
        assert_eq!(tables[1]["rows"][0].as_array().unwrap()[6..], [none.clone(), none.clone(), none]);
        assert!(tables[0]["note"].as_str().unwrap().contains("over all values of mu"));
    }
}
