//! Who does something at GitHub: people, bots, Apps.

use std::fmt;

use landfall_core::name::UserId;
use serde::{Deserialize, Serialize};

/// GitHub's number of an App.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(pub u64);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The number that stays when the login changes hands.
    pub id: UserId,
    /// The name shown to people. GitHub re-uses logins: never a key.
    pub login: String,
    /// What kind of account it is.
    #[serde(rename = "type")]
    pub kind: UserKind,
}

/// What kind of account a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserKind {
    /// A person. Only persons may command.
    User,
    /// The account of an App: `landfall[bot]`.
    Bot,
    /// An organisation.
    Organization,
    /// Something that GitHub added since: `Mannequin`, `EnterpriseUserAccount`.
    #[serde(other)]
    Other,
}
