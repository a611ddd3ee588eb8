//! Deliveries made by hand: what GitHub would never send, and what it once sent to others.
//!
//! They go straight to the server's webhook route, past the simulated GitHub, so none of them is in
//! its log or among the exchanges.

use bytes::Bytes;
use landfall_os::http::{AddressRules, Client, Method, Settings};
use landfall_sim::github::{TEST_WEBHOOK_SECRET, signature};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::World;

/// A delivery as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `X-GitHub-Event`
    pub event: String,
    /// Makes `X-GitHub-Delivery`.
    pub number: usize,
    /// `X-GitHub-Hook-Installation-Target-ID`: for which App it is. None is sent without one.
    pub target: Option<u64>,
    /// `Content-Type`
    pub content_type: String,
    /// `X-Hub-Signature-256`; none is sent without one.
    pub signature: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Delivery {
    /// One that GitHub could have sent: JSON, signed with the App's secret.
    #[must_use]
    pub fn signed(event: &str, number: usize, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            event: event.to_owned(),
            number,
            target: None,
            content_type: "application/json".to_owned(),
            signature: Some(signature(TEST_WEBHOOK_SECRET, &body)),
            body,
        }
    }
}

impl World {
    /// Delivers by hand, and returns the status and the text of the answer.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn deliver(&self, delivery: Delivery) -> (u16, String) {
        let url = self.server.webhook_url().parse().expect("an address of loopback is an URL");
        let rules = AddressRules::parse("127.0.0.0/8").expect("loopback is a network");
        let client = Client::new(&Settings { rules, ..Settings::new(url) });
        let mut request = client
            .expect("a client for loopback needs nothing")
            .request(Method::POST, std::iter::empty::<&str>())
            .body(&delivery.content_type, delivery.body)
            .header("X-GitHub-Event", &delivery.event)
            .header(
                "X-GitHub-Delivery",
                &format!("00000000-0000-4000-8000-{:012}", delivery.number),
            );
        if let Some(target) = delivery.target {
            request = request.header("X-GitHub-Hook-Installation-Target-ID", &target.to_string());
        }
        if let Some(signature) = &delivery.signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        let answer = request.send().await.expect("the server answers");
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// What `/readyz` answers.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn ready(&self) -> u16 {
        let url = self.server.webhook_url().replace("/webhook", "/readyz");
        let url = url.parse().expect("an address of loopback is an URL");
        let rules = AddressRules::parse("127.0.0.0/8").expect("loopback is a network");
        let client = Client::new(&Settings { rules, ..Settings::new(url) });
        let client = client.expect("a client for loopback needs nothing");
        let request = client.request(Method::GET, std::iter::empty::<&str>());
        request.send().await.expect("the server answers").status
    }

    /// Waits until the server says that it is ready.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn until_ready(&self) {
        while self.ready().await != 200 {
            tokio::task::yield_now().await;
        }
    }

    /// Begins a delivery by hand, signed with nonsense and with these headers, sends so much of its body and no
    /// more, and returns the first line of what the server says to that; nothing if it says nothing
    /// and closes the connection.
    ///
    /// # Panics
    /// There is no connection.
    pub async fn begin_delivery(&self, headers: &str, body: impl AsRef<[u8]>) -> String {
        let url = self.server.webhook_url();
        let address = url.trim_start_matches("http://").trim_end_matches("/webhook");
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        let signature = format!("x-hub-signature-256: sha256={}", "0".repeat(64));
        let head = format!("POST /webhook HTTP/1.1\r\nhost: {address}\r\n{signature}\r\n{headers}");
        stream.write_all(head.as_bytes()).await.expect("the server reads");
        stream.write_all(body.as_ref()).await.expect("the server reads");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.expect("the server answers or closes");
        line.trim_end().to_owned()
    }
}
