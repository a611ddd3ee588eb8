//! Open connections: each of an environment's connections is opened at most once for a job, with
//! only the secrets that it needs.
//!
//! What was applied earlier may lie where no connection leads to any more, because a zone or a
//! console was taken out of the rules. The connections of the rules that were applied last lead
//! there still.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use landfall_core::config::{Environment, NamedConnection};
use landfall_core::name::{ConnectionName, EnvironmentName, KindName, RepositoryId};
use landfall_core::plan::{Digest, Value};
use landfall_os::http::AddressRules;
use landfall_providers::{Access, ConnectionProvider, ProviderError, Reader, Registry, Writer};
use landfall_secrets::{Policy, Resolver};
use tokio::sync::Mutex;

/// What connections are opened with.
#[derive(Debug, Clone)]
pub struct Reach {
    /// What there is to connect to.
    pub registry: Arc<Registry>,
    /// Resolves references to secrets.
    pub resolver: Resolver,
    /// Which addresses may be connected to.
    pub rules: AddressRules,
    /// How long a request may take.
    pub deadline: Duration,
}

/// The connections of one environment, for one job.
#[derive(Debug)]
pub struct Sessions<'a> {
    reach: &'a Reach,
    repository: RepositoryId,
    environment: &'a Environment,
    /// The environment as it was when it was last applied, where that is another.
    earlier: Option<&'a Environment>,
    policy: Policy,
    marker: String,
    readers: Mutex<BTreeMap<Route, Open<dyn Reader>>>,
    writers: Mutex<BTreeMap<Route, Open<dyn Writer>>>,
}

/// The connection through which something is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// One that the environment has.
    Now(ConnectionName),
    /// One that it had when it was last applied. For what is left there, never for what is declared.
    Earlier(ConnectionName),
}

/// An open connection. Wrapped so that nothing of it is printed.
struct Open<T: ?Sized>(Arc<T>);

impl<T: ?Sized> std::fmt::Debug for Open<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Open")
    }
}

/// The longest mark, in characters. Cloudflare's free plan takes comments of 100; this leaves room.
const LONGEST_MARKER: usize = 60;

/// Whose a marked resource is. The name of an environment may be longer than a mark: then its
/// beginning stands there, and the beginning of its digest keeps it apart from others like it.
fn marker(repository: RepositoryId, environment: &EnvironmentName) -> String {
    let whole = format!("landfall repository {repository} {environment}");
    if whole.len() <= LONGEST_MARKER {
        return whole;
    }
    let digest = Digest::of(&Value::from(environment.as_str())).to_string();
    let (digest, kept) = (&digest[..8], LONGEST_MARKER - 9);
    format!("{}~{digest}", &whole[..kept])
}

impl<'a> Sessions<'a> {
    /// Nothing is opened yet.
    #[must_use]
    pub fn new(
        reach: &'a Reach,
        environment: &'a Environment,
        repository: RepositoryId,
        policy: Policy,
    ) -> Self {
        let marker = marker(repository, &environment.name);
        let (readers, writers) = (Mutex::default(), Mutex::default());
        Self { reach, repository, environment, earlier: None, policy, marker, readers, writers }
    }

    /// Whose they are.
    #[must_use]
    pub fn repository(&self) -> RepositoryId {
        self.repository
    }

    /// The same, also through the connections that the environment had when it was last applied.
    #[must_use]
    pub fn and_earlier(self, earlier: Option<&'a Environment>) -> Self {
        Self { earlier, ..self }
    }

    /// Every connection that could lead to something of this provider, those of now first.
    #[must_use]
    pub fn leading_to(&self, provider: &KindName) -> Vec<Route> {
        let Some(provider) = self.reach.registry.provider(provider) else { return Vec::new() };
        let kind = provider.connection();
        let now = self.environment.connections_of(&kind).map(|fits| Route::Now(fits.name.clone()));
        let earlier = self.earlier.iter().flat_map(|earlier| earlier.connections_of(&kind));
        now.chain(earlier.map(|fits| Route::Earlier(fits.name.clone()))).collect()
    }

    /// The connection opened for reading.
    ///
    /// # Errors
    /// A secret that cannot be resolved, or what the provider says.
    pub async fn reader(&self, route: &Route) -> Result<Arc<dyn Reader>, ProviderError> {
        let mut open = self.readers.lock().await;
        if let Some(reader) = open.get(route) {
            return Ok(Arc::clone(&reader.0));
        }
        let (connection, provider) = self.connection(route)?;
        let access = self.access(connection).await?;
        let reader = provider.reader(&*connection.connection, access).await?;
        open.insert(route.clone(), Open(Arc::clone(&reader)));
        Ok(reader)
    }

    /// The connection opened for writing.
    ///
    /// # Errors
    /// As [`Self::reader`].
    pub async fn writer(&self, route: &Route) -> Result<Arc<dyn Writer>, ProviderError> {
        let mut open = self.writers.lock().await;
        if let Some(writer) = open.get(route) {
            return Ok(Arc::clone(&writer.0));
        }
        let (connection, provider) = self.connection(route)?;
        let access = self.access(connection).await?;
        let writer = provider.writer(&*connection.connection, access).await?;
        open.insert(route.clone(), Open(Arc::clone(&writer)));
        Ok(writer)
    }

    fn connection(
        &self,
        route: &Route,
    ) -> Result<(&NamedConnection, &dyn ConnectionProvider), ProviderError> {
        let (environment, name) = match route {
            Route::Now(name) => (Some(self.environment), name),
            Route::Earlier(name) => (self.earlier, name),
        };
        let missing = || {
            ProviderError::Missing(format!("{} has no connection `{name}`", self.environment.name))
        };
        let connection =
            environment.and_then(|has| has.connections.get(name)).ok_or_else(missing)?;
        let provider = self.reach.registry.connection(&connection.kind).ok_or_else(missing)?;
        Ok((connection, provider))
    }

    async fn access(&self, connection: &NamedConnection) -> Result<Access, ProviderError> {
        let references = connection.connection.secrets();
        let secrets =
            self.reach.resolver.resolve_all(&references, &self.policy).await.map_err(|errors| {
                let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
                ProviderError::Denied(told.join("; "))
            })?;
        Ok(Access {
            secrets,
            marker: self.marker.clone(),
            rules: self.reach.rules.clone(),
            deadline: self.reach.deadline,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_short_and_no_other_environments() {
        let mark = |repository, name: &str| {
            marker(RepositoryId(repository), &EnvironmentName::new(name).unwrap())
        };
        assert_eq!(mark(1234, "production"), "landfall repository 1234 production");
        let long = "a".repeat(99);
        let marks = [mark(u64::MAX, &format!("{long}b")), mark(u64::MAX, &format!("{long}c"))];
        assert!(marks.iter().all(|mark| mark.len() == LONGEST_MARKER), "{marks:?}");
        assert_ne!(marks[0], marks[1]);
        assert!(marks[0].starts_with("landfall repository 18446744073709551615 aaaa"));
    }
}
