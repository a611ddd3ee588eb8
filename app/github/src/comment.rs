//! Comments on pull requests: what GitHub keeps of one, how ours are marked, how a long one is
//! split.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::{AppId, User, UserKind};
use crate::app::Identity;

mod marker;
mod split;

pub use marker::Marker;
pub use split::{Document, LIMIT, PARTS, split};

/// GitHub's number of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommentId(pub u64);

/// A comment. Times are GitHub's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Its number.
    pub id: CommentId,
    /// What GraphQL calls it.
    pub node_id: String,
    /// What it says, Markdown.
    #[serde(default)]
    pub body: String,
    /// Who wrote it; none when that account is gone.
    pub user: Option<User>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The App that wrote it, if one did.
    #[serde(default, rename = "performed_via_github_app")]
    pub app: Option<Author>,
}

/// The App that wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Author {
    /// Its number.
    pub id: AppId,
}

impl Comment {
    /// Whether we wrote it. A marker alone proves nothing: anyone can paste one.
    #[must_use]
    pub fn is_by(&self, app: &Identity) -> bool {
        is_by(app, self.app, self.user.as_ref())
    }
}

/// Whether what an App, or else a user wrote, was written by us.
pub(crate) fn is_by(us: &Identity, app: Option<Author>, user: Option<&User>) -> bool {
    match (app, user) {
        (Some(author), _) => author.id == us.id,
        (None, Some(user)) => {
            user.kind == UserKind::Bot && user.login == format!("{}[bot]", us.slug)
        }
        (None, None) => false,
    }
}
