//! State in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use landfall_core::name::{EnvironmentName, RepositoryId, UnitName};
use landfall_core::plan::{Owned, ResourceKey, UnitHash};
use sqlx::postgres::PgRow;

use super::{Postgres, Write, ownership};
use crate::columns::{Columns, words};
use crate::rows;
use crate::{Fence, OwnedResource, Resources, Result};

fn by_key(rows: &[PgRow]) -> Result<BTreeMap<ResourceKey, Owned>> {
    rows.iter().map(|row| rows::resource(row).map(|found| (found.key, found.owned))).collect()
}

async fn set_hash(
    write: &mut Write,
    repository: RepositoryId,
    unit: &UnitName,
    hash: &UnitHash,
) -> Result<()> {
    sqlx::query(
        "insert into unit (repository, environment, unit, hash) values ($1, $2, $3, $4)
         on conflict (repository, environment, unit) do update set hash = excluded.hash",
    )
    .bind(repository.0.cast_signed())
    .bind(unit.environment.as_str())
    .bind(unit.to_string())
    .bind(hash.as_str())
    .execute(write.conn())
    .await?;
    Ok(())
}

/// A step for the unit begins: what it will be as, nobody knows yet.
pub(super) async fn unsettle(
    write: &mut Write,
    repository: RepositoryId,
    unit: &UnitName,
) -> Result<()> {
    sqlx::query(
        "insert into unit (repository, environment, unit, hash) values ($1, $2, $3, null)
         on conflict (repository, environment, unit) do update set hash = null",
    )
    .bind(repository.0.cast_signed())
    .bind(unit.environment.as_str())
    .bind(unit.to_string())
    .execute(write.conn())
    .await?;
    Ok(())
}

async fn remove_hash(write: &mut Write, repository: RepositoryId, unit: &UnitName) -> Result<()> {
    sqlx::query("delete from unit where repository = $1 and environment = $2 and unit = $3")
        .bind(repository.0.cast_signed())
        .bind(unit.environment.as_str())
        .bind(unit.to_string())
        .execute(write.conn())
        .await?;
    Ok(())
}

#[async_trait]
impl Resources for Postgres {
    async fn owned(&self, keys: &BTreeSet<ResourceKey>) -> Result<BTreeMap<ResourceKey, Owned>> {
        let names =
            |name: fn(&ResourceKey) -> &str| -> Vec<&str> { keys.iter().map(name).collect() };
        let rows = sqlx::query(
            "select resource.* from unnest($1::text[], $2::text[], $3::text[]) as wanted (target, type, name)
             join resource using (target, type, name)",
        )
        .bind(words(keys.iter().map(|key| &key.target)))
        .bind(names(|key| &key.rtype))
        .bind(names(|key| &key.name))
        .fetch_all(&self.pool)
        .await?;
        by_key(&rows)
    }

    async fn owned_in(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<BTreeMap<ResourceKey, Owned>> {
        let query =
            sqlx::query("select * from resource where repository = $1 and environment = $2");
        let query = query.bind(repository.0.cast_signed()).bind(environment.as_str());
        by_key(&query.fetch_all(&self.pool).await?)
    }

    async fn owned_by(
        &self,
        repository: RepositoryId,
        units: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<ResourceKey, Owned>> {
        let environments: BTreeSet<_> = units.iter().map(|unit| &unit.environment).collect();
        let rows = sqlx::query(
            "select * from resource where repository = $1
                 and environment = any($2) and unit = any($3)",
        )
        .bind(repository.0.cast_signed())
        .bind(words(environments))
        .bind(words(units))
        .fetch_all(&self.pool)
        .await?;
        by_key(&rows)
    }

    async fn owned_resource(&self, key: &ResourceKey) -> Result<Option<OwnedResource>> {
        ownership::find(&mut *self.pool.acquire().await?, key).await
    }

    async fn unit_hashes(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
    ) -> Result<BTreeMap<UnitName, Option<UnitHash>>> {
        let query =
            sqlx::query("select unit, hash from unit where repository = $1 and environment = $2");
        let query = query.bind(repository.0.cast_signed()).bind(environment.as_str());
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.text("unit")?, row.maybe_text("hash")?))).collect()
    }

    async fn record_units(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        units: &BTreeMap<UnitName, Option<UnitHash>>,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        for (unit, hash) in units {
            match hash {
                Some(hash) => set_hash(&mut write, repository, unit, hash).await?,
                None => remove_hash(&mut write, repository, unit).await?,
            }
        }
        write.commit().await
    }
}
