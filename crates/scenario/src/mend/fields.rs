//! What the numbers of a field are: shares of one, amounts in a unit, or counts.

/// What a value that is drawn at random is drawn with: the quantity is that of the field around it.
const OF_DISTRIBUTIONS: &[&str] = &["min", "max", "mean", "median", "std_dev"];

/// Fields whose numbers are parts of 1, or times of what there would be.
const SHARES: &[&str] = &[
    "mu",
    "eta",
    "efficiency",
    "jitter",
    "loss",
    "duplication",
    "exploration",
    "ramp",
    "tolerance",
    "regrowth",
    "share",
    "group_share",
    "groups",
    "pv_share",
    "workplace_share",
    "weather",
    "load_noise",
    "initial_choice",
    "first",
];

/// Fields in CNY/kWh, and those that multiply a price by energy.
const PRICES: &[&str] = &[
    "feed_in_tariff",
    "grid_tariff",
    "grid_tariff_cny_per_kwh",
    "service_fee",
    "alpha",
    "preference_pv",
    "preference_grid",
    "preference_base",
    "preference_per_kwh",
    "initial_price",
];

/// Units that are nobody's own where a number has none: without them, it would be another.
const UNITS: &[&str] = &[
    "w", "kw", "kwp", "mw", "gw", "wh", "kwh", "mwh", "gwh", "j", "mj", "cny", "rmb", "yuan", "¥", "c", "ct", "cent",
    "cents", "eur", "euro", "euros", "€", "usd", "dollar", "dollars", "$", "gbp", "£", "chf", "jpy", "k", "m", "g",
    "thousand", "million", "mio", "h", "hour", "hours", "min", "s", "sec", "ms", "us", "µs", "μs", "ns", "d", "day",
    "days", "o", "l", "i",
];

/// The field at the end of a path.
fn field(path: &str) -> &str {
    if path.contains("groups.") {
        return "groups";
    }
    let is_field = |step: &&str| step.starts_with(char::is_lowercase) && !OF_DISTRIBUTIONS.contains(step);
    path.rsplit(['.', '[', ']']).find(is_field).unwrap_or_default()
}

/// Whether a percentage is a number that the field at a path may have.
pub(super) fn is_share(path: &str) -> bool {
    SHARES.contains(&field(path))
}

/// The unit of the field at a path, if it has one.
pub(super) fn unit_of(path: &str) -> Option<&'static str> {
    match field(path) {
        field if PRICES.contains(&field) => Some("CNY/kWh"),
        field if field.ends_with("_kwh") => Some("kWh"),
        field if field.ends_with("_kw") => Some("kW"),
        _ => None,
    }
}

/// Whether a word is a unit of something.
pub(super) fn is_unit(word: &str) -> bool {
    word.to_lowercase().split('/').any(|part| UNITS.contains(&part.trim()))
}

/// Whether the field at a path has its numbers in this unit, or counts what is called so.
pub(super) fn has_unit(path: &str, unit: &str) -> bool {
    let unit = unit.to_lowercase().replace(" per ", "/").replace(char::is_whitespace, "");
    match unit_of(path) {
        Some("kWh") => unit == "kwh",
        Some("kW") => ["kw", "kwp"].contains(&unit.as_str()),
        Some(_) => ["cny", "rmb", "yuan", "¥"].contains(&unit.strip_suffix("/kwh").unwrap_or(&unit)),
        None => unit.split('/').all(|part| !UNITS.contains(&part)),
    }
}
