//! Check runs: the App writes them, people click on them.

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Repo;
use crate::github::model::CheckRun;

/// What the App writes; a missing field stays as it was.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct CheckWritten {
    pub(crate) name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) details_url: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) conclusion: Option<String>,
    pub(crate) started_at: Option<jiff::Timestamp>,
    pub(crate) completed_at: Option<jiff::Timestamp>,
    pub(crate) output: Option<Output>,
    pub(crate) actions: Option<Vec<Value>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Output {
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) annotations: Vec<Value>,
}

impl Repo {
    pub(crate) fn create_check_run(
        &self,
        name: &str,
        head_sha: &str,
        written: CheckWritten,
    ) -> anyhow::Result<CheckRun> {
        let (id, suite, at) = {
            let mut world = self.shared.world();
            let at = world.tick();
            let known = world.repository(self.id)?.check_runs.values();
            // All runs of an App on one commit are one suite.
            let suite = known.filter(|run| run.head_sha == head_sha).map(|run| run.suite).next();
            let suite = suite.unwrap_or_else(|| world.next_id());
            (world.next_id(), suite, at)
        };
        let mut run = CheckRun {
            id,
            suite,
            name: name.to_owned(),
            head_sha: head_sha.to_owned(),
            external_id: None,
            details_url: None,
            status: "queued".to_owned(),
            conclusion: None,
            started_at: at,
            completed_at: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
            actions: Vec::new(),
        };
        written.write_to(&mut run, at);
        self.change(|repository| repository.check_runs.insert(id, run.clone()))?;
        Ok(run)
    }

    /// `None` if there is no such check run.
    pub(crate) fn update_check_run(
        &self,
        id: u64,
        written: CheckWritten,
    ) -> anyhow::Result<Option<CheckRun>> {
        let at = self.shared.world().tick();
        self.change(|repository| {
            let run = repository.check_runs.get_mut(&id)?;
            written.write_to(run, at);
            Some(run.clone())
        })
    }

    /// Clicks "Re-run" on a check run.
    ///
    /// # Errors
    /// There is no such check run.
    pub fn rerequest(&self, check_run: u64, user: &str) -> anyhow::Result<()> {
        self.click(check_run, "rerequested", user, json!({}))
    }

    /// Clicks "Re-run all checks" of a commit.
    ///
    /// # Errors
    /// There is no check run on it.
    pub fn rerequest_all(&self, sha: &str, user: &str) -> anyhow::Result<()> {
        self.acts(user);
        let runs = self.check_runs(sha);
        let newest = runs.last().with_context(|| format!("{sha} has no check run"))?;
        self.tell_check_suite(newest, "rerequested", user, runs.len());
        Ok(())
    }

    /// Clicks one of the buttons that the App put on a check run.
    ///
    /// # Errors
    /// There is no such check run, or no such button on it.
    pub fn press(&self, check_run: u64, identifier: &str, user: &str) -> anyhow::Result<()> {
        let there = self.read(|repository| {
            let run = repository.check_runs.get(&check_run);
            run.is_some_and(|run| run.actions.iter().any(|a| a["identifier"] == identifier))
        })?;
        anyhow::ensure!(there, "check run {check_run} has no button `{identifier}`");
        let more = json!({ "requested_action": { "identifier": identifier } });
        self.click(check_run, "requested_action", user, more)
    }

    fn click(&self, check_run: u64, action: &str, user: &str, more: Value) -> anyhow::Result<()> {
        self.acts(user);
        let run = self.read(|repository| repository.check_runs.get(&check_run).cloned())?;
        let run = run.with_context(|| format!("there is no check run {check_run}"))?;
        self.tell_check_run(&run, action, user, more);
        Ok(())
    }
}

impl CheckWritten {
    fn write_to(self, run: &mut CheckRun, at: jiff::Timestamp) {
        let CheckWritten {
            name,
            external_id,
            details_url,
            status,
            conclusion,
            started_at,
            completed_at,
            output,
            actions,
        } = self;
        run.name = name.unwrap_or_else(|| run.name.clone());
        run.external_id = external_id.or_else(|| run.external_id.take());
        run.details_url = details_url.or_else(|| run.details_url.take());
        run.started_at = started_at.unwrap_or(run.started_at);
        run.actions = actions.unwrap_or_else(|| std::mem::take(&mut run.actions));
        if let Some(status) = status {
            // A run that begins anew has no conclusion any more.
            if status != "completed" {
                (run.conclusion, run.completed_at) = (None, None);
            }
            run.status = status;
        }
        // A conclusion completes the run, whatever status came with it.
        if let Some(conclusion) = conclusion {
            run.conclusion = Some(conclusion);
            run.status = "completed".to_owned();
            run.completed_at = Some(completed_at.unwrap_or(at));
        }
        if let Some(output) = output {
            run.title = output.title;
            run.summary = output.summary;
            run.text = output.text;
            // Annotations are appended, so that more than 50 can be sent in turn.
            run.annotations.extend(output.annotations);
        }
    }
}
