//! Who may have the head of a fork planned, and by which words.

use insta::assert_snapshot;
use landfall_sim::github::{NewPull, Role, Standing, edit};
use landfall_tests::world::{ALICE, BOB, CONFIG, EVE, JELLYFIN, Setting, world, world_with};

use super::{DEFACED, asked_providers, forked, plan, pushed};
use crate::nas::nas_at;

#[tokio::test]
async fn the_rules_may_ask_for_more_than_write_and_never_for_less() {
    let config = CONFIG.replacen("version: 1\n", "version: 1\ncommands: { plan: read }\n", 1);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let (_, head) = forked(w).await;
        w.repo.add_user("trudy", Role::Triage).unwrap();
        w.read_everything().await;
        let asked = asked_providers(w);
        for login in [EVE, "trudy"] {
            let word = w.comment_as(login, &plan(&head));
            assert_eq!(w.reactions(word).await, "eyes confused");
        }
        assert_snapshot!(w.comments().await.join("\n"), @"
        `eve`: `/plan commit-3` was not carried out. For the head of a fork you need write permission here.
        `trudy`: `/plan commit-3` was not carried out. For the head of a fork you need write permission here.
        ");
        assert_eq!(asked_providers(w), asked);

        let rules = CONFIG.replacen("version: 1\n", "version: 1\ncommands: { plan: admin }\n", 1);
        w.push("main", [("landfall.yaml", rules)]).await;
        w.read_everything().await;
        w.comment_as(BOB, &plan(&head));
        assert_snapshot!(w.answer().await, @"`bob`: `/plan commit-3` was not carried out. You need admin permission here.");
        let word = w.comment_as(ALICE, &plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
        assert_eq!(w.reactions(word).await, "eyes rocket");
    })
    .await;
}

#[tokio::test]
async fn who_is_only_in_the_right_team_may_not_have_it_planned() {
    let commands = "version: 1\ncommands: { plan: \"team:media\" }\n";
    let config = CONFIG.replacen("version: 1\n", commands, 1);
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let (_, head) = forked(w).await;
        w.read_everything().await;
        for login in [EVE, BOB] {
            w.github.add_to_team("acme", "media", login, Standing::Active);
        }
        w.comment_as(EVE, &plan(&head));
        assert_snapshot!(w.answer().await, @"`eve`: `/plan commit-3` was not carried out. For the head of a fork you need write permission here.");
        w.comment_as(BOB, &plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));
    })
    .await;
}

#[tokio::test]
async fn an_owner_has_to_own_whatever_the_head_changes_and_not_what_they_name() {
    let config = CONFIG.replacen("version: 1\n", "version: 1\ncommands: { plan: owner }\n", 1);
    let mut setting = Setting { config, ..Setting::default() };
    let owners = "* @alice\n/services/nas.yaml @bob @eve\n";
    setting.files.push(("CODEOWNERS".to_owned(), owners.to_owned()));
    world_with(setting, async |w| {
        let (fork, head) = forked(w).await;
        w.read_everything().await;
        w.comment_as(EVE, &plan(&head));
        assert!(w.answer().await.contains("you need write permission"));
        w.comment_as(BOB, &plan(&head));
        assert!(w.plan_comment().await.contains("| 1 to update |"));

        let both = [edit("services/jellyfin.yaml", JELLYFIN.replace("8096", "8097"))];
        let both = fork.push("main", EVE, "And another port", both).await.unwrap();
        w.knows(&both);
        w.read_everything().await;
        w.comment_as(BOB, &format!("{} nas", plan(&both)));
        assert_snapshot!(w.answer().await, @"
        `bob`: `/plan commit-4 nas` was not carried out. You have to own every service that it is about.

        jellyfin belongs to `@alice`.
        ");
        w.assert_silence().await;
    })
    .await;
}

/// Who may have one environment planned may not have another one planned beside it.
#[tokio::test]
async fn a_head_is_read_for_all_environments_that_follow_its_base() {
    let config = CONFIG.replacen(
        "branches: [develop]\n",
        "branches: [main]\n    commands: { plan: admin }\n",
        1,
    );
    world_with(Setting { config, ..Setting::default() }, async |w| {
        let fork = w.repo.fork(EVE).await.unwrap();
        let head = pushed(w, &fork, "192.168.1.51").await;
        w.open(NewPull::from("main").of_fork(&fork).by(EVE)).await;
        w.read_everything().await;
        w.comment_as(BOB, &format!("{} production", plan(&head)));
        assert_snapshot!(w.answer().await, @"`bob`: `/plan commit-1 production` was not carried out. For staging you need admin permission here.");
        w.assert_silence().await;
    })
    .await;
}

#[tokio::test]
async fn a_head_that_moved_is_refused_wherever_it_comes_from() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("move", nas_at("192.168.1.51")).await;
        let read = w.repo.head("move").await.unwrap().unwrap();
        w.read_everything().await;
        let word = w.comment(&format!("/plan production {read} nas"));
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.push("move", nas_at("192.168.1.52")).await;
        w.read_everything().await;
        let word = w.comment(&plan(&read));
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan commit-3` was not carried out. `commit-3` is not the head of this pull request, which is `commit-4` now.

        Look at what `commit-4` changes, and name that one: `/plan commit-4`.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        w.assert_silence().await;
    })
    .await;
}

#[tokio::test]
async fn what_reads_as_a_commit_is_no_service_and_what_is_too_short_is_no_commit() {
    world(async |w| {
        w.bootstrap().await;
        w.pull("cafe", [("services/defaced.yaml", DEFACED)]).await;
        w.read_everything().await;
        w.comment("/plan defaced");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan defaced` was not carried out. `defaced` is not the head of this pull request, which is `commit-3` now.

        Seven hexadecimal digits or more always name a commit. Look at what `commit-3` changes, and name that one: `/plan commit-3`.
        ");
        w.comment("/plan 1a2b3c");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan 1a2b3c` was not carried out. There is no environment and no service `1a2b3c` here.

        A commit is named by seven digits or more.
        ");
        w.comment("/plan 1a2b3c4d deadbeef");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/plan 1a2b3c4d deadbeef` was not carried out. `/plan` does not take `deadbeef`: it takes one commit, and every word of 7 to 40 hexadecimal digits is one.

        Usage: `/plan [environment] [service …] [COMMIT] [only:COMPONENT] [fresh]`, for example `/plan production nas only:unifi_dns`.
        ");
    })
    .await;
}
