//! Comments: one document in as many comments as it needs, each found by its id, else by its
//! marker and author.

use std::collections::BTreeSet;

use landfall_github::comment::{self, Comment, CommentId, Document, LIMIT, Marker, PARTS};
use landfall_github::{Failure, Fold, GithubError};
use landfall_store::Published;

use super::body::FoldWord;
use super::{CommentBody, Desk, Ended};

/// Stands for sections that do not fit into the parts that a pull request is asked to carry.
const MORE: &str = "*The rest does not fit into these comments; the digest covers all of it. Pull requests of fewer services show every change.*";

impl Desk<'_> {
    pub(super) async fn comment(&self) -> anyhow::Result<Ended> {
        let body: CommentBody = match self.body() {
            Ok(body) => body,
            Err(unreadable) => return Ok(unreadable),
        };
        let parts = self.parts(&body);
        if !self.has_room(u32::try_from(parts.len())?).await? {
            return Ok(Ended::Waits);
        }
        let mut ids = self.item.external.clone();
        if self.item.uncertain || ids.is_empty() && self.item.attempt > 1 {
            match self.found(&body).await {
                Ok(found) => ids = found,
                Err(error) => return Ok(error.into()),
            }
        }
        let mut last = None;
        for (at, part) in parts.iter().enumerate() {
            match self.put_part(&body, ids.get(at).copied(), part).await {
                Ok(comment) => {
                    match ids.get_mut(at) {
                        Some(id) => *id = comment.id.0,
                        None => ids.push(comment.id.0),
                    }
                    self.fold(&body, &comment).await;
                    last = Some(comment);
                }
                Err(error) => {
                    self.house.store.note_external(&self.item.claim, &ids).await?;
                    return Ok(error.into());
                }
            }
        }
        for spare in ids.split_off(parts.len()) {
            if let Err(error) = self.writer.delete_comment(CommentId(spare)).await {
                return Ok(error.into());
            }
        }
        if let Some(comment) = last {
            let published = Published { at: comment.updated_at, subject: comment.id.0 };
            for plan in body.plans {
                self.house.store.mark_published(plan, published).await?;
            }
        }
        Ok(Ended::Done(ids))
    }

    /// Folds a comment whose time is over, or shows it again. Nobody misses anything where GitHub does
    /// not do it, so that is no failure.
    async fn fold(&self, body: &CommentBody, comment: &Comment) {
        let fold = match body.fold {
            FoldWord::Open => return,
            FoldWord::OpenAgain => Fold::Open,
            FoldWord::Outdated => Fold::Outdated,
        };
        if let Err(error) = self.writer.fold_comment(&comment.node_id, fold).await {
            tracing::warn!(comment = %comment.id.0, error = %error, "a comment could not be folded");
        }
    }

    async fn put_part(
        &self,
        body: &CommentBody,
        id: Option<u64>,
        text: &str,
    ) -> Result<Comment, GithubError> {
        if let Some(id) = id {
            match self.writer.update_comment(CommentId(id), text).await {
                // A person deleted it: it is made again.
                Err(GithubError { failure: Failure::Gone | Failure::NotFound, .. }) => {}
                outcome => return outcome,
            }
        }
        self.writer.create_comment(body.pull, text).await
    }

    fn parts(&self, body: &CommentBody) -> Vec<String> {
        let (whole, tail) = (&body.document, body.tail());
        // Before it is split: no part would show that a secret begins in it and ends in the next.
        let (head, tail) = (self.clean(&whole.head), self.clean(&tail));
        let sections: Vec<String> = whole.sections.iter().map(|text| self.clean(text)).collect();
        let document = Document { head: &head, sections: &sections, tail: &tail, more: MORE };
        let parts = comment::split(&document, LIMIT, PARTS);
        let marked = |(at, part): (usize, String)| {
            format!("{}\n{part}", self.marker(body).with("part", at + 1))
        };
        parts.into_iter().enumerate().map(marked).collect()
    }

    fn marker(&self, body: &CommentBody) -> Marker {
        let marker = Marker::new(&body.kind).with("repository", self.item.item.key.repository);
        let marker = marker.with("pull", body.pull);
        if body.about.is_empty() { marker } else { marker.with("about", &body.about) }
    }

    /// The ids of the parts that are there, in order, and of those that are there twice behind them.
    async fn found(&self, body: &CommentBody) -> Result<Vec<u64>, GithubError> {
        let found = self.reader.find_comments(body.pull, &self.marker(body)).await?;
        let part = |comment: &Comment| {
            let marker = Marker::parse(&comment.body)?;
            let part: usize = marker.get("part")?.parse().ok()?;
            Some((part, comment.id.0))
        };
        let mut parts: Vec<(usize, u64)> = found.iter().filter_map(part).collect();
        // Oldest first among equals.
        parts.sort_unstable();
        let mut seen = BTreeSet::new();
        let (once, again): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|(part, _)| seen.insert(*part));
        Ok(once.into_iter().chain(again).map(|(_, id)| id).collect())
    }
}
