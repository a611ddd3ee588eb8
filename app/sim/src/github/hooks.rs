//! Webhooks: signed, delivered in order as real requests, and remembered as GitHub's delivery log
//! remembers them.
//!
//! A delivery is tried once. GitHub repeats none by itself, so neither does this; a client repairs
//! by the log. What goes wrong on the way is a [`Fate`], chosen before the event happens.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::world::{App, Event};
use crate::clock::Clock;
use crate::exchange::ExchangeLog;
use crate::ids::Ids;

mod config;
mod delivery;
mod send;

pub(crate) use config::{HookConfig, usual_events};
use delivery::Delivery;
pub use delivery::{Attempt, Fate, On};
pub use send::signature;

/// The outgoing side of the App's webhook.
#[derive(Debug, Clone)]
pub struct Hooks {
    inner: Arc<Inner>,
    clock: Clock,
    exchanges: ExchangeLog,
    _running: Arc<Mutex<Option<AbortOnDrop>>>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// There is something to send.
    more: Notify,
    /// Nothing is left to send.
    idle: Notify,
}

#[derive(Debug)]
struct State {
    config: HookConfig,
    waiting: VecDeque<Delivery>,
    held: Vec<Delivery>,
    fates: Vec<(On, Fate)>,
    sending: bool,
    log: Vec<Arc<Attempt>>,
    ids: Ids,
    last_id: u64,
}

impl Hooks {
    pub(crate) fn new(
        app: &App,
        url: Option<String>,
        secret: Option<String>,
        clock: Clock,
    ) -> Hooks {
        let config = HookConfig {
            app_id: app.id,
            hook_id: 500_000 + app.id,
            url,
            secret,
            content_type: "json".to_owned(),
            events: app.events.clone(),
        };
        let state = State {
            config,
            waiting: VecDeque::new(),
            held: Vec::new(),
            fates: Vec::new(),
            sending: false,
            log: Vec::new(),
            ids: Ids::new("github deliveries"),
            last_id: 70_000_000_000,
        };
        let inner = Inner { state: Mutex::new(state), more: Notify::new(), idle: Notify::new() };
        Hooks {
            inner: Arc::new(inner),
            clock,
            exchanges: ExchangeLog::default(),
            _running: Arc::default(),
        }
    }

    pub(crate) fn recording(self, exchanges: ExchangeLog) -> Hooks {
        Hooks { exchanges, ..self }
    }

    /// Starts sending in the background, until the last clone is dropped.
    pub(crate) fn start(&self) {
        // The task holds the queue but not the guard that ends it.
        let (inner, clock) = (self.inner.clone(), self.clock.clone());
        let mut sender = send::Sender::new(self.exchanges.clone());
        let task = tokio::spawn(async move {
            loop {
                match inner.next() {
                    Some((delivery, config)) => {
                        let sent = sender.attempt(&config, &delivery).await;
                        inner.sent(delivery, sent, clock.now());
                    }
                    None => inner.more.notified().await,
                }
            }
        });
        let mut running = self._running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(AbortOnDrop(task.abort_handle()));
    }

    /// Where deliveries go from now on; those that waited for an address go too.
    pub fn send_to(&self, url: &str) {
        self.inner.state().config.url = Some(url.to_owned());
        self.inner.more.notify_one();
    }

    /// What deliveries are sent as from now on: `json` or `form`. Only JSON is sent; who reads the
    /// hook's settings is told otherwise.
    pub fn send_as(&self, content_type: &str) {
        content_type.clone_into(&mut self.inner.state().config.content_type);
    }

    /// Says what becomes of the next deliveries that match.
    pub fn fate(&self, on: On, fate: Fate) {
        self.inner.state().fates.push((on, fate));
    }

    /// Sends what was held, oldest first.
    pub fn release(&self) {
        let mut state = self.inner.state();
        let held = std::mem::take(&mut state.held);
        state.waiting.extend(held);
        drop(state);
        self.inner.more.notify_one();
    }

    /// Sends what was held, newest first.
    pub fn release_reversed(&self) {
        self.inner.state().held.reverse();
        self.release();
    }

    /// The payloads that are held back, oldest first.
    pub fn held(&self) -> Vec<Value> {
        self.inner.state().held.iter().map(|delivery| delivery.event.payload.clone()).collect()
    }

    /// Waits until every delivery that is not held was answered, or failed.
    pub async fn deliver_all(&self) {
        loop {
            let idle = self.inner.idle.notified();
            let mut idle = std::pin::pin!(idle);
            idle.as_mut().enable();
            if self.inner.state().is_idle() {
                return;
            }
            idle.await;
        }
    }

    /// Every attempt so far, oldest first. Shared, because a log is long and has all payloads in it.
    pub fn log(&self) -> Vec<Arc<Attempt>> {
        self.inner.state().log.clone()
    }

    /// The last attempt at each delivery that nobody has taken so far.
    pub fn undelivered(&self) -> Vec<u64> {
        let state = self.inner.state();
        let mut last = BTreeMap::new();
        for attempt in &state.log {
            let known = last.entry(attempt.guid.as_str()).or_insert(Some(attempt.id));
            let taken = (200..300).contains(&attempt.status_code);
            *known = known.filter(|_| !taken).map(|_| attempt.id);
        }
        let waits = |id: &u64| {
            let guid = state.log.iter().find(|attempt| attempt.id == *id).map(|one| &one.guid);
            state.waiting.iter().any(|delivery| Some(&delivery.guid) == guid)
        };
        last.into_values().flatten().filter(|id| !waits(id)).collect()
    }

    /// Sends a delivery again, as it was. `None` if the log has no such attempt.
    pub fn redeliver(&self, attempt: u64) -> Option<()> {
        let mut state = self.inner.state();
        let again = Arc::clone(state.log.iter().find(|known| known.id == attempt)?);
        let event = Event {
            name: again.event.clone(),
            action: again.action.clone(),
            installation: again.installation,
            repository: again.repository,
            payload: again.payload.clone(),
        };
        let again = Delivery { guid: again.guid.clone(), event, redelivery: true, fate: None };
        state.waiting.push_back(again);
        drop(state);
        self.inner.more.notify_one();
        Some(())
    }

    /// Queues an event for delivery, if the App gets such events.
    pub(crate) fn emit(&self, event: Event) {
        let mut state = self.inner.state();
        if !state.config.wants(&event.name) {
            return;
        }
        let fate = state.take_fate(&event);
        let guid = state.ids.uuid().to_string();
        let delivery = Delivery { guid, event, redelivery: false, fate };
        match fate {
            Some(Fate::NeverSent) => {}
            Some(Fate::Held) => state.held.push(delivery),
            Some(Fate::Twice) => state.waiting.extend([delivery.clone(), delivery]),
            Some(Fate::Unreachable) | None => state.waiting.push_back(delivery),
        }
        drop(state);
        self.inner.more.notify_one();
    }

    pub(crate) fn config(&self) -> HookConfig {
        self.inner.state().config.clone()
    }

    pub(crate) fn configure(&self, change: impl FnOnce(&mut HookConfig)) {
        change(&mut self.inner.state().config);
        self.inner.more.notify_one();
    }

    /// Sends a `ping`, as GitHub does when the hook is made.
    pub fn ping(&self) {
        let config = self.config();
        let hook = json!({
            "type": "App",
            "id": config.hook_id,
            "name": "web",
            "active": true,
            "app_id": config.app_id,
            "events": config.events,
            "config": config.shown(),
            "created_at": self.clock.now(),
            "updated_at": self.clock.now(),
        });
        self.emit(Event {
            name: "ping".to_owned(),
            action: None,
            installation: None,
            repository: None,
            payload: json!({
                "zen": "Keep it logically awesome.",
                "hook_id": config.hook_id,
                "hook": hook,
            }),
        });
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<(Delivery, HookConfig)> {
        let mut state = self.state();
        // Without an address nothing can be sent.
        state.config.url.as_ref()?;
        let delivery = state.waiting.pop_front()?;
        state.sending = true;
        Some((delivery, state.config.clone()))
    }

    fn sent(&self, delivery: Delivery, sent: send::Sent, at: Timestamp) {
        let mut state = self.state();
        state.last_id += 1;
        let attempt = Attempt {
            id: state.last_id,
            guid: delivery.guid,
            event: delivery.event.name,
            action: delivery.event.action,
            installation: delivery.event.installation,
            repository: delivery.event.repository,
            delivered_at: at,
            redelivery: delivery.redelivery,
            status: sent.status,
            status_code: sent.status_code,
            request_headers: sent.request_headers.into(),
            payload: delivery.event.payload,
            response_body: sent.response_body,
        };
        state.log.push(Arc::new(attempt));
        state.sending = false;
        if state.is_idle() {
            self.idle.notify_waiters();
        }
    }
}

impl State {
    /// Without an address nothing can be sent, so nothing is waited for either.
    fn is_idle(&self) -> bool {
        !self.sending && (self.waiting.is_empty() || self.config.url.is_none())
    }

    fn take_fate(&mut self, event: &Event) -> Option<Fate> {
        let (on, fate) = self.fates.iter_mut().find(|(on, _)| on.matches(event))?;
        on.left -= 1;
        Some(*fate)
    }
}

#[derive(Debug)]
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
