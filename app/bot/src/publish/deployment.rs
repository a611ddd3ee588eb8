//! Deployments: a run as the repository's environment page shows it.

use landfall_github::GithubError;
use landfall_github::deployment::{DeploymentId, DeploymentState, DeploymentStatus, NewDeployment};
use landfall_store::{ItemKey, ItemKind};
use serde_json::json;

use super::body::{DeploymentWord, check_subject, run_check_name};
use super::{DeploymentBody, Desk, Ended};

/// Our word for what is done, so that other tools' deployments are not taken for ours.
const TASK: &str = "landfall";

impl Desk<'_> {
    pub(super) async fn deployment(&self) -> anyhow::Result<Ended> {
        let body: DeploymentBody = match self.body() {
            Ok(body) => body,
            Err(unreadable) => return Ok(unreadable),
        };
        let known = self.item.external.first().copied().map(DeploymentId);
        // The status, and what it is the status of.
        if !self.has_room(if known.is_some() { 1 } else { 2 }).await? {
            return Ok(Ended::Waits);
        }
        let id = match self.ensured(&body, known).await {
            Ok(id) => id,
            Err(error) => return Ok(error.into()),
        };
        self.house.store.note_external(&self.item.claim, &[id.0]).await?;
        let status = DeploymentStatus {
            state: state(body.state),
            description: self.plain(&body.description),
            log_url: self.log_url(&body).await?,
        };
        // A status that was accepted without our knowing is set once more: it says the same.
        match self.writer.create_deployment_status(id, &status).await {
            Ok(()) => Ok(Ended::Done(vec![id.0])),
            Err(error) => Ok(error.into()),
        }
    }

    /// The check of the run, which says what it does. It goes out before this does; a status that comes
    /// first all the same leads nowhere, and the next one does.
    async fn log_url(&self, body: &DeploymentBody) -> anyhow::Result<Option<String>> {
        let key = &self.item.item.key;
        let check = ItemKey {
            kind: ItemKind::Check,
            subject: check_subject(&body.commit, &run_check_name(&body.environment)),
            ..key.clone()
        };
        let ids = self.house.store.external_ids(&check).await?;
        let web = self.house.github.web_url().as_str().trim_end_matches('/');
        let name = &self.reader.on().name;
        Ok(ids.first().map(|id| format!("{web}/{name}/runs/{id}")))
    }

    async fn ensured(
        &self,
        body: &DeploymentBody,
        known: Option<DeploymentId>,
    ) -> Result<DeploymentId, GithubError> {
        if let Some(id) = known {
            return Ok(id);
        }
        if self.item.uncertain {
            let found = self.reader.deployments(&body.commit, &body.environment, TASK).await?;
            if let Some(ours) = found.iter().find(|found| found.payload["run"] == json!(body.run)) {
                return Ok(ours.id);
            }
        }
        let new = NewDeployment {
            sha: body.commit.clone(),
            environment: body.environment.clone(),
            task: TASK.to_owned(),
            description: self.plain(&body.description),
            payload: json!({ "run": body.run }),
            production: None,
        };
        Ok(self.writer.create_deployment(&new).await?.id)
    }
}

fn state(word: DeploymentWord) -> DeploymentState {
    match word {
        DeploymentWord::Pending => DeploymentState::Pending,
        DeploymentWord::InProgress => DeploymentState::InProgress,
        DeploymentWord::Success => DeploymentState::Success,
        DeploymentWord::Failure => DeploymentState::Failure,
        DeploymentWord::Inactive => DeploymentState::Inactive,
    }
}
