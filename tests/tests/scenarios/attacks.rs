//! What somebody may try who can open a pull request, write a comment, or deliver to the webhook.
//!
//! Beside these: a pull request maps itself to production (`targets`), a fork's is planned
//! (`forks`), a person without rights commands, an old comment is edited, a command hides in a
//! quote, a word names another plan (`refusals`), a delivery is forged, repeated or endless
//! (`webhooks`), names and values break out of their fence (the bot's own `render::tests::hostile`).

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, Ordering};

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use landfall_core::name::RepositoryId;
use landfall_sim::exchange::Wire;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Fate, NewPull, OnDelivery, edit, remove};
use landfall_store::{Consequences, Item, ItemKey, ItemKind, NewDelivery, Store};
use landfall_tests::world::{
    ALICE, BOB, CONFIG, Delivery, EVE, NAS, Setting, World, world, world_with,
};
use serde_json::json;

use crate::nas::nas_at;

/// Requests to the console or the account.
fn asked_providers(w: &World) -> usize {
    w.exchanges().count(|exchange| matches!(exchange.wire, Wire::Unifi | Wire::Cloudflare))
}

/// Git merges as the base's attributes say: with `merge=union` both sides would win.
#[tokio::test]
async fn a_pull_request_has_git_merge_by_its_own_attributes() {
    world(async |w| {
        w.bootstrap().await;
        let lenient = edit(".gitattributes", "*.yaml merge=union\n");
        let [(path, moved)] = nas_at("192.168.1.51");
        w.pull("move", [lenient, edit(path, moved)]).await;
        w.read_everything().await;
        w.push("main", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        w.comment("/plan");
        assert!(w.plan_comment().await.contains("conflicts with `main`"));
    })
    .await;
}

/// The credentials of the console would go wherever the pull request points.
#[tokio::test]
async fn a_pull_request_leads_a_connection_to_a_server_of_its_own() {
    world(async |w| {
        w.bootstrap().await;
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let here = format!("http://{}", trap.local_addr().unwrap());
        let rules =
            CONFIG.replace("http://unifi.test", &here).replace("http://cloudflare.test", &here);
        let [(path, moved)] = nas_at("192.168.1.51");
        w.pull("trap", [edit("landfall.yaml", rules), edit(path, moved)]).await;
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        w.comment("/plan");
        w.read_everything().await;
        assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody called");
    })
    .await;
}

#[tokio::test]
async fn a_fork_has_a_provider_asked_with_our_credentials() {
    world(async |w| {
        w.bootstrap().await;
        let before = asked_providers(w);
        let fork = w.repo.fork(EVE).await.unwrap();
        let [(path, moved)] = nas_at("6.6.6.6");
        fork.push("main", EVE, "Change it", [edit(path, moved)]).await.unwrap();
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        w.read_everything().await;
        // Not even for somebody who may command.
        w.comment_as(ALICE, "/plan");
        w.read_everything().await;
        assert_eq!(asked_providers(w), before);
    })
    .await;
}

/// A repository answers for the commits of all its forks, whoever's pull request they are in.
#[tokio::test]
async fn a_commit_of_somebody_elses_fork_is_named_where_it_is_not_the_head() {
    world(async |w| {
        w.bootstrap().await;
        let [evil, harmless] = forks_of(w, ["6.6.6.6", "192.168.1.51"]).await;
        let before = asked_providers(w);
        for named in [&evil[..], &evil[..8], &"0".repeat(40)] {
            let word = w.comment_as(ALICE, &format!("/plan {named}"));
            let answer = w.answer().await;
            assert!(answer.contains("is not the head of this pull request"), "{answer}");
            assert!(answer.contains(&w.read(&format!("`/plan {}`", &harmless[..8]))), "{answer}");
            assert_eq!(w.reactions(word).await, "eyes confused");
        }
        assert_eq!(asked_providers(w), before);
    })
    .await;
}

/// What was read is replaced while the word about it is on its way.
#[tokio::test]
async fn a_head_moves_between_the_word_about_it_and_the_plan() {
    world(async |w| {
        w.bootstrap().await;
        let fork = w.repo.fork(EVE).await.unwrap();
        let read = fork.push("main", EVE, "Move it", nas_at("192.168.1.51")).await.unwrap();
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        w.read_everything().await;
        let before = asked_providers(w);
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let word = w.comment_as(ALICE, &format!("/plan {}", &read[..8]));
        let evil = fork.push("main", EVE, "Move it there", nas_at("6.6.6.6")).await.unwrap();
        w.knows(&evil);
        w.read_everything().await;
        w.github.hooks().release();
        let answer = w.answer().await;
        assert!(answer.contains(&w.read(&format!("which is `{}` now", &evil[..8]))), "{answer}");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(asked_providers(w), before);
        w.assert_silence().await;
    })
    .await;
}

/// Whoever makes a commit can choose how it begins, so it can be made to fit what was said of another
/// one. Here the one that was read had the same first twelve digits.
#[tokio::test]
async fn a_commit_is_made_that_begins_like_the_one_that_was_read() {
    world(async |w| {
        w.bootstrap().await;
        let [_, head] = forks_of(w, ["192.168.1.51", "6.6.6.6"]).await;
        w.server.stop().await;
        let store = w.server.store_at_rest().await;
        let read = format!("{}{}", &head[..12], "0".repeat(28));
        was_reported_on(&*store, RepositoryId(w.repo.id()), &head, &read).await;
        store.close().await;
        w.restart().await;
        w.read_everything().await;
        let before = asked_providers(w);
        for digits in [7, 12] {
            let word = w.comment(&format!("/plan {}", &head[..digits]));
            let answer = w.answer().await;
            assert!(answer.contains("is how more than one commit begins"), "{answer}");
            assert_eq!(w.reactions(word).await, "eyes confused");
        }
        assert_eq!(asked_providers(w), before);
        // Who has read this one says so with all of it.
        w.comment(&format!("/plan {head}"));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
    })
    .await;
}

/// The commit `read` had a check like that of `head`.
async fn was_reported_on(store: &dyn Store, repository: RepositoryId, head: &str, read: &str) {
    let kind = ItemKind::Check;
    let told = store.items_under(repository, kind, &format!("check/{head}/")).await.unwrap();
    let mut body = told.into_iter().next().expect("the head was reported on");
    body["head"] = read.into();
    let subject = format!("check/{read}/{}", body["name"].as_str().unwrap());
    let known = store.repository(repository).await.unwrap().unwrap();
    let key = ItemKey { installation: known.installation, repository, kind, subject };
    let delivery = NewDelivery {
        id: "00000000-0000-0000-0000-000000000077".parse().unwrap(),
        event: "ping".to_owned(),
        action: None,
        installation: None,
        repository: None,
        body: b"{}".to_vec(),
        received_at: store.now().await.unwrap(),
    };
    store.insert_delivery(&delivery).await.unwrap();
    let items = vec![Item { key, body, priority: 0 }];
    store
        .finish_delivery(delivery.id, &Consequences { items, ..Consequences::default() })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_author_of_a_fork_allows_their_own_head() {
    world(async |w| {
        w.bootstrap().await;
        let [_, head] = forks_of(w, ["192.168.1.52", "192.168.1.51"]).await;
        let before = asked_providers(w);
        for login in [EVE, "mallory"] {
            let word = w.comment_as(login, &format!("/plan {head}"));
            w.read_everything().await;
            assert_eq!(w.reactions(word).await, "eyes confused", "{login}");
        }
        assert_eq!(asked_providers(w), before);
    })
    .await;
}

/// The heads of two pull requests, each from a fork of somebody else. The second one is meant from then
/// on, and all was read.
async fn forks_of(w: &mut World, addresses: [&str; 2]) -> [String; 2] {
    let mut heads = addresses.map(str::to_owned);
    for (head, owner) in heads.iter_mut().zip([EVE, "mallory"]) {
        let fork = w.repo.fork(owner).await.unwrap();
        *head = fork.push("main", owner, "Move it", nas_at(head)).await.unwrap();
        w.knows(head);
        w.open(NewPull::from("main").of_fork(&fork).by(owner)).await;
    }
    w.read_everything().await;
    heads
}

/// The commit is known to GitHub and to the mirror, and on no branch any more.
#[tokio::test]
async fn a_word_on_a_merge_that_was_forced_away_brings_it_back() {
    world(async |w| {
        w.bootstrap().await;
        let main = w.repo.head("main").await.unwrap().unwrap();
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.github.hooks().fate(OnDelivery::event("push"), Fate::NeverSent);
        w.merge().await;
        w.read_everything().await;
        w.force_push("main", &main, [("about.md", "# Forced\n")]).await;
        w.read_everything().await;
        let word = w.on(pull).comment("/apply");
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn somebody_commands_where_nothing_can_be_planned_any_more() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.repo.close(pull, ALICE).unwrap();
        for words in ["/plan", "/apply"] {
            let word = w.comment(words);
            w.read_everything().await;
            assert_eq!(w.reactions(word).await, "eyes confused", "{words}");
        }
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

/// A vendor that repeats what it was sent, credentials and all.
#[tokio::test]
async fn an_error_of_a_provider_carries_a_secret_into_a_comment() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let echo =
            json!({ "code": "api.err", "message": "bad key simulated-unifi-key" }).to_string();
        let echo = Answer::new(400, &echo).with("content-type", "application/json");
        w.unifi.faults().inject(On::write("/**"), Fault::Instead(echo));
        w.merge().await;
        let told = w.run_comment().await;
        assert!(told.contains("bad key") && !told.contains("simulated-unifi-key"), "{told}");
        let checks = format!("{:?}", w.repo.all_check_runs());
        assert!(checks.contains("bad key") && !checks.contains("simulated-unifi-key"));
        w.read_everything().await;
    })
    .await;
}

/// Years later, or by somebody who could read our traffic once: the same bytes with a new id.
#[tokio::test]
async fn an_old_delivery_comes_again_under_another_id() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.push("main", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        let held = w.run_check("production").await;
        let writes = w.writes();
        for (number, attempt) in w.github.hooks().log().iter().enumerate() {
            let body = attempt.payload.to_string();
            let again = Delivery::signed(&attempt.event, 700 + number, body);
            assert_eq!(w.deliver(again).await.0, 202);
        }
        w.assert_silence().await;
        assert_eq!((w.run_check("production").await, w.writes()), (held, writes));
    })
    .await;
}

/// Payloads are full of addresses. None of them is believed: everything is asked where the operator
/// says that GitHub is.
#[tokio::test]
async fn a_payload_leads_us_to_a_server_of_its_own() {
    world(async |w| {
        w.bootstrap().await;
        w.github.hooks().fate(OnDelivery::event("pull_request"), Fate::Held);
        w.pull("move", nas_at("192.168.1.51")).await;
        w.settle().await;
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let here = format!("http://{}", trap.local_addr().unwrap());
        let opened = w.github.hooks().held().pop().expect("it is held back");
        let payload = opened.to_string();
        let payload = payload.replace(&w.github.api_url(), &here).replace(&w.github.url(), &here);
        assert!(payload.contains(&here));
        assert_eq!(w.deliver(Delivery::signed("pull_request", 1, payload)).await.0, 202);
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody called");
    })
    .await;
}

/// The services are gone from the branch because a page, a file or a right was missing: nothing may be
/// deleted for that.
#[tokio::test]
async fn an_answer_of_github_that_is_cut_off_deletes_everything() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let cut = Fault::Instead(Answer::new(200, "000000").with("content-type", "text/plain"));
        w.github.git_faults().inject(On::any("/**").times(3), cut);
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        w.read_everything().await;
    })
    .await;
}

/// How far the clock of the story of a loop is ahead, in seconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// A program with the account of a person reads what is said and says it again.
#[tokio::test]
async fn a_loop_of_commands_has_us_talk_for_ever() {
    let clock = || Timestamp::now() + SignedDuration::from_secs(AHEAD.load(Ordering::SeqCst));
    world_with(Setting { clock, ..Setting::default() }, async |w| {
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        let burst = |w: &mut World| [0; 2].map(|_| w.comment_as(EVE, &"/plan\n".repeat(9)));
        let mut said = Vec::from(burst(w));
        let told = w.comments().await;
        assert_eq!(told.len(), 16);
        assert_snapshot!(told[14], @"`eve`: `/plan` was not carried out. It takes write permission on this repository.");
        assert_snapshot!(told[15], @"
        `eve`: `/plan` was not carried out. More than 15 commands of yours came within a minute.

        Say it again after a minute without any.
        ");
        // As long as it goes on, nothing more is said.
        for _ in 0..2 {
            AHEAD.fetch_add(40, Ordering::SeqCst);
            said.extend(burst(w));
            w.assert_silence().await;
        }
        for comment in said {
            assert_eq!(w.reactions(comment).await, "eyes confused");
        }
        // The others are heard, and it is too once it has been quiet.
        let word = w.comment_as(BOB, "/plan");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        AHEAD.fetch_add(61, Ordering::SeqCst);
        w.comment_as(EVE, "/status");
        assert!(w.answers().await.contains("asked for by <b>eve</b>"));
    })
    .await;
}

/// Whoever has us repeat a command would give it with our rights.
#[tokio::test]
async fn what_an_app_says_is_a_command() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        let ours = w.comment_as("landfall[bot]", "<!-- landfall:run -->\n/apply");
        let theirs = w.comment_as("renovate[bot]", "/apply");
        w.read_everything().await;
        // An App may speak in the name of a person.
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let named = w.comment_as(ALICE, "/apply");
        w.settle().await;
        let mut payload = w.github.hooks().held().pop().expect("it is held back");
        payload["comment"]["performed_via_github_app"] = json!({ "id": 4242 });
        assert_eq!(
            w.deliver(Delivery::signed("issue_comment", 1, payload.to_string())).await.0,
            202
        );
        w.assert_silence().await;
        for comment in [ours, theirs, named] {
            assert_eq!(w.reactions(comment).await, "");
        }
        assert_eq!(w.writes(), 0);
    })
    .await;
}

/// GitHub does not say who somebody is: then they may nothing.
#[tokio::test]
async fn a_person_whom_github_does_not_know_commands() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        let gone = Fault::Instead(
            Answer::new(404, r#"{"message":"Not Found","documentation_url":"x","status":"404"}"#)
                .with("content-type", "application/json"),
        );
        w.github.faults().inject(On::get("/repos/*/*/collaborators/*/permission"), gone);
        let word = w.comment_as(BOB, "/apply");
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

/// Whoever may push can write a status of that name, unless the rule wants it from Landfall's App. Only
/// the repository's rules can refuse it, so every plan says which do not.
#[tokio::test]
async fn somebody_forges_the_check_that_a_branch_requires() {
    world(async |w| {
        let required = "landfall / production (main)";
        w.repo
            .require_check("main", required, Some(landfall_sim::github::Settings::default().app_id))
            .unwrap();
        w.repo.require_check("main", "actions/test", None).unwrap();
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let plan = w.plan_comment().await;
        assert!(!plan.contains("from any source"), "{plan}");

        w.repo.require_check("main", required, None).unwrap();
        w.repo.require_check("main", "landfall / staging (main)", Some(7)).unwrap();
        w.comment("/plan fresh");
        let plan = w.plan_comment().await;
        let warning: Vec<&str> = plan.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        assert_snapshot!(warning.join("\n"), @"
        > [!WARNING]
        > `main` requires the check `landfall / production (main)` from any source, so whoever may write can set it.<br>choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository
        >
        > `main` requires the check `landfall / staging (main)` from App 7, which is not Landfall and never sets it.<br>choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository
        ");
    })
    .await;
}

#[tokio::test]
async fn somebody_pushes_past_every_review_where_no_rule_keeps_them_from_it() {
    world(async |w| {
        w.repo.unprotect("main").unwrap();
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        let plan = w.plan_comment().await;
        let warning: Vec<&str> = plan.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        assert_snapshot!(warning.join("\n"), @"
        > [!WARNING]
        > `main` is not protected, so nobody has to review what comes there.<br>require a pull request and a review: Settings, Rules of the repository
        ");
        // Said in every plan, and asked once.
        let asked = |w: &World| w.exchanges().count(|said| said.path.contains("/branches/main"));
        let before = asked(w);
        w.push("readme", [("README.md", "# Home\n"), ("NOTES.md", "None.\n")]).await;
        assert!(w.plan_comment().await.contains("`main` is not protected"));
        assert_eq!((before, asked(w)), (2, 2));
    })
    .await;
}

/// One who may write here and not there: what a pull request declares belongs to its repository.
#[tokio::test]
async fn a_pull_request_takes_a_name_that_another_environment_owns() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let theirs = NAS.replace("nas${suffix}", "nas");
        w.pull_into(
            "develop",
            "steal",
            [edit("services/thief.yaml", theirs), remove("services/nas.yaml")],
        )
        .await;
        let plan = w.plan_comment().await;
        assert!(
            plan.contains("belongs to") || plan.contains("in the way") || plan.contains("error"),
            "{plan}"
        );
        w.merge().await;
        w.read_everything().await;
        assert_eq!(w.writes(), before);
    })
    .await;
}
