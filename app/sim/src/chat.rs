//! The incoming webhook of a chat on loopback: one secret address, which takes messages as Slack's do
//! and keeps them.
//!
//! Answers are Slack's (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>):
//! `ok` as text, `invalid_payload` for what is no message, `no_service` elsewhere. Discord's and a
//! program's differ only in what nobody looks at.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use serde_json::Value;

use crate::exchange::{ExchangeLog, Wire};
use crate::fault::Faults;
use crate::serve::{Observed, Server};

/// The path that is the secret, and a query as some chats have one.
const ADDRESS: &str = "/services/T0000/B0000/simulated-chat-secret?thread=a%26b";

type Messages = Arc<Mutex<Vec<Value>>>;

/// A running chat. Clones are the same one; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct ChatSim {
    messages: Messages,
    faults: Faults,
    server: Server,
}

impl ChatSim {
    /// Starts it on loopback.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(exchanges: ExchangeLog) -> anyhow::Result<Self> {
        let (messages, faults) = (Messages::default(), Faults::default());
        let router = Router::new().fallback(answer).with_state(messages.clone());
        let observed = Observed { wire: |_| Wire::Chat, faults: faults.clone(), exchanges };
        let server = Server::start(router, observed, None).await?;
        Ok(Self { messages, faults, server })
    }

    /// The webhook's URL. Whoever knows it may write.
    pub fn url(&self) -> String {
        format!("{}{ADDRESS}", self.server.url())
    }

    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The messages that arrived, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(
    State(messages): State<Messages>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if uri.path_and_query().is_none_or(|asked| asked != ADDRESS) {
        return (StatusCode::NOT_FOUND, "no_service");
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(message) if method == Method::POST && message.is_object() => {
            messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            (StatusCode::OK, "ok")
        }
        _ => (StatusCode::BAD_REQUEST, "invalid_payload"),
    }
}
