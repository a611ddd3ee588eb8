//! `ref+env://NAME`: a variable of the server's environment. Our own backend; vals has none.

use landfall_core::config::secret::SecretRef;
use secrecy::SecretString;

use crate::{Environment, Policy, Why};

/// Prefixes of the server's own settings, its App key and database password among them. No policy
/// opens them; `LANDFALL_SECRET_` is the one exception below.
const OWN: [&str; 2] = ["LANDFALL_", "GITHUB_"];

pub(crate) fn read(
    reference: &SecretRef,
    policy: &Policy,
    environment: &Environment,
) -> Result<SecretString, Why> {
    if let Some((name, _)) = reference.query().first() {
        return Err(Why::Parameter(name.clone()));
    }
    let name = reference.path();
    let own = OWN.iter().any(|own| name.starts_with(own)) && !name.starts_with(Policy::ENV_PREFIX);
    let allowed =
        policy.env_prefixes.iter().any(|prefix| !prefix.is_empty() && name.starts_with(prefix));
    if own || !allowed {
        let prefixes = policy.env_prefixes.join("`, `");
        return Err(Why::NotAllowed(match policy.env_prefixes.is_empty() {
            true => "this repository may read no variable".to_owned(),
            false => format!("the names of its variables begin with `{prefixes}`"),
        }));
    }
    environment(name).ok_or(Why::Missing("there is no such environment variable"))
}
