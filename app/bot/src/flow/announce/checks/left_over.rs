//! Checks that were put before and are not due any more.

use std::collections::BTreeSet;

use landfall_core::name::{CommitSha, EnvironmentName, PullNumber};
use landfall_core::report::PullReport;
use landfall_store::{ItemKind, Pull};

use super::super::Board;
use crate::flow::ground::check_name;
use crate::publish::CheckBody;
use crate::publish::body::CheckState;

/// A check that was put before and is not due any more.
#[derive(Debug)]
pub struct LeftOver {
    environment: EnvironmentName,
    check: CheckBody,
}

impl Board<'_> {
    /// The checks of a pull request on its head that are not among those of `environments`: it went
    /// into another branch before, or the rules named another environment.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn left_over(
        &self,
        report: &PullReport,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<Vec<LeftOver>> {
        let base = report.base.as_str();
        let now: BTreeSet<String> =
            environments.iter().map(|environment| check_name(environment, base)).collect();
        let mut left = self.told(report.pull, &report.head).await?;
        left.retain(|(_, check)| !now.contains(&check.name) && !check.retired);
        Ok(left.into_iter().map(|(environment, check)| LeftOver { environment, check }).collect())
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
        for LeftOver { environment, check } in left {
            let has = |other: &Pull| check_name(&environment, other.base.as_str()) == check.name;
            if others.iter().any(has) {
                continue;
            }
            let title = format!("Not planned: this goes into {} now", report.base);
            let check = CheckBody {
                state: CheckState::Neutral(at),
                summary: title.clone(),
                title,
                findings: Vec::new(),
                buttons: Vec::new(),
                retired: true,
                ..check
            };
            self.put_check(check).await?;
        }
        Ok(())
    }

    /// The checks that a pull request was given on a head, as they were put last, by environment.
    pub(super) async fn told(
        &self,
        pull: PullNumber,
        head: &CommitSha,
    ) -> anyhow::Result<Vec<(EnvironmentName, CheckBody)>> {
        let (store, prefix) = (&self.house.store, format!("check/{head}/"));
        let bodies = store.items_under(self.repository, ItemKind::Check, &prefix).await?;
        let ours = format!("{}/{pull}/", self.repository);
        let mut told = Vec::new();
        for body in bodies {
            let check: CheckBody = serde_json::from_value(body)?;
            let environment = check.external_id.strip_prefix(&ours).map(str::parse);
            if let Some(Ok(environment)) = environment {
                told.push((environment, check));
            }
        }
        Ok(told)
    }
}
