//! Rules that are written in Python, in the place of the simulator's own. What a rule raises ends the run.

use microgrid_sim::{
    SimulationBuilder,
    agents::{
        market::{
            pricing::{PriceBand, next_price},
            replicator::largest_change,
        },
        message::MarketOpened,
        prosumer::{self, Bidder, Bidding, ChoiceRule, PricingRule},
        statement::{OrderSide, Step},
        streams::Stream,
        units::Energy,
    },
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};
use rand::RngExt;
use rand_distr::StandardNormal;
use std::{
    fmt, mem,
    panic::resume_unwind,
    sync::{Arc, Mutex, PoisonError},
};

/// What a rule of a run has raised, first of all.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, error: PyErr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// A rule in Python.
struct Owned {
    rule: Py<PyAny>,
    /// Whether it has a say of its own about what most leave as it is.
    says_more: bool,
    raised: Raised,
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule in Python")
    }
}

impl Clone for Owned {
    /// Each prosumer has a copy of its own: what one remembers, no other knows.
    fn clone(&self) -> Self {
        let Self { says_more, raised, .. } = self;
        let rule = self.attached(|py, rule| Ok(copied(py, rule)?.unbind()));
        Self { rule, says_more: *says_more, raised: raised.clone() }
    }
}

fn copied<'py>(py: Python<'py>, rule: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    py.import("copy")?.call_method1("deepcopy", (rule,))
}

impl Owned {
    /// What `ask` gets out of the rule. What is raised is kept, and ends the run as the panic of a rule does.
    fn attached<T>(&self, ask: impl for<'py> FnOnce(Python<'py>, &Bound<'py, PyAny>) -> PyResult<T>) -> T {
        let asked = Python::attach(|py| {
            ask(py, self.rule.bind(py)).map_err(|error| {
                let said = error.to_string();
                self.raised.put(error);
                said
            })
        });
        asked.unwrap_or_else(|said| resume_unwind(Box::new(said)))
    }

    /// The same with a random stream, which goes on from where the rule has left it.
    fn with_random<T>(
        &self,
        random: &mut Stream,
        ask: impl for<'py> FnOnce(Python<'py>, &Bound<'py, PyAny>, Py<Random>) -> PyResult<T>,
    ) -> T {
        self.attached(|py, rule| {
            let lent = Py::new(py, Random(Mutex::new(random.clone())))?;
            let answer = ask(py, rule, lent.clone_ref(py))?;
            mem::swap(random, &mut lent.get().stream());
            Ok(answer)
        })
    }
}

/// A rule in Python on its way to those who are to decide by it.
pub(crate) struct Given {
    kind: Kind,
    whose: Option<Vec<u32>>,
    rule: Owned,
}

#[derive(Clone, Copy)]
enum Kind {
    Pricing,
    Choice,
    Bidder,
}

impl Given {
    /// A rule of the class with this name; all have it where nobody is named.
    pub(crate) fn new(
        class: &str,
        whose: Option<Vec<u32>>,
        rule: &Bound<'_, PyAny>,
        raised: &Raised,
    ) -> PyResult<Self> {
        let (kind, optional) = match class {
            "PricingRule" => (Kind::Pricing, Some("first_price")),
            "ChoiceRule" => (Kind::Choice, None),
            _ => (Kind::Bidder, Some("is_done")),
        };
        let py = rule.py();
        let base = py.import("microgrid_sim.rules")?.getattr(class)?;
        if !rule.is_instance(&base)? {
            let found = rule.get_type().name()?;
            return Err(PyTypeError::new_err(format!("expected a rule of class {class}, found {found}")));
        }
        let own = |name| Ok::<_, PyErr>(!rule.get_type().getattr(name)?.is(&base.getattr(name)?));
        let says_more = optional.map_or(Ok(false), own)?;
        let rule = Owned { rule: copied(py, rule)?.unbind(), says_more, raised: raised.clone() };
        Ok(Self { kind, whose, rule })
    }

    pub(crate) fn to(self, builder: SimulationBuilder) -> SimulationBuilder {
        let Self { kind, whose, rule } = self;
        match (kind, whose) {
            (Kind::Pricing, None) => builder.pricing(rule),
            (Kind::Pricing, Some(numbers)) => builder.pricing_of(numbers, rule),
            (Kind::Choice, None) => builder.choice(rule),
            (Kind::Choice, Some(numbers)) => builder.choice_of(numbers, rule),
            (Kind::Bidder, None) => builder.bidder(rule),
            (Kind::Bidder, Some(numbers)) => builder.bidder_of(numbers, rule),
        }
    }
}

/// A prosumer's own random stream: the same draws for the same seed, whatever else happens.
#[pyclass(frozen, module = "microgrid_sim")]
#[derive(Debug)]
pub(crate) struct Random(Mutex<Stream>);

impl Random {
    fn stream(&self) -> std::sync::MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Random {
    /// A number from 0 on and below 1.
    fn random(&self) -> f64 {
        self.stream().random()
    }

    /// A number from `low` to `high`.
    fn uniform(&self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random()
    }

    /// A number of a normal distribution.
    #[pyo3(signature = (mean=0.0, deviation=1.0))]
    fn normal(&self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * self.stream().sample::<f64, _>(StandardNormal)
    }

    /// A whole number from `low` on and below `high`.
    fn integer(&self, low: i64, high: i64) -> PyResult<i64> {
        if low >= high {
            return Err(PyValueError::new_err(format!("there is no whole number from {low} on and below {high}")));
        }
        Ok(self.stream().random_range(low..high))
    }
}

/// What a seller has to go by when it moves its price.
#[pyclass(frozen, get_all, module = "microgrid_sim")]
#[derive(Debug)]
pub(crate) struct Offer {
    slot: u32,
    number: u32,
    me: usize,
    sellers: Vec<u32>,
    prices: Vec<f64>,
    price: f64,
    surplus: f64,
    demand: f64,
    step: f64,
    floor: f64,
    ceiling: f64,
    ramp: f64,
    random: Py<Random>,
}

impl Offer {
    fn new(offer: &prosumer::Offer<'_>, random: Py<Random>) -> Self {
        let PriceBand { floor, ceiling, .. } = offer.band;
        let sellers: Vec<u32> = offer.sellers().collect();
        Self {
            slot: offer.market.slot,
            number: sellers[offer.me],
            me: offer.me,
            sellers,
            prices: offer.news.prices.clone(),
            price: offer.price,
            surplus: offer.surplus,
            demand: offer.demand,
            step: offer.step,
            floor,
            ceiling,
            ramp: offer.ramp,
            random,
        }
    }
}

#[pymethods]
impl Offer {
    #[getter]
    fn excess(&self) -> f64 {
        self.demand - self.surplus
    }

    fn moved_by(&self, change: f64) -> f64 {
        next_price(self.price, change, 1.0, PriceBand { floor: self.floor, ceiling: self.ceiling }, self.ramp)
    }

    fn others(&self) -> Vec<f64> {
        let quoted = self.prices.iter().copied().enumerate();
        quoted.filter(|(seller, price)| *seller != self.me && price.is_finite()).map(|(_, price)| price).collect()
    }
}

impl PricingRule for Owned {
    fn first_price(&mut self, market: &MarketOpened, band: PriceBand, random: &mut Stream) -> Option<f64> {
        let PriceBand { floor, ceiling, .. } = band;
        self.says_more.then(|| {
            self.with_random(random, |_, rule, random| {
                let price = rule.call_method1("first_price", (market.slot, floor, ceiling, random))?;
                price.extract::<Option<f64>>().and_then(|price| price.map(|price| finite(price, "a price")).transpose())
            })
        })?
    }

    fn next_price(&mut self, offer: &prosumer::Offer<'_>, random: &mut Stream) -> f64 {
        self.with_random(random, |_, rule, random| {
            let price = rule.call_method1("next_price", (Offer::new(offer, random),))?;
            finite(price.extract()?, "a price")
        })
    }
}

fn finite(number: f64, what: &str) -> PyResult<f64> {
    if number.is_finite() { Ok(number) } else { Err(PyValueError::new_err(format!("{number} is not {what}"))) }
}

/// What a buyer has to go by when it moves its shares.
#[pyclass(frozen, get_all, module = "microgrid_sim")]
#[derive(Debug)]
pub(crate) struct Lesson {
    slot: u32,
    sellers: Vec<u32>,
    prices: Vec<f64>,
    fitness: Vec<f64>,
    mean_shares: Vec<f64>,
    demand: Vec<f64>,
    surplus: Vec<f64>,
    purchases: Vec<f64>,
    need: f64,
    generation: f64,
    preference: f64,
    step: f64,
    unit: f64,
    random: Py<Random>,
}

impl Lesson {
    fn new(lesson: &prosumer::Lesson<'_>, random: Py<Random>) -> Self {
        Self {
            slot: lesson.market.slot,
            sellers: lesson.sellers().collect(),
            prices: lesson.prices().into_owned(),
            fitness: lesson.fitness.to_vec(),
            mean_shares: lesson.mean_shares().into_owned(),
            demand: lesson.at_known(&lesson.sums.demand).into_owned(),
            surplus: lesson.at_known(&lesson.market.surplus).into_owned(),
            purchases: lesson.last.purchases.clone(),
            need: lesson.buyer.need,
            generation: lesson.buyer.generation,
            preference: lesson.buyer.preference,
            step: lesson.step,
            unit: lesson.unit,
            random,
        }
    }
}

/// How far shares may be from a sum of one before they are taken for a mistake.
const SUM_TOLERANCE: f64 = 1e-6;

impl ChoiceRule for Owned {
    fn learn(&mut self, shares: &mut [f64], lesson: &prosumer::Lesson<'_>, random: &mut Stream) -> f64 {
        let (moved, change) = self.with_random(random, |_, rule, random| {
            let answer = rule.call_method1("learn", (shares.to_vec(), Lesson::new(lesson, random)))?;
            let (moved, change) = match answer.extract::<(Vec<f64>, f64)>() {
                Ok((moved, change)) => (moved, Some(change)),
                Err(_) => (answer.extract::<Vec<f64>>()?, None),
            };
            let (found, wanted) = (moved.len(), shares.len());
            if found != wanted {
                return Err(PyValueError::new_err(format!("expected {wanted} shares, one a seller, found {found}")));
            }
            if let Some(wrong) = moved.iter().find(|share| !share.is_finite() || **share < 0.0) {
                return Err(PyValueError::new_err(format!("{wrong} is not a share")));
            }
            let sum: f64 = moved.iter().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(PyValueError::new_err(format!("the shares add up to {sum}, not to 1")));
            }
            Ok((moved, change))
        });
        let change = change.unwrap_or_else(|| largest_change(shares, &moved));
        shares.copy_from_slice(&moved);
        change
    }
}

/// What a participant of an auction has to go by when it makes an order.
#[pyclass(frozen, module = "microgrid_sim")]
#[derive(Debug)]
pub(crate) struct Bid {
    bidding: Bidding<'static>,
    #[pyo3(get)]
    last: Option<Vec<(f64, f64)>>,
    #[pyo3(get)]
    random: Option<Py<Random>>,
}

fn pairs(curve: &[Step]) -> Vec<(f64, f64)> {
    curve.iter().map(|step| (step.energy.value(), step.limit)).collect()
}

#[pymethods]
impl Bid {
    #[getter]
    fn side(&self) -> &'static str {
        if self.bidding.side() == OrderSide::Buy { "buy" } else { "sell" }
    }

    #[getter]
    fn floor(&self) -> f64 {
        self.bidding.band.floor
    }

    #[getter]
    fn ceiling(&self) -> f64 {
        self.bidding.band.ceiling
    }

    #[getter]
    fn elapsed(&self) -> f64 {
        self.bidding.elapsed
    }

    #[getter]
    fn traded(&self) -> f64 {
        self.bidding.traded.value()
    }

    #[getter]
    fn bid(&self) -> Option<f64> {
        self.bidding.bid
    }

    #[getter]
    fn ask(&self) -> Option<f64> {
        self.bidding.ask
    }

    #[getter]
    fn price(&self) -> Option<f64> {
        self.bidding.price
    }

    #[pyo3(signature = (steps=10))]
    fn truth(&self, steps: u32) -> Vec<(f64, f64)> {
        pairs(&self.bidding.truth(steps))
    }

    #[pyo3(signature = (part, steps=10))]
    fn shaded(&self, part: f64, steps: u32) -> Vec<(f64, f64)> {
        pairs(&self.bidding.shaded(steps, part))
    }
}

impl Bid {
    fn new(bidding: &Bidding<'_>, random: Option<Py<Random>>) -> Self {
        Self { bidding: bidding.without_last(), last: bidding.last.map(pairs), random }
    }
}

impl Bidder for Owned {
    fn bid(&mut self, bidding: &Bidding<'_>, random: &mut Stream) -> Option<Vec<Step>> {
        self.with_random(random, |_, rule, random| {
            let curve = rule.call_method1("bid", (Bid::new(bidding, Some(random)),))?;
            let step = |(energy, limit): (f64, f64)| {
                let energy = Energy::nearest(finite(energy, "an energy")?);
                Ok(Step { energy, limit: finite(limit, "a price")? })
            };
            let curve: Option<Vec<(f64, f64)>> = curve.extract()?;
            curve.map(|curve| curve.into_iter().map(step).collect()).transpose()
        })
    }

    fn is_done(&self, bidding: &Bidding<'_>) -> bool {
        self.says_more && self.attached(|_, rule| rule.call_method1("is_done", (Bid::new(bidding, None),))?.extract())
    }
}
