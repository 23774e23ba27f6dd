use super::*;
use proptest::{collection::vec, prelude::*};

/// Orders of one step: position, units, limit.
fn orders<const N: usize>(orders: [(u32, i64, f64); N]) -> Vec<(u32, Step)> {
    orders.into_iter().map(|(party, units, limit)| (party, Step { energy: Energy(units), limit })).collect()
}

/// Price, volume and what each party gets and sells, of orders as above.
type Cleared = Option<(f64, i64, Vec<(u32, i64)>, Vec<(u32, i64)>)>;

fn cleared<const B: usize, const A: usize>(bids: [(u32, i64, f64); B], asks: [(u32, i64, f64); A]) -> Cleared {
    let plain = |fills: Vec<(u32, Energy)>| fills.into_iter().map(|(party, energy)| (party, energy.0)).collect();
    clear(&orders(bids), &orders(asks))
        .map(|found| (found.price, found.volume.0, plain(found.bought), plain(found.sold)))
}

#[test]
fn a_horizontal_overlap_is_cleared_at_the_step_that_is_cut() {
    // 4 and 3 units are wanted down to 0.625; the first seller has 5. All of its 5 are sold, so the second bid is cut to
    // 1: it trades and is rejected, and the price is its limit.
    let found = cleared([(0, 4, 0.75), (1, 3, 0.625)], [(0, 5, 0.5), (1, 9, 0.875)]);
    assert_eq!(found, Some((0.625, 5, vec![(0, 4), (1, 1)], vec![(0, 5)])));
    // The same from the other side: an ask of 9 at 0.5 is cut to 7 - 2 = 5, and sets the price.
    let found = cleared([(0, 4, 0.75), (1, 3, 0.625)], [(0, 2, 0.375), (1, 9, 0.5)]);
    assert_eq!(found, Some((0.5, 7, vec![(0, 4), (1, 3)], vec![(0, 2), (1, 5)])));
}

#[test]
fn a_vertical_overlap_is_cleared_in_its_middle() {
    // 5 and 5 trade. From max(last ask 0.5, next bid 0.25) to min(last bid 0.75, next ask 1): (0.5 + 0.75) / 2.
    let found = cleared([(0, 5, 0.75), (1, 2, 0.25)], [(0, 5, 0.5), (1, 2, 1.0)]);
    assert_eq!(found, Some((0.625, 5, vec![(0, 5)], vec![(0, 5)])));
    // Those who are left out narrow it: from the next bid 0.625 to the next ask 0.6875, whose middle is 0.65625.
    let found = cleared([(0, 5, 0.75), (1, 2, 0.625)], [(0, 5, 0.5), (1, 2, 0.6875)]);
    assert_eq!(found, Some((0.65625, 5, vec![(0, 5)], vec![(0, 5)])));
    // Nobody is left out: from the only ask to the only bid.
    assert_eq!(cleared([(0, 5, 1.0)], [(0, 5, 0.5)]), Some((0.75, 5, vec![(0, 5)], vec![(0, 5)])));
}

#[test]
fn one_sided_and_apart_there_is_no_price() {
    assert_eq!(cleared([], []), None);
    assert_eq!(cleared([(0, 5, 0.75)], []), None);
    assert_eq!(cleared([], [(0, 5, 0.25)]), None);
    assert_eq!(cleared([(0, 5, 0.5)], [(0, 5, 0.625)]), None);
    assert_eq!(cleared([(0, 5, 0.5)], [(0, 5, 0.5)]), Some((0.5, 5, vec![(0, 5)], vec![(0, 5)])), "just met");
}

#[test]
fn a_tie_at_the_margin_is_divided_pro_rata_by_position() {
    // 10 at 0.25 are for sale; 3 go to the bid at 0.75, so 7 are left for 2 + 4 + 8 = 14 at 0.5. Up to each:
    // 7 * 2/14 = 1, 7 * 6/14 = 3, 7. Positions count, not the order in which bids come.
    let found = cleared([(7, 8, 0.5), (2, 2, 0.5), (5, 4, 0.5), (9, 3, 0.75)], [(0, 10, 0.25)]);
    assert_eq!(found, Some((0.5, 10, vec![(2, 1), (5, 2), (7, 4), (9, 3)], vec![(0, 10)])));
    // 5 of 3 + 3 + 3 asks: 5 * 3/9 = 1.67, 5 * 6/9 = 3.33, 5: 1, 2, 2.
    let found = cleared([(0, 5, 0.75)], [(0, 3, 0.5), (1, 3, 0.5), (2, 3, 0.5)]);
    assert_eq!(found, Some((0.5, 5, vec![(0, 5)], vec![(0, 1), (1, 2), (2, 2)])));
    // 1 of 3 + 3: 0.5 up to the first, so that all goes to the second, and who gets nothing is not there.
    assert_eq!(cleared([(0, 1, 0.75)], [(0, 3, 0.5), (1, 3, 0.5)]).unwrap().3, [(1, 1)]);
}

#[test]
fn a_tie_that_is_used_up_to_its_last_unit_leaves_the_price_open() {
    // 3 + 3 at 0.5 and 6 at 1: all trade, and the price is half-way.
    let found = cleared([(0, 6, 1.0)], [(0, 3, 0.5), (1, 3, 0.5)]);
    assert_eq!(found, Some((0.75, 6, vec![(0, 6)], vec![(0, 3), (1, 3)])));
    // The tie goes on with a step that trades nothing: then it sets the price, and all three share the 6: 6 * 3/9 = 2.
    let found = cleared([(0, 6, 1.0)], [(0, 3, 0.5), (1, 3, 0.5), (2, 3, 0.5)]);
    assert_eq!(found, Some((0.5, 6, vec![(0, 6)], vec![(0, 2), (1, 2), (2, 2)])));
}

#[test]
fn curves_of_several_steps_cross_once() {
    // Bids, from the top: 2 at 1, 3 at 0.875, 2 at 0.75 | 4 at 0.5. Asks, from below: 1 at 0.25, 6 at 0.5 | 5 at 0.75.
    // 7 units trade on both sides. From max(0.5, next bid 0.5) to min(0.75, next ask 0.75): 0.625.
    let found =
        cleared([(0, 2, 1.0), (0, 2, 0.75), (1, 3, 0.875), (1, 4, 0.5)], [(0, 1, 0.25), (0, 5, 0.75), (1, 6, 0.5)]);
    assert_eq!(found, Some((0.625, 7, vec![(0, 4), (1, 3)], vec![(0, 1), (1, 6)])));
}

#[test]
fn all_at_one_limit_trade_at_it() {
    // 4 + 2 bids share the 3 that are for sale: 3 * 4/6 = 2, 3.
    let found = cleared([(0, 4, 0.5), (1, 2, 0.5)], [(0, 3, 0.5)]);
    assert_eq!(found, Some((0.5, 3, vec![(0, 2), (1, 1)], vec![(0, 3)])));
}

/// Buyer i's k-th of ten steps bids `(10 - k) / 16`, seller i's asks `k / 16`: of all limits from 1/16 to 9/16 both sides
/// have as much, and sellers one step more at 0, buyers one at 10/16. At 5/16 demand is 6 steps of each buyer, supply 6 of
/// each seller.
#[test]
fn a_hundred_thousand_parties_of_ten_steps_clear() {
    let parties = 100_000;
    let side = |limit: fn(u32) -> u32| -> Vec<(u32, Step)> {
        let step = |party: u32, k| Step { energy: Energy(7 + i64::from(party % 5)), limit: f64::from(limit(k)) / 16.0 };
        (0..parties).flat_map(|party| (0..10).map(move |k| (party, step(party, k)))).collect()
    };
    let found = clear(&side(|k| 10 - k), &side(|k| k)).unwrap();
    // 7 + 8 + 9 + 10 + 11 = 45 units a step of five parties.
    assert_eq!((found.price, found.volume), (5.0 / 16.0, Energy(6 * 45 * i64::from(parties) / 5)));
    assert_eq!(found.bought, found.sold);
}

/// Curves with limits in eighths, so that mirrored ones are exact.
fn side() -> impl Strategy<Value = Vec<(u32, Step)>> {
    let order = (0..6_u32, prop_oneof![1..5_i64, 1..2_000_000_i64], 0..=8_u8);
    let step = |(party, units, eighths)| (party, Step { energy: Energy(units), limit: f64::from(eighths) / 8.0 });
    vec(order.prop_map(step), 0..14)
}

/// What a side would trade of each party's, at a limit that this `takes`.
fn of_party(side: &[(u32, Step)], party: u32, takes: impl Fn(f64) -> bool) -> i64 {
    side.iter().filter(|(who, step)| *who == party && takes(step.limit)).map(|(_, step)| step.energy.0).sum()
}

fn of_all(side: &[(u32, Step)], takes: impl Fn(f64) -> bool) -> i64 {
    (0..6).map(|party| of_party(side, party, &takes)).sum()
}

proptest! {
    /// Brute force: at no price would more be traded, and the price found is one at which as much is.
    #[test]
    fn the_volume_is_the_largest_at_any_price(bids in side(), asks in side()) {
        let traded = |price: f64| of_all(&bids, |limit| limit >= price).min(of_all(&asks, |limit| limit <= price));
        let most = (0..=8).map(|eighths| traded(f64::from(eighths) / 8.0)).max().unwrap();
        match clear(&bids, &asks) {
            None => prop_assert_eq!(most, 0),
            Some(found) => {
                prop_assert_eq!(found.volume.0, most);
                prop_assert_eq!(traded(found.price), most);
            }
        }
    }

    #[test]
    fn nobody_trades_beyond_its_limit_and_whoever_is_more_willing_trades_all(bids in side(), asks in side()) {
        let Some(found) = clear(&bids, &asks) else { return Ok(()) };
        let price = found.price;
        let amount = |fills: &[(u32, Energy)], party| {
            fills.iter().filter(|fill| fill.0 == party).map(|fill| fill.1.0).sum::<i64>()
        };
        for party in 0..6 {
            let bought = amount(&found.bought, party);
            prop_assert!(of_party(&bids, party, |limit| limit > price) <= bought);
            prop_assert!(bought <= of_party(&bids, party, |limit| limit >= price));
            let sold = amount(&found.sold, party);
            prop_assert!(of_party(&asks, party, |limit| limit < price) <= sold);
            prop_assert!(sold <= of_party(&asks, party, |limit| limit <= price));
        }
        for fills in [&found.bought, &found.sold] {
            prop_assert!(fills.is_sorted_by(|one, next| one.0 < next.0));
            prop_assert!(fills.iter().all(|fill| fill.1 > Energy::ZERO));
            prop_assert_eq!(fills.iter().map(|fill| fill.1).sum::<Energy>(), found.volume);
        }
    }

    #[test]
    fn buyers_and_sellers_are_treated_alike(bids in side(), asks in side()) {
        let mirrored = |side: &[(u32, Step)]| -> Vec<(u32, Step)> {
            side.iter().map(|(party, step)| (*party, Step { limit: 1.0 - step.limit, ..*step })).collect()
        };
        let mirror = clear(&mirrored(&asks), &mirrored(&bids)).map(|found| Clearing {
            price: 1.0 - found.price,
            volume: found.volume,
            bought: found.sold,
            sold: found.bought,
        });
        prop_assert_eq!(clear(&bids, &asks), mirror);
    }
}
