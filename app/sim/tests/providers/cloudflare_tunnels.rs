//! Tunnels of a Cloudflare account: names, configurations with versions, soft deletion.

use base64::Engine as _;
use landfall_sim::cloudflare::{
    CloudflareMutation, CloudflareSettings, CloudflareSim, ConfigSource, Permission, TokenSettings,
};
use serde_json::{Value, json};

use crate::caller::Caller;

async fn account() -> (CloudflareSim, Caller, String) {
    let mut settings = CloudflareSettings::default();
    settings.tokens.push(TokenSettings::new("reader", [Permission::TunnelRead]));
    let sim = CloudflareSim::start(settings).await.unwrap();
    let caller = Caller::new(&sim.url()).with("authorization", "Bearer simulated-cloudflare-token");
    let tunnels = format!("/accounts/{}/cfd_tunnel", sim.account());
    (sim, caller, tunnels)
}

async fn create(caller: &Caller, tunnels: &str) -> Value {
    let body = json!({ "name": "media-server", "config_src": "cloudflare" });
    let created = caller.post(tunnels, body).await;
    assert_eq!(created.status, 200, "{}", created.json);
    created.json["result"].clone()
}

fn own(tunnels: &str, tunnel: &Value) -> String {
    format!("{tunnels}/{}", tunnel["id"].as_str().unwrap())
}

fn config(services: &[(&str, &str)]) -> Value {
    let mut ingress: Vec<_> = services
        .iter()
        .map(|(hostname, service)| json!({ "hostname": hostname, "service": service }))
        .collect();
    ingress.push(json!({ "service": "http_status:404" }));
    json!({ "config": { "ingress": ingress } })
}

#[tokio::test]
async fn a_new_tunnel_comes_with_its_secrets_and_without_a_configuration() {
    let (sim, caller, tunnels) = account().await;
    let tunnel = create(&caller, &tunnels).await;
    let token = tunnel["token"].as_str().unwrap();
    let token = base64::engine::general_purpose::STANDARD.decode(token).unwrap();
    let token: Value = serde_json::from_slice(&token).unwrap();
    assert_eq!((&token["a"], &token["t"]), (&json!(sim.account()), &tunnel["id"]));
    assert_eq!(tunnel["credentials_file"]["TunnelSecret"], sim.tunnel("media-server").secret());
    let path = own(&tunnels, &tunnel);
    assert_eq!(caller.get(&path).await.json["result"].get("token"), None);
    assert_eq!(caller.get(&format!("{path}/token")).await.json["result"], tunnel["token"]);
    let fresh = caller.get(&format!("{path}/configurations")).await.json;
    assert_eq!(
        (&fresh["result"]["version"], &fresh["result"]["config"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(sim.tunnel("media-server").source(), ConfigSource::Cloudflare);
    let reader = Caller::new(&sim.url()).with("authorization", "Bearer reader");
    assert_eq!(reader.get(&path).await.status, 200);
    assert_eq!(reader.get(&format!("{path}/token")).await.error_code(), 10_000);
}

#[tokio::test]
async fn a_configuration_is_replaced_whole_and_counted() {
    let (sim, caller, tunnels) = account().await;
    let path = format!("{}/configurations", own(&tunnels, &create(&caller, &tunnels).await));
    caller.put(&path, config(&[("a.example.com", "http://a.lan")])).await;
    let second = caller.put(&path, config(&[("b.example.com", "http://b.lan:8080")])).await.json;
    assert_eq!(second["result"]["version"], 2);
    let tunnel = sim.tunnel("media-server");
    assert_eq!(tunnel.services("b.example.com"), ["http://b.lan:8080"]);
    assert_eq!((tunnel.rules().len(), tunnel.services("a.example.com").len()), (2, 0));
    let bad = caller.put(&path, json!({ "config": { "ingress": [] } })).await;
    assert_eq!((bad.status, bad.error_code(), tunnel.version()), (400, 1056, 2));
    tunnel.seed_rules(&json!([{ "service": "http_status:503" }]));
    let seen = caller.get(&path).await.json;
    assert_eq!(seen["result"]["version"], 3);
    assert!(matches!(
        sim.mutations().as_slice(),
        [
            CloudflareMutation::TunnelCreated { .. },
            CloudflareMutation::Configured { version: 1, .. },
            CloudflareMutation::Configured { version: 2, .. }
        ]
    ));
}

#[tokio::test]
async fn a_name_is_free_again_once_its_tunnel_is_deleted() {
    let (_sim, caller, tunnels) = account().await;
    let tunnel = create(&caller, &tunnels).await;
    let taken = caller.post(&tunnels, json!({ "name": "media-server" })).await;
    assert_eq!((taken.status, taken.error_code()), (409, 1013));
    let path = own(&tunnels, &tunnel);
    let deleted = caller.delete(&path).await.json;
    assert!(deleted["result"]["deleted_at"].is_string());
    let config = caller.get(&format!("{path}/configurations")).await;
    assert_eq!((config.status, config.error_code()), (404, 1055));
    create(&caller, &tunnels).await;
    let count = async |query: &str| {
        caller.get(&format!("{tunnels}?name=media-server{query}")).await.json["result_info"]["count"].clone()
    };
    assert_eq!(count("").await, 2);
    assert_eq!(count("&is_deleted=false").await, 1);
    assert_eq!(caller.get(&path).await.status, 200);
}

#[tokio::test]
async fn a_connected_tunnel_cannot_be_deleted() {
    let (sim, caller, tunnels) = account().await;
    let tunnel = sim.seed_tunnel("media-server", ConfigSource::Local);
    let path = format!("{tunnels}/{}", tunnel.id());
    tunnel.connect();
    assert_eq!(caller.get(&path).await.json["result"]["status"], "healthy");
    let connections = caller.get(&format!("{path}/connections")).await.json;
    assert_eq!(connections["result"].as_array().unwrap().len(), 1);
    let refused = caller.delete(&path).await;
    assert_eq!((refused.status, refused.error_code()), (400, 1022));
    assert_eq!(caller.delete(&format!("{path}/connections")).await.status, 200);
    assert_eq!(caller.get(&path).await.json["result"]["status"], "down");
    assert_eq!(caller.delete(&path).await.status, 200);
    assert!(sim.find_tunnel("media-server").is_none());
}

#[tokio::test]
async fn a_tunnel_is_renamed_and_keeps_its_rules() {
    let (sim, caller, tunnels) = account().await;
    let path = own(&tunnels, &create(&caller, &tunnels).await);
    caller
        .put(&format!("{path}/configurations"), config(&[("a.example.com", "http://a.lan")]))
        .await;
    caller.patch(&path, json!({ "name": "media" })).await;
    assert_eq!(sim.tunnel("media").rules().len(), 2);
    assert!(sim.find_tunnel("media-server").is_none());
    let short = caller.patch(&path, json!({ "tunnel_secret": "c2hvcnQ=" })).await;
    assert_eq!(short.status, 400);
}
