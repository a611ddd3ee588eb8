//! The checks of a group of the merge queue, on the commit that merging it would give.

use landfall_core::label::Label;
use landfall_core::name::{BranchName, CommitSha};
use landfall_core::report::PullOutcome;
use landfall_core::view;

use super::super::Board;
use super::{About, Expected, Subject, WITHOUT_RULES, Word, errors, given_up, without_rules};
use crate::publish::body::CheckState;

/// A group of the merge queue.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// The branch that was made for it.
    pub branch: &'a BranchName,
    /// Its commit.
    pub head: &'a CommitSha,
    /// The branch that it is to be merged into.
    pub into: &'a BranchName,
}

impl<'a> From<&Group<'a>> for About<'a> {
    fn from(group: &Group<'a>) -> Self {
        let subject = Subject::Group(group.branch.clone());
        Self { subject, head: group.head, base: group.into }
    }
}

impl Board<'_> {
    /// The checks of a group of the merge queue.
    ///
    /// # Errors
    /// A template that overrides ours does not print, or the store could not be written to.
    pub async fn group(
        &self,
        group: &Group<'_>,
        outcome: &PullOutcome,
        expected: &Expected,
    ) -> anyhow::Result<()> {
        let document =
            self.house.templates.document(&view::outcome(group.head.short(), outcome))?;
        let about = group.into();
        match outcome {
            PullOutcome::Planned { .. } => self.planned_of(&about, outcome, &document).await,
            PullOutcome::Invalid(found) => {
                let (title, summary) = (errors(found), document.whole());
                let word =
                    Word { state: CheckState::Failure, title, summary: &summary, findings: found };
                self.all(&about, expected, word).await
            }
            PullOutcome::Skipped => {
                let title =
                    format!("Not planned: all of it has the label {}", Label::Skip.as_str());
                let summary = format!(
                    "Each pull request of this group has the label `{}`, so nothing is planned. What they \
                     change waits for `/apply` after the merge.",
                    Label::Skip.as_str()
                );
                let word =
                    Word { state: CheckState::Success, title, summary: &summary, findings: &[] };
                self.all(&about, expected, word).await
            }
            PullOutcome::Unconcerned | PullOutcome::Conflicted(_) => {
                self.unconcerned(&about, expected).await
            }
        }
    }

    /// The checks of a group when there are no rules to plan it by. The pull requests say so too; the
    /// one that mends the rules may be in the group.
    ///
    /// # Errors
    /// As [`Self::group`].
    pub async fn group_without_rules(
        &self,
        group: &Group<'_>,
        expected: &Expected,
    ) -> anyhow::Result<()> {
        self.all(&group.into(), expected, without_rules(WITHOUT_RULES)).await
    }

    /// The checks of a group that are due no more after so many attempts, with the reason. `ruled` are
    /// those that the rules expect, if those could be read.
    ///
    /// # Errors
    /// As [`Self::group`].
    pub async fn group_given_up(
        &self,
        group: &Group<'_>,
        ruled: Option<Expected>,
        (attempts, why): (u32, &str),
    ) -> anyhow::Result<()> {
        let expected = match ruled {
            Some(ruled) => ruled,
            None => Expected::without_rules(self.following(group.into).await?),
        };
        let summary = self.house.templates.given_up(attempts, why)?;
        self.all(&group.into(), &expected, given_up(&summary)).await
    }
}
