//! Housekeeping: what nobody needs any more goes, so that the database does not grow for ever.

use std::time::Duration;

use landfall_store::Purge;
use tokio_util::sync::CancellationToken;

use super::rest;
use crate::house::House;

/// Bodies are kept for as long as GitHub can be asked to deliver again, for looking into what came.
/// Ids are kept for longer: a delivery that was forgotten would count as new.
const PURGE: Purge =
    Purge { bodies_after: Duration::from_hours(3 * 24), ids_after: Duration::from_hours(30 * 24) };

/// Tidies up at once, and then again and again until stopped.
pub(super) async fn rounds(house: &House, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match house.store.purge_deliveries(PURGE).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "old deliveries are gone"),
            Err(error) => tracing::warn!(error = %error, "old deliveries could not be removed"),
        }
        rest(stop, house.timing.housekeeping).await;
    }
}
