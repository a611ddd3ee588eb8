//! When things happen: late, early, at the same time, in the wrong order, or never.

use insta::assert_snapshot;
use landfall_sim::fault::{Fault, Gate, On};
use landfall_sim::github::{Fate, OnDelivery};
use landfall_tests::world::{World, world};

use crate::nas::{nas_at, planned};

#[tokio::test]
async fn a_plan_that_github_took_only_after_the_merge_was_not_reviewed() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let gate = Gate::closed();
        let comments = "/repos/*/*/issues/*/comments";
        w.github.faults().inject(On::post(comments), Fault::Hold(gate.clone()));
        w.pull("move", nas_at("192.168.1.51")).await;
        gate.arrival().await;
        w.merge().await;
        gate.open();
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: no plan was published before this was merged

        `commit-4` on `main`, plan `2f488bee`: 1 to update

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        ---
        **Next:**

        - `/apply production 2f488bee` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_eq!(w.writes(), before);

        w.comment("/apply");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

/// It would say that merging applies what is applied already.
#[tokio::test]
async fn a_plan_that_comes_after_the_run_takes_nothing_back_of_what_was_told() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        let gate = Gate::closed();
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        w.comment("/plan fresh");
        gate.arrival().await;
        w.merge().await;
        until_told(w, "✅ Applied to production").await;
        gate.open();
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        assert_snapshot!(w.answer().await, @"`alice`: `/plan fresh` was not carried out. This pull request is closed, so there is nothing to plan.");
    })
    .await;
}

#[tokio::test]
async fn a_first_plan_that_comes_after_the_run_is_not_published() {
    world(async |w| {
        w.bootstrap().await;
        let gate = Gate::closed();
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        w.pull("move", nas_at("192.168.1.51")).await;
        gate.arrival().await;
        w.merge().await;
        until_told(w, "no plan was published before this was merged").await;
        gate.open();
        w.run_comment().await;
        w.assert_silence().await;
    })
    .await;
}

/// Waits while something else is under way.
async fn until_told(w: &World, words: &str) {
    while !w.repo.comments(w.number()).iter().any(|comment| comment.body.contains(words)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_push_while_a_plan_is_being_made_wins_and_there_is_one_comment() {
    world(async |w| {
        w.bootstrap().await;
        let gate = Gate::closed();
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        w.pull("move", nas_at("192.168.1.51")).await;
        gate.arrival().await;
        w.push("move", nas_at("192.168.1.52")).await;
        w.github.hooks().deliver_all().await;
        gate.open();

        let plan = w.plan_comment().await;
        assert!(plan.contains("192.168.1.52") && !plan.contains("192.168.1.51"), "{plan}");
        assert_eq!(w.repo.comments(w.number()).len(), 1);
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.52"]);
    })
    .await;
}

#[tokio::test]
async fn that_a_pull_request_was_closed_may_be_heard_long_after_the_push() {
    world(async |w| {
        planned(w, "192.168.1.52").await;
        w.github.hooks().fate(OnDelivery::event("pull_request").action("closed"), Fate::Held);
        w.merge().await;
        is_applied(w).await;
        w.github.hooks().release();
        w.assert_silence().await;
    })
    .await;
}

#[tokio::test]
async fn that_a_pull_request_was_closed_may_never_be_heard() {
    world(async |w| {
        planned(w, "192.168.1.52").await;
        w.github.hooks().fate(OnDelivery::event("pull_request").action("closed"), Fate::NeverSent);
        w.merge().await;
        is_applied(w).await;
    })
    .await;
}

#[tokio::test]
async fn a_push_may_be_heard_after_what_it_led_to() {
    world(async |w| {
        planned(w, "192.168.1.52").await;
        w.github.hooks().fate(OnDelivery::event("push"), Fate::Held);
        w.merge().await;
        w.assert_silence().await;
        w.github.hooks().release();
        is_applied(w).await;
    })
    .await;
}

#[tokio::test]
async fn deliveries_may_come_in_any_order() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(OnDelivery::any().times(6), Fate::Held);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.push("move", nas_at("192.168.1.52")).await;
        w.github.hooks().release_reversed();
        assert!(w.plan_comment().await.contains("192.168.1.52"));
        w.github.hooks().fate(OnDelivery::any().times(4), Fate::Held);
        w.merge().await;
        w.github.hooks().release_reversed();
        w.settle().await;
        is_applied(w).await;
    })
    .await;
}

#[tokio::test]
async fn githubs_index_may_lag_behind_a_merge() {
    world(async |w| {
        planned(w, "192.168.1.52").await;
        w.github.lag_index(2);
        w.github.hooks().fate(OnDelivery::event("pull_request").action("closed"), Fate::NeverSent);
        w.merge().await;
        is_applied(w).await;
    })
    .await;
}

#[tokio::test]
async fn the_head_of_a_pull_request_may_lag_behind_its_event() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.github.lag_pull_refs(1);
        w.push("move", nas_at("192.168.1.52")).await;
        assert!(w.plan_comment().await.contains("192.168.1.52"));
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_was_lost_is_made_good_by_the_next() {
    world(async |w| {
        planned(w, "192.168.1.52").await;
        w.github.hooks().fate(OnDelivery::event("push"), Fate::Unreachable);
        w.merge().await;
        w.assert_silence().await;
        w.push("main", [("README.md", "# Next\n")]).await;
        is_applied(w).await;
    })
    .await;
}

/// The reviewed move was made, without a second look: the end of a story fails if there was one.
async fn is_applied(w: &mut World) {
    let outcome = w.outcome().await;
    assert!(outcome.starts_with("✅ Applied to production"), "{outcome}");
    assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.52"]);
}

/// Both environments write to the one console; only production's run is at Cloudflare, where it takes long.
#[tokio::test]
async fn an_effect_that_takes_long_at_one_target_keeps_nobody_from_another() {
    world(async |w| {
        w.bootstrap().await;
        w.bootstrap_branch("develop").await;
        let app = "unifi_dns:\n  app.internal.lan: { a: 192.168.1.70 }\n\
                   cloudflare_dns:\n  app.example.com: { a: 192.0.2.7 }\nonly: [production]\n";
        let production = w.pull("app", [("services/app.yaml", app)]).await;
        let staging = w.pull_into("develop", "move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let gate = Gate::closed();
        w.cloudflare.faults().inject(On::write("/**"), Fault::Hold(gate.clone()));
        w.on(production).merge().await;
        gate.arrival().await;
        w.on(staging).merge().await;
        while w.unifi.record("nas-staging.internal.lan", "A") != ["192.168.1.51"] {
            tokio::task::yield_now().await;
        }
        gate.open();
        assert!(w.on(staging).outcome().await.starts_with("✅ Applied to staging"));
        assert!(w.on(production).outcome().await.starts_with("✅ Applied to production"));
    })
    .await;
}
