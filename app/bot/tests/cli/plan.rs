//! `landfall plan`.

use insta::assert_snapshot;
use landfall_sim::cloudflare::RecordFields;
use landfall_sim::unifi::{RecordValue, UnifiContent};

use crate::world::World;

#[tokio::test]
async fn a_plan_shows_what_changes_which_way_requests_go_and_what_to_do_next() {
    let world = World::new().await;
    let seen = world.landfall("plan --env dev").await;
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

      next: landfall apply --env dev --digest a54cb7a5
    --- exit code 2
    ");
    assert_eq!(world.unifi.mutations().len() + world.cloudflare.mutations().len(), 0);
    assert!(!world.path().join(".landfall").exists(), "a plan writes nothing");
}

#[tokio::test]
async fn markdown_is_the_comment_of_a_pull_request() {
    let world = World::new().await;
    assert_snapshot!(world.landfall("plan --env dev --format markdown").await.out, @"
    ### Landfall plan for `working copy`

    | Environment | Plan | Digest |
    |---|---|---|
    | **dev** | 4 to create; `tunnel media-server` will be created | `a54cb7a5` |

    - 🌍 **becomes public** in **dev**: `jellyfin-dev.example.com`

    <details open>
    <summary><b>nas</b> in <b>dev</b>: 1 to create</summary>

    ```diff
    @@ unifi_dns @@
    + create A nas-dev.internal.lan = 192.168.1.20 (ttl 300)
    ```

    </details>

    <details open>
    <summary><b>jellyfin</b> in <b>dev</b>: 3 to create</summary>

    ```diff
    @@ unifi_dns @@
    + create A jellyfin-dev.internal.lan = 192.168.1.50
    @@ cloudflare_tunnel @@
    + create rule jellyfin-dev.example.com = http://jellyfin-dev.internal.lan:8096
    + create CNAME jellyfin-dev.example.com = tunnel media-server (proxied)
    ```

    `jellyfin-dev.example.com` *created* → `tunnel media-server` *created* → `jellyfin-dev.internal.lan` *created* → `192.168.1.50` *created*

    </details>

    ---
    **Next:** **dev** has no branch; apply it from the command line.
    ");
}

#[tokio::test]
async fn programs_get_the_plan_itself() {
    let world = World::new().await;
    let json = world.landfall("plan --format json").await.json();
    let dev = &json["environments"][0];
    assert_eq!(dev["environment"], "dev");
    assert_eq!(dev["ownership"], "known");
    assert_eq!(dev["plan"]["units"]["dev/nas/unifi_dns"]["changes"][0]["action"], "create");
    assert_eq!(dev["opens"][0], "jellyfin-dev.example.com");
    assert_eq!(json["environments"][1]["ownership"], "unknown");
}

#[tokio::test]
async fn an_environment_with_branches_is_planned_as_if_nothing_were_owned_and_says_so() {
    let world = World::new().await;
    let address = RecordValue::A([192, 168, 1, 20].into());
    world.unifi.default_site().seed(UnifiContent::new("nas.internal.lan", address));
    assert_snapshot!(
        world.landfall("plan --env production --service nas").await.all(), @"
        production: 1 unit blocked
          note: What Landfall owns in production is not known here (it stands in the server's store), so this is planned as if it owned nothing: what exists shows as in the way, nothing as deleted. The comment on a pull request has the real plan.
          note: Only a part of the plan for production is shown: 0 of 3 changes of plan 38a50f61.
          in the way of nas/unifi_dns: A nas.internal.lan exists as `192.168.1.20` and is not ours; wanted is `192.168.1.20 (ttl 300)`
            `adopt: true` at the entry takes it over and changes it

          production follows main: it is applied once this is merged there
        --- exit code 2
        "
    );
    let adopted = world.landfall("plan --env production --service nas --adopt").await;
    assert_snapshot!(adopted.all(), @"
    production: 1 to adopt
      note: What Landfall owns in production is not known here (it stands in the server's store), so this is planned as if it owned nothing: what exists shows as in the way, nothing as deleted. The comment on a pull request has the real plan.
      note: Only a part of the plan for production is shown: 1 of 4 changes of plan 058cd4ab.

      nas: 1 to adopt
        unifi_dns
          ! adopt A nas.internal.lan
          -     ttl: 0
          +     ttl: 300

      production follows main: it is applied once this is merged there
    --- exit code 2
    ");
}

#[tokio::test]
async fn a_part_of_a_plan_is_not_another_plan() {
    let world = World::new().await;
    let whole = world.landfall("plan --env dev --format json").await.json();
    let seen = world.landfall("plan --env dev --service nas").await;
    assert_snapshot!(seen.all(), @"
    dev: 1 to create
      note: Only a part of the plan for dev is shown: 1 of 4 changes of plan a54cb7a5.

      nas: 1 to create
        unifi_dns
          + create A nas-dev.internal.lan = 192.168.1.20 (ttl 300)

      next: landfall apply --env dev applies the whole plan
    --- exit code 2
    ");
    let part = world.landfall("plan --env dev --only cloudflare_tunnel --format json").await.json();
    let (part, whole) = (&part["environments"][0], &whole["environments"][0]);
    assert_eq!(part["digest"], whole["digest"]);
    let units: Vec<&String> = part["plan"]["units"].as_object().unwrap().keys().collect();
    assert_eq!(units, ["dev/jellyfin/cloudflare_tunnel"]);
}

#[tokio::test]
async fn what_is_asked_for_and_does_not_exist_is_an_error() {
    let world = World::new().await;
    assert_snapshot!(world.landfall("plan --env dve").await.all(), @"
    --- stderr
    error: there is no environment `dve`
    help: did you mean `dev`?
    --- exit code 1
    ");
    assert_snapshot!(world.landfall("plan --env dev --service nsa").await.all(), @"
    --- stderr
    error: there is no service `nsa`
    help: did you mean `nas`?
    --- exit code 1
    ");
    assert_snapshot!(world.landfall("plan --env dev --only unifi").await.all(), @"
    --- stderr
    error: there is no kind of component `unifi`
    help: known here: `unifi_dns`, `cloudflare_tunnel`, `cloudflare_dns`
    --- exit code 1
    ");
}

#[tokio::test]
async fn what_exists_and_is_not_ours_is_in_the_way() {
    let world = World::new().await;
    let zone = world.cloudflare.zone("example.com");
    zone.seed(RecordFields::new("A", "jellyfin-dev.example.com", "203.0.113.9"));
    assert_snapshot!(
        world.landfall("plan --env dev --only cloudflare_tunnel").await.all(), @"
        dev: 1 unit blocked
          note: Only a part of the plan for dev is shown: 0 of 2 changes of plan 6092894b.
          in the way of jellyfin/cloudflare_tunnel: A jellyfin-dev.example.com stands in the way of CNAME jellyfin-dev.example.com
            they cannot stand at one name; remove one of them

          dev cannot be applied until what is listed above is mended
        --- exit code 2
        "
    );
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_an_error_and_not_an_empty_plan() {
    let world = World::new().await;
    let wrong = [("LANDFALL_SECRET_UNIFI", "wrong-key")];
    assert_snapshot!(world.landfall_with(&wrong, "plan --env dev").await.all(), @"
    dev: cannot be planned
      the console refuses the API key: Unauthorized (HTTP 401)
    --- exit code 1
    ");
    let empty = [("LANDFALL_SECRET_UNIFI", "")];
    assert_snapshot!(world.landfall_with(&empty, "plan --env dev").await.all(), @"
    dev: cannot be planned
      `ref+env://LANDFALL_SECRET_UNIFI` leads to an empty value
    --- exit code 1
    ");
    let closed = [("LANDFALL_ALLOW_HOSTS", "")];
    assert_snapshot!(world.landfall_with(&closed, "plan --env dev").await.all(), @"
    dev: cannot be planned
      `127.0.0.1` has no address that is public or that the operator allows (LANDFALL_ALLOW_HOSTS)
    --- exit code 1
    ");
}

#[tokio::test]
async fn errors_are_shown_instead_of_a_plan() {
    let world = World::new().await;
    world.write("services/broken.yaml", "unifi_dsn: {}\n");
    let seen = world.landfall("plan").await;
    assert_snapshot!(seen.all(), @"
    --- stderr
    error[unknown-key]: the key `unifi_dsn` is not known here
     --> services/broken.yaml:1:1
      |
    1 | unifi_dsn: {}
      | ^^^^^^^^^
      |
      = help: did you mean `unifi_dns`?

    1 error, so nothing is planned
    --- exit code 1
    ");
}

#[tokio::test]
async fn wrong_settings_are_told_with_their_names() {
    let world = World::new().await;
    let wrong = [("LANDFALL_ALLOW_HOSTS", "not a host")];
    assert_snapshot!(world.landfall_with(&wrong, "plan").await.all(), @"
    --- stderr
    error: the settings cannot be used:
      LANDFALL_ALLOW_HOSTS: `not a host` is not a host, `host:port`, an address, `address:port` or a network such as `192.168.1.0/24`
    --- exit code 1
    ");
    let nowhere = [("LANDFALL_DATABASE_URL", "sqlite:/nowhere/landfall.db")];
    assert_snapshot!(world.landfall_with(&nowhere, "plan --env production").await.all(), @"
    --- stderr
    error: LANDFALL_DATABASE_URL: there is no store at /nowhere/landfall.db
    --- exit code 1
    ");
}
