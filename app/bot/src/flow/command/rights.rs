//! Who may give a command: what the rules on the default branch ask for, held against what GitHub
//! says at this moment. What cannot be found out gives nobody a right.

use std::collections::BTreeSet;
use std::sync::Arc;

use landfall_core::command::{About, Command, Usage};
use landfall_core::config::RepositoryConfig;
use landfall_core::name::{EnvironmentName, ServiceName};
use landfall_core::rights::{Level, Right, any_of};
use landfall_core::yaml::did_you_mean;
use landfall_github::{Failure, GithubError};

use super::{Answer, Refusal, Said, sentence};
use crate::flow::ground::{Ground, Rules, findings, no_rules};
use crate::house::House;

/// What the default branch says of rights.
#[derive(Debug)]
pub(super) enum Standing {
    /// These rules hold.
    Rules(Rules),
    /// There is no repository config, so nobody asked for anything.
    Free,
    /// It cannot be read, so nobody knows what it asks for: why.
    Unknown(String),
}

impl Standing {
    pub(super) async fn read(house: &House, ground: &Ground) -> anyhow::Result<Self> {
        Ok(match ground.rules(house).await {
            Ok(rules) => Self::Rules(rules),
            Err(error) => match findings(error)? {
                Some(wrong) => {
                    let branch = ground.repository.default_branch.as_str();
                    Self::Unknown(no_rules(branch, Some(&wrong)))
                }
                None => Self::Free,
            },
        })
    }

    pub(super) fn config(&self) -> Option<&Arc<RepositoryConfig>> {
        match self {
            Self::Rules(rules) => Some(&rules.config),
            Self::Free | Self::Unknown(_) => None,
        }
    }

    fn rights(&self, usage: Usage, environment: Option<&EnvironmentName>) -> Vec<Right> {
        let config = self.config();
        config.map_or_else(
            || vec![Right::Level(usage.takes)],
            |config| config.rights(usage, environment),
        )
    }
}

/// Who gave a command, as far as it was asked, and why something could not be found out.
struct Person<'a> {
    said: &'a Said<'a>,
    /// What they may do in the repository. Their login is theirs if they may do anything.
    level: Option<Level>,
    notes: BTreeSet<String>,
}

impl Said<'_> {
    /// The environments that a command is about and that its author may give it for; none for one that
    /// is about no environment. A command that names none is about those that follow the base.
    pub(super) async fn permitted(
        &self,
        command: &Command,
    ) -> anyhow::Result<Result<Vec<EnvironmentName>, Answer>> {
        let usage = command.usage();
        let meant = match usage.about {
            About::Nothing => Ok(Vec::new()),
            About::Environment | About::Services => self.meant(command).await?,
        };
        // Asked now, not read from the event: rights may have changed since.
        let level = self.ground.reader.permission(self.words.author, &self.words.login).await?;
        let mut asked_of: Vec<EnvironmentName> = meant.iter().flatten().cloned().collect();
        if let Command::Plan(plan) = command
            && self.allows_a_head(plan)
        {
            // Whatever the rules say of `/plan`, and whichever environment is named: see `head`.
            if level < Some(Level::Write) {
                return Ok(Err(Answer::refuse(format!(
                    "For the head of a fork you {}.",
                    Right::Level(Level::Write)
                ))));
            }
            let named = asked_of.clone();
            asked_of.extend(self.following().into_iter().filter(|name| !named.contains(name)));
        }
        let mut person = Person { said: self, level, notes: BTreeSet::new() };
        let places: Vec<Option<&EnvironmentName>> = match asked_of.as_slice() {
            [] => vec![None],
            environments => environments.iter().map(Some).collect(),
        };
        for place in places {
            if !person.may(command, place).await? {
                return Ok(Err(person.refusal(usage, place)));
            }
        }
        // Only to those who may is said what is wrong.
        match &self.standing {
            Standing::Unknown(why)
                if usage.takes > Level::Read && !matches!(command, Command::Plan(_)) =>
            {
                let help = "Who may do this is written there.";
                Ok(Err(Answer::refuse_with(why.clone(), help)))
            }
            _ => Ok(meant),
        }
    }

    /// The environments that follow the base, by the rules.
    fn following(&self) -> Vec<EnvironmentName> {
        let (config, base) = (self.standing.config(), self.pull.base.branch.as_str());
        let mapped = config.into_iter().flat_map(|config| config.mapped_to(base));
        mapped.map(|environment| environment.name.clone()).collect()
    }

    async fn meant(
        &self,
        command: &Command,
    ) -> anyhow::Result<Result<Vec<EnvironmentName>, Answer>> {
        let stored = self.house.store.environments(self.ground.repository.id).await?;
        let config = self.standing.config();
        let mut known: BTreeSet<EnvironmentName> =
            config.iter().flat_map(|config| config.environments.keys().cloned()).collect();
        known.extend(stored.into_iter().map(|environment| environment.name));
        let named = match command {
            Command::Help(_) | Command::Status(_) => None,
            Command::Plan(plan) => plan.about(|name| known.contains(name)).0,
            Command::Apply(apply) => apply.environment.clone(),
            Command::Lock(lock) => Some(lock.environment.clone()),
            Command::Unlock(unlock) => unlock.environment.clone(),
            Command::Cancel(cancel) => cancel.environment.clone(),
        };
        Ok(match (named, config) {
            (Some(name), _) if known.contains(&name) => Ok(vec![name]),
            (Some(name), _) => Err(Answer::Refuse(Refusal {
                why: format!("There is no environment `{name}` here."),
                help: did_you_mean(name.as_str(), known.iter().map(EnvironmentName::as_str))
                    .map(|text| sentence(&text)),
            })),
            (None, Some(_)) => Ok(self.following()),
            (None, None) => Ok(known.into_iter().collect()),
        })
    }

    /// The services that a command for `environment` is about: those that are named, or what the run
    /// there does, or what the pull request would do.
    async fn services(
        &self,
        command: &Command,
        environment: &EnvironmentName,
    ) -> anyhow::Result<BTreeSet<ServiceName>> {
        let (store, repository) = (&self.house.store, self.ground.repository.id);
        if let Command::Plan(plan) = command {
            if self.allows_a_head(plan) {
                return self.services_of_head(environment).await;
            }
            let (_, named) = plan.about(|name| name == environment);
            if !named.is_empty() {
                return Ok(named.iter().cloned().collect());
            }
        } else if let Some(run) = store.recent_runs(repository, environment, 1).await?.pop()
            && let Some(plan) = run.plan
        {
            return Ok(plan.units.into_keys().map(|unit| unit.service).collect());
        }
        let plan = store.latest_plan(&self.scope(environment)).await?;
        let units = plan.into_iter().flat_map(|stored| stored.plan.plan.units.into_keys());
        Ok(units.map(|unit| unit.service).collect())
    }
}

impl Person<'_> {
    /// Whether any of the rights is theirs.
    async fn may(
        &mut self,
        command: &Command,
        environment: Option<&EnvironmentName>,
    ) -> anyhow::Result<bool> {
        // Whoever may not see the repository has no say in it, whatever team they are in.
        let Some(level) = self.level else { return Ok(false) };
        let rights = self.said.standing.rights(command.usage(), environment);
        // What costs nothing to find out comes first.
        if rights.iter().any(|right| matches!(right, Right::Level(least) if level >= *least)) {
            return Ok(true);
        }
        for right in &rights {
            let has = match right {
                Right::Level(_) => false,
                Right::Team(slug) => {
                    let organization = self.said.ground.repository.name.owner();
                    self.is_in(organization, slug).await?
                }
                Right::Owner => match environment {
                    Some(environment) => self.owns_all(command, environment).await?,
                    None => false,
                },
            };
            if has {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether they own every service that a command is about. As GitHub wants of code owners, an owner
    /// may write.
    async fn owns_all(
        &mut self,
        command: &Command,
        environment: &EnvironmentName,
    ) -> anyhow::Result<bool> {
        let services = self.said.services(command, environment).await?;
        if services.is_empty() {
            self.notes.insert(format!("Which services of {environment} it is about is not known."));
        }
        if services.is_empty() || self.level < Some(Level::Write) {
            return Ok(false);
        }
        let owners = match self.said.owners(environment).await? {
            Ok(owners) => owners,
            Err(note) => {
                self.notes.insert(note);
                return Ok(false);
            }
        };
        for service in &services {
            let ownership = owners.of(service);
            let mut owns = false;
            for owner in &ownership.owners {
                owns = owns || self.is(owner).await?;
            }
            if !owns {
                let branch = self.said.ground.repository.default_branch.as_str();
                self.notes.insert(ownership.told(service, branch));
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn is(&mut self, owner: &landfall_core::codeowners::Owner) -> anyhow::Result<bool> {
        use landfall_core::codeowners::Owner;
        match owner {
            Owner::User(login) => Ok(login.eq_ignore_ascii_case(&self.said.words.login)),
            Owner::Team { organization, slug } => {
                let here = self.said.ground.repository.name.owner();
                Ok(organization.eq_ignore_ascii_case(here)
                    && self.is_in(organization, &slug.to_ascii_lowercase()).await?)
            }
            Owner::Email(_) => Ok(false),
        }
    }

    async fn is_in(&mut self, organization: &str, slug: &str) -> anyhow::Result<bool> {
        let reader = &self.said.ground.reader;
        match reader.is_in_team(organization, slug, &self.said.words.login).await {
            Err(GithubError { failure: Failure::Denied { .. }, .. }) => {
                let why = "Landfall may not see who is in a team: its App lacks the organisation permission `Members: read`.";
                self.notes.insert(why.to_owned());
                Ok(false)
            }
            other => Ok(other?),
        }
    }

    fn refusal(self, usage: Usage, environment: Option<&EnvironmentName>) -> Answer {
        let standing = &self.said.standing;
        let rights = standing.rights(usage, environment);
        let takes = any_of(&rights);
        let why = match environment.filter(|_| rights != standing.rights(usage, None)) {
            Some(environment) => format!("For {environment} you {takes}."),
            None => format!("You {takes}."),
        };
        let help = self.notes.into_iter().collect::<Vec<_>>().join(" ");
        Answer::Refuse(Refusal { why, help: Some(help).filter(|help| !help.is_empty()) })
    }
}
