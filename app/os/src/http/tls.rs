//! Whom to believe that it is the peer, as rustls settings.

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::SettingsError;
use super::pin::{Believed, Pin, Trust};

/// Whom to believe that it is the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Whoever the system's certificate authorities vouch for.
    System,
    /// Whoever these authorities vouch for, and nobody else: one or more certificates as PEM.
    Ca(String),
    /// The peer with this certificate or key, whatever name or time stands in it.
    Pin(Pin),
    /// Anybody. Someone in between can read and change everything, the credentials too.
    Insecure,
}

/// The settings for TLS. Reading the system's authorities takes milliseconds, so it is done once.
pub(super) fn config(tls: &Tls) -> Result<ClientConfig, SettingsError> {
    static SYSTEM: OnceLock<ClientConfig> = OnceLock::new();
    match tls {
        Tls::System => {
            if let Some(config) = SYSTEM.get() {
                return Ok(config.clone());
            }
            let verified =
                builder().with_platform_verifier().map_err(|_| SettingsError::SystemAuthorities)?;
            Ok(SYSTEM.get_or_init(|| verified.with_no_client_auth()).clone())
        }
        Tls::Ca(pem) => {
            Ok(builder().with_root_certificates(authorities(pem)?).with_no_client_auth())
        }
        Tls::Pin(pin) => Ok(trusting(Believed::Pinned(*pin))),
        Tls::Insecure => Ok(trusting(Believed::Anybody)),
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())).clone()
}

fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
}

fn trusting(believed: Believed) -> ClientConfig {
    let algorithms = provider().signature_verification_algorithms;
    let trust = Arc::new(Trust { believed, algorithms });
    builder().dangerous().with_custom_certificate_verifier(trust).with_no_client_auth()
}

fn authorities(pem: &str) -> Result<RootCertStore, SettingsError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| SettingsError::Authority)?;
        store.add(certificate).map_err(|_| SettingsError::Authority)?;
    }
    if store.is_empty() { Err(SettingsError::Authority) } else { Ok(store) }
}
