//! What a provider is: pure functions over what was gathered, a reader that cannot write, and a
//! writer that cannot be called without a lease.
//!
//! The order of use: `needs` (pure) → [`Reader::identify`], [`Reader::look_up`] → `desired` (pure)
//! → [`Reader::observe`] → `landfall_core::plan` (pure) → `effects` (pure) → [`Writer::apply`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use landfall_core::config::kind::{Component, Connection, ConnectionKind, Kind};
use landfall_core::config::secret::SecretRef;
use landfall_core::diagnostic::Diagnostic;
use landfall_core::plan::{Change, Desired, Effect, Landed, Live, Outcome, ResourceKey, Target};
use landfall_core::yaml::Node;
use secrecy::SecretString;

use crate::hold::Hold;

/// The most items that a listing may have. No console and no zone has so many; without a limit
/// whoever answers at an address that a repository names could fill our memory.
pub(crate) const MOST_LISTED: usize = 100_000;

/// What a component writes to, in the words of its configuration: `site`, `zone example.com`,
/// `tunnel media-server`. The provider answers with the [`Target`] behind it.
pub type Scope = String;

/// A question that has to be answered before a component's desired resources are known:
/// `mac aa:bb:cc:dd:ee:01`. The answer is a text (an address).
pub type Lookup = String;

/// What has to be asked for a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whose targets are wanted.
    pub scopes: BTreeSet<Scope>,
    /// What has to be looked up.
    pub lookups: BTreeSet<Lookup>,
}

/// The answers to [`Needs`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The target behind each scope.
    pub targets: BTreeMap<Scope, Target>,
    /// The answer to each look-up that has one.
    pub answers: BTreeMap<Lookup, String>,
}

/// The code for one kind of component. All of it is pure.
pub trait Provider: Kind {
    /// What has to be asked before `desired` can answer. `connection` is the one that the
    /// component uses (it knows the zones, for example).
    fn needs(&self, component: &dyn Component, connection: &dyn Connection) -> Needs;

    /// The resources that the component wants, in the provider's normal form.
    ///
    /// # Errors
    /// A look-up without an answer, with the place that asked.
    fn desired(
        &self,
        component: &dyn Component,
        connection: &dyn Connection,
        found: &Found,
    ) -> Result<Vec<Desired>, Vec<Diagnostic>>;

    /// Groups the ordered changes of one of this provider's targets into calls, keeping the order.
    /// Only changes that touch the provider are passed.
    fn effects(&self, target: &Target, changes: Vec<Change>) -> Vec<Effect>;
}

/// What a connection is opened with.
#[derive(Clone)]
pub struct Access {
    /// The resolved secrets of the connection, by reference.
    pub secrets: HashMap<SecretRef, SecretString>,
    /// Whose writes these are, for providers that can mark a resource: at most 60 characters,
    /// stable over renames of services: `landfall repository 1234 production`.
    pub marker: String,
    /// Which hosts and addresses may be connected to.
    pub rules: landfall_os::http::AddressRules,
    /// How long a request may take. For a write it is under a third of the lease.
    pub deadline: Duration,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("marker", &self.marker).finish_non_exhaustive()
    }
}

/// The code for one kind of connection.
#[async_trait]
pub trait ConnectionProvider: ConnectionKind {
    /// Opens it for reading: what plans cannot write.
    async fn reader(
        &self,
        connection: &dyn Connection,
        access: Access,
    ) -> Result<Arc<dyn Reader>, ProviderError>;

    /// Opens it for writing.
    async fn writer(
        &self,
        connection: &dyn Connection,
        access: Access,
    ) -> Result<Arc<dyn Writer>, ProviderError>;

    /// Forgets what was found out where a connection leads to. Most kinds remember nothing.
    fn forget(&self, _connection: &dyn Connection) {}
}

/// Reads through one connection. Never one request per resource.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The targets behind scopes. One that does not exist and cannot be created is an error.
    async fn identify(
        &self,
        scopes: &BTreeSet<Scope>,
    ) -> Result<BTreeMap<Scope, Target>, ProviderError>;

    /// Answers look-ups in bulk; one without an answer is left out.
    async fn look_up(
        &self,
        lookups: &BTreeSet<Lookup>,
    ) -> Result<BTreeMap<Lookup, String>, ProviderError>;

    /// What lives at `target`, for `keys` and for every other type at the same names (a CNAME in
    /// the way of an A). More may come along.
    async fn observe(
        &self,
        target: &Target,
        keys: &BTreeSet<ResourceKey>,
    ) -> Result<Live, ProviderError>;
}

/// Writes through one connection, under a lease.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Does one effect. Checks right before that what lives is what each change found (`before`),
    /// and refuses with [`Outcome::Moved`] if not. Sends every mutation once and never again, and
    /// none that could outlive the lease.
    ///
    /// # Errors
    /// It is not the time. Nothing of the effect was done.
    async fn apply(&self, effect: &Effect, hold: Hold<'_>) -> Result<Outcome, Later>;

    /// What became of an effect that was sent: one answer per change, in order, and the ids of
    /// what exists now.
    async fn read_back(
        &self,
        effect: &Effect,
    ) -> Result<(Vec<Landed>, BTreeMap<ResourceKey, Vec<String>>), ProviderError>;
}

/// Why nothing of an effect was done, though nothing speaks against doing it after a while: the
/// provider takes no requests now, or the lease would not have lasted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Later {
    /// When to try again, with a new look at what lives.
    pub after: Duration,
    /// What to tell people.
    pub why: String,
}

/// Why a provider could not be asked. The message is fit for a comment: no secret, no address of
/// ours, no raw body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The credentials are refused or lack a permission.
    #[error("{0}")]
    Denied(String),
    /// Something the configuration names does not exist: a zone, a site.
    #[error("{0}")]
    Missing(String),
    /// Too many requests; try again after this long.
    #[error("{message}")]
    Limited {
        /// When to try again.
        after: Duration,
        /// What was said.
        message: String,
    },
    /// Nobody answered, or not in time, or with a 5xx.
    #[error("{0}")]
    Unreachable(String),
    /// It answered with something that is not what its description says: a short listing, HTML.
    #[error("{0}")]
    Unexpected(String),
}

impl ProviderError {
    /// What becomes of an effect before which something was asked in vain.
    pub(crate) fn before_write(self) -> Result<Outcome, Later> {
        match self {
            Self::Limited { after, message } => Err(Later { after, why: message }),
            other => Ok(Outcome::Failed(other.to_string())),
        }
    }
}

/// Decodes a component's or a connection's node to its type.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn decode<T: serde::de::DeserializeOwned>(node: &Node) -> Result<T, Vec<Diagnostic>> {
    landfall_core::yaml::decode(node)
}
