//! What never came: the delivery log and the comparison with GitHub bring it, late and once.

use std::time::Duration;

use insta::assert_snapshot;
use jiff::SignedDuration;
use landfall::settings::Webhooks;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_sim::exchange::{Exchange, Wire};
use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_sim::github::{Fate, NewPull, OnDelivery};
use landfall_store::{BACKGROUND, ClaimJob, JobKey, NewJob};
use landfall_tests::world::{ALICE, Delivery, Setting, World, world, world_with};

use crate::nas::nas_at;

/// Every delivery from now on.
fn all() -> OnDelivery {
    OnDelivery::any().times(usize::MAX)
}

fn nas(w: &World) -> Vec<String> {
    w.unifi.record("nas.internal.lan", "A")
}

#[tokio::test]
async fn whatever_never_arrived_is_fetched() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(all(), Fate::Unreachable);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.assert_silence().await;
        w.sweep().await;
        assert!(w.plan_comment().await.contains("192.168.1.51"));

        w.comment("/status");
        w.assert_silence().await;
        w.sweep().await;
        w.answer().await;

        w.merge().await;
        w.assert_silence().await;
        w.sweep().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
        assert_eq!(nas(w), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn what_happened_while_the_server_was_down_is_caught_up_with_at_its_start() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.server.stop().await;
        w.comment("/help");
        let merged = w.pull("move", nas_at("192.168.1.51")).await;
        w.push("move", nas_at("192.168.1.52")).await;
        w.github.hooks().deliver_all().await;
        w.restart().await;

        assert!(w.on(merged).plan_comment().await.contains("192.168.1.52"));
        w.read_everything().await;
        w.server.stop().await;
        w.merge().await;
        w.github.hooks().deliver_all().await;
        w.restart().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(nas(w), ["192.168.1.52"]);
    })
    .await;
}

/// GitHub does not even try to deliver the largest payloads.
#[tokio::test]
async fn what_was_never_sent_is_found_by_comparing() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(all(), Fate::NeverSent);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.sweep().await;
        w.assert_silence().await;
        w.compare().await;
        assert!(w.plan_comment().await.contains("192.168.1.51"));

        w.push("move", nas_at("192.168.1.52")).await;
        w.compare().await;
        assert!(w.plan_comment().await.contains("192.168.1.52"));

        w.merge().await;
        w.compare().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(nas(w), ["192.168.1.52"]);
    })
    .await;
}

#[tokio::test]
async fn an_outage_longer_than_github_remembers_is_healed() {
    let setting = Setting::default();
    let clock = setting.github.clock.clone();
    world_with(setting, async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let open = w.pull("readme", [("services/app.yaml", app("192.168.1.70"))]).await;
        w.read_everything().await;
        w.server.stop().await;
        w.on(open - 1).merge().await;
        w.push("readme", [("services/app.yaml", app("192.168.1.71"))]).await;
        w.github.hooks().deliver_all().await;
        clock.advance(SignedDuration::from_hours(30 * 24));
        w.restart().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(nas(w), ["192.168.1.51"]);
        assert!(w.on(open).plan_comment().await.contains("192.168.1.71"));
    })
    .await;
}

/// `services/app.yaml`
fn app(address: &str) -> String {
    format!("unifi_dns:\n  \"app${{suffix}}.internal.lan\": {{ a: {address} }}\n")
}

#[tokio::test]
async fn a_branch_that_moved_unheard_is_found_whatever_became_of_its_runs() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(all(), Fate::NeverSent);
        // Pushed to directly, so nothing shows it but the branch itself.
        w.push("main", nas_at("192.168.1.51")).await;
        w.compare().await;
        w.settle().await;
        assert_snapshot!(w.run_check("production").await, @"action_required: production waits: this was pushed without a pull request");

        // A branch that no environment has run on yet.
        w.push("develop", nas_at("192.168.1.51")).await;
        w.compare().await;
        assert_snapshot!(w.run_check("staging").await, @"action_required: staging waits: this is its first run");
    })
    .await;
}

#[tokio::test]
async fn comparing_what_lacks_nothing_costs_little_and_says_nothing() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.sweep().await;
        w.compare().await;
        w.settle().await;
        let before = w.exchanges().all().len();
        w.sweep().await;
        w.compare().await;
        w.assert_silence().await;
        let asked = w.exchanges().all().split_off(before);
        let asked: Vec<_> = asked.iter().map(|asked| line(asked)).collect();
        assert_snapshot!(asked.join("\n"), @r"
        GET /app/hook/deliveries
        GET /app/installations
        GET /installation/repositories
        GET /repos/acme/homelab/contents/landfall.yaml
        GET /acme/homelab.git/info/refs
        POST /acme/homelab.git/git-upload-pack
        GET /repos/acme/homelab/pulls
        ");
    })
    .await;
}

/// An exchange in a line.
fn line(exchange: &Exchange) -> String {
    assert!(matches!(exchange.wire, Wire::GitHub | Wire::Git), "nobody else is asked");
    format!("{} {}", exchange.method, exchange.path)
}

#[tokio::test]
async fn nothing_is_fetched_that_came_and_nothing_twice() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(OnDelivery::event("pull_request"), Fate::Unreachable);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.sweep().await;
        w.plan_comment().await;
        let payloads = |w: &World| {
            w.exchanges().count(|exchange| exchange.path.contains("/app/hook/deliveries/"))
        };
        assert_eq!(payloads(w), 1, "only the one that never came");

        let log = w.github.hooks().log();
        let lost = log.iter().find(|attempt| attempt.status != "OK").expect("one was lost");
        w.github.hooks().redeliver(lost.id).expect("GitHub remembers it");
        w.settle().await;
        w.sweep().await;
        w.assert_silence().await;
        assert_eq!(payloads(w), 1);
    })
    .await;
}

#[tokio::test]
async fn a_command_that_arrives_while_it_is_being_fetched_is_carried_out_once() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Unreachable);
        w.comment("/help");
        w.github.hooks().deliver_all().await;
        let lost = w.github.hooks().log().pop().expect("GitHub remembers it");
        let gate = Gate::closed();
        let one = On::get("/app/hook/deliveries/*");
        w.github.faults().inject(one, Fault::Hold(gate.clone()));
        w.sweep().await;
        gate.arrival().await;
        w.github.hooks().redeliver(lost.id).expect("GitHub remembers it");
        w.github.hooks().deliver_all().await;
        gate.open();
        w.answer().await;
    })
    .await;
}

#[tokio::test]
async fn one_that_github_does_not_give_holds_up_no_other() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.github.hooks().fate(all(), Fate::Unreachable);
        w.comment("/status");
        w.comment("/help");
        w.github.hooks().deliver_all().await;
        let log = w.github.hooks().log();
        let first = format!("/app/hook/deliveries/{}", log[log.len() - 2].id);
        let broken = Fault::Instead(Answer::bad_gateway());
        w.github.faults().inject(On::get(&first).always(), broken);
        w.sweep().await;
        assert!(w.answer().await.contains("`/help`"));
        // It was tried for a while and left. Somebody has it delivered again, which fails too.
        w.github.faults().clear();
        w.sweep().await;
        w.assert_silence().await;
        w.github.hooks().redeliver(log[log.len() - 2].id).expect("GitHub remembers it");
        w.github.hooks().deliver_all().await;
        w.sweep().await;
        w.answer().await;
    })
    .await;
}

#[tokio::test]
async fn a_fresh_store_carries_out_no_old_command() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.github.hooks().fate(all(), Fate::Unreachable);
        w.comment("/status");
        w.comment("/apply");
        w.github.hooks().deliver_all().await;
        let log = w.github.hooks().log().len();
        w.restart_afresh().await;
        // The open pull request is found, as its new owner finds it, and what was said is not heard.
        w.read_everything().await;
        w.sweep().await;
        w.assert_silence().await;
        let answers = w.repo.comments(w.number()).into_iter();
        let answers = answers.filter(|comment| comment.body.starts_with("<!-- landfall:answer"));
        assert_eq!(answers.count(), 0);
        assert!(w.github.hooks().log().len() > log, "what happens from now on is heard of");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_nobody_can_reach_is_told_everything_by_the_log() {
    let setting = Setting { webhooks: Webhooks::Pull, ..Setting::default() };
    world_with(setting, async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        w.comment("/help");
        w.answer().await;
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(nas(w), ["192.168.1.51"]);
        let log = w.github.hooks().log();
        assert!(log.iter().all(|attempt| attempt.status != "OK"), "nothing was delivered");
        let delivery = Delivery::signed("push", 1, "{}");
        assert_eq!(w.deliver(delivery).await.0, 404, "nobody could be believed");
    })
    .await;
}

/// A server that dies between two writes leaves a run that is under way, and nobody who works on it.
#[tokio::test]
async fn a_run_that_nobody_works_on_is_gone_on_with() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.unifi.faults().inject(On::write("/**"), Fault::Instead(Answer::new(400, "{}")));
        w.merge().await;
        w.read_everything().await;
        assert_eq!(nas(w), ["192.168.1.50"], "it failed");

        w.server.stop().await;
        let store = w.server.store_at_rest().await;
        let repository = RepositoryId(w.repo.id());
        let environment: EnvironmentName = "production".parse().unwrap();
        let failed = store.recent_runs(repository, &environment, 1).await.unwrap().remove(0);
        let key = JobKey::Run { repository, environment };
        store.ensure(&[NewJob { key, installation: BACKGROUND, run_at: None }]).await.unwrap();
        let lease = Duration::from_secs(60);
        let claim = ClaimJob { worker: "it died".to_owned(), lease, max_attempts: 1 };
        let job = store.claim_job(&claim).await.unwrap().unwrap();
        store.retry_run(&job.fence, failed.run.id).await.unwrap();
        store.complete_job(&job.fence).await.unwrap();
        store.close().await;

        w.restart().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(nas(w), ["192.168.1.51"]);
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn repositories_come_and_go_unheard() {
    world(async |w| {
        w.github.hooks().fate(all(), Fate::NeverSent);
        let config = w.repo.file("main", "landfall.yaml").await.unwrap().unwrap();
        let files = [("landfall.yaml".to_owned(), config)];
        let other = w.github.create_repository("acme/cabin", files).await.unwrap();
        let bare = w.github.create_repository("acme/notes", [("README.md", "")]).await.unwrap();
        for repo in [&other, &bare] {
            let tip = repo.head("main").await.unwrap().unwrap();
            repo.point_branch("readme", &tip, ALICE).await.unwrap();
            repo.push("readme", ALICE, "Tell", [("README.md", "# Cabin\n")]).await.unwrap();
            repo.open(NewPull::from("readme").into("main")).await.unwrap();
        }
        w.compare().await;
        w.read_everything().await;
        assert_eq!(heard_of(w).await, ["acme/cabin", "acme/homelab", "acme/notes"]);
        let planned = async |id| {
            let repository = RepositoryId(id);
            w.server.store().open_pulls(repository).await.unwrap().len()
        };
        assert_eq!((planned(other.id()).await, planned(bare.id()).await), (1, 0));

        other.take_off().unwrap();
        bare.rename("diary").unwrap();
        w.compare().await;
        w.settle().await;
        assert_eq!(heard_of(w).await, ["acme/diary", "acme/homelab"]);
    })
    .await;
}

/// The repositories that are looked after, by name.
async fn heard_of(w: &World) -> Vec<String> {
    let active = w.server.store().active_repositories().await.unwrap();
    let mut names: Vec<String> = active.iter().map(|known| known.name.to_string()).collect();
    names.sort();
    names
}
