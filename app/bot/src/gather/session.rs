//! Open connections: each of an environment's connections is opened at most once for a job, with
//! only the secrets that it needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use landfall_core::config::{Environment, NamedConnection};
use landfall_core::name::{ConnectionName, RepositoryId};
use landfall_os::http::AddressRules;
use landfall_providers::{Access, ConnectionProvider, ProviderError, Reader, Registry, Writer};
use landfall_secrets::{Policy, Resolver};
use tokio::sync::Mutex;

/// How long a request to a provider may take. A third of the target lease is longer.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// What connections are opened with.
#[derive(Debug, Clone)]
pub struct Reach {
    /// What there is to connect to.
    pub registry: Arc<Registry>,
    /// Resolves references to secrets.
    pub resolver: Resolver,
    /// Which addresses may be connected to.
    pub rules: AddressRules,
}

/// The connections of one environment, for one job.
#[derive(Debug)]
pub struct Sessions<'a> {
    reach: &'a Reach,
    environment: &'a Environment,
    policy: Policy,
    marker: String,
    readers: Mutex<BTreeMap<ConnectionName, Open<dyn Reader>>>,
    writers: Mutex<BTreeMap<ConnectionName, Open<dyn Writer>>>,
}

/// An open connection. Wrapped so that nothing of it is printed.
struct Open<T: ?Sized>(Arc<T>);

impl<T: ?Sized> std::fmt::Debug for Open<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Open")
    }
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
        let marker = format!("landfall repository {repository} {}", environment.name);
        let (readers, writers) = (Mutex::default(), Mutex::default());
        Self { reach, environment, policy, marker, readers, writers }
    }

    /// The connection opened for reading.
    ///
    /// # Errors
    /// A secret that cannot be resolved, or what the provider says.
    pub async fn reader(&self, name: &ConnectionName) -> Result<Arc<dyn Reader>, ProviderError> {
        let mut open = self.readers.lock().await;
        if let Some(reader) = open.get(name) {
            return Ok(Arc::clone(&reader.0));
        }
        let (connection, provider) = self.provider(name)?;
        let access = self.access(connection).await?;
        let reader = provider.reader(&*connection.connection, access).await?;
        open.insert(name.clone(), Open(Arc::clone(&reader)));
        Ok(reader)
    }

    /// The connection opened for writing.
    ///
    /// # Errors
    /// As [`Self::reader`].
    pub async fn writer(&self, name: &ConnectionName) -> Result<Arc<dyn Writer>, ProviderError> {
        let mut open = self.writers.lock().await;
        if let Some(writer) = open.get(name) {
            return Ok(Arc::clone(&writer.0));
        }
        let (connection, provider) = self.provider(name)?;
        let access = self.access(connection).await?;
        let writer = provider.writer(&*connection.connection, access).await?;
        open.insert(name.clone(), Open(Arc::clone(&writer)));
        Ok(writer)
    }

    fn provider(
        &self,
        name: &ConnectionName,
    ) -> Result<(&NamedConnection, &dyn ConnectionProvider), ProviderError> {
        let missing = || {
            ProviderError::Missing(format!("{} has no connection `{name}`", self.environment.name))
        };
        let connection = self.environment.connections.get(name).ok_or_else(missing)?;
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
            deadline: REQUEST_DEADLINE,
        })
    }
}
