//! Rights: who may give a command.
//!
//! What the rules ask for is data here. Whether somebody has it is asked of GitHub when a command
//! acts, never read from an event.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;

use crate::command::Usage;
use crate::name::NameError;

/// What somebody may do in a repository, in GitHub's words, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Look.
    Read,
    /// Sort issues and pull requests.
    Triage,
    /// Push.
    Write,
    /// Push and change some settings.
    Maintain,
    /// Everything.
    Admin,
}

impl Level {
    const ALL: [Self; 5] = [Self::Read, Self::Triage, Self::Write, Self::Maintain, Self::Admin];

    /// The level of that name, by GitHub's words; none for `none` and custom roles.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// One thing that is enough to give a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// At least this permission on the repository.
    Level(Level),
    /// To be in a team of the organisation that has the repository: its slug.
    Team(String),
    /// To own every service that the command is about, by its file's `owners` or by CODEOWNERS.
    Owner,
}

/// The words that are rights by themselves.
pub const WORDS: [&str; 6] = ["read", "triage", "write", "maintain", "admin", "owner"];

impl Right {
    /// The permission on the repository that it is.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Level(level) => Some(*level),
            Self::Team(_) | Self::Owner => None,
        }
    }
}

const RULE: &str =
    "`read`, `triage`, `write`, `maintain`, `admin`, `owner`, or `team:` and the team's slug";

impl FromStr for Right {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::new("a right", text, RULE);
        if text == "owner" {
            return Ok(Self::Owner);
        }
        if let Some(slug) = text.strip_prefix("team:") {
            return is_slug(slug).then(|| Self::Team(slug.to_owned())).ok_or_else(wrong);
        }
        Level::named(text).map(Self::Level).ok_or_else(wrong)
    }
}

impl JsonSchema for Right {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Right".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(read|triage|write|maintain|admin|owner|team:[a-z0-9][a-z0-9_-]*)$",
        })
    }
}

/// How GitHub writes a team in its addresses.
fn is_slug(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(plain)
        && text.len() <= 100
        && text.chars().all(|c| plain(c) || c == '-' || c == '_')
}

/// What somebody lacks who has it not: `need write permission here`, `have to be in the team platform`, …
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "need {} permission here", level.as_str()),
            Self::Team(slug) => write!(f, "have to be in the team `{slug}`"),
            Self::Owner => f.write_str("have to own every service that it is about"),
        }
    }
}

/// What commands take, each any one of its rights. What is not in it takes what it takes by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(BTreeMap<&'static str, Vec<Right>>);

impl Rights {
    /// That a command takes any one of these.
    pub fn put(&mut self, usage: Usage, any: Vec<Right>) {
        self.0.insert(usage.word, any);
    }

    /// What a command takes, if anything is said of it.
    #[must_use]
    pub fn of(&self, usage: Usage) -> Option<&[Right]> {
        self.0.get(usage.word).map(Vec::as_slice)
    }
}

/// Any one of these rights, as the end of a sentence: `You need …, or …`.
#[must_use]
pub fn any_of(rights: &[Right]) -> String {
    // Who has more has the least of them too.
    let least = rights.iter().filter_map(Right::level).min().map(Right::Level);
    let others = rights.iter().filter(|right| right.level().is_none()).cloned();
    let told: Vec<String> =
        least.into_iter().chain(others).map(|right| right.to_string()).collect();
    told.join(", or ")
}
