//! `landfall setup`, walked as a person walks it: from the address that it prints, through GitHub, to
//! a server that works with what was written. And as somebody walks it who was not invited.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use landfall_github::needs::PERMISSIONS;
use landfall_os::http::Method;
use landfall_os::process::{Command, Exit, Output};
use landfall_sim::github::{Access, GithubSim, NewPull, Settings, edit};
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStdout;
use url::Url;

use crate::browser::{Browser, Page};
use crate::world::World;

const ENV: &str = "landfall.env";
const KEY: &str = "landfall.pem";

struct Desk {
    world: World,
    github: GithubSim,
}

impl Desk {
    async fn new() -> Self {
        let github = GithubSim::start(Settings::default()).await.unwrap();
        let world = World::empty().await;
        fs::create_dir(world.path()).unwrap();
        Self { world, github }
    }

    fn setup(&self, words: &str) -> Command {
        let words = format!("setup --listen 127.0.0.1:0 {words}");
        let command = self.world.command(&words, &self.world.path());
        let command = command.env("GITHUB_URL", self.github.url());
        command.env("GITHUB_API_URL", self.github.api_url())
    }

    /// Sets up while somebody has the invitation, and returns everything that was printed, with what
    /// that somebody came to.
    async fn walk<T>(&self, words: &str, story: impl AsyncFnOnce(Url) -> T) -> (T, String, Output) {
        self.walk_with(&[], words, story).await
    }

    /// The same, with more environment variables.
    async fn walk_with<T>(
        &self,
        env: &[(&str, &str)],
        words: &str,
        story: impl AsyncFnOnce(Url) -> T,
    ) -> (T, String, Output) {
        let talk = |_stdin, stdout: ChildStdout| async move {
            let mut out = BufReader::new(stdout);
            let (mut said, mut line) = (String::new(), String::new());
            let invitation = loop {
                line.clear();
                assert!(out.read_line(&mut line).await? > 0, "it ended: {said}");
                said.push_str(&line);
                if let Ok(invitation) = line.trim().parse::<Url>() {
                    break invitation;
                }
            };
            let told = story(invitation).await;
            out.read_to_string(&mut said).await?;
            Ok((told, said))
        };
        let setup =
            env.iter().fold(self.setup(words), |setup, (name, value)| setup.env(name, value));
        let ((told, said), output) = setup.converse(talk).await.unwrap();
        (told, self.steady(&said), output)
    }

    fn steady(&self, said: &str) -> String {
        let said = said.replace(&self.github.url(), "https://github.com");
        let folder = self.world.path().canonicalize().unwrap();
        let said = said.replace(folder.to_str().unwrap(), "/srv/landfall");
        let address = Regex::new(r"127\.0\.0\.1:\d+/setup\?token=[0-9a-f]{64}").unwrap();
        address.replace(&said, "127.0.0.1:8080/setup?token=TOKEN").into_owned()
    }

    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.world.path().join(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.world.path().join(name)).unwrap().permissions().mode() & 0o777
    }

    /// The variables in `landfall.env`, as a shell reads them.
    fn variables(&self) -> BTreeMap<String, String> {
        let text = self.written(ENV);
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// `landfall` with what was written.
    fn landfall(&self, words: &str) -> Command {
        let command = self.world.command(words, &self.world.path());
        self.variables()
            .into_iter()
            .fold(command, |command, (name, value)| command.env(name, value))
    }
}

/// Does what a person does who is invited.
async fn create(invitation: Url) -> (Page, Page) {
    let mut browser = Browser::default();
    let form = browser.open(&invitation).await;
    let end = browser.submit(&form).await;
    (form, end)
}

#[tokio::test]
async fn an_app_is_created_with_the_least_and_a_server_works_with_what_was_written() {
    let desk = Desk::new().await;
    desk.world.write(ENV, "LANDFALL_DATA_DIR=data");
    let ((form, end), said, output) = desk.walk("--pull --organization acme", create).await;
    assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
    insta::assert_snapshot!(said, @"
    Open this in a browser. It is good once, and for an hour:

      http://127.0.0.1:8080/setup?token=TOKEN

    The App landfall-acme is there, with the number 1004.
      its key       /srv/landfall/landfall.pem
      its settings  /srv/landfall/landfall.env

    Next: install it on your repositories, on the page that your browser shows now:

      https://github.com/apps/landfall-acme/installations/new
    ");
    assert_eq!((form.status, end.status), (200, 303));
    assert_eq!(form.url.query(), None, "the token is not in the address of the form");
    let installs = end.leads_to.unwrap();
    assert_eq!(installs.path(), "/apps/landfall-acme/installations/new");

    assert_eq!((desk.mode(ENV), desk.mode(KEY)), (0o600, 0o600));
    let steady = desk.steady(&desk.written(ENV)).replace(&desk.github.api_url(), "https://api");
    insta::assert_snapshot!(steady, @"
    LANDFALL_DATA_DIR=data
    GITHUB_APP_ID=1004
    GITHUB_PRIVATE_KEY_PATH=/srv/landfall/landfall.pem
    LANDFALL_WEBHOOKS=pull
    GITHUB_URL=https://github.com
    GITHUB_API_URL=https://api
    ");

    // Owners grant what the App asks for, and nothing else.
    let rules =
        "version: 1\nenvironments:\n  production:\n    branches: [main]\n    connections: {}\n";
    let repo = desk.github.create_repository("acme/homelab", [("landfall.yaml", rules)]);
    let repo = repo.await.unwrap();
    repo.protect("main").unwrap();
    let granted = desk.github.installations().pop().unwrap().permissions;
    let asked = PERMISSIONS.map(|p| (p.name.to_owned(), Access::named(p.asked.as_str()).unwrap()));
    assert_eq!(granted, BTreeMap::from(asked));
    let doctor = desk.landfall("doctor").run().await.unwrap();
    let told = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.exit, Exit::Code(0), "{told}");

    // The server plans a pull request, and has no page that creates an App.
    let (commented, mut comments) = tokio::sync::mpsc::unbounded_channel();
    desk.github.exchanges().listen(move |exchange| {
        if exchange.method == "POST" && exchange.path.ends_with("/issues/1/comments") {
            let _ = commented.send(exchange.request_json());
        }
    });
    let talk = |_stdin, stdout| async move {
        let mut log = BufReader::new(stdout);
        let (process, address) = started(&mut log).await?;
        let gone = Browser::default().open(&address.join("/setup").unwrap()).await;
        assert_eq!(gone.status, 404);
        let broken = [edit("landfall.yaml", "version: 1\n")];
        repo.push("change", "alice", "Break the rules", broken).await.unwrap();
        repo.open(NewPull::from("change")).await.unwrap();
        let comment: Option<Value> = comments.recv().await.flatten();
        kill_process(process, Signal::TERM).unwrap();
        let mut rest = String::new();
        log.read_to_string(&mut rest).await?;
        Ok((comment, rest))
    };
    let script = r#"echo $$; exec "$0" serve 2>&1"#;
    let serve = Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_landfall")]);
    let serve = serve.current_dir(desk.world.path()).env("LANDFALL_LISTEN", "127.0.0.1:0");
    let variables = desk.variables().into_iter();
    let serve = variables.fold(serve, |serve, (name, value)| serve.env(name, value));
    let ((comment, log), _) = serve.converse(talk).await.unwrap();
    let body = comment.unwrap()["body"].as_str().unwrap_or_default().to_owned();
    assert!(body.contains("### Landfall"), "{body}\n{log}");
}

/// Reads of a server that was started which process it is and where it listens.
async fn started(log: &mut BufReader<ChildStdout>) -> io::Result<(Pid, Url)> {
    let mut line = String::new();
    log.read_line(&mut line).await?;
    let process = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
    loop {
        line.clear();
        assert!(log.read_line(&mut line).await? > 0, "it ended before it listened");
        if let Some((_, address)) = line.trim().split_once("listening address=") {
            return Ok((process, format!("http://{address}").parse().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_secret_that_github_leaves_out_is_agreed_on_and_deliveries_become_json() {
    let desk = Desk::new().await;
    desk.github.make_no_hook_secrets();
    let words = "--url https://landfall.invalid --name Landfall --output keys";
    let (_, _, output) = desk.walk(words, create).await;
    assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
    let env = desk.written("keys/landfall.env");
    let secret = env.lines().find_map(|line| line.strip_prefix("GITHUB_WEBHOOK_SECRET=")).unwrap();
    assert_eq!(secret.len(), 64);
    let set = desk.github.exchanges().all();
    let set = set.iter().find(|exchange| exchange.method == "PATCH").unwrap();
    assert_eq!(set.path, "/app/hook/config");
    let body = set.request_json().unwrap();
    assert_eq!(body, serde_json::json!({ "content_type": "json", "secret": secret }));
}

#[tokio::test]
async fn what_is_printed_can_be_used_as_it_is() {
    let key = Regex::new(r"GITHUB_PRIVATE_KEY=('-----BEGIN [^\n']*')").unwrap();
    for (form, begins) in [("env", "GITHUB_APP_ID="), ("fly", "fly secrets set GITHUB_APP_ID=")] {
        let desk = Desk::new().await;
        let words = format!("--url https://landfall.invalid --print {form}");
        let (_, said, output) = desk.walk(&words, create).await;
        assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
        assert!(said.contains(begins), "{said}");
        assert!(!desk.world.path().join(KEY).exists());
        // A shell reads the key back as one word.
        let key = &key.captures(&said).unwrap_or_else(|| panic!("no key for {form}"))[1];
        let script = format!("key={key}; printf %s \"$key\"");
        let shell = Command::new("sh").args(["-c", &script]).run().await.unwrap();
        assert_eq!(shell.stdout, key.trim_matches('\'').as_bytes());
        assert!(!output.stderr.contains("PRIVATE KEY"));
    }
}

/// Also where everything is logged: what GitHub gives goes into the files, and nowhere else.
#[tokio::test]
async fn neither_the_key_nor_a_secret_nor_the_code_is_told_to_anybody() {
    let desk = Desk::new().await;
    let story = async |invitation: Url| {
        let mut browser = Browser::default();
        let form = browser.open(&invitation).await;
        let (action, fields) = form.form();
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let sent = browser.ask(Method::POST, &action, Some(body)).await;
        let back: Url = sent.headers["location"].to_str().unwrap().parse().unwrap();
        let end = browser.open(&back).await;
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        (code, form.text + &end.text)
    };
    let words = "--url https://landfall.invalid";
    let loud = [("LANDFALL_LOG", "trace"), ("RUST_LOG", "trace")];
    let ((code, shown), said, output) = desk.walk_with(&loud, words, story).await;
    assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
    let variables = desk.variables();
    let told = format!("{shown}{said}{}", output.stderr);
    for secret in [code.as_str(), &variables["GITHUB_WEBHOOK_SECRET"], "PRIVATE KEY", "MII"] {
        assert!(!told.contains(secret), "{secret} is in {told}");
    }
}

#[tokio::test]
async fn who_was_not_invited_creates_nothing() {
    let desk = Desk::new().await;
    let story = async |invitation: Url| {
        let (mut owner, mut stranger) = (Browser::default(), Browser::default());
        let mut guessed = invitation.clone();
        guessed.set_query(Some("token=0000"));
        for address in [&guessed, &invitation.join("/setup").unwrap()] {
            assert_eq!(stranger.open(address).await.status, 403);
        }
        assert_eq!(stranger.open(&invitation.join("/setup/other").unwrap()).await.status, 404);

        let form = owner.open(&invitation).await;
        assert_eq!(stranger.open(&invitation).await.status, 403, "the token is good once");
        // Somebody who knows the whole form, but is not in the browser that it was shown in.
        let (action, fields) = form.form();
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let sent = stranger.ask(Method::POST, &action, Some(body)).await;
        let back: Url = sent.headers["location"].to_str().unwrap().parse().unwrap();
        assert_eq!(stranger.open(&back).await.status, 403);

        // The one who was invited, led back with a state that nobody gave out.
        let mut other = back.clone();
        other.set_query(Some("code=abc&state=def"));
        assert_eq!(owner.open(&other).await.status, 403);
        let asked = desk.github.exchanges().count(|exchange| exchange.path.contains("conversions"));
        assert_eq!(asked, 0, "no code was exchanged");

        // A code that GitHub does not know costs the state, and not the invitation.
        let state = back.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        other.set_query(Some(&format!("code=abc&state={state}")));
        let wrong = owner.open(&other).await;
        assert_eq!(wrong.status, 502);
        assert!(!wrong.text.contains("abc"), "{}", wrong.text);
        assert_eq!(owner.open(&other).await.status, 403, "a state is good once");
        let form = owner.open(&invitation.join("/setup").unwrap()).await;
        let end = owner.submit(&form).await;
        (end.status, back)
    };
    let ((status, back), _, output) = desk.walk("--pull", story).await;
    assert_eq!((status, output.exit), (303, Exit::Code(0)));
    // The pages are gone.
    let gone = tokio::net::TcpStream::connect((back.host_str().unwrap(), back.port().unwrap()));
    assert!(gone.await.is_err());
}

#[tokio::test]
async fn the_page_loads_nothing_is_kept_nowhere_and_shows_what_will_be_asked_for() {
    let desk = Desk::new().await;
    let story = async |invitation: Url| {
        let mut browser = Browser::default();
        let entered = browser.ask(Method::GET, &invitation, None).await;
        let cookie = entered.headers["set-cookie"].to_str().unwrap().to_owned();
        let form = browser.ask(Method::GET, &invitation.join("/setup").unwrap(), None).await;
        let header = |name: &str| form.headers[name].to_str().unwrap().to_owned();
        let headers = ["content-security-policy", "cache-control", "referrer-policy"].map(header);
        let text = String::from_utf8_lossy(&form.body).into_owned();
        let form = browser.open(&invitation.join("/setup").unwrap()).await;
        browser.submit(&form).await;
        (cookie, headers, text)
    };
    let ((cookie, headers, text), _, _) = desk.walk("--pull --organization acme", story).await;
    let cookie = Regex::new("=[0-9a-f]{64}").unwrap().replace(&cookie, "=SESSION").into_owned();
    insta::assert_snapshot!(cookie, @"
    landfall_setup=SESSION; Path=/setup; Max-Age=3600; HttpOnly; SameSite=Lax
    ");
    insta::assert_snapshot!(headers.join("\n"), @"
    default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'
    no-store
    no-referrer
    ");
    let main = text.split("<form").nth(1).unwrap().split("</form>").nth(1).unwrap();
    insta::assert_snapshot!(main.split("</main>").next().unwrap(), @"
    <h2>What it may do</h2>
    <table>
    <tr><th>Permission</th><th></th><th>What for</th></tr>
    <tr><td><code>actions</code></td><td>read</td><td>workflows that wait for a run before they deploy</td></tr>
    <tr><td><code>checks</code></td><td>write</td><td>the checks on commits</td></tr>
    <tr><td><code>contents</code></td><td>read</td><td>landfall.yaml, the services and their history</td></tr>
    <tr><td><code>deployments</code></td><td>write</td><td>the deployment of each run</td></tr>
    <tr><td><code>issues</code></td><td>write</td><td>commands in comments; writing is for the issue that proposes a landfall.yaml</td></tr>
    <tr><td><code>members</code></td><td>read</td><td>rules that name a team</td></tr>
    <tr><td><code>merge_queues</code></td><td>read</td><td>checks in a merge queue</td></tr>
    <tr><td><code>metadata</code></td><td>read</td><td>the repository and its collaborators</td></tr>
    <tr><td><code>pull_requests</code></td><td>write</td><td>the comment with the plan</td></tr>
    </table>
    <p>It cannot change what is in a repository.</p>
    <h2>What it hears of</h2>
    <table>
    <tr><th>Event</th><th>What for</th></tr>
    <tr><td><code>check_run</code></td><td>the buttons of a check</td></tr>
    <tr><td><code>check_suite</code></td><td>running all checks again</td></tr>
    <tr><td><code>deployment_protection_rule</code></td><td>gating an environment of Actions</td></tr>
    <tr><td><code>issue_comment</code></td><td>commands</td></tr>
    <tr><td><code>merge_group</code></td><td>checks in a merge queue</td></tr>
    <tr><td><code>pull_request</code></td><td>plans</td></tr>
    <tr><td><code>push</code></td><td>runs</td></tr>
    <tr><td><code>repository</code></td><td>new names and default branches, at once</td></tr>
    </table>
    <p>The server fetches its events. <code>https:&#x2f;&#x2f;landfall.invalid&#x2f;webhook</code>, where GitHub sends them too, leads nowhere.</p>
    ");
}

#[tokio::test]
async fn an_app_that_was_set_up_before_is_not_written_over_and_github_has_to_reach_the_server() {
    let desk = Desk::new().await;
    let refused = async |words: &str| desk.world.run(desk.setup(words)).await.all();
    insta::assert_snapshot!(refused("--url http://localhost:8080").await, @"
    --- stderr
    error: --url http://localhost:8080/: GitHub cannot reach that. Name the address that the server has outside, or use --pull
    --- exit code 1
    ");
    insta::assert_snapshot!(refused("").await, @"
    --- stderr
    error: the following required arguments were not provided:
      <--url <URL>|--pull>

    Usage: landfall setup --listen <ADDRESS> <--url <URL>|--pull>

    For more information, try '--help'.
    --- exit code 1
    ");
    desk.world.write(KEY, "a key");
    insta::assert_snapshot!(refused("--pull").await, @"
    --- stderr
    error: /home/ada/homelab/landfall.pem is there already: move it away first
    --- exit code 1
    ");
    assert_eq!(desk.written(KEY), "a key");
}
