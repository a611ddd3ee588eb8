use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use tokio_util::sync::CancellationToken;

use super::*;

/// What the routes answer to `GET /`, over a connection.
async fn answer(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let head = std::time::Duration::from_secs(60);
    tokio::spawn(connections::serve(listener, routes, head, CancellationToken::new()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_request_that_makes_the_server_panic_is_answered_and_counted() {
    let panics = Panics::default();
    let route = get(async || -> &'static str { panic!("the token is hunter2") });
    let routes = answering_panics(Router::new().route("/", route), panics.clone());
    let answer = answer(routes).await;
    assert!(answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\na fault in Landfall itself: the log says where"), "{answer}");
    assert_eq!(panics.count(), 1);
}

#[tokio::test]
async fn what_a_task_panicked_with_is_not_passed_on() {
    let task = tokio::spawn(async { panic!("the token is hunter2") });
    let panicked: Result<(), Panicked> = unless_panicked(task.await);
    assert_eq!(panicked, Err(Panicked));
}
