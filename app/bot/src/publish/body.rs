//! What the outbox holds, as it stands in the store: plain data that an older version could read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use landfall_core::button::Button;
use landfall_core::diagnostic::{Diagnostic, Severity};
use landfall_core::name::{ActionsEnvironment, BranchName, CommitSha, EnvironmentName, PullNumber};
use landfall_github::deployment::Verdict;
use landfall_store::PlanId;
use serde::{Deserialize, Serialize};

use crate::operator::{Event, TargetName};
use crate::render::Document;

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentBody {
    /// The pull request.
    pub pull: PullNumber,
    /// Which of our comments there it is: `plan`, `run`, `refused`, `given_up`.
    pub kind: String,
    /// Tells comments of one kind apart: a run's id, the command that was refused.
    pub about: String,
    /// What it says.
    pub document: Document,
    /// The plans that people can read once it is there.
    pub plans: Vec<PlanId>,
    /// After the merge: for each environment one line about its run, in place of what was to come.
    #[serde(default)]
    pub runs: BTreeMap<EnvironmentName, String>,
    /// Once the pull request was closed without being merged: that it was, in place of what was to
    /// come.
    #[serde(default)]
    pub closed: Option<String>,
    /// What was asked for with a command, the newest answer to each.
    #[serde(default)]
    pub answers: BTreeMap<String, AnswerBody>,
    /// Whether it is read, or folded away.
    #[serde(default)]
    pub fold: FoldWord,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerBody {
    /// The head of the pull request when it was given. Who reads a plan for a newer one would take it
    /// for newer than it is.
    pub head: CommitSha,
    /// Markdown, whole blocks.
    pub text: String,
}

/// Whether a comment is read or folded away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldWord {
    /// It is read.
    #[default]
    Open,
    /// It was folded away and is read again.
    OpenAgain,
    /// What it says is over.
    Outdated,
}

impl CommentBody {
    /// A comment that is about one thing and has nothing of runs in it.
    #[must_use]
    pub fn new(pull: PullNumber, kind: &str, about: &str, document: Document) -> Self {
        let (kind, about) = (kind.to_owned(), about.to_owned());
        Self {
            pull,
            kind,
            about,
            document,
            plans: Vec::new(),
            runs: BTreeMap::new(),
            closed: None,
            answers: BTreeMap::new(),
            fold: FoldWord::Open,
        }
    }

    /// What stands last: what became of the runs, or what is to come; behind it the answers.
    #[must_use]
    pub fn tail(&self) -> String {
        let answers = self.answers.values().map(|answer| answer.text.as_str());
        let blocks: Vec<String> = std::iter::once(self.course().as_str())
            .chain(answers)
            .map(|block| block.trim_end().to_owned())
            .filter(|block| !block.is_empty())
            .collect();
        blocks.join("\n\n") + "\n"
    }

    fn course(&self) -> String {
        if self.runs.is_empty() {
            let closed = self.closed.as_ref().map(|line| format!("---\n{line}\n"));
            return closed.unwrap_or_else(|| self.document.tail.clone());
        }
        let lines: Vec<&str> = self.runs.values().map(String::as_str).collect();
        format!("---\n{}\n", lines.join("<br>\n"))
    }
}

/// A check run on a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckBody {
    /// `landfall / production (main)`
    pub name: String,
    /// The commit.
    pub head: CommitSha,
    /// How far it is.
    pub state: CheckState,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Findings with their places.
    pub findings: Vec<Finding>,
    /// What people can do with a click.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// The pull request on which a click is a command; none where that is told otherwise, or nothing can
    /// be said.
    #[serde(default)]
    pub pull: Option<PullNumber>,
    /// Our key to find it again; never evidence.
    pub external_id: String,
    /// By what it is there.
    #[serde(default)]
    pub standing: Standing,
    /// What each of several came to that share it, and it says the worst of. Empty where there is one alone.
    #[serde(default)]
    pub parts: Vec<CheckBody>,
}

impl CheckBody {
    /// What each of those came to that have it.
    #[must_use]
    pub fn apart(mut self) -> Vec<Self> {
        match std::mem::take(&mut self.parts) {
            none if none.is_empty() => vec![self],
            parts => parts,
        }
    }
}

/// By what a check is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// By rules that hold.
    #[default]
    Ruled,
    /// By what was heard before, because the rules are missing or cannot be read. What it says holds
    /// until they can.
    Unruled,
    /// By nothing: it says that it is about nothing any more.
    Retired,
}

/// Where the check of this name on a commit stands in the outbox.
#[must_use]
pub fn check_subject(head: &CommitSha, name: &str) -> String {
    format!("check/{head}/{name}")
}

/// The name of the check of an environment's runs.
#[must_use]
pub fn run_check_name(environment: &EnvironmentName) -> String {
    format!("landfall / {environment}")
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// At work since then.
    Running(Timestamp),
    /// It may be merged; everything is applied.
    Success(Timestamp),
    /// It says something and stops nobody.
    Neutral(Timestamp),
    /// Something has to be mended.
    Failure(Timestamp),
    /// Somebody has to do something.
    ActionRequired(Timestamp),
    /// It will not be finished.
    Cancelled(Timestamp),
}

/// A finding at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The path.
    pub path: String,
    /// First line and column, last line and column.
    pub place: [u32; 4],
    /// Whether it stops the plan.
    pub error: bool,
    /// The documented code.
    pub code: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl From<&Diagnostic> for Finding {
    fn from(found: &Diagnostic) -> Self {
        let (start, end) = (found.span.start, found.span.end);
        let help = found.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
        Self {
            path: found.span.file.to_string(),
            place: [start.line, start.column, end.line, end.column],
            error: found.severity == Severity::Error,
            code: found.code.to_owned(),
            message: format!("{}{help}", found.message),
        }
    }
}

/// The one issue in a repository that has no rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueBody {
    /// What it says, Markdown; none where it was decided to say nothing.
    pub text: Option<String>,
}

/// A deployment and its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentBody {
    /// The commit.
    pub commit: CommitSha,
    /// The environment.
    pub environment: EnvironmentName,
    /// The run.
    pub run: String,
    /// How far it is.
    pub state: DeploymentWord,
    /// One line.
    pub description: String,
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentWord {
    /// It waits for somebody.
    Pending,
    /// It is being applied.
    InProgress,
    /// It is live.
    Success,
    /// Not all of it could be applied.
    Failure,
    /// It will not be applied.
    Inactive,
}

/// What a workflow is answered that waits before it deploys to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionBody {
    /// The environment, as GitHub calls it.
    pub environment: ActionsEnvironment,
    /// The commit that it wants to deploy.
    pub commit: CommitSha,
    /// GitHub's number of its run.
    pub workflow_run: u64,
    /// GitHub's number of the deployment.
    pub deployment: u64,
    /// Whether it may and why; none as long as a run is waited for, and then it is told nothing.
    pub answer: Option<ProtectionAnswer>,
}

/// Whether a workflow may go on, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionAnswer {
    /// Whether it may.
    pub verdict: Verdict,
    /// In one sentence.
    pub why: String,
}

/// A reaction to somebody's comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionBody {
    /// The comment.
    pub comment: u64,
    /// Which one.
    pub reaction: ReactionWord,
}

impl ReactionBody {
    /// What the outbox calls it.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("comment/{}/{}", self.comment, self.reaction.as_str())
    }
}

/// What a reaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReactionWord {
    /// 👀: heard.
    Heard,
    /// 🚀: done.
    Done,
    /// 😕: not done.
    Refused,
}

impl ReactionWord {
    /// As it stands in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// What a target of the operator's is told of a run. Where the target is, only its name says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationBody {
    /// The target.
    pub target: TargetName,
    /// What happened.
    pub event: Event,
    /// The run.
    pub run: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The branch that the environment follows.
    pub branch: BranchName,
    /// The commit.
    pub commit: CommitSha,
    /// What happened, in one line without markup.
    pub title: String,
    /// The pull requests that the run brings.
    pub pulls: Vec<PullNumber>,
}
