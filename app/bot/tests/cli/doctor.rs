//! `landfall doctor`: an App that is as it should be, and each of the ways in which one is not.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{SignedDuration, Timestamp};
use landfall_github::needs::{EVENTS, Level, PERMISSIONS};
use landfall_sim::clock::Clock;
use landfall_sim::github::{Access, GithubSim, Settings, TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET};
use regex::Regex;

use crate::world::{Seen, World};

const RULES: &str = "\
version: 1
environments:
  production:
    branches: [main]
    connections:
      cloudflare: { account: 0123456789abcdef0123456789abcdef, zones: [example.com], token: 'ref+env://LANDFALL_SECRET_CLOUDFLARE' }
";

/// An App that has what `landfall setup` asks for.
fn registered() -> Settings {
    let permissions = PERMISSIONS.iter().map(|permission| {
        let access = if permission.asked == Level::Read { Access::Read } else { Access::Write };
        (permission.name.to_owned(), access)
    });
    let events = EVENTS.iter().map(|subscription| subscription.event.to_owned());
    Settings { permissions: permissions.collect(), events: events.collect(), ..Settings::default() }
}

struct Ward {
    world: World,
    github: GithubSim,
    variables: BTreeMap<&'static str, String>,
}

impl Ward {
    /// A server in pull mode as it should be, on one repository with rules.
    async fn new(settings: Settings) -> Self {
        let (world, github) = (World::empty().await, GithubSim::start(settings).await.unwrap());
        github.hooks().send_to("https://landfall.invalid/webhook");
        let repo = github.create_repository("acme/homelab", [("landfall.yaml", RULES)]);
        repo.await.unwrap().protect("main").unwrap();
        world.write("landfall.pem", TEST_PRIVATE_KEY);
        let key = world.path().join("landfall.pem");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::create_dir(world.path().join("backups")).unwrap();
        let name = landfall::backup::place::name(Timestamp::now());
        world.write(&format!("backups/{name}"), "");
        let variables = BTreeMap::from([
            ("LANDFALL_WEBHOOKS", "pull".to_owned()),
            ("LANDFALL_BACKUP", "backups/".to_owned()),
            ("GITHUB_APP_ID", "4242".to_owned()),
            ("GITHUB_PRIVATE_KEY_PATH", "landfall.pem".to_owned()),
            ("GITHUB_API_URL", github.api_url()),
            ("GITHUB_URL", github.url()),
        ]);
        Self { world, github, variables }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.variables.insert(name, value.to_owned());
    }

    async fn seen(&self, words: &str) -> Seen {
        self.github.hooks().deliver_all().await;
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        self.world.landfall_with(&variables.collect::<Vec<_>>(), words).await
    }

    /// What the doctor says, without what differs from machine to machine.
    async fn says(&self) -> String {
        let all = self.seen("doctor").await.all();
        let all = all.replace(&self.github.api_url(), "https://api.github.com");
        let all = all.replace(&self.github.url(), "https://github.com");
        [
            (r"(git +)\d[^\n]*", "${1}VERSION"),
            (r"(?m)^[✓!] disk +[^\n]*\n(  +→[^\n]*\n)?", ""),
            (r"(of|at) 20\d\d-[^ ,:]*:[^ ,:]*:\d\d(\.\d+)?Z", "${1} THEN"),
            (r"\b(599|60\d) s", "600 s"),
        ]
        .iter()
        .fold(all, |all, (pattern, steady)| {
            Regex::new(pattern).unwrap().replace_all(&all, *steady).into_owned()
        })
    }
}

#[tokio::test]
async fn a_server_that_is_as_it_should_be_is_told_so() {
    let ward = Ward::new(registered()).await;
    insta::assert_snapshot!(ward.says().await, @"
    ✓ settings      all can be used
    ✓ git           VERSION
    ✓ key           landfall.pem is for its owner alone
    ✓ data          data is not there yet; the server makes it
    ✓ templates     the built-in ones
    ✓ operator file none: the defaults hold, and nobody is notified
    ✓ backup        the last one is of THEN, at backups/
    ✓ database      data/landfall.db is not there yet; the server makes it
    ✓ clock         agrees with GitHub's
    ✓ App           landfall, number 4242, https://github.com/apps/landfall
    ✓ permissions   all that are needed, and no more
    ✓ events        all that are needed
    ✓ webhook       deliveries are fetched; https://landfall.invalid/webhook leads nowhere
    ✓ installations on 1 account, 1 repository
    ✓ branches      main of acme/homelab is protected

    Nothing has to be mended.
    --- exit code 0
    ");
    assert!(!ward.world.path().join("data").exists(), "looking makes nothing");
}

#[tokio::test]
async fn all_settings_that_are_wrong_are_told_at_once_and_the_rest_is_looked_at() {
    let mut ward = Ward::new(registered()).await;
    for (name, value) in [
        ("GITHUB_APP_ID", "seven"),
        ("GITHUB_PRIVATE_KEY_PATH", "nowhere.pem"),
        ("LANDFALL_WEBHOOKS", "push"),
        ("LANDFALL_BACKUP", ""),
        ("LANDFALL_DATABASE_URL", "mysql://landfall:hunter2@db/landfall"),
        ("LANDFALL_CONFIG", "operator.toml"),
        ("LANDFALL_TEMPLATES", "templates"),
    ] {
        ward.set(name, value);
    }
    ward.world.write("templates/comment/help.md", "{{ nobody.knows }}\n");
    insta::assert_snapshot!(ward.says().await, @"
    ✗ settings      GITHUB_APP_ID: `seven` is not a number
                    → set it as `landfall serve --help` says; `landfall setup` writes those of the App
    ✗ settings      GITHUB_PRIVATE_KEY_PATH: `nowhere.pem` cannot be read: No such file or directory (os error 2)
                    → set it as `landfall serve --help` says; `landfall setup` writes those of the App
    ✗ settings      GITHUB_WEBHOOK_SECRET: is not set: without it anybody could send events
                    → set it as `landfall serve --help` says; `landfall setup` writes those of the App
    ✓ git           VERSION
    ✓ data          data is not there yet; the server makes it
    ✗ templates     undefined value (in help.md:1)
                    → compare it with the built-in one of that name in templates/comment
    ✗ operator file LANDFALL_CONFIG operator.toml: No such file or directory (os error 2)
                    → mend it there: the server does not start with it
    ! backup        the server does not back up by itself
                    → set LANDFALL_BACKUP to a folder on another disk or to s3://BUCKET/PREFIX/
    ✗ database      a store is `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
                    → LANDFALL_DATABASE_URL has to lead to it, and this user be allowed to write
    · App           GitHub is asked once its settings can be used

    6 errors, 1 warning.
    --- exit code 1
    ");
}

#[tokio::test]
async fn an_app_that_is_not_set_up_for_landfall_is_told_apart_from_one_that_is() {
    let mut settings = registered();
    settings.permissions.remove("members");
    settings.permissions.insert("checks".to_owned(), Access::Read);
    settings.permissions.insert("contents".to_owned(), Access::Write);
    settings.events.retain(|event| !["push", "merge_group", "check_run"].contains(&event.as_str()));
    settings.webhook_secret = None;
    let mut ward = Ward::new(settings).await;
    ward.set("LANDFALL_WEBHOOKS", "push");
    ward.set("GITHUB_WEBHOOK_SECRET", TEST_WEBHOOK_SECRET);
    // Nobody listens there.
    ward.github.hooks().send_to("http://127.0.0.1:1/hook");
    ward.github.hooks().send_as("form");
    let photos = ward.github.create_repository("ada/photos", [("landfall.yaml", RULES)]);
    photos.await.unwrap().protect("main").unwrap();
    let plain = ward.github.create_repository("acme/plain", [("README.md", "# Plain\n")]);
    plain.await.unwrap();
    let open = ward.github.create_repository("acme/open", [("landfall.yaml", RULES)]);
    open.await.unwrap();
    let weak =
        ward.github.create_repository("acme/weak", [("landfall.yaml", RULES)]).await.unwrap();
    weak.protect("main").unwrap();
    weak.require_check("main", "landfall / production (main)", None).unwrap();
    weak.require_check("main", "landfall (main)", Some(7)).unwrap();
    let ada = ward.github.installations().into_iter().find(|known| known.account == "ada");
    ward.github.suspend(ada.unwrap().id, "ada").unwrap();
    insta::assert_snapshot!(ward.says().await, @"
    ✓ settings      all can be used
    ✓ git           VERSION
    ✓ key           landfall.pem is for its owner alone
    ✓ data          data is not there yet; the server makes it
    ✓ templates     the built-in ones
    ✓ operator file none: the defaults hold, and nobody is notified
    ✓ backup        the last one is of THEN, at backups/
    ✓ database      data/landfall.db is not there yet; the server makes it
    ✓ clock         agrees with GitHub's
    ✓ App           landfall, number 4242, https://github.com/apps/landfall
    ✗ permissions   the App does not ask for `checks: write` (the checks on commits)
                    → add it on the App's page under Permissions & events; owners are then asked to accept
    ! permissions   the App does not ask for `members: read` (rules that name a team)
                    → add it on the App's page under Permissions & events; owners are then asked to accept
    ! permissions   the App asks for `contents: write`, which Landfall does not use
                    → take it away on the App's page: what it may not do nobody can make it do
    ! events        the App is not subscribed to `merge_group` (checks in a merge queue)
                    → tick it on the App's page under Permissions & events, Subscribe to events
    ✗ events        the App is not subscribed to `push` (runs)
                    → tick it on the App's page under Permissions & events, Subscribe to events
    ! webhook       deliveries go to http://127.0.0.1:1/hook, and the server takes them at /webhook
                    → let the URL end in /webhook, unless a proxy changes the path
    ! webhook       deliveries are not encrypted
                    → put a proxy or a tunnel with a certificate in front, and turn SSL verification on
    ✗ webhook       the App has no webhook secret, so the server takes no delivery
                    → set the App's Webhook secret to what GITHUB_WEBHOOK_SECRET is
    ✗ webhook       deliveries are sent as `form`
                    → set Content type to application/json on the App's page, at Webhook
    ! deliveries    of the last 6, 6 were not taken; `installation` at THEN: failed to connect to host
                    → is the server up and reachable from outside? It fetches what it missed
    ✓ installations on 2 accounts, 4 repositories
    ! installations ada has suspended the App
                    → unsuspend it: https://github.com/settings/installations, or https://github.com/organizations/ada/settings/installations
    ! installations each repository of these 2 accounts may use every LANDFALL_SECRET_…
                    → name in the operator file (LANDFALL_CONFIG) which repositories may use which
    ✓ branches      main of acme/homelab is protected
    · repositories  acme/plain has no landfall.yaml on main
    ! branches      main of acme/open is not protected, and environments follow it
                    → require a pull request and a review: Settings, Rules of the repository
    ! branches      main of acme/weak requires `landfall / production (main)` from any source: whoever may write can set it
                    → choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository
    ! branches      main of acme/weak requires `landfall (main)` from App 7, which never sets it
                    → choose Landfall's App as the source of the check: Settings, Rules or Branches of the repository

    4 errors, 11 warnings.
    --- exit code 1
    ");
}

#[tokio::test]
async fn a_key_of_another_app_is_told_from_a_github_that_cannot_be_reached() {
    let mut ward = Ward::new(registered()).await;
    ward.set("GITHUB_APP_ID", "4243");
    let app = |said: String| {
        let lines = said.lines().skip_while(|line| !line.contains(" App "));
        lines.take(2).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(app(ward.says().await), @"
    ✗ App           GitHub does not take the key for App 4243: refused: Integration not found
                    → GITHUB_APP_ID and the key have to be of one App: its page has the number, and makes keys
    ");
    ward.set("GITHUB_API_URL", "http://127.0.0.1:1");
    insta::assert_snapshot!(app(ward.says().await), @"
    ✗ App           http://127.0.0.1:1/ cannot be reached: unreachable: client error (Connect): tcp connect error: Connection refused (os error 111)
                    → this machine has to reach it by https; GITHUB_API_URL says where it is
    ");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_where_github_refuses_the_key_for_it() {
    let token_clock = Clock::standing_at(Timestamp::now() - SignedDuration::from_secs(600));
    let ward = Ward::new(Settings { token_clock, ..registered() }).await;
    let said = ward.says().await;
    let clock: Vec<&str> = said.lines().skip_while(|line| !line.contains(" clock ")).collect();
    insta::assert_snapshot!(clock.join("\n"), @"
    ✗ clock         600 s ahead of GitHub's, so GitHub refuses the App's tokens
                    → set it, and have it set by itself: timedatectl set-ntp true
    · App           GitHub takes its key once the clock is right

    1 error.
    --- exit code 1
    ");
}

#[tokio::test]
async fn programs_read_the_same_as_json() {
    let mut ward = Ward::new(registered()).await;
    ward.set("GITHUB_APP_ID", "4243");
    let seen = ward.seen("doctor --format json").await;
    let report = seen.json();
    assert_eq!((seen.code, report["errors"].as_u64()), (1, Some(1)));
    let findings = report["findings"].as_array().unwrap();
    let app = findings.iter().find(|finding| finding["topic"] == "App").unwrap();
    assert_eq!(app["mark"], "error");
    assert!(app["mend"].as_str().unwrap().starts_with("GITHUB_APP_ID and the key"), "{app}");
}

#[tokio::test]
async fn a_database_that_is_there_is_tried_and_a_key_that_others_read_is_told() {
    let mut ward = Ward::new(registered()).await;
    let key = ward.world.path().join("landfall.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::create_dir(ward.world.path().join("data")).unwrap();
    let url = format!("sqlite:{}", ward.world.path().join("data/landfall.db").display());
    let clock = std::sync::Arc::new(landfall_store::SystemClock);
    // A server that goes on meanwhile.
    let store = landfall_store::open(&url, clock).await.unwrap();
    let lines = |said: &str| {
        let told = said.lines().filter(|line| line.contains("key") || line.contains("database"));
        told.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(lines(&ward.says().await), @"
    ! key           others on this machine may read landfall.pem
    ✓ database      SQLite: its version fits, it can be written to, nothing is damaged
    ");
    store.close().await;
    ward.set("LANDFALL_DATABASE_URL", "sqlite:data/landfall.db?mode=ro");
    insta::assert_snapshot!(lines(&ward.says().await), @"
    ! key           others on this machine may read landfall.pem
    ✗ database      cannot be written to: the database failed: error returned from database: (code: 8) attempt to write a readonly database
    ");
}
