//! Fewer points that look the same: what is left out lies between what is kept.

/// Points in order of x, thinned to at most about `most` where they are more.
///
/// The span of x is cut into equal pieces; of each the first, the last, the lowest and the highest point stay. A line
/// through these covers the same pixels as one through all, as long as no piece is wider than a pixel, and no extreme
/// is ever lost.
pub fn thinned(points: Vec<(f64, f64)>, most: usize) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return points };
    if points.len() <= most {
        return points;
    }
    let pieces = Pieces { from: first.0, to: last.0, count: (most / 4).max(1) };
    let mut kept = Vec::with_capacity(4 * pieces.count);
    for piece in points.chunk_by(|a, b| pieces.of(a.0) == pieces.of(b.0)) {
        let by_value = |a: &usize, b: &usize| piece[*a].1.total_cmp(&piece[*b].1);
        let all = 0..piece.len();
        let extremes = all.clone().min_by(by_value).into_iter().chain(all.max_by(by_value));
        let mut places: Vec<usize> = extremes.chain([0, piece.len() - 1]).collect();
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().map(|place| piece[place]));
    }
    kept
}

/// The span from the lowest to the highest value of points (x, value) in each of at most `count` equal pieces of the span
/// of x: (x at the piece's middle, lowest, highest). Pieces without points are left out.
pub fn band(points: &[(f64, f64)], count: usize) -> Vec<(f64, f64, f64)> {
    let xs = || points.iter().map(|point| point.0);
    let pieces = Pieces { from: xs().fold(f64::INFINITY, f64::min), to: xs().fold(f64::NEG_INFINITY, f64::max), count };
    let mut spans: Vec<Option<(f64, f64)>> = vec![None; count];
    for &(x, value) in points {
        let span = &mut spans[pieces.of(x)];
        let (low, high) = span.unwrap_or((value, value));
        *span = Some((low.min(value), high.max(value)));
    }
    let spans = spans.into_iter().enumerate();
    spans.filter_map(|(piece, span)| span.map(|(low, high)| (pieces.middle(piece), low, high))).collect()
}

/// A span cut into equal pieces.
struct Pieces {
    from: f64,
    to: f64,
    count: usize,
}

impl Pieces {
    /// The piece that `x` is in.
    fn of(&self, x: f64) -> usize {
        let share = (x - self.from) / (self.to - self.from);
        ((share * self.count as f64) as usize).min(self.count - 1)
    }

    fn middle(&self, piece: usize) -> f64 {
        self.from + (piece as f64 + 0.5) * (self.to - self.from) / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The least and the greatest value.
    fn extremes(points: &[(f64, f64)]) -> (f64, f64) {
        let values = || points.iter().map(|point| point.1);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    }

    proptest! {
        #[test]
        fn thinning_keeps_order_ends_and_extremes_of_every_part(
            values in prop::collection::vec(-1e3..1e3, 1..3000),
            most in 4..500_usize,
        ) {
            let points: Vec<_> = values.iter().enumerate().map(|(n, &value)| ((n as f64).sqrt(), value)).collect();
            let kept = thinned(points.clone(), most);
            prop_assert!(kept.len() <= most.max(4) || points.len() <= most);
            prop_assert!(kept.iter().all(|point| points.contains(point)));
            prop_assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
            prop_assert_eq!((kept[0], kept[kept.len() - 1]), (points[0], points[points.len() - 1]));
            prop_assert_eq!(extremes(&kept), extremes(&points));
        }

        #[test]
        fn a_band_holds_every_point(values in prop::collection::vec(-1e3..1e3, 1..300)) {
            let points: Vec<_> = values.iter().enumerate().map(|(n, &value)| (n as f64, value)).collect();
            let band = band(&points, 20);
            let inside = |value: f64| band.iter().any(|&(_, low, high)| (low..=high).contains(&value));
            prop_assert!(values.iter().all(|&value| inside(value)));
            let low = band.iter().fold(f64::INFINITY, |low, span| low.min(span.1));
            let high = band.iter().fold(f64::NEG_INFINITY, |high, span| high.max(span.2));
            prop_assert_eq!((low, high), extremes(&points));
        }
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points = vec![(0.0, 1.0), (0.0, 2.0), (5.0, 0.0)];
        assert_eq!(thinned(points.clone(), 3), points);
        assert_eq!(thinned(Vec::new(), 3), []);
        assert_eq!(band(&[(1.0, 2.0)], 3), [(1.0, 2.0, 2.0)]);
    }
}
