//! What can go wrong, told apart by what it means for a write: certainly not sent, or unknown.
//!
//! The messages name the host and nothing else of the request: no path, no query, no header. They
//! do not name the address behind a host either, since they end up in public comments.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use super::Peer;
use super::resolver::Refused;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The peer has certainly not seen the request: it may be sent again.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The peer may have seen the request and acted on it: only reading back tells.
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// Why a request never left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// It could not be built.
    #[error("a request to `{host}` cannot be made: {reason}")]
    Invalid {
        /// The peer.
        host: String,
        /// What is wrong with it, without the value.
        reason: String,
    },
    /// None of the host's addresses may be connected to.
    #[error(
        "`{host}` has no address that is public or that the operator allows (LANDFALL_ALLOW_HOSTS)"
    )]
    Refused {
        /// The peer.
        host: String,
    },
    /// The host's name has no address.
    #[error("the name `{host}` has no address")]
    Resolve {
        /// The peer.
        host: String,
    },
    /// Nobody listens there, or the way is blocked.
    #[error("cannot connect to `{host}`: {reason}")]
    Connect {
        /// The peer.
        host: String,
        /// The operating system's word for it.
        reason: String,
    },
    /// The peer did not prove to be the one it should be.
    #[error("cannot make a secure connection to `{host}`: {reason}")]
    Tls {
        /// The peer.
        host: String,
        /// What TLS objected to.
        reason: String,
    },
}

/// Why the fate of a request is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No whole answer in time.
    #[error("`{host}` did not answer in time")]
    Timeout {
        /// The peer.
        host: String,
    },
    /// The connection ended before the whole answer was there.
    #[error("the connection to `{host}` was cut before its answer was complete")]
    Cut {
        /// The peer.
        host: String,
    },
    /// The answer is longer than the client takes.
    #[error("the answer of `{host}` ({status}) is longer than {limit} bytes")]
    TooLarge {
        /// The peer.
        host: String,
        /// The answer's status, which did arrive.
        status: u16,
        /// The limit, in bytes.
        limit: usize,
    },
}

/// Why a client cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The base is not an address that requests can begin with.
    #[error("not a base address: `http` or `https`, a host, and no user, query or fragment")]
    Base,
    /// The certificate authority is not PEM, or has no certificate in it.
    #[error("the certificate authority is not a PEM file with at least one certificate")]
    Authority,
    /// The system's certificate authorities cannot be read.
    #[error("the system has no usable certificate authorities (is ca-certificates installed?)")]
    SystemAuthorities,
    /// The HTTP library refused its settings.
    #[error("the HTTP client cannot be built")]
    Client,
}

impl HttpError {
    /// Whether the peer may have acted on the request.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Sorts the library's error.
    pub(super) fn of(error: &reqwest::Error, peer: &Peer) -> Self {
        let host = peer.host.clone();
        if error.is_builder() {
            return NotSent::Invalid { host, reason: "the library refused it".to_owned() }.into();
        }
        if !error.is_connect() {
            return if error.is_timeout() {
                Unknown::Timeout { host }
            } else {
                Unknown::Cut { host }
            }
            .into();
        }
        if find::<Refused>(error).is_some() {
            NotSent::Refused { host }
        } else if let Some(reason) = find::<rustls::Error>(error) {
            NotSent::Tls { host, reason: objection(reason) }
        } else if error.is_dns() {
            NotSent::Resolve { host }
        } else {
            let kind = find::<io::Error>(error).map(io::Error::kind);
            let kind = kind.or(error.is_timeout().then_some(io::ErrorKind::TimedOut));
            let reason = kind.map_or_else(|| "no connection".to_owned(), |kind| kind.to_string());
            NotSent::Connect { host, reason }
        }
        .into()
    }
}

/// What TLS objected to, in words that say what to do about the common cases.
fn objection(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
            "its certificate is not the pinned one".to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "nobody that is trusted vouches for its certificate (give its authority or a pin)"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// The innermost cause of a type. What an `io::Error` wraps is not its `source`, so it is opened.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let cause = match wrapped {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => error.source(),
    };
    cause.and_then(find).or_else(|| error.downcast_ref())
}
