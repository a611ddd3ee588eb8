//! Missed deliveries: what GitHub tried to deliver and the inbox does not have.
//!
//! GitHub repeats nothing by itself, but keeps a log of what it tried to deliver, with the payloads,
//! for three days; whether anybody was there makes no difference to it. One rule serves a server that
//! GitHub reaches and one that it does not: what stands in the log since it was last read and is not
//! in the inbox is fetched into it, and handled like anything that came by itself.
//!
//! Three steps, each on disk before the next. The log is read back, newest first, to where it was
//! read before. What the inbox lacks is noted in it, with how far the log was read: from here on
//! nothing of it can be forgotten. Then each is fetched, the oldest first. One that cannot be had is
//! asked for again later and holds up no other; in the end it is left to a person, who may have
//! GitHub deliver it again, and to the comparison with what is there ([`super::reconcile`]).
//!
//! On a fresh store the log begins with what is not in it yet. What people said before that was said
//! to somebody else: a command from yesterday is not carried out because the database is new.
//!
//! What decides is whether we have a delivery, not whether GitHub says that it was taken: what came
//! after the backup that was restored was taken once, and is fetched again all the same.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;
use landfall_github::webhook::Event;
use landfall_github::{Attempt, Failure, GithubError};
use landfall_store::{
    ClaimedJob, DeliveryId, LogRead, LoggedDelivery, MissedDelivery, NewDelivery, Retry,
};

use super::Ended;
use crate::house::{House, wait};

/// How much of what was read is read again: deliveries that GitHub holds back come late into the log.
const OVERLAP: Duration = Duration::from_mins(10);
/// More pages than this are not read back: a hundred thousand attempts.
const MOST_PAGES: usize = 1_000;
/// How many missed deliveries are looked at together, and how many of them are fetched at once.
const BATCH: u32 = 64;
const AT_ONCE: usize = 4;
/// How often fetching one is tried.
const ATTEMPTS: u32 = 8;

/// Reads the log, and fetches what is missed.
///
/// # Errors
/// The log cannot be read, or the store not be written to. What was noted is fetched the next time.
pub async fn sweep(house: &House, job: &ClaimedJob) -> anyhow::Result<Ended> {
    let found = match house.store.log_read().await? {
        None => Some((Vec::new(), begin(house).await?)),
        Some(before) => read_back(house, before).await?,
    };
    if let Some((found, read)) = found {
        let new = house.store.note_missed(&job.fence, &found, read).await?;
        if new > 0 {
            tracing::info!(deliveries = new, "deliveries were missed and are fetched now");
        }
    }
    fetch_all(house).await
}

/// Where the log begins for us: after what stands in it now.
async fn begin(house: &House) -> anyhow::Result<LogRead> {
    let newest = house.github.newest_delivery().await?;
    let to = newest.as_ref().map_or(Timestamp::UNIX_EPOCH, |newest| newest.delivered_at);
    Ok(LogRead { after: newest.map_or(0, |newest| newest.id), to })
}

/// What stands in the log since it was read, oldest first and each delivery once, and how far it is
/// read with that; none when nothing does.
async fn read_back(
    house: &House,
    before: LogRead,
) -> anyhow::Result<Option<(Vec<LoggedDelivery>, LogRead)>> {
    let back_to = before.to.saturating_sub(OVERLAP)?;
    let is_read = |attempt: &Attempt| attempt.id <= before.after || attempt.delivered_at < back_to;
    let mut page = house.github.deliveries(None).await?;
    let Some(newest) = page.attempts.first() else { return Ok(None) };
    let read = LogRead { to: newest.delivered_at.max(before.to), ..before };
    let (mut known, mut found) = (HashSet::new(), Vec::new());
    for _ in 0..MOST_PAGES {
        let reached = page.attempts.iter().any(is_read);
        for attempt in page.attempts {
            let matters = Event::matters(&attempt.event, attempt.action.as_deref());
            // The newest attempt comes first.
            if matters && !is_read(&attempt) && known.insert(attempt.delivery) {
                found.push(logged(attempt));
            }
        }
        let Some(older) = page.older.filter(|_| !reached) else {
            found.reverse();
            return Ok((!found.is_empty() || read != before).then_some((found, read)));
        };
        page = house.github.deliveries(Some(&older)).await?;
    }
    anyhow::bail!("the delivery log has no end within {MOST_PAGES} pages")
}

fn logged(attempt: Attempt) -> LoggedDelivery {
    LoggedDelivery {
        id: DeliveryId(attempt.delivery),
        attempt: attempt.id,
        redelivery: attempt.redelivery,
        event: attempt.event,
        action: attempt.action,
        installation: attempt.installation,
        repository: attempt.repository,
    }
}

/// Fetches until nothing is left that may be fetched now.
async fn fetch_all(house: &House) -> anyhow::Result<Ended> {
    loop {
        let missed = house.store.missed_deliveries(BATCH).await?;
        let Some(first) = missed.first() else { return Ok(Ended::Done) };
        let now = house.store.now().await?;
        if first.ready_at > now {
            let wait = Duration::try_from(first.ready_at.duration_since(now))?;
            return Ok(Ended::Later(wait, "missed deliveries could not be fetched".to_owned()));
        }
        let ready = missed.partition_point(|missed| missed.ready_at <= now);
        for some in missed[..ready].chunks(AT_ONCE) {
            try_join_all(some.iter().map(|missed| fetch(house, missed))).await?;
        }
    }
}

/// Fetches one into the inbox, or notes that it could not be.
async fn fetch(house: &House, missed: &MissedDelivery) -> anyhow::Result<()> {
    let logged = &missed.logged;
    let body = match house.github.payload(logged.attempt).await {
        Ok(body) => body,
        Err(error) if is_about_all(&error) => return Err(error.into()),
        Err(error) => return put_off(house, missed, &error).await,
    };
    let event = Event::parse(&logged.event, &body).ok();
    let delivery = NewDelivery {
        id: logged.id,
        event: logged.event.clone(),
        action: logged.action.clone(),
        installation: event.as_ref().and_then(Event::installation).or(logged.installation),
        repository: event
            .as_ref()
            .and_then(Event::repository)
            .map(|it| it.id)
            .or(logged.repository),
        body,
        received_at: house.store.now().await?,
    };
    let inserted = house.store.insert_delivery(&delivery).await?;
    tracing::info!(delivery = %delivery.id, event = %delivery.event, outcome = ?inserted, "a missed delivery was fetched");
    Ok(())
}

/// Whether the next one would fare no better: GitHub asks for silence, or refuses the App.
fn is_about_all(error: &GithubError) -> bool {
    matches!(error.failure, Failure::Limited { .. } | Failure::Denied { .. })
}

async fn put_off(
    house: &House,
    missed: &MissedDelivery,
    error: &GithubError,
) -> anyhow::Result<()> {
    let (logged, attempt) = (&missed.logged, missed.failures + 1);
    let retry = if attempt < ATTEMPTS {
        let now = house.store.now().await?;
        Retry::At(now.saturating_add(wait(&house.timing.retry, attempt))?)
    } else {
        tracing::error!(
            delivery = %logged.id, event = %logged.event, error = %error,
            "a missed delivery cannot be fetched; it can be redelivered on the App's page at GitHub"
        );
        Retry::Never
    };
    Ok(house.store.fail_delivery(logged.id, &error.to_string(), retry).await?)
}
