//! Installation tokens: minted for one repository and as few permissions as the use needs. Only the
//! list of an installation's repositories takes a token for all of them, which sees nothing else.
//!
//! Concurrency: a scope has one slot behind an asynchronous lock. Who finds it empty or about to
//! expire mints while holding the lock, so ten callers at once make one request, and nine find
//! the token when the lock is theirs. If the one who mints is cancelled or fails, the lock opens
//! and the next one tries. A token that GitHub refuses is taken out of its slot only if it is
//! still the one in it, so a late refusal never throws away a token minted since.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use landfall_core::name::{InstallationId, RepositoryId};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::{App, Now};
use crate::error::{Failure, GithubError};
use crate::transport::{Call, Path};

/// How long before its end a token is replaced, so that no request outlives its token.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// Planning: nothing can be changed with it. The mirror uses it too.
    Read,
    /// Publishing: comments, reactions, checks, deployments; no contents.
    Write,
    /// Opening an issue.
    Propose,
    /// Finding out which repositories there are.
    List,
    /// Finding out who is in a team.
    Members,
}

/// Names of permissions and their levels, as GitHub writes them.
type Permissions = BTreeMap<String, String>;

impl Scope {
    fn permissions(self) -> Permissions {
        let list: &[(&str, &str)] = match self {
            Self::Read => &[
                ("checks", "read"),
                ("contents", "read"),
                ("deployments", "read"),
                ("issues", "read"),
                ("metadata", "read"),
                ("pull_requests", "read"),
            ],
            Self::Write => &[
                ("checks", "write"),
                ("deployments", "write"),
                ("metadata", "read"),
                ("pull_requests", "write"),
            ],
            Self::Propose => &[("issues", "write"), ("metadata", "read")],
            Self::List => &[("metadata", "read")],
            Self::Members => &[("members", "read"), ("metadata", "read")],
        };
        list.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
    }
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) installation: InstallationId,
    /// None for all that the installation is on.
    pub(crate) repository: Option<RepositoryId>,
    pub(crate) scope: Scope,
}

/// A token, opaque: its form and length have changed before.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    expires_at: Timestamp,
}

impl Token {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.duration_since(now) > MARGIN
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Token>>>>;

/// The cache.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<TokenKey, Slot>>);

impl Tokens {
    pub(super) async fn get(
        &self,
        key: TokenKey,
        now: &Now,
        mint: impl AsyncFnOnce() -> Result<Token, GithubError>,
    ) -> Result<Arc<Token>, GithubError> {
        let slot = self.slot(key, now());
        let mut slot = slot.lock().await;
        // The time is asked only now: the lock may have been waited for.
        if let Some(token) = slot.as_ref().filter(|token| token.is_fresh(now())) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(mint().await?);
        *slot = Some(Arc::clone(&token));
        Ok(token)
    }

    pub(super) async fn forget(&self, key: TokenKey, refused: &Arc<Token>) {
        let slot = self.slot(key, Timestamp::MIN);
        let mut slot = slot.lock().await;
        slot.take_if(|token| Arc::ptr_eq(token, refused));
    }

    /// The slot of a scope. A new one is a good moment to drop those that nobody needs.
    fn slot(&self, key: TokenKey, now: Timestamp) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !slots.contains_key(&key) {
            slots.retain(|_, slot| {
                let busy = Arc::strong_count(slot) > 1;
                let fresh = |token: &Arc<Token>| token.is_fresh(now);
                busy || slot.try_lock().is_ok_and(|token| token.as_ref().is_some_and(fresh))
            });
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

/// GitHub's answer to a request for a token. It has no Debug, and lives for a line.
#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: Timestamp,
}

/// GitHub's `installation`, of which only what its owner granted matters here.
#[derive(Deserialize)]
struct Installation {
    permissions: Permissions,
}

/// Mints a token. An installation whose owner has not consented to all that the App wants today
/// gets a token for what was granted; what needs more is refused when it is tried.
pub(super) async fn mint(app: &App, key: TokenKey) -> Result<Token, GithubError> {
    let wanted = key.scope.permissions();
    let refused = match mint_with(app, key, &wanted).await {
        Err(error) if matches!(error.failure, Failure::Unprocessable { .. }) => error,
        outcome => return outcome,
    };
    let path = Path::new("app").then("installations").then(key.installation);
    let Installation { permissions: granted } = app.as_app(Call::get(path)).await?;
    let common = at_most(&wanted, &granted);
    if common == wanted {
        return Err(refused);
    }
    tracing::warn!(
        installation = key.installation.0,
        ?wanted,
        ?granted,
        "the installation has not granted all permissions that the App wants"
    );
    mint_with(app, key, &common).await
}

async fn mint_with(
    app: &App,
    key: TokenKey,
    permissions: &Permissions,
) -> Result<Token, GithubError> {
    let path = Path::new("app").then("installations").then(key.installation).then("access_tokens");
    let mut body = json!({ "permissions": permissions });
    if let Some(repository) = key.repository {
        body["repository_ids"] = json!([repository]);
    }
    let minted = app.as_app(Call::post(path, body)).await;
    let Minted { token, expires_at } = minted.map_err(|error| match error.failure {
        // The App asks about itself, so what it cannot find is its installation.
        Failure::NotFound => Failure::NotInstalled.on(error.call),
        _ => error,
    })?;
    let value = SecretString::from(token);
    app.learn(&value);
    Ok(Token { value, expires_at })
}

/// What is both wanted and granted, at the lower level of the two.
fn at_most(wanted: &Permissions, granted: &Permissions) -> Permissions {
    let both = |(name, want): (&String, &String)| {
        let grant = granted.get(name)?;
        let level = if want == "read" { want } else { grant };
        Some((name.clone(), level.clone()))
    };
    wanted.iter().filter_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::{self, Level};

    fn permissions(list: &[(&str, &str)]) -> Permissions {
        list.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
    }

    #[test]
    fn a_token_never_asks_for_more_than_was_granted_or_needed() {
        let wanted = permissions(&[("checks", "write"), ("contents", "read"), ("issues", "read")]);
        let granted = permissions(&[("checks", "read"), ("contents", "write"), ("pages", "write")]);
        let expected = permissions(&[("checks", "read"), ("contents", "read")]);
        assert_eq!(at_most(&wanted, &granted), expected);
    }

    #[test]
    fn no_token_asks_for_what_the_app_was_not_given() {
        let asked = |name: &str| needs::PERMISSIONS.iter().find(|known| known.name == name);
        for scope in [Scope::Read, Scope::Write, Scope::Propose, Scope::List, Scope::Members] {
            for (name, level) in scope.permissions() {
                let asked = asked(&name).map(|known| known.asked);
                assert!(Level::named(&level) <= asked, "{scope:?} takes {name}: {level}");
            }
        }
    }

    #[test]
    fn a_reading_token_can_write_nothing_and_a_writing_one_no_contents() {
        assert!(Scope::Read.permissions().values().all(|level| level == "read"));
        assert!(!Scope::Write.permissions().contains_key("contents"));
    }
}
