//! The inbox: deliveries, in the order in which they came, to what follows from them.

use landfall_github::webhook::Event;
use landfall_store::{Consequences, Delivery, NewDelivery, Retry};

use super::Round;
use crate::flow::handle;
use crate::house::{House, wait};

/// How many deliveries are claimed at once.
const BATCH: u32 = 32;
/// How often a delivery is tried before it is left for GitHub to deliver again.
const ATTEMPTS: u32 = 5;

pub(super) async fn round(house: &House) -> anyhow::Result<Round> {
    let deliveries = house.store.claim_deliveries(BATCH, house.timing.inbox_lease).await?;
    if deliveries.is_empty() {
        return Ok(Round::Idle);
    }
    let mut handled = Vec::with_capacity(deliveries.len());
    for delivery in &deliveries {
        if let Some(consequences) = handle_one(house, delivery).await? {
            handled.push((delivery, consequences));
        }
    }
    finish(house, handled).await?;
    Ok(Round::Worked)
}

/// What follows from a delivery; none if nothing will, or if it was given back.
async fn handle_one(house: &House, delivery: &Delivery) -> anyhow::Result<Option<Consequences>> {
    if delivery.attempt > ATTEMPTS {
        // Every attempt ended with the process, so this one would too.
        let error = anyhow::anyhow!("it was begun {ATTEMPTS} times and never came to an end");
        return give_back(house, delivery, &error).await.map(|()| None);
    }
    let read = house.panics.caught(read(house, &delivery.delivery)).await;
    match read.map_err(Into::into).flatten() {
        Ok(consequences) => Ok(consequences),
        Err(error) => give_back(house, delivery, &error).await.map(|()| None),
    }
}

async fn read(house: &House, new: &NewDelivery) -> anyhow::Result<Option<Consequences>> {
    let event = match Event::parse(&new.event, &new.body) {
        Ok(event) => event,
        Err(error) => {
            // The same bytes will not read better the next time.
            tracing::warn!(delivery = %new.id, event = %new.event, error = %error, "a payload that cannot be read");
            house.store.fail_delivery(new.id, &error.to_string(), Retry::Never).await?;
            return Ok(None);
        }
    };
    handle::consequences(house, new.id, &event).await.map(Some)
}

/// Writes what follows from all of them at once, which is one wait for the disk; when that fails,
/// from each by itself, so that none stays behind by the fault of another.
async fn finish(house: &House, handled: Vec<(&Delivery, Consequences)>) -> anyhow::Result<()> {
    let (deliveries, all): (Vec<&Delivery>, Vec<_>) = handled
        .into_iter()
        .map(|(delivery, consequences)| (delivery, (delivery.delivery.id, consequences)))
        .unzip();
    if all.is_empty() || house.store.finish_deliveries(&all).await.is_ok() {
        return Ok(());
    }
    for (delivery, one) in deliveries.into_iter().zip(all) {
        if let Err(error) = house.store.finish_deliveries(&[one]).await {
            give_back(house, delivery, &error.into()).await?;
        }
    }
    Ok(())
}

async fn give_back(
    house: &House,
    delivery: &Delivery,
    error: &anyhow::Error,
) -> anyhow::Result<()> {
    let new = &delivery.delivery;
    tracing::error!(delivery = %new.id, event = %new.event, error = format!("{error:#}"), "a delivery was not handled");
    let now = house.store.now().await?;
    let retry = match delivery.attempt < ATTEMPTS {
        true => Retry::At(now.saturating_add(wait(&house.timing.retry, delivery.attempt))?),
        false => Retry::Never,
    };
    Ok(house.store.fail_delivery(new.id, &error.to_string(), retry).await?)
}
