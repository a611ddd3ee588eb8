//! UniFi's Integration API: what is right and wrong, and what a simulated console answers.

use landfall_os::http::Method;
use landfall_sim::exchange::Wire;
use landfall_sim::unifi::{UnifiSettings, UnifiSim};
use serde_json::{Value, json};

use crate::caller::{Caller, assert_faithful, exchange, faults};

const API: &str = "/proxy/network/integration/v1";
const SITE: &str = "88f7af54-98f8-306a-a1c7-c9349722b1f6";

fn write(body: &Value) -> Vec<String> {
    let request = format!("POST {API}/sites/{SITE}/dns/policies");
    let refusal =
        json!({ "statusCode": 400, "statusName": "BAD_REQUEST", "code": "api.x", "message": "no" });
    faults(&exchange(Wire::Unifi, &request, body, 400, &refusal))
}

#[test]
fn a_policy_is_held_against_the_description_of_its_type() {
    let policy = json!({ "type": "A_RECORD", "enabled": true, "domain": "nas.lan", "ipv4Address": "10.0.0.9", "ttlSeconds": 300 });
    assert_eq!(write(&policy), [""; 0]);
    let mut late = policy.clone();
    late["ttlSeconds"] = json!(86401);
    assert_eq!(
        write(&late),
        ["request body, /ttlSeconds: it is greater than the maximum of 86400"]
    );
    let mut other = policy.clone();
    other["type"] = json!("CNAME_RECORD");
    assert_eq!(write(&other), [r#"request body: "targetDomain" is a required property"#]);
    let mut unknown = policy.clone();
    unknown["type"] = json!("PTR_RECORD");
    assert!(write(&unknown)[0].starts_with("request body, /type: it is not one of"));
    let mut more = policy;
    more["comment"] = json!("ours");
    assert_eq!(write(&more), ["request body: the vendor knows no comment"]);
}

#[test]
fn a_page_that_says_less_than_a_console_is_found() {
    let request = format!("GET {API}/sites/{SITE}/dns/policies?offset=0&limit=200");
    let short =
        exchange(Wire::Unifi, &request, &Value::Null, 200, &json!({ "data": [], "limit": 200 }));
    assert_eq!(faults(&short)[0], r#"answer 200: "count" is a required property"#);
    let policy = json!({ "type": "A_RECORD", "enabled": true, "domain": "nas.lan", "ipv4Address": "10.0.0.9", "ttlSeconds": 300 });
    let page = json!({ "count": 1, "limit": 25, "offset": 0, "totalCount": 1, "data": [policy] });
    let bare = exchange(Wire::Unifi, &request, &Value::Null, 200, &page);
    let found = faults(&bare).join("\n");
    assert!(found.contains(r#"answer 200, /data/0: "id" is a required property"#), "{found}");
}

#[test]
fn a_site_is_named_by_its_uuid() {
    let request = format!("GET {API}/sites/default/dns/policies");
    let refusal = json!({ "statusCode": 400, "code": "api.request.argument-type-mismatch" });
    let found = faults(&exchange(Wire::Unifi, &request, &Value::Null, 400, &refusal));
    assert_eq!(found, ["path: the value of siteId is not what the vendor takes"]);
}

#[test]
fn apis_that_ubiquiti_does_not_describe_are_not_looked_at() {
    let request = "POST /proxy/network/v2/api/site/default/static-dns";
    let other = exchange(Wire::Unifi, request, &json!({ "anything": 1 }), 418, &Value::Null);
    assert_eq!(faults(&other), [""; 0]);
}

#[tokio::test]
async fn a_simulated_console_answers_as_one_does() {
    let sim = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    let stranger = Caller::new(&sim.url());
    stranger.get(&format!("{API}/sites")).await;
    let caller = Caller::new(&sim.url()).with("x-api-key", "simulated-unifi-key");
    caller.get(&format!("{API}/info")).await;
    let sites = caller.get(&format!("{API}/sites?offset=0&limit=25")).await;
    let site = format!("{API}/sites/{}", sites["data"][0]["id"].as_str().unwrap());
    let policies = format!("{site}/dns/policies");
    for policy in policies_of_every_type() {
        let made = caller.post(&policies, policy.clone()).await;
        let own = format!("{policies}/{}", made["id"].as_str().unwrap());
        caller.send(Method::PUT, &own, policy).await;
        caller.get(&own).await;
    }
    let all = caller.get(&format!("{policies}?limit=3&offset=2")).await;
    assert_eq!((&all["count"], &all["totalCount"]), (&json!(3), &json!(7)));
    let own = format!("{policies}/{}", all["data"][0]["id"].as_str().unwrap());
    caller.send(Method::DELETE, &own, Value::Null).await;
    let gone = caller.get(&own).await;
    assert_eq!(gone["statusCode"], 404);
    caller.get(&format!("{site}/clients")).await;
    assert_faithful(sim.exchanges());
}

fn policies_of_every_type() -> [Value; 7] {
    let policy = |kind: &str, rest: Value| {
        let mut policy = json!({ "type": kind, "enabled": true, "domain": "x.lan" });
        policy.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        policy["domain"] = json!(format!("{}.lan", kind.to_ascii_lowercase().replace('_', "-")));
        policy
    };
    [
        policy("A_RECORD", json!({ "ipv4Address": "192.168.1.9", "ttlSeconds": 300 })),
        policy("AAAA_RECORD", json!({ "ipv6Address": "fd00::9", "ttlSeconds": 0 })),
        policy("CNAME_RECORD", json!({ "targetDomain": "nas.lan", "ttlSeconds": 0 })),
        policy("MX_RECORD", json!({ "mailServerDomain": "mail.lan", "priority": 10 })),
        policy("TXT_RECORD", json!({ "text": "hello" })),
        policy(
            "SRV_RECORD",
            json!({ "service": "_ldap", "protocol": "_tcp", "serverDomain": "ldap.lan", "port": 389, "priority": 0, "weight": 5 }),
        ),
        policy("FORWARD_DOMAIN", json!({ "ipAddress": "192.168.1.53" })),
    ]
}
