//! The members of a community, a row each, and what their devices come to.

use super::{
    PREFERENCE,
    series::{Profiles, Series},
    table::{Row, Table},
};
use crate::{
    calendar::Dates,
    devices::{Clock, HeatPump, Vehicle, planned},
    error::{ScenarioError, did_you_mean},
    hours::Hours,
    population::{Devices, Forecast, Member, Population, Profile, Scaled},
    schema::{Community, Market, Preferences, Storage, Unit},
    tariffs::Tariffs,
    text::TextFile,
};
use microgrid_agents::{ids::ProsumerId, scheduling::Timing};
use std::{collections::BTreeSet, str::FromStr, sync::Arc};

/// Columns of a community's table.
const COLUMNS: [&str; 20] = [
    "group",
    "load_profile",
    "load_kwh_per_year",
    "load_peak_kw",
    "pv_profile",
    "pv_kwp",
    "battery_kwh",
    "battery_kw",
    "battery_efficiency",
    "battery_initial_kwh",
    "ev_kwh",
    "ev_kw",
    "ev_home",
    "ev_charging",
    "heat_pump_profile",
    "heat_pump_kwh_per_year",
    "heat_pump_peak_kw",
    "heat_pump_shiftable",
    "heat_pump_timing",
    "preference_pv",
];
const PREFERENCE_GRID: &str = "preference_grid";
/// Energies, powers and capacities beyond this are mistakes [kWh, kW].
const LARGEST: f64 = 1e6;

/// A member as its row has it.
#[derive(Clone, Debug)]
struct CommunityRow {
    member: Member,
    generation: Option<Scaled>,
    load: Option<Scaled>,
    heat_pump: Option<HeatPump>,
    vehicle: Option<Vehicle>,
    preference_pv: Option<f64>,
    preference_grid: Option<f64>,
}

/// The members of a community as they were read.
#[derive(Clone, Debug)]
pub(super) struct Members {
    rows: Vec<CommunityRow>,
    clock: Clock,
    /// Profiles that no row names.
    unused: Vec<String>,
}

impl Members {
    /// Reads a community's table.
    pub(super) fn read(
        file: &TextFile,
        community: &Community,
        profiles: &Profiles,
        market: &Market,
        dates: Option<&Dates>,
        preferences: &Preferences,
    ) -> Result<Self, ScenarioError> {
        let table = Table::of(file, &["name"], &[&COLUMNS[..], &[PREFERENCE_GRID]].concat())?;
        super::profiles::check_preferences(&table, preferences, true)?;
        let slots = market.slots;
        let clock =
            Clock { dates: dates.cloned(), starts_at: market.starts_at, slot_length: market.slot_length, slots };
        let year = dates.map_or(365, |dates| if dates.begin(1).date().in_leap_year() { 366 } else { 365 });
        let reader = Reader { community, profiles, clock: &clock, hours_of_year: 24.0 * f64::from(year), preferences };
        let (mut rows, mut names, mut used) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for row in table.rows() {
            let row = row?;
            if !names.insert(row.text("name").to_owned()) {
                return Err(row.report("name", "a member has it already", "allowed: each name once".to_owned()));
            }
            let profiles = ["load_profile", "pv_profile", "heat_pump_profile"];
            used.extend(profiles.iter().filter_map(|column| given(&row, column)).map(str::to_owned));
            rows.push(reader.member(&row, rows.len() as u32 + 1)?);
        }
        if rows.is_empty() {
            return Err(table.report_column("name", "nobody takes part", "allowed: at least one member".to_owned()));
        }
        let unused = profiles.keys().filter(|name| !used.contains(*name)).cloned().collect();
        Ok(Self { rows, clock, unused })
    }

    /// Profiles that nobody has.
    pub(super) fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Who generates or wants more energy than this on average, as the profiles are, with how much that is [kWh in an hour].
    pub(super) fn more_than(&self, largest: f64) -> Option<(&str, &'static str, f64)> {
        let hours = self.clock.slot_length.as_secs_f64() * f64::from(self.clock.slots) / 3600.0;
        let mean = |of: &Option<Scaled>| {
            let as_it_is = of.as_ref().filter(|of| of.times == 1.0)?;
            as_it_is.upto.last().map(|sum| sum / hours).filter(|mean| *mean > largest)
        };
        self.rows.iter().find_map(|row| {
            let name = row.member.name.as_deref().unwrap_or_default();
            let generates = mean(&row.generation).map(|mean| (name, "generates", mean));
            generates.or_else(|| mean(&row.load).map(|mean| (name, "wants", mean)))
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The groups that they are in.
    pub(super) fn groups(&self) -> BTreeSet<&str> {
        self.rows.iter().filter_map(|row| row.member.group.as_deref()).collect()
    }

    /// The population that they make with these preferences and tariffs, whose forecasts err by draws from this seed.
    pub(super) fn population(
        &self,
        community: &Community,
        preferences: &Preferences,
        tariffs: &Tariffs,
        seed: u64,
    ) -> Population {
        let errors = [community.forecast_error.generation, community.forecast_error.load];
        let member = |(place, row): (u32, &CommunityRow)| {
            let forecast = Forecast { errors, seed, actor: ProsumerId(place).actor() };
            let mut devices = Devices {
                slots: self.clock.slots,
                generation: row.generation.clone(),
                load: row.load.clone(),
                planned: None,
                preference_pv: row.preference_pv.or(preferences.preference_pv).unwrap_or_default(),
                preference_grid: row.preference_grid.or(preferences.preference_grid).unwrap_or_default(),
                forecast: community.forecast_error.is_any().then_some(forecast),
            };
            let rates = tariffs.of_group(row.member.group.as_deref());
            devices.planned = planned(&devices, row.heat_pump.as_ref(), row.vehicle.as_ref(), &rates, &self.clock);
            Member { profile: Profile::Devices(Arc::new(devices)), ..row.member.clone() }
        };
        Population { prosumers: (0..).zip(&self.rows).map(member).collect() }
    }
}

/// What rows are read with.
struct Reader<'a> {
    community: &'a Community,
    profiles: &'a Profiles,
    clock: &'a Clock,
    hours_of_year: f64,
    preferences: &'a Preferences,
}

impl Reader<'_> {
    fn member(&self, row: &Row<'_>, place: u32) -> Result<CommunityRow, ScenarioError> {
        let name = row.text("name");
        if name.is_empty() {
            return Err(row.report("name", "a member has no name", "allowed: any text, once".to_owned()));
        }
        let preference = |column, everybody: Option<f64>| match given(row, column) {
            None if everybody.is_some() => Ok(None),
            _ => row.number(column, PREFERENCE.0, PREFERENCE.1).map(Some),
        };
        let heat_pump = self.scaled(row, "heat_pump_profile", "heat_pump_peak_kw", Some("heat_pump_kwh_per_year"))?;
        let of_heat_pump = ["heat_pump_shiftable", "heat_pump_timing"];
        needs(row, "heat_pump_profile", &of_heat_pump)?;
        let shiftable = number(row, "heat_pump_shiftable", 0.0, 1.0)?.unwrap_or(0.0);
        let timing = timing(row, "heat_pump_timing")?;
        let member = Member {
            number: place,
            name: Some(name.into()),
            group: given(row, "group").map(Arc::from),
            storage: battery(row)?,
            profile: Profile::Slots(Arc::from([])),
        };
        Ok(CommunityRow {
            member,
            generation: self.scaled(row, "pv_profile", "pv_kwp", None)?,
            load: self.scaled(row, "load_profile", "load_peak_kw", Some("load_kwh_per_year"))?,
            heat_pump: heat_pump.map(|load| HeatPump { load, shiftable, timing }),
            vehicle: vehicle(row, self.clock)?,
            preference_pv: preference("preference_pv", self.preferences.preference_pv)?,
            preference_grid: preference(PREFERENCE_GRID, self.preferences.preference_grid)?,
        })
    }

    /// A profile with what the row says it is scaled by: a power, or what it comes to in a year.
    fn scaled(
        &self,
        row: &Row<'_>,
        profile: &str,
        power: &str,
        yearly: Option<&str>,
    ) -> Result<Option<Scaled>, ScenarioError> {
        let scales = || [power].into_iter().chain(yearly);
        let Some(name) = given(row, profile) else {
            let vain: Vec<&str> = scales().collect();
            return needs(row, profile, &vain).map(|()| None);
        };
        let Some(Series { upto, mean }) = self.profiles.get(name) else {
            let known = || self.profiles.keys().map(String::as_str);
            let few: Vec<&str> = known().take(8).collect();
            let more = if self.profiles.len() > few.len() { " and so on" } else { "" };
            let allowed = match &self.community.profiles {
                Some(file) => format!("allowed: a profile of {}: {}{more}", file.display(), few.join(", ")),
                None => "allowed: a profile, in a file that `population.Members.profiles` names".to_owned(),
            };
            let notes = did_you_mean(name, known()).into_iter().chain([allowed]);
            return Err(row.report_with(profile, "there is no such profile", notes));
        };
        let (peak, of_year) = (
            number(row, power, 0.0, LARGEST)?,
            yearly.map(|yearly| number(row, yearly, 0.0, 1e9)).transpose()?.flatten(),
        );
        let unit = self.community.unit;
        let times = match (peak, of_year) {
            (Some(_), Some(_)) => {
                let allowed = format!("allowed: this or `{power}`");
                return Err(row.report(yearly.unwrap_or(power), "the profile is scaled twice", allowed));
            }
            (Some(_), None) if unit != Unit::Share => {
                let allowed = format!(
                    "allowed: empty; or profiles that are shares of this, from 0 to 1, as `unit: Share` in \
                     `population.Members` says they are; it says `{unit:?}`"
                );
                return Err(row.report(power, "the profile is energy or power already", allowed));
            }
            (Some(peak), None) => peak,
            (None, Some(of_year)) if *mean > 0.0 => of_year / self.hours_of_year / mean,
            (None, Some(0.0)) => 0.0,
            (None, Some(_)) => {
                let allowed = "allowed: a profile that is not 0 throughout".to_owned();
                return Err(row.report(profile, "no energy can be had of it", allowed));
            }
            (None, None) if unit == Unit::Share => {
                let wanted: Vec<String> = scales().map(|column| format!("`{column}`")).collect();
                let allowed = format!(
                    "allowed: a value in {}; or `unit: Kwh` or `Kw` in `population.Members`, if profiles are energy or power",
                    wanted.join(" or ")
                );
                return Err(row.report_with(profile, "its profile is a share, and of what is not said", [allowed]));
            }
            (None, None) => 1.0,
        };
        Ok(Some(Scaled { upto: Arc::clone(upto), times }))
    }
}

/// What a cell holds, if anything.
fn given<'a>(row: &'a Row<'_>, column: &str) -> Option<&'a str> {
    Some(row.text(column)).filter(|text| !text.is_empty())
}

fn number(row: &Row<'_>, column: &str, smallest: f64, largest: f64) -> Result<Option<f64>, ScenarioError> {
    given(row, column).map(|_| row.number(column, smallest, largest)).transpose()
}

/// Fails if one of these cells is filled, and that without which it says nothing is not.
fn needs(row: &Row<'_>, column: &str, others: &[&str]) -> Result<(), ScenarioError> {
    match others.iter().find(|other| given(row, column).is_none() && given(row, other).is_some()) {
        None => Ok(()),
        Some(other) => {
            let problem = format!("says nothing without `{column}`");
            Err(row.report(other, &problem, format!("allowed: empty, or a value in `{column}` too")))
        }
    }
}

fn parsed<T: FromStr<Err = String>>(row: &Row<'_>, column: &str) -> Result<Option<T>, ScenarioError> {
    let read = |text: &str| text.parse().map_err(|allowed| row.report_with(column, "not allowed", [allowed]));
    given(row, column).map(read).transpose()
}

fn timing(row: &Row<'_>, column: &str) -> Result<Timing, ScenarioError> {
    Ok(match given(row, column) {
        None | Some("Surplus") => Timing::Surplus,
        Some("AtOnce") => Timing::AtOnce,
        Some("LowTariff") => Timing::LowTariff,
        Some(other) => {
            let notes = did_you_mean(other, ["AtOnce", "LowTariff", "Surplus"]);
            let allowed = "allowed: AtOnce, LowTariff or Surplus, which it is where the cell is empty".to_owned();
            return Err(row.report_with(column, "there is no such rule", notes.into_iter().chain([allowed])));
        }
    })
}

fn battery(row: &Row<'_>) -> Result<Option<Storage>, ScenarioError> {
    let (capacity, power) = ("battery_kwh", "battery_kw");
    needs(row, capacity, &[power, "battery_efficiency", "battery_initial_kwh"])?;
    let Some(capacity_kwh) = number(row, capacity, 0.0, LARGEST)?.filter(|kwh| *kwh > 0.0) else { return Ok(None) };
    needs(row, power, &[capacity])?;
    let efficiency = number(row, "battery_efficiency", 0.01, 1.0)?.unwrap_or(Storage::USUAL_EFFICIENCY);
    let power_kw = row.number(power, 1e-6, LARGEST)?;
    let initial_kwh = number(row, "battery_initial_kwh", 0.0, capacity_kwh)?.unwrap_or(0.0);
    Ok(Some(Storage { capacity_kwh, power_kw, efficiency, initial_kwh }))
}

fn vehicle(row: &Row<'_>, clock: &Clock) -> Result<Option<Vehicle>, ScenarioError> {
    let (energy, power, hours) = ("ev_kwh", "ev_kw", "ev_home");
    needs(row, energy, &[power, hours, "ev_charging"])?;
    let Some(kwh) = number(row, energy, 0.0, LARGEST)?.filter(|kwh| *kwh > 0.0) else { return Ok(None) };
    needs(row, power, &[energy])?;
    needs(row, hours, &[energy])?;
    let kw = row.number(power, 1e-6, LARGEST)?;
    let has_days = given(row, hours).is_some_and(|text| text.contains(char::is_alphabetic));
    let every_day = "hours alone: a vehicle is at home at the same hours of each day";
    let home = parsed(row, hours).map_err(|error| if has_days { error.noted(every_day) } else { error });
    let home: Hours = home?.unwrap_or(Hours::ALL);
    let most = kw * clock.slots_in(home) as f64 * clock.hours();
    if kwh > most * (1.0 + 1e-9) {
        let slots = format!("{} of {}", clock.slots_in(home), humantime::format_duration(clock.slot_length));
        let problem = format!("more than {kw} kW can charge from {home}, in whose time lie {slots}");
        return Err(row.report(energy, &problem, format!("allowed: at most {most} kWh, or more power or hours")));
    }
    Ok(Some(Vehicle { kwh, kw, home, timing: timing(row, "ev_charging")? }))
}
