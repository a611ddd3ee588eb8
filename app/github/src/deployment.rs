//! Deployments: a run as the repository's environment page shows it.

use jiff::Timestamp;
use landfall_core::name::{ActionsEnvironment, CommitSha, EnvironmentName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::check::shortened;

/// The longest description of a status, in characters.
const DESCRIPTION: usize = 140;

/// The longest comment on a workflow that waits, in characters: no limit is described, and nobody needs
/// more.
const COMMENT: usize = 1_000;

/// GitHub's number of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeploymentId(pub u64);

/// A deployment to create. Creating is not idempotent: look for one of the same commit,
/// environment and task first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// The commit that the environment is brought to.
    pub sha: CommitSha,
    /// The environment.
    pub environment: EnvironmentName,
    /// What is done: `deploy`, or one of our own words.
    pub task: String,
    /// One line.
    pub description: String,
    /// Whatever we want to find again with it.
    pub payload: Value,
    /// Whether people use this environment directly; none leaves it to GitHub, which says yes to
    /// the name `production`.
    pub production: Option<bool>,
}

impl NewDeployment {
    /// The request. GitHub's defaults would merge the default branch into the commit, and refuse
    /// while any status of the commit is not green.
    pub(crate) fn request(&self) -> Value {
        let mut request = json!({
            "ref": self.sha,
            "task": self.task,
            "environment": self.environment,
            "description": shortened(&self.description, DESCRIPTION),
            "payload": self.payload,
            "auto_merge": false,
            "required_contexts": [],
            "transient_environment": false,
        });
        if let Some(production) = self.production {
            request["production_environment"] = json!(production);
        }
        request
    }
}

/// A deployment as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deployment {
    /// Its number.
    pub id: DeploymentId,
    /// The commit.
    pub sha: CommitSha,
    /// The environment, in GitHub's spelling: other tools name theirs as they like.
    pub environment: String,
    /// What is done.
    pub task: String,
    /// What its author wanted to find again.
    #[serde(default)]
    pub payload: Value,
    /// When it was created, by GitHub's clock.
    pub created_at: Timestamp,
}

/// How a deployment goes on. What it does to others is not left to GitHub, which would make all earlier
/// ones of the environment inactive, those of other tools too, but none where it takes the environment
/// for a production one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentStatus {
    /// How far it is.
    pub state: DeploymentState,
    /// One line; cut at 140 characters.
    #[serde(serialize_with = "one_line")]
    pub description: String,
    /// Where the run can be followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
}

fn one_line<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shortened(text, DESCRIPTION))
}

impl DeploymentStatus {
    /// The request.
    pub(crate) fn request(&self) -> Value {
        let mut request = json!(self);
        request["auto_inactive"] = json!(false);
        request
    }
}

/// What is answered to a workflow that waits before it deploys to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionReview {
    /// GitHub's number of the run of the workflow.
    pub workflow_run: u64,
    /// The environment that it wants to deploy to.
    pub environment: ActionsEnvironment,
    /// Whether it may.
    pub verdict: Verdict,
    /// Why, in Markdown.
    pub comment: String,
}

/// Whether a workflow may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Approved,
    /// It may not, and fails.
    Rejected,
}

impl ProtectionReview {
    /// The request.
    pub(crate) fn request(&self) -> Value {
        json!({
            "environment_name": self.environment,
            "state": self.verdict,
            "comment": shortened(&self.comment, COMMENT),
        })
    }
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "GitHub's own words")]
pub enum DeploymentState {
    Error,
    Failure,
    Inactive,
    InProgress,
    Queued,
    Pending,
    Success,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_never_merges_and_waits_for_nothing() {
        let request = NewDeployment {
            sha: CommitSha::new("a".repeat(40)).unwrap(),
            environment: EnvironmentName::new("staging").unwrap(),
            task: "deploy".into(),
            description: "x".repeat(200),
            payload: json!({ "run": 7 }),
            production: None,
        }
        .request();
        assert_eq!(request["auto_merge"], json!(false));
        assert_eq!(request["required_contexts"], json!([]));
        assert_eq!(request["description"].as_str().unwrap().chars().count(), DESCRIPTION);
        assert!(request.get("production_environment").is_none());
    }
}
