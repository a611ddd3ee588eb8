//! Against real repositories in temporary folders, by git's `file` protocol.

use std::path::PathBuf;
use std::sync::Arc;

use landfall_core::name::{BranchName, CommitSha, ConfigPath, PullNumber, RepositoryId};
use landfall_os::process::Command;
use tempfile::TempDir;
use url::Url;

use super::*;

mod hostile;
mod mirror;
mod speed;
mod working;

/// A repository of somebody else, with a place for our mirrors beside it.
struct World {
    folder: TempDir,
    git: Git,
    mirrors: Mirrors,
}

fn settings() -> GitSettings {
    let protocols = vec!["file".to_owned(), "http".to_owned()];
    GitSettings { protocols, ..GitSettings::default() }
}

impl World {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mirrors = Mirrors::open(folder.path().join("mirrors"), settings()).await.unwrap();
        let world = Self { folder, git: Git::find(settings()).await.unwrap(), mirrors };
        std::fs::create_dir(world.theirs()).unwrap();
        world.git(&["init", "--quiet", "--initial-branch=main"]).await;
        world
    }

    /// Their repository, with a work tree.
    fn theirs(&self) -> PathBuf {
        self.folder.path().join("theirs")
    }

    fn remote(&self) -> Remote {
        Remote { url: Url::from_directory_path(self.theirs()).unwrap(), token: None }
    }

    fn mirror(&self) -> Mirror {
        self.mirrors.mirror(RepositoryId(7))
    }

    /// Runs git in their repository, as they would.
    async fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git").args(args).current_dir(self.theirs());
        for who in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            command = command
                .env(format!("{who}_NAME"), "A")
                .env(format!("{who}_EMAIL"), "a@example.com");
        }
        let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").run().await.unwrap();
        assert!(output.is_success(), "git {args:?}: {}", output.stderr);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, content: &str) {
        let file = self.theirs().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// Commits everything in their work tree.
    async fn commit(&self) -> CommitSha {
        self.git(&["add", "--all"]).await;
        self.git(&["commit", "--quiet", "--allow-empty", "--message=x"]).await;
        CommitSha::new(self.git(&["rev-parse", "HEAD"]).await).unwrap()
    }

    async fn fetch(&self, wanted: &[Wanted]) -> Fetched {
        self.mirror().fetch(&self.remote(), wanted).await.unwrap()
    }
}

fn branch(name: &str) -> Wanted {
    Wanted::Branch(BranchName::new(name).unwrap())
}

fn path(text: &str) -> ConfigPath {
    ConfigPath::new(text).unwrap()
}

fn pull(number: u64) -> Wanted {
    Wanted::Pull(PullNumber(number))
}
