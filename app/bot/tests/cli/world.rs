//! A folder with a configuration, a console and an account, and the binary run in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use landfall_os::process::{Command, Exit};
use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim};
use landfall_sim::unifi::{UnifiSettings, UnifiSim};
use secrecy::SecretString;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_landfall");

/// What the simulators want for a key and a token.
const SECRETS: [(&str, &str); 2] = [
    ("LANDFALL_SECRET_UNIFI", "simulated-unifi-key"),
    ("LANDFALL_SECRET_CLOUDFLARE", "simulated-cloudflare-token"),
];

pub(crate) struct World {
    folder: TempDir,
    pub(crate) unifi: UnifiSim,
    pub(crate) cloudflare: CloudflareSim,
}

/// What a person sees of a command.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Seen {
    /// Both streams and the code, for a snapshot.
    pub(crate) fn all(&self) -> String {
        let err = match self.err.is_empty() {
            true => String::new(),
            false => format!("--- stderr\n{}", self.err),
        };
        format!("{}{err}--- exit code {}", self.out, self.code)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl World {
    /// A git repository with the environments `dev`, for the command line, and `production`, which
    /// follows `main`, and two services.
    pub(crate) async fn new() -> Self {
        let world = Self::empty().await;
        let (unifi, cloudflare) = (world.unifi.url(), world.cloudflare.url());
        let account = world.cloudflare.account();
        let connections = format!(
            "{{ unifi: {{ url: '{unifi}', api_key: 'ref+env://LANDFALL_SECRET_UNIFI' }}, cloudflare: {{ url: '{cloudflare}', account: {account}, zones: [example.com], token: 'ref+env://LANDFALL_SECRET_CLOUDFLARE' }} }}"
        );
        world.write(
            "landfall.yaml",
            &format!(
                "version: 1
environments:
  dev:
    vars: {{ suffix: -dev }}
    connections: {connections}
  production:
    branches: [main]
    vars: {{ suffix: '' }}
    connections: {connections}
"
            ),
        );
        world.write("services/nas.yaml", NAS);
        world.write("services/jellyfin.yaml", JELLYFIN);
        world.git(&["init", "--quiet", "--initial-branch=main"]).await;
        world
    }

    /// A folder with nothing in it.
    pub(crate) async fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            unifi: UnifiSim::start(UnifiSettings::default()).await.unwrap(),
            cloudflare: CloudflareSim::start(CloudflareSettings::default()).await.unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("homelab")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join(path)).unwrap();
    }

    pub(crate) async fn git(&self, args: &[&str]) {
        let git = Command::new("git").args(args.iter().copied()).current_dir(self.path());
        let git = git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.run().await.unwrap();
        assert!(output.is_success(), "{args:?}: {}", output.stderr);
    }

    /// Runs `landfall` with these words, in the repository.
    pub(crate) async fn landfall(&self, words: &str) -> Seen {
        self.run(self.command(words, &self.path())).await
    }

    /// The same, in a folder of it.
    pub(crate) async fn landfall_in(&self, folder: &str, words: &str) -> Seen {
        self.run(self.command(words, &self.path().join(folder))).await
    }

    /// The same, with more environment variables.
    pub(crate) async fn landfall_with(&self, env: &[(&str, &str)], words: &str) -> Seen {
        let command = self.command(words, &self.path());
        let command = env.iter().fold(command, |command, (name, value)| command.env(name, value));
        self.run(command).await
    }

    /// A command with everything it needs, to be changed.
    pub(crate) fn command(&self, words: &str, folder: &Path) -> Command {
        let command = Command::new(BINARY).args(words.split_whitespace());
        Self::ready(command.current_dir(folder))
    }

    /// Runs `landfall` where somebody sits and types.
    pub(crate) async fn at_a_terminal(&self, words: &str, typed: &str) -> Seen {
        self.at_a_terminal_with(&[], words, typed).await
    }

    /// The same, with more environment variables. What is seen is all on one stream.
    pub(crate) async fn at_a_terminal_with(
        &self,
        env: &[(&str, &str)],
        words: &str,
        typed: &str,
    ) -> Seen {
        let line = format!("'{BINARY}' {words}");
        let command = Command::new("script").args(["-qec", &line, "/dev/null"]);
        let command = Self::ready(command.current_dir(self.path())).env("TERM", "xterm");
        let command = env.iter().fold(command, |command, (name, value)| command.env(name, value));
        let output = command.stdin(typed).run().await.unwrap();
        let Exit::Code(code) = output.exit else { panic!("killed: {}", output.stderr) };
        Seen { code, out: String::from_utf8(output.stdout).unwrap(), err: output.stderr }
    }

    fn ready(command: Command) -> Command {
        let command = command
            .timeout(Duration::from_secs(60))
            .env("USER", "ada")
            .env("LANDFALL_ALLOW_HOSTS", "127.0.0.1");
        SECRETS.iter().fold(command, |command, (name, value)| {
            command.secret_env(name, SecretString::from(*value))
        })
    }

    /// Runs it. Ports and the folder, which differ from run to run, are replaced by words, and no
    /// secret and no colour may be in what a pipe gets.
    pub(crate) async fn run(&self, command: Command) -> Seen {
        let output = command.run().await.unwrap();
        let Exit::Code(code) = output.exit else { panic!("killed: {}", output.stderr) };
        let folder = self.folder.path().canonicalize().unwrap();
        let steady = |text: &str| {
            text.replace(&self.unifi.url(), "http://unifi")
                .replace(&self.cloudflare.url(), "http://cloudflare")
                .replace(folder.to_str().unwrap(), "/home/ada")
        };
        let out = steady(std::str::from_utf8(&output.stdout).unwrap());
        let err = steady(&output.stderr);
        for text in [&out, &err] {
            assert!(!text.contains('\u{1b}'), "colour in a pipe: {text}");
            for (_, secret) in SECRETS {
                assert!(!text.contains(secret), "a secret in what people see: {text}");
            }
        }
        Seen { code, out, err }
    }
}

pub(crate) const NAS: &str = "\
unifi_dns:
  nas${suffix}.internal.lan: { a: 192.168.1.20, ttl: 300 }
";

pub(crate) const JELLYFIN: &str = "\
needs: [nas]
unifi_dns:
  jellyfin${suffix}.internal.lan: { a: 192.168.1.50 }
cloudflare_tunnel:
  tunnel: media-server
  routes:
    jellyfin${suffix}.example.com: http://jellyfin${suffix}.internal.lan:8096
";
