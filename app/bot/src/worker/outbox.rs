//! The outbox: one item at a time for each installation.

use std::time::Duration;

use super::Round;
use crate::house::House;
use crate::publish;

/// How long an item is claimed: longer than [`publish::DEADLINE`].
const LEASE: Duration = Duration::from_secs(120);

pub(super) async fn round(house: &House) -> anyhow::Result<Round> {
    let Some(item) = house.store.claim_item(LEASE).await? else { return Ok(Round::Idle) };
    publish::publish(house, &item).await?;
    Ok(Round::Worked)
}
