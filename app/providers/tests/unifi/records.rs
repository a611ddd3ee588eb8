//! Every type of record on every kind of console, and what others have there.

use landfall_core::plan::{Action, Adoption, Conflict};
use landfall_providers::ProviderError;
use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_sim::unifi::{RecordValue, ShortListing, UnifiContent, UnifiMutation};
use serde_json::json;

use crate::world::{SETUPS, Setup, World};

/// A name, its fields at first and then, and the values that the console has after each.
type Case =
    (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// Every type, each in two values that differ and in spellings that are not the normal one.
const TYPES: [Case; 15] = [
    ("nas.lan", "a: 192.168.1.50", "a: 192.168.1.51", &["192.168.1.50"], &["192.168.1.51"]),
    (
        "NAS.Lan.",
        "a: [192.168.1.51, 192.168.1.50]",
        "a: [192.168.1.51, 192.168.1.52]",
        &["192.168.1.50", "192.168.1.51"],
        &["192.168.1.51", "192.168.1.52"],
    ),
    (
        "nas.lan",
        "a: 192.168.1.50",
        "{ a: 192.168.1.50, ttl: 300 }",
        &["192.168.1.50"],
        &["192.168.1.50"],
    ),
    ("nas.lan", "aaaa: 'FD00:0:0::50'", "aaaa: fd00::51", &["fd00::50"], &["fd00::51"]),
    ("media.lan", "cname: NAS.lan.", "cname: bücher.lan", &["nas.lan"], &["xn--bcher-kva.lan"]),
    ("media.lan", "{ cname: nas.lan, ttl: 60 }", "cname: nas.lan", &["nas.lan"], &["nas.lan"]),
    (
        "lan",
        "mx: 10 Mail.lan.",
        "mx: [{ priority: 10, host: mail.lan }, 20 backup.lan]",
        &["10 mail.lan"],
        &["10 mail.lan", "20 backup.lan"],
    ),
    ("lan", "mx: 10 mail.lan", "mx: 20 mail.lan", &["10 mail.lan"], &["20 mail.lan"]),
    ("info.lan", "txt: 'v=spf1 -all'", "txt: 'k=v, w'", &["v=spf1 -all"], &["\"k=v, w\""]),
    ("info.lan", "txt: ['\"a,b\"', c]", "txt: ['\"c\"']", &["\"a,b\"", "c"], &["c"]),
    ("info.lan", "txt: 'a  b   c'", "txt: 'a b c'", &["a  b   c"], &["a b c"]),
    ("info.lan", "txt: 'zwei ß, drei'", "txt: 日本語", &["\"zwei ß, drei\""], &["日本語"]),
    ("'*.apps.lan'", "a: 192.168.1.50", "cname: nas.lan", &["192.168.1.50"], &["nas.lan"]),
    (
        "_ldap._tcp.lan",
        "srv: { priority: 0, weight: 5, port: 389, target: LDAP.lan }",
        "srv: [{ priority: 0, weight: 5, port: 636, target: ldap.lan }]",
        &["0 5 389 ldap.lan"],
        &["0 5 636 ldap.lan"],
    ),
    (
        "nas.lan",
        "{ a: 192.168.1.50, txt: x, ttl: 300 }",
        "{ a: 192.168.1.50, txt: y, ttl: 300 }",
        &["192.168.1.50"],
        &["192.168.1.50"],
    ),
];

fn entry(name: &str, fields: &str) -> String {
    let whole = fields.strip_prefix("{ ").and_then(|fields| fields.strip_suffix(" }"));
    format!("{name}: {{ {} }}", whole.unwrap_or(fields))
}

fn contents(world: &World) -> Vec<String> {
    let mut all: Vec<_> =
        world.site().records().into_iter().map(|record| record.content.value.to_string()).collect();
    all.retain(|text| text != "x" && text != "y");
    all.sort();
    all
}

#[tokio::test]
async fn every_type_is_created_changed_and_deleted_and_planned_again_to_nothing() {
    for setup in SETUPS {
        for (name, first, second, there, then) in TYPES {
            let mut world = World::new(setup).await;
            world.set(&entry(name, first));
            world.run().await;
            assert_eq!(contents(&world), there, "{setup:?} {first}");
            world.set(&entry(name, second));
            assert_ne!(world.planned().await, Vec::<String>::new(), "{setup:?} {second}");
            world.run().await;
            assert_eq!(contents(&world), then, "{setup:?} {second}");
            world.set("{}");
            world.run().await;
            assert_eq!(world.site().records(), [], "{setup:?} {second}");
            assert!(world.owned.is_empty());
        }
    }
}

#[tokio::test]
async fn a_text_with_spaces_around_it_is_another_text() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.site().seed(UnifiContent::new("info.lan", RecordValue::Txt(" v=1".to_owned())));
        world.set("info.lan: { txt: v=1, adopt: true }");
        let plan = world.plan().await;
        let change = plan.changes().next().unwrap();
        assert_ne!(change.before, change.after, "{setup:?}");
        world.run().await;
        assert_eq!(contents(&world), ["v=1"], "{setup:?}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_for_the_console_is_refused_before_anything_is_planned() {
    // A comma costs two quotes, and a letter beyond ASCII more than one byte.
    for text in ["x".repeat(257), format!("{},", "x".repeat(254)), "ß".repeat(129)] {
        for setup in SETUPS {
            let mut world = World::new(setup).await;
            world.set(&format!("info.lan: {{ txt: '{text}' }}"));
            if setup == Setup::Integration {
                world.run().await;
                world.set("{}");
                world.run().await;
                assert_eq!(world.site().records(), [], "{text}");
                continue;
            }
            let findings = world.desired().await.unwrap_err();
            assert_eq!(findings[0].code, "text-too-long", "{setup:?}");
            assert!(
                findings[0].to_string().contains("1:18: the console takes texts of at most 256")
            );
        }
    }
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set(&format!("info.lan: {{ txt: ['{}', '{},'] }}", "x".repeat(256), "y".repeat(253)));
        world.run().await;
        assert_eq!(world.site().records().len(), 2);
    }
}

#[tokio::test]
async fn a_name_changes_its_type() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("media.lan: { a: [192.168.1.50, 192.168.1.51] }");
        world.run().await;
        world.set("media.lan: { cname: nas.lan }");
        assert_eq!(world.planned().await, ["delete A media.lan", "create CNAME media.lan"]);
        world.run().await;
        world.set("media.lan: { a: 192.168.1.50 }");
        world.run().await;
        assert_eq!(world.sim.record("media.lan", "A"), ["192.168.1.50"]);
    }
}

#[tokio::test]
async fn the_integration_api_changes_in_place_and_the_older_one_replaces() {
    for (setup, action) in
        [(Setup::Integration, Action::Update), (Setup::StaticDns, Action::Replace)]
    {
        let mut world = World::new(setup).await;
        world.sim.refuse_every_put();
        world.set("nas.lan: { a: 192.168.1.50 }");
        world.run().await;
        world.set("nas.lan: { a: 192.168.1.51 }");
        assert_eq!(world.effect().await.changes[0].action, action);
        world.run().await;
        let changes = world.sim.mutations().split_off(1);
        let expected = match setup {
            Setup::Integration => matches!(changes[..], [UnifiMutation::Replaced { .. }]),
            _ => matches!(changes[..], [UnifiMutation::Created(_), UnifiMutation::Deleted(_)]),
        };
        assert!(expected, "{setup:?}: {changes:?}");
    }
}

#[tokio::test]
async fn one_record_that_differs_is_one_request() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: [192.168.1.1, 192.168.1.2, 192.168.1.3] }");
        world.run().await;
        world.set("nas.lan: { a: [192.168.1.1, 192.168.1.3] }");
        world.run().await;
        assert!(matches!(world.sim.mutations()[3..], [UnifiMutation::Deleted(_)]));
    }
}

#[tokio::test]
async fn a_listing_is_read_to_its_end_and_what_others_have_stays() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        for n in 0..450 {
            let address = RecordValue::A([10, 0, (n / 250) as u8, (n % 250) as u8].into());
            world.site().seed(UnifiContent::new(&format!("host-{n}.lan"), address));
        }
        world.set("nas.lan: { a: 192.168.1.50 }");
        world.run().await;
        assert_eq!(world.observe().await.unwrap().resources.len(), 451);
        world.set("{}");
        world.run().await;
        assert_eq!(world.site().records().len(), 450);
    }
}

#[tokio::test]
async fn a_listing_that_changes_between_two_pages_is_read_anew() {
    let world = World::new(Setup::Integration).await;
    let address = |n: u8| RecordValue::A([10, 0, 0, n].into());
    for n in 0..250 {
        world.site().seed(UnifiContent::new(&format!("host-{n}.lan"), address(n)));
    }
    let (reader, target, gate) = (world.reader().await, world.target().await, Gate::closed());
    let second = On::get("/proxy/network/integration/v1/sites/*/dns/policies").skipping(1);
    world.sim.faults().inject(second, Fault::Hold(gate.clone()));
    let keys = [].into();
    let (live, ()) = tokio::join!(reader.observe(&target, &keys), async {
        gate.arrival().await;
        world.site().remove("host-0.lan");
        gate.open();
    });
    let names: Vec<_> = live.unwrap().resources.into_keys().map(|key| key.name).collect();
    assert_eq!(names.len(), 249);
    assert!(names.contains(&"host-200.lan".to_owned()), "what moved to the first page is not lost");
}

#[tokio::test]
async fn a_short_listing_is_an_error_and_never_an_empty_site() {
    for short in [ShortListing::EmptyPage, ShortListing::EmptyObject] {
        let world = World::new(Setup::Integration).await;
        world.site().seed(UnifiContent::new("nas.lan", RecordValue::A([192, 168, 1, 50].into())));
        let (reader, target) = (world.reader().await, world.target().await);
        world.sim.shorten_next_listing(short);
        let error = reader.observe(&target, &[].into()).await.unwrap_err();
        assert!(
            matches!(&error, ProviderError::Unexpected(message) if message.contains("listing")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_listing_of_millions_is_given_up_at_its_first_page() {
    let world = World::new(Setup::Integration).await;
    let (reader, target) = (world.reader().await, world.target().await);
    let page =
        json!({ "offset": 0, "limit": 200, "count": 0, "totalCount": 4_000_000, "data": [] });
    let endless = Fault::Instead(Answer::new(200, page.to_string()));
    let records = "/proxy/network/integration/v1/sites/*/dns/policies";
    world.sim.faults().inject(On::get(records).always(), endless);
    let error = reader.observe(&target, &[].into()).await.unwrap_err().to_string();
    assert_eq!(error, "the console's listing of 4000000 items is too long");
}

#[tokio::test]
async fn what_exists_is_a_conflict_until_it_is_adopted() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.site().seed(UnifiContent::new("NAS.lan", RecordValue::A([192, 168, 1, 50].into())));
        world.set("nas.lan: { a: 192.168.1.50 }");
        let plan = world.plan().await;
        let conflicts: Vec<_> = plan.conflicts().map(|(_, conflict)| conflict).collect();
        assert!(
            matches!(conflicts[..], [Conflict::Exists { live, desired, .. }] if live == desired)
        );
        world.adoption = Adoption::All;
        assert_eq!(world.planned().await, ["adopt A nas.lan"]);
        world.run().await;
        assert_eq!(world.sim.mutations(), []);
        world.set("nas.lan: { a: 192.168.1.60 }");
        world.run().await;
        assert_eq!(world.sim.record("nas.lan", "A"), ["192.168.1.60"]);
    }
}

#[tokio::test]
async fn a_disabled_record_is_not_as_wanted_and_is_enabled() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        world.run().await;
        world.site().edit("nas.lan", |content| content.enabled = false);
        assert_eq!(
            world.effect().await.changes[0].before.as_ref().unwrap()["disabled"],
            json!(["192.168.1.50"])
        );
        world.run().await;
        assert!(world.site().records()[0].content.enabled);
    }
}

#[tokio::test]
async fn a_record_of_the_console_itself_occupies_its_name_and_is_never_touched() {
    let mut world = World::new(Setup::Integration).await;
    world
        .site()
        .seed_system(UnifiContent::new("gateway.lan", RecordValue::A([192, 168, 1, 1].into())));
    world.set("gateway.lan: { cname: nas.lan }");
    let plan = world.plan().await;
    assert!(matches!(plan.conflicts().next(), Some((_, Conflict::InTheWay { .. }))));
    for adopting in ["", ", adopt: true"] {
        world.set(&format!("gateway.lan: {{ a: 192.168.1.1{adopting} }}"));
        let plan = world.plan().await;
        let conflict = plan.conflicts().next().map(|(_, conflict)| conflict.to_string());
        let told = "A gateway.lan exists already, and is the provider's own: it cannot be changed";
        assert_eq!(conflict.as_deref(), Some(told));
    }
}

#[tokio::test]
async fn a_forward_stands_in_the_way_of_a_cname() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world
            .site()
            .seed(UnifiContent::new("corp.lan", RecordValue::Forward([10, 0, 0, 53].into())));
        world.set("corp.lan: { cname: nas.lan }");
        let plan = world.plan().await;
        let conflict = plan.conflicts().next().map(|(_, conflict)| conflict.to_string());
        assert_eq!(conflict.as_deref(), Some("NS corp.lan stands in the way of CNAME corp.lan"));
    }
}
