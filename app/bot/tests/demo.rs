//! `landfall demo` and `landfall sim` as somebody starts them: the real binary, with git beside it.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario ends at the first thing that is not as it should be"
)]

use std::time::Duration;

use landfall_os::http::{AddressRules, Client, Method, Settings};
use landfall_os::process::{Command, Exit};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStdout;

fn landfall(words: &str) -> Command {
    let command = Command::new(env!("CARGO_BIN_EXE_landfall"));
    command.args(words.split(' ')).timeout(Duration::from_secs(120))
}

#[tokio::test]
async fn the_demo_ends_with_everything_as_the_repository_says() {
    let output = landfall("demo --once --format json").run().await.unwrap();
    assert_eq!(output.exit, Exit::Code(0), "{}", output.stderr);
    assert_eq!(output.stderr, "");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["good"], true);
    let findings = &summary["findings"];
    assert_eq!((&findings["expected"], &findings["foreign"]), (&24.into(), &8.into()));
    for environment in ["staging", "production"] {
        assert_eq!(findings["second_plan"][environment], Value::Array(Vec::new()));
    }
    // The first run of each environment waits for a word; after that a merge is enough.
    let pulls = summary["pulls"].as_array().unwrap();
    let released = |pull: &Value| pull["released_by"].as_str().map(|said| said[..7].to_owned());
    let released: Vec<_> = pulls.iter().map(released).collect();
    assert_eq!(released, [Some("/apply ".to_owned()), Some("/apply ".to_owned()), None, None]);
}

#[tokio::test]
async fn the_demo_is_told_in_comments_and_ends_with_a_summary() {
    let output = landfall("demo --once").run().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.exit, Exit::Code(0), "{told}\n{}", output.stderr);
    assert!(told.contains("│ ### Landfall plan for"), "{told}");
    assert!(told.contains("24 of 24 records and routes"), "{told}");
    assert!(!told.contains('\u{1b}'), "nothing is coloured where nobody watches: {told}");
}

#[tokio::test]
async fn a_demo_that_is_interrupted_has_not_shown_that_all_is_well() {
    // The shell says its number and becomes the demo.
    let become_it = ["-c", r#"echo $$; exec "$0" demo --once"#, env!("CARGO_BIN_EXE_landfall")];
    let demo = Command::new("sh").args(become_it).timeout(Duration::from_secs(120));
    let talk = |_stdin, stdout: ChildStdout| async move {
        let mut lines = BufReader::new(stdout).lines();
        let process = lines.next_line().await?.unwrap_or_default();
        // It listens for the interrupt before it tells anything.
        lines.next_line().await?;
        let stopped = Command::new("kill").args(["-INT", process.as_str()]).run().await;
        assert!(stopped.unwrap().is_success());
        while lines.next_line().await?.is_some() {}
        Ok(())
    };
    let ((), output) = demo.converse(talk).await.unwrap();
    assert_eq!(output.exit, Exit::Code(1));
    assert!(output.stderr.contains("interrupted before everything"), "{}", output.stderr);
}

#[tokio::test]
async fn the_simulators_stay_up_until_they_are_interrupted() {
    let ports = ["github", "github-api", "unifi", "unifi-lab", "cloudflare"];
    let ports: String = ports.map(|name| format!(" --{name}-port 0")).concat();
    let sim = landfall(&format!("sim --format json{ports}"));
    let talk = |_stdin, stdout: ChildStdout| async move {
        let mut stdout = BufReader::new(stdout);
        let told = object(&mut stdout).await?;
        assert_eq!(clone(told["clone_url"].as_str().unwrap(), &told["person"]).await, "landfall");
        assert_eq!(status_of_console(&told).await, 200);
        let process = told["process"].to_string();
        let stopped = Command::new("kill").args(["-INT", process.as_str()]).run().await;
        assert!(stopped.unwrap().is_success());
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).await?;
        Ok((told, rest))
    };
    let ((told, rest), output) = sim.converse(talk).await.unwrap();
    assert_eq!((output.exit, rest.as_str()), (Exit::Code(0), ""), "{}", output.stderr);
    let key = told["environment"]["GITHUB_PRIVATE_KEY_PATH"].as_str().unwrap();
    assert!(!std::path::Path::new(key).exists(), "it leaves nothing behind");
}

/// The object that is printed, line by line until it is whole.
async fn object(stdout: &mut BufReader<ChildStdout>) -> std::io::Result<Value> {
    let mut text = String::new();
    while stdout.read_line(&mut text).await? > 0 {
        if let Ok(object) = serde_json::from_str(&text) {
            return Ok(object);
        }
    }
    panic!("no whole object: {text}");
}

/// Clones with a person's token, and answers with the name of the rules that came.
async fn clone(url: &str, person: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let who =
        format!("{}:{}@", person["login"].as_str().unwrap(), person["token"].as_str().unwrap());
    let url = url.replace("http://", &format!("http://{who}"));
    let git = Command::new("git").args(["clone", "--quiet", &url, "."]).current_dir(folder.path());
    let git = git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = git.run().await.unwrap();
    assert!(output.is_success(), "{}", output.stderr);
    let rules = folder.path().join("landfall.yaml");
    rules.file_stem().filter(|_| rules.exists()).unwrap().to_string_lossy().into_owned()
}

/// What the console of staging answers to its key.
async fn status_of_console(told: &Value) -> u16 {
    let base = told["addresses"]["unifi_lab"].as_str().unwrap().parse().unwrap();
    let rules = AddressRules::parse("127.0.0.1").unwrap();
    let client = Client::new(&Settings { rules, ..Settings::new(base) }).unwrap();
    let key = told["environment"]["LANDFALL_SECRET_UNIFI_LAB"].as_str().unwrap();
    let path = ["proxy", "network", "integration", "v1", "sites"];
    let request = client.request(Method::GET, path).header("x-api-key", key);
    request.send().await.unwrap().status
}
