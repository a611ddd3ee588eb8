//! What a pull request does to services, planned and then applied: nothing more, nothing less.

use insta::assert_snapshot;
use landfall_sim::github::remove;
use landfall_tests::world::{JELLYFIN, NAS, world};

const PHOTOS: &str = r#"unifi_dns:
  "photos${suffix}.internal.lan": { a: 192.168.1.60, ttl: 300 }
cloudflare_tunnel:
  tunnel: "media${suffix}"
  routes:
    "photos${suffix}.example.com": "http://photos${suffix}.internal.lan:2283"
"#;

#[tokio::test]
async fn an_added_service_is_planned_then_applied() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("photos", [("services/photos.yaml", PHOTOS)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 3 to create | `283f0c8e` |

        - 🌍 **becomes public** in **production**: `photos.example.com`

        <details open>
        <summary><b>photos</b> in <b>production</b>: 3 to create</summary>

        ```diff
        @@ unifi_dns @@
        + create A photos.internal.lan = 192.168.1.60 (ttl 300)
        @@ cloudflare_tunnel @@
        + create rule photos.example.com = http://photos.internal.lan:2283
        + create CNAME photos.example.com = tunnel media (proxied)
        ```

        `photos.example.com` *created* → `tunnel media` → `photos.internal.lan` *created* → `192.168.1.60` *created*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"success: 3 to create");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 3 created");
        assert_eq!(w.unifi.record("photos.internal.lan", "A"), ["192.168.1.60"]);
        let tunnel = w.cloudflare.tunnel("media");
        assert_eq!(tunnel.services("photos.example.com"), ["http://photos.internal.lan:2283"]);
        assert_eq!(tunnel.services("jellyfin.example.com"), ["http://nas.internal.lan:8096"]);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_changed_address_and_a_changed_origin_are_planned_then_applied() {
    world(async |w| {
        w.bootstrap().await;
        let moved = [
            ("services/nas.yaml", NAS.replace("192.168.1.50", "192.168.1.51")),
            ("services/jellyfin.yaml", JELLYFIN.replace("8096", "8920")),
        ];
        w.pull("move", moved).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 2 to update | `2eb576c0` |

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ unifi_dns @@
        ! update A nas.internal.lan
        -     values: 192.168.1.50
        +     values: 192.168.1.51
        ```

        </details>

        <details open>
        <summary><b>jellyfin</b> in <b>production</b>: 1 to update</summary>

        ```diff
        @@ cloudflare_tunnel @@
        ! update rule jellyfin.example.com
        -     service: http://nas.internal.lan:8096
        +     service: http://nas.internal.lan:8920
        ```

        `jellyfin.example.com` *changed* → `tunnel media` → `nas.internal.lan` *changed* → `192.168.1.51` *changed*

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 2 updated");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
        let tunnel = w.cloudflare.tunnel("media");
        assert_eq!(tunnel.services("jellyfin.example.com"), ["http://nas.internal.lan:8920"]);
    })
    .await;
}

#[tokio::test]
async fn a_removed_service_is_planned_then_taken_away() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("no-jellyfin", [remove("services/jellyfin.yaml")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 2 to delete | `4dc602bf` |

        - 🚫 **stops being reachable** in **production**: `jellyfin.example.com`

        <details open>
        <summary><b>jellyfin</b> in <b>production</b>: 2 to delete</summary>

        ```diff
        @@ cloudflare_tunnel @@
        - delete CNAME jellyfin.example.com = tunnel media (proxied)
        - delete rule jellyfin.example.com = http://nas.internal.lan:8096
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 2 deleted");
        assert!(w.cloudflare.tunnel("media").services("jellyfin.example.com").is_empty());
        assert!(w.cloudflare.zone("example.com").named("jellyfin.example.com").is_empty());
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_renamed_service_touches_no_provider() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        let renamed = JELLYFIN.replace("[nas]", "[storage]");
        let edits = [
            remove("services/nas.yaml"),
            ("services/storage.yaml", NAS).into(),
            ("services/jellyfin.yaml", renamed).into(),
        ];
        w.pull("rename", edits).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to transfer | `8e295758` |

        <details open>
        <summary><b>storage</b> in <b>production</b>: 1 to transfer</summary>

        ```diff
        @@ unifi_dns @@
        ! transfer A nas.internal.lan: nas → storage (nothing is sent)
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        ");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 transferred");
        assert_eq!(w.writes(), before);

        w.pull("after", [("services/storage.yaml", NAS.replace(".50", ".51"))]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-5`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to update | `ea28c792` |

        <details open>
        <summary><b>storage</b> in <b>production</b>: 1 to update</summary>

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
    })
    .await;
}

#[tokio::test]
async fn a_comment_in_a_file_makes_no_plan_and_no_comment() {
    world(async |w| {
        w.bootstrap().await;
        let before = w.writes();
        w.pull("words", [("services/nas.yaml", format!("# The machine in the cellar.\n{NAS}"))]).await;
        w.assert_silence().await;
        assert_snapshot!(w.check("landfall / production (main)").await, @"success: No service changes");
        w.merge().await;
        w.assert_silence().await;
        assert_eq!(w.writes(), before);
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_is_taken_back_says_so_in_the_same_comment() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("address", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.push("address", [("services/nas.yaml", NAS)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-4`

        No service changes; merging applies nothing.
        ");
    })
    .await;
}
