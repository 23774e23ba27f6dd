//! Sums and minima over many terms, four at a time: one after the other, each addition would wait for the one before.
//! The order of summation is fixed, so the last bit of a sum is always the same.

/// Unlike `f64::min` and `f64::max`, these compile to one instruction.
fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

fn sum(lanes: [f64; 4]) -> f64 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// Scalar product of two lists of the same length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((fours_a, rest_a), (fours_b, rest_b)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut lanes = [0.0; 4];
    for (a, b) in fours_a.iter().zip(fours_b) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    sum(lanes) + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f64>()
}

pub(crate) fn total(terms: &[f64]) -> f64 {
    let (fours, rest) = terms.as_chunks::<4>();
    let mut lanes = [0.0; 4];
    for four in fours {
        for lane in 0..4 {
            lanes[lane] += four[lane];
        }
    }
    sum(lanes) + rest.iter().sum::<f64>()
}

/// The largest difference between two lists of the same length.
pub(crate) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    let ((fours_a, rest_a), (fours_b, rest_b)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut lanes = [0.0; 4];
    for (a, b) in fours_a.iter().zip(fours_b) {
        for lane in 0..4 {
            lanes[lane] = greater((a[lane] - b[lane]).abs(), lanes[lane]);
        }
    }
    let rest = rest_a.iter().zip(rest_b).map(|(a, b)| (a - b).abs());
    rest.chain(lanes).fold(0.0, greater)
}

/// The [`total`] of these numbers, not finite if any of them is not, and the least and the greatest of them but for NaN;
/// infinite of none.
pub(crate) fn range(terms: &[f64]) -> (f64, f64, f64) {
    let (fours, rest) = terms.as_chunks::<4>();
    let (mut lanes, mut least, mut greatest) = ([0.0; 4], [f64::INFINITY; 4], [f64::NEG_INFINITY; 4]);
    for four in fours {
        for lane in 0..4 {
            lanes[lane] += four[lane];
            least[lane] = lesser(four[lane], least[lane]);
            greatest[lane] = greater(four[lane], greatest[lane]);
        }
    }
    let rest = || rest.iter().copied();
    let total = sum(lanes) + rest().sum::<f64>();
    let least = rest().chain(least).fold(f64::INFINITY, lesser);
    (total, least, rest().chain(greatest).fold(f64::NEG_INFINITY, greater))
}

/// The scalar product of `weights` and `values`, the sum of the weights, and the least of the values whose weight is
/// positive, infinite if none is. All of it in one go: so none of the three waits for the others.
pub(super) fn survey(weights: &[f64], values: &[f64]) -> (f64, f64, f64) {
    let ((fours_w, rest_w), (fours_v, rest_v)) = (weights.as_chunks::<4>(), values.as_chunks::<4>());
    let held = |weight: f64, value: f64| if weight > 0.0 { value } else { f64::INFINITY };
    let (mut dots, mut totals, mut least) = ([0.0; 4], [0.0; 4], [f64::INFINITY; 4]);
    for (weights, values) in fours_w.iter().zip(fours_v) {
        for lane in 0..4 {
            dots[lane] += weights[lane] * values[lane];
            totals[lane] += weights[lane];
            least[lane] = lesser(held(weights[lane], values[lane]), least[lane]);
        }
    }
    let rest = || rest_w.iter().zip(rest_v);
    let dot = sum(dots) + rest().map(|(a, b)| a * b).sum::<f64>();
    let least = least.into_iter().chain(rest().map(|(&weight, &value)| held(weight, value)));
    (dot, sum(totals) + rest_w.iter().sum::<f64>(), least.fold(f64::INFINITY, lesser))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_counts_once_whatever_the_length() {
        for length in 0..10 {
            let terms: Vec<f64> = (1..=length).map(f64::from).collect();
            let squares: f64 = terms.iter().map(|x| x * x).sum();
            assert_eq!(dot(&terms, &terms), squares);
            assert_eq!(total(&terms), terms.iter().sum::<f64>());
            let (total, least, greatest) = range(&terms);
            assert_eq!(total, terms.iter().sum::<f64>());
            if length > 0 {
                assert_eq!((least, greatest), (1.0, f64::from(length)));
            }
            let (dot, total, _) = survey(&terms, &terms);
            assert_eq!((dot, total), (squares, terms.iter().sum()));
        }
    }

    #[test]
    fn the_largest_difference_is_found_wherever_it_stands() {
        for length in 1..10 {
            for place in 0..length {
                let zeros = vec![0.0; length];
                let mut other = vec![0.25; length];
                other[place] = -0.5;
                assert_eq!(largest_difference(&zeros, &other), 0.5);
            }
        }
        assert_eq!(largest_difference(&[], &[]), 0.0);
    }

    #[test]
    fn a_number_that_is_none_spoils_the_sum_wherever_it_stands() {
        for place in 0..6 {
            for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut terms = [1.0; 6];
                terms[place] = odd;
                assert!(!range(&terms).0.is_finite());
            }
            let mut terms = [1.0; 6];
            terms[place] = -2.0;
            assert_eq!((range(&terms).1, range(&terms).2), (-2.0, 1.0));
        }
    }

    #[test]
    fn the_least_is_sought_among_those_held_only() {
        let weights = [0.1, 0.2, 0.0, 0.3, 0.1, 0.2];
        let least = |weights: &[f64], values: &[f64]| survey(weights, values).2;
        assert_eq!(least(&weights, &[5.0, 4.0, 1.0, 3.0, 2.0, 6.0]), 2.0);
        assert_eq!(least(&weights, &[5.0, 4.0, 1.0, 3.0, 7.0, 0.5]), 0.5);
        assert_eq!(least(&[0.0; 6], &[1.0; 6]), f64::INFINITY);
    }
}
