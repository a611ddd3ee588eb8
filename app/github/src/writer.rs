//! What is published at GitHub. Only the outbox has one of these.
//!
//! Nothing is repeated here: a write whose answer is lost is [`Failure::Unknown`], and the outbox
//! looks before it writes again.

use landfall_core::name::PullNumber;
use landfall_os::clock::Moment;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::check::{CheckRun, CheckRunId};
use crate::comment::{Comment, CommentId};
use crate::deployment::{
    Deployment, DeploymentId, DeploymentStatus, NewDeployment, ProtectionReview,
};
use crate::error::{Failure, GithubError};
use crate::repository::InstalledRepository;
use crate::session::Session;
use crate::transport::{Call, Path};

/// Writes to one repository.
#[derive(Debug, Clone)]
pub struct Writer(Session);

/// A reaction to a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// 👀: heard.
    Eyes,
    /// 🚀: done.
    Rocket,
    /// 😕: refused.
    Confused,
    /// 👍
    ThumbsUp,
    /// 👎
    ThumbsDown,
}

impl Reaction {
    fn content(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::Confused => "confused",
            Self::ThumbsUp => "+1",
            Self::ThumbsDown => "-1",
        }
    }
}

/// Whether a comment is to be folded away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// What it says is over.
    Outdated,
    /// It is to be read again.
    Open,
}

impl Fold {
    fn document(self) -> &'static str {
        match self {
            Self::Outdated => {
                "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) \
                 { minimizedComment { isMinimized } } }"
            }
            Self::Open => {
                "mutation($id: ID!) { unminimizeComment(input: {subjectId: $id}) \
                 { unminimizedComment { isMinimized } } }"
            }
        }
    }
}

/// What GraphQL says went wrong. It says so with 200.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

/// An answer of which only the number matters.
#[derive(Deserialize)]
struct Created<Id> {
    id: Id,
}

impl Writer {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }

    /// The same, with a right to write that ends. Nothing is sent afterwards: somebody else may be
    /// writing the same by then.
    #[must_use]
    pub fn until(self, until: Moment) -> Self {
        Self(self.0.until(until))
    }

    /// The repository that is written to.
    #[must_use]
    pub fn on(&self) -> &InstalledRepository {
        self.0.on()
    }

    /// Comments on a pull request. `created_at` of what comes back is when GitHub accepted it.
    ///
    /// # Errors
    /// As every write.
    pub async fn create_comment(
        &self,
        number: PullNumber,
        body: &str,
    ) -> Result<Comment, GithubError> {
        let path = self.0.path().then("issues").then(number).then("comments");
        self.0.call(Call::post(path, json!({ "body": body }))).await
    }

    /// Replaces what a comment says.
    ///
    /// # Errors
    /// As every write; [`Failure::Gone`] when somebody deleted the comment.
    pub async fn update_comment(&self, id: CommentId, body: &str) -> Result<Comment, GithubError> {
        let call = Call::patch(self.comment_path(id), json!({ "body": body }));
        self.0.call(call).await.map_err(deleted)
    }

    /// Deletes a comment. One that is gone already is what was wanted.
    ///
    /// # Errors
    /// As every write.
    pub async fn delete_comment(&self, id: CommentId) -> Result<(), GithubError> {
        let outcome = self.0.call::<IgnoredAny>(Call::delete(self.comment_path(id))).await;
        match outcome.map_err(deleted) {
            Ok(_) | Err(GithubError { failure: Failure::Gone, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Folds a comment away as outdated, or shows it again. Doing it twice is doing it once.
    ///
    /// # Errors
    /// As every write; GitHub says with 200 that it did not do it, which is
    /// [`Failure::Unprocessable`].
    pub async fn fold_comment(&self, node_id: &str, fold: Fold) -> Result<(), GithubError> {
        let call = Call::graphql(fold.document(), &json!({ "id": node_id }));
        let named = call.to_string();
        let Told { errors } = self.0.call(call).await?;
        match errors.into_iter().next() {
            None => Ok(()),
            Some(Said { message }) => Err(Failure::Unprocessable { message }.on(named)),
        }
    }

    /// Reacts to a comment. Doing it twice is doing it once.
    ///
    /// # Errors
    /// As every write; [`Failure::Gone`] when the comment was deleted.
    pub async fn react(&self, id: CommentId, reaction: Reaction) -> Result<(), GithubError> {
        let path = self.comment_path(id).then("reactions");
        let call = Call::post(path, json!({ "content": reaction.content() }));
        self.0.call::<IgnoredAny>(call).await.map_err(deleted)?;
        Ok(())
    }

    /// Creates a check run, and adds its annotations beyond the first fifty.
    ///
    /// # Errors
    /// As every write; when the check run was created and adding to it failed, that is
    /// [`Failure::Unknown`], so that it is looked for before another is created.
    pub async fn create_check(&self, check: &CheckRun) -> Result<CheckRunId, GithubError> {
        let (first, more) = check.requests();
        let call = Call::post(self.0.path().then("check-runs"), first);
        let Created { id } = self.0.call(call).await?;
        self.annotate(id, more).await.map_err(|GithubError { call, failure }| {
            let why = format!("created, then {failure}");
            Failure::Unknown { why }.on(call)
        })?;
        Ok(id)
    }

    /// Changes a check run. Its annotations are added to those it has.
    ///
    /// # Errors
    /// As every write.
    pub async fn update_check(&self, id: CheckRunId, check: &CheckRun) -> Result<(), GithubError> {
        let (mut first, more) = check.requests();
        // A check run stays on its commit; GitHub takes no other when it is changed.
        if let Some(fields) = first.as_object_mut() {
            fields.remove("head_sha");
        }
        self.0.call::<IgnoredAny>(Call::patch(self.check_path(id), first)).await?;
        self.annotate(id, more).await
    }

    async fn annotate(
        &self,
        id: CheckRunId,
        requests: Vec<serde_json::Value>,
    ) -> Result<(), GithubError> {
        for request in requests {
            self.0.call::<IgnoredAny>(Call::patch(self.check_path(id), request)).await?;
        }
        Ok(())
    }

    /// Creates a deployment.
    ///
    /// # Errors
    /// As every write.
    pub async fn create_deployment(
        &self,
        deployment: &NewDeployment,
    ) -> Result<Deployment, GithubError> {
        let path = self.0.path().then("deployments");
        self.0.call(Call::post(path, deployment.request())).await
    }

    /// Says how a deployment goes on.
    ///
    /// # Errors
    /// As every write.
    pub async fn create_deployment_status(
        &self,
        id: DeploymentId,
        status: &DeploymentStatus,
    ) -> Result<(), GithubError> {
        let path = self.0.path().then("deployments").then(id.0).then("statuses");
        self.0.call::<IgnoredAny>(Call::post(path, status.request())).await?;
        Ok(())
    }

    /// Answers a workflow that waits before it deploys. Saying it twice is saying it once.
    ///
    /// # Errors
    /// As every write; one that waits no more is [`Failure::NotFound`] or
    /// [`Failure::Unprocessable`].
    pub async fn review_protection(&self, review: &ProtectionReview) -> Result<(), GithubError> {
        let run = self.0.path().then("actions").then("runs").then(review.workflow_run);
        let call = Call::post(run.then("deployment_protection_rule"), review.request());
        self.0.call::<IgnoredAny>(call).await?;
        Ok(())
    }

    fn comment_path(&self, id: CommentId) -> Path {
        self.0.path().then("issues").then("comments").then(id.0)
    }

    fn check_path(&self, id: CheckRunId) -> Path {
        self.0.path().then("check-runs").then(id.0)
    }
}

/// What has a number was there once: "not found" means that somebody deleted it.
fn deleted(error: GithubError) -> GithubError {
    match error.failure {
        Failure::NotFound => Failure::Gone.on(error.call),
        _ => error,
    }
}
