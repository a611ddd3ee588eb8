//! The outbox: one item at a time for each installation.

use super::Round;
use crate::house::House;
use crate::publish;

pub(super) async fn round(house: &House) -> anyhow::Result<Round> {
    let claimed = house.store.claim_item(house.timing.item_lease).await?;
    let Some(item) = claimed else { return Ok(Round::Idle) };
    publish::publish(house, &item).await?;
    Ok(Round::Worked)
}
