//! Check runs: one for each environment and base on a commit.

use landfall_core::button::Button;
use landfall_github::check::{
    Action, Annotation, CheckRun, CheckRunId, CheckStatus, Conclusion, Level,
};
use landfall_github::comment::{self, Document, LIMIT};
use landfall_github::{Failure, GithubError};

use super::body::{CheckState, Finding};
use super::{CheckBody, Desk, Ended};

/// Stands for what does not fit into a summary.
const MORE: &str = "*The rest does not fit here; the comment on the pull request has more of it.*";

impl Desk<'_> {
    pub(super) async fn check(&self) -> anyhow::Result<Ended> {
        let body: CheckBody = match self.body() {
            Ok(body) => body,
            Err(unreadable) => return Ok(unreadable),
        };
        let check = self.check_run(&body);
        if !self.has_room(check.requests_needed()).await? {
            return Ok(Ended::Waits);
        }
        let id = match self.ensured_check(&check).await {
            Ok(id) => id,
            Err(error) => return Ok(error.into()),
        };
        // One with findings is never updated, so nobody needs to know it again: GitHub adds
        // annotations to those that are there. The newest of a name is the one that counts.
        Ok(Ended::Done(if check.annotations.is_empty() { vec![id.0] } else { Vec::new() }))
    }

    async fn ensured_check(&self, check: &CheckRun) -> Result<CheckRunId, GithubError> {
        let mut known = self.item.external.first().copied().map(CheckRunId);
        if known.is_none() && self.item.uncertain {
            let found = self.reader.check_runs_for(&check.head_sha, &check.name).await?;
            let ours = found.iter().find(|found| {
                found.external_id.as_deref() == Some(&check.external_id)
                    && found.annotations == check.annotations.len()
            });
            match ours.map(|found| found.id) {
                Some(id) if !check.annotations.is_empty() => return Ok(id),
                found => known = found,
            }
        }
        if let Some(id) = known.filter(|_| check.annotations.is_empty()) {
            match self.writer.update_check(id, check).await {
                Err(GithubError { failure: Failure::Gone | Failure::NotFound, .. }) => {}
                outcome => return outcome.map(|()| id),
            }
        }
        self.writer.create_check(check).await
    }

    fn check_run(&self, body: &CheckBody) -> CheckRun {
        CheckRun {
            name: body.name.clone(),
            head_sha: body.head.clone(),
            status: status(body.state),
            title: self.plain(&body.title),
            summary: shortened(&self.clean(&body.summary)),
            text: None,
            annotations: body.findings.iter().map(|finding| self.annotation(finding)).collect(),
            external_id: body.external_id.clone(),
            details_url: None,
            actions: body.buttons.iter().map(action).collect(),
        }
    }

    fn annotation(&self, finding: &Finding) -> Annotation {
        let level = if finding.error { Level::Failure } else { Level::Warning };
        let message = self.plain(&finding.message);
        Annotation::new(&finding.path, finding.place, level, &finding.code, &message)
    }
}

fn action(button: &Button) -> Action {
    Action {
        label: button.label().to_owned(),
        description: button.description(),
        identifier: button.to_string(),
    }
}

fn status(state: CheckState) -> CheckStatus {
    let (conclusion, completed_at) = match state {
        CheckState::Running(started_at) => return CheckStatus::InProgress { started_at },
        CheckState::Success(at) => (Conclusion::Success, at),
        CheckState::Neutral(at) => (Conclusion::Neutral, at),
        CheckState::Failure(at) => (Conclusion::Failure, at),
        CheckState::ActionRequired(at) => (Conclusion::ActionRequired, at),
        CheckState::Cancelled(at) => (Conclusion::Cancelled, at),
    };
    CheckStatus::Completed { conclusion, completed_at }
}

/// What GitHub takes of a summary: as much as of one comment, and a line that says that it is not all.
fn shortened(summary: &str) -> String {
    let document = Document { head: summary, sections: &[], tail: "", more: MORE };
    comment::split(&document, LIMIT, 1).pop().unwrap_or_default()
}
