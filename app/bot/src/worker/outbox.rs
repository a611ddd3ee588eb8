//! The outbox: one item at a time for each installation.

use tokio_util::sync::CancellationToken;

use super::Round;
use crate::house::House;
use crate::publish;

pub(super) async fn round(house: &House, over: &CancellationToken) -> anyhow::Result<Round> {
    let claimed = house.store.claim_item(house.timing.item_lease).await?;
    let Some(item) = claimed else { return Ok(Round::Idle) };
    publish::publish(house, &item, over).await?;
    Ok(Round::Worked)
}
