//! Which values a scenario may have.

use super::{
    Case,
    distribution::Distribution,
    knobs::Knob,
    profiles::LARGEST_ENERGY,
    schema::{
        Activation, Clock, GridTariff, Initial, Learning, Ledger, Market, PopulationSource, Preferences, Replicates,
        Scenario, Storage, Synthetic,
    },
};
use microgrid_agents::{
    market::{
        pricing::PriceBand,
        role::{Role, role},
    },
    statement::Registration,
};
use std::{collections::BTreeSet, fmt::Display, time::Duration};

mod learning;
mod network;

pub(super) use network::network_among;

/// Largest number of slots, of prosumers and of cases.
pub(super) const LARGEST_COUNT: u32 = 1_000_000;
/// No slot, delay or period is longer.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Amounts, powers and prices beyond this are mistakes.
const LARGEST: f64 = 1e4;
/// Smallest curvature of utility [CNY/kWh²].
const SMALLEST_ALPHA: f64 = 1e-6;
/// Smallest price but 0 and smallest preference [CNY/kWh], and smallest speed of the clock.
const SMALLEST: f64 = 1e-6;
/// How far the sum of shares may be from one.
const SHARE_NOISE: f64 = 1e-9;

/// A value that is not allowed.
#[derive(Debug)]
pub(super) struct Violation {
    /// The field's path, such as `market.open`.
    pub(super) path: String,
    /// What is wrong with it.
    pub(super) problem: String,
    /// Its value.
    pub(super) found: String,
    /// What is allowed, in words.
    pub(super) allowed: String,
}

type Checked = Result<(), Violation>;

impl Violation {
    pub(super) fn new(path: &str, problem: &str, found: impl Display, allowed: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into(), found: found.to_string(), allowed: allowed.into() }
    }
}

fn ensure(fine: bool, path: &str, found: impl Display, allowed: impl Into<String>) -> Checked {
    if fine { Ok(()) } else { Err(Violation::new(path, "not allowed", found, allowed)) }
}

fn above_zero(path: &str, value: f64) -> Checked {
    ensure(value > 0.0 && value <= LARGEST, path, value, format!("above 0, at most {LARGEST}"))
}

fn not_negative(path: &str, value: f64) -> Checked {
    ensure((0.0..=LARGEST).contains(&value), path, value, format!("from 0 to {LARGEST}"))
}

/// What a kWh costs: less than a unit of money is as good as nothing, but spoils every quotient.
pub(super) fn price(path: &str, value: f64) -> Checked {
    let fine = value == 0.0 || (SMALLEST..=LARGEST).contains(&value);
    ensure(fine, path, value, format!("0, or from {SMALLEST} to {LARGEST}"))
}

fn share(path: &str, value: f64) -> Checked {
    ensure((0.0..=1.0).contains(&value), path, value, "from 0 to 1")
}

fn count(path: &str, value: u32) -> Checked {
    ensure((1..=LARGEST_COUNT).contains(&value), path, value, format!("from 1 to {LARGEST_COUNT}"))
}

fn duration(path: &str, value: Duration, shortest: Duration, longest: Duration) -> Checked {
    let [shown, from, to] = [value, shortest, longest].map(|duration| humantime::format_duration(duration).to_string());
    ensure((shortest..=longest).contains(&value), path, shown, format!("from {from} to {to}"))
}

/// Checks every value by itself and beside the others; data files are not looked at.
pub(super) fn scenario(scenario: &Scenario) -> Checked {
    name(&scenario.name)?;
    // Room for the seeds of all replicates.
    let largest_seed = u64::MAX - u64::from(u32::MAX);
    ensure(scenario.seed <= largest_seed, "seed", scenario.seed, format!("from 0 to {largest_seed}"))?;
    market(&scenario.market)?;
    match &scenario.population {
        PopulationSource::Profiles(_) => {}
        PopulationSource::Synthetic(what) => synthetic(what, &scenario.preferences)?,
    }
    preferences(&scenario.preferences)?;
    scenario.storage.as_ref().map_or(Ok(()), storage)?;
    learning::learning(&scenario.learning)?;
    activation(&scenario.activation)?;
    network::network(&scenario.network, &scenario.population)?;
    ledger(&scenario.ledger)?;
    clock(scenario.clock)?;
    if let Some(slot) = scenario.report.slot {
        let slots = scenario.market.slots;
        ensure((1..=slots).contains(&slot), "report.slot", slot, format!("from 1 to {slots}"))?;
    }
    match &scenario.replicates {
        Replicates::Count(number) => count("replicates", *number),
        Replicates::Seeds(seeds) => {
            let allowed = "at least one seed, each of them once";
            let distinct: BTreeSet<_> = seeds.iter().collect();
            let fine = !seeds.is_empty() && distinct.len() == seeds.len();
            ensure(fine, "replicates", format!("{} seeds, {} of them distinct", seeds.len(), distinct.len()), allowed)
        }
    }
}

/// Sets a knob and checks the scenario, which was valid before.
pub(super) fn turn(scenario: &mut Scenario, knob: &Knob, text: &str) -> Result<(), Violation> {
    knob.turn(scenario, text).map_err(|expected| Violation::new(knob.name, "not allowed", text, expected))?;
    self::scenario(scenario).map_err(|violation| Violation { found: text.to_owned(), ..violation })
}

/// Replicates take the seeds that follow, so that with several seeds some runs would be there twice; where they list
/// their seeds, no other counts.
pub(super) fn replicates(scenario: &Scenario, knob: &Knob, values: usize) -> Result<(), Violation> {
    if knob.name != "seed" {
        return Ok(());
    }
    match &scenario.replicates {
        Replicates::Count(count) if *count == 1 || values == 1 => Ok(()),
        Replicates::Count(count) => {
            let allowed = "one seed, with as many replicates as there are to be seeds; or several seeds with \
                           `replicates: 1`, or as a list in `replicates`";
            let found = format!("{values} seeds, each for {count} replicates");
            Err(Violation::new("seed", "several seeds and replicates do not go together", found, allowed))
        }
        Replicates::Seeds(seeds) => {
            let allowed = "no seed beside a list of seeds in `replicates`, which says all";
            let found = format!("{values} beside {}", seeds.len());
            Err(Violation::new("seed", "`replicates` lists the seeds", found, allowed))
        }
    }
}

/// The name becomes a folder, so it has to be a plain one on every system.
fn name(name: &str) -> Checked {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let fine = !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(plain);
    ensure(
        fine,
        "name",
        format!("{name:?}"),
        "a plain folder name: up to 100 letters, digits, `-`, `_` and `.`, not beginning with `.`",
    )
}

fn market(market: &Market) -> Checked {
    // So many of the longest slots still fit the clock.
    let most_slots = 100_000;
    ensure((1..=most_slots).contains(&market.slots), "market.slots", market.slots, format!("from 1 to {most_slots}"))?;
    duration("market.slot_length", market.slot_length, Duration::from_secs(1), DAY)?;
    duration("market.starts_at", market.starts_at, Duration::ZERO, DAY)?;
    let (first, last) = market.open;
    let open = format!("({first}, {last})");
    let allowed = format!("first and last open slot, from 1 to {}", market.slots);
    if first > last {
        return Err(Violation::new("market.open", "the last slot comes before the first", open, allowed));
    }
    ensure(1 <= first && last <= market.slots, "market.open", open, allowed)?;
    duration("market.gate_closure", market.gate_closure, Duration::from_millis(1), market.slot_length)?;
    price("market.feed_in_tariff", market.feed_in_tariff)?;
    price("market.service_fee", market.service_fee)?;
    match market.grid_tariff {
        GridTariff::Csv(_) => Ok(()),
        GridTariff::Constant(tariff) => {
            let allowed = format!("from the feed-in tariff of {} to {LARGEST}", market.feed_in_tariff);
            let path = "market.grid_tariff.Constant";
            ensure((market.feed_in_tariff..=LARGEST).contains(&tariff), path, tariff, allowed)?;
            price(path, tariff)
        }
    }
}

fn synthetic(what: &Synthetic, preferences: &Preferences) -> Checked {
    count("population.Synthetic.count", what.count)?;
    share("population.Synthetic.pv_share", what.pv_share)?;
    share("population.Synthetic.workplace_share", what.workplace_share)?;
    not_negative("population.Synthetic.preference_per_kwh", what.preference_per_kwh)?;
    let distributions = [
        ("pv_peak_kw", &what.pv_peak_kw),
        ("weather", &what.weather),
        ("load_kw", &what.load_kw),
        ("load_noise", &what.load_noise),
        ("preference_base", &what.preference_base),
        ("preference_grid", &what.preference_grid),
    ];
    distributions
        .into_iter()
        .try_for_each(|(name, what)| distribution(&format!("population.Synthetic.{name}"), what))?;
    let given = [("preference_pv", preferences.preference_pv), ("preference_grid", preferences.preference_grid)];
    given.into_iter().try_for_each(|(name, value)| match value {
        None => Ok(()),
        Some(value) => {
            let problem = "a synthetic population draws its own";
            Err(Violation::new(&format!("preferences.{name}"), problem, value, "None with a Synthetic population"))
        }
    })
}

fn distribution(path: &str, what: &Distribution) -> Checked {
    match *what {
        Distribution::Constant(value) => not_negative(&format!("{path}.Constant"), value),
        Distribution::Uniform { min, max } => {
            not_negative(&format!("{path}.min"), min)?;
            ensure((min..=LARGEST).contains(&max), &format!("{path}.max"), max, format!("from min to {LARGEST}"))
        }
        Distribution::Normal { mean, std_dev } => {
            not_negative(&format!("{path}.mean"), mean)?;
            not_negative(&format!("{path}.std_dev"), std_dev)
        }
        Distribution::LogNormal { median, sigma } => {
            not_negative(&format!("{path}.median"), median)?;
            // Beyond this, the largest of many draws would be thousands of times the median.
            ensure((0.0..=2.0).contains(&sigma), &format!("{path}.sigma"), sigma, "from 0 to 2")
        }
    }
}

fn preferences(preferences: &Preferences) -> Checked {
    // Optimal purchases grow without bound as alpha goes to zero.
    let (alpha, allowed) = (preferences.alpha, format!("from {SMALLEST_ALPHA} to {LARGEST}"));
    ensure((SMALLEST_ALPHA..=LARGEST).contains(&alpha), "preferences.alpha", alpha, allowed)?;
    share("preferences.eta", preferences.eta)?;
    share("preferences.mu", preferences.mu)?;
    let given = [("preference_pv", preferences.preference_pv), ("preference_grid", preferences.preference_grid)];
    given.into_iter().try_for_each(|(name, value)| match value {
        None => Ok(()),
        Some(value) => {
            let allowed = format!("from {SMALLEST} to {LARGEST}");
            ensure((SMALLEST..=LARGEST).contains(&value), &format!("preferences.{name}"), value, allowed)
        }
    })
}

fn storage(storage: &Storage) -> Checked {
    above_zero("storage.capacity_kwh", storage.capacity_kwh)?;
    above_zero("storage.power_kw", storage.power_kw)?;
    let efficiency = storage.efficiency;
    ensure(efficiency > 0.0 && efficiency <= 1.0, "storage.efficiency", efficiency, "above 0, at most 1")?;
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
            ensure((0.0..1.0).contains(&jitter), "activation.Independent.jitter", jitter, "from 0 to below 1")
        }
        Activation::Poisson { period: value } => period("activation.Poisson.period", value),
        Activation::Reactive { min_interval } => period("activation.Reactive.min_interval", min_interval),
    }
}

fn clock(clock: Clock) -> Checked {
    match clock {
        Clock::Virtual => Ok(()),
        Clock::Wall { speed } => {
            let allowed = format!("from {SMALLEST} to {LARGEST}");
            ensure((SMALLEST..=LARGEST).contains(&speed), "clock.Wall.speed", speed, allowed)
        }
    }
}

fn ledger(ledger: &Ledger) -> Checked {
    count("ledger.block.max_transactions", ledger.block.max_transactions)?;
    duration("ledger.block.timeout", ledger.block.timeout, Duration::ZERO, DAY)
}

/// Checks that the most that so many prosumers could turn over in a slot, where tariffs go up to `tariff` [CNY/kWh], is
/// an amount of money.
pub(super) fn turnover(market: &Market, tariff: f64, prosumers: usize) -> Checked {
    let (path, dearest) = match market.grid_tariff {
        _ if market.service_fee > tariff => ("market.service_fee", market.service_fee),
        GridTariff::Constant(_) => ("market.grid_tariff.Constant", tariff),
        GridTariff::Csv(_) => ("market.grid_tariff.Csv", tariff),
    };
    if LARGEST_ENERGY * dearest.max(1.0) * prosumers as f64 <= Registration::MOST_TURNOVER {
        return Ok(());
    }
    let problem = "with so many prosumers a slot could turn over more money than accounts can hold";
    let most = (Registration::MOST_TURNOVER / LARGEST_ENERGY / prosumers as f64).floor();
    let allowed = format!("at most {most} with {prosumers} prosumers, or fewer of them");
    Err(Violation::new(path, problem, dearest, allowed))
}

/// Checks that fixed first prices and choices fit the sellers of every slot with a market.
pub(super) fn starts(case: &Case) -> Checked {
    let Learning { initial_price, initial_choice, .. } = &case.scenario.learning;
    let (first, last) = case.scenario.market.open;
    for slot in first..=last {
        let Some(sellers) = sellers(case, slot) else { continue };
        length("learning.initial_price.Fixed", initial_price, sellers, slot)?;
        length("learning.initial_choice.Fixed", initial_choice, sellers, slot)?;
        let Initial::Fixed(prices) = initial_price else { continue };
        let market = &case.scenario.market;
        let band = PriceBand::between(market.feed_in_tariff, case.grid_tariffs[slot as usize - 1], market.service_fee);
        if !band.has_room() {
            continue;
        }
        if let Some((n, price)) = (0..).zip(prices).find(|(_, price)| !band.contains(**price)) {
            let path = format!("learning.initial_price.Fixed[{n}]");
            let problem = format!("outside the tariffs of slot {slot}");
            let allowed = format!("from {} to {}", band.floor, band.ceiling);
            return Err(Violation::new(&path, &problem, price, allowed));
        }
    }
    Ok(())
}

fn length(path: &str, initial: &Initial, sellers: usize, slot: u32) -> Checked {
    match initial {
        Initial::Fixed(values) if values.len() != sellers => {
            let problem = format!("does not fit the sellers of slot {slot}");
            let allowed = format!("one value for each seller of every open slot: {sellers} in slot {slot}");
            Err(Violation::new(path, &problem, format!("a list of length {}", values.len()), allowed))
        }
        _ => Ok(()),
    }
}

/// How many sell in a slot, if anybody buys and anybody sells.
fn sellers(case: &Case, slot: u32) -> Option<usize> {
    let profiles = case.population.prosumers.iter().map(|member| &member.profile[slot as usize - 1]);
    let roles: Vec<_> = profiles.map(|profile| role(profile.generation, profile.load)).collect();
    let count = |wanted| roles.iter().filter(|&&role| role == wanted).count();
    (count(Role::Buyer) > 0 && count(Role::Seller) > 0).then(|| count(Role::Seller))
}
