//! Shapes that are secrets, whoever they belong to.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// A private key, to its end line or to the end of the text when that is cut off.
const KEY: &str =
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)";

/// All but [`KEY`] stay within a line; the stream relies on it.
const SHAPES: [&str; 8] = [
    KEY,
    // GitHub: personal, OAuth, user, server and refresh tokens; fine-grained ones.
    r"\bgh[a-z]_[A-Za-z0-9_.-]{20,}",
    r"\bgithub_pat_[A-Za-z0-9_]{20,}",
    // AWS access key ids, and so the place of the secret key beside them.
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    // JSON Web Tokens, and Cloudflare's connector tokens: base64 of a JSON object.
    r"\beyJ[A-Za-z0-9_+/-]{20,}={0,2}(?:\.[A-Za-z0-9_-]+){0,2}",
    // Credentials in headers, as headers, JSON or assignments.
    r#"(?i)\b(?:(?:proxy-)?authorization|x-api-key|x-csrf-token|(?:set-)?cookie)["']?[ \t]*[:=][ \t]*["']?(?:(?:bearer|basic|token)[ \t]+)?[^\s"',;]+"#,
    r"(?i)\bbearer[ \t]+[A-Za-z0-9._~+/=-]{16,}",
    // User and password in an address.
    r"://[^/\s:@]+:[^/\s@]+@",
];

static ANY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&SHAPES.join("|")).expect("a constant that the tests compile"));

/// Where such shapes stand.
pub(super) fn find(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    ANY.find_iter(text).map(|hit| hit.range())
}
