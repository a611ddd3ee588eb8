//! Where the App is, and where it is not any more: renamed, suspended, taken off, twice on one server.

use std::io::ErrorKind;
use std::net::TcpListener;

use insta::assert_snapshot;
use landfall_sim::fault::{Fault, Gate, On};
use landfall_sim::github::{NewPull, Role, edit};
use landfall_tests::world::{ALICE, BOB, CONFIG, NAS, Setting, World, world, world_with};

use crate::nas::nas_at;

/// The one installation that a story begins with.
fn installation(w: &World) -> u64 {
    w.github.installations()[0].id
}

#[tokio::test]
async fn a_repository_that_is_renamed_keeps_its_pull_requests_and_what_it_owns() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.read_everything().await;
        w.repo.rename("lab").unwrap();
        w.push("move", nas_at("192.168.1.52")).await;
        assert!(w.plan_comment().await.contains("192.168.1.52"));
        assert_eq!(w.repo.comments(w.number()).len(), 1, "it is the same comment");
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.52"]);
    })
    .await;
}

#[tokio::test]
async fn what_happens_during_a_suspension_is_looked_after_when_it_ends() {
    world(async |w| {
        w.bootstrap().await;
        let here = installation(w);
        w.github.suspend(here, ALICE).unwrap();
        w.settle().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        w.assert_silence().await;
        w.github.resume(here, ALICE).unwrap();
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
    })
    .await;
}

/// The server has a token still, and notices only by what it may not write.
#[tokio::test]
async fn what_was_to_be_said_during_a_suspension_is_said_when_it_ends() {
    world(async |w| {
        w.bootstrap().await;
        let (here, gate) = (installation(w), Gate::closed());
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        w.pull("move", nas_at("192.168.1.51")).await;
        gate.arrival().await;
        w.github.suspend(here, ALICE).unwrap();
        gate.open();
        w.assert_silence().await;
        w.github.resume(here, ALICE).unwrap();
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        assert_eq!(w.check("landfall / production (main)").await, "success: 1 to update");
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
    })
    .await;
}

/// Nothing can be said in it, and what was to be said is said once it is taken out again.
#[tokio::test]
async fn a_repository_in_the_archive_is_left_alone_until_it_is_taken_out() {
    world(async |w| {
        w.bootstrap().await;
        let gate = Gate::closed();
        w.unifi.faults().inject(On::get("/**"), Fault::Hold(gate.clone()));
        w.pull("move", nas_at("192.168.1.51")).await;
        gate.arrival().await;
        w.repo.archive(ALICE).unwrap();
        gate.open();
        w.assert_silence().await;
        w.repo.unarchive(ALICE).unwrap();
        assert!(w.plan_comment().await.contains("192.168.1.51"));
        assert_eq!(w.check("landfall / production (main)").await, "success: 1 to update");
    })
    .await;
}

#[tokio::test]
async fn an_app_that_is_taken_off_says_nothing_more_and_goes_on_where_it_was_once_it_is_back() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        w.github.uninstall(installation(w), ALICE).unwrap();
        w.settle().await;
        w.push("main", nas_at("192.168.1.51")).await;
        w.compare().await;
        w.assert_silence().await;
        assert_eq!(w.writes(), before);

        w.repo.install().unwrap();
        w.read_everything().await;
        let held = "action_required: production waits: this was pushed without a pull request";
        assert_eq!(w.run_check("production").await, held, "what it owned is known still");
    })
    .await;
}

/// Another owner on the same server, with the same names at the same providers.
#[tokio::test]
async fn two_installations_share_a_server_and_nothing_else() {
    world(async |w| {
        w.bootstrap().await;
        let config = CONFIG
            .replace("http://unifi.test", &w.unifi.url())
            .replace("http://cloudflare.test", &w.cloudflare.url());
        let files = [edit("landfall.yaml", config), edit("services/nas.yaml", NAS)];
        let theirs = w.github.create_repository("umbrella/lab", files).await.unwrap();
        theirs.add_user(BOB, Role::Write).unwrap();
        w.settle().await;
        let main = theirs.head("main").await.unwrap().unwrap();
        theirs.point_branch("plex", &main, BOB).await.unwrap();
        let plex = "unifi_dns:\n  \"plex${suffix}.internal.lan\": { a: 192.168.1.60 }\n";
        theirs.push("plex", BOB, "Add plex", [edit("services/plex.yaml", plex)]).await.unwrap();
        theirs.open(NewPull::from("plex").into("main").by(BOB)).await.unwrap();
        w.settle().await;

        let told: Vec<String> = theirs.comments(1).into_iter().map(|told| told.body).collect();
        let [plan] = &told[..] else { panic!("one comment was expected: {told:#?}") };
        assert!(plan.contains("plex.internal.lan"), "{plan}");
        assert!(plan.contains("belongs to"), "the name is ours: {plan}");
        assert!(
            !plan.contains("acme") && !plan.contains("homelab"),
            "who has it is not theirs to know"
        );
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        w.assert_silence().await;
    })
    .await;
}

/// The name of a secret is none: whoever writes a connection says where it is sent.
#[tokio::test]
async fn a_repository_that_the_operator_does_not_name_reads_no_secret_of_another() {
    let operator = "[repositories.\"acme/homelab\"]\n".to_owned();
    world_with(Setting { operator, ..Setting::default() }, async |w| {
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let here = format!("http://{}", trap.local_addr().unwrap());
        let config =
            CONFIG.replace("http://unifi.test", &here).replace("http://cloudflare.test", &here);
        let files = [edit("landfall.yaml", config), edit("services/nas.yaml", NAS)];
        let theirs = w.github.create_repository("umbrella/lab", files).await.unwrap();
        theirs.add_user(BOB, Role::Write).unwrap();
        w.settle().await;
        let main = theirs.head("main").await.unwrap().unwrap();
        theirs.point_branch("move", &main, BOB).await.unwrap();
        let moved = nas_at("192.168.1.51").map(|(path, text)| edit(path, text));
        let moved = theirs.push("move", BOB, "Move it", moved).await.unwrap();
        w.knows(&moved);
        theirs.open(NewPull::from("move").into("main").by(BOB)).await.unwrap();
        w.settle().await;

        let told: Vec<String> = theirs.comments(1).into_iter().map(|told| told.body).collect();
        let [plan] = &told[..] else { panic!("one comment was expected: {told:#?}") };
        let (_, plan) = plan.split_once('\n').unwrap();
        assert_snapshot!(w.read(plan), @"
        ### Landfall plan for `commit-1`

        > [!WARNING]
        > `main` is not protected, so nobody has to review what comes there.<br>require a pull request and a review: Settings, Rules of the repository

        > [!CAUTION]
        > **production** cannot be planned: `ref+env://LANDFALL_SECRET_UNIFI` is not allowed by the operator of this server: this repository may read no variable

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | cannot be planned | – |

        ---
        **Next:** **production** cannot be applied until what is listed above is mended.
        ");
        assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody called");
        // The one that is named works as before.
        w.bootstrap().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}
