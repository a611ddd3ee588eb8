//! What goes wrong between a plan and its effect, and in the middle of one.

use std::time::Duration;

use landfall_core::lease::LeaseProof;
use landfall_core::plan::{Effect, Landed, Outcome};
use landfall_os::clock::Moment;
use landfall_providers::Hold;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::unifi::{RecordValue, UnifiContent, UnifiRecord};

use crate::world::{SETUPS, Setup, World};

fn records(setup: Setup) -> &'static str {
    match setup {
        Setup::Integration => "/proxy/network/integration/v1/sites/*/dns/policies",
        Setup::StaticDns => "/proxy/network/v2/api/site/default/static-dns",
        Setup::SelfHosted => "/v2/api/site/default/static-dns",
    }
}

fn refusal() -> Fault {
    let body =
        r#"{"code":"api.dns.policy.validation.overlap-with-local-dns","message":"overlaps"}"#;
    Fault::Instead(Answer::new(400, body).with("content-type", "application/json"))
}

async fn landed(world: &World, effect: &Effect) -> Landed {
    world.writer().await.read_back(effect).await.unwrap().0[0]
}

fn told(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(text) | Outcome::Moved(text) | Outcome::Unknown(text) => text,
        Outcome::Done(_) => "",
    }
}

#[tokio::test]
async fn what_moved_since_the_plan_is_told_and_nothing_is_sent() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50, ttl: 60 }");
        world.run().await;
        world.set("nas.lan: { a: 192.168.1.51 }");
        let effect = world.effect().await;
        let sent = world.sim.mutations().len();
        world
            .site()
            .edit("nas.lan", |content| content.value = RecordValue::A([10, 0, 0, 1].into()));
        let outcome = world.apply(&effect).await;
        assert_eq!(
            outcome,
            Outcome::Moved(
                "A nas.lan: the plan found 192.168.1.50 (TTL 60), now there is 10.0.0.1 (TTL 60)"
                    .to_owned()
            )
        );
        assert_eq!(landed(&world, &effect).await, Landed::Foreign);
        assert_eq!(world.sim.mutations().len(), sent);
    }
}

#[tokio::test]
async fn what_somebody_else_made_just_as_wanted_is_not_taken_for_ours() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        let effect = world.effect().await;
        world.site().seed(UnifiContent::new("nas.lan", RecordValue::A([192, 168, 1, 50].into())));
        assert!(matches!(world.apply(&effect).await, Outcome::Moved(_)));
    }
}

#[tokio::test]
async fn a_cname_that_came_meanwhile_keeps_everything_else_from_its_name() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }\nmedia.lan: { cname: nas.lan }\nold.lan: { cname: nas.lan }");
        let effects = world.effects().await;
        for name in ["nas.lan", "media.lan"] {
            world.site().seed(UnifiContent::new(name, RecordValue::Cname("x.lan".to_owned())));
        }
        world.site().seed(UnifiContent::new("old.lan", RecordValue::Txt("x".to_owned())));
        let mut ends = Vec::new();
        for effect in &effects {
            ends.push(format!("{:?}", world.apply(effect).await));
        }
        let ends = ends.join("\n");
        assert_eq!(
            ends.matches("Failed(\"CNAME old.lan: not sent, because TXT x stands at the name")
                .count(),
            1,
            "{ends}"
        );
        assert_eq!(
            ends.matches("Failed(\"A nas.lan: not sent, because CNAME x.lan stands at the name")
                .count(),
            1,
            "{ends}"
        );
        assert_eq!(
            ends.matches("Moved(\"CNAME media.lan: the plan found nothing").count(),
            1,
            "{ends}"
        );
        assert_eq!(world.sim.mutations(), []);
        assert!(world.sim.gateway_resolves());
    }
}

#[tokio::test]
async fn a_502_behind_a_commit_leaves_the_outcome_open_and_reading_back_settles_it() {
    for setup in SETUPS {
        for fault in [Fault::AfterCommit(Answer::bad_gateway()), Fault::ResetAfterCommit] {
            let mut world = World::new(setup).await;
            world.set("nas.lan: { a: 192.168.1.50 }");
            let effect = world.effect().await;
            world.sim.faults().inject(On::post(records(setup)), fault);
            let outcome = world.apply(&effect).await;
            assert!(
                matches!(&outcome, Outcome::Unknown(text) if !text.contains('<')),
                "{outcome:?}"
            );
            let (landed, ids) = world.writer().await.read_back(&effect).await.unwrap();
            assert_eq!((landed, ids[&effect.changes[0].key].len()), (vec![Landed::After], 1));
            assert_eq!(world.sim.mutations().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_502_instead_of_a_commit_is_finished_by_applying_again() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        let effect = world.effect().await;
        world.sim.faults().inject(On::post(records(setup)), Fault::Instead(Answer::bad_gateway()));
        assert!(matches!(world.apply(&effect).await, Outcome::Unknown(_)));
        assert_eq!(landed(&world, &effect).await, Landed::Before);
        world.done(&effect).await;
        assert_eq!(world.sim.mutations().len(), 1);
    }
}

/// From three records to three others, cut off at each request in turn, before and after its commit.
#[tokio::test]
async fn an_effect_cut_off_anywhere_is_finished_without_a_duplicate() {
    for setup in SETUPS {
        for cut in 0..6 {
            for fault in
                [Fault::Instead(Answer::bad_gateway()), Fault::AfterCommit(Answer::bad_gateway())]
            {
                let mut world = World::new(setup).await;
                world.set("nas.lan: { a: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4] }");
                world.run().await;
                world.set("nas.lan: { a: [10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7], ttl: 60 }");
                let below = format!("{}/*", records(setup));
                for on in [
                    On::post(records(setup)),
                    On::method("DELETE", &below),
                    On::method("PUT", &below),
                ] {
                    world.sim.faults().inject(on.skipping(cut), fault.clone());
                }
                while let Some(effect) = world.effects().await.pop() {
                    let outcome = world.apply(&effect).await;
                    if !matches!(outcome, Outcome::Done(_)) {
                        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
                    }
                    assert_ne!(world.resolve(&effect).await, Landed::Foreign, "{outcome:?}");
                }
                let wanted = ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"];
                assert_eq!(world.sim.record("nas.lan", "A"), wanted, "{setup:?} {cut} {fault:?}");
                assert_eq!(world.site().records().len(), 4);
            }
        }
    }
}

/// What was, what is wanted, how many writes get through before one is cut off, and the records
/// that are there then.
type Cut = (Setup, &'static str, &'static str, usize, &'static [&'static str]);

/// Creates, updates, replaces and deletes of a set, each cut off in its middle.
const CUTS: [Cut; 9] = [
    (Setup::Integration, "{}", "a: [10.0.0.1, 10.0.0.2]", 1, &["10.0.0.1"]),
    (Setup::StaticDns, "{}", "a: [10.0.0.1, 10.0.0.2, 10.0.0.3]", 2, &["10.0.0.1", "10.0.0.2"]),
    (Setup::Integration, "a: 10.0.0.1", "a: [10.0.0.2, 10.0.0.3]", 1, &["10.0.0.2"]),
    (Setup::Integration, "a: [10.0.0.1, 10.0.0.2]", "a: 10.0.0.3", 1, &["10.0.0.1"]),
    (Setup::StaticDns, "a: 10.0.0.1", "a: 10.0.0.2", 1, &["10.0.0.1", "10.0.0.2"]),
    (Setup::StaticDns, "cname: a.lan", "cname: b.lan", 1, &[]),
    (Setup::SelfHosted, "a: 10.0.0.1", "{ a: 10.0.0.1, ttl: 60 }", 1, &[]),
    (Setup::Integration, "a: [10.0.0.1, 10.0.0.2]", "{}", 1, &["10.0.0.2"]),
    (Setup::StaticDns, "mx: [1 a.lan, 2 b.lan]", "{}", 1, &["2 b.lan"]),
];

#[tokio::test]
async fn half_an_effect_is_read_back_as_such_with_the_records_that_are_there() {
    for (setup, first, second, passed, there) in CUTS {
        let mut world = World::new(setup).await;
        world.set(&service(first));
        world.run().await;
        world.set(&service(second));
        let effect = world.effect().await;
        let next = On::write("/**").skipping(passed);
        world.sim.faults().inject(next, Fault::Instead(Answer::bad_gateway()));
        let outcome = world.apply(&effect).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{setup:?} {second}: {outcome:?}");
        let (landed, ids) = world.writer().await.read_back(&effect).await.unwrap();
        assert_eq!(landed, [Landed::Partly], "{setup:?} {second}");
        let records = world.site().records();
        let found: Vec<_> = records.iter().map(|record| record.content.value.to_string()).collect();
        assert_eq!(found, there, "{setup:?} {second}");
        let own_id = |record: &UnifiRecord| match setup {
            Setup::Integration => record.id.to_string(),
            Setup::StaticDns | Setup::SelfHosted => record.legacy_id.clone(),
        };
        let own_ids: Vec<_> = records.iter().map(own_id).collect();
        assert_eq!(ids[&effect.changes[0].key], own_ids, "{setup:?} {second}");
        assert!(matches!(world.apply(&effect).await, Outcome::Moved(_)), "not without a new plan");
        world.resolve(&effect).await;
        world.run().await;
    }
}

fn service(fields: &str) -> String {
    let fields = fields.strip_prefix("{ ").and_then(|f| f.strip_suffix(" }")).unwrap_or(fields);
    if fields == "{}" { fields.to_owned() } else { format!("nas.lan: {{ {fields} }}") }
}

#[tokio::test]
async fn a_refusal_names_the_consoles_code_and_nothing_has_changed() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.localdomain: { a: 192.168.1.50 }");
        let outcome = world.apply(&world.effect().await).await;
        let code = if setup == Setup::Integration {
            "api.dns.policy.validation.overlap-with-local-dns"
        } else {
            "api.err.StaticDnsOverlapsWithDeviceLocalDns"
        };
        assert!(
            matches!(&outcome, Outcome::Failed(text) if text.starts_with(&format!("A nas.localdomain: {code}"))),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_in_the_middle_takes_back_what_was_done() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: [10.0.0.1, 10.0.0.2, 10.0.0.3] }");
        let effect = world.effect().await;
        world.sim.faults().inject(On::post(records(setup)).skipping(2), refusal());
        let outcome = world.apply(&effect).await;
        assert!(
            matches!(&outcome, Outcome::Failed(text) if text.contains("was taken back")),
            "{outcome:?}"
        );
        assert_eq!(world.site().records(), []);
        world.done(&effect).await;
        assert_eq!(world.site().records().len(), 3);
    }
}

#[tokio::test]
async fn an_alias_whose_new_target_is_refused_keeps_its_old_one() {
    for setup in [Setup::StaticDns, Setup::SelfHosted] {
        let mut world = World::new(setup).await;
        world.set("media.lan: { cname: nas.lan }");
        world.run().await;
        world.set("media.lan: { cname: other.lan }");
        let effect = world.effect().await;
        world.sim.faults().inject(On::post(records(setup)), refusal());
        let outcome = world.apply(&effect).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        assert_eq!(world.sim.record("media.lan", "CNAME"), ["nas.lan"]);
        assert_eq!(landed(&world, &effect).await, Landed::Before);
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_left_open_and_told() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: [10.0.0.1, 10.0.0.2] }");
        let effect = world.effect().await;
        world.sim.faults().inject(On::post(records(setup)).skipping(1), refusal());
        let below = format!("{}/*", records(setup));
        world.sim.faults().inject(On::method("DELETE", &below), refusal());
        let outcome = world.apply(&effect).await;
        assert!(
            matches!(&outcome, Outcome::Unknown(text) if text.contains("taking back")),
            "{outcome:?}"
        );
        assert_eq!(world.resolve(&effect).await, Landed::Partly);
        world.run().await;
        assert_eq!(world.site().records().len(), 2);
    }
}

#[tokio::test]
async fn after_too_many_requests_nothing_is_changed_for_a_while() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        let effect = world.effect().await;
        world
            .sim
            .faults()
            .inject(On::post(records(setup)), Fault::Instead(Answer::new(429, "slow down")));
        let until = Moment::now() + Duration::from_hours(1);
        let later = world.apply_until(&effect, until).await.unwrap_err();
        assert_eq!(later.after, Duration::from_mins(1));
        assert_eq!(later.why, "HTTP 429 without an explanation");
        assert_eq!(world.sim.mutations(), []);
    }
}

#[tokio::test]
async fn a_console_that_cannot_be_listed_is_not_written_to() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        let effect = world.effect().await;
        let _held = world.reader().await;
        world.sim.faults().inject(On::get(records(setup)), Fault::Instead(Answer::bad_gateway()));
        let outcome = world.apply(&effect).await;
        assert_eq!(told(&outcome), "the console cannot answer: HTTP 502 without an explanation");
        assert!(matches!(outcome, Outcome::Failed(_)));
        assert_eq!(world.sim.mutations(), []);
    }
}

#[tokio::test]
async fn a_lease_for_another_site_opens_nothing() {
    let mut world = World::new(Setup::Integration).await;
    world.set("nas.lan: { a: 192.168.1.50 }");
    let effect = world.effect().await;
    let lease = LeaseProof::new("unifi_dns:elsewhere".parse().unwrap(), 1);
    let hold = Hold::new(&lease, Moment::now() + Duration::from_hours(1));
    assert!(matches!(world.writer().await.apply(&effect, hold).await, Ok(Outcome::Failed(_))));
    let mut elsewhere = effect;
    elsewhere.target = lease.target().clone();
    elsewhere.changes[0].key.target = lease.target().clone();
    let outcome = world.writer().await.apply(&elsewhere, hold).await.unwrap();
    assert!(matches!(&outcome, Outcome::Failed(text) if text.contains("no longer")), "{outcome:?}");
    assert_eq!(world.sim.mutations(), []);
}

/// A lease that would end before an answer comes must not be written under: somebody else may have
/// it by then.
#[tokio::test]
async fn nothing_is_sent_when_the_lease_would_not_last() {
    for setup in SETUPS {
        let mut world = World::new(setup).await;
        world.set("nas.lan: { a: 192.168.1.50 }");
        let effect = world.effect().await;
        let later = world.apply_until(&effect, Moment::now()).await.unwrap_err();
        assert!(later.why.contains("lease"), "{later}");
        assert_eq!(world.sim.mutations(), []);
    }
}
