//! Restoring: the rows of a backup into an empty store, and what is not believed of them any more.
//!
//! A backup is older than the world. Since it was taken, pull requests were opened, planned and
//! merged, runs have made and deleted resources, people have said `/apply`, and of all that the
//! restored store knows nothing. So in the transaction that puts the rows back, [`REVISION`] takes
//! from them whatever would be acted upon without looking at the world first. What follows from it,
//! case by case:
//!
//! - **A proof that was given out** (a job's fence, a lease, a claim of an item) never becomes good.
//!   Claims and leases are void, and all epochs and the numbers of new jobs and items go on from the
//!   milliseconds since 1970 of the restore, which no count can have reached before. So it is even
//!   when one backup is restored twice.
//! - **A plan that was reviewed, merged and applied since.** The commit is at the branch's tip, and the
//!   store knows no run for it. No plan from before the restore is found by any question, so what
//!   the run would do is not covered and waits. What was applied is seen as it lives: of a resource
//!   that was changed, nothing is left to do.
//! - **A run that was held, and its `/apply` came since.** It is queued again without its plan and
//!   without words for it: it plans anew and waits with what is left. The same `/apply`, delivered
//!   once more, was said before the restore, and counts for nothing ([`crate::Restored::at`]).
//! - **A run that was under way** is queued likewise. Its steps keep their intents, and are read back
//!   before anything else, as those of a run that was cut off.
//! - **A run that has ended**, of a commit to which the environment comes again, is begun anew, however
//!   it ended ([`crate::Runs::insert_or_get_run`]): nobody knows what was done since.
//! - **Resources that were made since** live and are nobody's. They are never made again: what lives is
//!   a conflict, or is taken over by somebody's word when it is as it should be.
//! - **Resources that were deleted since** are owned and do not live: one that nobody wants is released,
//!   one that the tip wants again is planned as a creation, which waits.
//! - **Unit hashes** say what was applied at the time of the backup. None is kept, so every unit is
//!   looked at; the first run of each environment compares all of it with the world.
//! - **An environment** remembers that it was restored until a run has succeeded
//!   ([`crate::Environment::restored`]): until then whatever a run would do waits for a word, also
//!   where the rules say `plan_changed: apply`.
//! - **What waited to be published** is old, and what GitHub shows may be newer: it is dropped. Whatever
//!   is so now is put again, and every item is looked for before it is made.
//! - **Work that comes again and again** is due at once: GitHub's log is read from where the backup had
//!   read it, and what is there is compared with what was known.
//!
//! What stays as it was: who owns what, the steps, what was proven (it counts only for plans that
//! were made before it, and of these none counts), deliveries, commands, the heads of forks that were
//! allowed (each is one commit for ever), the audit log.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::io::AsyncRead;

use crate::archive::read::{Piece, Reader};
use crate::archive::{Header, Refill, TABLES, Table};
use crate::{ArchiveError, Clock, Contents, Result, StoreError, postgres, sqlite};

/// What happens to a store that has something in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupied {
    /// Nothing: the restore is refused.
    Refuse,
    /// The backup takes its place.
    Replace,
}

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refilled {
    /// What was restored.
    pub contents: Contents,
    /// Where the file that was there before is now; none if there was none, or no file.
    pub aside: Option<PathBuf>,
}

/// Restores `archive` into the store behind `url`, all of it or nothing. No server may be at work
/// on it; one that is connected is noticed.
///
/// # Errors
/// The archive is no whole backup that this version can read, the store is in use or has something
/// in it, or it cannot be written.
pub async fn restore(
    url: &str,
    clock: Arc<dyn Clock>,
    occupied: Occupied,
    archive: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Refilled> {
    match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::restore(url, clock, occupied, archive).await,
        Some(("postgres" | "postgresql", _)) => {
            let contents = postgres::restore(url, clock, occupied, archive).await?;
            Ok(Refilled { contents, aside: None })
        }
        _ => Err(StoreError::Address),
    }
}

/// What is not believed any more, in statements that both engines understand. `$1` is the time of
/// the restore in milliseconds, and with it the least of all epochs to come.
const REVISION: [&str; 14] = [
    "delete from job where state = 'running' and exists (
         select 1 from job as later
         where later.state = 'waiting' and later.kind = job.kind and later.key = job.key)",
    "update job set state = 'waiting', attempt = 0, run_at = $1, worker = null, lease_until = null
     where state = 'running'",
    "update job set epoch = case when epoch < $1 then $1 else epoch + 1 end",
    "update target_lease set holder = null, epoch = case when epoch < $1 then $1 else epoch + 1 end",
    "update outbox set settled = version, attempt = 0, uncertain = true, claimed_until = null,
         error = null, parked = false, epoch = case when epoch < $1 then $1 else epoch + 1 end",
    "update plan set discarded = true",
    "delete from approval where run in (
         select id from run where state not in ('succeeded', 'superseded'))",
    "update run set state = 'queued', reason = '', waiting = null, plan = null, started_at = null
     where state in ('queued', 'held', 'running', 'verifying')",
    "update unit set hash = null",
    "delete from recurring",
    "update chore set due = $1",
    "update environment set restored_at = $1",
    "update delivery set ready_at = $1 where state = 'pending'",
    "update restore set followed_up = true",
];

/// Puts the rows of an archive into empty tables, and takes from them what is not believed any more.
/// Nothing of it may be kept unless this returns without an error.
pub(crate) async fn refill(
    tables: &mut impl Refill,
    archive: &mut (dyn AsyncRead + Send + Unpin),
    now: Timestamp,
) -> Result<Contents> {
    let mut reader = Reader::begin(archive).await?;
    let rows = match pour(tables, &mut reader).await {
        Ok(rows) => rows,
        Err(error @ StoreError::Archive(_)) => return Err(error),
        Err(error) => {
            // A damaged archive may fail the database first. That it is damaged is the better reason.
            while !matches!(reader.next().await?, Piece::End(_)) {}
            return Err(error);
        }
    };
    revise(tables, &reader.header, now).await?;
    Ok(Contents { header: reader.header, rows })
}

/// Adds all rows of the archive to the tables.
async fn pour(tables: &mut impl Refill, reader: &mut Reader<'_>) -> Result<u64> {
    let mut left = TABLES.iter();
    let mut table: Option<Table> = None;
    let rows = loop {
        match reader.next().await? {
            Piece::Table(next) => {
                check(tables, &next, left.next()).await?;
                table = Some(next);
            }
            Piece::Rows(rows) => match &table {
                Some(table) if !rows.is_empty() => tables.insert(table, rows).await?,
                Some(_) | None => {}
            },
            Piece::End(rows) => break rows,
        }
    };
    match left.next() {
        Some(missing) => Err(ArchiveError::Damaged(format!("it has no table `{missing}`")).into()),
        None => Ok(rows),
    }
}

/// An error unless the archive has the tables that there are, with their columns, in order.
async fn check(tables: &mut impl Refill, found: &Table, expected: Option<&&str>) -> Result<()> {
    let sorted = |table: Vec<_>| -> Vec<_> {
        let mut columns = table;
        columns.sort();
        columns
    };
    let fits = expected.is_some_and(|name| **name == found.name)
        && sorted(tables.columns(&found.name).await?) == sorted(found.columns.clone());
    let other = || ArchiveError::Damaged(format!("its table `{}` is another", found.name));
    if fits { Ok(()) } else { Err(other().into()) }
}

async fn revise(tables: &mut impl Refill, header: &Header, now: Timestamp) -> Result<()> {
    let at = now.as_millisecond();
    for statement in REVISION {
        tables.revise(statement, &[at]).await?;
    }
    let note = "insert into restore (at, taken_at) values ($1, $2)";
    tables.revise(note, &[at, header.taken_at.as_millisecond()]).await
}
