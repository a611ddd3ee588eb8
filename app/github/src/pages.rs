//! Lists that are longer than a page, read to their end, a hundred at a time.

use crate::error::{Failure, GithubError};
use crate::transport::{Answer, Call};

/// The most pages of one list. A longer list is an error: half of a list is worse than none.
const MOST_PAGES: usize = 100;

/// A list that is being read.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    next: Option<Call>,
    read: usize,
    items: Vec<T>,
}

impl<T> Pages<T> {
    /// The list behind `call`; nothing of it is read yet.
    pub(crate) fn of(call: Call) -> Self {
        Self { next: Some(call.query("per_page", 100)), read: 0, items: Vec::new() }
    }

    /// What to ask for the next page; none when the list is read.
    pub(crate) fn next(&mut self) -> Result<Option<Call>, GithubError> {
        let next = self.next.take();
        match next {
            Some(call) if self.read == MOST_PAGES => {
                let why = format!("a list of more than {MOST_PAGES} pages");
                Err(Failure::Malformed { why }.on(call.to_string()))
            }
            next => Ok(next),
        }
    }

    /// Adds what `answer` to `call` holds.
    pub(crate) fn add(&mut self, call: &Call, answer: &Answer, items: Vec<T>) {
        self.items.extend(items);
        self.read += 1;
        self.next = answer.next_query().map(|query| call.with_query(&query));
    }

    /// All that was read.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }
}
