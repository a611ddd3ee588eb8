//! What goes wrong, by a knob: rules that say which request meets which fault, and how often.
//!
//! A simulator asks once per request, in [`crate::serve`]; tests add rules. Faults of one vendor's
//! own making (its rate limit texts, late webhooks) are built by that vendor's simulator on top of
//! these.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// What happens instead of, or on top of, the ordinary answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The answer comes late; nothing else differs.
    Delay(Duration),
    /// The request waits, before anything is done, until the gate is opened.
    Hold(Gate),
    /// The request is done, and its answer waits until the gate is opened.
    HoldAfterCommit(Gate),
    /// Nothing is done and this is answered.
    Instead(Answer),
    /// The request is done, and then this is answered: the caller cannot know.
    AfterCommit(Answer),
    /// The connection is reset before anything is done.
    Reset,
    /// The request is done, and then the connection is reset without an answer.
    ResetAfterCommit,
    /// The ordinary answer, in pieces of `chunk` bytes with a pause before each.
    SlowBody { chunk: usize, pause: Duration },
}

/// An answer made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into() }
    }

    /// What a proxy in front of the vendor says: 502 and a page, not JSON.
    pub fn bad_gateway() -> Answer {
        Answer::new(502, "<html><head><title>502 Bad Gateway</title></head></html>")
            .with("content-type", "text/html")
    }

    pub fn with(mut self, header: &str, value: &str) -> Answer {
        self.headers.push((header.to_owned(), value.to_owned()));
        self
    }
}

/// Which requests meet a fault. Built as
/// `On::post("/repos/*/*/issues/*/comments").skipping(1).times(2)`.
#[derive(Debug, Clone)]
pub struct On {
    method: Methods,
    path: String,
    skip: usize,
    left: usize,
}

#[derive(Debug, Clone)]
enum Methods {
    All,
    Writes,
    Only(String),
}

impl On {
    /// Any method on a path. `*` stands for one segment, a last `**` for all that follow.
    pub fn any(path: &str) -> On {
        On { method: Methods::All, path: path.to_owned(), skip: 0, left: 1 }
    }

    pub fn method(method: &str, path: &str) -> On {
        On { method: Methods::Only(method.to_owned()), ..On::any(path) }
    }

    pub fn get(path: &str) -> On {
        On::method("GET", path)
    }

    pub fn post(path: &str) -> On {
        On::method("POST", path)
    }

    /// Any method that changes something, with [`On::skipping`] the k-th change.
    pub fn write(path: &str) -> On {
        On { method: Methods::Writes, ..On::any(path) }
    }

    /// How many requests meet the fault; one unless said.
    pub fn times(self, left: usize) -> On {
        On { left, ..self }
    }

    /// Every request meets it, until [`Faults::clear`].
    pub fn always(self) -> On {
        self.times(usize::MAX)
    }

    /// How many requests pass unharmed first.
    pub fn skipping(self, skip: usize) -> On {
        On { skip, ..self }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let method_matches = match &self.method {
            Methods::All => true,
            Methods::Writes => !matches!(method, "GET" | "HEAD" | "OPTIONS"),
            Methods::Only(wanted) => wanted.eq_ignore_ascii_case(method),
        };
        method_matches && path_matches(&self.path, path)
    }
}

/// The rules of one simulator.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<(On, Fault)>>>,
}

impl Faults {
    /// Adds a rule. The oldest rule that matches a request and is not used up is taken.
    pub fn inject(&self, on: On, fault: Fault) {
        self.lock().push((on, fault));
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Whether a rule waits for its request still: a scenario that ends so did not test what it
    /// says.
    pub fn is_used_up(&self) -> bool {
        self.lock().iter().all(|(on, _)| on.left == 0 || on.left == usize::MAX)
    }

    /// The fault that this request meets, counted as used.
    pub fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut rules = self.lock();
        for (on, fault) in
            rules.iter_mut().filter(|(on, _)| on.left > 0 && on.matches(method, path))
        {
            if on.skip > 0 {
                on.skip -= 1;
                continue;
            }
            if on.left != usize::MAX {
                on.left -= 1;
            }
            return Some(fault.clone());
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(On, Fault)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds requests at a known place, so that a test can act while they wait, without a sleep.
#[derive(Clone)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    opened: Arc<Semaphore>,
    /// Who sent the requests whose arrival nobody has waited for yet.
    senders: Arc<Mutex<VecDeque<SocketAddr>>>,
}

impl Gate {
    pub fn closed() -> Gate {
        let closed = || Arc::new(Semaphore::new(0));
        Gate { arrived: closed(), opened: closed(), senders: Arc::default() }
    }

    /// Waits until one more request stands at the gate, and says where it was sent from.
    pub async fn arrival(&self) -> SocketAddr {
        self.arrived.acquire().await.expect("the semaphore of a gate is never closed").forget();
        self.senders().pop_front().expect("who arrives is noted before")
    }

    /// Lets all pass, those that wait and those that come.
    pub fn open(&self) {
        // A passing request takes no permit away, so one permit is enough for all.
        self.opened.add_permits(1);
    }

    fn senders(&self) -> MutexGuard<'_, VecDeque<SocketAddr>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a request waits.
    pub(crate) async fn pass(&self, sender: SocketAddr) {
        self.senders().push_back(sender);
        self.arrived.add_permits(1);
        let _permit = self.opened.acquire().await.expect("the semaphore of a gate is never closed");
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.opened.available_permits() > 0 { "Gate(open)" } else { "Gate(closed)" })
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.trim_matches('/').split('/');
    let mut given = path.trim_matches('/').split('/');
    loop {
        match (wanted.next(), given.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_passes_some_requests_then_strikes_as_often_as_it_says() {
        let faults = Faults::default();
        faults.inject(On::post("/a/*/b").skipping(1).times(2), Fault::Reset);
        let struck: Vec<bool> = (0..4).map(|_| faults.take("POST", "/a/1/b").is_some()).collect();
        assert_eq!(struck, [false, true, true, false]);
        assert!(faults.is_used_up());
    }

    #[test]
    fn stars_stand_for_a_segment_and_for_a_rest() {
        assert!(path_matches("/repos/*/*/pulls/**", "/repos/a/b/pulls/1/files"));
        assert!(path_matches("/repos/*/*/pulls/**", "/repos/a/b/pulls"));
        assert!(!path_matches("/repos/*/*/pulls", "/repos/a/b/pulls/1"));
        assert!(!path_matches("/repos/*/*/pulls/*", "/repos/a/b/pulls"));
    }

    #[test]
    fn the_method_counts_only_where_it_is_named() {
        let faults = Faults::default();
        faults.inject(On::get("/x"), Fault::Reset);
        assert!(faults.take("POST", "/x").is_none());
        assert!(faults.take("GET", "/x").is_some());
    }

    #[test]
    fn reads_do_not_count_as_changes() {
        let faults = Faults::default();
        faults.inject(On::write("/**").skipping(1), Fault::Reset);
        let struck: Vec<bool> = ["POST", "GET", "PUT"]
            .iter()
            .map(|method| faults.take(method, "/x").is_some())
            .collect();
        assert_eq!(struck, [false, false, true]);
    }
}
