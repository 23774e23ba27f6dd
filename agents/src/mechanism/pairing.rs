//! Who trades with whom, where amounts come from a pool.

use crate::units::Energy;

/// Buyer, seller and energy of each trade, by buyer, then seller: what each buys is taken from those who sell, one after
/// the other (the north-west corner rule), so that there are fewer pairs than participants. Both sides ascend by position
/// and come to the same in all.
pub fn pair(
    bought: impl IntoIterator<Item = (u32, Energy)>,
    sold: impl IntoIterator<Item = (u32, Energy)>,
) -> Vec<(u32, u32, Energy)> {
    let mut sold = sold.into_iter().filter(|(_, energy)| *energy > Energy::ZERO);
    let mut at_hand = sold.next();
    let mut pairs = Vec::new();
    for (buyer, mut wanted) in bought {
        while let Some((seller, left)) = &mut at_hand
            && wanted > Energy::ZERO
        {
            let energy = wanted.min(*left);
            pairs.push((buyer, *seller, energy));
            wanted -= energy;
            *left -= energy;
            if *left == Energy::ZERO {
                at_hand = sold.next();
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn paired(bought: &[i64], sold: &[i64]) -> Vec<(u32, u32, i64)> {
        let amounts = |side: &[i64]| (0..).zip(side.iter().copied().map(Energy)).collect::<Vec<_>>();
        let pairs = pair(amounts(bought), amounts(sold));
        pairs.into_iter().map(|(buyer, seller, energy)| (buyer, seller, energy.0)).collect()
    }

    #[test]
    fn buyers_take_from_one_seller_after_the_other() {
        // Buyer 0 takes 4 of seller 0 and 1 of seller 1; buyer 1 the 2 that seller 1 has left and 1 of seller 2.
        assert_eq!(paired(&[5, 3], &[4, 3, 1]), [(0, 0, 4), (0, 1, 1), (1, 1, 2), (1, 2, 1)]);
        assert_eq!(paired(&[2, 2], &[2, 2]), [(0, 0, 2), (1, 1, 2)], "corners that coincide");
        assert_eq!(paired(&[0, 3, 0, 1], &[0, 0, 4]), [(1, 2, 3), (3, 2, 1)], "who trades nothing is in no pair");
        assert_eq!(paired(&[0], &[0]), []);
        assert_eq!(paired(&[], &[]), []);
    }

    proptest! {
        #[test]
        fn everybody_gets_its_amount_in_fewer_pairs_than_participants(
            mut bought in vec(0..9_i64, 1..20), mut sold in vec(0..9_i64, 1..20),
        ) {
            let more: i64 = bought.iter().sum::<i64>() - sold.iter().sum::<i64>();
            if more > 0 { sold[0] += more } else { bought[0] -= more }
            let pairs = paired(&bought, &sold);
            let of = |who: &dyn Fn(&(u32, u32, i64)) -> bool| -> i64 {
                pairs.iter().filter(|pair| who(pair)).map(|pair| pair.2).sum()
            };
            for (buyer, amount) in (0..).zip(&bought) {
                prop_assert_eq!(of(&|pair| pair.0 == buyer), *amount);
            }
            for (seller, amount) in (0..).zip(&sold) {
                prop_assert_eq!(of(&|pair| pair.1 == seller), *amount);
            }
            prop_assert!(pairs.len() < bought.len() + sold.len());
            prop_assert!(pairs.is_sorted_by_key(|pair| (pair.0, pair.1)) && pairs.iter().all(|pair| pair.2 > 0));
        }
    }
}
