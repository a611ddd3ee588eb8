//! How a console is found out about and come into.

use landfall_os::http::{AddressRules, Pin};
use landfall_providers::{ConnectionProvider, ProviderError};
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::unifi::{
    SessionsInIntegration, SiteSettings, Software, Transport, UnifiSettings, UnifiSim,
};

use crate::world::{SETUPS, Setup, World, access, identify, settings};

async fn error(world: &World) -> ProviderError {
    match world.try_reader().await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn the_console_says_which_api_it_has() {
    let standard = UnifiSettings::default;
    let accepted = SessionsInIntegration::Accepted;
    for (settings, key, in_place) in [
        (standard(), true, true),
        (UnifiSettings { software: Software::SelfHosted, ..standard() }, true, true),
        (UnifiSettings { version: "10.0.162".into(), ..standard() }, true, false),
        (UnifiSettings { version: "8.6.9".into(), ..standard() }, true, false),
        (standard(), false, false),
        (UnifiSettings { sessions_in_integration: accepted, ..standard() }, false, true),
        (UnifiSettings { software: Software::SelfHosted, ..standard() }, false, false),
    ] {
        let told = format!("{settings:?} {key}");
        let mut world =
            if key { World::with_key(settings).await } else { World::with_user(settings).await };
        world.begin_job().await;
        assert_eq!(world.observe().await.unwrap().replaces, !in_place, "{told}");
        world.set("nas.lan: { a: 192.168.1.50 }");
        world.run().await;
    }
}

#[tokio::test]
async fn a_job_logs_in_once_for_reading_and_writing() {
    let mut world =
        World::with_user(UnifiSettings { logins_per_minute: 1, ..UnifiSettings::default() }).await;
    world.begin_job().await;
    world.set("nas.lan: { a: [192.168.1.50, 192.168.1.51] }");
    world.run().await;
    assert_eq!(world.sim.login_attempts(), 1);
}

#[tokio::test]
async fn who_comes_with_a_key_never_logs_in() {
    let mut world = World::new(Setup::Integration).await;
    world.set("nas.lan: { a: 192.168.1.50 }");
    world.run().await;
    assert_eq!(world.sim.login_attempts(), 0);
}

#[tokio::test]
async fn a_session_that_ended_is_begun_once_more() {
    for setup in [UnifiSettings::default(), settings(Setup::SelfHosted)] {
        let mut world = World::with_user(setup).await;
        world.begin_job().await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        let effect = world.effect().await;
        world.sim.end_sessions();
        world.done(&effect).await;
        assert_eq!(world.sim.login_attempts(), 2);
    }
}

#[tokio::test]
async fn a_new_csrf_token_is_taken_over() {
    let mut world = World::with_user(UnifiSettings::default()).await;
    world.begin_job().await;
    world.set("nas.lan: { a: 192.168.1.50 }");
    let effect = world.effect().await;
    world.sim.rotate_csrf_tokens();
    world.done(&effect).await;
    assert_eq!((world.sim.login_attempts(), world.sim.mutations().len()), (1, 1));
}

#[tokio::test]
async fn wrong_credentials_are_told_without_them() {
    let mut world = World::new(Setup::Integration).await;
    world.fields = "api_key: 'ref+env://WRONG'".to_owned();
    let refused = error(&world).await;
    assert_eq!(
        refused,
        ProviderError::Denied(
            "the console refuses the API key: Unauthorized (HTTP 401)".to_owned()
        )
    );
    for setup in [UnifiSettings::default(), settings(Setup::SelfHosted)] {
        let mut world = World::with_user(setup).await;
        world.fields = "username: landfall, password: 'ref+env://WRONG'".to_owned();
        let refused = error(&world).await;
        assert!(
            matches!(&refused, ProviderError::Denied(text) if !text.contains("wrong-secret")),
            "{refused}"
        );
        assert_eq!(world.sim.login_attempts(), 1);
    }
}

#[tokio::test]
async fn too_many_logins_are_a_reason_to_wait() {
    let world =
        World::with_user(UnifiSettings { logins_per_minute: 0, ..UnifiSettings::default() }).await;
    let limited = error(&world).await;
    assert!(
        matches!(&limited, ProviderError::Limited { after, message }
            if after.as_secs() == 60 && message.contains("AUTHENTICATION_FAILED_LIMIT_REACHED")),
        "{limited:?}"
    );
}

#[tokio::test]
async fn a_site_that_is_not_there_is_told_with_those_that_are() {
    for setup in SETUPS {
        let mut own = settings(setup);
        own.sites.push(SiteSettings::new("lab", "The lab"));
        let mut world = if setup == Setup::SelfHosted {
            World::with_user(own).await
        } else {
            World::with_key(own).await
        };
        world.fields += ", site: attic";
        let missing = error(&world).await;
        let told = "the console has no site `attic`; it has: default, lab";
        assert_eq!(missing, ProviderError::Missing(told.to_owned()));
    }
}

#[tokio::test]
async fn each_site_is_a_target_of_its_own() {
    let mut own = UnifiSettings::default();
    own.sites.push(SiteSettings::new("lab", "The lab"));
    let mut world = World::with_key(own).await;
    let first = world.target().await;
    world.fields += ", site: lab";
    assert_ne!(world.target().await, first);
    world.set("nas.lan: { a: 192.168.1.50 }");
    world.run().await;
    assert_eq!(world.sim.site("lab").record("nas.lan", "A"), ["192.168.1.50"]);
    assert_eq!(world.site().records(), []);
}

#[tokio::test]
async fn one_site_is_one_target_whatever_the_address_the_credentials_or_the_api() {
    let by_key = World::with_key(UnifiSettings::default()).await;
    let target = by_key.target().await;
    let elsewhere = by_key.connection_to(&by_key.sim.url().replace("127.0.0.1", "localhost"));
    let reader = by_key.kind.reader(&*elsewhere, access(&*elsewhere)).await.unwrap();
    assert_eq!(identify(&*reader).await, target);
    let mut by_user = by_key;
    by_user.fields = "username: landfall, password: 'ref+env://PASSWORD'".to_owned();
    assert!(by_user.observe().await.unwrap().replaces, "a login gets the older API");
    assert_eq!(by_user.target().await, target);
}

#[tokio::test]
async fn what_is_not_a_console_or_ill_is_told_in_words() {
    let world = World::new(Setup::Integration).await;
    world.sim.faults().inject(On::get("/"), Fault::Instead(Answer::new(404, "<html>nginx</html>")));
    let told = error(&world).await.to_string();
    assert_eq!(
        told,
        "what answers at `127.0.0.1` is not a UniFi console: its front page is HTTP 404"
    );
    world.sim.faults().inject(On::get("/proxy/network/**"), Fault::Instead(Answer::bad_gateway()));
    let told = error(&world).await;
    assert_eq!(
        told,
        ProviderError::Unreachable(
            "the console cannot answer: HTTP 502 without an explanation".to_owned()
        )
    );
    let classic =
        Answer::new(200, r#"{"meta":{"rc":"error","msg":"api.err.NoPermission"},"data":[]}"#);
    world.sim.faults().inject(On::get("/proxy/network/api/**"), Fault::Instead(classic));
    assert!(error(&world).await.to_string().contains("api.err.NoPermission"));
    world.sim.faults().inject(
        On::get("/proxy/network/api/**"),
        Fault::Instead(Answer::new(200, "<html>login</html>")),
    );
    let told = error(&world).await;
    assert!(matches!(&told, ProviderError::Unexpected(text) if !text.contains("html")), "{told}");
}

#[tokio::test]
async fn an_old_console_without_static_dns_is_told_what_it_needs() {
    let world =
        World::with_key(UnifiSettings { version: "8.1.1".into(), ..UnifiSettings::default() })
            .await;
    let missing = world.observe().await.unwrap_err();
    assert!(matches!(&missing, ProviderError::Missing(text) if text.contains("8.2")), "{missing}");
}

#[tokio::test]
async fn an_address_that_the_operator_does_not_allow_is_not_connected_to() {
    let world = World::new(Setup::Integration).await;
    let connection = world.connection();
    let mut access = access(&*connection);
    access.rules = AddressRules::default();
    let refused = world.kind.reader(&*connection, access).await.map(drop).unwrap_err();
    assert!(
        matches!(&refused, ProviderError::Unreachable(text) if text.contains("LANDFALL_ALLOW_HOSTS")),
        "{refused}"
    );
    assert_eq!(world.sim.exchanges().count(|_| true), 0);
}

#[tokio::test]
async fn a_self_signed_console_is_believed_by_ca_by_pin_or_not_at_all() {
    let tls = UnifiSettings { transport: Transport::HttpsSelfSigned, ..UnifiSettings::default() };
    let mut world = World::with_key(tls).await;
    let certificate = world.sim.certificate().unwrap().clone();
    let fields = world.fields.clone();
    let pem = certificate.pem.trim().replace('\n', "\\n");
    for (tls, believed) in [
        (format!("{{ ca: \"{pem}\" }}"), true),
        (format!("{{ pin: '{}' }}", Pin::Key(certificate.spki_fingerprint)), true),
        (format!("{{ pin: '{}' }}", Pin::Certificate(certificate.fingerprint)), true),
        ("{ insecure: true }".to_owned(), true),
        (format!("{{ pin: '{}' }}", Pin::Key([7; 32])), false),
        ("{ insecure: false }".to_owned(), false),
    ] {
        world.fields = format!("{fields}, tls: {tls}");
        match world.try_reader().await {
            Ok(_) => assert!(believed, "{tls}"),
            Err(ProviderError::Unreachable(text)) => {
                assert!(
                    !believed
                        && text.contains("secure connection")
                        && text.contains("`tls: { pin: .. }`"),
                    "{text}"
                );
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn two_consoles_share_nothing() {
    let one = World::with_key(UnifiSettings::default()).await;
    let two =
        UnifiSim::start(UnifiSettings { name: "other".to_owned(), ..UnifiSettings::default() })
            .await
            .unwrap();
    let connection = one.connection_to(&two.url());
    let _held = one.reader().await;
    let reader = one.kind.reader(&*connection, access(&*connection)).await.unwrap();
    assert_ne!(identify(&*reader).await, one.target().await);
}

#[tokio::test]
async fn no_secret_is_shown_by_debug() {
    let world = World::with_user(UnifiSettings::default()).await;
    let _reader = world.reader().await;
    let shown =
        format!("{:?} {:?} {:?}", world.kind, world.connection(), access(&*world.connection()));
    assert!(!shown.contains("simulated-unifi-password"), "{shown}");
    assert!(!shown.contains("TOKEN="), "{shown}");
}
