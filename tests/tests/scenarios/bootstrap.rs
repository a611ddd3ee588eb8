//! The first time: an environment that never ran shows everything and waits for a word.

use insta::assert_snapshot;
use landfall_tests::world::{CONFIG, NAS, Setting, world, world_with};

#[tokio::test]
async fn the_first_pull_request_shows_the_whole_plan_and_a_word_applies_it() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall plan for `commit-1`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 3 to create; `tunnel media` will be created | `c1005935` |

        **production** was never applied, so all of it is shown.

        - 🌍 **becomes public** in **production**: `jellyfin.example.com`

        <details open>
        <summary><b>nas</b> in <b>production</b>: 1 to create</summary>

        ```diff
        @@ unifi_dns @@
        + create A nas.internal.lan = 192.168.1.50
        ```

        </details>

        <details open>
        <summary><b>jellyfin</b> in <b>production</b>: 2 to create</summary>

        ```diff
        @@ cloudflare_tunnel @@
        + create rule jellyfin.example.com = http://nas.internal.lan:8096
        + create CNAME jellyfin.example.com = tunnel media (proxied)
        ```

        `jellyfin.example.com` *created* → `tunnel media` *created* → `nas.internal.lan` *created* → `192.168.1.50` *created*

        </details>

        ---
        **Next:** Merge. The run on **production** then waits for you, because this is its first run. Release it with `/apply production c1005935`.
        ");
        assert_snapshot!(w.check("landfall / production (main)").await, @"success: 3 to create; waits for /apply after the merge");

        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: this is its first run

        `commit-2` on `main`, plan `c1005935`: 3 to create

        ```diff
        @@ nas/unifi_dns @@
        + create A nas.internal.lan = 192.168.1.50
        @@ jellyfin/cloudflare_tunnel @@
        + create rule jellyfin.example.com = http://nas.internal.lan:8096
        + create CNAME jellyfin.example.com = tunnel media (proxied)
        ```

        ---
        **Next:**

        - `/apply production c1005935` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        assert_snapshot!(w.outcome().await, @"⏸️ production waits: this is its first run (`commit-2`)");
        assert_eq!(w.writes(), 0);

        let word = w.comment("/apply");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_snapshot!(w.run_comment().await, @"
        ### ✅ Applied to production

        `commit-2` on `main`, plan `c1005935`: 3 created

        <details>
        <summary>3 steps</summary>

        | Step | Result | Change |
        |---|---|---|
        | 1 | done | `create A nas.internal.lan 192.168.1.50` |
        | 2 | done | `create rule jellyfin.example.com http://nas.internal.lan:8096` |
        | 3 | done | `create CNAME jellyfin.example.com tunnel media (proxied)` |

        </details>
        ");
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-2`): 3 created");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        assert_eq!(
            w.cloudflare.tunnel("media").services("jellyfin.example.com"),
            ["http://nas.internal.lan:8096"]
        );
        assert_snapshot!(w.run_check("production").await, @"success: Applied to production");
        assert_snapshot!(w.deployments().await, @"production at commit-2: success");
    })
    .await;
}

#[tokio::test]
async fn the_digest_may_be_named_and_another_one_is_refused() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;

        let wrong = w.comment("/apply production 0badc0de");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production 0badc0de` was not carried out. `0badc0de` is not what production would do now.

        Look at the plan of the run that waits; its digest begins with `c1005935`.
        ");
        assert_eq!(w.reactions(wrong).await, "eyes confused");
        assert_eq!(w.writes(), 0);

        w.comment("/apply production c1005935");
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-2`): 3 created");
        w.run_comment().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn without_a_digest_a_word_is_not_enough_once_two_plans_were_shown() {
    world(async |w| {
        w.pull("address", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.settle().await;
        w.push("address", [("services/nas.yaml", NAS.replace(".50", ".52"))]).await;
        w.settle().await;
        w.merge().await;
        w.read_everything().await;

        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. More than one plan for production was shown here.

        Name the one you saw: `/apply production 782f9858`.
        ");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn without_rules_on_the_default_branch_nothing_is_planned() {
    let bare = Setting { config: String::new(), ..Setting::default() };
    world_with(bare, async |w| {
        w.pull("landfall", [("landfall.yaml", CONFIG)]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-1`

        > [!NOTE]
        > There is no `landfall.yaml` on `main` yet; planning starts once it is merged.
        ");
        w.merge().await;
        assert_snapshot!(w.run_comment().await, @"
        ### ⏸️ production waits: this is its first run

        `commit-2` on `main`, plan `c1005935`: 3 to create

        ```diff
        @@ nas/unifi_dns @@
        + create A nas.internal.lan = 192.168.1.50
        @@ jellyfin/cloudflare_tunnel @@
        + create rule jellyfin.example.com = http://nas.internal.lan:8096
        + create CNAME jellyfin.example.com = tunnel media (proxied)
        ```

        ---
        **Next:**

        - `/apply production c1005935` applies exactly what is shown here
        - `/cancel production` drops this run
        ");
        w.outcome().await;
        assert_eq!(w.writes(), 0, "its first run waits for a word");
    })
    .await;
}

#[tokio::test]
async fn rules_that_are_broken_on_the_default_branch_can_be_mended() {
    let broken = Setting { config: "version: 1\n".to_owned(), ..Setting::default() };
    world_with(broken, async |w| {
        w.pull("mend", [("landfall.yaml", CONFIG)]).await;
        assert_snapshot!(w.plan_comment().await, @r"
        ### Landfall for `commit-1`

        > [!NOTE]
        > `landfall.yaml:1:1` on `main` cannot be used: the key `environments` is missing. Planning goes on once it is fixed there.
        ");
    })
    .await;
}
