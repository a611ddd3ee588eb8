//! Commands in a comment: grammar without I/O, errors as values.
//!
//! A command is a line that begins with `/plan` or `/landfall plan`, outside quotes, code and
//! HTML comments. What begins with a slash and is not ours may be another App's, and is left alone.

use std::fmt;

use crate::name::{EnvironmentName, NameError};
use crate::plan::Digest;

mod text;

/// At most this many commands are read from one comment; the rest is refused.
pub const MOST: usize = 10;

/// The line that stands for what is beyond [`MOST`]. Whoever writes it is told that it was too much.
const THE_REST: &str = "/landfall …";

/// A line is cut to this many characters before it is kept.
const LONGEST: usize = 300;

/// What a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `/help`
    Help,
    /// `/plan [ENVIRONMENT]`: plan again.
    Plan {
        /// Only this environment; all without.
        environment: Option<EnvironmentName>,
    },
    /// `/apply [ENVIRONMENT] [DIGEST]`: release a held run or retry a failed one.
    Apply {
        /// Only this environment.
        environment: Option<EnvironmentName>,
        /// The digest that was seen, at least eight digits.
        digest: Option<DigestPrefix>,
    },
    /// `/status`
    Status,
    /// `/unlock [ENVIRONMENT]`: give up the hold or the unresolved steps of an environment.
    Unlock {
        /// The environment; may be left out where there is one.
        environment: Option<EnvironmentName>,
    },
}

/// The beginning of a digest as a person types it: 8 to 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPrefix(String);

impl DigestPrefix {
    /// Reads one.
    ///
    /// # Errors
    /// Too short, too long, or not hexadecimal.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NameError::new(
                "a digest",
                text,
                "at least eight hexadecimal digits, as the comment shows them",
            ))
        }
    }

    /// A digest in full.
    #[must_use]
    pub fn of(digest: &Digest) -> Self {
        Self(digest.to_string())
    }

    /// The digits, lower-case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a line that is meant for us is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `/landfall` with a word we do not know.
    #[error("`{word}` is not a command{}", did_you_mean(.suggestion.as_deref()))]
    Unknown {
        /// The word.
        word: String,
        /// The command it resembles.
        suggestion: Option<&'static str>,
    },
    /// A command that is planned and not there yet.
    #[error("`/{word}` is not there yet in this version of Landfall")]
    NotYet {
        /// The command.
        word: &'static str,
    },
    /// An argument that does not fit.
    #[error("`/{command}` does not take `{argument}`: {rule}")]
    Argument {
        /// The command.
        command: &'static str,
        /// The argument.
        argument: String,
        /// What it takes.
        rule: &'static str,
    },
    /// More commands than one comment may carry.
    #[error("one comment may carry {MOST} commands; the rest was not read")]
    TooMany,
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!("; did you mean `/{word}`?")).unwrap_or_default()
}

/// One line of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The command's word.
    pub word: &'static str,
    /// How it is written.
    pub form: &'static str,
    /// What it does.
    pub does: &'static str,
}

/// The commands there are, in the order of the help.
pub const USAGE: [Usage; 5] = [
    Usage { word: "help", form: "/help", does: "shows this list" },
    Usage { word: "plan", form: "/plan [environment]", does: "plans again" },
    Usage {
        word: "apply",
        form: "/apply [environment] [digest]",
        does: "on a merged pull request: releases a run that is held, or retries one that failed",
    },
    Usage { word: "status", form: "/status", does: "shows what is live and what waits" },
    Usage {
        word: "unlock",
        form: "/unlock [environment]",
        does: "cancels a held run, or gives up steps whose outcome nobody knows, after you looked",
    },
];

const LATER: [&str; 8] =
    ["promote", "rollback", "lock", "cancel", "drift", "override", "tick", "destroy"];

impl Command {
    /// The command's line of the help. Destructured, so that a new command cannot lack one.
    #[must_use]
    pub fn usage(&self) -> Usage {
        match self {
            Self::Help => USAGE[0],
            Self::Plan { environment: _ } => USAGE[1],
            Self::Apply { environment: _, digest: _ } => USAGE[2],
            Self::Status => USAGE[3],
            Self::Unlock { environment: _ } => USAGE[4],
        }
    }
}

/// Reads the commands of a comment, in order.
#[must_use]
pub fn parse(comment: &str) -> Vec<Result<Command, CommandError>> {
    let mut found: Vec<_> =
        text::spoken_lines(comment).into_iter().filter_map(parse_line).collect();
    if found.len() > MOST {
        found.truncate(MOST);
        found.push(Err(CommandError::TooMany));
    }
    found
}

/// The lines of a comment that are for us: each is kept as a row of its own and read again, by
/// [`parse`], when it is carried out. After [`MOST`] of them one more stands for the rest, however
/// many, and is read as [`CommandError::TooMany`]: none is lost without a word.
#[must_use]
pub fn lines(comment: &str) -> Vec<String> {
    let ours = text::spoken_lines(comment).into_iter().filter(|line| parse_line(line).is_some());
    let mut lines: Vec<String> = ours.take(MOST + 1).map(kept).collect();
    if let Some(rest) = lines.get_mut(MOST) {
        THE_REST.clone_into(rest);
    }
    lines
}

/// A line as it is kept. What a command takes is shorter than what is kept of it, once there is one
/// space between two words: so the cut makes no other command of it.
fn kept(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// Reads one line; none when it is not for us.
fn parse_line(line: &str) -> Option<Result<Command, CommandError>> {
    if line == THE_REST {
        return Some(Err(CommandError::TooMany));
    }
    let mut words = line.strip_prefix('/')?.split_whitespace();
    let first = words.next()?;
    let (word, ours) =
        if first == "landfall" { (words.next().unwrap_or("help"), true) } else { (first, false) };
    let arguments: Vec<&str> = words.collect();
    if let Some(usage) = USAGE.iter().find(|usage| usage.word == word) {
        return Some(parse_arguments(usage.word, &arguments));
    }
    let later = LATER.iter().find(|later| **later == word);
    match later {
        Some(word) => Some(Err(CommandError::NotYet { word })),
        None if ours => Some(Err(unknown(word))),
        None => None,
    }
}

fn unknown(word: &str) -> CommandError {
    let words = USAGE.iter().map(|usage| usage.word);
    let near = words.map(|known| (strsim::damerau_levenshtein(known, word), known)).min();
    let suggestion = near.filter(|(distance, _)| *distance <= 2).map(|(_, known)| known);
    CommandError::Unknown { word: word.chars().take(40).collect(), suggestion }
}

fn parse_arguments(command: &'static str, arguments: &[&str]) -> Result<Command, CommandError> {
    let refuse = |argument: &str, rule| CommandError::Argument {
        command,
        argument: argument.chars().take(80).collect(),
        rule,
    };
    let environment = |argument: Option<&&str>| match argument {
        None => Ok(None),
        Some(text) => EnvironmentName::new(*text)
            .map(Some)
            .map_err(|_| refuse(text, "the name of an environment")),
    };
    let at_most = |most: usize| match arguments.get(most) {
        None => Ok(()),
        Some(extra) => Err(refuse(extra, "see `/help`")),
    };
    match command {
        "plan" => at_most(1)
            .and(environment(arguments.first()))
            .map(|environment| Command::Plan { environment }),
        "unlock" => at_most(1)
            .and(environment(arguments.first()))
            .map(|environment| Command::Unlock { environment }),
        "apply" => {
            at_most(2)?;
            let (digests, names): (Vec<&str>, Vec<&str>) =
                arguments.iter().partition(|a| DigestPrefix::new(a).is_ok());
            let (digest, spare) = (digests.first(), digests.get(1).or(names.get(1)));
            if let Some(spare) = spare {
                return Err(refuse(
                    spare,
                    "one environment and one digest of at least eight digits",
                ));
            }
            let digest = digest.and_then(|text| DigestPrefix::new(text).ok());
            Ok(Command::Apply { environment: environment(names.first())?, digest })
        }
        "status" => at_most(0).map(|()| Command::Status),
        _ => at_most(0).map(|()| Command::Help),
    }
}

#[cfg(test)]
mod tests;
