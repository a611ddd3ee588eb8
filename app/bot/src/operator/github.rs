//! What GitHub allows, as far as it does not say so in its answers: how much content may be created.
//!
//! The defaults are GitHub's own, "in general no more than 80 content-generating requests per minute
//! and no more than 500 per hour"
//! (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>).
//! A GitHub Enterprise Server has no limits until its administrator sets some.

use std::time::Duration;

use landfall_store::Pace;
use serde::Deserialize;

/// How much content an installation may create: comments, checks, deployments and their changes.
/// 0 stands for as much as it likes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GithubLimits {
    content_per_minute: u32,
    content_per_hour: u32,
}

impl Default for GithubLimits {
    fn default() -> Self {
        Self { content_per_minute: 80, content_per_hour: 500 }
    }
}

impl GithubLimits {
    /// The paces to keep.
    #[must_use]
    pub fn paces(&self) -> Vec<Pace> {
        let minute = (self.content_per_minute, Duration::from_mins(1));
        let hour = (self.content_per_hour, Duration::from_hours(1));
        let limited = [minute, hour].into_iter().filter(|(most, _)| *most > 0);
        limited.map(|(most, within)| Pace::at_most(most, within)).collect()
    }
}
