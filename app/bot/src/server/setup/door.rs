//! Who may create the App: the one browser that was invited.
//!
//! The token in the invitation is good once, for a session that a cookie names. Each form that is
//! shown in it carries a state of its own, which is good once too, and for as long as GitHub's code.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE as COOKIES;
use landfall_os::clock::Moment;
use uuid::Uuid;

/// The cookie's name.
pub(super) const COOKIE: &str = "landfall_setup";

/// All three steps have to be done within this time, by GitHub's rule.
pub(super) const LIFE: Duration = Duration::from_secs(3600);

/// How many forms may be open at once: reloaded pages, a second tab.
const OPEN: usize = 16;

/// Two random numbers, of 122 bits each.
#[must_use]
pub fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Lets one browser in.
pub(super) struct Door {
    /// What the invitation says; none once it was used.
    token: Option<String>,
    /// What the cookie says of the browser that was let in.
    session: Option<String>,
    /// The states of forms that were shown, oldest first, and until when they are good.
    states: VecDeque<(String, Moment)>,
}

impl Door {
    pub(super) fn new(token: String) -> Self {
        Self { token: Some(token), session: None, states: VecDeque::new() }
    }

    /// Spends the token, for the name of a session.
    pub(super) fn enter(&mut self, token: &str) -> Option<String> {
        self.token.take_if(|known| same(known, token))?;
        let session = random();
        self.session = Some(session.clone());
        Some(session)
    }

    /// A state for a form that is shown to the browser that was let in.
    pub(super) fn state(&mut self, headers: &HeaderMap) -> Option<String> {
        if !self.is_ours(headers) {
            return None;
        }
        let state = random();
        self.states.push_back((state.clone(), Moment::now() + LIFE));
        while self.states.len() > OPEN {
            self.states.pop_front();
        }
        Some(state)
    }

    /// Whether it is the browser that was let in, with a state that was given to it. Spends the state.
    pub(super) fn come_back(&mut self, headers: &HeaderMap, state: &str) -> bool {
        if !self.is_ours(headers) {
            return false;
        }
        let known = self.states.iter().position(|(known, _)| same(known, state));
        let known = known.and_then(|at| self.states.remove(at));
        known.is_some_and(|(_, until)| !until.is_over())
    }

    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIES).into_iter().filter_map(|line| line.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == COOKIE).then_some(value)
        });
        self.session.as_ref().is_some_and(|session| pairs.any(|value| same(session, value)))
    }
}

/// Whether two texts are the same, in a time that does not say how much of them is.
fn same(known: &str, given: &str) -> bool {
    let differ = known.bytes().zip(given.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    known.len() == given.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIES, cookie.parse().unwrap())])
    }

    fn entered() -> (Door, HeaderMap) {
        let mut door = Door::new("token".to_owned());
        let session = door.enter("token").unwrap();
        (door, with(&format!("theme=dark; {COOKIE}={session}")))
    }

    #[test]
    fn the_token_lets_one_browser_in() {
        let mut door = Door::new("token".to_owned());
        for wrong in ["", "toke", "tokem", "tokens"] {
            assert_eq!(door.enter(wrong), None, "{wrong}");
        }
        assert!(door.enter("token").is_some());
        assert_eq!(door.enter("token"), None);
    }

    #[test]
    fn a_state_is_good_once_for_the_browser_that_it_was_given_to() {
        let (mut door, ours) = entered();
        let state = door.state(&ours).unwrap();
        assert_eq!(door.state(&with("landfall_setup=guessed")), None);
        assert_eq!(door.state(&HeaderMap::new()), None);
        assert!(!door.come_back(&with("landfall_setup=guessed"), &state));
        assert!(!door.come_back(&ours, "guessed"));
        assert!(door.come_back(&ours, &state));
        assert!(!door.come_back(&ours, &state));
    }

    #[test]
    fn a_second_tab_does_not_close_the_first_and_an_hour_does() {
        let (mut door, ours) = entered();
        let (first, second) = (door.state(&ours).unwrap(), door.state(&ours).unwrap());
        assert!(door.come_back(&ours, &first));
        door.states[0].1 = Moment::now();
        assert!(!door.come_back(&ours, &second));
    }
}
