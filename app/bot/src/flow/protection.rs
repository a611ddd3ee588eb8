//! Workflows of GitHub Actions that deploy to an environment of the same name, and wait for our word
//! before: Landfall can be a deployment protection rule there.
//!
//! What a workflow brings may go out once the environment has what its commit declares, and not if the
//! run that was to bring it did not succeed. As long as that run is to come, is under way or held, the
//! workflow waits. That it waits is written down before the runs are looked at, and a run that has ended
//! looks for those who wait, so none is missed.
//!
//! GitHub asks only where Landfall was made a rule of the environment, and would wait for a month. So
//! whatever is asked is answered, also for an environment that is none of ours and where the work was given
//! up. GitHub's names are any text and not case sensitive: `Production` is our `production`.

use landfall_core::markdown::code_span;
use landfall_core::name::{CommitSha, EnvironmentName, RepositoryId};
use landfall_github::deployment::Verdict;
use landfall_repo::Wanted;
use landfall_store::{ClaimedJob, DeployRequest, RunState};

use super::Ended;
use super::announce::Board;
use super::ground::{Ground, findings};
use super::run::leads_to;
use crate::house::House;
use crate::publish::body::ProtectionAnswer;

/// Answers a workflow, if that can be done yet.
///
/// # Errors
/// The store, GitHub or git could not be asked.
pub async fn protection(
    house: &House,
    job: &ClaimedJob,
    repository: RepositoryId,
    request: &DeployRequest,
) -> anyhow::Result<Ended> {
    let Some(ground) = Ground::open(house, repository).await? else { return Ok(Ended::Done) };
    let ground = ground.fetch(&[Wanted::AllBranches]).await?;
    let board = Board::of(house, job, repository);
    board.protection(request, None).await?;
    let answer = answer(house, &ground, request).await?;
    if answer.is_some() {
        board.protection(request, answer).await?;
    }
    Ok(Ended::Done)
}

/// Stops a workflow about which nothing could be found out, with the reason.
///
/// # Errors
/// The store could not be asked or written to.
pub async fn given_up(
    board: &Board<'_>,
    request: &DeployRequest,
    (attempts, why): (u32, &str),
) -> anyhow::Result<()> {
    let asked = code_span(request.environment.as_str());
    let text = format!(
        "Whether {asked} is at `{}` could not be found out, and Landfall has stopped trying after {attempts} \
         attempts: {}. Run this job again once that is mended.",
        request.commit.short(),
        code_span(why)
    );
    board.protection(request, rejected(text)).await
}

fn rejected(why: String) -> Option<ProtectionAnswer> {
    Some(ProtectionAnswer { verdict: Verdict::Rejected, why })
}

async fn answer(
    house: &House,
    ground: &Ground,
    request: &DeployRequest,
) -> anyhow::Result<Option<ProtectionAnswer>> {
    let (store, repository) = (&house.store, ground.repository.id);
    let commit = &request.commit;
    let short = commit.short();
    let rules = match ground.rules(house).await {
        Ok(rules) => rules,
        Err(error) => {
            findings(error)?;
            return Ok(rejected("The rules on the default branch cannot be read.".to_owned()));
        }
    };
    let mut ours = rules.config.environments.iter();
    let Some((name, environment)) = ours.find(|(name, _)| request.environment.is(name)) else {
        return Ok(rejected(unknown(request, rules.config.environments.keys())));
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

/// What to do about an environment of Actions that is none of ours.
fn unknown<'a>(request: &DeployRequest, ours: impl Iterator<Item = &'a EnvironmentName>) -> String {
    let ours: Vec<String> = ours.map(|name| format!("`{name}`")).collect();
    format!(
        "Landfall looks after no environment {}: here there are {}. Have the workflow deploy to one of these, \
         or take Landfall off the protection rules of that environment: Settings, Environments of the \
         repository.",
        code_span(request.environment.as_str()),
        ours.join(", ")
    )
}

/// Whether `commit` is in what `tip` stands for.
async fn brings(ground: &Ground, tip: &CommitSha, commit: &CommitSha) -> anyhow::Result<bool> {
    let mirror = &ground.mirror;
    let known = mirror.has(tip).await? && mirror.has(commit).await?;
    Ok(known && (tip == commit || mirror.is_ancestor(commit, tip).await?))
}
