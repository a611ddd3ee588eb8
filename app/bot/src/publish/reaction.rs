//! Reactions: the quietest answer. GitHub keeps one of each, so setting it twice changes nothing.

use landfall_github::Reaction;
use landfall_github::comment::CommentId;

use super::body::ReactionWord;
use super::{Desk, Ended, ReactionBody};

impl Desk<'_> {
    pub(super) async fn reaction(&self) -> anyhow::Result<Ended> {
        let body: ReactionBody = match self.body() {
            Ok(body) => body,
            Err(unreadable) => return Ok(unreadable),
        };
        if !self.has_room(1).await? {
            return Ok(Ended::Waits);
        }
        let reaction = match body.reaction {
            ReactionWord::Heard => Reaction::Eyes,
            ReactionWord::Done => Reaction::Rocket,
            ReactionWord::Refused => Reaction::Confused,
        };
        match self.writer.react(CommentId(body.comment), reaction).await {
            Ok(()) => Ok(Ended::Done(vec![body.comment])),
            Err(error) => Ok(error.into()),
        }
    }
}
