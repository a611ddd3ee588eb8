//! News: how a worker learns that there may be work, without asking all the time.
//!
//! Who waits in this process is told at once; the other servers on the database with `NOTIFY`, which
//! each receives on a connection of its own and passes on. Several news that come at once are sent
//! as one. They are sent after the commit and in no transaction that writes: a commit that notifies
//! keeps all others that do waiting until it is on disk
//! (<https://www.postgresql.org/docs/current/sql-notify.html> and its lock), and a hint is not worth
//! that. So a server that dies in between has told nobody, as one whose connection was cut heard
//! nothing: whoever waits asks again every few seconds all the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification, PgPool};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::{Result, Topic};

const CHANNEL: &str = "landfall";

/// How long a server that lost its connection waits before it listens again.
const PAUSE: Duration = Duration::from_secs(1);

/// Several news at once are one.
const TOGETHER: usize = 64;

/// The way for news, out and in.
pub(super) struct News {
    here: Arc<Here>,
    elsewhere: mpsc::UnboundedSender<Topic>,
    /// The connection that listens is of a pool of its own, so that it never takes one from work.
    ears: PgPool,
    listening: AbortHandle,
}

/// Who waits in this process.
struct Here {
    inbox: watch::Sender<u64>,
    jobs: watch::Sender<u64>,
    outbox: watch::Sender<u64>,
}

impl Here {
    fn topic(&self, topic: Topic) -> &watch::Sender<u64> {
        match topic {
            Topic::Inbox => &self.inbox,
            Topic::Jobs => &self.jobs,
            Topic::Outbox => &self.outbox,
        }
    }

    fn tell(&self, topic: Topic) {
        self.topic(topic).send_modify(|turn| *turn = turn.wrapping_add(1));
    }

    fn tell_all(&self) {
        ALL.into_iter().for_each(|topic| self.tell(topic));
    }
}

const ALL: [Topic; 3] = [Topic::Inbox, Topic::Jobs, Topic::Outbox];

fn word(topic: Topic) -> &'static str {
    match topic {
        Topic::Inbox => "inbox",
        Topic::Jobs => "jobs",
        Topic::Outbox => "outbox",
    }
}

impl News {
    /// Begins to listen with `ears` and to tell with `mouth`.
    pub(super) async fn begin(mouth: PgPool, ears: PgPool) -> Result<Self> {
        let listener = listen(&ears).await?;
        let topic = || watch::Sender::new(0);
        let here = Arc::new(Here { inbox: topic(), jobs: topic(), outbox: topic() });
        // What this process says itself it has heard already.
        let own = Uuid::new_v4();
        let (elsewhere, waiting) = mpsc::unbounded_channel();
        tokio::spawn(tell(mouth, own, waiting));
        let hearing = tokio::spawn(hear(listener, ears.clone(), own, Arc::clone(&here)));
        Ok(Self { here, elsewhere, ears, listening: hearing.abort_handle() })
    }

    pub(super) fn watch(&self, topic: Topic) -> watch::Receiver<u64> {
        self.here.topic(topic).subscribe()
    }

    /// There may be new work. After the commit.
    pub(super) fn wake(&self, topic: Topic) {
        self.here.tell(topic);
        // Who tells the others ends with the store.
        let _ = self.elsewhere.send(topic);
    }

    pub(super) async fn close(&self) {
        self.listening.abort();
        self.ears.close().await;
    }
}

impl Drop for News {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Tells the other servers. One that cannot be told finds out by itself.
async fn tell(mouth: PgPool, own: Uuid, mut waiting: mpsc::UnboundedReceiver<Topic>) {
    let mut together = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut together, TOGETHER).await > 0 {
        let words: BTreeSet<&str> = together.drain(..).map(word).collect();
        let words: Vec<&str> = words.into_iter().collect();
        let said = format!("{own} {}", words.join(" "));
        let query = sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(said);
        let _ = query.execute(&mouth).await;
    }
}

async fn listen(ears: &PgPool) -> Result<PgListener> {
    let mut listener = PgListener::connect_with(ears).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Passes on what other servers say. What was said while the connection was cut, nobody knows: then
/// there may be work of every kind.
async fn hear(mut listener: PgListener, ears: PgPool, own: Uuid, here: Arc<Here>) {
    loop {
        match listener.try_recv().await {
            Ok(Some(said)) => pass_on(&said, own, &here),
            Ok(None) => here.tell_all(),
            Err(sqlx::Error::PoolClosed) => return,
            Err(_) => {
                drop(listener);
                listener = again(&ears).await;
                here.tell_all();
            }
        }
    }
}

async fn again(ears: &PgPool) -> PgListener {
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Ok(listener) = listen(ears).await {
            return listener;
        }
    }
}

fn pass_on(said: &PgNotification, own: Uuid, here: &Here) {
    let mut words = said.payload().split(' ');
    if words.next() == Some(own.to_string().as_str()) {
        return;
    }
    for said in words {
        ALL.into_iter().filter(|topic| word(*topic) == said).for_each(|topic| here.tell(topic));
    }
}
