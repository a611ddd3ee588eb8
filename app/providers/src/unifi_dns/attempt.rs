//! One attempt at an effect: its steps sent one by one, and taken back if one is refused.

use landfall_core::plan::Outcome;

use super::steps::{Changing, Step, hazard, steps};
use super::write::Task;
use crate::unifi::pen::{Pen, WriteError};
use crate::unifi::record::{Listed, Origin, Record, RecordType};

/// What this attempt did, with what takes it back.
enum Undo {
    Delete(Listed),
    Create { name: String, rtype: RecordType, record: Record },
    Change { id: String, name: String, rtype: RecordType, record: Record },
}

/// An attempt at an effect.
pub(super) struct Attempt<'a> {
    pen: &'a Pen<'a>,
    /// What lives, kept up with our own writes.
    listing: Vec<Listed>,
    done: Vec<Undo>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(pen: &'a Pen<'a>, listing: Vec<Listed>) -> Self {
        Self { pen, listing, done: Vec::new() }
    }

    /// Sends what brings the task's set from what lives to what is wanted.
    pub(super) async fn perform(&mut self, task: &Task<'_>) -> Result<(), WriteError> {
        let changing =
            if self.pen.changes_in_place() { Changing::InPlace } else { Changing::ByReplacing };
        let live = task.live(&self.listing);
        for step in steps(task.rtype, &live, task.after.records(), changing) {
            self.send(task, step).await?;
        }
        Ok(())
    }

    async fn send(&mut self, task: &Task<'_>, step: Step) -> Result<(), WriteError> {
        let (name, rtype) = (task.change.key.name.as_str(), task.rtype);
        match step {
            Step::Create(record) => {
                self.stay_clear(name, rtype, None)?;
                let id = self.pen.create(name, rtype, &record).await?;
                let listed =
                    Listed { id, name: name.to_owned(), rtype: rtype.as_str().to_owned(), record };
                self.listing.push(listed.clone());
                self.done.push(Undo::Delete(listed));
            }
            Step::Change { from, to } => {
                changeable(&from)?;
                self.stay_clear(name, rtype, Some(&from.id))?;
                self.pen.change(&from.id, name, rtype, &to).await?;
                self.listing.retain(|listed| listed.id != from.id);
                self.listing.push(Listed { record: to, ..from.clone() });
                let (id, name, record) = (from.id, name.to_owned(), from.record);
                self.done.push(Undo::Change { id, name, rtype, record });
            }
            Step::Delete(from) => {
                changeable(&from)?;
                self.pen.delete(&from.id).await?;
                self.listing.retain(|listed| listed.id != from.id);
                self.done.push(Undo::Create { name: name.to_owned(), rtype, record: from.record });
            }
        }
        Ok(())
    }

    fn stay_clear(
        &self,
        name: &str,
        rtype: RecordType,
        changed: Option<&str>,
    ) -> Result<(), WriteError> {
        match hazard(&self.listing, name, rtype, changed) {
            None => Ok(()),
            Some(other) => Err(WriteError::Refused(format!(
                "not sent, because {} {} stands at the name, and a CNAME beside another record can \
                 stop the gateway's DNS",
                other.rtype, other.record.text
            ))),
        }
    }

    /// Whether nothing was changed by it.
    pub(super) fn is_untouched(&self) -> bool {
        self.done.is_empty()
    }

    /// Takes back what this attempt did, the last first, and says how the effect ends.
    pub(super) async fn give_up(self, why: String) -> Outcome {
        let count = self.done.len();
        for undo in self.done.into_iter().rev() {
            let undone = match undo {
                Undo::Delete(listed) => self.pen.delete(&listed.id).await,
                Undo::Create { name, rtype, record } => {
                    self.pen.create(&name, rtype, &record).await.map(drop)
                }
                Undo::Change { id, name, rtype, record } => {
                    self.pen.change(&id, &name, rtype, &record).await
                }
            };
            if let Err(error) = undone {
                return Outcome::Unknown(format!(
                    "{why}; taking back what was done before failed too: {error}"
                ));
            }
        }
        match count {
            0 => Outcome::Failed(why),
            _ => Outcome::Failed(format!("{why}; what was done before was taken back")),
        }
    }
}

fn changeable(listed: &Listed) -> Result<(), WriteError> {
    match listed.record.origin {
        Origin::User => Ok(()),
        Origin::Console => Err(WriteError::Refused(format!(
            "the record {} is the console's own and cannot be changed",
            listed.record.text
        ))),
    }
}
