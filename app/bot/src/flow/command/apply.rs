//! `/apply`: releases a held run by naming what it will do, or has a failed one tried again.

use std::collections::BTreeSet;

use anyhow::Context as _;
use landfall_core::command::DigestPrefix;
use landfall_core::name::{CommitSha, EnvironmentName};
use landfall_core::plan::{Digest, Plan};
use landfall_core::report::Waiting;
use landfall_github::PullState;
use landfall_store::{Approval, JobKey, NewJob, PlanScope, Run, RunState};

use super::super::confirm::names;
use super::{Answer, Said};

pub(super) async fn apply(
    said: &Said<'_>,
    environment: Option<EnvironmentName>,
    digest: Option<DigestPrefix>,
) -> anyhow::Result<Answer> {
    let commit = match &said.pull.state {
        PullState::Open => {
            return Ok(Answer::refuse_with(
                "This pull request is open.",
                "Merging it applies it; there is nothing to release before.",
            ));
        }
        PullState::Closed | PullState::Merged { commit: None, .. } => {
            return Ok(Answer::refuse("This pull request was closed without being merged."));
        }
        PullState::Merged { commit: Some(commit), .. } => commit.clone(),
    };
    let mut waiting = said.waiting(environment.as_ref(), &commit).await?;
    if waiting.iter().any(|run| run.state.waits_for_somebody()) {
        waiting.retain(|run| run.state.waits_for_somebody());
    }
    match waiting.as_slice() {
        [] => Ok(Answer::refuse(match environment {
            Some(name) => format!("No run on {name} that brings this waits or has failed."),
            None => "No run of this pull request waits or has failed.".to_owned(),
        })),
        [run] => match run.state {
            RunState::Held => said.release(run, digest.as_ref()).await,
            state if state.may_be_retried() => said.retry(run).await,
            // It is on its way; if its job was given up, it is not any more.
            _ => said.go_on(run).await,
        },
        several => {
            let names: Vec<String> =
                several.iter().map(|run| run.run.environment.to_string()).collect();
            Ok(Answer::refuse_with(
                format!("Several environments wait: {}.", names.join(", ")),
                "Name one: `/apply ENVIRONMENT`.",
            ))
        }
    }
}

impl Said<'_> {
    /// The newest run of each environment, where it brings `commit` and has not succeeded.
    pub(super) async fn waiting(
        &self,
        only: Option<&EnvironmentName>,
        commit: &CommitSha,
    ) -> anyhow::Result<Vec<Run>> {
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        let mut waiting = Vec::new();
        for environment in store.environments(repository).await? {
            if only.is_some_and(|only| *only != environment.name) {
                continue;
            }
            let Some(run) = store.recent_runs(repository, &environment.name, 1).await?.pop() else {
                continue;
            };
            let stands = run.state.waits_for_somebody() || !run.state.is_ended();
            if stands && self.brings(&run, commit).await? {
                waiting.push(run);
            }
        }
        Ok(waiting)
    }

    /// A commit that a person points at by commenting has to be on the branch that the run follows.
    async fn brings(&self, run: &Run, commit: &CommitSha) -> anyhow::Result<bool> {
        let mirror = &self.ground.mirror;
        let known = mirror.has(commit).await? && mirror.has(&run.run.commit).await?;
        Ok(known && mirror.is_ancestor(commit, &run.run.commit).await?)
    }

    async fn release(&self, run: &Run, named: Option<&DigestPrefix>) -> anyhow::Result<Answer> {
        let environment = &run.run.environment;
        if let Some(waiting) = run.waiting.as_ref().filter(|waiting| !waiting.ends_by_a_word()) {
            // What is in the way may have gone meanwhile.
            self.set_going(run).await?;
            return Ok(Answer::refuse_with(
                format!("{environment} waits: {waiting}. Naming a digest does not change that."),
                mending(waiting),
            ));
        }
        let digest = run.plan.as_ref().map(Plan::digest).context("a held run has no plan")?;
        let short = digest.short();
        match named {
            Some(named) if !names(named, &digest) => {
                return Ok(Answer::refuse_with(
                    format!("`{named}` is not what {environment} would do now."),
                    format!(
                        "Look at the plan of the run that waits; its digest begins with `{short}`."
                    ),
                ));
            }
            None if !self.only_one_published(environment, &digest).await? => {
                return Ok(Answer::refuse_with(
                    format!("More than one plan for {environment} was shown here."),
                    format!("Name the one you saw: `/apply {environment} {short}`."),
                ));
            }
            _ => {}
        }
        self.approve(run, digest).await?;
        Ok(Answer::Done)
    }

    async fn approve(&self, run: &Run, digest: Digest) -> anyhow::Result<()> {
        let at = self.house.store.now().await?;
        let approval =
            Approval { digest, by: self.words.author, login: self.words.login.clone(), at };
        self.house.store.approve_run(&self.job.fence, run.run.id, &approval).await?;
        self.audit("apply", Some(&run.run.environment), &format!("digest {digest}")).await?;
        self.set_going(run).await
    }

    /// Without a digest the command can only mean the one plan that was there to be seen.
    async fn only_one_published(
        &self,
        environment: &EnvironmentName,
        digest: &Digest,
    ) -> anyhow::Result<bool> {
        let scope = PlanScope {
            repository: self.ground.repository.id,
            pull: self.pull.number,
            environment: environment.clone(),
        };
        let published = self.house.store.published_digests(&scope, self.words.commented_at).await?;
        Ok(published == BTreeSet::from([*digest]))
    }

    async fn go_on(&self, run: &Run) -> anyhow::Result<Answer> {
        self.audit("go on", Some(&run.run.environment), &run.reason).await?;
        self.set_going(run).await?;
        Ok(Answer::Done)
    }

    async fn retry(&self, run: &Run) -> anyhow::Result<Answer> {
        self.house.store.retry_run(&self.job.fence, run.run.id).await?;
        self.audit("retry", Some(&run.run.environment), &run.reason).await?;
        self.set_going(run).await?;
        Ok(Answer::Done)
    }

    pub(super) async fn set_going(&self, run: &Run) -> anyhow::Result<()> {
        let key = JobKey::Run {
            repository: run.run.repository,
            environment: run.run.environment.clone(),
        };
        let job = NewJob { key, installation: self.job.installation, run_at: None };
        Ok(self.house.store.enqueue(&[job]).await?)
    }
}

/// What helps where no word does.
fn mending(waiting: &Waiting) -> &'static str {
    match waiting {
        Waiting::Guardrail(_) => {
            "The run looks again now. To allow it, change `guardrails` in `landfall.yaml` by a pull request of its own: a merge is also judged by the rules that were applied last."
        }
        _ => {
            "The run looks again now, and goes on when what its comment lists is no longer in the way."
        }
    }
}
