//! Plans in PostgreSQL.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use landfall_core::command::DigestPrefix;
use landfall_core::name::{CommitSha, EnvironmentName, PullNumber, RepositoryId};
use landfall_core::plan::{Change, Digest};

use super::{Postgres, Write};
use crate::columns::{json, timestamp, unreadable};
use crate::rows;
use crate::{Fence, NewPlan, PlanId, PlanScope, Plans, Published, Result, StoredPlan};

async fn insert(write: &mut Write, stored: &StoredPlan) -> Result<()> {
    let new = &stored.plan;
    sqlx::query(
        "insert into plan (id, repository, pull, environment, head, base, tree, config_digest, provisional,
             digest, changes, plan, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(new.id.to_string())
    .bind(new.repository.0.cast_signed())
    .bind(new.pull.map(|number| number.0.cast_signed()))
    .bind(new.plan.environment.as_str())
    .bind(new.head.as_str())
    .bind(new.base.as_str())
    .bind(new.tree.as_str())
    .bind(new.config_digest.to_string())
    .bind(new.provisional)
    .bind(stored.digest.to_string())
    .bind(json(&stored.changes))
    .bind(json(&new.plan))
    .bind(stored.created_at.as_millisecond())
    .execute(write.conn())
    .await?;
    Ok(())
}

#[async_trait]
impl Plans for Postgres {
    async fn insert_plan(&self, fence: &Fence, new: &NewPlan) -> Result<StoredPlan> {
        let mut write = self.write_as(fence).await?;
        let stored = StoredPlan {
            plan: new.clone(),
            digest: new.plan.digest(),
            changes: new.plan.changes().map(Change::digest).collect(),
            created_at: timestamp("created_at", write.now)?,
            published: None,
        };
        insert(&mut write, &stored).await?;
        write.commit().await?;
        Ok(stored)
    }

    async fn plan(&self, id: PlanId) -> Result<Option<StoredPlan>> {
        let query =
            sqlx::query("select * from plan where id = $1 and not discarded").bind(id.to_string());
        query.fetch_optional(&self.pool).await?.as_ref().map(rows::plan).transpose()
    }

    async fn latest_plan(&self, scope: &PlanScope) -> Result<Option<StoredPlan>> {
        let row = sqlx::query(
            "select * from plan where repository = $1 and pull = $2 and environment = $3 and not discarded
             order by seq desc limit 1",
        )
        .bind(scope.repository.0.cast_signed())
        .bind(scope.pull.0.cast_signed())
        .bind(scope.environment.as_str())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(rows::plan).transpose()
    }

    async fn plans_for_head(
        &self,
        repository: RepositoryId,
        pull: PullNumber,
        head: &CommitSha,
    ) -> Result<Vec<StoredPlan>> {
        let rows = sqlx::query(
            "select * from plan where repository = $1 and pull = $2 and head = $3 and not discarded order by seq",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .bind(head.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(rows::plan).collect()
    }

    async fn plans_by_digest(
        &self,
        repository: RepositoryId,
        environment: &EnvironmentName,
        prefix: &DigestPrefix,
    ) -> Result<Vec<StoredPlan>> {
        let rows = sqlx::query(
            "select * from plan where repository = $1 and environment = $2
                 and starts_with(digest, $3) and not discarded
             order by seq",
        )
        .bind(repository.0.cast_signed())
        .bind(environment.as_str())
        .bind(prefix.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(rows::plan).collect()
    }

    async fn mark_published(&self, id: PlanId, published: Published) -> Result<()> {
        let mut write = self.write().await?;
        sqlx::query(
            "update plan set published_at = $1, published_subject = $2 where id = $3 and published_at is null",
        )
        .bind(published.at.as_millisecond())
        .bind(published.subject.cast_signed())
        .bind(id.to_string())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn published_digests(
        &self,
        scope: &PlanScope,
        before: Timestamp,
    ) -> Result<BTreeSet<Digest>> {
        let digests: Vec<String> = sqlx::query_scalar(
            "select digest from plan where repository = $1 and pull = $2 and environment = $3 and not discarded
                 and published_at < $4",
        )
        .bind(scope.repository.0.cast_signed())
        .bind(scope.pull.0.cast_signed())
        .bind(scope.environment.as_str())
        .bind(before.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        let parse = |digest: &String| digest.parse().map_err(|error| unreadable("digest", error));
        digests.iter().map(parse).collect()
    }

    async fn discard_plans(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        pull: PullNumber,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "update plan set discarded = true where repository = $1 and pull = $2 and not discarded",
        )
        .bind(repository.0.cast_signed())
        .bind(pull.0.cast_signed())
        .execute(write.conn())
        .await?;
        write.commit().await
    }
}
