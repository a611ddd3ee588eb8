//! Deliveries: what is sent, what becomes of it on the way, and what the log remembers.

use jiff::Timestamp;
use serde_json::Value;

use crate::github::world::Event;

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The receiver cannot be reached. The log says so, and it can be redelivered.
    Unreachable,
    /// It is never sent and the log does not know it, as with payloads over 25 MB.
    NeverSent,
    /// It waits until [`Hooks::release`](super::Hooks::release).
    Held,
    /// It is sent twice, with one id.
    Twice,
}

/// Which deliveries meet a fate, and how many of them.
#[derive(Debug, Clone)]
pub struct On {
    event: Option<String>,
    action: Option<String>,
    pub(super) left: usize,
}

impl On {
    /// The next delivery, whatever it is.
    pub fn any() -> On {
        On { event: None, action: None, left: 1 }
    }

    /// The next delivery of an event, as `X-GitHub-Event` has it.
    pub fn event(name: &str) -> On {
        On { event: Some(name.to_owned()), ..On::any() }
    }

    pub fn action(self, action: &str) -> On {
        On { action: Some(action.to_owned()), ..self }
    }

    pub fn times(self, left: usize) -> On {
        On { left, ..self }
    }

    pub(super) fn matches(&self, event: &Event) -> bool {
        self.left > 0
            && self.event.as_deref().is_none_or(|name| name == event.name)
            && self.action.as_deref().is_none_or(|action| event.action.as_deref() == Some(action))
    }
}

/// One attempt to deliver, as the log keeps it.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub id: u64,
    /// The same for every attempt of one delivery.
    pub guid: String,
    pub event: String,
    pub action: Option<String>,
    pub installation: Option<u64>,
    pub repository: Option<u64>,
    pub delivered_at: Timestamp,
    pub redelivery: bool,
    /// `OK`, or what went wrong in GitHub's words.
    pub status: String,
    /// The receiver's, or the one GitHub invents where none came.
    pub status_code: u16,
    pub request_headers: Value,
    pub payload: Value,
    pub response_body: Option<String>,
}

/// One event on its way.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) guid: String,
    pub(super) event: Event,
    pub(super) redelivery: bool,
    pub(super) fate: Option<Fate>,
}
