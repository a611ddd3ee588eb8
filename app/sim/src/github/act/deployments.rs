//! Deployments and their statuses. Only the App makes them here.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::Repo;
use crate::github::model::{Deployment, DeploymentStatus, Gated};

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

impl Repo {
    /// A workflow that was started for `sha` is about to deploy to an environment, and asks first.
    /// Returns the number of its run.
    ///
    /// # Errors
    /// The repository is gone.
    pub fn ask_to_deploy(&self, environment: &str, sha: &str, user: &str) -> anyhow::Result<u64> {
        let workflow_run = self.shared.world().next_id();
        self.ask_to_deploy_by(workflow_run, (environment, sha), user)?;
        Ok(workflow_run)
    }

    /// Somebody has the jobs of such a run done again. It has the number that it had, and asks again.
    ///
    /// # Errors
    /// The repository is gone, or knows no such run.
    pub fn run_again(&self, workflow_run: u64, sha: &str, user: &str) -> anyhow::Result<()> {
        let gated = self.read(|repository| repository.gated.get(&workflow_run).cloned())?;
        let gated = gated.with_context(|| format!("no run {workflow_run} of a workflow"))?;
        self.ask_to_deploy_by(workflow_run, (&gated.environment, sha), user)
    }

    fn ask_to_deploy_by(
        &self,
        workflow_run: u64,
        (environment, sha): (&str, &str),
        user: &str,
    ) -> anyhow::Result<()> {
        self.acts(user);
        let deployment = self.create_deployment(NewDeployment {
            reference: sha.to_owned(),
            sha: sha.to_owned(),
            task: "deploy".to_owned(),
            environment: environment.to_owned(),
            description: None,
            payload: json!({}),
            transient: false,
            production: false,
            creator: user.to_owned(),
        })?;
        let gated = Gated { environment: environment.to_owned(), answer: None };
        self.change(|repository| repository.gated.insert(workflow_run, gated))?;
        self.tell_gated(workflow_run, &deployment, user);
        Ok(())
    }

    /// What such a run was answered: `approved` or `rejected`, and why.
    pub fn answered(&self, workflow_run: u64) -> Option<(String, String)> {
        let gated = self.read(|repository| repository.gated.get(&workflow_run).cloned());
        gated.ok().flatten()?.answer
    }

    /// Answers a run that waits; false when none does.
    pub(crate) fn answer_gated(
        &self,
        workflow_run: u64,
        environment: &str,
        answer: (String, String),
    ) -> anyhow::Result<bool> {
        self.change(|repository| {
            let gated = repository.gated.get_mut(&workflow_run);
            let waits =
                |gated: &&mut Gated| gated.environment == environment && gated.answer.is_none();
            gated.filter(waits).map(|gated| gated.answer = Some(answer)).is_some()
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
