//! A slot's game, seller by seller: the article's Figs. 4 and 5.

use crate::{
    chart::{Axis, Chart, Color, Direction, Layer, Mark, Stroke},
    data::{
        CaseData,
        game::{Game, Quantity},
    },
};
use microgrid_agents::ids::Slot;

/// Name, title and caption of the chart of a quantity, and its axis.
fn kind(quantity: Quantity) -> ([&'static str; 3], Axis) {
    match quantity {
        Quantity::Price => {
            let caption =
                "Price of each seller as it stands on the ledger, and the price of the closed-form equilibrium";
            (["prices", "Prices", caption], Axis::of("price").unit("CNY/kWh"))
        }
        Quantity::Share => {
            let caption = "Share of each seller in the buyers' choices, weighted by their demand";
            (["shares", "Choice shares", caption], Axis::of("share").from_zero())
        }
        Quantity::Demand => {
            (["demands", "Demands", "Demand that each seller meets"], Axis::of("demand").unit("kWh").from_zero())
        }
        Quantity::NetUtility => {
            let caption = "Net utility of each seller to all buyers; at rest all chosen ones are worth the same";
            (["net_utilities", "Net utilities", caption], Axis::of("net utility").unit("CNY"))
        }
    }
}

/// The axis of time within a slot.
pub(super) fn time() -> Axis {
    Axis::of("time since the slot began").unit("s").from_zero()
}

/// What a caption says of a game of which not every row is drawn.
pub(super) fn thinned(game: &Game) -> String {
    let longest =
        Quantity::ALL.iter().flat_map(|quantity| game.sellers.iter().map(|seller| seller.path(*quantity).len()));
    let thinned = longest.max().is_some_and(|longest| longest + 3 >= game.most_points) || game.others.is_some();
    if !thinned {
        return String::new();
    }
    let others = game.others.as_ref().map_or_else(String::new, |others| {
        format!(
            " The {} sellers that meet most demand are drawn one by one, the other {} as the span from the lowest to \
                 the highest.",
            game.sellers.len(),
            others.count
        )
    });
    format!(
        "{others} Drawn from {} rows, thinned to at most {} points a line that keep every extreme.",
        game.rows, game.most_points
    )
}

/// Prices, shares, demands and net utilities over time.
pub(super) fn charts(case: &CaseData, slot: Slot) -> Vec<Chart> {
    let Some(game) = case.games.get(&slot) else { return Vec::new() };
    let price = case.slot(slot).and_then(|row| row.equilibrium_price_cny_per_kwh);
    let chart = |quantity: Quantity| {
        let ([name, title, caption], y) = kind(quantity);
        let others = game.others.iter().map(|others| {
            let name = format!("{} other sellers", others.count);
            Layer::new(name, Color::Reference, Mark::Band(others.range(quantity).clone()))
        });
        let sellers = game.sellers.iter().enumerate().map(|(n, seller)| {
            let path = seller.path(quantity).clone();
            Layer::new(format!("seller {}", seller.number), Color::Series(n), Mark::Steps(path, Stroke::Solid))
        });
        let theory = price.filter(|_| quantity == Quantity::Price).map(|price| {
            Layer::new("closed-form equilibrium", Color::Reference, Mark::Rule(Direction::Across, price.value()))
        });
        let (title, caption) = (format!("{title} in slot {slot}"), format!("{caption}.{}", thinned(game)));
        Chart::new((name, title), caption, (time(), y), others.chain(sellers).chain(theory))
    };
    Quantity::ALL.into_iter().filter_map(chart).collect()
}
