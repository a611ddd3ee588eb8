//! What people say to Landfall in a comment, and what it answers.

use insta::assert_snapshot;
use landfall_core::name::{EnvironmentName, RepositoryId};
use landfall_sim::fault::{Fault, Gate, On};
use landfall_sim::github::{Fate, OnDelivery};
use landfall_sim::unifi::RecordValue;
use landfall_tests::world::{ALICE, BOB, CONFIG, EVE, NAS, Setting, World, world, world_with};

#[tokio::test]
async fn help_lists_what_there_is() {
    world(async |w| {
        w.bootstrap().await;
        w.comment_as(EVE, "/help");
        assert_snapshot!(w.answers().await, @"
        <details open>
        <summary><code>/help</code>, asked for by <b>eve</b></summary>

        | Command | What it does | For example |
        |---|---|---|
        | `/help` | shows this list | `/help` |
        | `/plan [environment] [service …] [COMMIT] [only:COMPONENT] [fresh]` | plans again, and opens what is named; with a commit only if that is still the head, which is how somebody who read it has a fork's head planned; `fresh` believes nothing that was found out earlier | `/plan production nas only:unifi_dns` |
        | `/apply [environment] [digest]` | on a merged pull request: releases a run that is held, or retries one that failed or was cancelled | `/apply production 1a2b3c4d` |
        | `/status` | shows what is live, what waits, and what is locked | `/status` |
        | `/lock ENVIRONMENT [reason]` | keeps every run of an environment from beginning until `/unlock` | `/lock production the database is being moved` |
        | `/unlock [environment]` | takes a lock off, and the run that waits for it goes on | `/unlock production` |
        | `/cancel [environment]` | drops a run that waits or needs a look, and stops one that is under way before its next step | `/cancel production` |

        `/landfall plan` works too.

        </details>
        ");
        w.comment("/landfall help");
        assert!(w.answers().await.contains("asked for by <b>alice</b>"));
        // It may be another bot's.
        w.comment("/aply");
        w.assert_silence().await;
        w.comment("/landfall aply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/landfall aply` was not carried out. `aply` is not a command; did you mean `/apply`?

        Commands: `/help`, `/plan`, `/apply`, `/status`, `/lock`, `/unlock`, `/cancel`.
        ");
    })
    .await;
}

#[tokio::test]
async fn status_tells_what_is_live_and_what_waits() {
    world(async |w| {
        w.bootstrap().await;
        w.push("main", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.settle().await;
        w.comment_as(EVE, "/status");
        assert_snapshot!(w.answers().await, @"
        <details open>
        <summary><code>/status</code> at THEN, asked for by <b>eve</b></summary>

        | Environment | Live | Waits |
        |---|---|---|
        | **production** | `commit-2` | held at `commit-3`: this was pushed without a pull request |

        </details>
        ");
    })
    .await;
}

#[tokio::test]
async fn status_before_anything_ran_says_so() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        let word = w.comment("/status");
        assert_snapshot!(w.answers().await, @"
        <details open>
        <summary><code>/status</code> at THEN, asked for by <b>alice</b></summary>

        Nothing was ever applied from this repository.

        </details>
        ");
        assert_eq!(w.reactions(word).await, "eyes rocket");
    })
    .await;
}

#[tokio::test]
async fn an_answer_stands_in_the_one_comment_until_another_head_is_planned() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.comment("Where are we?\n/status\n/help");
        w.comment_as(EVE, "/status");
        let answered = w.plan_comment().await;
        assert_snapshot!(answered.split("| `/plan ").next().unwrap_or_default(), @"
        ### Landfall plan for `commit-3`

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

        <details open>
        <summary><code>/help</code>, asked for by <b>alice</b></summary>

        | Command | What it does | For example |
        |---|---|---|
        | `/help` | shows this list | `/help` |
        ");

        // Whatever is told of the same head beside it.
        w.comment("/plan");
        w.settle().await;
        assert_eq!(w.plan_comment().await, answered);
        w.comment("/lock production");
        let locked = w.plan_comment().await;
        assert!(locked.contains("locked by alice") && locked.contains("asked for by <b>eve</b>"));
        w.comment("/unlock production");
        assert_eq!(w.plan_comment().await, answered);

        w.push("move", [("services/nas.yaml", NAS.replace(".50", ".52"))]).await;
        assert_eq!(w.answers().await, "");
        w.comment_as(EVE, "/help");
        let asked = w.answers().await;
        w.merge().await;
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        assert_eq!(w.answers().await, asked);
        assert_eq!(w.repo.comments(pull).iter().filter(|c| c.author == "landfall[bot]").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn where_there_is_no_comment_the_answer_makes_it() {
    world(async |w| {
        w.bootstrap().await;
        let pull = w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.assert_silence().await;
        w.comment("/status");
        assert_snapshot!(w.plan_comment().await, @"
        <details open>
        <summary><code>/status</code> at THEN, asked for by <b>alice</b></summary>

        | Environment | Live | Waits |
        |---|---|---|
        | **production** | `commit-2` | – |

        </details>
        ");
        w.push("readme", [("README.md", "# The homelab\n")]).await;
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-4`

        No service changes; merging applies nothing.
        ");
        w.repo.close(pull, ALICE).unwrap();
        w.read_everything().await;
        w.comment("/status");
        assert_snapshot!(w.plan_comment().await, @"
        ### Landfall for `commit-4`

        No service changes; merging applies nothing.

        ---
        ⏹️ Closed without being merged, so nothing of this is applied. Opened again, it is planned anew.

        <details open>
        <summary><code>/status</code> at THEN, asked for by <b>alice</b></summary>

        | Environment | Live | Waits |
        |---|---|---|
        | **production** | `commit-2` | – |

        </details>
        ");
    })
    .await;
}

#[tokio::test]
async fn apply_on_an_open_pull_request_says_that_merging_applies() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. This pull request is open.

        Merging it applies it; there is nothing to release before.
        ");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_applied_where_the_rules_have_no_such_environment_any_more() {
    world(async |w| {
        let pull = w.pull_into("develop", "readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        let (head, environments) = CONFIG.split_once("  staging:").unwrap();
        let (_, production) = environments.split_once("  production:").unwrap();
        let rules = format!("{head}  production:{production}");
        w.push("main", [("landfall.yaml", rules)]).await;
        w.read_everything().await;
        w.on(pull).comment("/apply staging");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply staging` was not carried out. staging is not in `landfall.yaml` on main, so nothing is applied there.

        Put it back there first. What was applied stays as it is, and stays owned.
        ");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn plan_plans_again_what_changed_outside() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        w.unifi.default_site().edit("nas.internal.lan", |record| {
            record.value = RecordValue::A("192.168.1.99".parse().unwrap());
        });
        let word = w.comment_as(BOB, "/plan");
        assert!(w.plan_comment().await.contains("-     values: 192.168.1.99"));
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.merge().await;
        assert_snapshot!(w.outcome().await, @"✅ Applied to production (`commit-4`): 1 updated");
    })
    .await;
}

#[tokio::test]
async fn unlock_drops_no_run_and_says_what_does() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.comment("/unlock production");
        assert_snapshot!(w.answer().await, @"`alice`: `/unlock production` was not carried out. production is not locked.");
        w.merge().await;
        w.read_everything().await;
        w.comment("/unlock production");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/unlock production` was not carried out. production is not locked.

        `/cancel production` drops the run that waits there.
        ");
        w.comment("/apply production");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

/// Both environments follow one branch, so one merge has both wait.
#[tokio::test]
async fn of_several_runs_that_wait_the_digest_says_which_is_meant() {
    let config = CONFIG.replace("[develop]", "[main]");
    world_with(Setting { config, ..Setting::default() }, async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. Several environments wait: production, staging.

        Name one: `/apply ENVIRONMENT`.
        ");
        w.comment("/apply 00000000");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply 00000000` was not carried out. `00000000` does not say which of production, staging is meant.

        Look at the plans of the runs that wait, and name one by its digest.
        ");
        let production: EnvironmentName = "production".parse().unwrap();
        let repository = RepositoryId(w.repo.id());
        let runs = w.server.store().recent_runs(repository, &production, 1).await.unwrap();
        let digest = runs[0].plan.as_ref().unwrap().digest().short();
        w.comment(&format!("/apply {digest}"));
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
        assert_eq!(w.unifi.record("nas-staging.internal.lan", "A"), [""; 0]);
    })
    .await;
}

/// 👀 is written with the delivery, and sent by those who publish, whatever the job waits for that
/// carries the command out.
#[tokio::test]
async fn a_command_is_acknowledged_however_long_it_takes() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        let (slow, heard) = (Gate::closed(), Gate::closed());
        w.github.faults().inject(On::get("/repos/*/*/pulls/*"), Fault::Hold(slow.clone()));
        let reactions = On::post("/repos/*/*/issues/comments/*/reactions");
        w.github.faults().inject(reactions, Fault::HoldAfterCommit(heard.clone()));
        let word = w.comment("/plan");
        w.github.hooks().deliver_all().await;
        slow.arrival().await;
        heard.arrival().await;
        let seen = w.repo.reactions(word);
        assert_eq!(seen.iter().map(|seen| seen.content.as_str()).collect::<Vec<_>>(), ["eyes"]);
        heard.open();
        slow.open();
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.plan_comment().await;
    })
    .await;
}

#[tokio::test]
async fn a_plan_opens_what_is_named_and_stays_whole() {
    world(async |w| {
        w.bootstrap().await;
        let nas = ("services/nas.yaml", NAS.replace(".50", ".51"));
        let plex = (
            "services/plex.yaml",
            "unifi_dns:\n  \"plex${suffix}.internal.lan\": { a: 192.168.1.60 }\n",
        );
        w.pull("both", [nas, (plex.0, plex.1.to_owned())]).await;
        let open = |comment: &str, service: &str| {
            let summary = format!("<summary><b>{service}</b>");
            let before = comment.split(&summary).next().unwrap_or_default();
            before.trim_end().ends_with("<details open>")
        };
        let whole = w.plan_comment().await;
        assert!(open(&whole, "nas") && open(&whole, "plex"));
        w.comment("/plan production plex fresh");
        let named = w.plan_comment().await;
        assert!(!open(&named, "nas") && open(&named, "plex"), "{named}");
        assert_eq!(named.replace("<details open>", "<details>"), whole.replace(" open", ""));
        w.comment("/plan only:cloudflare_tunnel");
        let named = w.plan_comment().await;
        assert!(!open(&named, "nas") && !open(&named, "plex"), "{named}");

        w.comment("/plan pelx");
        w.settle().await;
        assert_snapshot!(w.comments().await.join("\n"), @"
        ### Landfall plan for `commit-3`

        | Environment | Plan | Digest |
        |---|---|---|
        | **production** (`main`) | 1 to create, 1 to update | `2eec8fba` |

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

        <details open>
        <summary><b>plex</b> in <b>production</b>: 1 to create</summary>

        ```diff
        @@ unifi_dns @@
        + create A plex.internal.lan = 192.168.1.60
        ```

        </details>

        ---
        **Next:** Merge to apply to **production**.
        `alice`: `/plan pelx` was not carried out. There is no environment and no service `pelx` here.

        Did you mean `plex`?
        ");
        w.comment("/plan staging");
        assert_snapshot!(w.comments().await.join("\n"), @"`alice`: `/plan staging` was not carried out. This pull request goes into main, and staging does not follow main.");
        w.comment("/plan only:unify_dns");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan only:unify_dns` was not carried out. There is no kind of component `unify_dns`.

        Did you mean `unifi_dns`?
        ");
    })
    .await;
}

#[tokio::test]
async fn fresh_asks_the_providers_for_what_was_known() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", [("services/nas.yaml", NAS.replace(".50", ".51"))]).await;
        w.plan_comment().await;
        let asked =
            |w: &World| w.exchanges().count(|exchange| exchange.path.ends_with("/client/v4/zones"));
        let before = asked(w);
        w.comment("/plan");
        w.plan_comment().await;
        assert_eq!(asked(w), before);
        w.comment("/plan fresh");
        w.plan_comment().await;
        assert_eq!(asked(w), before + 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_edited_or_deleted_before_it_was_carried_out_is_not_done() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let edited = w.comment_as(BOB, "/apply");
        w.repo.edit_comment(edited, ALICE, "/apply\n\nWait, not yet.").unwrap();
        w.github.hooks().release();
        assert_snapshot!(w.answer().await, @"
        `bob`: `/apply` was not carried out. The comment was edited before it was carried out.

        Say it again in a new comment.
        ");
        assert_eq!(w.reactions(edited).await, "eyes confused");

        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let deleted = w.comment_as(BOB, "/apply");
        w.repo.delete_comment(deleted, BOB).unwrap();
        w.github.hooks().release();
        w.assert_silence().await;
        assert_eq!(w.writes(), 0);
    })
    .await;
}
