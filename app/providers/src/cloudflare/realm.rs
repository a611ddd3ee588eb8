//! Whose word an identity rests on.
//!
//! A target's id is what the API says of it, and ownership is kept by it across repositories. The
//! vendor's API answers for an account to nobody without a token of it. A host that somebody names
//! under `url:` may say anything, so what it says is about things of its own: their ids end in
//! `@host`, and belong to nobody else. What answers on this machine stands for the vendor; it is a
//! simulator.

use url::Url;

use crate::address::is_on_this_machine;

/// The vendor's host.
const VENDOR: &str = "api.cloudflare.com";

/// Who answers for identities: the vendor, or the host that is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Realm(Option<String>);

impl Realm {
    /// Who answers at `base`.
    pub(super) fn of(base: &Url) -> Self {
        let host = base.host_str().unwrap_or_default();
        let authority = match base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let vendor = authority == VENDOR || is_on_this_machine(base);
        Self((!vendor).then_some(authority))
    }

    /// The host, if it is not the vendor's.
    pub(super) fn host(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// What is called `id` there, as it is called everywhere.
    pub(super) fn mark(&self, id: &str) -> String {
        match &self.0 {
            Some(host) => format!("{id}@{host}"),
            None => id.to_owned(),
        }
    }

    /// What is called `marked` everywhere, as it is called there; none if it is elsewhere.
    pub(crate) fn unmark<'m>(&self, marked: &'m str) -> Option<&'m str> {
        match (marked.split_once('@'), &self.0) {
            (None, None) => Some(marked),
            (Some((id, host)), Some(own)) if host == own => Some(id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(base: &str) -> Realm {
        Realm::of(&base.parse().unwrap())
    }

    #[test]
    fn the_vendor_and_this_machine_leave_an_id_as_it_is() {
        for base in ["https://api.cloudflare.com/client/v4", "http://127.0.0.1:8787/client/v4"] {
            assert_eq!(realm(base).mark("023e"), "023e");
            assert_eq!(realm(base).unmark("023e"), Some("023e"));
            assert_eq!(realm(base).unmark("023e@evil.example"), None);
        }
    }

    #[test]
    fn no_other_host_speaks_of_anybody_elses_things() {
        let evil = realm("https://evil.example/client/v4");
        for id in ["023e", "023e@api.cloudflare.com", "023e@evil.example"] {
            assert_ne!(evil.mark(id), id);
            assert_eq!(realm("https://api.cloudflare.com/").unmark(&evil.mark(id)), None);
        }
        assert_eq!(evil.unmark(&evil.mark("023e")), Some("023e"));
        assert_eq!(evil.unmark("023e"), None);
        assert_ne!(realm("https://evil.example:8443/").mark("023e"), evil.mark("023e"));
        assert_ne!(realm("https://api.cloudflare.com.evil.example/").mark("023e"), "023e");
    }
}
