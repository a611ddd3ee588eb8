//! The server ends in the middle of a step: before the provider is asked, after it did what it was asked
//! for, after that was written; or in the middle of a command (`words`). Whoever goes on does the rest, and
//! nothing twice.
//!
//! Where it ends is chosen for the whole process, so these stories are told one after the other, in a
//! process of their own. What an ended process leaves behind beside that (leases, half-written rows) is
//! the business of the chaos test.

#[path = "failpoints/words.rs"]
mod words;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fail::FailScenario;
use insta::assert_snapshot;
use landfall_sim::github::{Edit, remove};
use landfall_sim::unifi::RecordValue;
use landfall_tests::world::{Setting, World, world_with};

/// `services/app.yaml`: a step of each kind at each provider.
const APP: &str = r#"unifi_dns:
  "app${suffix}.internal.lan": { a: 192.168.1.70 }
  "api${suffix}.internal.lan": { a: [192.168.1.71, 192.168.1.72] }
cloudflare_tunnel:
  tunnel: "apps${suffix}"
  routes:
    "app${suffix}.example.com": "http://app${suffix}.internal.lan:80"
cloudflare_dns:
  "mail${suffix}.example.com": { txt: "v=spf1 -all" }
"#;

/// `services/app.yaml` with other values.
const OTHER: &str = r#"unifi_dns:
  "app${suffix}.internal.lan": { a: 192.168.1.80 }
  "api${suffix}.internal.lan": { a: [192.168.1.72, 192.168.1.73] }
cloudflare_tunnel:
  tunnel: "apps${suffix}"
  routes:
    "app${suffix}.example.com": "http://app${suffix}.internal.lan:81"
cloudflare_dns:
  "mail${suffix}.example.com": { txt: "v=spf1 mx -all" }
"#;

/// Between intent, call and result, and behind it, with how often the work is cut off there so that it is
/// once for each step. One that was not sent is begun again, and then let through.
const POINTS: [(&str, &str); 3] = [
    ("step::intended", "1*return->1*off->1*return->1*off->1*return->1*off->1*return->off"),
    ("step::answered", "4*return->off"),
    ("step::written", "4*return->off"),
];

/// What is merged, one after the other: everything is created, changed, given to another service, deleted.
fn merges() -> [(&'static str, Vec<Edit>); 4] {
    [
        ("create", vec![("services/app.yaml", APP).into()]),
        ("change", vec![("services/app.yaml", OTHER).into()]),
        ("rename", vec![remove("services/app.yaml"), ("services/web.yaml", OTHER).into()]),
        ("delete", vec![remove("services/web.yaml")]),
    ]
}

/// A world whose requests have had their time soon: whoever resumes waits for that.
fn setting() -> Setting {
    let mut setting = Setting::default();
    setting.config = setting
        .config
        .replace("branches: [main]\n", "branches: [main]\n    guardrails: { max_deletes: 100% }\n");
    setting.timing.request = Duration::from_millis(200);
    setting.timing.target_lease = Duration::from_millis(700);
    setting
}

/// Merges everything, and has the process end at `point` in each merge.
async fn story(w: &mut World, point: Option<(&str, &str)>) {
    w.bootstrap().await;
    for (name, edits) in merges() {
        w.pull(name, edits).await;
        w.settle().await;
        if let Some((point, cuts)) = point {
            fail::cfg(point, cuts).expect("an action");
        }
        w.merge().await;
        let outcome = w.outcome().await;
        assert!(outcome.starts_with("✅ Applied to production"), "{name}, {point:?}: {outcome}");
        w.read_everything().await;
    }
    assert!(w.unifi.record("app.internal.lan", "A").is_empty());
    assert!(w.unifi.record("api.internal.lan", "A").is_empty());
    assert!(w.cloudflare.zone("example.com").named("app.example.com").is_empty());
    assert!(w.cloudflare.zone("example.com").named("mail.example.com").is_empty());
}

/// How many requests the providers were sent to change something, in a story.
async fn writes(point: Option<(&'static str, &'static str)>) -> usize {
    let scenario = FailScenario::setup();
    let mut writes = 0;
    world_with(setting(), async |w| {
        story(w, point).await;
        writes = w.writes();
    })
    .await;
    scenario.teardown();
    writes
}

#[tokio::test]
async fn wherever_the_process_ends_nothing_is_done_twice_and_nothing_is_left_out() {
    let undisturbed = writes(None).await;
    for point in POINTS.into_iter().chain([("step::settled", "1*return->off")]) {
        assert_eq!(writes(Some(point)).await, undisturbed, "cut off at {point:?}");
    }
}

#[tokio::test]
async fn a_step_that_was_cut_off_and_then_undone_by_somebody_else_waits_for_a_person() {
    let scenario = FailScenario::setup();
    let mut setting = setting();
    setting.timing.target_lease = Duration::from_secs(2);
    world_with(setting, async |w| {
        w.bootstrap().await;
        let moved = "unifi_dns:\n  \"nas${suffix}.internal.lan\": { a: 192.168.1.9 }\n";
        w.pull("nas", [("services/nas.yaml", moved)]).await;
        w.plan_comment().await;
        let (site, once) = (w.unifi.default_site(), AtomicBool::new(true));
        let undone = move || {
            if once.swap(false, Ordering::Relaxed) {
                let theirs = RecordValue::A([192, 168, 1, 66].into());
                site.edit("nas.internal.lan", |record| record.value = theirs.clone());
                panic!("the process ends here");
            }
        };
        fail::cfg_callback("step::answered", undone).expect("a point");
        w.merge().await;
        assert!(w.given_up().await.is_empty());
        assert_snapshot!(w.run_comment().await, @r"
        ### ⚠️ production needs a look: what became of a step is not known

        `commit-4` on `main`, plan `6e76b3af`: 1 to update

        > units with unresolved steps were left out

        **Left out:**

        - `production/nas/unifi_dns`: what became of a step of an earlier run is not known: found something else at A nas.internal.lan

        ---
        **Next:**

        - `/apply production` looks again, and goes on where that settles it
        - `/cancel production` drops this run: what is not known stays as it is, so look yourself first
        ");
        assert_snapshot!(w.run_check("production").await, @"failure: production needs a look: what became of a step is not known");
        assert_snapshot!(w.outcome().await, @"⚠️ production needs a look: what became of a step is not known (`commit-4`)");

        // Looking alone settles nothing.
        w.comment("/apply");
        assert_snapshot!(w.run_comment().await, @r"
        ### ⚠️ production needs a look: what became of a step is not known

        `commit-4` on `main`

        > units with unresolved steps were left out

        **Left out:**

        - `production/nas/unifi_dns`: what became of a step of an earlier run is not known: found something else at A nas.internal.lan

        ---
        **Next:**

        - `/apply production` looks again, and goes on where that settles it
        - `/cancel production` drops this run: what is not known stays as it is, so look yourself first
        ");
        w.comment("/cancel");
        assert_snapshot!(w.run_comment().await, @"
        ### ⏹️ The run on production was cancelled

        `commit-4` on `main`, plan `e3b0c442`

        > cancelled by alice; what became of A nas.internal.lan is not known, and stays as it is
        ");
        assert_snapshot!(w.run_check("production").await, @"cancelled: The run on production was cancelled");
        w.comment("/apply");
        assert_snapshot!(w.run_comment().await, @r"
        ### ⏸️ production waits: what would happen is not what was reviewed

        `commit-4` on `main`, plan `385c71e5`: 1 to update

        **Was reviewed:**

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.9
        ```

        **Would happen now:**

        ```diff
        @@ nas/unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.66
        +     values: 192.168.1.9
        ```

        ---
        **Next:**

        - `/apply production 385c71e5` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        w.read_everything().await;
    })
    .await;
    scenario.teardown();
}

#[tokio::test]
async fn a_step_that_takes_the_process_with_it_each_time_is_given_up_and_not_tried_for_ever() {
    let scenario = FailScenario::setup();
    world_with(setting(), async |w| {
        w.bootstrap().await;
        let moved = "unifi_dns:\n  \"nas${suffix}.internal.lan\": { a: 192.168.1.9 }\n";
        w.pull("nas", [("services/nas.yaml", moved)]).await;
        w.plan_comment().await;
        fail::cfg_callback("step::intended", || panic!("the process ends here")).expect("a point");
        w.merge().await;
        assert_eq!(w.given_up().await.len(), 1);
        assert_snapshot!(w.run_check("production").await, @"failure: Not all of it could be applied to production: 0 of 12 steps done");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);

        fail::remove("step::intended");
        w.comment("/apply");
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;
    })
    .await;
    scenario.teardown();
}
