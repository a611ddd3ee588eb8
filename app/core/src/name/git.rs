//! Names that git gives: objects, branches, and paths inside a tree.

use super::{NameError, PullNumber, checked_text};

/// An object name in full: 40 hexadecimal digits (SHA-1) or 64 (SHA-256), lower-case.
fn object(what: &'static str, value: String) -> Result<String, NameError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if matches!(value.len(), 40 | 64) && value.chars().all(hex) {
        Ok(value)
    } else {
        Err(NameError::new(what, &value, "40 or 64 lower-case hexadecimal digits"))
    }
}

checked_text!(
    /// A commit in full.
    CommitSha,
    |value| object("a commit", value)
);
checked_text!(
    /// A tree in full.
    TreeSha,
    |value| object("a tree", value)
);
checked_text!(
    /// A blob in full.
    BlobSha,
    |value| object("a blob", value)
);

impl CommitSha {
    /// The first seven digits, as people write a commit.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.as_str()[..7]
    }

    /// The first eight digits, for a command that names it.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.as_str()[..8]
    }

    /// GitHub's "no commit": all zeros, as in `before` of a push that created a branch.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.as_str().bytes().all(|b| b == b'0')
    }
}

checked_text!(
    /// A branch without `refs/heads/`. The rules are those of `git check-ref-format --branch`.
    BranchName,
    |value| {
        let bad_part = |p: &str| p.is_empty() || p.starts_with('.') || p.ends_with(".lock");
        let bad_char = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
        let bad = value.is_empty()
            || value.len() > 255
            || value == "@"
            || value.starts_with('-')
            || value.ends_with('.')
            || value.contains("..")
            || value.contains("@{")
            || value.chars().any(bad_char)
            || value.split('/').any(bad_part);
        if bad {
            Err(NameError::new("a branch", &value, "see `git check-ref-format --branch`"))
        } else {
            Ok(value)
        }
    }
);

impl BranchName {
    /// The full name of the ref: `refs/heads/main`.
    #[must_use]
    pub fn as_ref_name(&self) -> String {
        format!("refs/heads/{}", self.as_str())
    }

    /// The branch of a full ref; none for a tag and the like.
    #[must_use]
    pub fn of_ref(name: &str) -> Option<Self> {
        Self::new(name.strip_prefix("refs/heads/")?).ok()
    }

    /// For a branch that GitHub's merge queue made for a group, `gh-readonly-queue/main/pr-7-<sha>`,
    /// the branch that the group is to be merged into. Nobody else may push to such a branch
    /// (<https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue>).
    #[must_use]
    pub fn queued_into(&self) -> Option<Self> {
        let (into, group) = self.as_str().strip_prefix("gh-readonly-queue/")?.rsplit_once('/')?;
        group.starts_with("pr-").then(|| Self::new(into).ok()).flatten()
    }

    /// The last pull request of the group that such a branch was made for.
    #[must_use]
    pub fn last_queued(&self) -> Option<PullNumber> {
        self.queued_into()?;
        let (_, group) = self.as_str().rsplit_once("/pr-")?;
        let (number, _) = group.split_once('-')?;
        number.parse().ok().map(PullNumber)
    }
}

checked_text!(
    /// A file inside a repository: relative, `/` between parts, no `.` or `..`.
    ConfigPath,
    |value| {
        let bad = value.len() > 1024
            || value.contains(['\0', '\n'])
            || value.split('/').any(|p| matches!(p, "" | "." | ".."));
        if bad {
            Err(NameError::new("a path in a repository", &value, "relative, without `.` or `..`"))
        } else {
            Ok(value)
        }
    }
);

impl ConfigPath {
    /// The file's name without folders and ending: `jellyfin` of `services/jellyfin.yaml`.
    #[must_use]
    pub fn stem(&self) -> &str {
        let file = self.as_str().rsplit('/').next().unwrap_or_default();
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_hexadecimal_and_whole() {
        assert!(CommitSha::new("a".repeat(40)).is_ok());
        assert!(CommitSha::new("a".repeat(39)).is_err());
        assert!(CommitSha::new("G".repeat(40)).is_err());
        assert!(CommitSha::new("0".repeat(40)).unwrap().is_zero());
    }

    #[test]
    fn a_branch_follows_gits_rules() {
        for good in ["main", "feature/x-1", "a.b"] {
            assert!(BranchName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "a..b", "a b", "a/.b", "a.lock", "a/", "@", "x@{1}"] {
            assert!(BranchName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_branch_of_the_merge_queue_says_where_it_goes() {
        let into = |name: &str| BranchName::new(name).unwrap().queued_into();
        let named = |name: &str| Some(BranchName::new(name).unwrap());
        assert_eq!(into("gh-readonly-queue/main/pr-7-0123abc"), named("main"));
        assert_eq!(into("gh-readonly-queue/team/live/pr-7-0123abc"), named("team/live"));
        let last = |name: &str| BranchName::new(name).unwrap().last_queued();
        assert_eq!(last("gh-readonly-queue/team/live/pr-7-0123abc"), Some(PullNumber(7)));
        assert_eq!(last("gh-readonly-queue/main/pr-seven-0"), None);
        for other in ["main", "gh-readonly-queue/main", "gh-readonly-queue/main/x", "x/pr-7-0"] {
            assert_eq!((into(other), last(other)), (None, None), "{other}");
        }
    }

    #[test]
    fn a_path_stays_inside_and_has_a_stem() {
        assert_eq!(ConfigPath::new("services/a.b.yaml").unwrap().stem(), "a.b");
        for bad in ["/etc/passwd", "a/../b", "", "a//b"] {
            assert!(ConfigPath::new(bad).is_err(), "{bad}");
        }
    }
}
