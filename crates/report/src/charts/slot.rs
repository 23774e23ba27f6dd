//! A slot's game, seller by seller (the article's Figs. 4 and 5), and what asynchrony did to it: distance from equilibrium,
//! age of information, messages over time.

use super::flows;
use crate::{
    chart::{Axis, Chart, Color, Layer, Mark, Scale, Stroke},
    data::{
        CaseData,
        game::{Game, PRICE, Path},
    },
    format::count,
};
use microgrid_agents::ids::Slot;
use microgrid_record::{AgeRow, Number};

pub(super) fn charts(case: &CaseData, slot: Slot) -> Vec<Chart> {
    let more = [flows::of_slot, distance, ages, messages];
    game(case, slot).into_iter().chain(more.into_iter().filter_map(|chart| chart(case, slot))).collect()
}

/// Name, title and caption of the chart of each quantity, and its axis.
fn kinds() -> [([&'static str; 3], Axis); 4] {
    let prices = "Price of each seller as it stands on the ledger, and the price of the closed-form equilibrium";
    let shares = "Share of each seller in the buyers' choices, weighted by their demand";
    let utilities = "Net utility of each seller to all buyers; at rest all chosen ones are worth the same";
    [
        (["prices", "Prices", prices], Axis::of("price").unit("CNY/kWh")),
        (["shares", "Choice shares", shares], Axis::of("share").from_zero()),
        (["demands", "Demands", "Demand that each seller meets"], Axis::of("demand").unit("kWh").from_zero()),
        (["net_utilities", "Net utilities", utilities], Axis::of("net utility").unit("CNY")),
    ]
}

fn time() -> Axis {
    Axis::of("time since the slot began").unit("s").from_zero()
}

/// What a caption says of a game of which not every row is drawn.
fn thinned(game: &Game) -> String {
    let longest = game.sellers.iter().flat_map(|seller| &seller.paths).map(Vec::len).max();
    let thinned = longest.is_some_and(|longest| longest + 3 >= game.most_points) || game.others.is_some();
    if !thinned {
        return String::new();
    }
    let others = game.others.as_ref().map_or_else(String::new, |others| {
        let left = if others.count == 1 { "the other one".to_owned() } else { format!("the other {}", others.count) };
        format!(
            " The {} sellers that meet most demand are drawn one by one, {left} as the span from the lowest to the highest.",
            game.sellers.len()
        )
    });
    format!(
        "{others} Drawn from {} rows, thinned to at most {} points a line that keep every extreme.",
        game.rows, game.most_points
    )
}

fn game(case: &CaseData, slot: Slot) -> Vec<Chart> {
    let Some(game) = case.games.get(&slot) else { return Vec::new() };
    let price = case.slot(slot).and_then(|row| row.equilibrium_price_cny_per_kwh);
    let chart = |(quantity, ([name, title, caption], y)): (usize, ([&str; 3], Axis))| {
        let others = game.others.iter().map(|others| {
            let name = count(others.count, "other seller");
            Layer::new(name, Color::Reference, Mark::Band(others.ranges[quantity].clone()))
        });
        let sellers = game.sellers.iter().enumerate().map(|(n, seller)| {
            let path = seller.paths[quantity].clone();
            Layer::new(case.who("seller", seller.number), Color::Series(n), Mark::Steps(path, Stroke::Solid))
        });
        let theory = price
            .filter(|_| quantity == PRICE)
            .map(|price| Layer::new("closed-form equilibrium", Color::Reference, Mark::Rule(price.value())));
        let (title, caption) = (format!("{title} in {}", case.slot_name(slot)), format!("{caption}.{}", thinned(game)));
        Chart::new((name, title), caption, (time(), y), others.chain(sellers).chain(theory))
    };
    kinds().into_iter().enumerate().filter_map(chart).collect()
}

/// Distances up to this are what rounding leaves of none.
pub(super) const ROUNDING: f64 = 1e-12;

fn distance(case: &CaseData, slot: Slot) -> Option<Chart> {
    let game = case.games.get(&slot)?;
    let price = case.slot(slot)?.equilibrium_price_cny_per_kwh.map_or(f64::NAN, Number::value);
    let positive = |path: &Path, unit: f64| {
        let distance = |value: f64| if value / unit > ROUNDING { value / unit } else { f64::NAN };
        Mark::Steps(path.iter().map(|&(time, value)| (time, distance(value))).collect(), Stroke::Solid)
    };
    Chart::new(
        ("distance", format!("Distance from equilibrium in {}", case.slot_name(slot))),
        format!(
            "Largest distance of a seller's price from that of the closed form, relative to it, and largest difference of \
             demand and surplus at a seller, in mean surpluses. Below 1e-12, which is as good as nothing, lines are interrupted.{}",
            thinned(game)
        ),
        (time(), Axis::of("distance from equilibrium").scale(Scale::Logarithmic)),
        [
            Layer::new("price gap", Color::Series(0), positive(&game.price_gap, price)),
            Layer::new("imbalance", Color::Series(1), positive(&game.imbalance, 1.0)),
        ],
    )
}

fn ages(case: &CaseData, slot: Slot) -> Option<Chart> {
    let rows = case.ages.get(&slot)?;
    let total: u64 = rows.iter().map(|row| row.decisions).sum();
    let share = |row: &AgeRow| row.decisions as f64 / total as f64;
    let (fresh, aged): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.to_s.value() == 0.0);
    let fresh: f64 = fresh.into_iter().map(share).sum();
    let mut outline: Vec<(f64, f64)> = Vec::new();
    for row in aged {
        let (from, to) = (row.from_s.value(), row.to_s.value());
        if outline.last().is_none_or(|last| last.0 < from) {
            outline.extend(outline.last().map(|last| (last.0, 0.0)));
            outline.push((from, 0.0));
        }
        outline.extend([(from, share(row)), (to, share(row))]);
    }
    outline.extend(outline.last().map(|last| (last.0, 0.0)));
    let filled = outline.iter().map(|&(age, share)| (age, 0.0, share)).collect();
    let fresh = if fresh > 0.0 { format!(" {:.1} % had news of age 0.", 100.0 * fresh) } else { String::new() };
    Chart::new(
        ("information_age", format!("Age of information in {}", case.slot_name(slot))),
        format!(
            "How old the news was on which sellers and buyers made their {total} decisions, in classes of which each is up \
             to a quarter wide.{fresh}"
        ),
        (Axis::of("age of the news").unit("s").scale(Scale::Logarithmic), Axis::of("share of decisions").from_zero()),
        [
            Layer::unnamed(Color::Series(0), Mark::Band(filled)),
            Layer::unnamed(Color::Series(0), Mark::Line(outline, Stroke::Solid)),
        ],
    )
}

fn messages(case: &CaseData, slot: Slot) -> Option<Chart> {
    let game = case.games.get(&slot)?;
    let rates = |path: &Path| {
        let some = path.last().is_some_and(|last| last.1 > 0.0);
        Mark::Steps(if some { rates(path) } else { Vec::new() }, Stroke::Solid)
    };
    Chart::new(
        ("messages", format!("Messages over time in {}", case.slot_name(slot))),
        "Messages sent per second of simulated time while the game went on, how many of them never arrived and \
                  how many arrived twice.",
        (time(), Axis::of("messages").unit("1/s").from_zero()),
        [
            Layer::new("sent", Color::Series(0), rates(&game.messages)),
            Layer::new("lost", Color::Series(3), rates(&game.lost)),
            Layer::new("doubled", Color::Series(1), rates(&game.duplicated)),
        ],
    )
}

/// Growth of a count per second, in equal pieces of time: a round number of seconds, so that rounds do not beat with them.
fn rates(path: &Path) -> Path {
    /// There are at most so many.
    const PIECES: f64 = 80.0;
    let (Some(first), Some(last)) = (path.first(), path.last()) else { return Path::new() };
    let rough = (last.0 - first.0) / PIECES;
    if rough <= 0.0 {
        return Path::new();
    }
    let power = 10_f64.powf(rough.log10().floor());
    let piece = [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|piece| *piece >= rough);
    let piece = piece.unwrap_or(10.0 * power);
    let mut from = (first.0 / piece).floor() * piece;
    let mut rates = Path::new();
    // The last piece is as long as the game went on, or no piece of its own where that is next to nothing.
    while last.0 - from > 0.2 * piece {
        let to = (from + piece).min(last.0);
        rates.push((from, (count_at(path, to) - count_at(path, from)) / (to - from)));
        from += piece;
    }
    rates.extend(rates.last().map(|&(_, rate)| (last.0, rate)));
    rates
}

/// A count that only grows at a time: between two points of its path, which is thinned, it grows evenly.
fn count_at(path: &Path, time: f64) -> f64 {
    let at = path.partition_point(|point| point.0 <= time);
    match (path[..at].last(), path.get(at)) {
        (Some(before), Some(after)) => before.1 + (after.1 - before.1) * (time - before.0) / (after.0 - before.0),
        (Some(before), None) => before.1,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_do_not_depend_on_how_a_path_is_thinned() {
        let path =
            |step: usize| (1..=4000).step_by(step).map(|n| (f64::from(n), 15.0 * f64::from(n))).collect::<Path>();
        for thinned in [path(1), path(7), path(31)] {
            let rates = rates(&thinned);
            assert!((40..=82).contains(&rates.len()), "{} pieces", rates.len());
            assert!(rates.iter().all(|(_, rate)| (rate - 15.0).abs() < 1e-9), "{rates:?}");
            assert_eq!(rates[rates.len() - 1].0, thinned[thinned.len() - 1].0);
        }
        assert_eq!(rates(&vec![(1.0, 5.0)]), []);
    }
}
