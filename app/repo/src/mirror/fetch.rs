//! Fetching: bringing refs of the remote into the mirror, under its lock.
//!
//! The token travels in an environment variable that git turns into a header for this one origin;
//! it is in no argument, no address and no file. What git reports is read from `--porcelain`, so a
//! fetch also answers where the refs are.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_core::name::{BranchName, CommitSha, PullNumber};
use landfall_os::process::{Command, Output};
use landfall_os::redact::Redactor;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Mirror;
use crate::RepoError;
use crate::git::first_free;

/// Where a repository is fetched from.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its address: `https://github.com/acme/homelab`, by a protocol of the settings.
    pub url: Url,
    /// An installation token.
    pub token: Option<SecretString>,
}

/// What to bring.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// One branch.
    Branch(BranchName),
    /// The head of a pull request.
    Pull(PullNumber),
    /// All branches; those that the remote no longer has are dropped.
    AllBranches,
}

/// Where the refs are that were fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    tips: BTreeMap<Wanted, CommitSha>,
}

impl Fetched {
    /// Where a branch or a pull request's head is. With [`Wanted::AllBranches`] every branch of the
    /// remote has an answer.
    #[must_use]
    pub fn tip(&self, wanted: &Wanted) -> Option<&CommitSha> {
        self.tips.get(wanted)
    }

    /// All branches that were fetched.
    pub fn branches(&self) -> impl Iterator<Item = (&BranchName, &CommitSha)> {
        self.tips.iter().filter_map(|(wanted, tip)| match wanted {
            Wanted::Branch(branch) => Some((branch, tip)),
            Wanted::Pull(_) | Wanted::AllBranches => None,
        })
    }

    /// Checks that a ref is where a webhook said: GitHub's git lags behind its events.
    ///
    /// # Errors
    /// [`RepoError::NotYet`] if it is elsewhere.
    pub fn expect(&self, wanted: &Wanted, expected: &CommitSha) -> Result<(), RepoError> {
        match self.tip(wanted) {
            Some(tip) if tip == expected => Ok(()),
            found => Err(RepoError::NotYet {
                wanted: wanted.to_string(),
                expected: expected.clone(),
                found: found.cloned(),
            }),
        }
    }

    /// Reads `flag SP old SP new SP ref LF`.
    fn read(porcelain: &[u8]) -> Option<Self> {
        let mut tips = BTreeMap::new();
        for line in std::str::from_utf8(porcelain).ok()?.lines() {
            let mut fields = line.get(2..)?.split(' ');
            let (_old, new, name) = (fields.next()?, fields.next()?, fields.next()?);
            let new = CommitSha::new(new).ok()?;
            if let Some(wanted) = Wanted::of_ref(name)
                && !new.is_zero()
            {
                tips.insert(wanted, new);
            }
        }
        Some(Self { tips })
    }
}

impl Wanted {
    /// The ref's full name in the mirror, which is the remote's.
    pub(super) fn ref_name(&self) -> String {
        match self {
            Self::Branch(branch) => branch.as_ref_name(),
            Self::Pull(number) => format!("refs/pull/{number}/head"),
            Self::AllBranches => "refs/heads/*".to_owned(),
        }
    }

    fn of_ref(name: &str) -> Option<Self> {
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            return BranchName::new(branch).ok().map(Self::Branch);
        }
        let number = name.strip_prefix("refs/pull/")?.strip_suffix("/head")?;
        Some(Self::Pull(PullNumber(number.parse().ok()?)))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(branch) => write!(f, "branch {branch}"),
            Self::Pull(number) => write!(f, "the head of #{number}"),
            Self::AllBranches => f.write_str("a branch"),
        }
    }
}

impl Mirror {
    /// Brings `wanted` from the remote; makes the mirror if there is none. Fetches of one mirror
    /// follow each other.
    ///
    /// # Errors
    /// [`RepoError::Gone`] if one of them is not at the remote; nothing is to be relied on then.
    pub async fn fetch(&self, remote: &Remote, wanted: &[Wanted]) -> Result<Fetched, RepoError> {
        check(&remote.url, &self.git.settings().protocols)?;
        let _writing = self.ready().await?;
        match self.fetch_once(remote, wanted).await {
            // A branch `a` in the mirror is in the way of a new `a/b`: drop what the remote dropped.
            Err(RepoError::Git { stderr, .. }) if stderr.contains("cannot lock ref") => {
                self.fetch_once(remote, &[Wanted::AllBranches]).await?;
                self.fetch_once(remote, wanted).await
            }
            other => other,
        }
    }

    async fn fetch_once(&self, remote: &Remote, wanted: &[Wanted]) -> Result<Fetched, RepoError> {
        let output = self.fetch_command(remote, wanted).run().await?;
        if !output.is_success() {
            return Err(self.why_not(remote, &output, wanted));
        }
        Fetched::read(&output.stdout).ok_or(RepoError::Unreadable { what: "fetch" })
    }

    fn fetch_command(&self, remote: &Remote, wanted: &[Wanted]) -> Command {
        // `--verbose` makes `--porcelain` name refs that did not move, too.
        let mut args: Vec<String> = [
            "fetch",
            "--porcelain",
            "--verbose",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
        ]
        .map(str::to_owned)
        .to_vec();
        if wanted.contains(&Wanted::AllBranches) {
            args.push("--prune".to_owned());
        }
        args.extend(["--".to_owned(), remote.url.to_string()]);
        args.extend(wanted.iter().map(Wanted::ref_name).map(|name| format!("+{name}:{name}")));

        let key = format!("http.{}/.extraHeader", remote.url.origin().ascii_serialization());
        let keys: &[&str] = if remote.token.is_some() { &[&key] } else { &[] };
        let mut command = self.git.configured(keys, args).env("GIT_DIR", &*self.folder);
        if let Some(token) = &remote.token {
            command =
                command.secret_env(format!("GIT_CONFIG_VALUE_{}", first_free()), basic(token));
        }
        command.timeout(self.git.settings().long_timeout)
    }

    fn why_not(&self, remote: &Remote, output: &Output, wanted: &[Wanted]) -> RepoError {
        let said = &output.stderr;
        if let Some((_, name)) = said.split_once("couldn't find remote ref ") {
            let name = name.lines().next().unwrap_or_default();
            let gone = wanted.iter().find(|wanted| wanted.ref_name() == name);
            return RepoError::Gone(gone.map_or_else(|| "a ref".to_owned(), Wanted::to_string));
        }
        if said.contains("' not found") || said.contains("does not appear to be a git repository") {
            return RepoError::Gone("the repository".to_owned());
        }
        if ["Authentication failed", "could not read Username", "error: 403"]
            .iter()
            .any(|sign| said.contains(sign))
        {
            return RepoError::Denied;
        }
        let Some(token) = &remote.token else { return self.git.failed("fetch", output) };
        // Installation tokens live an hour; one that lives for this message alone is enough.
        let redactor = Redactor::new();
        redactor.learn(token);
        let stderr = redactor.redact(said).into_owned();
        self.git.failed("fetch", &Output { stderr, ..output.clone() })
    }
}

/// The header with which GitHub takes an installation token over git's HTTP.
fn basic(token: &SecretString) -> SecretString {
    let credentials = format!("x-access-token:{}", token.expose_secret());
    SecretString::from(format!("Authorization: Basic {}", STANDARD.encode(credentials)))
}

/// The address goes into git's arguments and messages, so it must not carry a password.
fn check(url: &Url, protocols: &[String]) -> Result<(), RepoError> {
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let known = protocols.iter().any(|protocol| protocol == url.scheme());
    if bare && known { Ok(()) } else { Err(RepoError::Address) }
}
