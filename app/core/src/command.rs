//! Commands in a comment: grammar without I/O, errors as values.
//!
//! A command is a line that begins with `/plan` or `/landfall plan`, outside quotes, code and
//! HTML comments. What begins with a slash and is not ours may be another App's, and is left alone.
//!
//! Each command is a file here, which says what it is and reads its arguments, and a line in the list
//! below; what it does is a file of the same name in `flow/command` of the bot.

mod arguments;
mod commit;
mod definition;
mod digest;
mod error;
mod text;

use arguments::Arguments;
pub use commit::CommitPrefix;
pub use definition::{About, Usage};
use definition::{Defined, Definition, commands};
pub use digest::DigestPrefix;
pub use error::CommandError;

commands! {
    help::Help,
    plan::Plan,
    apply::Apply,
    status::Status,
    lock::Lock,
    unlock::Unlock,
    cancel::Cancel,
}

/// Commands that are designed and not there yet: refused by name.
const LATER: [&str; 6] = ["promote", "rollback", "drift", "override", "tick", "destroy"];

/// At most this many commands are read from one comment; the rest is refused.
pub const MOST: usize = 10;

/// The line that stands for what is beyond [`MOST`]. Whoever writes it is told that it was too much.
const THE_REST: &str = "/landfall …";

/// A line is cut to this many characters before it is read and kept: more than any command takes.
const LONGEST: usize = 1000;

/// The rule of a command without arguments.
const NOTHING_ELSE: &str = "it takes nothing";

/// The lines of the help, in its order.
pub fn usages() -> impl Iterator<Item = Usage> {
    DEFINITIONS.iter().map(|definition| definition.usage)
}

/// Whether a command of this word is designed and not there yet.
#[must_use]
pub fn is_later(word: &str) -> bool {
    LATER.contains(&word)
}

/// Reads the commands of a comment, in order.
#[must_use]
pub fn parse(comment: &str) -> Vec<Result<Command, CommandError>> {
    let lines = text::spoken_lines(comment).into_iter().map(kept);
    let mut found: Vec<_> = lines.filter_map(|line| parse_line(&line)).collect();
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
    let lines = text::spoken_lines(comment).into_iter().map(kept);
    let mut lines: Vec<String> =
        lines.filter(|line| parse_line(line).is_some()).take(MOST + 1).collect();
    if let Some(rest) = lines.get_mut(MOST) {
        THE_REST.clone_into(rest);
    }
    lines
}

/// A line as it is read and kept. What a command takes is shorter, once there is one space between
/// two words: so the cut makes no other command of it.
fn kept(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect::<String>().trim_end().to_owned()
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
    if let Some(known) = DEFINITIONS.iter().find(|known| known.usage.word == word) {
        return Some((known.read)(Arguments::new(known.usage, words.collect())));
    }
    match LATER.iter().find(|later| **later == word) {
        Some(word) => Some(Err(CommandError::NotYet { word })),
        None if ours => Some(Err(CommandError::unknown(word))),
        None => None,
    }
}

#[cfg(test)]
mod tests;
