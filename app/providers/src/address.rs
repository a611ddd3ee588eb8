//! What an address that a connection gives means for the credentials that are sent there.

use url::{Host, Url};

/// What is said of an address that [`is_in_the_clear`].
pub(crate) const IN_THE_CLEAR: &str = "`http` sends the credentials for all to read";

/// Whether credentials sent there can be read on the way. What stays on this machine cannot.
pub(crate) fn is_in_the_clear(url: &Url) -> bool {
    url.scheme() == "http" && !is_on_this_machine(url)
}

/// Whether only this machine itself answers there.
pub(crate) fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_other_machines_can_be_read_on_the_way() {
        for (url, open) in [
            ("https://u.lan", false),
            ("http://u.lan", true),
            ("http://192.168.1.1", true),
            ("http://127.0.0.1:8080", false),
            ("http://[::1]", false),
            ("http://localhost:1", false),
            ("http://localhost.example.com", true),
            ("http://127.0.0.1.example.com", true),
        ] {
            assert_eq!(is_in_the_clear(&url.parse().unwrap()), open, "{url}");
        }
    }
}
