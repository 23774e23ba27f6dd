//! Dividing an amount in proportion, in whole units.

use crate::units::{Energy, Total};

/// So much of `total` for each of the `parts`, in proportion to them: what is due to all up to one, rounded down, less
/// what is due to all before it. So the amounts add up to `total` to the last unit, and none is a whole unit off. `total`
/// is no more than what the parts add up to.
pub fn pro_rata<Parts>(total: Energy, parts: Parts) -> impl Iterator<Item = Energy>
where
    Parts: Iterator<Item = Energy> + Clone,
{
    let all = parts.clone().map(|part| i128::from(part.0)).sum::<i128>().max(1);
    let mut carried = 0;
    parts.map(move |part| {
        // What rounding down has left so far is carried on: as running totals, but for products of two sums.
        let due = i128::from(total.0) * i128::from(part.0) + carried;
        carried = due % all;
        Energy((due / all) as i64)
    })
}

/// The same for two sides of a pool that trade the smaller of their sums with each other.
pub fn both(demand: &[Energy], supply: &[Energy]) -> [Vec<Energy>; 2] {
    let sum = |side: &[Energy]| side.iter().copied().sum::<Total<Energy>>();
    let traded = sum(demand).min(sum(supply)).amount().expect("a turnover within bounds");
    [demand, supply].map(|side| pro_rata(traded, side.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn divided(total: i64, parts: &[i64]) -> Vec<i64> {
        pro_rata(Energy(total), parts.iter().copied().map(Energy)).map(|amount| amount.0).collect()
    }

    #[test]
    fn running_totals_are_rounded_down() {
        // 10 * 1/3 = 3.33, 10 * 2/3 = 6.67, 10: 3, 6, 10.
        assert_eq!(divided(10, &[7, 7, 7]), [3, 3, 4]);
        // Up to each: 5 * 1/8 = 0.6, 5 * 3/8 = 1.9, 5 * 7/8 = 4.4, 5: 0, 1, 4, 5.
        assert_eq!(divided(5, &[1, 2, 4, 1]), [0, 1, 3, 1]);
        assert_eq!(divided(8, &[1, 2, 4, 1]), [1, 2, 4, 1], "all of it");
        assert_eq!(divided(0, &[1, 2]), [0, 0]);
        assert_eq!(divided(3, &[0, 5, 0]), [0, 3, 0], "who has no part gets nothing");
        assert_eq!(divided(0, &[0, 0]), [0, 0]);
        assert_eq!(divided(0, &[]), [0; 0]);
    }

    #[test]
    fn amounts_beyond_any_market_do_not_overflow() {
        let most = i64::MAX;
        assert_eq!(divided(most, &[most; 3]).iter().map(|&amount| i128::from(amount)).sum::<i128>(), most.into());
    }

    #[test]
    fn the_scarcer_side_trades_all_of_it() {
        let both = |demand: &[i64], supply: &[i64]| {
            let energies = |side: &[i64]| side.iter().copied().map(Energy).collect::<Vec<_>>();
            both(&energies(demand), &energies(supply)).map(|side| side.iter().map(|part| part.0).collect::<Vec<_>>())
        };
        // 5 of 8 kWh wanted: 5 * 2/8 = 1.25 up to the first.
        assert_eq!(both(&[2, 6], &[5]), [vec![1, 4], vec![5]]);
        // 2 of 5 kWh there are: 2 * 3/5 = 1.2 up to the first.
        assert_eq!(both(&[2], &[3, 2]), [vec![2], vec![1, 1]]);
        assert_eq!(both(&[], &[3]), [vec![], vec![0]]);
    }

    proptest! {
        #[test]
        fn amounts_add_up_and_none_is_a_unit_off(
            parts in vec(prop_oneof![0..4_i64, 0..9_000_000_i64], 0..30), part in 0.0..=1.0,
        ) {
            let all: i64 = parts.iter().sum();
            let total = (all as f64 * part) as i64;
            let amounts = divided(total, &parts);
            prop_assert_eq!(amounts.iter().sum::<i64>(), total);
            for (amount, part) in amounts.into_iter().zip(parts) {
                prop_assert!(0 <= amount && amount <= part);
                let off = i128::from(amount) * i128::from(all) - i128::from(total) * i128::from(part);
                prop_assert!(off.abs() < i128::from(all.max(1)));
            }
        }
    }
}
