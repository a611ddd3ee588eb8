//! `/apply`: releases a held run by naming what it will do, or has a failed one tried again.

use std::collections::BTreeSet;

use anyhow::Context as _;
use landfall_core::command::{Apply, DigestPrefix};
use landfall_core::name::{CommitSha, EnvironmentName};
use landfall_core::plan::{Digest, Plan};
use landfall_core::report::Waiting;
use landfall_github::PullState;
use landfall_store::{Approval, JobKey, NewJob, Run, RunState};

use super::super::confirm::names;
use super::{Answer, Said, lock};

pub(super) async fn apply(
    said: &Said<'_>,
    command: Apply,
    environments: &[EnvironmentName],
) -> anyhow::Result<Answer> {
    let Apply { environment, digest } = command;
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
    let named_there = |name: &EnvironmentName| {
        said.standing.config().is_some_and(|rules| rules.environments.contains_key(name))
    };
    if let Some(gone) = environments.iter().find(|name| !named_there(name)) {
        let branch = &said.ground.repository.default_branch;
        return Ok(Answer::refuse_with(
            format!("{gone} is not in `landfall.yaml` on {branch}, so nothing is applied there."),
            "Put it back there first. What was applied stays as it is, and stays owned.",
        ));
    }
    let mut waiting = said.waiting(environments, &commit).await?;
    if waiting.iter().any(|run| run.state.waits_for_somebody()) {
        waiting.retain(|run| run.state.waits_for_somebody());
    }
    if let Some(digest) = &digest {
        chosen_by(digest, &mut waiting);
    }
    match waiting.as_slice() {
        [] => Ok(Answer::refuse(match environment {
            Some(name) => format!("No run on {name} that brings this waits or has failed."),
            None => "No run of this pull request waits or has failed.".to_owned(),
        })),
        [run] => match said.kept_back(run).await? {
            Some(refusal) => Ok(refusal),
            None => said.let_go(run, digest.as_ref()).await,
        },
        several => Ok(several_wait(several, digest.as_ref())),
    }
}

/// Several environments could be meant, and no digest says which.
fn several_wait(runs: &[Run], digest: Option<&DigestPrefix>) -> Answer {
    let Some(digest) = digest else { return Answer::several(runs, "apply") };
    let names: Vec<String> = runs.iter().map(|run| run.run.environment.to_string()).collect();
    Answer::refuse_with(
        format!("`{digest}` does not say which of {} is meant.", names.join(", ")),
        "Look at the plans of the runs that wait, and name one by its digest.",
    )
}

/// Of several runs that wait, the one with the plan that is named, if it is of one alone.
fn chosen_by(digest: &DigestPrefix, waiting: &mut Vec<Run>) {
    let is_named = |run: &Run| {
        let plan = run.plan.as_ref().filter(|_| run.state == RunState::Held);
        plan.is_some_and(|plan| names(digest, &plan.digest()))
    };
    if waiting.iter().filter(|run| is_named(run)).count() == 1 {
        waiting.retain(is_named);
    }
}

impl Said<'_> {
    /// Who holds the lock under which a run cannot begin.
    async fn kept_back(&self, run: &Run) -> anyhow::Result<Option<Answer>> {
        let environment = &run.run.environment;
        if matches!(run.state, RunState::Running | RunState::Verifying) {
            return Ok(None);
        }
        let lock = self.house.store.lock_on(run.run.repository, environment).await?;
        Ok(lock.map(|lock| {
            Answer::refuse_with(
                format!("{environment} is {}.", lock::waiting(&lock)),
                format!("`/unlock {environment}` takes the lock off."),
            )
        }))
    }

    async fn let_go(&self, run: &Run, digest: Option<&DigestPrefix>) -> anyhow::Result<Answer> {
        match run.state {
            RunState::Held => self.release(run, digest).await,
            state if state.may_be_retried() => self.retry(run).await,
            // It is on its way; if its job was given up, it is not any more.
            _ => self.go_on(run).await,
        }
    }

    /// The newest run of each of these environments, where it brings `commit` and has not succeeded.
    pub(super) async fn waiting(
        &self,
        environments: &[EnvironmentName],
        commit: &CommitSha,
    ) -> anyhow::Result<Vec<Run>> {
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        let mut waiting = Vec::new();
        for environment in store.environments(repository).await? {
            if !environments.contains(&environment.name) {
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
            self.set_going(&run.run.environment).await?;
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
        self.approve(run, digest).await
    }

    async fn approve(&self, run: &Run, digest: Digest) -> anyhow::Result<Answer> {
        let at = self.house.store.now().await?;
        let approval =
            Approval { digest, by: self.words.author, login: self.words.login.clone(), at };
        self.house.store.approve_run(&self.job.fence, run.run.id, &approval).await?;
        self.set_going(&run.run.environment).await?;
        Ok(Answer::done("apply", run, format!("digest {digest}")))
    }

    /// Without a digest the command can only mean the one plan that was there to be seen.
    async fn only_one_published(
        &self,
        environment: &EnvironmentName,
        digest: &Digest,
    ) -> anyhow::Result<bool> {
        let scope = self.scope(environment);
        let published = self.house.store.published_digests(&scope, self.words.commented_at).await?;
        Ok(published == BTreeSet::from([*digest]))
    }

    async fn go_on(&self, run: &Run) -> anyhow::Result<Answer> {
        self.set_going(&run.run.environment).await?;
        Ok(Answer::done("go on", run, &run.reason))
    }

    async fn retry(&self, run: &Run) -> anyhow::Result<Answer> {
        self.house.store.retry_run(&self.job.fence, run.run.id).await?;
        self.set_going(&run.run.environment).await?;
        Ok(Answer::done("retry", run, &run.reason))
    }

    pub(super) async fn set_going(&self, environment: &EnvironmentName) -> anyhow::Result<()> {
        let repository = self.ground.repository.id;
        let key = JobKey::Run { repository, environment: environment.clone() };
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
