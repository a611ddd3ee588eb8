//! What a change means for ownership: called by steps, in the transaction of their result.

use std::collections::BTreeMap;

use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_core::plan::{Action, Change, ResourceKey};
use sqlx::postgres::PgConnection;

use super::Write;
use crate::columns::{json, words};
use crate::rows::{self, Extent};
use crate::{OwnedResource, Result, RunId};

/// Whose step it is.
pub(super) struct Actor<'a> {
    pub(super) repository: RepositoryId,
    pub(super) environment: &'a EnvironmentName,
    pub(super) run: RunId,
}

/// Who owns it now.
pub(super) async fn find(
    conn: &mut PgConnection,
    key: &ResourceKey,
) -> Result<Option<OwnedResource>> {
    let row = sqlx::query("select * from resource where target = $1 and type = $2 and name = $3")
        .bind(key.target.to_string())
        .bind(&key.rtype)
        .bind(&key.name)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(rows::resource).transpose()
}

/// A change is in place: whoever's it was, it is now as the change says.
pub(super) async fn record(
    write: &mut Write,
    actor: &Actor<'_>,
    change: &Change,
    ids: &BTreeMap<ResourceKey, Vec<String>>,
) -> Result<()> {
    lock(write, &change.key).await?;
    check_owner(write, actor.repository, change).await?;
    match change.action {
        Action::Create | Action::Update | Action::Replace | Action::Adopt | Action::Transfer => {
            let ids = ids.get(&change.key).unwrap_or(&change.ids);
            own(write, actor, change, ids).await
        }
        Action::Delete | Action::Release | Action::Forget => disown(write, &change.key).await,
        Action::Run => Ok(()),
    }
}

/// If somebody owns it, they do to the end of the transaction.
async fn lock(write: &mut Write, key: &ResourceKey) -> Result<()> {
    sqlx::query(
        "select run from resource where target = $1 and type = $2 and name = $3 for update",
    )
    .bind(key.target.to_string())
    .bind(&key.rtype)
    .bind(&key.name)
    .execute(write.conn())
    .await?;
    Ok(())
}

/// An error if somebody else owns what a change of `repository` is about.
pub(super) async fn check_owner(
    write: &mut Write,
    repository: RepositoryId,
    change: &Change,
) -> Result<()> {
    match find(write.conn(), &change.key).await? {
        Some(found) => rows::check_owner(repository, change, found.owned.owner),
        None => Ok(()),
    }
}

async fn own(write: &mut Write, actor: &Actor<'_>, change: &Change, ids: &[String]) -> Result<()> {
    let owners = words([Some(&change.unit), change.from.as_ref()].into_iter().flatten());
    let owned = sqlx::query(
        "insert into resource (target, type, name, repository, environment, unit, value, ids, run)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (target, type, name) do update set
             environment = excluded.environment, unit = excluded.unit,
             value = excluded.value, ids = excluded.ids, run = excluded.run
         where resource.repository = excluded.repository and resource.unit = any($10)",
    )
    .bind(change.key.target.to_string())
    .bind(&change.key.rtype)
    .bind(&change.key.name)
    .bind(actor.repository.0.cast_signed())
    .bind(change.unit.environment.as_str())
    .bind(change.unit.to_string())
    .bind(json(&change.after))
    .bind(json(ids))
    .bind(actor.run.to_string())
    .bind(owners)
    .execute(write.conn())
    .await?;
    match owned.rows_affected() {
        1 => Ok(()),
        // Nobody owned it when it was looked for, and somebody does now.
        _ => check_owner(write, actor.repository, change).await,
    }
}

async fn disown(write: &mut Write, key: &ResourceKey) -> Result<()> {
    sqlx::query("delete from resource where target = $1 and type = $2 and name = $3")
        .bind(key.target.to_string())
        .bind(&key.rtype)
        .bind(&key.name)
        .execute(write.conn())
        .await?;
    Ok(())
}

/// Keeps that a step of ours did this change, how much of it, and the last time it did.
pub(super) async fn prove(
    write: &mut Write,
    actor: &Actor<'_>,
    change: &Change,
    extent: Extent,
) -> Result<()> {
    let now = write.now;
    sqlx::query(
        "insert into proven_change (repository, environment, digest, whole, at) values ($1, $2, $3, $4, $5)
         on conflict (repository, environment, digest) do update set whole = excluded.whole, at = excluded.at",
    )
    .bind(actor.repository.0.cast_signed())
    .bind(actor.environment.as_str())
    .bind(change.digest().to_string())
    .bind(extent == Extent::Whole)
    .bind(now)
    .execute(write.conn())
    .await?;
    Ok(())
}
