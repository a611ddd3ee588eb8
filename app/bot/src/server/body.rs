//! Reading a body: bounded in bytes and in time, because nobody knows yet who sends it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// It is longer, as its length says or as it turned out.
    #[error("the body is longer than {0} bytes")]
    Long(usize),
    /// It took longer.
    #[error("the body took longer than {0:?}")]
    Late(Duration),
    /// Others send so much at the moment that there is no room for it.
    #[error("there is no room for the body now")]
    Crowded,
    /// The connection broke, or the body is not in the form that its head promises.
    #[error("the body broke off")]
    Broken,
}

impl IntoResponse for Unread {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Long(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}

/// How much may be in memory of all bodies together, in bytes: whoever sends many at once does not
/// take the memory that the server works with.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// A body, for which there is room as long as this is held.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Reads all of a body of at most `bytes`, all of which has to come within `time`. Of one that
    /// says that it is longer, nothing is read; of any other, hardly more than `bytes` is ever in
    /// memory.
    ///
    /// # Errors
    /// It is longer, late, or broken off, or there is no room for it beside others.
    pub(super) async fn read(
        &self,
        body: Body,
        bytes: usize,
        time: Duration,
    ) -> Result<Held, Unread> {
        if body.size_hint().lower() > bytes as u64 {
            return Err(Unread::Long(bytes));
        }
        let all = tokio::time::timeout(time, self.collect(body, bytes)).await;
        all.unwrap_or(Err(Unread::Late(time)))
    }

    /// Room is made for what has come, not for what was promised: promises cost the sender nothing.
    async fn collect(&self, body: Body, bytes: usize) -> Result<Held, Unread> {
        let mut chunks = body.into_data_stream();
        let (mut read, mut room) = (Vec::new(), None::<OwnedSemaphorePermit>);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Unread::Broken)?;
            if read.len() + chunk.len() > bytes {
                return Err(Unread::Long(bytes));
            }
            let more = u32::try_from(chunk.len()).map_err(|_| Unread::Long(bytes))?;
            let more = Arc::clone(&self.0).try_acquire_many_owned(more);
            let more = more.map_err(|_| Unread::Crowded)?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            read.extend_from_slice(&chunk);
        }
        Ok(Held { bytes: read.into(), _room: room })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::stream;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Alone, with room for everything.
    async fn read(body: Body, bytes: usize, time: Duration) -> Result<Bytes, Unread> {
        Room::of(1 << 20).read(body, bytes, time).await.map(|held| held.bytes)
    }

    /// A body of so many chunks of four bytes whose length nobody knows before, and how many of
    /// them were taken.
    fn chunks(count: usize) -> (Body, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let chunks = stream::iter(0..count).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>("abcd")
        });
        (Body::from_stream(chunks), taken)
    }

    #[tokio::test]
    async fn a_body_may_be_as_long_as_allowed() {
        assert_eq!(read(Body::from("12345678"), 8, LONG).await.unwrap(), "12345678");
        assert_eq!(read(chunks(2).0, 8, LONG).await.unwrap(), "abcdabcd");
        assert_eq!(read(Body::empty(), 0, LONG).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_that_turns_out_longer_is_left_where_it_does() {
        let (body, taken) = chunks(1_000_000);
        assert!(matches!(read(body, 10, LONG).await, Err(Unread::Long(10))));
        assert_eq!(taken.load(Ordering::Relaxed), 3, "the third chunk is one too many");
    }

    #[tokio::test]
    async fn a_body_that_trickles_without_end_is_late() {
        let trickle = stream::repeat_with(|| Ok::<_, Infallible>("a")).then(async |byte| {
            tokio::task::yield_now().await;
            byte
        });
        let time = Duration::from_millis(5);
        let late = read(Body::from_stream(trickle), usize::MAX, time).await.unwrap_err();
        assert_eq!(late.to_string(), "the body took longer than 5ms");
        assert_eq!(late.into_response().status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_said_to() {
        let broken = stream::iter([Ok("a"), Err(std::io::Error::other("reset"))]);
        let broken = read(Body::from_stream(broken), 8, LONG).await.unwrap_err();
        assert_eq!(broken.into_response().status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn all_bodies_together_take_no_more_room_than_there_is() {
        let room = Room::of(10);
        let first = room.read(Body::from("12345678"), 8, LONG).await.unwrap();
        let crowded = room.read(Body::from("123"), 8, LONG).await.unwrap_err();
        assert_eq!(crowded.into_response().status(), StatusCode::SERVICE_UNAVAILABLE);
        room.read(Body::from("12"), 8, LONG).await.unwrap();
        drop(first);
        room.read(Body::from("12345678"), 8, LONG).await.unwrap();
    }
}
