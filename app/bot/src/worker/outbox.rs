//! The outbox: for each addressee one item at a time for each installation.

use landfall_os::clock::Moment;
use landfall_store::Addressee;
use tokio_util::sync::CancellationToken;

use super::{Round, is_stale};
use crate::house::House;
use crate::publish;

pub(super) async fn round(
    house: &House,
    addressee: Addressee,
    over: &CancellationToken,
) -> anyhow::Result<Round> {
    // Before it is claimed, so that the claim lasts longer. The clock counts the time asleep.
    let until = Moment::now() + house.timing.publication_deadline;
    let Some(item) = house.store.claim_item(addressee, house.timing.item_lease).await? else {
        return idle(house, addressee).await;
    };
    let published = publish::publish(house, &item, until, over).await;
    match published {
        Err(error) if is_stale(&error) => {
            tracing::warn!(item = %item.item.key, "item is somebody else's now");
        }
        other => other?,
    }
    Ok(Round::Worked)
}

/// What waits for its pace or for a retry is announced by nobody when its time has come.
async fn idle(house: &House, addressee: Addressee) -> anyhow::Result<Round> {
    let Some(at) = house.store.next_item_at(addressee).await? else { return Ok(Round::Idle) };
    let wait = at.duration_since(house.store.now().await?);
    Ok(Round::IdleFor(wait.try_into().unwrap_or_default()))
}
