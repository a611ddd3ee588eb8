//! `landfall apply`: carries out the plan of an environment that is for the command line.
//!
//! The same promises as on the server. Steps of an earlier run that was cut off are read back first.
//! The plan is shown and confirmed; then the leases of its targets are taken, everything is gathered
//! anew, and only a plan that the confirmed one covers is carried out. One at a time for an
//! environment: the command holds the environment's job while it lasts.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use landfall_core::command::DigestPrefix;
use landfall_core::config::Environment;
use landfall_core::name::EnvironmentName;
use landfall_store::{ClaimJob, ClaimedJob, JobKey, NewJob, Store};
use uuid::Uuid;

use super::Ended;
use super::choose::environment;
use super::local::{Local, NO_INSTALLATION, WORKING_COPY};
use super::plan::{declared, with_adoption};
use super::terminal::{Format, Progress};
use super::working::{Which, Working};
use crate::gather::Declared;
use crate::worker::keep_alive;

mod ask;
mod carry;
mod run;
mod told;

use run::Course;

/// Carry out the plan of an environment that follows no branch.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  landfall apply --env dev                       shows the plan and asks
  landfall apply --env dev --digest 0123abcd     the plan that was looked at before, and no other
  landfall apply --env dev --yes                 whatever the plan is: for scripts

An environment with branches is applied by the server, when what was reviewed on a pull request is
merged. What an environment without branches owns is kept in LANDFALL_DATA_DIR [.landfall in the
repository]: keep that folder, it says what may be changed and deleted.

Exit code: 0 nothing to do, or done; 1 an error, or something failed; 2 there are changes and they
were not confirmed.")]
pub(super) struct Apply {
    /// The environment; not needed where there is only one.
    #[arg(long, value_name = "NAME")]
    env: Option<EnvironmentName>,
    /// Do not ask.
    #[arg(long, conflicts_with = "digest")]
    yes: bool,
    /// Do not ask, and apply only the plan whose digest begins so.
    #[arg(long, value_name = "DIGITS", value_parser = DigestPrefix::new)]
    digest: Option<DigestPrefix>,
    /// Take over everything that is wanted, exists and is nobody's.
    #[arg(long)]
    adopt: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// A folder of the repository.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
}

/// Whose word a plan needs.
#[derive(Debug, Clone)]
pub(super) enum Confirmation {
    /// Somebody at the terminal.
    Asked,
    /// It was given beforehand for whatever the plan is.
    Given,
    /// It was given beforehand for this plan alone.
    GivenFor(DigestPrefix),
}

impl Apply {
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let working = Working::open(&self.path, Which::Files).await?;
        let Some(declared) = declared(&working).await? else { return Ok(Ended::Errors) };
        let wanted = environment(&declared.tree.repository, self.env.as_ref())?;
        refuse_branches(wanted)?;
        let wanted = with_adoption(wanted, self.adopt);
        let local = Local::open(&working).await?;
        let store = local.own_store().await?;
        let ended = self.hold(&working, &declared, (&local, &*store), &wanted).await;
        store.close().await;
        ended
    }

    /// Holds the environment's job while the plan is made, confirmed and carried out.
    async fn hold(
        &self,
        working: &Working,
        declared: &Declared,
        (local, store): (&Local, &dyn Store),
        environment: &Environment,
    ) -> anyhow::Result<Ended> {
        let tools = local.tools(store);
        let job = claim(store, &environment.name, tools.timing.job_lease).await?;
        let course = Course {
            local,
            tools,
            declared,
            environment,
            job: &job,
            confirmation: self.confirmation(),
            format: self.format,
            from: source(working).await?,
            progress: Progress::begin(),
        };
        let ended = tokio::select! {
            ended = course.go() => ended,
            lost = keep_alive(tools, &job) => Err(lost),
        };
        store.complete_job(&job.fence).await.context("the environment could not be set free")?;
        ended
    }

    fn confirmation(&self) -> Confirmation {
        match (&self.digest, self.yes) {
            (Some(digest), _) => Confirmation::GivenFor(digest.clone()),
            (None, true) => Confirmation::Given,
            (None, false) => Confirmation::Asked,
        }
    }
}

fn refuse_branches(environment: &Environment) -> anyhow::Result<()> {
    let name = &environment.name;
    let Some(branch) = environment.branches.first() else { return Ok(()) };
    anyhow::bail!(
        "{name} follows the branch {branch}: only what was reviewed and merged there is applied, by the server\nhelp: open a pull request to {branch}; `landfall plan --env {name}` shows what it would do. An environment without `branches` is for the command line."
    )
}

/// What is applied, for the record: the commit, and whether there is more than it says.
async fn source(working: &Working) -> anyhow::Result<String> {
    let folder = working.root.display();
    let Some(copy) = &working.copy else { return Ok(format!("the folder {folder}")) };
    let Some(head) = copy.head().await? else { return Ok(format!("{folder} before any commit")) };
    Ok(match copy.is_clean().await? {
        true => format!("commit {head}"),
        false => format!("commit {head} with changes that are not committed"),
    })
}

/// Takes the environment's job. The store has no other worker than commands like this one.
async fn claim(
    store: &dyn Store,
    environment: &EnvironmentName,
    lease: Duration,
) -> anyhow::Result<ClaimedJob> {
    let key = JobKey::Run { repository: WORKING_COPY, environment: environment.clone() };
    let job = NewJob { key: key.clone(), installation: NO_INSTALLATION, run_at: None };
    store.enqueue(&[job]).await?;
    let claim = ClaimJob { worker: Uuid::new_v4().to_string(), lease, max_attempts: u32::MAX };
    while let Some(job) = store.claim_job(&claim).await? {
        if job.key == key {
            return Ok(job);
        }
        // Left behind by a command for another environment; the next one for it asks anew.
        store.complete_job(&job.fence).await?;
    }
    anyhow::bail!(
        "another `landfall apply` is at work on {environment}\nhelp: wait for it; if it was killed, try again in {} seconds",
        lease.as_secs()
    )
}
