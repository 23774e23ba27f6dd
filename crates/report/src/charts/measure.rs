//! What the measures of a study are called on an axis.

use crate::chart::{Axis, Scale};
use microgrid_record::{MEASURES, Statistics, Summary};

/// What is next to nothing where a game comes to rest and a thousand or a million times as large where it does not.
const DISTANCES: [&str; 5] = ["price_gap", "imbalance", "ess_residual", "welfare_loss", "oscillation_amplitude"];

/// A mean, and its 95 % confidence interval where it is known.
type Interval = (f64, Option<(f64, f64)>);

/// What a measure is of a combination, if it is defined.
type Value = dyn Fn(&Summary) -> Option<Interval>;

/// A measure of a combination of the varied knobs.
pub(super) struct Measure {
    /// As in `summary.csv`.
    pub(super) name: &'static str,
    pub(super) axis: Axis,
    /// What it is of a combination, in words, as the beginning of a caption.
    pub(super) what: &'static str,
    /// Between which values it can be.
    pub(super) bounds: (f64, f64),
    /// What it is, if it is defined.
    pub(super) of: Box<Value>,
}

/// All measures, the share of slots in equilibrium first, where gates close after so long [s], if that is known.
pub(super) fn all(gate: Option<f64>) -> impl Iterator<Item = Measure> {
    let share = Measure {
        name: "share_in_equilibrium",
        axis: Axis::of("share of slots in equilibrium").scale(Scale::Between(0.0, 1.0)),
        what: "Part of the slots with a market that ended in equilibrium",
        bounds: (0.0, 1.0),
        of: Box::new(|summary| Some((summary.share_in_equilibrium?, summary.share_interval))),
    };
    let measures = MEASURES.iter().enumerate().map(move |(index, (name, what, _))| Measure {
        name,
        axis: axis(name),
        what,
        bounds: bounds(name, gate),
        of: Box::new(move |summary| {
            let statistics: &Statistics = &summary.measures[index];
            let mean = statistics.mean()?;
            Some((mean, statistics.half_width().map(|half_width| (mean - half_width, mean + half_width))))
        }),
    });
    [share].into_iter().chain(measures)
}

impl Measure {
    /// Its name without a unit.
    pub(super) fn word(&self) -> &'static str {
        let units = ["_cny_per_kwh", "_cny", "_s", "_kwh"];
        let word = units.iter().find_map(|unit| self.name.strip_suffix(unit));
        // What is for each kWh is not in kWh.
        word.filter(|word| !word.ends_with("_per")).unwrap_or(self.name)
    }

    /// What it is in a title.
    pub(super) fn title(&self) -> String {
        let label = self.axis.label.split(',').next().unwrap_or_default();
        let mut letters = label.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// What else there is to know of it, behind a caption.
    pub(super) fn remark(&self) -> &'static str {
        if self.name.starts_with("information_age") {
            " News ages from the commit of the market state: in lock-step, what arrives later waits less for the next act, \
             so that age may fall where delay grows."
        } else {
            ""
        }
    }
}

/// Between which values a measure of this name can be: nothing takes longer than to the gate, and what is not welfare
/// is not less than zero.
fn bounds(name: &str, gate: Option<f64>) -> (f64, f64) {
    let least = if name.contains("welfare") { f64::NEG_INFINITY } else { 0.0 };
    let most = gate.filter(|_| name.starts_with("time_to_equilibrium")).unwrap_or(f64::INFINITY);
    (least, most)
}

/// The axis of a measure that has this name in `summary.csv`.
fn axis(name: &str) -> Axis {
    let (label, unit) = match name {
        "time_to_equilibrium_restricted_s" => ("time to equilibrium or gate closure", Some("s")),
        "time_to_equilibrium_s" => ("time to equilibrium where reached", Some("s")),
        "price_mean_cny_per_kwh" => ("mean price of trades", Some("CNY/kWh")),
        "equilibrium_price_cny_per_kwh" => ("closed-form price", Some("CNY/kWh")),
        "rounds" => ("rounds of a slot", None),
        "price_gap" => ("price gap", Some("CNY/kWh")),
        "ess_residual" => ("difference of net utilities", None),
        "information_age_mean_s" => ("mean age of information", Some("s")),
        "information_age_p95_s" => ("95th percentile of the age of information", Some("s")),
        "traded_kwh" => ("energy traded in a slot", Some("kWh")),
        "grid_import_kwh" => ("energy bought from the grid in a slot", Some("kWh")),
        "grid_export_kwh" => ("energy fed into the grid in a slot", Some("kWh")),
        "buyers_welfare_cny" => ("welfare of the buyers in a slot", Some("CNY")),
        "sellers_welfare_cny" => ("welfare of the sellers in a slot", Some("CNY")),
        "welfare_cny" => ("welfare of all in a slot", Some("CNY")),
        "p2g_welfare_cny" => ("welfare of all in a slot of P2G", Some("CNY")),
        "oscillation_amplitude" => ("oscillation of prices", Some("CNY/kWh")),
        "messages" => ("messages in a slot", None),
        "messages_per_kwh" => ("messages for each traded kWh", Some("1/kWh")),
        "updates_per_actor" => ("decisions of a participant", None),
        "lost_messages" => ("lost messages in a slot", None),
        "duplicated_messages" => ("doubled messages in a slot", None),
        "consumption_kwh" => ("energy consumed in a slot", Some("kWh")),
        "load_kwh" => ("load of a slot", Some("kWh")),
        "p2g_storage_welfare_cny" => ("welfare of all in a slot of P2G with storage", Some("CNY")),
        "worse_off" => ("prosumers below P2G with storage in a slot", None),
        "welfare_loss" => ("share of welfare missed", None),
        other => (other, None),
    };
    let scale = if DISTANCES.contains(&name) { Scale::Logarithmic } else { Scale::Linear };
    Axis { unit, ..Axis::of(label.replace('_', " ")).scale(scale) }
}
