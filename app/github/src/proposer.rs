//! What opens the one issue in a repository that has no rules. Only the outbox has one of these, and
//! its token can write nothing but issues.

use landfall_os::clock::Moment;
use serde::Deserialize;
use serde_json::json;

use crate::error::GithubError;
use crate::session::Session;
use crate::transport::Call;

/// Opens issues in one repository.
#[derive(Debug, Clone)]
pub struct Proposer(Session);

impl Proposer {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }

    /// The same, with a right to write that ends.
    #[must_use]
    pub fn until(self, until: Moment) -> Self {
        Self(self.0.until(until))
    }

    /// Opens an issue, and says which number it got.
    ///
    /// # Errors
    /// As every write; [`Failure::Gone`](crate::Failure::Gone) where a repository has no issues.
    pub async fn create_issue(&self, title: &str, body: &str) -> Result<u64, GithubError> {
        #[derive(Deserialize)]
        struct Created {
            number: u64,
        }
        let call =
            Call::post(self.0.path().then("issues"), json!({ "title": title, "body": body }));
        Ok(self.0.call::<Created>(call).await?.number)
    }
}
