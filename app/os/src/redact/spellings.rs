//! The spellings a secret takes on its way through headers, addresses, JSON and error messages.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::SHORTEST;

/// A line of a longer secret is learned by itself from this length on: programs indent.
const SHORTEST_LINE: usize = 16;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// All spellings of `secret` that are long enough to look for.
pub(super) fn of(secret: &str) -> BTreeSet<String> {
    let lines = secret.lines().filter(|line| line.trim().len() >= SHORTEST_LINE);
    let raw = [secret, secret.trim()].into_iter().chain(lines.map(str::trim));
    let raw: BTreeSet<&str> = raw.filter(|text| text.len() >= SHORTEST).collect();
    raw.into_iter().flat_map(spell).filter(|text| text.len() >= SHORTEST).collect()
}

fn spell(raw: &str) -> Vec<String> {
    let mut all = vec![raw.to_owned()];
    all.extend(percent(raw));
    all.extend(escaped(raw));
    for alphabet in [&STANDARD, &URL_SAFE] {
        all.extend((0..3).map(|offset| base64_inside(raw, offset, alphabet)));
    }
    all
}

/// Percent-encoded as a path segment, as a form value, and with everything encoded; vendors differ
/// in the case of the digits.
fn percent(raw: &str) -> impl Iterator<Item = String> {
    let form: String = url::form_urlencoded::byte_serialize(raw.as_bytes()).collect();
    let all = utf8_percent_encode(raw, NON_ALPHANUMERIC).to_string();
    let segment = utf8_percent_encode(raw, UNRESERVED).to_string();
    [form, all, segment].into_iter().flat_map(|text| [lower_digits(&text), text])
}

fn lower_digits(text: &str) -> String {
    let mut chars = text.chars();
    let mut lower = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        lower.push(c);
        if c == '%' {
            lower.extend(chars.by_ref().take(2).map(|digit| digit.to_ascii_lowercase()));
        }
    }
    lower
}

/// As a JSON text: plain, with `/` escaped, and as Go writes it (`<`, `>`, `&` as `\u003c`); and as
/// Rust's `Debug` prints it.
fn escaped(raw: &str) -> [String; 4] {
    let json = serde_json::Value::from(raw).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let slashes = json.replace('/', "\\/");
    let go = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    [json, slashes, go, raw.escape_debug().to_string()]
}

/// What base64 of any text makes of the secret when `offset` bytes (modulo 3) stand before it: the
/// digits that depend on the secret alone. So `Basic` credentials are found too.
fn base64_inside(raw: &str, offset: usize, alphabet: &Alphabet) -> String {
    let text = [&[0; 3][..offset], raw.as_bytes()].concat();
    let encoded = GeneralPurpose::new(alphabet, NO_PAD).encode(&text);
    let (first, end) = ((offset * 8).div_ceil(6), text.len() * 8 / 6);
    encoded[first..end].to_owned()
}
