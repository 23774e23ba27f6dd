//! A slot's game, seller by seller: the article's Figs. 4 and 5.

use crate::{
    chart::{Axis, Chart, Color, Direction, Layer, Mark, Stroke},
    data::{
        CaseData,
        game::{Game, Quantity},
    },
};
use microgrid_agents::ids::Slot;

/// What of a game is drawn.
struct Kind {
    quantity: Quantity,
    name: &'static str,
    title: &'static str,
    caption: &'static str,
    y: fn() -> Axis,
}

const KINDS: [Kind; 4] = [
    Kind {
        quantity: Quantity::Price,
        name: "prices",
        title: "Prices",
        caption: "Price of each seller as it stands on the ledger, and the price of the closed-form equilibrium",
        y: || Axis::of("price").unit("CNY/kWh"),
    },
    Kind {
        quantity: Quantity::Share,
        name: "shares",
        title: "Choice shares",
        caption: "Share of each seller in the buyers' choices, weighted by their demand",
        y: || Axis::of("share").from_zero(),
    },
    Kind {
        quantity: Quantity::Demand,
        name: "demands",
        title: "Demands",
        caption: "Demand that each seller meets",
        y: || Axis::of("demand").unit("kWh").from_zero(),
    },
    Kind {
        quantity: Quantity::NetUtility,
        name: "net_utilities",
        title: "Net utilities",
        caption: "Net utility of each seller to all buyers; at rest all chosen ones are worth the same",
        y: || Axis::of("net utility").unit("CNY"),
    },
];

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
    let chart = |kind: &Kind| {
        let others = game.others.iter().map(|others| {
            let name = format!("{} other sellers", others.count);
            Layer::new(name, Color::Reference, Mark::Band(others.range(kind.quantity).clone()))
        });
        let sellers = game.sellers.iter().enumerate().map(|(n, seller)| {
            let path = seller.path(kind.quantity).clone();
            Layer::new(format!("seller {}", seller.number), Color::Series(n), Mark::Steps(path, Stroke::Solid))
        });
        let theory = price.filter(|_| kind.quantity == Quantity::Price).map(|price| {
            Layer::new("closed-form equilibrium", Color::Reference, Mark::Rule(Direction::Across, price.value()))
        });
        Chart::new(
            (kind.name, format!("{} in slot {slot}", kind.title)),
            format!("{}.{}", kind.caption, thinned(game)),
            (time(), (kind.y)()),
            others.chain(sellers).chain(theory),
        )
    };
    KINDS.iter().filter_map(chart).collect()
}
