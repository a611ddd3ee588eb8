//! All that the simulated GitHub knows, and the counters behind its ids.
//!
//! One lock guards it, held for moments and never across a git process or a request. Whoever
//! changes a repository's refs holds that repository's [`RefLocks`] lock meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::auth::Token;
use super::manifest::Manifests;
use super::model::{Access, Installation, Repository, Standing, User, UserKind};
use crate::clock::Clock;

/// The App under test, as its owner registered it.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) owner: String,
    pub(crate) permissions: BTreeMap<String, Access>,
    pub(crate) events: Vec<String>,
    pub(crate) created_at: Timestamp,
}

impl App {
    /// The account in whose name the App comments.
    pub(crate) fn bot(&self) -> String {
        format!("{}[bot]", self.slug)
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) app: App,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) repositories: BTreeMap<u64, Repository>,
    /// Names that a repository had before it was renamed.
    pub(crate) renamed: HashMap<String, u64>,
    pub(crate) installations: BTreeMap<u64, Installation>,
    /// Who is in which team: by organisation and slug.
    pub(crate) teams: BTreeMap<(String, String), BTreeMap<String, Standing>>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) lags: Lags,
    pub(crate) manifests: Manifests,
    last_id: u64,
}

/// How far GitHub's own indexes are behind. Each number is how many answers are stale.
#[derive(Debug, Default)]
pub(crate) struct Lags {
    /// For a commit that was just merged, `commits/{sha}/pulls` answers an empty list this often.
    pub(crate) index: u32,
    pub(crate) index_left: HashMap<String, u32>,
    /// After a push to a pull request, `mergeable` is null this often.
    pub(crate) mergeable: u32,
    pub(crate) mergeable_left: HashMap<u64, u32>,
    /// `refs/pull/N/head` is the old one for this many fetches.
    pub(crate) pull_refs: u32,
    pub(crate) refs_left: Vec<LateRef>,
}

/// A ref that is to move once enough clients have seen it where it was.
#[derive(Debug, Clone)]
pub(crate) struct LateRef {
    repository: u64,
    pub(crate) name: String,
    pub(crate) sha: String,
    fetches: u32,
}

impl Lags {
    /// Whether the index does not know a commit yet. Counts the question.
    pub(crate) fn is_behind(&mut self, sha: &str) -> bool {
        self.index_left.get_mut(sha).is_some_and(count_down)
    }

    /// Whether the merge of a pull request is still being tried. Counts the question.
    pub(crate) fn computes(&mut self, pull: u64) -> bool {
        let stale = self.mergeable;
        count_down(self.mergeable_left.entry(pull).or_insert(stale))
    }

    /// Whether a ref is to move later, and then remembers where to.
    pub(crate) fn delays(&mut self, repository: u64, name: &str, sha: &str) -> bool {
        let fetches = self.pull_refs;
        if fetches > 0 {
            let (name, sha) = (name.to_owned(), sha.to_owned());
            self.refs_left.push(LateRef { repository, name, sha, fetches });
        }
        fetches > 0
    }

    /// The refs of a repository that are due. Counts the fetch.
    pub(crate) fn due(&mut self, repository: u64) -> Vec<LateRef> {
        let mut due = Vec::new();
        self.refs_left.retain_mut(|late| {
            let waits = late.repository != repository || count_down(&mut late.fetches);
            if !waits {
                due.push(late.clone());
            }
            waits
        });
        due
    }

    /// The head of a pull request moved, so that its merge has to be tried anew.
    pub(crate) fn head_moved(&mut self, pull: u64) {
        self.mergeable_left.remove(&pull);
    }
}

fn count_down(left: &mut u32) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

impl World {
    pub(crate) fn new(app: App, clock: Clock) -> World {
        let mut world = World {
            clock,
            app,
            users: BTreeMap::new(),
            repositories: BTreeMap::new(),
            renamed: HashMap::new(),
            installations: BTreeMap::new(),
            teams: BTreeMap::new(),
            tokens: HashMap::new(),
            lags: Lags::default(),
            manifests: Manifests::default(),
            last_id: 1000,
        };
        let (bot, owner) = (world.app.bot(), world.app.owner.clone());
        world.ensure_user(&bot, UserKind::Bot);
        world.ensure_user(&owner, UserKind::Organization);
        world
    }

    /// The time of the next action: a second after the one before it, unless the machine's own
    /// clock runs.
    pub(crate) fn tick(&mut self) -> Timestamp {
        self.clock.advance(SignedDuration::from_secs(1));
        let now = self.clock.now();
        // GitHub's times have whole seconds.
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// A number that was never given out, unique across all kinds of things.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The user, made at first mention. A login that ends in `[bot]` is a bot whatever `kind` says.
    pub(crate) fn ensure_user(&mut self, login: &str, kind: UserKind) -> User {
        if let Some(user) = self.users.get(login) {
            return user.clone();
        }
        let kind = if login.ends_with("[bot]") { UserKind::Bot } else { kind };
        let user = User { id: self.next_id(), login: login.to_owned(), kind };
        self.users.insert(login.to_owned(), user.clone());
        user
    }

    /// A user that something in this world names. Those are made when they first act, so this finds
    /// them.
    pub(crate) fn user(&self, login: &str) -> User {
        self.users.get(login).cloned().unwrap_or_else(|| User {
            id: 0,
            login: login.to_owned(),
            kind: UserKind::Person,
        })
    }

    pub(crate) fn repository_id(&self, full_name: &str) -> Option<u64> {
        // As at GitHub, two names that differ only in case are one.
        self.repositories
            .values()
            .find(|r| r.full_name().eq_ignore_ascii_case(full_name))
            .map(|r| r.id)
    }

    pub(crate) fn repository(&self, id: u64) -> anyhow::Result<&Repository> {
        self.repositories.get(&id).ok_or_else(|| anyhow::anyhow!("there is no repository {id}"))
    }

    pub(crate) fn repository_mut(&mut self, id: u64) -> anyhow::Result<&mut Repository> {
        self.repositories.get_mut(&id).ok_or_else(|| anyhow::anyhow!("there is no repository {id}"))
    }

    /// The installation that covers a repository.
    pub(crate) fn installation_of(&self, repository: u64) -> Option<&Installation> {
        self.installations
            .values()
            .find(|installation| installation.repositories.contains(&repository))
    }
}

/// One lock per repository for whoever moves its refs.
#[derive(Debug, Default)]
pub(crate) struct RefLocks(Mutex<HashMap<u64, Arc<tokio::sync::Mutex<()>>>>);

impl RefLocks {
    pub(crate) async fn lock(&self, repository: u64) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(repository)
            .or_default()
            .clone();
        lock.lock_owned().await
    }
}

/// An event before it is delivered: what happened, in which installation and repository.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) action: Option<String>,
    pub(crate) installation: Option<u64>,
    pub(crate) repository: Option<u64>,
    pub(crate) payload: Value,
}
