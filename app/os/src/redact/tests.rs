//! What must not survive, and what must.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

fn knowing(secret: &str) -> Redactor {
    let redactor = Redactor::new();
    redactor.learn(&SecretString::from(secret));
    redactor
}

#[test]
fn a_secret_goes_in_every_spelling_and_the_rest_stays() {
    let redactor = knowing("p@ss/w<rd 1");
    for spelled in [
        "p@ss/w<rd 1",
        "p%40ss%2Fw%3Crd%201",
        "p%40ss%2fw%3crd+1",
        r"p@ss\/w<rd 1",
        r"p@ss/w\u003crd 1",
    ] {
        assert_eq!(redactor.redact(&format!("a {spelled} b")), "a *** b", "{spelled}");
    }
    let basic = STANDARD.encode("x-access-token:p@ss/w<rd 1");
    assert!(redactor.redact(&basic).contains(MARK), "{basic}");
    assert_eq!(redactor.redact("nothing here"), "nothing here");
}

#[test]
fn a_secret_of_several_lines_goes_even_when_it_is_indented() {
    let redactor = knowing("first line of the secret\nsecond line of the secret\n");
    assert_eq!(
        redactor.redact("  first line of the secret\n  second line of the secret"),
        "  ***\n  ***"
    );
}

#[test]
fn short_secrets_are_not_learned() {
    assert_eq!(knowing("abc").redact("abcdef abc"), "abcdef abc");
}

#[test]
fn known_shapes_go_without_being_learned() {
    let redactor = Redactor::new();
    let (token, jwt) = (
        format!("ghs_{}", "a1".repeat(18)),
        format!("eyJ{}.eyJ{}.sig", "a".repeat(20), "b".repeat(20)),
    );
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----";
    for secret in [&token, &jwt, key, "AKIAABCDEFGHIJKLMNOP", "Bearer abcdefghijklmnop.q"] {
        assert_eq!(redactor.redact(&format!("x {secret} y")), "x *** y");
    }
    assert_eq!(redactor.redact("Authorization: Basic YWJj\nnext"), "***\nnext");
    assert_eq!(redactor.redact(r#"{"x-api-key":"k","status":200}"#), r#"{"***","status":200}"#);
    assert_eq!(redactor.redact("fetch https://u:pw@host/x failed"), "fetch https***host/x failed");
    assert_eq!(redactor.redact("-----BEGIN PRIVATE KEY-----\nMIIE cut"), "***");
}

#[test]
fn ordinary_text_is_left_alone() {
    let redactor = knowing("hunter2hunter2");
    for text in [
        "3f2a9c1d8e7b6a5f4c3d2e1f0a9b8c7d6e5f4a3b",
        "jellyfin.example.com → http://jellyfin.internal.lan:8096",
        "the token lacks a permission; the bearer of bad news",
        "-----BEGIN CERTIFICATE-----",
    ] {
        assert_eq!(redactor.redact(text), text);
    }
}

#[test]
fn a_log_writer_lets_no_secret_through_however_it_is_cut() {
    let redactor = knowing("hunter2hunter2");
    let mut log = Vec::new();
    let mut writer = RedactingWriter::new(redactor, &mut log);
    for piece in ["one hunter2", "hunter2 two\nthr", "ee\n"] {
        writer.write_all(piece.as_bytes()).unwrap();
    }
    drop(writer);
    assert_eq!(log, b"one *** two\nthree\n");
}

proptest! {
    #[test]
    fn no_known_secret_survives_in_any_spelling_or_place(
        secret in "[ -)+-~]{6,40}",
        other in "[ -)+-~]{6,12}",
        before in "\\PC{0,20}",
        after in "\\PC{0,20}",
    ) {
        let redactor = knowing(&secret);
        redactor.learn(&SecretString::from(other));
        for spelled in spellings::of(&secret) {
            let text = format!("{before}{spelled}{after}");
            prop_assert!(!redactor.redact(&text).contains(&spelled), "{:?}", spelled);
        }
        for encoded in [STANDARD.encode(format!("{before}{secret}{after}")), URL_SAFE_NO_PAD.encode(&secret)] {
            prop_assert!(redactor.redact(&encoded).contains(MARK));
        }
    }

    #[test]
    fn a_stream_shows_the_same_text_however_it_is_cut(
        secret in "[a-z0-9\n]{6,20}",
        words in prop::collection::vec("[a-z0-9 \n]{0,12}", 0..6),
        cuts in prop::collection::vec(1_usize..9, 1..40),
    ) {
        let redactor = knowing(&secret);
        let text = words.join(&secret);
        let mut stream = RedactedStream::new(redactor.clone());
        let (mut shown, mut rest) = (Vec::new(), text.as_bytes());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, more) = rest.split_at((*cut).min(rest.len()));
            shown.extend(stream.push(piece));
            rest = more;
        }
        shown.extend(stream.finish());
        prop_assert_eq!(String::from_utf8(shown).unwrap(), redactor.redact(&text));
    }
}
