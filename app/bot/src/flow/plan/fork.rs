//! A pull request from a fork: what it declares otherwise than its base, from its data alone.
//!
//! Whoever owns the fork may change it at any time and nobody here has read it yet, so no provider is
//! asked about it and no credential is used. What its services come to in an environment is compared
//! with what they come to now, line by line.
//!
//! That ends for a head that somebody who may has read and named (`flow/command/head.rs`): it is
//! planned like one of the repository itself, as often as it has to be. The word is for one commit into
//! one branch, so with another commit, or into another branch, it is as if nobody had read anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use landfall_core::config::{Environment, effective, show};
use landfall_core::name::{BranchName, CommitSha, ServiceName};
use landfall_core::report::Declares;
use landfall_github::Pull;
use similar::{ChangeTag, TextDiff};

use crate::gather::Declared;
use crate::house::House;

/// How far planning goes for what somebody wants to be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// To the providers, with the credentials of the environment.
    Full,
    /// Not beyond its data.
    DataOnly(Unread),
}

/// That nobody who may has read a fork's head. Printed as the reason why it has no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Nor any other of its heads.
    Wholly,
    /// They have read this one, and it is not the head any more.
    Since(CommitSha),
    /// They have read it when it was to go into another branch.
    Elsewhere(BranchName),
}

impl Trust {
    /// What the head of `pull` may have, as it is now.
    ///
    /// # Errors
    /// The store could not be asked.
    pub(super) async fn of(house: &House, pull: &Pull) -> anyhow::Result<Self> {
        if !pull.is_fork() {
            return Ok(Self::Full);
        }
        let (head, base) = (&pull.head.sha, &pull.base.branch);
        let mut allowed = house.store.allowed_heads(pull.base.repository, pull.number).await?;
        if allowed.iter().any(|allowed| allowed.head == *head && allowed.base == *base) {
            return Ok(Self::Full);
        }
        let here = allowed.iter().find(|allowed| allowed.head == *head);
        if let Some(here) = here {
            return Ok(Self::DataOnly(Unread::Elsewhere(here.base.clone())));
        }
        let before = allowed.pop().map(|allowed| allowed.head);
        Ok(Self::DataOnly(before.map_or(Unread::Wholly, Unread::Since)))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wholly => {
                f.write_str("this comes from a fork, and planning needs credentials")?;
            }
            Self::Since(head) => {
                let head = head.short();
                write!(f, "the head of the fork is not {head} any more, which was read")?;
            }
            Self::Elsewhere(base) => {
                write!(f, "the head of the fork was read when it was to go into {base}")?;
            }
        }
        f.write_str(". Below is what its files change.")
    }
}

/// What `merged` declares otherwise than `before` in an environment, service by service.
pub(in crate::flow) fn declares(
    environment: &Environment,
    before: Option<&Declared>,
    merged: &Declared,
) -> Vec<Declares> {
    let was = before.map(|declared| lines(environment, declared)).unwrap_or_default();
    let is = lines(environment, merged);
    let services: BTreeSet<&ServiceName> = was.keys().chain(is.keys()).collect();
    let differs = |service: &&ServiceName| was.get(*service) != is.get(*service);
    let none = Vec::new();
    let declares = services.into_iter().filter(differs).map(|service| {
        let of = |side: &BTreeMap<ServiceName, Vec<String>>| side.get(service).cloned();
        let (was, is) = (of(&was), of(&is));
        Declares {
            service: service.clone(),
            is_new: was.is_none(),
            is_gone: is.is_none(),
            lines: diff(was.as_ref().unwrap_or(&none), is.as_ref().unwrap_or(&none)),
        }
    });
    declares.collect()
}

/// What each service that lives in an environment comes to there.
fn lines(environment: &Environment, declared: &Declared) -> BTreeMap<ServiceName, Vec<String>> {
    let services = declared.tree.services.iter();
    let here = services.filter(|service| service.lives_in(&environment.name));
    let lines = here.filter_map(|service| {
        // It was loaded, so its variables are known.
        let node = effective(environment, service).ok()?;
        let lines = show(&node).into_iter().map(|line| line.text).collect();
        Some((service.name.clone(), lines))
    });
    lines.collect()
}

/// The lines that come and go, with those around them.
fn diff(was: &[String], is: &[String]) -> Vec<String> {
    let (was, is): (Vec<&str>, Vec<&str>) =
        (was.iter().map(String::as_str).collect(), is.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&was, &is);
    let groups = diff.grouped_ops(3);
    let changes = groups.iter().flatten().flat_map(|op| diff.iter_changes(op));
    let line = changes.map(|change| {
        let mark = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
        };
        format!("{mark} {}", change.value())
    });
    line.collect()
}
