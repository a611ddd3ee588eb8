//! Durations that were measured, and what is said of them.

use std::time::Duration;

/// What was measured again and again, sorted.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// From durations in any order; at least one.
    pub(crate) fn new(mut durations: Vec<Duration>) -> anyhow::Result<Self> {
        anyhow::ensure!(!durations.is_empty(), "nothing was measured");
        durations.sort_unstable();
        Ok(Self(durations))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest one that `percent` of all do not exceed, in milliseconds (nearest rank).
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        millis(self.0[rank - 1])
    }

    /// The longest, in milliseconds.
    pub(crate) fn longest(&self) -> f64 {
        self.percentile(100)
    }
}

/// In milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples = Samples::new((1..=200).rev().map(Duration::from_millis).collect()).unwrap();
        let found = [50, 99, 100].map(|percent| samples.percentile(percent).round());
        assert_eq!(found, [100.0, 198.0, 200.0]);
        let one = Samples::new(vec![Duration::from_millis(7)]).unwrap();
        assert_eq!([one.percentile(50), one.longest()], [7.0, 7.0]);
    }
}
