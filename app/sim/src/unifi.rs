//! A UniFi console as it behaves: the Integration API with DNS policies, the older static-dns API,
//! the classic client listings, logins and keys, over one store of records.
//!
//! [`UnifiSim::start`] begins to listen; the clones of what it gives read the console's state, seed
//! it, change it behind a client's back and let things go wrong. Requests come in through `route`,
//! pass the `door` and reach one of the APIs; all of them change records through `site`, where
//! the console's rules are. What is not established about real consoles is marked `unverified`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::exchange::{ExchangeLog, Wire};
use crate::fault::{Answer, Fault, Faults, On};
use crate::serve::{Observed, Server};
use crate::tls::{Certificate, TlsFront};

mod classic;
mod console;
mod device;
mod door;
mod handle;
mod integration;
mod record;
mod route;
mod settings;
mod site;
mod static_dns;

pub use console::ShortListing;
pub use device::{Device, Link};
pub use handle::UnifiSite;
pub use record::{Origin, RecordValue, UnifiContent, UnifiRecord};
pub use settings::{SessionsInIntegration, SiteSettings, Software, Transport, UnifiSettings, User};
pub use site::UnifiMutation;

use console::Console;
use site::Site;

/// A running console. It stops when the last clone is dropped.
#[derive(Clone)]
pub struct UnifiSim {
    console: Arc<Mutex<Console>>,
    faults: Faults,
    exchanges: ExchangeLog,
    server: Server,
    tls: Option<TlsFront>,
}

impl UnifiSim {
    /// Begins to listen on 127.0.0.1.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(settings: UnifiSettings) -> anyhow::Result<Self> {
        let (faults, exchanges) = (Faults::default(), settings.exchanges.clone());
        let (transport, port) = (settings.transport, settings.port);
        let console = Arc::new(Mutex::new(Console::new(settings)));
        let router = Router::new()
            .fallback(route::answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(console.clone());
        let observed = Observed {
            wire: |_| Wire::Unifi,
            faults: faults.clone(),
            exchanges: exchanges.clone(),
        };
        let (server, tls) = match transport {
            Transport::Http => (Server::start(router, observed, port).await?, None),
            Transport::HttpsSelfSigned => {
                let server = Server::start(router, observed, None).await?;
                let front = TlsFront::start(server.address(), port).await?;
                (server, Some(front))
            }
        };
        Ok(Self { console, faults, exchanges, server, tls })
    }

    /// Where it listens, without a slash at the end: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.tls.as_ref().map_or_else(|| self.server.url(), TlsFront::url)
    }

    /// The certificate it shows, if it listens with HTTPS.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.tls.as_ref().map(TlsFront::certificate)
    }

    /// What goes wrong, by rules on methods and paths.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was said.
    pub fn exchanges(&self) -> &ExchangeLog {
        &self.exchanges
    }

    /// A site by the name it has in old paths.
    ///
    /// # Panics
    /// There is no such site: a mistake in the test.
    pub fn site(&self, reference: &str) -> UnifiSite {
        let place = self.lock().sites.iter().position(|site| site.reference == reference);
        UnifiSite::new(self.clone(), place.expect("the test names a site that was started"))
    }

    /// The first site.
    pub fn default_site(&self) -> UnifiSite {
        UnifiSite::new(self.clone(), 0)
    }

    /// The values of the records with this name and type at the first site, sorted: see
    /// [`UnifiSite::record`].
    pub fn record(&self, name: &str, record_type: &str) -> Vec<String> {
        self.default_site().record(name, record_type)
    }

    /// The changes that came through an API to any site, oldest first within a site.
    pub fn mutations(&self) -> Vec<UnifiMutation> {
        self.lock().sites.iter().flat_map(|site| site.mutations.clone()).collect()
    }

    /// Whether the gateways still answer DNS and DHCP: two CNAMEs at one name end that.
    pub fn gateway_resolves(&self) -> bool {
        self.lock().sites.iter().all(Site::gateway_resolves)
    }

    /// Lets the next listing of the Integration API come out short, once.
    pub fn shorten_next_listing(&self, how: ShortListing) {
        match how {
            ShortListing::EmptyPage => self.lock().quirks.empty_pages += 1,
            ShortListing::EmptyObject => {
                let empty = Answer::new(200, "{}").with("content-type", "application/json");
                let listings = match self.lock().settings.software {
                    Software::UnifiOs => "/proxy/network/integration/v1/sites/**",
                    Software::SelfHosted => "/integration/v1/sites/**",
                };
                self.faults.inject(On::get(listings), Fault::Instead(empty));
            }
        }
    }

    /// Lets the static-dns API answer every PUT with `AlreadyExists` from now on.
    pub fn refuse_every_put(&self) {
        self.lock().quirks.put_finds_itself = true;
    }

    /// Ends all sessions: the next request of a logged-in client gets 401.
    pub fn end_sessions(&self) {
        self.lock().door.end_sessions();
    }

    /// Gives every session a new CSRF token. The old one no longer does; the new one is told in
    /// `X-Updated-CSRF-Token` with the next answer.
    pub fn rotate_csrf_tokens(&self) {
        let console = &mut *self.lock();
        console.door.rotate_csrf_tokens(&mut console.ids);
    }

    /// Logins so far, refused ones among them.
    pub fn login_attempts(&self) -> usize {
        self.lock().door.attempts_ever()
    }

    fn lock(&self) -> MutexGuard<'_, Console> {
        self.console.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for UnifiSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnifiSim").field("url", &self.url()).finish_non_exhaustive()
    }
}
