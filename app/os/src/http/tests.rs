//! The client against real peers on loopback.

use std::net::SocketAddr;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// How a peer behaves towards one request.
#[derive(Clone)]
enum Peer {
    Answers(&'static str),
    HangsUp,
    IsSilent,
}

/// Reads the head and the body of one request, then behaves. Gives back what it read.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, peer: &Peer) -> String {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&heard) {
        let n = stream.read(&mut buffer).await.unwrap_or(0);
        if n == 0 {
            break;
        }
        heard.extend_from_slice(&buffer[..n]);
    }
    match peer {
        Peer::Answers(answer) => {
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        Peer::HangsUp => drop(stream),
        Peer::IsSilent => std::future::pending().await,
    }
    String::from_utf8(heard).unwrap()
}

fn is_whole(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |n| n.parse().unwrap())
}

/// One peer on loopback for one request: a client of it, and what it will have read.
async fn peer(peer: Peer) -> (Client, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move { talk(listener.accept().await.unwrap().0, &peer).await });
    (Client::new(&settings(address, "127.0.0.0/8")).unwrap(), heard)
}

fn settings(address: SocketAddr, allowed: &str) -> Settings {
    let base = Url::parse(&format!("http://{address}/base/v1/")).unwrap();
    Settings { rules: allowed.parse().unwrap(), max_body: 1000, ..Settings::new(base) }
}

const OK: Peer = Peer::Answers("HTTP/1.1 200 OK\r\nx-one: 1\r\ncontent-length: 7\r\n\r\n{\"a\":1}");

#[tokio::test]
async fn a_request_is_sent_as_it_was_built() {
    let (client, heard) = peer(OK).await;
    let secret = SecretString::from("s3cret");
    let request = client
        .request(Method::POST, ["zones", "a/../b c%\n", "x:y"])
        .query("name", "a&b=c")
        .header_secret("X-API-KEY", &secret)
        .bearer(&secret)
        .json(&serde_json::json!({"k": "v"}));
    assert!(!format!("{request:?}").contains("s3cret"));
    let answer = request.send().await.unwrap();
    let heard = heard.await.unwrap();
    assert!(
        heard.starts_with(
            "POST /base/v1/zones/a%2F..%2Fb%20c%25%0A/x:y?name=a%26b%3Dc HTTP/1.1\r\n"
        ),
        "{heard}"
    );
    for line in
        ["x-api-key: s3cret", "authorization: Bearer s3cret", "content-type: application/json"]
    {
        assert!(heard.contains(line), "{heard}");
    }
    assert!(
        heard.contains(concat!("user-agent: landfall/", env!("CARGO_PKG_VERSION")))
            && heard.ends_with(r#"{"k":"v"}"#)
    );
    assert_eq!((answer.status, answer.header("x-one")), (200, Some("1")));
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["a"], 1);
    assert_eq!(
        answer.json::<Vec<u8>>().unwrap_err().to_string(),
        "the answer (200) is not the JSON expected: another shape at line 1, column 0"
    );
}

#[tokio::test]
async fn a_request_that_a_library_built_is_sent_as_it_is_and_to_this_peer_alone() {
    let (client, heard) = peer(OK).await;
    let request = |uri: String| {
        let request = ::http::Request::put(uri).header("authorization", "AWS4-HMAC-SHA256 x");
        request.body(Bytes::from_static(b"part")).unwrap()
    };
    let other = client.exchange(request("http://elsewhere.example/acme".to_owned())).await;
    assert!(matches!(other.unwrap_err(), HttpError::NotSent(NotSent::Invalid { .. })));
    let base = &client.peer.base;
    let own = format!("http://{}:{}/acme/a%2Bb?partNumber=1", client.host(), base.port().unwrap());
    assert_eq!(client.exchange(request(own)).await.unwrap().status, 200);
    let heard = heard.await.unwrap();
    assert!(heard.starts_with("PUT /acme/a%2Bb?partNumber=1 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("authorization: AWS4-HMAC-SHA256 x") && heard.ends_with("part"));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (client, _heard) = peer(Peer::Answers(
        "HTTP/1.1 302 Found\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    let none: [&str; 0] = [];
    assert_eq!(client.request(Method::GET, none).send().await.unwrap().status, 302);
}

#[tokio::test]
async fn after_sending_the_fate_is_unknown() {
    let (client, _heard) = peer(Peer::HangsUp).await;
    let error = client.request(Method::POST, ["x"]).send().await.unwrap_err();
    assert!(matches!(error, HttpError::Unknown(Unknown::Cut { .. })), "{error:?}");
    let (client, _heard) = peer(Peer::IsSilent).await;
    let error = client
        .request(Method::POST, ["x"])
        .timeout(Duration::from_millis(50))
        .send()
        .await
        .unwrap_err();
    assert!(
        matches!(error, HttpError::Unknown(Unknown::Timeout { .. })) && error.may_have_arrived(),
        "{error:?}"
    );
    let (client, _heard) =
        peer(Peer::Answers("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort")).await;
    let error = client.request(Method::POST, ["x"]).send().await.unwrap_err();
    assert!(matches!(error, HttpError::Unknown(Unknown::Cut { .. })), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{}", "x".repeat(1001));
    let (client, _heard) = peer(Peer::Answers(long.leak())).await;
    let error = client.request(Method::GET, ["x"]).send().await.unwrap_err();
    assert_eq!(error.to_string(), "the answer of `127.0.0.1` (200) is longer than 1000 bytes");
}

#[tokio::test]
async fn what_was_not_sent_says_so() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let not_sent = async |settings: Settings, segment: &str| {
        let client = Client::new(&settings).unwrap();
        match client
            .request(Method::POST, [segment])
            .query("token", "s3cret")
            .send()
            .await
            .unwrap_err()
        {
            HttpError::NotSent(error) => error,
            error @ HttpError::Unknown(_) => panic!("{error:?}"),
        }
    };
    let refused = not_sent(settings(free, "127.0.0.1"), "x").await;
    assert_eq!(refused.to_string(), "cannot connect to `127.0.0.1`: connection refused");
    for inner in [
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:1",
        "http://0x7f.1",
        "http://169.254.169.254",
    ] {
        let error = not_sent(Settings::new(Url::parse(inner).unwrap()), "x").await;
        assert!(matches!(error, NotSent::Refused { .. }), "{inner}: {error:?}");
    }
    // A label beyond 63 characters is refused by the resolver before it asks anybody.
    let nowhere = Url::parse(&format!("http://{}.invalid", "x".repeat(64))).unwrap();
    let nowhere = not_sent(Settings::new(nowhere), "x").await;
    assert!(matches!(nowhere, NotSent::Resolve { .. }), "{nowhere:?}");
    for segment in ["", ".", ".."] {
        assert!(matches!(not_sent(settings(free, ""), segment).await, NotSent::Invalid { .. }));
    }
    let client = Client::new(&settings(free, "")).unwrap();
    let bad = client
        .request(Method::GET, ["x"])
        .header_secret("x-key", &SecretString::from("s3cret\n"))
        .send()
        .await;
    let bad = bad.unwrap_err().to_string();
    assert!(bad.contains("`x-key`") && !bad.contains("s3cret"), "{bad}");
}

#[tokio::test]
async fn a_name_that_the_operator_allows_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let base = Url::parse(&format!("http://localhost:{port}")).unwrap();
    let rules = format!("localhost:{port}").parse().unwrap();
    let client = Client::new(&Settings { rules, ..Settings::new(base) }).unwrap();
    let _peer = tokio::spawn(async move { talk(listener.accept().await.unwrap().0, &OK).await });
    assert_eq!(client.request(Method::GET, ["x"]).send().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_base_has_no_user_and_no_query() {
    for bad in ["ftp://x", "https://u@x", "https://x?q", "https://x#f", "data:x"] {
        assert_eq!(
            Client::new(&Settings::new(Url::parse(bad).unwrap())).unwrap_err(),
            SettingsError::Base,
            "{bad}"
        );
    }
}

/// Asks a peer with a certificate for `named` that it signed itself, over TLS.
async fn over_tls(
    named: &str,
    tls: impl FnOnce(&rcgen::CertifiedKey<rcgen::KeyPair>) -> Tls,
) -> Result<u16, HttpError> {
    let identity = rcgen::generate_simple_self_signed([named.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(stream) = TlsAcceptor::from(Arc::new(server)).accept(stream).await {
            talk(stream, &OK).await;
        }
    });
    let base = Url::parse(&format!("https://localhost:{port}")).unwrap();
    let settings = Settings {
        tls: tls(&identity),
        rules: "localhost".parse().unwrap(),
        ..Settings::new(base)
    };
    let answer = Client::new(&settings).unwrap().request(Method::GET, ["x"]).send().await?;
    Ok(answer.status)
}

#[tokio::test]
async fn a_certificate_is_believed_by_authority_by_pin_or_when_told_so() {
    let certificate =
        |id: &rcgen::CertifiedKey<rcgen::KeyPair>| Sha256::digest(id.cert.der()).into();
    let key = |id: &rcgen::CertifiedKey<rcgen::KeyPair>| {
        Sha256::digest(rcgen::PublicKeyData::subject_public_key_info(&id.signing_key)).into()
    };
    assert_eq!(over_tls("localhost", |id| Tls::Ca(id.cert.pem())).await, Ok(200));
    assert_eq!(
        over_tls("console", |id| Tls::Pin(Pin::Certificate(certificate(id)))).await,
        Ok(200)
    );
    assert_eq!(over_tls("console", |id| Tls::Pin(Pin::Key(key(id)))).await, Ok(200));
    assert_eq!(over_tls("console", |_| Tls::Insecure).await, Ok(200));
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_ends_it_before_anything_is_sent() {
    let other = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let refused = [
        over_tls("localhost", |_| Tls::System).await,
        over_tls("localhost", |_| Tls::Ca(other())).await,
        over_tls("console", |id| Tls::Ca(id.cert.pem())).await,
        over_tls("localhost", |_| Tls::Pin(Pin::Certificate([0; 32]))).await,
        over_tls("localhost", |_| Tls::Pin(Pin::Key([0; 32]))).await,
    ];
    for refused in refused {
        assert!(matches!(refused, Err(HttpError::NotSent(NotSent::Tls { .. }))), "{refused:?}");
    }
    let pinned =
        over_tls("localhost", |_| Tls::Pin(Pin::Key([0; 32]))).await.unwrap_err().to_string();
    assert!(pinned.ends_with("its certificate is not the pinned one"), "{pinned}");
    let not_pem = Settings {
        tls: Tls::Ca("nonsense".to_owned()),
        ..Settings::new(Url::parse("https://x").unwrap())
    };
    assert_eq!(Client::new(&not_pem).unwrap_err(), SettingsError::Authority);
}
