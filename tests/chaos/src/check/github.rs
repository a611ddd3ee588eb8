//! What people read at GitHub: each comment once, no check and no deployment that waits for ever.

use std::collections::BTreeMap;

use landfall_sim::github::{CheckRun, Comment};

use super::deliveries::US;
use super::{Evidence, Findings};
use crate::history::marker;
use crate::town::ENVIRONMENTS;

impl Evidence<'_> {
    /// Every comment of ours is there once, and was never made twice.
    pub(super) fn comments(&self, findings: &mut Findings) {
        for pull in self.town.repo.pulls() {
            let ours = self.town.repo.comments(pull.number).into_iter();
            let ours: Vec<Comment> = ours.filter(|comment| comment.author == US).collect();
            let mut found: BTreeMap<&str, usize> = BTreeMap::new();
            for comment in &ours {
                *found.entry(marker(&comment.body).unwrap_or("without a marker")).or_default() += 1;
            }
            for (marker, many) in found.into_iter().filter(|(_, many)| *many > 1) {
                let what = format!("on pull request {}: {many} comments {marker}", pull.number);
                findings.duplicated.push(what);
            }
        }
        for ((pull, marker), ids) in &self.history.seen().comments {
            if ids.len() > 1 {
                let what = format!("on pull request {pull}: {marker} was made {} times", ids.len());
                findings.duplicated.push(what);
            }
        }
    }

    /// No check waits for ever, none is there twice, and what can still be merged has one for its
    /// head.
    pub(super) fn checks(&self, findings: &mut Findings) {
        let mut newest: BTreeMap<(String, String), CheckRun> = BTreeMap::new();
        for check in self.town.repo.all_check_runs() {
            let key = (check.head_sha.clone(), check.name.clone());
            let what = format!("{} on {}", check.name, check.head_sha);
            // One with annotations is never updated: GitHub would add to them.
            if newest.get(&key).is_some_and(|before| before.annotations.is_empty())
                && check.annotations.is_empty()
            {
                findings.duplicated.push(format!("the check {what}"));
            }
            newest.insert(key, check);
        }
        for ((head, name), check) in &newest {
            if check.status != "completed" {
                findings.lost.push(format!("the end of the check {name} on {head}: {check:?}"));
            }
        }
        for pull in self.town.repo.pulls().into_iter().filter(landfall_sim::github::Pull::is_open) {
            let environment = ENVIRONMENTS.iter().find(|one| one.branch == pull.base);
            let Some(environment) = environment else { continue };
            let name = format!("landfall / {} ({})", environment.name, pull.base);
            if !newest.contains_key(&(pull.head_sha.clone(), name.clone())) {
                findings.lost.push(format!("the check {name} of pull request {}", pull.number));
            }
        }
    }

    /// Every run has one deployment at most, and none is left in the middle.
    pub(super) fn deployments(&self, findings: &mut Findings) {
        let mut of: BTreeMap<String, u64> = BTreeMap::new();
        for deployment in self.town.repo.deployments() {
            let run = deployment.payload["run"].to_string();
            let what = format!("deployment of run {run} to {}", deployment.environment);
            let state = deployment.statuses.last().map(|status| status.state.as_str());
            if !matches!(state, Some("success" | "failure" | "inactive" | "error")) {
                findings.lost.push(format!("the end of the {what}: it is {state:?}"));
            }
            if of.insert(run, deployment.id).is_some() {
                findings.duplicated.push(format!("the {what}"));
            }
        }
    }
}
