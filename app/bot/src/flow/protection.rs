//! Workflows of GitHub Actions that deploy to an environment of the same name, and wait for our word
//! before: Landfall can be a deployment protection rule there.
//!
//! What a workflow brings may go out once the environment has what its commit declares, and not if the
//! run that was to bring it did not succeed. As long as that run is to come, is under way or held, the
//! workflow waits. That it waits is written down before the runs are looked at, and a run that has ended
//! looks for those who wait, so none is missed.

use landfall_core::name::{CommitSha, EnvironmentName, RepositoryId};
use landfall_github::deployment::Verdict;
use landfall_repo::Wanted;
use landfall_store::{ClaimedJob, RunState};

use super::Ended;
use super::announce::Board;
use super::ground::{Ground, findings};
use super::run::leads_to;
use crate::house::House;
use crate::publish::body::{ProtectionAnswer, ProtectionBody};

/// Answers a workflow, if that can be done yet.
///
/// # Errors
/// The store, GitHub or git could not be asked.
pub async fn protection(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    (environment, commit, workflow_run): (&EnvironmentName, &CommitSha, u64),
) -> anyhow::Result<Ended> {
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    let ground = ground.fetch(&[Wanted::AllBranches]).await?;
    let board = Board::of(house, job, repository);
    let mut body = ProtectionBody {
        environment: environment.clone(),
        commit: commit.clone(),
        workflow_run,
        answer: None,
    };
    board.protection(&body).await?;
    body.answer = answer(house, &ground, environment, commit).await?;
    if body.answer.is_some() {
        board.protection(&body).await?;
    }
    Ok(Ended::Done)
}

fn rejected(why: String) -> Option<ProtectionAnswer> {
    Some(ProtectionAnswer { verdict: Verdict::Rejected, why })
}

async fn answer(
    house: &House,
    ground: &Ground,
    name: &EnvironmentName,
    commit: &CommitSha,
) -> anyhow::Result<Option<ProtectionAnswer>> {
    let (store, repository) = (&house.store, ground.repository.id);
    let short = commit.short();
    let rules = match ground.rules(house).await {
        Ok(rules) => rules,
        Err(error) => {
            findings(error)?;
            return Ok(rejected("The rules on the default branch cannot be read.".to_owned()));
        }
    };
    let Some(environment) = rules.config.environments.get(name) else {
        return Ok(rejected(format!("Landfall looks after no environment `{name}`.")));
    };
    let row = store.environment(repository, name).await?;
    if let Some(last) = row.as_ref().and_then(|row| row.last.as_ref())
        && brings(ground, &last.commit, commit).await?
    {
        let why = format!("Everything that `{short}` declares for `{name}` is applied.");
        return Ok(Some(ProtectionAnswer { verdict: Verdict::Approved, why }));
    }
    if let Some(run) = store.recent_runs(repository, name, 1).await?.pop()
        && brings(ground, &run.run.commit, commit).await?
    {
        return Ok(match run.state {
            RunState::Queued | RunState::Held | RunState::Running | RunState::Verifying => None,
            state => {
                let at = run.run.commit.short();
                rejected(format!("The run on `{name}` at `{at}` did not succeed: {state}."))
            }
        });
    }
    for tip in leads_to(ground, environment, row.as_ref()) {
        if brings(ground, &tip, commit).await? {
            // Its run is to come.
            return Ok(None);
        }
    }
    Ok(rejected(format!("`{short}` is not on the branch that `{name}` follows.")))
}

/// Whether `commit` is in what `tip` stands for.
async fn brings(ground: &Ground, tip: &CommitSha, commit: &CommitSha) -> anyhow::Result<bool> {
    let mirror = &ground.mirror;
    let known = mirror.has(tip).await? && mirror.has(commit).await?;
    Ok(known && (tip == commit || mirror.is_ancestor(commit, tip).await?))
}
