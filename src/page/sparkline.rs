//! A small bar chart of the last hours, as the path of an SVG.

use std::fmt::Write;

/// Width of a bar with its gap, and height of the picture, in units of the `viewBox`.
const STEP: usize = 8;
const HEIGHT: i64 = 32;

/// The bars of a chart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sparkline {
    /// The path of all bars.
    pub(super) path: String,
    /// Width of the picture.
    pub(super) width: usize,
    /// The sum of all counts.
    pub(super) total: i64,
    /// The greatest count.
    pub(super) most: i64,
}

impl Sparkline {
    /// Height of the picture.
    pub(super) const HEIGHT: i64 = HEIGHT;

    /// A bar for each count. The greatest count has the full height, and a count of 1 or more can be seen.
    pub(super) fn of(counts: &[i64]) -> Self {
        let most = counts.iter().copied().max().unwrap_or(0);
        let mut path = String::new();
        for (index, &count) in counts.iter().enumerate() {
            let (x, bar) = (index * STEP, STEP - 2);
            let height = match count {
                ..=0 => 1,
                count => (count.saturating_mul(HEIGHT) / most).max(2),
            };
            // Writing to a string cannot fail.
            let _ = write!(path, "M{x} {HEIGHT}h{bar}v-{height}h-{bar}z");
        }
        Self {
            path,
            width: counts.len() * STEP,
            total: counts.iter().sum(),
            most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sparkline;

    #[test]
    fn bars_are_scaled_to_the_greatest_count() {
        let sparkline = Sparkline::of(&[0, 1, 1000, 500]);
        assert_eq!(
            sparkline.path,
            "M0 32h6v-1h-6zM8 32h6v-2h-6zM16 32h6v-32h-6zM24 32h6v-16h-6z"
        );
        assert_eq!((sparkline.total, sparkline.most), (1501, 1000));
    }

    #[test]
    fn chart_without_counts_is_empty() {
        assert_eq!(Sparkline::of(&[]).path, "");
    }
}
