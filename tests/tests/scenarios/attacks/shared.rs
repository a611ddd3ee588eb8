//! Whoever may read opens a pull request from a commit that somebody else's pull request, or a group of the
//! merge queue, has its check on.

use landfall_sim::github::NewPull;
use landfall_sim::unifi::{RecordValue, UnifiContent};
use landfall_tests::world::{ALICE, EVE, World, world};

const CHECK: &str = "landfall / production (main)";

/// GitHub knows a check by its commit and its name, and whoever may read can open a pull request from any
/// commit: theirs has the check that the other one must pass.
#[tokio::test]
async fn a_fork_has_the_check_of_a_pull_request_pass_that_must_not() {
    world(async |w| {
        w.bootstrap().await;
        let stopped = taken(w).await;
        let failure = "failure: Something is in the way";
        assert_eq!(w.check(CHECK).await, failure);
        let fork = w.repo.fork(EVE).await.unwrap();
        let twin = w.open(NewPull::from("tv").of_fork(&fork).by(EVE)).await;
        assert!(w.plan_comment().await.contains("comes from a fork"));
        assert_eq!(w.check(CHECK).await, failure);
        w.repo.label(twin, "landfall:skip", ALICE).unwrap();
        w.read_everything().await;
        assert_eq!(w.check(CHECK).await, failure);
        let summary = w.check_summary(CHECK).await;
        let shared = format!(
            "#{stopped} and #{twin} have this commit and base in common, and so this check. It says the \
             worst of what they come to, which is that of #{stopped}:"
        );
        assert!(summary.starts_with(&shared), "{summary}");
        assert!(summary.contains("A tv.internal.lan exists"), "{summary}");
        w.repo.close(twin, EVE).unwrap();
        w.read_everything().await;
        assert_eq!(w.check(CHECK).await, failure);
        assert!(!w.check_summary(CHECK).await.contains(&shared));
    })
    .await;
}

#[tokio::test]
async fn a_fork_has_the_check_of_a_group_pass_that_must_not() {
    world(async |w| {
        w.bootstrap().await;
        let stopped = taken(w).await;
        let group = w.repo.queue("main", &[stopped], ALICE).await.unwrap();
        w.knows(&group.head_sha);
        w.read_everything().await;
        let failure = "failure: Something is in the way";
        assert_eq!(w.check_on(&group.head_sha, CHECK).await, failure);
        let fork = w.repo.fork(EVE).await.unwrap();
        fork.point_branch("twin", &group.head_sha, EVE).await.unwrap();
        w.open(NewPull::from("twin").of_fork(&fork).by(EVE)).await;
        assert!(w.plan_comment().await.contains("comes from a fork"));
        assert_eq!(w.check_on(&group.head_sha, CHECK).await, failure);
    })
    .await;
}

/// A pull request that cannot be applied: what it declares is there already and somebody else's.
async fn taken(w: &mut World) -> u64 {
    let address = RecordValue::A("192.168.1.70".parse().unwrap());
    w.unifi.default_site().seed(UnifiContent::new("tv.internal.lan", address));
    let tv = "unifi_dns:\n  \"tv${suffix}.internal.lan\": { a: 192.168.1.71 }\n";
    let number = w.pull("tv", [("services/tv.yaml", tv)]).await;
    w.read_everything().await;
    number
}
