//! Who sent a delivery: an HMAC over its raw bytes (`X-Hub-Signature-256`).
//!
//! A hook without a secret sends no signature, so its lack is an error and never a pass.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// What a delivery is signed with, as its header has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature([u8; 32]);

/// Verifies signatures with the hook's secret, and with the one before it while it is changed.
#[derive(Debug, Clone)]
pub struct Verifier {
    current: SecretString,
    previous: Option<SecretString>,
}

/// A secret that protects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the webhook secret is empty: anyone could send webhooks")]
pub struct EmptySecret;

/// Why a delivery is not believed. Who sent it is told nothing but "no".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("no signature: the hook has no secret, or GitHub did not send this")]
    Missing,
    /// It is not `sha256=` and 64 hexadecimal digits.
    #[error("not a SHA-256 signature")]
    Malformed,
    /// It is for another body or made with another secret.
    #[error("the signature is of another body or made with another secret")]
    Wrong,
}

impl Verifier {
    /// Makes one from the secret and, while it is being changed, the one before.
    ///
    /// # Errors
    /// A secret is empty.
    pub fn new(current: SecretString, previous: Option<SecretString>) -> Result<Self, EmptySecret> {
        let empty = |secret: &SecretString| secret.expose_secret().trim().is_empty();
        if empty(&current) || previous.as_ref().is_some_and(empty) {
            return Err(EmptySecret);
        }
        Ok(Self { current, previous })
    }

    /// Verifies a signature over the bytes as they came. The comparison takes the same time wherever
    /// the signatures differ.
    ///
    /// # Errors
    /// The delivery is not from who knows a secret.
    pub fn verify(&self, signature: &Signature, body: &[u8]) -> Result<(), SignatureError> {
        let secrets = [Some(&self.current), self.previous.as_ref()];
        let good = secrets.into_iter().flatten().any(|secret| signs(secret, &signature.0, body));
        if good { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

impl Signature {
    /// Reads `X-Hub-Signature-256`. Without one that could be right, no body has to be read.
    ///
    /// # Errors
    /// There is none, or it is not of that form.
    pub fn read(headers: &HeaderMap) -> Result<Self, SignatureError> {
        let value = headers.get("X-Hub-Signature-256").ok_or(SignatureError::Missing)?;
        let text = value.to_str().map_err(|_| SignatureError::Malformed)?;
        parse(text).map(Self).ok_or(SignatureError::Malformed)
    }
}

fn signs(secret: &SecretString, signature: &[u8; 32], body: &[u8]) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

/// `sha256=` and 64 lower-case hexadecimal digits.
fn parse(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("sha256=")?.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's own example ("Validating webhook deliveries").
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn verifier(current: &str, previous: Option<&str>) -> Verifier {
        Verifier::new(current.into(), previous.map(Into::into)).unwrap()
    }

    fn read(value: &str) -> Result<Signature, SignatureError> {
        let value = value.parse().unwrap();
        Signature::read(&HeaderMap::from_iter([("x-hub-signature-256".parse().unwrap(), value)]))
    }

    fn good() -> Signature {
        read(SIGNATURE).unwrap()
    }

    #[test]
    fn githubs_example_verifies() {
        assert_eq!(verifier(SECRET, None).verify(&good(), BODY), Ok(()));
    }

    #[test]
    fn the_secret_before_verifies_while_it_is_changed() {
        assert_eq!(verifier("new", Some(SECRET)).verify(&good(), BODY), Ok(()));
        let outcome = verifier("new", Some("older")).verify(&good(), BODY);
        assert_eq!(outcome, Err(SignatureError::Wrong));
    }

    #[test]
    fn a_changed_body_does_not_verify() {
        let outcome = verifier(SECRET, None).verify(&good(), b"Hello, World?");
        assert_eq!(outcome, Err(SignatureError::Wrong));
    }

    #[test]
    fn no_signature_is_no_pass() {
        assert_eq!(Signature::read(&HeaderMap::new()), Err(SignatureError::Missing));
        let upper = SIGNATURE.to_uppercase();
        let long = format!("{SIGNATURE}00");
        for bad in
            ["", "sha256=", "sha1=757107ea", &SIGNATURE[7..], &SIGNATURE[..70], &upper, &long]
        {
            assert_eq!(read(bad), Err(SignatureError::Malformed), "{bad}");
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(Verifier::new("".into(), None).is_err());
        assert!(Verifier::new(" \n".into(), None).is_err());
        assert!(Verifier::new(SECRET.into(), Some("".into())).is_err());
    }
}
