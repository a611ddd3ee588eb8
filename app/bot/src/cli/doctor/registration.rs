//! The App: whether GitHub takes its key, whether the clocks agree, and what it may do and hears of.

use jiff::SignedDuration;
use landfall_github::needs::{self, EVENTS, Missing, Without};
use landfall_github::{App, Failure, GithubError, Registration};

use super::report::Finding;
use crate::settings::Settings;

/// A token of the App counts from a minute ago, and GitHub takes none from the future.
const FUTURE: SignedDuration = SignedDuration::from_secs(60);
/// It is good for nine minutes.
const PAST: SignedDuration = SignedDuration::from_mins(9);
/// What clocks differ by that nobody looks after.
const USUAL: SignedDuration = SignedDuration::from_secs(30);

/// Whether the clocks agree. That GitHub cannot be reached is told once, of the App.
pub(super) async fn clock(app: &App) -> Option<Finding> {
    let skew = app.clock_skew().await.ok()?;
    let silent = || Finding::unknown("clock", "GitHub does not say what time it has");
    Some(skew.map_or_else(silent, skewed))
}

/// What it means that this machine's clock is so far ahead of GitHub's.
fn skewed(skew: SignedDuration) -> Finding {
    let seconds = skew.as_secs().unsigned_abs();
    let way = if skew.is_negative() { "behind" } else { "ahead of" };
    let said = format!("{seconds} s {way} GitHub's");
    let mend = "set it, and have it set by itself: timedatectl set-ntp true";
    if skew > FUTURE || skew < -PAST {
        Finding::fault("clock", format!("{said}, so GitHub refuses the App's tokens"), mend)
    } else if skew.abs() > USUAL {
        Finding::warning("clock", said, mend)
    } else {
        Finding::fine("clock", "agrees with GitHub's")
    }
}

/// The App as GitHub has it, or why it cannot be looked at.
pub(super) async fn app(app: &App, settings: &Settings) -> Result<Registration, Finding> {
    let GithubError { failure, .. } = match app.registration().await {
        Ok(registered) => return Ok(registered),
        Err(error) => error,
    };
    let api = &settings.github.api_url;
    Err(match failure {
        Failure::Denied { .. } | Failure::NotFound => Finding::fault(
            "App",
            format!("GitHub does not take the key for App {}: {failure}", settings.github.app_id),
            "GITHUB_APP_ID and the key have to be of one App: its page has the number, and makes keys",
        ),
        Failure::Unreachable { .. } | Failure::Unknown { .. } => Finding::fault(
            "App",
            format!("{api} cannot be reached: {failure}"),
            "this machine has to reach it by https; GITHUB_API_URL says where it is",
        ),
        failure => Finding::fault(
            "App",
            format!("{api} answers otherwise than GitHub: {failure}"),
            "GITHUB_API_URL is https://api.github.com, or https://HOST/api/v3 of a server of yours",
        ),
    })
}

pub(super) fn findings(registered: &Registration) -> Vec<Finding> {
    let Registration { id, name, page, .. } = registered;
    let mut found = vec![Finding::fine("App", format!("{name}, number {id}, {page}"))];
    found.extend(permissions(registered));
    found.extend(events(registered));
    found
}

fn permissions(registered: &Registration) -> Vec<Finding> {
    let missing = needs::missing(&registered.permissions);
    let mend =
        "add it on the App's page under Permissions & events; owners are then asked to accept";
    let mut found: Vec<Finding> =
        missing.iter().map(|missing| lacking(missing, "the App does not ask for", mend)).collect();
    for (name, level) in needs::unneeded(&registered.permissions) {
        let said = format!("the App asks for `{name}: {level}`, which Landfall does not use");
        let mend = "take it away on the App's page: what it may not do nobody can make it do";
        found.push(Finding::warning("permissions", said, mend));
    }
    if found.is_empty() {
        found.push(Finding::fine("permissions", "all that are needed, and no more"));
    }
    found
}

/// A permission that somebody did not ask for, or not grant.
pub(super) fn lacking(missing: &Missing, who: &str, mend: &str) -> Finding {
    let Missing { permission, .. } = missing;
    let said =
        format!("{who} `{}: {}` ({})", permission.name, permission.asked, permission.purpose);
    match missing.is_needed() {
        true => Finding::fault("permissions", said, mend),
        false => Finding::warning("permissions", said, mend),
    }
}

fn events(registered: &Registration) -> Vec<Finding> {
    let mend = "tick it on the App's page under Permissions & events, Subscribe to events";
    let missing = EVENTS.iter().filter(|known| !registered.events.contains(known.event));
    let found: Vec<Finding> = missing
        .filter_map(|known| {
            let said =
                format!("the App is not subscribed to `{}` ({})", known.event, known.purpose);
            match known.without {
                Without::Late => Some(Finding::fault("events", said, mend)),
                Without::Lacking => Some(Finding::warning("events", said, mend)),
                Without::Sent => None,
            }
        })
        .collect();
    match found.is_empty() {
        true => vec![Finding::fine("events", "all that are needed")],
        false => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_behind_longer_than_ahead() {
        let fault = |seconds| skewed(SignedDuration::from_secs(seconds));
        assert_eq!(fault(5), Finding::fine("clock", "agrees with GitHub's"));
        assert!(format!("{:?}", fault(45)).contains("Warning"));
        assert!(format!("{:?}", fault(61)).contains("Fault"));
        assert!(format!("{:?}", fault(-61)).contains("Warning"));
        assert!(format!("{:?}", fault(-541)).contains("Fault"));
    }
}
