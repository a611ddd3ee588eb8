//! The Integration API of a console: DNS policies, pages, filters, devices.

use std::net::Ipv4Addr;

use landfall_sim::unifi::{
    Device, Link, RecordValue, ShortListing, UnifiContent, UnifiMutation, UnifiSettings, UnifiSim,
};
use serde_json::{Value, json};

use crate::caller::{Caller, Heard};

const API: &str = "/proxy/network/integration/v1";

async fn console() -> (UnifiSim, Caller, String) {
    let sim = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    let caller = Caller::new(&sim.url()).with("x-api-key", "simulated-unifi-key");
    let sites = caller.get(&format!("{API}/sites")).await;
    assert_eq!(sites.json["data"][0]["internalReference"], "default");
    let site = sites.json["data"][0]["id"].as_str().unwrap();
    let policies = format!("{API}/sites/{site}/dns/policies");
    (sim, caller, policies)
}

fn a(name: &str, address: &str) -> Value {
    json!({ "type": "A_RECORD", "enabled": true, "domain": name, "ipv4Address": address, "ttlSeconds": 300 })
}

fn cname(name: &str, target: &str) -> Value {
    json!({ "type": "CNAME_RECORD", "enabled": true, "domain": name, "targetDomain": target, "ttlSeconds": 0 })
}

fn txt(name: &str, text: &str) -> Value {
    json!({ "type": "TXT_RECORD", "enabled": true, "domain": name, "text": text })
}

fn id(heard: &Heard) -> String {
    heard.json["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_of_every_type_is_created_read_replaced_and_deleted() {
    let (sim, caller, policies) = console().await;
    let srv = json!({
        "type": "SRV_RECORD", "enabled": true, "domain": "srv.lan", "service": "_ldap", "protocol": "_tcp",
        "serverDomain": "ldap.lan", "port": 389, "priority": 0, "weight": 5,
    });
    let bodies = [
        a("a.lan", "192.168.1.9"),
        json!({ "type": "AAAA_RECORD", "enabled": true, "domain": "aaaa.lan", "ipv6Address": "fd00::1", "ttlSeconds": 0 }),
        cname("cname.lan", "a.lan"),
        json!({ "type": "MX_RECORD", "enabled": true, "domain": "mx.lan", "mailServerDomain": "mail.lan", "priority": 10 }),
        txt("txt.lan", "hello"),
        srv,
        json!({ "type": "FORWARD_DOMAIN", "enabled": false, "domain": "forward.lan", "ipAddress": "192.168.1.53" }),
    ];
    for body in bodies {
        let created = caller.post(&policies, body.clone()).await;
        assert_eq!(created.status, 201, "{}", created.json);
        assert_eq!(created.json["metadata"]["origin"], "USER_DEFINED");
        let own = format!("{policies}/{}", id(&created));
        let mut changed = body.clone();
        changed["enabled"] = json!(!body["enabled"].as_bool().unwrap());
        let replaced = caller.put(&own, changed.clone()).await;
        assert_eq!(replaced.status, 200);
        let read = caller.get(&own).await;
        assert_eq!(read.json, replaced.json);
        for (field, value) in changed.as_object().unwrap() {
            assert_eq!(&read.json[field], value, "{field}");
        }
        let deleted = caller.delete(&own).await;
        assert_eq!((deleted.status, deleted.response.body.len()), (200, 0));
        assert_eq!(caller.get(&own).await.status, 404);
    }
    assert_eq!(sim.mutations().len(), 21);
}

#[tokio::test]
async fn values_read_as_a_zone_file_writes_them() {
    let (sim, caller, policies) = console().await;
    caller.post(&policies, a("nas.lan", "192.168.1.9")).await;
    caller.post(&policies, a("nas.lan", "192.168.1.10")).await;
    let mx = json!({ "type": "MX_RECORD", "enabled": true, "domain": "lan.test", "mailServerDomain": "mail.lan", "priority": 10 });
    caller.post(&policies, mx).await;
    assert_eq!(sim.record("NAS.lan", "A"), ["192.168.1.10", "192.168.1.9"]);
    assert_eq!(sim.record("lan.test", "MX"), ["10 mail.lan"]);
    assert!(matches!(sim.mutations().as_slice(), [UnifiMutation::Created(_), _, _]));
}

#[tokio::test]
async fn what_the_console_refuses_has_the_codes_it_was_seen_with() {
    let (sim, caller, policies) = console().await;
    let printer = Device::away("aa:bb:cc:dd:ee:09", "printer").with_local_dns_record("printer.lan");
    sim.default_site().connect(printer);
    caller.post(&policies, a("nas.lan", "192.168.1.9")).await;
    caller.post(&policies, cname("tv.lan", "nas.lan")).await;
    let same = json!({ "type": "A_RECORD", "enabled": false, "domain": "nas.lan", "ipv4Address": "192.168.1.9", "ttlSeconds": 0 });
    let mut late = a("late.lan", "192.168.1.9");
    late["ttlSeconds"] = json!(86_401);
    for (body, code) in [
        (same, "api.dns.policy.validation.record-already-exists"),
        (cname("nas.lan", "tv.lan"), "api.dns.policy.validation.cname-alias-overlap"),
        (cname("tv.lan", "other.lan"), "api.dns.policy.validation.cname-alias-overlap"),
        (a("tv.lan", "192.168.1.2"), "api.dns.policy.validation.cname-alias-overlap"),
        (txt("note.lan", "a,b"), "api.dns.policy.validation.comma-not-quoted"),
        (a("nas.localdomain", "192.168.1.9"), "api.dns.policy.validation.overlap-with-local-dns"),
        (a("printer.lan", "192.168.1.9"), "api.dns.policy.validation.overlap-with-local-dns"),
        (late, "api.request.validation-failed"),
        (a("", "192.168.1.9"), "api.request.validation-failed"),
        (
            json!({ "type": "A_RECORD", "enabled": true, "domain": "x.lan" }),
            "api.request.body.invalid",
        ),
    ] {
        let refused = caller.post(&policies, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{body}");
        assert_eq!(refused.json["statusName"], "BAD_REQUEST");
    }
    assert_eq!(caller.post(&policies, txt("note.lan", "\"a,b\"")).await.status, 201);
    assert!(sim.gateway_resolves());
}

#[tokio::test]
async fn the_consoles_own_policies_cannot_be_changed() {
    let (sim, caller, policies) = console().await;
    let own = sim
        .default_site()
        .seed_system(UnifiContent::new("unifi.lan", RecordValue::A(Ipv4Addr::new(192, 168, 1, 1))));
    let listed = caller.get(&policies).await;
    assert_eq!(listed.json["data"][0]["metadata"]["origin"], "SYSTEM_DEFINED");
    assert_eq!(caller.delete(&format!("{policies}/{}", own.id)).await.status, 400);
    assert_eq!(sim.record("unifi.lan", "A").len(), 1);
}

#[tokio::test]
async fn lists_come_in_pages_and_take_filters() {
    let (sim, caller, policies) = console().await;
    for number in 0..230_u8 {
        let address = RecordValue::A(Ipv4Addr::new(10, 0, 0, number));
        sim.default_site().seed(UnifiContent::new(&format!("host-{number}.lan"), address));
    }
    let first = caller.get(&policies).await.json;
    assert_eq!(
        (&first["count"], &first["limit"], &first["totalCount"]),
        (&json!(25), &json!(25), &json!(230))
    );
    let last = caller.get(&format!("{policies}?limit=200&offset=200")).await.json;
    assert_eq!((last["count"].as_u64(), last["data"].as_array().unwrap().len()), (Some(30), 30));
    assert_eq!(caller.get(&format!("{policies}?limit=201")).await.status, 400);
    let filtered =
        caller.get(&format!("{policies}?filter=domain.in('host-3.lan','host-4.lan')")).await.json;
    assert_eq!(filtered["totalCount"], 2);
    assert_eq!(caller.get(&format!("{policies}?filter=domain.near('x')")).await.status, 400);
}

#[tokio::test]
async fn a_listing_can_come_out_short() {
    let (sim, caller, policies) = console().await;
    sim.default_site().seed(UnifiContent::new("a.lan", RecordValue::A(Ipv4Addr::LOCALHOST)));
    sim.shorten_next_listing(ShortListing::EmptyPage);
    let short = caller.get(&policies).await.json;
    assert_eq!((short["count"].as_u64(), short["totalCount"].as_u64()), (Some(0), Some(1)));
    sim.shorten_next_listing(ShortListing::EmptyObject);
    assert_eq!(caller.get(&policies).await.json, json!({}));
    assert_eq!(caller.get(&policies).await.json["count"], 1);
}

#[tokio::test]
async fn only_connected_clients_are_listed_and_an_address_may_be_missing() {
    let (sim, caller, policies) = console().await;
    let site = sim.default_site();
    site.connect(Device::wired("AA:BB:CC:DD:EE:01", "tv", Ipv4Addr::new(192, 168, 1, 20)));
    site.connect(Device::away("aa:bb:cc:dd:ee:02", "phone"));
    site.connect(Device {
        link: Link::Wireless(None),
        ..Device::away("aa:bb:cc:dd:ee:03", "lamp")
    });
    let clients = policies.replace("dns/policies", "clients");
    let all = caller.get(&clients).await.json;
    assert_eq!(all["totalCount"], 2);
    assert_eq!(all["data"][1]["type"], "WIRELESS");
    assert!(all["data"][1].get("ipAddress").is_none());
    let tv = caller.get(&format!("{clients}?filter=macAddress.in('aa:bb:cc:dd:ee:01')")).await.json;
    assert_eq!(tv["data"][0]["ipAddress"], "192.168.1.20");
}

#[tokio::test]
async fn sites_are_named_by_their_uuid() {
    let (_sim, caller, _) = console().await;
    assert_eq!(caller.get(&format!("{API}/sites/default/dns/policies")).await.status, 400);
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(caller.get(&format!("{API}/sites/{unknown}/dns/policies")).await.status, 404);
}
