use super::*;
use crate::{
    mechanism::orders::{tests::steps, total},
    units::Total,
};
use Side::{Buy, Sell};
use proptest::{collection::vec, prelude::*};

const LATE: Time = Time(1_000);

impl Book {
    /// Enters an order that rests long enough, and tells buyer, seller, units and price of what it trades.
    fn post<const N: usize>(&mut self, party: u32, side: Side, curve: [(i64, f64); N]) -> Vec<(u32, u32, i64, f64)> {
        plain(self.enter(party, side, &steps(curve), LATE, Time(0)))
    }

    /// The best bid and ask.
    fn top(&self) -> (Option<f64>, Option<f64>) {
        (self.best(Buy), self.best(Sell))
    }
}

fn plain(executions: Vec<Execution>) -> Vec<(u32, u32, i64, f64)> {
    executions.into_iter().map(|Execution { buyer, seller, energy, price }| (buyer, seller, energy.0, price)).collect()
}

#[test]
fn an_empty_book_and_one_of_one_side_trade_nothing() {
    let mut book = Book::default();
    assert_eq!(book.top(), (None, None));
    assert_eq!((book.last_price(), book.volume()), (None, Energy(0)));
    assert_eq!(book.post(1, Sell, [(5, 0.5), (5, 0.6)]), []);
    assert_eq!(book.post(2, Sell, [(5, 0.4)]), []);
    assert_eq!(book.top(), (None, Some(0.4)));
    assert_eq!(book.post(1, Buy, [(5, 0.3)]), [], "below the best ask");
    assert_eq!(book.top(), (Some(0.3), Some(0.4)));
    assert_eq!((book.last_price(), book.volume()), (None, Energy(0)));
}

#[test]
fn a_trade_is_at_the_price_of_the_order_that_rests() {
    let mut book = Book::default();
    book.post(1, Sell, [(5, 0.5)]);
    assert_eq!(book.post(2, Buy, [(3, 0.8)]), [(2, 1, 3, 0.5)], "the ask rests");
    assert_eq!(book.top(), (None, Some(0.5)), "2 of the 5 are left");
    assert_eq!(book.post(3, Buy, [(4, 0.5)]), [(3, 1, 2, 0.5)], "at its very limit, as far as there is some");
    assert_eq!(book.top(), (Some(0.5), None), "2 of the 4 rest");
    assert_eq!(book.post(4, Sell, [(9, 0.3)]), [(3, 4, 2, 0.5)], "now the bid rests");
    assert_eq!((book.last_price(), book.volume()), (Some(0.5), Energy(3 + 2 + 2)));
    let traded = [(Buy, 2), (Buy, 3), (Sell, 1), (Sell, 4), (Sell, 2)].map(|(side, party)| book.traded(side, party).0);
    assert_eq!(traded, [3, 4, 5, 2, 0]);
}

#[test]
fn an_order_crosses_levels_best_first_and_within_one_in_the_order_of_time() {
    let mut book = Book::default();
    book.post(9, Sell, [(4, 0.6)]);
    book.post(3, Sell, [(2, 0.5)]);
    book.post(1, Sell, [(3, 0.6)]);
    book.post(2, Sell, [(5, 0.75)]);
    // 2 at 0.5, then 4 of seller 9 and 2 of seller 1 at 0.6: 8 are bought before 0.75 is reached.
    assert_eq!(book.post(7, Buy, [(8, 0.75)]), [(7, 3, 2, 0.5), (7, 9, 4, 0.6), (7, 1, 2, 0.6)]);
    // 1 is left at 0.6, 5 are at 0.75; the second step goes no higher than 0.7, and rests there.
    assert_eq!(book.post(8, Buy, [(3, 0.8), (4, 0.7)]), [(8, 1, 1, 0.6), (8, 2, 2, 0.75)]);
    assert_eq!(book.top(), (Some(0.7), Some(0.75)));
    assert_eq!(book.volume(), Energy(8 + 3));
    // 3 more bids at 0.7 came later than the 4, which go first; bids are served from the highest down.
    book.post(6, Buy, [(3, 0.7)]);
    book.post(5, Buy, [(1, 0.72)]);
    assert_eq!(book.post(4, Sell, [(7, 0.65)]), [(5, 4, 1, 0.72), (8, 4, 4, 0.7), (6, 4, 2, 0.7)]);
    assert_eq!(book.last_price(), Some(0.7));
}

#[test]
fn a_new_curve_replaces_the_old_one_and_what_has_been_traded_counts() {
    let mut book = Book::default();
    book.post(1, Sell, [(5, 0.5), (5, 0.6)]);
    assert_eq!(book.post(2, Buy, [(3, 0.5)]), [(2, 1, 3, 0.5)]);
    // 10 in all, of which 3 are sold: 2 of the first step are left, and 5 of the second.
    book.post(1, Sell, [(5, 0.55), (5, 0.65)]);
    assert_eq!(book.post(3, Buy, [(9, 0.7)]), [(3, 1, 2, 0.55), (3, 1, 5, 0.65)]);
    assert_eq!(book.traded(Sell, 1), Energy(10));
    // The same again: nothing is left of it, whatever it says; the 2 that buyer 3 still wants at 0.7 rest.
    assert_eq!(book.post(1, Sell, [(10, 0.5)]), []);
    assert_eq!(book.top(), (Some(0.7), None));
    // 1 more than what is sold already.
    assert_eq!(book.post(1, Sell, [(11, 0.5)]), [(3, 1, 1, 0.7)]);
}

#[test]
fn a_new_curve_loses_its_time() {
    let mut book = Book::default();
    book.post(1, Sell, [(5, 0.5)]);
    book.post(2, Sell, [(5, 0.5)]);
    book.post(1, Sell, [(5, 0.5)]);
    assert_eq!(book.post(3, Buy, [(6, 0.5)]), [(3, 2, 5, 0.5), (3, 1, 1, 0.5)]);
}

#[test]
fn no_steps_cancel() {
    let mut book = Book::default();
    book.post(1, Sell, [(5, 0.5), (5, 0.6)]);
    book.post(2, Sell, [(5, 0.7)]);
    assert_eq!(book.post(3, Buy, [(2, 0.5)]), [(3, 1, 2, 0.5)]);
    assert_eq!(book.post(1, Sell, []), []);
    assert_eq!(book.top(), (None, Some(0.7)));
    assert_eq!(book.post(3, Buy, [(4, 0.65)]), [], "2 more, but seller 1 has gone");
    assert_eq!(book.traded(Sell, 1), Energy(2), "what is traded is traded");
    assert_eq!(book.post(4, Buy, []), [], "nothing to cancel");
}

#[test]
fn an_order_does_not_trade_once_its_time_is_over() {
    let mut book = Book::default();
    book.enter(1, Sell, &steps([(5, 0.5)]), Time(10), Time(0));
    book.enter(2, Sell, &steps([(5, 0.6)]), Time(20), Time(0));
    let mut buy = |party, now| plain(book.enter(party, Buy, &steps([(1, 0.7)]), Time(30), Time(now)));
    assert_eq!(buy(3, 10), [(3, 1, 1, 0.5)]);
    assert_eq!(buy(4, 11), [(4, 2, 1, 0.6)], "after its end it is gone");
    assert_eq!(buy(5, 21), []);
    assert_eq!(book.top(), (Some(0.7), None));
    book.expire(Time(30));
    assert_eq!(book.top(), (Some(0.7), None));
    book.expire(Time(31));
    assert_eq!(book.top(), (None, None));
    // One that comes too late only takes the place of the one before.
    book.enter(6, Buy, &steps([(5, 0.6)]), Time(90), Time(40));
    book.enter(7, Sell, &steps([(5, 0.7)]), Time(90), Time(40));
    assert_eq!(book.enter(7, Sell, &steps([(5, 0.5)]), Time(50), Time(51)), []);
    assert_eq!(book.top(), (Some(0.6), None));
    // A later end replaces an earlier one.
    book.enter(6, Buy, &steps([(5, 0.6)]), Time(99), Time(60));
    book.expire(Time(95));
    assert_eq!(book.top(), (Some(0.6), None));
}

/// What one enters: who, on which side, steps of units and eighths, and for how long.
type Entered = (u32, bool, Vec<(i64, u8)>, u64);

fn entries() -> impl Strategy<Value = Vec<Entered>> {
    vec((0..5_u32, any::<bool>(), vec((1..9_i64, 0..=8_u8), 0..4), 0..12_u64), 0..40)
}

/// The side and the curve of an entry, most willing first.
fn curve((_, sells, steps, _): &Entered) -> (Side, Vec<Step>) {
    let side = if *sells { Sell } else { Buy };
    let step = |&(units, eighths): &(i64, u8)| Step { energy: Energy(units), limit: f64::from(eighths) / 8.0 };
    let mut curve: Vec<Step> = steps.iter().map(step).collect();
    curve.sort_by_key(|step| step.rank(side));
    (side, curve)
}

/// Enters all, one a unit of time, and tells what each has traded.
fn entered(entries: &[Entered], side: impl Fn(Side) -> Side, mirror: impl Fn(f64) -> f64) -> Vec<Vec<Execution>> {
    let mut book = Book::default();
    let enter = |(now, entry): (u64, &Entered)| {
        let (own, mut steps) = curve(entry);
        steps.iter_mut().for_each(|step| step.limit = mirror(step.limit));
        book.enter(entry.0, side(own), &steps, Time(now + entry.3), Time(now))
    };
    (0..).zip(entries).map(enter).collect()
}

proptest! {
    #[test]
    fn nobody_trades_beyond_its_curve_nor_at_a_price_that_it_has_not_agreed_to(entries in entries()) {
        let mut curves = BTreeMap::<(Side, u32), Vec<Step>>::new();
        let mut book = Book::default();
        let mut volume = Energy::ZERO;
        for (now, entry) in (0..).zip(&entries) {
            let (side, steps) = curve(entry);
            curves.insert((side, entry.0), steps.clone());
            let before = book.last_price();
            let executions = book.enter(entry.0, side, &steps, Time(now + entry.3), Time(now));
            for Execution { buyer, seller, energy, price } in &executions {
                prop_assert!(*energy > Energy::ZERO);
                for (side, party) in [(Buy, *buyer), (Sell, *seller)] {
                    let curve = &curves[&(side, party)];
                    // Of what it would trade at this price it trades no more than there is.
                    let agreed = curve.iter().filter(|step| match side { Buy => step.limit >= *price, Sell => step.limit <= *price });
                    prop_assert!(agreed.count() > 0);
                    prop_assert!(Total::from(book.traded(side, party)) <= total(curve));
                }
                volume += *energy;
            }
            prop_assert_eq!(book.volume(), volume);
            prop_assert_eq!(book.last_price(), executions.last().map(|last| last.price).or(before));
            if let (Some(bid), Some(ask)) = book.top() {
                prop_assert!(bid < ask, "what meets has traded");
            }
        }
        let sold: Energy = (0..5).map(|party| book.traded(Sell, party)).sum();
        let bought: Energy = (0..5).map(|party| book.traded(Buy, party)).sum();
        prop_assert_eq!((sold, bought), (volume, volume));
    }

    #[test]
    fn buyers_and_sellers_are_treated_alike(entries in entries()) {
        let mirrored = entered(&entries, |side| if side == Buy { Sell } else { Buy }, |limit| 1.0 - limit);
        let back = |Execution { buyer, seller, energy, price }: &Execution| Execution {
            buyer: *seller,
            seller: *buyer,
            energy: *energy,
            price: 1.0 - price,
        };
        let back: Vec<Vec<Execution>> = mirrored.iter().map(|executions| executions.iter().map(back).collect()).collect();
        prop_assert_eq!(entered(&entries, |side| side, |limit| limit), back);
    }
}
