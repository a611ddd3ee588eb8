//! Workflows that wait before they deploy: what they are answered, and those that are not yet.

use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_store::{DeployRequest, ItemKey, ItemKind, JobKey, Store};

use super::{Board, NEXT};
use crate::publish::body::{ProtectionAnswer, ProtectionBody};

impl Board<'_> {
    /// Notes that a workflow waits, or answers it. GitHub takes one answer, so the first one stays.
    ///
    /// # Errors
    /// The store could not be asked or written to.
    pub async fn protection(
        &self,
        request: &DeployRequest,
        answer: Option<ProtectionAnswer>,
    ) -> anyhow::Result<()> {
        let DeployRequest { environment, commit, workflow_run, deployment } = request.clone();
        let body = ProtectionBody { environment, commit, workflow_run, deployment, answer };
        let called = body.environment.as_str().to_ascii_lowercase();
        let subject = format!("{called}/{workflow_run}/{deployment}");
        let key = ItemKey {
            installation: self.installation,
            repository: self.repository,
            kind: ItemKind::Protection,
            subject: subject.clone(),
        };
        let before = self.house.store.item_body(&key).await?;
        if before.is_some_and(|before| body.answer.is_none() || !before["answer"].is_null()) {
            return Ok(());
        }
        self.put(ItemKind::Protection, subject, NEXT, &body).await
    }
}

/// The work that answers those who wait for an environment, or for any.
///
/// # Errors
/// The store could not be asked.
pub async fn unanswered(
    store: &dyn Store,
    repository: RepositoryId,
    environment: Option<&EnvironmentName>,
) -> anyhow::Result<Vec<JobKey>> {
    let prefix = environment.map(|name| format!("{name}/")).unwrap_or_default();
    let mut waiting = Vec::new();
    for body in store.items_under(repository, ItemKind::Protection, &prefix).await? {
        let body: ProtectionBody = serde_json::from_value(body)?;
        // What a name begins with may be another one and a slash.
        let is_meant = environment.is_none_or(|name| body.environment.is(name));
        if is_meant && body.answer.is_none() {
            let ProtectionBody { environment, commit, workflow_run, deployment, .. } = body;
            let request = DeployRequest { environment, commit, workflow_run, deployment };
            waiting.push(JobKey::Protection { repository, request });
        }
    }
    Ok(waiting)
}
