//! Who may give which command: what the rules on the default branch ask for, and what GitHub says when
//! the command acts.

use insta::assert_snapshot;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Role, Standing, remove};
use landfall_sim::unifi::RecordValue;
use landfall_tests::world::{ALICE, BOB, CONFIG, EVE, NAS, Setting, World, world_with};

/// A world whose production asks for `rights` to apply, with other `files`.
fn asking<const N: usize>(rights: &str, files: [(&str, &str); N]) -> Setting {
    let mut setting = Setting::default();
    let commands = format!("    branches: [main]\n    commands: {{ apply: {rights} }}\n");
    setting.config = CONFIG.replacen("    branches: [main]\n", &commands, 1);
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    setting.files.extend(files);
    setting
}

/// A first pull request that is merged and waits for a word; everything is read.
async fn held(w: &mut World) {
    w.pull("readme", [("README.md", "# Homelab\n")]).await;
    w.read_everything().await;
    w.merge().await;
    w.read_everything().await;
}

#[tokio::test]
async fn a_team_is_asked_for_when_the_command_acts() {
    world_with(asking("\"team:platform\"", []), async |w| {
        held(w).await;
        let word = w.comment("/apply");
        assert_snapshot!(w.answer().await, @"`alice`: `/apply` was not carried out. For production you have to be in the team `platform`.");
        assert_eq!(w.reactions(word).await, "eyes confused");
        // Invited is not in it, and nobody is by a team of another organisation.
        w.github.add_to_team("acme", "platform", BOB, Standing::Pending);
        w.github.add_to_team("evil", "platform", BOB, Standing::Active);
        w.comment_as(BOB, "/apply production");
        w.answer().await;
        assert_eq!(w.writes(), 0);

        w.github.add_to_team("acme", "platform", BOB, Standing::Active);
        let word = w.comment_as(BOB, "/apply production");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_see_the_repository_has_no_say_by_any_team() {
    world_with(asking("\"team:platform\"", []), async |w| {
        held(w).await;
        w.github.add_to_team("acme", "platform", "mallory", Standing::Active);
        let word = w.comment_as("mallory", "/apply");
        assert_eq!(w.reactions(word).await, "eyes confused");
        w.answer().await;
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_role_finer_than_write_is_asked_for_by_its_name() {
    world_with(asking("[admin, maintain]", []), async |w| {
        held(w).await;
        w.comment_as(BOB, "/apply");
        assert_snapshot!(w.answer().await, @"`bob`: `/apply` was not carried out. For production you need maintain permission here.");
        w.repo.add_user(BOB, Role::Maintain).unwrap();
        let word = w.comment_as(BOB, "/apply");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn an_owner_has_to_own_every_service_that_the_run_is_about() {
    let owners = ("CODEOWNERS", "* @alice\n/services/nas.yaml @bob\n");
    world_with(asking("owner", [owners]), async |w| {
        held(w).await;
        w.comment_as(BOB, "/apply");
        assert_snapshot!(w.answer().await, @"
        `bob`: `/apply` was not carried out. For production you have to own every service that it is about.

        jellyfin belongs to `@alice`.
        ");
        assert_eq!(w.writes(), 0);

        let both = "* @alice\n/services/ @acme/media\n";
        w.push("main", [("CODEOWNERS", both)]).await;
        w.read_everything().await;
        w.github.add_to_team("acme", "media", BOB, Standing::Active);
        let word = w.comment_as(BOB, "/apply");
        w.read_everything().await;
        assert_eq!(w.reactions(word).await, "eyes rocket");
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.50"]);
    })
    .await;
}

#[tokio::test]
async fn the_first_place_of_codeowners_counts_and_a_broken_one_makes_nobody_an_owner() {
    let broken = (".github/CODEOWNERS", "* @alice\n!services @bob\n");
    let whole = ("CODEOWNERS", "* @alice\n");
    world_with(asking("owner", [broken, whole]), async |w| {
        held(w).await;
        w.comment_as(ALICE, "/apply");
        assert_snapshot!(w.answer().await, @r#"
        `alice`: `/apply` was not carried out. For production you have to own every service that it is about.

        Nobody owns anything by `.github/CODEOWNERS`: line 2 cannot be read: `!`, `[`, `]` and `\` mean nothing here.
        "#);
        assert_eq!(w.writes(), 0);
    })
    .await;
}

/// `services/nas.yaml` at an address, owned by `owner`.
fn owned(owner: &str, address: &str) -> [(&'static str, String); 1] {
    let moved = NAS.replace("192.168.1.50", address);
    [("services/nas.yaml", format!("owners: [\"@{owner}\"]\n{moved}"))]
}

/// Merges after somebody changed the record at the console, and returns the word that the run waits for.
async fn held_by_meddling(w: &mut World) -> String {
    w.unifi.default_site().edit("nas.internal.lan", |record| {
        record.value = RecordValue::A("192.168.1.99".parse().unwrap());
    });
    w.merge().await;
    let waiting = w.run_comment().await;
    w.read_everything().await;
    let word = waiting.split('`').find(|quoted| quoted.starts_with("/apply "));
    word.unwrap_or_else(|| panic!("it waits for no word: {waiting}")).to_owned()
}

#[tokio::test]
async fn nobody_is_made_an_owner_by_what_they_ask_to_apply() {
    let codeowners = ("CODEOWNERS", "* @alice\n");
    world_with(asking("owner", [codeowners]), async |w| {
        w.bootstrap().await;
        w.pull("mine", owned(BOB, "192.168.1.51")).await;
        w.read_everything().await;
        let word = held_by_meddling(w).await;
        let writes = w.writes();
        w.comment_as(BOB, &word);
        assert_snapshot!(w.answer().await, @"
        `bob`: `/apply production 258ddfef` was not carried out. For production you have to own every service that it is about.

        nas belongs to `@alice`.
        ");
        assert_eq!(w.writes(), writes);
        w.comment_as(ALICE, &word);
        assert!(w.outcome().await.starts_with("✅ Applied to production"));
        w.read_everything().await;

        // Now it is his, also while he gives it away.
        w.pull("hers", owned(ALICE, "192.168.1.52")).await;
        w.read_everything().await;
        let word = held_by_meddling(w).await;
        w.comment_as(ALICE, &word);
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production b86978a6` was not carried out. For production you have to own every service that it is about.

        nas belongs to `@bob`.
        ");
        let word = w.comment_as(BOB, &word);
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;
        assert_eq!(w.unifi.record("nas.internal.lan", "A"), ["192.168.1.52"]);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_new_or_removed_belongs_to_whom_the_default_branch_says() {
    let codeowners = ("CODEOWNERS", "/services/nas.yaml @alice\n/services/jellyfin.yaml @alice\n");
    let mut setting = asking("owner", [codeowners]);
    setting.config = setting.config.replacen("{ apply:", "{ plan: owner, apply:", 1);
    world_with(setting, async |w| {
        w.bootstrap().await;
        let wiki = "owners: [\"@bob\"]\nunifi_dns:\n  \"wiki${suffix}.internal.lan\": { a: 192.168.1.53 }\n";
        w.pull("wiki", [("services/wiki.yaml", wiki)]).await;
        w.read_everything().await;
        w.comment_as(BOB, "/plan");
        assert_snapshot!(w.answer().await, @"
        `bob`: `/plan` was not carried out. For production you have to own every service that it is about.

        Nobody owns wiki: nobody was applied as its owner, and `CODEOWNERS` on main names nobody for `services/wiki.yaml`. A line there helps.
        ");
        w.push("main", [("CODEOWNERS", "/services/ @alice\n/services/wiki.yaml @bob\n")]).await;
        w.read_everything().await;
        let word = w.comment_as(BOB, "/plan");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;

        w.pull("no-jellyfin", [remove("services/jellyfin.yaml")]).await;
        w.read_everything().await;
        w.comment_as(BOB, "/plan");
        assert_snapshot!(w.answer().await, @"
        `bob`: `/plan` was not carried out. For production you have to own every service that it is about.

        jellyfin belongs to `@alice`.
        ");
        let word = w.comment_as(ALICE, "/plan");
        assert_eq!(w.reactions(word).await, "eyes rocket");
        w.read_everything().await;
    })
    .await;
}

#[tokio::test]
async fn an_app_that_may_not_see_teams_says_so() {
    world_with(asking("\"team:platform\"", []), async |w| {
        held(w).await;
        w.github.add_to_team("acme", "platform", BOB, Standing::Active);
        let forbidden = r#"{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest/teams/members#get-team-membership-for-a-user","status":"403"}"#;
        let forbidden = Answer::new(403, forbidden).with("content-type", "application/json");
        let memberships = On::get("/orgs/*/teams/*/memberships/*");
        w.github.faults().inject(memberships, Fault::Instead(forbidden));
        let word = w.comment_as(BOB, "/apply");
        assert_snapshot!(w.answer().await, @"
        `bob`: `/apply` was not carried out. For production you have to be in the team `platform`.

        Landfall may not see who is in a team: its App lacks the organisation permission `Members: read`.
        ");
        assert_eq!(w.reactions(word).await, "eyes confused");
        assert_eq!(w.writes(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_pull_request_gives_nobody_a_right() {
    world_with(asking("admin", [("CODEOWNERS", "* @alice\n")]), async |w| {
        let generous = CONFIG.replacen(
            "version: 1\n",
            "version: 1\ncommands: { plan: read, apply: read, lock: read }\n",
            1,
        );
        w.pull("generous", [("landfall.yaml", generous), ("CODEOWNERS", "* @eve\n".to_owned())])
            .await;
        w.read_everything().await;
        for command in ["/plan", "/lock production", "/unlock production"] {
            let word = w.comment_as(EVE, command);
            assert_eq!(w.reactions(word).await, "eyes confused", "{command}");
            w.read_everything().await;
        }
    })
    .await;
}

#[tokio::test]
async fn while_the_rules_cannot_be_read_nobody_may_do_what_they_could_forbid() {
    world_with(Setting::default(), async |w| {
        held(w).await;
        w.push("main", [("landfall.yaml", "version: 1\ncommands: { apply: sudo }\n")]).await;
        w.read_everything().await;
        w.comment("/apply production");
        assert_snapshot!(w.answer().await, @"
        `alice`: `/apply production` was not carried out. `landfall.yaml:1:1` on `main` cannot be used: the key `environments` is missing. Planning goes on once it is fixed there.

        Who may do this is written there.
        ");
        w.comment_as(EVE, "/status");
        assert!(w.answer().await.contains("**production**"));
        assert_eq!(w.writes(), 0);
    })
    .await;
}
