//! Checks that were put before and are not due any more.

use std::collections::BTreeSet;

use landfall_core::name::{CommitSha, PullNumber};
use landfall_core::report::{PullOutcome, PullReport};
use landfall_store::{ItemKind, Pull};

use super::super::Board;
use super::{Expected, Scope, Subject};
use crate::publish::CheckBody;
use crate::publish::body::{CheckState, Standing};

/// A check that was put before and is not due any more.
#[derive(Debug)]
pub struct LeftOver {
    scope: Scope,
    check: CheckBody,
}

impl Board<'_> {
    /// The checks of a pull request on its head that are not among those that are `expected`: it went
    /// into another branch before, the rules named another environment, or nobody knew any.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn left_over(
        &self,
        report: &PullReport,
        expected: &Expected,
    ) -> anyhow::Result<Vec<LeftOver>> {
        let is_wrong =
            matches!(report.outcome, PullOutcome::Invalid(_) | PullOutcome::Conflicted(_));
        let due = expected.scopes(is_wrong).into_iter();
        let due: BTreeSet<String> = due.map(|scope| scope.check_name(&report.base)).collect();
        let mut left = self.told(report.pull, &report.head).await?;
        left.retain(|(_, check)| !due.contains(&check.name) && check.standing != Standing::Retired);
        Ok(left.into_iter().map(|(scope, check)| LeftOver { scope, check }).collect())
    }

    /// Has checks say that they are about nothing any more. They stop nobody, and another pull request
    /// that has them keeps them.
    ///
    /// # Errors
    /// The store could not be asked or written to.
    pub async fn retire(&self, report: &PullReport, left: Vec<LeftOver>) -> anyhow::Result<()> {
        if left.is_empty() {
            return Ok(());
        }
        let mut others = self.house.store.open_pulls(self.repository).await?;
        others.retain(|other| other.number != report.pull && other.head == report.head);
        let at = self.house.store.now().await?;
        for LeftOver { scope, check } in left {
            let has = |other: &Pull| scope.check_name(&other.base) == check.name;
            if others.iter().any(has) {
                self.leave(&check).await?;
                continue;
            }
            let title = match &scope {
                _ if check.name != scope.check_name(&report.base) => {
                    format!("Not planned: this goes into {} now", report.base)
                }
                Scope::Environment(name) => {
                    format!("Not planned: {name} does not follow {} any more", report.base)
                }
                Scope::All => "Each environment has a check of its own now".to_owned(),
            };
            let check = CheckBody {
                state: CheckState::Neutral(at),
                summary: title.clone(),
                title,
                findings: Vec::new(),
                buttons: Vec::new(),
                standing: Standing::Retired,
                parts: Vec::new(),
                ..check
            };
            self.put_part(check).await?;
        }
        Ok(())
    }

    /// The checks that a pull request was given on a head, as they were put last.
    pub(super) async fn told(
        &self,
        pull: PullNumber,
        head: &CommitSha,
    ) -> anyhow::Result<Vec<(Scope, CheckBody)>> {
        let (store, prefix) = (&self.house.store, format!("check/{head}/"));
        let bodies = store.items_under(self.repository, ItemKind::Check, &prefix).await?;
        let mut told = Vec::new();
        for body in bodies {
            for check in serde_json::from_value::<CheckBody>(body)?.apart() {
                match Subject::read(self.repository, &check.external_id) {
                    Some((Subject::Pull(number), scope)) if number == pull => {
                        told.push((scope, check));
                    }
                    _ => {}
                }
            }
        }
        Ok(told)
    }
}
