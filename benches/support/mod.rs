//! What several benchmarks run: the market of one noon slot.

use microgrid_sim::scenario::{self, Case, Overrides};

/// Seed of everything random.
pub(crate) const SEED: u64 = 2023;

/// One slot at noon of so many synthetic homes, a quarter of which have photovoltaics of several times what they need;
/// with further `sections` of the scenario, such as `learning: (...)`.
pub(crate) fn noon(prosumers: u32, sections: &str) -> Case {
    // No chain is kept, unless the sections say so.
    let record = if sections.contains("record:") { "" } else { "record: Slots," };
    let text = format!(
        "Scenario(
            name: \"noon\",
            seed: {SEED},
            market: (slots: 1, starts_at: \"12h\", open: (1, 1), grid_tariff: Constant(1.05)),
            population: Synthetic(
                count: {prosumers},
                pv_share: 0.25,
                workplace_share: 0.0,
                pv_peak_kw: LogNormal(median: 11.0, sigma: 0.3),
            ),
            {record}
            {sections}
        )"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("noon.ron");
    std::fs::write(&path, text).expect("the scenario is written");
    let plan = scenario::load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    plan.cases().next().expect("a plan has a case")
}
