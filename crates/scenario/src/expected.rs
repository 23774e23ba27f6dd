//! What a study is expected to take, from its scenario alone: what participants do, and what is written down.
//!
//! The numbers were measured on days of 5 to 400 prosumers; they are good to a factor of two or three, as how long a game
//! takes is not known before it is played. docs/scenario.md tells them.

use super::schema::{Activation, InitialPrice, Record, Scenario};
use microgrid_agents::{
    chain::genesis::Posts,
    ids::Slot,
    market::{choice_set::ChoiceSet, mechanism::Mechanism},
    prosumer::BiddingStrategy,
};
use std::{ops::Add, time::Duration};

/// A game settles after some hundred rounds, if it does, and after half of these from prices that have settled before.
const ROUNDS: f64 = 100.0;
const WARM_ROUNDS: f64 = 50.0;
/// Bytes of a row, and of key figures of a case.
const ROW: f64 = 320.0;
const KEY_FIGURES: f64 = 3_000.0;
const PROSUMER: f64 = 125.0;
const TRADE: f64 = 62.0;
/// Bytes of the path of prices for each act.
const PRICE_PATH: f64 = 138.0;
/// Bytes of the ledger: of a prosumer in a slot, of a pair that may trade, of a post and of each seller in one.
const ACCOUNT: f64 = 2_400.0;
const BILL: f64 = 340.0;
const POST: f64 = 1_000.0;
const SELLER: f64 = 25.0;

/// From how many acts on a study is huge: a million prosumers take as many for one slot.
const MANY_ACTS: f64 = 1e8;
/// From how many bytes on.
const MANY_BYTES: f64 = 1e10;

/// What a study is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Expected {
    /// How often participants act, in all slots with a market.
    acts: f64,
    /// What it leaves on disk [bytes].
    bytes: f64,
}

impl Expected {
    /// Of one case with so many prosumers, of which so many sell and buy in each slot, where that is known: without, half of
    /// them do either.
    pub(super) fn of(scenario: &Scenario, prosumers: usize, sides: Option<&[[u32; 2]]>) -> Self {
        let Scenario { market, learning, activation, network, ledger, record, .. } = scenario;
        let seconds = |duration: Duration| duration.as_secs_f64();
        let (number, slots) = (prosumers as f64, f64::from(market.slots));
        let half = [number / 2.0; 2];
        let of_slot = |slot: Slot| sides.map_or(half, |sides| sides[slot as usize - 1].map(f64::from));
        let all: Vec<[f64; 2]> = market.open_slots().iter().map(of_slot).filter(|[a, b]| a.min(*b) > 0.0).collect();
        // News takes a message there, a block, and a message back.
        let (block, period) = (seconds(ledger.block.timeout), seconds(activation.period()));
        let period = if matches!(activation, Activation::Reactive { .. }) { period.max(block) } else { period };
        let round = period.max(2.0 * seconds(network.delay.mean()) + block);
        let is_warm = matches!(learning.initial_price, InitialPrice::Previous | InitialPrice::PreviousDay);
        let rounds = if is_warm { WARM_ROUNDS } else { ROUNDS };
        let rounds = rounds * f64::from(learning.price_every) + f64::from(learning.patience);
        let most = seconds(market.gate_closure) / period;
        let strategies = learning.mix.iter().filter_map(|habit| habit.bidding).chain([learning.bidding]);
        // How often each acts in a slot.
        let each = match market.mechanism {
            Mechanism::TwoLevelGame | Mechanism::Negotiation { .. } => rounds * round / period,
            Mechanism::MidMarketRate | Mechanism::BillSharing | Mechanism::SupplyDemandRatio => 1.0,
            Mechanism::UniformPriceAuction { .. } | Mechanism::ContinuousDoubleAuction => {
                let orders = strategies.map(|strategy| match strategy {
                    BiddingStrategy::Truthful { .. } => 1.0,
                    BiddingStrategy::Ramp => ROUNDS,
                    BiddingStrategy::ZeroIntelligence => most,
                });
                orders.fold(1.0, f64::max)
            }
        };
        let acts = each.min(most) * all.iter().flatten().sum::<f64>();
        let known = |sellers: f64| match learning.choice_set {
            ChoiceSet::All => sellers,
            ChoiceSet::Sample(size) => sellers.min(f64::from(size)),
        };
        let pairs: f64 = all.iter().map(|[sellers, buyers]| buyers * known(*sellers)).sum();
        let known = known(all.iter().map(|[sellers, _]| sellers).sum::<f64>() / all.len().max(1) as f64);
        // Orders know no sellers, and rates no path of prices.
        let is_of_sellers = matches!(market.mechanism, Mechanism::TwoLevelGame | Mechanism::Negotiation { .. });
        let (path, sellers) = if is_of_sellers { (PRICE_PATH, SELLER * known) } else { (0.0, 0.0) };
        let of_posts = match scenario.posts(prosumers) {
            Posts::Every => acts * (POST + sellers),
            Posts::Last => 0.0,
        };
        let tables = slots * number * PROSUMER + pairs * TRADE + acts * path;
        let of_ledger = slots * number * ACCOUNT + pairs * BILL + of_posts;
        let bytes = match record {
            Record::Full => KEY_FIGURES + slots * ROW + tables + of_ledger,
            Record::Slots => KEY_FIGURES + slots * ROW,
            Record::Summary => KEY_FIGURES,
        };
        Self { acts, bytes }
    }

    /// Of so many such cases.
    pub(super) fn times(self, cases: usize) -> Self {
        Self { acts: self.acts * cases as f64, bytes: self.bytes * cases as f64 }
    }

    /// What it leaves on disk, in words: `some 11 MB`.
    pub(super) fn on_disk(&self) -> String {
        if self.bytes < 1e6 { "less than 1 MB".to_owned() } else { self.bytes_in_words() }
    }

    fn bytes_in_words(&self) -> String {
        format!("some {}B", rounded(self.bytes, [" M", " G", " T"]))
    }

    /// What is to be said of it, and of what makes it less, if it is huge.
    pub(super) fn warning(&self) -> Option<(String, Vec<String>)> {
        let (acts, bytes) = (self.acts >= MANY_ACTS, self.bytes >= MANY_BYTES);
        let acts_told =
            format!("participants act some {} times", rounded(self.acts, [" million", " billion", " trillion"]));
        let bytes_told = format!("it leaves {} on disk", self.bytes_in_words());
        let told = if self.bytes < 1e6 { acts_told } else { format!("{acts_told}, and {bytes_told}") };
        let problem = format!("the run is expected to be huge: {told}");
        let notes = [
            (acts, "fewer acts: fewer prosumers, open slots or cases, a longer period, an earlier gate closure"),
            (bytes, "less on disk: `record: Slots`, or `Summary`; `ledger.posts: Last`"),
        ];
        let notes = notes.into_iter().filter(|(huge, _)| *huge).map(|(_, note)| note.to_owned()).collect();
        (acts || bytes).then_some((problem, notes))
    }
}

impl Add for Expected {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { acts: self.acts + other.acts, bytes: self.bytes + other.bytes }
    }
}

/// Two digits of a number in millions, or thousands or millions of these.
fn rounded(value: f64, units: [&str; 3]) -> String {
    let (size, unit) = match value {
        ..1e9 => (1e6, units[0]),
        ..1e12 => (1e9, units[1]),
        _ => (1e12, units[2]),
    };
    let digits = usize::from(value < 10.0 * size);
    format!("{:.digits$}{unit}", value / size)
}
