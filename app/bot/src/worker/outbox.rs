//! The outbox: for each addressee one item at a time for each installation.

use landfall_store::Addressee;
use tokio_util::sync::CancellationToken;

use super::Round;
use crate::house::House;
use crate::publish;

pub(super) async fn round(
    house: &House,
    addressee: Addressee,
    over: &CancellationToken,
) -> anyhow::Result<Round> {
    let Some(item) = house.store.claim_item(addressee, house.timing.item_lease).await? else {
        return idle(house, addressee).await;
    };
    publish::publish(house, &item, over).await?;
    Ok(Round::Worked)
}

/// What waits for its pace or for a retry is announced by nobody when its time has come.
async fn idle(house: &House, addressee: Addressee) -> anyhow::Result<Round> {
    let Some(at) = house.store.next_item_at(addressee).await? else { return Ok(Round::Idle) };
    let wait = at.duration_since(house.store.now().await?);
    Ok(Round::IdleFor(wait.try_into().unwrap_or_default()))
}
