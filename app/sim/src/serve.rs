//! How a simulator listens: a router on a loopback port, with faults injected and every exchange
//! recorded.
//!
//! The simulators' own handlers see none of it. Requests and answers are read whole before they go
//! on, because the log keeps them; nothing here is fit to serve large bodies to many.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::{HeaderValue, StatusCode, header, request};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::exchange::{Exchange, ExchangeLog, Wire, masked};
use crate::fault::{Answer, Fault, Faults};

mod connection;

use connection::{BreakableListener, Breaker};

/// No simulated vendor takes more in one request.
const LARGEST_BODY: usize = 128 * 1024 * 1024;

/// What one listener records and breaks.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Says which wire a path belongs to.
    pub wire: fn(path: &str) -> Wire,
    pub faults: Faults,
    pub exchanges: ExchangeLog,
}

/// A running listener. It stops, and its connections with it, when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Server {
    address: SocketAddr,
    _running: Arc<AbortOnDrop>,
}

impl Server {
    /// Serves `router` on a free port of 127.0.0.1, or on `port`.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(
        router: Router,
        observed: Observed,
        port: Option<u16>,
    ) -> anyhow::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{}", port.unwrap_or(0)))?;
        let address = listener.local_addr()?;
        let service = router
            .layer(from_fn_with_state(observed, observe))
            .into_make_service_with_connect_info::<Breaker>();
        let task =
            tokio::spawn(async move { axum::serve(BreakableListener(listener), service).await });
        Ok(Server { address, _running: Arc::new(AbortOnDrop(task.abort_handle())) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[derive(Debug)]
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A vendor finishes what it has begun, also when whoever asked has gone meanwhile: so the request is
/// carried out apart from its connection.
async fn observe(
    State(observed): State<Observed>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(request_body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let answered = tokio::spawn(answer(observed, breaker, (head, request_body), next)).await;
    answered.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn answer(
    observed: Observed,
    breaker: Breaker,
    (head, request_body): (request::Parts, Bytes),
    next: Next,
) -> Response {
    let fault = observed.faults.take(head.method.as_str(), head.uri.path());
    let mut exchange = heard(&observed, &head, &request_body, fault.is_some());
    let next = async || {
        let (head, body) =
            next.run(Request::from_parts(head, Body::from(request_body))).await.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
        (head, body)
    };
    let (response, said) = match fault {
        None => whole(next().await),
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            whole(next().await)
        }
        Some(Fault::Hold(gate)) => {
            gate.pass(breaker.peer()).await;
            whole(next().await)
        }
        Some(Fault::HoldAfterCommit(gate)) => {
            let answer = next().await;
            gate.pass(breaker.peer()).await;
            whole(answer)
        }
        Some(Fault::Instead(answer)) => whole(by_hand(answer)),
        Some(Fault::AfterCommit(answer)) => {
            next().await;
            whole(by_hand(answer))
        }
        Some(Fault::SlowBody { chunk, pause }) => slow(next().await, chunk, pause),
        Some(Fault::Reset) => {
            breaker.break_now();
            return record_broken(&observed, exchange);
        }
        Some(Fault::ResetAfterCommit) => {
            next().await;
            breaker.break_now();
            return record_broken(&observed, exchange);
        }
    };
    exchange.status = Some(response.status().as_u16());
    exchange.response_headers = masked(response.headers());
    exchange.response_body = if exchange.wire == Wire::Git { Bytes::new() } else { said };
    observed.exchanges.record(exchange);
    response
}

fn heard(observed: &Observed, head: &request::Parts, body: &Bytes, faulted: bool) -> Exchange {
    let wire = (observed.wire)(head.uri.path());
    Exchange {
        wire,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        request_headers: masked(&head.headers),
        request_body: if wire == Wire::Git { Bytes::new() } else { body.clone() },
        status: None,
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        faulted,
    }
}

type Parts = (http::response::Parts, Bytes);

fn whole((head, body): Parts) -> (Response, Bytes) {
    (Response::from_parts(head, Body::from(body.clone())), body)
}

fn by_hand(answer: Answer) -> Parts {
    let mut response = (StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY), ())
        .into_response();
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) =
            (name.parse::<header::HeaderName>(), HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    (response.into_parts().0, Bytes::from(answer.body))
}

fn slow((head, body): Parts, chunk: usize, pause: std::time::Duration) -> (Response, Bytes) {
    let rest = body.clone();
    let pieces = stream::unfold(rest, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(chunk.clamp(1, rest.len()));
        Some((Ok::<_, Infallible>(piece), rest))
    });
    (Response::from_parts(head, Body::from_stream(pieces)), body)
}

/// The connection is already dead; what is returned reaches nobody.
fn record_broken(observed: &Observed, exchange: Exchange) -> Response {
    observed.exchanges.record(exchange);
    StatusCode::BAD_GATEWAY.into_response()
}
