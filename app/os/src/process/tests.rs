//! Against real programs of the operating system.

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::*;

fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

#[tokio::test]
async fn a_program_gets_its_arguments_as_they_are_and_no_shell() {
    let output = Command::new("printf").args(["%s|", "a b", "$HOME", "; ls"]).run().await.unwrap();
    assert_eq!(output.stdout, b"a b|$HOME|; ls|");
    assert!(output.is_success());
}

#[tokio::test]
async fn the_environment_holds_only_what_was_given_and_an_absolute_path() {
    let token = SecretString::from("s3cret-value");
    let command = Command::new("env").env("A", "1").secret_env("TOKEN", token);
    assert!(!format!("{command:?}").contains("s3cret-value"));
    let text = String::from_utf8(command.run().await.unwrap().stdout).unwrap();
    let mut names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["A", "PATH", "TOKEN"]);
    assert!(text.contains("TOKEN=s3cret-value\n"));
}

#[tokio::test]
async fn input_and_output_flow_at_once_and_the_end_is_told() {
    let input = vec![b'x'; 1 << 20];
    let output = Command::new("cat").stdin(input.clone()).run().await.unwrap();
    assert!(output.stdout == input);
    let output = sh("echo no >&2; exit 3").stdin(vec![0; 1 << 20]).run().await.unwrap();
    assert_eq!((output.exit, output.stderr.as_str()), (Exit::Code(3), "no\n"));
    assert_eq!(sh("kill -9 $$").run().await.unwrap().exit, Exit::Killed);
}

#[tokio::test]
async fn a_program_that_writes_too_much_is_stopped() {
    let error = Command::new("yes").max_stdout(1000).run().await.unwrap_err();
    assert_eq!(error, ProcessError::TooLong { program: "yes".into(), limit: 1000 });
    let stubborn = sh("trap '' PIPE; while :; do echo x; done 2>/dev/null").max_stdout(10);
    assert!(matches!(stubborn.run().await, Err(ProcessError::TooLong { .. })));
    let output = sh("yes | head -c 200000 >&2").run().await.unwrap();
    assert_eq!(output.stderr.len() as u64, MAX_STDERR);
}

#[tokio::test]
async fn a_program_out_of_time_dies_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).run().await.unwrap().is_success());
    // The grandchild holds the pipe open for writing; reading it ends when the last holder is dead.
    let hang = sh("sleep 1000 > \"$0\" & wait").arg(&pipe).timeout(Duration::from_millis(300));
    let reader = Command::new("cat").arg(&pipe).timeout(Duration::from_secs(20));
    let (hang, reader) = tokio::join!(hang.run(), reader.run());
    assert!(matches!(hang, Err(ProcessError::Timeout { .. })), "{hang:?}");
    assert_eq!(reader.unwrap().exit, Exit::Code(0));
}

#[tokio::test]
async fn a_conversation_goes_back_and_forth() {
    let talk = |mut stdin: ChildStdin, stdout| async move {
        let mut lines = BufReader::new(stdout).lines();
        let mut heard = Vec::new();
        for word in ["one\n", "two\n"] {
            stdin.write_all(word.as_bytes()).await?;
            heard.extend(lines.next_line().await?);
        }
        Ok(heard)
    };
    let (heard, output) = Command::new("cat").converse(talk).await.unwrap();
    assert_eq!(heard, ["one", "two"]);
    assert!(output.is_success());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_without_its_arguments() {
    let error = Command::new("no-such-program-here").arg("hunter2").run().await.unwrap_err();
    assert_eq!(error, ProcessError::Missing { program: "no-such-program-here".into() });
    let error = Command::new("/nowhere/tool").run().await.unwrap_err();
    assert_eq!(error.to_string(), "`tool` cannot be started: entity not found");
}
