//! Check runs: one for each environment and base on a commit.

use landfall_github::check::{Annotation, CheckRun, CheckRunId, CheckStatus, Conclusion, Level};
use landfall_github::{Failure, GithubError};
use landfall_store::Published;

use super::body::{CheckState, Finding};
use super::{CheckBody, Desk, Ended};

impl Desk<'_> {
    pub(super) async fn check(&self) -> anyhow::Result<Ended> {
        let body: CheckBody = serde_json::from_value(self.item.item.body.clone())?;
        let mut known = self.item.external.first().copied();
        if known.is_none() && self.item.uncertain {
            match self.reader.check_runs_for(&body.head, &body.name).await {
                Ok(found) => {
                    let ours = found
                        .iter()
                        .find(|check| check.external_id.as_deref() == Some(&body.external_id));
                    known = ours.map(|check| check.id.0);
                }
                Err(error) => return Ok(error.into()),
            }
        }
        let check = self.check_run(&body);
        let id = match self.put_check(known, &check).await {
            Ok(id) => id,
            Err(error) => return Ok(error.into()),
        };
        if !body.plans.is_empty() {
            // GitHub gives no time with a check run; ours is later than its, which is the safe side.
            let published = Published { at: self.house.store.now().await?, subject: id };
            for plan in body.plans {
                self.house.store.mark_published(plan, published).await?;
            }
        }
        Ok(Ended::Done(vec![id]))
    }

    async fn put_check(&self, known: Option<u64>, check: &CheckRun) -> Result<u64, GithubError> {
        // GitHub adds annotations to those that are there: a check with findings is made anew, and
        // the newest of a name is the one that counts.
        if let Some(id) = known.filter(|_| check.annotations.is_empty()) {
            match self.writer.update_check(CheckRunId(id), check).await {
                Err(GithubError { failure: Failure::Gone | Failure::NotFound, .. }) => {}
                outcome => return outcome.map(|()| id),
            }
        }
        self.writer.create_check(check).await.map(|id| id.0)
    }

    fn check_run(&self, body: &CheckBody) -> CheckRun {
        let clean = |text: &str| self.house.redactor.redact(text).into_owned();
        CheckRun {
            name: body.name.clone(),
            head_sha: body.head.clone(),
            status: status(body.state),
            title: clean(&body.title),
            summary: shortened(&clean(&body.summary)),
            text: None,
            annotations: body.findings.iter().map(annotation).collect(),
            external_id: body.external_id.clone(),
            details_url: None,
        }
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

fn annotation(finding: &Finding) -> Annotation {
    let level = if finding.error { Level::Failure } else { Level::Warning };
    Annotation::new(&finding.path, finding.place, level, &finding.code, &finding.message)
}

/// GitHub takes 65,535 characters. The summary is short; only a hostile name makes it longer.
fn shortened(summary: &str) -> String {
    summary.chars().take(60_000).collect()
}
