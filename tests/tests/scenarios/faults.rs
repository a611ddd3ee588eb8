//! What goes wrong on the way: nothing is lost, nothing is done twice, and a retry needs no second
//! look.

use insta::assert_snapshot;
use landfall_sim::cloudflare::CloudflareMutation;
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{remove, secondary_limit};
use landfall_sim::unifi::UnifiMutation;
use landfall_tests::world::{World, world};

/// `services/app.yaml`: five resources, one of them with two values, which take five writes.
const APP: &str = r#"unifi_dns:
  "app${suffix}.internal.lan": { a: 192.168.1.70 }
  "api${suffix}.internal.lan": { a: [192.168.1.71, 192.168.1.72] }
cloudflare_tunnel:
  tunnel: "media${suffix}"
  routes:
    "app${suffix}.example.com": "http://app${suffix}.internal.lan:80"
cloudflare_dns:
  "mail${suffix}.example.com": { txt: "v=spf1 -all" }
"#;

/// `services/plex.yaml`
const PLEX: &str = r#"unifi_dns:
  "plex${suffix}.internal.lan": { a: 192.168.1.60 }
"#;

#[tokio::test]
async fn a_provider_that_refuses_any_one_step_costs_one_retry() {
    fails_at_every_step(&Fault::Instead(Answer::new(400, "{}"))).await;
}

#[tokio::test]
async fn a_provider_that_fails_before_any_one_step_costs_one_retry() {
    fails_at_every_step(&Fault::Instead(Answer::bad_gateway())).await;
}

#[tokio::test]
async fn a_provider_that_does_any_one_step_and_does_not_say_so_is_not_asked_twice() {
    fails_at_every_step(&Fault::AfterCommit(Answer::bad_gateway())).await;
}

#[tokio::test]
async fn a_connection_that_breaks_after_any_one_step_costs_no_second_one() {
    fails_at_every_step(&Fault::ResetAfterCommit).await;
}

/// The whole story once for every write that it takes when nothing goes wrong.
async fn fails_at_every_step(fault: &Fault) {
    let mut writes = (0, 0);
    world(async |w| {
        let before = merged_app(w, |_| ()).await;
        w.read_everything().await;
        let after = (changes(w, Wire::Unifi), changes(w, Wire::Cloudflare));
        writes = (after.0 - before.0, after.1 - before.1);
        assert_app(w);
    })
    .await;
    assert_eq!(writes, (3, 2), "three records, a tunnel's configuration, a zone's batch");
    for k in 0..writes.0 {
        world(async |w| {
            let strike = |w: &World| w.unifi.faults().inject(nth(k), fault.clone());
            is_brought_by_a_retry(w, strike, &format!("step {k} at the console")).await;
        })
        .await;
    }
    for k in 0..writes.1 {
        world(async |w| {
            let strike = |w: &World| w.cloudflare.faults().inject(nth(k), fault.clone());
            is_brought_by_a_retry(w, strike, &format!("step {k} at the account")).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_provider_that_takes_no_more_requests_is_waited_for() {
    let mut whole = String::new();
    world(async |w| {
        merged_app(w, |_| ()).await;
        whole = w.outcome().await;
        w.read_everything().await;
    })
    .await;
    assert_snapshot!(whole, @"✅ Applied to production (`commit-4`): 5 created");
    for k in 0..2 {
        world(async |w| {
            let limited = Answer::new(429, "{}").with("retry-after", "1");
            let before = merged_app(w, |w| {
                w.cloudflare.faults().inject(nth(k), Fault::Instead(limited.clone()));
            })
            .await;
            assert_eq!(w.outcome().await, whole, "what was done before it is told too");
            w.read_everything().await;
            assert!(w.cloudflare.faults().is_used_up(), "step {k} struck");
            assert_app(w);
            let sent =
                (changes(w, Wire::Unifi) - before.0, changes(w, Wire::Cloudflare) - before.1);
            assert_eq!(sent, (3, 3), "one more than it takes");
        })
        .await;
    }
}

/// What a failed run has done of a merge that is then taken back goes with it.
#[tokio::test]
async fn a_merge_that_failed_at_any_one_step_is_taken_back_in_full() {
    for k in 0..5_usize {
        world(async |w| {
            let refused = Fault::Instead(Answer::new(400, "{}"));
            merged_app(w, |w| match k.checked_sub(3) {
                None => w.unifi.faults().inject(nth(k), refused.clone()),
                Some(k) => w.cloudflare.faults().inject(nth(k), refused.clone()),
            })
            .await;
            w.read_everything().await;
            w.pull("revert", [remove("services/app.yaml")]).await;
            w.read_everything().await;
            w.merge().await;
            w.read_everything().await;
            assert!(w.unifi.record("app.internal.lan", "A").is_empty(), "step {k}");
            assert!(w.unifi.record("api.internal.lan", "A").is_empty(), "step {k}");
            assert!(w.cloudflare.zone("example.com").named("app.example.com").is_empty());
            assert!(w.cloudflare.zone("example.com").named("mail.example.com").is_empty());
        })
        .await;
    }
}

/// How many requests on a wire were to change something.
fn changes(w: &World, wire: Wire) -> usize {
    w.exchanges().count(|exchange| exchange.wire == wire && exchange.method != "GET")
}

fn nth(k: usize) -> On {
    On::write("/**").skipping(k)
}

async fn is_brought_by_a_retry(w: &mut World, strike: impl Fn(&World), what: &str) {
    merged_app(w, strike).await;
    w.read_everything().await;
    assert!(w.unifi.faults().is_used_up() && w.cloudflare.faults().is_used_up(), "{what} struck");
    if !w.outcome().await.starts_with("✅") {
        w.comment("/apply");
        let outcome = w.outcome().await;
        assert!(outcome.starts_with("✅ Applied to production"), "{what}, then: {outcome}");
        w.read_everything().await;
    }
    assert_app(w);
}

/// Production runs, and a pull request that brings [`APP`] was merged: how many requests to
/// change something there were before, at the console and at the account.
async fn merged_app(w: &mut World, strike: impl Fn(&World)) -> (usize, usize) {
    w.bootstrap().await;
    w.pull("app", [("services/app.yaml", APP)]).await;
    w.read_everything().await;
    let before = (changes(w, Wire::Unifi), changes(w, Wire::Cloudflare));
    strike(w);
    w.merge().await;
    w.settle().await;
    before
}

/// Everything is there, and each was made once.
fn assert_app(w: &World) {
    assert_eq!(w.unifi.record("app.internal.lan", "A"), ["192.168.1.70"]);
    assert_eq!(w.unifi.record("api.internal.lan", "A"), ["192.168.1.71", "192.168.1.72"]);
    assert_eq!(w.cloudflare.tunnel("media").services("app.example.com").len(), 1);
    let zone = w.cloudflare.zone("example.com");
    assert_eq!(zone.named("app.example.com").len(), 1);
    assert_eq!(zone.named("mail.example.com").len(), 1);
    let mut made: Vec<String> = Vec::new();
    w.unifi.mutations().iter().for_each(|mutation| note_at_the_console(mutation, &mut made));
    made.extend(w.cloudflare.mutations().iter().filter_map(created_at_the_account));
    let all = made.len();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), all, "something was made twice: {made:#?}");
}

/// A record set that could not be made in full is taken back, so that nothing stays by half.
fn note_at_the_console(mutation: &UnifiMutation, made: &mut Vec<String>) {
    match mutation {
        UnifiMutation::Created(record) => made.push(format!("{:?}", record.content)),
        UnifiMutation::Deleted(record) => {
            made.retain(|made| *made != format!("{:?}", record.content));
        }
        other => panic!("only creations were planned: {other:?}"),
    }
}

fn created_at_the_account(mutation: &CloudflareMutation) -> Option<String> {
    match mutation {
        CloudflareMutation::RecordCreated(record) => Some(record.fields.name.clone()),
        CloudflareMutation::TunnelCreated { name, .. } => Some(name.clone()),
        CloudflareMutation::Configured { .. } => None,
        other => panic!("only creations were planned: {other:?}"),
    }
}

#[tokio::test]
async fn one_retry_brings_what_two_pull_requests_could_not() {
    world(async |w| {
        w.bootstrap().await;
        let first = w.pull("app", [("services/app.yaml", APP)]).await;
        let second = w.pull("plex", [("services/plex.yaml", PLEX)]).await;
        w.read_everything().await;

        let refusal = Answer::new(403, "{}").with("content-type", "application/json");
        w.cloudflare.faults().inject(On::write("/**").always(), Fault::Instead(refusal));
        w.on(first).merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ❌ Not all of it could be applied to production: 2 of 4 steps done

        `commit-5` on `main`, plan `c2033e90`: 5 to create

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `create A api.internal.lan 192.168.1.71, 192.168.1.72` |
        | 2 | done | `create A app.internal.lan 192.168.1.70` |
        | 3 | failed | `create rule app.example.com http://app.internal.lan:80`<br>Cloudflare refuses the connection's token: it needs Zone:Read and DNS:Edit on the zone, and Cloudflare Tunnel:Edit on the account for tunnels |
        | 4 | skipped | `create CNAME app.example.com tunnel media (proxied)`<br>`create TXT mail.example.com v=spf1 -all` |

        ---
        **Next:**

        - `/apply production` tries what is left again
        ");
        assert_snapshot!(w.outcome().await, @"❌ Not all of it could be applied to production: 2 of 4 steps done (`commit-5`); not done: `app/cloudflare_dns`, `app/cloudflare_tunnel`");

        w.on(second).merge().await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("plex.internal.lan", "A"), ["192.168.1.60"]);
        assert_snapshot!(w.outcome().await, @"❌ Not all of it could be applied to production: 1 of 3 steps done (`commit-6`); not done: `app/cloudflare_dns`, `app/cloudflare_tunnel`");

        w.cloudflare.faults().clear();
        let word = w.comment("/apply");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_snapshot!(w.run_comment().await, @"
        ### ✅ Applied to production

        `commit-6` on `main`, plan `05260b5c`: 3 created

        <details>
        <summary>2 steps</summary>

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `create rule app.example.com http://app.internal.lan:80` |
        | 2 | done | `create CNAME app.example.com tunnel media (proxied)`<br>`create TXT mail.example.com v=spf1 -all` |

        </details>
        ");
        assert_app(w);
        w.read_everything().await;
        w.on(first);
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
    })
    .await;
}

#[tokio::test]
async fn an_outage_at_github_only_delays_what_is_said() {
    world(async |w| {
        let comments = "/repos/*/*/issues/*/comments";
        let away = Fault::Instead(Answer::bad_gateway());
        // With a server's own waits this would be over after eight minutes.
        w.github.faults().inject(On::post(comments).times(8), away);
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.plan_comment().await;
        assert!(w.github.faults().is_used_up());
        assert_eq!(w.repo.comments(w.number()).len(), 1);
    })
    .await;
}

/// Going on with the next item instead would be held against the App.
#[tokio::test]
async fn nothing_is_written_to_github_while_it_asks_for_silence() {
    world(async |w| {
        let comments = "/repos/*/*/issues/*/comments";
        let silence = Fault::Instead(secondary_limit(403, 1));
        w.github.faults().inject(On::post(comments), silence);
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.plan_comment().await;
        let written = w.exchanges().all().into_iter().filter(|exchange| {
            exchange.wire == Wire::GitHub
                && exchange.path.starts_with("/repos/")
                && exchange.method != "GET"
        });
        let mut written = written.skip_while(|exchange| exchange.status != Some(403));
        let (refused, next) = (written.next().unwrap(), written.next().unwrap());
        assert_eq!((&refused.path, Some(201)), (&next.path, next.status));
        assert_eq!(w.repo.comments(w.number()).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_ends_between_merge_and_word_goes_on_from_what_is_on_disk() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.restart().await;
        w.merge().await;
        w.read_everything().await;
        w.restart().await;
        w.comment("/apply");
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;
    })
    .await;
}
