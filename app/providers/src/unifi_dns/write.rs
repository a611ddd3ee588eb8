//! Writes one site's record sets, one request at a time, under the site's lease.
//!
//! A console has no transactions and nowhere to mark what is ours, so each effect begins and ends
//! with a listing. Between the two:
//! - What lives must be what the change found. An effect that was cut off is never gone on with: it
//!   is read back, what is there of it becomes ours, and the rest is planned anew from what lives.
//!   (Without an intent of ours, part of a change in place is somebody else's work.)
//! - Each record is held against everything at its name before it is written ([`Attempt`]). Another client of the
//!   console may still come in between; it has no lock that both could take.
//! - A refusal (4xx, or a request that never left) is certain: what this attempt did before is taken
//!   back, so that a name is not left without its old record because the new one was refused. If
//!   that works, nothing has changed; if not, reading back shows how far it came.
//! - Anything else (no answer, 5xx) leaves the outcome unknown, and nothing more is sent.

use std::collections::BTreeMap;

use async_trait::async_trait;
use landfall_core::plan::{Change, Effect, Landed, Outcome, ResourceKey, Value};

use super::attempt::Attempt;
use super::read::{elsewhere, set_of, sets, target_of};
use super::set::RecordSet;
use crate::hold::Hold;
use crate::provider::{Later, ProviderError, Writer};
use crate::unifi::console::Console;
use crate::unifi::pen::{Pen, WriteError};
use crate::unifi::record::{Listed, Origin, RecordType};

/// Writes one site.
#[derive(Debug)]
pub(crate) struct SiteWriter {
    console: Console,
}

/// A change with what it is made of.
pub(super) struct Task<'e> {
    pub(super) change: &'e Change,
    pub(super) rtype: RecordType,
    pub(super) before: RecordSet,
    pub(super) after: RecordSet,
}

impl SiteWriter {
    pub(crate) fn new(console: Console) -> Self {
        Self { console }
    }

    async fn write(&self, effect: &Effect, hold: Hold<'_>) -> Result<Outcome, Later> {
        let tasks: Result<Vec<Task<'_>>, String> = effect.changes.iter().map(Task::of).collect();
        let tasks = match tasks {
            Ok(tasks) => tasks,
            Err(message) => return Ok(Outcome::Failed(message)),
        };
        let pen = Pen::take(&self.console, hold).await;
        let listing = match self.console.list().await {
            Ok(listing) => listing,
            Err(error) => return error.before_write(),
        };
        if let Some(message) = tasks.iter().find_map(|task| moved(task, &listing)) {
            return Ok(Outcome::Moved(message));
        }
        let mut attempt = Attempt::new(&pen, listing);
        for task in &tasks {
            match attempt.perform(task).await {
                Ok(()) => {}
                Err(WriteError::Unknown(why)) => {
                    return Ok(Outcome::Unknown(format!("{}: {why}", task.change.key)));
                }
                Err(WriteError::Later(later)) if attempt.is_untouched() => return Err(later),
                Err(WriteError::Later(Later { why, .. }) | WriteError::Refused(why)) => {
                    return Ok(attempt.give_up(format!("{}: {why}", task.change.key)).await);
                }
            }
        }
        Ok(self.verify(effect).await)
    }

    /// The console's answers are not enough: what it lists is what counts.
    async fn verify(&self, effect: &Effect) -> Outcome {
        match self.read_back(effect).await {
            Ok((landed, ids)) => match landed.iter().position(|landed| *landed != Landed::After) {
                None => Outcome::Done(ids),
                Some(place) => Outcome::Unknown(format!(
                    "{}: the console accepted the change and does not list it",
                    effect.changes[place].key
                )),
            },
            Err(error) => {
                Outcome::Unknown(format!("everything was written, but not seen again: {error}"))
            }
        }
    }
}

#[async_trait]
impl Writer for SiteWriter {
    async fn apply(&self, effect: &Effect, hold: Hold<'_>) -> Result<Outcome, Later> {
        let here = target_of(&self.console);
        if effect.target != *hold.target() {
            return Ok(Outcome::Failed(format!(
                "the lease is for {} and not for {}",
                hold.target(),
                effect.target
            )));
        }
        if effect.target != here || effect.changes.iter().any(|change| change.key.target != here) {
            return Ok(Outcome::Failed(elsewhere(&effect.target, &self.console)));
        }
        self.write(effect, hold).await
    }

    async fn read_back(
        &self,
        effect: &Effect,
    ) -> Result<(Vec<Landed>, BTreeMap<ResourceKey, Vec<String>>), ProviderError> {
        if effect.target != target_of(&self.console) {
            return Err(ProviderError::Missing(elsewhere(&effect.target, &self.console)));
        }
        let sets = sets(&effect.target, self.console.list().await?);
        let (mut landed, mut ids) = (Vec::new(), BTreeMap::new());
        for change in &effect.changes {
            let live = sets.get(&change.key).map_or(&[][..], Vec::as_slice);
            let found =
                Task::of(change).map(|task| set_of(live).progress(&task.before, &task.after));
            let found = found.unwrap_or(Landed::Foreign);
            // Half a replace may have left no record: then it has no ids, and not its old ones.
            if !live.is_empty() || found == Landed::Partly {
                let there = live.iter().map(|listed| listed.id.clone());
                ids.insert(change.key.clone(), there.collect());
            }
            landed.push(found);
        }
        Ok((landed, ids))
    }
}

impl<'e> Task<'e> {
    fn of(change: &'e Change) -> Result<Self, String> {
        let key = &change.key;
        let rtype = RecordType::named(&key.rtype)
            .ok_or_else(|| format!("{key}: not a type that is written here"))?;
        let read = |value: Option<&Value>| {
            RecordSet::from_value(value)
                .ok_or_else(|| format!("{key}: the plan's value is not a record set"))
        };
        let (before, after) = (read(change.before.as_ref())?, read(change.after.as_ref())?);
        if after.records().iter().any(|record| !record.enabled || record.origin == Origin::Console)
        {
            return Err(format!("{key}: the plan's value is not one that can be written"));
        }
        Ok(Self { change, rtype, before, after })
    }

    /// Its records among those that live.
    pub(super) fn live(&self, listing: &[Listed]) -> Vec<Listed> {
        let ResourceKey { target: _, name, rtype } = &self.change.key;
        listing
            .iter()
            .filter(|listed| listed.name == *name && listed.rtype == *rtype)
            .cloned()
            .collect()
    }
}

/// What is said where something lives that the plan was not made for. That everything is as wanted
/// already counts: it was not us, or reading back would have found it.
fn moved(task: &Task<'_>, listing: &[Listed]) -> Option<String> {
    let live = set_of(&task.live(listing));
    (live != task.before).then(|| {
        format!("{}: the plan found {}, now there is {live}", task.change.key, task.before)
    })
}
