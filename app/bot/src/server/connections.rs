//! Connections: taken, served in HTTP/1.1, and closed.
//!
//! This is `axum::serve` with a limit on how long a client may take to say what it wants. Without
//! one, clients that say nothing hold their connections for ever, and a server that stops waits for
//! them. How long a body may take is the business of who reads it.

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `stop` is cancelled. Then nothing more is taken, and what is under way is finished.
///
/// The head of a request has to be there within `head` of the connection's beginning or of the
/// answer before it, so this is also how long a connection may be idle.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    head: Duration,
    stop: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let service = TowerToHyperService::new(router);
    let connections = GracefulShutdown::new();
    // Axum's way to accept waits out what is wrong with the machine, such as too many open files.
    while let Some((stream, _)) = stop.run_until_cancelled(Listener::accept(&mut listener)).await {
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection broke");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;

    /// A server on loopback and a connection to it.
    async fn begin(
        router: Router,
        head: Duration,
        stop: &CancellationToken,
    ) -> (TcpStream, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(serve(listener, router, head, stop.clone()));
        (TcpStream::connect(address).await.unwrap(), served)
    }

    /// Everything that the server says until it closes the connection.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        rest
    }

    #[tokio::test]
    async fn a_client_that_does_not_say_what_it_wants_is_cut_off() {
        let stop = CancellationToken::new();
        for begun in ["", "GET / HTTP/1.1\r\nhost: localhost\r\nx-"] {
            let (mut stream, _) = begin(Router::new(), Duration::from_millis(5), &stop).await;
            stream.write_all(begun.as_bytes()).await.unwrap();
            assert_eq!(rest(&mut stream).await, "", "after {begun:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_stops_answers_what_is_under_way_and_takes_no_more() {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
        let answer = async move || {
            tell.notify_one();
            wait.notified().await;
            "here"
        };
        let router = Router::new().route("/", get(answer));
        let stop = CancellationToken::new();
        let (mut stream, served) = begin(router, Duration::from_secs(60), &stop).await;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        begun.notified().await;
        stop.cancel();
        go_on.notify_one();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("here"), "{answer}");
        served.await.unwrap();
        assert!(TcpStream::connect(stream.peer_addr().unwrap()).await.is_err());
    }
}
