//! The workload: what people do to the repository, by a seed, and no faster than things come to rest.
//!
//! They open pull requests that add, change and remove services, push to them, say commands, merge
//! them one by one and several at once, close some, and push to the branches directly. And they look
//! after runs that wait for a word, as a person does: by what the commit's check says
//! ([`People::tend`]).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use landfall_sim::github::{CheckRun, Edit, MergeMethod, NewPull, Repo, edit, remove};
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::model::{LASTING, Service, Written, path};
use crate::town::{ENVIRONMENTS, Environment, PERSON};

/// The services that there are at most, on a branch.
const SERVICES: usize = 14;
/// More pull requests are not open at once.
const OPEN: usize = 6;
/// How long somebody waits for a command before saying it again.
const PATIENCE: Duration = Duration::from_secs(8);

/// A command that was said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) pull: u64,
    pub(crate) comment: u64,
    pub(crate) text: String,
}

/// Everybody who has to do with the repository.
#[derive(Debug)]
pub(crate) struct People {
    repo: Repo,
    rng: StdRng,
    /// Every service file so far.
    pub(crate) written: Written,
    /// Every command so far.
    pub(crate) said: Vec<Said>,
    /// How many pull requests were merged, and how often somebody pushed to a branch directly.
    pub(crate) merges: u64,
    open: Vec<Open>,
    /// The last pull request that was merged into a branch.
    merged: BTreeMap<&'static str, u64>,
    /// What was last said for an environment, on which commit, and when.
    word: BTreeMap<&'static str, (String, Instant)>,
    branches: u32,
}

#[derive(Debug)]
struct Open {
    number: u64,
    environment: Environment,
    branch: String,
    services: Vec<String>,
}

impl People {
    pub(crate) fn of(repo: &Repo, rng: StdRng) -> Self {
        let mut written = Written::default();
        written.note(&Service::lasting());
        Self {
            repo: repo.clone(),
            rng,
            written,
            said: Vec::new(),
            merges: 0,
            open: Vec::new(),
            merged: BTreeMap::new(),
            word: BTreeMap::new(),
            branches: 0,
        }
    }

    /// Somebody does something.
    ///
    /// # Errors
    /// The simulated GitHub itself failed.
    pub(crate) async fn act(&mut self) -> anyhow::Result<()> {
        match self.rng.random_range(0..100) {
            0..35 if self.open.len() < OPEN => self.propose().await,
            0..50 => self.push_on().await,
            50..65 => self.command(),
            65..88 => self.merge().await,
            88..91 => {
                self.merge().await?;
                self.merge().await
            }
            91..96 => self.push_directly().await,
            _ => self.close(),
        }
    }

    /// How long until somebody does something again.
    pub(crate) fn rest(&mut self) -> Duration {
        Duration::from_millis(self.rng.random_range(200..1_000))
    }

    /// Gives the runs that wait for one the word that their commit's check asks for.
    ///
    /// # Errors
    /// The simulated GitHub itself failed.
    pub(crate) async fn tend(&mut self) -> anyhow::Result<()> {
        for environment in ENVIRONMENTS {
            let Some(&pull) = self.merged.get(environment.branch) else { continue };
            let head = self.repo.head(environment.branch).await?.unwrap_or_default();
            let Some(text) = asked_for(&self.repo, &head, environment.name) else { continue };
            let word = format!("{head} {text}");
            let again = self
                .word
                .get(environment.name)
                .is_none_or(|(last, at)| *last != word || at.elapsed() > PATIENCE);
            if again {
                self.word.insert(environment.name, (word, Instant::now()));
                self.say(pull, &text)?;
            }
        }
        Ok(())
    }

    async fn propose(&mut self) -> anyhow::Result<()> {
        let environment = ENVIRONMENTS[usize::from(self.rng.random_bool(0.4))];
        self.branches += 1;
        let branch = format!("change-{}", self.branches);
        let tip = self.repo.head(environment.branch).await?.unwrap_or_default();
        let services = self.some_services();
        let edits = self.edits(environment.branch, &services).await?;
        self.repo.point_branch(&branch, &tip, PERSON).await?;
        self.repo.push(&branch, PERSON, "Change services", edits).await?;
        let pull = NewPull::from(&branch).into(environment.branch);
        let number = self.repo.open(pull).await?;
        self.open.push(Open { number, environment, branch, services });
        Ok(())
    }

    async fn push_on(&mut self) -> anyhow::Result<()> {
        let Some(at) = self.any_open() else { return Ok(()) };
        let (branch, services) = (self.open[at].branch.clone(), self.open[at].services.clone());
        let edits = self.edits(&branch, &services).await?;
        self.repo.push(&branch, PERSON, "Change it again", edits).await.map(drop)
    }

    fn command(&mut self) -> anyhow::Result<()> {
        let Some(at) = self.any_open() else { return Ok(()) };
        let texts = ["/plan", "/status", "/help", "/apply", "/plan\n/status", "/landfall plam"];
        let text = texts[self.rng.random_range(0..texts.len())];
        self.say(self.open[at].number, text)
    }

    async fn merge(&mut self) -> anyhow::Result<()> {
        let Some(at) = self.any_open() else { return Ok(()) };
        let method = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase]
            [self.rng.random_range(0..3)];
        // Mostly people wait for what was merged before, or nothing would ever be applied in full.
        let calm = self.is_calm(self.open[at].environment).await?;
        if !calm && self.rng.random_bool(0.75) {
            return Ok(());
        }
        let open = self.open.swap_remove(at);
        // One that conflicts with what was merged meanwhile is given up, as people do.
        if self.repo.merge(open.number, method, PERSON).await.is_ok() {
            self.merged.insert(open.environment.branch, open.number);
            self.merges += 1;
            Ok(())
        } else {
            self.repo.close(open.number, PERSON)
        }
    }

    /// Whether what was merged last is applied, as far as people can see.
    async fn is_calm(&self, environment: Environment) -> anyhow::Result<bool> {
        if !self.merged.contains_key(environment.branch) {
            return Ok(true);
        }
        let head = self.repo.head(environment.branch).await?.unwrap_or_default();
        let newest = check_of(&self.repo, &head, environment.name);
        Ok(newest.is_some_and(|check| check.conclusion.as_deref() == Some("success")))
    }

    async fn push_directly(&mut self) -> anyhow::Result<()> {
        let environment = ENVIRONMENTS[usize::from(self.rng.random_bool(0.4))];
        // Nobody can be given a word for the first run but on a pull request.
        if !self.merged.contains_key(environment.branch) {
            return Ok(());
        }
        let services = self.some_services();
        let edits = self.edits(environment.branch, &services[..1]).await?;
        self.repo.push(environment.branch, PERSON, "Change it directly", edits).await?;
        self.merges += 1;
        Ok(())
    }

    fn close(&mut self) -> anyhow::Result<()> {
        let Some(at) = self.any_open() else { return Ok(()) };
        let open = self.open.swap_remove(at);
        self.repo.close(open.number, PERSON)
    }

    fn say(&mut self, pull: u64, text: &str) -> anyhow::Result<()> {
        let comment = self.repo.comment(pull, PERSON, text)?;
        self.said.push(Said { pull, comment, text: text.to_owned() });
        Ok(())
    }

    fn any_open(&mut self) -> Option<usize> {
        (!self.open.is_empty()).then(|| self.rng.random_range(0..self.open.len()))
    }

    fn some_services(&mut self) -> Vec<String> {
        let first = self.rng.random_range(0..SERVICES);
        let many = self.rng.random_range(1..=3);
        (first..first + many).map(name).collect()
    }

    /// Other contents for these services than a branch has: some go, most change or come.
    async fn edits(&mut self, branch: &str, services: &[String]) -> anyhow::Result<Vec<Edit>> {
        let mut edits = Vec::new();
        for name in services {
            let there = self.repo.file(branch, &path(name)).await?;
            if there.is_some() && self.rng.random_bool(0.25) {
                edits.push(remove(path(name)));
                continue;
            }
            let mut service = Service::any(name, &mut self.rng);
            while there.as_deref() == Some(&*service.text()) {
                service = Service::any(name, &mut self.rng);
            }
            self.written.note(&service);
            edits.push(edit(service.path(), service.text()));
        }
        Ok(edits)
    }
}

/// The names of all services that there may be.
pub(crate) fn services() -> impl Iterator<Item = String> {
    (0..SERVICES).map(name).chain([LASTING.to_owned()])
}

fn name(number: usize) -> String {
    format!("app{}", number % SERVICES)
}

/// The command that an environment's newest check on a commit asks for, if it waits for one.
fn asked_for(repo: &Repo, commit: &str, environment: &str) -> Option<String> {
    let newest = check_of(repo, commit, environment)?;
    let waits = matches!(newest.conclusion.as_deref(), Some("action_required" | "failure"));
    let summary = newest.summary.filter(|_| waits)?;
    let begin = format!("`/apply {environment}");
    let at = summary.rfind(&begin)? + 1;
    summary[at..].split_once('`').map(|(command, _)| command.to_owned())
}

/// An environment's newest check on a commit of its branch.
fn check_of(repo: &Repo, commit: &str, environment: &str) -> Option<CheckRun> {
    let name = format!("landfall / {environment}");
    repo.check_runs(commit).into_iter().rfind(|check| check.name == name)
}
