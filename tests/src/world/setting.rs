//! How a world begins: what stands in the repository, what the vendors are like, how patient the
//! server is.
//!
//! Ports, commits and the time differ from one run of a story to the next, so a story never sees
//! them: in what it writes and reads, the simulators have fixed addresses, commits have numbers, and it
//! is always then.

use std::time::Duration;

use jiff::Timestamp;
use landfall::house::Timing;
use landfall::settings::Webhooks;
use landfall_sim::cloudflare::{CloudflareSettings, CloudflareSim, ZoneSettings};
use landfall_sim::github::{Edit, GithubSim};
use landfall_sim::unifi::{UnifiSettings, UnifiSim};
use secrecy::SecretString;

/// The repository config: staging follows `develop`, production `main`, and both write to the one
/// console and the one account, so names carry a suffix.
pub const CONFIG: &str = r#"version: 1
environments:
  staging:
    branches: [develop]
    vars: { suffix: "-staging" }
    connections:
      unifi: { url: "http://unifi.test", api_key: "ref+env://LANDFALL_SECRET_UNIFI" }
      cloudflare: { url: "http://cloudflare.test", account: 0123456789abcdef0123456789abcdef, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CLOUDFLARE" }
  production:
    branches: [main]
    vars: { suffix: "" }
    connections:
      unifi: { url: "http://unifi.test", api_key: "ref+env://LANDFALL_SECRET_UNIFI" }
      cloudflare: { url: "http://cloudflare.test", account: 0123456789abcdef0123456789abcdef, zones: [example.com], token: "ref+env://LANDFALL_SECRET_CLOUDFLARE" }
"#;

/// `services/nas.yaml`
pub const NAS: &str = r#"unifi_dns:
  "nas${suffix}.internal.lan": { a: 192.168.1.50 }
"#;

/// `services/jellyfin.yaml`
pub const JELLYFIN: &str = r#"needs: [nas]
cloudflare_tunnel:
  tunnel: "media${suffix}"
  routes:
    "jellyfin${suffix}.example.com": "http://nas${suffix}.internal.lan:8096"
"#;

/// What the references of a story's `landfall.yaml` lead to.
const SECRETS: [(&str, &str); 2] = [
    ("LANDFALL_SECRET_UNIFI", "simulated-unifi-key"),
    ("LANDFALL_SECRET_CLOUDFLARE", "simulated-cloudflare-token"),
];

/// How a world begins. The default has [`CONFIG`], [`NAS`] and [`JELLYFIN`] on `main` and
/// `develop`, nothing at the providers, and a server that waits for nothing longer than it must.
#[derive(Debug)]
pub struct Setting {
    /// `landfall.yaml`; empty for none.
    pub config: String,
    /// The other files, by path.
    pub files: Vec<(String, String)>,
    /// The operator file; empty for none.
    pub operator: String,
    /// The server's.
    pub timing: Timing,
    /// The URL of the server's store; none for a file of its own.
    pub database: Option<String>,
    /// How events come to the server. In pull mode it has no webhook secret, and GitHub's hook leads
    /// nowhere.
    pub webhooks: Webhooks,
    /// What a reference to a secret leads the server to.
    pub secret: fn(&str) -> Option<SecretString>,
    /// The time of day for the server.
    pub clock: fn() -> Timestamp,
    /// What GitHub is like.
    pub github: landfall_sim::github::Settings,
    /// What the console is like.
    pub unifi: UnifiSettings,
    /// What the account is like: it has `example.com` and `example.org`.
    pub cloudflare: CloudflareSettings,
}

impl Default for Setting {
    fn default() -> Self {
        let files = [("services/nas.yaml", NAS), ("services/jellyfin.yaml", JELLYFIN)];
        let zones = ["example.com", "example.org"];
        Self {
            config: CONFIG.to_owned(),
            files: files.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
            operator: String::new(),
            timing: impatient(),
            database: None,
            webhooks: Webhooks::Push,
            secret,
            clock: Timestamp::now,
            github: landfall_sim::github::Settings::default(),
            unifi: UnifiSettings::default(),
            cloudflare: CloudflareSettings {
                zones: zones.map(ZoneSettings::active).into(),
                ..CloudflareSettings::default()
            },
        }
    }
}

fn secret(name: &str) -> Option<SecretString> {
    let known = SECRETS.iter().find(|(known, _)| *known == name);
    known.map(|(_, value)| SecretString::from(*value))
}

/// Leases as long as a server's, waits as short as they can be. What happens once in a while happens
/// at the start, and when the story says so.
fn impatient() -> Timing {
    let millis = Duration::from_millis;
    Timing {
        poll: millis(100),
        sweep: Duration::from_hours(24),
        reconcile: Duration::from_hours(24),
        pull: millis(10),
        lag: vec![millis(1); 12],
        attribution: vec![millis(1), millis(1)],
        retry: vec![millis(1)],
        publication: vec![millis(1)],
        pace: Vec::new(),
        late: millis(10),
        ..Timing::default()
    }
}

/// What things are called in a story, and what they really are.
#[derive(Debug)]
pub(super) struct Names {
    /// Addresses: as in the story, and on loopback.
    addresses: Vec<(&'static str, String)>,
    /// Commits in the order in which the story made them; the first one has the number 0.
    commits: Vec<String>,
}

impl Names {
    pub(super) fn new(github: &GithubSim, unifi: &UnifiSim, cloudflare: &CloudflareSim) -> Self {
        let (unifi, cloudflare) = (unifi.url(), cloudflare.url());
        let addresses = vec![
            // The same console by another name.
            ("http://console.test", unifi.replace("127.0.0.1", "localhost")),
            ("http://unifi.test", unifi),
            ("http://cloudflare.test", cloudflare),
            ("http://github.test", github.url()),
        ];
        Self { addresses, commits: Vec::new() }
    }

    /// A commit of the story has come into being.
    pub(super) fn commit(&mut self, sha: String) {
        if !self.commits.contains(&sha) {
            self.commits.push(sha);
        }
    }

    /// What the story wrote, as it is committed.
    pub(super) fn real_edit(&self, mut edit: Edit) -> Edit {
        if let Some(content) = edit.content.take() {
            edit.content = Some(match String::from_utf8(content) {
                Ok(text) => self.real(text).into_bytes(),
                Err(bytes) => bytes.into_bytes(),
            });
        }
        edit
    }

    fn real(&self, text: String) -> String {
        self.addresses.iter().fold(text, |text, (told, real)| text.replace(told, real))
    }

    /// What was said, as the story reads it: `commit-3` for a commit.
    pub(super) fn told(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (told, real) in &self.addresses {
            text = text.replace(real.as_str(), told);
        }
        for (number, sha) in self.commits.iter().enumerate() {
            let name = format!("commit-{number}");
            for digits in [sha.as_str(), &sha[..8], &sha[..7]] {
                text = text.replace(digits, &name);
            }
        }
        without_times(&text)
    }
}

/// The text with `THEN` in place of every `2026-08-01 09:30 UTC`.
fn without_times(text: &str) -> String {
    const LENGTH: usize = "2026-08-01 09:30".len();
    let is_time = |text: &str| {
        text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_digit() || b"- :".contains(&b))
    };
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((piece, behind)) = rest.split_once(" UTC") {
        match piece.split_at_checked(piece.len().saturating_sub(LENGTH)) {
            Some((before, time)) if is_time(time) => told.extend([before, "THEN"]),
            _ => told.extend([piece, " UTC"]),
        }
        rest = behind;
    }
    told + rest
}
