//! Whose word counts, and which one: rights, bursts, digests of what is past, and what only looks
//! like a command.

use insta::assert_snapshot;
use landfall_sim::github::{Fate, OnDelivery};
use landfall_tests::world::{ALICE, BOB, EVE, World, world};

#[tokio::test]
async fn who_may_not_write_is_refused() {
    world(async |w| {
        held(w).await;
        let word = w.comment_as(EVE, "/apply");
        assert_snapshot!(w.answer().await, @"`eve`: `/apply` was not carried out. You need write permission here.");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.writes(), 0);

        let word = w.comment_as(BOB, "/apply");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn rights_are_asked_for_when_a_command_acts_not_when_it_is_said() {
    world(async |w| {
        held(w).await;
        w.github.hooks().fate(OnDelivery::event("issue_comment"), Fate::Held);
        let word = w.comment_as(BOB, "/apply");
        w.repo.remove_user(BOB).unwrap();
        w.github.hooks().release();
        assert_eq!(w.reactions(word).await, "eyes confused");
        w.answer().await;
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn of_several_commands_in_one_burst_none_is_lost() {
    world(async |w| {
        held(w).await;
        let words = [
            w.comment("/status"),
            w.comment_as(EVE, "/apply"),
            w.comment("Look:\n/help\nand then\n/landfall status"),
            w.comment("/plan"),
            w.comment("/apply"),
        ];
        let answers = w.comments().await;
        let first_lines: Vec<&str> =
            answers.iter().filter_map(|answer| answer.lines().next()).collect();
        assert_snapshot!(first_lines.join("\n"), @"
        ### Landfall plan for `commit-1`
        ### ✅ Applied to production
        `eve`: `/apply` was not carried out. You need write permission here.
        `alice`: `/plan` was not carried out. This pull request is closed, so there is nothing to plan.
        ");
        let asked = w.answers().await;
        assert!(asked.contains("<code>/help</code>") && asked.contains("<code>/status</code>"));
        let mut reactions = Vec::new();
        for word in words {
            reactions.push(w.reactions(word).await);
        }
        assert_eq!(reactions, ["eyes rocket", "eyes confused", "eyes rocket", "eyes confused", "eyes rocket"]);
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn a_digest_of_an_old_head_is_refused_and_the_one_that_waits_is_named() {
    world(async |w| {
        let (old, new) = held_after_two_heads(w).await;
        let word = w.comment(&format!("/apply production {old}"));
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production c1005935` was not carried out. `c1005935` is not what production would do now.

        Look at the plan of the run that waits; its digest begins with `43447d50`.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.writes(), 0);

        let word = w.comment(&format!("/apply production {new}"));
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.51"]);
    })
    .await;
}

#[tokio::test]
async fn after_several_plans_a_word_has_to_name_the_one_it_means() {
    world(async |w| {
        held_after_two_heads(w).await;
        w.comment("/apply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply` was not carried out. More than one plan for production was shown here.

        Name the one you saw: `/apply production 43447d50`.
        ");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_word_for_a_run_that_a_newer_commit_replaced_does_not_release_the_newer_one() {
    world(async |w| {
        let first = held(w).await;
        let waited = digest(&w.run_comment().await);
        w.pull("plex", [("services/plex.yaml", PLEX)]).await;
        w.read_everything().await;
        w.merge().await;
        w.read_everything().await;
        w.on(first).comment(&format!("/apply production {waited}"));
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production c1005935` was not carried out. `c1005935` is not what production would do now.

        Look at the plan of the run that waits; its digest begins with `c8d3000b`.
        ");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_command_of_ours_is_said_only_to_who_named_us() {
    world(async |w| {
        w.pull("readme", [("README.md", "# Homelab\n")]).await;
        w.read_everything().await;
        w.comment("/retest");
        w.assert_silence().await;
        w.comment("/landfall aply");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/landfall aply` was not carried out. `aply` is not a command; did you mean `/apply`?

        Commands: `/help`, `/plan`, `/apply`, `/status`, `/lock`, `/unlock`, `/cancel`.
        ");
        w.comment("/rollback production");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/rollback production` was not carried out. `/rollback` is not there yet in this version of Landfall.

        `/help` lists what there is.
        ");
        w.comment("/apply production 1234");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production 1234` was not carried out. `/apply` does not take `1234`: one environment and one digest of at least eight digits.

        Usage: `/apply [environment] [digest]`, for example `/apply production 1a2b3c4d`.
        ");
    })
    .await;
}

#[tokio::test]
async fn only_what_a_person_says_when_they_say_it_is_a_command() {
    world(async |w| {
        held(w).await;
        let harmless = w.comment("Looks good.");
        w.repo.edit_comment(harmless, ALICE, "/apply").unwrap();
        w.comment("> /apply\n\n```\n/apply\n```\n\n`/apply`\n\n    /apply\n\n<!-- /apply -->");
        w.comment_as("renovate[bot]", "/apply");
        w.assert_silence().await;
        assert_eq!(w.reactions(harmless).await, "");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

/// `services/plex.yaml`
const PLEX: &str = r#"unifi_dns:
  "plex${suffix}.internal.lan": { a: 192.168.1.60 }
"#;

/// A first pull request that is merged and waits for a word; everything is read.
async fn held(w: &mut World) -> u64 {
    let pull = w.pull("readme", [("README.md", "# Homelab\n")]).await;
    w.read_everything().await;
    w.merge().await;
    w.read_everything().await;
    pull
}

/// The same with two heads, each with a plan of its own: their digests.
async fn held_after_two_heads(w: &mut World) -> (String, String) {
    w.pull("readme", [("README.md", "# Homelab\n")]).await;
    let old = digest(&w.plan_comment().await);
    let moved = landfall_tests::world::NAS.replace("192.168.1.50", "192.168.1.51");
    w.push("readme", [("services/nas.yaml", moved)]).await;
    let new = digest(&w.plan_comment().await);
    assert_ne!(old, new);
    w.merge().await;
    w.read_everything().await;
    (old, new)
}

/// The digest of the first plan that a comment shows.
fn digest(comment: &str) -> String {
    let is_digest = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let found = comment.split('`').find(is_digest);
    found.unwrap_or_else(|| panic!("no digest in {comment}")).to_owned()
}
