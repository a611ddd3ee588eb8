//! Whether a command still stands as it was said. Between the event and now its comment may have been
//! deleted, or edited by its author or by a maintainer; nothing is done then on anybody's behalf.

use landfall_core::plan::{Digest, Value};
use landfall_github::comment::CommentId;
use landfall_github::{Failure, GithubError};
use landfall_store::CommandSource;

use super::{Answer, Said};

/// The digest of what a comment says.
pub(in crate::flow) fn said(body: &str) -> Digest {
    Digest::of(&Value::from(body))
}

impl Said<'_> {
    /// What becomes of a command whose comment is not what it was.
    pub(super) async fn withdrawn(&self) -> anyhow::Result<Option<Answer>> {
        // Nobody edits a click.
        let CommandSource::Comment(id) = self.words.id.source else { return Ok(None) };
        let comment = match self.ground.reader.comment(CommentId(id)).await {
            Ok(comment) => comment,
            Err(GithubError { failure: Failure::NotFound | Failure::Gone, .. }) => {
                return Ok(Some(Answer::PassedOver("the comment was deleted")));
            }
            Err(error) => return Err(error.into()),
        };
        let author = comment.user.as_ref().map(|user| user.id);
        if author == Some(self.words.author) && Some(said(&comment.body)) == self.words.said {
            return Ok(None);
        }
        let why = "The comment was edited before it was carried out.";
        Ok(Some(Answer::refuse_with(why, "Say it again in a new comment.")))
    }
}
