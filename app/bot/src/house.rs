//! The house: everything that the flows are given, put together once at the start.

use std::sync::Arc;
use std::time::Duration;

use landfall_core::config;
use landfall_core::config::kind::{ConnectionKind, Kind};
use landfall_core::plan::Ranks;
use landfall_github::App;
use landfall_os::redact::Redactor;
use landfall_providers::Registry;
use landfall_repo::Mirrors;
use landfall_store::{Pace, Store};

use crate::backup::{Backups, Schedule};
use crate::flow::guard::KnownGuards;
use crate::gather::Caches;
use crate::gather::known::KnownTargets;
use crate::gather::session::Reach;
use crate::operator::{GithubLimits, Operator};
use crate::panics::Panics;
use crate::render::Templates;
use crate::settings::Webhooks;

mod open;

pub(crate) use open::app;
pub use open::{Surroundings, verifier};

/// Kinds of component that the design has and this version has not.
const LATER: [&str; 1] = ["terraform"];

/// What a server works with. One for each process.
pub struct House {
    /// What must not be forgotten.
    pub store: Arc<dyn Store>,
    /// GitHub.
    pub github: App,
    /// The repositories.
    pub mirrors: Mirrors,
    /// The providers and what they are reached with.
    pub reach: Reach,
    /// What the operator allows.
    pub operator: Operator,
    /// What was parsed before.
    pub caches: Caches,
    /// Identities of targets that planning may believe.
    pub known_targets: KnownTargets,
    /// How branches are guarded, for saying so.
    pub guards: KnownGuards,
    /// What people read is printed with these.
    pub templates: Templates,
    /// How long things may take.
    pub timing: Timing,
    /// How events come here.
    pub webhooks: Webhooks,
    /// Takes secrets out of what is shown.
    pub redactor: Redactor,
    /// Where panics end.
    pub panics: Panics,
    /// Where the server backs up to by itself; none when nobody asked for it.
    pub backups: Option<(Backups, Schedule)>,
}

/// What planning and applying take: the house without GitHub and the mirrors, which a command on a
/// working copy does not have.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// What must not be forgotten.
    pub store: &'a dyn Store,
    /// The providers and what they are reached with.
    pub reach: &'a Reach,
    /// How long things may take.
    pub timing: &'a Timing,
    /// Takes secrets out of what is shown.
    pub redactor: &'a Redactor,
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl House {
    /// What planning and applying take of it.
    #[must_use]
    pub fn tools(&self) -> Tools<'_> {
        Tools {
            store: &*self.store,
            reach: &self.reach,
            timing: &self.timing,
            redactor: &self.redactor,
        }
    }
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("House").field("github", &self.github).finish_non_exhaustive()
    }
}

/// How long things may take, and how long is waited between attempts.
#[derive(Debug, Clone)]
pub struct Timing {
    /// How long a client may take to send the head of a request, and so how long a connection to us
    /// may be idle.
    pub request_head: Duration,
    /// How long it may take then to send the body of a delivery. GitHub is done in milliseconds,
    /// and gives up after ten seconds.
    pub request_body: Duration,
    /// How long a job is held without a heartbeat.
    pub job_lease: Duration,
    /// How long a target is held without renewal. More than three times [`Self::request`].
    pub target_lease: Duration,
    /// How long a request to a provider may take.
    pub request: Duration,
    /// How long deliveries are held while what follows from them is found out. That asks nobody, so
    /// this is long.
    pub inbox_lease: Duration,
    /// How long an item is held while it is published. More than [`Self::publication_deadline`].
    pub item_lease: Duration,
    /// How long an attempt to publish an item may take: less than it is held, so that two never
    /// publish it at once.
    pub publication_deadline: Duration,
    /// How long a request may still be carried out that nobody waits for any more. GitHub ends those
    /// that take longer than ten seconds
    /// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts>).
    pub late: Duration,
    /// How long a server that stops finishes what is under way before it puts it back. Together with
    /// [`Self::closing`] less than `kill_timeout` in `fly.toml`.
    pub shutdown: Duration,
    /// How long putting back and closing may take then.
    pub closing: Duration,
    /// How fast GitHub is told things, for each installation; nothing for as fast as it goes.
    pub pace: Vec<Pace>,
    /// How often what nobody needs any more is removed.
    pub housekeeping: Duration,
    /// How often a worker asks for work when nobody woke it.
    pub poll: Duration,
    /// How often GitHub's delivery log is read for what never came.
    pub sweep: Duration,
    /// How often everything that the App is installed on is compared with what is known of it.
    pub reconcile: Duration,
    /// How often, in pull mode, GitHub is asked whether something happened. GitHub answers an App
    /// 5,000 times an hour at least.
    pub pull: Duration,
    /// How long is waited before looking again which pull request a commit came from: GitHub's
    /// index lags behind a push. After the last one a commit counts as pushed directly.
    pub attribution: Vec<Duration>,
    /// How long is waited before GitHub is asked again for a head that it announced and does not
    /// show yet, by attempt; the last one repeats.
    pub lag: Vec<Duration>,
    /// How long is waited before a job that failed is tried again, by attempt; the last one repeats.
    pub retry: Vec<Duration>,
    /// How long is waited before GitHub is told again what it did not take, by attempt; the last
    /// one repeats for as long as GitHub is away. Where GitHub says itself how long to wait, that
    /// is done instead.
    pub publication: Vec<Duration>,
}

/// The wait after attempt number `attempt`, from 1: the one in its place, or the last one.
#[must_use]
pub fn wait(waits: &[Duration], attempt: u32) -> Duration {
    wait_within(waits, attempt).or(waits.last().copied()).unwrap_or_default()
}

/// The wait in the place of attempt number `attempt`, from 1; none once there were as many.
#[must_use]
pub fn wait_within(waits: &[Duration], attempt: u32) -> Option<Duration> {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
    waits.get(place).copied()
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            request_head: seconds(10),
            request_body: seconds(20),
            job_lease: seconds(60),
            target_lease: seconds(60),
            request: seconds(15),
            inbox_lease: seconds(30),
            item_lease: seconds(120),
            publication_deadline: seconds(90),
            late: seconds(10),
            shutdown: seconds(30),
            closing: seconds(10),
            pace: GithubLimits::default().paces(),
            housekeeping: Duration::from_hours(1),
            poll: seconds(5),
            sweep: seconds(5 * 60),
            reconcile: Duration::from_hours(1),
            pull: seconds(2),
            lag: [1, 1, 2, 5, 15, 60].map(seconds).into(),
            attribution: [2, 5, 15, 60].map(seconds).into(),
            retry: [2, 10, 60, 300].map(seconds).into(),
            publication: [2, 4, 8, 16, 32, 60, 120, 300].map(seconds).into(),
        }
    }
}

/// The kinds of component and connection, in the form that `core` takes.
pub struct Kinds<'a> {
    kinds: Vec<&'a dyn Kind>,
    connections: Vec<&'a dyn ConnectionKind>,
}

impl<'a> Kinds<'a> {
    /// Those of `registry`.
    #[must_use]
    pub fn of(registry: &'a Registry) -> Self {
        Self { kinds: registry.kinds(), connections: registry.connection_kinds() }
    }

    /// As `core` takes them.
    #[must_use]
    pub fn registry(&self) -> config::Registry<'_> {
        config::Registry { kinds: &self.kinds, connections: &self.connections, later: &LATER }
    }

    /// Where each kind stands in the order of changes.
    #[must_use]
    pub fn ranks(&self) -> Ranks {
        self.kinds.iter().map(|kind| (kind.name(), kind.rank())).collect()
    }
}

impl std::fmt::Debug for Kinds<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.registry().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_under_a_lease_ends_within_it() {
        let timing = Timing::default();
        assert!(timing.request * 3 < timing.target_lease);
        assert!(timing.publication_deadline < timing.item_lease);
    }

    #[test]
    fn a_server_has_stopped_before_it_is_killed() {
        let fly: toml::Table = toml::from_str(include_str!("../../../fly.toml")).unwrap();
        let killed = fly["kill_timeout"].as_str().and_then(|text| text.strip_suffix('s'));
        let killed = Duration::from_secs(killed.unwrap().parse().unwrap());
        let Timing { shutdown, closing, .. } = Timing::default();
        assert!(shutdown + closing * 2 < killed);
    }

    #[test]
    fn the_last_wait_repeats() {
        let waits = [2, 10, 60].map(Duration::from_secs);
        let seconds = [1, 2, 3, 4, u32::MAX].map(|attempt| wait(&waits, attempt).as_secs());
        assert_eq!(seconds, [2, 10, 60, 60, 60]);
        assert_eq!(wait(&[], 1), Duration::ZERO);
    }
}
