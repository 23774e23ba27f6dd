//! Ways of trading. A mechanism decides what participants post, what the ledger makes of it and shows, when that ends,
//! how trades come out, and what the contract holds all this to.
//!
//! Each is a folder with three types: `Player`, a participant's side of a slot's market (`Participant`); `Board`, the
//! ledger's (`Floor`); and `Law`, its rules on the chain (`Lawful`). They are listed once, at the end of this file.
//! Whoever else has to do with trades does not know which mechanism runs.

pub mod auction;
mod cleared;
mod habits;
pub(crate) mod negotiation;
pub mod orders;
pub mod pairing;
mod pool;
mod posted;
pub mod pro_rata;
pub mod rates;
mod rest;
mod strategy;
pub(crate) mod two_level;

pub(crate) use auction::{continuous, uniform};
pub use habits::{FirstPrices, Habits};
use pool::Pool;
pub(crate) use posted::Posted;
pub use strategy::Strategy;

use crate::{
    chain::{
        fact::{Clearing, Game, Number},
        genesis::Genesis,
        refusal::{Refusal, Validity},
        stub::Stub,
    },
    ids::{ProsumerId, Slot},
    market::{demand::Buyer, mechanism::Mechanism, part::Part, pricing::PriceBand, role::Role, settlement::Trade},
    message::{MarketOpened, MarketState, Message, Notice, Shown},
    observation::Observation,
    statement::{Outcome, Post},
    streams::Stream,
    time::Time,
    units::{Energy, Total},
};
use std::{fmt::Debug, sync::Arc, time::Duration};

/// What a participant is in the market of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Buyer with this index.
    Buyer(u32),
    /// Seller with this index and surplus.
    Seller(u32, Energy),
}

/// A participant as it joins the market of a slot.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) market: &'a Arc<MarketOpened>,
    pub(crate) genesis: &'a Genesis,
    pub(crate) prosumer: ProsumerId,
    pub(crate) side: Side,
    /// What it registered as a buyer, its preference less what it pays to the operator.
    pub(crate) buyer: Buyer,
    pub(crate) band: PriceBand,
    pub(crate) habits: &'a Habits,
    /// A price of its own from before that it begins with as a seller, if there is one.
    pub(crate) first_price: Option<f64>,
}

/// What a participant has at hand when it is asked for a post.
pub(crate) struct Moment<'a> {
    pub(crate) habits: &'a Habits,
    /// Curvature of utility in a slot, `alpha / h` (4) [CNY/kWh²].
    pub(crate) alpha: f64,
    /// The rules that are its own.
    pub(crate) strategy: Option<&'a mut Strategy>,
    pub(crate) random: &'a mut Stream,
    pub(crate) now: Time,
    /// How often it has been asked before in this market.
    pub(crate) acts: u32,
    /// From one time that it is asked to the next.
    pub(crate) interval: Duration,
}

/// A participant's side of the market of one slot.
pub(crate) trait Participant: Debug + Sized {
    fn join(entry: Entry<'_>) -> Self;

    /// Takes in a state of the market that the ledger shows, unless it knows a newer one; returns whether it did.
    fn hear(&mut self, _: Arc<MarketState>, _now: Time) -> bool {
        false
    }

    /// The same with a notice.
    fn notice(&mut self, _: Arc<Notice>) -> bool {
        false
    }

    /// Takes in that it has traded so much in this slot in all, last at this price [CNY/kWh].
    fn executed(&mut self, _traded: Energy, _price: f64) {}

    /// The ledger has not heard of it: whatever it posted last is lost, or still on its way.
    fn asked_again(&mut self) {}

    /// Whether it has nothing to say until it hears something.
    fn is_idle(&self) -> bool {
        false
    }

    /// Its next post, if it has anything to say, and how old the news is on which it decided; without age where there was
    /// no news to decide on. Asked once a period.
    fn act(&mut self, market: &MarketOpened, moment: Moment<'_>) -> Option<(Post, Option<Duration>)>;

    /// Goes on from its last post, after having lost its memory. Once nothing is shown any more, only bills are to come.
    fn resume(&mut self, last: Option<Post>, shown: Option<Shown>);

    /// What it posted under this version, if it remembers it.
    fn posted(&self, version: u32) -> Posted;

    /// Reads a little of what it needs to act, so many steps away; see [`look`](crate::actor::Actor::look).
    fn look(&self, _depth: usize) -> usize {
        0
    }
}

/// How the ledger runs its side of a market, beyond what everybody has agreed on in the genesis.
#[derive(Clone, Debug)]
pub struct FloorRules {
    /// Curvature of utility in a slot, `alpha / h` (4) [CNY/kWh²].
    pub alpha: f64,
    /// How many updates in a row must be at rest.
    pub patience: u32,
    /// First choice of every buyer, one share a seller; if `None`, or if not just as many sellers take part, drawn or, if
    /// so, by their surpluses.
    pub first_choice: Option<Arc<[f64]>>,
    /// Whether a first choice that is not given goes by the sellers' surpluses.
    pub first_by_surplus: bool,
    /// Whether sellers are told which of their prices the demand has answered.
    pub tells_answered: bool,
}

/// A market as it opens.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) market: &'a Arc<MarketOpened>,
    pub(crate) buyers: Vec<Buyer>,
    pub(crate) surplus: Vec<Energy>,
    /// The prices that sellers may ask.
    pub(crate) band: PriceBand,
    pub(crate) genesis: &'a Arc<Genesis>,
    pub(crate) rules: &'a FloorRules,
}

/// The ledger's side of the market of one slot. It numbers participants sellers first.
pub(crate) trait Floor: Debug + Sized {
    /// What all buyers begin with, as it is to stand on the chain; nothing where they choose no sellers.
    fn first_choice(_: &FloorRules, _surplus: &[Energy], _: &mut Stream) -> Vec<f64> {
        Vec::new()
    }

    fn open(opening: Opening<'_>) -> Self;

    /// A post of this participant counts from `now`; it came `at`, in the place of one that came `before`.
    fn enter(&mut self, participant: usize, post: &Post, at: Time, before: Option<Time>, now: Time);

    /// Whether this participant is asked for a post until it has made one.
    fn awaits(&self, _participant: usize) -> bool {
        true
    }

    /// What is to be announced or executed now, before the market is shown. Asked when the market has opened, after
    /// whatever counts in an instant, and when it [is due](Self::clears_at).
    fn clear(&mut self, _now: Time) -> Option<Arc<Clearing>> {
        None
    }

    /// When it is to be asked next, whether anything counts before then or not.
    fn clears_at(&self) -> Option<Time> {
        None
    }

    /// What is to be announced or executed as the gate closes, and how the market ends by that.
    fn close(&mut self, _now: Time) -> (Option<Arc<Clearing>>, Outcome) {
        (None, Outcome::GateClosure)
    }

    /// What it keeps of its clearings, where it clears: that says what was traded and shown.
    fn pool(&self) -> Option<&Pool> {
        None
    }

    /// What this participant has traded so far.
    fn traded(&self, participant: usize) -> Energy {
        self.pool().map_or(Energy::ZERO, |pool| pool.traded[participant])
    }

    /// The market as it stands, for all who take part and for who watches; `None` if nothing has changed since it was
    /// asked last. Meanwhile so many posts have counted `off_chain`.
    fn show(&mut self, off_chain: u32, now: Time) -> Option<(Message, Observation)>;

    /// What it has shown last.
    fn shown(&self) -> Option<Shown> {
        self.pool().and_then(Pool::shown)
    }

    /// How the game has ended of itself, if it has. Asked whenever something may have been shown.
    fn ended(&self) -> Option<Outcome> {
        None
    }

    /// How a market has ended that is at rest, by the posts that have been entered last.
    fn at_rest(&mut self, _now: Time) -> Outcome {
        Outcome::Rest
    }

    /// What the posts of those who take part here come to, of whom the sellers have these positions among all of the game, if
    /// anything has changed, in the part with this number; so many `posts` have counted. `None` where only all together come to anything.
    fn part(&mut self, _number: u64, _posts: u64, _sellers: &[u32]) -> Option<Part> {
        None
    }

    /// What the posts of the clients of the peer at this place come to, of so many `peers`, counts from now on, or nothing of
    /// them; returns how many posts have counted meanwhile.
    fn enter_part(&mut self, _place: usize, _peers: usize, _part: Option<Box<Part>>) -> u64 {
        0
    }

    /// The trades that follow from the posts, by buyer, then seller.
    fn trades(&self) -> Vec<Trade> {
        self.pool().map_or_else(Vec::new, Pool::trades)
    }
}

/// What the contract holds posts and trades to. A value of it goes through the trades of one slot, by buyer, then seller.
pub(crate) trait Lawful: Debug + Sized {
    /// A prosumer with this part in a game that is under way posts in it.
    fn post(genesis: &Genesis, game: &Game, by: (Number, Role), post: &Post, stub: &mut impl Stub) -> Validity;

    /// The ledger announces or executes something in a market that is open; nobody does, where posts say it all.
    fn clear(_: &Genesis, _: &Game, _: Slot, _: &Clearing, _: &mut impl Stub) -> Validity {
        Err(Refusal::NotAParticipant)
    }

    fn of(game: &Arc<Game>, slot: Slot, stub: &mut impl Stub) -> Self;

    /// Reads what the seller at this position has posted, at its first trade.
    fn read_seller(&mut self, slot: Slot, position: usize, number: Number, stub: &mut impl Stub) -> Validity;

    /// Reads what a buyer has posted, at its first trade.
    fn read_buyer(&mut self, slot: Slot, number: Number, stub: &mut impl Stub) -> Validity;

    /// The price at which that buyer gets this energy from the seller at this position [CNY/kWh], or why it does not;
    /// `bought` is what it gets in all so far.
    fn price(&self, seller: usize, energy: Energy, bought: Total<Energy>) -> Result<f64, Refusal>;
}

/// What is made of all mechanisms, each by its folder: of their players one participant, of their boards one floor.
macro_rules! mechanisms {
    ($s:tt $($name:ident in $folder:ident;)+) => {
        /// A [`Participant`] by whichever mechanism.
        #[derive(Debug)]
        pub(crate) enum AnyParticipant {
            $($name($folder::Player),)+
        }

        /// A [`Floor`] by whichever mechanism.
        #[derive(Debug)]
        pub(crate) enum AnyFloor {
            $($name($folder::Board),)+
        }

        impl AnyParticipant {
            pub(crate) fn join(entry: Entry<'_>) -> Self {
                match entry.genesis.rules.mechanism {
                    $(Mechanism::$name { .. } => Self::$name($folder::Player::join(entry)),)+
                }
            }
        }

        impl AnyFloor {
            pub(crate) fn open(opening: Opening<'_>) -> Self {
                match opening.genesis.rules.mechanism {
                    $(Mechanism::$name { .. } => Self::$name($folder::Board::open(opening)),)+
                }
            }
        }

        /// What one of the above, of whichever mechanism it is, has to say.
        macro_rules! ask {
            ($s any:expr, $s one:ident => $s said:expr) => {
                match $s any {
                    $(Self::$name($s one) => $s said,)+
                }
            };
        }

        /// What the type by this name in a mechanism's folder has to say.
        macro_rules! under {
            ($s mechanism:expr, $s own:ident => $s said:expr) => {
                match $s mechanism {
                    $($crate::market::mechanism::Mechanism::$name { .. } => {
                        use $crate::mechanism::$folder::$s own;
                        $s said
                    })+
                }
            };
        }
        pub(crate) use under;
    };
}

// The dollar is for the macros that this one makes.
mechanisms! { $
    TwoLevelGame in two_level;
    MidMarketRate in rates;
    BillSharing in rates;
    SupplyDemandRatio in rates;
    UniformPriceAuction in uniform;
    ContinuousDoubleAuction in continuous;
    Negotiation in negotiation;
}

/// The same as `ask`, where the game, which is asked most often, is not to wait for the others.
macro_rules! ask_often {
    ($any:expr, $one:ident => $said:expr) => {
        if let Self::TwoLevelGame($one) = $any { $said } else { ask!($any, $one => $said) }
    };
}

impl AnyParticipant {
    #[inline]
    pub(crate) fn hear(&mut self, state: Arc<MarketState>, now: Time) -> bool {
        ask_often!(self, player => player.hear(state, now))
    }

    pub(crate) fn notice(&mut self, notice: Arc<Notice>) -> bool {
        ask!(self, player => player.notice(notice))
    }

    #[inline]
    pub(crate) fn act(&mut self, market: &MarketOpened, moment: Moment<'_>) -> Option<(Post, Option<Duration>)> {
        ask_often!(self, player => player.act(market, moment))
    }

    pub(crate) fn executed(&mut self, traded: Energy, price: f64) {
        ask!(self, player => player.executed(traded, price))
    }

    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        ask_often!(self, player => player.is_idle())
    }

    pub(crate) fn asked_again(&mut self) {
        ask!(self, player => player.asked_again())
    }

    pub(crate) fn resume(&mut self, last: Option<Post>, shown: Option<Shown>) {
        ask!(self, player => player.resume(last, shown))
    }

    pub(crate) fn posted(&self, version: u32) -> Posted {
        ask!(self, player => player.posted(version))
    }

    #[inline]
    pub(crate) fn look(&self, depth: usize) -> usize {
        ask_often!(self, player => player.look(depth))
    }
}

impl AnyFloor {
    #[inline]
    pub(crate) fn enter(&mut self, participant: usize, post: &Post, at: Time, before: Option<Time>, now: Time) {
        ask!(self, board => board.enter(participant, post, at, before, now))
    }

    pub(crate) fn awaits(&self, participant: usize) -> bool {
        ask!(self, board => board.awaits(participant))
    }

    pub(crate) fn clear(&mut self, now: Time) -> Option<Arc<Clearing>> {
        ask!(self, board => board.clear(now))
    }

    pub(crate) fn clears_at(&self) -> Option<Time> {
        ask!(self, board => board.clears_at())
    }

    pub(crate) fn close(&mut self, now: Time) -> (Option<Arc<Clearing>>, Outcome) {
        ask!(self, board => board.close(now))
    }

    pub(crate) fn traded(&self, participant: usize) -> Energy {
        ask!(self, board => board.traded(participant))
    }

    pub(crate) fn show(&mut self, off_chain: u32, now: Time) -> Option<(Message, Observation)> {
        ask!(self, board => board.show(off_chain, now))
    }

    pub(crate) fn shown(&self) -> Option<Shown> {
        ask!(self, board => board.shown())
    }

    pub(crate) fn at_rest(&mut self, now: Time) -> Outcome {
        ask!(self, board => board.at_rest(now))
    }

    pub(crate) fn part(&mut self, number: u64, posts: u64, sellers: &[u32]) -> Option<Part> {
        ask!(self, board => board.part(number, posts, sellers))
    }

    pub(crate) fn enter_part(&mut self, place: usize, peers: usize, part: Option<Box<Part>>) -> u64 {
        ask!(self, board => board.enter_part(place, peers, part))
    }

    pub(crate) fn ended(&self) -> Option<Outcome> {
        ask!(self, board => board.ended())
    }

    pub(crate) fn trades(&self) -> Vec<Trade> {
        ask!(self, board => board.trades())
    }
}
