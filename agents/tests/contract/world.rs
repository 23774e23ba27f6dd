//! A contract with a world state in memory, and a market of four that plays slot 17.

use microgrid_agents::{
    chain::{
        call::{Call, Settlement},
        fact::{Bill, Fact, Game, Key, Number},
        genesis::{Genesis, Policies, Posts, Rules, Signatures},
        identity::{Party, SecretKey},
        refusal::Validity,
    },
    contract::{Contract, Stub},
    ids::{ActorId, Slot},
    market::{
        choice_set::ChoiceSet,
        demand::{Buyer, Demand},
        mechanism::Mechanism,
        opening::OpenSlots,
    },
    statement::{Choice, Outcome, Quote, Registration, Tariff},
    time::Time,
    units::{Energy, Money},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(crate) const SLOT: Slot = 17;
pub(crate) const SELLERS: [Number; 2] = [1, 4];
pub(crate) const BUYERS: [Number; 2] = [2, 6];
pub(crate) const IDLE: Number = 3;
/// The trades that follow from [`World::played`].
pub(crate) const TRADES: [(Number, Number, Energy); 4] =
    [(2, 1, Energy(500_000)), (2, 4, Energy(300_000)), (6, 1, Energy(500_000)), (6, 4, Energy(200_000))];

/// Facts, and what the last call has done.
#[derive(Clone, Default)]
pub(crate) struct State {
    facts: BTreeMap<Key, Fact>,
    pub(crate) reads: Vec<Key>,
    pub(crate) writes: Vec<(Key, Fact)>,
}

impl Stub for State {
    fn read(&mut self, key: Key) -> Option<Fact> {
        assert!(self.writes.is_empty(), "{key} read after a write");
        assert!(!self.reads.contains(&key), "{key} read twice");
        self.reads.push(key);
        self.fact(key)
    }

    fn write(&mut self, key: Key, fact: Fact) {
        let text = fact.to_json();
        assert!(Fact::from_json(key, text.get()).is_ok(), "{} is no fact for {key}", text.get());
        assert!(self.writes.iter().all(|(known, _)| *known != key), "{key} written twice");
        self.facts.insert(key, fact.clone());
        self.writes.push((key, fact));
    }
}

impl State {
    /// The fact under a key.
    pub(crate) fn fact(&self, key: Key) -> Option<Fact> {
        self.facts.get(&key).cloned()
    }
}

impl World {
    /// What slot 17 has brought somebody: all that changes hands in it adds up to nothing.
    pub(crate) fn balance(&self, party: Party) -> Money {
        let owed = |number| match self.state.fact(Key::Invoice(SLOT, number)) {
            Some(Fact::Invoice(invoice)) => invoice.charge - invoice.credit,
            _ => Money::ZERO,
        };
        match party {
            Party::Prosumer(number) => match self.state.fact(Key::Account(SLOT, number)) {
                Some(Fact::Account(account)) => account.earned - account.paid - account.fee - owed(number),
                _ => Money::ZERO - owed(number),
            },
            Party::Grid => (1..=6).map(owed).sum(),
            Party::Peer(_) => Money::ZERO,
            Party::Ledger => match self.state.fact(Key::Fees(SLOT)) {
                Some(Fact::Fees(fees)) => fees,
                _ => Money::ZERO,
            },
        }
    }

    /// What a buyer owes a seller.
    pub(crate) fn bill(&self, slot: Slot, buyer: Number, seller: Number) -> Option<Bill> {
        self.state.fact(Key::Bill(slot, buyer, seller))?.try_into().ok()
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) contract: Contract,
    pub(crate) state: State,
}

impl World {
    /// Nothing has happened yet.
    pub(crate) fn new(demand: Demand) -> Self {
        Self::of(demand, ChoiceSet::All)
    }

    fn of(demand: Demand, choice_set: ChoiceSet) -> Self {
        let rules = Rules {
            slots: 24,
            open: OpenSlots::span(8, 20),
            demand,
            service_fee: 0.01,
            grid_fee: 0.0,
            ramp: 0.1,
            choice_set,
            posts: Posts::Every,
            max_transactions: 500,
            timeout: Duration::from_millis(50),
            late_blocks: false,
            mechanism: Mechanism::TwoLevelGame,
        };
        let key = |actor| Some(SecretKey::derive(1, ActorId(actor)).public());
        let genesis = Genesis {
            scenario: "four".into(),
            case: 1,
            seed: 1,
            rules,
            policies: Policies::new(Signatures::Settlement),
            ledger: key(0),
            grid: key(1),
            peers: Vec::new(),
            prosumers: (1..=6).map(|number| (number, key(1 + number))).collect(),
            tariff_groups: Vec::new(),
        };
        Self { contract: Contract::new(Arc::new(genesis)), state: State::default() }
    }

    /// The tariffs of the slot are known.
    pub(crate) fn begun() -> Self {
        Self::new(Demand::Elastic).after(Party::Grid, Call::PublishTariff(tariff().into()))
    }

    /// Everybody has registered.
    pub(crate) fn registered() -> Self {
        Self::begun().with_registrations()
    }

    fn with_registrations(self) -> Self {
        let registrations = [(1, seller(1_000_000)), (2, buyer(1.6)), (IDLE, Registration::Idle)];
        let more = [(4, seller(500_000)), (6, buyer(2.0))];
        registrations.into_iter().chain(more).fold(self, |world, (number, registration)| {
            world.after(Party::Prosumer(number), Call::Register(SLOT, registration))
        })
    }

    /// The game is open.
    pub(crate) fn open() -> Self {
        Self::registered().after(Party::Ledger, Call::OpenGame(SLOT, game()))
    }

    /// The game is open, and demand is firm.
    pub(crate) fn open_firm() -> Self {
        let begun = Self::new(Demand::Firm).after(Party::Grid, Call::PublishTariff(tariff().into()));
        begun.with_registrations().after(Party::Ledger, Call::OpenGame(SLOT, game()))
    }

    /// The game is open, and buyers know a sample of this many sellers.
    pub(crate) fn open_to_acquaintances(size: u32) -> Self {
        let begun =
            Self::of(Demand::Elastic, ChoiceSet::Sample(size)).after(Party::Grid, Call::PublishTariff(tariff().into()));
        begun.with_registrations().after(Party::Ledger, Call::OpenGame(SLOT, game()))
    }

    /// Everybody has posted once.
    pub(crate) fn played() -> Self {
        Self::open()
            .after(Party::Prosumer(1), Call::PostQuote(quote(1, 0.6)))
            .after(Party::Prosumer(4), Call::PostQuote(quote(1, 0.7)))
            .after(Party::Prosumer(2), post(choice(1, [0.25, 0.75], [2.0, 0.4])))
            .after(Party::Prosumer(6), post(choice(1, [0.5, 0.5], [1.0, 0.4])))
    }

    /// The game is over.
    pub(crate) fn closed() -> Self {
        Self::played().after(Party::Ledger, Call::CloseGame(SLOT, Outcome::Equilibrium))
    }

    /// The slot is settled.
    pub(crate) fn settled() -> Self {
        Self::closed().after(Party::Ledger, settle(&TRADES))
    }

    /// Carries a call out; a refused one must not have written anything.
    pub(crate) fn call(&mut self, creator: Party, call: &Call) -> Validity {
        self.state.reads.clear();
        self.state.writes.clear();
        let validity = self.contract.execute(creator, call, &mut self.state);
        assert_eq!(validity.is_ok(), !self.state.writes.is_empty(), "what counts writes, what is refused does not");
        validity
    }

    /// What would become of a call.
    pub(crate) fn attempt(&self, creator: Party, call: Call) -> Validity {
        self.clone().call(creator, &call)
    }

    /// The world after a call that counts.
    pub(crate) fn after(mut self, creator: Party, call: Call) -> Self {
        assert_eq!(self.call(creator, &call), Ok(()), "{call:?}");
        self
    }

    /// What a call that counts reads, as text.
    pub(crate) fn reads(&self, creator: Party, call: Call) -> Vec<String> {
        self.clone().after(creator, call).state.reads.iter().map(Key::to_string).collect()
    }

    /// What a call that counts writes: keys and facts as text.
    pub(crate) fn writes(&self, creator: Party, call: Call) -> Vec<String> {
        let state = self.clone().after(creator, call).state;
        state.writes.iter().map(|(key, fact)| format!("{key} {}", fact.to_json().get())).collect()
    }
}

pub(crate) fn tariff() -> Tariff {
    Tariff::new(SLOT, 0.45, 0.85)
}

pub(crate) fn seller(surplus: i64) -> Registration {
    Registration::Seller(Energy(surplus))
}

pub(crate) fn buyer(need: f64) -> Registration {
    Registration::Buyer(Buyer { need, generation: 1.75, preference: 2.04 })
}

pub(crate) fn game() -> Arc<Game> {
    let (sellers, buyers) = (SELLERS.to_vec(), BUYERS.to_vec());
    Arc::new(Game { sellers, buyers, first_choice: vec![0.5, 0.5], closes: Time(1) })
}

pub(crate) fn quote(version: u32, price: f64) -> Quote {
    Quote { slot: SLOT, version, price, change: f64::INFINITY, updates_at_rest: 0, answers: Time::ZERO }
}

pub(crate) fn choice(version: u32, shares: impl Into<Vec<f64>>, purchases: impl Into<Vec<f64>>) -> Choice {
    Choice {
        slot: SLOT,
        version,
        known: None,
        shares: shares.into(),
        purchases: purchases.into(),
        responsive: 1.0,
        change: f64::INFINITY,
        updates_at_rest: 0,
        answers: Time::ZERO,
        quotes: Time::ZERO,
        news_age: Duration::ZERO,
    }
}

pub(crate) fn post(choice: Choice) -> Call {
    Call::PostChoice(Arc::new(choice))
}

pub(crate) fn settle(trades: &[(Number, Number, Energy)]) -> Call {
    Call::Settle(Arc::new(Settlement { slot: SLOT, trades: trades.to_vec(), ..Settlement::default() }))
}
