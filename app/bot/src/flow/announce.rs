//! Announcing: reports into the outbox. Nothing is sent from here.

use landfall_core::name::{InstallationId, PullNumber, RepositoryId};
use landfall_github::InstalledRepository;
use landfall_store::{
    ClaimedJob, CommandId, CommandSource, Fence, Item, ItemKey, ItemKind, NewCommand,
};
use serde::Serialize;

use crate::house::House;
use crate::publish::body::{FoldWord, ReactionBody, ReactionWord, check_subject};
use crate::publish::{CheckBody, CommentBody};
use crate::render::Document;

mod checks;
mod protection;
mod pull;
mod run;

pub use checks::{Expected, Group, Subject};
pub use protection::unanswered;
pub use run::report_of;

/// That a command was heard, which people look for within a second.
const AT_ONCE: u8 = 0;
/// Comments: people read them, and a plan counts as reviewed from then on.
const FIRST: u8 = 1;
/// Everything else.
const NEXT: u8 = 2;

/// The reaction to a comment with commands in it, before anybody looks what they are about.
///
/// # Errors
/// Never: its body is plain text and numbers.
pub fn heard(on: &InstalledRepository, comment: u64) -> anyhow::Result<Item> {
    let reaction = ReactionBody { comment, reaction: ReactionWord::Heard };
    let key = ItemKey {
        installation: on.installation,
        repository: on.id,
        kind: ItemKind::Reaction,
        subject: reaction.subject(),
    };
    Ok(Item { key, body: serde_json::to_value(reaction)?, priority: AT_ONCE })
}

/// Where something is announced.
#[derive(Debug, Clone, Copy)]
pub struct Board<'a> {
    /// The house.
    pub house: &'a House,
    /// The job's right to write.
    pub fence: &'a Fence,
    /// Whose writes they count among.
    pub installation: InstallationId,
    /// The repository.
    pub repository: RepositoryId,
}

impl<'a> Board<'a> {
    /// Where a job announces what it finds out about a repository.
    #[must_use]
    pub fn of(house: &'a House, job: &'a ClaimedJob, repository: RepositoryId) -> Self {
        Self { house, fence: &job.fence, installation: job.installation, repository }
    }

    async fn put(
        &self,
        kind: ItemKind,
        subject: String,
        priority: u8,
        body: &impl Serialize,
    ) -> anyhow::Result<()> {
        let key =
            ItemKey { installation: self.installation, repository: self.repository, kind, subject };
        let item = Item { key, body: serde_json::to_value(body)?, priority };
        Ok(self.house.store.put(self.fence, &item).await?)
    }

    async fn put_check(&self, check: CheckBody) -> anyhow::Result<()> {
        let subject = check_subject(&check.head, &check.name);
        self.put(ItemKind::Check, subject, NEXT, &check).await
    }

    fn comment_key(&self, subject: &str) -> ItemKey {
        ItemKey {
            installation: self.installation,
            repository: self.repository,
            kind: ItemKind::Comment,
            subject: subject.to_owned(),
        }
    }

    /// Why a command was not carried out, in a comment of its own.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn refused(&self, words: &NewCommand, text: String) -> anyhow::Result<()> {
        let (document, about) = (Document::of(text), words.id.to_string());
        let body = CommentBody::new(words.pull, "refused", &about, document);
        self.put(ItemKind::Comment, format!("answer/refused/{about}"), FIRST, &body).await
    }

    /// Folds a comment away, if there is one: what it says is over. There seldom is, so it is looked for
    /// before anything is written; nobody else puts it meanwhile, for its job is ours.
    async fn fold(&self, subject: &str) -> anyhow::Result<()> {
        let outdated = serde_json::to_value(FoldWord::Outdated)?;
        let before = self.house.store.item_body(&self.comment_key(subject)).await?;
        if before.is_none_or(|body| body["fold"] == outdated) {
            return Ok(());
        }
        let amend = |body: &mut serde_json::Value| body["fold"] = outdated.clone();
        Ok(self.house.store.amend(self.fence, &self.comment_key(subject), &amend).await?)
    }

    /// How a comment is put that is to be read, whatever it was before.
    async fn read_again(&self, subject: &str) -> anyhow::Result<FoldWord> {
        let before = self.house.store.item_body(&self.comment_key(subject)).await?;
        let fold = before.and_then(|before| serde_json::from_value(before["fold"].clone()).ok());
        Ok(match fold {
            None | Some(FoldWord::Open) => FoldWord::Open,
            Some(FoldWord::OpenAgain | FoldWord::Outdated) => FoldWord::OpenAgain,
        })
    }

    /// The quietest answer. To a click there is none: what was clicked on changes.
    ///
    /// # Errors
    /// The store could not be written to.
    pub async fn react(&self, said: CommandId, reaction: ReactionWord) -> anyhow::Result<()> {
        let CommandSource::Comment(comment) = said.source else { return Ok(()) };
        let body = ReactionBody { comment, reaction };
        self.put(ItemKind::Reaction, body.subject(), FIRST, &body).await
    }
}

fn plan_subject(pull: PullNumber) -> String {
    format!("pull/{pull}")
}
