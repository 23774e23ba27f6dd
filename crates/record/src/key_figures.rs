//! `kpis.json`: each case's totals and how it compares with P2G, the same day without a local market.

use super::{
    error::RecordError,
    flows::Totals,
    folder,
    gains::{Gains, RunGains},
    manifest::{Knobs, knobs},
    number::Number,
    recorded::ClosedSlot,
    slots::Welfare,
    statistics::Statistics,
    sums::Sums,
};
use microgrid_agents::units::{Money, Total};
use microgrid_scenario::Case;
use serde::{Deserialize, Serialize};
use std::{
    io::{BufReader, Read},
    ops::RangeInclusive,
    path::Path,
};

pub(super) const FILE: &str = "kpis.json";

/// The key figures of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyFigures {
    /// Number of the case.
    pub case: u32,
    /// Varied knobs and their values.
    pub knobs: Knobs,
    /// Its seed.
    pub seed: u64,
    /// How many slots it has.
    pub slots: u32,
    /// Sums over all slots and prosumers.
    pub totals: Totals,
    /// (Own generation used + bought locally + discharged) / consumption; `None` without consumption.
    pub self_sufficiency: Option<f64>,
    /// Generation used in the microgrid / generation; `None` without generation.
    pub self_consumption: Option<f64>,
    /// How many slots had a market: open, with buyers and sellers.
    pub market_slots: u32,
    /// Part of those among them in which an equilibrium was looked for that ended in one; `None` without any.
    pub equilibrium_share: Option<f64>,
    /// Comparison with P2G over all slots.
    pub all_slots: Comparison,
    /// Comparison with P2G over the slots in which the market was to open.
    pub open_slots: Comparison,
    /// By which mechanism trades came about.
    pub mechanism: String,
    /// Mean over the slots with trades of the largest less the smallest mean price of a buyer, or of a seller where that is
    /// more [CNY/kWh]; `None` without any.
    pub price_spread_cny_per_kwh: Option<f64>,
    /// Mean time over the slots with a market from its opening to its end [s]; `None` without any.
    pub time_to_end_s: Option<f64>,
    /// Largest mean power over a slot that all prosumers together draw from the grid, what they feed in taken off [kW];
    /// `None` if they never do.
    pub peak_import_kw: Option<f64>,
    /// When: the begin of the slot, or its number where slots have no dates.
    pub peak_import_at: Option<String>,
    /// Largest mean power over a slot that they feed into the grid, what they draw taken off [kW]; `None` if they never do.
    pub peak_export_kw: Option<f64>,
    /// When.
    pub peak_export_at: Option<String>,
    /// Mean consumption of a slot / that of the slot with most; `None` without consumption.
    pub load_factor: Option<f64>,
    /// What the energy bought from the grid has emitted [kg]; `None` where the scenario has no `co2`.
    pub co2_kg: Option<f64>,
    /// The same for each kWh consumed [g/kWh]; `None` without consumption too.
    pub co2_g_per_kwh: Option<f64>,
    /// Gini coefficient of the prosumers' savings over P2G; `None` if nobody saves.
    pub savings_gini: Option<f64>,
    /// Jain's index of the same.
    pub savings_jain_index: Option<f64>,
    /// Gini coefficient of the prosumers' savings over P2G with storage.
    pub market_savings_gini: Option<f64>,
    /// Jain's index of the same.
    pub market_savings_jain_index: Option<f64>,
    /// How many prosumers pay more over all slots than they would in P2G with storage, by 0.005 CNY or more.
    #[serde(default)]
    pub paying_more_prosumers: u32,
}

/// Whether the figures of these cases are the first `end` bytes of a list that goes on there.
pub(super) fn end_at(path: &Path, cases: RangeInclusive<u32>, end: u64) -> Result<bool, RecordError> {
    #[derive(Deserialize)]
    struct Of {
        case: u32,
    }
    let list = folder::open(path)?.take(end).chain(&b"]"[..]);
    let found = serde_json::from_reader::<_, Vec<Of>>(BufReader::new(list));
    Ok(found.is_ok_and(|found| found.into_iter().map(|of| of.case).eq(cases)))
}

impl KeyFigures {
    /// Whether storages did anything, here or in P2G with storage.
    pub fn used_storages(&self) -> bool {
        let (totals, all) = (&self.totals, &self.all_slots);
        [totals.charged_kwh, totals.discharged_kwh, all.devices_gain_cny, all.p2g_storage_value_cny]
            .into_iter()
            .any(|figure| figure != 0.0)
    }

    /// How many pay more, where that is not because they consume more.
    pub fn worse_billed(&self) -> u32 {
        if self.totals.consumption_kwh > self.totals.load_kwh { 0 } else { self.paying_more_prosumers }
    }
}

/// The welfare and money of all prosumers over some slots, beside P2G.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
    /// How many slots.
    pub slots: u32,
    /// Welfare of the buyers [CNY].
    pub buyers_welfare_cny: f64,
    /// Welfare of the sellers [CNY].
    pub sellers_welfare_cny: f64,
    /// Welfare of all prosumers [CNY].
    pub welfare_cny: f64,
    /// Welfare of the buyers in P2G [CNY].
    pub p2g_buyers_welfare_cny: f64,
    /// Welfare of the sellers in P2G [CNY].
    pub p2g_sellers_welfare_cny: f64,
    /// Welfare of all prosumers in P2G [CNY].
    pub p2g_welfare_cny: f64,
    /// Welfare gained over P2G [CNY].
    pub welfare_gain_cny: f64,
    /// The same in per cent of P2G's; `None` where that is 0.
    pub welfare_gain_percent: Option<f64>,
    /// Payments and fees less earnings of all prosumers [CNY].
    pub net_cost_cny: f64,
    /// The same in P2G [CNY].
    pub p2g_net_cost_cny: f64,
    /// Net cost saved over P2G [CNY].
    pub savings_cny: f64,
    /// Welfare of all prosumers in P2G with storage [CNY].
    pub p2g_storage_welfare_cny: f64,
    /// What storages bring by themselves: welfare of P2G with storage over that of P2G [CNY].
    pub devices_gain_cny: f64,
    /// What the market adds: welfare over that of P2G with storage [CNY].
    pub market_gain_cny: f64,
    /// Payments less earnings of all prosumers in P2G with storage [CNY].
    pub p2g_storage_net_cost_cny: f64,
    /// Net cost saved over P2G with storage [CNY].
    pub market_savings_cny: f64,
    /// What storages hold at the end beyond the start, at the feed-in tariff times the discharge efficiency [CNY].
    pub storage_value_cny: f64,
    /// The same in P2G with storage [CNY].
    pub p2g_storage_value_cny: f64,
    /// `welfare_gain_cny` with that value [CNY].
    pub welfare_gain_with_storage_value_cny: f64,
    /// `devices_gain_cny` with the value of P2G with storage [CNY].
    pub devices_gain_with_storage_value_cny: f64,
    /// `market_gain_cny` with the difference of both values [CNY].
    pub market_gain_with_storage_value_cny: f64,
    /// `savings_cny` with the value [CNY].
    pub savings_with_storage_value_cny: f64,
    /// `market_savings_cny` with the difference of both values [CNY].
    pub market_savings_with_storage_value_cny: f64,
    /// In how many slots of how many prosumers welfare was below that of P2G with storage.
    pub worse_off_prosumer_slots: u64,
    /// How many prosumers ended below P2G with storage, with the value of what storages hold.
    pub worse_off_prosumers: u32,
    /// Jain's index of the prosumers' gains over P2G with storage, with the value of what storages hold; `None` if
    /// nobody gains.
    pub jain_index: Option<f64>,
}

/// Running sums of a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// What a kWh in each storage is worth [CNY/kWh].
    storage_values: Vec<f64>,
    sums: Sums,
    price_spreads: Statistics,
    times_to_end: Statistics,
    all_slots: Period,
    open_slots: Period,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Period {
    /// What is a sum as it is; all else follows in the end.
    sums: Comparison,
    /// Of all prosumers: here, in P2G, and in P2G with storage.
    net_costs: [Total<Money>; 3],
    gains: RunGains,
}

impl Tally {
    pub(super) fn new(case: &Case) -> Self {
        let period = Period { gains: RunGains::new(case.population.prosumers.len()), ..Period::default() };
        let value = |place| case.storage(place).map_or(0.0, |storage| usual_feed_in(case, place) * storage.efficiency);
        let storage_values = (0..case.population.prosumers.len()).map(value).collect();
        Self { storage_values, all_slots: period.clone(), open_slots: period, ..Self::default() }
    }

    /// Of how many prosumers each of its periods tells.
    pub(super) fn prosumers(&self) -> impl Iterator<Item = usize> {
        [&self.all_slots, &self.open_slots].into_iter().map(|period| period.gains.prosumers())
    }

    /// Adds a slot, in which the market was to open or not.
    pub(super) fn add(&mut self, open: bool, closed: &ClosedSlot<'_>) {
        let ClosedSlot { observed, theory, gains, sums, .. } = *closed;
        self.sums.join(sums);
        observed.price_spread().into_iter().for_each(|spread| self.price_spreads.add(spread.value()));
        observed.time_to_end().into_iter().for_each(|time| self.times_to_end.add(Number::from(time).value()));
        let net_costs = sums.net_costs();
        let welfare = Welfare::of(observed, theory);
        for period in [&mut self.all_slots].into_iter().chain(open.then_some(&mut self.open_slots)) {
            period.add(&welfare, net_costs, gains, &self.storage_values);
        }
    }

    pub(super) fn key_figures(&self, case: &Case) -> KeyFigures {
        let sums = &self.sums;
        let [savings, market_savings] = sums.savings();
        KeyFigures {
            case: case.number,
            knobs: knobs(&case.knobs),
            seed: case.seed,
            slots: self.all_slots.sums.slots,
            totals: sums.flows.totals(),
            self_sufficiency: sums.self_sufficiency(),
            self_consumption: sums.self_consumption(),
            market_slots: sums.markets,
            equilibrium_share: sums.equilibrium_share(),
            all_slots: self.all_slots.comparison(&self.storage_values),
            open_slots: self.open_slots.comparison(&self.storage_values),
            mechanism: case.mechanism().name().to_owned(),
            price_spread_cny_per_kwh: self.price_spreads.mean(),
            time_to_end_s: self.times_to_end.mean(),
            peak_import_kw: sums.import.kw(case),
            peak_import_at: sums.import.at(case),
            peak_export_kw: sums.export.kw(case),
            peak_export_at: sums.export.at(case),
            load_factor: sums.load_factor(),
            co2_kg: sums.co2_kg(),
            co2_g_per_kwh: sums.co2_g_per_kwh(),
            savings_gini: savings.gini(),
            savings_jain_index: savings.jain_index(),
            market_savings_gini: market_savings.gini(),
            market_savings_jain_index: market_savings.jain_index(),
            paying_more_prosumers: market_savings.paying_more(),
        }
    }
}

/// What the grid pays the prosumer at this place for energy, on average over all slots, and nothing if that is below 0, as nobody has
/// to feed it in [CNY/kWh].
fn usual_feed_in(case: &Case, place: usize) -> f64 {
    let feed_in = case.tariffs.of_group(case.population.prosumers[place].group.as_deref()).feed_in;
    let first = feed_in[0];
    let is_same = feed_in.iter().all(|price| *price == first);
    let mean = if is_same { first } else { feed_in.iter().sum::<f64>() / feed_in.len() as f64 };
    mean.max(0.0)
}

impl Period {
    fn add(&mut self, welfare: &Welfare, net_costs: [Total<Money>; 3], gains: &Gains, storage_values: &[f64]) {
        let sums = &mut self.sums;
        sums.slots += 1;
        sums.buyers_welfare_cny += welfare.buyers;
        sums.sellers_welfare_cny += welfare.sellers;
        sums.welfare_cny += welfare.all;
        sums.p2g_buyers_welfare_cny += welfare.p2g_buyers;
        sums.p2g_sellers_welfare_cny += welfare.p2g_sellers;
        sums.p2g_welfare_cny += welfare.p2g;
        sums.p2g_storage_welfare_cny += welfare.p2g_storage;
        sums.worse_off_prosumer_slots += u64::from(gains.worse_off());
        self.net_costs.iter_mut().zip(net_costs).for_each(|(sum, slot)| *sum += slot);
        self.gains.add(gains, storage_values);
    }

    /// The comparison, where a kWh in each storage is worth so much [CNY/kWh].
    fn comparison(&self, storage_values: &[f64]) -> Comparison {
        let sums = &self.sums;
        let (all, p2g, p2g_storage) = (sums.welfare_cny, sums.p2g_welfare_cny, sums.p2g_storage_welfare_cny);
        let (gain, devices_gain, market_gain) = (all - p2g, p2g_storage - p2g, all - p2g_storage);
        let [net_cost, p2g_net_cost, p2g_storage_net_cost] = self.net_costs;
        let (savings, market_savings) = ((p2g_net_cost - net_cost).value(), (p2g_storage_net_cost - net_cost).value());
        let [stored, alone] = self.gains.stored_value(storage_values);
        Comparison {
            welfare_gain_cny: gain,
            welfare_gain_percent: (p2g != 0.0).then(|| 100.0 * gain / p2g.abs()),
            net_cost_cny: net_cost.value(),
            p2g_net_cost_cny: p2g_net_cost.value(),
            savings_cny: savings,
            devices_gain_cny: devices_gain,
            market_gain_cny: market_gain,
            p2g_storage_net_cost_cny: p2g_storage_net_cost.value(),
            market_savings_cny: market_savings,
            storage_value_cny: stored,
            p2g_storage_value_cny: alone,
            welfare_gain_with_storage_value_cny: gain + stored,
            devices_gain_with_storage_value_cny: devices_gain + alone,
            market_gain_with_storage_value_cny: market_gain + (stored - alone),
            savings_with_storage_value_cny: savings + stored,
            market_savings_with_storage_value_cny: market_savings + (stored - alone),
            worse_off_prosumers: self.gains.worse_off(),
            jain_index: self.gains.jain_index(),
            ..sums.clone()
        }
    }
}
