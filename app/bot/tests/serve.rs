//! `landfall serve` as somebody starts it: on a disk that has no room, with a database that it may only
//! read, and told to back up.
//!
//! The disk is that of the machine; what runs out is what the process may write to files, which
//! fails in the same place. Nobody is at GitHub's address: nothing is asked of it.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a scenario ends at the first thing that is not as it should be"
)]

use std::io;
use std::path::Path;
use std::time::Duration;

use landfall_os::http::{AddressRules, Client, Method, Settings};
use landfall_os::process::{Command, Exit};
use landfall_sim::github::{TEST_PRIVATE_KEY, TEST_WEBHOOK_SECRET, signature};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStdout;

/// What is delivered.
const BODY: &str = r#"{"action":"created","sponsored":true}"#;

/// A server that tells its process id and then its log.
fn serve(data: &Path) -> Command {
    // The kernel also sends a signal to who writes too much, which ends a process that does not
    // ignore it. A full disk sends none.
    let script = r#"trap "" XFSZ; echo $$; exec "$0" serve 2>&1"#;
    let command = Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_landfall")]);
    let command = command.timeout(Duration::from_secs(60)).env("LANDFALL_DATA_DIR", data);
    let settings = [
        ("LANDFALL_LISTEN", "127.0.0.1:0"),
        ("GITHUB_APP_ID", "7"),
        ("GITHUB_PRIVATE_KEY", TEST_PRIVATE_KEY),
        ("GITHUB_WEBHOOK_SECRET", TEST_WEBHOOK_SECRET),
        ("GITHUB_API_URL", "http://127.0.0.1:1"),
        ("GITHUB_URL", "http://127.0.0.1:1"),
    ];
    settings.into_iter().fold(command, |command, (name, value)| command.env(name, value))
}

/// A server that runs.
struct Server {
    process: Pid,
    client: Client,
}

impl Server {
    /// Reads from the log what there is to know about it.
    async fn of(log: &mut BufReader<ChildStdout>) -> io::Result<Self> {
        let mut line = String::new();
        log.read_line(&mut line).await?;
        let process = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
        let address = loop {
            line.clear();
            assert!(log.read_line(&mut line).await? > 0, "it ended before it listened");
            if let Some((_, address)) = line.trim().split_once("listening address=") {
                break format!("http://{address}").parse().unwrap();
            }
        };
        let rules = AddressRules::parse("127.0.0.1").unwrap();
        let client = Client::new(&Settings { rules, ..Settings::new(address) }).unwrap();
        Ok(Self { process, client })
    }

    /// Lets it write so many bytes to a file, and returns how many it might write before.
    fn room(&self, bytes: Option<u64>) -> Option<u64> {
        let all = Rlimit { current: bytes, maximum: None };
        prlimit(Some(self.process), Resource::Fsize, all).unwrap().current
    }

    /// Delivers something signed that leads to nothing.
    async fn deliver(&self, number: u32) -> (u16, String) {
        self.deliver_signed(number, &signature(TEST_WEBHOOK_SECRET, BODY.as_bytes())).await
    }

    async fn deliver_signed(&self, number: u32, signed: &str) -> (u16, String) {
        let request = self.client.request(Method::POST, ["webhook"]).body("application/json", BODY);
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let request = request.header("X-GitHub-Event", "sponsorship");
        let request = request.header("X-GitHub-Delivery", &id);
        let answer = request.header("X-Hub-Signature-256", signed).send().await.unwrap();
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }

    async fn ready(&self) -> (u16, String) {
        let answer = self.client.request(Method::GET, ["readyz"]).send().await.unwrap();
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
    }
}

#[tokio::test]
async fn a_disk_without_room_fails_deliveries_at_github_until_there_is_room_again() {
    let data = tempfile::tempdir().unwrap();
    let talk = |_stdin, stdout| async move {
        let mut log = BufReader::new(stdout);
        let server = Server::of(&mut log).await?;
        let rest = tokio::spawn(async move {
            let mut rest = String::new();
            log.read_to_string(&mut rest).await.map(|_| rest)
        });
        assert_eq!(server.ready().await, (200, "ready\n".into()));
        assert_eq!(server.deliver(1).await, (202, "stored".into()));

        let room = server.room(Some(0));
        let unwritable = "the store cannot be written to";
        assert_eq!(server.deliver(2).await, (503, unwritable.into()));
        assert_eq!(server.ready().await, (503, format!("{unwritable}\n")));

        server.room(room);
        assert_eq!(server.ready().await, (200, "ready\n".into()));
        // As GitHub sends it again, and as it sends the next one.
        assert_eq!(server.deliver(2).await, (202, "stored".into()));
        assert_eq!(server.deliver(3).await, (202, "stored".into()));
        kill_process(server.process, Signal::TERM).unwrap();
        rest.await.unwrap()
    };
    let (log, output) = serve(data.path()).converse(talk).await.unwrap();
    assert_eq!(output.exit, Exit::Code(0), "{log}");
    assert!(log.contains("a delivery could not be stored"), "{log}");
}

/// The file is there and may be read, so everything but writing works.
#[tokio::test]
async fn a_read_only_database_fails_deliveries_at_github_and_the_log_says_why() {
    let data = tempfile::tempdir().unwrap();
    for (read_only, answers) in [(false, (202, 200)), (true, (503, 503))] {
        let talk = |_stdin, stdout| async move {
            let mut log = BufReader::new(stdout);
            let server = Server::of(&mut log).await?;
            assert_eq!((server.deliver(1).await.0, server.ready().await.0), answers);
            kill_process(server.process, Signal::TERM).unwrap();
            let mut rest = String::new();
            log.read_to_string(&mut rest).await.map(|_| rest)
        };
        let mode = if read_only { "ro" } else { "rwc" };
        let url = format!("sqlite:{}?mode={mode}", data.path().join("landfall.db").display());
        let server = serve(data.path()).env("LANDFALL_DATABASE_URL", url);
        let (log, output) = server.converse(talk).await.unwrap();
        assert_eq!(output.exit, Exit::Code(0), "{log}");
        assert_eq!(log.contains("attempt to write a readonly database"), read_only, "{log}");
    }
}

/// Whoever reads the log reads no payload, and whoever guesses signatures learns nothing.
#[tokio::test]
async fn no_log_tells_what_was_delivered() {
    let data = tempfile::tempdir().unwrap();
    let talk = |_stdin, stdout| async move {
        let mut log = BufReader::new(stdout);
        let server = Server::of(&mut log).await?;
        assert_eq!(server.deliver(1).await.0, 202);
        let forged = server.deliver_signed(2, &signature("another secret", BODY.as_bytes())).await;
        assert_eq!(forged, (401, "no".into()));
        kill_process(server.process, Signal::TERM).unwrap();
        let mut rest = String::new();
        log.read_to_string(&mut rest).await.map(|_| rest)
    };
    let server = serve(data.path()).env("LANDFALL_LOG", "trace");
    let (log, output) = server.converse(talk).await.unwrap();
    assert_eq!(output.exit, Exit::Code(0), "{log}");
    assert!(log.contains("delivery stored") && log.contains("not believed"), "{log}");
    for kept in ["sponsored", TEST_WEBHOOK_SECRET, "sha256="] {
        assert!(!log.contains(kept), "the log has `{kept}` in it:\n{log}");
    }
}

/// Reads the log until a line has `words` in it.
async fn heard(log: &mut BufReader<ChildStdout>, words: &str) -> io::Result<()> {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(log.read_line(&mut line).await? > 0, "it ended before it said `{words}`");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_backs_up_by_itself_and_removes_only_what_it_made() {
    let data = tempfile::tempdir().unwrap();
    let backups = data.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    for name in ["landfall-20260101T000000Z.backup", "mine.backup"] {
        std::fs::write(backups.join(name), "old").unwrap();
    }
    let talk = |_stdin, stdout| async move {
        let mut log = BufReader::new(stdout);
        let server = Server::of(&mut log).await?;
        heard(&mut log, "an old backup is gone").await?;
        kill_process(server.process, Signal::TERM).unwrap();
        let mut rest = String::new();
        log.read_to_string(&mut rest).await
    };
    let command = serve(data.path()).env("LANDFALL_BACKUP", format!("{}/", backups.display()));
    let (_, output) = command.env("LANDFALL_BACKUP_KEEP", "1").converse(talk).await.unwrap();
    assert_eq!(output.exit, Exit::Code(0));
    let mut names: Vec<String> = std::fs::read_dir(&backups)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].as_str() > "landfall-20260101T000000Z.backup", "{names:?}");
    assert_eq!(names[1], "mine.backup");
}

#[tokio::test]
async fn a_backup_that_fails_is_said_and_keeps_nobody_from_working() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("file"), "").unwrap();
    let talk = |_stdin, stdout| async move {
        let mut log = BufReader::new(stdout);
        let server = Server::of(&mut log).await?;
        heard(&mut log, "the backup failed").await?;
        assert_eq!(server.ready().await, (200, "ready\n".into()));
        kill_process(server.process, Signal::TERM).unwrap();
        let mut rest = String::new();
        log.read_to_string(&mut rest).await
    };
    let nowhere = format!("{}/", data.path().join("file/backups").display());
    let (_, output) =
        serve(data.path()).env("LANDFALL_BACKUP", nowhere).converse(talk).await.unwrap();
    assert_eq!(output.exit, Exit::Code(0));
}
