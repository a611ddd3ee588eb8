//! What people are told of a job's error. The log has all of it; a comment may be read by strangers,
//! whom paths, addresses and the words of git and of the database are no business of.

use landfall_github::{Failure, GithubError};
use landfall_repo::RepoError;
use landfall_store::StoreError;

use crate::panics::Panicked;

/// One line, without anything that is only of this machine.
pub(super) fn told(error: &anyhow::Error) -> String {
    let found = error.chain().find_map(|cause| {
        let github = cause.downcast_ref::<GithubError>().map(|error| of_github(&error.failure));
        github
            .or_else(|| cause.downcast_ref::<RepoError>().map(of_git))
            .or_else(|| cause.downcast_ref::<StoreError>().map(|_| "the database failed".into()))
            .or_else(|| cause.downcast_ref::<Panicked>().map(ToString::to_string))
    });
    let said = found.unwrap_or_else(|| "an error that nobody foresaw".to_owned());
    if said.contains("the log says") { said } else { format!("{said}; the server's log says more") }
}

fn of_github(failure: &Failure) -> String {
    match failure {
        // GitHub's own words to an App, about what it asked for.
        Failure::Denied { .. } | Failure::Unprocessable { .. } => format!("GitHub: {failure}"),
        Failure::Unreachable { .. } | Failure::Unknown { .. } => {
            "GitHub could not be reached".to_owned()
        }
        Failure::Malformed { .. } => "GitHub answered otherwise than it says it does".to_owned(),
        Failure::NotFound | Failure::Gone | Failure::NotInstalled | Failure::Limited { .. } => {
            format!("GitHub: {failure}")
        }
    }
}

fn of_git(error: &RepoError) -> String {
    match error {
        RepoError::Gone(_)
        | RepoError::NotYet { .. }
        | RepoError::Denied
        | RepoError::TooLarge { .. } => format!("git: {error}"),
        _ => "git could not fetch or read the repository".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn what_git_says_stays_in_the_log() {
        let stderr = "fatal: cannot open '/srv/landfall/mirrors/7.git/FETCH_HEAD'".to_owned();
        let failed = Err::<(), _>(RepoError::Git { what: "fetch", stderr });
        let error = failed.context("the mirror of acme/homelab").unwrap_err();
        insta::assert_snapshot!(told(&error), @"git could not fetch or read the repository; the server's log says more");
        insta::assert_snapshot!(told(&RepoError::Denied.into()), @"git: the remote refuses access; the server's log says more");
    }

    #[test]
    fn what_github_says_is_said_and_where_it_was_asked_is_not() {
        let failure = Failure::Denied { message: "Resource not accessible".into() };
        let call = "GET http://10.0.0.7/api/v3".to_owned();
        let error = GithubError { call: call.clone(), failure };
        insta::assert_snapshot!(told(&error.into()), @"GitHub: refused: Resource not accessible; the server's log says more");
        let why = "http://10.0.0.7: connection refused".to_owned();
        let error = GithubError { call, failure: Failure::Unreachable { why } };
        insta::assert_snapshot!(told(&error.into()), @"GitHub could not be reached; the server's log says more");
    }

    #[test]
    fn what_nobody_knows_is_not_repeated() {
        let error = anyhow::anyhow!("No such file: /srv/landfall/data");
        insta::assert_snapshot!(told(&error), @"an error that nobody foresaw; the server's log says more");
        insta::assert_snapshot!(told(&Panicked.into()), @"a fault in Landfall itself: the log says where");
    }
}
