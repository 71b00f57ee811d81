//! Bars of eighths of a character, and a histogram over round limits.

use crate::metrics::Histogram;

/// A bar for a share of `width` characters; whatever is not nothing shows.
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = ['█', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if share.is_nan() || share <= 0.0 {
        return String::new();
    }
    let eighths = ((share.min(1.0) * (width * 8) as f64 + 0.5) as usize).max(1);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// What lies between two limits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Bin {
    /// In nanoseconds.
    pub from: f64,
    /// In nanoseconds; itself outside.
    pub to: f64,
    pub count: u64,
}

/// Steps within a decade, from coarse to fine.
const DECADES: [&[f64]; 4] = [
    &[1.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.5, 2.2, 3.3, 4.7, 6.8],
    &[1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2],
];

/// At most `most` bins that hold everything: round limits whose distances grow with them if values differ by more than a
/// factor of three, equal distances otherwise.
pub(super) fn bins(histogram: &Histogram, most: usize) -> Vec<Bin> {
    let (Some(min), Some(max)) = (histogram.min(), histogram.max()) else { return Vec::new() };
    let (min, max) = (min.as_nanos() as f64, max.as_nanos() as f64);
    let limits = if max >= 3.0 * min.max(1.0) {
        let by_decade = |steps: &&[f64]| growing(min, max, steps);
        DECADES
            .iter()
            .rev()
            .map(by_decade)
            .find(|limits| limits.len() <= most + 1)
            .unwrap_or_else(|| vec![min, max + 1.0])
    } else {
        equal(min, max, most)
    };
    let mut bins: Vec<Bin> = limits.windows(2).map(|pair| Bin { from: pair[0], to: pair[1], count: 0 }).collect();
    for (value, count) in histogram.bars() {
        let index = bins.iter().position(|bin| value < bin.to).unwrap_or(bins.len() - 1);
        bins[index].count += count;
    }
    bins
}

fn growing(min: f64, max: f64, steps: &[f64]) -> Vec<f64> {
    // A time of zero lies in the first bin, which begins at the first limit.
    let mut decade = 1.0;
    while decade * 10.0 <= min {
        decade *= 10.0;
    }
    let mut limits: Vec<f64> = Vec::new();
    loop {
        for step in steps {
            let limit = decade * step;
            if limit <= min {
                limits.clear();
            }
            limits.push(limit);
            if limit > max {
                if min < limits[0] {
                    limits[0] = 0.0;
                }
                return limits;
            }
        }
        decade *= 10.0;
    }
}

fn equal(min: f64, max: f64, most: usize) -> Vec<f64> {
    let mut step = 1.0;
    let steps = |step: f64| (libm::floor(min / step), libm::floor(max / step) + 1.0);
    for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
        let (first, last) = steps(step);
        // Steps below a float's resolution would leave no bin at all.
        if first < last && last - first <= most as f64 {
            break;
        }
        step *= factor;
    }
    let (first, last) = steps(step);
    (0..=(last - first) as usize).map(|index| (first + index as f64) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Span, ms, ns, us};

    fn histogram(values: impl IntoIterator<Item = Span>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    #[test]
    fn bars_show_eighths_and_never_hide_a_rest() {
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(1e-9, 3), "▏");
        assert_eq!(bar(0.0, 3), "");
        assert_eq!(bar(f64::NAN, 3), "");
    }

    #[test]
    fn wide_ranges_have_growing_bins() {
        let bins = bins(&histogram([us(900), ms(1), ms(3), ms(40)]), 8);
        let limits: Vec<f64> = bins.iter().map(|bin| bin.from / 1e6).collect();
        assert_eq!(limits, [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 1, 1, 0, 0, 1]);
    }

    #[test]
    fn narrow_ranges_have_equal_bins() {
        let limits: Vec<f64> = bins(&histogram((1_000..1_500).map(us)), 10).iter().map(|bin| bin.from / 1e6).collect();
        assert_eq!(limits, [1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.35, 1.4, 1.45]);
    }

    #[test]
    fn every_value_has_a_bin() {
        let extremes =
            [vec![], vec![ns(0)], vec![ns(0), Span::MAX], vec![ms(20); 7], vec![ns(1), ns(2), ns(3)], vec![Span::MAX]];
        for values in extremes {
            let bins = bins(&histogram(values.iter().copied()), 12);
            assert!(bins.len() <= 12, "{values:?}");
            assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), values.len() as u64, "{values:?}");
        }
    }
}
