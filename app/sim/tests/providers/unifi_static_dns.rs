//! The static-dns API and the classic listings of a console.

use std::net::Ipv4Addr;

use landfall_sim::unifi::{Device, UnifiMutation, UnifiSettings, UnifiSim};
use serde_json::{Value, json};

use crate::caller::Caller;

const RECORDS: &str = "/proxy/network/v2/api/site/default/static-dns";
const CLASSIC: &str = "/proxy/network/api/s/default";

async fn console() -> (UnifiSim, Caller) {
    let settings = UnifiSettings { version: "9.0.114".to_owned(), ..UnifiSettings::default() };
    let sim = UnifiSim::start(settings).await.unwrap();
    let caller = Caller::new(&sim.url()).with("x-api-key", "simulated-unifi-key");
    (sim, caller)
}

fn record(record_type: &str, key: &str, value: &str) -> Value {
    json!({ "enabled": true, "record_type": record_type, "key": key, "value": value, "ttl": 0 })
}

fn path_of(created: &Value) -> String {
    format!("{RECORDS}/{}", created["_id"].as_str().unwrap())
}

#[tokio::test]
async fn an_older_console_has_no_integration_api() {
    let (_sim, caller) = console().await;
    assert_eq!(caller.get("/proxy/network/integration/v1/info").await.status, 404);
    assert_eq!(caller.get(RECORDS).await.json, json!([]));
}

#[tokio::test]
async fn a_record_of_every_type_is_created_replaced_and_deleted() {
    let (sim, caller) = console().await;
    let mut mx = record("MX", "lan.test", "mail.lan");
    mx["priority"] = json!(10);
    let mut srv = record("SRV", "_ldap._tcp.lan.test", "ldap.lan");
    srv["port"] = json!(389);
    srv["priority"] = json!(0);
    srv["weight"] = json!(5);
    let bodies = [
        record("A", "a.lan", "192.168.1.9"),
        record("AAAA", "aaaa.lan", "fd00::1"),
        record("CNAME", "cname.lan", "a.lan"),
        record("TXT", "txt.lan", "hello"),
        record("NS", "forward.lan", "192.168.1.53"),
        mx,
        srv,
    ];
    for body in bodies {
        let created = caller.post(RECORDS, body.clone()).await;
        assert_eq!(created.status, 200, "{}", created.json);
        for field in ["port", "priority", "weight"] {
            assert_eq!(created.json[field], *body.get(field).unwrap_or(&json!(0)), "{field}");
        }
        let mut changed = body;
        changed["ttl"] = json!(300);
        let replaced = caller.put(&path_of(&created.json), changed).await;
        assert_eq!((replaced.status, &replaced.json["ttl"]), (200, &json!(300)));
        assert_eq!(caller.get(RECORDS).await.json, json!([replaced.json]));
        assert_eq!(caller.get(&path_of(&created.json)).await.status, 405);
        assert_eq!(caller.delete(&path_of(&created.json)).await.status, 200);
    }
    assert_eq!(sim.mutations().len(), 21);
}

#[tokio::test]
async fn what_is_refused_has_the_codes_it_was_seen_with() {
    let (sim, caller) = console().await;
    let printer = Device::away("aa:bb:cc:dd:ee:09", "printer").with_local_dns_record("printer.lan");
    sim.default_site().connect(printer);
    caller.post(RECORDS, record("A", "nas.lan", "192.168.1.9")).await;
    let mut foreign = record("A", "b.lan", "192.168.1.9");
    foreign["port"] = json!(0);
    for (body, code) in [
        (record("A", "nas.lan", "192.168.1.9"), "api.err.StaticDnsRecordAlreadyExists"),
        (
            record("CNAME", "nas.lan", "x.lan"),
            "api.err.StaticDnsCnameAliasOverlapsWithOtherRecords",
        ),
        (record("A", "printer.lan", "192.168.1.9"), "api.err.StaticDnsOverlapsWithDeviceLocalDns"),
        (record("A", "b.lan", "fd00::1"), "api.err.StaticDnsRecordInvalidParameters"),
        (record("A", "", "192.168.1.9"), "api.err.StaticDnsRecordInvalidParameters"),
        (foreign, "api.err.StaticDnsRecordInvalidParameters"),
    ] {
        let refused = caller.post(RECORDS, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{body}");
    }
    let gone = caller.delete(&format!("{RECORDS}/0123456789abcdef01234567")).await;
    assert_eq!((gone.status, gone.code()), (404, "api.err.StaticDnsRecordNotFound"));
    let elsewhere = caller.get(&RECORDS.replace("default", "branch")).await;
    assert_eq!(elsewhere.json["message"], "Site does not exist");
}

#[tokio::test]
async fn two_aliases_of_one_name_get_in_and_take_the_gateway_down() {
    let (sim, caller) = console().await;
    caller.post(RECORDS, record("CNAME", "tv.lan", "nas.lan")).await;
    assert!(sim.gateway_resolves());
    let second = caller.post(RECORDS, record("CNAME", "tv.lan", "other.lan")).await;
    assert_eq!(second.status, 200);
    assert!(!sim.gateway_resolves());
    caller.delete(&path_of(&second.json)).await;
    assert!(sim.gateway_resolves());
}

#[tokio::test]
async fn some_consoles_refuse_every_put() {
    let (sim, caller) = console().await;
    sim.refuse_every_put();
    let created = caller.post(RECORDS, record("A", "nas.lan", "192.168.1.9")).await;
    let refused = caller.put(&path_of(&created.json), record("A", "nas.lan", "192.168.1.10")).await;
    assert_eq!((refused.status, refused.code()), (400, "api.err.StaticDnsRecordAlreadyExists"));
    assert!(matches!(sim.mutations().as_slice(), [UnifiMutation::Created(_)]));
}

#[tokio::test]
async fn both_apis_show_one_store() {
    let sim = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    let caller = Caller::new(&sim.url()).with("x-api-key", "simulated-unifi-key");
    let mut srv = record("SRV", "_ldap._tcp.lan.test", "ldap.lan");
    srv["port"] = json!(389);
    caller.post(RECORDS, srv).await;
    let site =
        caller.get("/proxy/network/integration/v1/sites").await.json["data"][0]["id"].clone();
    let site = site.as_str().unwrap();
    let listed =
        caller.get(&format!("/proxy/network/integration/v1/sites/{site}/dns/policies")).await.json;
    let policy = &listed["data"][0];
    assert_eq!((&policy["service"], &policy["domain"]), (&json!("_ldap"), &json!("lan.test")));
    assert_eq!(sim.record("_ldap._tcp.lan.test", "SRV"), ["0 0 389 ldap.lan"]);
}

#[tokio::test]
async fn classic_listings_tell_all_known_devices_and_their_addresses() {
    let (sim, caller) = console().await;
    let site = sim.default_site();
    let ip = |last| Ipv4Addr::new(192, 168, 1, last);
    site.connect(Device::wired("aa:bb:cc:dd:ee:01", "tv", ip(20)).with_fixed_ip(ip(21)));
    site.connect(Device::away("aa:bb:cc:dd:ee:02", "phone").with_last_ip(ip(30)));
    let known = caller.get(&format!("{CLASSIC}/rest/user")).await.json;
    assert_eq!(known["data"][0]["fixed_ip"], "192.168.1.21");
    assert_eq!(known["data"][1]["last_ip"], "192.168.1.30");
    let active = caller.get(&format!("{CLASSIC}/stat/sta")).await.json;
    assert_eq!(active["data"].as_array().unwrap().len(), 1);
    let one = caller.get(&format!("{CLASSIC}/stat/user/AA:bb:cc:dd:ee:02")).await.json;
    assert_eq!(one["data"][0]["name"], "phone");
    let nobody = caller.get(&format!("{CLASSIC}/stat/user/aa:bb:cc:dd:ee:ff")).await;
    assert_eq!((nobody.status, &nobody.json["meta"]["rc"]), (400, &json!("error")));
    let sites = caller.get("/proxy/network/api/self/sites").await.json;
    assert_eq!(sites["data"][0]["name"], "default");
}
