//! Deployments and their statuses. Only the App makes them here.

use serde_json::Value;

use super::Repo;
use crate::github::model::{Deployment, DeploymentStatus};

pub(crate) struct NewDeployment {
    pub(crate) reference: String,
    pub(crate) sha: String,
    pub(crate) task: String,
    pub(crate) environment: String,
    pub(crate) description: Option<String>,
    pub(crate) payload: Value,
    pub(crate) transient: bool,
    pub(crate) production: bool,
    pub(crate) creator: String,
}

impl Repo {
    /// GitHub takes the same deployment twice, and so does this.
    pub(crate) fn create_deployment(&self, new: NewDeployment) -> anyhow::Result<Deployment> {
        let (id, created_at) = {
            let mut world = self.shared.world();
            (world.next_id(), world.tick())
        };
        let NewDeployment {
            reference,
            sha,
            task,
            environment,
            description,
            payload,
            transient,
            production,
            creator,
        } = new;
        let deployment = Deployment {
            id,
            reference,
            sha,
            task,
            environment,
            description,
            payload,
            transient,
            production,
            creator,
            created_at,
            statuses: Vec::new(),
        };
        self.change(|repository| repository.deployments.insert(id, deployment.clone()))?;
        Ok(deployment)
    }

    /// Adds a status. A success makes the earlier successful ones of the environment inactive if
    /// `auto_inactive`, except in transient and production environments. `None` if there is no such
    /// deployment.
    pub(crate) fn add_deployment_status(
        &self,
        deployment: u64,
        mut status: DeploymentStatus,
        auto_inactive: bool,
    ) -> anyhow::Result<Option<(Deployment, DeploymentStatus)>> {
        let mut world = self.shared.world();
        (status.id, status.created_at) = (world.next_id(), world.tick());
        let inactive_id = world.next_id();
        drop(world);
        self.change(|repository| {
            let environment = repository.deployments.get(&deployment)?.environment.clone();
            if status.state == "success" && auto_inactive {
                let others = repository.deployments.values_mut();
                for other in others.filter(|d| d.environment == environment && d.id != deployment) {
                    other.retire(inactive_id, &status);
                }
            }
            let known = repository.deployments.get_mut(&deployment)?;
            known.statuses.push(status.clone());
            Some((known.clone(), status))
        })
    }
}

impl Deployment {
    fn retire(&mut self, id: u64, by: &DeploymentStatus) {
        let active = self.statuses.last().is_some_and(|status| status.state == "success");
        if active && !self.transient && !self.production {
            let state = "inactive".to_owned();
            self.statuses.push(DeploymentStatus { id, state, ..by.clone() });
        }
    }
}
