//! CODEOWNERS: who owns which paths, by GitHub's rules
//! (<https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>).
//!
//! The last line that matches a path counts, also when it names nobody. Patterns are those of
//! gitignore without `!`, `[ ]` and `\#`, and letters have a case. A line that cannot be read makes
//! GitHub pass it over; here it makes the whole file worthless, so that nobody owns by a mistake what
//! somebody else was to own.

use std::fmt;

/// The places in the order in which GitHub looks: the first that exists counts.
pub const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// The largest file that GitHub reads, in bytes.
pub const LARGEST: usize = 3 << 20;

/// Somebody who owns something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// `@alice`: a login, as it is written.
    User(String),
    /// `@acme/media`: a team of an organisation, by its slug.
    Team {
        /// The organisation.
        organization: String,
        /// The team.
        slug: String,
    },
    /// `alice@example.com`: nobody whom GitHub would let us recognise.
    Email(String),
}

impl Owner {
    /// Reads one; none when it is no owner.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let Some(name) = text.strip_prefix('@') else {
            let (user, host) = text.split_once('@')?;
            return (!user.is_empty() && host.contains('.')).then(|| Self::Email(text.to_owned()));
        };
        match name.split_once('/') {
            None if plain(name) => Some(Self::User(name.to_owned())),
            Some((organization, slug)) if plain(organization) && plain(slug) => {
                Some(Self::Team { organization: organization.to_owned(), slug: slug.to_owned() })
            }
            _ => None,
        }
    }
}

/// As it is written.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(login) => write!(f, "@{login}"),
            Self::Team { organization, slug } => write!(f, "@{organization}/{slug}"),
            Self::Email(address) => f.write_str(address),
        }
    }
}

/// Why a file is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} cannot be read: {why}")]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codeowners(Vec<(Pattern, Vec<Owner>)>);

impl Codeowners {
    /// Reads a file.
    ///
    /// # Errors
    /// A line that GitHub would not take.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let unreadable = |why| Unreadable { line: number + 1, why };
            let line = line.split_once('#').map_or(line, |(before, _)| before);
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next() else { continue };
            let pattern = Pattern::parse(pattern).map_err(unreadable)?;
            let owners = words.map(|word| Owner::parse(word).ok_or(unreadable("no such owner")));
            entries.push((pattern, owners.collect::<Result<_, _>>()?));
        }
        Ok(Self(entries))
    }

    /// Who owns the file at `path`; nobody when no line matches, or the last one names nobody.
    #[must_use]
    pub fn of(&self, path: &str) -> &[Owner] {
        let last = self.0.iter().rev().find(|(pattern, _)| pattern.matches(path));
        last.map_or(&[], |(_, owners)| owners)
    }
}

/// A pattern: the parts of a path, where `**` stands for any number of them.
#[derive(Clone, PartialEq, Eq)]
struct Pattern {
    parts: Vec<String>,
    /// Whether it begins at the root rather than at any depth.
    anchored: bool,
    depth: Depth,
}

/// How far below what it names a pattern reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// `docs/`: only what is in a folder of that name.
    Below,
    /// `docs`: a file or a folder with all that is in it.
    Both,
    /// `docs/*`: what is directly in it, and nothing deeper.
    Exact,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with('!') || text.contains(['[', ']', '\\']) {
            return Err("`!`, `[`, `]` and `\\` mean nothing here");
        }
        let inner = text.trim_end_matches('/');
        let parts: Vec<String> =
            inner.trim_start_matches('/').split('/').map(ToOwned::to_owned).collect();
        let depth = match parts.last().map(String::as_str) {
            _ if inner.len() < text.len() => Depth::Below,
            Some("*") if parts.len() > 1 => Depth::Exact,
            _ => Depth::Both,
        };
        // A slash at the beginning or in the middle binds a pattern to the root.
        Ok(Self { parts, anchored: inner.contains('/'), depth })
    }

    fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        let starts = if self.anchored { 0..=0 } else { 0..=path.len() };
        starts.into_iter().any(|start| self.reaches(&self.parts, &path[start..]))
    }

    /// Whether `parts` lead from the beginning of `path` to a place whose file this is.
    fn reaches(&self, parts: &[String], path: &[&str]) -> bool {
        match (parts.split_first(), path.split_first()) {
            (None, None) => self.depth != Depth::Below,
            (None, Some(_)) => self.depth != Depth::Exact,
            (Some((part, rest)), _) if part == "**" => {
                (0..=path.len()).any(|skipped| self.reaches(rest, &path[skipped..]))
            }
            (Some((part, rest)), Some((name, below))) => {
                is_like(part.as_bytes(), name.as_bytes()) && self.reaches(rest, below)
            }
            (Some(_), None) => false,
        }
    }
}

/// `*` stands for anything within a part, `?` for one character.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|skipped| is_like(rest, &name[skipped..])),
        (Some((b'?', rest)), Some((_, behind))) => is_like(rest, behind),
        (Some((this, rest)), Some((that, behind))) => this == that && is_like(rest, behind),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = if self.anchored { "/" } else { "" };
        write!(f, "{root}{} ({:?})", self.parts.join("/"), self.depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(file: &str, path: &str) -> String {
        let read = Codeowners::parse(file).unwrap();
        let names = read.of(path).iter().map(|owner| owner.to_string().replace('@', ""));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_last_line_that_matches_counts_also_when_it_names_nobody() {
        let file = "* @alice\n/services/ @acme/media # ours\n/services/free.yaml\n";
        assert_eq!(owners(file, "README.md"), "alice");
        assert_eq!(owners(file, "services/nas.yaml"), "acme/media");
        assert_eq!(owners(file, "services/free.yaml"), "");
    }

    #[test]
    fn patterns_mean_what_github_says_they_mean() {
        for (pattern, yes, no) in [
            ("*.js", &["a.js", "x/y/b.js"][..], &["a.jsx"][..]),
            (
                "/build/logs/",
                &["build/logs/a", "build/logs/b/c"],
                &["x/build/logs/a", "build/logs"],
            ),
            ("docs/*", &["docs/a.md"], &["docs/x/a.md", "x/docs/a.md"]),
            ("apps/", &["apps/a", "x/apps/b/c"], &["apps"]),
            ("/apps/github", &["apps/github", "apps/github/x"], &["apps/githubs"]),
            ("**/logs", &["logs/a", "build/logs/a", "deeply/nested/logs/b"], &["log/a"]),
            ("/scripts/**/x.sh", &["scripts/x.sh", "scripts/a/b/x.sh"], &["x.sh"]),
            ("services/media-?.yaml", &["services/media-1.yaml"], &["services/media-12.yaml"]),
            ("services", &["services/nas.yaml", "x/services/y"], &["my-services/z"]),
        ] {
            let file = format!("{pattern} @alice");
            for path in yes {
                assert_eq!(owners(&file, path), "alice", "{pattern} {path}");
            }
            for path in no {
                assert_eq!(owners(&file, path), "", "{pattern} {path}");
            }
        }
    }

    #[test]
    fn one_line_that_cannot_be_read_makes_the_file_worthless() {
        for (file, line) in [("* @alice\n!x @bob", 2), ("[ab] @bob", 1), ("\n* bob", 2), ("* @", 1)]
        {
            assert_eq!(Codeowners::parse(file).unwrap_err().line, line, "{file}");
        }
    }
}
