//! How little is asked of others.

use insta::assert_snapshot;
use landfall_sim::exchange::{Exchange, Wire};
use landfall_tests::world::{CONFIG, Setting, World, world, world_with};

use crate::nas::{nas_at, planned};

/// What GitHub was asked since the log was cleared, in any order, with `ID` for numbers that mean
/// nothing here.
fn asked_of_github(w: &World) -> Vec<String> {
    let all = w.exchanges().all();
    let asked = all.iter().filter(|exchange| exchange.wire == Wire::GitHub);
    let mut asked: Vec<String> = asked.map(|exchange| told(exchange)).collect();
    asked.sort();
    asked
}

fn told(exchange: &Exchange) -> String {
    let segments = exchange.path.split('/').map(|segment| match segment {
        number if number.len() > 1 && number.bytes().all(|byte| byte.is_ascii_digit()) => "ID",
        other => other,
    });
    format!("{} {}", exchange.method, segments.collect::<Vec<_>>().join("/"))
}

#[tokio::test]
async fn a_push_to_a_pull_request_costs_few_requests() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.exchanges().clear();
        w.push("move", nas_at("192.168.1.52")).await;
        assert!(w.plan_comment().await.contains("192.168.1.52"));
        let asked = asked_of_github(w);
        assert!(asked.len() <= 5, "{asked:#?}");
        assert_snapshot!(asked.join("\n"), @"
        GET /repos/acme/homelab/pulls/2
        PATCH /repos/acme/homelab/issues/comments/ID
        POST /repos/acme/homelab/check-runs
        ");
    })
    .await;
}

#[tokio::test]
async fn a_new_pull_request_costs_as_few() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.exchanges().clear();
        w.pull("elsewhere", nas_at("192.168.1.52")).await;
        assert!(w.plan_comment().await.contains("192.168.1.52"));
        let asked = asked_of_github(w);
        assert!(asked.len() <= 5, "{asked:#?}");
        assert_snapshot!(asked.join("\n"), @"
        GET /repos/acme/homelab/pulls/3
        POST /repos/acme/homelab/check-runs
        POST /repos/acme/homelab/issues/3/comments
        ");
    })
    .await;
}

#[tokio::test]
async fn each_further_environment_costs_one_more() {
    let config = CONFIG.replace("branches: [develop]", "branches: [develop, main]");
    assert_ne!(config, CONFIG);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.exchanges().clear();
        w.push("move", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        let asked = asked_of_github(w);
        assert!(asked.len() <= 6, "{asked:#?}");
        assert_snapshot!(asked.join("\n"), @"
        GET /repos/acme/homelab/pulls/1
        PATCH /repos/acme/homelab/issues/comments/ID
        POST /repos/acme/homelab/check-runs
        POST /repos/acme/homelab/check-runs
        ");
    })
    .await;
}

/// Whichever of them is heard of first, what is planned is what GitHub has.
#[tokio::test]
async fn ten_pushes_at_once_lead_to_one_plan_of_the_last() {
    world(async |w| {
        planned(w, "192.168.1.51").await;
        w.exchanges().clear();
        for host in 60..70 {
            w.push("move", nas_at(&format!("192.168.1.{host}"))).await;
        }
        assert!(w.plan_comment().await.contains("192.168.1.69"));
        let count = |method: &str, path: &str| {
            w.exchanges().count(|it| it.method == method && it.path.contains(path))
        };
        assert_eq!(count("PATCH", "/comments/"), 1, "{:#?}", asked_of_github(w));
        assert_eq!(count("POST", "/check-runs"), 1, "{:#?}", asked_of_github(w));
    })
    .await;
}
