//! What is not ours: never touched, and taken over only when that was asked for.

use insta::assert_snapshot;
use landfall_sim::cloudflare::{ConfigSource, RecordFields};
use landfall_sim::unifi::{RecordValue, UnifiContent};
use landfall_tests::world::{CONFIG, NAS, Setting, world, world_with};
use serde_json::json;

fn a(name: &str, address: &str) -> UnifiContent {
    UnifiContent::new(name, RecordValue::A(address.parse().unwrap()))
}

#[tokio::test]
async fn something_that_exists_is_a_conflict_with_an_offer() {
    world(async |w| {
        w.bootstrap().await;
        w.unifi.default_site().seed(a("tv.internal.lan", "192.168.1.70"));
        let tv = "unifi_dns:\n  \"tv${suffix}.internal.lan\": { a: 192.168.1.71 }\n";
        w.pull("tv", [("services/tv.yaml", tv)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        > [!CAUTION]
        > In **production** something is in the way:
        > - `tv/unifi_dns`: A tv.internal.lan exists as `192.168.1.70` and is not ours; wanted is `192.168.1.71`<br>`adopt: true` at the entry takes it over and changes it

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 unit blocked | – |

        ---
        **Next:** **production** cannot be applied until what is listed above is mended.
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"failure: Something is in the way");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: something is in the way

        `commit-4` on `main`

        - `tv/unifi_dns`: A tv.internal.lan exists as `192.168.1.70` and is not ours; wanted is `192.168.1.71`<br>`adopt: true` at the entry takes it over and changes it

        Fix it in another pull request; merging that applies this one too.

        ---
        **Next:**

        - `/cancel production` drops this run
        ");
        w.outcome().await;
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.70"]);
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_may_adopt_takes_over_what_is_there_once_somebody_says_so() {
    world(async |w| {
        w.bootstrap().await;
        w.unifi.default_site().seed(a("tv.internal.lan", "192.168.1.70"));
        let tv = "unifi_dns:\n  \"tv${suffix}.internal.lan\": { a: 192.168.1.71, adopt: true }\n";
        w.pull("tv", [("services/tv.yaml", tv)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to adopt | `9190f8d6` |

        <details open>
        <summary><b>tv</b> in <b>production</b>: 1 to adopt</summary>

        ```diff
        @@ unifi_dns @@
        ! adopt A tv.internal.lan
        -     values: 192.168.1.70
        +     values: 192.168.1.71
        ```

        </details>

        ---
        **Next:** Merge. The run on **production** then waits for you, because 1 resource that exists becomes ours. Release it with `/apply production 9190f8d6`.
        ");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: 1 resource that exists becomes ours

        `commit-4` on `main`, plan `9190f8d6`: 1 to adopt

        ```diff
        @@ tv/unifi_dns @@
        ! adopt A tv.internal.lan
        -     values: 192.168.1.70
        +     values: 192.168.1.71
        ```

        ---
        **Next:**

        - `/apply production 9190f8d6` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.70"]);
        w.comment("/apply");
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 adopted");
        w.run_comment().await;
        assert_eq!(w.unifi.record("tv.internal.lan", "A"), ["192.168.1.71"]);
    })
    .await;
}

#[tokio::test]
async fn an_environment_that_adopts_what_is_equal_takes_it_over_unchanged() {
    let config =
        CONFIG.replace("vars: { suffix: \"\" }", "vars: { suffix: \"\" }\n    adopt: equal");
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let record = w.unifi.default_site().seed(a("nas.internal.lan", "192.168.1.50"));
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-1`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 2 to create, 1 to adopt; `tunnel media` will be created | `19bad954` |

        **production** was never applied, so all of it is shown.

        - 🌍 **becomes public** in **production**: `jellyfin.example.com`

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to adopt</summary>

        ```diff
        @@ unifi_dns @@
        ! adopt A nas.internal.lan = 192.168.1.50
        ```

        </details>

        <details open>
        <summary><b>jellyfin</b> in <b>production</b>: 2 to create</summary>

        ```diff
        @@ cloudflare_tunnel @@
        + create rule jellyfin.example.com = http://nas.internal.lan:8096
        + create CNAME jellyfin.example.com = tunnel media (proxied)
        ```

        `jellyfin.example.com` *created* → `tunnel media` *created* → `nas.internal.lan` → `192.168.1.50`

        </details>

        ---
        **Next:** Merge. The run on **production** then waits for you, because this is its first run. Release it with `/apply production 19bad954`.
        ");
        w.merge().await;
        w.settle().await;
        w.comment("/apply");
        assert_snapshot!(w.run_comment().await, @"
        ### ✅ Applied to production

        `commit-2` on `main`, plan `19bad954`: 2 created, 1 adopted

        <details>
        <summary>3 steps</summary>

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `adopt A nas.internal.lan 192.168.1.50` |
        | 2 | done | `create rule jellyfin.example.com http://nas.internal.lan:8096` |
        | 3 | done | `create CNAME jellyfin.example.com tunnel media (proxied)` |

        </details>
        ");
        w.outcome().await;
        assert_eq!(w.unifi.default_site().records(), [record], "not even written again");

        // From now on it is ours.
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.merge().await;
        w.outcome().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn foreign_records_and_foreign_rules_of_a_shared_tunnel_survive() {
    world(async |w| {
        let foreign = RecordFields::new("A", "www.example.com", "192.0.2.80");
        let record = w.cloudflare.zone("example.com").seed(foreign);
        let printer = w.unifi.default_site().seed(a("printer.internal.lan", "192.168.1.60"));
        let tunnel = w.cloudflare.seed_tunnel("media", ConfigSource::Cloudflare);
        tunnel.seed_rules(&json!([
            { "hostname": "blog.example.com", "service": "http://10.0.0.5:2368", "originRequest": { "http2Origin": true } },
            { "service": "http_status:404" },
        ]));
        let before = tunnel.rules();
        w.bootstrap().await;
        assert_eq!(tunnel.services("jellyfin.example.com"), ["http://nas.internal.lan:8096"]);

        w.pull("no-services", [landfall_sim::github::remove("services/jellyfin.yaml")]).await;
        w.plan_comment().await;
        w.merge().await;
        w.outcome().await;
        assert_eq!(tunnel.rules(), before);
        assert_eq!(w.cloudflare.zone("example.com").records(), [record]);
        assert!(w.unifi.default_site().records().contains(&printer));
    })
    .await;
}
