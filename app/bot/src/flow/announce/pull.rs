//! What a pull request is told in comments: its one comment, and that work on it was given up.

use std::collections::BTreeMap;

use landfall_core::name::{EnvironmentName, PullNumber};
use landfall_core::report::PullReport;
use landfall_store::{ItemKind, PlanId};

use super::{Board, Expected, FIRST, plan_subject};
use crate::publish::{AnswerBody, CommentBody};
use crate::render::Document;

impl Board<'_> {
    /// Whether a comment with our plan is on the pull request already, or on its way there.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn has_commented(&self, pull: PullNumber) -> anyhow::Result<bool> {
        let key = self.comment_key(&plan_subject(pull));
        Ok(self.house.store.item_body(&key).await?.is_some())
    }

    /// The one comment on a pull request, and a check for each environment that is planned.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn pull(&self, report: &PullReport, plans: &[PlanId]) -> anyhow::Result<()> {
        let document = self.house.templates.pull(report)?;
        let mut body = CommentBody::new(report.pull, "plan", "", document.clone());
        body.plans = plans.to_vec();
        body.answers = self.answers(report.pull).await?;
        body.answers.retain(|_, answer| answer.head == report.head);
        self.put_plan(body).await?;
        self.fold(&given_up_subject(report.pull)).await?;
        self.planned(report, &document).await
    }

    /// Puts the one comment anew. What it says of runs stays: there are some only once the pull request was
    /// merged, and their jobs go on beside ours.
    async fn put_plan(&self, body: CommentBody) -> anyhow::Result<()> {
        let key = self.comment_key(&plan_subject(body.pull));
        let body = serde_json::to_value(body)?;
        let compose = |newest: Option<serde_json::Value>| {
            let mut body = body.clone();
            if let Some(newest) = newest {
                body["runs"] = newest["runs"].clone();
            }
            Some(body)
        };
        Ok(self.house.store.put_with(self.fence, &key, FIRST, &compose).await?)
    }

    /// What was asked for with the command `word`, at the end of the one comment, in place of the answer
    /// before. It stays there until there is a plan of another head.
    ///
    /// Only the pull request's own job puts answers there and makes the plan anew, so none is lost between
    /// reading what is there and writing it again.
    ///
    /// # Errors
    /// The store could not be asked or written to.
    pub async fn answer(
        &self,
        pull: PullNumber,
        word: &str,
        answer: AnswerBody,
    ) -> anyhow::Result<()> {
        if !self.has_commented(pull).await? {
            let mut body = CommentBody::new(pull, "plan", "", Document::of(String::new()));
            body.answers.insert(word.to_owned(), answer);
            return self.put(ItemKind::Comment, plan_subject(pull), FIRST, &body).await;
        }
        let answer = serde_json::to_value(answer)?;
        let key = self.comment_key(&plan_subject(pull));
        let amend = |body: &mut serde_json::Value| body["answers"][word] = answer.clone();
        Ok(self.house.store.amend(self.fence, &key, &amend).await?)
    }

    /// What stands at the end of the one comment.
    async fn answers(&self, pull: PullNumber) -> anyhow::Result<BTreeMap<String, AnswerBody>> {
        let body = self.house.store.item_body(&self.comment_key(&plan_subject(pull))).await?;
        let body = body.map(serde_json::from_value::<CommentBody>).transpose()?;
        Ok(body.map(|body| body.answers).unwrap_or_default())
    }

    /// That a pull request was closed without being merged, in its comment, if there is one.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub async fn closed(
        &self,
        pull: PullNumber,
        unlocked: &[&EnvironmentName],
    ) -> anyhow::Result<()> {
        let line = self.house.templates.closed(unlocked)?;
        let key = self.comment_key(&plan_subject(pull));
        let amend = |body: &mut serde_json::Value| {
            // Told once, it stays: what was unlocked then is not locked any more.
            let told = body["closed"].as_str().is_some_and(|told| !told.is_empty());
            if !told || !unlocked.is_empty() {
                body["closed"] = line.trim_end().into();
            }
        };
        Ok(self.house.store.amend(self.fence, &key, &amend).await?)
    }

    /// That nothing more is tried on a pull request by itself: what went wrong after how many
    /// attempts. Its checks say so too, because somebody may wait for them to pass: those that the rules
    /// expect, if they could be read.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub async fn given_up(
        &self,
        pull: PullNumber,
        ruled: Option<Expected>,
        (attempts, why): (u32, &str),
    ) -> anyhow::Result<()> {
        let text = self.house.templates.given_up(attempts, why)?;
        let document = Document::of(text.clone());
        let mut body = CommentBody::new(pull, "given_up", &pull.to_string(), document);
        let subject = given_up_subject(pull);
        body.fold = self.read_again(&subject).await?;
        self.put(ItemKind::Comment, subject, FIRST, &body).await?;
        self.unplanned(pull, ruled, &text).await
    }
}

pub(super) fn given_up_subject(pull: PullNumber) -> String {
    format!("answer/given_up/{pull}")
}
