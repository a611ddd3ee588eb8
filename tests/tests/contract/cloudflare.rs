//! Cloudflare's API: what is right and wrong, and what a simulated account answers.

use landfall_os::http::Method;
use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim};
use landfall_sim::exchange::Wire;
use serde_json::{Value, json};

use crate::caller::{Caller, assert_faithful, exchange, faults};

const RECORDS: &str = "/client/v4/zones/023e105f4ecef8ad9ca31a8372d0c353/dns_records";
const TUNNELS: &str = "/client/v4/accounts/0123456789abcdef0123456789abcdef/cfd_tunnel";

fn refusal() -> Value {
    json!({ "success": false, "errors": [{ "code": 1004, "message": "no" }], "messages": [], "result": null })
}

fn refused(request: &str, body: &Value) -> Vec<String> {
    faults(&exchange(Wire::Cloudflare, request, body, 400, &refusal()))
}

#[test]
fn a_record_is_held_against_the_description_of_its_type() {
    let post = format!("POST {RECORDS}");
    let record = json!({ "type": "MX", "name": "example.com", "content": "mail.example.com", "priority": 10, "ttl": 1 });
    assert_eq!(refused(&post, &record), [""; 0], "only an answer has an id and a time");
    let mut flat = record.clone();
    flat.as_object_mut().unwrap().remove("priority");
    assert_eq!(refused(&post, &flat), [r#"request body: "priority" is a required property"#]);
    let mut short = record.clone();
    short["ttl"] = json!(5);
    assert!(refused(&post, &short)[0].starts_with("request body, /ttl: "));
    let mut misspelt = record;
    misspelt["coment"] = json!("ours");
    assert_eq!(refused(&post, &misspelt), ["request body: the vendor knows no coment"]);
}

#[test]
fn a_batch_names_what_it_changes_by_id() {
    let batch = format!("POST {RECORDS}/batch");
    let patch = json!({ "id": "a1", "type": "A", "name": "a.example.com", "content": "192.0.2.1", "ttl": 1 });
    assert_eq!(
        refused(&batch, &json!({ "patches": [patch], "deletes": [{ "id": "a2" }] })),
        [""; 0]
    );
    let mut nameless = patch;
    nameless.as_object_mut().unwrap().remove("id");
    let found = refused(&batch, &json!({ "patches": [nameless] }));
    assert_eq!(found, [r#"request body, /patches/0: "id" is a required property"#]);
}

#[test]
fn the_last_rule_of_a_tunnel_has_no_hostname() {
    let put = format!("PUT {TUNNELS}/f70ff985-a4ef-4643-bbbc-4a0ed4fc8415/configurations");
    let rules = json!([{ "hostname": "a.example.com", "service": "http://a.lan" }, { "service": "http_status:404" }]);
    assert_eq!(refused(&put, &json!({ "config": { "ingress": rules } })), [""; 0]);
    let found =
        refused(&put, &json!({ "config": { "ingress": [{ "hostname": "a.example.com" }] } }));
    assert_eq!(found, [r#"request body, /config/ingress/0: "service" is a required property"#]);
    let found = refused(&put, &json!({ "ingress": rules }));
    assert_eq!(found, ["request body: the vendor knows no ingress"]);
}

#[test]
fn answers_have_the_envelope_and_a_refusal_is_no_success() {
    let get = format!("GET {RECORDS}?per_page=100");
    let bare = exchange(Wire::Cloudflare, &get, &Value::Null, 200, &json!({ "result": [] }));
    assert!(faults(&bare).contains(&r#"answer 200: "success" is a required property"#.to_owned()));
    let mut glad = refusal();
    glad["success"] = json!(true);
    let glad = exchange(Wire::Cloudflare, &get, &Value::Null, 400, &glad);
    assert!(
        faults(&glad)[0].starts_with("answer 400, /success: it is not one of"),
        "{:?}",
        faults(&glad)
    );
}

#[test]
fn a_request_beside_the_api_is_found() {
    let found = refused("GET /zones", &Value::Null);
    assert_eq!(found, ["the vendor describes no such operation"]);
}

#[tokio::test]
async fn a_simulated_account_answers_as_cloudflare_does() {
    let settings = CloudflareSettings::default();
    let token = settings.tokens[0].value.clone();
    let sim = CloudflareSim::start(settings).await.unwrap();
    let base = sim.url();
    Caller::new(&base).with("authorization", "Bearer wrong").get("user/tokens/verify").await;
    let caller = Caller::new(&base).with("authorization", &format!("Bearer {token}"));
    caller.get("user/tokens/verify").await;
    let zones = caller.get("zones?name=example.com").await;
    let records = format!("zones/{}/dns_records", zones["result"][0]["id"].as_str().unwrap());
    for record in records_of_every_type() {
        let made = caller.post(&records, record.clone()).await;
        let own = format!("{records}/{}", made["result"]["id"].as_str().unwrap());
        caller.send(Method::PUT, &own, record).await;
        caller.get(&own).await;
    }
    let listed = caller.get(&format!("{records}?per_page=5&page=2")).await;
    let first = listed["result"][0]["id"].clone();
    let post = json!({ "type": "A", "name": "b.example.com", "content": "192.0.2.7", "ttl": 300 });
    let batch = caller
        .post(&format!("{records}/batch"), json!({ "deletes": [{ "id": first }], "posts": [post] }))
        .await;
    assert_eq!(batch["success"], true);
    let refused = caller.post(
        &records,
        json!({ "type": "CNAME", "name": "b.example.com", "content": "x.example.com", "ttl": 1 }),
    );
    assert_eq!(refused.await["success"], false);
    tunnels(&caller, &sim.account()).await;
    assert_faithful(sim.exchanges());
}

async fn tunnels(caller: &Caller, account: &str) {
    let tunnels = format!("accounts/{account}/cfd_tunnel");
    let made = caller.post(&tunnels, json!({ "name": "media", "config_src": "cloudflare" })).await;
    let own = format!("{tunnels}/{}", made["result"]["id"].as_str().unwrap());
    let rules = json!([{ "hostname": "a.example.com", "service": "http://a.lan" }, { "service": "http_status:404" }]);
    let put = json!({ "config": { "ingress": rules } });
    caller.get(&format!("{own}/configurations")).await;
    let configured = caller.send(Method::PUT, &format!("{own}/configurations"), put).await;
    assert_eq!(configured["result"]["version"], 1);
    caller.get(&format!("{own}/configurations")).await;
    caller.get(&format!("{tunnels}?is_deleted=false&name=media")).await;
    caller.get(&format!("{own}/token")).await;
    caller.send(Method::DELETE, &own, Value::Null).await;
    let gone = caller.get(&own).await;
    assert!(
        gone["result"]["deleted_at"].is_string(),
        "a deleted tunnel stays, and says when it ended"
    );
}

fn records_of_every_type() -> [Value; 8] {
    let record = |kind: &str, name: &str, content: &str| json!({ "type": kind, "name": format!("{name}.example.com"), "content": content, "ttl": 1 });
    let mut mx = record("MX", "mx", "mail.example.com");
    mx["priority"] = json!(10);
    let srv = json!({ "port": 5060, "priority": 10, "target": "sip.example.com", "weight": 5 });
    let caa = json!({ "flags": 0, "tag": "issue", "value": "letsencrypt.org" });
    [
        record("A", "a", "192.0.2.1"),
        record("AAAA", "aaaa", "2001:db8::1"),
        record("CNAME", "cname", "a.example.com"),
        record("TXT", "txt", "\"v=spf1 -all\""),
        record("NS", "ns", "ns1.example.net"),
        mx,
        json!({ "type": "SRV", "name": "_sip._tcp.example.com", "data": srv, "ttl": 1 }),
        json!({ "type": "CAA", "name": "caa.example.com", "data": caa, "ttl": 1 }),
    ]
}
