//! A pin: the one certificate, or the one key, that a peer must show.
//!
//! Consoles come with a certificate that they signed themselves. A pin replaces the certificate
//! authorities, the host name and the validity period; what it does not replace is the proof that
//! the peer holds the certificate's key, which TLS still demands.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};

/// A pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// SHA-256 of the whole certificate (DER). Written as hexadecimal digits, with or without
    /// colons: what `openssl x509 -noout -fingerprint -sha256` and browsers show. Changes when the
    /// certificate is renewed.
    Certificate([u8; 32]),
    /// SHA-256 of the certificate's public key (`SubjectPublicKeyInfo`, DER). Written
    /// `sha256/BASE64` as in RFC 7469 and curl's `--pinnedpubkey`. Survives renewal with the same key.
    Key([u8; 32]),
}

/// A text that is not a pin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a pin: the certificate's SHA-256 as 64 hexadecimal digits, or its key's as `sha256/BASE64`"
)]
pub struct PinError;

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        if let Some(encoded) = text.strip_prefix("sha256/") {
            // curl writes a second slash; without one the hash itself may begin with one.
            let curls = encoded.strip_prefix('/');
            let hash = [Some(encoded), curls].into_iter().flatten().find_map(key_hash);
            return hash.map(Self::Key).ok_or(PinError);
        }
        let digits = text
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16))
            .collect::<Option<Vec<u32>>>();
        let digits: [u32; 64] = digits.ok_or(PinError)?.try_into().map_err(|_| PinError)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::try_from(pair[0] * 16 + pair[1]).expect("two hexadecimal digits");
        }
        Ok(Self::Certificate(hash))
    }
}

fn key_hash(encoded: &str) -> Option<[u8; 32]> {
    STANDARD.decode(encoded).ok()?.try_into().ok()
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(hash) => write!(f, "sha256/{}", STANDARD.encode(hash)),
            Self::Certificate(hash) => hash.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl Pin {
    fn matches(&self, certificate: &CertificateDer<'_>) -> Result<bool, Error> {
        Ok(match self {
            Self::Certificate(hash) => Sha256::digest(certificate)[..] == hash[..],
            Self::Key(hash) => {
                let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
                Sha256::digest(&key)[..] == hash[..]
            }
        })
    }
}

/// Whom a [`Trust`] believes.
#[derive(Debug)]
pub(super) enum Believed {
    /// The peer with this certificate or key.
    Pinned(Pin),
    /// Anybody.
    Anybody,
}

/// Decides about a peer without certificate authorities.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) believed: Believed,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.believed {
            Believed::Pinned(pin) if !pin.matches(leaf)? => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            Believed::Pinned(_) | Believed::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_in_both_spellings() {
        let hex = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        assert_eq!(hex.parse(), Ok(Pin::Certificate([0xab; 32])));
        assert_eq!(colons.parse(), Ok(Pin::Certificate([0xab; 32])));
        for first in 0..=u8::MAX {
            let mut hash = [7; 32];
            hash[0] = first;
            let (key, encoded) = (Pin::Key(hash), STANDARD.encode(hash));
            assert_eq!(key.to_string().parse(), Ok(key), "{encoded}");
            assert_eq!(format!("sha256//{encoded}").parse(), Ok(key), "{encoded}");
        }
        assert_eq!(hex.parse::<Pin>().unwrap().to_string(), hex);
        for bad in ["", "ab", "sha256/", "sha256/AAAA", "zz", &"ab".repeat(33), &"äb".repeat(32)] {
            assert_eq!(bad.parse::<Pin>(), Err(PinError), "{bad}");
        }
    }
}
