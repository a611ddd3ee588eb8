//! Who changes, in a pull request, what it is judged and planned by.

use std::io::ErrorKind;
use std::net::TcpListener;

use insta::assert_snapshot;
use landfall_sim::github::{edit, remove};
use landfall_tests::world::{CONFIG, world};

use crate::nas::nas_at;

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

/// One who may write here and not there: what a pull request declares belongs to its repository.
#[tokio::test]
async fn a_pull_request_takes_a_name_that_another_environment_owns() {
    world(async |w| {
        w.bootstrap_branch("main").await;
        w.bootstrap_branch("develop").await;
        let before = w.writes();
        let theirs = "only: [staging]\nunifi_dns:\n  nas.internal.lan: { a: 6.6.6.6 }\n";
        let gone = ["services/nas.yaml", "services/jellyfin.yaml"].map(remove);
        w.pull_into("develop", "steal", gone.into_iter().chain([edit("services/thief.yaml", theirs)]))
            .await;
        let plan = w.plan_comment().await;
        assert_snapshot!(plan.lines().skip(2).take(3).collect::<Vec<_>>().join("\n"), @"
        > [!CAUTION]
        > In **staging** something is in the way:
        > - `thief/unifi_dns`: A nas.internal.lan belongs to `production/nas/unifi_dns`<br>remove it there first, or give it another name here
        ");
        w.merge().await;
        assert!(w.run_comment().await.starts_with("### ⏸️ staging waits: something is in the way"));
        // No word helps.
        w.comment("/apply staging");
        w.read_everything().await;
        assert_eq!(w.writes(), before);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}
