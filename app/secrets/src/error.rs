//! Why a reference leads nowhere. The message may be shown to everybody: it repeats the reference,
//! which is no secret, and never anything that was read.

use landfall_core::config::secret::SecretRef;
use landfall_os::redact::SHORTEST;

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{reference}` {why}")]
pub struct SecretError {
    /// The reference as written.
    pub reference: SecretRef,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a reference, as the end of a sentence that begins with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It would run a command.
    #[error("would run a command: `exec` is always refused")]
    Exec,
    /// A backend of the design that is not there.
    #[error("needs a backend that this version does not have yet: use `env` or `file`")]
    NotYet,
    /// No backend of that name.
    #[error("names a backend that does not exist: use `env` or `file`")]
    UnknownBackend,
    /// The backend takes no such parameter.
    #[error("has the parameter `{0}`, which its backend does not take")]
    Parameter(String),
    /// The operator does not allow it.
    #[error("is not allowed by the operator of this server: {0}")]
    NotAllowed(String),
    /// There is nothing at that place.
    #[error("leads to nothing: {0}")]
    Missing(&'static str),
    /// What is there cannot be used.
    #[error("cannot be read: {0}")]
    Unreadable(&'static str),
    /// The part behind `#` cannot be found.
    #[error("has no such field: {0}")]
    Fragment(&'static str),
    /// There is a value, and it is too short to be kept out of what people read.
    #[error(
        "leads to a value of less than {SHORTEST} bytes, which could not be told from other text and hidden"
    )]
    Short,
    /// There is a value, and it is empty.
    #[error("leads to an empty value")]
    Empty,
}
