//! Zones, DNS records, batches, tokens and the limiter of a Cloudflare account.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use landfall_sim::clock::Clock;
use landfall_sim::cloudflare::{
    CloudflareMutation, CloudflareSettings, CloudflareSim, Permission, Plan, RateLimit,
    RecordFields, TokenOwner, TokenSettings, TxtContent, ZoneSettings,
};
use serde_json::{Value, json};

use crate::caller::{Caller, Heard};

async fn account(settings: CloudflareSettings) -> (CloudflareSim, Caller, String) {
    let sim = CloudflareSim::start(settings).await.unwrap();
    let caller = Caller::new(&sim.url()).with("authorization", "Bearer simulated-cloudflare-token");
    let records = format!("/zones/{}/dns_records", sim.zone("example.com").id());
    (sim, caller, records)
}

fn a(name: &str, address: &str) -> Value {
    json!({ "type": "A", "name": name, "content": address, "ttl": 1 })
}

fn cname(name: &str, target: &str) -> Value {
    json!({ "type": "CNAME", "name": name, "content": target, "ttl": 1 })
}

fn path_of(records: &str, heard: &Heard) -> String {
    format!("{records}/{}", heard.json["result"]["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_record_of_every_type_is_created_read_changed_and_deleted() {
    let (sim, caller, records) = account(CloudflareSettings::default()).await;
    let srv = json!({ "priority": 10, "weight": 5, "port": 8806, "target": "sip.example.com" });
    let caa = json!({ "flags": 0, "tag": "issue", "value": "letsencrypt.org" });
    for body in [
        a("a.example.com", "203.0.113.1"),
        json!({ "type": "AAAA", "name": "b.example.com", "content": "2001:db8:0::1", "ttl": 300 }),
        cname("c.example.com", "a.example.com"),
        json!({ "type": "MX", "name": "example.com", "content": "mail.example.com", "priority": 10, "ttl": 1 }),
        json!({ "type": "TXT", "name": "t.example.com", "content": "\"v=spf1 -all\"", "ttl": 1 }),
        json!({ "type": "NS", "name": "sub.example.com", "content": "ns.example.net", "ttl": 1 }),
        json!({ "type": "SRV", "name": "_sip._tcp.example.com", "data": srv, "ttl": 1 }),
        json!({ "type": "CAA", "name": "example.com", "data": caa, "ttl": 1 }),
    ] {
        let created = caller.post(&records, body.clone()).await;
        assert_eq!(created.status, 200, "{}", created.json);
        let own = path_of(&records, &created);
        assert_eq!(caller.get(&own).await.json["result"], created.json["result"]);
        let commented = caller.patch(&own, json!({ "comment": "Ours" })).await.json;
        assert_eq!(commented["result"]["comment"], "Ours");
        assert_eq!(commented["result"]["content"], created.json["result"]["content"]);
        let replaced = caller.put(&own, body).await.json;
        assert_eq!(replaced["result"]["comment"], Value::Null);
        let deleted = caller.delete(&own).await.json;
        assert_eq!(deleted["result"], json!({ "id": created.json["result"]["id"] }));
        assert_eq!(caller.get(&own).await.error_code(), 81_044);
    }
    assert_eq!(sim.mutations().len(), 8 * 4);
}

#[tokio::test]
async fn records_that_exclude_each_other_are_refused() {
    let (_sim, caller, records) = account(CloudflareSettings::default()).await;
    caller.post(&records, a("a.example.com", "203.0.113.1")).await;
    caller.post(&records, cname("c.example.com", "a.example.com")).await;
    let mut slower = a("a.example.com", "203.0.113.1");
    slower["ttl"] = json!(300);
    for (body, code) in [
        (a("a.example.com", "203.0.113.1"), 81_058),
        (slower, 81_057),
        (cname("a.example.com", "x.example.com"), 81_053),
        (a("c.example.com", "203.0.113.1"), 81_053),
        (cname("c.example.com", "x.example.com"), 81_053),
        (json!({ "type": "A", "name": "t", "content": "203.0.113.1", "tags": ["a:b"] }), 9300),
        (json!({ "type": "A", "name": "t", "content": "nobody" }), 1004),
    ] {
        let refused = caller.post(&records, body.clone()).await;
        assert_eq!((refused.status, refused.error_code()), (400, code), "{body}");
        assert_eq!(
            (&refused.json["success"], &refused.json["result"]),
            (&json!(false), &Value::Null)
        );
    }
    assert_eq!(caller.post(&records, a("a.example.com", "203.0.113.2")).await.status, 200);
}

#[tokio::test]
async fn a_batch_deletes_first_and_creates_last() {
    let (sim, caller, records) = account(CloudflareSettings::default()).await;
    let zone = sim.zone("example.com");
    let gone = zone.seed(RecordFields::new("A", "www.example.com", "203.0.113.1"));
    let kept = zone.seed(RecordFields::new("A", "nas.example.com", "203.0.113.2"));
    let batch = json!({
        "posts": [cname("www.example.com", "nas.example.com")],
        "patches": [{ "id": kept.id, "content": "203.0.113.9" }],
        "deletes": [{ "id": gone.id }],
    });
    let done = caller.post(&format!("{records}/batch"), batch).await;
    assert_eq!(done.status, 200, "{}", done.json);
    let result = &done.json["result"];
    assert_eq!(result["deletes"][0]["id"], gone.id.as_str());
    assert_eq!(result["patches"][0]["content"], "203.0.113.9");
    assert_eq!(result["posts"][0]["type"], "CNAME");
    assert_eq!(zone.record("www.example.com", "CNAME"), ["nas.example.com"]);
    assert!(matches!(
        sim.mutations().as_slice(),
        [
            CloudflareMutation::RecordDeleted(_),
            CloudflareMutation::RecordUpdated { .. },
            CloudflareMutation::RecordCreated(_)
        ]
    ));
}

#[tokio::test]
async fn a_batch_that_fails_changes_nothing() {
    let (sim, caller, records) = account(CloudflareSettings::default()).await;
    let zone = sim.zone("example.com");
    let record = zone.seed(RecordFields::new("A", "www.example.com", "203.0.113.1"));
    let before = zone.records();
    let batch = json!({
        "deletes": [{ "id": record.id }],
        "posts": [a("new.example.com", "203.0.113.3"), cname("new.example.com", "x.example.com")],
    });
    let failed = caller.post(&format!("{records}/batch"), batch).await;
    assert_eq!((failed.status, failed.error_code()), (400, 81_053));
    assert_eq!((zone.records(), sim.mutations().len()), (before, 0));
}

#[tokio::test]
async fn how_large_a_batch_may_be_is_a_matter_of_the_plan() {
    let posts: Vec<_> = (0..201).map(|n| a(&format!("h{n}.example.com"), "203.0.113.1")).collect();
    for (plan, status) in [(Plan::Free, 400), (Plan::Paid, 200)] {
        let settings = CloudflareSettings { plan, ..CloudflareSettings::default() };
        let (_sim, caller, records) = account(settings).await;
        let done = caller.post(&format!("{records}/batch"), json!({ "posts": posts })).await;
        assert_eq!(done.status, status, "{plan:?}");
    }
}

#[tokio::test]
async fn a_large_zone_is_listed_in_one_request() {
    let (sim, caller, records) = account(CloudflareSettings::default()).await;
    sim.zone("example.com").seed_hosts(5000);
    let all = caller.get(&format!("{records}?per_page=5000")).await.json;
    assert_eq!(all["result"].as_array().unwrap().len(), 5000);
    let page = caller.get(&format!("{records}?page=50")).await.json;
    assert_eq!(
        page["result_info"],
        json!({ "page": 50, "per_page": 100, "count": 100, "total_count": 5000, "total_pages": 50 })
    );
}

#[tokio::test]
async fn lists_are_filtered_by_name_type_content_and_comment() {
    let (sim, caller, records) = account(CloudflareSettings::default()).await;
    let zone = sim.zone("example.com");
    zone.seed(
        RecordFields::new("A", "nas.example.com", "203.0.113.1").with_comment("landfall: NAS"),
    );
    zone.seed(RecordFields::new("TXT", "nas.example.com", "hello"));
    zone.seed(RecordFields::new("A", "tv.example.com", "203.0.113.2").proxied());
    for (query, count) in [
        ("name=nas.example.com", 2),
        ("name.exact=NAS.example.com&type=A", 1),
        ("name.startswith=t", 1),
        ("content.contains=113", 2),
        ("comment.startswith=Landfall", 1),
        ("comment.absent=true", 2),
        ("proxied=true", 1),
        ("match=any&type=TXT&name=tv.example.com", 2),
        ("tag=team", 0),
    ] {
        let found = caller.get(&format!("{records}?{query}")).await.json;
        assert_eq!(found["result_info"]["total_count"], count, "{query}");
    }
}

#[tokio::test]
async fn zones_are_found_by_name_and_only_by_who_may_see_them() {
    let mut narrow = TokenSettings::new("narrow", [Permission::ZoneRead, Permission::DnsRead]);
    narrow.zones = Some(["example.org".to_owned()].into());
    let mut settings = CloudflareSettings::default();
    settings.zones.push(ZoneSettings::active("example.org"));
    settings.tokens.push(narrow);
    let (sim, caller, records) = account(settings).await;
    let found = caller.get("/zones?name=example.org").await.json;
    assert_eq!(found["result"][0]["id"], sim.zone("example.org").id().as_str());
    assert_eq!(found["result"][0]["account"]["id"], sim.account().as_str());
    assert_eq!(caller.get("/zones?per_page=4").await.status, 400);
    let narrow = Caller::new(&sim.url()).with("authorization", "Bearer narrow");
    assert_eq!(narrow.get("/zones").await.json["result_info"]["count"], 1);
    assert_eq!(narrow.get(&records).await.error_code(), 9109);
    let org = format!("/zones/{}/dns_records", sim.zone("example.org").id());
    assert_eq!(narrow.get(&org).await.status, 200);
    assert_eq!(narrow.post(&org, a("x", "203.0.113.1")).await.error_code(), 10_000);
    assert_eq!(caller.get("/zones/0123/dns_records").await.error_code(), 7003);
}

#[tokio::test]
async fn tokens_are_told_apart() {
    let mut of_account = TokenSettings::new("of-account", []);
    of_account.owner = TokenOwner::Account;
    let mut settings = CloudflareSettings::default();
    settings.tokens.push(of_account);
    let (sim, caller, records) = account(settings).await;
    let good = caller.get("/user/tokens/verify").await;
    assert_eq!((good.status, &good.json["result"]["status"]), (200, &json!("active")));
    let own = format!("/accounts/{}/tokens/verify", sim.account());
    let bearer = |token: &str| Caller::new(&sim.url()).with("authorization", token);
    assert_eq!(bearer("Bearer of-account").get(&own).await.status, 200);
    assert_eq!(bearer("Bearer of-account").get("/user/tokens/verify").await.error_code(), 1000);
    assert_eq!(bearer("Bearer unknown").get("/user/tokens/verify").await.status, 401);
    assert_eq!(bearer("Bearer unknown").get(&records).await.error_code(), 9109);
    assert_eq!(bearer("Basic x").get(&records).await.error_code(), 6003);
    assert_eq!(Caller::new(&sim.url()).get(&records).await.error_code(), 9106);
}

#[tokio::test]
async fn too_many_requests_are_refused_for_a_while() {
    let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
    let five_minutes = Duration::from_secs(300);
    let limit = RateLimit { requests: 2, window: five_minutes, penalty: five_minutes };
    let settings = CloudflareSettings {
        clock: clock.clone(),
        rate_limit: Some(limit),
        ..CloudflareSettings::default()
    };
    let (_sim, caller, records) = account(settings).await;
    let first = caller.get(&records).await;
    assert_eq!(first.response.header("ratelimit"), Some("\"default\";r=1;t=300"));
    caller.get(&records).await;
    let refused = caller.get(&records).await;
    assert_eq!((refused.status, refused.response.header("retry-after")), (429, Some("300")));
    clock.advance(SignedDuration::from_secs(300));
    assert_eq!(caller.get(&records).await.status, 200);
}

#[tokio::test]
async fn txt_contents_can_come_back_in_quotes() {
    let settings = CloudflareSettings { txt: TxtContent::Quoted, ..CloudflareSettings::default() };
    let (_sim, caller, records) = account(settings).await;
    let body = json!({ "type": "TXT", "name": "t", "content": "hello" });
    assert_eq!(caller.post(&records, body).await.json["result"]["content"], "\"hello\"");
}

#[tokio::test]
async fn what_a_person_does_is_seen_but_is_no_mutation() {
    let (sim, caller, records) = account(CloudflareSettings::default()).await;
    let zone = sim.zone("example.com");
    zone.seed(RecordFields::new("A", "nas.example.com", "203.0.113.1"));
    assert_eq!(zone.edit("nas.example.com", |fields| fields.content = "203.0.113.7".to_owned()), 1);
    let seen = caller.get(&records).await.json;
    assert_eq!(seen["result"][0]["content"], "203.0.113.7");
    assert_eq!(zone.remove("nas.example.com"), 1);
    assert_eq!((zone.records().len(), sim.mutations().len()), (0, 0));
}
