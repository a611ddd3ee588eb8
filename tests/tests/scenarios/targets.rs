//! What is written to, and by whose rules: one owner for each resource, one identity for each
//! target, and nothing that a branch says of itself.

use insta::assert_snapshot;
use landfall_sim::cloudflare::{CloudflareSettings, ZoneSettings};
use landfall_tests::world::{ALICE, CONFIG, NAS, Setting, world, world_with};

#[tokio::test]
async fn a_branch_that_maps_itself_to_production_changes_nothing() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let mine = CONFIG.replace("branches: [main]", "branches: [main, mine]");
        let nas = NAS.replace("192.168.1.50", "6.6.6.6");
        w.pull("mine", [("landfall.yaml", mine), ("services/nas.yaml", nas.clone())]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        > [!NOTE]
        > `landfall.yaml` changes here and takes effect once it is on `main`: `environments.production.branches` becomes `main, mine`. That changes no unit.

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `17c01ad8` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 6.6.6.6
        ```

        `jellyfin.example.com` → `tunnel media` → `nas.internal.lan` *changed* → `6.6.6.6` *changed*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.push("mine", [("services/nas.yaml", nas + "# now\n")]).await;
        w.read_everything().await;
        assert_eq!(w.writes(), before);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_two_environments_declare_is_refused_with_both_ways_to_mend_it() {
    world(async |w| {
        let both = "unifi_dns:\n  printer.internal.lan: { a: 192.168.1.80 }\n";
        w.pull("printer", [("services/printer.yaml", both)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-1`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `services/printer.yaml:2:3` A printer.internal.lan is declared by production and by staging (`two-environments`)<br>let it live in one of them, `only: [staging]`, or put a variable into the name, as in `name${suffix}`
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"
        failure: 1 error in the configuration
        services/printer.yaml:2:3 failure two-environments: A printer.internal.lan is declared by production and by staging
        let it live in one of them, `only: [staging]`, or put a variable into the name, as in `name${suffix}`
        ");

        let only = format!("only: [production]\n{both}");
        w.push("printer", [("services/printer.yaml", only)]).await;
        assert!(w.plan_comment().await.contains("create A printer.internal.lan"));
        let suffixed = both.replace("printer.internal.lan", "\"printer${suffix}.internal.lan\"");
        w.push("printer", [("services/printer.yaml", suffixed)]).await;
        assert!(w.plan_comment().await.contains("create A printer.internal.lan"));
    })
    .await;
}

/// The addresses differ, so it is the console that says whose record it is.
#[tokio::test]
async fn one_console_under_two_addresses_is_one_target() {
    let config = CONFIG.replacen("http://unifi.test", "http://console.test", 1);
    assert_ne!(config, CONFIG);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.bootstrap_branch("main").await;
        w.bootstrap_branch("develop").await;
        let both = "unifi_dns:\n  printer.internal.lan: { a: 192.168.1.80 }\n";
        w.pull_into("develop", "printer", [("services/printer.yaml", both)]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        assert_eq!(w.unifi.record("printer.internal.lan", "A"), ["192.168.1.80"]);

        let before = w.writes();
        w.pull("printer-too", [("services/printer.yaml", both)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-7`

        > [!CAUTION]
        > In **production** something is in the way:
        > - `printer/unifi_dns`: A printer.internal.lan belongs to `staging/printer/unifi_dns`<br>remove it there first, or give it another name here

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 unit blocked | – |

        ---
        **Next:** **production** cannot be applied until what is listed above is mended.
        ");
        w.merge().await;
        w.read_everything().await;
        assert_eq!(w.writes(), before, "what staging owns is not production's");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_gets_another_zone_moves_its_units_and_waits() {
    let www = "only: [production]\ncloudflare_dns:\n  www.lab.example.com: { a: 203.0.113.7 }\n";
    let mut setting = Setting::default();
    setting.files.push(("services/www.yaml".to_owned(), www.to_owned()));
    let zones = ["example.com", "lab.example.com"].map(ZoneSettings::active).into();
    setting.cloudflare = CloudflareSettings { zones, ..CloudflareSettings::default() };
    world_with(setting, async |w| {
        w.bootstrap().await;
        assert_eq!(w.cloudflare.zone("example.com").named("www.lab.example.com").len(), 1);

        let moved = CONFIG.replace("zones: [example.com]", "zones: [example.com, lab.example.com]");
        w.pull("zone", [("landfall.yaml", moved)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        > [!NOTE]
        > `landfall.yaml` changes here and takes effect once it is on `main`: `production/www/cloudflare_dns` moves from zone `example.com` to `lab.example.com`.
        ");
        let before = w.writes();
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: what would happen is not what was reviewed

        `commit-4` on `main`, plan `934eca91`: 1 to create, 1 to delete

        **Would happen now:**

        ```diff
        @@ www/cloudflare_dns @@
        + create A www.lab.example.com in zone lab.example.com = 203.0.113.7
        - delete A www.lab.example.com in zone example.com = 203.0.113.7
        ```

        ---
        **Next:**

        - `/apply production 934eca91` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_eq!(w.writes(), before);

        w.read_everything().await;
        // The pull request showed another plan, so the one that is meant has to be named.
        w.comment("/apply");
        assert!(w.answer().await.contains("`/apply production 934eca91`"));
        w.comment("/apply production 934eca91");
        assert_eq!(w.outcome().await, "✅ Applied to production (`commit-4`): 1 created, 1 deleted");
        assert_eq!(w.cloudflare.zone("example.com").named("www.lab.example.com").len(), 0);
        assert_eq!(w.cloudflare.zone("lab.example.com").named("www.lab.example.com").len(), 1);
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn a_branch_that_no_environment_is_mapped_to_may_say_what_it_wants() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let tip = w.repo.head("main").await.unwrap().unwrap();
        w.repo.point_branch("idea", &tip, ALICE).await.unwrap();
        w.push("idea", [("services/nas.yaml", NAS.replace("192.168.1.50", "192.168.1.99"))]).await;
        w.assert_silence().await;
        assert_eq!(w.writes(), before);
    })
    .await;
}

#[tokio::test]
async fn a_zone_that_was_made_anew_is_planned_at_once() {
    world(async |w| {
        w.bootstrap().await;
        w.cloudflare.zone("example.com").make_anew();
        let www = "only: [production]\ncloudflare_dns:\n  www.example.com: { a: 203.0.113.7 }\n";
        w.pull("www", [("services/www.yaml", www)]).await;
        let told = w.plan_comment().await;
        for created in ["create A www.example.com", "create CNAME jellyfin.example.com"] {
            assert!(told.contains(created), "{told}");
        }
    })
    .await;
}
