//! `/plan`: has the plan made again, and opens in the comment what is named.
//!
//! The plan stays the whole one: what people review and what a merge applies are the same changes,
//! whatever somebody wants to look at. The command is done when the plan stands. Only then is it
//! known which services there are, so a name that leads nowhere is refused beside the plan.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::command::Plan;
use landfall_core::name::{BranchName, CommitSha, EnvironmentName, ServiceName};
use landfall_core::report::Opened;
use landfall_core::yaml::did_you_mean;
use landfall_github::PullState;
use landfall_store::{CommandId, NewCommand};

use super::{Answer, Refusal, Said, finish, refuse, sentence};
use crate::flow::announce::Board;
use crate::house::Kinds;
use crate::publish::body::ReactionWord;

pub(super) async fn plan(said: &Said<'_>, command: Plan) -> anyhow::Result<Answer> {
    if said.pull.state != PullState::Open {
        let why = "This pull request is closed, so there is nothing to plan.";
        return Ok(Answer::refuse(why));
    }
    let kinds = Kinds::of(&said.house.reach.registry).registry().kind_names();
    if let Some(kind) = command.only.iter().find(|kind| !kinds.contains(&kind.to_string())) {
        let why = format!("There is no kind of component `{kind}`.");
        let near = did_you_mean(kind.as_str(), kinds.iter().map(String::as_str));
        return Ok(Answer::Refuse(Refusal { why, help: near.map(|text| sentence(&text)) }));
    }
    if let Some(named) = &command.head
        && let Some(refused) = said.name_head(named).await?
    {
        return Ok(refused);
    }
    if command.fresh {
        said.forget();
    }
    Ok(Answer::Ordered(command))
}

impl Said<'_> {
    /// Forgets what was found out earlier for this repository, and where its connections lead to. What
    /// others found out stays theirs.
    fn forget(&self) {
        self.house.known_targets.forget_all(self.ground.repository.id);
        self.house.guards.forget_all(self.ground.repository.id);
        let environments =
            self.standing.config().into_iter().flat_map(|all| all.environments.values());
        let connections = environments.flat_map(|environment| environment.connections.values());
        connections.for_each(|connection| self.house.reach.registry.forget(connection));
    }
}

/// A `/plan` that has no outcome before the plan stands.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) words: NewCommand,
    pub(super) command: Plan,
}

/// What was asked of the plan that is made next.
#[derive(Debug, Default)]
pub struct Ordered(pub(super) Vec<Order>);

/// What the names in it lead to.
#[derive(Debug, Default)]
pub struct Found {
    /// What the comment opens.
    pub opened: Option<Opened>,
    refused: BTreeMap<CommandId, Refusal>,
}

/// What there is to be named in a pull request.
#[derive(Debug)]
pub struct There<'a> {
    /// The branch that it goes into.
    pub base: &'a BranchName,
    /// The environments of the rules.
    pub environments: BTreeSet<&'a EnvironmentName>,
    /// Those among them that are planned for it.
    pub planned: &'a [EnvironmentName],
    /// The services.
    pub services: BTreeSet<&'a ServiceName>,
    /// The head, where something is not planned because nobody who may has read it.
    pub unread: Option<&'a CommitSha>,
}

impl Ordered {
    /// Finds what is named. Of several commands the last one says what is opened.
    #[must_use]
    pub fn find(&self, there: &There<'_>) -> Found {
        let mut found = Found::default();
        for Order { words, command } in &self.0 {
            let refusal = match there.opened(command) {
                Ok(opened) => {
                    found.opened = opened;
                    there.unread.map(unread)
                }
                Err(refusal) => Some(refusal),
            };
            found.refused.extend(refusal.map(|refusal| (words.id, refusal)));
        }
        found
    }

    /// The plan stands: says so to those who asked for it.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn done(&self, board: &Board<'_>, found: &Found) -> anyhow::Result<()> {
        for Order { words, .. } in &self.0 {
            match found.refused.get(&words.id) {
                Some(refusal) => refuse(board, words, refusal).await?,
                None => {
                    board.react(words.id, ReactionWord::Done).await?;
                    finish(board, words, "planned again", None).await?;
                }
            }
        }
        Ok(())
    }
}

/// That a fork's head was checked from its data alone.
fn unread(head: &CommitSha) -> Refusal {
    let why = "This head is a fork's and nobody named it, so it was checked from its data alone.";
    let help = format!("Once you have read what it changes, write `/plan {}`.", head.digits());
    Refusal { why: why.to_owned(), help: Some(help) }
}

impl There<'_> {
    fn opened(&self, command: &Plan) -> Result<Option<Opened>, Refusal> {
        if command.names.is_empty() && command.only.is_empty() {
            return Ok(None);
        }
        let (environment, services) = command.about(|name| self.environments.contains(name));
        if let Some(name) = environment.as_ref().filter(|name| !self.planned.contains(name)) {
            let base = self.base;
            let why =
                format!("This pull request goes into {base}, and {name} does not follow {base}.");
            return Err(Refusal { why, help: None });
        }
        if let Some(stranger) = services.iter().find(|name| !self.services.contains(name)) {
            return Err(self.stranger(stranger));
        }
        let (services, kinds) = (services.to_vec(), command.only.clone());
        Ok(Some(Opened { environment, services, kinds }))
    }

    fn stranger(&self, name: &ServiceName) -> Refusal {
        let environments = self.environments.iter().map(|name| name.as_str());
        let services = self.services.iter().map(|name| name.as_str());
        Refusal {
            why: format!("There is no environment and no service `{name}` here."),
            help: too_short(name).or_else(|| {
                did_you_mean(name.as_str(), environments.chain(services))
                    .map(|text| sentence(&text))
            }),
        }
    }
}

/// What is to be said of a name that was perhaps to be a commit.
fn too_short(name: &ServiceName) -> Option<String> {
    let mut digits = name.as_str().bytes();
    let hexadecimal = digits.clone().all(|digit| digit.is_ascii_hexdigit());
    (hexadecimal && digits.any(|digit| digit.is_ascii_digit()))
        .then(|| "A commit is named by seven digits or more.".to_owned())
}
