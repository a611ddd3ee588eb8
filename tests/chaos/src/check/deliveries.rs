//! Deliveries and commands: each was handled, and each command was answered once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use landfall_github::webhook::Event;
use landfall_sim::github::Attempt;
use landfall_store::{CommandId, CommandSource, DeliveryId, Inserted, NewDelivery};

use super::{Evidence, Findings};
use crate::history::marker;
use crate::people::Said;

/// The App's account.
pub(super) const US: &str = "landfall[bot]";

impl Evidence<'_> {
    /// Every delivery that GitHub knows of was handled, but for those which nobody took and from which
    /// nothing could follow. A delivery that comes again says so, and changes nothing.
    pub(super) async fn deliveries(&self, findings: &mut Findings) -> anyhow::Result<()> {
        let log = self.town.github.hooks().log();
        let known: BTreeMap<&str, &Attempt> =
            log.iter().map(|attempt| (attempt.guid.as_str(), &**attempt)).collect();
        for (guid, attempt) in known {
            let again = NewDelivery {
                id: DeliveryId(guid.parse()?),
                event: attempt.event.clone(),
                action: attempt.action.clone(),
                installation: None,
                repository: None,
                body: attempt.payload.to_string().into_bytes(),
                received_at: Timestamp::now(),
            };
            let what = format!("delivery {guid}, {} {:?}", attempt.event, attempt.action);
            match self.store.insert_delivery(&again).await? {
                Inserted::Known { processed: true } => {}
                Inserted::Known { processed: false } => {
                    findings.lost.push(format!("{what}: it came and was not handled"));
                }
                Inserted::New if !Event::matters(&attempt.event, attempt.action.as_deref()) => {}
                Inserted::New => findings.lost.push(format!("{what}: it never came")),
            }
        }
        Ok(())
    }

    /// Every command has an outcome, and whoever said it can see that.
    pub(super) async fn commands(&self, findings: &mut Findings) -> anyhow::Result<()> {
        for said in &self.people.said {
            for (index, text) in (0..).zip(said.text.lines()) {
                let id = CommandId { source: CommandSource::Comment(said.comment), index };
                let what = format!("`{text}` ({id}) on pull request {}", said.pull);
                match self.store.command_outcome(id).await? {
                    None => findings.lost.push(format!("{what} has no outcome")),
                    Some(outcome) => self.answered(said, id, (&what, &outcome), findings),
                }
            }
        }
        Ok(())
    }

    /// Holds an outcome against what can be said to such a command, and looks for it on the pull
    /// request.
    fn answered(
        &self,
        said: &Said,
        id: CommandId,
        (what, outcome): (&str, &str),
        findings: &mut Findings,
    ) {
        let refused = outcome.starts_with("refused");
        // In a burst of commands it is said once.
        let in_a_burst = refused && outcome.ends_with("within a minute.");
        let text = what.trim_start_matches('`');
        let fits = match () {
            () if in_a_burst => true,
            () if text.starts_with("/status") || text.starts_with("/help") => outcome == "answered",
            () if text.starts_with("/landfall plam") => refused,
            () if text.starts_with("/plan") => outcome == "planned again" || refused,
            () => outcome == "done" || refused,
        };
        if !fits {
            findings.wrong.push(format!("{what} came to: {outcome}"));
        }
        let (reaction, comment) = match outcome {
            "answered" | "planned again" | "done" => (Some("rocket"), None),
            _ if in_a_burst => (Some("confused"), None),
            _ => (Some("confused"), Some("refused")),
        };
        let reactions = self.town.repo.reactions(said.comment);
        if reaction.is_some_and(|wanted| {
            !reactions.iter().any(|found| found.user == US && found.content == wanted)
        }) {
            findings.lost.push(format!("{what}: nobody reacted with {reaction:?}"));
        }
        let Some(kind) = comment else { return };
        let begin = format!("<!-- landfall:{kind} ");
        let about = format!(" about={id} ");
        let comments = self.town.repo.comments(said.pull);
        let markers = comments.iter().filter_map(|comment| marker(&comment.body));
        match markers.filter(|line| line.starts_with(&begin) && line.contains(&about)).count() {
            0 => findings.lost.push(format!("{what}: there is no {kind}")),
            1 => {}
            many => findings.duplicated.push(format!("{what}: there are {many} of its {kind}")),
        }
    }
}
