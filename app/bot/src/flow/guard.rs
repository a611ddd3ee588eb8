//! How GitHub guards the branches that environments follow, and what is weak about it.
//!
//! Every plan says so. It seldom changes and nothing is decided by it, so GitHub is asked once an hour
//! for each branch, and a plan is none the worse where it does not answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use landfall_core::name::{BranchName, RepositoryId};
use landfall_core::weakness::Weakness;
use landfall_github::{AppId, BranchProtection};

use super::ground::Ground;
use crate::house::House;

/// How long an answer is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(1);

/// How many are kept; beyond it all are forgotten, which costs two requests for each branch.
const MOST: usize = 10_000;

/// A branch of a repository.
type Branch = (RepositoryId, BranchName);

/// What GitHub said of a branch.
#[derive(Debug)]
struct Answer {
    weak: Vec<Weakness>,
    at: Timestamp,
}

/// What GitHub said before, of each branch. Good for one server.
#[derive(Debug, Default)]
pub struct KnownGuards(Mutex<HashMap<Branch, Answer>>);

impl KnownGuards {
    fn get(&self, branch: &Branch, now: Timestamp) -> Option<Vec<Weakness>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = known.get(branch)?;
        (now.duration_since(answer.at) < GOOD_FOR).then(|| answer.weak.clone())
    }

    fn put(&self, branch: Branch, answer: Answer) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(branch, answer);
    }

    /// Forgets what was found of a repository.
    pub fn forget_all(&self, repository: RepositoryId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(of, _), _| *of != repository);
    }
}

/// What is weak about how `branch` is guarded; nothing where GitHub does not say.
///
/// # Errors
/// The store could not be asked.
pub async fn weaknesses(
    house: &House,
    ground: &Ground,
    branch: &BranchName,
) -> anyhow::Result<Vec<Weakness>> {
    let of = (ground.repository.id, branch.clone());
    let now = house.store.now().await?;
    if let Some(known) = house.guards.get(&of, now) {
        return Ok(known);
    }
    let weak = match ground.reader.branch_protection(branch).await {
        Ok(Some(protection)) => weak(&protection, branch, house.github.id()),
        Ok(None) => Vec::new(),
        Err(error) => {
            tracing::warn!(repository = %ground.repository.name, %branch, %error, "how a branch is protected is not known");
            return Ok(Vec::new());
        }
    };
    house.guards.put(of, Answer { weak: weak.clone(), at: now });
    Ok(weak)
}

/// What is weak about a protection, where we are the App `us`.
#[must_use]
pub fn weak(protection: &BranchProtection, branch: &BranchName, us: AppId) -> Vec<Weakness> {
    let unprotected =
        (!protection.is_protected).then(|| Weakness::Unprotected(branch.clone())).into_iter();
    let ours = protection.required.iter().filter(|check| is_ours(&check.name));
    let unbound = ours.filter_map(|check| {
        let (branch, check, source) = (branch.clone(), check.name.clone(), check.source);
        match source {
            None => Some(Weakness::Forgeable { branch, check }),
            Some(AppId(app)) if app != us.0 => Some(Weakness::Misbound { branch, check, app }),
            Some(_) => None,
        }
    });
    unprotected.chain(unbound).collect()
}

/// Whether a check has a name that only we give.
fn is_ours(check: &str) -> bool {
    check.starts_with("landfall / ") || check.starts_with("landfall (")
}

#[cfg(test)]
mod tests {
    use landfall_github::RequiredCheck;

    use super::*;

    const US: AppId = AppId(7);

    fn main() -> BranchName {
        BranchName::new("main").unwrap()
    }

    #[test]
    fn only_a_check_of_ours_that_is_not_bound_to_us_is_weak() {
        let check = |name: &str, source: Option<u64>| RequiredCheck {
            name: name.to_owned(),
            source: source.map(AppId),
        };
        let protection = BranchProtection {
            is_protected: true,
            required: vec![
                check("landfall / production (main)", Some(7)),
                check("landfall / staging (main)", None),
                check("landfall (main)", Some(8)),
                check("landfall-lint", None),
                check("actions/test", None),
            ],
        };
        let said: Vec<String> =
            weak(&protection, &main(), US).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        `main` requires the check `landfall / staging (main)` from any source, so whoever may write can set it.
        `main` requires the check `landfall (main)` from App 8, which is not Landfall and never sets it.
        ");
    }

    #[test]
    fn what_was_found_is_good_for_an_hour_and_for_its_own_repository() {
        let (known, of) = (KnownGuards::default(), (RepositoryId(1), main()));
        let found = vec![Weakness::Unprotected(main())];
        known.put(of.clone(), Answer { weak: found.clone(), at: Timestamp::UNIX_EPOCH });
        let after = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert_eq!(known.get(&of, after(59)), Some(found));
        assert_eq!(known.get(&of, after(60)), None);
        assert_eq!(known.get(&(RepositoryId(2), main()), after(1)), None);
        known.forget_all(RepositoryId(1));
        assert_eq!(known.get(&of, after(1)), None);
    }
}
