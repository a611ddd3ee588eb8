//! Writes: each one that a provider accepted belongs to a step that was in hand at that moment, and
//! no step made anything twice.
//!
//! A step is in hand from its intent until the store knows what became of it. A write outside of that
//! came after somebody had read the step back and gone on: what was sent then may undo what was done
//! since. There is one way in which no client can prevent that. A server looks at its lease and at
//! what lives, and then sends; stopped in between for longer than the lease, it sends all the same
//! when it wakes, for nothing runs between the two that could ask again. What is done about it: the
//! time between the two is a few instructions; a request that was begun before the pause is given up
//! by its deadline, which is measured by a clock that goes on; a creation that comes twice is
//! refused by both providers, and is counted as refused; and every effect is read back. Such a write
//! is counted as late where a pause explains it: the step was begun before the pause, and the write
//! came within a request's time after it. Any other is a fault.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use landfall_store::{RunState, Step};

use super::{Evidence, Findings};
use crate::history::{Act, Pause, Write};
use crate::serve::REQUEST;

/// A write is noted a moment after it was done, and the store cuts times to milliseconds.
const SLACK: Duration = Duration::from_millis(20);

impl Evidence<'_> {
    pub(super) async fn writes(&self, findings: &mut Findings) -> anyhow::Result<()> {
        let mut steps = Vec::new();
        for run in self.store.runs_in(RunState::ALL).await? {
            steps.extend(self.store.steps(run.run.id).await?);
        }
        let seen = self.history.seen();
        let mut made: BTreeMap<(String, &str, &str, &str), u32> = BTreeMap::new();
        let mut tunnels: BTreeMap<&str, u32> = BTreeMap::new();
        for write in &seen.writes {
            if write.rtype == "tunnel" {
                *tunnels.entry(&write.name).or_default() += u32::from(write.act == Act::Created);
                continue;
            }
            let mine: Vec<&Step> = steps.iter().filter(|step| is_about(step, write)).collect();
            match mine.iter().find(|step| in_hand(step, write.at)) {
                Some(step) if write.act == Act::Created => {
                    let step = step.id.to_string();
                    let times = made.entry((step, &write.name, &write.rtype, &write.value));
                    *times.or_default() += 1;
                }
                Some(_) => {}
                None if mine.iter().any(|step| explained(step, write.at, &seen.pauses)) => {
                    findings.late.push(write.to_string());
                }
                None => findings.wrong.push(format!("a write of no step: {write}")),
            }
        }
        for ((step, name, rtype, value), times) in made.into_iter().filter(|(_, n)| *n > 1) {
            let what = format!("{rtype} {name} {value} was made {times} times by step {step}");
            findings.duplicated.push(what);
        }
        for (name, times) in tunnels.into_iter().filter(|(_, times)| *times > 1) {
            findings.duplicated.push(format!("the tunnel {name} was made {times} times"));
        }
        Ok(())
    }
}

fn is_about(step: &Step, write: &Write) -> bool {
    let mut keys = step.effect.changes.iter().map(|change| &change.key);
    keys.any(|key| key.name == write.name && key.rtype == write.rtype)
}

fn in_hand(step: &Step, at: Timestamp) -> bool {
    let began = at + SLACK >= step.intended_at;
    began && step.ended_at.is_none_or(|ended| at <= ended + SLACK)
}

/// Whether a server that stood still may have sent this for the step when it woke.
fn explained(step: &Step, at: Timestamp, pauses: &[Pause]) -> bool {
    pauses.iter().any(|pause| {
        step.intended_at <= pause.from + SLACK
            && step.ended_at.is_some_and(|ended| ended >= pause.from)
            && pause.until <= at
            && at <= pause.until + REQUEST + SLACK
    })
}
