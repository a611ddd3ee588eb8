//! A console that was found out about: which API it has, which site the connection means, and the
//! records of that site through either API.
//!
//! Opening asks the console what it is and believes no version that a person wrote down. What reads
//! and what writes are told apart one floor up, in the provider's `Reader` and `Writer`.

use std::sync::Arc;
use std::time::Duration;

use landfall_os::http::{Client, HttpError, Method, NotSent};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::device::{Addresses, Macs, prefer};
use super::record::Listed;
use super::said::Said;
use super::session::{Ask, Identity, Session, Software};
use super::{classic, integration, static_dns};
use crate::provider::ProviderError;

/// The first version of the Network application with DNS in its Integration API.
const DNS_IN_INTEGRATION: (u32, u32) = (10, 1);

/// The longest text that every console takes, in bytes: the older API counts 256 characters, of what
/// encoding is not known. (The vendor describes 1024 for the Integration API.)
pub(crate) const TAKEN_BY_ALL: usize = 256;

/// A site of a console. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    home: Arc<Home>,
    session: Session,
}

/// What is known of a site once it was opened.
#[derive(Debug)]
pub(super) struct Home {
    session: Session,
    pub(super) api: Api,
    /// Its name in the older APIs' paths.
    pub(super) reference: String,
    /// Its identity: see [`classic::site_id`].
    id: String,
    /// Held by whoever writes: a console takes one change at a time.
    pub(super) writing: Mutex<()>,
}

/// Through which API records are read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Api {
    /// The documented one, with the uuid that it knows the site by.
    Integration { site: String },
    /// The one of the console's own web pages, for versions before 10.1.
    StaticDns,
}

impl Home {
    /// Whether it was opened with these credentials.
    pub(super) fn is_of(&self, identity: &Identity) -> bool {
        self.session.is_of(identity)
    }
}

impl Console {
    /// Finds out what answers at `client` and where `reference`, the site, is.
    pub(super) async fn open(
        client: Client,
        identity: Identity,
        reference: &str,
        deadline: Duration,
    ) -> Result<Self, ProviderError> {
        let software = software(&client, deadline).await?;
        let session = Session::new(client, software, identity, deadline);
        let api = match has_dns_in_integration(&session).await? {
            true => Api::Integration { site: integration::site(&session, reference).await? },
            false => Api::StaticDns,
        };
        let id = classic::site_id(&session, reference).await?;
        tracing::debug!(unifi.software = ?software, unifi.api = ?api, "opened a UniFi console");
        let (reference, writing) = (reference.to_owned(), Mutex::new(()));
        let home = Home { session: session.clone(), api, reference, id, writing };
        Ok(Self { home: Arc::new(home), session })
    }

    /// What is known of the site, with another limit for each request.
    pub(super) fn at(home: Arc<Home>, deadline: Duration) -> Self {
        let session = home.session.within(deadline);
        Self { home, session }
    }

    pub(super) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The site's identity, whatever address led to it.
    pub(crate) fn site_id(&self) -> &str {
        &self.home.id
    }

    /// Whether a record can be changed in place. The older API often refuses its own record as
    /// already existing.
    pub(crate) fn changes_in_place(&self) -> bool {
        matches!(self.home.api, Api::Integration { .. })
    }

    /// The longest text that it takes, in bytes.
    pub(crate) fn longest_text(&self) -> usize {
        match self.home.api {
            Api::Integration { .. } => 1024,
            Api::StaticDns => TAKEN_BY_ALL,
        }
    }

    /// All records of the site.
    pub(crate) async fn list(&self) -> Result<Vec<Listed>, ProviderError> {
        match &self.home.api {
            Api::Integration { site } => integration::list(&self.session, site).await,
            Api::StaticDns => static_dns::list(&self.session, &self.home.reference).await,
        }
    }

    /// The addresses of devices.
    pub(crate) async fn addresses(&self, devices: &Macs) -> Result<Addresses, ProviderError> {
        let now = match &self.home.api {
            Api::Integration { site } => {
                integration::addresses(&self.session, site, devices).await?
            }
            Api::StaticDns => classic::addresses(&self.session, &self.home.reference).await?,
        };
        let known = classic::known(&self.session, &self.home.reference).await?;
        Ok(prefer(devices, &now, &known))
    }
}

/// UniFi OS answers its own front page, the application alone redirects to its own.
async fn software(client: &Client, deadline: Duration) -> Result<Software, ProviderError> {
    let answer =
        client.request(Method::GET, [""; 0]).timeout(deadline).send().await.map_err(unreachable)?;
    match answer.status {
        200 => Ok(Software::UnifiOs),
        300..400 => Ok(Software::SelfHosted),
        500.. => Err(Said::of(&answer).into_error(&answer)),
        status => Err(ProviderError::Unexpected(format!(
            "what answers at `{}` is not a UniFi console: its front page is HTTP {status}",
            client.host()
        ))),
    }
}

fn unreachable(error: HttpError) -> ProviderError {
    match error {
        HttpError::NotSent(NotSent::Tls { .. }) => ProviderError::Unreachable(format!(
            "{error}; a console signs its own certificate: say `tls: {{ pin: .. }}` or `tls: {{ ca: .. }}`"
        )),
        error => ProviderError::Unreachable(error.to_string()),
    }
}

/// Whether the Integration API is there, lets us in and has DNS. With a login it usually does not
/// let us in: its description knows keys alone.
async fn has_dns_in_integration(session: &Session) -> Result<bool, ProviderError> {
    let answer = session.try_once(&Ask::get(["integration", "v1", "info"])).await?;
    match answer.status {
        200 => Ok(answer
            .json::<Info>()
            .is_ok_and(|info| is_at_least(&info.version, DNS_IN_INTEGRATION))),
        401 | 403 if session.has_key() => Err(ProviderError::Denied(format!(
            "the console refuses the API key: {}",
            Said::of(&answer)
        ))),
        429 | 500.. => Err(Said::of(&answer).into_error(&answer)),
        _ => Ok(false),
    }
}

#[derive(Deserialize)]
struct Info {
    #[serde(rename = "applicationVersion")]
    version: String,
}

fn is_at_least(version: &str, (major, minor): (u32, u32)) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        for (version, expected) in [
            ("10.4.57", true),
            ("10.1", true),
            ("11.0.0", true),
            ("10.0.162", false),
            ("9.9.9", false),
            ("", false),
        ] {
            assert_eq!(is_at_least(version, DNS_IN_INTEGRATION), expected, "{version}");
        }
    }
}
