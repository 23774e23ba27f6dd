//! The tables of the page: cases, combinations, slots, the ledger's figures, and who did what in a slot.

use super::table::{Cell, Fields, Table};
use crate::data::Data;
use microgrid_record::{CaseEntry, KeyFigures, LedgerRow, ProsumerRow, SlotRow, Summary, TradeRow, knob_text};

const CNY: Option<&str> = Some("CNY");
const KWH: Option<&str> = Some("kWh");
const PRICE: Option<&str> = Some("CNY/kWh");
const SECONDS: Option<&str> = Some("s");
const PERCENT: Option<&str> = Some("%");

/// More slots than this are not on the page.
const MOST_SLOTS: usize = 5_000;

/// The key figures of the cases that are done.
fn figures(data: &Data) -> Vec<&KeyFigures> {
    data.cases.iter().filter_map(|case| case.key_figures.as_ref()).collect()
}

/// The columns that tell cases apart.
fn which<'a>(figures: &[&'a KeyFigures]) -> Fields<&'a KeyFigures> {
    let mut fields = Fields::new().with("case", None, None, |case: &&KeyFigures| case.case);
    for name in figures.first().iter().flat_map(|case| case.knobs.keys()) {
        let knob = name.clone();
        fields = fields.with(name, None, None, move |case| case.knobs.get(&knob).map(Cell::from));
    }
    let several_seeds = figures.iter().any(|case| case.seed != figures[0].seed);
    if several_seeds && !figures[0].knobs.contains_key("seed") {
        fields = fields.with("seed", None, None, |case| case.seed);
    }
    fields
}

/// The cases that are done, in the slots in which the market was open.
pub(super) fn cases(data: &Data) -> Table {
    let figures = figures(data);
    let fields = which(&figures)
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
    let mut fields = which(&figures);
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
    let savings = "Savings are of money alone: they are negative where more is spent than in P2G because more is consumed. \
                   Jain's index of fairness goes by what each gains beyond what it has alone.";
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

fn percent(share: Option<f64>) -> Option<f64> {
    share.map(|share| 100.0 * share)
}

/// What each combination of the varied knobs came to; `None` where a case each says the same.
pub(super) fn combinations(data: &Data) -> Option<Table> {
    if data.manifest.replicates < 2 || data.summaries.is_empty() {
        return None;
    }
    let knobs_of = |summary: &Summary| entry(data, summary.first_case).map(|case| case.knobs.clone());
    let rows: Vec<_> = data.summaries.iter().map(|row| (row.clone(), knobs_of(row).unwrap_or_default())).collect();
    type Row = (Summary, microgrid_record::Knobs);
    let mut fields = Fields::<Row>::new().with("combination", None, None, |row| row.0.combination);
    for name in rows.first().iter().flat_map(|(_, knobs)| knobs.keys()) {
        let knob = name.clone();
        fields = fields.with(name, None, None, move |row| row.1.get(&knob).map(Cell::from));
    }
    fields = fields
        .with("replicates", None, None, |row| row.0.replicates)
        .with("in equilibrium", PERCENT, 1, |row| row.0.share_in_equilibrium.map(|share| 100.0 * share))
        .with("from", PERCENT, 1, |row| row.0.share_interval.map(|(low, _)| 100.0 * low))
        .with("to", PERCENT, 1, |row| row.0.share_interval.map(|(_, high)| 100.0 * high));
    for (title, unit, decimals, measure) in [
        ("rounds", None, 1, "rounds"),
        ("time to equilibrium or gate", SECONDS, 1, "time_to_equilibrium_restricted_s"),
        ("price gap", PRICE, 6, "price_gap"),
        ("amplitude", PRICE, 6, "oscillation_amplitude"),
        ("news' age", SECONDS, 3, "information_age_mean_s"),
        ("welfare", CNY, 3, "welfare_cny"),
    ] {
        let statistics = move |row: &Row| row.0.measure(measure).copied().unwrap_or_default();
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
    Some(Table::of("Combinations of the varied knobs", fields, &rows, Some(note.to_owned())))
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
    let fields = Fields::<&SlotRow>::new()
        .with("case", None, None, |row| row.case)
        .with("slot", None, None, |row| row.slot)
        .with("sellers", None, None, |row| row.sellers)
        .with("buyers", None, None, |row| row.buyers)
        .with("outcome", None, None, |row| format!("{:?}", row.outcome))
        .with("rounds", None, None, |row| row.rounds)
        .with("time to rest", SECONDS, 1, |row| row.time_to_equilibrium_s)
        .with("price", PRICE, 4, |row| row.price_mean_cny_per_kwh)
        .with("closed-form price", PRICE, 4, |row| row.equilibrium_price_cny_per_kwh)
        .with("price gap", PRICE, 6, |row| row.price_gap)
        .with("traded", KWH, 3, |row| row.traded_kwh)
        .with("from the grid", KWH, 3, |row| row.grid_import_kwh)
        .with("into the grid", KWH, 3, |row| row.grid_export_kwh)
        .with("welfare", CNY, 3, |row| row.welfare_cny)
        .with("P2G welfare", CNY, 3, |row| row.p2g_welfare_cny)
        .with("worse off", None, None, |row| row.worse_off)
        .with("consumed", KWH, 3, |row| row.consumption_kwh)
        .with("load", KWH, 3, |row| row.load_kwh)
        .with("news' age", SECONDS, 3, |row| row.information_age_mean_s)
        .with("messages", None, None, |row| row.messages)
        .with("lost", None, None, |row| row.lost_messages);
    Some(Table::of("Slots", fields, &rows, left_out))
}

fn is_closed(row: &SlotRow) -> bool {
    row.outcome == microgrid_agents::statement::Outcome::NoMarket
}

/// What the ledger's channels carried in each case.
pub(super) fn ledger(rows: &[LedgerRow]) -> Table {
    let fields = Fields::<LedgerRow>::new()
        .with("case", None, None, |row| row.case)
        .with("channel", None, None, |row| row.channel.name().to_owned())
        .with("blocks", None, None, |row| row.blocks)
        .with("submitted", None, None, |row| row.submitted)
        .with("valid", None, None, |row| row.valid)
        .with("refused", None, None, |row| row.invalid)
        .with("off the chain", None, None, |row| row.off_chain)
        .with("latency, median", SECONDS, 3, |row| row.latency_p50_s)
        .with("latency, 95 %", SECONDS, 3, |row| row.latency_p95_s)
        .with("throughput", Some("1/s"), 4, |row| row.throughput_per_s)
        .with("block fill", PERCENT, 2, |row| row.block_fill.map(|fill| 100.0 * fill.value()))
        .with("size", Some("MB"), 3, |row| row.bytes as f64 / 1e6);
    Table::of("What the ledger carried", fields, rows, None)
}

/// What each of these prosumers did in a slot.
pub(super) fn prosumers(rows: &[ProsumerRow], note: Option<String>) -> Table {
    let fields = Fields::<ProsumerRow>::new()
        .with("prosumer", None, None, |row| row.prosumer)
        .with("role", None, None, |row| format!("{:?}", row.role))
        .with("generated", KWH, 3, |row| row.pv_kwh)
        .with("load", KWH, 3, |row| row.load_kwh)
        .with("bought", KWH, 3, |row| row.bought_kwh)
        .with("sold", KWH, 3, |row| row.sold_kwh)
        .with("charged", KWH, 3, |row| row.charged_kwh)
        .with("discharged", KWH, 3, |row| row.discharged_kwh)
        .with("stored", KWH, 3, |row| row.soc_kwh)
        .with("from the grid", KWH, 3, |row| row.grid_import_kwh)
        .with("into the grid", KWH, 3, |row| row.grid_export_kwh)
        .with("paid", CNY, 3, |row| row.paid_cny)
        .with("earned", CNY, 3, |row| row.earned_cny)
        .with("welfare", CNY, 3, |row| row.welfare_cny)
        .with("P2G welfare", CNY, 3, |row| row.p2g_welfare_cny)
        .with("P2G with storage", CNY, 3, |row| row.p2g_storage_welfare_cny)
        .with("consumed", KWH, 3, |row| row.consumed_kwh);
    Table::of("Prosumers in this slot", fields, rows, note)
}

/// These trades of a slot.
pub(super) fn trades(rows: &[TradeRow], note: Option<String>) -> Table {
    let fields = Fields::<TradeRow>::new()
        .with("buyer", None, None, |row| row.buyer)
        .with("seller", None, None, |row| row.seller)
        .with("optimal", KWH, 3, |row| row.optimal_kwh)
        .with("traded", KWH, 3, |row| row.traded_kwh)
        .with("price", PRICE, 4, |row| row.price_cny_per_kwh)
        .with("payment", CNY, 3, |row| row.payment_cny)
        .with("fee", CNY, 3, |row| row.fee_cny);
    Table::of("Trades in this slot", fields, rows, note)
}

fn entry(data: &Data, case: u32) -> Option<&CaseEntry> {
    data.manifest.cases.get(case.checked_sub(1)? as usize)
}

/// A case in a few words: `case 2, mu = 1`, with its seed where cases differ in nothing else.
pub(super) fn case_name(data: &Data, case: &CaseEntry) -> String {
    let knobs = case.knobs.iter().map(|(name, value)| format!(", {name} = {}", knob_text(value))).collect::<String>();
    let seed = if data.manifest.replicates > 1 { format!(", seed {}", case.seed) } else { String::new() };
    format!("case {}{knobs}{seed}", case.case)
}
