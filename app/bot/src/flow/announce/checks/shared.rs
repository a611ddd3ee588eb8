//! One check that several have a part in: pull requests with the same head and base, or a group of the
//! merge queue and a pull request that somebody opens from its commit.
//!
//! GitHub knows a check by its commit and its name, so they all pass or fail by the same one, and whoever
//! may read a repository may open a pull request from any commit in it. So it says the worst of what they
//! came to, and what each came to is kept with it. One that is not planned, because it comes from a
//! fork or has a label, lets none pass that must not; and what a pull request came to holds no other
//! back once it was closed, has another head or goes elsewhere.
//!
//! Each is put by its own job, several at once, so the store composes them one after the other. Whether
//! one still has a part is looked up before: it may end in between, and then its own job or the next
//! plan of another says so.

use std::collections::BTreeSet;

use landfall_core::name::{CommitSha, PullNumber};
use landfall_store::{ItemKey, ItemKind, PullState};
use serde_json::Value;

use super::super::{Board, NEXT};
use super::Subject;
use crate::publish::CheckBody;
use crate::publish::body::{CheckState, Standing, check_subject};

impl Board<'_> {
    /// Puts what one of those that may have a part in a check came to.
    pub(super) async fn put_part(&self, part: CheckBody) -> anyhow::Result<()> {
        self.compose(&self.check_key(&part), Some(&part)).await
    }

    /// Takes back what a pull request came to on a head, where others have a part in the check. Where
    /// none has, it stays as it is.
    ///
    /// # Errors
    /// The store could not be asked or written to.
    pub async fn withdraw(&self, pull: PullNumber, head: &CommitSha) -> anyhow::Result<()> {
        for (_, check) in self.told(pull, head).await? {
            self.leave(&check).await?;
        }
        Ok(())
    }

    /// The same for one check, of a subject that has no part in it any more.
    pub(super) async fn leave(&self, check: &CheckBody) -> anyhow::Result<()> {
        self.compose(&self.check_key(check), None).await
    }

    async fn compose(&self, key: &ItemKey, part: Option<&CheckBody>) -> anyhow::Result<()> {
        let over = self.over(key).await?;
        let compose = |newest: Option<Value>| {
            let newest = newest.and_then(|body| serde_json::from_value::<CheckBody>(body).ok());
            let mut parts = newest.map(CheckBody::apart).unwrap_or_default();
            parts.retain(|part| !over.contains(&part.external_id));
            let shown = self.worst(joined(parts, part))?;
            Some(serde_json::to_value(shown).expect("a check is text, numbers and lists of them"))
        };
        Ok(self.house.store.put_with(self.fence, key, NEXT, &compose).await?)
    }

    fn check_key(&self, check: &CheckBody) -> ItemKey {
        ItemKey {
            installation: self.installation,
            repository: self.repository,
            kind: ItemKind::Check,
            subject: check_subject(&check.head, &check.name),
        }
    }

    /// The keys of those that have no part in a check any more.
    async fn over(&self, key: &ItemKey) -> anyhow::Result<BTreeSet<String>> {
        let mut over = BTreeSet::new();
        let Some(body) = self.house.store.item_body(key).await? else { return Ok(over) };
        for part in serde_json::from_value::<CheckBody>(body)?.apart() {
            if !self.has_part(&part).await? {
                over.insert(part.external_id);
            }
        }
        Ok(over)
    }

    async fn has_part(&self, part: &CheckBody) -> anyhow::Result<bool> {
        let (store, repository) = (&self.house.store, self.repository);
        let Some((subject, scope)) = Subject::read(repository, &part.external_id) else {
            return Ok(false);
        };
        Ok(match subject {
            Subject::Pull(number) => store.pull(repository, number).await?.is_some_and(|pull| {
                pull.state == PullState::Open
                    && pull.head == part.head
                    && scope.check_name(&pull.base) == part.name
            }),
            Subject::Group(branch) => {
                store.pushed_head(repository, &branch).await?.as_ref() == Some(&part.head)
            }
        })
    }

    /// The check of all `parts`. None where nobody has one.
    fn worst(&self, parts: Vec<CheckBody>) -> Option<CheckBody> {
        let worst = parts.iter().min_by_key(|part| weight(part.state))?.clone();
        if parts.len() == 1 {
            return Some(worst);
        }
        let named = |part: &CheckBody| {
            Subject::of_key(self.repository, &part.external_id).map(|subject| subject.named())
        };
        let all: Vec<String> = parts.iter().filter_map(named).collect();
        let whose = named(&worst).unwrap_or_default();
        let summary = format!(
            "{} have this commit and base in common, and so this check. It says the worst of what they \
             come to, which is that of {whose}:\n\n{}",
            all.join(" and "),
            worst.summary
        );
        Some(CheckBody { summary, parts, ..worst })
    }
}

/// Those that have a part, and what one of them comes to now.
fn joined(mut parts: Vec<CheckBody>, now: Option<&CheckBody>) -> Vec<CheckBody> {
    if let Some(now) = now {
        match parts.iter_mut().find(|part| part.external_id == now.external_id) {
            Some(part) => now.clone_into(part),
            None => parts.push(now.clone()),
        }
    }
    let retired = |part: &CheckBody| part.standing == Standing::Retired;
    if !parts.iter().all(retired) {
        parts.retain(|part| !retired(part));
    }
    parts
}

/// The worst first. What is neutral was not planned, so it says less than a plan that may be merged.
fn weight(state: CheckState) -> u8 {
    match state {
        CheckState::Failure(_) => 0,
        CheckState::ActionRequired(_) => 1,
        CheckState::Cancelled(_) => 2,
        CheckState::Running(_) => 3,
        CheckState::Success(_) => 4,
        CheckState::Neutral(_) => 5,
    }
}
