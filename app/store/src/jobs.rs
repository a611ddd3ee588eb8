//! Jobs: work to do, one at a time per key.
//!
//! A job carries nothing but its key: what to do is found out when it runs, so a job that comes
//! late, twice or once for two events does the same. The database keeps three promises with unique
//! indexes, so that a bug in claiming becomes an error and not a second writer:
//! one waiting job per (kind, key), one running job per key, and an epoch that only grows.
//!
//! A worker that dies leaves a claim that expires; the next claim takes the job with a new epoch.
//! One that was only paused finds every write refused.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::name::{
    ActionsEnvironment, BranchName, CommitSha, EnvironmentName, InstallationId, PullNumber,
    RepositoryId,
};

use crate::Result;
use crate::words::{UnknownWord, words};

words!(
    /// What kind of work.
    pub enum JobKind {
        /// Plan a pull request.
        Plan => "plan",
        /// Bring an environment to its commit.
        Run => "run",
        /// Find out which environments follow a branch that moved.
        Branch => "branch",
        /// Plan a group of the merge queue.
        Group => "group",
        /// Answer a workflow that waits before it deploys.
        Protection => "protection",
        /// Read GitHub's delivery log.
        Deliveries => "deliveries",
        /// Find out where the App is installed.
        Installations => "installations",
        /// Find out which repositories an installation is on.
        Repositories => "repositories",
        /// Compare a repository at GitHub with what is known of it.
        Reconcile => "reconcile",
    }
);

/// What is to be done, and the key under which only one job runs at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKey {
    /// Plan a pull request.
    Plan {
        /// Its repository.
        repository: RepositoryId,
        /// Its number.
        pull: PullNumber,
    },
    /// Bring an environment to its commit.
    Run {
        /// The repository.
        repository: RepositoryId,
        /// The environment.
        environment: EnvironmentName,
    },
    /// Find out which environments follow a branch that moved, and have them run.
    Branch {
        /// The repository.
        repository: RepositoryId,
        /// The branch.
        branch: BranchName,
    },
    /// Plan a group of the merge queue.
    Group {
        /// The repository.
        repository: RepositoryId,
        /// The branch that was made for the group.
        branch: BranchName,
    },
    /// Answer a workflow that waits before it deploys.
    Protection {
        /// The repository.
        repository: RepositoryId,
        /// What it asks for.
        request: DeployRequest,
    },
    /// Read GitHub's delivery log, for what never came.
    Deliveries,
    /// Find out where the App is installed.
    Installations,
    /// Find out which repositories an installation is on.
    Repositories {
        /// The installation.
        installation: InstallationId,
    },
    /// Compare a repository at GitHub with what is known of it, and have done what was missed.
    Reconcile {
        /// The repository.
        repository: RepositoryId,
    },
}

/// What a workflow asks for that waits before it deploys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeployRequest {
    /// The environment, as GitHub calls it.
    pub environment: ActionsEnvironment,
    /// The commit that it wants to deploy.
    pub commit: CommitSha,
    /// GitHub's number of its run.
    pub workflow_run: u64,
    /// GitHub's number of the deployment: when the run is tried again, it asks for another one.
    pub deployment: u64,
}

impl fmt::Display for DeployRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, commit, workflow_run, deployment } = self;
        write!(f, "{environment}/{commit}/{workflow_run}/{deployment}")
    }
}

impl DeployRequest {
    /// Reads back what was printed. There may be any character in the name of an environment.
    fn parse(text: &str) -> std::result::Result<Self, UnknownWord> {
        let unknown = || UnknownWord(text.to_owned());
        let parts: Vec<&str> = text.rsplitn(4, '/').collect();
        let [deployment, run, commit, environment] = parts.as_slice() else {
            return Err(unknown());
        };
        Ok(Self {
            environment: environment.parse().map_err(|_| unknown())?,
            commit: commit.parse().map_err(|_| unknown())?,
            workflow_run: run.parse().map_err(|_| unknown())?,
            deployment: deployment.parse().map_err(|_| unknown())?,
        })
    }
}

impl JobKey {
    /// What kind of work it is.
    #[must_use]
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Plan { .. } => JobKind::Plan,
            Self::Run { .. } => JobKind::Run,
            Self::Branch { .. } => JobKind::Branch,
            Self::Group { .. } => JobKind::Group,
            Self::Protection { .. } => JobKind::Protection,
            Self::Deliveries => JobKind::Deliveries,
            Self::Installations => JobKind::Installations,
            Self::Repositories { .. } => JobKind::Repositories,
            Self::Reconcile { .. } => JobKind::Reconcile,
        }
    }

    /// Reads back what [`fmt::Display`] wrote for a job of `kind`.
    pub(crate) fn parse(kind: JobKind, text: &str) -> std::result::Result<Self, UnknownWord> {
        let unknown = || UnknownWord(text.to_owned());
        let number = |text: &str| text.parse::<u64>().map_err(|_| unknown());
        let inside = || {
            let (repository, rest) = text.split_once(['#', '/', '@']).ok_or_else(unknown)?;
            Ok((RepositoryId(number(repository)?), rest))
        };
        Ok(match kind {
            JobKind::Plan => {
                let (repository, pull) = inside()?;
                Self::Plan { repository, pull: PullNumber(number(pull)?) }
            }
            JobKind::Run => {
                let (repository, name) = inside()?;
                Self::Run { repository, environment: name.parse().map_err(|_| unknown())? }
            }
            JobKind::Branch => {
                let (repository, name) = inside()?;
                Self::Branch { repository, branch: name.parse().map_err(|_| unknown())? }
            }
            JobKind::Group => {
                let (repository, name) = inside()?;
                Self::Group { repository, branch: name.parse().map_err(|_| unknown())? }
            }
            JobKind::Protection => {
                let (repository, rest) = inside()?;
                Self::Protection { repository, request: DeployRequest::parse(rest)? }
            }
            JobKind::Deliveries => Self::Deliveries,
            JobKind::Installations => Self::Installations,
            JobKind::Repositories => {
                let id = text.strip_prefix(INSTALLATION).ok_or_else(unknown)?;
                Self::Repositories { installation: InstallationId(number(id)?) }
            }
            JobKind::Reconcile => Self::Reconcile { repository: RepositoryId(number(text)?) },
        })
    }
}

/// What the key of an installation begins with, so that it is never that of a repository.
const INSTALLATION: &str = "installation ";

/// `42#7` for a pull request, `42/production` for an environment, `42@main` for a branch, `42` for a
/// repository, `installation 7`, and a word where there is only one. Kinds that must not run at once
/// share the form, and so the key.
impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan { repository, pull } => write!(f, "{repository}#{pull}"),
            Self::Run { repository, environment } => write!(f, "{repository}/{environment}"),
            Self::Branch { repository, branch } | Self::Group { repository, branch } => {
                write!(f, "{repository}@{branch}")
            }
            Self::Protection { repository, request } => write!(f, "{repository}/{request}"),
            Self::Deliveries | Self::Installations => f.write_str(self.kind().as_str()),
            Self::Repositories { installation } => write!(f, "{INSTALLATION}{installation}"),
            Self::Reconcile { repository } => write!(f, "{repository}"),
        }
    }
}

/// A job's number in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(crate) i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The right to write on behalf of a job: what every write of a job is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence {
    pub(crate) job: JobId,
    pub(crate) epoch: i64,
}

/// Whose turn work takes that nobody waits for: no installation has this number. However many
/// repositories are looked after, what people wait for comes before it as often as after it.
pub const BACKGROUND: InstallationId = InstallationId(0);

/// A job that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What is to be done.
    pub key: JobKey,
    /// Whose turn it takes.
    pub installation: InstallationId,
    /// Not before this; none for at once.
    pub run_at: Option<Timestamp>,
}

/// How jobs are claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimJob {
    /// Who claims: unique per process start, shown to operators.
    pub worker: String,
    /// How long the claim holds without a heartbeat.
    pub lease: Duration,
    /// How often a job is begun before it is given up, even if it never lives to say why.
    pub max_attempts: u32,
}

/// A job that is this worker's now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// What every write of this job is checked against.
    pub fence: Fence,
    /// What is to be done.
    pub key: JobKey,
    /// Whose turn it takes.
    pub installation: InstallationId,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Why the last one failed; none in the first.
    pub error: Option<String>,
}

/// What happens after a failure. The caller has the policy; the store has the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Again, not before this.
    At(Timestamp),
    /// Never by itself.
    Never,
}

/// A job that is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Its number.
    pub id: JobId,
    /// What it was to do.
    pub key: JobKey,
    /// Whose it was.
    pub installation: InstallationId,
    /// How often it was begun.
    pub attempt: u32,
    /// What went wrong last.
    pub error: String,
    /// When it was given up.
    pub at: Timestamp,
}

impl GivenUp {
    /// Whether the worker never lived to say what went wrong, each time. Trying that again by itself
    /// would cost another one.
    #[must_use]
    pub fn killed_its_worker(&self) -> bool {
        self.error.ends_with(NEVER_REPORTED)
    }
}

/// What is noted of a job whose claim expired, behind the worker's name.
pub(crate) const NEVER_REPORTED: &str = "never reported back";

/// Work to do.
#[async_trait]
pub trait Jobs {
    /// Adds jobs. One that waits already under the same kind and key is the same job: it keeps its
    /// place, counts its attempts anew, and runs at the earlier of the two times.
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<()>;

    /// Adds those of the jobs that do not wait already. One that does is left as it is, so that
    /// nobody who only makes sure of it cuts the wait short that somebody else has ordered.
    async fn ensure(&self, jobs: &[NewJob]) -> Result<()>;

    /// Adds a job that comes again and again, if it was not added like this within `every`, and
    /// says how long it is until it may be added the next time. Of all servers that ask, one adds it.
    /// One that was given up before is forgotten: it begins anew.
    async fn recur(&self, job: &NewJob, every: Duration) -> Result<Duration>;

    /// Claims the next job: of the installation with the fewest running jobs, the one that was not
    /// served for longest; of that, the oldest whose key nobody works on and no older job wants.
    /// Expired claims are free again, and given up when they were the last attempt.
    async fn claim_job(&self, claim: &ClaimJob) -> Result<Option<ClaimedJob>>;

    /// Holds the claim for another `lease` from now.
    async fn heartbeat(&self, fence: &Fence, lease: Duration) -> Result<()>;

    /// The job is done.
    async fn complete_job(&self, fence: &Fence) -> Result<()>;

    /// The attempt failed. When the same work is wanted again already, that later job takes its
    /// place and this one is done.
    async fn fail_job(&self, fence: &Fence, error: &str, retry: Retry) -> Result<()>;

    /// Puts the job back as if it had not been begun, at once or not before a time: for a server that
    /// stops, and for work whose turn has not come. How often it was begun before is not forgotten.
    async fn park_job(&self, fence: &Fence, not_before: Option<Timestamp>) -> Result<()>;

    /// The jobs that were given up and not looked at, oldest first.
    async fn given_up(&self) -> Result<Vec<GivenUp>>;

    /// Forgets a job that was given up.
    async fn forget_given_up(&self, id: JobId) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_written() {
        let repository = RepositoryId(42);
        let keys = [
            JobKey::Plan { repository, pull: PullNumber(7) },
            JobKey::Run { repository, environment: "production".parse().unwrap() },
            JobKey::Branch { repository, branch: "feature/a@b#c".parse().unwrap() },
            JobKey::Protection {
                repository,
                request: DeployRequest {
                    environment: "Prod / EU@west#1".parse().unwrap(),
                    commit: "0123456789".repeat(4).parse().unwrap(),
                    workflow_run: 8,
                    deployment: 9,
                },
            },
            JobKey::Deliveries,
            JobKey::Installations,
            JobKey::Repositories { installation: InstallationId(7) },
            JobKey::Reconcile { repository },
        ];
        for key in keys {
            assert_eq!(JobKey::parse(key.kind(), &key.to_string()), Ok(key));
        }
        assert!(JobKey::parse(JobKind::Plan, "42").is_err());
        assert!(JobKey::parse(JobKind::Repositories, "7").is_err());
    }
}
