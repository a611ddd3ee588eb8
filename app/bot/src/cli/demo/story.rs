//! The story: four pull requests, each read, merged and watched as a person does it at GitHub.
//!
//! 1. All services come to staging: its first run, so somebody names the digest that they read.
//! 2. They go on to production, where some of it exists and is adopted.
//! 3. One service is added and another changed; on staging, merging is all there is to do.
//! 4. The same goes on to production.

use anyhow::Context as _;
use landfall_sim::github::{Comment, Edit, MergeMethod, NewPull, edit};
use serde::Serialize;

use super::ledger::Ledger;
use super::stage::Stage;
use super::tell::Teller;
use crate::cli::sim::homelab;
use crate::cli::sim::simulators::{PERSON, PRODUCTION, STAGING};
use crate::cli::sim::walk::PHOTOS;

/// What became of one pull request.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    number: u64,
    title: String,
    base: String,
    environment: String,
    /// The comment with the plan, as it was posted.
    plan: String,
    /// The command that released the run, where it waited.
    released_by: Option<String>,
    /// What was done at the providers.
    applied: Vec<String>,
}

/// A pull request of the story.
struct Proposal {
    title: &'static str,
    head: &'static str,
    base: &'static str,
    environment: &'static str,
}

/// The teller of one story.
#[derive(Debug)]
pub(super) struct Story<'a> {
    stage: &'a Stage,
    teller: &'a Teller,
    ledger: Ledger,
}

impl<'a> Story<'a> {
    pub(super) fn new(stage: &'a Stage, teller: &'a Teller) -> Self {
        Self { stage, teller, ledger: Ledger::default() }
    }

    /// Tells it from the beginning to the end.
    pub(super) async fn tell(mut self) -> anyhow::Result<Vec<Told>> {
        // The pushes that made the branches, before anything is declared.
        self.stage.settle().await?;
        let services = homelab::files(&self.stage.simulators.addresses());
        let services = services.into_iter().filter(|(path, _)| *path != homelab::RULES);
        self.push("services", "Say what runs here", services.map(Edit::from).collect()).await?;
        let first = Proposal {
            title: "Say what runs here",
            head: "services",
            base: STAGING,
            environment: "staging",
        };
        let promotion =
            |title| Proposal { title, head: STAGING, base: PRODUCTION, environment: "production" };
        let mut told = vec![self.play(&first).await?, self.play(&promotion("Go live")).await?];
        self.push("photos", "Add photos, move jellyfin", changes()?).await?;
        let second = Proposal {
            title: "Add photos, move jellyfin",
            head: "photos",
            base: STAGING,
            environment: "staging",
        };
        told.push(self.play(&second).await?);
        told.push(self.play(&promotion("Photos for everybody")).await?);
        Ok(told)
    }

    async fn push(&self, branch: &str, message: &str, edits: Vec<Edit>) -> anyhow::Result<()> {
        // A branch begins where the default branch is; this one is for staging.
        let tip = self.stage.repo.head(STAGING).await?.context("staging has no branch")?;
        self.stage.repo.point_branch(branch, &tip, PERSON).await?;
        self.stage.repo.push(branch, PERSON, message, edits).await.map(drop)
    }

    /// One pull request from its opening to what came of it.
    async fn play(&mut self, proposal: &Proposal) -> anyhow::Result<Told> {
        let Proposal { title, head, base, environment } = *proposal;
        let (repo, teller) = (&self.stage.repo, self.teller);
        let new = NewPull::from(head).into(base).by(PERSON).titled(title);
        let number = repo.open(new).await?;
        teller.heading(&format!("{PERSON} opens #{number} into {base}: {title}"))?;
        let plan = self.plan(number).await?;
        teller.comment(&plan.author, &plan.body)?;

        let commit = repo.merge(number, MergeMethod::Merge, PERSON).await?;
        teller.line(&format!("\n{PERSON} merges #{number}."))?;
        let mut released_by = None;
        if self.waits(&commit, environment).await? {
            let command = command(&plan.body, environment)?;
            self.release(number, &plan, &command)?;
            released_by = Some(command);
            let still = self.waits(&commit, environment).await?;
            anyhow::ensure!(!still, "the run on {environment} still waits");
        }
        let applied = self.ledger.news(&self.stage.simulators);
        teller.list(&format!("Applied to {environment}:"), &applied)?;
        let (title, base) = (title.to_owned(), base.to_owned());
        let (environment, plan) = (environment.to_owned(), plan.body);
        Ok(Told { number, title, base, environment, plan, released_by, applied })
    }

    /// The comment with the plan for the head.
    async fn plan(&self, number: u64) -> anyhow::Result<Comment> {
        self.teller.waits("the plan");
        self.stage.settle().await?;
        let repo = &self.stage.repo;
        let head = repo.pull(number).context("the pull request is gone")?.head_sha;
        let short = head.get(..7).unwrap_or(&head);
        let mut comments = repo.comments(number).into_iter();
        comments
            .find(|comment| comment.author != PERSON && comment.body.contains(short))
            .with_context(|| format!("#{number} got no plan for {short}"))
    }

    /// What the run says that it waits for, and the word that lets it go on.
    fn release(&self, number: u64, plan: &Comment, command: &str) -> anyhow::Result<()> {
        let comments = self.stage.repo.comments(number);
        let about_run = comments.iter().filter(|other| other.id != plan.id);
        for comment in about_run {
            self.teller.comment(&comment.author, &comment.body)?;
        }
        self.stage.repo.comment(number, PERSON, command)?;
        self.teller.comment(PERSON, command)
    }

    /// Whether the run of a commit waits for somebody, or has succeeded, as its deployment says.
    async fn waits(&self, commit: &str, environment: &str) -> anyhow::Result<bool> {
        self.teller.waits(&format!("the run on {environment}"));
        self.stage.settle().await?;
        let deployments = self.stage.repo.deployments();
        let mut ours = deployments
            .iter()
            .filter(|deployment| deployment.sha == commit && deployment.environment == environment);
        let status = ours.next_back().and_then(|deployment| deployment.statuses.last());
        let status = status.with_context(|| format!("nothing was deployed to {environment}"))?;
        match status.state.as_str() {
            "pending" => Ok(true),
            "success" => Ok(false),
            state => anyhow::bail!("the run on {environment}: {state}, {}", status.description),
        }
    }
}

/// One service more, and another address for one that is there.
fn changes() -> anyhow::Result<Vec<Edit>> {
    let path = "services/jellyfin.yaml";
    let before = homelab::file(path)?;
    let after = before.replace("192.168.1.51", "192.168.1.52");
    anyhow::ensure!(after != before, "`{path}` of the example has another address by now");
    let (photos, text) = PHOTOS;
    Ok(vec![edit(path, after), edit(photos, text)])
}

/// The command that the comment offers for an environment, as a reader copies it.
fn command(plan: &str, environment: &str) -> anyhow::Result<String> {
    let begin = format!("/apply {environment} ");
    let found = plan.split('`').find(|part| part.starts_with(&begin));
    let found = found.with_context(|| format!("the plan offers no `{begin}…`"))?;
    Ok(found.to_owned())
}
