//! Comments on pull requests and on issues that are none, and reactions to them.

use anyhow::Context;
use serde_json::json;

use super::Repo;
use crate::github::model::{Comment, Reaction};

impl Repo {
    /// Comments on a pull request or an issue and returns the comment's id.
    ///
    /// # Errors
    /// There is nothing of that number, or its conversation is locked and `user` may not write.
    pub fn comment(&self, pull: u64, user: &str, body: &str) -> anyhow::Result<u64> {
        let may = self.read(|repository| repository.may_comment(pull, user))?;
        let may = may.with_context(|| format!("there is nothing to comment on at {pull}"))?;
        anyhow::ensure!(may, "the conversation of {pull} is locked");
        let at = self.acts(user);
        let id = self.shared.world().next_id();
        let comment = Comment {
            id,
            pull,
            author: user.to_owned(),
            body: body.to_owned(),
            created_at: at,
            updated_at: at,
            reactions: Vec::new(),
            outdated: false,
        };
        self.change(|repository| repository.comments.insert(id, comment.clone()))?;
        self.tell_comment(&comment, "created", user, json!({}));
        Ok(id)
    }

    /// Changes a comment. A maintainer may edit what somebody else wrote, so `user` need not be its
    /// author.
    ///
    /// # Errors
    /// There is no such comment.
    pub fn edit_comment(&self, id: u64, user: &str, body: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        let edited = self.change(|repository| {
            let comment = repository.comments.get_mut(&id)?;
            comment.updated_at = at;
            let from = std::mem::replace(&mut comment.body, body.to_owned());
            Some((comment.clone(), from))
        })?;
        let (comment, from) = edited.with_context(|| format!("there is no comment {id}"))?;
        let changes = json!({ "changes": { "body": { "from": from } } });
        self.tell_comment(&comment, "edited", user, changes);
        Ok(())
    }

    /// Folds a comment away, or shows it again. Nobody is told of it.
    pub(crate) fn fold_comment(&self, id: u64, outdated: bool) -> Option<()> {
        let folded = self.change(|repository| {
            repository.comments.get_mut(&id).map(|comment| comment.outdated = outdated)
        });
        folded.ok().flatten()
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// There is no such comment.
    pub fn delete_comment(&self, id: u64, user: &str) -> anyhow::Result<()> {
        self.acts(user);
        let gone = self.change(|repository| repository.comments.remove(&id))?;
        let gone = gone.with_context(|| format!("there is no comment {id}"))?;
        self.tell_comment(&gone, "deleted", user, json!({}));
        Ok(())
    }

    /// Reacts to a comment. Nobody reacts in the same way twice: then the first reaction comes
    /// back, and `false`.
    pub(crate) fn react(
        &self,
        comment: u64,
        user: &str,
        content: &str,
    ) -> anyhow::Result<Option<(Reaction, bool)>> {
        let at = self.acts(user);
        let id = self.shared.world().next_id();
        self.change(|repository| {
            let comment = repository.comments.get_mut(&comment)?;
            let known = comment.reactions.iter().find(|r| r.user == user && r.content == content);
            if let Some(known) = known {
                return Some((known.clone(), false));
            }
            let reaction =
                Reaction { id, user: user.to_owned(), content: content.to_owned(), created_at: at };
            comment.reactions.push(reaction.clone());
            Some((reaction, true))
        })
    }

    /// Takes a reaction back; `false` if there is none.
    pub(crate) fn unreact(&self, comment: u64, reaction: u64) -> anyhow::Result<bool> {
        self.change(|repository| {
            let Some(comment) = repository.comments.get_mut(&comment) else { return false };
            let before = comment.reactions.len();
            comment.reactions.retain(|known| known.id != reaction);
            comment.reactions.len() < before
        })
    }
}
