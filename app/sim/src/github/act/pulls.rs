//! What people do to a pull request after it was opened.

use anyhow::Context;
use serde_json::{Value, json};

use super::Repo;
use crate::github::model::{Pull, PullState, UserKind};

impl Repo {
    /// Closes a pull request without merging it.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn close(&self, number: u64, user: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        self.change_pull(number, |pull| {
            pull.state = PullState::Closed { at };
            pull.updated_at = at;
        })?;
        self.tell_pull(number, "closed", user, json!({}));
        Ok(())
    }

    /// Opens a closed pull request again.
    ///
    /// # Errors
    /// It is not closed, or it was merged.
    pub fn reopen(&self, number: u64, user: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        let closed = matches!(self.known_pull(number)?.state, PullState::Closed { .. });
        anyhow::ensure!(closed, "pull request {number} is not closed");
        self.change_pull(number, |pull| {
            pull.state = PullState::Open;
            pull.updated_at = at;
        })?;
        self.tell_pull(number, "reopened", user, json!({}));
        Ok(())
    }

    /// Points a pull request at another base.
    ///
    /// # Errors
    /// There is no such pull request, or no such branch.
    pub async fn retarget(&self, number: u64, base: &str, user: &str) -> anyhow::Result<()> {
        self.acts(user);
        let mut pull = self.known_pull(number)?;
        self.git()?.tip(base).await?.with_context(|| format!("no branch `{base}`"))?;
        let changes = json!({
            "changes": { "base": { "ref": { "from": pull.base }, "sha": { "from": pull.base_sha } } },
        });
        base.clone_into(&mut pull.base);
        self.remeasure(pull).await?;
        self.tell_pull(number, "edited", user, changes);
        Ok(())
    }

    /// Gives a pull request another title.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn retitle(&self, number: u64, title: &str, user: &str) -> anyhow::Result<()> {
        let at = self.acts(user);
        let from = self.change_pull(number, |pull| {
            pull.updated_at = at;
            std::mem::replace(&mut pull.title, title.to_owned())
        })?;
        self.tell_pull(number, "edited", user, json!({ "changes": { "title": { "from": from } } }));
        Ok(())
    }

    /// Marks a draft as ready.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn mark_ready(&self, number: u64, user: &str) -> anyhow::Result<()> {
        self.update(number, user, ("ready_for_review", json!({})), |pull| pull.draft = false)
    }

    /// Turns a pull request back into a draft.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn mark_draft(&self, number: u64, user: &str) -> anyhow::Result<()> {
        self.update(number, user, ("converted_to_draft", json!({})), |pull| pull.draft = true)
    }

    /// Locks the conversation: from now on only who may write can comment, and no App.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn lock(&self, number: u64, user: &str) -> anyhow::Result<()> {
        self.update(number, user, ("locked", json!({})), |pull| pull.locked = true)
    }

    /// Lets everybody comment again.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn unlock(&self, number: u64, user: &str) -> anyhow::Result<()> {
        self.update(number, user, ("unlocked", json!({})), |pull| pull.locked = false)
    }

    /// Adds a label.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn label(&self, number: u64, name: &str, user: &str) -> anyhow::Result<()> {
        let more = json!({ "label": self.shown_label(name)? });
        self.update(number, user, ("labeled", more), |pull| {
            pull.labels.insert(name.to_owned());
        })
    }

    /// Takes a label away.
    ///
    /// # Errors
    /// There is no such pull request.
    pub fn unlabel(&self, number: u64, name: &str, user: &str) -> anyhow::Result<()> {
        let more = json!({ "label": self.shown_label(name)? });
        self.update(number, user, ("unlabeled", more), |pull| {
            pull.labels.remove(name);
        })
    }

    fn shown_label(&self, name: &str) -> anyhow::Result<Value> {
        let world = self.shared.world();
        Ok(self.shared.view(&world).label(world.repository(self.id)?, name))
    }

    fn update(
        &self,
        number: u64,
        user: &str,
        (action, more): (&str, Value),
        change: impl FnOnce(&mut Pull),
    ) -> anyhow::Result<()> {
        let at = self.acts(user);
        self.change_pull(number, |pull| {
            change(pull);
            pull.updated_at = at;
        })?;
        self.tell_pull(number, action, user, more);
        Ok(())
    }

    /// Somebody acts: they exist from now on, and time has gone on.
    pub(super) fn acts(&self, user: &str) -> jiff::Timestamp {
        let mut world = self.shared.world();
        world.ensure_user(user, UserKind::Person);
        world.tick()
    }
}
