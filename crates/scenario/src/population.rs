//! Who takes part: for every prosumer and slot, generation, load and preferences, and its storage.

use crate::schema::Storage;
use microgrid_agents::{
    ids::{ActorId, ProsumerId, Slot},
    streams::{Purpose, slot_stream},
    units::Energy,
};
use rand_distr::{Distribution as _, StandardNormal};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Largest generation or load of a slot [kWh], in profiles and of synthetic prosumers.
pub(super) const LARGEST_ENERGY: f64 = 1e4;

/// Everybody's data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Population {
    /// The prosumers, in ascending order of their number.
    pub prosumers: Vec<Member>,
}

impl Population {
    /// The prosumer with this number, if there is one.
    pub fn position(&self, number: u32) -> Option<ProsumerId> {
        let position = self.prosumers.binary_search_by_key(&number, |member| member.number).ok()?;
        Some(ProsumerId(position as u32))
    }

    /// The same, open for what is [said](Self::say) of a slot before it begins.
    pub fn live(&self) -> Self {
        let live = |member: &Member| {
            let live = Live { base: member.profile.clone(), said: RwLock::default() };
            Member { profile: Profile::Live(Arc::new(live)), ..member.clone() }
        };
        Self { prosumers: self.prosumers.iter().map(live).collect() }
    }

    /// Says what a slot brings: whatever a reading leaves out is as it was. Fails if there is no such prosumer, or an energy is
    /// none that a slot can have; the population has to be a [live](Self::live) one.
    pub fn say(&self, slot: Slot, readings: &[Reading]) -> Result<(), String> {
        for Reading { number, generation, load } in readings {
            let unknown = || format!("there is no prosumer {number}");
            let id = self.position(*number).ok_or_else(unknown)?;
            let energy = |what: &str, value: &Option<f64>| match value {
                Some(kwh) if !(0.0..=LARGEST_ENERGY).contains(kwh) => {
                    Err(format!("prosumer {number}: {what} of {kwh} kWh, allowed: from 0 to {LARGEST_ENERGY}"))
                }
                value => Ok(value.map(Energy::nearest)),
            };
            let said = [energy("generation", generation)?, energy("load", load)?];
            if let Profile::Live(live) = &self.prosumers[id.index()].profile {
                live.said.write().unwrap_or_else(PoisonError::into_inner).insert(slot, said);
            }
        }
        Ok(())
    }

    /// As the CSV file that a scenario's `Profiles` names.
    pub fn to_csv(&self) -> String {
        // With a point, so that no reader takes a column of whole values for one of whole numbers.
        let with_point = |number: String| if number.contains('.') { number } else { number + ".0" };
        let mut csv = "prosumer,slot,pv_kwh,load_kwh,preference_pv,preference_grid\n".to_owned();
        for Member { number, profile, .. } in &self.prosumers {
            for (slot, profile) in (1..).zip(profile.iter()) {
                let SlotProfile { generation, load, preference_pv, preference_grid } = profile;
                let numbers =
                    [generation.to_string(), load.to_string(), preference_pv.to_string(), preference_grid.to_string()];
                csv += &format!("{number},{slot},{}\n", numbers.map(with_point).join(","));
            }
        }
        csv
    }
}

/// What somebody outside of the scenario says of a prosumer's slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The prosumer's number.
    pub number: u32,
    /// What it generates [kWh]; `None`: as the scenario has it.
    pub generation: Option<f64>,
    /// What it would like to use [kWh]; `None`: as the scenario has it.
    pub load: Option<f64>,
}

/// One prosumer's data.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its number in the scenario's files and in all results.
    pub number: u32,
    /// What people call it, if they do.
    pub name: Option<Arc<str>>,
    /// The group whose tariffs it has, and by which the network may know it; `None` without one.
    pub group: Option<Arc<str>>,
    /// Its own storage; `None` if it has what everybody has.
    pub storage: Option<Storage>,
    /// Its profile, one entry a slot.
    pub profile: Profile,
}

impl Member {
    /// A prosumer with this number and profile and nothing else of its own.
    pub fn new(number: u32, profile: impl Into<Profile>) -> Self {
        Self { number, name: None, group: None, storage: None, profile: profile.into() }
    }

    /// What people read of it: its name or, without one, its number.
    pub fn label(&self) -> String {
        self.name.as_ref().map_or_else(|| self.number.to_string(), |name| name.to_string())
    }
}

/// A prosumer's profile, one entry a slot.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// As it was given or drawn, slot by slot.
    Slots(Arc<[SlotProfile]>),
    /// By its devices.
    Devices(Arc<Devices>),
    /// As it is said before each slot begins.
    Live(Arc<Live>),
}

/// A profile of which somebody outside of the scenario has the last word, slot by slot.
#[derive(Debug)]
pub struct Live {
    base: Profile,
    /// Generation and load, where they are said.
    said: RwLock<BTreeMap<Slot, [Option<Energy>; 2]>>,
}

impl PartialEq for Live {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Live {
    fn slot(&self, slot: Slot, usual: impl Fn(&Profile) -> SlotProfile) -> SlotProfile {
        let usual = usual(&self.base);
        let said = self.said.read().unwrap_or_else(PoisonError::into_inner).get(&slot).copied();
        let [generation, load] = said.unwrap_or_default();
        SlotProfile { generation: generation.unwrap_or(usual.generation), load: load.unwrap_or(usual.load), ..usual }
    }
}

impl<Slots: Into<Arc<[SlotProfile]>>> From<Slots> for Profile {
    fn from(slots: Slots) -> Self {
        Self::Slots(slots.into())
    }
}

impl Profile {
    /// How many slots it has.
    pub fn slots(&self) -> Slot {
        match self {
            Self::Slots(slots) => slots.len() as Slot,
            Self::Devices(devices) => devices.slots,
            Self::Live(live) => live.base.slots(),
        }
    }

    /// The entry of a slot, counted from 1.
    pub fn slot(&self, slot: Slot) -> SlotProfile {
        match self {
            Self::Slots(slots) => slots[slot as usize - 1],
            Self::Devices(devices) => devices.slot(slot, [1.0, 1.0]),
            Self::Live(live) => live.slot(slot, |base| base.slot(slot)),
        }
    }

    /// The entry as it is foreseen before the slot begins; the same where forecasts do not err.
    pub fn foreseen(&self, slot: Slot) -> SlotProfile {
        match self {
            Self::Slots(slots) => slots[slot as usize - 1],
            Self::Devices(devices) => devices.slot(slot, devices.errors(slot)),
            Self::Live(live) => live.slot(slot, |base| base.foreseen(slot)),
        }
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = SlotProfile> + '_ {
        (1..=self.slots()).map(|slot| self.slot(slot))
    }
}

/// A prosumer's data of one slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotProfile {
    /// Generation `P` of the slot.
    pub generation: Energy,
    /// Consumption `X` it would like.
    pub load: Energy,
    /// Preference for photovoltaic energy without a ledger, `w_pv0` [CNY/kWh].
    pub preference_pv: f64,
    /// Preference for grid energy, `w_grid` [CNY/kWh].
    pub preference_grid: f64,
}

/// What a member's devices generate and use.
#[derive(Clone, Debug, PartialEq)]
pub struct Devices {
    pub(super) slots: Slot,
    /// Its photovoltaics, if it has any.
    pub(super) generation: Option<Scaled>,
    /// What cannot be deferred, if there is anything.
    pub(super) load: Option<Scaled>,
    /// What has been planned on top, if it has deferrable devices.
    pub(super) planned: Option<Arc<[Energy]>>,
    pub(super) preference_pv: f64,
    pub(super) preference_grid: f64,
    /// How far its forecasts err, if they do.
    pub(super) forecast: Option<Forecast>,
}

/// A profile that members share, times what each has of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaled {
    /// What it has come to by the end of each slot [kWh].
    pub(super) upto: Arc<[f64]>,
    pub(super) times: f64,
}

/// Relative standard deviations of what is foreseen of generation and load, and the stream that errors are drawn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Forecast {
    pub(super) errors: [f64; 2],
    pub(super) seed: u64,
    pub(super) actor: ActorId,
}

impl Scaled {
    /// What it comes to in a slot: in whole units whose sums are the nearest to the real ones, so that a year's rounding is
    /// that of one slot.
    pub(super) fn slot(&self, slot: Slot) -> Energy {
        let upto = |slots: usize| slots.checked_sub(1).map_or(0.0, |place| self.upto[place] * self.times);
        let place = slot as usize;
        (Energy::nearest(upto(place)) - Energy::nearest(upto(place - 1))).min(Energy::nearest(LARGEST_ENERGY)).or_zero()
    }

    /// The same where it is foreseen as so many times of that.
    fn foreseen(&self, slot: Slot, error: f64) -> Energy {
        let exact = self.slot(slot);
        if error == 1.0 { exact } else { Energy::nearest((exact.value() * error).min(LARGEST_ENERGY)) }
    }
}

impl Devices {
    /// The entry of a slot, with generation and load that cannot be deferred times these factors.
    fn slot(&self, slot: Slot, [of_generation, of_load]: [f64; 2]) -> SlotProfile {
        let of = |scaled: &Option<Scaled>, error| scaled.as_ref().map_or(Energy::ZERO, |of| of.foreseen(slot, error));
        let planned = self.planned.as_ref().map_or(Energy::ZERO, |planned| planned[slot as usize - 1]);
        SlotProfile {
            generation: of(&self.generation, of_generation),
            load: (of(&self.load, of_load) + planned).min(Energy::nearest(LARGEST_ENERGY)),
            preference_pv: self.preference_pv,
            preference_grid: self.preference_grid,
        }
    }

    /// By which factors its forecast of a slot errs.
    fn errors(&self, slot: Slot) -> [f64; 2] {
        let Some(Forecast { errors, seed, actor }) = self.forecast else { return [1.0, 1.0] };
        let mut random = slot_stream(seed, actor, Purpose::Forecast, slot);
        errors.map(|error| {
            let deviation: f64 = StandardNormal.sample(&mut random);
            (1.0 + error * deviation).max(0.0)
        })
    }

    /// What is foreseen of generation and of load that cannot be deferred, in a slot.
    pub(super) fn base(&self, slot: Slot) -> [Energy; 2] {
        let [of_generation, of_load] = self.errors(slot);
        let of = |scaled: &Option<Scaled>, error| scaled.as_ref().map_or(Energy::ZERO, |of| of.foreseen(slot, error));
        [of(&self.generation, of_generation), of(&self.load, of_load)]
    }
}
