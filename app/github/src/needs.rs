//! What the App needs of GitHub: its permissions and events, in the one list that `landfall setup`
//! asks for and `landfall doctor` compares with.
//!
//! A permission that is added to an App later takes the consent of every owner, so all that Landfall
//! can use is asked for at once. Each says what for, and what Landfall cannot do without it. Nothing
//! here can change a repository's contents.

use std::collections::BTreeMap;
use std::fmt;

/// How far a permission goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// To look.
    Read,
    /// To look and to change.
    Write,
}

impl Level {
    /// Reads GitHub's word. `admin`, which a few permissions have, includes writing.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "read" => Some(Self::Read),
            "write" | "admin" => Some(Self::Write),
            _ => None,
        }
    }

    /// GitHub's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permission of the App.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// GitHub's name for it.
    pub name: &'static str,
    /// What is asked for.
    pub asked: Level,
    /// Without what nothing works; none where a feature goes and the rest stays.
    pub least: Option<Level>,
    /// What it is for.
    pub purpose: &'static str,
}

/// An event that the App is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// GitHub's name for it.
    pub event: &'static str,
    /// What becomes of it where nobody subscribed.
    pub without: Without,
    /// What it is for.
    pub purpose: &'static str,
}

/// What it means that an event is not subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// Landfall hears of it an hour later or not at all.
    Late,
    /// A feature is missing.
    Lacking,
    /// Nothing: GitHub sends it to whoever may write checks.
    Sent,
}

/// All permissions, by name.
///
/// Comments and reactions on pull requests take `pull_requests`; `issues` is read for the commands in
/// them. It is asked for writing because of one issue alone: the one that proposes a `landfall.yaml`
/// to a repository that has none. Proposing it in a pull request would take `contents: write`, with
/// which the App could change what it is to judge.
pub const PERMISSIONS: [Permission; 9] = [
    useful("actions", Level::Read, "workflows that wait for a run before they deploy"),
    needed("checks", Level::Write, "the checks on commits"),
    needed("contents", Level::Read, "landfall.yaml, the services and their history"),
    needed("deployments", Level::Write, "the deployment of each run"),
    Permission {
        name: "issues",
        asked: Level::Write,
        least: Some(Level::Read),
        purpose: "commands in comments; writing is for the issue that proposes a landfall.yaml",
    },
    useful("members", Level::Read, "rules that name a team"),
    useful("merge_queues", Level::Read, "checks in a merge queue"),
    needed("metadata", Level::Read, "the repository and its collaborators"),
    needed("pull_requests", Level::Write, "the comment with the plan"),
];

/// All events, by name. Those about installations come by themselves.
pub const EVENTS: [Subscription; 8] = [
    event("check_run", Without::Sent, "the buttons of a check"),
    event("check_suite", Without::Sent, "running all checks again"),
    event("deployment_protection_rule", Without::Lacking, "gating an environment of Actions"),
    event("issue_comment", Without::Late, "commands"),
    event("merge_group", Without::Lacking, "checks in a merge queue"),
    event("pull_request", Without::Late, "plans"),
    event("push", Without::Late, "runs"),
    event("repository", Without::Lacking, "new names and default branches, at once"),
];

const fn needed(name: &'static str, asked: Level, purpose: &'static str) -> Permission {
    Permission { name, asked, least: Some(asked), purpose }
}

const fn useful(name: &'static str, asked: Level, purpose: &'static str) -> Permission {
    Permission { name, asked, least: None, purpose }
}

const fn event(event: &'static str, without: Without, purpose: &'static str) -> Subscription {
    Subscription { event, without, purpose }
}

/// A permission that is not what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The permission.
    pub permission: Permission,
    /// What there is of it.
    pub granted: Option<Level>,
}

impl Missing {
    /// Whether nothing works without it.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.granted < self.permission.least
    }
}

/// Which permissions are less in `granted` than they should be.
#[must_use]
pub fn missing(granted: &BTreeMap<String, String>) -> Vec<Missing> {
    let level = |name: &str| granted.get(name).and_then(|level| Level::named(level));
    let all = PERMISSIONS.into_iter();
    all.map(|permission| Missing { permission, granted: level(permission.name) })
        .filter(|missing| missing.granted < Some(missing.permission.asked))
        .collect()
}

/// Which permissions in `granted` go further than anything that Landfall does.
#[must_use]
pub fn unneeded(granted: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    let asked = |name: &str| {
        let known = PERMISSIONS.iter().find(|permission| permission.name == name);
        known.map(|permission| permission.asked)
    };
    let further = |(name, level): &(&String, &String)| Level::named(level) > asked(name);
    granted.iter().filter(further).map(|(name, level)| (name.as_str(), level.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
    }

    fn asked() -> BTreeMap<String, String> {
        let pair = |p: &Permission| (p.name.to_owned(), p.asked.to_string());
        PERMISSIONS.iter().map(pair).collect()
    }

    #[test]
    fn contents_are_never_written() {
        for name in ["contents", "actions"] {
            let read = PERMISSIONS.iter().find(|p| p.name == name).unwrap();
            assert_eq!(read.asked, Level::Read, "{name}");
        }
        for name in ["administration", "workflows", "secrets"] {
            assert!(PERMISSIONS.iter().all(|p| p.name != name), "{name}");
        }
    }

    #[test]
    fn what_is_asked_for_is_enough_and_not_too_much() {
        assert_eq!(missing(&asked()), []);
        assert_eq!(unneeded(&asked()), []);
    }

    #[test]
    fn what_is_missing_is_told_from_what_only_a_feature_needs() {
        let mut some = asked();
        some.remove("members");
        some.extend(granted(&[("issues", "read"), ("checks", "read"), ("contents", "write")]));
        let found: Vec<_> =
            missing(&some).iter().map(|m| (m.permission.name, m.is_needed())).collect();
        assert_eq!(found, [("checks", true), ("issues", false), ("members", false)]);
        assert_eq!(unneeded(&some), [("contents", "write")]);
    }
}
