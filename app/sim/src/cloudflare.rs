//! A Cloudflare account as it behaves: zones and their DNS records with transactional batches,
//! tunnels with versioned configurations, tokens with permissions, a rate limiter.
//!
//! [`CloudflareSim::start`] begins to listen; the clones of what it gives read the account's state,
//! seed it, change it behind a client's back and let things go wrong. Requests come in through
//! `route`; the rules of records are in `zone` and `draft`, those of tunnels in `tunnels`
//! and `ingress`. What is not established about the real API is marked `unverified`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::exchange::{ExchangeLog, Wire};
use crate::fault::Faults;
use crate::serve::{Observed, Server};

mod cloud;
mod dns;
mod draft;
mod envelope;
mod handle;
mod ingress;
mod limiter;
mod query;
mod record;
mod route;
mod settings;
mod token;
mod tunnel;
mod tunnels;
mod zone;

pub use cloud::CloudflareMutation;
pub use handle::{CloudflareTunnel, CloudflareZone};
pub use ingress::IngressRule;
pub use record::{CloudflareRecord, RecordFields};
pub use settings::{
    CloudflareSettings, Permission, Plan, RateLimit, TokenOwner, TokenSettings, TokenStatus,
    TxtContent, ZoneSettings, ZoneStatus,
};
pub use tunnel::ConfigSource;

use cloud::Cloud;

/// A running account. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct CloudflareSim {
    cloud: Arc<Mutex<Cloud>>,
    faults: Faults,
    exchanges: ExchangeLog,
    server: Server,
}

impl CloudflareSim {
    /// Begins to listen on 127.0.0.1.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(settings: CloudflareSettings) -> anyhow::Result<Self> {
        let (faults, exchanges) = (Faults::default(), settings.exchanges.clone());
        let port = settings.port;
        let cloud = Arc::new(Mutex::new(Cloud::new(settings)));
        let router = Router::new()
            .fallback(route::answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(cloud.clone());
        let observed = Observed {
            wire: |_| Wire::Cloudflare,
            faults: faults.clone(),
            exchanges: exchanges.clone(),
        };
        let server = Server::start(router, observed, port).await?;
        Ok(Self { cloud, faults, exchanges, server })
    }

    /// Where the API is, as the real one's `https://api.cloudflare.com/client/v4`: without a slash
    /// at the end.
    pub fn url(&self) -> String {
        format!("{}/client/v4", self.server.url())
    }

    /// The account's id.
    pub fn account(&self) -> String {
        self.lock().settings.account.clone()
    }

    /// What goes wrong, by rules on methods and paths. Paths begin with `/client/v4`.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was said.
    pub fn exchanges(&self) -> &ExchangeLog {
        &self.exchanges
    }

    /// A zone by its domain.
    ///
    /// # Panics
    /// There is no such zone: a mistake in the test.
    pub fn zone(&self, name: &str) -> CloudflareZone {
        let place = self.lock().zones.iter().position(|zone| zone.settings.name == name);
        CloudflareZone::new(self.clone(), place.expect("the test names a zone that was started"))
    }

    /// The tunnel that has this name now; `None` if there is none or it was deleted.
    pub fn find_tunnel(&self, name: &str) -> Option<CloudflareTunnel> {
        let cloud = self.lock();
        let place =
            cloud.tunnels.iter().position(|tunnel| tunnel.is_live() && tunnel.name == name)?;
        drop(cloud);
        Some(CloudflareTunnel::new(self.clone(), place))
    }

    /// The tunnel that has this name now.
    ///
    /// # Panics
    /// There is none.
    pub fn tunnel(&self, name: &str) -> CloudflareTunnel {
        self.find_tunnel(name).unwrap_or_else(|| panic!("there is no tunnel {name}"))
    }

    /// Makes a tunnel as if a person had: behind every client's back, without a mutation.
    pub fn seed_tunnel(&self, name: &str, source: ConfigSource) -> CloudflareTunnel {
        let mut cloud = self.lock();
        let secret = cloud.ids.hex(64);
        cloud.add_tunnel(name, source, secret);
        drop(cloud);
        self.tunnel(name)
    }

    /// The changes that came through the API, oldest first.
    pub fn mutations(&self) -> Vec<CloudflareMutation> {
        self.lock().mutations.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for CloudflareSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudflareSim").field("url", &self.url()).finish_non_exhaustive()
    }
}
