//! The head that a `/plan` names: it has to be the head now, and a fork's may be planned from then on.
//!
//! Between what somebody read and what they wrote the pull request may have moved, by whoever owns its
//! branch. So a word is for one commit. That commit is the head by what GitHub says now and by the ref
//! of the pull request; whatever else GitHub knows by these digits, every refusal says the same.
//!
//! A word names no branch. It is about the one that the pull request goes into when it is carried out,
//! and the right to it is asked for in every environment that follows that one.
//!
//! Whoever makes a commit can choose how it begins, so few digits alone would fit a commit that was
//! made to fit. They are held against every commit that was reported on, on any server: those that the
//! comment shows mean the head that it was about.

use std::collections::BTreeSet;

use landfall_core::command::{CommitPrefix, Plan};
use landfall_core::name::{CommitSha, EnvironmentName, ServiceName};
use landfall_repo::Merged;
use landfall_store::{AllowedHead, AuditEntry, ItemKind};

use super::rights::Standing;
use super::{Answer, Said};
use crate::flow::plan::{before, fork};
use crate::gather::LoadError;
use crate::publish::CheckBody;

impl Said<'_> {
    /// Whether a command would have a fork's head planned with the credentials of all environments that
    /// follow the base.
    pub(super) fn allows_a_head(&self, plan: &Plan) -> bool {
        plan.head.is_some() && self.pull.is_fork()
    }

    /// Holds what somebody named against the head, and allows a fork's to be planned. Says why not.
    ///
    /// # Errors
    /// The head is not proven yet because GitHub shows two, or could not be asked.
    pub(super) async fn name_head(&self, named: &CommitPrefix) -> anyhow::Result<Option<Answer>> {
        let head = &self.pull.head.sha;
        self.ground.prove_head(self.pull.number, head).await?;
        if !named.begins(head) {
            return Ok(Some(elsewhere(named, head)));
        }
        if self.begins_another(named, head).await? {
            return Ok(Some(Answer::refuse_with(
                format!("`{named}` is how more than one commit begins that was seen here."),
                format!("Look at what the head changes, and name all of it: `/plan {head}`."),
            )));
        }
        if self.pull.is_fork() {
            self.allow(head).await?;
        }
        Ok(None)
    }

    /// Whether a commit was reported on that begins like the head.
    async fn begins_another(&self, named: &CommitPrefix, head: &CommitSha) -> anyhow::Result<bool> {
        let (store, prefix) = (&self.house.store, format!("check/{named}"));
        let bodies = store.items_under(self.ground.repository.id, ItemKind::Check, &prefix).await?;
        for body in bodies {
            let check: CheckBody = serde_json::from_value(body)?;
            if check.head != *head {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The services that the head declares otherwise than its base in an environment, whatever a command
    /// names: all of them are planned. None when that cannot be read.
    pub(super) async fn services_of_head(
        &self,
        environment: &EnvironmentName,
    ) -> anyhow::Result<BTreeSet<ServiceName>> {
        let (house, ground, head) = (self.house, self.ground, &self.pull.head.sha);
        let Standing::Rules(rules) = self.standing else { return Ok(BTreeSet::new()) };
        let Some(environment) = rules.config.environments.get(environment) else {
            return Ok(BTreeSet::new());
        };
        ground.prove_head(self.pull.number, head).await?;
        let base = ground.newest(&self.pull.base.branch).await?;
        let Merged::Tree(tree) = ground.mirror.merge_tree(&base, head).await? else {
            return Ok(BTreeSet::new());
        };
        let merged = match ground.declared(house, rules, &tree).await {
            Ok(merged) => merged,
            Err(LoadError::Source(error)) => return Err(error),
            Err(_) => return Ok(BTreeSet::new()),
        };
        let before = before(house, ground, rules, &base).await?;
        let declares = fork::declares(environment, before.as_ref(), &merged);
        Ok(declares.into_iter().map(|declares| declares.service).collect())
    }

    async fn allow(&self, head: &CommitSha) -> anyhow::Result<()> {
        let (words, base) = (self.words, &self.pull.base.branch);
        let allowed = AllowedHead {
            repository: self.ground.repository.id,
            pull: self.pull.number,
            head: head.clone(),
            base: base.clone(),
            command: words.id,
            by: words.author,
            login: words.login.clone(),
            at: words.commented_at,
        };
        let entry = AuditEntry {
            who: format!("{} ({})", words.login, words.author),
            what: "allow".to_owned(),
            repository: allowed.repository,
            environment: None,
            digest: None,
            why: format!("{}: {head} of pull request {} into {base}", words.text, words.pull),
        };
        Ok(self.house.store.allow_head(&self.job.fence, &allowed, &entry).await?)
    }
}

/// That somebody named something else. The same for a commit that was the head before, for one of
/// somebody else and for one that nobody knows.
fn elsewhere(named: &CommitPrefix, head: &CommitSha) -> Answer {
    let digits = head.digits();
    let help = match named.as_str().bytes().all(|digit| digit.is_ascii_alphabetic()) {
        // Perhaps it was to be a service.
        true => "Seven hexadecimal digits or more always name a commit. Look at what ",
        false => "Look at what ",
    };
    Answer::refuse_with(
        format!("`{named}` is not the head of this pull request, which is `{digits}` now."),
        format!("{help}`{digits}` changes, and name that one: `/plan {digits}`."),
    )
}
