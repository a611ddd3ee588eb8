//! A repository whose services have a record each, and what people do to it.

use std::time::{Duration, Instant};

use landfall_sim::github::{Edit, MergeMethod, NewPull, Repo, Role, edit};

use crate::town::Town;

const PERSON: &str = "alice";
const BRANCH: &str = "main";
/// The environments, as many of them as a homelab has.
const ENVIRONMENTS: [&str; 2] = ["production", "staging"];
/// The first number of the addresses that services begin with.
const BEFORE: u8 = 100;
/// The first number of the address of one that was moved.
const AFTER: u8 = 200;
/// Between two looks at something that takes its time.
const LOOK: Duration = Duration::from_millis(200);
/// A first run of 10,000 services takes less.
const PATIENCE: Duration = Duration::from_secs(600);

/// A repository with its environments. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Homelab {
    repo: Repo,
    zone: String,
    environments: &'static [&'static str],
}

impl Homelab {
    /// Makes `acme/fleet`, say, without services. Its owner is an installation; what it will have
    /// is in `zone`, in as many environments.
    ///
    /// # Errors
    /// The name is taken.
    pub(crate) async fn create(
        town: &Town,
        name: &str,
        zone: &str,
        environments: usize,
    ) -> anyhow::Result<Self> {
        let (zone, environments) = (zone.to_owned(), &ENVIRONMENTS[..environments]);
        let rules = edit("landfall.yaml", rules(&town.cloudflare.url(), &zone, environments));
        let repo = town.github.create_repository(name, [rules]).await?;
        repo.add_user(PERSON, Role::Write)?;
        Ok(Self { repo, zone, environments })
    }

    /// Opens a pull request that adds `services` services, and waits for its comment.
    ///
    /// # Errors
    /// There is no comment.
    pub(crate) async fn propose(&self, services: u32) -> anyhow::Result<u64> {
        let files: Vec<Edit> = (1..=services).map(|number| self.service(number, BEFORE)).collect();
        self.repo.push("all", PERSON, "Add every service", files).await?;
        let pull = self.open("all").await?;
        until("there is a comment", || Ok(!self.comments(pull).is_empty())).await?;
        Ok(pull)
    }

    /// Merges it and releases the first run of each environment by name, as people would.
    ///
    /// # Errors
    /// A run does not succeed.
    pub(crate) async fn bring_up(&self, pull: u64) -> anyhow::Result<()> {
        self.repo.merge(pull, MergeMethod::Squash, PERSON).await?;
        for environment in self.environments {
            until("the run waits", || self.deployed(environment, "pending")).await?;
            self.repo.comment(pull, PERSON, &format!("/apply {environment}"))?;
            until("the run succeeds", || self.deployed(environment, "success")).await?;
        }
        Ok(())
    }

    /// Moves a service to another address on a branch of its own, which is returned.
    ///
    /// # Errors
    /// Git cannot be run.
    pub(crate) async fn move_one(&self, service: u32) -> anyhow::Result<String> {
        let branch = format!("change-{service}");
        let edits = [self.service(service, AFTER)];
        self.repo.push(&branch, PERSON, "Move a service", edits).await?;
        Ok(branch)
    }

    /// Opens a pull request that brings a branch.
    ///
    /// # Errors
    /// There is one already.
    pub(crate) async fn open(&self, branch: &str) -> anyhow::Result<u64> {
        self.repo.open(NewPull::from(branch)).await
    }

    /// What was commented on a pull request.
    pub(crate) fn comments(&self, pull: u64) -> Vec<String> {
        self.repo.comments(pull).into_iter().map(|comment| comment.body).collect()
    }

    /// Whether the deployment of an environment is in a state.
    ///
    /// # Errors
    /// It failed.
    fn deployed(&self, environment: &str, wanted: &str) -> anyhow::Result<bool> {
        let deployments = self.repo.deployments().into_iter();
        let mut of = deployments.filter(|deployment| deployment.environment == environment);
        let state = of.next_back().and_then(|mut found| Some(found.statuses.pop()?.state));
        anyhow::ensure!(state.as_deref() != Some("failure"), "{environment} failed");
        Ok(state.as_deref() == Some(wanted))
    }

    fn service(&self, number: u32, first: u8) -> Edit {
        let (zone, address) = (&self.zone, address(number, first));
        let text = format!(
            "owners: [\"@acme/platform\"]\n\
             cloudflare_dns:\n  \"service-{number}${{suffix}}.{zone}\": {{ a: {address}, ttl: 300 }}\n"
        );
        edit(format!("services/service-{number}.yaml"), text)
    }
}

/// Where a service that was moved is now.
pub(crate) fn moved_to(service: u32) -> String {
    address(service, AFTER)
}

fn address(service: u32, first: u8) -> String {
    let [_, b, c, d] = service.to_be_bytes();
    format!("{first}.{b}.{c}.{d}")
}

fn rules(cloudflare: &str, zone: &str, environments: &[&str]) -> String {
    let mut text = "version: 1\nenvironments:\n".to_owned();
    for name in environments {
        let suffix = if *name == "production" { String::new() } else { format!("-{name}") };
        text.push_str(&format!(
            "  {name}:\n    branches: [{BRANCH}]\n    vars: {{ suffix: \"{suffix}\" }}\n    connections:\n      \
             cloudflare: {{ account: 0123456789abcdef0123456789abcdef, zones: [{zone}], \
             token: \"ref+env://LANDFALL_SECRET_CLOUDFLARE\", url: \"{cloudflare}\" }}\n"
        ));
    }
    text
}

/// Looks until it is so.
async fn until(what: &str, is_so: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so()? {
        anyhow::ensure!(began.elapsed() < PATIENCE, "it is not so after a long time: {what}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
