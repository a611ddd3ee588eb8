//! `landfall apply`.

use insta::assert_snapshot;
use landfall_sim::fault::{Answer, Fault, Gate, On};
use landfall_sim::unifi::{RecordValue, UnifiContent};

use crate::world::{NAS, World};

async fn digest(world: &World) -> String {
    let json = world.landfall("plan --env dev --format json").await.json();
    json["environments"][0]["digest"].as_str().unwrap()[..8].to_owned()
}

#[tokio::test]
async fn the_plan_that_was_looked_at_is_carried_out_and_nothing_is_left_to_do() {
    let world = World::new().await;
    let digest = digest(&world).await;
    let seen = world.landfall(&format!("apply --env dev --digest {digest}")).await;
    assert_snapshot!(seen.all(), @"
    dev: 4 to create  (plan a54cb7a5)
      tunnel media-server will be created

      nas: 1 to create
        unifi_dns
          + create A nas-dev.internal.lan = 192.168.1.20 (ttl 300)

      jellyfin: 3 to create
        unifi_dns
          + create A jellyfin-dev.internal.lan = 192.168.1.50
        cloudflare_tunnel
          + create rule jellyfin-dev.example.com = http://jellyfin-dev.internal.lan:8096
          + create CNAME jellyfin-dev.example.com = tunnel media-server (proxied)
        jellyfin-dev.example.com (created) → tunnel media-server (created) → jellyfin-dev.internal.lan (created) → 192.168.1.50 (created)

      becomes public: jellyfin-dev.example.com

      done     create A nas-dev.internal.lan 192.168.1.20 (ttl 300)
      done     create A jellyfin-dev.internal.lan 192.168.1.50
      done     create rule jellyfin-dev.example.com http://jellyfin-dev.internal.lan:8096
      done     create CNAME jellyfin-dev.example.com tunnel media-server (proxied)
    dev: applied in 4 steps
    --- exit code 0
    ");
    assert_eq!(world.unifi.record("nas-dev.internal.lan", "A"), ["192.168.1.20"]);
    let tunnel = world.cloudflare.tunnel("media-server");
    assert_eq!(
        tunnel.services("jellyfin-dev.example.com"),
        ["http://jellyfin-dev.internal.lan:8096"]
    );

    assert_snapshot!(world.landfall("plan --env dev").await.all(), @"
    dev: nothing to do
    --- exit code 0
    ");
    // From a folder below, with the same state.
    assert_snapshot!(world.landfall_in("services", "apply --env dev --yes").await.all(), @"
    dev: nothing to do
    --- exit code 0
    ");
}

#[tokio::test]
async fn what_is_removed_is_deleted_and_what_is_renamed_only_changes_hands() {
    let world = World::new().await;
    assert_eq!(world.landfall("apply --env dev --yes").await.code, 0);
    world.remove("services/nas.yaml");
    world.write("services/storage.yaml", NAS);
    world.write("services/jellyfin.yaml", "unifi_dns: {}\n");
    let before = world.unifi.mutations().len();
    let seen = world.landfall("apply --env dev --yes").await;
    assert_snapshot!(seen.all(), @"
    dev: 3 to delete, 1 to transfer  (plan 597fcdb0)

      storage: 1 to transfer
        unifi_dns
          ! transfer A nas-dev.internal.lan: nas → storage (nothing is sent)

      jellyfin: 3 to delete
        cloudflare_tunnel
          - delete CNAME jellyfin-dev.example.com = tunnel media-server (proxied)
          - delete rule jellyfin-dev.example.com = http://jellyfin-dev.internal.lan:8096
        unifi_dns
          - delete A jellyfin-dev.internal.lan = 192.168.1.50

      stops being reachable: jellyfin-dev.example.com

      done     transfer A nas-dev.internal.lan: nas → storage
      done     delete CNAME jellyfin-dev.example.com tunnel media-server (proxied)
      done     delete rule jellyfin-dev.example.com http://jellyfin-dev.internal.lan:8096
      done     delete A jellyfin-dev.internal.lan 192.168.1.50
    dev: applied in 4 steps
    --- exit code 0
    ");
    assert_eq!(world.unifi.mutations().len(), before + 1, "the name that moved is not touched");
    assert_eq!(world.landfall("plan --env dev").await.code, 0);
}

#[tokio::test]
async fn nothing_is_applied_without_somebody_s_word() {
    let world = World::new().await;
    let seen = world.landfall("apply --env dev --format markdown").await;
    assert!(seen.out.contains("nobody can be asked here: say --digest"), "{seen:?}");
    assert_eq!(seen.code, 2);
    let seen = world.landfall("apply --env dev --digest 0123abcd --format json").await;
    assert_eq!((seen.code, &seen.json()["result"]), (2, &"not_confirmed".into()));
    let seen = world.landfall("apply --env dev --digest 0123").await;
    assert_snapshot!(seen.all(), @"
    --- stderr
    error: invalid value '0123' for '--digest <DIGITS>': `0123` is not a digest: at least eight hexadecimal digits, as the comment shows them

    For more information, try '--help'.
    --- exit code 1
    ");
    assert_eq!(world.unifi.mutations().len() + world.cloudflare.mutations().len(), 0);
}

#[tokio::test]
async fn an_environment_with_branches_is_refused_with_the_way_to_go() {
    let world = World::new().await;
    assert_snapshot!(world.landfall("apply --env production --yes").await.all(), @"
    --- stderr
    error: production follows the branch main: only what was reviewed and merged there is applied, by the server
    help: open a pull request to main; `landfall plan --env production` shows what it would do. An environment without `branches` is for the command line.
    --- exit code 1
    ");
    assert!(!world.path().join(".landfall").exists());
}

#[tokio::test]
async fn what_exists_is_taken_over_only_when_that_is_said() {
    let world = World::new().await;
    let address = RecordValue::A([192, 168, 1, 99].into());
    world.unifi.default_site().seed(UnifiContent::new("nas-dev.internal.lan", address));
    let seen = world.landfall("apply --env dev --yes").await;
    assert!(seen.out.contains("in the way of nas/unifi_dns"), "{seen:?}");
    assert_eq!(seen.code, 1);
    assert_eq!(world.unifi.mutations().len() + world.cloudflare.mutations().len(), 0);

    let seen = world.landfall("apply --env dev --yes --adopt").await;
    assert!(seen.out.contains("adopt A nas-dev.internal.lan 192.168.1.99"), "{seen:?}");
    assert_eq!(world.unifi.record("nas-dev.internal.lan", "A"), ["192.168.1.20"]);
}

#[tokio::test]
async fn what_failed_is_told_and_applying_again_does_the_rest() {
    let world = World::new().await;
    let refused = Fault::Instead(Answer::new(403, "{}"));
    world.cloudflare.faults().inject(On::write("/client/v4/zones/*/dns_records/batch"), refused);
    let seen = world.landfall("apply --env dev --yes").await;
    assert_snapshot!(seen.all(), @"
    dev: 4 to create  (plan a54cb7a5)
      tunnel media-server will be created

      nas: 1 to create
        unifi_dns
          + create A nas-dev.internal.lan = 192.168.1.20 (ttl 300)

      jellyfin: 3 to create
        unifi_dns
          + create A jellyfin-dev.internal.lan = 192.168.1.50
        cloudflare_tunnel
          + create rule jellyfin-dev.example.com = http://jellyfin-dev.internal.lan:8096
          + create CNAME jellyfin-dev.example.com = tunnel media-server (proxied)
        jellyfin-dev.example.com (created) → tunnel media-server (created) → jellyfin-dev.internal.lan (created) → 192.168.1.50 (created)

      becomes public: jellyfin-dev.example.com

      done     create A nas-dev.internal.lan 192.168.1.20 (ttl 300)
      done     create A jellyfin-dev.internal.lan 192.168.1.50
      done     create rule jellyfin-dev.example.com http://jellyfin-dev.internal.lan:8096
      failed   create CNAME jellyfin-dev.example.com tunnel media-server (proxied)
               Cloudflare refuses the connection's token: it needs Zone:Read and DNS:Edit on the zone, and Cloudflare Tunnel:Edit on the account for tunnels
    dev: 3 of 4 steps done; what was done stays done, and applying again does the rest
    --- exit code 1
    ");
    let again = world.landfall("apply --env dev --yes").await;
    assert_snapshot!(again.all(), @"
    dev: 1 to create  (plan 7a494497)

      jellyfin: 1 to create
        cloudflare_tunnel
          + create CNAME jellyfin-dev.example.com = tunnel media-server (proxied)
        jellyfin-dev.example.com (created) → tunnel media-server → jellyfin-dev.internal.lan → 192.168.1.50

      becomes public: jellyfin-dev.example.com

      done     create CNAME jellyfin-dev.example.com tunnel media-server (proxied)
    dev: applied in 1 step
    --- exit code 0
    ");
    assert_eq!(world.unifi.record("nas-dev.internal.lan", "A"), ["192.168.1.20"], "once");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_read_back_and_never_sent_twice() {
    let world = World::new().await;
    let writes = On::write("/proxy/network/integration/v1/sites/*/dns/policies");
    world.unifi.faults().inject(writes, Fault::AfterCommit(Answer::bad_gateway()));
    let seen = world.landfall("apply --env dev --yes").await;
    assert!(world.unifi.faults().is_used_up());
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(world.unifi.mutations().len(), 2);
    assert_eq!(world.landfall("plan --env dev").await.code, 0);
}

#[tokio::test]
async fn one_at_a_time_is_at_work_on_an_environment() {
    let world = World::new().await;
    let gate = Gate::closed();
    let first_write = On::write("/proxy/network/integration/v1/sites/*/dns/policies");
    world.unifi.faults().inject(first_write, Fault::Hold(gate.clone()));
    let first = world.landfall("apply --env dev --yes");
    let second = async {
        gate.arrival().await;
        let second = world.landfall("apply --env dev --yes").await;
        gate.open();
        second
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.code, 0, "{first:?}");
    assert_snapshot!(second.all(), @"
    --- stderr
    error: another `landfall apply` is at work on dev
    help: wait for it; if it was killed, try again in 15 seconds
    --- exit code 1
    ");
}

#[tokio::test]
async fn what_changed_after_it_was_shown_stops_the_run() {
    let world = World::new().await;
    let gate = Gate::closed();
    // The second look, under the leases.
    let looks = On::get("/proxy/network/integration/v1/sites/*/dns/policies").skipping(1);
    world.unifi.faults().inject(looks, Fault::Hold(gate.clone()));
    let apply = world.landfall("apply --env dev --yes");
    let meanwhile = async {
        gate.arrival().await;
        let address = RecordValue::A([192, 168, 1, 99].into());
        world.unifi.default_site().seed(UnifiContent::new("nas-dev.internal.lan", address));
        gate.open();
    };
    let (seen, ()) = tokio::join!(apply, meanwhile);
    assert!(seen.err.contains("changed since the plan was shown"), "{seen:?}");
    assert_eq!(seen.code, 1);
    assert_eq!(world.unifi.mutations().len() + world.cloudflare.mutations().len(), 0);
}

#[tokio::test]
async fn programs_get_the_plan_and_every_step() {
    let world = World::new().await;
    let seen = world.landfall("apply --env dev --yes --format json").await;
    let json = seen.json();
    assert_eq!((seen.code, &json["result"]), (0, &"applied".into()));
    assert_eq!(json["steps"][0]["result"], "done");
    assert_eq!(json["plan"]["environments"][0]["environment"], "dev");
}

#[tokio::test]
async fn two_repositories_do_not_share_one_state() {
    let (one, other) = (World::new().await, World::new().await);
    one.git(&["remote", "add", "origin", "https://github.com/acme/homelab.git"]).await;
    other.git(&["remote", "add", "origin", "git@github.com:acme/office.git"]).await;
    let shared = tempfile::tempdir().unwrap();
    let env = [("LANDFALL_DATA_DIR", shared.path().to_str().unwrap())];
    assert_eq!(one.landfall_with(&env, "apply --env dev --yes").await.code, 0);
    let seen = other.landfall_with(&env, "plan --env dev").await;
    assert!(seen.err.contains("is that of acme/homelab, and this is acme/office"), "{seen:?}");
    assert_eq!(seen.code, 1);
}

#[tokio::test]
async fn the_state_in_the_repository_is_no_part_of_it() {
    let world = World::new().await;
    assert_eq!(world.landfall("apply --env dev --yes").await.code, 0);
    world.git(&["add", "."]).await;
    assert!(world.path().join(".landfall/working-copy.db").is_file());
    let added = world.landfall("validate --staged").await;
    assert_eq!(added.code, 0);
    world.git(&["check-ignore", "--quiet", ".landfall/working-copy.db"]).await;
}
