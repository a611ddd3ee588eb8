//! Secret references and the backends that resolve them.
//!
//! A reference comes from a repository, so it is believed only as far as the operator's [`Policy`]
//! goes: which environment variables, which folders. What it leads to is a `SecretString` that the
//! redactor knows before anybody else does; it is never stored and never in an error. Where the
//! environment comes from is an argument, so nothing here reads the process's own by itself.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use landfall_core::config::secret::SecretRef;
use landfall_os::redact::{Redactor, SHORTEST};
use secrecy::{ExposeSecret, SecretString};

mod env;
mod error;
mod file;
mod fragment;
mod policy;

pub use error::{SecretError, Why};
pub use policy::Policy;

/// Answers with the value of an environment variable.
pub type Environment = dyn Fn(&str) -> Option<SecretString> + Send + Sync;

/// Backends of the design that this version does not have.
const LATER: [&str; 7] =
    ["op", "onepasswordconnect", "awssecrets", "awsssm", "vault", "gcpsecrets", "sops"];

/// Resolves references. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    environment: Arc<Environment>,
    redactor: Redactor,
}

impl Resolver {
    /// `environment` answers for `ref+env://`; every resolved value is told to `redactor`.
    pub fn new(
        environment: impl Fn(&str) -> Option<SecretString> + Send + Sync + 'static,
        redactor: Redactor,
    ) -> Self {
        Self { environment: Arc::new(environment), redactor }
    }

    /// One that reads the environment of this process.
    #[must_use]
    pub fn of_process(redactor: Redactor) -> Self {
        Self::new(|name| std::env::var(name).ok().map(SecretString::from), redactor)
    }

    /// What `reference` leads to.
    ///
    /// # Errors
    /// The policy refuses it, the backend is not there, or nothing usable is behind it.
    pub async fn resolve(
        &self,
        reference: &SecretRef,
        policy: &Policy,
    ) -> Result<SecretString, SecretError> {
        let found = self.look_up(reference, policy).await;
        let secret = found.map_err(|why| SecretError { reference: reference.clone(), why })?;
        self.redactor.learn(&secret);
        Ok(secret)
    }

    /// What all of them lead to. Each is looked up once.
    ///
    /// # Errors
    /// All that fail, not just the first.
    pub async fn resolve_all<'r>(
        &self,
        references: impl IntoIterator<Item = &'r SecretRef>,
        policy: &Policy,
    ) -> Result<HashMap<SecretRef, SecretString>, Vec<SecretError>> {
        let (mut secrets, mut errors) = (HashMap::new(), Vec::new());
        for reference in references.into_iter().collect::<BTreeSet<_>>() {
            match self.resolve(reference, policy).await {
                Ok(secret) => drop(secrets.insert(reference.clone(), secret)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(secrets) } else { Err(errors) }
    }

    async fn look_up(&self, reference: &SecretRef, policy: &Policy) -> Result<SecretString, Why> {
        let whole = match reference.backend() {
            "env" => env::read(reference, policy, &*self.environment)?,
            "file" => file::read(reference, policy).await?,
            "exec" => return Err(Why::Exec),
            other if LATER.contains(&other) => return Err(Why::NotYet),
            _ => return Err(Why::UnknownBackend),
        };
        let secret = match reference.fragment() {
            Some(fragment) => fragment::pick(&whole, fragment)?,
            None => whole,
        };
        match secret.expose_secret().len() {
            0 => Err(Why::Empty),
            1..SHORTEST => Err(Why::Short),
            _ => Ok(secret),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
