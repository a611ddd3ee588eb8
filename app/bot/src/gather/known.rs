//! Identities that were asked for before: which target is behind a scope of a connection.
//!
//! Only planning trusts them; a run asks again. They are kept apart by repository, because what a
//! connection's address answers to one repository is no word for another. One that turns out to be
//! wrong (a zone was made anew, a console was reset) is forgotten by whoever finds that out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use landfall_core::name::RepositoryId;
use landfall_core::plan::Target;
use landfall_providers::Scope;

/// How many are kept; beyond it all are forgotten, which costs one request for each connection.
const MOST: usize = 50_000;

/// What an identity was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// Who asked.
    pub repository: RepositoryId,
    /// The address of the connection.
    pub address: String,
    /// What of it is meant.
    pub scope: Scope,
}

/// The answers of one server.
#[derive(Debug, Default)]
pub struct KnownTargets(Mutex<HashMap<Question, Target>>);

impl KnownTargets {
    /// What was answered before.
    pub fn get(&self, question: &Question) -> Option<Target> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    /// Remembers an answer.
    pub fn put(&self, question: Question, target: Target) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(question, target);
    }

    /// Forgets what led `repository` to `target`.
    pub fn forget(&self, repository: RepositoryId, target: &Target) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|question, answer| question.repository != repository || answer != target);
    }

    /// Forgets all that was answered to `repository`.
    pub fn forget_all(&self, repository: RepositoryId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|question, _| question.repository != repository);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(repository: u64, scope: &str) -> Question {
        Question {
            repository: RepositoryId(repository),
            address: "Cloudflare account 0123".to_owned(),
            scope: scope.to_owned(),
        }
    }

    #[test]
    fn what_one_repository_was_answered_is_no_word_for_another() {
        let (known, target) = (KnownTargets::default(), "cloudflare_dns:1".parse().unwrap());
        known.put(question(1, "zone example.com"), target);
        assert!(known.get(&question(1, "zone example.com")).is_some());
        assert_eq!(known.get(&question(2, "zone example.com")), None);
    }

    #[test]
    fn what_is_wrong_is_forgotten_by_who_found_it_out() {
        let (known, target): (_, Target) =
            (KnownTargets::default(), "cloudflare_dns:1".parse().unwrap());
        for repository in [1, 2] {
            known.put(question(repository, "zone example.com"), target.clone());
        }
        known.put(question(1, "zone example.org"), "cloudflare_dns:2".parse().unwrap());
        known.forget(RepositoryId(1), &target);
        assert_eq!(known.get(&question(1, "zone example.com")), None);
        assert!(known.get(&question(1, "zone example.org")).is_some());
        assert!(known.get(&question(2, "zone example.com")).is_some());
    }

    #[test]
    fn no_repository_fills_the_memory() {
        let known = KnownTargets::default();
        for n in 0..=MOST {
            known.put(question(1, &format!("tunnel {n}")), "cloudflare_tunnel:x".parse().unwrap());
        }
        assert_eq!(known.0.lock().unwrap().len(), 1);
    }
}
