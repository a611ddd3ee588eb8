//! `/plan`: has the plan made again, and opens in the comment what is named.
//!
//! The plan stays the whole one: what people review and what a merge applies are the same changes,
//! whatever somebody wants to look at. The command is done when the plan stands. Only then is it
//! known which services there are, so a name that leads nowhere is refused beside the plan.

use std::collections::{BTreeMap, BTreeSet};

use landfall_core::command::Plan;
use landfall_core::name::{BranchName, EnvironmentName, ServiceName};
use landfall_core::report::Opened;
use landfall_core::yaml::did_you_mean;
use landfall_github::PullState;
use landfall_store::{CommandId, NewCommand};

use super::{Answer, Refusal, Said, refuse, sentence};
use crate::flow::announce::Board;
use crate::house::Kinds;
use crate::publish::body::ReactionWord;

pub(super) fn plan(said: &Said<'_>, command: Plan) -> Answer {
    if said.pull.state != PullState::Open {
        return Answer::refuse("This pull request is closed, so there is nothing to plan.");
    }
    let kinds = Kinds::of(&said.house.reach.registry).registry().kind_names();
    if let Some(kind) = command.only.iter().find(|kind| !kinds.contains(&kind.to_string())) {
        let why = format!("There is no kind of component `{kind}`.");
        let near = did_you_mean(kind.as_str(), kinds.iter().map(String::as_str));
        return Answer::Refuse(Refusal { why, help: near.map(|text| sentence(&text)) });
    }
    if command.fresh {
        said.house.known_targets.forget_all(said.ground.repository.id);
        said.house.reach.registry.forget();
    }
    Answer::Ordered(command)
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
    misnamed: BTreeMap<CommandId, Refusal>,
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
}

impl Ordered {
    /// Finds what is named. Of several commands the last one says what is opened.
    #[must_use]
    pub fn find(&self, there: &There<'_>) -> Found {
        let mut found = Found::default();
        for Order { words, command } in &self.0 {
            match there.opened(command) {
                Ok(opened) => found.opened = opened,
                Err(refusal) => drop(found.misnamed.insert(words.id, refusal)),
            }
        }
        found
    }

    /// The plan stands: says so to those who asked for it.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn done(&self, board: &Board<'_>, found: &Found) -> anyhow::Result<()> {
        for Order { words, .. } in &self.0 {
            let outcome = match found.misnamed.get(&words.id) {
                Some(refusal) => refuse(board, words, refusal).await?,
                None => {
                    board.react(words.id, ReactionWord::Done).await?;
                    "planned again".to_owned()
                }
            };
            board.house.store.finish_command(board.fence, words.id, &outcome).await?;
        }
        Ok(())
    }
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
            help: did_you_mean(name.as_str(), environments.chain(services))
                .map(|text| sentence(&text)),
        }
    }
}
