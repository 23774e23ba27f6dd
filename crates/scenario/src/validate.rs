//! Which values a scenario may have.

use super::{
    calendar::Dates,
    error::{Mistake, did_you_mean},
    population::{LARGEST_ENERGY, Population},
    schema::{
        Activation, CO2, Calendar, Clients, Clock, Community, Condition, Distribution, Incident, Initial, InitialPrice,
        LARGEST_COUNT, Learning, Ledger, Link, Market, Members, Network, Open, Outage, PopulationSource, Preferences,
        Rate, Replicates, Scenario, Storage, Synthetic, Tariff, Who,
    },
    tariffs::{SlotRates, Tariffs},
};
use indexmap::IndexMap;
use microgrid_agents::{
    chain::genesis::{PeerPolicy, Posts},
    market::{
        choice_set::ChoiceSet, mechanism::Mechanism, opening::OpenSlots, replicator::Fitness, role::Role,
        step::StepSize,
    },
    prosumer::{Behaviour, BiddingStrategy, Mixing},
    statement::Registration,
};
use microgrid_network::{Change, Delay, Memory, Parameter};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    ops::{Bound, RangeBounds},
    time::Duration,
};

/// Most steps of a buyer's curve.
const MOST_STEPS: u32 = 1000;
/// Largest number of prosumers times slots: each takes 64 bytes of memory while a case runs.
const LARGEST_PROFILES: u32 = 100_000_000;
/// No slot, delay or period is longer.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Amounts, powers and prices beyond this are mistakes.
const LARGEST: f64 = 1e4;
/// Smallest curvature of utility [CNY/kWh²].
const SMALLEST_ALPHA: f64 = 1e-6;
/// Smallest price but 0 and smallest preference [CNY/kWh], and smallest speed of the clock.
const SMALLEST: f64 = 1e-6;
/// Smallest weight of what a buyer asked for last.
const SMALLEST_RHO: f64 = 1e-4;
/// How far the sum of shares may be from one.
const SHARE_NOISE: f64 = 1e-9;
/// No condition begins later: as many of the longest slots as there may be.
const END_OF_TIME: Duration = Duration::from_secs(100_000 * 24 * 3600);

pub(super) type Checked = Result<(), Mistake>;
/// All that is wrong with values that are checked each by itself.
type Found = Vec<Mistake>;

fn ensure(fine: bool, path: &str, found: impl Display, allowed: impl Display) -> Checked {
    if fine { Ok(()) } else { Err(Mistake::value(path, "not allowed", found, allowed)) }
}

fn within<T: Copy + Display + PartialOrd>(path: &str, value: T, range: impl RangeBounds<T>) -> Checked {
    let lower = match range.start_bound() {
        Bound::Included(lower) => format!("from {lower} to "),
        Bound::Excluded(lower) => format!("above {lower}, at most "),
        Bound::Unbounded => "at most ".to_owned(),
    };
    let upper = match range.end_bound() {
        Bound::Included(upper) => upper.to_string(),
        Bound::Excluded(upper) => format!("below {upper}"),
        Bound::Unbounded => "any".to_owned(),
    };
    ensure(range.contains(&value), path, value, lower + &upper)
}

/// Above zero, up to this.
fn positive(path: &str, value: f64, largest: f64) -> Checked {
    within(path, value, (Bound::Excluded(0.0), Bound::Included(largest)))
}

/// What a kWh costs: less than a unit of money is as good as nothing, but spoils every quotient. It may cost less than
/// nothing where the market has dates, as at exchanges.
pub(super) fn price(path: &str, value: f64, market: &Market) -> Checked {
    let fits = |value: f64| value == 0.0 || (SMALLEST..=LARGEST).contains(&value);
    if value < 0.0 && market.calendar.is_none() && fits(-value) {
        let allowed = format!("0, or from {SMALLEST} to {LARGEST}; below 0 only with a market.calendar");
        return Err(Mistake::value(path, "not allowed", value, allowed));
    }
    ensure(fits(value.abs()), path, value, format!("0, or from {SMALLEST} to {LARGEST}"))
}

/// What is paid on top of a price.
fn fee(path: &str, value: f64) -> Checked {
    let fine = value == 0.0 || (SMALLEST..=LARGEST).contains(&value);
    ensure(fine, path, value, format!("0, or from {SMALLEST} to {LARGEST}"))
}

fn share(path: &str, value: f64) -> Checked {
    within(path, value, 0.0..=1.0)
}

fn count(path: &str, value: u32) -> Checked {
    within(path, value, 1..=LARGEST_COUNT)
}

fn duration(path: &str, value: Duration, shortest: Duration, longest: Duration) -> Checked {
    let [shown, from, to] = [value, shortest, longest].map(|duration| humantime::format_duration(duration).to_string());
    ensure((shortest..=longest).contains(&value), path, shown, format!("from {from} to {to}"))
}

fn each<T>(values: impl IntoIterator<Item = T>, check: impl FnMut(T) -> Checked) -> Checked {
    values.into_iter().try_for_each(check)
}

/// Checks every value by itself and beside the others; data files are not looked at. Tells all that is wrong, but not what
/// only another mistake has brought about.
pub(super) fn scenario(scenario: &Scenario) -> Result<(), Found> {
    let mut found = Vec::new();
    found.extend(name(&scenario.name).err());
    // Room for the seeds of all replicates.
    found.extend(within("seed", scenario.seed, 0..=u64::MAX - u64::from(u32::MAX)).err());
    market(&scenario.market, &mut found);
    let slots = scenario.market.slots.max(1);
    let known = match &scenario.population {
        PopulationSource::Profiles(_) => Known::Later,
        PopulationSource::Members(community) => {
            found.extend(members(community).err());
            Known::Later
        }
        PopulationSource::Synthetic(what) => {
            synthetic(what, &scenario.preferences, &mut found);
            let allowed = format!("at most {} with {slots} slots, or fewer of these", LARGEST_PROFILES / slots);
            let fits = what.count <= LARGEST_PROFILES / slots;
            found.extend(ensure(fits, "population.Synthetic.count", what.count, allowed).err());
            if what.count == 0 { Known::Later } else { Known::UpTo(what.count) }
        }
    };
    preferences(&scenario.preferences, &mut found);
    found.extend(each(&scenario.storage, storage).err());
    learning(&scenario.learning, &mut found);
    under(scenario.market.mechanism, scenario, &mut found);
    found.extend(activation(&scenario.activation).err());
    found.extend(network(&scenario.network, &scenario.ledger, known).err().into_iter().flatten());
    found.extend(count("ledger.block.max_transactions", scenario.ledger.block.max_transactions).err());
    found.extend(duration("ledger.block.timeout", scenario.ledger.block.timeout, Duration::ZERO, DAY).err());
    if let Clock::Wall { speed } = scenario.clock {
        found.extend(within("clock.Wall.speed", speed, SMALLEST..=LARGEST).err());
    }
    found.extend(each(scenario.report.slot, |slot| within("report.slot", slot, 1..=slots)).err());
    found.extend(replicates(&scenario.replicates).err());
    none(found)
}

/// Whether anything is wrong.
fn none(found: Found) -> Result<(), Found> {
    if found.is_empty() { Ok(()) } else { Err(found) }
}

pub(super) fn replicates(replicates: &Replicates) -> Checked {
    match replicates {
        Replicates::Count(number) => count("replicates", *number),
        Replicates::Seeds(seeds) => {
            let allowed = "at least one seed, each of them once";
            let distinct: BTreeSet<_> = seeds.iter().collect();
            let fine = !seeds.is_empty() && distinct.len() == seeds.len();
            ensure(fine, "replicates", format!("{} seeds, {} of them distinct", seeds.len(), distinct.len()), allowed)
        }
    }
}

/// Replicates take the seeds that follow, so that with several seeds some runs would be there twice; where they list
/// their seeds, no other counts.
pub(super) fn seeds(replicates: &Replicates, name: &str, values: usize) -> Checked {
    if name != "seed" {
        return Ok(());
    }
    match replicates {
        Replicates::Count(count) if *count == 1 || values == 1 => Ok(()),
        Replicates::Count(count) => {
            let allowed = "one seed, with as many replicates as there are to be seeds; or several seeds with \
                           `replicates: 1`, or as a list in `replicates`";
            let found = format!("{values} seeds, each for {count} replicates");
            Err(Mistake::value("seed", "several seeds and replicates do not go together", found, allowed))
        }
        Replicates::Seeds(seeds) => {
            let allowed = "no seed beside a list of seeds in `replicates`, which says all";
            let found = format!("{values} beside {}", seeds.len());
            Err(Mistake::value("seed", "`replicates` lists the seeds", found, allowed))
        }
    }
}

/// The name becomes a folder, so it has to be a plain one on every system.
fn name(name: &str) -> Checked {
    ensure(is_name(name), "name", format!("{name:?}"), NAME)
}

/// What may be the name of a scenario.
pub const NAME: &str = "a plain folder name: up to 100 letters, digits, `-`, `_` and `.`, not beginning with `.`";

/// Whether a scenario may have this name.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(plain)
}

fn market(market: &Market, found: &mut Found) {
    found.extend(mechanism(market.mechanism).err());
    match slots(market) {
        Ok(()) => {
            let shortest = Duration::from_millis(1);
            found.extend(open(market).err());
            found.extend(duration("market.gate_closure", market.gate_closure, shortest, market.slot_length).err());
        }
        Err(mistake) => found.push(mistake),
    }
    found.extend(duration("market.starts_at", market.starts_at, Duration::ZERO, DAY).err());
    found.extend(fee("market.service_fee", market.service_fee).err());
    found.extend(fee("market.grid_fee", market.grid_fee).err());
    let plain = |name: &str| !name.is_empty() && name.chars().count() <= 10 && !name.chars().any(char::is_control);
    let (currency, allowed) = (format!("{:?}", market.currency), "1 to 10 letters or signs");
    found.extend(ensure(plain(&market.currency), "market.currency", currency, allowed).err());
    found.extend(
        each(market.tariffs.keys(), |name| {
            ensure(!name.is_empty(), "market.tariffs", "a group without a name", "groups with names")
        })
        .err(),
    );
    let of_tariffs = market.all_tariffs().into_iter().filter_map(|(path, of)| tariff(&path, of, market).err());
    let before = found.len();
    found.extend(of_tariffs);
    if let (Tariff::Constant(feed_in), Tariff::Constant(tariff)) = (&market.feed_in_tariff, &market.grid_tariff)
        && found.len() == before
    {
        let allowed = format!("from the feed-in tariff of {feed_in} to {LARGEST}");
        let fits = (*feed_in..=LARGEST).contains(tariff);
        found.extend(ensure(fits, "market.grid_tariff.Constant", tariff, allowed).err());
    }
}

/// Checks which slots there are.
fn slots(market: &Market) -> Checked {
    if let Some(field) = &market.given_twice {
        let (path, allowed) = (format!("market.{field}"), "nothing beside a calendar, which says it");
        return Err(Mistake::value(&path, "the calendar says this", "another value", allowed));
    }
    each(&market.calendar, calendar)?;
    // So many of the longest slots still fit the clock.
    within("market.slots", market.slots, 1..=100_000)?;
    duration("market.slot_length", market.slot_length, Duration::from_secs(1), DAY)
}

fn calendar(calendar: &Calendar) -> Checked {
    within("market.calendar.days", calendar.days, 1..=100_000)?;
    duration("market.calendar.slot_length", calendar.slot_length, Duration::from_secs(1), DAY)?;
    Dates::of(calendar).map(|_| ())
}

fn open(market: &Market) -> Checked {
    let path = "market.open";
    match &market.open {
        Open::Slots(first, last) => {
            let open = format!("({first}, {last})");
            let allowed = format!("first and last open slot, from 1 to {}", market.slots);
            if first > last {
                return Err(Mistake::value(path, "the last slot comes before the first", open, allowed));
            }
            ensure(1 <= *first && *last <= market.slots, path, open, allowed)
        }
        Open::Hours(_) if market.calendar.is_none() => {
            let allowed = "the first and the last open slot, or hours beside a `calendar`";
            Err(Mistake::value(path, "hours need dates", &market.open, allowed))
        }
        Open::Hours(_) if market.open_slots().count() == 0 => {
            Err(Mistake::value(path, "no slot begins in these hours", &market.open, "hours in which slots begin"))
        }
        Open::Hours(_) => Ok(()),
    }
}

fn tariff(path: &str, of: &Tariff, market: &Market) -> Checked {
    let price = |path: &str, value: f64| match path.starts_with(CO2) {
        true => within(path, value, 0.0..=LARGEST),
        false => price(path, value, market),
    };
    match of {
        Tariff::Constant(value) => price(&format!("{path}.Constant"), *value),
        Tariff::Csv(_) => Ok(()),
        Tariff::Schedule(rates) => {
            let path = format!("{path}.Schedule");
            ensure(!rates.is_empty(), &path, "[]", "at least one rate")?;
            let rate = |(n, rate): (usize, &Rate)| price(&format!("{path}[{n}].price"), rate.price);
            each(rates.iter().enumerate(), rate)
        }
    }
}

/// Checks that the grid pays nobody more than it asks, in any slot.
pub(super) fn tariffs(market: &Market, tariffs: &Tariffs, dates: Option<&Dates>) -> Checked {
    let everybody = tariffs.of_group(None);
    let own = tariffs.groups.iter().map(|(name, rates)| (format!("market.tariffs.{name}.feed_in_tariff"), rates));
    for (path, rates) in [("market.feed_in_tariff".to_owned(), &everybody)].into_iter().chain(own) {
        let both = || rates.grid.iter().zip(rates.feed_in.iter());
        let Some(place) = both().position(|(grid, feed_in)| feed_in > grid) else { continue };
        let (grid, feed_in) = (rates.grid[place], rates.feed_in[place]);
        let slot = place as u32 + 1;
        let when = dates.map_or_else(|| format!("slot {slot}"), |dates| dates.time(slot));
        let lowest = rates.grid.iter().copied().fold(f64::INFINITY, f64::min);
        let constant = rates.feed_in.iter().all(|price| *price == feed_in);
        let allowed = if constant {
            format!("at most the lowest grid tariff of {lowest}")
        } else {
            format!("at most {grid} at {when}")
        };
        return Err(Mistake::value(&path, "the grid would pay more than it asks", feed_in, allowed));
    }
    let is_negative = |rates: &SlotRates| rates.feed_in.iter().chain(rates.grid.iter()).any(|price| *price < 0.0);
    let below_nothing = is_negative(&everybody) || tariffs.groups.values().any(is_negative);
    if below_nothing && market.mechanism == Mechanism::SupplyDemandRatio {
        let allowed = "another mechanism, or tariffs from 0 up: the ratio of supply and demand has no price below 0";
        return Err(Mistake::value("market.mechanism", "tariffs fall below 0", "SupplyDemandRatio", allowed));
    }
    Ok(())
}

fn mechanism(mechanism: Mechanism) -> Checked {
    match mechanism {
        Mechanism::UniformPriceAuction { every: Some(every) } => {
            duration("market.mechanism.UniformPriceAuction.every", every, Duration::from_millis(1), DAY)
        }
        // Beyond these, weights and their inverses are lost beside what they are added to.
        Mechanism::Negotiation { rho } => within("market.mechanism.Negotiation.rho", rho, SMALLEST_RHO..=LARGEST),
        _ => Ok(()),
    }
}

/// What is for one mechanism and not for others.
fn under(mechanism: Mechanism, scenario: &Scenario, found: &mut Found) {
    let ordered = !mechanism.needs_every_post() || scenario.ledger.posts != Some(Posts::Last);
    let allowed = "Every, as it is if `posts` is left out: which orders meet is decided by when each of them has come";
    found.extend(ensure(ordered, "ledger.posts", "Last", allowed).err());
    let (peers, name) = (scenario.ledger.peers.0, mechanism.name());
    let adds_up = peers < 2 || mechanism.has_parts() || scenario.ledger.posts != Some(Posts::Last);
    let why = format!("what the clients of one peer post says nothing by itself under {name}");
    let allowed = format!("Every, as it is if `posts` is left out: {why}");
    found.extend(ensure(adds_up, "ledger.posts", "Last", allowed).err());
    let knows_all = mechanism.is_game() || scenario.learning.choice_set.is_all();
    let path = "learning.choice_set";
    let problem = format!("buyers know all sellers where the mechanism is {name}");
    let allowed = format!("All with {name}; a limited choice set with TwoLevelGame");
    found.extend((!knows_all).then(|| Mistake::value(path, &problem, "Sample", allowed)));
}

fn members(community: &Community) -> Checked {
    let Community { members, forecast_error, .. } = community;
    let path = "population.Members.members";
    ensure(!members.as_os_str().is_empty(), path, "\"\"", "a CSV file with a row for each member")?;
    // Beyond this, most forecasts would be of nothing.
    within("population.Members.forecast_error.generation", forecast_error.generation, 0.0..=1.0)?;
    within("population.Members.forecast_error.load", forecast_error.load, 0.0..=1.0)
}

fn synthetic(what: &Synthetic, preferences: &Preferences, found: &mut Found) {
    found.extend(count("population.Synthetic.count", what.count).err());
    found.extend(share("population.Synthetic.pv_share", what.pv_share).err());
    found.extend(share("population.Synthetic.workplace_share", what.workplace_share).err());
    found.extend(within("population.Synthetic.preference_per_kwh", what.preference_per_kwh, 0.0..=LARGEST).err());
    let distributions = [
        ("pv_peak_kw", &what.pv_peak_kw),
        ("weather", &what.weather),
        ("load_kw", &what.load_kw),
        ("load_noise", &what.load_noise),
        ("preference_base", &what.preference_base),
        ("preference_grid", &what.preference_grid),
    ];
    let check = |(name, what)| distribution(&format!("population.Synthetic.{name}"), what).err();
    found.extend(distributions.into_iter().filter_map(check));
    found.extend(preferences.everybodys().into_iter().filter_map(|(name, value)| {
        let (path, problem) = (format!("preferences.{name}"), "a synthetic population draws its own");
        Some(Mistake::value(&path, problem, value?, "None with a Synthetic population"))
    }));
}

fn distribution(path: &str, what: &Distribution) -> Checked {
    let from = |name: &str, value, smallest| within(&format!("{path}.{name}"), value, smallest..=LARGEST);
    match *what {
        Distribution::Constant(value) => from("Constant", value, 0.0),
        Distribution::Uniform { min, max } => {
            from("min", min, 0.0)?;
            ensure((min..=LARGEST).contains(&max), &format!("{path}.max"), max, format!("from min to {LARGEST}"))
        }
        Distribution::Normal { mean, std_dev } => {
            from("mean", mean, 0.0)?;
            from("std_dev", std_dev, 0.0)
        }
        Distribution::LogNormal { median, sigma } => {
            from("median", median, 0.0)?;
            // Beyond this, the largest of many draws would be thousands of times the median.
            within(&format!("{path}.sigma"), sigma, 0.0..=2.0)
        }
    }
}

fn preferences(preferences: &Preferences, found: &mut Found) {
    // Optimal purchases grow without bound as alpha goes to zero.
    found.extend(within("preferences.alpha", preferences.alpha, SMALLEST_ALPHA..=LARGEST).err());
    found.extend(share("preferences.eta", preferences.eta).err());
    found.extend(share("preferences.mu", preferences.mu).err());
    found.extend(
        preferences
            .everybodys()
            .into_iter()
            .filter_map(|(name, value)| within(&format!("preferences.{name}"), value?, SMALLEST..=LARGEST).err()),
    );
}

fn storage(storage: &Storage) -> Checked {
    positive("storage.capacity_kwh", storage.capacity_kwh, LARGEST)?;
    positive("storage.power_kw", storage.power_kw, LARGEST)?;
    positive("storage.efficiency", storage.efficiency, 1.0)?;
    let allowed = format!("from 0 to the capacity of {}", storage.capacity_kwh);
    let fits = (0.0..=storage.capacity_kwh).contains(&storage.initial_kwh);
    ensure(fits, "storage.initial_kwh", storage.initial_kwh, allowed)
}

fn activation(activation: &Activation) -> Checked {
    let period = |path: &str, value| duration(path, value, Duration::from_micros(1), DAY);
    match *activation {
        Activation::LockStep { period: value } => period("activation.LockStep.period", value),
        Activation::Independent { period: value, jitter } => {
            period("activation.Independent.period", value)?;
            within("activation.Independent.jitter", jitter, 0.0..1.0)
        }
        Activation::Poisson { period: value } => period("activation.Poisson.period", value),
        Activation::Reactive { min_interval } => period("activation.Reactive.min_interval", min_interval),
    }
}

fn learning(learning: &Learning, found: &mut Found) {
    if let ChoiceSet::Sample(size) = learning.choice_set {
        found.extend(count("learning.choice_set.Sample", size).err());
    }
    let before = found.len();
    habit("learning", learning, found);
    let is_fine = found.len() == before;
    found.extend(count("learning.price_every", learning.price_every).err());
    found.extend(positive("learning.ramp", learning.ramp, 1.0).err());
    found.extend(positive("learning.tolerance", learning.tolerance, LARGEST).err());
    found.extend(count("learning.patience", learning.patience).err());
    if let Initial::Fixed(shares) = &learning.initial_choice {
        found.extend(first_choice(shares).err());
    }
    let before = found.len();
    // Every part has what is wrong with all.
    for (n, part) in learning.mix.iter().enumerate().filter(|_| is_fine) {
        let path = format!("learning.mix[{n}]");
        found.extend(share(&format!("{path}.share"), part.share).err());
        habit(&path, &learning.with(part), found);
    }
    if found.len() == before {
        let mixed = learning.mix.iter().map(|habit| habit.share).sum::<f64>();
        let sum = format!("shares that add up to {mixed}");
        found.extend(ensure(mixed <= 1.0 + SHARE_NOISE, "learning.mix", sum, "at most 1 in all").err());
    }
}

/// What may differ between parts of the population.
fn habit(path: &str, learning: &Learning, found: &mut Found) {
    let at = |field: &str| format!("{path}.{field}");
    found.extend(behaviour(&at("behaviour"), learning.behaviour).err());
    // What is worth most to everybody can only be compared by who knows everybody.
    let possible = learning.choice_set.is_all() || learning.fitness != Some(Fitness::Public);
    let allowed = "Private, as it is if `fitness` is left out: buyers know only some sellers (choice_set)";
    found.extend(ensure(possible, &at("fitness"), "Public", allowed).err());
    found.extend(step(&at("replicator_step"), learning.replicator_step).err());
    found.extend(step(&at("price_step"), learning.price_step).err());
    found.extend(within(&at("exploration"), learning.exploration, 0.0..1.0).err());
    if let Mixing::Informed { first, halved_every } = learning.mixing {
        found.extend(within(&at("mixing.Informed.first"), first, 0.0..1.0).err());
        found.extend(positive(&at("mixing.Informed.halved_every"), halved_every, LARGEST).err());
    }
    if let BiddingStrategy::Truthful { steps } = learning.bidding {
        found.extend(within(&at("bidding.Truthful.steps"), steps, 1..=MOST_STEPS).err());
    }
    // How many times as far a share may grow.
    found.extend(within(&at("regrowth"), learning.regrowth, 1.0..=10.0).err());
}

fn behaviour(path: &str, behaviour: Behaviour) -> Checked {
    match behaviour {
        Behaviour::Replicator | Behaviour::Imitation => Ok(()),
        Behaviour::BestResponse { noise } => positive(&format!("{path}.BestResponse.noise"), noise, LARGEST),
    }
}

fn step(path: &str, size: StepSize) -> Checked {
    match size {
        StepSize::Fixed(value) => positive(&format!("{path}.Fixed"), value, LARGEST),
        StepSize::Scaled(value) => positive(&format!("{path}.Scaled"), value, LARGEST),
    }
}

fn first_choice(shares: &[f64]) -> Checked {
    let path = "learning.initial_choice.Fixed";
    each((0..).zip(shares), |(n, &value)| share(&format!("{path}[{n}]"), value))?;
    let sum = shares.iter().sum::<f64>();
    ensure((sum - 1.0).abs() <= SHARE_NOISE, path, format!("shares that add up to {sum}"), "shares that add up to 1")
}

/// Checks a network, as far as the prosumers' numbers are known.
pub(super) fn network(network: &Network, ledger: &Ledger, known: Known<'_>) -> Result<(), Found> {
    let numbers = Numbers { groups: &network.groups, known, ledger };
    let mut found = Vec::new();
    peers(ledger, &numbers, &mut found);
    let Network { delay, jitter, loss, duplication, .. } = *network;
    let change = Change { delay: Some(delay), jitter: Some(jitter), loss: Some(loss), duplication: Some(duplication) };
    found.extend(quality("network", change).err());
    found.extend(each(&network.groups, |(name, members)| group(name, members, &numbers)).err());
    let mut links = (0..).zip(&network.links);
    found.extend(links.find_map(|(n, what)| link(&format!("network.links[{n}]"), what, &numbers).err()));
    let of_conditions = each((0..).zip(&network.conditions), |(n, what)| {
        condition(&format!("network.conditions[{n}]"), what, &numbers)
    });
    found.extend(of_conditions.and_then(|()| some_peer_left(network, ledger)).err());
    none(found)
}

fn group(name: &str, members: &Members, numbers: &Numbers<'_>) -> Checked {
    ensure(!name.is_empty(), "network.groups", "a group without a name", "groups with names")?;
    let path = format!("network.groups.{name}");
    match members {
        Members::Share(value) => share(&format!("{path}.Share"), *value),
        Members::Prosumers(list) => {
            let mut members = BTreeSet::new();
            each((0..).zip(list), |(n, &number)| {
                let path = format!("{path}.Prosumers[{n}]");
                numbers.prosumer(&path, number)?;
                let again = || Mistake::value(&path, "is there twice", number, "each prosumer once");
                members.insert(number).then_some(()).ok_or_else(again)
            })
        }
    }
}

/// The peers that crash and never come back, each with the number of the condition that says so.
pub(super) fn lost_peers(network: &Network) -> BTreeMap<u32, usize> {
    let lost = network.conditions.iter().enumerate().filter_map(|(n, condition)| match condition {
        Condition { lasting: None, what: Incident::Crash { who: Who::Peer(number), .. }, .. } => Some((*number, n)),
        _ => None,
    });
    // Of several crashes of one the first counts.
    lost.rev().collect()
}

fn some_peer_left(network: &Network, ledger: &Ledger) -> Checked {
    let (lost, peers) = (lost_peers(network), ledger.peers.0);
    let Some(last) = lost.values().max().filter(|_| lost.len() as u32 >= peers && peers > 0) else { return Ok(()) };
    let problem = format!("all {peers} peers crash for good, so that nobody is left to hold the ledger");
    let mend = format!("let one of them come back, with `lasting: \"1h\"` say, or have more than {peers} ledger.peers");
    let path = format!("network.conditions[{last}].lasting");
    Err(Mistake { path, found: "None".to_owned(), ..Mistake::new(problem, [mend]) })
}

/// Which groups and prosumers there are.
struct Numbers<'a> {
    groups: &'a IndexMap<String, Members>,
    known: Known<'a>,
    ledger: &'a Ledger,
}

/// What is known of the prosumers' numbers.
pub(super) enum Known<'a> {
    /// Nothing: who is in a file of profiles is seen when it is read.
    Later,
    /// Synthetic prosumers count from 1.
    UpTo(u32),
    /// These have a profile.
    These(&'a Population),
    /// The members of a community count from 1.
    Members(u32),
}

impl Numbers<'_> {
    fn prosumer(&self, path: &str, number: u32) -> Checked {
        match self.known {
            Known::Later => Ok(()),
            Known::UpTo(count) | Known::Members(count) => {
                let allowed = format!("the number of a prosumer, from 1 to {count}");
                ensure((1..=count).contains(&number), path, number, allowed)
            }
            Known::These(population) if population.position(number).is_some() => Ok(()),
            Known::These(population) => {
                let some: Vec<String> = population.prosumers.iter().take(5).map(|p| p.number.to_string()).collect();
                let more = if population.prosumers.len() > some.len() { " and so on" } else { "" };
                let allowed = format!("the number of a prosumer in the profiles: {}{more}", some.join(", "));
                Err(Mistake::value(path, "there is no such prosumer", number, allowed))
            }
        }
    }

    fn who(&self, path: &str, who: &Who) -> Checked {
        match who {
            Who::Prosumer(number) => self.prosumer(&format!("{path}.Prosumer"), *number),
            Who::Peer(number) => self.peer(&format!("{path}.Peer"), *number),
            Who::Group(name) => self.group(&format!("{path}.Group"), name),
            Who::Everybody | Who::Ledger | Who::Orderer | Who::Grid | Who::Prosumers => Ok(()),
        }
    }

    fn group(&self, path: &str, name: &str) -> Checked {
        if self.groups.contains_key(name) {
            return Ok(());
        }
        let groups: Vec<_> = self.groups.keys().map(String::as_str).collect();
        let known = if groups.is_empty() { ", which has none".into() } else { format!(": {}", groups.join(", ")) };
        let allowed = format!("a group of network.groups{known}");
        let mut mistake = Mistake::value(path, "there is no such group", format!("{name:?}"), allowed);
        mistake.add(Vec::from_iter(did_you_mean(name, groups)));
        Err(mistake)
    }

    fn peer(&self, path: &str, number: u32) -> Checked {
        let peers = self.ledger.peers.0;
        let allowed = format!("the number of a peer, from 1 to ledger.peers, which is {peers}");
        let there_is = peers == 0 || (1..=peers).contains(&number);
        there_is.then_some(()).ok_or_else(|| Mistake::value(path, "there is no such peer", number, allowed))
    }

    /// How many prosumers there are, once that is known.
    fn prosumers(&self) -> Option<u32> {
        match self.known {
            Known::Later => None,
            Known::UpTo(count) | Known::Members(count) => Some(count),
            Known::These(population) => Some(population.prosumers.len() as u32),
        }
    }
}

/// Checks how many peers there are, and who is whose client.
fn peers(ledger: &Ledger, numbers: &Numbers<'_>, found: &mut Found) {
    let peers = ledger.peers.0;
    found.extend(within("ledger.peers", peers, 1..=LARGEST_COUNT).err());
    if let Some(prosumers) = numbers.prosumers() {
        let allowed = format!("at most as many as there are prosumers, {prosumers}");
        found.extend(ensure(peers <= prosumers, "ledger.peers", peers, allowed).err());
    }
    if let Clients::ByGroup(groups) = &ledger.clients {
        let check = |(name, number): (&String, &u32)| {
            numbers.group("ledger.clients.ByGroup", name)?;
            numbers.peer(&format!("ledger.clients.ByGroup.{name}"), *number)
        };
        found.extend(each(groups, check).err());
    }
    if let PeerPolicy::AtLeast(count) = ledger.policy {
        let allowed = format!("1 to ledger.peers, which is {peers}: no more can endorse anything");
        let fits = peers == 0 || (1..=peers).contains(&count);
        found.extend(ensure(fits, "ledger.policy.AtLeast", count, allowed).err());
    }
}

fn quality(path: &str, Change { delay, jitter, loss, duplication }: Change) -> Checked {
    let at = |field: &str| format!("{path}.{field}");
    each(delay.into_iter().flat_map(|delay| delay.parameters()), |(name, parameter)| match parameter {
        Parameter::Time(value, least) => duration(&at(&format!("delay.{name}")), value, least, Delay::LONGEST),
        Parameter::Number(value, range) => within(&at(&format!("delay.{name}")), value, range),
    })?;
    each(jitter, |value| share(&at("jitter"), value))?;
    // If every message were lost, those that are repeated until acknowledged would be so forever.
    each(loss, |value| within(&at("loss"), value, 0.0..1.0))?;
    each(duplication, |value| share(&at("duplication"), value))
}

fn link(path: &str, link: &Link, numbers: &Numbers<'_>) -> Checked {
    numbers.who(&format!("{path}.from"), &link.from)?;
    numbers.who(&format!("{path}.to"), &link.to)?;
    quality(path, link.change())
}

fn condition(path: &str, condition: &Condition, numbers: &Numbers<'_>) -> Checked {
    let shortest = Duration::from_millis(1);
    duration(&format!("{path}.at"), condition.at, Duration::ZERO, END_OF_TIME)?;
    each(condition.lasting, |value| duration(&format!("{path}.lasting"), value, shortest, END_OF_TIME))?;
    if let Some(every) = condition.every {
        let Some(lasting) = condition.lasting else {
            let problem = "what happens again must end";
            let allowed = "with `every`, a duration shorter than that";
            return Err(Mistake::value(&format!("{path}.lasting"), problem, "None", allowed));
        };
        duration(&format!("{path}.every"), every, shortest, END_OF_TIME)?;
        // In between there has to be time to recover.
        if lasting >= every {
            let [found, every] = [lasting, every].map(|value| humantime::format_duration(value).to_string());
            let allowed = format!("a duration shorter than `every`, which is {every}");
            let problem = "what happens again must end before";
            return Err(Mistake::value(&format!("{path}.lasting"), problem, found, allowed));
        }
    }
    // Nobody could finish a slot without those who never come back.
    let forever = |what| match condition.lasting {
        Some(_) => Ok(()),
        None => {
            let problem = format!("{what} must end, or the run never would");
            Err(Mistake::value(&format!("{path}.lasting"), &problem, "None", "a duration"))
        }
    };
    match &condition.what {
        Incident::Link(what) => link(&format!("{path}.what.Link"), what, numbers),
        Incident::Partition { from, to, .. } => {
            forever("a partition")?;
            numbers.who(&format!("{path}.what.Partition.from"), from)?;
            numbers.who(&format!("{path}.what.Partition.to"), to)
        }
        Incident::Crash { who, memory } => {
            let is_peer = matches!(who, Who::Peer(_)) && numbers.ledger.peers.0 > 1;
            if !is_peer {
                forever("a crash")?;
            } else if numbers.ledger.on_outage == Outage::Wait {
                let mut peer = forever("a crash of a peer whose clients wait for it");
                if let Err(mistake) = &mut peer {
                    mistake.notes.push("with ledger.on_outage: Switch they go to another peer".to_owned());
                }
                peer?;
            }
            let path = format!("{path}.what.Crash");
            numbers.who(&format!("{path}.who"), who)?;
            if *memory == Memory::Kept || is_peer || matches!(who, Who::Prosumers | Who::Prosumer(_) | Who::Group(_)) {
                return Ok(());
            }
            let problem = "only prosumers and peers know where to ask what they have lost";
            Err(Mistake::value(&format!("{path}.memory"), problem, "Lost", "Kept, or prosumers or a peer as `who`"))
        }
    }
}

/// Checks that what so many prosumers could turn over in a slot is an amount of money.
pub(super) fn turnover(market: &Market, tariffs: &Tariffs, prosumers: usize) -> Checked {
    let own = tariffs.of_group(None);
    let all = [&own].into_iter().chain(&tariffs.imbalance).chain(tariffs.groups.values());
    let prices = all.flat_map(|rates| rates.grid.iter().chain(rates.feed_in.iter()));
    let tariff = prices.map(|price| price.abs()).fold(0.0, f64::max);
    let (path, dearest) = match market.grid_tariff {
        _ if market.local_fee() > tariff => ("market.service_fee", market.local_fee()),
        Tariff::Constant(_) => ("market.grid_tariff.Constant", tariff),
        Tariff::Schedule(_) => ("market.grid_tariff.Schedule", tariff),
        Tariff::Csv(_) => ("market.grid_tariff.Csv", tariff),
    };
    if LARGEST_ENERGY * dearest.max(1.0) * prosumers as f64 <= Registration::MOST_TURNOVER {
        return Ok(());
    }
    let problem = "with so many prosumers a slot could turn over more money than accounts can hold";
    let most = (Registration::MOST_TURNOVER / LARGEST_ENERGY / prosumers as f64).floor();
    let allowed = format!("at most {most} with {prosumers} prosumers, or fewer of them");
    Err(Mistake::value(path, problem, dearest, allowed))
}

/// Checks that fixed first prices and choices fit the sellers of every slot with a market.
pub(super) fn starts(scenario: &Scenario, population: &Population, tariffs: &Tariffs, open: &OpenSlots) -> Checked {
    let Scenario { market, learning: Learning { initial_price, initial_choice, .. }, .. } = scenario;
    for slot in open.iter() {
        let Some(sellers) = sellers(population, slot) else { continue };
        let prices = if let InitialPrice::Fixed(prices) = initial_price { Some(prices) } else { None };
        let choice = if let Initial::Fixed(shares) = initial_choice { Some(shares) } else { None };
        for (name, values) in [("initial_price", prices), ("initial_choice", choice)] {
            if let Some(values) = values.filter(|values| values.len() != sellers) {
                let (path, problem) =
                    (format!("learning.{name}.Fixed"), format!("does not fit the sellers of slot {slot}"));
                let allowed = format!("one value for each seller of every open slot: {sellers} in slot {slot}");
                return Err(Mistake::value(&path, &problem, format!("a list of length {}", values.len()), allowed));
            }
        }
        let Some(prices) = prices else { continue };
        let band = tariffs.tariff(slot).band(market.local_fee());
        if !band.has_room() {
            continue;
        }
        if let Some((n, price)) = (0..).zip(prices).find(|(_, price)| !band.contains(**price)) {
            let path = format!("learning.initial_price.Fixed[{n}]");
            let problem = format!("outside the tariffs of slot {slot}");
            let allowed = format!("from {} to {}", band.floor, band.ceiling);
            return Err(Mistake::value(&path, &problem, price, allowed));
        }
    }
    Ok(())
}

/// How many sell in a slot, if anybody buys and anybody sells.
fn sellers(population: &Population, slot: u32) -> Option<usize> {
    let profiles = population.prosumers.iter().map(|member| member.profile.foreseen(slot));
    let roles: Vec<_> = profiles.map(|profile| Role::of(profile.generation, profile.load)).collect();
    let count = |wanted| roles.iter().filter(|&&role| role == wanted).count();
    (count(Role::Buyer) > 0 && count(Role::Seller) > 0).then(|| count(Role::Seller))
}
