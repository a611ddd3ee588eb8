//! Answers that were read before, for conditional requests.
//!
//! Every read asks GitHub; one that was answered before says which answer that was, and where
//! nothing has changed GitHub says only so: 304, which counts against no limit
//! (<https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate>).
//! So nothing here is ever believed unasked, a permission as little as a head. An entity tag is good
//! for the token alone that it was given to, which lasts an hour; the one after it gets a whole
//! answer once.
//!
//! What one installation was told is never given to another, nor what one repository's token may
//! read to another's: both are in the key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::app::TokenKey;
use crate::transport::Answer;

/// How much is kept in each of the two generations, in bytes.
const BOUND: usize = 4 << 20;

/// The largest answer that is kept: a page of a hundred pull requests is none.
const LARGEST: usize = 128 << 10;

/// A read: whose token asks, and for which path and query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ReadKey {
    pub(crate) token: TokenKey,
    pub(crate) target: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Known {
    /// The entity tag that GitHub gave it.
    pub(crate) tag: HeaderValue,
    /// Where its next page is.
    pub(crate) link: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

impl Known {
    /// What can be asked for again by its tag; none if the answer has none or is no success.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let header = |name| answer.headers.get(name).cloned();
        let tag = header(header::ETAG).filter(|_| answer.status == StatusCode::OK)?;
        Some(Self { tag, link: header(header::LINK), body: answer.body.clone() })
    }

    /// The answer as it was, in as far as anybody reads it.
    pub(crate) fn again(&self) -> Answer {
        let mut headers = HeaderMap::new();
        headers.extend(self.link.clone().map(|link| (header::LINK, link)));
        Answer { status: StatusCode::OK, headers, body: self.body.clone() }
    }
}

/// Answers within a bound. When the younger generation is full the older one is forgotten, so what
/// is asked for again and again stays.
#[derive(Debug, Default)]
pub(crate) struct KnownAnswers(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<ReadKey, Arc<Known>>,
    old: HashMap<ReadKey, Arc<Known>>,
    weight: usize,
}

impl KnownAnswers {
    pub(crate) fn get(&self, key: &ReadKey) -> Option<Arc<Known>> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers.young.get(key) {
            return Some(Arc::clone(known));
        }
        let known = answers.old.remove(key)?;
        answers.put(key.clone(), Arc::clone(&known));
        Some(known)
    }

    /// Keeps an answer, unless it is too large to be worth it.
    pub(crate) fn put(&self, key: ReadKey, known: Known) {
        if known.body.len() <= LARGEST {
            let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            answers.put(key, Arc::new(known));
        }
    }
}

impl Generations {
    fn put(&mut self, key: ReadKey, known: Arc<Known>) {
        let weight = known.body.len() + key.target.len() + size_of::<(ReadKey, Known)>();
        if self.weight + weight > BOUND {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        self.young.insert(key, known);
    }
}

#[cfg(test)]
mod tests {
    use landfall_core::name::{InstallationId, RepositoryId};

    use super::*;
    use crate::app::Scope;

    fn key(installation: u64, target: &str) -> ReadKey {
        let (installation, repository) = (InstallationId(installation), RepositoryId(1));
        let token = TokenKey { installation, repository: Some(repository), scope: Scope::Read };
        ReadKey { token, target: target.to_owned() }
    }

    fn answer(bytes: usize) -> Known {
        let (tag, body) = (HeaderValue::from_static("W/\"1\""), Bytes::from(vec![b'x'; bytes]));
        Known { tag, link: None, body }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_makes_room() {
        let answers = KnownAnswers::default();
        answers.put(key(1, "/kept"), answer(LARGEST));
        for number in 0..100 {
            answers.put(key(1, &format!("/pulls/{number}")), answer(LARGEST));
            assert!(answers.get(&key(1, "/kept")).is_some(), "after {number} others");
        }
        assert!(answers.get(&key(1, "/pulls/0")).is_none());
        let inner = answers.0.lock().unwrap();
        let held: usize =
            inner.young.values().chain(inner.old.values()).map(|k| k.body.len()).sum();
        assert!(held <= 2 * BOUND);
    }

    #[test]
    fn an_answer_belongs_to_one_installation_and_a_large_one_is_not_kept() {
        let answers = KnownAnswers::default();
        answers.put(key(1, "/pulls/7"), answer(1));
        answers.put(key(1, "/pulls"), answer(LARGEST + 1));
        assert!(answers.get(&key(2, "/pulls/7")).is_none());
        assert!(answers.get(&key(1, "/pulls")).is_none());
    }
}
