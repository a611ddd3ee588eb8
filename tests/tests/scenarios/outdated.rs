//! What becomes of open pull requests when their base or the rules move.

use landfall_sim::github::edit;
use landfall_tests::world::{CONFIG, world};

use crate::nas::{nas_at, planned};

#[tokio::test]
async fn a_file_that_is_mended_on_the_base_is_in_nobodys_way_any_more() {
    world(async |w| {
        w.bootstrap().await;
        w.push("main", [edit("services/broken.yaml", "unifi_dns: [\n")]).await;
        w.read_everything().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        assert!(w.plan_comment().await.contains("services/broken.yaml"));
        assert!(w.check("landfall / production (main)").await.starts_with("failure"));
        w.push(
            "main",
            [edit("services/broken.yaml", "cloudflare_tunnel: { tunnel: spare, routes: {} }\n")],
        )
        .await;
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        assert_eq!(w.check("landfall / production (main)").await, "success: 1 to update");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_conflict_that_the_base_ends_is_one_no_more() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.push("main", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        w.comment("/plan");
        assert!(w.plan_comment().await.contains("conflicts with `main`"));
        w.push("main", nas_at("192.168.1.50")).await;
        w.settle().await;
        assert_eq!(w.check("landfall / production (main)").await, "success: 1 to update");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn an_environment_that_the_rules_gain_checks_what_was_open_before() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        let config = CONFIG.replace("branches: [develop]", "branches: [main]");
        w.push("main", [edit("landfall.yaml", config)]).await;
        w.settle().await;
        let gained = "success: 3 to create; waits for /apply after the merge";
        assert_eq!(w.check("landfall / staging (main)").await, gained);
        w.read_everything().await;
    })
    .await;
}

/// Whoever pushes to another branch has nothing to do with them.
#[tokio::test]
async fn a_push_to_a_branch_that_is_nobodys_base_plans_nothing_anew() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.push("main", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        w.comment("/plan");
        w.read_everything().await;
        w.exchanges().clear();
        w.push("develop", [edit("README.md", "# Lab\n")]).await;
        w.assert_silence().await;
        assert_eq!(w.exchanges().count(|it| it.path.ends_with("/pulls/2")), 0);
    })
    .await;
}
