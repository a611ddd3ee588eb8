//! Workflows that wait before they deploy: what they are answered, and those that are not yet.

use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_store::{ItemKey, ItemKind, JobKey, Store};

use super::{Board, NEXT};
use crate::publish::body::ProtectionBody;

impl Board<'_> {
    /// Notes that a workflow waits, unless it was answered; or answers it.
    ///
    /// # Errors
    /// The store could not be asked or written to.
    pub async fn protection(&self, body: &ProtectionBody) -> anyhow::Result<()> {
        let subject = format!("{}/{}", body.environment, body.workflow_run);
        let key = ItemKey {
            installation: self.installation,
            repository: self.repository,
            kind: ItemKind::Protection,
            subject: subject.clone(),
        };
        if body.answer.is_none() && self.house.store.item_body(&key).await?.is_some() {
            return Ok(());
        }
        self.put(ItemKind::Protection, subject, NEXT, body).await
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
        if body.answer.is_none() {
            let ProtectionBody { environment, commit, workflow_run, .. } = body;
            waiting.push(JobKey::Protection { repository, environment, commit, workflow_run });
        }
    }
    Ok(waiting)
}
