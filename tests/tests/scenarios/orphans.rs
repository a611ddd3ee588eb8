//! Runs whose environment or branch is gone: they end, and nobody waits for them any more.

use insta::assert_snapshot;
use landfall_sim::fault::{Fault, Gate, On};
use landfall_sim::github::{Fate, OnDelivery, remove};
use landfall_tests::world::{ALICE, CONFIG, NAS, Setting, World, world, world_with};

use crate::nas::{nas_at, planned};
use crate::stopping::hasty;

/// `services/wiki.yaml`
const WIKI: &str = "unifi_dns:\n  \"wiki${suffix}.internal.lan\": { a: 192.168.1.53 }\n";

/// `landfall.yaml` with one of its two environments.
fn only(environment: &str) -> [(&'static str, String); 1] {
    let (head, environments) = CONFIG.split_once("  staging:").unwrap();
    let (staging, production) = environments.split_once("  production:").unwrap();
    let kept = if environment == "staging" { staging } else { production };
    [("landfall.yaml", format!("{head}  {environment}:{kept}"))]
}

#[tokio::test]
async fn a_run_that_waits_ends_with_its_environment() {
    world(async |w| waits_and_ends(w, Fate::Twice).await).await;
}

#[tokio::test]
async fn a_run_that_waits_ends_with_its_environment_though_nobody_hears_of_it() {
    world(async |w| waits_and_ends(w, Fate::NeverSent).await).await;
}

/// `fate` is that of the push that takes the environment away.
async fn waits_and_ends(w: &mut World, fate: Fate) {
    w.bootstrap().await;
    w.push("develop", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
    let waits = "action_required: staging waits: this is its first run";
    assert_eq!(w.run_check("staging").await, waits);
    w.github.hooks().fate(OnDelivery::event("push"), fate);
    w.push("main", only("production")).await;
    if fate == Fate::NeverSent {
        w.compare().await;
    }
    assert_eq!(w.run_check("staging").await, "cancelled: The run on staging was cancelled");
    w.read_everything().await;
}

#[tokio::test]
async fn a_run_that_was_cut_off_ends_with_its_environment() {
    world_with(hasty(), async |w| {
        planned(w, "192.168.1.9").await;
        cut_off(w).await;
        w.push("main", only("staging")).await;
        w.restart().await;
        assert_snapshot!(w.run_check("production").await, @"failure: Not all of it could be applied to production: 0 of 1 step done");
        assert_snapshot!(w.run_comment().await, @"
        ### ❌ Not all of it could be applied to production: 0 of 1 step done

        `commit-4` on `main`, plan `6e76b3af`: 1 to update

        > the rules do not name this environment any more

        | Step | Result | Change |
        |---|---|---|
        | 1 | unknown | `update A nas.internal.lan 192.168.1.50 → 192.168.1.9` |
        ");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_cut_off_ends_with_the_rules_and_all_its_pull_requests_hear_of_it() {
    world_with(hasty(), async |w| {
        w.bootstrap().await;
        let gone = w.repo.file("main", "landfall.yaml").await.unwrap().unwrap();
        let first = w.pull("move", nas_at("192.168.1.9")).await;
        w.plan_comment().await;
        let about = [("services/wiki.yaml", WIKI)];
        let second = w.pull("wiki", about).await;
        w.plan_comment().await;
        // One run brings both.
        w.github.hooks().fate(OnDelivery::event("push"), Fate::NeverSent);
        w.on(first).merge().await;
        cut_off(w.on(second)).await;
        w.push("main", [remove("landfall.yaml")]).await;
        w.restart().await;
        let over = "failure: Not all of it could be applied to production: 0 of 1 step done";
        assert_eq!(w.run_check("production").await, over);
        for pull in [first, second] {
            let told = w.on(pull).outcome().await;
            assert!(told.starts_with("❌ Not all of it could be applied to production"), "{told}");
        }
        w.push("main", [("landfall.yaml", gone)]).await;
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_cut_off_ends_with_its_branch() {
    let config = CONFIG.replace("branches: [main]", "branches: [live]");
    world_with(Setting { config, ..hasty() }, async |w| {
        let main = w.repo.head("main").await.unwrap().unwrap();
        w.repo.point_branch("live", &main, ALICE).await.unwrap();
        w.bootstrap_branch("live").await;
        w.pull_into("live", "move", [("services/nas.yaml", NAS.replace(".50", ".9"))]).await;
        w.plan_comment().await;
        cut_off(w).await;
        w.repo.delete_branch("live", ALICE).await.unwrap();
        w.restart().await;
        assert_snapshot!(w.run_check("production").await, @"failure: Not all of it could be applied to production: 0 of 1 step done");
        w.read_everything().await;
    })
    .await;
}

/// Where the environment lets through what nobody reviewed, that is named by whoever tells of it last:
/// the run that goes on, or whoever ends it.
#[tokio::test]
async fn what_nobody_reviewed_is_named_though_the_run_was_cut_off() {
    let config = CONFIG.replace("branches: [main]", "branches: [main]\n    plan_changed: apply");
    for gone in [false, true] {
        let setting = Setting { config: config.clone(), ..hasty() };
        world_with(setting, async |w| {
            w.bootstrap().await;
            w.pull("wiki", [("services/wiki.yaml", WIKI)]).await;
            w.plan_comment().await;
            w.github.hooks().fate(OnDelivery::event("push"), Fate::NeverSent);
            w.push("main", nas_at("192.168.1.9")).await;
            cut_off_by(w, Fault::HoldAfterCommit).await;
            if gone {
                w.push("main", only("staging")).await;
            }
            w.restart().await;
            let told = w.check_summary("landfall / production").await;
            let named = told.lines().skip_while(|line| !line.starts_with("**Applied without"));
            let named: Vec<&str> = named.skip(2).take_while(|line| !line.is_empty()).collect();
            let moved = "- `update A nas.internal.lan 192.168.1.50 → 192.168.1.9`";
            assert_eq!(named, [moved], "{told}");
            w.read_everything().await;
        })
        .await;
    }
}

/// The server stops in the middle of the step that a merge brings.
async fn cut_off(w: &mut World) {
    cut_off_by(w, Fault::Hold).await;
}

async fn cut_off_by(w: &mut World, fault: fn(Gate) -> Fault) {
    let gate = Gate::closed();
    w.unifi.faults().inject(On::write("/**"), fault(gate.clone()));
    w.merge().await;
    gate.arrival().await;
    w.server.stop().await;
    gate.open();
}
