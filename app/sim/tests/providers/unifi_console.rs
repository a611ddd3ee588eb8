//! Getting into a console: which software it is, keys, logins, TLS, and what goes wrong on the way.

use jiff::{SignedDuration, Timestamp};
use landfall_os::http::{Method, Pin, Tls};
use landfall_sim::clock::Clock;
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::unifi::{SessionsInIntegration, Software, Transport, UnifiSettings, UnifiSim};
use serde_json::json;

use crate::caller::{Caller, Heard};

const INFO: &str = "/proxy/network/integration/v1/info";
const RECORDS: &str = "/proxy/network/v2/api/site/default/static-dns";

async fn login(caller: &Caller, path: &str, password: &str) -> Heard {
    caller
        .post(path, json!({ "username": "landfall", "password": password, "remember": true }))
        .await
}

/// A caller with the session and the CSRF token that a login gave.
fn logged_in(sim: &UnifiSim, login: &Heard) -> Caller {
    let cookie = login.response.header("set-cookie").unwrap().split(';').next().unwrap();
    let csrf = login.response.header("x-csrf-token").unwrap();
    Caller::new(&sim.url()).with("cookie", cookie).with("x-csrf-token", csrf)
}

#[tokio::test]
async fn the_root_tells_which_software_it_is() {
    let console = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    assert_eq!(Caller::new(&console.url()).get("/").await.status, 200);
    let settings = UnifiSettings { software: Software::SelfHosted, ..UnifiSettings::default() };
    let controller = UnifiSim::start(settings).await.unwrap();
    let caller = Caller::new(&controller.url()).with("x-api-key", "simulated-unifi-key");
    assert_eq!(caller.get("/").await.status, 302);
    assert_eq!(caller.get("/integration/v1/info").await.json["applicationVersion"], "10.4.57");
    assert_eq!(caller.get(INFO).await.status, 404);
}

#[tokio::test]
async fn whoever_is_unknown_hears_it_from_the_proxy_or_from_the_application() {
    let console = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    let proxy = Caller::new(&console.url()).get(INFO).await;
    assert_eq!((proxy.status, proxy.json["error"]["code"].as_u64()), (401, Some(401)));
    let settings = UnifiSettings { software: Software::SelfHosted, ..UnifiSettings::default() };
    let controller = UnifiSim::start(settings).await.unwrap();
    let caller = Caller::new(&controller.url()).with("x-api-key", "wrong");
    let application = caller.get("/integration/v1/info").await;
    assert_eq!(
        (application.status, application.code()),
        (401, "api.authentication.missing-credentials")
    );
    let classic = caller.get("/api/s/default/stat/sta").await;
    assert_eq!(
        (classic.status, &classic.json["meta"]["msg"]),
        (401, &json!("api.err.LoginRequired"))
    );
}

#[tokio::test]
async fn a_session_writes_with_its_csrf_token_alone() {
    let sim = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    let anybody = Caller::new(&sim.url());
    let heard = login(&anybody, "/api/auth/login", "simulated-unifi-password").await;
    assert_eq!(heard.status, 200);
    let caller = logged_in(&sim, &heard);
    let body = json!({ "record_type": "A", "key": "nas.lan", "value": "192.168.1.9" });
    assert_eq!(caller.post(RECORDS, body.clone()).await.status, 200);
    sim.rotate_csrf_tokens();
    let refused = caller.post(RECORDS, body).await;
    assert_eq!(refused.status, 403);
    let news = refused.response.header("x-updated-csrf-token").unwrap().to_owned();
    let cookie = heard.response.header("set-cookie").unwrap().split(';').next().unwrap();
    let caller = Caller::new(&sim.url()).with("cookie", cookie).with("x-csrf-token", &news);
    let body = json!({ "record_type": "A", "key": "tv.lan", "value": "192.168.1.10" });
    assert_eq!(caller.post(RECORDS, body).await.status, 200);
    assert_eq!(caller.get(INFO).await.code(), "api.authentication.missing-credentials");
    sim.end_sessions();
    assert_eq!(caller.get(RECORDS).await.status, 401);
}

#[tokio::test]
async fn a_session_opens_the_integration_api_where_that_is_so() {
    let settings = UnifiSettings {
        sessions_in_integration: SessionsInIntegration::Accepted,
        ..UnifiSettings::default()
    };
    let sim = UnifiSim::start(settings).await.unwrap();
    let heard =
        login(&Caller::new(&sim.url()), "/api/auth/login", "simulated-unifi-password").await;
    assert_eq!(logged_in(&sim, &heard).get(INFO).await.status, 200);
}

#[tokio::test]
async fn too_many_logins_in_a_minute_are_refused() {
    let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
    let settings =
        UnifiSettings { clock: clock.clone(), logins_per_minute: 2, ..UnifiSettings::default() };
    let sim = UnifiSim::start(settings).await.unwrap();
    let caller = Caller::new(&sim.url());
    let wrong = login(&caller, "/api/auth/login", "wrong").await;
    assert_eq!((wrong.status, wrong.code()), (403, "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"));
    login(&caller, "/api/auth/login", "simulated-unifi-password").await;
    let limited = login(&caller, "/api/auth/login", "simulated-unifi-password").await;
    assert_eq!((limited.status, limited.code()), (429, "AUTHENTICATION_FAILED_LIMIT_REACHED"));
    clock.advance(SignedDuration::from_secs(61));
    let later = login(&caller, "/api/auth/login", "simulated-unifi-password").await;
    assert_eq!((later.status, sim.login_attempts()), (200, 4));
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_only_by_those_who_know_it() {
    let settings =
        UnifiSettings { transport: Transport::HttpsSelfSigned, ..UnifiSettings::default() };
    let sim = UnifiSim::start(settings).await.unwrap();
    let certificate = sim.certificate().unwrap();
    let knowing = [
        Tls::Ca(certificate.pem.clone()),
        Tls::Pin(Pin::Certificate(certificate.fingerprint)),
        Tls::Pin(Pin::Key(certificate.spki_fingerprint)),
        Tls::Insecure,
    ];
    for tls in knowing {
        let caller = Caller::with_tls(&sim.url(), tls).with("x-api-key", "simulated-unifi-key");
        assert_eq!(caller.get(INFO).await.status, 200);
    }
    for tls in [Tls::System, Tls::Pin(Pin::Certificate([0; 32]))] {
        let stranger = Caller::with_tls(&sim.url(), tls);
        assert!(stranger.send(Method::GET, INFO, None).await.is_err());
    }
}

#[tokio::test]
async fn faults_strike_before_or_after_a_change_is_made() {
    let sim = UnifiSim::start(UnifiSettings::default()).await.unwrap();
    let caller = Caller::new(&sim.url()).with("x-api-key", "simulated-unifi-key");
    let body = |key: &str| json!({ "record_type": "A", "key": key, "value": "192.168.1.9" });
    let second_write = On::write("/proxy/network/**").skipping(1);
    sim.faults().inject(second_write, Fault::AfterCommit(Answer::bad_gateway()));
    assert_eq!(caller.post(RECORDS, body("a.lan")).await.status, 200);
    assert_eq!(caller.post(RECORDS, body("b.lan")).await.status, 502);
    assert_eq!(sim.record("b.lan", "A"), ["192.168.1.9"]);
    sim.faults().inject(On::write("/proxy/network/**"), Fault::Instead(Answer::bad_gateway()));
    assert_eq!(caller.post(RECORDS, body("c.lan")).await.status, 502);
    sim.faults().inject(On::write("/proxy/network/**"), Fault::ResetAfterCommit);
    assert!(caller.send(Method::POST, RECORDS, Some(body("d.lan"))).await.is_err());
    assert_eq!((sim.record("c.lan", "A").len(), sim.record("d.lan", "A").len()), (0, 1));
    assert_eq!(sim.exchanges().count(|exchange| exchange.wire == Wire::Unifi), 4);
}
