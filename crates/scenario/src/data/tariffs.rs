//! Tariffs: constant, by hours and days, or from a table by slots or by time stamps.

use super::{
    profiles::{Slots, complete, one_each},
    table::{Row, Table},
};
use crate::{
    calendar::Dates,
    error::{Mistake, ScenarioError},
    schema::{CO2, GroupTariffs, Imbalance, Market, Rate, Tariff},
    tariffs::{SlotRates, Tariffs},
    text::TextFile,
    validate,
};
use indexmap::IndexMap;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// Largest tariff [CNY/kWh].
const LARGEST: f64 = 1e4;
/// The columns of prices: any tariff's, and that of the grid's tariff as it was called before there were others.
const PRICE: &str = "price_per_kwh";
const GRID_TARIFF: &str = "grid_tariff_cny_per_kwh";
/// The column of what the grid's energy emits.
const INTENSITY: &str = "g_per_kwh";

/// The tables of tariffs by what they tell of and their paths: a value of each slot.
pub(super) type Prices = BTreeMap<(&'static str, PathBuf), Arc<[f64]>>;

/// What a table tells of that is named at this path of a scenario.
pub(super) fn told_at(path: &str) -> &'static str {
    if path == CO2 { INTENSITY } else { PRICE }
}

/// What the grid asks and pays in each slot of a market.
pub(super) fn tariffs(market: &Market, dates: Option<&Dates>, prices: &Prices) -> Result<Tariffs, Mistake> {
    let of = |path: &str, tariff: &Tariff| values(path, tariff, market.slots, dates, prices);
    let grid = of("market.grid_tariff", &market.grid_tariff)?;
    let feed_in = of("market.feed_in_tariff", &market.feed_in_tariff)?;
    let rates = |Imbalance { short, long }: &Imbalance| {
        let (grid, feed_in) = (of("market.imbalance.short", short)?, of("market.imbalance.long", long)?);
        Ok::<_, Mistake>(SlotRates { grid, feed_in })
    };
    let imbalance = market.imbalance.as_ref().map(rates).transpose()?;
    let mut groups = IndexMap::new();
    for (name, GroupTariffs { grid_tariff, feed_in_tariff }) in &market.tariffs {
        let own = |field: &str, tariff: &Option<Tariff>, usual: &Arc<[f64]>| match tariff {
            Some(tariff) => of(&format!("market.tariffs.{name}.{field}"), tariff),
            None => Ok(Arc::clone(usual)),
        };
        let (grid, feed_in) =
            (own("grid_tariff", grid_tariff, &grid)?, own("feed_in_tariff", feed_in_tariff, &feed_in)?);
        groups.insert(name.clone(), SlotRates { grid, feed_in });
    }
    let co2 = market.co2.as_ref().map(|co2| of(CO2, co2)).transpose()?;
    Ok(Tariffs { grid, feed_in, imbalance, groups, co2 })
}

fn values(
    path: &str,
    tariff: &Tariff,
    slots: u32,
    dates: Option<&Dates>,
    prices: &Prices,
) -> Result<Arc<[f64]>, Mistake> {
    match tariff {
        Tariff::Constant(price) => Ok(vec![*price; slots as usize].into()),
        Tariff::Csv(file) => {
            let table = prices.get(&(told_at(path), file.clone()));
            Ok(Arc::clone(table.expect("tables were read with the scenario")))
        }
        Tariff::Schedule(rates) => {
            let path = format!("{path}.Schedule");
            let dates = dates.ok_or_else(|| {
                Mistake::value(&path, "hours and days need dates", "a schedule", "a schedule beside a `calendar`")
            })?;
            let price = |slot| {
                let begin = dates.begin(slot);
                let rate = rates.iter().rev().find(|rate: &&Rate| rate.holds(&begin));
                rate.map(|rate| rate.price).ok_or_else(|| {
                    let problem = format!("no rate holds at {}", dates.time(slot));
                    let allowed = "a first rate without hours and days, which holds where no other does";
                    Mistake::value(&path, &problem, format!("{} rates", rates.len()), allowed)
                })
            };
            (1..=slots).map(price).collect()
        }
    }
}

/// Reads a table of what this tells of, with a value for each slot.
pub(super) fn read(
    told: &'static str,
    file: &TextFile,
    market: &Market,
    dates: Option<&Dates>,
    slots: &Slots<'_>,
    least: Option<f64>,
) -> Result<Arc<[f64]>, ScenarioError> {
    let has = |name: &str| Table::names(file).iter().any(|column| column == name);
    let price = if has(GRID_TARIFF) { GRID_TARIFF } else { PRICE };
    let column = if has("time") { "time" } else { "slot" };
    // What is missing is called by its old name, unless some new one is there.
    let price = if has(PRICE) || has("time") { PRICE } else { price };
    let price = if column == "slot" && !has(PRICE) { GRID_TARIFF } else { price };
    let price = if told == INTENSITY { INTENSITY } else { price };
    let table = Table::of(file, &[column, price], &[])?;
    match (column, dates) {
        ("slot", _) => {
            by_slots(&table, price, market, least).or_else(|error| slots.check(&table, None).and(Err(error)))
        }
        (_, Some(dates)) => by_times(&table, price, market, dates, least),
        (_, None) => {
            let allowed = "allowed: `slot`, or `time` in a scenario with a market.calendar".to_owned();
            Err(table.report_column("time", "the scenario has no dates", allowed))
        }
    }
    .map(Arc::from)
}

/// What may be a price in some slot.
fn number_in(row: &Row<'_>, column: &str, market: &Market) -> Result<f64, ScenarioError> {
    let lowest = if market.calendar.is_some() && column != INTENSITY { -LARGEST } else { 0.0 };
    row.number(column, lowest, LARGEST)
}

/// The price in a row; it is not to be below `least`, what the grid always pays.
fn price_in(row: &Row<'_>, column: &str, market: &Market, least: Option<f64>) -> Result<f64, ScenarioError> {
    let price = number_in(row, column, market)?;
    if column == INTENSITY {
        return Ok(price);
    }
    if let Some(least) = least.filter(|least| price < *least) {
        let allowed = format!("allowed: at least the feed-in tariff of {least}");
        return Err(row.report(column, "the grid would pay more than it asks", allowed));
    }
    match validate::price(column, price, market) {
        Err(mistake) => Err(row.report(column, &mistake.problem, mistake.notes.concat())),
        Ok(()) => Ok(price),
    }
}

fn by_slots(table: &Table<'_>, column: &str, market: &Market, least: Option<f64>) -> Result<Vec<f64>, ScenarioError> {
    let mut prices = BTreeMap::new();
    for row in table.rows() {
        let row = row?;
        let slot = row.whole("slot", market.slots)?;
        if prices.insert(slot, price_in(&row, column, market, least)?).is_some() {
            return Err(row.report("slot", &format!("there are two rows for slot {slot}"), one_each(market.slots)));
        }
    }
    complete(prices, market.slots).map_err(|slot| {
        table.report_column("slot", &format!("there is no row for slot {slot}"), one_each(market.slots))
    })
}

/// Each price holds until the next; the last as long as the one before. What holds in no slot need not fit the market.
fn by_times(
    table: &Table<'_>,
    column: &str,
    market: &Market,
    dates: &Dates,
    least: Option<f64>,
) -> Result<Vec<f64>, ScenarioError> {
    let (mut prices, mut last): (Vec<f64>, Option<(f64, Row<'_>)>) = (Vec::new(), None);
    let mut step = f64::INFINITY;
    let hold = |prices: &mut Vec<f64>, row: &Row<'_>, until: f64| {
        let until = until.clamp(0.0, f64::from(market.slots)) as usize;
        if until > prices.len() {
            prices.resize(until, price_in(row, column, market, least)?);
        }
        Ok(())
    };
    for row in table.rows() {
        let row = row?;
        let begins = dates.slots_before(row.time("time")?);
        number_in(&row, column, market)?;
        if begins.fract() != 0.0 && begins > 0.0 && begins < f64::from(market.slots) {
            let allowed = "allowed: prices that begin with a slot".to_owned();
            return Err(row.report("time", "a price begins within a slot", allowed));
        }
        if let Some((before, of)) = &last {
            step = begins - before;
            if step <= 0.0 {
                let allowed = "allowed: rows in the order of time, each once".to_owned();
                return Err(row.report("time", "comes before the row above, or with it", allowed));
            }
            hold(&mut prices, of, begins)?;
        } else if begins > 0.0 {
            let allowed = format!("allowed: a first row at {} or before", dates.time(1));
            return Err(row.report("time", "the run begins before the first price", allowed));
        }
        last = Some((begins, row));
    }
    if let Some((begins, row)) = &last {
        hold(&mut prices, row, begins + step)?;
    }
    if prices.len() < market.slots as usize {
        let slot = prices.len() as u32 + 1;
        let problem = format!("there is no price for {}, where slot {slot} begins", dates.time(slot));
        let allowed = "allowed: prices from the begin of the run to its end; the last holds as long as the one before";
        return Err(table.report_column("time", &problem, allowed.to_owned()));
    }
    Ok(prices)
}
