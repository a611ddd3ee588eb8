//! What rows say, the same for every engine: both have the same columns, and both are read through
//! [`Columns`]. Nothing here asks a database anything.

use std::collections::BTreeMap;

use landfall_core::name::{
    BranchName, CommitSha, InstallationId, PullNumber, RepositoryId, UserId,
};
use landfall_core::plan::{Action, Change, Landed, Owned, Owner, ResourceKey};

use crate::columns::{Columns, unreadable};
use crate::{
    AllowedHead, Applied, Approval, AuditEntry, AuditRow, ClaimedItem, ClaimedJob, Command,
    CommandId, Delivery, DeliveryId, Environment, Fence, GivenUp, Heard, Item, ItemClaim, ItemKey,
    JobId, JobKey, Lock, LogRead, LoggedDelivery, MissedDelivery, NewCommand, NewDelivery, NewPlan,
    NewRun, OwnedResource, Published, Pull, PullState, Repository, Restored, Result, Run, Step,
    StepId, StepState, StoreError, StoredPlan,
};

pub(crate) fn delivery(row: &impl Columns) -> Result<Delivery> {
    let delivery = NewDelivery {
        id: row.text("id")?,
        event: row.text("event")?,
        action: row.maybe_text("action")?,
        installation: row.maybe_number("installation")?.map(InstallationId),
        repository: row.maybe_number("repository")?.map(RepositoryId),
        body: row.bytes("body")?,
        received_at: row.at("received_at")?,
    };
    Ok(Delivery { delivery, attempt: row.small("attempt")? })
}

pub(crate) fn log_read(row: &impl Columns) -> Result<LogRead> {
    Ok(LogRead { after: row.number("read_after")?, to: row.at("read_to")? })
}

pub(crate) fn missed(row: &impl Columns) -> Result<MissedDelivery> {
    let logged = LoggedDelivery {
        id: row.text::<DeliveryId>("id")?,
        attempt: row.number("logged")?,
        redelivery: row.flag("redelivery")?,
        event: row.text("event")?,
        action: row.maybe_text("action")?,
        installation: row.maybe_number("installation")?.map(InstallationId),
        repository: row.maybe_number("repository")?.map(RepositoryId),
    };
    Ok(MissedDelivery { logged, failures: row.small("attempt")?, ready_at: row.at("ready_at")? })
}

fn job_key(row: &impl Columns) -> Result<JobKey> {
    JobKey::parse(row.text("kind")?, row.str("key")?).map_err(|error| unreadable("key", error))
}

pub(crate) fn claimed_job(row: &impl Columns) -> Result<ClaimedJob> {
    Ok(ClaimedJob {
        fence: Fence { job: JobId(row.whole("id")?), epoch: row.whole("epoch")? },
        key: job_key(row)?,
        installation: InstallationId(row.number("installation")?),
        attempt: row.small("attempt")?,
        error: row.maybe_text("error")?,
    })
}

pub(crate) fn given_up(row: &impl Columns) -> Result<GivenUp> {
    Ok(GivenUp {
        id: JobId(row.whole("id")?),
        key: job_key(row)?,
        installation: InstallationId(row.number("installation")?),
        attempt: row.small("attempt")?,
        error: row.maybe_text("error")?.unwrap_or_default(),
        at: row.at("changed_at")?,
    })
}

pub(crate) fn command(row: &impl Columns) -> Result<Command> {
    let command = NewCommand {
        id: CommandId { source: row.text("source")?, index: row.small("idx")? },
        repository: RepositoryId(row.number("repository")?),
        pull: PullNumber(row.number("pull")?),
        author: UserId(row.number("author")?),
        login: row.text("login")?,
        text: row.text("text")?,
        said: row.maybe_text("said")?,
        commented_at: row.at("commented_at")?,
    };
    let (received_at, meant) = (row.at("received_at")?, row.maybe_text("meant")?);
    Ok(Command { command, received_at, meant })
}

pub(crate) fn heard(row: &impl Columns) -> Result<Heard> {
    Ok(Heard {
        id: CommandId { source: row.text("source")?, index: row.small("idx")? },
        author: UserId(row.number("author")?),
        received_at: row.at("received_at")?,
        outcome: row.maybe_text("outcome")?,
    })
}

pub(crate) fn lock(row: &impl Columns) -> Result<Lock> {
    Ok(Lock {
        repository: RepositoryId(row.number("repository")?),
        environment: row.text("environment")?,
        command: CommandId { source: row.text("source")?, index: row.small("idx")? },
        pull: PullNumber(row.number("pull")?),
        by: UserId(row.number("by")?),
        login: row.text("login")?,
        reason: row.text("reason")?,
        at: row.at("at")?,
    })
}

pub(crate) fn allowed_head(row: &impl Columns) -> Result<AllowedHead> {
    Ok(AllowedHead {
        repository: RepositoryId(row.number("repository")?),
        pull: PullNumber(row.number("pull")?),
        head: row.text("head")?,
        base: row.text("base")?,
        command: CommandId { source: row.text("source")?, index: row.small("idx")? },
        by: UserId(row.number("by")?),
        login: row.text("login")?,
        at: row.at("at")?,
    })
}

pub(crate) fn repository(row: &impl Columns) -> Result<Repository> {
    Ok(Repository {
        id: RepositoryId(row.number("id")?),
        name: row.text("name")?,
        installation: InstallationId(row.number("installation")?),
        default_branch: row.text("default_branch")?,
        active: row.flag("active")?,
    })
}

fn applied(row: &impl Columns) -> Result<Option<Applied>> {
    let Some(run) = row.maybe_text("last_run")? else { return Ok(None) };
    Ok(Some(Applied {
        run,
        commit: row.text("last_commit")?,
        config_digest: row.text("last_config")?,
        rules: row.maybe_text("last_rules")?,
        at: row.at("last_at")?,
    }))
}

pub(crate) fn environment(row: &impl Columns) -> Result<Environment> {
    Ok(Environment {
        repository: RepositoryId(row.number("repository")?),
        name: row.text("name")?,
        branch: row.maybe_text("branch")?,
        offered: row.maybe_text("offered")?,
        bootstrapped_at: row.maybe_at("bootstrapped_at")?,
        last: applied(row)?,
        restored: row.maybe_at("restored_at")?,
    })
}

/// The rows of `pushed` of one repository.
pub(crate) fn heads(rows: &[impl Columns]) -> Result<BTreeMap<BranchName, CommitSha>> {
    rows.iter().map(|row| Ok((row.text("branch")?, row.text("head")?))).collect()
}

/// The columns of a pull request's state: the word, and the merge if it was merged.
fn pull_state(row: &impl Columns) -> Result<PullState> {
    match row.str("state")? {
        "open" => Ok(PullState::Open),
        "closed" => Ok(PullState::Closed),
        "merged" => Ok(PullState::Merged {
            at: row.at("merged_at")?,
            commit: row.text("merge_commit")?,
            by: row.maybe_number("merged_by")?.map(UserId),
        }),
        other => Err(unreadable("state", other)),
    }
}

pub(crate) fn pull(row: &impl Columns) -> Result<Pull> {
    Ok(Pull {
        repository: RepositoryId(row.number("repository")?),
        number: PullNumber(row.number("number")?),
        head: row.text("head")?,
        head_repository: row.maybe_number("head_repository")?.map(RepositoryId),
        base: row.text("base")?,
        author: UserId(row.number("author")?),
        state: pull_state(row)?,
        updated_at: row.at("updated_at")?,
    })
}

pub(crate) fn plan(row: &impl Columns) -> Result<StoredPlan> {
    let plan = NewPlan {
        id: row.text("id")?,
        repository: RepositoryId(row.number("repository")?),
        pull: row.maybe_number("pull")?.map(PullNumber),
        head: row.text("head")?,
        base: row.text("base")?,
        tree: row.text("tree")?,
        config_digest: row.text("config_digest")?,
        provisional: row.flag("provisional")?,
        plan: row.json("plan")?,
    };
    let published = match (row.maybe_at("published_at")?, row.maybe_number("published_subject")?) {
        (Some(at), Some(subject)) => Some(Published { at, subject }),
        _ => None,
    };
    Ok(StoredPlan {
        plan,
        digest: row.text("digest")?,
        changes: row.json("changes")?,
        created_at: row.at("created_at")?,
        published,
    })
}

/// A run without its approvals, which are rows of their own.
pub(crate) fn run(row: &impl Columns) -> Result<Run> {
    let run = NewRun {
        id: row.text("id")?,
        repository: RepositoryId(row.number("repository")?),
        environment: row.text("environment")?,
        commit: row.text("commit_sha")?,
        config_digest: row.text("config_digest")?,
        rules: row.maybe_text("rules")?,
        trigger: row.text("cause")?,
    };
    Ok(Run {
        run,
        state: row.text("state")?,
        reason: row.text("reason")?,
        waiting: row.maybe_json("waiting")?,
        plan: row.maybe_json("plan")?,
        approvals: Vec::new(),
        attempt: row.small("attempt")?,
        stop: row.maybe_text("stop")?,
        created_at: row.at("created_at")?,
        started_at: row.maybe_at("started_at")?,
        ended_at: row.maybe_at("ended_at")?,
    })
}

pub(crate) fn approval(row: &impl Columns) -> Result<Approval> {
    let (by, login) = (UserId(row.number("by")?), row.text("login")?);
    Ok(Approval { digest: row.text("digest")?, by, login, at: row.at("at")? })
}

pub(crate) fn step(row: &impl Columns) -> Result<Step> {
    Ok(Step {
        id: StepId { run: row.text("run")?, index: row.small("idx")? },
        repository: RepositoryId(row.number("repository")?),
        environment: row.text("environment")?,
        effect: row.json("effect")?,
        lease_epoch: row.maybe_whole("lease_epoch")?,
        state: row.text("state")?,
        message: row.text("message")?,
        intended_at: row.at("intended_at")?,
        ended_at: row.maybe_at("ended_at")?,
    })
}

/// What a step is once it was read back.
pub(crate) fn state_after(landed: &[Landed]) -> StepState {
    if landed.contains(&Landed::Foreign) {
        StepState::Attention
    } else if landed.iter().all(|landed| *landed == Landed::After) {
        StepState::Done
    } else {
        StepState::Failed
    }
}

/// Part of a change is there. What came into being is ours, so that it can be finished; what was
/// to go is not gone.
pub(crate) fn is_ours_in_part(change: &Change) -> bool {
    !matches!(change.action, Action::Delete | Action::Release | Action::Forget)
}

/// How much of a change a step did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    Part,
}

pub(crate) fn resource(row: &impl Columns) -> Result<OwnedResource> {
    let key = ResourceKey {
        target: row.text("target")?,
        name: row.text("name")?,
        rtype: row.text("type")?,
    };
    let owner =
        Owner { repository: RepositoryId(row.number("repository")?), unit: row.text("unit")? };
    let owned = Owned { owner, value: row.json("value")?, ids: row.json("ids")? };
    Ok(OwnedResource { key, owned, run: row.text("run")? })
}

/// Nobody takes or gives away what belongs to somebody else: the unit itself has it, or the one
/// that hands it over, or nobody.
pub(crate) fn check_owner(repository: RepositoryId, change: &Change, owner: Owner) -> Result<()> {
    let ours = owner.repository == repository
        && (owner.unit == change.unit || change.from.as_ref() == Some(&owner.unit));
    if ours {
        return Ok(());
    }
    Err(StoreError::OwnedElsewhere { key: Box::new(change.key.clone()), owner: Box::new(owner) })
}

pub(crate) fn claimed_item(row: &impl Columns) -> Result<ClaimedItem> {
    let key = ItemKey {
        installation: InstallationId(row.number("installation")?),
        repository: RepositoryId(row.number("repository")?),
        kind: row.text("kind")?,
        subject: row.text("subject")?,
    };
    Ok(ClaimedItem {
        claim: ItemClaim {
            id: row.whole("id")?,
            version: row.whole("version")?,
            epoch: row.whole("epoch")?,
        },
        item: Item { key, body: row.json("body")?, priority: row.small("priority")? },
        external: row.json("external")?,
        attempt: row.small("attempt")?,
        uncertain: row.flag("uncertain")?,
    })
}

pub(crate) fn restored(row: &impl Columns) -> Result<Restored> {
    Ok(Restored {
        at: row.at("at")?,
        taken_at: row.at("taken_at")?,
        followed_up: row.flag("followed_up")?,
    })
}

pub(crate) fn audit(row: &impl Columns) -> Result<AuditRow> {
    let entry = AuditEntry {
        who: row.text("who")?,
        what: row.text("what")?,
        repository: RepositoryId(row.number("repository")?),
        environment: row.maybe_text("environment")?,
        digest: row.maybe_text("digest")?,
        why: row.text("why")?,
    };
    Ok(AuditRow { at: row.at("at")?, entry })
}
