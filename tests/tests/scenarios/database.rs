//! PostgreSQL goes away under a server and comes back: nothing is taken that could be lost, nothing that
//! was taken is lost, and nothing is done twice.

use std::time::Duration;

use landfall_cluster::{Cluster, Disk};
use landfall_sim::fault::{Fault, Gate, On};
use landfall_tests::world::{Delivery, Setting, world_with};

use crate::nas::planned;

/// A server on a cluster of its own. Work is free again soon after its worker could not say how it ended.
fn on(cluster: &Cluster) -> Setting {
    let mut setting = Setting { database: Some(cluster.database()), ..Setting::default() };
    setting.timing.job_lease = Duration::from_secs(2);
    setting.timing.target_lease = Duration::from_secs(2);
    setting.timing.request = Duration::from_millis(600);
    setting.timing.item_lease = Duration::from_secs(3);
    setting.timing.publication_deadline = Duration::from_secs(2);
    setting
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_while_the_database_is_away_stays_with_github_until_it_is_back() {
    let cluster = Cluster::start(Disk::Unused).expect("a cluster");
    world_with(on(&cluster), async |w| {
        planned(w, "192.168.1.9").await;
        cluster.stop_server();
        w.merge().await;
        w.github.hooks().deliver_all().await;
        let (status, _) = w.deliver(Delivery::signed("pull_request", 1, "{}")).await;
        assert_eq!(status, 503);
        assert_eq!(w.ready().await, 503);
        cluster.start_server();
        w.until_ready().await;
        let log = w.github.hooks().log();
        let failed: Vec<_> = log.iter().filter(|sent| sent.status_code == 503).collect();
        assert!(!failed.is_empty());
        for missed in failed {
            w.github.hooks().redeliver(missed.id).expect("it is in the log");
        }
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.9"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_in_the_middle_of_a_step_costs_no_second_one() {
    let cluster = Cluster::start(Disk::Unused).expect("a cluster");
    world_with(on(&cluster), async |w| {
        planned(w, "192.168.1.9").await;
        let before = w.unifi.mutations().len();
        let gate = Gate::closed();
        w.unifi.faults().inject(On::write("/**"), Fault::HoldAfterCommit(gate.clone()));
        w.merge().await;
        gate.arrival().await;
        cluster.kill_server();
        gate.open();
        cluster.start_server();
        w.until_ready().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.9"]);
        assert_eq!(w.unifi.mutations().len(), before + 1);
    })
    .await;
}
