//! Who has registered for a slot, and whose meter has been read.

use crate::{ids::ProsumerId, statement::Registration, units::Energy};

/// Who has registered for a slot, and whose meter has been read.
#[derive(Debug)]
pub(super) struct Roster {
    registrations: Vec<Option<Registration>>,
    registered: usize,
    read: Vec<bool>,
    readings: usize,
}

impl Roster {
    /// A roster on which nobody stands yet.
    pub(super) fn new(prosumers: usize) -> Self {
        Self { registrations: vec![None; prosumers], registered: 0, read: vec![false; prosumers], readings: 0 }
    }

    /// Strikes everybody off.
    pub(super) fn clear(&mut self) {
        self.registrations.fill(None);
        self.registered = 0;
        self.read.fill(false);
        self.readings = 0;
    }

    pub(super) fn everybody(&self) -> impl Iterator<Item = ProsumerId> + use<> {
        (0..self.registrations.len() as u32).map(ProsumerId)
    }

    pub(super) fn register(&mut self, prosumer: ProsumerId, registration: Registration) {
        if self.registrations[prosumer.index()].replace(registration).is_none() {
            self.registered += 1;
        }
    }

    pub(super) fn registration(&self, prosumer: ProsumerId) -> Option<&Registration> {
        self.registrations[prosumer.index()].as_ref()
    }

    pub(super) fn is_registered(&self, prosumer: ProsumerId) -> bool {
        self.registration(prosumer).is_some()
    }

    pub(super) fn all_registered(&self) -> bool {
        self.registered == self.registrations.len()
    }

    /// The registered sellers and buyers, each in order of their number.
    pub(super) fn sides(&self) -> (Vec<ProsumerId>, Vec<ProsumerId>) {
        let of = |wanted: fn(&Registration) -> bool| {
            self.everybody().filter(|&prosumer| self.registration(prosumer).is_some_and(wanted)).collect()
        };
        (of(|r| matches!(r, Registration::Seller(_))), of(|r| matches!(r, Registration::Buyer(_))))
    }

    /// The surplus of a registered seller; zero for others.
    pub(super) fn surplus(&self, prosumer: ProsumerId) -> Energy {
        match self.registration(prosumer) {
            Some(Registration::Seller(surplus)) => *surplus,
            _ => Energy::ZERO,
        }
    }

    pub(super) fn read(&mut self, prosumer: ProsumerId) {
        self.readings += usize::from(!std::mem::replace(&mut self.read[prosumer.index()], true));
    }

    pub(super) fn is_read(&self, prosumer: ProsumerId) -> bool {
        self.read[prosumer.index()]
    }

    pub(super) fn all_read(&self) -> bool {
        self.readings == self.read.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::demand::Buyer;

    #[test]
    fn the_roster_is_full_when_everybody_has_said_something() {
        let mut roster = Roster::new(3);
        roster.register(ProsumerId(2), Registration::Seller(Energy(5)));
        roster.register(ProsumerId(2), Registration::Seller(Energy(5)));
        let buyer = Buyer { need: 1.0, generation: 0.0, preference: 2.0 };
        roster.register(ProsumerId(0), Registration::Buyer(buyer));
        assert!(!roster.all_registered());
        roster.register(ProsumerId(1), Registration::Idle);
        assert!(roster.all_registered());
        assert_eq!(roster.sides(), (vec![ProsumerId(2)], vec![ProsumerId(0)]));
        assert_eq!((roster.surplus(ProsumerId(2)), roster.surplus(ProsumerId(1))), (Energy(5), Energy::ZERO));
        roster.everybody().for_each(|prosumer| roster.read(prosumer));
        roster.read(ProsumerId(0));
        assert!(roster.all_read());
        roster.clear();
        assert!(!roster.all_read() && !roster.is_read(ProsumerId(0)) && !roster.is_registered(ProsumerId(0)));
    }
}
