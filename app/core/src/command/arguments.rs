//! What stands behind a command's word, taken word by word.

use super::{CommandError, CommitPrefix, DigestPrefix, Usage};
use crate::name::{EnvironmentName, KindName, ServiceName};

/// At most this many names and kinds are taken, so that a command is always shorter than a line may be.
const MOST_NAMES: usize = 6;
const MOST_KINDS: usize = 3;

/// The words behind a command that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    usage: Usage,
    words: Vec<&'a str>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(usage: Usage, words: Vec<&'a str>) -> Self {
        Self { usage, words }
    }

    /// That `argument` does not fit.
    pub(super) fn refuse(&self, argument: &str, rule: &'static str) -> CommandError {
        let argument = argument.chars().take(80).collect();
        CommandError::Argument { usage: self.usage, argument, rule }
    }

    /// That something is missing.
    pub(super) fn lack(&self, what: &'static str) -> CommandError {
        CommandError::Missing { usage: self.usage, what }
    }

    /// The environment that is named first, if anything is left.
    pub(super) fn environment(&mut self) -> Result<Option<EnvironmentName>, CommandError> {
        let Some(word) = self.next() else { return Ok(None) };
        let name = EnvironmentName::new(word);
        name.map(Some).map_err(|_| self.refuse(word, "the name of an environment"))
    }

    /// The environment that is named, and nothing else.
    pub(super) fn environment_at_most(mut self) -> Result<Option<EnvironmentName>, CommandError> {
        let environment = self.environment()?;
        self.end("it takes one environment")?;
        Ok(environment)
    }

    /// The first digest, wherever it stands.
    pub(super) fn digest(&mut self) -> Option<DigestPrefix> {
        let at = self.words.iter().position(|word| DigestPrefix::new(word).is_ok())?;
        DigestPrefix::new(self.words.remove(at)).ok()
    }

    /// The first commit, wherever it stands.
    pub(super) fn commit(&mut self) -> Option<CommitPrefix> {
        let at = self.words.iter().position(|word| CommitPrefix::new(word).is_ok())?;
        CommitPrefix::new(self.words.remove(at)).ok()
    }

    /// Whether `flag` is among them.
    pub(super) fn flag(&mut self, flag: &str) -> bool {
        let at = self.words.iter().position(|word| *word == flag);
        at.map(|at| self.words.remove(at)).is_some()
    }

    /// What is said to be meant alone: `only:unifi_dns`.
    pub(super) fn only(&mut self) -> Result<Vec<KindName>, CommandError> {
        let (only, rest): (Vec<&str>, Vec<&str>) =
            self.words.iter().partition(|word| word.starts_with("only:"));
        self.words = rest;
        let kind = |word: &&str| {
            let name = word.strip_prefix("only:").unwrap_or(word);
            KindName::new(name).map_err(|_| self.refuse(word, "`only:` and a kind of component"))
        };
        if let Some(word) = only.get(MOST_KINDS) {
            return Err(self.refuse(word, "it takes three kinds of component"));
        }
        only.iter().map(kind).collect()
    }

    /// All that is left, as names of services; an environment is called like one too.
    pub(super) fn names(&mut self) -> Result<Vec<ServiceName>, CommandError> {
        let words = std::mem::take(&mut self.words);
        let name = |word: &&str| {
            ServiceName::new(*word)
                .map_err(|_| self.refuse(word, "the name of an environment or a service"))
        };
        if let Some(word) = words.get(MOST_NAMES) {
            return Err(self.refuse(word, "it takes six names"));
        }
        words.iter().map(name).collect()
    }

    /// All that is left, as text.
    pub(super) fn text(self) -> String {
        self.words.join(" ")
    }

    /// Nothing may be left.
    pub(super) fn end(&self, rule: &'static str) -> Result<(), CommandError> {
        self.words.first().map_or(Ok(()), |word| Err(self.refuse(word, rule)))
    }

    fn next(&mut self) -> Option<&'a str> {
        (!self.words.is_empty()).then(|| self.words.remove(0))
    }
}
