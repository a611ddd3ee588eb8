//! The first time: an environment that never ran shows everything and waits for a word.

use insta::assert_snapshot;
use landfall_tests::world::world;

#[tokio::test]
async fn the_first_pull_request_shows_the_whole_plan_and_a_word_applies_it() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-1`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 3 to create; `tunnel media` will be created | `c1005935` |

        <details open>
        <summary><b>jellyfin</b> in <b>production</b>: 2 to create (not from this pull request)</summary>

        ```diff
        @@ cloudflare_tunnel @@
        + create CNAME jellyfin.example.com = tunnel 0123456789abcdef0123456789abcdef/media (proxied)
        + create rule jellyfin.example.com = http://nas.internal.lan:8096
        ```

        `jellyfin.example.com` *created* → `tunnel media` → `nas.internal.lan` *created* → `192.168.1.50` *created*

        </details>

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to create (not from this pull request)</summary>

        ```diff
        @@ unifi_dns @@
        + create A nas.internal.lan = 192.168.1.50
        ```

        </details>

        ---
        **Next:** Merge, then confirm **production** by name: this is its first run.

        - `/apply production c1005935` after the merge: lets the run on production go
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"");

        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"");
        assert_snapshot!(w.outcome().await, @"");
        assert_eq!(w.writes(), 0);

        let word = w.comment("/apply");
        assert_eq!(w.reactions(word).await, "rocket");
        assert_snapshot!(w.run_comment().await, @"");
        assert_snapshot!(w.outcome().await, @"");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        assert_eq!(
            w.cloudflare.tunnel("media").services("jellyfin.example.com"),
            ["http://nas.internal.lan:8096"]
        );
        assert_snapshot!(w.run_check("production").await, @"");
        assert_snapshot!(w.deployments().await.join("\n"), @"");
    })
    .await;
}
