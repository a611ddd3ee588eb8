//! Reports: everything that a comment or a terminal says, as data.
//!
//! The flows fill them, the views shape them for the templates. Nothing here is escaped or worded
//! for one medium; everything here may have come from a repository or a provider.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::coverage::Uncovered;
use crate::diagnostic::Diagnostic;
use crate::guardrail::Violation;
use crate::label::Label;
use crate::name::{
    BranchName, CommitSha, ConfigPath, DnsName, EnvironmentName, KindName, PullNumber, ServiceName,
};
use crate::plan::{Change, Digest, Needs, Plan, Ranks, ResourceKey, Target};
use crate::view::plural;
use crate::way::{Exposure, Way};
use crate::weakness::Weakness;

/// What a pull request's comment says.
#[derive(Debug, Clone)]
pub struct PullReport {
    /// The pull request.
    pub pull: PullNumber,
    /// The head that was planned.
    pub head: CommitSha,
    /// The branch it will be merged into.
    pub base: BranchName,
    /// Whether it is a draft, which nobody can merge yet.
    pub draft: bool,
    /// What came of it.
    pub outcome: PullOutcome,
    /// What `landfall.yaml` of this pull request would change once it is on the default branch.
    pub config_note: Option<String>,
    /// What somebody wants to look at; none leaves it to the length of the plan.
    pub opened: Option<Opened>,
    /// What is weak about how the base is guarded.
    pub weaknesses: Vec<Weakness>,
}

/// What is opened in a comment and not folded. The plan is whole all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Only this environment; all without.
    pub environment: Option<EnvironmentName>,
    /// Only these services; all when there is none.
    pub services: Vec<ServiceName>,
    /// Only services with a change of one of these components; all when there is none.
    pub kinds: Vec<KindName>,
}

/// What came of planning a pull request.
#[derive(Debug, Clone)]
pub enum PullOutcome {
    /// The configuration has errors; no plan was made for any environment.
    Invalid(Vec<Diagnostic>),
    /// Head and base cannot be merged.
    Conflicted(Vec<ConfigPath>),
    /// Nothing that Landfall looks after changes.
    Unconcerned,
    /// A label says that it is not to be planned.
    Skipped,
    /// One report for each environment that is planned.
    Planned {
        /// What the checks warn of.
        warnings: Vec<Diagnostic>,
        /// The environments, in the order of the repository config.
        environments: Vec<EnvironmentReport>,
    },
}

impl PullOutcome {
    /// Whether something is not planned because nobody who may has read the head.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        match self {
            Self::Planned { environments, .. } => {
                environments.iter().any(EnvironmentReport::is_unread)
            }
            Self::Invalid(_) | Self::Conflicted(_) | Self::Unconcerned | Self::Skipped => false,
        }
    }
}

/// One environment's part of a comment.
#[derive(Debug, Clone)]
pub struct EnvironmentReport {
    /// The environment.
    pub environment: EnvironmentName,
    /// The branch that it follows.
    pub branch: Option<BranchName>,
    /// The plan, or why there is none: a provider that cannot be asked, in words fit for a comment.
    pub plan: Result<Plan, String>,
    /// What the plan is shown by.
    pub legend: Legend,
    /// What happens next.
    pub next: NextStep,
    /// The ways of public routes on which something changes.
    pub ways: Vec<Way>,
    /// What becomes public and what stops being so.
    pub exposure: Exposure,
    /// Limits that the plan passes.
    pub violations: Vec<Violation>,
    /// What is declared otherwise, where no provider is asked.
    pub declares: Vec<Declares>,
}

/// What a service comes to otherwise than before, by its files alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declares {
    /// The service.
    pub service: ServiceName,
    /// Whether it was not there before.
    pub is_new: bool,
    /// Whether it is not there any more.
    pub is_gone: bool,
    /// The lines of its effective config that come and go, each with `+`, `-` or a space before it,
    /// and those around them.
    pub lines: Vec<String>,
}

impl EnvironmentReport {
    /// Whether there is anything in it that people should read.
    #[must_use]
    pub fn says_something(&self) -> bool {
        self.plan.as_ref().map_or(true, |plan| !plan.is_empty())
    }

    /// Whether it is not planned because nobody who may has read the head.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.next == NextStep::NotPlanned
    }

    /// Whether the environment was never applied, so that everything in it is planned.
    #[must_use]
    pub fn is_first(&self) -> bool {
        matches!(self.next, NextStep::MergeThenApply(Waiting::Bootstrap))
    }
}

/// What it takes to show a plan as it is carried out.
#[derive(Debug, Clone, Default)]
pub struct Legend {
    /// Where each provider stands in the order of changes.
    pub ranks: Ranks,
    /// Which services each service needs.
    pub needs: Needs,
    /// Which zone is behind a target: two zones may have a record of one name.
    pub zones: BTreeMap<Target, DnsName>,
}

/// What happens next in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing changes there.
    Nothing,
    /// Merging applies the plan.
    Merge,
    /// The pull request is for another branch: a later merge into this environment's branch applies it.
    MergeLater,
    /// Merging starts a run that waits for `/apply` with the digest, and why.
    MergeThenApply(Waiting),
    /// Something has to be mended first.
    Mend,
    /// It is not planned before somebody who may has read it and names its head. Merged without that, the
    /// run waits for somebody to name its digest.
    NotPlanned,
    /// A run holds what this plan is about; it is planned again when the run ends.
    Provisional,
    /// Only the command line applies here.
    CommandLine,
}

/// What a run waits for. Printed as the end of a sentence: `production waits: this is its first run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// The environment never ran.
    Bootstrap,
    /// The environment did not run since the store was restored from a backup.
    Restored,
    /// Something that exists becomes ours.
    Adopts(Vec<ResourceKey>),
    /// Something of ours is left where it is, because nothing leads there any more.
    Forgets(Vec<ResourceKey>),
    /// What would happen is not what was reviewed.
    Differs {
        /// Would happen and was not reviewed.
        extra: Vec<Change>,
        /// Was reviewed and would not happen so.
        missing: Vec<Change>,
    },
    /// No plan of what was merged stood on its pull request when that was merged.
    Late,
    /// The commit came to the branch without a pull request.
    Pushed,
    /// A unit has conflicts, so not everything that was merged can be applied.
    Conflicts,
    /// A limit is passed.
    Guardrail(Vec<Violation>),
    /// The limits were loosened, and the ones that were applied last are passed.
    Loosened(Vec<Violation>),
    /// The commit is not one that the environment simply goes on to.
    Branch(Detour),
    /// Pull requests that are brought along have the label that says so.
    Label(Vec<PullNumber>),
    /// Somebody keeps every run of the environment from beginning.
    Locked {
        /// Their login then.
        by: String,
        /// Why, in their words; empty when they said nothing.
        reason: String,
    },
}

impl Waiting {
    /// Whether naming the digest of what would happen lets the run go. What stands in the way of a
    /// plan has to be mended, and no digest passes a guardrail.
    #[must_use]
    pub fn ends_by_a_word(&self) -> bool {
        match self {
            Self::Bootstrap
            | Self::Restored
            | Self::Adopts(_)
            | Self::Forgets(_)
            | Self::Differs { .. }
            | Self::Late
            | Self::Pushed
            | Self::Loosened(_)
            | Self::Branch(_)
            | Self::Label(_) => true,
            Self::Conflicts | Self::Guardrail(_) | Self::Locked { .. } => false,
        }
    }

    /// The limits that it is about.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Guardrail(violations) | Self::Loosened(violations) => violations,
            _ => &[],
        }
    }
}

impl From<Uncovered> for Waiting {
    fn from(uncovered: Uncovered) -> Self {
        match uncovered {
            Uncovered::Bootstrap => Self::Bootstrap,
            Uncovered::Restored => Self::Restored,
            Uncovered::Adopts(keys) => Self::Adopts(keys),
            Uncovered::Forgets(keys) => Self::Forgets(keys),
            Uncovered::Differs { extra, missing } => Self::Differs { extra, missing },
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources = |keys: &[ResourceKey]| plural(keys.len(), "resource", "resources");
        match self {
            Self::Bootstrap => f.write_str("this is its first run"),
            Self::Restored => f.write_str(
                "Landfall was restored from a backup, and what was reviewed before does not count",
            ),
            Self::Adopts(keys) => write!(f, "{} that exists becomes ours", resources(keys)),
            Self::Forgets(keys) => {
                write!(f, "{} of ours stays behind where nothing leads any more", resources(keys))
            }
            Self::Differs { .. } => f.write_str("what would happen is not what was reviewed"),
            Self::Late => f.write_str("no plan was published before this was merged"),
            Self::Pushed => f.write_str("this was pushed without a pull request"),
            Self::Conflicts => f.write_str("something is in the way"),
            Self::Guardrail(_) => f.write_str("a guardrail is passed"),
            Self::Loosened(_) => {
                f.write_str("a guardrail is passed that held when it was applied last")
            }
            Self::Branch(detour) => detour.fmt(f),
            Self::Label(pulls) => {
                let pulls: Vec<String> = pulls.iter().map(ToString::to_string).collect();
                let (who, has) = match pulls.len() {
                    1 => ("pull request", "has"),
                    _ => ("pull requests", "have"),
                };
                let label = Label::Hold.as_str();
                write!(f, "{who} {} {has} the label {label}", pulls.join(", "))
            }
            Self::Locked { by, reason } if reason.is_empty() => write!(f, "locked by {by}"),
            Self::Locked { by, reason } => write!(f, "locked by {by} ({reason})"),
        }
    }
}

/// How a commit lies beside the way that its environment goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detour {
    /// The branch no longer holds the commit that was applied last: it was forced.
    Forced {
        /// The branch.
        branch: BranchName,
        /// What was applied last.
        from: CommitSha,
    },
    /// The commit is on another branch than the one that the environment follows.
    Switch {
        /// The branch that it follows.
        from: BranchName,
        /// The branch that it would follow from then on.
        to: BranchName,
    },
}

impl fmt::Display for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forced { branch, from } => {
                write!(f, "{branch} was forced away from {}", from.short())
            }
            Self::Switch { from, to } => write!(f, "it follows {from}, and would follow {to}"),
        }
    }
}

/// What a run's comment, check and deployment say.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The environment.
    pub environment: EnvironmentName,
    /// The commit it brings.
    pub commit: CommitSha,
    /// The branch.
    pub branch: BranchName,
    /// The plan's digest.
    pub digest: Option<Digest>,
    /// What is planned or was done.
    pub plan: Option<Plan>,
    /// What the plan is shown by.
    pub legend: Legend,
    /// Where it stands.
    pub stage: RunStage,
    /// What was done, step by step.
    pub steps: Vec<StepReport>,
    /// Changes that nobody reviewed and that were applied because the environment says so.
    pub unreviewed: Vec<Change>,
    /// Units that were left out, each with the reason.
    pub left_out: Vec<(String, String)>,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStage {
    /// It has begun.
    Running,
    /// It waits for a person.
    Held(Waiting),
    /// Everything is as the commit says.
    Succeeded,
    /// Some steps failed; what was done stays done.
    Failed(String),
    /// The same, and nothing can be tried again: its environment is not in the rules any more.
    Orphaned(String),
    /// The configuration at the commit has errors, so nothing was planned. Trying again finds the same.
    Invalid(Vec<Diagnostic>),
    /// The outcome of a step is not known and reading back did not settle it.
    NeedsAttention(String),
    /// A newer commit took its place before it began.
    Superseded(CommitSha),
    /// Somebody cancelled it.
    Cancelled(String),
}

/// One step as told to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// Which services it was for.
    pub services: Vec<ServiceName>,
    /// What it changed.
    pub changes: Vec<Change>,
    /// How it ended.
    pub result: StepResult,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// Done.
    Done,
    /// Refused; nothing changed.
    Failed(String),
    /// What lives was not what was planned for; nothing was sent.
    Moved(String),
    /// Nobody knows.
    Unknown(String),
    /// Not tried, because something before it failed.
    Skipped,
}
