//! A repository that knows nothing of Landfall is told how to begin: in one issue, once.

use insta::assert_snapshot;
use landfall_core::config::{Registry, RepositoryConfig};
use landfall_sim::exchange::Exchange;
use landfall_sim::fault::{Answer, Fault, On};
use landfall_sim::github::{Access, Fate, Issue, IssueState, OnDelivery, edit};
use landfall_tests::world::{Setting, World, world_with};

fn bare() -> Setting {
    let mut github = landfall_sim::github::Settings::default();
    github.permissions.insert("issues".to_owned(), Access::Write);
    let files = vec![("README.md".to_owned(), "# Homelab\n".to_owned())];
    Setting { config: String::new(), files, github, ..Setting::default() }
}

/// The issue that there is.
fn only(w: &World) -> Issue {
    let mut issues = w.repo.issues().unwrap();
    assert_eq!(issues.len(), 1, "{issues:#?}");
    issues.remove(0)
}

/// Looks for issues and openings of one.
fn of_issues(exchange: &Exchange) -> bool {
    exchange.path.ends_with("/issues")
}

#[tokio::test]
async fn a_repository_without_rules_is_told_how_to_begin_with_its_branches() {
    world_with(bare(), async |w| {
        let issue = only(w);
        assert_eq!(
            (issue.title.as_str(), issue.author.as_str()),
            ("Configure Landfall", "landfall[bot]")
        );
        let (marker, text) = issue.body.split_once('\n').unwrap();
        assert!(marker.starts_with("<!-- landfall:proposal repository="), "{marker}");
        assert_snapshot!(text, @r#"
        ### Landfall is here, and has nothing to do yet

        It looks after what services need in the world, by the rules in `landfall.yaml`. There is none on `main`. This is one to begin with, for the branches that are there. Put your own values where it says `fill in`, and take out the connection that you do not use.

        ```yaml
        version: 1
        environments:
          staging:
            branches: [develop]
            connections:
              unifi:
                url: "https://192.168.1.1" # fill in: the address of your console
                api_key: "ref+env://LANDFALL_SECRET_UNIFI_STAGING"
              cloudflare:
                account: 0123456789abcdef0123456789abcdef # fill in: the number of your account
                zones: [example.com] # fill in: your zones
                token: "ref+env://LANDFALL_SECRET_CLOUDFLARE_STAGING"
          production:
            branches: [main]
            connections:
              unifi:
                url: "https://192.168.1.1" # fill in: the address of your console
                api_key: "ref+env://LANDFALL_SECRET_UNIFI"
              cloudflare:
                account: 0123456789abcdef0123456789abcdef # fill in: the number of your account
                zones: [example.com] # fill in: your zones
                token: "ref+env://LANDFALL_SECRET_CLOUDFLARE"
        ```

        1. Put it on a branch as `landfall.yaml`, and open a pull request for `main`. Landfall says there what is wrong with it.
        2. Give the server the secrets that it names, as environment variables.
        3. Once it is merged, add a file below `services/` in a pull request. Its plan stands there in a comment.

        Close this issue if nothing should happen here. Nobody is asked again.
        "#);
    })
    .await;
}

#[tokio::test]
async fn what_is_proposed_passes_every_check_before_anything_is_filled_in() {
    world_with(bare(), async |w| {
        let body = only(w).body;
        let file = body.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
        let providers = landfall_providers::Registry::new();
        let (kinds, connections) = (providers.kinds(), providers.connection_kinds());
        let registry = Registry { kinds: &kinds, connections: &connections, later: &[] };
        let config = RepositoryConfig::load(registry, "landfall.yaml", file.as_bytes()).unwrap();
        assert_eq!(config.environments.len(), 2);
        // As soon as it is on the default branch, it is a configuration like any other.
        w.push("main", [edit("landfall.yaml", file)]).await;
        w.read_everything().await;
        assert_eq!(w.repo.issues().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_asked_again_whatever_was_forgotten_here() {
    world_with(bare(), async |w| {
        w.repo.close_issue(only(w).number).unwrap();
        w.restart().await;
        w.settle().await;
        assert_ne!(only(w).state, IssueState::Open);
        let asked = w.exchanges().count(of_issues);
        assert_eq!(asked, 2, "it was looked for and opened, and not thought of again");
        // A store that knows nothing finds it, closed as it is.
        w.restart_afresh().await;
        w.settle().await;
        assert_ne!(only(w).state, IssueState::Open);
        assert_eq!(w.exchanges().count(of_issues), 3);
    })
    .await;
}

#[tokio::test]
async fn an_issue_whose_answer_was_lost_is_found() {
    world_with(bare(), async |w| {
        let other = w.github.create_repository("acme/other", [edit("README.md", "# Other\n")]);
        w.github
            .faults()
            .inject(On::post("/repos/*/*/issues"), Fault::AfterCommit(Answer::bad_gateway()));
        let other = other.await.unwrap();
        w.settle().await;
        assert!(w.github.faults().is_used_up());
        assert_eq!(other.issues().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_said_where_nobody_asked_for_it() {
    world_with(bare(), async |w| {
        let fork = w.repo.fork("eve").await.unwrap();
        fork.install().unwrap();
        w.settle().await;
        assert_eq!(fork.issues().unwrap(), []);

        // Installed on everything that an account has: nobody thought of this one.
        let hooks = w.github.hooks().clone();
        hooks.fate(OnDelivery::event("installation"), Fate::Held);
        let all = w.github.create_repository("globex/all", [edit("README.md", "# All\n")]);
        let all = all.await.unwrap();
        let installations = w.github.installations();
        let globex = installations.iter().find(|known| known.account == "globex").unwrap();
        w.github.choose_all(globex.id).unwrap();
        hooks.release();
        w.settle().await;
        assert_eq!(all.issues().unwrap(), []);
        assert_eq!(w.repo.issues().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_operator_who_does_not_want_it_and_an_app_that_may_not_open_issues_are_silent() {
    let mut reads = bare();
    reads.github.permissions.insert("issues".to_owned(), Access::Read);
    let off = Setting { operator: "onboarding = \"off\"\n".to_owned(), ..bare() };
    for setting in [reads, off] {
        world_with(setting, async |w| {
            assert_eq!(w.repo.issues().unwrap(), []);
            assert_eq!(w.exchanges().count(of_issues), 0);
        })
        .await;
    }
}
