//! Webhooks in: signature, headers, and the few fields of a payload that matter.
//!
//! Order for who receives: [`Signature::read`], size, then [`Verifier::verify`] over the raw bytes, then
//! [`Headers::read`], then the inbox; [`Event::parse`] is for who works on the inbox. Webhooks are
//! hints: an event that is unknown, or known and unreadable, is answered with success and logged,
//! because GitHub adds new ones and a failed delivery would help nobody.
//! No address in a payload is ever followed.

mod checks;
mod event;
mod headers;
mod payload;
mod signature;

pub use event::{
    Account, CheckAction, CheckRunEvent, CheckSuiteEvent, CommentAction, CommentedOn, Event,
    Granted, InstallationAction, InstallationChange, IssueComment, MergeGroup, Ping,
    ProtectionRequest, PullAction, PullRequest, Push, PushedRef, RefChange, RepositoriesChange,
    RepositoryAction, RepositoryChange,
};
pub use headers::{HeaderError, Headers};
pub use payload::PayloadError;
pub use signature::{EmptySecret, Signature, SignatureError, Verifier};

#[cfg(test)]
mod tests;
