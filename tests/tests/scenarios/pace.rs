//! How fast GitHub is told things.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use landfall::house::Timing;
use landfall_sim::exchange::Wire;
use landfall_store::{Addressee, Pace};
use landfall_tests::world::{Setting, World, world_with};

const DAY: Duration = Duration::from_hours(24);

/// How far the story's clock is ahead, in hours.
static AHEAD: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(AHEAD.load(Ordering::SeqCst))
}

/// Four a day: one at once, the others eight hours apart.
fn slow() -> Setting {
    let setting = Setting::default();
    let pace = vec![Pace::at_most(4, DAY)];
    Setting { timing: Timing { pace, ..setting.timing }, clock, ..setting }
}

#[tokio::test]
async fn where_there_is_room_for_one_thing_the_comment_goes_first_and_the_rest_follows_in_time() {
    world_with(slow(), async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        waits_for_its_pace(w).await;
        assert_eq!(created(w), ["comments"]);
        while !w.server.store().backlog().await.unwrap().is_empty() {
            AHEAD.fetch_add(8, Ordering::SeqCst);
            waits_for_its_pace(w).await;
        }
        assert_eq!(created(w), ["comments", "check-runs"]);
        w.read_everything().await;
    })
    .await;
}

/// Lets happen what can, until the rest has hours to wait or there is none.
async fn waits_for_its_pace(w: &mut World) {
    let hooks = w.github.hooks().clone();
    loop {
        hooks.deliver_all().await;
        let store = w.server.store();
        let (backlog, now) = (store.backlog().await.unwrap(), store.now().await.unwrap());
        let next = store.next_item_at(Addressee::GitHub).await.unwrap();
        let soon = now + SignedDuration::from_hours(1);
        if backlog.deliveries == 0 && backlog.jobs == 0 && next.is_none_or(|next| next > soon) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// What was created at GitHub, by the last segment of its path.
fn created(w: &World) -> Vec<String> {
    let all = w.exchanges().all().into_iter();
    all.filter(|exchange| {
        exchange.wire == Wire::GitHub
            && exchange.method != "GET"
            && exchange.path.starts_with("/repos/")
    })
    .map(|exchange| exchange.path.rsplit('/').next().unwrap_or_default().to_owned())
    .collect()
}
