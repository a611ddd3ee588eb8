//! `unifi`: connections to UniFi consoles.
//!
//! A console is opened by asking it what it is (`console`): UniFi OS or the application alone, the
//! Integration API (`integration`) or the older static-dns (`static_dns`). Both lead to one form
//! of records (`record`), so that nothing above knows which it was. Requests go through one
//! `session`; what a console says against them becomes words fit for a comment in `said`.

mod classic;
mod config;
pub(crate) mod console;
pub(crate) mod device;
mod integration;
mod pages;
pub(crate) mod pen;
pub(crate) mod record;
mod said;
mod session;
mod static_dns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use landfall_core::config::kind::{Connection, ConnectionKind};
use landfall_core::config::secret::SecretRef;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::KindName;
use landfall_core::yaml::Node;
use landfall_os::http::{Client, Settings};
use schemars::{Schema, SchemaGenerator};
use secrecy::SecretString;

use crate::provider::{Access, ConnectionProvider, ProviderError, Reader, Writer};
use crate::unifi_dns::{SiteReader, SiteWriter};

pub use config::Unifi;
use config::{Login, UserName};
use console::{Console, Home};
use session::Identity;

/// The kind of connection `unifi`.
///
/// It remembers what is open for as long as somebody holds it: a reader and a writer of one job share
/// one login and what was found out about the console. Consoles allow few logins a minute.
#[derive(Debug, Default)]
pub struct UnifiKind {
    open: Mutex<Vec<Open>>,
}

/// A console that somebody holds, by what it was opened with.
#[derive(Debug)]
struct Open {
    settings: Settings,
    site: String,
    home: Weak<Home>,
}

/// The kind's name.
pub(crate) fn kind_name() -> KindName {
    KindName::new("unifi").expect("a kind's name is a plain word")
}

impl ConnectionKind for UnifiKind {
    fn name(&self) -> KindName {
        kind_name()
    }

    fn decode(&self, node: &Node) -> Result<Box<dyn Connection>, Vec<Diagnostic>> {
        Unifi::decode(node).map(|connection| Box::new(connection) as Box<dyn Connection>)
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<config::Written>()
    }
}

#[async_trait]
impl ConnectionProvider for UnifiKind {
    async fn reader(
        &self,
        connection: &dyn Connection,
        access: Access,
    ) -> Result<Arc<dyn Reader>, ProviderError> {
        Ok(Arc::new(SiteReader::new(self.console(own(connection), access).await?)))
    }

    async fn writer(
        &self,
        connection: &dyn Connection,
        access: Access,
    ) -> Result<Arc<dyn Writer>, ProviderError> {
        Ok(Arc::new(SiteWriter::new(self.console(own(connection), access).await?)))
    }
}

impl UnifiKind {
    async fn console(&self, unifi: &Unifi, access: Access) -> Result<Console, ProviderError> {
        let identity = identity(&unifi.login, &access.secrets)?;
        let mut settings = Settings::new(unifi.url.clone());
        settings.tls = unifi.tls.clone();
        settings.rules = access.rules;
        if let Some(home) = self.held(&settings, &unifi.site, &identity) {
            return Ok(Console::at(home, access.deadline));
        }
        let client =
            Client::new(&settings).map_err(|error| ProviderError::Unexpected(error.to_string()))?;
        let console = Console::open(client, identity, &unifi.site, access.deadline).await?;
        self.remember(Open {
            settings,
            site: unifi.site.clone(),
            home: Arc::downgrade(console.home()),
        });
        Ok(console)
    }

    fn held(&self, settings: &Settings, site: &str, identity: &Identity) -> Option<Arc<Home>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter(|open| open.is_to(settings, site)).find_map(|open| {
            let home = open.home.upgrade()?;
            home.is_of(identity).then_some(home)
        })
    }

    fn remember(&self, new: Open) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|open| open.home.strong_count() > 0);
        open.push(new);
    }
}

impl Open {
    fn is_to(&self, settings: &Settings, site: &str) -> bool {
        let same = |one: &Settings, other: &Settings| {
            one.base == other.base && one.tls == other.tls && one.rules == other.rules
        };
        self.site == site && same(&self.settings, settings)
    }
}

fn identity(
    login: &Login,
    secrets: &HashMap<SecretRef, SecretString>,
) -> Result<Identity, ProviderError> {
    let secret = |reference: &SecretRef| {
        let missing = || ProviderError::Denied(format!("the secret {reference} is not there"));
        secrets.get(reference).cloned().ok_or_else(missing)
    };
    Ok(match login {
        Login::ApiKey(key) => Identity::Key(secret(key)?),
        Login::User { name, password } => Identity::User {
            name: match name {
                UserName::Plain(name) => name.clone().into(),
                UserName::Reference(name) => secret(name)?,
            },
            password: secret(password)?,
        },
    })
}

/// A site that a console does not have.
fn no_site(reference: &str, known: &[String]) -> ProviderError {
    let known = if known.is_empty() {
        "none that these credentials see".to_owned()
    } else {
        known.join(", ")
    };
    ProviderError::Missing(format!("the console has no site `{reference}`; it has: {known}"))
}

fn own(connection: &dyn Connection) -> &Unifi {
    connection.as_any().downcast_ref().expect("a connection comes back to the kind that decoded it")
}
