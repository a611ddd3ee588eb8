//! A tunnel that many share: whoever comes when, no rule is lost and nobody waits for a second look.

use landfall_sim::cloudflare::ConfigSource;
use landfall_sim::fault::{Fault, Gate, On};
use landfall_tests::world::{Setting, World, world, world_with};
use serde_json::json;

/// A service with a route of its own through the tunnel that jellyfin has.
fn route(name: &str) -> (String, String) {
    let text = format!(
        "needs: [nas]\ncloudflare_tunnel:\n  tunnel: \"media${{suffix}}\"\n  routes:\n    \
         \"{name}${{suffix}}.example.com\": \"http://nas${{suffix}}.internal.lan:9000\"\n"
    );
    (format!("services/{name}.yaml"), text)
}

/// The hostnames of a tunnel's rules, sorted. What matches everything has to stand last.
fn hosts(w: &World, tunnel: &str) -> Vec<String> {
    let rules = w.cloudflare.tunnel(tunnel).rules();
    let (last, rules) = rules.split_last().expect("a tunnel has a catch-all");
    assert_eq!(last.hostname, None, "the catch-all stays last: {rules:#?}");
    let mut hosts: Vec<String> = rules.iter().filter_map(|rule| rule.hostname.clone()).collect();
    hosts.sort();
    hosts
}

#[tokio::test]
async fn two_pull_requests_on_one_tunnel_merged_one_after_the_other_lose_no_route() {
    world(async |w| {
        w.bootstrap().await;
        let plex = w.pull("plex", [route("plex")]).await;
        let books = w.pull("books", [route("books")]).await;
        w.read_everything().await;

        w.on(plex).merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.on(books).merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        // No hold, so no comment of its own: the end of the story fails if there were one.
        assert_all_routes(w);
    })
    .await;
}

#[tokio::test]
async fn two_pull_requests_on_one_tunnel_merged_at_once_lose_no_route() {
    world(async |w| {
        w.bootstrap().await;
        let plex = w.pull("plex", [route("plex")]).await;
        let books = w.pull("books", [route("books")]).await;
        w.read_everything().await;

        w.on(plex).merge().await;
        w.on(books).merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.on(plex);
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_all_routes(w);
    })
    .await;
}

fn assert_all_routes(w: &World) {
    let all = ["books.example.com", "jellyfin.example.com", "plex.example.com"];
    assert_eq!(hosts(w, "media"), all);
    for name in all {
        assert_eq!(w.cloudflare.zone("example.com").named(name).len(), 1, "{name} is public");
    }
}

#[tokio::test]
async fn two_environments_on_one_tunnel_run_at_once_and_lose_no_route() {
    let shared = |(path, text): (String, String)| (path, text.replace("media${suffix}", "media"));
    let default = Setting::default();
    let files = default.files.into_iter().map(shared).collect();
    world_with(Setting { files, ..Setting::default() }, async |w| {
        w.bootstrap_branch("main").await;
        w.bootstrap_branch("develop").await;
        let production = w.pull_into("main", "plex", [shared(route("plex"))]).await;
        let staging = w.pull_into("develop", "books", [shared(route("books"))]).await;
        w.read_everything().await;

        let gate = Gate::closed();
        let configuration = "/client/v4/accounts/*/cfd_tunnel/*/configurations";
        w.cloudflare
            .faults()
            .inject(On::method("PUT", configuration).times(1), Fault::Hold(gate.clone()));
        w.on(production).merge().await;
        gate.arrival().await;
        // One of them stands before the vendor with the whole configuration in its hands.
        w.on(staging).merge().await;
        w.github.hooks().deliver_all().await;
        gate.open();

        assert!(w.outcome().await.starts_with("✅ Applied to staging"));
        w.on(production);
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(
            hosts(w, "media"),
            [
                "books-staging.example.com",
                "jellyfin-staging.example.com",
                "jellyfin.example.com",
                "plex.example.com",
            ]
        );
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_somebody_else_made_stays_as_it_is() {
    world(async |w| {
        let tunnel = w.cloudflare.seed_tunnel("media", ConfigSource::Cloudflare);
        let foreign = json!({
            "hostname": "grafana.example.com",
            "service": "http://10.0.0.9:3000",
            "originRequest": { "noTLSVerify": true },
        });
        tunnel.seed_rules(&json!([foreign, { "service": "http_status:503" }]));
        let before = tunnel.rules();

        w.bootstrap().await;
        w.pull("plex", [route("plex")]).await;
        w.read_everything().await;
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.pull("no-plex", [landfall_sim::github::remove("services/plex.yaml")]).await;
        w.read_everything().await;
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));

        let after = tunnel.rules();
        assert!(after.contains(&before[0]), "the foreign rule is untouched: {after:#?}");
        assert_eq!(after.last(), before.last(), "and so is the catch-all");
        assert_eq!(tunnel.services("jellyfin.example.com"), ["http://nas.internal.lan:8096"]);
        assert_eq!(after.len(), 3);
    })
    .await;
}
