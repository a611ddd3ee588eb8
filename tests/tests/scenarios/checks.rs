//! Checks: what a branch's rules may require, what a reviewer can decide on, and the buttons on them.

use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_sim::github::{CheckRun, Fate, NewPull, OnDelivery};
use landfall_tests::world::{ALICE, BOB, EVE, Setting, World, world, world_with};
use secrecy::SecretString;

use crate::nas::{nas_at, planned};

const CHECK: &str = "landfall / production (main)";
const RUN: &str = "landfall / production";

#[tokio::test]
async fn two_pull_requests_with_one_head_have_a_check_each() {
    world(async |w| {
        w.bootstrap_branch("develop").await;
        w.bootstrap_branch("main").await;
        let live = w.pull("move", nas_at("192.168.1.51")).await;
        let lab = w.open(NewPull::from("move").into("develop")).await;
        w.read_everything().await;
        let staging = "landfall / staging (develop)";
        for number in [live, lab] {
            w.on(number);
            assert_eq!(w.check(CHECK).await, "success: 1 to update");
            assert_eq!(w.check(staging).await, "success: 1 to update");
        }
        // One of them goes where the other one went.
        w.on(lab).repo.close(lab, ALICE).unwrap();
        w.read_everything().await;
        w.on(live).repo.retarget(live, "develop", ALICE).await.unwrap();
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"neutral: Not planned: this goes into develop now");
        assert_snapshot!(w.check(staging).await, @"success: 1 to update");
    })
    .await;
}

/// Which of them was planned last makes no difference, and a click plans them all.
#[tokio::test]
async fn a_check_of_two_pull_requests_says_the_worse_until_that_one_is_gone() {
    world(async |w| {
        w.bootstrap().await;
        let head = {
            w.pull("move", nas_at("192.168.1.51")).await;
            w.repo.head("move").await.unwrap().unwrap()
        };
        let skipped = w.number();
        w.repo.label(skipped, "landfall:skip", ALICE).unwrap();
        w.read_everything().await;
        w.unifi.faults().inject(On::get("/**").always(), Fault::Instead(Answer::new(401, "")));
        w.repo.point_branch("again", &head, BOB).await.unwrap();
        let dead = w.open(NewPull::from("again").by(BOB)).await;
        w.read_everything().await;
        let failure = w.check(CHECK).await;
        assert!(failure.starts_with("failure: "), "{failure}");
        w.on(skipped).comment("/plan");
        w.read_everything().await;
        assert_eq!(w.check(CHECK).await, failure);

        w.unifi.faults().clear();
        w.click(CHECK, "Plan again").await;
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"success: Not planned: it has the label landfall:skip");

        w.unifi.faults().inject(On::get("/**").always(), Fault::Instead(Answer::new(401, "")));
        w.on(dead).comment("/plan fresh");
        w.read_everything().await;
        assert_eq!(w.check(CHECK).await, failure);
        w.repo.close(dead, BOB).unwrap();
        w.read_everything().await;
        assert_snapshot!(w.check(CHECK).await, @"success: Not planned: it has the label landfall:skip");
    })
    .await;
}

#[tokio::test]
async fn more_findings_than_github_takes_at_once_are_all_at_their_lines() {
    world(async |w| {
        w.bootstrap().await;
        let wrong: String = (0..120).map(|n| format!("  w{n}.lan: {{ wrong: 1 }}\n")).collect();
        w.pull("wrong", [("services/wrong.yaml", format!("unifi_dns:\n{wrong}"))]).await;
        w.plan_comment().await;
        let check = w.check(CHECK).await;
        assert_eq!(check.matches(" failure unknown-key: ").count(), 120, "{check}");
        assert!(check.starts_with("failure: 120 errors in the configuration"), "{check}");
        let run = w.repo.all_check_runs().into_iter().rfind(|run| run.name == CHECK).unwrap();
        let sent = w.exchanges().count(|exchange| {
            exchange.wire == Wire::GitHub && exchange.path.ends_with(&format!("/{}", run.id))
        });
        assert_eq!(sent, 2, "fifty with the check, fifty and twenty after it");
    })
    .await;
}

#[tokio::test]
async fn what_changes_no_service_passes_at_once_and_says_why() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        assert_snapshot!(w.check(CHECK).await, @"success: No service changes");
        assert_snapshot!(w.check_summary(CHECK).await, @"Nothing that is looked after there changes, so merging applies nothing.");
    })
    .await;
}

#[tokio::test]
async fn a_reviewer_can_decide_on_what_a_check_says() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        assert_snapshot!(w.check_summary(CHECK).await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `2f488bee` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        `jellyfin.example.com` → `tunnel media` → `nas.internal.lan` *changed* → `192.168.1.51` *changed*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        assert_eq!(w.buttons(CHECK).await, ["Plan again"]);
    })
    .await;
}

#[tokio::test]
async fn a_click_plans_again_and_so_does_a_re_run() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = landfall_sim::unifi::RecordValue::A("192.168.1.99".parse().unwrap());
        });
        w.click(CHECK, "Plan again").await;
        assert!(w.plan_comment().await.contains("-     values: 192.168.1.99"));

        w.push("move", nas_at("192.168.1.98")).await;
        w.read_everything().await;
        let check = w.newest_check(CHECK).await;
        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = landfall_sim::unifi::RecordValue::A("192.168.1.97".parse().unwrap());
        });
        w.repo.rerequest(check.id, BOB).unwrap();
        assert!(w.plan_comment().await.contains("-     values: 192.168.1.97"));

        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = landfall_sim::unifi::RecordValue::A("192.168.1.96".parse().unwrap());
        });
        w.repo.rerequest_all(&check.head_sha, ALICE).unwrap();
        assert!(w.plan_comment().await.contains("-     values: 192.168.1.96"));
    })
    .await;
}

/// Production waits for a word, and nothing was read of it.
async fn held(w: &mut World) {
    planned(w, "192.168.1.51").await;
    w.repo.label(w.number(), "landfall:hold", ALICE).unwrap();
    w.read_everything().await;
    w.merge().await;
    w.read_everything().await;
}

#[tokio::test]
async fn a_click_applies_exactly_what_stands_beside_the_button() {
    world(async |w| {
        held(w).await;
        assert_eq!(w.buttons(RUN).await, ["Apply", "Cancel"]);
        w.click(RUN, "Apply").await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        assert_snapshot!(w.run_check("production").await, @"success: Applied to production");
        assert!(w.buttons(RUN).await.is_empty(), "there is nothing left to say");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_click_on_what_is_shown_no_more_is_refused() {
    world(async |w| {
        held(w).await;
        w.github.hooks().fate(OnDelivery::event("check_run"), Fate::Held);
        w.click(RUN, "Apply").await;
        // While the click is on its way, the run looks again and finds something else.
        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = landfall_sim::unifi::RecordValue::A("192.168.1.99".parse().unwrap());
        });
        let check = w.newest_check(RUN).await;
        w.repo.rerequest(check.id, ALICE).unwrap();
        w.read_everything().await;
        w.github.hooks().release();
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production 2f488bee` was not carried out. `2f488bee` is not what production would do now.

        Look at the plan of the run that waits; its digest begins with `258ddfef`.
        ");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.99"]);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_write_is_refused_a_click() {
    world(async |w| {
        held(w).await;
        w.click_as(EVE, RUN, "Apply").await;
        assert_snapshot!(w.answer().await, @"`eve`: `/apply production 2f488bee` was not carried out. You need write permission here.");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

/// Nobody opened a pull request for it, so its check says where the word for it can be given, and by whom
/// is asked there.
#[tokio::test]
async fn a_run_of_a_direct_push_says_where_it_can_be_let_go() {
    world(async |w| {
        w.bootstrap().await;
        let merged = w.number();
        w.push("main", nas_at("192.168.1.51")).await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: this was pushed without a pull request");
        assert_snapshot!(w.check_summary(RUN).await, @"
        ### ⏸️ production waits: this was pushed without a pull request

        `commit-3` on `main`, plan `2f488bee`: 1 to update

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

        No pull request brings this, so say it on any that was merged into `main` before.
        ");
        assert!(w.buttons(RUN).await.is_empty());
        w.on(merged).comment_as(EVE, "/apply production 2f488bee");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        w.comment("/apply production 2f488bee");
        w.read_everything().await;
        assert_snapshot!(w.run_check("production").await, @"success: Applied to production");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn a_click_gives_a_run_up() {
    world(async |w| {
        held(w).await;
        w.click_as(BOB, RUN, "Cancel").await;
        assert_snapshot!(w.run_check("production").await, @"cancelled: The run on production was cancelled");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

/// Nobody had to be told of it in a comment of its own, so only its check knows on which pull request.
#[tokio::test]
async fn a_click_stops_a_run_that_is_under_way() {
    world(async |w| {
        w.bootstrap().await;
        let plex = "unifi_dns:\n  plex.internal.lan: { a: 192.168.1.60 }\nonly: [production]\n";
        let moved = [("services/plex.yaml", plex.to_owned()), nas_at("192.168.1.51")[0].clone()];
        w.pull("both", moved).await;
        w.read_everything().await;
        let step = Gate::closed();
        w.unifi.faults().inject(On::write("/**"), Fault::Hold(step.clone()));
        w.merge().await;
        step.arrival().await;
        let under_way = |run: &CheckRun| run.name == RUN && run.status == "in_progress";
        let check = loop {
            match w.repo.all_check_runs().into_iter().rfind(under_way) {
                Some(run) => break run,
                None => tokio::task::yield_now().await,
            }
        };
        w.repo.press(check.id, "cancel", BOB).expect("there is such a button");
        let production: EnvironmentName = "production".parse().unwrap();
        w.github.hooks().deliver_all().await;
        let repository = RepositoryId(w.repo.id());
        loop {
            let runs = w.server.store().recent_runs(repository, &production, 1).await.unwrap();
            if runs[0].stop.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        step.open();
        assert_snapshot!(w.run_check("production").await, @"cancelled: The run on production was cancelled: 1 of 2 steps done");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_click_that_comes_twice_or_was_missed_counts_once() {
    world(async |w| {
        held(w).await;
        w.github.hooks().fate(OnDelivery::event("check_run"), Fate::Unreachable);
        w.click(RUN, "Apply").await;
        w.assert_silence().await;
        w.sweep().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;
    })
    .await;
}

/// The secrets are there, until somebody breaks the secret store.
fn breaks(name: &str) -> Option<SecretString> {
    match BROKEN_STORE.load(Ordering::Relaxed) {
        true => panic!("the token is hunter2"),
        false => (Setting::default().secret)(name),
    }
}

static BROKEN_STORE: AtomicBool = AtomicBool::new(false);

#[tokio::test]
async fn a_plan_that_is_given_up_fails_its_checks_with_the_reason() {
    world_with(Setting { secret: breaks, ..Setting::default() }, async |w| {
        w.bootstrap().await;
        BROKEN_STORE.store(true, Ordering::Relaxed);
        w.pull("move", nas_at("192.168.1.51")).await;
        assert_eq!(w.given_up().await.len(), 1);
        w.answer().await;
        assert_snapshot!(w.check(CHECK).await, @"failure: No plan could be made");
        assert_snapshot!(w.check_summary(CHECK).await, @"
        ⚠️ Landfall could not do its work on this pull request, and has stopped trying after 12 attempts:

        > a fault in Landfall itself: the log says where

        Push a commit or comment `/plan` to try again.
        ");
        BROKEN_STORE.store(false, Ordering::Relaxed);
        w.click(CHECK, "Plan again").await;
        w.plan_comment().await;
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");
    })
    .await;
}

#[tokio::test]
async fn a_check_that_nobody_asked_for_in_time_is_made_by_the_comparison() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(OnDelivery::event("pull_request"), Fate::NeverSent);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.assert_silence().await;
        w.compare().await;
        w.plan_comment().await;
        assert_snapshot!(w.check(CHECK).await, @"success: 1 to update");
    })
    .await;
}
