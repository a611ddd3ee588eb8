//! Configuration that is wrong: said at the line, and never taken for a deletion.

use insta::assert_snapshot;
use landfall_sim::github::remove;
use landfall_tests::world::{CONFIG, JELLYFIN, NAS, world};

#[tokio::test]
async fn an_error_is_told_at_its_file_and_line() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("typo", [("services/nas.yaml", NAS.replace("{ a:", "{ aaa:"))]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `services/nas.yaml:2:34` the key `aaa` is not known here (`unknown-key`)<br>did you mean `aaaa`?
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"
        failure: 1 error in the configuration
        services/nas.yaml:2:34 failure unknown-key: the key `aaa` is not known here
        did you mean `aaaa`?
        ");

        w.push("typo", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-4`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `2f488bee` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        `jellyfin.example.com` → `tunnel media` → `nas.internal.lan` *changed* → `192.168.1.51` *changed*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"success: 1 to update");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_makes_no_plan_for_anything() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let edits = [
            ("services/nas.yaml", NAS.replace(".50", ".51").into_bytes()),
            ("services/jellyfin.yaml", vec![0xff, 0xfe, 0x00]),
        ];
        w.pull("broken", edits).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `services/jellyfin.yaml:1:1` this byte is not UTF-8 (`not-utf8`)<br>save the file as UTF-8
        ");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ❌ Nothing could be applied to production

        `commit-4` on `main`

        - `services/jellyfin.yaml:1:1` this byte is not UTF-8 (`not-utf8`)<br>save the file as UTF-8

        Fix it in another pull request; merging that applies this one too.
        ");
        assert_snapshot!(w.outcome().await, @"❌ Nothing could be applied to production (`commit-4`)");
        assert_eq!(w.writes(), before, "nothing of it is applied");
    })
    .await;
}

#[tokio::test]
async fn a_typo_in_the_glob_of_services_is_an_error_and_no_mass_deletion() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let typo = CONFIG.replace("version: 1\n", "version: 1\nservices: \"service/*.yaml\"\n");
        w.pull("glob", [("landfall.yaml", typo)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `landfall.yaml:2:11` `service/*.yaml` matches no file, but Landfall still owns what 2 services declared (`services-vanished`)<br>write the pattern that matches their files; to remove all services, leave one file for a second pull request
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"
        failure: 1 error in the configuration
        landfall.yaml:2:11 failure services-vanished: `service/*.yaml` matches no file, but Landfall still owns what 2 services declared
        write the pattern that matches their files; to remove all services, leave one file for a second pull request
        ");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ❌ Nothing could be applied to production

        `commit-4` on `main`

        - `landfall.yaml:2:11` `service/*.yaml` matches no file, but Landfall still owns what 2 services declared (`services-vanished`)<br>write the pattern that matches their files; to remove all services, leave one file for a second pull request

        Fix it in another pull request; merging that applies this one too.
        ");
        w.outcome().await;
        assert_eq!(w.writes(), before);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_branch_without_services_is_no_error_because_another_has_some() {
    world(async |w| {
        w.bootstrap().await;
        let nothing = ["services/nas.yaml", "services/jellyfin.yaml"].map(remove);
        w.push("develop", nothing).await;
        assert_snapshot!(w.deployments().await, @"production at commit-2: success");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_two_environments_declare_is_refused_with_both_ways_to_mend_it() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("shared", [("services/nas.yaml", NAS.replace("${suffix}", ""))]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `services/nas.yaml:2:3` A nas.internal.lan is declared by production and by staging (`two-environments`)<br>let it live in one of them, `only: [staging]`, or put a variable into the name, as in `name${suffix}`
        ");
    })
    .await;
}

#[tokio::test]
async fn a_warning_stands_in_the_plan_and_at_its_line() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("elsewhere", [("services/jellyfin.yaml", JELLYFIN.replace("//nas", "//tv"))]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        > [!WARNING]
        > `services/jellyfin.yaml:5:38` no service of production declares the origin tv.internal.lan (`origin-unknown`)
        > declare the name, or list it in `known_names` if somebody else does
        >
        > `services/jellyfin.yaml:5:38` no service of staging declares the origin tv-staging.internal.lan (`origin-unknown`)
        > declare the name, or list it in `known_names` if somebody else does

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `9a980d42` |

        <details open>
        <summary><b>jellyfin</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ cloudflare_tunnel @@
        ! update rule jellyfin.example.com
        -     service: http://nas.internal.lan:8096
        +     service: http://tv.internal.lan:8096
        ```

        `jellyfin.example.com` *changed* → `tunnel media` → `tv.internal.lan` *not declared here*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"
        success: 1 to update
        services/jellyfin.yaml:5:38 warning origin-unknown: no service of production declares the origin tv.internal.lan
        declare the name, or list it in `known_names` if somebody else does
        services/jellyfin.yaml:5:38 warning origin-unknown: no service of staging declares the origin tv-staging.internal.lan
        declare the name, or list it in `known_names` if somebody else does
        ");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_an_error_at_its_first_line_and_no_failed_job() {
    world(async |w| {
        w.bootstrap().await;
        let large = format!("{NAS}{}", "#".repeat(1 << 20));
        w.pull("large", [("services/nas.yaml", large)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-3`

        > [!CAUTION]
        > 1 error in the configuration, so no plan was made for any environment.

        - `services/nas.yaml:1:1` the file has 1048638 bytes, at most 1048576 are read (`too-large`)
        ");
        let large = format!("{CONFIG}{}", "#".repeat(1 << 20));
        w.push("large", [("services/nas.yaml", NAS.to_owned()), ("landfall.yaml", large)]).await;
        let told = w.plan_comment().await;
        assert!(told.contains("`landfall.yaml:1:1` the file has"), "{told}");
    })
    .await;
}
