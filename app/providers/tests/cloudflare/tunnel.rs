//! Routes through a shared tunnel: their rules, their CNAMEs, and what belongs to others.

use std::time::Duration;

use landfall_core::lease::LeaseProof;
use landfall_core::plan::{Effect, Landed, Outcome};
use landfall_os::clock::Moment;
use landfall_providers::{Hold, ProviderError};
use landfall_sim::cloudflare::{CloudflareMutation, ConfigSource, RecordFields};
use landfall_sim::fault::{Answer, Fault, Gate, On};
use serde_json::json;

use crate::world::{MARKER, World};

const PUT: &str = "/client/v4/accounts/*/cfd_tunnel/*/configurations";

fn hostnames(world: &World) -> Vec<String> {
    let rules = world.media().rules().into_iter();
    rules.map(|rule| rule.hostname.unwrap_or_else(|| format!("-> {}", rule.service))).collect()
}

#[tokio::test]
async fn a_first_route_creates_the_tunnel_its_rule_and_its_name() {
    let mut world = World::new().await;
    world.tunnel("jellyfin", "  jellyfin.example.com: http://jellyfin.internal.lan:8096");
    let plan = world.plan().await;
    assert_eq!(plan.containers.values().flatten().collect::<Vec<_>>(), ["tunnel media"]);
    world.run().await;
    assert_eq!(world.media().source(), ConfigSource::Cloudflare);
    assert_eq!(
        world.media().services("jellyfin.example.com"),
        ["http://jellyfin.internal.lan:8096"]
    );
    let cname = &world.zone().named("jellyfin.example.com")[0].fields;
    assert_eq!(cname.content, format!("{}.cfargotunnel.com", world.media().id()));
    assert_eq!((cname.proxied, cname.comment.as_deref()), (true, Some(MARKER)));
    assert!(world.plan().await.containers.is_empty());
}

#[tokio::test]
async fn a_plan_is_the_same_before_the_tunnel_exists_and_after() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let before = world.plan().await;
    world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
    assert_eq!(world.plan().await.digest(), before.digest());
}

#[tokio::test]
async fn two_services_on_one_tunnel_lose_no_route() {
    let mut world = World::new().await;
    world.tunnel("jellyfin", "  jellyfin.example.com: http://jellyfin.lan:8096");
    world.run().await;
    world.tunnel(
        "grafana",
        "  grafana.example.com: { origin: https://grafana.lan:3000, no_tls_verify: true }",
    );
    world.run().await;
    assert_eq!(
        hostnames(&world),
        ["jellyfin.example.com", "grafana.example.com", "-> http_status:404"]
    );
    world.remove("jellyfin", "cloudflare_tunnel");
    world.run().await;
    assert_eq!(hostnames(&world), ["grafana.example.com", "-> http_status:404"]);
    assert_eq!(world.zone().named("jellyfin.example.com"), []);
}

#[tokio::test]
async fn a_reviewed_change_stands_when_another_service_changes_the_tunnel_meanwhile() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let reviewed = world.effect("cloudflare_tunnel").await;
    let tunnel = world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
    tunnel.seed_rules(&json!([
        { "hostname": "b.example.com", "service": "http://b.lan" }, { "service": "http_status:404" },
    ]));
    assert_eq!(world.effect("cloudflare_tunnel").await, reviewed);
    assert!(matches!(world.apply(&reviewed).await, Outcome::Done(_)));
    assert_eq!(hostnames(&world), ["b.example.com", "a.example.com", "-> http_status:404"]);
}

#[tokio::test]
async fn what_belongs_to_others_stays_to_the_last_setting() {
    let mut world = World::new().await;
    let tunnel = world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
    let foreign = json!([
        { "hostname": "old.example.com", "path": "^/x", "service": "http://old.lan", "originRequest": { "futureKey": { "deep": 1 } } },
        { "hostname": "*.example.com", "service": "http://wild.lan" },
        { "service": "http_status:503" },
    ]);
    tunnel.seed_rules(&foreign);
    world.zone().seed(RecordFields::new("TXT", "other.example.com", "theirs"));
    world.tunnel("web", "  a.example.com: http://a.lan");
    world.run().await;
    assert_eq!(
        hostnames(&world),
        ["old.example.com", "a.example.com", "*.example.com", "-> http_status:503"]
    );
    world.remove("web", "cloudflare_tunnel");
    world.run().await;
    assert_eq!(world.media().config()["ingress"], foreign);
    assert_eq!(world.zone().record("other.example.com", "TXT").len(), 1);
}

#[tokio::test]
async fn settings_and_paths_are_written_in_the_vendors_spelling_and_order() {
    let mut world = World::new().await;
    world.tunnel(
        "web",
        "  '*.example.com': http://wild.lan\n  a.example.com:\n    - http://rest.lan\n    - { path: ^/api, origin: https://api.lan, \
         origin_server_name: api.lan, connect_timeout: 5 }\n    - { path: ^/api/v2, origin: http_status:410 }",
    );
    world.run().await;
    let rules = world.media().config()["ingress"].clone();
    assert_eq!(
        rules,
        json!([
            { "hostname": "a.example.com", "path": "^/api/v2", "service": "http_status:410" },
            { "hostname": "a.example.com", "path": "^/api", "service": "https://api.lan",
              "originRequest": { "originServerName": "api.lan", "connectTimeout": 5 } },
            { "hostname": "a.example.com", "service": "http://rest.lan" },
            { "hostname": "*.example.com", "service": "http://wild.lan" },
            { "service": "http_status:404" },
        ])
    );
    assert_eq!(world.zone().records().len(), 2);
}

/// A hostname's way before and after a change: paths, origins and every setting.
const WAYS: [(&str, &str); 24] = [
    ("http://a.lan", "https://a.lan:8443"),
    ("http://[2001:DB8::1]:8080", "tcp://[2001:db8::2]:5432"),
    ("unix:/run/a.sock", "http_status:503"),
    ("hello_world", "ssh://A.lan:22"),
    ("{ path: ^/api, origin: http://a.lan }", "{ path: ^/api/v2, origin: http://a.lan }"),
    (
        "{ path: '\\.(jpg|png)$', origin: http://a.lan }",
        "[{ path: /x, origin: http://a.lan }, http://b.lan]",
    ),
    ("{ path: 'a b', origin: http://a.lan }", "{ path: /^/a, origin: http://a.lan }"),
    (
        "{ origin: https://a.lan, access: { team_name: acme, aud_tag: [x] } }",
        "{ origin: https://a.lan, access: { required: true, team_name: acme, aud_tag: [x, y] } }",
    ),
    (
        "{ origin: https://a.lan, ca_pool: /etc/ca.pem }",
        "{ origin: https://a.lan, ca_pool: /etc/other.pem }",
    ),
    (
        "{ origin: https://a.lan, connect_timeout: 5 }",
        "{ origin: https://a.lan, connect_timeout: 0 }",
    ),
    (
        "{ origin: https://a.lan, disable_chunked_encoding: true }",
        "{ origin: https://a.lan, disable_chunked_encoding: false }",
    ),
    (
        "{ origin: https://a.lan, http2_origin: true }",
        "{ origin: https://a.lan, http2_origin: false }",
    ),
    (
        "{ origin: https://a.lan, http_host_header: b.lan }",
        "{ origin: https://a.lan, http_host_header: c.lan }",
    ),
    (
        "{ origin: https://a.lan, keep_alive_connections: 10 }",
        "{ origin: https://a.lan, keep_alive_connections: 20 }",
    ),
    (
        "{ origin: https://a.lan, keep_alive_timeout: 60 }",
        "{ origin: https://a.lan, keep_alive_timeout: 61 }",
    ),
    (
        "{ origin: https://a.lan, match_sni_to_host: true }",
        "{ origin: https://a.lan, match_sni_to_host: false }",
    ),
    (
        "{ origin: https://a.lan, no_happy_eyeballs: true }",
        "{ origin: https://a.lan, no_happy_eyeballs: false }",
    ),
    (
        "{ origin: https://a.lan, no_tls_verify: true }",
        "{ origin: https://a.lan, no_tls_verify: false }",
    ),
    (
        "{ origin: https://a.lan, origin_server_name: b.lan }",
        "{ origin: https://a.lan, origin_server_name: c.lan }",
    ),
    ("{ origin: tcp://a.lan, proxy_type: socks }", "{ origin: tcp://a.lan, proxy_type: '' }"),
    (
        "{ origin: https://a.lan, tcp_keep_alive: 30 }",
        "{ origin: https://a.lan, tcp_keep_alive: 31 }",
    ),
    ("{ origin: https://a.lan, tls_timeout: 10 }", "https://a.lan"),
    (
        "{ origin: https://a.lan, tls_timeout: 10, http2_origin: true }",
        "{ origin: https://a.lan, http2_origin: true }",
    ),
    (
        "[{ path: /a, origin: http://a.lan }, { path: /b, origin: http://b.lan }]",
        "{ path: /b, origin: http://b.lan }",
    ),
];

#[tokio::test]
async fn every_way_is_created_changed_and_deleted_and_planned_again_to_nothing() {
    for hostname in ["a.example.com", "'*.example.com'", "Bücher.example.com", "example.com"] {
        for (first, second) in WAYS {
            let mut world = World::new().await;
            world.tunnel("web", &format!("  {hostname}: {first}"));
            world.run().await;
            assert!(hostnames(&world).len() > 1, "{first}");
            world.tunnel("web", &format!("  {hostname}: {second}"));
            assert_ne!(world.planned().await, Vec::<String>::new(), "{first} to {second}");
            world.run().await;
            world.remove("web", "cloudflare_tunnel");
            world.run().await;
            assert_eq!(hostnames(&world), ["-> http_status:404"], "{second}");
            assert_eq!(world.zone().records(), [], "{second}");
        }
    }
}

#[tokio::test]
async fn a_rule_of_others_is_a_conflict_until_it_is_adopted() {
    let mut world = World::new().await;
    let tunnel = world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
    tunnel.seed_rules(&json!([{ "hostname": "a.example.com", "service": "http://old.lan" }, { "service": "http_status:404" }]));
    let name = format!("{}.cfargotunnel.com", tunnel.id());
    world.zone().seed(RecordFields::new("CNAME", "a.example.com", &name).proxied());
    world.tunnel("web", "  a.example.com: http://new.lan");
    assert_eq!(world.plan().await.conflicts().count(), 2);
    world.tunnel("web", "  a.example.com: { origin: http://new.lan, adopt: true }");
    assert_eq!(world.planned().await, ["adopt CNAME a.example.com", "adopt rule a.example.com"]);
    world.run().await;
    assert_eq!(world.media().services("a.example.com"), ["http://new.lan"]);
}

#[tokio::test]
async fn a_name_that_leads_to_a_deleted_tunnel_is_brought_to_the_living_one() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    world.run().await;
    let old = world.media().id();
    world.delete_tunnel(&old).await;
    assert_eq!(world.planned().await, ["update CNAME a.example.com", "create rule a.example.com"]);
    world.run().await;
    assert_ne!(world.media().id(), old);
    assert_eq!(
        world.zone().record("a.example.com", "CNAME"),
        [format!("{}.cfargotunnel.com", world.media().id())]
    );
}

#[tokio::test]
async fn a_record_that_names_a_tunnel_by_uuid_is_planned_again_to_nothing() {
    let mut world = World::new().await;
    let id = world.sim.seed_tunnel("media", ConfigSource::Cloudflare).id();
    world.dns(&format!("a.example.com: {{ cname: {id}.cfargotunnel.com, proxied: true }}\nb.example.com: {{ cname: 00000000-0000-4000-8000-000000000000.cfargotunnel.com }}"));
    world.run().await;
    assert_eq!(world.zone().record("a.example.com", "CNAME"), [format!("{id}.cfargotunnel.com")]);
}

#[tokio::test]
async fn what_another_host_says_of_an_account_is_about_another_one() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    let elsewhere = world.connection_to("https://evil.example/client/v4");
    let scope = "tunnel media".to_owned();
    let reader = world.reader_of(&*elsewhere).await;
    let target = reader.identify(&[scope.clone()].into()).await.unwrap().remove(&scope).unwrap();
    assert_eq!(target.to_string(), format!("{}@evil.example/media", account_of(&effect)));
    let writer = world.writer_of(&*elsewhere).await;
    for kind in ["cloudflare_tunnel", "cloudflare_dns"] {
        let effect = world.effect(kind).await;
        let lease = LeaseProof::new(effect.target.clone(), 1);
        let hold = Hold::new(&lease, Moment::now() + Duration::from_hours(1));
        assert!(matches!(writer.apply(&effect, hold).await, Ok(Outcome::Failed(_))), "{kind}");
        let error = writer.read_back(&effect).await.unwrap_err();
        assert!(matches!(error, ProviderError::Missing(_)), "{kind}: {error:?}");
    }
    assert_eq!(world.sim.mutations(), []);
}

/// A lease that would end before an answer comes must not be written under: somebody else may have
/// it by then.
#[tokio::test]
async fn nothing_is_sent_when_the_lease_would_not_last() {
    let mut world = World::new().await;
    world.dns("mail.example.com: { txt: v=spf1 }");
    let record = world.effect("cloudflare_dns").await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let route = world.effect("cloudflare_tunnel").await;
    for effect in [record, route] {
        let later = world.apply_until(&effect, Moment::now()).await.unwrap_err();
        assert!(later.why.contains("lease"), "{later}");
    }
    assert_eq!(world.sim.mutations(), []);
}

/// `cloudflare_tunnel:account` of an effect on the tunnel `media`.
fn account_of(effect: &Effect) -> String {
    effect.target.to_string().strip_suffix("/media").unwrap().to_owned()
}

#[tokio::test]
async fn a_tunnel_managed_by_a_file_is_refused_with_the_way_out() {
    let mut world = World::new().await;
    world.sim.seed_tunnel("media", ConfigSource::Local);
    world.tunnel("web", "  a.example.com: http://a.lan");
    let error = world.try_plan().await.unwrap_err().to_string();
    assert!(error.contains("Start migration"), "{error}");
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_is_unknown_and_read_back_as_done() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    world.sim.faults().inject(On::method("PUT", PUT), Fault::AfterCommit(Answer::bad_gateway()));
    assert!(matches!(world.apply(&effect).await, Outcome::Unknown(_)));
    let (landed, ids) = world.writer().await.read_back(&effect).await.unwrap();
    assert_eq!((landed, ids.len()), (vec![Landed::After], 1));
    assert_eq!(world.media().version(), 1);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_leaves_one_tunnel() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    world
        .sim
        .faults()
        .inject(On::post("/client/v4/accounts/*/cfd_tunnel"), Fault::ResetAfterCommit);
    assert!(matches!(world.apply(&effect).await, Outcome::Unknown(_)));
    let (landed, _) = world.writer().await.read_back(&effect).await.unwrap();
    assert_eq!(landed, [Landed::Before]);
    assert!(matches!(world.apply(&effect).await, Outcome::Done(_)));
    let created = |m: &&CloudflareMutation| matches!(m, CloudflareMutation::TunnelCreated { .. });
    assert_eq!(world.sim.mutations().iter().filter(created).count(), 1);
}

#[tokio::test]
async fn a_tunnel_that_somebody_creates_at_the_same_moment_is_taken() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    let gate = Gate::closed();
    let path = "/client/v4/accounts/*/cfd_tunnel";
    world.sim.faults().inject(On::post(path), Fault::Hold(gate.clone()));
    let (outcome, ()) = tokio::join!(world.apply(&effect), async {
        gate.arrival().await;
        world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
        gate.open();
    });
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(hostnames(&world), ["a.example.com", "-> http_status:404"]);
}

#[tokio::test]
async fn who_writes_between_our_read_and_our_write_makes_the_outcome_unknown() {
    let mut world = World::new().await;
    let tunnel = world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
    world.tunnel("web", "  a.example.com: http://a.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    let gate = Gate::closed();
    world.sim.faults().inject(On::method("PUT", PUT), Fault::Hold(gate.clone()));
    let theirs = json!([{ "hostname": "b.example.com", "service": "http://b.lan" }, { "service": "http_status:404" }]);
    let (outcome, ()) = tokio::join!(world.apply(&effect), async {
        gate.arrival().await;
        tunnel.seed_rules(&theirs);
        gate.open();
    });
    assert!(
        matches!(&outcome, Outcome::Unknown(said) if said.contains("somebody else")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn who_writes_after_our_write_and_leaves_our_rules_does_no_harm() {
    for (leaves_ours, done) in [(true, true), (false, false)] {
        let mut world = World::new().await;
        let tunnel = world.sim.seed_tunnel("media", ConfigSource::Cloudflare);
        world.tunnel("web", "  a.example.com: http://a.lan");
        let effect = world.effect("cloudflare_tunnel").await;
        let gate = Gate::closed();
        // The first read of the effect passes, the one that verifies waits.
        world.sim.faults().inject(On::get(PUT).skipping(1), Fault::Hold(gate.clone()));
        let mut theirs = vec![
            json!({ "hostname": "b.example.com", "service": "http://b.lan" }),
            json!({ "service": "http_status:404" }),
        ];
        if leaves_ours {
            theirs.insert(0, json!({ "hostname": "a.example.com", "service": "http://a.lan" }));
        }
        let (outcome, ()) = tokio::join!(world.apply(&effect), async {
            gate.arrival().await;
            tunnel.seed_rules(&theirs.into());
            gate.open();
        });
        assert_eq!(matches!(outcome, Outcome::Done(_)), done, "{outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), !done);
    }
}

#[tokio::test]
async fn a_rule_that_changed_since_the_plan_is_refused_and_nothing_is_sent() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    world.run().await;
    world.tunnel("web", "  a.example.com: http://b.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    world.media().seed_rules(&json!([{ "hostname": "a.example.com", "service": "http://c.lan" }, { "service": "http_status:404" }]));
    let outcome = world.apply(&effect).await;
    assert!(
        matches!(&outcome, Outcome::Moved(said) if said.contains("http://c.lan")),
        "{outcome:?}"
    );
    assert_eq!(world.media().services("a.example.com"), ["http://c.lan"]);
}

#[tokio::test]
async fn one_service_on_a_tunnel_is_planned_in_three_reads() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    world.run().await;
    world.sim.exchanges().clear();
    assert_eq!(world.planned().await, Vec::<String>::new());
    assert_eq!(world.sim.exchanges().all().len(), 3, "{:?}", world.sim.exchanges().all());
}

#[tokio::test]
async fn the_connectors_secret_is_in_nothing_that_we_say() {
    let mut world = World::new().await;
    world.tunnel("web", "  a.example.com: http://a.lan");
    let effect = world.effect("cloudflare_tunnel").await;
    // The create's answer, with its secrets, arrives as an error's body.
    let created = json!({ "success": false, "errors": [{ "code": 1, "message": "no" }], "result": { "token": "connector-secret" } });
    let refused = Answer::new(400, created.to_string());
    world
        .sim
        .faults()
        .inject(On::post("/client/v4/accounts/*/cfd_tunnel"), Fault::Instead(refused));
    let outcome = format!("{:?}", world.apply(&effect).await);
    assert!(outcome.contains("no [1]") && !outcome.contains("connector-secret"), "{outcome}");
    let outcome = world.apply(&effect).await;
    assert!(matches!(outcome, Outcome::Done(_)));
    assert!(!format!("{outcome:?}").contains(&world.media().secret()));
}
