//! What a repository, a remote or an address must not achieve.

use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn an_address_with_a_password_or_of_another_protocol_is_refused() {
    let world = World::new().await;
    for url in [
        "http://u:p@127.0.0.1/a",
        "ssh://127.0.0.1/a",
        "ext::sh",
        "http://127.0.0.1/a?x",
        "git://127.0.0.1/a",
    ] {
        let remote = Remote { url: Url::parse(url).unwrap(), token: None };
        assert_eq!(
            world.mirror().fetch(&remote, &[branch("main")]).await.unwrap_err(),
            RepoError::Address,
            "{url}"
        );
    }
    let strict = Mirrors::open(world.folder.path(), GitSettings::default()).await.unwrap();
    let error =
        strict.mirror(RepositoryId(1)).fetch(&world.remote(), &[branch("main")]).await.unwrap_err();
    assert_eq!(error, RepoError::Address);
}

/// Answers one HTTP request with `answer`, and gives back what it read.
async fn answer_once(listener: TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = vec![0; 8192];
    let n = stream.read(&mut heard).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&heard[..n]).into_owned()
}

async fn fetch_from(answer: &str) -> (String, RepoError) {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url =
        Url::parse(&format!("http://{}/acme/homelab", listener.local_addr().unwrap())).unwrap();
    let remote = Remote { url, token: Some(SecretString::from("ghs_0123456789abcdefghij")) };
    let (mirror, wanted) = (world.mirror(), [branch("main")]);
    let (heard, fetched) =
        tokio::join!(answer_once(listener, answer), mirror.fetch(&remote, &wanted));
    (heard, fetched.unwrap_err())
}

#[tokio::test]
async fn the_token_is_a_header_for_its_origin_and_in_no_error() {
    let (heard, error) =
        fetch_from("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
    assert!(heard.starts_with("GET /acme/homelab/info/refs?service=git-upload-pack "), "{heard}");
    // base64 of `x-access-token:ghs_0123456789abcdefghij`
    let basic = "Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzAxMjM0NTY3ODlhYmNkZWZnaGlq";
    assert!(heard.contains(basic), "{heard}");
    assert_eq!(error, RepoError::Denied);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = elsewhere.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 301 Moved\r\nlocation: http://{location}/x/info/refs\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (_, error) = fetch_from(&answer).await;
    assert!(matches!(error, RepoError::Git { what: "fetch", .. }), "{error:?}");
    assert!(!error.to_string().contains("ghs_"), "{error}");
    let nobody =
        std::future::poll_fn(|cx| std::task::Poll::Ready(elsewhere.poll_accept(cx).is_pending()))
            .await;
    assert!(nobody, "git went where it was sent");
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_gone() {
    let (_, error) =
        fetch_from("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
    assert_eq!(error, RepoError::Gone("the repository".into()));
}

#[tokio::test]
async fn hooks_and_configuration_of_a_checkout_are_not_run() {
    let world = World::new().await;
    world.write("f", "1");
    world.commit().await;
    let trap = world.folder.path().join("sprung");
    let script = format!("touch {}", trap.display());
    for key in ["core.fsmonitor", "core.sshCommand", "credential.helper"] {
        world.git(&["config", key, &script]).await;
    }
    let copy = WorkingCopy::discover(&world.git, &world.theirs(), None).await.unwrap();
    assert!(copy.is_clean().await.unwrap());
    copy.staged().await.unwrap();
    assert!(!trap.exists());
}

#[tokio::test]
async fn a_git_that_is_too_old_or_missing_is_named() {
    let folder = TempDir::new().unwrap();
    let old = folder.path().join("git");
    std::fs::write(&old, "#!/bin/sh\necho git version 2.39.5\n").unwrap();
    std::fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let error = Git::find(GitSettings { program: old.into(), ..settings() }).await.unwrap_err();
    assert_eq!(error.to_string(), "git 2.39.5 is too old: Landfall needs 2.43 or later");
    let missing = GitSettings { program: "no-git-here".into(), ..settings() };
    assert_eq!(
        Git::find(missing).await.unwrap_err().to_string(),
        "`no-git-here` is not installed, or not in PATH"
    );
}
