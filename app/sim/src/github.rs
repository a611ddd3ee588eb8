//! A GitHub on loopback: an App with its installations, repositories with real git behind them,
//! pull requests, comments, checks, deployments and signed webhooks.
//!
//! Two ports, as github.com and api.github.com are two hosts: one for git, one for the REST API of
//! version 2022-11-28. State is in memory and in a temporary folder, both gone when the simulator
//! is dropped. What people do is driven through [`GithubSim`] and [`Repo`]; what the App does comes
//! in over HTTP. Times tick by a second with every action and ids are counted, so one story gives
//! the same answers every time; only tokens live in the machine's time, as their clients do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::Context;
use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::clock::Clock;
use crate::exchange::{ExchangeLog, Wire};
use crate::fault::Faults;
use crate::serve::{Observed, Server};

mod act;
mod auth;
mod git;
mod hooks;
mod limit;
mod manifest;
mod model;
mod rest;
mod show;
mod smart_http;
mod world;

pub use act::{Group, NewPull, Repo};
pub use git::{Edit, edit, remove};
pub use hooks::{Attempt, Fate, Hooks, On as OnDelivery, signature};
pub use limit::{RateLimit, secondary_limit};
pub use model::{
    Access, CheckRun, Chosen, Comment, Deployment, DeploymentStatus, Gated, Installation, Issue,
    IssueState, MergeMethod, Merged, Pull, PullState, Reaction, Repository, Role, Size, Standing,
    User, UserKind,
};

use auth::AppKey;
use show::Urls;
use world::{App, RefLocks, World};

/// The private key of [`Settings::default`]'s App. It is made for tests and public; nothing real
/// trusts it.
pub const TEST_PRIVATE_KEY: &str =
    include_str!("../../../fixtures/providers/github-app-test-key.pem");
const TEST_PUBLIC_KEY: &str =
    include_str!("../../../fixtures/providers/github-app-test-key.pub.pem");

/// The secret that webhooks are signed with unless said otherwise; the one of GitHub's
/// documentation.
pub const TEST_WEBHOOK_SECRET: &str = "It's a Secret to Everybody";

/// How the simulated GitHub begins.
#[derive(Debug, Clone)]
pub struct Settings {
    pub app_id: u64,
    pub app_slug: String,
    /// The public half of the App's key, as PEM. Signatures of app tokens are checked against it.
    pub app_public_key: String,
    pub permissions: BTreeMap<String, Access>,
    /// The events that the App gets, besides those about its installation that every App gets.
    pub events: Vec<String>,
    /// Where webhooks go. Without it they are kept until [`Hooks::send_to`] says where.
    pub webhook_url: Option<String>,
    /// Without it webhooks are not signed, as at GitHub.
    pub webhook_secret: Option<String>,
    pub clock: Clock,
    /// The time that app tokens and installation tokens live in.
    pub token_clock: Clock,
    pub token_lifetime: SignedDuration,
    pub rate_limit: Option<RateLimit>,
    /// Whether it is an Enterprise Server: its API is below `/api/v3`, GraphQL beside it.
    pub enterprise: bool,
    /// Ports to listen on; free ones unless named.
    pub git_port: Option<u16>,
    pub api_port: Option<u16>,
    /// Where exchanges are written; simulators of one story share a log.
    pub exchanges: ExchangeLog,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            app_id: 4242,
            app_slug: "landfall".to_owned(),
            app_public_key: TEST_PUBLIC_KEY.to_owned(),
            permissions: auth::usual_permissions(),
            events: hooks::usual_events(),
            webhook_url: None,
            webhook_secret: Some(TEST_WEBHOOK_SECRET.to_owned()),
            clock: Clock::standing_at(
                Timestamp::from_second(1_767_603_600).unwrap_or(Timestamp::UNIX_EPOCH),
            ),
            token_clock: Clock::machine(),
            token_lifetime: SignedDuration::from_hours(1),
            rate_limit: None,
            enterprise: false,
            git_port: None,
            api_port: None,
            exchanges: ExchangeLog::default(),
        }
    }
}

/// A running simulated GitHub. Clones are the same one; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct GithubSim {
    shared: Arc<Shared>,
    git: Server,
    api: Server,
    faults: Faults,
    git_faults: Faults,
    exchanges: ExchangeLog,
    /// What stands before every path of the REST API.
    base: &'static str,
}

/// What handlers, [`Repo`]s and the driving side share.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) hooks: Hooks,
    pub(crate) key: AppKey,
    pub(crate) token_clock: Clock,
    pub(crate) token_lifetime: SignedDuration,
    pub(crate) limiter: limit::Limiter,
    pub(crate) ref_locks: RefLocks,
    pub(crate) folder: TempDir,
    urls: OnceLock<Urls>,
}

impl Shared {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn urls(&self) -> &Urls {
        self.urls.get_or_init(Urls::unknown)
    }
}

impl GithubSim {
    /// Starts it on loopback.
    ///
    /// # Errors
    /// A port is taken, the key is no public key, or there is no place for repositories.
    pub async fn start(settings: Settings) -> anyhow::Result<GithubSim> {
        let faults = Faults::default();
        let git_faults = Faults::default();
        let exchanges = settings.exchanges.clone();
        let (git_port, api_port) = (settings.git_port, settings.api_port);
        let enterprise = settings.enterprise;
        let base = if enterprise { rest::ENTERPRISE } else { "" };
        let shared = Arc::new(Shared::new(settings)?);
        let git = Observed {
            wire: |_| Wire::Git,
            faults: git_faults.clone(),
            exchanges: exchanges.clone(),
        };
        let git = Server::start(web(&shared), git, git_port).await?;
        let api = Observed {
            wire: |_| Wire::GitHub,
            faults: faults.clone(),
            exchanges: exchanges.clone(),
        };
        let routes = rest::router(shared.clone());
        let routes = if enterprise { rest::enterprise(routes) } else { routes };
        let api = Server::start(routes, api, api_port).await?;
        let _ = shared.urls.set(Urls::new(git.url(), format!("{}{base}", api.url())));
        shared.hooks.start();
        Ok(GithubSim { shared, git, api, faults, git_faults, exchanges, base })
    }

    /// Where people and git go, as `https://github.com`.
    pub fn url(&self) -> String {
        self.git.url()
    }

    /// Where the API is, as `https://api.github.com` or `https://HOST/api/v3`.
    pub fn api_url(&self) -> String {
        format!("{}{}", self.api.url(), self.base)
    }

    /// What `git clone` takes for `owner/name`.
    pub fn git_url(&self, full_name: &str) -> String {
        format!("{}/{full_name}.git", self.git.url())
    }

    /// What goes wrong at the API.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What goes wrong for git clients.
    pub fn git_faults(&self) -> &Faults {
        &self.git_faults
    }

    /// What was said, on every wire of this GitHub.
    pub fn exchanges(&self) -> &ExchangeLog {
        &self.exchanges
    }

    /// The deliveries: where they go, which get lost, and how each ended.
    pub fn hooks(&self) -> &Hooks {
        &self.shared.hooks
    }
}

/// Where git and people's browsers go.
fn web(shared: &Arc<Shared>) -> Router {
    smart_http::router(shared.clone()).merge(manifest::pages(shared.clone()))
}

impl Shared {
    fn new(settings: Settings) -> anyhow::Result<Shared> {
        let key = AppKey::from_pem(&settings.app_public_key)?;
        let app = App {
            id: settings.app_id,
            slug: settings.app_slug,
            owner: "landfall-makers".to_owned(),
            permissions: settings.permissions,
            events: settings.events,
            created_at: settings.clock.now(),
        };
        let hooks =
            Hooks::new(&app, settings.webhook_url, settings.webhook_secret, settings.clock.clone());
        Ok(Shared {
            world: Mutex::new(World::new(app, settings.clock)),
            hooks: hooks.recording(settings.exchanges),
            key,
            limiter: limit::Limiter::new(settings.rate_limit, settings.token_clock.clone()),
            token_clock: settings.token_clock,
            token_lifetime: settings.token_lifetime,
            ref_locks: RefLocks::default(),
            folder: tempfile::tempdir().context("cannot make a folder for repositories")?,
            urls: OnceLock::new(),
        })
    }
}
