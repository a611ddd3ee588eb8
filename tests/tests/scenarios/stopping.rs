//! A server that stops ends what it has begun, or puts it back; the next one goes on with it.

use std::time::Duration;

use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_tests::world::{Setting, world_with};

use crate::nas::planned;

/// A server that waits for nothing once it is to stop, and leases that have run out soon after.
pub(crate) fn hasty() -> Setting {
    let mut setting = Setting::default();
    setting.timing.shutdown = Duration::ZERO;
    setting.timing.target_lease = Duration::from_millis(400);
    setting.timing.request = Duration::from_millis(100);
    setting.timing.late = Duration::from_millis(500);
    setting
}

#[tokio::test]
async fn a_run_that_is_put_back_in_the_middle_of_a_step_goes_on_and_does_nothing_twice() {
    for fault in [Fault::Hold, Fault::HoldAfterCommit] {
        world_with(hasty(), async |w| {
            planned(w, "192.168.1.9").await;
            let before = w.writes();
            let gate = Gate::closed();
            w.unifi.faults().inject(On::write("/**"), fault(gate.clone()));
            w.merge().await;
            gate.arrival().await;
            w.restart().await;
            gate.open();
            assert!(w.outcome().await.starts_with("✅ Applied to production"));
            assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.9"]);
            assert_eq!(w.writes(), before + 1, "{:#?}", w.unifi.mutations());
        })
        .await;
    }
}

#[tokio::test]
async fn a_console_that_cannot_be_asked_what_became_of_a_step_is_asked_again() {
    world_with(hasty(), async |w| {
        planned(w, "192.168.1.9").await;
        let before = w.writes();
        let gate = Gate::closed();
        w.unifi.faults().inject(On::write("/**"), Fault::HoldAfterCommit(gate.clone()));
        w.merge().await;
        gate.arrival().await;
        w.server.stop().await;
        gate.open();
        w.unifi.faults().inject(On::get("/**"), Fault::Instead(Answer::bad_gateway()));
        w.restart().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert!(w.unifi.faults().is_used_up());
        assert_eq!(w.writes(), before + 1, "{:#?}", w.unifi.mutations());
    })
    .await;
}

#[tokio::test]
async fn a_comment_that_may_have_been_published_when_the_server_stopped_is_looked_for() {
    for fault in [Fault::Hold, Fault::HoldAfterCommit] {
        world_with(hasty(), async |w| {
            w.bootstrap().await;
            let gate = Gate::closed();
            let comment = On::post("/repos/*/*/issues/*/comments");
            w.github.faults().inject(comment, fault(gate.clone()));
            w.pull("readme", [("README.md", "# Homelab\n"), ("services/nas.yaml", "{}\n")]).await;
            gate.arrival().await;
            w.restart().await;
            gate.open();
            w.plan_comment().await;
            assert_eq!(w.repo.comments(w.number()).len(), 1);
        })
        .await;
    }
}
