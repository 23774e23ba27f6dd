//! The charts of a study, of a case's day and of a slot, in the order in which they are best read.
//!
//! A chart for which there are no data does not exist.

mod along;
mod day;
mod fields;
mod flows;
mod gains;
mod heat;
mod label;
mod slot;
mod sweep;
mod welfare;

#[cfg(feature = "figures")]
pub(crate) use label::of_case;

use super::{chart::Chart, data::Data};
use microgrid_agents::ids::Slot;

/// The charts of the study as a whole, but for those of its [`mechanisms`].
pub fn study(data: &Data) -> Vec<Chart> {
    let gains = gains::charts(data).chain(welfare::utility(data));
    let all = welfare::of_study(data).chain(heat::charts(data)).chain(sweep::charts(data)).chain(gains);
    named(data, all.filter(|chart| !is_of_mechanisms(data, chart)))
}

/// The charts by which a study compares mechanisms; none if it does not.
pub fn mechanisms(data: &Data) -> Vec<Chart> {
    let all = sweep::charts(data).into_iter().chain(gains::charts(data));
    named(data, all.filter(|chart| is_of_mechanisms(data, chart)))
}

/// Welfare missed against whatever else is varied, or by mechanism where nothing is; and who gained.
fn is_of_mechanisms(data: &Data, chart: &Chart) -> bool {
    let Some(mechanisms) = &data.mechanisms else { return false };
    let mut others = data.knobs().filter(|knob| **knob != mechanisms.knob).peekable();
    let is_alone = others.peek().is_none();
    let loss = |knob: &str| chart.name == format!("welfare_loss_by_{knob}");
    chart.name.starts_with(gains::NAME) || others.any(|knob| loss(knob)) || is_alone && loss(&mechanisms.knob)
}

/// The charts of a case's day; none if there is no such case.
pub fn case(data: &Data, case: u32) -> Vec<Chart> {
    data.case(case).map_or_else(Vec::new, |case| named(data, day::charts(data, case)))
}

/// The charts of a slot of a case; none if there is no such slot, or it had no market, or the run does not keep its path.
pub fn slot(data: &Data, case: u32, slot: Slot) -> Vec<Chart> {
    data.case(case).map_or_else(Vec::new, |case| named(data, slot::charts(case, slot)))
}

/// The charts with money as the scenario calls it.
fn named(data: &Data, charts: impl IntoIterator<Item = Chart>) -> Vec<Chart> {
    charts.into_iter().map(|chart| chart.in_currency(data.currency())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chart::Mark,
        data::{
            gains::Gain,
            mechanisms::{MEASURES, Mechanism, Mechanisms},
        },
    };
    use microgrid_agents::market::role::Role;
    use microgrid_record::{
        Run,
        fixtures::{day::Day, whole_case},
    };

    #[test]
    fn gains_are_drawn_against_delays_in_the_section_of_mechanisms_where_there_is_one() {
        let (_day, recorder) = whole_case(Day::new());
        let mut data = Data::read(&Run::open(recorder.folder()).unwrap()).unwrap();
        let drawn = |data: &Data, charts: fn(&Data) -> Vec<Chart>| {
            let [first, second] = [Role::Seller, Role::Buyer].map(|role| {
                let them = if role == Role::Seller { "sellers" } else { "buyers" };
                charts(data).into_iter().find(|it| it.name == format!("{}_{them}", gains::NAME))
            });
            assert_eq!(first, None, "there are buyers only");
            second
        };
        assert_eq!(drawn(&data, study), None, "all are as far from the ledger");
        data.cases[0].gains =
            [(0.5, 1.0), (0.01, 3.0)].map(|(delay, gain)| Gain { role: Role::Buyer, delay, gain }).to_vec();
        let chart = drawn(&data, study).unwrap();
        assert!(chart.layers.iter().any(|layer| layer.mark == Mark::Points(vec![(0.5, 1.0), (0.01, 3.0)])));
        assert!(chart.layers.iter().all(|layer| layer.name.is_none()) && mechanisms(&data).is_empty());
        let none = ([None; MEASURES.len()], [None; MEASURES.len()]);
        let each = Mechanism { name: "TwoLevelGame".to_owned(), means: none.0, beyond_first: none.1 };
        data.mechanisms = Some(Mechanisms { knob: "mechanism".to_owned(), each: vec![each] });
        data.cases[0].entry.knobs.insert("mechanism".to_owned(), "TwoLevelGame".into());
        assert_eq!(drawn(&data, study), None);
        assert_eq!(drawn(&data, mechanisms).unwrap().layers[0].name.as_deref(), Some("TwoLevelGame"));
    }
}
