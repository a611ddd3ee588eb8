//! Pull requests in SQLite.

use async_trait::async_trait;
use landfall_core::name::{BranchName, CommitSha, PullNumber, RepositoryId};
use landfall_core::plan::Digest;
use sqlx::sqlite::SqliteConnection;

use super::Sqlite;
use super::columns::json_words;
use crate::rows;
use crate::{Asked, Fence, PlanMade, Pull, PullState, Pulls, Result};

pub(super) async fn upsert(conn: &mut SqliteConnection, pull: &Pull) -> Result<()> {
    let (state, merged) = match &pull.state {
        PullState::Open => ("open", None),
        PullState::Closed => ("closed", None),
        PullState::Merged { at, commit, by } => ("merged", Some((at, commit, by))),
    };
    sqlx::query(
        "insert into pull (repository, number, head, head_repository, base, author, state,
             merged_at, merge_commit, merged_by, updated_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (repository, number) do update set
             head = excluded.head, head_repository = excluded.head_repository, base = excluded.base,
             author = excluded.author, state = excluded.state, merged_at = excluded.merged_at,
             merge_commit = excluded.merge_commit, merged_by = excluded.merged_by, updated_at = excluded.updated_at
         where excluded.updated_at >= pull.updated_at",
    )
    .bind(pull.repository.0.cast_signed())
    .bind(pull.number.0.cast_signed())
    .bind(pull.head.as_str())
    .bind(pull.head_repository.map(|id| id.0.cast_signed()))
    .bind(pull.base.as_str())
    .bind(pull.author.0.cast_signed())
    .bind(state)
    .bind(merged.map(|(at, ..)| at.as_millisecond()))
    .bind(merged.map(|(_, commit, _)| commit.as_str()))
    .bind(merged.and_then(|(.., by)| by.map(|id| id.0.cast_signed())))
    .bind(pull.updated_at.as_millisecond())
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn ask(
    conn: &mut SqliteConnection,
    repository: RepositoryId,
    number: PullNumber,
) -> Result<()> {
    sqlx::query("update pull set asked = asked + 1 where repository = ? and number = ?")
        .bind(repository.0.cast_signed())
        .bind(number.0.cast_signed())
        .execute(conn)
        .await?;
    Ok(())
}

#[async_trait]
impl Pulls for Sqlite {
    async fn upsert_pull(&self, pull: &Pull) -> Result<()> {
        let mut write = self.write().await?;
        upsert(write.conn(), pull).await?;
        write.commit().await
    }

    async fn pull(&self, repository: RepositoryId, number: PullNumber) -> Result<Option<Pull>> {
        let query = sqlx::query("select * from pull where repository = ? and number = ?");
        let query = query.bind(repository.0.cast_signed()).bind(number.0.cast_signed());
        query.fetch_optional(&self.readers).await?.as_ref().map(rows::pull).transpose()
    }

    async fn ask_for_plans(&self, repository: RepositoryId, pulls: &[PullNumber]) -> Result<()> {
        let mut write = self.write().await?;
        for number in pulls {
            ask(write.conn(), repository, *number).await?;
        }
        write.commit().await
    }

    async fn plan_due(
        &self,
        repository: RepositoryId,
        number: PullNumber,
    ) -> Result<Option<Asked>> {
        let query = sqlx::query_scalar::<_, i64>(
            "select asked from pull where repository = ? and number = ? and asked > planned",
        );
        let query = query.bind(repository.0.cast_signed()).bind(number.0.cast_signed());
        let asked = query.fetch_optional(&self.readers).await?;
        Ok(asked.map(|asked| Asked(asked.cast_unsigned())))
    }

    async fn plan_made(
        &self,
        fence: &Fence,
        repository: RepositoryId,
        number: PullNumber,
        made: &PlanMade,
    ) -> Result<()> {
        let mut write = self.write_as(fence).await?;
        sqlx::query(
            "update pull set planned = ?1, rules = ?2, stuck = ?3
             where repository = ?4 and number = ?5 and planned <= ?1",
        )
        .bind(made.asked.0.cast_signed())
        .bind(made.rules.map(|rules| rules.to_string()))
        .bind(made.stuck)
        .bind(repository.0.cast_signed())
        .bind(number.0.cast_signed())
        .execute(write.conn())
        .await?;
        write.commit().await
    }

    async fn outdated_pulls(
        &self,
        repository: RepositoryId,
        branch: &BranchName,
        rules: Option<&Digest>,
    ) -> Result<Vec<PullNumber>> {
        let numbers = sqlx::query_scalar::<_, i64>(
            "select number from pull
             where repository = ?1 and state = 'open'
                 and (stuck and base = ?2 or ?3 is not null and rules is not ?3)
             order by number",
        )
        .bind(repository.0.cast_signed())
        .bind(branch.as_str())
        .bind(rules.map(ToString::to_string))
        .fetch_all(&self.readers)
        .await?;
        Ok(numbers.into_iter().map(|number| PullNumber(number.cast_unsigned())).collect())
    }

    async fn open_pulls(&self, repository: RepositoryId) -> Result<Vec<Pull>> {
        let query = sqlx::query(
            "select * from pull where repository = ? and state = 'open' order by number",
        );
        let rows = query.bind(repository.0.cast_signed()).fetch_all(&self.readers).await?;
        rows.iter().map(rows::pull).collect()
    }

    async fn merged_pulls(
        &self,
        repository: RepositoryId,
        commits: &[CommitSha],
    ) -> Result<Vec<Pull>> {
        let rows = sqlx::query(
            "select * from pull where repository = ? and state = 'merged'
                 and merge_commit in (select value from json_each(?))
             order by merged_at, number",
        )
        .bind(repository.0.cast_signed())
        .bind(json_words(commits))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(rows::pull).collect()
    }
}
