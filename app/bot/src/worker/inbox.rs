//! The inbox: deliveries, in the order in which they came, to what follows from them.

use std::time::Duration;

use landfall_github::webhook::Event;
use landfall_store::{Delivery, Retry};

use super::Round;
use crate::flow::handle;
use crate::house::House;

/// How many deliveries are claimed at once.
const BATCH: u32 = 32;
/// How long a claim holds. Handling asks nobody, so this is long.
const LEASE: Duration = Duration::from_secs(30);
/// How often a delivery is tried before it is left for GitHub to deliver again.
const ATTEMPTS: u32 = 5;

pub(super) async fn round(house: &House) -> anyhow::Result<Round> {
    let deliveries = house.store.claim_deliveries(BATCH, LEASE).await?;
    if deliveries.is_empty() {
        return Ok(Round::Idle);
    }
    for delivery in deliveries {
        handle_one(house, &delivery).await?;
    }
    Ok(Round::Worked)
}

async fn handle_one(house: &House, delivery: &Delivery) -> anyhow::Result<()> {
    let new = &delivery.delivery;
    let event = match Event::parse(&new.event, &new.body) {
        Ok(event) => event,
        Err(error) => {
            // The same bytes will not read better the next time.
            tracing::warn!(delivery = %new.id, event = %new.event, error = %error, "a payload that cannot be read");
            house.store.fail_delivery(new.id, &error.to_string(), Retry::Never).await?;
            return Ok(());
        }
    };
    let finished = async {
        let consequences = handle::consequences(house, &event).await?;
        house.store.finish_delivery(new.id, &consequences).await?;
        anyhow::Ok(())
    };
    if let Err(error) = finished.await {
        tracing::error!(delivery = %new.id, event = %new.event, error = format!("{error:#}"), "a delivery was not handled");
        let now = house.store.now().await?;
        let retry = match delivery.attempt < ATTEMPTS {
            true => Retry::At(
                now.saturating_add(jiff::SignedDuration::from_secs(1 << delivery.attempt))?,
            ),
            false => Retry::Never,
        };
        house.store.fail_delivery(new.id, &error.to_string(), retry).await?;
    }
    Ok(())
}
