//! The world: the whole of Landfall on loopback, and everybody it deals with.
//!
//! A real server with a real store and real git, given signed webhooks by a simulated GitHub and
//! working on a simulated console and a simulated Cloudflare account. A scenario is a story about
//! what people do (`people`) and what they then read (`reading`). What people do returns at
//! once, so that things can happen at the same time; whatever is read waits until the world is
//! quiet (`quiet`).
//!
//! Silence is asserted. A comment that appeared or changed and that the story did not read fails
//! it, as does a request, an answer or a webhook that its vendor's description does not know, and
//! a panic anywhere in the server: one that a worker or a route survives as well as one that ends it.

mod people;
mod post;
mod quiet;
mod reading;
mod server;
mod setting;

use std::collections::BTreeMap;

use landfall::settings::Webhooks;
use landfall_sim::chat::ChatSim;
use landfall_sim::cloudflare::CloudflareSim;
use landfall_sim::exchange::{Exchange, ExchangeLog, Wire};
use landfall_sim::github::{Fate, GithubSim, OnDelivery, Repo, Role};
use landfall_sim::unifi::UnifiSim;

pub use post::Delivery;
pub use setting::{CONFIG, JELLYFIN, NAS, Setting};

use crate::contract::Contract;
use server::{Around, Server};
use setting::Names;

/// Who does everything that the story does not say otherwise of: an administrator.
pub const ALICE: &str = "alice";
/// May write.
pub const BOB: &str = "bob";
/// May read.
pub const EVE: &str = "eve";

/// Everybody, and what was said so far.
#[derive(Debug)]
pub struct World {
    /// GitHub, with the App installed on [`World::repo`].
    pub github: GithubSim,
    /// The console that both environments of [`CONFIG`] write to.
    pub unifi: UnifiSim,
    /// The account that both environments of [`CONFIG`] write to.
    pub cloudflare: CloudflareSim,
    /// The chat that an operator file can name: `ref+env://LANDFALL_SECRET_CHAT` is where it is.
    pub chat: ChatSim,
    /// `acme/homelab`.
    pub repo: Repo,
    /// The server. A story may stop it and start it again on the same store.
    pub server: Server,
    exchanges: ExchangeLog,
    names: Names,
    /// The pull request that is meant when none is named.
    pull: u64,
    /// Comments as they were when the story read them.
    read: BTreeMap<u64, String>,
    /// How many panics of the server the story knows of.
    panics_read: u64,
}

/// Tells a story in a world with one repository and two environments: see [`Setting::default`].
///
/// # Panics
/// The story fails, or something happened that it does not tell of.
pub async fn world(story: impl AsyncFnOnce(&mut World)) {
    world_with(Setting::default(), story).await;
}

/// Tells a story in a world that begins otherwise.
///
/// # Panics
/// As [`world`].
pub async fn world_with(setting: Setting, story: impl AsyncFnOnce(&mut World)) {
    let mut world = World::begin(setting).await.expect("the world begins on loopback");
    story(&mut world).await;
    world.end().await;
}

impl World {
    async fn begin(setting: Setting) -> anyhow::Result<World> {
        server::log_to_the_test();
        let exchanges = ExchangeLog::default();
        let Setting { config, files, mut github, mut unifi, mut cloudflare, .. } = setting;
        let chat = ChatSim::start(exchanges.clone()).await?;
        let around = Around {
            timing: setting.timing,
            database: setting.database,
            webhooks: setting.webhooks,
            secret: setting.secret,
            clock: setting.clock,
            operator: setting.operator,
            chat: chat.url(),
        };
        github.exchanges = exchanges.clone();
        unifi.exchanges = exchanges.clone();
        cloudflare.exchanges = exchanges.clone();
        let github = GithubSim::start(github).await?;
        let unifi = UnifiSim::start(unifi).await?;
        let cloudflare = CloudflareSim::start(cloudflare).await?;
        let mut names = Names::new(&github, &unifi, &cloudflare);
        let config = (!config.is_empty()).then(|| ("landfall.yaml".to_owned(), config));
        let files = config.into_iter().chain(files).map(|file| names.real_edit(file.into()));
        let repo = github.create_repository("acme/homelab", files).await?;
        for (login, role) in [(ALICE, Role::Admin), (BOB, Role::Write), (EVE, Role::Read)] {
            repo.add_user(login, role)?;
        }
        let first = repo.head("main").await?.unwrap_or_default();
        // The branch is older than the App's installation.
        github.hooks().fate(OnDelivery::event("push"), Fate::NeverSent);
        repo.point_branch("develop", &first, ALICE).await?;
        names.commit(first);
        for branch in ["main", "develop"] {
            repo.protect(branch)?;
        }
        let server = Server::start(&github, around).await?;
        github.hooks().send_to(&hook_url(&server));
        let mut world = World {
            github,
            unifi,
            cloudflare,
            chat,
            repo,
            server,
            exchanges,
            names,
            pull: 0,
            read: BTreeMap::new(),
            panics_read: 0,
        };
        // What the server does at its start is over before the story begins.
        world.started(0).await;
        world.settle().await;
        Ok(world)
    }

    /// What was said, on every wire.
    #[must_use]
    pub fn exchanges(&self) -> &ExchangeLog {
        &self.exchanges
    }

    /// How many requests to the providers so far were not for reading.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.exchanges.count(|exchange| is_of_a_provider(exchange) && exchange.method != "GET")
    }

    async fn end(mut self) {
        self.assert_silence().await;
        self.server.stop().await;
        self.assert_no_panic();
        let violations = Contract::load().check_all(&self.exchanges);
        let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "not as the vendors describe:\n{}", told.join("\n"));
    }
}

/// Where GitHub is to send webhooks.
fn hook_url(server: &Server) -> String {
    match server.webhooks() {
        Webhooks::Push => server.webhook_url(),
        Webhooks::Pull => "https://landfall.invalid/webhook".to_owned(),
    }
}

fn is_of_a_provider(exchange: &Exchange) -> bool {
    matches!(exchange.wire, Wire::Unifi | Wire::Cloudflare)
}

/// A story that failed is read with what was said in it.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.said());
        }
    }
}
