//! HTTPS in front of a listener: a self-signed certificate, made anew at each start, and a relay.
//!
//! As on a real console, what ends TLS is not what answers. The certificate is known to nobody, so
//! clients must be given it, pin it, or close their eyes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{CertifiedKey, PublicKeyData as _, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// A certificate, in the forms that a client can be told to trust it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// As PEM, its own authority.
    pub pem: String,
    /// SHA-256 of the certificate as DER.
    pub fingerprint: [u8; 32],
    /// SHA-256 of its subject public key info: what a key pin holds.
    pub spki_fingerprint: [u8; 32],
}

/// A running relay. It stops when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct TlsFront {
    address: SocketAddr,
    certificate: Arc<Certificate>,
    _running: Arc<AbortOnDrop>,
}

#[derive(Debug)]
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TlsFront {
    /// Relays from `port` of 127.0.0.1, or a free one, to `plain`.
    pub(crate) async fn start(plain: SocketAddr, port: Option<u16>) -> anyhow::Result<Self> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).context("cannot make a certificate")?;
        let certificate = Arc::new(Certificate {
            pem: cert.pem(),
            fingerprint: Sha256::digest(cert.der()).into(),
            spki_fingerprint: Sha256::digest(signing_key.subject_public_key_info()).into(),
        });
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let running = tokio::spawn(accept(listener, acceptor, plain)).abort_handle();
        Ok(Self { address, certificate, _running: Arc::new(AbortOnDrop(running)) })
    }

    /// `https://127.0.0.1:PORT`, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, plain: SocketAddr) {
    // A failed accept is one client's trouble; the next may do better.
    loop {
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, acceptor.clone(), plain));
        }
    }
}

async fn relay(client: TcpStream, acceptor: TlsAcceptor, plain: SocketAddr) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(plain).await?;
    server.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
