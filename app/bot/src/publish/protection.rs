//! Answers to workflows of GitHub Actions that wait before they deploy.

use landfall_github::deployment::ProtectionReview;
use landfall_github::{Failure, GithubError};

use super::body::ProtectionBody;
use super::{Desk, Ended};

impl Desk<'_> {
    pub(super) async fn protection(&self) -> anyhow::Result<Ended> {
        let body: ProtectionBody = match self.body() {
            Ok(body) => body,
            Err(unreadable) => return Ok(unreadable),
        };
        // It goes on waiting.
        let Some(answer) = body.answer else { return Ok(Ended::Done(Vec::new())) };
        if !self.has_room(1).await? {
            return Ok(Ended::Waits);
        }
        let review = ProtectionReview {
            workflow_run: body.workflow_run,
            environment: body.environment,
            verdict: answer.verdict,
            comment: self.plain(&answer.why),
        };
        match self.writer.review_protection(&review).await {
            Ok(()) => Ok(Ended::Done(vec![body.workflow_run])),
            // Somebody answered in our place, or an earlier answer of ours arrived after all.
            Err(GithubError { failure: Failure::Unprocessable { .. }, .. })
                if self.item.uncertain =>
            {
                Ok(Ended::Done(vec![body.workflow_run]))
            }
            Err(error) => Ok(error.into()),
        }
    }
}
