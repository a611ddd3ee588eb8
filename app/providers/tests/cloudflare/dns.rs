//! Records of a zone: every type, applied and planned again; what others have there.

use std::time::Duration;

use landfall_core::plan::{Action, Adoption, Landed, Outcome};
use landfall_os::clock::Moment;
use landfall_providers::ProviderError;
use landfall_sim::cloudflare::{
    CloudflareMutation, CloudflareSettings, Permission, RecordFields, TokenSettings, TxtContent,
};
use landfall_sim::fault::{Answer, Fault, On};
use serde_json::json;

use crate::world::{MARKER, World};

macro_rules! fifty {
    () => {
        "0123456789abcdefghij0123456789abcdefghij0123456789"
    };
}

/// The fields of a name, before and after a change: every type, in spellings that are not the
/// normal one.
const TYPES: [(&str, &str); 14] = [
    ("a: 192.0.2.1", "a: [192.0.2.2, 192.0.2.3]"),
    ("aaaa: '2001:DB8:0:0::1'", "aaaa: 2001:db8::2"),
    ("cname: Host.Example.NET.", "cname: bücher.example"),
    (
        "mx: { priority: 10, host: Mail.example.com }",
        "mx: [20 b.example.com, 10 Mail.example.com.]",
    ),
    ("txt: 'v=spf1 include:_spf.example.net -all'", r#"txt: ['say "hi" \ there', 'zwei ß']"#),
    (
        "srv: { priority: 1, weight: 5, port: 443, target: H.example.com. }",
        "srv: { priority: 2, weight: 0, port: 80, target: h.example.com }",
    ),
    (
        "caa: { tag: Issue, value: letsencrypt.org }",
        "caa: [{ flags: 128, tag: iodef, value: 'mailto:a@example.com' }]",
    ),
    ("ns: [NS1.example.net, ns2.example.net.]", "ns: ns3.example.net"),
    ("a: 192.0.2.1, proxied: true", "a: 192.0.2.1, ttl: 300"),
    ("a: 192.0.2.1, txt: x, ttl: 300, proxied: true", "a: [192.0.2.1, 192.0.2.9], ttl: 60"),
    ("mx: { priority: 0, host: . }", "mx: 10 mail.example.com"),
    (
        "srv: { priority: 0, weight: 0, port: 0, target: . }",
        "srv: [{ priority: 0, weight: 0, port: 0, target: . }, { priority: 1, weight: 0, port: 80, target: h.example.com }]",
    ),
    (LONG_TEXTS.0, LONG_TEXTS.1),
    ("txt: ' v=1 '", "txt: v=1"),
];

/// 255 bytes, which is one string, and 256, which is two, cut in the middle of a letter.
const LONG_TEXTS: (&str, &str) = (
    concat!("txt: ", fifty!(), fifty!(), fifty!(), fifty!(), fifty!(), "fffff"),
    concat!("txt: ", fifty!(), fifty!(), fifty!(), fifty!(), fifty!(), "ffffßffffff"),
);

fn entry(fields: &str) -> String {
    format!("_x._tcp.example.com: {{ {fields} }}")
}

#[tokio::test]
async fn every_type_is_created_changed_and_deleted_and_planned_again_to_nothing() {
    for txt in [TxtContent::AsGiven, TxtContent::Quoted] {
        for (first, second) in TYPES {
            let mut world =
                World::with(CloudflareSettings { txt, ..CloudflareSettings::default() }).await;
            world.dns(&entry(first));
            world.run().await;
            assert_ne!(world.zone().records(), [], "{first}");
            world.dns(&entry(second));
            assert_ne!(world.planned().await, Vec::<String>::new(), "{second}");
            world.run().await;
            world.remove("web", "cloudflare_dns");
            world.run().await;
            assert_eq!(world.zone().records(), [], "{second}");
        }
    }
}

#[tokio::test]
async fn a_text_longer_than_one_string_is_cut_on_its_way_and_joined_on_its_way_back() {
    let mut world = World::new().await;
    let text = format!("v=DKIM1; p={}", "k".repeat(600));
    world.dns(&format!("dkim.example.com: {{ txt: '{text}' }}"));
    world.run().await;
    let content = &world.zone().records()[0].fields.content;
    assert!(content.split("\" \"").all(|part| part.trim_matches('"').len() <= 255), "{content}");
    assert_eq!(content.replace("\" \"", "").trim_matches('"'), text);
}

#[tokio::test]
async fn a_record_is_marked_as_ours_and_the_marker_is_no_difference() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    world.run().await;
    assert_eq!(world.zone().records()[0].fields.comment.as_deref(), Some(MARKER));
    world.zone().edit("a.example.com", |fields| fields.comment = Some("mine now".to_owned()));
    assert_eq!(world.planned().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_others_have_is_a_conflict_until_it_is_adopted_and_then_marked() {
    let mut world = World::new().await;
    let found = world.zone().seed(RecordFields::new("A", "a.example.com", "192.0.2.7"));
    world.dns("a.example.com: { a: 192.0.2.1 }");
    assert_eq!(world.plan().await.conflicts().count(), 1);
    world.adoption = Adoption::All;
    world.run().await;
    let records = world.zone().named("a.example.com");
    assert_eq!((records.len(), &records[0].id), (1, &found.id), "changed in place");
    assert_eq!(records[0].fields.content, "192.0.2.1");
    assert_eq!(records[0].fields.comment.as_deref(), Some(MARKER));
}

#[tokio::test]
async fn adopting_a_set_marks_the_record_that_stays_as_it_is_too() {
    let mut world = World::new().await;
    for address in ["192.0.2.1", "192.0.2.2"] {
        world.zone().seed(RecordFields::new("A", "a.example.com", address));
    }
    world.dns("a.example.com: { a: [192.0.2.1, 192.0.2.3], adopt: true }");
    world.run().await;
    let records = world.zone().named("a.example.com");
    assert!(
        records.iter().all(|record| record.fields.comment.as_deref() == Some(MARKER)),
        "{records:?}"
    );
}

#[tokio::test]
async fn a_value_added_to_a_set_is_one_new_record_and_nothing_else() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: [192.0.2.1, 192.0.2.2] }");
    world.run().await;
    world.dns("a.example.com: { a: [192.0.2.2, 192.0.2.3, 192.0.2.1] }");
    let before = world.sim.mutations().len();
    world.run().await;
    let since = &world.sim.mutations()[before..];
    assert!(matches!(since, [CloudflareMutation::RecordCreated(_)]), "{since:?}");
}

#[tokio::test]
async fn an_alias_gives_way_to_an_address_in_one_batch() {
    let mut world = World::new().await;
    world.dns("a.example.com: { cname: b.example.net }");
    world.run().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    assert_eq!(world.effects(&world.plan().await).len(), 1);
    world.run().await;
    assert_eq!(world.zone().record("a.example.com", "A"), ["192.0.2.1"]);
    assert_eq!(world.zone().records().len(), 1);
}

#[tokio::test]
async fn more_than_a_batch_takes_goes_in_several() {
    let mut world = World::new().await;
    let names: Vec<String> =
        (0..450).map(|n| format!("h{n}.example.com: {{ a: 192.0.2.1 }}")).collect();
    world.dns(&names.join("\n"));
    assert_eq!(world.effects(&world.plan().await).len(), 3);
    world.run().await;
    assert_eq!(world.zone().records().len(), 450);
}

#[tokio::test]
async fn a_zone_of_five_thousand_is_one_read_and_one_name_is_asked_for_by_name() {
    let mut world = World::new().await;
    world.zone().seed_hosts(5000);
    world.dns("a.example.com: { a: 192.0.2.1 }\nb.example.com: { a: 192.0.2.1 }");
    let _ = world.plan().await;
    world.sim.exchanges().clear();
    assert_eq!(world.planned().await, ["create A a.example.com", "create A b.example.com"]);
    assert_eq!(world.sim.exchanges().all().len(), 1, "{:?}", world.sim.exchanges().all());
    world.dns("a.example.com: { a: 192.0.2.1 }");
    world.sim.exchanges().clear();
    assert_eq!(world.planned().await, ["create A a.example.com"]);
    let exchanges = world.sim.exchanges().all();
    assert!(
        matches!(&exchanges[..], [one] if one.query.contains("name.exact=a.example.com")),
        "{exchanges:?}"
    );
}

#[tokio::test]
async fn what_changed_since_the_plan_is_refused_and_nothing_is_sent() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    world.run().await;
    world.dns("a.example.com: { a: 192.0.2.2 }");
    let effect = world.effect("cloudflare_dns").await;
    world.zone().edit("a.example.com", |fields| fields.content = "192.0.2.99".to_owned());
    let before = world.sim.mutations().len();
    let outcome = world.apply(&effect).await;
    assert!(matches!(&outcome, Outcome::Moved(said) if said.contains("192.0.2.99")), "{outcome:?}");
    assert_eq!(world.sim.mutations().len(), before);
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_is_unknown_and_read_back_as_done() {
    for fault in [Fault::AfterCommit(Answer::bad_gateway()), Fault::ResetAfterCommit] {
        let mut world = World::new().await;
        world.dns("a.example.com: { a: 192.0.2.1 }\nb.example.com: { txt: x }");
        let effect = world.effect("cloudflare_dns").await;
        world.sim.faults().inject(On::post("/client/v4/zones/*/dns_records/batch"), fault);
        assert!(matches!(world.apply(&effect).await, Outcome::Unknown(_)));
        let (landed, ids) = world.writer().await.read_back(&effect).await.unwrap();
        assert_eq!(landed, [Landed::After, Landed::After]);
        world.remember(&effect, &ids);
        assert_eq!(world.planned().await, Vec::<String>::new());
        assert_eq!(world.zone().records().len(), 2, "nothing twice");
    }
}

#[tokio::test]
async fn an_answer_lost_before_the_commit_is_unknown_and_read_back_as_not_done() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    let effect = world.effect("cloudflare_dns").await;
    let path = "/client/v4/zones/*/dns_records/batch";
    world.sim.faults().inject(On::post(path), Fault::Instead(Answer::bad_gateway()));
    assert!(matches!(world.apply(&effect).await, Outcome::Unknown(_)));
    let (landed, _) = world.writer().await.read_back(&effect).await.unwrap();
    assert_eq!(landed, [Landed::Before]);
    assert!(matches!(world.apply(&effect).await, Outcome::Done(_)));
}

#[tokio::test]
async fn part_of_a_change_in_place_is_somebody_elses_work() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: [192.0.2.1, 192.0.2.2] }");
    let effect = world.effect("cloudflare_dns").await;
    let path = "/client/v4/zones/*/dns_records/batch";
    world.sim.faults().inject(On::post(path), Fault::Instead(Answer::bad_gateway()));
    assert!(matches!(world.apply(&effect).await, Outcome::Unknown(_)));
    world.zone().seed(RecordFields::new("A", "a.example.com", "192.0.2.1"));
    let (landed, _) = world.writer().await.read_back(&effect).await.unwrap();
    assert_eq!(landed, [Landed::Foreign]);
}

#[tokio::test]
async fn a_refused_batch_changes_nothing_and_says_why() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }\nb.example.com: { a: 192.0.2.1 }");
    let mut effect = world.effect("cloudflare_dns").await;
    // A CNAME that came between: the plan saw none, and the batch is refused as a whole.
    world.zone().seed(RecordFields::new("CNAME", "b.example.com", "c.example.net"));
    let outcome = world.apply(&effect).await;
    assert!(matches!(&outcome, Outcome::Failed(said) if said.contains("[81053]")), "{outcome:?}");
    assert_eq!(world.zone().records().len(), 1);
    effect.changes.retain(|change| change.key.name == "a.example.com");
    assert!(matches!(world.apply(&effect).await, Outcome::Done(_)));
}

#[tokio::test]
async fn too_many_requests_are_told_with_their_time() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    let effect = world.effect("cloudflare_dns").await;
    let limited = || Fault::Instead(Answer::new(429, "{}").with("retry-after", "120"));
    world.sim.faults().inject(On::post("/client/v4/zones/*/dns_records/batch"), limited());
    let later =
        world.apply_until(&effect, Moment::now() + Duration::from_hours(1)).await.unwrap_err();
    assert_eq!(later.after, Duration::from_secs(120));
    assert!(later.why.contains("120 s"), "{later}");
    world.sim.faults().inject(On::get("/client/v4/zones/*/dns_records"), limited());
    let error = world.try_plan().await.unwrap_err();
    assert!(
        matches!(error, ProviderError::Limited { after, .. } if after.as_secs() == 120),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }\nb.example.com: { a: 192.0.2.1 }");
    let record = json!({ "id": "1", "type": "A", "name": "x.example.com", "content": "192.0.2.1" });
    let page = json!({ "success": true, "result": vec![record; 5000] }).to_string();
    let endless = Fault::Instead(Answer::new(200, page));
    world.sim.faults().inject(On::get("/client/v4/zones/*/dns_records").always(), endless);
    let error = world.try_plan().await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Unexpected(said) if said.contains("does not end")),
        "{error:?}"
    );
    assert!(world.sim.exchanges().all().len() < 30);
}

#[tokio::test]
async fn a_token_without_the_permission_is_told_what_it_lacks() {
    let tokens = vec![TokenSettings::new("read-only", [Permission::ZoneRead])];
    let mut world =
        World::with(CloudflareSettings { tokens, ..CloudflareSettings::default() }).await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    let error = world.try_plan().await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Denied(said) if said.contains("DNS:Edit")),
        "{error:?}"
    );
    assert!(!error.to_string().contains("read-only"));
}

#[tokio::test]
async fn a_set_whose_records_differ_in_ttl_is_brought_to_one() {
    let mut world = World::new().await;
    world.zone().seed(RecordFields::new("A", "a.example.com", "192.0.2.1").with_ttl(300));
    world.zone().seed(RecordFields::new("A", "a.example.com", "192.0.2.2"));
    world.dns("a.example.com: { a: [192.0.2.1, 192.0.2.2], ttl: 300, adopt: true }");
    world.run().await;
    assert!(world.zone().records().iter().all(|record| record.fields.ttl == 300));
}

#[tokio::test]
async fn a_record_that_got_another_ttl_than_the_rest_of_its_set_is_brought_back() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: [192.0.2.1, 192.0.2.2], ttl: 300 }");
    world.run().await;
    let mut first = true;
    world.zone().edit("a.example.com", |fields| {
        fields.ttl = if std::mem::take(&mut first) { 60 } else { fields.ttl };
    });
    let effect = world.effect("cloudflare_dns").await;
    assert_eq!(effect.changes[0].before.as_ref().unwrap()["ttl"], json!([60, 300]));
    world.run().await;
    assert!(world.zone().records().iter().all(|record| record.fields.ttl == 300));
    world.remove("web", "cloudflare_dns");
    world.run().await;
    assert_eq!(world.zone().records(), []);
}

#[tokio::test]
async fn a_zone_that_was_made_anew_is_looked_for_once_more() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    let before = world.effect("cloudflare_dns").await;
    world.zone().make_anew();
    let error = world.try_plan().await.unwrap_err();
    assert!(matches!(error, ProviderError::Missing(_)), "{error:?}");
    let after = world.effect("cloudflare_dns").await;
    assert_eq!(after.target.id, world.zone().id());
    assert_ne!(after.target, before.target);
}

#[tokio::test]
async fn a_service_that_is_renamed_touches_nothing() {
    let mut world = World::new().await;
    world.dns("a.example.com: { a: 192.0.2.1 }");
    world.run().await;
    let before = world.sim.mutations().len();
    world.remove("web", "cloudflare_dns");
    world.set("site", "cloudflare_dns", "a.example.com: { a: 192.0.2.1 }");
    let plan = world.plan().await;
    assert_eq!(plan.changes().map(|change| change.action).collect::<Vec<_>>(), [Action::Transfer]);
    world.run().await;
    assert_eq!(world.sim.mutations().len(), before);
}
