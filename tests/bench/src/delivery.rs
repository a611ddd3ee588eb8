//! Deliveries that the bench sends by itself, at its own pace and many at once. The simulated GitHub
//! sends one after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use landfall_os::http::{AddressRules, Client, Method, Settings};
use landfall_sim::github::{TEST_WEBHOOK_SECRET, signature};
use uuid::Uuid;

use crate::town::Town;

/// What is delivered, signed. Clones share the body.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    event: &'static str,
    /// The body.
    pub(crate) body: Arc<str>,
    signature: Arc<str>,
}

/// A delivery that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// `X-GitHub-Delivery`.
    pub(crate) id: Uuid,
    /// From sending to the whole answer.
    pub(crate) took: Duration,
    /// The answer's status; none if there was no answer.
    pub(crate) status: Option<u16>,
}

/// Who sends to a town's server. Clones share its connections.
#[derive(Debug, Clone)]
pub(crate) struct Sender(Client);

impl Payload {
    /// Signs a body.
    pub(crate) fn sign(event: &'static str, body: &str) -> Self {
        let signature = signature(TEST_WEBHOOK_SECRET, body.as_bytes()).into();
        Self { event, body: body.into(), signature }
    }
}

impl Sent {
    /// Whether it was answered as stored.
    pub(crate) fn is_accepted(&self) -> bool {
        self.status == Some(202)
    }
}

impl Sender {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// There can be no client.
    pub(crate) fn to(town: &Town) -> anyhow::Result<Self> {
        let base = town.server.webhook().parse()?;
        let settings = Settings { rules: AddressRules::parse("127.0.0.1")?, ..Settings::new(base) };
        Ok(Self(Client::new(&settings)?))
    }

    /// Delivers it and waits for the answer.
    pub(crate) async fn send(&self, id: Uuid, payload: &Payload) -> Sent {
        let request = self
            .0
            .request(Method::POST, std::iter::empty::<&str>())
            .header("X-GitHub-Event", payload.event)
            .header("X-GitHub-Delivery", &id.to_string())
            .header("X-Hub-Signature-256", &payload.signature)
            .body("application/json", payload.body.as_bytes().to_vec());
        let began = Instant::now();
        let answer = request.send().await;
        Sent { id, took: began.elapsed(), status: answer.ok().map(|answer| answer.status) }
    }
}
