//! Slots, opening hours, tariffs and fees.

use super::{Tariff, brackets};
use crate::{
    calendar::{Calendar, Dates},
    hours::{Days, Hours, HoursOfDays, Months},
};
use indexmap::IndexMap;
use microgrid_agents::market::{mechanism::Mechanism, opening::OpenSlots};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Unexpected, Visitor},
};
use std::{fmt, time::Duration};

/// What there is by default, without a calendar.
const SLOTS: u32 = 24;
const SLOT_LENGTH: Duration = Duration::from_secs(3600);
const OPEN: Open = Open::Slots(8, 20);
/// Path of what the grid's energy emits, which is no price.
pub(crate) const CO2: &str = "market.co2";
/// What is wanted where a pair of slots may stand.
pub(crate) const FIRST_AND_LAST: &str = "the first and the last open slot";
/// The label of money by default.
const CURRENCY: &str = "CNY";

/// Slots, opening hours, tariffs and fees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Market {
    /// By which mechanism trades come about.
    pub mechanism: Mechanism,
    /// What the dates of slots are, if they have any. It says how many slots there are, how long each is and when the first
    /// begins.
    pub calendar: Option<Calendar>,
    /// Number of slots.
    pub slots: u32,
    /// Length of a slot.
    pub slot_length: Duration,
    /// Time of day at which the first slot begins; of interest to synthetic populations only.
    pub starts_at: Duration,
    /// When the local market is open.
    pub open: Open,
    /// When the gate closes, counted from the opening of the slot.
    pub gate_closure: Duration,
    /// What the grid pays for energy.
    pub feed_in_tariff: Tariff,
    /// What the grid asks for energy.
    pub grid_tariff: Tariff,
    /// Operator's fee on local trades, paid by the buyer [CNY/kWh].
    pub service_fee: f64,
    /// The grid's fee on local trades, paid by the buyer too [CNY/kWh].
    pub grid_fee: f64,
    /// What the grid pays and asks for what meters read beside what was registered; `None`: the tariffs.
    pub imbalance: Option<Imbalance>,
    /// Tariffs of the grid of the members of a group, by its name.
    pub tariffs: IndexMap<String, GroupTariffs>,
    /// What a kWh of the grid's energy emits [g/kWh]; `None`: nobody asks.
    pub co2: Option<Tariff>,
    /// What money is called. All amounts are in it.
    pub currency: String,
    /// A field that the calendar gives, and yet is given beside it.
    #[doc(hidden)] // Hidden: noted by whoever reads a scenario, for whoever checks it.
    pub given_twice: Option<String>,
}

/// As a scenario writes it: what the calendar says is left out beside one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename = "Market", default, deny_unknown_fields)]
struct Written {
    mechanism: Mechanism,
    #[serde(deserialize_with = "brackets::optional", skip_serializing_if = "Option::is_none")]
    calendar: Option<Calendar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<u32>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    slot_length: Option<Duration>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    starts_at: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Open>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    gate_closure: Option<Duration>,
    feed_in_tariff: Tariff,
    grid_tariff: Tariff,
    service_fee: f64,
    grid_fee: f64,
    #[serde(deserialize_with = "brackets::optional")]
    imbalance: Option<Imbalance>,
    tariffs: IndexMap<String, GroupTariffs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    co2: Option<Tariff>,
    currency: String,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            mechanism: Mechanism::TwoLevelGame,
            calendar: None,
            slots: None,
            slot_length: None,
            starts_at: None,
            open: None,
            gate_closure: None,
            feed_in_tariff: Tariff::Constant(0.45),
            grid_tariff: Tariff::Constant(0.85),
            service_fee: 0.0,
            grid_fee: 0.0,
            imbalance: None,
            tariffs: IndexMap::new(),
            co2: None,
            currency: CURRENCY.to_owned(),
        }
    }
}

impl Default for Market {
    fn default() -> Self {
        Written::default().into()
    }
}

impl From<Written> for Market {
    fn from(written: Written) -> Self {
        let Written { mechanism, calendar, slots, slot_length, starts_at, open, gate_closure, .. } = written;
        let given = [("slots", slots.is_some()), ("slot_length", slot_length.is_some())];
        let given = given.into_iter().chain([("starts_at", starts_at.is_some())]);
        let given_twice =
            given.filter(|(_, given)| *given && calendar.is_some()).map(|(name, _)| name.to_owned()).next();
        // What is wrong with a calendar is told when the scenario is checked.
        let dates = calendar.as_ref().and_then(|calendar| Dates::of(calendar).ok());
        let slot_length = match &calendar {
            Some(calendar) => calendar.slot_length,
            None => slot_length.unwrap_or(SLOT_LENGTH),
        };
        let since_midnight = |dates: &Dates| {
            let time = dates.begin(1).time();
            Duration::from_secs(time.hour() as u64 * 3600 + time.minute() as u64 * 60 + time.second() as u64)
        };
        let usual_open = if calendar.is_some() { Open::ALL_DAY } else { OPEN };
        Self {
            mechanism,
            slots: dates.as_ref().map_or(slots.unwrap_or(SLOTS), Dates::slots),
            slot_length,
            starts_at: dates.as_ref().map_or(starts_at.unwrap_or_default(), since_midnight),
            open: open.unwrap_or(usual_open),
            gate_closure: gate_closure.unwrap_or(usual_gate(slot_length)),
            calendar,
            feed_in_tariff: written.feed_in_tariff,
            grid_tariff: written.grid_tariff,
            service_fee: written.service_fee,
            grid_fee: written.grid_fee,
            imbalance: written.imbalance,
            tariffs: written.tariffs,
            co2: written.co2,
            currency: written.currency,
            given_twice,
        }
    }
}

impl From<Market> for Written {
    fn from(market: Market) -> Self {
        let counted = market.calendar.is_none();
        let usual = usual_gate(market.slot_length);
        let twice = |field: &str| market.given_twice.as_deref() == Some(field);
        Self {
            mechanism: market.mechanism,
            slots: Some(market.slots).filter(|_| counted || twice("slots")),
            slot_length: Some(market.slot_length).filter(|_| counted || twice("slot_length")),
            starts_at: Some(market.starts_at).filter(|_| counted || twice("starts_at")),
            open: Some(market.open).filter(|open| counted || *open != Open::ALL_DAY),
            gate_closure: Some(market.gate_closure).filter(|gate| counted || *gate != usual),
            calendar: market.calendar,
            feed_in_tariff: market.feed_in_tariff,
            grid_tariff: market.grid_tariff,
            service_fee: market.service_fee,
            grid_fee: market.grid_fee,
            imbalance: market.imbalance,
            tariffs: market.tariffs,
            co2: market.co2,
            currency: market.currency,
        }
    }
}

/// When the gate closes if nobody says: 55 minutes of an hour, and as large a part of any other slot.
fn usual_gate(slot_length: Duration) -> Duration {
    slot_length / 12 * 11
}

impl Market {
    /// Time of day in the middle of the first slot [h].
    pub(crate) fn first_hour(&self) -> f64 {
        self.starts_at.as_secs_f64() / 3600.0 + 0.5 * self.hours()
    }

    /// Length of a slot [h].
    pub fn hours(&self) -> f64 {
        self.slot_length.as_secs_f64() / 3600.0
    }

    /// How many slots 24 hours have, at least one.
    pub fn slots_of_day(&self) -> u32 {
        ((24.0 / self.hours()).round() as u32).max(1)
    }

    /// What a buyer pays for each local kWh on top of its price [CNY/kWh].
    pub fn local_fee(&self) -> f64 {
        self.service_fee + self.grid_fee
    }

    /// All its tariffs and what is given like them, each with its path in a scenario.
    pub(crate) fn all_tariffs(&self) -> Vec<(String, &Tariff)> {
        let own = [("market.grid_tariff", &self.grid_tariff), ("market.feed_in_tariff", &self.feed_in_tariff)];
        let own = own.into_iter().map(|(path, tariff)| (path.to_owned(), tariff));
        let imbalance = self.imbalance.iter().flat_map(|Imbalance { short, long }| [("short", short), ("long", long)]);
        let imbalance = imbalance.map(|(name, tariff)| (format!("market.imbalance.{name}"), tariff));
        let groups = self.tariffs.iter().flat_map(|(group, GroupTariffs { grid_tariff, feed_in_tariff })| {
            let both = [("grid_tariff", grid_tariff), ("feed_in_tariff", feed_in_tariff)];
            both.into_iter()
                .filter_map(move |(name, tariff)| Some((format!("market.tariffs.{group}.{name}"), tariff.as_ref()?)))
        });
        let co2 = self.co2.iter().map(|co2| (CO2.to_owned(), co2));
        own.chain(imbalance).chain(groups).chain(co2).collect()
    }

    /// The same, to be changed.
    pub(crate) fn all_tariffs_mut(&mut self) -> impl Iterator<Item = &mut Tariff> {
        let imbalance = self.imbalance.iter_mut().flat_map(|Imbalance { short, long }| [short, long]);
        let groups = self.tariffs.values_mut();
        let groups = groups.flat_map(|of| of.grid_tariff.iter_mut().chain(&mut of.feed_in_tariff));
        [&mut self.grid_tariff, &mut self.feed_in_tariff]
            .into_iter()
            .chain(imbalance)
            .chain(groups)
            .chain(&mut self.co2)
    }

    /// The dates of its slots, if it has a calendar, which has to be a checked one.
    pub fn dates(&self) -> Option<Dates> {
        self.calendar.as_ref().and_then(|calendar| Dates::of(calendar).ok())
    }

    /// The slots in which the local market opens.
    pub fn open_slots(&self) -> OpenSlots {
        match (&self.open, self.dates()) {
            (Open::Slots(first, last), _) => OpenSlots::span(*first, *last),
            (Open::Hours(all), _) if all.is_empty() => OpenSlots::span(1, self.slots),
            (Open::Hours(all), Some(dates)) => OpenSlots::of((1..=self.slots).filter(|slot| {
                let begin = dates.begin(*slot);
                all.iter().any(|hours| hours.contains(&begin))
            })),
            (Open::Hours(_), None) => OpenSlots::default(),
        }
    }
}

/// When the local market is open: `(8, 20)`, `"08:00-20:00"` or `["Mon-Fri 06:00-22:00", "Sat-Sun 08:00-20:00"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// From the first to the last of these slots.
    Slots(u32, u32),
    /// In the slots that begin in one of these.
    Hours(Vec<HoursOfDays>),
}

impl Open {
    /// At any time.
    pub(crate) const ALL_DAY: Self = Self::Hours(Vec::new());
}

impl From<(u32, u32)> for Open {
    fn from((first, last): (u32, u32)) -> Self {
        Self::Slots(first, last)
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slots(first, last) => write!(f, "({first}, {last})"),
            Self::Hours(all) => {
                let all: Vec<String> = all.iter().map(HoursOfDays::to_string).collect();
                f.write_str(&all.join("; "))
            }
        }
    }
}

impl Serialize for Open {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Slots(first, last) => (first, last).serialize(serializer),
            Self::Hours(all) => match all.as_slice() {
                [hours] => hours.serialize(serializer),
                all => all.serialize(serializer),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Open {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The first of a pair of slots, or of a list of hours.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Part {
            Slot(u32),
            Hours(HoursOfDays),
        }

        struct SlotsOrHours;

        impl<'de> Visitor<'de> for SlotsOrHours {
            type Value = Open;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{FIRST_AND_LAST}, or hours such as \"08:00-20:00\"")
            }

            fn visit_str<E: de::Error>(self, hours: &str) -> Result<Self::Value, E> {
                // What has no time of day is meant for slots.
                if !hours.contains(':') {
                    return Err(E::invalid_value(Unexpected::Str(hours), &self));
                }
                hours.parse().map(|hours| Open::Hours(vec![hours])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let wrong = |length: usize| de::Error::invalid_length(length, &self);
                match list.next_element::<Part>()? {
                    None => Err(wrong(0)),
                    Some(Part::Slot(first)) => {
                        let last = list.next_element()?.ok_or_else(|| wrong(1))?;
                        match list.next_element::<de::IgnoredAny>()? {
                            None => Ok(Open::Slots(first, last)),
                            Some(_) => Err(wrong(3)),
                        }
                    }
                    Some(Part::Hours(hours)) => {
                        let mut all = vec![hours];
                        while let Some(hours) = list.next_element()? {
                            all.push(hours);
                        }
                        Ok(Open::Hours(all))
                    }
                }
            }
        }

        deserializer.deserialize_any(SlotsOrHours)
    }
}

/// A price of some hours, days and months; always, where none are given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// What a kWh costs [CNY/kWh].
    pub price: f64,
    /// In which hours.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// On which days of the week.
    #[serde(default)]
    pub days: Option<Days>,
    /// In which months.
    #[serde(default)]
    pub months: Option<Months>,
}

impl Rate {
    /// Whether it holds where a slot begins.
    pub(crate) fn holds(&self, begin: &jiff::Zoned) -> bool {
        let hours = HoursOfDays { days: self.days.unwrap_or(Days::ALL), hours: self.hours.unwrap_or(Hours::ALL) };
        hours.contains(begin) && self.months.is_none_or(|months| months.contains(begin.month()))
    }
}

/// What the grid pays and asks for what meters read beside what was registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imbalance {
    /// What it asks for energy that is missing.
    pub short: Tariff,
    /// What it pays for energy that is left.
    pub long: Tariff,
}

/// Tariffs of a group of prosumers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTariffs {
    /// What the grid asks for energy; `None`: what it asks everybody.
    #[serde(default)]
    pub grid_tariff: Option<Tariff>,
    /// What the grid pays for energy; `None`: what it pays everybody.
    #[serde(default)]
    pub feed_in_tariff: Option<Tariff>,
}
