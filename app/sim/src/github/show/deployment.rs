//! Deployments and their statuses.

use serde_json::{Value, json};

use super::{View, node_id};
use crate::github::model::{Deployment, DeploymentStatus, Repository};

impl View<'_> {
    pub(crate) fn deployment(self, repository: &Repository, deployment: &Deployment) -> Value {
        let api = format!("{}/deployments/{}", self.repository_api(repository), deployment.id);
        json!({
            "url": api,
            "id": deployment.id,
            "node_id": node_id("DE", deployment.id),
            "sha": deployment.sha,
            "ref": deployment.reference,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user(&deployment.creator),
            "created_at": deployment.created_at,
            "updated_at": deployment.statuses.last().map_or(deployment.created_at, |status| status.created_at),
            "statuses_url": format!("{api}/statuses"),
            "repository_url": self.repository_api(repository),
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
            "performed_via_github_app": self.app(),
        })
    }

    pub(crate) fn deployment_status(
        self,
        repository: &Repository,
        deployment: &Deployment,
        status: &DeploymentStatus,
    ) -> Value {
        let api = format!("{}/deployments/{}", self.repository_api(repository), deployment.id);
        json!({
            "url": format!("{api}/statuses/{}", status.id),
            "id": status.id,
            "node_id": node_id("DES", status.id),
            "state": status.state,
            "creator": self.user(&status.creator),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": status.log_url,
            "log_url": status.log_url,
            "environment_url": status.environment_url,
            "created_at": status.created_at,
            "updated_at": status.created_at,
            "deployment_url": api,
            "repository_url": self.repository_api(repository),
            "performed_via_github_app": self.app(),
        })
    }
}
